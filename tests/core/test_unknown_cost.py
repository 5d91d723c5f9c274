"""What a holding cost is sometimes not known: then neither is what it realises, and nobody is told of a profit of its whole
proceeds."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tradeloop.core.commands import RepairBreak, SeenPrice
from tradeloop.core.events import AccountAdopted, BooksAdjusted, BreakFound, Traded
from tradeloop.core.evolve import evolve
from tradeloop.core.instrument import AssetClass, Instrument
from tradeloop.core.order import Order
from tradeloop.core.position import Position
from tradeloop.core.reports import ExecutionBust, HeldCash, HeldPosition
from tradeloop.core.run.funds import equity_of, lacking
from tradeloop.core.state import State
from tradeloop.core.types import Amount, Currency, ExecID, OrdType, PositionEffect, Px, Qty, Side, Symbol
from tradeloop.testing.builders import ACCOUNT, BROKER, DAY, a_snapshot, an_execution, an_instrument, buy, sell
from tradeloop.testing.desk import Desk

MOUTAI = Symbol("600519.SH")
GOLD = Symbol("au2512.SHFE")


def gold() -> Instrument:
    return an_instrument(
        GOLD,
        asset_class=AssetClass.FUTURE,
        lot=1,
        min_qty=1,
        multiplier=10,
        margin_rate="0.1",
        shortable=True,
        odd_lot_sell=False,
    )


def adopted(desk: Desk) -> Position:
    return desk.state.held(ACCOUNT, MOUTAI)


def a_desk(qty: int = 300) -> Desk:
    return Desk().opened(an_instrument(), positions={MOUTAI: qty})


def taken_over(instrument: Instrument, held: HeldPosition) -> Desk:
    """A desk whose account was adopted with one holding as its broker describes it."""
    desk = Desk().opened(instrument)
    cash = (HeldCash(ACCOUNT, Currency("CNY"), Amount(Decimal(1000))),)
    evolve(desk.state, AccountAdopted(desk.now, BROKER, ACCOUNT, cash, (held,)))
    return desk


def fill(desk: Desk, order: Order, qty: int, px: str, exec_id: str = "e1") -> Traded:
    desk.give(an_execution(order.cl_ord_id, order.symbol, order.side, qty, px, exec_id))
    return desk.of(Traded)[-1]


def test_a_holding_taken_over_without_its_cost_has_an_unknown_one_and_not_zero() -> None:
    held = adopted(a_desk())
    assert (held.long_cost, held.avg_cost(), held.unrealized(Decimal(10))) == (None, None, None)
    assert held.short_cost == 0


def test_one_taken_over_with_its_cost_keeps_it() -> None:
    held = HeldPosition(ACCOUNT, MOUTAI, Qty(Decimal(300)), Qty(Decimal(0)), cost=Amount(Decimal(2700)))
    assert adopted(taken_over(an_instrument(), held)).long_cost == 2700


def test_its_sale_realises_nobody_knows_what() -> None:
    desk = a_desk()
    traded = fill(desk, desk.order(sell(MOUTAI, 100)), 100, "10")
    held = adopted(desk)
    assert (traded.realized, held.realized, held.long_cost) == (None, None, None)
    assert desk.cash() == 1_001_000


def test_what_is_bought_to_it_makes_its_cost_no_better_known() -> None:
    desk = a_desk()
    fill(desk, desk.order(buy(MOUTAI, 100)), 100, "10")
    assert adopted(desk).long_cost is None
    assert adopted(desk).realized == 0


def test_once_it_is_sold_what_is_bought_next_has_a_cost_again() -> None:
    desk = a_desk(100)
    fill(desk, desk.order(sell(MOUTAI, 100)), 100, "10")
    assert adopted(desk).long_cost == 0
    fill(desk, desk.order(buy(MOUTAI, 100)), 100, "9", "e2")
    assert adopted(desk).long_cost == 900
    traded = fill(desk, desk.order(sell(MOUTAI, 100)), 100, "10", "e3")
    assert traded.realized == 100
    assert adopted(desk).realized is None


def test_a_sale_of_it_that_is_taken_back_leaves_its_cost_unknown() -> None:
    desk = a_desk()
    fill(desk, desk.order(sell(MOUTAI, 100)), 100, "10")
    desk.give(ExecutionBust(BROKER, ACCOUNT, DAY, ExecID("e1"), Side.SELL))
    assert adopted(desk).long_qty == 300
    assert adopted(desk).long_cost is None
    assert desk.cash() == 1_000_000


@pytest.mark.parametrize("side", list(Side))
def test_a_future_of_unknown_cost_closes_without_an_invented_profit_in_the_cash(side: Side) -> None:
    """Its cash stays until the broker's figure is accepted: nobody here can say what the close brought."""
    qty, zero = Qty(Decimal(2)), Qty(Decimal(0))
    long_qty, short_qty = (qty, zero) if side is Side.SELL else (zero, qty)
    held = HeldPosition(ACCOUNT, GOLD, long_qty, short_qty, long_qty)
    desk = taken_over(gold(), held)
    closes = sell if side is Side.SELL else buy
    order = desk.order(closes(GOLD, 1, position_effect=PositionEffect.CLOSE))
    before = desk.cash()
    assert fill(desk, order, 1, "10").realized is None
    assert desk.cash() == before


def test_a_holding_that_grew_by_an_accepted_figure_has_an_unknown_cost() -> None:
    desk = Desk().opened(an_instrument())
    desk.wait(10)
    desk.give(a_snapshot(positions={MOUTAI: 200}, as_of=desk.now))
    found = desk.of(BreakFound)[-1]
    desk.give(RepairBreak(found.break_id, "mia", "given as a bonus"))
    assert adopted(desk).long_qty == 200
    assert adopted(desk).long_cost is None
    assert fill(desk, desk.order(sell(MOUTAI, 100)), 100, "10").realized is None


def test_the_equity_of_an_account_with_such_a_future_is_not_known() -> None:
    held = HeldPosition(ACCOUNT, GOLD, Qty(Decimal(2)), Qty(Decimal(0)), Qty(Decimal(2)))
    desk = taken_over(gold(), held)
    _, lacks = equity_of(desk.state, ACCOUNT, Currency("CNY"), [SeenPrice(GOLD, Px(Decimal(500)), desk.now, "test")])
    assert lacking(desk.state, ACCOUNT, lacks) == [f"{GOLD} (its broker named no cost either, close it by hand)"]


# --- what is known of a cost goes on holding margin


def accept(desk: Desk, delta: int, kind: str = "position", symbol: Symbol = GOLD) -> None:
    """A person takes over the broker's quantity of a leg."""
    evolve(desk.state, BooksAdjusted(desk.now, "b1", ACCOUNT, kind, symbol, Decimal(delta), "ann", "looked"))


def margin(desk: Desk) -> Decimal:
    return desk.state.accounts[ACCOUNT].cash[Currency("CNY")].margin


def holding_future(side: Side) -> Desk:
    """A hundred lots at 10, a margin of a tenth of their 10,000."""
    desk = Desk().opened(gold(), cash=100000)
    make = buy if side is Side.BUY else sell
    fill(desk, desk.order(make(GOLD, 100, ord_type=OrdType.LIMIT, price="10", position_effect=PositionEffect.OPEN)), 100, "10")
    assert margin(desk) == 1000
    return desk


@pytest.mark.parametrize(("side", "kind"), [(Side.BUY, "position"), (Side.SELL, "short")])
def test_a_lot_that_was_accepted_sets_free_nothing_of_what_the_others_hold(side: Side, kind: str) -> None:
    desk = holding_future(side)
    accept(desk, 1, kind)
    position = desk.state.held(ACCOUNT, GOLD)
    assert None in (position.long_cost, position.short_cost)
    assert margin(desk) == 1000
    accept(desk, 1, kind)
    assert margin(desk) == 1000
    assert State.unpack(desk.state.pack()).hash() == desk.state.hash()


def test_a_short_sale_with_an_accepted_share_keeps_its_proceeds_and_its_own_share() -> None:
    desk = Desk().opened(an_instrument(MOUTAI, shortable=True, settles_t1=False, margin_rate="0.5"), cash=10000)
    fill(desk, desk.order(sell(MOUTAI, 100, ord_type=OrdType.LIMIT, price="10")), 100, "10")
    assert margin(desk) == 1500
    accept(desk, 100, "short", MOUTAI)
    assert margin(desk) == 1500


def test_what_is_opened_and_closed_afterwards_holds_and_frees_its_part() -> None:
    desk = holding_future(Side.BUY)
    accept(desk, 100)
    more = buy(GOLD, 100, ord_type=OrdType.LIMIT, price="10", position_effect=PositionEffect.OPEN)
    fill(desk, desk.order(more), 100, "10", "e2")
    assert margin(desk) == 2000
    close = desk.order(sell(GOLD, 150, ord_type=OrdType.LIMIT, price="10", position_effect=PositionEffect.CLOSE))
    fill(desk, close, 150, "10", "e3")
    assert margin(desk) == 1000
    close = desk.order(sell(GOLD, 150, ord_type=OrdType.LIMIT, price="10", position_effect=PositionEffect.CLOSE))
    fill(desk, close, 150, "10", "e4")
    zero = Decimal(0)
    assert (margin(desk), of_gold(desk).long_cost, of_gold(desk).long_known) == (zero, zero, zero)


def test_a_bust_of_what_was_opened_afterwards_frees_its_part() -> None:
    desk = holding_future(Side.BUY)
    accept(desk, 100)
    more = buy(GOLD, 100, ord_type=OrdType.LIMIT, price="10", position_effect=PositionEffect.OPEN)
    fill(desk, desk.order(more), 100, "10", "e2")
    desk.give(ExecutionBust(BROKER, ACCOUNT, DAY, ExecID("e2"), Side.BUY))
    assert of_gold(desk).long_qty == 200
    assert 1000 <= margin(desk) < 2000


def test_a_leg_that_an_accepted_figure_empties_holds_nothing() -> None:
    desk = holding_future(Side.BUY)
    accept(desk, 1)
    accept(desk, -101)
    assert margin(desk) == 0
    assert of_gold(desk).is_flat


def of_gold(desk: Desk) -> Position:
    return desk.state.held(ACCOUNT, GOLD)
