"""Orders over HTTP, at a paper broker on recorded quotes (S3-23..S3-30, S3-37, S3-40)."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.api.desks import a_counter, buy, resting

from tradeloop.access.identity import Scope
from tradeloop.bootstrap import Desk
from tradeloop.core.types import Symbol

ORDERS = "/api/v1/orders"


async def test_a_market_order_is_taken_and_fills(tmp_path: Path) -> None:
    async with a_counter(tmp_path) as counter:
        alice = counter.client()
        said = await alice.post(ORDERS, buy(strategy_id="s1", exchange="NYSE", time_in_force="GTC"))
        assert said.status == 201, said.document
        assert said.document["status"] == "NEW"
        order = await counter.order_is(alice, said.document["order_id"], "FILLED")
    assert (order["filled_quantity"], order["strategy_id"], order["created_by"]) == ("100", "s1", "alice")
    assert (order["s0_status"], order["s1_status"], order["exchange"]) == ("FILLED", "FILLED", "US")


async def test_an_order_is_found_by_whoever_has_just_sent_it(tmp_path: Path) -> None:
    async with a_counter(tmp_path) as counter:
        alice = counter.client()
        ids = [(await alice.post(ORDERS, resting())).document["order_id"] for _ in range(3)]
        found = await alice.get(ORDERS, open="true")
    assert [each["order_id"] for each in found.document["orders"]] == ids[::-1]


async def test_orders_are_listed_by_strategy_and_page_by_page(tmp_path: Path) -> None:
    async with a_counter(tmp_path) as counter:
        alice = counter.client()
        for number in range(3):
            await alice.post(ORDERS, resting(strategy_id="mine", price=f"12.{number}0"))
        await alice.post(ORDERS, resting(strategy_id="other"))
        first = await alice.get(ORDERS, strategy_id="mine", symbol="BAC", limit="2")
        rest = await alice.get(ORDERS, strategy_id="mine", symbol="BAC", limit="2", cursor=first.document["next"])
    prices = [each["price"] for each in (*first.document["orders"], *rest.document["orders"])]
    assert prices == ["12.2", "12.1", "12"]
    assert rest.document["next"] is None


async def test_a_cancel_with_its_reason_takes_an_order_out(tmp_path: Path) -> None:
    async with a_counter(tmp_path) as counter:
        alice = counter.client()
        order_id = (await alice.post(ORDERS, resting())).document["order_id"]
        await counter.order_is(alice, order_id, "NEW")
        said = await alice.post(f"{ORDERS}/{order_id}/cancel", reason="user_request")
        assert said.status == 202, said.document
        await counter.order_is(alice, order_id, "CANCELED")
        shown = await alice.get(f"{ORDERS}/{order_id}")
        deeds = await alice.get("/api/v1/audit", subject=order_id)
    assert [step["what"] for step in shown.document["timeline"]] == [
        "STAGED",
        "SENT",
        "ACKNOWLEDGED",
        "CANCEL_REQUESTED",
        "CANCELED",
    ]
    assert any("user_request" in each["text"] for each in deeds.document["audit"])


async def test_cancelling_what_has_ended_is_a_conflict(tmp_path: Path) -> None:
    async with a_counter(tmp_path) as counter:
        alice = counter.client()
        order_id = (await alice.post(ORDERS, buy())).document["order_id"]
        await counter.order_is(alice, order_id, "FILLED")
        said = await alice.post(f"{ORDERS}/{order_id}/cancel")
    assert (said.status, said.code) == (409, "conflict")
    assert "nothing left to cancel" in said.document["detail"]


@pytest.mark.parametrize("path", [f"{ORDERS}/nobody", f"{ORDERS}/nobody/twap-progress"])
async def test_what_is_not_known_is_not_found(tmp_path: Path, path: str) -> None:
    async with a_counter(tmp_path) as counter:
        said = await counter.client().get(path)
    assert (said.status, said.code) == (404, "not_known")
    assert said.document["request_id"] == said.headers["x-request-id"]


async def test_an_amendment_changes_the_terms_in_one_step(tmp_path: Path) -> None:
    async with a_counter(tmp_path) as counter:
        alice = counter.client()
        order_id = (await alice.post(ORDERS, resting())).document["order_id"]
        await counter.order_is(alice, order_id, "NEW")
        said = await alice.send("PATCH", f"{ORDERS}/{order_id}", {"price": "13.05", "quantity": "50"})
        assert said.status == 202, said.document
        await counter.order_is(alice, order_id, "NEW")
        order = await counter.order_is(alice, order_id, "NEW")
    assert (order["price"], order["quantity"]) == ("13.05", "50")


async def test_orders_that_come_together_wait_together_for_the_first_quote(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a symbol that nobody looks at yet; without a quote the second would be denied."""
    come = asyncio.Event()

    async def quoted(*_: object) -> list[Symbol]:
        await come.wait()
        return []

    async with a_counter(tmp_path) as counter:
        ann = counter.client("ann")
        for symbol in ("BAC.US", "IBM.US"):
            await ann.send("PUT", "/api/v1/main-contract", {"symbol": symbol, "reason": "the month rolls"})
        monkeypatch.setattr(Desk, "quoted", quoted)
        asked = [asyncio.ensure_future(ann.post(ORDERS, buy("1"))) for _ in range(3)]
        finished, _ = await asyncio.wait(asked, timeout=1)
        come.set()
        answers = await asyncio.gather(*asked)
    assert not finished
    assert [answer.status for answer in answers] == [201] * 3


async def test_a_batch_answers_each_order_for_itself(tmp_path: Path) -> None:
    async with a_counter(tmp_path) as counter:
        sent = [resting(), resting(quantity="-1"), {**buy(), "order_type": "twap"}, resting(price="12.50")]
        said = await counter.client().post(f"{ORDERS}/batch", {"orders": sent}, key="b1")
        again = await counter.client().post(f"{ORDERS}/batch", {"orders": sent}, key="b1")
        count = len(counter.desk.state.orders.open)
    assert said.status == 200
    results = said.document["results"]
    assert [each["problem"] and each["problem"]["code"] for each in results] == [None, "bad_input", "not_yet_available", None]
    assert [each["order"]["order_id"] for each in again.document["results"] if each["order"]] == [
        each["order"]["order_id"] for each in results if each["order"]
    ]
    assert count == 2


async def test_what_risk_denies_says_the_rule_and_its_figures(tmp_path: Path) -> None:
    (tmp_path / "risk.yaml").write_text("limits:\n  - rule: max_order_qty\n    value: 500\n", encoding="utf-8")
    async with a_counter(tmp_path) as counter:
        alice = counter.client()
        said = await alice.post(ORDERS, buy("501"))
        listed = await alice.get(ORDERS, status="denied")
    assert (said.status, said.code) == (422, "denied")
    assert said.document["denied"]["rule"] == "max_order_qty"
    assert [each["order_id"] for each in listed.document["orders"]] == [said.document["order_id"]]


@pytest.mark.parametrize(("exchange", "symbol"), [("NASDAQ", "BAC"), ("", "BAC.US"), ("paper", "BAC"), ("US", "BAC.US")])
async def test_an_exchange_and_a_symbol_say_the_same_in_any_notation(tmp_path: Path, exchange: str, symbol: str) -> None:
    async with a_counter(tmp_path) as counter:
        said = await counter.client().post(ORDERS, {**resting(), "exchange": exchange, "symbol": symbol})
    assert said.document.get("symbol") == "BAC.US", said.document


async def test_an_exchange_that_is_not_the_symbols_is_refused(tmp_path: Path) -> None:
    async with a_counter(tmp_path) as counter:
        alice = counter.client()
        other = await alice.post(ORDERS, {**resting(), "exchange": "SSE"})
        unknown = await alice.post(ORDERS, {**resting(), "exchange": "mars"})
    assert (other.code, unknown.code) == ("bad_input", "bad_input")
    assert "expected one of" in unknown.document["detail"]


async def test_a_symbol_that_was_not_traded_yet_is_listed_when_it_is_asked_for(tmp_path: Path) -> None:
    async with a_counter(tmp_path) as counter:
        said = await counter.client().post(ORDERS, resting(symbol="MSFT.US", price="10.00"))
        known = "MSFT.US" in counter.desk.state.instruments
    assert known, said.document


async def test_figures_and_the_queue_count_what_there_is(tmp_path: Path) -> None:
    async with a_counter(tmp_path) as counter:
        alice = counter.client()
        for body in (buy(strategy_id="s"), resting(strategy_id="s"), resting()):
            order_id = (await alice.post(ORDERS, body)).document["order_id"]
            await counter.order_is(alice, order_id, "FILLED", "NEW")
        figures = (await alice.get(f"{ORDERS}/statistics", strategy_id="s")).document
        queue = (await alice.get(f"{ORDERS}/queue/status")).document
    assert (figures["total"], figures["open"], figures["filled"], figures["fill_ratio"]) == (2, 1, 1, "1.0000")
    assert (queue["working"], queue["in_flight"], queue["unknown"], queue["waiting"]) == (2, 0, 0, 0)


async def test_two_clients_who_order_at_once_get_an_order_each(tmp_path: Path) -> None:
    async with a_counter(tmp_path) as counter:
        alice, bob = counter.client("alice"), counter.client("bob")
        said = await asyncio.gather(*(who.post(ORDERS, resting(), key=f"k{n}") for n in range(20) for who in (alice, bob)))
        made = {each.document["order_id"] for each in said}
        by = [order.by for order in map(counter.desk.state.orders.open.get, made) if order is not None]
    assert {each.status for each in said} == {201}
    assert len(made) == 40
    assert (by.count("alice"), by.count("bob")) == (20, 20)


async def test_a_key_of_another_account_may_do_nothing_here(tmp_path: Path) -> None:
    async with a_counter(tmp_path) as counter:
        eve = counter.client("eve", *Scope, accounts=frozenset({"other"}))
        said = await eve.post(ORDERS, resting())
        assert not counter.desk.state.orders.open
    assert (said.status, said.code) == (403, "wrong_account")


async def test_orders_are_found_by_each_filter_and_filters_add_up(tmp_path: Path) -> None:
    """S3-28, S0-45, and what a blotter asks for."""
    async with a_counter(tmp_path) as counter:
        alice, bob = counter.client("alice"), counter.client("bob")
        bought = (await alice.post(ORDERS, buy(strategy_id="s1"))).document["order_id"]
        rests = (await bob.post(ORDERS, resting())).document["order_id"]
        filled = await counter.order_is(alice, bought, "FILLED")
        day, made = filled["trading_day"], filled["created_at"]
        later = "2100-01-01T00:00:00Z"
        wanted = {
            (bought,): [
                {"side": "buy", "order_type": "market"},
                {"created_by": "alice"},
                {"strategy_id": "s1"},
                {"s0_status": "filled"},
                {"status": "FILLED", "trading_day": day},
                {"exchange": "US", "symbol": "BAC", "strategy_id": "s1"},
            ],
            (rests,): [{"order_type": "LIMIT"}, {"created_by": "bob"}, {"s0_status": "SUBMITTED"}, {"open": "true"}],
            (rests, bought): [{"side": "BUY"}, {"trading_day": day}, {"since": "2000-01-01T00:00:00Z", "until": later}],
            (): [{"side": "sell"}, {"since": later}, {"until": "2000-01-01T00:00:00Z"}, {"trading_day": "1999-01-01"}],
        }
        for ids, filters in wanted.items():
            for each in filters:
                said = await alice.get(ORDERS, **each)
                assert [order["order_id"] for order in said.document["orders"]] == list(ids), each
        odd = ({"side": "up"}, {"order_type": "x"}, {"s0_status": "x"}, {"since": "today"}, {"until": "2013-10-08"})
        refused = [(await alice.get(ORDERS, **each)).code for each in odd]
        deeds = [
            len((await alice.get("/api/v1/audit", what="OrderStaged", **each)).document["audit"])
            for each in ({"since": made}, {"since": later}, {"until": later}, {"until": "2000-01-01T00:00:00Z"})
        ]
    assert refused == ["bad_input"] * len(odd)
    assert deeds == [2, 0, 2, 0]
