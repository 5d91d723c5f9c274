"""A fill that is taken back has never been, one that is corrected has always been so: for the average, the profit, the cash."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.brokers.paper.made import COPPER, DAY, MAOTAI, NEXT_DAY, T0, WINDOWS, Bench, ashare, at, future, quote

from tradeloop.brokers.paper import interventions
from tradeloop.brokers.paper.books import Books
from tradeloop.brokers.paper.matching import Matching
from tradeloop.brokers.paper.store import Store
from tradeloop.core.types import AccountID, Amount, Currency, ExecID, PositionEffect, Px, Qty, Side, Symbol

TOMORROW = 24 * 3600
CNY = Currency("CNY")
Trade = tuple[Side, int, int]
"""Side, contracts, price."""
trades = st.lists(
    st.tuples(st.sampled_from(list(Side)), st.integers(1, 5), st.integers(90, 110).map(lambda px: px * 10)),
    min_size=1,
    max_size=8,
)


def traded(matching: Matching, wanted: list[Trade]) -> list[ExecID]:
    """Each trade filled at its price, by hand; the ids of the fills."""
    for side, qty, px in wanted:
        price = Px(Decimal(px))
        interventions.act_by_hand(matching, COPPER, side, Qty(Decimal(qty)), at(1), price=price, filled_at=price)
    return list(matching.books.executions)


def figures(books: Books) -> tuple[Decimal, ...]:
    """What is held and what it cost, the money without what fees took, and what backs the position."""
    p, cash = books.position(COPPER), books.cash_of(CNY)
    paid = sum((x.commission or Decimal(0) for x in books.executions.values()), Decimal(0))
    return p.long_qty, p.long_cost, p.short_qty, p.short_cost, cash.balance + paid, cash.held


def close(a: tuple[Decimal, ...], b: tuple[Decimal, ...]) -> bool:
    """Equal but for the last digits of an average."""
    return all(abs(x - y) < Decimal("0.000001") for x, y in zip(a, b, strict=True))


@given(wanted=trades, pick=st.integers(0, 7))
@settings(max_examples=60)
def test_a_fill_that_is_taken_back_has_never_been(wanted: list[Trade], pick: int) -> None:
    place = pick % len(wanted)
    bench, never = Bench(future()), Bench(future())
    interventions.bust(bench.matching, traded(bench.matching, wanted)[place], at(2))
    traded(never.matching, wanted[:place] + wanted[place + 1 :])
    assert close(figures(bench.books), figures(never.books))


@given(wanted=trades, pick=st.integers(0, 7), qty=st.integers(1, 5), px=st.integers(90, 110).map(lambda px: px * 10))
@settings(max_examples=60)
def test_a_fill_that_is_corrected_has_always_been_so(wanted: list[Trade], pick: int, qty: int, px: int) -> None:
    place = pick % len(wanted)
    bench, always = Bench(future()), Bench(future())
    fill = traded(bench.matching, wanted)[place]
    interventions.correct(bench.matching, fill, Qty(Decimal(qty)), Px(Decimal(px)), at(2))
    traded(always.matching, [*wanted[:place], (wanted[place][0], qty, px), *wanted[place + 1 :]])
    assert close(figures(bench.books), figures(always.books))


WANTED: list[Trade] = [(Side.BUY, 1, 100), (Side.BUY, 1, 120), (Side.SELL, 1, 110)]


def matching_at(path: Path) -> Matching:
    """The books of the file, with their market."""
    books = Books("paper", AccountID("paper"), [(CNY, Amount(Decimal(1_000_000)))], Store(path))
    matching = Matching(books, latency_ns=0)
    matching.list_instruments([future()])
    matching.open_day("cn", DAY, WINDOWS, T0)
    return matching


def test_a_restart_knows_what_was_held_before_the_first_fill_of_the_day(tmp_path: Path) -> None:
    before = matching_at(tmp_path / "paper.db")
    traded(before, WANTED)
    before.books.commit()
    before.books.close()
    after = matching_at(tmp_path / "paper.db")
    never = Bench(future(), cash=1_000_000)
    interventions.bust(after, list(after.books.executions)[1], at(2))
    traded(never.matching, [WANTED[0], WANTED[2]])
    assert close(figures(after.books), figures(never.books))
    after.books.close()


def test_a_fill_of_an_earlier_day_is_taken_back_by_the_opposite_trade() -> None:
    """Its quantity returns, and what it brought; what later fills made of the average stays (core/rebooking.py, too)."""
    bench = Bench(future())
    (first,) = traded(bench.matching, [(Side.BUY, 2, 100)])
    bench.matching.open_day("cn", NEXT_DAY, ((at(TOMORROW), at(TOMORROW + 3600)),), at(TOMORROW))
    interventions.act_by_hand(
        bench.matching,
        COPPER,
        Side.BUY,
        Qty(Decimal(2)),
        at(TOMORROW + 1),
        price=Px(Decimal(110)),
        filled_at=Px(Decimal(110)),
        position_effect=PositionEffect.OPEN,
    )
    interventions.bust(bench.matching, first, at(TOMORROW + 2))
    position = bench.books.position(COPPER)
    assert (position.long_qty, position.long_cost) == (Decimal(2), Decimal(2 * 5 * 105))


def test_a_close_of_an_earlier_day_that_is_taken_back_is_held_since_that_day() -> None:
    """Flat at night: what comes back was opened yesterday, and is closed as that."""
    bench = Bench(future())
    fills = traded(bench.matching, [(Side.BUY, 1, 100), (Side.SELL, 1, 110)])
    bench.matching.open_day("cn", NEXT_DAY, ((at(TOMORROW), at(TOMORROW + 3600)),), at(TOMORROW))
    interventions.bust(bench.matching, fills[1], at(TOMORROW + 1))
    position = bench.books.position(COPPER)
    assert (position.long_yesterday, position.long_today) == (Decimal(1), Decimal(0))


def by_night(bench: Bench) -> None:
    """The next trading day."""
    bench.matching.open_day("cn", NEXT_DAY, ((at(TOMORROW), at(TOMORROW + 3600)),), at(TOMORROW))


def by_hand(bench: Bench, symbol: Symbol, side: Side, qty: int, second: int, effect: PositionEffect) -> ExecID:
    """A trade at 10; the id of its fill."""
    price = Px(Decimal(10))
    interventions.act_by_hand(
        bench.matching, symbol, side, Qty(Decimal(qty)), at(second), price=price, filled_at=price, position_effect=effect
    )
    return list(bench.books.executions)[-1]


def test_shares_of_today_are_not_sold_in_the_place_of_yesterdays_that_were_taken_back() -> None:
    """T+1: what may be sold is what is left of yesterday, and of that there is nothing."""
    bench = Bench(ashare())
    first = by_hand(bench, MAOTAI, Side.BUY, 500, 1, PositionEffect.AUTO)
    by_night(bench)
    by_hand(bench, MAOTAI, Side.BUY, 300, TOMORROW + 1, PositionEffect.AUTO)
    interventions.bust(bench.matching, first, at(TOMORROW + 2))
    position = bench.books.position(MAOTAI)
    assert (position.long_yesterday, position.long_today) == (Decimal(0), Decimal(300))


def test_shares_of_yesterday_whose_price_is_corrected_are_still_yesterdays() -> None:
    bench = Bench(ashare())
    first = by_hand(bench, MAOTAI, Side.BUY, 500, 1, PositionEffect.AUTO)
    by_night(bench)
    interventions.correct(bench.matching, first, Qty(Decimal(500)), Px(Decimal("10.01")), at(TOMORROW + 2))
    position = bench.books.position(MAOTAI)
    assert (position.long_yesterday, position.long_today) == (Decimal(500), Decimal(0))


def test_a_short_of_yesterday_whose_price_is_corrected_is_still_yesterdays() -> None:
    bench = Bench(future())
    first = by_hand(bench, COPPER, Side.SELL, 3, 1, PositionEffect.OPEN)
    by_night(bench)
    interventions.correct(bench.matching, first, Qty(Decimal(3)), Px(Decimal(11)), at(TOMORROW + 2))
    position = bench.books.position(COPPER)
    assert (position.short_yesterday, position.short_today) == (Decimal(3), Decimal(0))


@pytest.mark.parametrize("effect", [PositionEffect.AUTO, PositionEffect.CLOSE_TODAY])
def test_a_cover_of_yesterday_that_is_taken_back_leaves_the_short_of_yesterday(effect: PositionEffect) -> None:
    bench = Bench(future())
    by_hand(bench, COPPER, Side.SELL, 2, 1, PositionEffect.OPEN)
    cover = by_hand(bench, COPPER, Side.BUY, 2, 2, effect)
    by_night(bench)
    interventions.bust(bench.matching, cover, at(TOMORROW + 2))
    position = bench.books.position(COPPER)
    assert (position.short_yesterday, position.short_today) == (Decimal(2), Decimal(0))


def test_a_close_of_yesterday_that_is_made_smaller_takes_nothing_of_today() -> None:
    bench = Bench(future())
    by_hand(bench, COPPER, Side.BUY, 3, 1, PositionEffect.OPEN)
    close_of_then = by_hand(bench, COPPER, Side.SELL, 2, 2, PositionEffect.CLOSE_TODAY)
    by_night(bench)
    by_hand(bench, COPPER, Side.BUY, 4, TOMORROW + 1, PositionEffect.OPEN)
    interventions.correct(bench.matching, close_of_then, Qty(Decimal(1)), Px(Decimal(10)), at(TOMORROW + 2))
    position = bench.books.position(COPPER)
    assert (position.long_yesterday, position.long_today) == (Decimal(2), Decimal(4))


def test_a_fill_that_is_corrected_to_more_leaves_nothing_promised_beyond_what_is_left() -> None:
    """Else the rest of the holding could never be sold again."""
    bench = Bench(ashare())
    by_hand(bench, MAOTAI, Side.BUY, 500, 1, PositionEffect.AUTO)
    by_night(bench)
    bench.quote(quote(TOMORROW + 1, "10.00", "10.01", symbol=MAOTAI))
    order = bench.place(Side.SELL, 300, "10.50", symbol=MAOTAI, seconds=TOMORROW + 1)
    interventions.fill(bench.matching, order.order_id, Qty(Decimal(100)), Px(Decimal("10.50")), at(TOMORROW + 2))
    interventions.correct(
        bench.matching, list(bench.books.executions)[-1], Qty(Decimal(300)), Px(Decimal("10.50")), at(TOMORROW + 3)
    )
    market = bench.matching.market(MAOTAI)
    assert market is not None
    assert (order.close_leaves, market.frozen(Side.SELL)) == (Decimal(0), Decimal(0))
