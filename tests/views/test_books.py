"""Positions and money in the read models are the core's own, to the last digit."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.views.builders import AAPL, ACCOUNT, BROKER, GOLD, MAOTAI, Story, an_instrument, random_story
from tests.views.databases import a_database, dump, every_dialect, only

from tradeloop.core.events import InstrumentListed, ReserveRaised
from tradeloop.core.position import Position
from tradeloop.core.reports import HeldPosition
from tradeloop.core.types import Amount, ClOrdID, Currency, PositionEffect, Qty, Side, TradingDay
from tradeloop.journal.codec import decode
from tradeloop.views.books import Holding, Purse
from tradeloop.views.sql import SqlViews

D = Decimal
T = TypeVar("T")


async def folded(story: Story, url: str, *sizes: int) -> dict[str, list[dict[str, object]]]:
    views = SqlViews(url, decode)
    try:
        await views.catch_up(story.journal(*sizes))
    finally:
        await views.close()
    return await dump(url)


def assert_same_as_core(story: Story, rows: dict[str, list[dict[str, object]]]) -> None:
    """Every order, position, purse, run and open break is what the core's own fold says."""
    for row in rows["trade_orders"]:
        if row["denied_at"] is not None:
            continue
        order = story.order(ClOrdID(str(row["id"])))
        assert row["ord_status"] == order.ord_status.value
        assert row["is_open"] is not order.is_done
        assert (row["cum_qty"], row["leaves_qty"]) == (order.cum_qty, order.leaves_qty)
        assert (row["cum_value"], row["reserved"], row["frozen"]) == (order.cum_value, order.reserved, order.frozen)
        assert (row["qty"], row["price"], row["stop_px"]) == (order.order_qty, order.price, order.stop_px)
        assert row["commission"] == order.fees
        assert (row["order_id"], row["absences"]) == (order.order_id, order.absences)
    assert len(rows["trade_orders"]) >= len(story.state.orders)
    books = {(h.symbol, h.account): h.pos for h in _decoded(rows["positions"], Holding)}
    for account, by_symbol in story.state.positions.items():
        for symbol, position in by_symbol.items():
            assert books.get((symbol, account), Position()) == position
    purses = {(p.account, p.currency): p.cash for p in _decoded(rows["accounts"], Purse)}
    for account, state in story.state.accounts.items():
        for currency, cash in state.cash.items():
            assert purses[account, currency] == cash
    for row in rows["trade_runs"]:
        run = story.state.runs[row["id"]]  # type: ignore[index]
        assert (row["status"], row["code"], row["started_at"]) == (run.status.value, run.code, run.started_at)
    assert {row["id"] for row in rows["breaks"] if row["status"] == "OPEN"} == set(story.state.breaks)


def _decoded(rows: list[dict[str, object]], kind: type[T]) -> list[T]:
    return [msgspec.json.decode(str(row["book"]), type=kind) for row in rows]


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32), size=st.integers(5, 60))
async def test_whatever_happens_the_rows_say_what_the_core_says(seed: int, size: int) -> None:
    """DESIGN 4 and 7, D5."""
    story = random_story(seed, 150)
    with TemporaryDirectory() as folder:
        async with a_database("sqlite", Path(folder)) as url:
            assert_same_as_core(story, await folded(story, url, size))


@every_dialect
async def test_a_long_story_gives_the_core_s_figures_on_every_database(dialect: str, tmp_path: Path) -> None:
    story = random_story(7, 600)
    async with a_database(dialect, tmp_path) as url:
        assert_same_as_core(story, await folded(story, url, 20))


async def test_a_bought_share_is_a_long_position_of_today_with_its_cost(tmp_path: Path) -> None:
    """S4-42, D5."""
    story = Story.begun()
    story.fill(story.working(MAOTAI, Side.BUY, "200"), "200", "1500.5", "5.25")
    async with a_database("sqlite", tmp_path) as url:
        row = only((await folded(story, url))["positions"])
    assert (row["account_id"], row["symbol"], row["direction"]) == (ACCOUNT, MAOTAI, "long")
    assert (row["volume"], row["today_volume"], row["yesterday_volume"]) == (D(200), D(200), D(0))
    assert (row["avg_price"], row["cost"], row["current_price"]) == (D("1500.5"), D(300100), D("1500.5"))
    assert row["unrealized_pnl"] == D(0)


async def test_on_the_next_trading_day_what_was_bought_is_of_yesterday(tmp_path: Path) -> None:
    """D5."""
    story = Story.begun()
    story.fill(story.working(MAOTAI, Side.BUY, "200"), "200", "1500")
    story.open_day("2025-01-03")
    async with a_database("sqlite", tmp_path) as url:
        row = only((await folded(story, url))["positions"])
    assert (row["volume"], row["today_volume"], row["yesterday_volume"]) == (D(200), D(0), D(200))


async def test_the_same_trading_day_opened_twice_moves_nothing(tmp_path: Path) -> None:
    story = Story.begun()
    story.fill(story.working(MAOTAI, Side.BUY, "200"), "200", "1500")
    story.open_day("2025-01-02")
    async with a_database("sqlite", tmp_path) as url:
        assert only((await folded(story, url))["positions"])["today_volume"] == D(200)


async def test_the_first_trading_day_known_moves_nothing_that_was_bought(tmp_path: Path) -> None:
    """What is held by then is what the broker showed, and so is what of it may be sold."""
    story = Story()
    story.tell(InstrumentListed(story.tick(), an_instrument(MAOTAI)))
    story.adopt({"CNY": "5000000"}, [HeldPosition(ACCOUNT, MAOTAI, Qty(D(300)), Qty(D(0)), long_sellable=Qty(D(100)))])
    story.open_day("2025-01-02")
    async with a_database("sqlite", tmp_path) as url:
        rows = await folded(story, url)
    assert only(rows["positions"])["today_volume"] == D(200)
    assert_same_as_core(story, rows)


async def test_what_was_taken_over_without_its_cost_shows_no_profit_that_nobody_knows(tmp_path: Path) -> None:
    story = Story.begun()
    story.adopt({"CNY": "5000000"}, [HeldPosition(ACCOUNT, MAOTAI, Qty(D(300)), Qty(D(0)))])
    story.fill(story.working(MAOTAI, Side.SELL, "100"), "100", "1500")
    async with a_database("sqlite", tmp_path) as url:
        rows = await folded(story, url)
    row = only(rows["positions"])
    assert (row["volume"], row["current_price"]) == (D(200), D(1500))
    assert [row["cost"], row["avg_price"], row["unrealized_pnl"], row["realized_pnl"]] == [None] * 4
    assert only(rows["trade_fills"])["realized_pnl"] is None
    purse = next(each for each in rows["accounts"] if each["currency"] == "CNY")
    assert [purse["unrealized_pnl"], purse["realized_pnl"]] == [None, None]
    assert_same_as_core(story, rows)


async def test_a_short_sale_shows_its_proceeds_and_the_own_share_held_beside_them(tmp_path: Path) -> None:
    story = Story.begun()
    listed = msgspec.structs.replace(story.state.instruments[MAOTAI], shortable=True, margin_rate=D("0.5"))
    story.tell(InstrumentListed(story.tick(), listed))
    story.fill(story.working(MAOTAI, Side.SELL, "100"), "100", "1500")
    async with a_database("sqlite", tmp_path) as url:
        rows = await folded(story, url)
    legs = {row["direction"]: row["margin"] for row in rows["positions"]}
    assert legs == {"long": None, "short": D(225_000)}
    assert_same_as_core(story, rows)


async def test_what_a_sell_was_promised_is_released_whatever_became_of_its_instrument(tmp_path: Path) -> None:
    story = Story.begun()
    story.adopt({"CNY": "5000000"}, [HeldPosition(ACCOUNT, MAOTAI, Qty(D(300)), Qty(D(0)))])
    order = story.working(MAOTAI, Side.SELL, "300")
    listed = msgspec.structs.replace(story.state.instruments[MAOTAI], shortable=True)
    story.tell(InstrumentListed(story.tick(), listed))
    story.fill(order, "300", "1500")
    async with a_database("sqlite", tmp_path) as url:
        rows = await folded(story, url)
    assert only(rows["positions"])["frozen_volume"] == D(0)
    assert_same_as_core(story, rows)


async def test_the_money_a_strangers_buy_may_take_is_reserved_until_it_ends(tmp_path: Path) -> None:
    story = Story.begun()
    theirs = story.external(AAPL, Side.BUY, "10", price="100", reserve="1000")
    story.fill(theirs, "4", "90")
    async with a_database("sqlite", tmp_path) as url:
        rows = await folded(story, url)
    assert only(rows["trade_orders"])["reserved"] == D(639)
    assert_same_as_core(story, rows)


async def test_a_strangers_fill_opens_what_it_says_whatever_its_order_was_taken_for(tmp_path: Path) -> None:
    story = Story.begun()
    story.fill(story.working(GOLD, Side.SELL, "3", effect=PositionEffect.OPEN), "3", "500")
    theirs = story.external(GOLD, Side.BUY, "4", price="490")
    story.fill(theirs, "4", "490", effect=PositionEffect.OPEN)
    async with a_database("sqlite", tmp_path) as url:
        rows = await folded(story, url)
    assert {row["direction"]: row["volume"] for row in rows["positions"]} == {"long": D(4), "short": D(3)}
    assert_same_as_core(story, rows)


async def test_a_short_future_gains_when_the_price_falls(tmp_path: Path) -> None:
    """S4-14 and D5: the source's formula has the wrong sign for shorts."""
    story = Story.begun()
    story.fill(story.working(GOLD, Side.SELL, "2", effect=PositionEffect.OPEN), "2", "500")
    story.fill(story.working(GOLD, Side.SELL, "1", effect=PositionEffect.OPEN), "1", "488")
    async with a_database("sqlite", tmp_path) as url:
        rows = await folded(story, url)
    short = only([row for row in rows["positions"] if row["direction"] == "short"])
    assert (short["volume"], short["avg_price"], short["multiplier"]) == (D(3), D(496), D(1000))
    assert short["unrealized_pnl"] == D(24000)
    assert short["margin"] == D("178560")
    account = only([row for row in rows["accounts"] if row["currency"] == "CNY"])
    assert (account["margin"], account["unrealized_pnl"]) == (D("178560"), D(24000))
    assert account["available"] == D(5000000) - D(2) - D("178560")


async def test_a_position_without_a_price_makes_the_account_s_unrealised_profit_unknown(tmp_path: Path) -> None:
    """None means unknown, never 0."""
    story = Story.begun()
    held = HeldPosition(ACCOUNT, AAPL, Qty(D(10)), Qty(D(0)), cost=Amount(D(1500)))
    story.adopt({"USD": "100"}, [held])
    async with a_database("sqlite", tmp_path) as url:
        rows = await folded(story, url)
    assert only(rows["positions"])["unrealized_pnl"] is None
    assert only([row for row in rows["accounts"] if row["currency"] == "USD"])["unrealized_pnl"] is None


async def test_a_sell_realises_its_profit_and_the_account_shows_it(tmp_path: Path) -> None:
    """S4-41."""
    story = Story.begun()
    story.fill(story.working(AAPL, Side.BUY, "100"), "100", "180", "1")
    story.fill(story.working(AAPL, Side.SELL, "40"), "40", "190", "0.5")
    async with a_database("sqlite", tmp_path) as url:
        rows = await folded(story, url)
    account = only([row for row in rows["accounts"] if row["currency"] == "USD"])
    assert (account["realized_pnl"], account["fees"]) == (D(400), D("1.5"))
    assert account["balance"] == D(100000) - D(18000) - 1 + D(7600) - D("0.5")
    assert account["unrealized_pnl"] == D(600)


async def test_a_buy_told_after_the_sell_that_it_came_before_gives_the_profit_of_the_venue_s_order(tmp_path: Path) -> None:
    """F29: bought at 180 and sold at 190, told the other way round."""
    story = Story.begun()
    story.fill(story.working(AAPL, Side.SELL, "40"), "40", "190", "0.5", ago_ms=0)
    late = story.fill(story.working(AAPL, Side.BUY, "100"), "100", "180", "1", ago_ms=1000)
    assert late.rebooked is not None
    async with a_database("sqlite", tmp_path) as url:
        rows = await folded(story, url)
    account = only([row for row in rows["accounts"] if row["currency"] == "USD"])
    assert (account["realized_pnl"], account["fees"]) == (D(400), D("1.5"))
    assert account["balance"] == D(100000) - D(18000) - 1 + D(7600) - D("0.5")
    assert_same_as_core(story, rows)


async def test_the_money_of_working_orders_is_reserved_and_not_available(tmp_path: Path) -> None:
    """S4-41: available is what a new order may use."""
    story = Story.begun()
    story.working(AAPL, Side.BUY, "100", reserve="19000")
    async with a_database("sqlite", tmp_path) as url:
        rows = await folded(story, url)
    account = only([row for row in rows["accounts"] if row["currency"] == "USD"])
    assert (account["balance"], account["reserved"], account["available"]) == (D(100000), D(19000), D(81000))


async def test_what_a_staged_order_may_cost_by_now_is_reserved_for_it(tmp_path: Path) -> None:
    story = Story.begun()
    order = story.stage(AAPL, Side.BUY, "100", reserve="19000")
    story.tell(ReserveRaised(story.tick(), order, Amount(D(20500))))
    async with a_database("sqlite", tmp_path) as url:
        rows = await folded(story, url)
    account = only([row for row in rows["accounts"] if row["currency"] == "USD"])
    assert (account["reserved"], account["available"]) == (D(20500), D(79500))
    assert only(rows["trade_orders"])["reserved"] == D(20500)
    assert_same_as_core(story, rows)


async def test_the_curve_has_one_point_per_batch_that_moved_the_money(tmp_path: Path) -> None:
    """S4's money curve."""
    story = Story.begun()
    order = story.working(AAPL, Side.BUY, "100")
    opening = len(story.events)
    story.fill(order, "10", "100", "0")
    story.fill(order, "10", "100", "0")
    story.tell()
    story.fill(order, "10", "100", "0")
    async with a_database("sqlite", tmp_path) as url:
        rows = await folded(story, url, opening, 2)
    points = [row for row in rows["account_curve"] if row["currency"] == "USD"]
    assert [(row["batch"], row["balance"]) for row in points] == [(1, D(100000)), (2, D(98000)), (3, D(97000))]


async def test_the_curve_has_what_was_held_beside_the_cash_at_the_last_prices(tmp_path: Path) -> None:
    """S4-27, S4-30: to buy is no loss."""
    story = Story.begun()
    order = story.working(AAPL, Side.BUY, "30")
    opening = len(story.events)
    story.fill(order, "10", "100", "1")
    story.fill(order, "20", "110", "0")
    story.fill(story.working(AAPL, Side.SELL, "30"), "30", "120", "0")
    async with a_database("sqlite", tmp_path) as url:
        rows = await folded(story, url, opening, 1)
    points = [row for row in rows["account_curve"] if row["currency"] == "USD"]
    worth = [(row["balance"], row["held_value"]) for row in points]
    assert worth == [(D(100000), D(0)), (D(98999), D(1000)), (D(96799), D(3300)), (D(100399), D(0))]


async def test_of_what_is_margined_the_profit_is_in_the_curve_and_of_a_short_sale_its_debt(tmp_path: Path) -> None:
    story = Story.begun()
    gold, short = story.working(GOLD, Side.BUY, "2"), story.working(AAPL, Side.SELL, "10")
    opening = len(story.events)
    story.fill(gold, "1", "450", "0")
    story.fill(gold, "1", "460", "0")
    story.fill(short, "10", "100", "0")
    async with a_database("sqlite", tmp_path) as url:
        rows = await folded(story, url, opening, 1)
    curve = {row["currency"]: row["held_value"] for row in rows["account_curve"]}
    assert curve == {"CNY": D(10_000), "USD": D(-1000)}


async def test_the_curve_says_nothing_of_what_was_held_while_a_price_is_unknown(tmp_path: Path) -> None:
    story = Story()
    story.tell(InstrumentListed(story.tick(), an_instrument(MAOTAI)), InstrumentListed(story.tick(), an_instrument(AAPL)))
    story.adopt({"CNY": "5000000"}, [HeldPosition(ACCOUNT, MAOTAI, Qty(D(300)), Qty(D(0)), cost=Amount(D(1500)))])
    async with a_database("sqlite", tmp_path) as url:
        rows = await folded(story, url)
    assert only(rows["account_curve"])["held_value"] is None


async def test_a_run_puts_the_equity_it_was_planned_with_on_the_curve(tmp_path: Path) -> None:
    story = Story.begun()
    story.run((AAPL, Side.BUY, "10"))
    async with a_database("sqlite", tmp_path) as url:
        rows = await folded(story, url, len(story.events) - 1)
    assert rows["account_curve"][-1]["equity"] == D(123456)


async def test_a_retry_puts_no_old_equity_on_the_curve(tmp_path: Path) -> None:
    """D1: its targets are made from the equity of the first attempt, which is not what the account is worth now."""
    story = Story.begun()
    first = story.run((AAPL, Side.BUY, "10"))
    story.run((AAPL, Side.BUY, "4"), supersedes=first, attempt=2)
    async with a_database("sqlite", tmp_path) as url:
        rows = await folded(story, url, len(story.events) - 1)
    assert [row["equity"] for row in rows["account_curve"] if row["equity"] is not None] == [D(123456)]
    assert {row["batch"] for row in rows["account_curve"]} == {1}


async def test_a_price_in_a_run_s_snapshot_values_the_holdings_as_of_its_own_time(tmp_path: Path) -> None:
    story = Story.begun()
    held = HeldPosition(ACCOUNT, AAPL, Qty(D(10)), Qty(D(0)), cost=Amount(D(1500)))
    story.adopt({"USD": "100"}, [held])
    story.run((AAPL, Side.BUY, "10"))
    async with a_database("sqlite", tmp_path) as url:
        row = only((await folded(story, url))["positions"])
    assert (row["current_price"], row["unrealized_pnl"]) == (D("187.15"), D("371.5"))
    assert row["price_at"] == story.now - 5_000_000
    assert row["broker"] == BROKER


async def test_what_is_reserved_in_a_guessed_currency_moves_when_the_right_one_is_known(tmp_path: Path) -> None:
    """Invariant 23: both folds release it where it was reserved, and reserve it where it belongs."""
    story = Story.begun()
    story.external(AAPL, Side.BUY, "10", price="100", reserve="1000")
    listed = msgspec.structs.replace(story.state.instruments[AAPL], currency=Currency("CNY"))
    story.tell(InstrumentListed(story.tick(), listed, ((ACCOUNT, Amount(D(1000))),)))
    async with a_database("sqlite", tmp_path) as url:
        rows = await folded(story, url)
    assert_same_as_core(story, rows)


async def test_a_late_fill_of_an_earlier_trading_day_is_not_bought_today(tmp_path: Path) -> None:
    story = Story.begun()
    order = story.working(MAOTAI, Side.BUY, "200")
    story.open_day("2025-01-03")
    story.day = TradingDay("2025-01-02")
    story.fill(order, "200", "1500")
    async with a_database("sqlite", tmp_path) as url:
        rows = await folded(story, url)
    assert story.state.held(ACCOUNT, MAOTAI).long_today == D(0)
    assert_same_as_core(story, rows)
