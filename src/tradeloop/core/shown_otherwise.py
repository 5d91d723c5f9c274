"""Station 7: fills that the broker shows with other figures than we booked: corrections whose report we did not hear.

The list names the fill by its identity, so it says what the lost report would have said, and is booked like it. A
correction moves holdings or money, so fills are compared where those differ, however long they have: a difference has no age
that a clock which jumps could not give it. The price at which a future was opened moves neither before it is closed: of such
fills the lines are compared that the last look did not show so. As nothing bears them out, they are believed of a fill of which
nothing else was said, or where the list has changed its own word: one that never follows a correction says nothing.

A fill that was taken back stands again where the books say so in three places: the list, what is held, and the line that counts
it in its order. Where they show no line of an order that has ended, as books of open orders do, the third place is the money,
and all of it has to say so for longer than a list may lag: what moved shares and money could be a fill that it does not show
yet. Where that is not so a person decides: what differs is a break of position or of cash.
"""

from __future__ import annotations

from collections.abc import Container, Generator, Iterable, Mapping
from decimal import Decimal

from tradeloop.core.cash import flow_of
from tradeloop.core.charging import charge_all_anew
from tradeloop.core.events import Event
from tradeloop.core.execution import Exec, parts_of
from tradeloop.core.instrument import FUTURE
from tradeloop.core.order import Order
from tradeloop.core.rebooking import places, together
from tradeloop.core.reports import BrokerSnapshot, Execution
from tradeloop.core.short_promise import promise_anew, promise_others
from tradeloop.core.shown_again import has_changed
from tradeloop.core.standing import our_order
from tradeloop.core.state import State
from tradeloop.core.surroundings import Surroundings
from tradeloop.core.taken_back import as_shown, is_news
from tradeloop.core.types import AUTO, BUY, OPEN, SELL, ZERO, AccountID, ClOrdID, Currency, RunID, Symbol, UtcNs


def corrected_fills(
    state: State,
    around: Surroundings,
    snap: BrokerSnapshot,
    shown: Mapping[str, Execution],
    anew: Mapping[str, Execution],
    new: Container[str],
    over: Container[ClOrdID],
    touched: dict[RunID, None],
    now: UtcNs,
) -> Generator[Event, None, None]:
    """Give booked fills the figures under which the broker shows them (`shown`, by the key of each fill; `anew` those that the
    last look did not show so); `touched` gets the runs they belong to. Of fills that are `new` with this look it says nothing
    else, nor of those of which we have heard so shortly before it, or after it, that it may be older; but where an order is
    `over` what was ordered, a fill that the same look shows smaller was corrected: no list, however old, shows more fills than
    fit into an order.
    """
    before = around.again.pop(snap.account, {})
    if not shown:
        return
    symbols, currencies = _differing(state, snap)
    opened = {
        key: x for key, x in anew.items() if opened_otherwise(state, key, x) and _is_believed(state, around, snap, key, x)
    }
    if not symbols and not currencies:
        shown = opened
    able = around.brokers[snap.broker]
    lag = max(around.policy.recent_ns, able.visibility_lag_ns)
    fills: dict[str, Execution] = {}
    gone: dict[tuple[AccountID, Symbol], dict[str, Execution]] = {}
    less: dict[ClOrdID, Decimal] = {}
    for key, x in shown.items():
        instrument = state.instruments.get(x.symbol)
        if instrument is None or (x.symbol not in symbols and instrument.currency not in currencies and key not in opened):
            continue  # of what is not listed here nothing was booked: such a fill was inside the books we adopted
        booked = state.execs.get(key)
        if booked is None or (not booked.busted and (booked.qty, booked.px) == (x.last_qty, x.last_px)):
            continue
        order = state.orders.get(booked.cl_ord_id)
        if order is None:
            continue
        if booked.busted:
            if key not in new and snap.read_at - order.traded_at > lag:
                gone.setdefault((x.account, x.symbol), {})[key] = x
            continue
        cum_qty = order.cum_qty - less.get(order.cl_ord_id, ZERO)
        makes_room = order.cl_ord_id in over and cum_qty > order.most_qty and x.last_qty < booked.qty
        lately = snap.read_at - _heard_at(state, order, key, booked) <= lag
        if key in new or (lately and not makes_room):
            continue
        fills[key] = x
        less[order.cl_ord_id] = order.cum_qty - cum_qty + booked.qty - x.last_qty
    of_symbols: dict[tuple[AccountID, Symbol], dict[str, Execution]] = {}
    for key, x in fills.items():
        # The list says what stands at its own moment: by that it is newer than every word that came before it.
        if is_news(state, key, x, snap.as_of):
            of_symbols.setdefault((x.account, x.symbol), {})[key] = x
    for (account, symbol), its in of_symbols.items():
        orders = yield from _of_one_symbol(state, account, symbol, its, (snap.as_of, able.visibility_lag_ns), now)
        yield from _settled(state, around, orders, touched, now)
    for its in _standing_again(state, around, snap, gone, before, lag):
        for key, x in its.items():
            order = yield from as_shown(state, key, x, (snap.as_of, able.visibility_lag_ns), now)
            yield from _settled(state, around, (order.cl_ord_id,), touched, now)


def opened_otherwise(state: State, key: str, x: Execution) -> bool:
    """Whether a line shows a fill that may have opened a future at another price than we booked: while it does, it has to be
    looked at again.
    """
    instrument = state.instruments.get(x.symbol)
    if instrument is None or instrument.asset_class is not FUTURE:
        return False
    booked = state.execs.get(key)
    if booked is None or booked.busted or booked.effect not in (AUTO, OPEN):
        return False
    return booked.qty == x.last_qty and booked.px != x.last_px


def _is_believed(state: State, around: Surroundings, snap: BrokerSnapshot, key: str, x: Execution) -> bool:
    booked = state.execs.get(key)
    return booked is not None and (not booked.told or has_changed(around, snap, x))


def _settled(
    state: State, around: Surroundings, orders: Iterable[ClOrdID], touched: dict[RunID, None], now: UtcNs
) -> Generator[Event, None, None]:
    after = None
    for cl_ord_id in orders:
        after = state.orders.get(cl_ord_id)
        yield from promise_anew(state, around, after, now)
        if after is not None and after.run_id is not None:
            touched[after.run_id] = None
    yield from promise_others(state, around, after, now, gone=(BUY, SELL))  # they are all of one symbol


def _standing_again(
    state: State,
    around: Surroundings,
    snap: BrokerSnapshot,
    gone: Mapping[tuple[AccountID, Symbol], dict[str, Execution]],
    before: Mapping[Symbol, tuple[UtcNs, dict[str, Execution]]],
    lag: int,
) -> list[dict[str, Execution]]:
    """Fills that the broker took back and whose books show them all the same, as far as they stand, by symbol. A list alone may
    go on showing what was taken back.
    """
    counted: list[dict[str, Execution]] = []
    uncounted: dict[Currency, dict[Symbol, dict[str, Execution]]] = {}
    for (_, symbol), its in gone.items():
        if not _are_held(state, snap, its):
            continue
        left = _not_counted(state, snap, its)
        if not left:
            counted.append(its)
        elif not any(_would_be_shown(state, around, snap, cl_ord_id) for cl_ord_id in left):
            uncounted.setdefault(state.instruments[symbol].currency, {})[symbol] = its
    for currency, by_symbol in uncounted.items():
        if not _are_paid_for(state, snap, currency, by_symbol):
            continue
        for symbol, its in by_symbol.items():
            since, shown = before.get(symbol, (snap.read_at, its))
            since = since if shown == its else snap.read_at
            around.again.setdefault(snap.account, {})[symbol] = since, its
            if snap.read_at - since > lag:
                counted.append(its)
    return counted


def _are_held(state: State, snap: BrokerSnapshot, fills: dict[str, Execution]) -> bool:
    """Whether what is held differs from ours by exactly these fills of one symbol."""
    one = next(iter(fills.values()))
    if snap.positions is None or snap.orders is None or state.held(one.account, one.symbol).updated_at > snap.read_at:
        return False
    held = sum((p.long_qty - p.short_qty for p in snap.positions if p.symbol == one.symbol), ZERO)
    more = sum((x.last_qty if x.side is BUY else -x.last_qty for x in fills.values()), ZERO)
    return held == state.held(one.account, one.symbol).net_qty + more


def _not_counted(state: State, snap: BrokerSnapshot, fills: dict[str, Execution]) -> dict[ClOrdID, Decimal]:
    """The orders of fills of one symbol whose lines do not count them, each with how much of it."""
    symbol = next(iter(fills.values())).symbol
    counted: dict[ClOrdID, Decimal] = {}
    for key, x in fills.items():
        booked = state.execs.get(key)
        if booked is not None:
            counted[booked.cl_ord_id] = counted.get(booked.cl_ord_id, ZERO) + x.last_qty
    for theirs in snap.orders or ():
        order = our_order(state, snap, theirs) if theirs.symbol == symbol else None
        if order is not None and theirs.cum_qty == order.cum_qty + counted.get(order.cl_ord_id, ZERO):
            counted.pop(order.cl_ord_id, None)
    return counted


def _would_be_shown(state: State, around: Surroundings, snap: BrokerSnapshot, cl_ord_id: ClOrdID) -> bool:
    """Whether the books show the order, or would if it had ended."""
    order, first, last = state.orders.get(cl_ord_id), snap.first_day, snap.trading_day
    shown = (our_order(state, snap, theirs) for theirs in snap.orders or ())
    if order is None or any(one is not None and one.cl_ord_id == cl_ord_id for one in shown):
        return True
    if not around.brokers[snap.broker].orders_complete:
        return False
    return not snap.orders_complete or first is None or last is None or first <= order.day_there <= last


def _are_paid_for(
    state: State, snap: BrokerSnapshot, currency: Currency, by_symbol: Mapping[Symbol, Mapping[str, Execution]]
) -> bool:
    """Whether the money differs from ours by exactly these fills. The price of a future moves none when it is traded."""
    book, theirs = state.accounts[snap.account].cash.get(currency), [c for c in snap.cash or () if c.currency == currency]
    if book is None or len(theirs) != 1 or book.updated_at > snap.read_at:
        return False
    less = ZERO
    for symbol, fills in by_symbol.items():
        instrument = state.instruments[symbol]
        if instrument.asset_class is FUTURE:
            return False
        for key, x in fills.items():
            booked = state.execs.get(key)
            assert booked is not None
            fee = booked.fee if x.commission is None else x.commission
            less += fee - flow_of(instrument, x.side, instrument.notional(x.last_px, x.last_qty), None)
    return theirs[0].balance == book.balance - less


def _of_one_symbol(
    state: State, account: AccountID, symbol: Symbol, fills: dict[str, Execution], shown: tuple[UtcNs, int], now: UtcNs
) -> Generator[Event, None, dict[ClOrdID, None]]:
    """Correct fills of one symbol; returns their orders. To book all behind each of them anew would cost the square of what a
    session that was lost may have missed, so those with a place among the fills of the position are corrected together, in its
    order: each but the last by the opposite trade, and behind the last the books are what they would be had each had these
    figures from the beginning (core/rebooking.py).
    """
    orders: dict[ClOrdID, None] = {}
    found = places(state, account, symbol, fills) if len(fills) > 1 else {}
    one = together(state, account, symbol, min(found.values())) if len(found) > 1 else None
    left = len(found) if one is not None and one.is_exact else 0
    for key in [*found, *(key for key in fills if key not in found)]:
        if one is not None:
            one.is_last = left == 1
        with_others = one if left > 0 else None
        left -= 1
        orders[(yield from as_shown(state, key, fills[key], shown, now, with_others)).cl_ord_id] = None
        if left == 0:
            yield from charge_all_anew(state, account, symbol, orders, now)
    return orders


def _heard_at(state: State, order: Order, key: str, booked: Exec) -> UtcNs:
    """When a fill got the figures that it has here: a look from before that may show others. What else trades, also of its own
    order, says nothing of it, or in a symbol that trades all the time nothing would ever be corrected.
    """
    if booked.told:
        return order.traded_at
    _, account, day, _, _ = parts_of(key)
    return state.recent.booked_at(account, day, key) or UtcNs(0)


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
