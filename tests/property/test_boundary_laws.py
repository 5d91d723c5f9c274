"""The law of the boundary: whatever a broker's adapter hands over, the writer lives on, and what it records can be read again.

Reports of every kind are made from the types of their fields, with numbers that are none, words that no file can hold and
moments outside of time; half of their names are those of orders and fills that exist, so that what passes is also decided.
"""

from __future__ import annotations

import types
from decimal import Decimal
from enum import Enum
from typing import Any, NewType, Union, get_args, get_origin, get_type_hints

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tradeloop.core import reports as r
from tradeloop.core.checked import Distrusted, checked, checked_quote
from tradeloop.core.evolve import evolve
from tradeloop.core.state import State
from tradeloop.core.types import OrderID, OrdType
from tradeloop.journal import codec
from tradeloop.testing.builders import ACCOUNT, BROKER, DAY, NOON, an_execution, an_instrument, buy, sell
from tradeloop.testing.desk import Desk

CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
KINDS: tuple[type[Any], ...] = (*get_args(r.Report), r.Quote)


def a_desk() -> Desk:
    """Orders that work, that wait for an answer and that are done, with a fill each where they have one."""
    desk = Desk().opened(an_instrument(lot=1, min_qty=1), positions={"600519.SH": 500})
    for number, make in enumerate((buy, sell, buy, buy)):
        order = desk.order(make("600519.SH", 10, ord_type=OrdType.LIMIT, price="10.00"))
        if number < 3:
            desk.ack(order, f"b{number}")
        if number < 2:
            qty = 10 if number else 4
            desk.give(
                an_execution(order.cl_ord_id, order.symbol, order.side, qty, "10", f"e{number}", order_id=OrderID(f"b{number}"))
            )
    return desk


KNOWN = sorted(
    {BROKER, ACCOUNT, DAY, "600519.SH", "CNY", "e0", "e1", "e9", "b0", "b1", "b9", "NOT_SENT", "UNKNOWN", "", "x"}
    | set(a_desk().state.orders.open)
)
words = (
    st.sampled_from(KNOWN)
    | st.sampled_from(["\ud800", "\0", "|", "a|b", "\n", "x" * 5000, "2026-13-45"])
    | st.text(max_size=12)
)
numbers = (
    st.sampled_from(
        [Decimal(n) for n in ("0", "1", "4", "10", "-1", "0.01", "10.00", "1E+30", "1E-30", "NaN", "sNaN", "Infinity")]
    )
    | st.decimals()
)
wrong: st.SearchStrategy[Any] = st.sampled_from([None, "OPEN", "", 5, True, 1.5, Decimal(1), (), [], {}, b"x"])
"""Of no type that stands there; asked one by one in test_report_types.py."""
moments = st.sampled_from([0, NOON, NOON + 1, -1, 2**63, 2**64, -(2**70)]) | st.integers()


def any_of(kind: Any) -> st.SearchStrategy[Any]:
    """Any value that a careless adapter could put where this type stands, now and then of another type."""
    return st.integers(0, 19).flatmap(lambda chance: _of(kind) if chance else wrong)


def _of(kind: Any) -> st.SearchStrategy[Any]:
    if isinstance(kind, NewType):
        return _of(kind.__supertype__)
    if get_origin(kind) in {Union, types.UnionType}:
        return st.one_of([_of(option) for option in get_args(kind)])
    if get_origin(kind) is tuple:
        return st.lists(any_of(get_args(kind)[0]), max_size=2).map(tuple)
    if issubclass(kind, Enum):
        return st.sampled_from(kind)
    if issubclass(kind, msgspec.Struct):
        return st.builds(kind, **{field: any_of(hint) for field, hint in get_type_hints(kind).items()})
    return {Decimal: numbers, str: words, int: moments, bool: st.booleans(), type(None): st.none()}[kind]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_no_report_of_a_kind_ends_the_writer_or_spoils_the_record(kind: type[Any]) -> None:
    """F1 to F60 begin here: a report is decided, or distrusted, and never an exception; invariants 32 and 33 hold after it."""

    @CALM
    @given(st.lists(_of(kind), min_size=1, max_size=3))
    def heard(reports: list[Any]) -> None:
        desk = a_desk()
        for report in reports:
            passed = checked_quote(report) if isinstance(report, r.Quote) else checked(report)
            believed = passed.rest if isinstance(passed, Distrusted) else passed
            if believed is None or getattr(believed, "broker", BROKER) not in desk.around.brokers:
                continue  # nor does the engine hand on what a broker says that is not configured
            desk.give(believed)
            desk.wait(1)
        fresh = State()
        for event in codec.decode(codec.encode(desk.events)):
            evolve(fresh, event)
        assert fresh.hash() == desk.state.hash()
        assert State.unpack(desk.state.pack()).pack() == desk.state.pack()

    heard()
