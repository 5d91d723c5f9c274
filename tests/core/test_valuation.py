"""What moves positions without a fill of an order that works: each is seen at the next look."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tradeloop.core.events import BooksAdjusted
from tradeloop.core.instrument import AssetClass
from tradeloop.core.position import Position
from tradeloop.core.reports import CancelAck, ExecutionBust
from tradeloop.core.types import Amount, Currency, ExecID, OrdType, Side, Symbol, UtcNs
from tradeloop.testing.builders import ACCOUNT, BROKER, DAY, NOON, a_quote, an_execution, an_instrument, buy
from tradeloop.testing.desk import Desk

MOUTAI = "600519.SH"
CNY = Currency("CNY")


def a_desk() -> Desk:
    desk = Desk().opened(an_instrument(MOUTAI), positions={MOUTAI: 100}, quoted=False)
    desk.give(a_quote(MOUTAI, bid="10", ask="10"))
    return desk


def long_value(desk: Desk) -> Decimal:
    """The long legs at worst."""
    return desk.around.valuation.look(desk.state, desk.around.quotes).of(ACCOUNT, CNY).figures.long


def ended(desk: Desk) -> None:
    """An order of 300, of which 200 have filled, is cancelled."""
    order = desk.order(buy(MOUTAI, 300, ord_type=OrdType.LIMIT, price="10"))
    assert long_value(desk) == 4000
    desk.give(an_execution(order.cl_ord_id, MOUTAI, Side.BUY, 200, "10", "e1", transact_at=UtcNs(NOON)))
    assert long_value(desk) == 4000
    desk.ack(order)
    desk.give(CancelAck(BROKER, order.cl_ord_id))


def test_an_order_that_ends_leaves_what_has_filled() -> None:
    desk = a_desk()
    ended(desk)
    assert long_value(desk) == 3000


def test_a_fill_of_an_order_that_has_ended_counts() -> None:
    desk = a_desk()
    ended(desk)
    assert long_value(desk) == 3000
    order = next(own for own, _ in desk.state.orders.closed.items())
    desk.give(an_execution(order, MOUTAI, Side.BUY, 100, "10", "e2"))
    assert long_value(desk) == 4000


def test_a_bust_of_a_fill_of_an_order_that_has_ended_counts() -> None:
    desk = a_desk()
    ended(desk)
    assert long_value(desk) == 3000
    desk.give(ExecutionBust(BROKER, ACCOUNT, DAY, ExecID("e1"), Side.BUY))
    assert long_value(desk) == 1000


def test_a_figure_taken_over_from_the_broker_counts() -> None:
    desk = a_desk()
    assert long_value(desk) == 1000
    adjusted = BooksAdjusted(NOON, "b1", ACCOUNT, "position", MOUTAI, Decimal(50), "ann", "seen")
    desk.apply(adjusted)
    assert long_value(desk) == 1500


def test_what_moved_long_before_much_else_is_taken_in() -> None:
    desk = a_desk()
    ended(desk)
    order = next(own for own, _ in desk.state.orders.closed.items())
    assert long_value(desk) == 3000
    desk.give(an_execution(order, MOUTAI, Side.BUY, 100, "10", "e2"))
    for _ in range(200_000):
        desk.state.exposure.moved((ACCOUNT, Symbol("600036.SH")))
    assert long_value(desk) == 4000


def test_cash_that_moves_is_in_the_equity_at_once() -> None:
    desk = a_desk()
    worth = desk.around.valuation.look(desk.state, desk.around.quotes)
    assert worth.equity(desk.state, ACCOUNT, CNY) == 1_001_000
    desk.state.cash(ACCOUNT, CNY).balance = Amount(Decimal(5))
    assert worth.equity(desk.state, ACCOUNT, CNY) == 1_005


def test_a_symbol_that_is_held_no_more_is_in_no_sum() -> None:
    desk = a_desk()
    desk.apply(BooksAdjusted(NOON, "b1", ACCOUNT, "position", MOUTAI, Decimal(-100), "ann", "seen"))
    worth = desk.around.valuation.look(desk.state, desk.around.quotes)
    assert (worth.count(ACCOUNT), worth.symbols(), worth.largest(ACCOUNT, CNY)) == (0, 0, None)


def test_a_previous_close_is_a_price_where_nobody_has_traded_since() -> None:
    desk = Desk().opened(an_instrument(MOUTAI), positions={MOUTAI: 100}, quoted=False)
    desk.give(a_quote(MOUTAI, bid=None, ask=None, prev_close=Decimal(9)))
    assert long_value(desk) == 900
    desk.give(a_quote(MOUTAI, bid=None, ask=None, at=NOON + 1))
    assert long_value(desk) == 900


def test_what_cannot_be_valued_fails_the_look_and_not_the_input(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(self: Position, px: Decimal, multiplier: Decimal) -> None:
        raise ZeroDivisionError("no cost")

    gold = an_instrument("AU2512.SHFE", asset_class=AssetClass.FUTURE, multiplier="1000", margin_rate="0.1")
    desk = Desk().opened(gold, positions={gold.symbol: 1}, costs={gold.symbol: 10_000})
    assert long_value(desk) == 9_995
    monkeypatch.setattr(Position, "unrealized", fails)
    desk.give(a_quote(gold.symbol, bid="12", ask="12", at=NOON + 1))
    with pytest.raises(ZeroDivisionError):
        long_value(desk)
    monkeypatch.undo()
    assert long_value(desk) == 12_000
