"""Station 5: what a bust or a correction makes true.

Each is a fact of its own, known by its own id where the venue gives one (FIX ExecID beside ExecRefID, IB's last segment of the
execId), else by its time and figures: so a repeat changes nothing, and a broker may still state the same figures anew. One that
overtook its fill is kept until that comes, or until the fill's day is over and the broker's books show that it did not.

A fill that was inside the broker's books when they became ours was never booked here, and what is said of it books nothing: its
symbol and its figures are not known. It is kept as long, because the next look finds our books to differ by it, and says why.
"""

from __future__ import annotations

from collections.abc import Generator

import msgspec

from tradeloop.core.announced import come_to_end
from tradeloop.core.cash import fee_can_be
from tradeloop.core.charging import charge_anew
from tradeloop.core.events import Event, FeeDistrusted, Overfilled, TradeBusted, TradeCorrected, TradeNeverCame
from tradeloop.core.execution import Exec, exec_key, parts_of, word_of
from tradeloop.core.identity import own_word
from tradeloop.core.order import Order
from tradeloop.core.rebooking import Together, rebooked
from tradeloop.core.reports import BrokerSnapshot, Execution, ExecutionBust, ExecutionCorrect
from tradeloop.core.state import Early, State
from tradeloop.core.types import SECOND_NS, ZERO, AccountID, Amount, ClOrdID, ExecID, Px, Qty, TradingDay, UtcNs

Facts = Generator[Event, None, None]


def never_came(state: State, snap: BrokerSnapshot, now: UtcNs) -> Facts:
    """Wait no longer for the fills of days that are over, once the broker's books were read whole on a later one: what they
    moved would show there, and the fill that comes still is booked as it comes.
    """
    if not state.early or snap.executions is None or snap.positions is None or snap.cash is None:
        return
    today = snap.trading_day or min((hours.trading_day for hours in state.hours.values()), default=TradingDay(""))
    for key in list(state.early):
        broker, account, day, side, exec_id = parts_of(key)
        if (broker, account) == (snap.broker, snap.account) and day < today:
            yield TradeNeverCame(now, broker, account, day, exec_id, side)


def settle_early(state: State, key: str, early: Early, now: UtcNs) -> Facts:
    """Do to a fill what the broker had said of it before it came, and what it had said of that."""
    known = state.execs.get(key)
    assert known is not None
    if early.busted:
        yield bust_of(state, key, known, early.own_id, early.told_at, now)
        yield from charge_anew(state, known.cl_ord_id, now, key)
        return
    behind = _behind(state, key, early.own_id)
    figures = (early.qty, early.px, known.fee if early.fee is None else early.fee)
    if figures != (known.qty, known.px, known.fee) or behind is not None:
        yield from _correct(state, key, known, early.qty, early.px, early.fee, early.own_id, early.told_at, now)
    if behind is not None:
        yield from settle_early(state, key, behind, now)


def _behind(state: State, key: str, own_id: ExecID | None) -> Early | None:
    """What overtook a correction: a venue may name the correction before where another names the fill."""
    if own_id is None or not state.early:
        return None
    broker, account, day, side, _ = parts_of(key)
    return state.early.get(exec_key(broker, account, day, own_id, side))


def on_bust(state: State, x: ExecutionBust, now: UtcNs) -> Generator[Event, None, Order | None]:
    """Take a booked fill back; one that is back already changes nothing. One that has not come yet is remembered."""
    x = own_word(state, x)
    key = state.execs.root(exec_key(x.broker, x.account, x.trading_day, x.exec_ref_id, x.side))
    word = word_of(x.exec_id, x.transact_at)
    if _overtakes(state, x.account, key) or is_inside(state, key):
        known = state.early.get(key)
        if known is None or not (known.busted or _heard(known, word, x.transact_at)):
            broker, account, day, side, exec_id = parts_of(key)
            yield TradeBusted(now, ClOrdID(""), broker, account, day, exec_id, side, x.exec_id, x.transact_at)
        return None
    execution = state.execs.get(key)
    if execution is None or execution.busted or _heard(execution, word, x.transact_at):
        return None
    yield bust_of(state, key, execution, x.exec_id, x.transact_at, now)
    yield from charge_anew(state, execution.cl_ord_id, now, key)
    return state.orders.get(execution.cl_ord_id)


def on_correct(state: State, x: ExecutionCorrect, now: UtcNs) -> Generator[Event, None, Order | None]:
    """Give a booked fill its new figures. A repeat changes nothing, nor does a word older than one that was heard already: an
    old correction that comes again brings neither its figures back nor a fill that was taken back since: to bring that back
    takes a word that is surely newer, because words of one second, or without a time, come in any order. A fill that has not
    come yet gets them when it comes. A correction that bears the id of the very fill it speaks of has none of its own.
    """
    x = own_word(state, x)
    key = state.execs.root(exec_key(x.broker, x.account, x.trading_day, x.exec_ref_id, x.side))
    own_id = x.exec_id if x.exec_id != x.exec_ref_id else None
    if own_id is not None:
        own = exec_key(x.broker, x.account, x.trading_day, own_id, x.side)
        if own == key:
            own_id = None
        elif own in state.execs:
            return None  # come again, or inside the broker's books when they became ours
    if _overtakes(state, x.account, key) or is_inside(state, key):
        early = state.early.get(key)
        word = word_of(own_id, x.transact_at, x.last_qty, x.last_px, x.commission)
        if early is None or not (_heard(early, word, x.transact_at) or _stays_back(early, x.transact_at)):
            fee = Amount(ZERO) if x.commission is None else x.commission
            broker, account, day, side, exec_id = parts_of(key)
            yield TradeCorrected(
                now,
                ClOrdID(""),
                broker,
                account,
                day,
                exec_id,
                side,
                x.last_qty,
                x.last_px,
                fee,
                x.commission is not None,
                own_id,
                x.transact_at,
            )
        return None
    known = state.execs.get(key)
    if known is None:
        return None
    order = state.orders.get(known.cl_ord_id)
    assert order is not None
    commission = _believed(state, order, x.last_qty, x.last_px, x.commission)
    word = word_of(own_id, x.transact_at, x.last_qty, x.last_px, commission)
    if _heard(known, word, x.transact_at) or _stays_back(known, x.transact_at):
        return None
    fee = known.fee if commission is None else commission
    same = (known.qty, known.px, known.fee) == (x.last_qty, x.last_px, fee)
    if same and own_id is None and x.transact_at is None:
        return None  # it stands so already; without a name or a time it is neither remembered nor brings back what was busted
    behind = _behind(state, key, own_id)
    yield from _correct(state, key, known, x.last_qty, x.last_px, x.commission, own_id, x.transact_at, now)
    if behind is not None:
        yield from settle_early(state, key, behind, now)
    return (yield from _of_its_order(state, known.cl_ord_id, now))


def is_news(state: State, key: str, x: Execution, at: UtcNs) -> bool:
    """Whether books that show a booked fill with other figures, at their moment `at`, say what was not heard before."""
    known = state.execs.get(key)
    order = None if known is None else state.orders.get(known.cl_ord_id)
    if known is None or order is None:
        return False
    commission = _believed(state, order, x.last_qty, x.last_px, x.commission)
    return not _heard(known, word_of(None, at, x.last_qty, x.last_px, commission), at)


def shown_since(known: Exec, at: UtcNs, lag_ns: int) -> UtcNs:
    """Since when, at the latest, a fill has the figures that books of `at` show, by the broker's clock, as its other words
    about fills. What it says of a later time books that lag may not show yet; and a venue may stamp whole seconds. But what we
    have heard is older, or they were not compared with it.
    """
    shown_by = UtcNs(at - lag_ns - SECOND_NS)
    return shown_by if known.told_at is None else UtcNs(max(shown_by, known.told_at + 1))


def as_shown(
    state: State, key: str, x: Execution, shown: tuple[UtcNs, int], now: UtcNs, together: Together | None = None
) -> Generator[Event, None, Order]:
    """Give a booked fill the figures under which the books show it, which is news (`is_news`). `shown`: the moment of the
    books, and by how much they lag. `together`: with which others; then its order is not charged anew yet.
    """
    known = state.execs.get(key)
    assert known is not None
    at = shown_since(known, *shown)
    yield from _correct(state, key, known, x.last_qty, x.last_px, x.commission, None, at, now, together)
    return (yield from _of_its_order(state, known.cl_ord_id, now))


def _of_its_order(state: State, cl_ord_id: ClOrdID, now: UtcNs) -> Generator[Event, None, Order]:
    """What a correction has made of an order: it may have traded too much by now, or all that was announced."""
    order = state.orders.get(cl_ord_id)
    assert order is not None
    excess = order.cum_qty - order.most_qty
    if excess > ZERO and not order.external:
        yield Overfilled(now, order.cl_ord_id, order.symbol, Qty(excess))
    yield from come_to_end(state, order.cl_ord_id, now)
    return order


def _heard(known: Exec | Early, word: str, at: UtcNs | None) -> bool:
    """Whether a word about a fill is a repeat, or older than another that came before it."""
    return word in known.told or (at is not None and known.told_at is not None and at < known.told_at)


def _stays_back(known: Exec | Early, at: UtcNs | None) -> bool:
    """Whether a fill was taken back by a word that is as new as one of `at`, or may be."""
    return known.busted and (at is None or known.told_at is None or at <= known.told_at)


def bust_of(state: State, key: str, known: Exec, own_id: ExecID | None, at: UtcNs | None, now: UtcNs) -> TradeBusted:
    """The fact that a booked fill was taken back, with what the position becomes."""
    order = state.orders.get(known.cl_ord_id)
    assert order is not None
    broker, account, day, side, exec_id = parts_of(key)
    without = msgspec.structs.replace(known, busted=True)
    becomes = rebooked(state, order.account, order.symbol, key, without)
    return TradeBusted(now, known.cl_ord_id, broker, account, day, exec_id, side, own_id, at, becomes)


def _correct(
    state: State,
    key: str,
    known: Exec,
    qty: Qty,
    px: Px,
    commission: Amount | None,
    own_id: ExecID | None,
    at: UtcNs | None,
    now: UtcNs,
    together: Together | None = None,
) -> Facts:
    order = state.orders.get(known.cl_ord_id)
    assert order is not None
    believed = _believed(state, order, qty, px, commission)
    fee = known.fee if believed is None else believed
    broker, account, day, side, exec_id = parts_of(key)
    rebook = rebooked if together is None else together.rebooked
    becomes = rebook(state, order.account, order.symbol, key, Exec(known.cl_ord_id, qty, px, fee, known.effect))
    yield TradeCorrected(
        now, known.cl_ord_id, broker, account, day, exec_id, side, qty, px, fee, believed is not None, own_id, at, becomes
    )
    if together is None:
        yield from charge_anew(state, known.cl_ord_id, now, key)
    if commission is not None and believed is None:
        yield FeeDistrusted(now, known.cl_ord_id, broker, account, day, exec_id, order.symbol, side, commission, fee)


def _believed(state: State, order: Order, qty: Qty, px: Px, commission: Amount | None) -> Amount | None:
    """The broker's commission, None where it named none or one that cannot be true."""
    if commission is None:
        return None
    instrument = state.instruments[order.symbol]
    return commission if fee_can_be(instrument, commission, instrument.notional(px, qty)) else None


def is_inside(state: State, key: str) -> bool:
    """Whether the fill was inside the books when they became ours."""
    return key in state.execs and state.execs.get(key) is None


def changed_inside(state: State, broker: str, account: AccountID) -> str:
    """What the broker has said of such fills lately, in words; empty where it said nothing."""
    said = []
    for key, early in state.early.items():
        its_broker, its_account, day, side, exec_id = parts_of(key)
        if (its_broker, its_account) == (broker, account) and is_inside(state, key):
            said.append(f"{'took back' if early.busted else 'corrected'} fill {exec_id} ({side.value}, {day})")
    return ", ".join(said)


def _overtakes(state: State, account: AccountID, key: str) -> bool:
    """Whether the fill spoken of has not been heard of, in an account whose books are ours."""
    return account in state.accounts and key not in state.execs
