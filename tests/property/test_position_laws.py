"""The laws of a position: nothing is lost to rounding, and what is today's or promised is never more than is held."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from tradeloop.core.commands import OpenTradingDay, SubmitOrder
from tradeloop.core.position import Position, book, closed_by, realizes, roll
from tradeloop.core.replies import OrderReply
from tradeloop.core.reports import CancelAck
from tradeloop.core.types import ZERO, PositionEffect, Side, Symbol, TradingDay, UtcNs
from tradeloop.testing.builders import ACCOUNT, BROKER, an_execution, an_instrument, buy, known, sell
from tradeloop.testing.desk import Desk

Trade = tuple[Side, PositionEffect, Decimal, Decimal]
Path = list[Trade | None]
Lots = list[tuple[int, Decimal]]

sides = st.sampled_from(list(Side))
effects = st.sampled_from(list(PositionEffect))
amounts = st.decimals("0.01", "99999.99", places=2)
trades = st.tuples(sides, effects, st.decimals("0.001", "5000", places=3), amounts)
steps = st.lists(st.one_of(trades, st.none()), max_size=40)
"""A trade, or None for a new trading day."""


def flow(side: Side, value: Decimal) -> Decimal:
    return value if side is Side.SELL else -value


@given(steps)
def test_profit_less_cost_is_the_sum_of_all_cash_flows(
    path: Path,
) -> None:
    pos, flows = Position(), ZERO
    for step in path:
        if step is None:
            roll(pos)
            continue
        side, effect, qty, px = step
        book(pos, side, qty, px * qty, effect)
        flows += flow(side, px * qty)
        assert known(pos.realized) - known(pos.long_cost) + known(pos.short_cost) == flows


@given(steps)
def test_what_is_held_is_what_was_bought_less_what_was_sold(
    path: Path,
) -> None:
    pos, net = Position(), ZERO
    for step in path:
        if step is None:
            roll(pos)
            continue
        side, effect, qty, px = step
        book(pos, side, qty, px * qty, effect)
        net += qty if side is Side.BUY else -qty
        assert pos.net_qty == net


@given(steps)
def test_todays_part_is_within_what_is_held_and_an_empty_leg_has_no_cost(
    path: Path,
) -> None:
    pos = Position()
    for step in path:
        if step is None:
            roll(pos)
        else:
            side, effect, qty, px = step
            book(pos, side, qty, px * qty, effect)
        assert 0 <= pos.long_today <= pos.long_qty
        assert 0 <= pos.short_today <= pos.short_qty
        assert pos.long_today + pos.long_yesterday == pos.long_qty
        assert pos.long_qty > 0 or pos.long_cost == 0
        assert pos.short_qty > 0 or pos.short_cost == 0


@given(steps)
def test_a_flat_position_has_realised_exactly_what_the_cash_says(
    path: Path,
) -> None:
    """Flat: realised profit before fees is the change of cash."""
    pos, flows = Position(), ZERO
    for step in path:
        if step is not None:
            side, effect, qty, px = step
            book(pos, side, qty, px * qty, effect)
            flows += flow(side, px * qty)
    for side, qty in ((Side.SELL, pos.long_qty), (Side.BUY, pos.short_qty)):
        if qty:
            book(pos, side, qty, 7 * qty, PositionEffect.CLOSE)
            flows += flow(side, 7 * qty)
    assert pos.is_flat
    assert pos.realized == flows


@given(steps, trades)
def test_a_fill_realises_what_was_foreseen_and_closes_no_more_than_is_held(path: Path, last: Trade) -> None:
    pos = Position()
    for step in path:
        if step is not None:
            side, effect, qty, px = step
            book(pos, side, qty, px * qty, effect)
    side, effect, qty, px = last
    held = pos.long_qty if side is Side.SELL else pos.short_qty
    assert 0 <= closed_by(pos, side, qty, effect) <= min(qty, held)
    foreseen = realizes(pos, side, qty, px * qty, effect)
    assert book(pos, side, qty, px * qty, effect) == (foreseen or ZERO)


@given(st.lists(st.tuples(st.integers(1, 100), amounts), min_size=1, max_size=8), st.data())
def test_openings_taken_back_leave_what_the_others_cost_and_no_profit(
    lots: list[tuple[int, Decimal]], data: st.DataObject
) -> None:
    """FIX J.1."""
    pos = Position()
    for qty, px in lots:
        book(pos, Side.BUY, Decimal(qty), px * qty, PositionEffect.AUTO)
    kept = data.draw(st.integers(0, len(lots) - 1))
    for place in data.draw(st.permutations(range(len(lots)))):
        if place != kept:
            qty, px = lots[place]
            book(pos, Side.SELL, Decimal(qty), px * qty, PositionEffect.AUTO, of_today=True)
    qty, px = lots[kept]
    assert (pos.long_qty, pos.long_cost) == (Decimal(qty), px * qty)
    assert (pos.realized, pos.long_today) == (Decimal(0), Decimal(qty))


@st.composite
def t1_days(draw: st.DrawFn) -> list[tuple[str, int]]:
    """What a holder of T+1 stock may do: buy, sell, be filled in part, be cancelled, wait for the next day."""
    deeds = ["buy", "sell", "fill", "cancel", "day"]
    return draw(st.lists(st.tuples(st.sampled_from(deeds), st.integers(1, 400)), max_size=30))


@given(t1_days(), st.integers(0, 500))
def test_working_sells_never_promise_more_than_is_settled(deeds: list[tuple[str, int]], start: int) -> None:
    """T+1: what was bought today is never sold today, whatever passes alone."""
    desk = Desk().opened(an_instrument("600519.SH", lot=1, min_qty=1, settles_t1=True), positions={"600519.SH": start})
    orders: list[SubmitOrder] = []
    symbol, days, fills = Symbol("600519.SH"), 0, 0
    for deed, number in deeds:
        working = list(desk.state.orders.open.values())
        if deed in ("buy", "sell"):
            make = buy if deed == "buy" else sell
            orders.append(make(symbol, number))
            assert isinstance(desk.give(orders[-1]), OrderReply)
        elif deed == "day":
            days += 1
            desk.give(OpenTradingDay("CN_A", TradingDay(f"2026-08-{days:02d}"), ((UtcNs(0), UtcNs(2**62)),)))
        elif working:
            order = working[number % len(working)]
            if deed == "cancel":
                desk.give(CancelAck(BROKER, order.cl_ord_id))
            else:
                fills += 1
                qty = min(order.leaves_qty, Decimal(number))
                desk.give(an_execution(order.cl_ord_id, symbol, order.side, qty, "10", f"e{fills}"))
        held = desk.state.held(ACCOUNT, symbol)
        selling = sum((o.leaves_qty for o in desk.state.orders.open.values() if o.side is Side.SELL), ZERO)
        assert held.long_frozen == selling
        assert selling <= held.long_qty - held.long_today
        assert held.short_qty == 0
