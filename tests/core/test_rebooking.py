"""A position as it would have been: what it is decided from, and what it costs."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tradeloop.core.commands import OpenTradingDay, RepairBreak
from tradeloop.core.events import TradeBusted
from tradeloop.core.execution import Exec, Executions
from tradeloop.core.instrument import AssetClass
from tradeloop.core.order import Order
from tradeloop.core.position import Position
from tradeloop.core.rebooking import MARK_EVERY
from tradeloop.core.reports import ExecutionBust
from tradeloop.core.state import State
from tradeloop.core.types import Currency, ExecID, OrderID, OrdType, Side, Symbol, TradingDay, UtcNs
from tradeloop.testing.builders import ACCOUNT, BROKER, DAY, a_snapshot, an_execution, an_instrument, buy, fees
from tradeloop.testing.desk import Desk

MOUTAI = "600519.SH"
BUY, SELL = Side.BUY, Side.SELL


def a_desk() -> Desk:
    return Desk().opened(an_instrument(lot=1, min_qty=1), cash=1_000_000, positions={MOUTAI: 100})


def fill(desk: Desk, number: int, side: Side, qty: int, px: str) -> None:
    desk.give(an_execution(None, MOUTAI, side, qty, px, f"e{number}", order_id=OrderID(f"o{number}")))


def bust(desk: Desk, number: int, side: Side) -> None:
    desk.give(ExecutionBust(BROKER, ACCOUNT, DAY, ExecID(f"e{number}"), side))


def a_day_later(desk: Desk, day: int) -> None:
    desk.give(OpenTradingDay("CN_A", TradingDay(f"2026-07-{day}"), ((UtcNs(0), UtcNs(2**62)),)))


def held(desk: Desk) -> Position:
    return desk.state.held(ACCOUNT, Symbol(MOUTAI))


def exact(desk: Desk) -> bool:
    """Whether the last bust was booked as if the fill had never been."""
    return desk.of(TradeBusted)[-1].rebooked is not None


def figures(desk: Desk) -> tuple[Decimal | None, ...]:
    p = held(desk)
    return p.long_qty, p.long_today, p.long_cost, p.short_qty, p.short_cost, p.realized, desk.cash()


def test_a_sell_taken_back_returns_the_cost_it_took_out_though_the_position_is_not_flat() -> None:
    """100 at 10 and 100 at 20: the sell went at 15, and without it 200 have cost 3 000."""
    desk = Desk().opened(an_instrument(lot=1, min_qty=1), cash=1_000_000)
    for number, side, px in ((1, BUY, "10"), (2, BUY, "20"), (3, SELL, "40")):
        fill(desk, number, side, 100, px)
    bust(desk, 3, SELL)
    assert (held(desk).long_cost, held(desk).realized) == (Decimal(3000), Decimal(0))


def test_what_a_future_had_earned_by_a_close_that_is_taken_back_leaves_the_cash() -> None:
    """D5."""
    desk = Desk().opened(
        an_instrument(asset_class=AssetClass.FUTURE, lot=1, min_qty=1, multiplier=10, margin_rate="0.1", shortable=True)
    )
    for number, side, px in ((1, BUY, "10"), (2, BUY, "20"), (3, SELL, "40")):
        fill(desk, number, side, 1, px)
    bust(desk, 3, SELL)
    assert desk.cash() == 1_000_000
    assert desk.state.accounts[ACCOUNT].cash[Currency("CNY")].margin == 30


@pytest.mark.parametrize(
    "numbers",
    [
        (5,),
        (MARK_EVERY * 2 + 100, MARK_EVERY * 3 // 2, 5),
        (MARK_EVERY, MARK_EVERY - 1),
        (MARK_EVERY * 3 // 2, MARK_EVERY * 2 + 199),
    ],
)
def test_marks_on_the_way_change_nothing_but_the_cost(numbers: tuple[int, ...]) -> None:
    many = MARK_EVERY * 2 + 200
    desk, straight = a_desk(), a_desk()
    path = [(BUY if number % 3 else SELL, 1 + number % 7, f"{10 + number % 11}") for number in range(many)]
    for number, (side, qty, px) in enumerate(path):
        fill(desk, number, side, qty, px)
        if number not in numbers:
            fill(straight, number, side, qty, px)
    desk.state = State.unpack(desk.state.pack())
    for number in numbers:
        bust(desk, number, path[number][0])
        assert exact(desk)
    assert figures(desk) == figures(straight)


def test_yesterdays_fill_is_taken_back_exactly_and_an_older_one_by_the_opposite_trade() -> None:
    desk = a_desk()
    fill(desk, 1, BUY, 100, "10")
    a_day_later(desk, 20)
    fill(desk, 2, SELL, 50, "20")
    a_day_later(desk, 21)
    fill(desk, 3, BUY, 10, "20")
    bust(desk, 2, SELL)
    assert exact(desk)
    bust(desk, 1, BUY)
    assert not exact(desk)
    assert held(desk).long_qty == 110


def test_after_a_person_took_over_the_brokers_figure_a_fill_from_before_is_taken_back_by_the_opposite_trade() -> None:
    """The figure may have been taken over because of that very fill."""
    desk = a_desk()
    fill(desk, 1, BUY, 100, "10")
    desk.wait(3600)
    desk.give(a_snapshot(as_of=desk.now, cash=999_000, positions={MOUTAI: 250}))
    desk.give(RepairBreak(f"position:{BROKER}:{ACCOUNT}:{MOUTAI} long", "ann", "looked"))
    fill(desk, 2, BUY, 10, "10")
    bust(desk, 1, BUY)
    assert not exact(desk)
    assert held(desk).long_qty == 160
    bust(desk, 2, BUY)
    assert held(desk).long_qty == 150


def test_a_position_without_fills_for_a_day_keeps_no_list_of_them() -> None:
    desk = a_desk()
    fill(desk, 1, BUY, 100, "10")
    for day in (20, 21, 22):
        a_day_later(desk, day)
    assert desk.state.pages == {}


def test_a_closed_order_weighs_the_same_however_often_it_was_filled() -> None:
    """A late word about it has to unpack it."""

    def packed(fills: int) -> int:
        desk = Desk().opened(an_instrument(lot=1, min_qty=1))
        order: Order = desk.order(buy(MOUTAI, 1000))
        for number in range(fills):
            desk.give(an_execution(order.cl_ord_id, MOUTAI, BUY, 1000 // fills, "10", f"e{number}"))
        kept = desk.state.orders.closed.get(order.cl_ord_id)
        assert kept is not None
        return len(kept)

    assert packed(1000) == packed(1)


def test_a_late_fill_of_an_earlier_trading_day_may_be_sold_where_todays_may_not() -> None:
    """What was bought on Friday and told on Monday is settled under T+1."""
    desk = Desk().opened(an_instrument(lot=1, min_qty=1, settles_t1=True), cash=1_000_000)
    a_day_later(desk, 20)
    fill(desk, 1, BUY, 100, "10")
    assert (held(desk).long_qty, held(desk).long_today) == (Decimal(100), Decimal(0))
    desk.give(an_execution(None, MOUTAI, BUY, 30, "10", "e2", order_id=OrderID("o2"), trading_day=TradingDay("2026-07-20")))
    assert (held(desk).long_qty, held(desk).long_today) == (Decimal(130), Decimal(30))


def test_a_late_fill_of_an_earlier_day_is_taken_back_as_if_it_had_never_been() -> None:
    desk = Desk().opened(an_instrument(lot=1, min_qty=1), cash=1_000_000)
    a_day_later(desk, 20)
    desk.give(an_execution(None, MOUTAI, BUY, 30, "20", "e2", order_id=OrderID("o2"), trading_day=TradingDay("2026-07-20")))
    before = figures(desk)
    fill(desk, 1, BUY, 100, "10")
    bust(desk, 1, BUY)
    assert exact(desk)
    assert figures(desk) == before


def test_where_only_the_opposite_trade_can_be_booked_a_fill_of_an_earlier_day_leaves_todays_alone() -> None:
    desk = Desk().opened(an_instrument(lot=1, min_qty=1), cash=1_000_000)
    fill(desk, 1, BUY, 100, "10")
    for day in (20, 21, 22):
        a_day_later(desk, day)
    desk.give(an_execution(None, MOUTAI, BUY, 30, "10", "e2", order_id=OrderID("o2"), trading_day=TradingDay("2026-07-22")))
    bust(desk, 1, BUY)
    assert not exact(desk)
    assert (held(desk).long_qty, held(desk).long_today) == (Decimal(30), Decimal(30))


@pytest.mark.parametrize("first", [[], [5]], ids=["as they came", "behind an old one"])
def test_to_take_back_a_new_fill_costs_what_came_since_and_not_the_day(
    monkeypatch: pytest.MonkeyPatch, first: list[int]
) -> None:
    """With a fee that its schedule charges by the order, too, which read every fill of the day."""
    read = 0
    get = Executions.get

    def counted(self: Executions, key: str) -> Exec | None:
        nonlocal read
        read += 1
        return get(self, key)

    costs = []
    for many in (1000, 3000):
        desk = Desk().opened(an_instrument(MOUTAI, lot=1, min_qty=1, fees=fees("0.001", 1)), cash=10**9)
        order = desk.order(buy(MOUTAI, 2 * many, ord_type=OrdType.LIMIT, price="10"))
        for number in range(many):
            desk.give(an_execution(order.cl_ord_id, MOUTAI, BUY, 1, "10", f"e{number}", commission=None))
        for number in (*first, many - 1):
            bust(desk, number, BUY)
        monkeypatch.setattr(Executions, "get", counted)
        read = 0
        for number in range(2, 12):
            bust(desk, many - number, BUY)
        monkeypatch.setattr(Executions, "get", get)
        costs.append(read / 10)
        assert desk.known(order.cl_ord_id).fees == Decimal("0.01") * desk.known(order.cl_ord_id).cum_qty
        assert exact(desk)
    assert costs[1] == costs[0] < 2 * MARK_EVERY
