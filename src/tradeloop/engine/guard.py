"""The last gate before the wire, and the stop that needs no database.

Every order and every change is asked for here at the moment it would leave: a halt that came after it was decided holds it
back, and so does the latch file. The file is looked at five times a second. What it says is recorded like every halt; where
that does not become durable in time, or the journal has failed, cancels go out all the same, without a fact of them. It is the
one exception to the one rule (docs/adr/0018-cancels-without-a-journal.md).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from tradeloop.core.commands import HaltTrading
from tradeloop.core.effects import RaiseAlert, SendCancel
from tradeloop.core.events import Halted, HaltReleased
from tradeloop.core.halt import Halt, HaltTier, covers
from tradeloop.core.inputs import LatchFound
from tradeloop.core.order import Order
from tradeloop.core.replacement import Replacement, Terms
from tradeloop.core.risk.change import calms
from tradeloop.core.risk.stopped import reduces, stopped
from tradeloop.core.state import State
from tradeloop.core.types import SECOND_NS, ClOrdID, UtcNs
from tradeloop.engine.comparator import Comparator
from tradeloop.engine.latch import HaltKey, key_of
from tradeloop.engine.writer import Published
from tradeloop.ports.clock import Clock
from tradeloop.ports.latch import Latch, Mark

LOOK_NS: Final = SECOND_NS // 5
"""How often the latch is looked at."""
PATIENCE_NS: Final = SECOND_NS // 5
"""How long a halt of the latch may take to become durable before cancels go out without it."""
AGAIN_NS: Final = 5 * SECOND_NS
"""How long such a cancel may take before it is asked for again, and how long a file that cannot be written is left alone."""


class NoLatch:
    """For an engine that has none."""

    def read(self) -> tuple[HaltTrading, ...]:
        """Nothing."""
        return ()

    def mark(self) -> Mark:
        """Always the same."""
        return 0, 0

    def is_newer(self, _halt: HaltTrading, _mark: Mark, /) -> bool:
        """Never."""
        return False

    def write(self, halts: Sequence[HaltTrading]) -> None:
        """Nowhere."""


class Guard:
    """Stands between dispatch and the brokers. `clock` is the world's, whatever time the desk lives in."""

    def __init__(
        self, latch: Latch, state: State, clock: Clock, put: Callable[[LatchFound], None], alert: Callable[[RaiseAlert], None]
    ) -> None:
        self._latch, self._state, self._clock, self._put, self._alert = latch, state, clock, put, alert
        self._held: tuple[HaltTrading, ...] | None = None
        """What the latch held when it was last looked at."""
        self._found: dict[HaltKey, tuple[HaltTrading, UtcNs]] = {}
        """The same, and since when."""
        self._durable: dict[HaltKey, HaltTrading] = {}
        """What is in force."""
        self._keys: dict[int, HaltKey] = {}
        self._newest: dict[HaltKey, int] = {}
        """By what number: one that is asked for anew has two for a moment, and stands on under the newer."""
        self._unrecorded: list[HaltTrading] = []
        """What of the latch was not durable at the last look."""
        self._released: dict[HaltKey, tuple[HaltTrading, Mark]] = {}
        """Released, and still in a file that could not be written, with its mark: what somebody writes after it counts."""
        self._mark = latch.mark()
        """What the files were at the last look."""
        self._ending: dict[HaltKey, Mark] = {}
        """Released as decided, and not durable yet: what the files were at the last look before that."""
        self._unkept = False
        """Whether the file lacks what it should say, because it could not be written."""
        self._keep_again_at = UtcNs(0)
        self._asked: dict[ClOrdID, UtcNs] = {}
        self._comparator = Comparator(state)
        for halt in state.halts.values():
            self._begins(halt.number, _as_asked(halt))

    # --- at the wire

    def objects(self, leaving: Order | Replacement) -> str | None:
        """Why an order or a change must never leave, or None: it is not what was decided. Then trading is halted."""
        compare = self._comparator
        why = compare.objects(leaving) if isinstance(leaving, Order) else compare.objects_to_change(leaving)
        if why is not None:
            self._alert(RaiseAlert("CRITICAL", "comparator", f"{why}; it was kept here, and trading is halted"))
            self._put(LatchFound((HaltTrading(HaltTier.HALT, "comparator", why, trigger="comparator"),)))
        return why

    def stops(self, order: Order) -> str | None:
        """Why an order may not leave now, or None."""
        state = self._state
        instrument = state.instruments[order.symbol]
        if state.halts and (denied := stopped(state, order, instrument)) is not None:
            return denied.text
        for halt in (*self._latched(), *self._durable.values()):  # one whose release is not durable yet stops as before
            if not covers(halt.scope, halt.name, order) or self._is_work_of(order, halt):
                continue
            if halt.tier is HaltTier.REDUCE_ONLY and reduces(state, order, instrument):
                continue
            return f"{halt.tier.value} by {halt.by}" + (f": {halt.reason}" if halt.reason else "")
        return None

    def stops_change(self, change: Replacement) -> str | None:
        """Why a change of an order may not leave now, or None; one that lessens the order may. An order that has ended since
        the change was asked for is not changed: no halt can be asked of it any more.
        """
        order = self._state.orders.open.get(change.cl_ord_id)
        if order is None:
            return "the order has ended"
        if calms(order, Terms(change.order_qty, change.price, change.stop_px)):
            return None
        why = self.stops(order)
        return None if why is None else f"halted: {why}"

    def _latched(self) -> tuple[HaltTrading, ...]:
        held = self._latch.read()
        if not self._released:
            return held
        there = {key_of(each) for each in held}
        for key, (gone, mark) in [*self._released.items()]:
            if key not in there or self._latch.is_newer(gone, mark):
                del self._released[key]
        return tuple(each for each in held if key_of(each) not in self._released)

    def _is_work_of(self, order: Order, halt: HaltTrading) -> bool:
        """Whether the order belongs to a FLATTEN that this halt does not stop, as core/risk/stopped.py has it; one that is not
        recorded yet is newer than the FLATTEN.
        """
        halts = self._state.halts
        if order.halt not in halts:
            return False
        known = (one for one in halts.values() if one.is_like(halt.tier, halt.scope, halt.name, halt.trigger))
        return bool(halt.trigger) or halt.tier is HaltTier.FLATTEN or any(one.number <= order.halt for one in known)

    # --- the file and the journal

    def begin(self) -> None:
        """Have what is latched recorded before anything else is decided."""
        self._look()

    async def run(self, act: Callable[[Sequence[SendCancel]], None]) -> None:
        """Look until cancelled; `act` sends cancels."""
        while True:
            late = self._look()
            if late and (cancels := self._cancels(late)):
                text = f"{len(cancels)} cancels of {late[0].tier.value} by {late[0].by} leave before they are recorded"
                self._alert(RaiseAlert("CRITICAL", "unrecorded_cancels", text))
                act(cancels)
            await self._clock.sleep_until(UtcNs(self._clock.now() + LOOK_NS))

    @property
    def is_cancelling(self) -> bool:
        """Whether any halt takes orders out of the market, as decided or as latched."""
        return any(each.tier.cancels for each in (*self._latched(), *map(_as_asked, self._state.halts.values())))

    def last_cancels(self) -> list[SendCancel]:
        """What is still to be cancelled by a desk whose journal has failed: nothing will be recorded any more."""
        held = [*self._latched(), *map(_as_asked, self._state.halts.values())]
        return self._cancels([each for each in held if each.tier.cancels])

    def _cancels(self, halts: Sequence[HaltTrading]) -> list[SendCancel]:
        """One for each order that they want out of the market, and for none twice in a while."""
        now = self._clock.now()
        found = []
        for order in self._state.orders.open.values():
            if not order.may_be_at_broker or now - self._asked.get(order.cl_ord_id, UtcNs(-AGAIN_NS)) < AGAIN_NS:
                continue
            if any(covers(each.scope, each.name, order) and not self._is_work_of(order, each) for each in halts):
                self._asked[order.cl_ord_id] = now
                found.append(SendCancel(order.broker, order.account, order.cl_ord_id, order.order_id, order.symbol))
        return found

    def _look(self) -> list[HaltTrading]:
        """See what is latched, and have it recorded; what should be cancelling and is not recorded in time. Where the file says
        what it said before there is nothing new to see, and only time goes by.
        """
        now, held = self._clock.now(), self._latched()
        self._see()
        changed = held != self._held
        if changed:
            self._held, before = held, self._found
            self._found = {key_of(each): (each, before.get(key_of(each), (each, now))[1]) for each in held}
            self._unrecorded = [each for key, (each, _) in self._found.items() if key not in self._durable]
            new = tuple(each for each in self._unrecorded if key_of(each) not in before)
            if new:
                self._put(LatchFound(new))
        if (changed or self._unkept) and now >= self._keep_again_at:
            self._follow(held)
        self._unrecorded = [each for each in self._unrecorded if key_of(each) not in self._durable]
        return [each for each in self._unrecorded if each.tier.cancels and now - self._found[key_of(each)][1] >= PATIENCE_NS]

    def _see(self) -> None:
        """Remember what the files were when they were last read, for the releases that are decided from now on. Whoever wrote
        later than that look, with the same words too, is not overruled: no release has seen it.
        """
        for key, number in self._newest.items():
            if number not in self._state.halts:
                self._ending.setdefault(key, self._mark)
        self._mark = self._latch.mark()

    def heard(self, published: Published) -> None:
        """A batch is durable: the file follows the journal, once for all of it, and what may leave is known."""
        self._comparator.heard(published)
        changed = False
        if any(type(event) is Halted for event in published.events):
            self._latch.read()  # whoever halts writes the file first: that is no word against a release
            self._see()
        for event in published.events:
            if type(event) is Halted:
                self._begins(event.number, _as_asked(event))
                changed = True
            elif type(event) is HaltReleased and (key := self._keys.pop(event.number, None)) is not None:
                self._found.pop(key, None)
                self._held = None  # what stands there again is new
                if self._newest[key] == event.number:
                    del self._newest[key]
                    gone = self._durable.pop(key)
                    self._released[key] = gone, self._ending.pop(key, self._mark)
                    changed = True
        if changed:
            self._follow(self._latched())

    def _begins(self, number: int, halt: HaltTrading) -> None:
        key = key_of(halt)
        self._keys[number] = key
        self._newest[key], self._durable[key] = number, halt
        self._released.pop(key, None)
        self._ending.pop(key, None)

    def _lacking(self, held: Sequence[HaltTrading]) -> list[HaltTrading]:
        there = {key_of(each) for each in held}
        return [each for key, each in self._durable.items() if key not in there]

    def _follow(self, held: Sequence[HaltTrading]) -> None:
        """What is in force stands in the file as well, so that a desk that loses its journal starts halted; what was released
        does not.
        """
        lacking = self._lacking(held)
        if lacking or self._released:
            self._keep([*held, *lacking])
        else:
            self._unkept = False

    def _keep(self, halts: Sequence[HaltTrading]) -> None:
        try:
            self._latch.write(halts)
        except OSError as error:
            text = f"the latch file could not be written: {error.strerror or error}; what it says is not what is in force"
            self._alert(RaiseAlert("CRITICAL", "latch", text))
            self._keep_again_at = UtcNs(self._clock.now() + AGAIN_NS)
            self._unkept = True
        else:
            self._released.clear()
            self._see()
            self._held, self._keep_again_at, self._unkept = None, UtcNs(0), False


def _as_asked(halt: Halt | Halted) -> HaltTrading:
    return HaltTrading(halt.tier, halt.by, halt.reason, halt.scope, halt.name, halt.trigger)
