"""A venue that names every fill twice: thousands of fills in doubt cost a look, and each report, no more each than a few do.

One look is one input. While it is decided nothing else is, and no lease is kept.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from tests.core.steps import steps

from tradeloop.core.events import ExecIDJoined
from tradeloop.core.order import Order
from tradeloop.core.reports import BrokerSnapshot, Execution
from tradeloop.core.state import State
from tradeloop.core.types import OrdStatus, OrdType, Qty, Side, Symbol, UtcNs
from tradeloop.testing.builders import ACCOUNT, NOON, a_snapshot, an_execution, an_instrument, buy, their_order
from tradeloop.testing.desk import ABLE, Desk

TWO_IDS = msgspec.structs.replace(ABLE, second_ids=True)
A = "600000.SH"
FEW, MANY = 20, 40
BY_MOMENT = pytest.mark.parametrize("apart", [1, 0], ids=["each in its moment", "all in one moment"])


class Told:
    """An order to buy, and fills of it that the stream calls e0, e1 and on, and the books s0, s1 and on."""

    def __init__(self, count: int, apart: int) -> None:
        self.desk = Desk(able=TWO_IDS).opened(an_instrument(A), cash=10_000_000)
        self.order: Order = self.desk.order(buy(A, 200 * count + 100, ord_type=OrdType.LIMIT, price=10))
        self.desk.ack(self.order)
        self.count, self.apart = count, apart

    def fills(self, channel: str) -> tuple[Execution, ...]:
        of = self.order.cl_ord_id
        return tuple(
            an_execution(of, A, Side.BUY, 100, 10, f"{channel}{n}", transact_at=UtcNs(NOON + n * self.apart))
            for n in range(self.count)
        )

    def books(self) -> BrokerSnapshot:
        shares = 100 * self.count
        status = OrdStatus.PARTIALLY_FILLED
        line = their_order(self.order.cl_ord_id, A, Side.BUY, self.order.order_qty, status, cum_qty=Qty(Decimal(shares)))
        return a_snapshot(
            as_of=self.desk.now,
            cash=10_000_000 - 10 * shares,
            positions={A: shares},
            orders=(line,),
            executions=self.fills("s"),
            executions_since=UtcNs(0),
        )

    def is_right(self) -> bool:
        held = self.desk.state.held(ACCOUNT, Symbol(A)).long_qty
        return held == 100 * self.count and len(self.desk.of(ExecIDJoined)) == self.count and not self.desk.state.breaks


@BY_MOMENT
def test_what_the_stream_told_is_brought_into_doubt_and_settled_at_one_cost_each(apart: int) -> None:
    doubting, settling = [], []
    for count in (FEW, MANY):
        told = Told(count, apart)
        told.desk.give(*told.fills("e"))
        doubting.append(steps(told.desk, told.books()))
        assert len(told.desk.state.breaks) == count
        told.desk.wait(60)
        settling.append(steps(told.desk, told.books()))
        assert told.is_right()
    assert doubting[1] < 2.2 * doubting[0]
    assert settling[1] < 2.2 * settling[0]


@BY_MOMENT
def test_what_the_books_showed_first_is_held_and_settled_at_one_cost_each(apart: int) -> None:
    hearing, settling = [], []
    for count in (FEW, MANY):
        told = Told(count, apart)
        told.desk.give(told.books())
        hearing.append(steps(told.desk, *told.fills("e")))
        assert len(told.desk.state.breaks) == count
        told.desk.wait(60)
        settling.append(steps(told.desk, told.books()))
        assert told.is_right()
    assert hearing[1] < (2.2 if apart else 3) * hearing[0], "equal fills of one moment are walked, by their keys alone"
    assert settling[1] < 2.2 * settling[0]


def test_what_is_held_as_well_for_fills_that_others_are_held_for_is_settled_at_one_cost_each() -> None:
    """The books had shown half of the equal fills of one second when the stream told all."""
    settling = []
    for count in (FEW, MANY):
        told = Told(count // 2, 0)
        books = told.books()
        told.count = count
        told.desk.give(books, *told.fills("e"))
        assert len(told.desk.state.breaks) == count
        cost = 0
        for _ in range(2):
            told.desk.wait(60)
            cost += steps(told.desk, told.books())
        settling.append(cost)
        assert told.is_right()
    assert settling[1] < 3 * settling[0], "equal fills of one moment are walked, by their keys alone"


def test_what_is_in_doubt_is_known_after_a_restart_by_its_account_its_symbol_and_its_twin() -> None:
    told = Told(3, 1)
    told.desk.give(*told.fills("e"), told.books())
    before = told.desk.state.doubts
    told.desk.state = State.unpack(told.desk.state.pack())
    after = told.desk.state.doubts
    assert list(after.of("paper", ACCOUNT)) == list(before.of("paper", ACCOUNT)) == list(told.desk.state.breaks.values())
    assert list(after.of_symbol(ACCOUNT, Symbol(A))) == list(told.desk.state.breaks.values())
    assert all(after.are_of(f"paper|{ACCOUNT}|{known.ours}") for known in told.desk.state.breaks.values())
    told.desk.wait(60)
    told.desk.give(told.books())
    assert not after.of("paper", ACCOUNT)
    assert not after.of_symbol(ACCOUNT, Symbol(A))
