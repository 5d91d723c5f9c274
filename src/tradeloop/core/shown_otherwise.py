"""Station 7: fills that the broker shows with other figures than we booked: corrections whose report we did not hear.

The list names the fill by its identity, so it says what the lost report would have said, and is booked like it. Comparing every
fill of a day at every look would cost more than all the rest of it; a correction moves holdings or money, so the list is only
read for it where those differ, and only while the difference is young.
"""

from __future__ import annotations

from collections.abc import Generator
from decimal import Decimal

from tradeloop.core.breaks import id_of
from tradeloop.core.events import Event
from tradeloop.core.execution import exec_key
from tradeloop.core.order import Order
from tradeloop.core.reports import BrokerSnapshot, ExecutionCorrect
from tradeloop.core.short_promise import promise_again
from tradeloop.core.state import State
from tradeloop.core.surroundings import Surroundings
from tradeloop.core.taken_back import on_correct
from tradeloop.core.types import ZERO, Currency, RunID, Symbol, UtcNs

_LOOKS = 3
"""How many periodic looks a difference is taken for a possible correction."""


def corrected_fills(
    state: State, around: Surroundings, snap: BrokerSnapshot, touched: dict[RunID, None], now: UtcNs
) -> Generator[Event, None, None]:
    """Give booked fills the figures under which the broker shows them; `touched` gets the runs they belong to."""
    if not snap.executions:
        return
    lag = max(around.policy.recent_ns, around.brokers[snap.broker].visibility_lag_ns)
    young = UtcNs(now - _LOOKS * max(around.policy.reconcile_every_ns, lag))
    symbols, currencies = _differing(state, snap, young)
    if not symbols and not currencies:
        return
    for x in snap.executions:
        instrument = state.instruments.get(x.symbol)
        if instrument is None or (x.symbol not in symbols and instrument.currency not in currencies):
            continue  # of what is not listed here nothing was booked: such a fill was inside the books we adopted
        key = exec_key(x.broker, x.account, x.trading_day, x.exec_id, x.side)
        booked = state.execs.get(key)
        order: Order | None = None if booked is None else state.orders.get(booked.cl_ord_id)
        if order is None or booked is None or booked.busted or (booked.qty, booked.px) == (x.last_qty, x.last_px):
            continue
        if snap.read_at - state.held(x.account, x.symbol).updated_at <= lag:
            continue  # this look may be older than what we heard of fills since; what else befalls the order says nothing
        # The list says what stands at its own moment: by that it is newer than every word that came before it.
        report = ExecutionCorrect(
            x.broker, x.account, x.trading_day, x.exec_id, x.side, x.last_qty, x.last_px, x.commission, snap.as_of
        )
        after = yield from on_correct(state, report, now)
        yield from promise_again(state, around, after, now)
        if after is not None and after.run_id is not None:
            touched[after.run_id] = None


def _differing(state: State, snap: BrokerSnapshot, young: UtcNs) -> tuple[dict[Symbol, None], dict[Currency, None]]:
    """The symbols and currencies whose figures differ, and did not do so before `young`."""
    symbols: dict[Symbol, None] = {}
    if snap.positions is not None:
        theirs = {p.symbol: (p.long_qty, p.short_qty) for p in snap.positions}
        ours = {s: (p.long_qty, p.short_qty) for s, p in state.positions.get(snap.account, {}).items()}
        for symbol in {**theirs, **ours}:
            for leg, mine, his in zip(
                ("long", "short"), ours.get(symbol, (ZERO, ZERO)), theirs.get(symbol, (ZERO, ZERO)), strict=True
            ):
                if mine != his and _is_young(state, snap, "position", f"{symbol} {leg}", (mine, his), young):
                    symbols[symbol] = None
    currencies: dict[Currency, None] = {}
    if snap.cash is not None:
        money = {c.currency: c.balance for c in snap.cash}
        for currency, book in state.accounts[snap.account].cash.items():
            figures = (book.balance, money.get(currency, ZERO))
            if figures[0] != figures[1] and _is_young(state, snap, "cash", currency, figures, young):
                currencies[currency] = None
    return symbols, currencies


def _is_young(
    state: State, snap: BrokerSnapshot, kind: str, subject: str, figures: tuple[Decimal, Decimal], young: UtcNs
) -> bool:
    """Whether the difference is new, or another one than was found: what is left of an old one when a part of it has been
    explained may be a correction, too.
    """
    known = state.breaks.get(id_of(kind, snap.broker, snap.account, subject))
    return known is None or known.at >= young or (Decimal(known.ours), Decimal(known.theirs)) != figures
