"""Stations 5 and 7: a fill that comes under an id we do not know, and looks like one that we have from the other channel (F23).

Some venues name one fill by one id on the stream and by another where the books are asked for. Booked under both, it counts
twice. Figures alone do not tell: two fills of one order over the same quantity, at the same price and in the same moment, are
common. So nothing is merged because it looks alike, and what looks alike is no fact at once:

- One channel never gives a fill two ids. What the stream tells beside what the stream told is another fill, and so is what a
  list of executions shows beside what it shows. In doubt is only what one channel tells, with the figures (symbol, side,
  quantity, price, `transact_at`) of a fill that the other channel alone has told of; and what a look shows of the same moment
  with other figures, where the broker counts exactly what there is of the order with the one in the place of the other: a
  correction that nobody heard of; or where the look was read before a correction that we have heard of.
- Equal fills of two orders in one moment are common where times are whole seconds. What is known to be of another order, by our
  id or by a number that the books show beside it, is not in doubt; and each is compared with those of its own order first.
- What is in doubt is held: not booked, a break with an alert, and its symbol takes no orders. A look is asked for. Several may
  be held for one fill of ours: nothing alike is booked because another one is held for that, since either may be it.
- The broker's books decide. A look that shows both ids shows two fills, and the second one is booked. So it is where the books
  count more in the order than the fills we know make (cum_qty). Where they show one of the two, however long they have had to
  show both, they count it once: the other is a second id of it (`ExecIDJoined`), by which it is known from then on in repeats,
  busts and corrections.
- Of several that are held for one fill, what is surely of its order is that fill before any other; and a fill that is known by
  two ids has no third. What is left over is compared with another fill that the books alone have told of. Where they have had
  time to show one and bring none, its doubt ends, and they book it if they ever show it.
- A second id whose fill the books show beside it after all, or still show long after that was taken back, is a fill of its
  own (`ExecIDParted`), and is booked.

Where a venue gives no time, or nothing of the above fits, nothing is held: what is booked twice then shows as breaks of
position, cash and a fill that is not shown (core/unshown.py). docs/adr/0021-fills-told-twice.md
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable

import msgspec

from tradeloop.core.announced import come_to_end
from tradeloop.core.breaks import FILL_TWICE, closed, id_of
from tradeloop.core.commands import RepairBreak
from tradeloop.core.doubtful import Look, alike, key_of
from tradeloop.core.doubts import again_of, begins, subject_of, symbol_of, twin_of
from tradeloop.core.errors import BadInput
from tradeloop.core.events import BreakChanged, BreakClosed, BreakFound, Event, ExecIDJoined, ExecIDParted, Overfilled
from tradeloop.core.execution import Exec, parts_of
from tradeloop.core.fills import find
from tradeloop.core.identity import own_fill
from tradeloop.core.order import Order
from tradeloop.core.reports import BrokerSnapshot, Execution
from tradeloop.core.short_promise import promise_again, promise_others
from tradeloop.core.state import State
from tradeloop.core.surroundings import Surroundings
from tradeloop.core.taken_back import settle_early
from tradeloop.core.types import ZERO, Qty, RunID, Symbol, UtcNs

Facts = Generator[Event, None, None]


def told_again(state: State, around: Surroundings, x: Execution, now: UtcNs) -> Generator[Event, None, bool]:
    """Whether a fill that a report tells is held, because it looks like one that the books alone have told of."""
    if not has_second_ids(around, x.broker):
        return False
    x = own_fill(state, x)
    if x.transact_at is None or key_of(x) in state.execs or x.account not in state.accounts:
        return False
    if id_of(FILL_TWICE, x.broker, x.account, subject_of(x, key_of(x))) in state.breaks:
        return True
    twin = _like(state, x, state.ids.shown_at(x.account, x.transact_at))
    if twin is None:
        return False
    yield _held(state, x, twin, now, told=True)
    return True


def fills_of_their_own(
    state: State, around: Surroundings, snap: BrokerSnapshot, keys: list[str], touched: dict[RunID, None], now: UtcNs
) -> Generator[Event, None, tuple[BrokerSnapshot, dict[str, Execution]]]:
    """Settle what is held as far as this look proves it, and hold what it brings that looks alike. Returns the look without the
    fills that are held, and these by the keys of the fills of ours that they look like: which may well be shown, under them.
    """
    if snap.executions is None:
        return snap, {}
    may_be_new = has_second_ids(around, snap.broker) and not all(key in state.execs.packed for key in keys)
    if not may_be_new and not state.ids.any_second(snap.account) and not state.doubts.of(snap.broker, snap.account):
        return snap, {}  # nothing is new and nothing in doubt, nearly always
    look = Look(state, around, snap)
    yield from _part(state, look, now)
    for known in look.in_turn():
        yield from _settle(state, around, look, known, touched, now)
        if known.break_id not in state.breaks:
            look.settled(known)
    for x, twin in look.doubtful() if may_be_new else ():
        yield _held(state, x, twin, now)
    held = {known.subject: twin_of(known) for known in state.doubts.of(snap.broker, snap.account)}
    if not held:
        return snap, {}
    subjects = [subject_of(x, key_of(x)) for x in look.told]
    among = {held[subject]: x for x, subject in zip(look.told, subjects, strict=True) if subject in held}
    if not among:
        return snap, {}
    others = tuple(x for x, subject in zip(snap.executions, subjects, strict=True) if subject not in held)
    return msgspec.structs.replace(snap, executions=others), among


def confirm_second(state: State, known: BreakFound, command: RepairBreak, now: UtcNs) -> Generator[Event, None, Order | None]:
    """A named person says that the two are one fill; the order of it."""
    execution = state.execs.get(twin_of(known))
    if execution is None:
        raise BadInput(f"the fill of break {known.break_id} is not known any more; look again with `tradeloop reconcile`")
    if again_of(known) in state.execs:
        raise BadInput(
            f"the fill of break {known.break_id} was booked by its own report; look again with `tradeloop reconcile`"
        )
    yield from _join(state, known, execution, now, command.by)
    yield BreakClosed(now, known.break_id, f"one fill under two ids: {command.reason}", command.by)
    return state.orders.get(execution.cl_ord_id)


def _settle(state: State, around: Surroundings, look: Look, known: BreakFound, touched: dict[RunID, None], now: UtcNs) -> Facts:
    """What a look proves of one that is held; nothing, until it has had time to show both."""
    again, twin = again_of(known), twin_of(known)
    execution = state.execs.get(twin)
    if execution is None:
        yield from closed(state, now, known.break_id, "the fill it looked like is not known any more")
        return
    if again in state.execs:
        yield from closed(state, now, known.break_id, "it was booked by its own report")
        return
    here, there = look.listed.get(again), look.shows(twin)
    if state.ids.has_second(twin) or look.is_of_its_order(known) is False:
        yield from _is_another(state, around, look, known, touched, now)
        return
    order = state.orders.get(execution.cl_ord_id)
    assert order is not None
    if execution.busted:
        if look.snap.read_at - state.held(order.account, order.symbol).updated_at <= look.lag:
            return
        if here is not None:
            yield from closed(state, now, known.break_id, "the broker took back the one and shows the other")
            return
    elif here is not None and there is not None:
        yield from closed(state, now, known.break_id, "the broker shows both: two fills")
        return
    elif here is not None and look.counts_both(here):
        yield from closed(state, now, known.break_id, "the broker counts both: two fills")
        return
    elif look.snap.read_at - known.at <= look.lag:
        return
    elif here is None and there is None:
        if not _was_taken_back(state, again):
            return
    elif not _is_once(state, look, here, there, twin):
        return
    yield from _join(state, known, execution, now)
    yield from closed(state, now, known.break_id, "the broker shows it once: one fill under two ids")
    yield from promise_again(state, around, order, now)
    yield from promise_others(state, around, order, now)
    if order.run_id is not None:
        touched[order.run_id] = None


def _is_another(
    state: State, around: Surroundings, look: Look, known: BreakFound, touched: dict[RunID, None], now: UtcNs
) -> Facts:
    """What is held is not the fill that it looked like: that one has both its ids, or is surely of another order. What the look
    shows is booked with it. What a report alone told of may be another one of those that the books show; where these have had
    time to show it, and bring nothing like it, it is no fill that they do not know.
    """
    if look.listed.get(again_of(known)) is not None:
        yield from closed(state, now, known.break_id, "the fill it looked like is another one")
        return
    other = look.another_like(known)
    if other is not None:
        ours = other.removeprefix(begins(known.broker, known.account))
        yield BreakChanged(now, known.break_id, ours, known.theirs)
        known = state.breaks[known.break_id]
        yield from _settle(state, around, look, known, touched, now)
        if known.break_id not in state.breaks:
            look.settled(known)
        return
    there = look.shows(twin_of(known))
    if look.snap.read_at - known.at <= look.lag or not look.lacks(known):
        return
    if there is None or not look.counts_both(there):
        yield from closed(state, now, known.break_id, "the broker has had time to show another fill, and shows none")


def _was_taken_back(state: State, key: str) -> bool:
    """Whether the broker said so of a fill that is held; where its books show neither of the two, both are that one."""
    word = state.early.get(key)
    return word is not None and word.busted


def _is_once(state: State, look: Look, here: Execution | None, there: Execution | None, twin: str) -> bool:
    """Whether a look that had time to show both a fill that is held (`here`) and the one it looks like (`there`) shows one of
    them, and counts no more.
    """
    if here is not None:
        return alike(state, twin, here) or look.is_instead(here, twin)
    return there is not None and not look.counts_both(there)


def _part(state: State, look: Look, now: UtcNs) -> Facts:
    """Second ids that the look shows beside the fill they were joined to, or long after that was taken back."""
    account = look.snap.account
    if not state.ids.any_second(account):
        return
    for key, x in look.listed.items():
        if not state.ids.is_second(account, x.trading_day, key):
            continue
        root = state.execs.root(key)
        execution = state.execs.get(root)
        if execution is None:
            continue
        order = state.orders.get(execution.cl_ord_id)
        if execution.busted:
            settled = order is not None and look.snap.read_at - state.held(account, order.symbol).updated_at > look.lag
        else:
            settled = root in look.listed
        if settled:
            broker, _, day, side, exec_id = parts_of(root)
            yield ExecIDParted(now, execution.cl_ord_id, broker, account, day, exec_id, side, x.exec_id, x.trading_day)


def _join(state: State, known: BreakFound, execution: Exec, now: UtcNs, by: str = "") -> Facts:
    """Two ids name one fill: what was said under the second before is said of it."""
    again, twin = again_of(known), twin_of(known)
    early = state.early.get(again)
    broker, account, day, side, exec_id = parts_of(twin)
    _, _, second_day, _, second = parts_of(again)
    yield ExecIDJoined(now, execution.cl_ord_id, broker, account, day, exec_id, side, second, second_day, by)
    if early is not None and not execution.busted:
        yield from settle_early(state, twin, early, now)
        order = state.orders.get(execution.cl_ord_id)
        assert order is not None
        excess = order.cum_qty - order.most_qty
        if excess > ZERO and not order.external:
            yield Overfilled(now, order.cl_ord_id, order.symbol, Qty(excess))
        yield from come_to_end(state, execution.cl_ord_id, now)


def _held(state: State, x: Execution, twin: str, now: UtcNs, *, told: bool = False) -> BreakFound:
    """`told`: by a report, and no look shows how it names its order."""
    execution = state.execs.get(twin)
    assert execution is not None
    subject = subject_of(x, key_of(x))
    break_id = id_of(FILL_TWICE, x.broker, x.account, subject)
    return BreakFound(
        now,
        break_id,
        FILL_TWICE,
        x.broker,
        x.account,
        subject,
        twin.removeprefix(begins(x.broker, x.account)),
        f"{x.side.value} {x.last_qty:f} {x.symbol} at {x.last_px:f} once more, under another id",
        f"the broker gives one fill two ids, or made another in the moment of that of order {execution.cl_ord_id}",
        "the next looks at the broker's books decide; if they do not, ask the broker: where it is one fill, "
        f'`tradeloop reconcile --accept "{break_id}" --reason …`',
        named=x.cl_ord_id if told else None,
        number=x.order_id if told else None,
    )


def _like(state: State, x: Execution, shown: Iterable[str]) -> str | None:
    """The fill of ours that a report may be told of once more, of those that a look has shown: of the order that it names
    first, as far as is known. What names our id is of no other order than one that was named by it.

    One that has one id, and that nothing is held for, is preferred, but to one of its own order that something of another
    order is held for: it takes that. Where there is none it is held as well: the look decides which is which.
    """
    order: Order | None = None
    asked, taken, other, engaged = False, None, None, None
    for twin in shown:
        held = state.doubts.of_twin(twin)
        if held and engaged is not None and _all_name(held, x):
            continue  # of many that are equal in everything one is enough
        if not alike(state, twin, x):
            continue
        if not asked:
            order = find(state, x.broker, x.account, x.cl_ord_id, x.order_id, x.symbol, x.side, x.trading_day)
            asked = True
        is_own = order is not None and state.execs.is_of(twin, order.cl_ord_id)
        if state.ids.has_second(twin):
            engaged = engaged or (twin if is_own or _may_be_of_another(state, x, order, twin) else None)
            continue
        if is_own and not held:
            return twin
        if is_own:
            engaged = twin
            taken = taken or (None if any(_names(state, known, order) for known in held) else twin)
            continue
        if _may_be_of_another(state, x, order, twin):
            if held:
                engaged = engaged or twin
            else:
                other = other or twin
    return taken or other or engaged


def _may_be_of_another(state: State, x: Execution, order: Order | None, twin: str) -> bool:
    """Whether a report can be one of a fill that is booked on another order than it names: one of the two named a number."""
    _, account, day, _, _ = parts_of(twin)
    return order is None or x.cl_ord_id is None or state.ids.number_of(account, day, twin) is not None


def _all_name(held: Collection[BreakFound], x: Execution) -> bool:
    """Whether the reports of all that is held named their order as this one does."""
    return all(known.number == x.order_id and known.named == x.cl_ord_id for known in held)


def _names(state: State, known: BreakFound, order: Order | None) -> bool:
    """Whether the report of a fill that is held named the order."""
    _, _, day, side, _ = parts_of(again_of(known))
    symbol = Symbol(symbol_of(known))
    named = find(state, known.broker, known.account, known.named, known.number, symbol, side, day)
    return named is not None and order is not None and named.cl_ord_id == order.cl_ord_id


def has_second_ids(around: Surroundings, broker: str) -> bool:
    """Whether the broker gives one fill two ids. One that does not is never doubted: where times are coarse, equal fills of one
    moment are common, and to hold them would leave books behind that are right (docs/adr/0021-fills-told-twice.md).
    """
    able = around.brokers.get(broker)
    return able is not None and able.second_ids
