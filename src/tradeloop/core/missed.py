"""Station 6: the fills that one look at the broker brings, where many of them happened before what is booked already.

A fill that comes late is booked before others, and all behind it anew (core/rebooking.py). Where a link was down for an hour,
one look brings a thousand such fills of one symbol, and to book all behind each of them anew would cost the square of it: the
decision would outlast the lease. So those of one symbol are booked together. Each but the last moves the position as one that
has just happened; each goes to its place in the venue's order; and the last says what all of them in that order make of it.
Behind the last, and nothing looks in between, the books are what they would be if each had been told in time.

A fill of which something else was said before it came, or which tells an order its number, is booked for itself: what follows
from it asks the books at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tradeloop.core.execution import exec_key
from tradeloop.core.fills import find
from tradeloop.core.rebooking import Together, place_of, together
from tradeloop.core.reports import Execution
from tradeloop.core.state import State
from tradeloop.core.types import AccountID, Symbol, UtcNs


def keys_of(executions: Sequence[Execution]) -> list[str]:
    """The key of each fill that a look shows, in its order. A look may show very many, so they are made once."""
    return [exec_key(x.broker, x.account, x.trading_day, x.exec_id, x.side) for x in executions]


def as_booked(
    state: State, executions: Sequence[Execution], keys: list[str], now: UtcNs
) -> Iterator[tuple[Execution, str, Together | None]]:
    """The fills of a look in the order in which they are booked, each with its key and with those that go with it: None,
    nearly always. `keys`: of the fills, in the order of the look.
    """
    missed = _missed(state, executions, keys, now)
    apart = set()
    for (account, symbol), fills in missed.items():
        if len(fills) < 2:
            continue
        fills.sort(key=lambda fill: (fill[0], fill[1]))
        one = together(state, account, symbol, min(place for _, _, place, _ in fills))
        for _, number, _, x in fills:
            apart.add(number)
            one.is_last = number == fills[-1][1]
            yield x, keys[number], one
    for number, x in enumerate(executions):
        if number not in apart:
            yield x, keys[number], None


def _missed(
    state: State, executions: Sequence[Execution], keys: list[str], now: UtcNs
) -> dict[tuple[AccountID, Symbol], list[tuple[UtcNs, int, tuple[int, int], Execution]]]:
    """New fills that belong before others, of each symbol, with their time, their number in the look and their place."""
    missed: dict[tuple[AccountID, Symbol], list[tuple[UtcNs, int, tuple[int, int], Execution]]] = {}
    seen: set[str] = set()
    known = state.execs.packed
    for number, (x, key) in enumerate(zip(executions, keys, strict=True)):
        if key in known or x.transact_at is None or key in seen or not _stands_alone(state, x, key):
            continue
        seen.add(key)
        place = place_of(state, x.account, x.symbol, key, x.transact_at, now)
        if place is not None:
            missed.setdefault((x.account, x.symbol), []).append((x.transact_at, number, place, x))
    return missed


def _stands_alone(state: State, x: Execution, key: str) -> bool:
    """Whether nothing follows from a fill but what it moves."""
    if key in state.early or x.account not in state.accounts:
        return False
    order = find(state, x.broker, x.account, x.cl_ord_id, x.order_id, x.symbol, x.side, x.trading_day)
    return order is None or order.order_id is not None or x.order_id is None
