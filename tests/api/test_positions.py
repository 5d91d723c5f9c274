"""What is held, of the account and of a strategy, and its comparison with the broker's books (S2-7, S3-33..S3-35)."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.api.desks import Client, Counter, a_counter, buy

ORDERS = "/api/v1/orders"
POSITIONS = "/api/v1/positions"


async def filled(counter: Counter, alice: Client, **more: Any) -> dict[str, Any]:
    """An order that has filled."""
    said = await alice.post(ORDERS, buy(**more))
    return await counter.order_is(alice, said.document["order_id"], "FILLED")


async def test_a_position_is_priced_by_the_newest_quote(tmp_path: Path) -> None:
    async with a_counter(tmp_path) as counter:
        alice = counter.client()
        await filled(counter, alice)
        (held,) = (await alice.get(POSITIONS)).document["positions"]
        fills = (await alice.get("/api/v1/fills")).document["fills"]
    assert (held["symbol"], held["direction"], held["quantity"]) == ("BAC.US", "LONG", "100")
    assert Decimal(held["cost"]) == sum(Decimal(each["quantity"]) * Decimal(each["price"]) for each in fills)
    gain = Decimal(held["market_price"]) * 100 - Decimal(held["cost"])
    assert Decimal(held["unrealized_pnl"]) == gain


async def test_a_strategy_holds_what_its_own_trades_made(tmp_path: Path) -> None:
    async with a_counter(tmp_path) as counter:
        alice = counter.client()
        await filled(counter, alice, quantity="100", strategy_id="a")
        await filled(counter, alice, quantity="50", strategy_id="b")
        await filled(counter, alice, quantity="30", strategy_id="a", side="sell")
        of_a = (await alice.get(POSITIONS, strategy_id="a")).document["positions"]
        whole = (await alice.get(POSITIONS)).document["positions"]
    assert [(each["strategy_id"], each["quantity"]) for each in of_a] == [("a", "70")]
    assert [each["quantity"] for each in whole] == ["120"]


async def test_one_position_is_found_by_strategy_exchange_and_symbol(tmp_path: Path) -> None:
    async with a_counter(tmp_path) as counter:
        alice = counter.client()
        await filled(counter, alice, strategy_id="a")
        one = await alice.get(f"{POSITIONS}/a/NYSE/BAC")
        account = await alice.get(f"{POSITIONS}/-/US/BAC.US")
        nobody = await alice.get(f"{POSITIONS}/b/NYSE/BAC")
    assert (one.document["quantity"], account.document["quantity"]) == ("100", "100")
    assert (nobody.status, nobody.code) == (404, "not_known")


async def test_what_a_strategy_closed_is_gained_and_gone(tmp_path: Path) -> None:
    async with a_counter(tmp_path) as counter:
        alice = counter.client()
        bought = await filled(counter, alice, strategy_id="a")
        sold = await filled(counter, alice, strategy_id="a", side="sell")
        open_ones = (await alice.get(POSITIONS, strategy_id="a")).document["positions"]
        (flat,) = (await alice.get(POSITIONS, strategy_id="a", flat="true")).document["positions"]
    assert open_ones == []
    assert Decimal(flat["realized_pnl"]) == 100 * (Decimal(sold["average_price"]) - Decimal(bought["average_price"]))


async def test_a_comparison_with_the_broker_says_that_the_books_agree(tmp_path: Path) -> None:
    async with a_counter(tmp_path) as counter:
        alice = counter.client()
        await filled(counter, alice)
        said = await alice.post(f"{POSITIONS}/sync/paper")
        by_exchange = await alice.post(f"{POSITIONS}/sync/NYSE")
        wrong = await alice.post(f"{POSITIONS}/sync/binance")
    assert said.document == {"broker": "paper", "account": "paper", "breaks": [], "agrees": True}
    assert by_exchange.status == 200
    assert (wrong.status, wrong.code) == (422, "bad_input")


async def test_fills_are_listed_with_their_costs_and_the_exchanges_clock(tmp_path: Path) -> None:
    async with a_counter(tmp_path) as counter:
        alice = counter.client()
        order = await filled(counter, alice)
        of_order = (await alice.get("/api/v1/fills", order_id=order["order_id"])).document["fills"]
        of_symbol = (await alice.get("/api/v1/fills", symbol="AIG")).document["fills"]
    assert sum(Decimal(each["quantity"]) for each in of_order) == 100
    assert of_order[0]["fill_time"].endswith("Z")
    assert of_order[0]["fill_time_local"].endswith("-04:00")
    assert of_symbol == []


async def test_the_account_shows_its_money_and_how_it_went(tmp_path: Path) -> None:
    async with a_counter(tmp_path) as counter:
        alice = counter.client()
        await filled(counter, alice)
        account = (await alice.get("/api/v1/account")).document
        curve = (await alice.get("/api/v1/account/curve", currency="usd")).document
    (usd,) = [each for each in account["money"] if each["currency"] == "USD"]
    assert Decimal(usd["balance"]) < 1_000_000
    assert curve["points"][-1]["balance"] == usd["balance"]
    worths = [Decimal(each["equity"]) for each in curve["points"]]
    assert Decimal(curve["drawdown"]) == (worths[-1] / max(worths) - 1).quantize(Decimal("0.000001"))


async def test_the_curve_of_the_account_is_what_it_was_worth_and_to_buy_is_no_loss(tmp_path: Path) -> None:
    """S4-27, S4-30: the balance and what is held, at the market; the last point is of now."""
    async with a_counter(tmp_path) as counter:
        alice = counter.client()
        order = await filled(counter, alice)
        curve = (await alice.get("/api/v1/account/curve", currency="USD")).document
        (held,) = (await alice.get("/api/v1/positions")).document["positions"]
    spent = Decimal(order["average_price"]) * 100 + Decimal(order["commission"])
    bought, now = curve["points"][-2:]
    assert Decimal(bought["balance"]) == 1_000_000 - spent
    assert Decimal(bought["equity"]) == 1_000_000 - Decimal(order["commission"])
    assert abs(Decimal(now["equity"]) - Decimal(now["balance"]) - Decimal(held["market_value"])) < 50
    assert Decimal(curve["drawdown"]) > Decimal("-0.001")


async def test_quotes_come_with_their_age_and_instruments_are_found(tmp_path: Path) -> None:
    async with a_counter(tmp_path) as counter:
        alice = counter.client()
        quotes = (await alice.get("/api/v1/quotes", symbols="BAC,MSFT")).document
        found = (await alice.get("/api/v1/instruments", q="aig")).document["instruments"]
        never_met = (await alice.get("/api/v1/instruments", q="MSFT")).document["instruments"]
    assert [each["symbol"] for each in quotes["quotes"]] == ["BAC.US"]
    assert quotes["missing"] == ["MSFT.US"]
    assert 0 <= quotes["quotes"][0]["age_ms"] < 60_000
    assert [each["symbol"] for each in found] == ["AIG.US"]
    assert (never_met[0]["symbol"], never_met[0]["lot"]) == ("MSFT.US", "1")
