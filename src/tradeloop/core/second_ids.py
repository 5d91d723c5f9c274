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
- What is in doubt is held: not booked, a break with an alert, and its symbol takes no orders. A look is asked for.
- The broker's books decide. A look that shows both ids shows two fills, and the second one is booked. So it is where the books
  count more in the order than the fills we know make (cum_qty). Where they show one of the two, however long they have had to
  show both, they count it once: the other is a second id of it (`ExecIDJoined`), by which it is known from then on in repeats,
  busts and corrections.
- A second id whose fill the books show beside it after all, or still show long after that was taken back, is a fill of its
  own (`ExecIDParted`), and is booked.

Where a venue gives no time, or nothing of the above fits, nothing is held: what is booked twice then shows as breaks of
position, cash and a fill that is not shown (core/unshown.py). docs/adr/0021-fills-told-twice.md
"""

# size: what brings a fill into doubt and what settles it are read side by side, and share one view of a look

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Container, Generator, Iterable, Iterator
from decimal import Decimal

import msgspec

from tradeloop.core.announced import come_to_end
from tradeloop.core.breaks import FILL_TWICE, closed, id_of
from tradeloop.core.commands import RepairBreak
from tradeloop.core.doubts import again_of, begins, subject_of, twin_of
from tradeloop.core.errors import BadInput
from tradeloop.core.events import BreakClosed, BreakFound, Event, ExecIDJoined, ExecIDParted, Overfilled
from tradeloop.core.execution import Exec, exec_key, parts_of
from tradeloop.core.fills import find
from tradeloop.core.identity import own_fill
from tradeloop.core.numbering import Owners, lines_by_number, may_be_of
from tradeloop.core.order import Order
from tradeloop.core.replacement import order_named
from tradeloop.core.reports import BrokerSnapshot, Execution
from tradeloop.core.short_promise import promise_again
from tradeloop.core.standing import our_order
from tradeloop.core.state import State
from tradeloop.core.surroundings import Surroundings
from tradeloop.core.taken_back import settle_early
from tradeloop.core.types import ZERO, ClOrdID, OrderID, Px, Qty, RunID, Side, Symbol, UtcNs

Facts = Generator[Event, None, None]
_Figures = tuple[int, Symbol, Side, Qty, Px]
"""What two fills of one moment have in common where one may be the other."""


def told_again(state: State, around: Surroundings, x: Execution, now: UtcNs) -> Generator[Event, None, bool]:
    """Whether a fill that a report tells is held, because it looks like one that the books alone have told of."""
    if not has_second_ids(around, x.broker):
        return False
    x = own_fill(state, x)
    key = _key(x)
    if x.transact_at is None or key in state.execs or x.account not in state.accounts:
        return False
    if id_of(FILL_TWICE, x.broker, x.account, subject_of(x, _key(x))) in state.breaks:
        return True
    twin = _like(state, x, state.ids.shown_at(x.account, x.transact_at))
    if twin is None:
        return False
    yield _held(state, x, twin, now)
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
    look = _Look(state, around, snap)
    yield from _part(state, look, now)
    for known in list(state.doubts.of(snap.broker, snap.account)):
        yield from _settle(state, around, look, known, touched, now)
        if known.break_id not in state.breaks:
            look.settled(known)
    for x, twin in look.doubtful() if may_be_new else ():
        yield _held(state, x, twin, now)
    held = {known.subject: twin_of(known) for known in state.doubts.of(snap.broker, snap.account)}
    if not held:
        return snap, {}
    subjects = [subject_of(x, _key(x)) for x in look.told]
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


class _Look:
    """What one look shows: fills by key, and the fills of ours that it shows under whatever id.

    Each map is made when it is first asked for, in one walk. A doubt that is settled changes our books, and of the maps what it
    moves alone (`settled`): thousands may be settled in one look, and to make all anew for each would cost the square.
    """

    def __init__(self, state: State, around: Surroundings, snap: BrokerSnapshot) -> None:
        self.state, self.snap = state, snap
        self.lag = max(around.policy.recent_ns, around.brokers[snap.broker].visibility_lag_ns)
        self.told = [own_fill(state, x) for x in snap.executions or ()]
        self.listed = {_key(x): x for x in self.told}
        self._roots: dict[str, str] | None = None
        self._counted: dict[ClOrdID, Decimal] | None = None
        self._besides: dict[ClOrdID, Decimal] | None = None
        self._misplaced: dict[ClOrdID, Decimal] | None = None
        self._moves: dict[str, tuple[tuple[ClOrdID, Decimal], ...]] = {}
        """What each fill of ours makes of `_misplaced`."""
        self._owners: Owners | None = None
        self._pairs: dict[str, str] = {}
        """What this look brings into doubt, each with the fill of ours that it looks like."""
        self._in_doubt: dict[str, str] | None = None

    def settled(self, known: BreakFound) -> None:
        """A doubt is no more: what it looked like is known by both ids, or what was held is a fill beside it."""
        again, twin = again_of(known), twin_of(known)
        x = self.listed.get(again)
        if x is None and self._shown().get(twin) is None:
            return  # neither is shown, and nothing is counted of them
        root = self.state.execs.root(again)
        if x is not None and root != again and self._roots is not None:
            self._roots.pop(again, None)
            self._roots[root] = again
        if x is not None and again not in self.state.execs and self._besides is not None:
            self._count_besides(x)
        if self._in_doubt is not None and self._in_doubt.get(twin) == again:
            del self._in_doubt[twin]
        self._place(twin)

    def shows(self, root: str) -> Execution | None:
        """The line of one of our fills, under whatever id."""
        shown = self._shown().get(root)
        return None if shown is None else self.listed[shown]

    def _shown(self) -> dict[str, str]:
        """The keys of what it shows, by the keys of our fills."""
        if self._roots is None:
            self._roots = {self.state.execs.root(key): key for key in self.listed}
        return self._roots

    def doubtful(self) -> Iterator[tuple[Execution, str]]:
        """Unknown fills, each with one of ours that it looks like and that the look does not show."""
        state, snap = self.state, self.snap
        unknown = [x for x in self.unknown() if x.transact_at is not None]
        if not unknown or snap.account not in state.accounts:
            return
        moments = {x.transact_at: None for x in unknown if x.transact_at is not None}
        free = _Free(
            self,
            (
                (key, at)
                for key, at in state.recent.happened_at(snap.account, moments)
                if not state.doubts.are_of(key) and self.shows(key) is None and state.execs.root(key) == key
            ),
        )
        pairs: dict[str, str] = {}
        for surely in (True, False):  # of equal fills of two orders each is paired with that of its own first
            for x in unknown:
                twin = None if _key(x) in pairs else free.like(x, surely=surely)
                if twin is not None:
                    free.take(twin)
                    pairs[_key(x)] = twin
        self._pairs = pairs
        self._besides = self._misplaced = self._in_doubt = None
        for x in unknown:
            if _key(x) in pairs:
                if not self.counts_both(x, pairs):
                    yield x, pairs[_key(x)]
                else:
                    self._is_another(x, pairs.pop(_key(x)))
            else:
                alike = free.of_moment(x.transact_at)
                other = next(
                    (one for one in alike if self.is_older(x, one, pairs) or self.is_instead(x, one, pairs, new=True)), None
                )
                if other is not None:
                    free.take(other)
                    yield x, other

    def _is_another(self, x: Execution, twin: str) -> None:
        """From here on the look brings the fill, beside that of ours: what the broker counts has room for it once."""
        self._count_besides(x)
        if self._in_doubt is not None:
            self._in_doubt.pop(twin, None)
        self._place(twin)

    def _open(self) -> Collection[BreakFound]:
        return self.state.doubts.of(self.snap.broker, self.snap.account)

    def unknown(self) -> list[Execution]:
        """What it shows that is neither booked nor held."""
        held = {again_of(known) for known in self._open()}
        return [x for key, x in self.listed.items() if key not in self.state.execs and key not in held]

    def counts_both(self, x: Execution, held: Container[str] = ()) -> bool:
        """Whether the broker counts in the order of a fill exactly what we have of it, what the look brings besides (`held`
        aside), and the fill itself beside the one that it looks like. Where it counts more still, there are fills that nobody
        has heard of, and its count says nothing of this one. Nor does that of an order made elsewhere, of which we may know a
        part only.
        """
        order = self._order(x)
        counted = self._count(order)
        if order is None or counted is None:
            return False
        return self._ours(order) + self._brought(order, held) + x.last_qty == counted

    def is_instead(self, x: Execution, twin: str, held: Container[str] = (), *, new: bool = False) -> bool:
        """Whether the broker counts exactly what there is of the order where a fill stands in the place of that of ours, which
        happened in the same moment: a correction of which no report came. `new`: it is neither booked nor held.
        """
        order, like = self._order(x), self.state.execs.get(twin)
        counted = self._count(order)
        if order is None or like is None or counted is None or not self._may_be(twin, x, held):
            return False
        is_counted = like.cl_ord_id == order.cl_ord_id or twin in self._twins()
        rest = self._ours(order) - (like.qty if is_counted else ZERO)
        return rest + self._brought(order, held) + (ZERO if new else x.last_qty) == counted

    def _may_be(self, twin: str, x: Execution, held: Container[str]) -> bool:
        """Whether the fill of ours stands, and may be of the order of the other: it is known for that, or for a stranger's; or
        it came by the broker's number alone, the books show no other order of ours under that, and count in the order that it
        is booked on exactly what there is without it. One that named our id is of no other order than it named.
        """
        state = self.state
        broker, account, day, side, _ = parts_of(twin)
        if (broker, account, side) != (x.broker, x.account, x.side):
            return False
        execution = state.execs.get(twin)
        order = None if execution is None or execution.busted else state.orders.get(execution.cl_ord_id)
        if execution is None or order is None or order.symbol != x.symbol:
            return False
        its = self._order(x)
        if its is None or its.external or order.external or its.cl_ord_id == order.cl_ord_id:
            return True
        number = state.ids.number_of(account, day, twin)
        named = None if number is None else self._named(number, x.symbol, side)
        if number is None or (named is not None and named.cl_ord_id != its.cl_ord_id):
            return False
        without = self._ours(order) - (ZERO if twin in self._twins() else execution.qty)
        return without + self._brought(order, held) == self._count(order)

    def is_older(self, x: Execution, twin: str, held: Container[str]) -> bool:
        """Whether these may be the figures of the fill of ours from before a correction that has overtaken the books."""
        like = self.state.execs.get(twin)
        corrected = None if like is None else like.told_at
        return corrected is not None and corrected > self.snap.as_of and self._may_be(twin, x, held)

    def _ours(self, order: Order) -> Decimal:
        """What we have booked of an order, each fill that the look shows, or that one in doubt looks like, being of the order
        that the look names: where two numbers were mixed up (F7), fills of one stand on the other until that is known for
        certain (core/numbering.py). What it shows counts with the figures it shows, also what we have heard since to be taken
        back: its count of the order is made of them.
        """
        if self._misplaced is None:
            self._misplaced, self._moves = {}, {}
            for root in {**self._twins(), **self._shown()}:
                self._place(root)
        return order.cum_qty + self._misplaced.get(order.cl_ord_id, ZERO)

    def _place(self, root: str) -> None:
        """Count one fill of ours in the order that the look names."""
        if self._misplaced is None:
            return
        for of, moved in self._moves.pop(root, ()):
            self._misplaced[of] -= moved
        is_shown = root in self._shown()
        key = self._shown().get(root) or self._twins().get(root)
        booked, line = self.state.execs.get(root), None if key is None else self.listed[key]
        its = None if booked is None or line is None or (booked.busted and not is_shown) else self._order(line)
        if booked is None or line is None or its is None:
            return
        qty, counts_here = line.last_qty if is_shown else booked.qty, ZERO if booked.busted else booked.qty
        self._moves[root] = (its.cl_ord_id, qty), (booked.cl_ord_id, -counts_here)
        for of, moved in self._moves[root]:
            self._misplaced[of] = self._misplaced.get(of, ZERO) + moved

    def _twins(self) -> dict[str, str]:
        """The keys of what is in doubt and shown, by those of the fills that it looks like."""
        if self._in_doubt is None:
            held = {again_of(known): twin_of(known) for known in self._open()}
            self._in_doubt = {twin: key for key, twin in {**held, **self._pairs}.items() if key in self.listed}
        return self._in_doubt

    def _count(self, order: Order | None) -> Decimal | None:
        """What the broker counts in an order of ours, None where it does not show it."""
        if order is None or order.external:
            return None
        if self._counted is None:
            lines = ((our_order(self.state, self.snap, line), line.cum_qty) for line in self.snap.orders or ())
            self._counted = {known.cl_ord_id: cum for known, cum in lines if known is not None}
        return self._counted.get(order.cl_ord_id)

    def _brought(self, order: Order, held: Container[str]) -> Decimal:
        """What the look brings of an order that is new, what is held aside."""
        if self._besides is None:
            self._besides = {}
            for other in self.unknown():
                if _key(other) not in held:
                    self._count_besides(other)
        return self._besides.get(order.cl_ord_id, ZERO)

    def _count_besides(self, x: Execution) -> None:
        """A fill that the look brings is new."""
        its = self._order(x)
        if its is not None and self._besides is not None:
            self._besides[its.cl_ord_id] = self._besides.get(its.cl_ord_id, ZERO) + x.last_qty

    def _order(self, x: Execution) -> Order | None:
        """The order that a fill is of, as the books themselves say it: by our id in it, else by our id beside its number."""
        if x.cl_ord_id is None:
            named = self._named(x.order_id, x.symbol, x.side)
            if named is not None and may_be_of(self.state, named, x):
                return named
        return find(self.state, x.broker, x.account, x.cl_ord_id, x.order_id, x.symbol, x.side, x.trading_day)

    def order_of_ours(self, twin: str) -> ClOrdID | None:
        """The order of ours that one of our fills is surely of, as far as ids and lines say; None where they do not."""
        _, account, day, side, _ = parts_of(twin)
        number = self.state.ids.number_of(account, day, twin)
        execution = self.state.execs.get(twin)
        booked = None if execution is None else self.state.orders.get(execution.cl_ord_id)
        its = booked
        if number is not None and booked is not None:
            its = self._named(number, booked.symbol, side)
        return None if its is None or its.external else its.cl_ord_id

    def order_of(self, x: Execution) -> ClOrdID | None:
        """The order of ours that a line of the look is surely of; None where nothing says so."""
        named = self._named(x.order_id, x.symbol, x.side) if x.cl_ord_id is None else self._order(x)
        return None if named is None or named.external else named.cl_ord_id

    def _named(self, number: OrderID | None, symbol: Symbol, side: Side) -> Order | None:
        """The order of ours that the books show under a number, None where they show none or two."""
        if self._owners is None:
            self._owners = lines_by_number(self.state, self.snap)
        line = self._owners.get((number, symbol, side))
        return None if line is None or line.cl_ord_id is None else self.state.orders.get(order_named(line.cl_ord_id))


class _Free:
    """Fills of ours that something unknown in a look may be another name of, by what they look like: those that come first in
    the order of their keys are taken first. A moment may have very many.
    """

    def __init__(self, look: _Look, fills: Iterable[tuple[str, int]]) -> None:
        self._look = look
        self._alike: dict[_Figures, dict[ClOrdID | None, deque[tuple[int, str]]]] = {}
        self._moments: dict[int, dict[str, None]] = {}
        self._at: dict[str, int] = {}
        for place, (key, at) in enumerate(fills):
            self._moments.setdefault(at, {})[key] = None
            self._at[key] = at
            figures = _figures(look.state, key, at)
            if figures is not None:
                of = look.order_of_ours(key)
                self._alike.setdefault(figures, {}).setdefault(of, deque()).append((place, key))

    def of_moment(self, at: UtcNs | None) -> list[str]:
        """Those of one moment that nothing has taken, whatever their figures."""
        return [] if at is None else list(self._moments.get(at, ()))

    def take(self, key: str) -> None:
        """This one is spoken for."""
        del self._moments[self._at[key]][key]

    def like(self, x: Execution, *, surely: bool) -> str | None:
        """The first one with the figures of a line that nothing has taken: of its own order `surely`, else of one that is not
        known to be another.
        """
        if x.transact_at is None:
            return None
        orders = self._alike.get((x.transact_at, x.symbol, x.side, x.last_qty, x.last_px), {})
        its = self._look.order_of(x)
        if surely:
            among = [] if its is None else [orders.get(its)]
        else:
            among = list(orders.values()) if its is None else [orders.get(its), orders.get(None)]
        first = min((left[0] for one in among if (left := self._left(one, x.transact_at))), default=None)
        return None if first is None else first[1]

    def _left(self, keys: deque[tuple[int, str]] | None, at: int) -> deque[tuple[int, str]] | None:
        while keys and keys[0][1] not in self._moments[at]:
            keys.popleft()
        return keys


def _settle(
    state: State, around: Surroundings, look: _Look, known: BreakFound, touched: dict[RunID, None], now: UtcNs
) -> Facts:
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
    if order.run_id is not None:
        touched[order.run_id] = None


def _was_taken_back(state: State, key: str) -> bool:
    """Whether the broker said so of a fill that is held; where its books show neither of the two, both are that one."""
    word = state.early.get(key)
    return word is not None and word.busted


def _is_once(state: State, look: _Look, here: Execution | None, there: Execution | None, twin: str) -> bool:
    """Whether a look that had time to show both a fill that is held (`here`) and the one it looks like (`there`) shows one of
    them, and counts no more.
    """
    if here is not None:
        return _alike(state, twin, here) or look.is_instead(here, twin)
    return there is not None and not look.counts_both(there)


def _part(state: State, look: _Look, now: UtcNs) -> Facts:
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


def _held(state: State, x: Execution, twin: str, now: UtcNs) -> BreakFound:
    execution = state.execs.get(twin)
    assert execution is not None
    subject = subject_of(x, _key(x))
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
    )


def _alike(state: State, twin: str, x: Execution) -> bool:
    """Whether the fill of ours stands with the figures of the other."""
    broker, account, _, side, _ = parts_of(twin)
    if (broker, account, side) != (x.broker, x.account, x.side):
        return False
    execution = state.execs.get(twin)
    if execution is None or execution.busted or (execution.qty, execution.px) != (x.last_qty, x.last_px):
        return False
    order = state.orders.get(execution.cl_ord_id)
    return order is not None and order.symbol == x.symbol


def _figures(state: State, key: str, at: int) -> _Figures | None:
    """What one of our fills looks like; None where it does not stand."""
    execution = state.execs.get(key)
    order = None if execution is None or execution.busted else state.orders.get(execution.cl_ord_id)
    if execution is None or order is None:
        return None
    return at, order.symbol, parts_of(key)[3], execution.qty, execution.px


def _like(state: State, x: Execution, shown: Iterable[str]) -> str | None:
    """The fill of ours that a report may be told of once more, of those that a look has shown and that nothing is held for: of
    the order that it names first, as far as is known. What names our id is of no other order than one that was named by it.
    """
    order: Order | None = None
    asked, other = False, None
    for twin in shown:
        if state.doubts.are_of(twin) or not _alike(state, twin, x):
            continue
        if not asked:
            order = find(state, x.broker, x.account, x.cl_ord_id, x.order_id, x.symbol, x.side, x.trading_day)
            asked = True
        if order is not None and state.execs.is_of(twin, order.cl_ord_id):
            return twin
        _, account, day, _, _ = parts_of(twin)
        if order is None or x.cl_ord_id is None or state.ids.number_of(account, day, twin) is not None:
            other = twin if other is None else other
    return other


def has_second_ids(around: Surroundings, broker: str) -> bool:
    """Whether the broker gives one fill two ids. One that does not is never doubted: where times are coarse, equal fills of one
    moment are common, and to hold them would leave books behind that are right (docs/adr/0021-fills-told-twice.md).
    """
    able = around.brokers.get(broker)
    return able is not None and able.second_ids


def _key(x: Execution) -> str:
    return exec_key(x.broker, x.account, x.trading_day, x.exec_id, x.side)
