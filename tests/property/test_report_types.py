"""The law of the types: a field of a report holds what it declares, or the report is refused before anything is journalled.

The journal writes what it is given and reads only what its types allow, so a wrong type would be found at the next start, when
nobody can take it back. Each field of each report is given values of every other type; what is then believed must be of the
declared types, and what it makes of the books must be the same after a replay.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, get_args

import msgspec
import pytest
from tests.property.test_boundary_laws import a_desk

from tradeloop.core import reports as r
from tradeloop.core.checked import Distrusted, checked, checked_quote
from tradeloop.core.commands import ReplaceOrder
from tradeloop.core.events import OrderStaged
from tradeloop.core.evolve import evolve
from tradeloop.core.state import State
from tradeloop.core.types import Amount, Currency, ExecID, OrderID, OrdStatus, Px, Qty, Side, Symbol, UtcNs
from tradeloop.journal import codec
from tradeloop.testing.builders import ACCOUNT, BROKER, DAY, NOON, a_quote, a_snapshot, an_execution, their_order
from tradeloop.testing.desk import Desk

A = "600519.SH"


class _Text(str):
    """A text of a derived type, as numpy's: it may show itself as another one than it is."""

    __slots__ = ()


class _Number(Decimal):
    """A number of a derived type."""


WRONG: tuple[Any, ...] = (
    *(None, "", "x", "OPEN", "BUY", "NEW", "10", "\u5f00\u4ed3", _Text("x"), b"x"),
    *(5, -1, 2**70, 10**5000, 1.5, float("nan"), True, Decimal("1.5"), Decimal("NaN"), _Number(5)),
    *(["a"], (), {}, {1, 2}, object, Side.BUY, OrdStatus.NEW, a_quote()),
)
SHARES, PRICE = Qty(Decimal(4)), Px(Decimal("10.00"))


def reports_of(desk: Desk) -> list[Any]:
    """A sound report of every kind, each of something that exists, so that it is decided."""
    first, _, third, fourth = (staged.cl_ord_id for staged in desk.of(OrderStaged))
    fill = an_execution(first, A, Side.BUY, 4, "10", "e5", order_id=OrderID("b0"), transact_at=UtcNs(desk.now))
    return [
        r.OrderAck(BROKER, fourth, OrderID("b3"), desk.now),
        r.OrderReject(BROKER, fourth, "1", "no", desk.now),
        fill,
        msgspec.structs.replace(fill, cl_ord_id=None, order_id=OrderID("b8"), exec_id=ExecID("e8")),
        r.ExecutionBust(BROKER, ACCOUNT, DAY, ExecID("e0"), Side.BUY, desk.now, ExecID("c0"), Symbol(A)),
        r.ExecutionCorrect(
            BROKER, ACCOUNT, DAY, ExecID("e0"), Side.BUY, SHARES, PRICE, Amount(Decimal(1)), desk.now, ExecID("c1"), Symbol(A)
        ),
        r.CancelAck(BROKER, third, "out", desk.now, Qty(Decimal(0)), OrderID("b2")),
        r.CancelReject(BROKER, third, "1", "no", desk.now),
        r.ReplaceAck(BROKER, third, SHARES, PRICE, None, 1, OrderID("b2"), Qty(Decimal(0)), desk.now),
        r.ReplaceReject(BROKER, third, "1", "no", 1, desk.now),
        r.OrderRestate(BROKER, third, SHARES, PRICE, None, "less", OrderID("b2"), Qty(Decimal(0)), SHARES, desk.now, DAY),
        r.OrderExpire(BROKER, third, "day", desk.now, Qty(Decimal(0)), OrderID("b2")),
        r.SendOutcome(BROKER, fourth, "UNKNOWN", "lost", None),
        r.CancelOutcome(BROKER, third, "lost"),
        r.ReplaceOutcome(BROKER, third, 1, "UNKNOWN", "lost"),
        a_snapshot(as_of=desk.now, asked_at=desk.now, executions_since=NOON, orders_from=DAY),
        r.BrokerUp(BROKER),
        r.BrokerDown(BROKER, "gone"),
        a_quote(A, at=desk.now),
    ]


def rows_of(desk: Desk) -> dict[str, Any]:
    """A sound row of each part of a look."""
    return {
        "orders": their_order(None, A, Side.SELL, 7, OrdStatus.NEW, order_id=OrderID("b7"), price=PRICE),
        "executions": an_execution(None, A, Side.BUY, 4, "10", "e6", order_id=OrderID("b6"), transact_at=desk.now),
        "positions": r.HeldPosition(ACCOUNT, Symbol(A), SHARES, Qty(Decimal(0)), SHARES, Amount(Decimal(40))),
        "cash": r.HeldCash(ACCOUNT, Currency("CNY"), Amount(Decimal(5)), Amount(Decimal(5))),
    }


def a_busy_desk() -> Desk:
    """The desk of the law of the boundary, one of whose orders is being replaced."""
    desk = a_desk()
    _, _, third, _ = (staged.cl_ord_id for staged in desk.of(OrderStaged))
    desk.give(ReplaceOrder(third, "t", SHARES))
    return desk


DESK = a_busy_desk()
KINDS = reports_of(DESK)
ROWS = rows_of(DESK)


def test_every_kind_of_report_is_asked() -> None:
    assert {type(one) for one in KINDS} == {*get_args(r.Report), r.Quote}


@pytest.mark.parametrize("number", range(len(KINDS)), ids=[type(one).__name__ for one in KINDS])
def test_a_field_of_a_wrong_type_is_refused_or_mended_and_poisons_no_journal(number: int) -> None:
    for field in KINDS[number].__struct_fields__:
        for value in WRONG:
            holds(msgspec.structs.replace(KINDS[number], **{field: value}))


@pytest.mark.parametrize("part", ROWS)
def test_a_row_with_a_field_of_a_wrong_type_is_not_read(part: str) -> None:
    for row in _rows(ROWS[part]):
        holds(msgspec.structs.replace(a_snapshot(as_of=DESK.now, asked_at=DESK.now), **{part: (row,)}))


def _rows(row: Any) -> Iterator[Any]:
    yield from WRONG
    for field in row.__struct_fields__:
        for value in WRONG:
            yield msgspec.structs.replace(row, **{field: value})


@pytest.mark.parametrize("what", WRONG, ids=lambda one: type(one).__name__)
def test_what_is_no_report_is_not_believed(what: Any) -> None:
    found = checked(what)
    assert isinstance(found, Distrusted)
    assert found.reason.startswith("a report was")
    assert isinstance(checked_quote(what), Distrusted) or isinstance(what, r.Quote)


def holds(report: Any) -> None:
    """What is believed of it is of the declared types, and the books are the same after a replay."""
    found = checked_quote(report) if isinstance(report, r.Quote) else checked(report)
    if isinstance(found, Distrusted):
        assert "expected" in found.reason or found.of_others, found.reason
        found.reason.encode()
    believed: Any = found.rest if isinstance(found, Distrusted) else found
    if believed is None:
        return
    assert repr(msgspec.msgpack.decode(msgspec.msgpack.encode(believed), type=type(believed))) == repr(believed)
    if believed.__class__ is not r.Quote and believed.broker not in DESK.around.brokers:
        return
    desk = a_busy_desk()
    desk.give(believed)
    fresh = State()
    for event in codec.decode(codec.encode(desk.events)):
        evolve(fresh, event)
    assert fresh.hash() == desk.state.hash()
    assert State.unpack(desk.state.pack()).pack() == desk.state.pack()
