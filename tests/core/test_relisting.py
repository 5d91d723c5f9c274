"""An instrument listed again in another currency, with another multiplier or in another class: never while something depends
on the old one.
"""

from __future__ import annotations

from decimal import Decimal

import pytest

from tradeloop.core.commands import ListInstruments, ReplaceOrder
from tradeloop.core.effects import RaiseAlert, SendCancel
from tradeloop.core.events import InstrumentListed, ListingRefused
from tradeloop.core.instrument import AssetClass, Instrument
from tradeloop.core.order import Order
from tradeloop.core.replies import Done, OrderReply
from tradeloop.core.reports import CancelAck
from tradeloop.core.types import Currency, OrderID, OrdStatus, OrdType, PositionEffect, Px, Qty, Side, Symbol
from tradeloop.testing.builders import ACCOUNT, BROKER, a_snapshot, an_execution, an_instrument, buy, sell, their_order
from tradeloop.testing.desk import Desk

D = Decimal
A = Symbol("600519.SH")
CNY, USD = Currency("CNY"), Currency("USD")


def stock(**changes: object) -> Instrument:
    return an_instrument(A, **{"lot": 1, "min_qty": 1, **changes})


def a_buy(desk: Desk) -> str:
    return desk.order(buy(A, 10, ord_type=OrdType.LIMIT, price="10")).cl_ord_id


def other_money() -> list[Instrument]:
    return [stock(currency="USD"), stock(multiplier=10), stock(asset_class=AssetClass.FUTURE, margin_rate="0.1")]


def refused(desk: Desk, changed: Instrument) -> str:
    """Why a row was not listed, as a person is told."""
    desk.give(ListInstruments((changed,)))
    (why,) = desk.of(ListingRefused)
    (alert,) = [each for each in desk.of(RaiseAlert) if each.key == f"listing:{A}"]
    assert (why.symbol, why.text, alert.level) == (A, alert.text, "WARNING")
    return why.text


@pytest.mark.parametrize("changed", other_money())
def test_a_row_that_cannot_be_listed_keeps_no_other_from_being_listed(changed: Instrument) -> None:
    """The rules of a new day come together: one that is refused must not leave the others without theirs."""
    desk = Desk().opened(stock(), cash=1000, positions={A: 5})
    before, after = an_instrument("600001.SH"), an_instrument("600002.SH")
    reply = desk.give(ListInstruments((before, changed, after)))
    assert [desk.state.instruments[each.symbol] for each in (before, after)] == [before, after]
    assert desk.state.instruments[A] == stock()
    assert isinstance(reply, Done)
    assert reply.text == "2 instruments listed or changed; 1 refused: " + desk.of(ListingRefused)[0].text


@pytest.mark.parametrize("changed", other_money())
def test_money_is_not_changed_under_an_open_order(changed: Instrument) -> None:
    """Invariant 23: what is reserved is released where it was reserved."""
    desk = Desk().opened(stock(), cash=1000)
    a_buy(desk)
    assert "is open" in refused(desk, changed)
    assert desk.state.instruments[A] == stock()


@pytest.mark.parametrize("changed", other_money())
def test_money_is_not_changed_under_a_position(changed: Instrument) -> None:
    desk = Desk().opened(stock(), cash=1000, positions={A: 5})
    assert "holds 5" in refused(desk, changed)


@pytest.mark.parametrize("changed", other_money())
def test_money_is_not_changed_while_a_fill_may_be_taken_back(changed: Instrument) -> None:
    """It would be taken back for another amount than it was booked for."""
    desk = Desk().opened(stock(), cash=1000)
    desk.give(an_execution(a_buy(desk), A, Side.BUY, 10, 10, "e1"))
    sold = desk.order(sell(A, 10, ord_type=OrdType.LIMIT, price="10")).cl_ord_id
    desk.give(an_execution(sold, A, Side.SELL, 10, 10, "e2"))
    assert "may still be taken back" in refused(desk, changed)


@pytest.mark.parametrize("changed", other_money())
def test_an_instrument_that_nothing_depends_on_may_be_listed_in_other_money(changed: Instrument) -> None:
    desk = Desk().opened(stock(), cash=1000)
    desk.give(ListInstruments((changed,)))
    assert desk.state.instruments[A] == changed


def test_what_a_stranger_reserved_in_a_guessed_currency_moves_to_the_right_one() -> None:
    """Invariant 23: it moves and is not split, so that its end leaves nothing behind in either."""
    desk = Desk().opened(stock(), cash=1000)
    desk.give(a_snapshot(cash=1000, as_of=desk.now))
    desk.wait(1)
    theirs = their_order(None, "AAPL", Side.BUY, 10, OrdStatus.NEW, price=Px(D(50)), order_id=OrderID("z9"))
    desk.give(a_snapshot(cash=1000, as_of=desk.now, orders=(theirs,)))
    cash = desk.state.accounts[ACCOUNT].cash
    assert cash[CNY].reserved == 500
    desk.give(ListInstruments((an_instrument("AAPL", currency="USD", market="US", session="US", lot=1, min_qty=1),)))
    assert desk.of(InstrumentListed)[-1].moved == ((ACCOUNT, D(500)),)
    assert (cash[CNY].reserved, cash[USD].reserved) == (D(0), D(500))
    (order,) = desk.state.orders.open.values()
    desk.give(CancelAck(BROKER, order.cl_ord_id))
    assert (cash[CNY].reserved, cash[USD].reserved) == (D(0), D(0))


# --- a margin rate that changes


GOLD = Symbol("au2512.SHFE")


def gold(rate: str) -> Instrument:
    return an_instrument(
        GOLD,
        asset_class=AssetClass.FUTURE,
        lot=1,
        min_qty=1,
        multiplier=1000,
        margin_rate=rate,
        shortable=True,
        odd_lot_sell=False,
    )


def works(desk: Desk, name: str = "b1") -> Order:
    order = desk.order(buy(GOLD, 100, ord_type=OrdType.LIMIT, price="10", position_effect=PositionEffect.OPEN))
    desk.ack(order, name)
    return order


def short_of_cash(desk: Desk) -> list[str]:
    return [alert.text for alert in desk.of(RaiseAlert) if alert.key == f"short_of_cash:{ACCOUNT}:CNY"]


def test_a_raised_margin_rate_is_promised_to_working_orders() -> None:
    """What is free for the next one is what the fills of those that work leave."""
    desk = Desk().opened(gold("0.1"), cash=800000)
    order = works(desk)
    assert order.reserved == 100000
    desk.give(ListInstruments((gold("0.5"),)))
    assert (desk.known(order.cl_ord_id).reserved, desk.state.accounts[ACCOUNT].cash[CNY].free) == (D(500000), D(300000))
    assert not short_of_cash(desk)
    reply = desk.give(buy(GOLD, 100, ord_type=OrdType.LIMIT, price="10", position_effect=PositionEffect.OPEN))
    assert isinstance(reply, OrderReply)
    assert reply.denied is not None
    desk.give(an_execution(order.cl_ord_id, GOLD, Side.BUY, 50, 10, "e1"))
    assert (desk.known(order.cl_ord_id).reserved, desk.state.accounts[ACCOUNT].cash[CNY].margin) == (D(250000), D(250000))


def test_an_account_that_cannot_bear_a_raised_rate_is_told_and_nothing_is_cancelled() -> None:
    desk = Desk().opened(gold("0.1"), cash=400000)
    order = works(desk)
    desk.give(ListInstruments((gold("0.5"),)))
    assert desk.state.accounts[ACCOUNT].cash[CNY].free == -100000
    (told,) = short_of_cash(desk)
    assert "100000.00 more than it has" in told
    assert order.cl_ord_id in desk.state.orders.open
    assert not desk.of(SendCancel)


def test_an_account_whose_positions_hold_more_than_it_has_is_told() -> None:
    desk = Desk().opened(gold("0.1"), cash=400000)
    desk.give(an_execution(works(desk).cl_ord_id, GOLD, Side.BUY, 100, 10, "e1"))
    desk.give(ListInstruments((gold("0.5"),)))
    assert len(short_of_cash(desk)) == 1


def test_an_order_that_has_not_left_is_promised_no_more_than_the_account_has() -> None:
    desk = Desk().opened(gold("0.1"), cash=400000)
    stop = desk.order(
        buy(GOLD, 100, ord_type=OrdType.STOP_LIMIT, stop_px="11", price="10", position_effect=PositionEffect.OPEN)
    )
    assert not stop.may_be_at_broker
    desk.give(ListInstruments((gold("0.5"),)))
    assert desk.known(stop.cl_ord_id).reserved == 100000
    desk.give(ListInstruments((gold("0.2"),)))
    assert desk.known(stop.cl_ord_id).reserved == 200000


def test_an_order_that_waits_for_its_change_is_promised_the_dearest_of_it() -> None:
    desk = Desk().opened(gold("0.1"), cash=2000000)
    order = works(desk)
    desk.give(ReplaceOrder(order.cl_ord_id, "ann", order_qty=Qty(D(200))))
    assert desk.known(order.cl_ord_id).reserved == 200000
    desk.give(ListInstruments((gold("0.5"),)))
    assert desk.known(order.cl_ord_id).reserved == 1000000


def test_a_lowered_rate_takes_nothing_back_from_a_promise() -> None:
    desk = Desk().opened(gold("0.5"), cash=800000)
    order = works(desk)
    desk.give(ListInstruments((gold("0.1"),)))
    assert desk.known(order.cl_ord_id).reserved == 500000
