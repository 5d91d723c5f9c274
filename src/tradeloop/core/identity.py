"""Station 5: under which id a fill is kept, where the venues behind one broker number their trades apart.

CTP's TradeID is unique within an exchange alone, as its OrderSysID is (core/execution.py), so two exchanges may give one number
to two fills of one day. The one that is heard of first has the number for itself; another one, known by its symbol, is kept
under the number with its symbol behind it, however often and in whatever order both are told again.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

from tradeloop.core.execution import exec_key, order_key
from tradeloop.core.reports import Execution, ExecutionBust, ExecutionCorrect
from tradeloop.core.state import State
from tradeloop.core.types import ExecID, Symbol

_Word = TypeVar("_Word", ExecutionBust, ExecutionCorrect)


def own_fill(state: State, x: Execution) -> Execution:
    """The fill under the id by which it is kept: nearly always its own."""
    return under_own_id(state, x, exec_key(x.broker, x.account, x.trading_day, x.exec_id, x.side))[0]


def under_own_id(state: State, x: Execution, key: str) -> tuple[Execution, str]:
    """The same with the key of the fill; `key`: that of its id."""
    if key not in state.execs.packed or _is_surely_its_own(state, x, key) or not _is_anothers(state, key, x.symbol):
        return x, key
    x = msgspec.structs.replace(x, exec_id=_with_symbol(x.exec_id, x.symbol))
    return x, exec_key(x.broker, x.account, x.trading_day, x.exec_id, x.side)


def _is_surely_its_own(state: State, x: Execution, key: str) -> bool:
    """Whether the fill of this id is booked on the order that the report names: told without unpacking either, because a look
    shows every fill of the day again. The broker's number of an order is known with its symbol.
    """
    if x.cl_ord_id is not None and state.execs.is_of(key, x.cl_ord_id):
        return True
    if x.order_id is None:
        return False
    named = state.by_order_id.get(order_key(x.broker, x.account, x.trading_day, x.symbol, x.order_id))
    return named is not None and state.execs.is_of(key, named)


def own_word(state: State, x: _Word) -> _Word:
    """A word about a fill, under the id by which that is kept. Where the broker does not say the symbol, it is about the fill
    that has the number for itself.
    """
    key = exec_key(x.broker, x.account, x.trading_day, x.exec_ref_id, x.side)
    if not x.symbol or key not in state.execs.packed or not _is_anothers(state, key, x.symbol):
        return x
    own = None if x.exec_id is None else _with_symbol(x.exec_id, x.symbol)
    return msgspec.structs.replace(x, exec_ref_id=_with_symbol(x.exec_ref_id, x.symbol), exec_id=own)


def _is_anothers(state: State, key: str, symbol: Symbol) -> bool:
    """Whether the fill that has this id is known to be of another symbol."""
    booked = state.execs.get(key)
    order = None if booked is None else state.orders.get(booked.cl_ord_id)
    return order is not None and order.symbol != symbol


def _with_symbol(exec_id: ExecID, symbol: Symbol) -> ExecID:
    return ExecID(f"{exec_id}@{symbol}")
