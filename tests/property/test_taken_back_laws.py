"""The law of what is taken back: the books are what they would be had the fill never been, or always been as corrected."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tradeloop.core.commands import OpenTradingDay
from tradeloop.core.instrument import AssetClass, Instrument
from tradeloop.core.reports import Execution, ExecutionBust, ExecutionCorrect
from tradeloop.core.state import State
from tradeloop.core.types import Amount, ExecID, OrderID, PositionEffect, Px, Qty, Side, TradingDay, UtcNs
from tradeloop.testing.builders import ACCOUNT, BROKER, DAY, an_execution, an_instrument, buy, fees
from tradeloop.testing.desk import Desk

STOCK = an_instrument("600519.SH", lot=1, min_qty=1)
GOLD = an_instrument(
    "au2512.SHFE", asset_class=AssetClass.FUTURE, lot=1, min_qty=1, multiplier=1000, margin_rate="0.1", shortable=True
)
NEXT_DAY = OpenTradingDay("CN_A", TradingDay("2026-07-20"), ((UtcNs(0), UtcNs(2**62)),))

Fill = tuple[Side, PositionEffect, int, str, int]
"""Side, effect, quantity, price, fee."""

sides = st.sampled_from(list(Side))
effects = st.sampled_from(list(PositionEffect))
prices = st.integers(700, 1300).map(lambda cents: f"{Decimal(cents) / 100}")
fills = st.lists(st.tuples(sides, effects, st.integers(1, 60), prices, st.integers(0, 3)), min_size=1, max_size=12)


@st.composite
def stories(draw: st.DrawFn) -> tuple[list[Fill], dict[int, Fill | None], list[int], int]:
    """Fills; what becomes of some of them in the end (None: taken back); after which fill each is told; before which the day
    turns.
    """
    path = draw(fills)
    changed: dict[int, Fill | None] = {}
    for place in draw(st.permutations(range(len(path))))[: draw(st.integers(1, 4))]:
        new = draw(st.one_of(st.none(), st.tuples(st.integers(1, 60), prices, st.integers(0, 3))))
        side, effect = path[place][:2]
        changed[place] = None if new is None else (side, effect, *new)
    told = [draw(st.integers(place, len(path) - 1)) for place in changed]
    return path, changed, told, draw(st.integers(0, len(path)))


def told_as(instrument: Instrument, place: int, fill: Fill) -> Execution:
    side, effect, qty, px, fee = fill
    if instrument is STOCK:
        effect = PositionEffect.AUTO
    return an_execution(
        None,
        instrument.symbol,
        side,
        qty,
        px,
        f"e{place}",
        order_id=OrderID(f"o{place}"),
        position_effect=effect,
        commission=Amount(Decimal(fee)),
    )


def change(place: int, was: Fill, now: Fill | None) -> ExecutionBust | ExecutionCorrect:
    ref = ExecID(f"e{place}")
    if now is None:
        return ExecutionBust(BROKER, ACCOUNT, DAY, ref, was[0])
    _, _, qty, px, fee = now
    return ExecutionCorrect(BROKER, ACCOUNT, DAY, ref, was[0], Qty(Decimal(qty)), Px(Decimal(px)), Amount(Decimal(fee)))


def a_desk(instrument: Instrument, *, cost: int | None = 0) -> Desk:
    """`cost`: of what is held from the beginning, None where nobody knows it."""
    costs: dict[str, int] | None = None if cost is None else {instrument.symbol: cost}
    return Desk().opened(instrument, cash=1_000_000, positions={instrument.symbol: 25}, costs=costs)


def books(desk: Desk, instrument: Instrument) -> tuple[Any, ...]:
    """All of position and cash but what working orders were promised."""
    p = desk.state.held(ACCOUNT, instrument.symbol)
    cash = desk.state.accounts[ACCOUNT].cash[instrument.currency]
    legs = (p.long_qty, p.long_today, p.long_cost, p.short_qty, p.short_today, p.short_cost)
    return legs, p.realized, p.fees, cash.balance, cash.margin


@given(stories(), st.sampled_from([STOCK, GOLD]), st.booleans())
def test_a_fill_taken_back_or_corrected_leaves_what_would_be_had_it_been_so_from_the_beginning(
    story: tuple[list[Fill], dict[int, Fill | None], list[int], int], instrument: Instrument, restart: bool
) -> None:
    """FIX J.1, F29, D5: average cost, long and short, today and yesterday, profit, futures cash and margin, over two days."""
    path, changed, told, turns = story
    desk, straight = a_desk(instrument), a_desk(instrument)
    for place, fill in enumerate(path):
        if place == turns:
            desk.give(NEXT_DAY)
            straight.give(NEXT_DAY)
        desk.give(told_as(instrument, place, fill))
        wanted = changed.get(place, fill)
        if wanted is not None:
            straight.give(told_as(instrument, place, wanted))
        if restart:
            desk.state = State.unpack(desk.state.pack())
        for other, when in zip(changed, told, strict=True):
            if when == place:
                desk.give(change(other, path[other], changed[other]))
    assert books(desk, instrument) == books(straight, instrument)


@given(stories(), st.sampled_from([STOCK, GOLD]), st.sampled_from([0, None]))
def test_a_fill_taken_back_and_then_given_again_leaves_what_it_was(
    story: tuple[list[Fill], dict[int, Fill | None], list[int], int], instrument: Instrument, cost: int | None
) -> None:
    path, changed, _, _ = story
    desk = a_desk(instrument, cost=cost)
    for place, fill in enumerate(path):
        desk.give(told_as(instrument, place, fill))
    before = books(desk, instrument)
    for place in changed:
        bust = change(place, path[place], None)
        again = change(place, path[place], path[place])
        desk.give(msgspec.structs.replace(bust, exec_id=ExecID(f"b{place}"), transact_at=UtcNs(1)))
        desk.give(msgspec.structs.replace(again, exec_id=ExecID(f"c{place}"), transact_at=UtcNs(2)))
    assert books(desk, instrument) == before


parts = st.lists(st.tuples(st.integers(1, 60), prices, st.sampled_from([None, None, 2])), min_size=1, max_size=8)
"""Quantity, price, and the broker's fee where it names one."""


@given(parts, st.data())
def test_the_fills_that_stay_pay_what_our_schedule_asks_of_them_alone(
    path: list[tuple[int, str, int | None]], data: st.DataObject
) -> None:
    """A minimum holds per order: when the fill that paid it is taken back, the next one pays it."""
    listed = an_instrument("600519.SH", lot=1, min_qty=1, fees=fees("0.01", 5))
    desks = [Desk().opened(listed, cash=1_000_000) for _ in range(2)]
    orders = [desk.order(buy(listed.symbol, 1000)).cl_ord_id for desk in desks]
    changed = data.draw(st.dictionaries(st.integers(0, len(path) - 1), st.one_of(st.none(), st.integers(1, 60)), max_size=3))
    told = {place: data.draw(st.integers(place, len(path) - 1)) for place in changed}
    for place, (qty, px, fee) in enumerate(path):
        commission = None if fee is None else Amount(Decimal(fee))
        desks[0].give(an_execution(orders[0], listed.symbol, Side.BUY, qty, px, f"e{place}", commission=commission))
        wanted = changed.get(place, qty)
        if wanted is not None:
            desks[1].give(an_execution(orders[1], listed.symbol, Side.BUY, wanted, px, f"e{place}", commission=commission))
        for other, when in told.items():
            if when != place:
                continue
            ref, new = ExecID(f"e{other}"), changed[other]
            if new is None:
                desks[0].give(ExecutionBust(BROKER, ACCOUNT, DAY, ref, Side.BUY))
            else:
                figures = (Qty(Decimal(new)), Px(Decimal(path[other][1])))
                desks[0].give(ExecutionCorrect(BROKER, ACCOUNT, DAY, ref, Side.BUY, *figures))
    assert books(desks[0], listed) == books(desks[1], listed)
    was, is_ = (desk.known(order) for desk, order in zip(desks, orders, strict=True))
    assert (was.fees, was.cum_qty, was.cum_value) == (is_.fees, is_.cum_qty, is_.cum_value)
