"""A halt of a venue covers what trades there, at whatever broker: where an order goes to and who takes it are two things."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.core.runs_made import A, B, Work
from tests.core.test_halt import MOUTAI, halt, release

from tradeloop.core.effects import SendCancel
from tradeloop.core.events import HaltChecked, OrderDenied, OrderStaged
from tradeloop.core.halt import HaltScope, HaltTier
from tradeloop.core.reports import CancelAck
from tradeloop.core.types import OrdType, Qty, RunStatus, Symbol, venue_of
from tradeloop.testing.builders import BROKER, an_instrument, buy
from tradeloop.testing.desk import Desk

VENUE, SHENZHEN = HaltScope.VENUE, "000001.SZ"


def a_desk() -> Desk:
    """A thousand of a share of Shanghai and of one of Shenzhen."""
    return Desk().opened(an_instrument(MOUTAI), an_instrument(SHENZHEN), positions={MOUTAI: 1000, SHENZHEN: 1000})


@pytest.mark.parametrize(
    ("symbol", "venue"),
    [(MOUTAI, "SH"), ("BRK.B.US", "US"), ("BTC/USDT.CRYPTO", "CRYPTO"), ("au2512.SHFE", "SHFE"), ("odd", "")],
)
def test_a_symbol_says_where_it_trades(symbol: str, venue: str) -> None:
    assert venue_of(Symbol(symbol)) == venue


def test_cancel_all_of_a_venue_takes_out_its_orders_alone() -> None:
    desk = a_desk()
    here, there = (desk.order(buy(symbol, 100, ord_type=OrdType.LIMIT, price="9.50")) for symbol in (MOUTAI, SHENZHEN))
    desk.ack(here, "b1")
    desk.ack(there, "b2")
    halt(desk, HaltTier.CANCEL_ALL, VENUE, "SH")
    assert [effect.cl_ord_id for effect in desk.of(SendCancel)] == [here.cl_ord_id]
    desk.give(CancelAck(BROKER, here.cl_ord_id))
    assert halt(desk, HaltTier.CANCEL_ALL, VENUE, "SH").text.endswith("no open orders left")


def test_flatten_of_a_venue_closes_what_is_held_of_it_alone() -> None:
    desk = a_desk()
    halt(desk, HaltTier.FLATTEN, VENUE, "SZ")
    assert [(each.symbol, each.order_qty) for each in desk.of(OrderStaged)] == [(SHENZHEN, Qty(Decimal(1000)))]
    assert desk.of(HaltChecked)[-1].text == f"1 open order left, 1 position left ({SHENZHEN} closing)"


def test_a_run_goes_on_beside_the_halt_of_a_venue_and_its_orders_are_denied_one_by_one() -> None:
    """As beside that of a symbol."""
    work = Work.begun({A: 0, B: "0.5"}, cash=0, held={A: 1000})
    halt(work.desk, scope=VENUE, name="SH")
    work.fill(A)
    assert work.status is not RunStatus.PAUSED
    assert [denied.symbol for denied in work.desk.of(OrderDenied)] == [B]


def test_a_release_ends_the_halt_of_its_venue_alone() -> None:
    desk = a_desk()
    for name in ("SH", "SZ"):
        halt(desk, scope=VENUE, name=name)
    assert release(desk, VENUE, "SZ").text == "released: venue SZ (HALT); still in force: venue SH"
