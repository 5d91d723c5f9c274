"""A look shows every fill of the day again; what it showed before costs no work, and what has changed is seen all the same."""

from __future__ import annotations

from decimal import Decimal
from random import Random

import msgspec
import pytest
from tests.core.watched import WatchedDesk

from tradeloop.core.identity import under_own_id
from tradeloop.core.reports import Execution, ExecutionBust, ExecutionCorrect, OpenOrder, OrderAck
from tradeloop.core.shards import Shards
from tradeloop.core.state import State
from tradeloop.core.types import ExecID, OrderID, OrdStatus, OrdType, Px, Qty, Side
from tradeloop.testing.builders import ACCOUNT, BROKER, DAY, a_snapshot, an_execution, an_instrument, buy, their_order

MOUTAI = "600519.SH"
CASH = 1_000_000


def a_desk() -> WatchedDesk:
    desk = WatchedDesk()
    desk.opened(an_instrument(), cash=CASH)
    return desk


def filled(desk: WatchedDesk, exec_ids: str) -> tuple[OpenOrder, tuple[Execution, ...]]:
    """An order of which every fill has been told."""
    qty = 100 * len(exec_ids)
    order = desk.order(buy(MOUTAI, qty, ord_type=OrdType.LIMIT, price="10"))
    desk.ack(order, f"b-{exec_ids}")
    at = desk.now
    fills = tuple(an_execution(order.cl_ord_id, MOUTAI, Side.BUY, 100, "10", one, transact_at=at) for one in exec_ids)
    desk.give(*fills)
    line = their_order(order.cl_ord_id, MOUTAI, Side.BUY, qty, OrdStatus.FILLED, cum_qty=Qty(Decimal(qty)))
    return msgspec.structs.replace(line, order_id=OrderID(f"b-{exec_ids}")), fills


def look(desk: WatchedDesk, lines: tuple[OpenOrder, ...], fills: tuple[Execution, ...]) -> None:
    """The books, read a minute later; each line of them is made anew, as an adapter makes it."""
    desk.wait(60)
    spent = sum((x.last_px * x.last_qty for x in fills), Decimal(0))
    shares = sum((x.last_qty for x in fills), Decimal(0))
    anew = tuple(msgspec.structs.replace(x) for x in fills)
    desk.give(a_snapshot(as_of=desk.now, orders=lines, executions=anew, cash=CASH - spent, positions={MOUTAI: shares}))


def test_a_fill_that_is_shown_as_before_is_not_gone_through_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A day has a hundred thousand of them, and nothing is decided while they are gone through."""
    desk = a_desk()
    line, fills = filled(desk, "abc")
    look(desk, (line,), fills)
    gone_through: list[str] = []

    def counted(state: State, x: Execution, key: str) -> tuple[Execution, str]:
        gone_through.append(x.exec_id)
        return under_own_id(state, x, key)

    monkeypatch.setattr("tradeloop.core.reconcile.under_own_id", counted)
    look(desk, (line,), fills)
    assert gone_through == []
    other_line, others = filled(desk, "de")
    look(desk, (line, other_line), fills + others)
    assert gone_through == ["d", "e"]


def questions(desk: WatchedDesk, lines: tuple[OpenOrder, ...], fills: tuple[Execution, ...]) -> int:
    """How many records are looked up for one look."""
    asked = 0
    get = Shards.get

    def counted(self: Shards[object], key: str) -> object:
        nonlocal asked
        asked += 1
        return get(self, key)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Shards, "get", counted)
        look(desk, lines, fills)
    return asked


def test_a_look_that_shows_what_the_last_one_did_asks_nothing_of_any_line() -> None:
    """Of twenty thousand fills it took three times as long as the loop that decides may stand still (ADR 11)."""
    desk = a_desk()
    books = [filled(desk, chr(1000 + number) + chr(2000 + number)) for number in range(100)]
    lines, fills = tuple(line for line, _ in books), tuple(x for _, traded in books for x in traded)
    for _ in range(3):
        look(desk, lines, fills)
    assert questions(desk, lines, fills) < 10
    line, others = filled(desk, "yz")
    assert questions(desk, (*lines, line), fills + others) < 60, "only of what stands behind the others"
    look(desk, (*lines, line), fills + others)
    assert questions(desk, (*lines, line), fills + others) < 10
    desk.give(ExecutionBust(BROKER, ACCOUNT, DAY, fills[7].exec_id, Side.BUY, desk.now))
    assert questions(desk, (*lines, line), fills + others) > 200, "a record has changed"


def test_a_fill_that_no_list_has_shown_is_missed_however_often_they_are_alike() -> None:
    """It was booked behind the first of these looks, and has to be old enough to be missed."""
    desk = a_desk()
    line, fills = filled(desk, "abc")
    books = a_snapshot(orders=(line,), executions=fills, executions_since=fills[0].transact_at, cash=0, positions=None)
    for _ in range(3):
        desk.wait(60)
        desk.give(msgspec.structs.replace(books, as_of=desk.now))
    filled(desk, "d")
    missed = []
    for waited in (1, 60, 60):
        desk.wait(waited)
        desk.give(msgspec.structs.replace(books, as_of=desk.now))
        missed.append("fill_missing" in {known.kind for known in desk.state.breaks.values()})
    assert missed == [False, True, True]


def test_a_fill_that_is_shown_otherwise_than_before_is_corrected() -> None:
    desk = a_desk()
    line, fills = filled(desk, "abc")
    look(desk, (line,), fills)
    look(desk, (line,), (fills[0], msgspec.structs.replace(fills[1], last_px=Px(Decimal(11))), fills[2]))
    assert desk.cash() == CASH - 3_100
    assert not desk.state.breaks


def test_a_fill_that_is_shown_no_more_is_missed() -> None:
    desk = a_desk()
    line, fills = filled(desk, "abc")
    look(desk, (line,), fills)
    desk.wait(60)
    books = a_snapshot(as_of=desk.now, orders=(line,), executions=fills[:2], cash=CASH - 2_000, positions={MOUTAI: 200})
    desk.give(msgspec.structs.replace(books, executions_since=fills[0].transact_at))
    assert "fill_missing" in {known.kind for known in desk.state.breaks.values()}


def a_life(seed: int, *, forgets: bool) -> str:
    """What is true after a day in which reports are lost, numbers mixed up and fills corrected and taken back, while looks
    show it all again and again; `forgets`: with nothing kept from one look to the next.
    """
    dice = Random(seed)
    desk = a_desk()
    orders = [desk.order(buy(MOUTAI, 100 * dice.randint(1, 4), ord_type=OrdType.LIMIT, price="10")) for _ in range(6)]
    growing = desk.order(buy(MOUTAI, 2000, ord_type=OrdType.LIMIT, price="10"))
    numbers = [OrderID(f"b{n}") for n in range(len(orders))]
    told = [*numbers]
    if dice.random() < 0.5:
        told[0], told[1] = told[1], told[0]
    traded: dict[ExecID, tuple[int, Execution]] = {}
    for n, (order, number) in enumerate(zip(orders, told, strict=True)):
        if dice.random() < 0.8:
            desk.give(OrderAck(BROKER, order.cl_ord_id, number))
        for part in range(int(order.order_qty) // 100):
            if dice.random() < 0.8:
                x = an_execution(None, MOUTAI, Side.BUY, 100, "10", f"e{n}-{part}", order_id=numbers[n], transact_at=desk.now)
                traded[x.exec_id] = n, x if dice.random() < 0.5 else msgspec.structs.replace(x, cl_ord_id=order.cl_ord_id)
                if dice.random() < 0.6:
                    desk.give(traded[x.exec_id][1])
    orders.append(growing)
    numbers.append(OrderID("b-more"))
    desk.give(OrderAck(BROKER, growing.cl_ord_id, numbers[-1]))
    for turn in range(5):
        for part in range(dice.randint(0, 2)):
            x = an_execution(None, MOUTAI, Side.BUY, 100, "10", f"m{turn}-{part}", order_id=numbers[-1], transact_at=desk.now)
            traded[x.exec_id] = len(orders) - 1, x
            if dice.random() < 0.6:
                desk.give(x)
        for exec_id, (n, x) in [*traded.items()]:
            chance, heard = dice.random(), dice.random() < 0.5
            if chance < 0.05:
                del traded[exec_id]
                if heard:
                    desk.give(ExecutionBust(BROKER, ACCOUNT, DAY, exec_id, Side.BUY, desk.now))
            elif chance < 0.15:
                px = Px(Decimal(dice.randint(8, 12)))
                traded[exec_id] = n, msgspec.structs.replace(x, last_px=px)
                if heard:
                    desk.give(ExecutionCorrect(BROKER, ACCOUNT, DAY, exec_id, Side.BUY, x.last_qty, px, None, desk.now))
        lines = []
        for n, order in enumerate(orders):
            cum = Qty(sum((x.last_qty for of, x in traded.values() if of == n), Decimal(0)))
            stands = OrdStatus.FILLED if cum == order.order_qty else OrdStatus.PARTIALLY_FILLED if cum else OrdStatus.NEW
            line = their_order(order.cl_ord_id, MOUTAI, Side.BUY, order.order_qty, stands, order_id=numbers[n], cum_qty=cum)
            if dice.random() < 0.9:
                lines.append(line)
        if forgets:
            desk.around.fills.clear()
            desk.around.settled.clear()
        look(desk, tuple(lines), tuple(x for _, x in traded.values()))
    return desk.state.hash()


@pytest.mark.parametrize("seed", range(60))
def test_what_is_kept_from_one_look_to_the_next_decides_nothing(seed: int) -> None:
    assert a_life(seed, forgets=False) == a_life(seed, forgets=True)
