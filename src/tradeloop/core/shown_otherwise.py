"""Station 7: fills that the broker shows with other figures than we booked: corrections whose report we did not hear.

The list names the fill by its identity, so it says what the lost report would have said, and is booked like it. A
correction moves holdings or money, so fills are compared where those differ, however long they have: a difference has no age
that a clock which jumps could not give it.
"""

from __future__ import annotations

from collections.abc import Container, Generator, Mapping
from decimal import Decimal

from tradeloop.core.events import Event
from tradeloop.core.reports import BrokerSnapshot, Execution, ExecutionCorrect
from tradeloop.core.short_promise import promise_again
from tradeloop.core.state import State
from tradeloop.core.surroundings import Surroundings
from tradeloop.core.taken_back import on_correct
from tradeloop.core.types import ZERO, ClOrdID, Currency, RunID, Symbol, UtcNs


def corrected_fills(
    state: State,
    around: Surroundings,
    snap: BrokerSnapshot,
    shown: Mapping[str, Execution],
    new: Container[str],
    lately: frozenset[Symbol],
    over: Container[ClOrdID],
    touched: dict[RunID, None],
    now: UtcNs,
) -> Generator[Event, None, None]:
    """Give booked fills the figures under which the broker shows them (`shown`, by the key of each fill); `touched` gets the
    runs they belong to. Of fills that are `new` with this look it says nothing else, nor of what moved `lately`; but
    where an order is `over` what was ordered, a fill that the same look shows smaller was corrected: no list, however old,
    shows more fills than fit into an order.
    """
    if not shown:
        return
    symbols, currencies = _differing(state, snap)
    if not symbols and not currencies:
        return
    for key, x in shown.items():
        instrument = state.instruments.get(x.symbol)
        if instrument is None or (x.symbol not in symbols and instrument.currency not in currencies):
            continue  # of what is not listed here nothing was booked: such a fill was inside the books we adopted
        booked = state.execs.get(key)
        if booked is None or booked.busted or (booked.qty, booked.px) == (x.last_qty, x.last_px):
            continue
        order = state.orders.get(booked.cl_ord_id)
        if order is None:
            continue
        makes_room = order.cl_ord_id in over and order.cum_qty > order.most_qty and x.last_qty < booked.qty
        if key in new or (x.symbol in lately and not makes_room):
            continue  # this look may be older than what we heard of fills since; what else befalls the order says nothing
        # The list says what stands at its own moment: by that it is newer than every word that came before it.
        report = ExecutionCorrect(
            x.broker, x.account, x.trading_day, x.exec_id, x.side, x.last_qty, x.last_px, x.commission, snap.as_of
        )
        after = yield from on_correct(state, report, now)
        yield from promise_again(state, around, after, now)
        if after is not None and after.run_id is not None:
            touched[after.run_id] = None


def moved_lately(state: State, around: Surroundings, snap: BrokerSnapshot) -> frozenset[Symbol]:
    """What we have heard of so shortly before a look, or after it, that the look may be older. Asked before a fill
    of the look itself is booked: what it shows is no older than the rest of it.
    """
    lag = max(around.policy.recent_ns, around.brokers[snap.broker].visibility_lag_ns)
    positions = state.positions.get(snap.account, {})
    return frozenset(symbol for symbol, position in positions.items() if snap.read_at - position.updated_at <= lag)


def _differing(state: State, snap: BrokerSnapshot) -> tuple[set[Symbol], set[Currency]]:
    """The symbols and currencies whose figures differ."""
    symbols: set[Symbol] = set()
    if snap.positions is not None:
        theirs = {p.symbol: (p.long_qty, p.short_qty) for p in snap.positions}
        ours = {s: (p.long_qty, p.short_qty) for s, p in state.positions.get(snap.account, {}).items()}
        flat = (ZERO, ZERO)
        symbols.update(s for s in {**theirs, **ours} if ours.get(s, flat) != theirs.get(s, flat))
    currencies: set[Currency] = set()
    if snap.cash is not None:
        money: dict[Currency, Decimal] = {c.currency: c.balance for c in snap.cash}
        books = state.accounts[snap.account].cash
        currencies.update(c for c, book in books.items() if book.balance != money.get(c, ZERO))
    return symbols, currencies
