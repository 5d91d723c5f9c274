"""Station 7: what one look at the broker's books shows of the fills that may have been told twice (core/second_ids.py).

Which of our fills it shows, under whatever id; what it brings that looks like one of them; what the broker counts in an order,
against what we have of it; and of which order a fill is, as ids, numbers and lines say.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Container, Iterable, Iterator
from decimal import Decimal

from tradeloop.core.doubts import again_of, symbol_of, twin_of
from tradeloop.core.events import BreakFound
from tradeloop.core.execution import exec_key, parts_of
from tradeloop.core.fills import find
from tradeloop.core.identity import own_fill
from tradeloop.core.numbering import Owners, lines_by_number, may_be_of
from tradeloop.core.order import Order
from tradeloop.core.replacement import order_named
from tradeloop.core.reports import BrokerSnapshot, Execution
from tradeloop.core.standing import our_order
from tradeloop.core.state import State
from tradeloop.core.surroundings import Surroundings
from tradeloop.core.types import ZERO, ClOrdID, OrderID, Px, Qty, Side, Symbol, TradingDay, UtcNs

Figures = tuple[int, Symbol, Side, Qty, Px]
"""What two fills of one moment have in common where one may be the other."""


class Look:
    """What one look shows: fills by key, and the fills of ours that it shows under whatever id.

    Each map is made when it is first asked for, in one walk. A doubt that is settled changes our books, and of the maps what it
    moves alone (`settled`): thousands may be settled in one look, and to make all anew for each would cost the square.
    """

    def __init__(self, state: State, around: Surroundings, snap: BrokerSnapshot) -> None:
        self.state, self.snap = state, snap
        self.lag = max(around.policy.recent_ns, around.brokers[snap.broker].visibility_lag_ns)
        self.told = [own_fill(state, x) for x in snap.executions or ()]
        self.listed = {key_of(x): x for x in self.told}
        self._roots: dict[str, str] | None = None
        self._counted: dict[ClOrdID, Decimal] | None = None
        self._besides: dict[ClOrdID, Decimal] | None = None
        self._misplaced: dict[ClOrdID, Decimal] | None = None
        self._moves: dict[str, tuple[tuple[ClOrdID, Decimal], ...]] = {}
        """What each fill of ours makes of `_misplaced`."""
        self._owners: Owners | None = None
        self._pairs: dict[str, str] = {}
        """What this look brings into doubt, each with the fill of ours that it looks like."""
        self._paired: dict[str, list[str]] = {}
        """The same by the fill of ours."""
        self._new: set[Figures] | None = None
        self._in_doubt: dict[str, str] | None = None

    def settled(self, known: BreakFound) -> None:
        """A doubt is no more: what it looked like is known by both ids, or what was held is a fill beside it."""
        again, twin = again_of(known), twin_of(known)
        x = self.listed.get(again)
        root = self.state.execs.root(again)
        if x is not None and root != again and self._roots is not None:
            self._roots.pop(again, None)
            self._roots[root] = again
        if x is not None and again not in self.state.execs and self._besides is not None:
            self._count_besides(x)
        self._doubt(twin)

    def in_turn(self) -> list[BreakFound]:
        """What is in doubt, in the order in which it is settled. Of several that look like one fill of ours one can be it: the
        first that is surely of its order comes before all else, and the others are left for the end.
        """
        doubts, state = list(self._open()), self.state
        shared = [known for known in doubts if len(state.doubts.of_twin(twin_of(known))) > 1]
        first: dict[str, str] = {}
        for known in shared:
            if twin_of(known) not in first and self.is_of_its_order(known):
                first[twin_of(known)] = known.break_id
        turn = {known.break_id: 1 for known in shared} | dict.fromkeys(first.values(), -1)
        return sorted(doubts, key=lambda known: turn.get(known.break_id, 0)) if turn else doubts

    def is_of_its_order(self, known: BreakFound) -> bool | None:
        """Whether what is held is of the order of the fill that it looks like, None where nothing says so."""
        return self._is_of(known, twin_of(known))

    def _is_of(self, known: BreakFound, twin: str) -> bool | None:
        its, named = self.order_of_ours(twin), self._order_held(known)
        return None if its is None or named is None else its == named

    def _order_held(self, known: BreakFound) -> ClOrdID | None:
        """The order that what is held is surely of: by what the look shows of it, or by how its report named it."""
        here = self.listed.get(again_of(known))
        if here is not None:
            return self.order_of(here)
        symbol, side = Symbol(symbol_of(known)), parts_of(again_of(known))[3]
        if known.named is not None:
            order = find(self.state, known.broker, known.account, known.named, None, symbol, side, self._day(known))
        else:
            order = None if known.number is None else self._named(known.number, symbol, side)
        return None if order is None or order.external else order.cl_ord_id

    def _day(self, known: BreakFound) -> TradingDay:
        return parts_of(again_of(known))[2]

    def another_like(self, known: BreakFound) -> str | None:
        """A fill of ours that what a report told of may be instead of the one it looked like: the books alone have told of it,
        and nothing else is held for it that may be it. One of its own order comes first.
        """
        if known.named is None and known.number is None:
            return None
        state, twin, figures = self.state, twin_of(known), self._figures_held(known)
        if figures is None:
            return None
        found: str | None = None
        for other in state.ids.shown_at(known.account, UtcNs(figures[0])):
            if other == twin or state.ids.has_second(other):
                continue
            if any(self.is_of_its_order(one) is not False for one in state.doubts.of_twin(other)):
                continue
            is_of_it = self._is_of(known, other) if figures_of(state, other, figures[0]) == figures else False
            if is_of_it:
                return other
            if is_of_it is None and found is None:
                found = other
        return found

    def lacks(self, known: BreakFound) -> bool:
        """Whether the look, which shows all of its moment, brings no new fill with the figures of one that is held."""
        since, figures = self.snap.executions_since, self._figures_held(known)
        if self.shows(twin_of(known)) is None and (figures is None or since is None or since > figures[0]):
            return False
        if self._new is None:
            self._new = {
                (x.transact_at, x.symbol, x.side, x.last_qty, x.last_px) for x in self.unknown() if x.transact_at is not None
            }
        return figures not in self._new

    def _figures_held(self, known: BreakFound) -> Figures | None:
        """The figures of what is held: those of the fill of ours that it looked like, also where that was taken back since."""
        twin = twin_of(known)
        at = self.state.recent.happened(known.account, parts_of(twin)[2], twin)
        return None if at is None else figures_of(self.state, twin, at, stands=False)

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
        ours = [
            (key, at)
            for key, at in state.recent.happened_at(snap.account, moments)
            if self.shows(key) is None and state.execs.root(key) == key and not state.ids.has_second(key)
        ]
        free = _Free(self, ((key, at) for key, at in ours if not state.doubts.are_of(key)))
        engaged = _Free(self, ((key, at) for key, at in ours if self._may_be_free(key)))
        pairs: dict[str, str] = {}
        for surely in (True, False):  # of equal fills of two orders each is paired with that of its own first
            for x in unknown:
                twin = None if key_of(x) in pairs else free.like(x, surely=surely)
                if twin is not None:
                    free.take(twin)
                    pairs[key_of(x)] = twin
        again: dict[str, str] = {}
        for x in unknown:  # what is held for a fill of ours may prove to be of another order
            twin = None if key_of(x) in pairs else engaged.like(x, surely=True) or engaged.like(x, surely=False)
            if twin is not None:
                again[key_of(x)] = twin
        self._pairs, self._paired = pairs, {}
        for key, twin in {**pairs, **again}.items():
            self._paired.setdefault(twin, []).append(key)
        self._besides = self._misplaced = self._in_doubt = None
        for x in unknown:
            if key_of(x) in pairs:
                if not self.counts_both(x, pairs):
                    yield x, pairs[key_of(x)]
                else:
                    self._count_besides(x)
                    self._part(x, pairs.pop(key_of(x)))
            elif key_of(x) in again:
                if self._is_counted(x, pairs):
                    self._part(x, again[key_of(x)])
                else:
                    self._count_besides(x, -x.last_qty)
                    yield x, again[key_of(x)]
            else:
                alike = free.of_moment(x.transact_at)
                other = next(
                    (one for one in alike if self.is_older(x, one, pairs) or self.is_instead(x, one, pairs, new=True)), None
                )
                if other is not None:
                    free.take(other)
                    yield x, other

    def _may_be_free(self, twin: str) -> bool:
        """Whether something is held for one of our fills, and none of it is surely of the order of that."""
        held = self.state.doubts.of_twin(twin)
        return bool(held) and not any(self.is_of_its_order(known) for known in held)

    def _part(self, x: Execution, twin: str) -> None:
        """The look brings the fill beside that of ours: what the broker counts has room for it."""
        self._paired[twin].remove(key_of(x))
        self._doubt(twin)

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

    def _is_counted(self, x: Execution, held: Container[str]) -> bool:
        """Whether the broker counts in the order of a new fill exactly what we have and what the look brings, with the fill."""
        order = self._order(x)
        counted = self._count(order)
        return order is not None and counted is not None and self._ours(order) + self._brought(order, held) == counted

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
            self._in_doubt = {}
            for twin in {**{twin_of(known): None for known in self._open()}, **self._paired}:
                self._doubt(twin)
        return self._in_doubt

    def _doubt(self, twin: str) -> None:
        """Note what is in doubt and shown that looks like one of our fills; of several, one of the order it is booked on."""
        if self._in_doubt is not None:
            held = [again_of(known) for known in self.state.doubts.of_twin(twin)]
            shown = [key for key in (*held, *self._paired.get(twin, ())) if key in self.listed]
            if len(shown) > 1:
                booked = self.state.execs.get(twin)
                orders = {key: self._order(self.listed[key]) for key in shown}
                its = [key for key, of in orders.items() if booked and of is not None and of.cl_ord_id == booked.cl_ord_id]
                shown = its or shown
            if shown:
                self._in_doubt[twin] = shown[-1]
            else:
                self._in_doubt.pop(twin, None)
        self._place(twin)

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
                if key_of(other) not in held:
                    self._count_besides(other)
        return self._besides.get(order.cl_ord_id, ZERO)

    def _count_besides(self, x: Execution, qty: Decimal | None = None) -> None:
        """A fill that the look brings is new, or (`qty`) is not."""
        its = self._order(x)
        if its is not None and self._besides is not None:
            more = x.last_qty if qty is None else qty
            self._besides[its.cl_ord_id] = self._besides.get(its.cl_ord_id, ZERO) + more

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

    def __init__(self, look: Look, fills: Iterable[tuple[str, int]]) -> None:
        self._look = look
        self._alike: dict[Figures, dict[ClOrdID | None, deque[tuple[int, str]]]] = {}
        self._moments: dict[int, dict[str, None]] = {}
        self._at: dict[str, int] = {}
        for place, (key, at) in enumerate(fills):
            self._moments.setdefault(at, {})[key] = None
            self._at[key] = at
            figures = figures_of(look.state, key, at)
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


def alike(state: State, twin: str, x: Execution) -> bool:
    """Whether the fill of ours stands with the figures of the other."""
    broker, account, _, _, _ = parts_of(twin)
    if (broker, account) != (x.broker, x.account) or x.transact_at is None:
        return False
    return figures_of(state, twin, x.transact_at) == (x.transact_at, x.symbol, x.side, x.last_qty, x.last_px)


def figures_of(state: State, key: str, at: int, *, stands: bool = True) -> Figures | None:
    """What one of our fills looks like; None where it is not known, or is to stand and does not."""
    execution = state.execs.get(key)
    order = None if execution is None or (stands and execution.busted) else state.orders.get(execution.cl_ord_id)
    if execution is None or order is None:
        return None
    return at, order.symbol, parts_of(key)[3], execution.qty, execution.px


def key_of(x: Execution) -> str:
    return exec_key(x.broker, x.account, x.trading_day, x.exec_id, x.side)
