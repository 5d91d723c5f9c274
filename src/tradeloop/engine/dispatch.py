"""Effects to the world: orders, replaces and cancels to brokers side by side, each under its time-out; every outcome returns as
a report.

An order is placed exactly once. What the adapter raises sorts its fate: NotSent, Refused, FateUnknown; silence past the
time-out is FateUnknown too. Nothing is sent after its `send_before`: a process that was paused must not act on a decision
that has grown old. Nor is an order sent that a halt stops by now (guard.py), whenever it was decided, nor an ended one changed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from itertools import chain, repeat
from typing import Any, Final

import msgspec

from tradeloop.core.answers import NOT_SENT, UNKNOWN
from tradeloop.core.effects import Effect, RaiseAlert, SendCancel, SendOrder, SendReplace, SetTimer, TakeSnapshot
from tradeloop.core.errors import FateUnknown, NotSent, Refused
from tradeloop.core.order import Order
from tradeloop.core.pacing import Pace, cancel_request, replace_request
from tradeloop.core.replacement import Replacement
from tradeloop.core.reports import CancelOutcome, CancelReject, OrderReject, ReplaceOutcome, ReplaceReject, Report, SendOutcome
from tradeloop.core.types import SECOND_NS, ClOrdID, UtcNs
from tradeloop.engine.guard import Guard
from tradeloop.engine.wire import Wire
from tradeloop.ports.broker import Broker
from tradeloop.ports.clock import Clock

PLACE_TIMEOUT_S: Final = 10.0
SNAPSHOT_TIMEOUT_S: Final = 30.0
SNAPSHOT_BACKOFF_S: Final = (1, 2, 4, 8, 16, 30)
"""Waits after a look that failed; the last one for ever (D9)."""
STOPPING: Final = "the engine was stopping"
CONNECTED: Final = "connected"
"""Why core/follow.py asks for the books after a connect."""


class Dispatch:
    """Acts on effects. Holds no state of the flow: what it forgets at a crash, recovery asks the brokers about."""

    def __init__(
        self,
        brokers: dict[str, Broker],
        clock: Clock,
        put: Callable[[Report], None],
        set_timer: Callable[[SetTimer], None],
        alert: Callable[[RaiseAlert], None],
        paces: Mapping[str, Pace] | None = None,
        guard: Guard | None = None,
    ) -> None:
        self._brokers = brokers
        self._clock = clock
        self._put = put
        self._set_timer = set_timer
        self._alert = alert
        self._tasks: set[asyncio.Task[None]] = set()
        self._reading: dict[str, asyncio.Task[None]] = {}
        self._again: dict[str, TakeSnapshot] = {}
        self._placing: dict[ClOrdID, asyncio.Task[None]] = {}
        self._replacing: dict[ClOrdID, asyncio.Task[None]] = {}
        self._barred: dict[ClOrdID, None] = {}
        self._cancelling: set[asyncio.Task[None]] = set()
        self._paces = dict(paces or {})
        self._wires = {name: Wire(name, pace, clock, self._begin, self._wake_later) for name, pace in self._paces.items()}
        self._guard = guard
        self._closed = False
        self._halted = False
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Never has a result; gets the exception of a task that broke its adapter's contract, which ends the process."""

    def act(self, effects: Sequence[Effect]) -> None:
        """Begin everything the durable facts ask for."""
        for effect in effects:
            match effect:
                case SetTimer() if self._closed:
                    pass  # the next process sets its own
                case SetTimer():
                    self._set_timer(effect)
                case SendOrder() if self._closed:
                    self._not_sent(effect, STOPPING)
                case SendOrder() if effect.order.order.cl_ord_id in self._placing:
                    # Two attempts of one order never overlap, whatever a clock that was set forward seemed to prove.
                    order = effect.order.order
                    text = "the attempt before this one has not come back"
                    if (wire := self._wires.get(order.broker)) is not None and not wire.awaits(order.cl_ord_id):
                        wire.give_up(order.cl_ord_id)  # the turn of this attempt, which is not used
                    self._put(SendOutcome(order.broker, order.cl_ord_id, UNKNOWN, text, effect.begun_at))
                case SendOrder():
                    cl_ord_id = effect.order.order.cl_ord_id
                    self._placing[cl_ord_id] = self._begin(self._place(effect))
                case SendReplace() if self._closed:
                    self._replace_ended(effect.change.order, NOT_SENT, STOPPING)
                case SendReplace():
                    self._begin_replace(effect)
                case SendCancel() if self._closed:
                    pass  # asked for again by the next process, when the broker is READY
                case SendCancel():
                    if effect.cl_ord_id in self._replacing:
                        self._barred[effect.cl_ord_id] = None
                    self._begin_cancel(effect)
                case TakeSnapshot():
                    self._read_books(effect)
                case RaiseAlert():
                    self._alert(effect)

    async def close(self) -> None:
        """Begin nothing new, stop reading books, and wait for what is on the wire to have an outcome."""
        self._closed = True
        for wire in self._wires.values():
            wire.close()
        for task in self._reading.values():
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=PLACE_TIMEOUT_S)
        for task in self._tasks:
            task.cancel()

    def halt(self) -> None:
        """Begin nothing from now on, not even what waits for its turn. What is on the wire already goes its way: the next
        process asks what became of it.
        """
        self._closed = self._halted = True
        for wire in self._wires.values():
            wire.close()
        for task in self._reading.values():
            task.cancel()

    async def _place(self, effect: SendOrder) -> None:
        order = effect.order.order
        broker = self._brokers[order.broker]
        try:
            await self._hand_over(broker, order, effect)
        finally:
            del self._placing[order.cl_ord_id]

    async def _hand_over(self, broker: Broker, order: Order, effect: SendOrder) -> None:
        if self._halted:
            return
        wire = self._wires.get(order.broker)
        if wire is not None and self._clock.now() < effect.send_before and not await wire.turn(order.cl_ord_id):
            if not self._halted:
                self._not_sent(effect, STOPPING)
            return
        if self._clock.now() >= effect.send_before:
            self._not_sent(effect, "its time to leave had passed")
            return
        if self._guard is not None and (why := self._guard.stops(order)) is not None:
            self._not_sent(effect, f"halted: {why}")
            return
        if self._guard is not None and (why := self._guard.objects(order)) is not None:
            self._not_sent(effect, why)
            return
        try:
            async with asyncio.timeout(PLACE_TIMEOUT_S):
                await broker.place(effect.order)
        except NotSent as error:
            self._not_sent(effect, str(error))
        except Refused as error:
            self._put(OrderReject(order.broker, order.cl_ord_id, error.code, error.text, of_repeat=error.of_repeat))
        except FateUnknown as error:
            self._put(SendOutcome(order.broker, order.cl_ord_id, UNKNOWN, str(error), effect.begun_at))
        except TimeoutError:
            text = f"no return from the wire in {PLACE_TIMEOUT_S:g} s"
            self._put(SendOutcome(order.broker, order.cl_ord_id, UNKNOWN, text, effect.begun_at))

    def _begin_replace(self, effect: SendReplace) -> None:
        """Replaces of one order leave in the order in which they were asked for, none before the order itself."""
        cl_ord_id = effect.change.order.cl_ord_id
        before = self._replacing.get(cl_ord_id) or self._placing.get(cl_ord_id)
        self._replacing[cl_ord_id] = task = self._begin(self._replace(effect, before))

        def ended(_: asyncio.Task[None]) -> None:
            if self._replacing.get(cl_ord_id) is task:
                del self._replacing[cl_ord_id]
                self._barred.pop(cl_ord_id, None)

        task.add_done_callback(ended)

    async def _replace(self, effect: SendReplace, before: asyncio.Task[None] | None) -> None:
        """Hand a replace over, once. One that a cancel overtakes here is not sent any more: to end the order is worth more."""
        change = effect.change.order
        if before is not None:
            await asyncio.wait((before,))
        if self._halted:
            return
        wire = self._wires.get(change.broker)
        if wire is not None and not await wire.turn(replace_request(change.cl_ord_id, change.number)):
            if not self._halted:
                self._replace_ended(change, NOT_SENT, STOPPING)
            return
        if change.cl_ord_id in self._barred:
            self._replace_ended(change, NOT_SENT, "a cancel of the order overtook it")
            return
        if self._clock.now() >= effect.send_before:
            self._replace_ended(change, NOT_SENT, "its time to leave had passed")
            return
        if self._guard is not None and (why := self._guard.stops_change(change)) is not None:
            self._replace_ended(change, NOT_SENT, why)
            return
        if self._guard is not None and (why := self._guard.objects(change)) is not None:
            self._replace_ended(change, NOT_SENT, why)
            return
        try:
            async with asyncio.timeout(PLACE_TIMEOUT_S):
                await self._brokers[change.broker].replace(effect.change)
        except NotSent as error:
            self._replace_ended(change, NOT_SENT, str(error))
        except Refused as error:
            self._put(ReplaceReject(change.broker, change.cl_ord_id, error.code, error.text, change.number))
        except FateUnknown as error:
            self._replace_ended(change, UNKNOWN, str(error))
        except TimeoutError:
            self._replace_ended(change, UNKNOWN, f"no return from the wire in {PLACE_TIMEOUT_S:g} s")

    def _replace_ended(self, change: Replacement, fate: str, text: str) -> None:
        if (wire := self._wires.get(change.broker)) is not None:
            wire.give_up(replace_request(change.cl_ord_id, change.number))
        self._put(ReplaceOutcome(change.broker, change.cl_ord_id, change.number, fate, text))

    def _not_sent(self, effect: SendOrder, text: str) -> None:
        order = effect.order.order
        if (wire := self._wires.get(order.broker)) is not None:
            wire.give_up(order.cl_ord_id)
        self._put(SendOutcome(order.broker, order.cl_ord_id, NOT_SENT, text, effect.begun_at))

    async def _cancel(self, effect: SendCancel) -> None:
        """Ask for a cancel, never before the order itself has been handed over: the broker would not know what to cancel.

        It does not wait for a replace that has left: whichever comes first, the order ends.
        """
        broker = self._brokers.get(effect.broker)
        if broker is None:
            self._put(CancelOutcome(effect.broker, effect.cl_ord_id, f"no broker named {effect.broker} is configured"))
            return
        placing = self._placing.get(effect.cl_ord_id)
        if placing is not None:
            await asyncio.wait((placing,))
        if not await self._is_turn_of(effect) or self._halted:
            return
        try:
            async with asyncio.timeout(PLACE_TIMEOUT_S):
                await broker.cancel(effect.cl_ord_id, effect.order_id, effect.symbol)
        except Refused as error:
            self._put(CancelReject(effect.broker, effect.cl_ord_id, error.code, error.text))
        except (NotSent, FateUnknown, TimeoutError) as error:
            self._put(CancelOutcome(effect.broker, effect.cl_ord_id, str(error) or "no return from the wire"))

    def _begin_cancel(self, effect: SendCancel) -> None:
        task = self._begin(self._cancel(effect))
        self._cancelling.add(task)
        task.add_done_callback(self._cancelling.discard)

    async def cancel_last(self, cancels: Sequence[SendCancel]) -> None:
        """Send these cancels and return when each has left, or will not, and so have those that wait for their turn already:
        nobody records what comes of them. A broker that takes few in a second is given the time for all of them.
        """
        for each in cancels:
            self._begin_cancel(each)
        if self._cancelling:
            slowest = min((pace.rate for pace in self._paces.values()), default=0)
            turns_s = len(self._cancelling) / slowest if slowest else 0
            await asyncio.wait(set(self._cancelling), timeout=PLACE_TIMEOUT_S + turns_s)

    async def _is_turn_of(self, effect: SendCancel) -> bool:
        """Whether the cancel has to go now."""
        wire = self._wires.get(effect.broker)
        return wire is None or await wire.turn(cancel_request(effect.cl_ord_id), urgent=True)

    def _wake_later(self, timer: SetTimer) -> None:
        if not self._closed:
            self._set_timer(timer)

    def _read_books(self, effect: TakeSnapshot) -> None:
        """One look at a time per broker; a wish that comes meanwhile is granted after it, once. A look that began, or rests
        after a failure, before the session came up is given up: it says nothing of the books of this session.
        """
        if self._closed or effect.broker not in self._brokers:
            return
        reading = self._reading.get(effect.broker)
        if reading is not None:
            self._again[effect.broker] = effect
            if effect.why == CONNECTED:
                reading.cancel()
            return
        self._reading[effect.broker] = task = asyncio.get_running_loop().create_task(self._snapshot(effect))
        self._watch(task)
        task.add_done_callback(lambda _: self._read(effect.broker))

    def _read(self, broker: str) -> None:
        self._reading.pop(broker, None)
        again = self._again.pop(broker, None)
        if again is not None:
            self._read_books(again)

    async def _snapshot(self, effect: TakeSnapshot) -> None:
        broker = self._brokers[effect.broker]
        await self._clock.sleep_until(effect.not_before)
        # Never given up: nothing is sent to a broker whose books have not been compared.
        for wait in chain(SNAPSHOT_BACKOFF_S, repeat(SNAPSHOT_BACKOFF_S[-1])):
            try:
                asked_at = self._clock.now()
                async with asyncio.timeout(SNAPSHOT_TIMEOUT_S):
                    books = await broker.snapshot()
                self._put(msgspec.structs.replace(books, asked_at=asked_at))
                return
            except (NotSent, TimeoutError) as error:
                text = f"the books of {effect.broker} could not be read ({effect.why}): {str(error) or 'time-out'}"
                self._alert(RaiseAlert("WARNING", f"snapshot:{effect.broker}", text))
            await self._clock.sleep_until(UtcNs(self._clock.now() + wait * SECOND_NS))

    def _begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._watch(task)
        return task

    def _watch(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if error is not None and not self.failed.done():
            self.failed.set_exception(error)
