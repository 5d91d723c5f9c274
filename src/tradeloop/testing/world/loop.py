"""Virtual time: one timeline for a whole world, and event loops on it that can be killed before any callback.

Nothing ever waits. When no callback is ready, time jumps to the next thing that is due: a happening of the world (a message
arrives, a price moves) or a timer of a process. Each process has a loop of its own, so that one can die or be stopped while
the world goes on. The same happenings in the same order give the same run, to the byte.
"""

from __future__ import annotations

import asyncio
import heapq
import weakref
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from contextvars import Context
from math import ceil
from typing import Any, Final, TypeVar

from typing_extensions import TypeVarTuple, Unpack, override

from tradeloop.core.types import SECOND_NS

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

STEPS_AT_ONE_TIME: Final = 200_000
"""Callbacks without time passing; more is a process that runs in a circle."""


class Killed(BaseException):
    """The process this happens in is gone: the callback it was in goes no further."""


class Stuck(AssertionError):
    """Nothing will ever happen again, or something happens for ever in no time."""


class _Timer(asyncio.TimerHandle):
    """A timer that knows when it is due on its timeline: no machine wakes more exactly than to the microsecond."""

    __slots__ = ("due_ns",)

    _cancelled: bool
    _when: float

    def __init__(
        self, when: float, callback: Callable[..., object], args: tuple[Any, ...], loop: VirtualLoop, context: Context | None
    ) -> None:
        super().__init__(when, callback, args, loop, context)
        self.due_ns = ceil(when * 1_000_000) * 1_000

    @override
    def __lt__(self, other: object) -> bool:
        return self._when < other._when  # type: ignore[attr-defined,no-any-return]  # a heap of timers: it is asked most of all


class VirtualLoop(asyncio.BaseEventLoop):
    """The event loop of one process. It runs only when its timeline says so, one callback after another."""

    _ready: deque[asyncio.Handle]
    _scheduled: list[_Timer]

    def __init__(self, timeline: Timeline, name: str) -> None:
        super().__init__()
        self.name = name
        self.timeline = timeline
        self.steps = 0
        self.kill_at: int | None = None
        """The step before which the process dies."""
        self.dead = False
        self.stopped = False
        self.on_killed: Callable[[], None] = lambda: None
        self.broken: BaseException | None = None
        """What a callback raised that nobody caught."""
        self.set_exception_handler(_remember)
        self._tasks: list[weakref.ref[asyncio.Task[Any]]] = []
        self.set_task_factory(_remembered)

    @override
    def call_at(
        self, when: float, callback: Callable[[Unpack[Ts]], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        timer = _Timer(when, callback, args, self, context)
        heapq.heappush(self._scheduled, timer)
        return timer

    @override
    def time(self) -> float:
        """Seconds since the world began."""
        return self.timeline.now / SECOND_NS

    @property
    def has_ready(self) -> bool:
        """Whether it could run now."""
        return bool(self._ready) and not self.stopped and not self.dead

    def next_due(self) -> int | None:
        """When its next timer is due, in nanoseconds of the timeline; None without one."""
        scheduled = self._scheduled
        while scheduled and scheduled[0]._cancelled:
            heapq.heappop(scheduled)
        return scheduled[0].due_ns if scheduled else None

    def wake(self, now: int) -> None:
        """Make ready the timers that are due."""
        scheduled = self._scheduled
        while scheduled and scheduled[0].due_ns <= now:
            timer = heapq.heappop(scheduled)
            if not timer._cancelled:
                self._ready.append(timer)

    def turn(self) -> int:
        """Run what is ready now; how many callbacks that were."""
        ran, ready = 0, self._ready
        asyncio._set_running_loop(self)
        try:
            for _ in range(len(ready)):
                if self.kill_at is not None and self.steps >= self.kill_at:
                    self.die()
                if self.dead or self.stopped:
                    break
                handle = ready.popleft()
                if not handle.cancelled():
                    self.steps += 1
                    ran += 1
                    handle._run()
        finally:
            asyncio._set_running_loop(None)
        return ran

    @contextmanager
    def running(self) -> Iterator[None]:
        """Be the loop that asyncio finds running, inside the block."""
        before = asyncio._get_running_loop()
        asyncio._set_running_loop(self)
        try:
            yield
        finally:
            asyncio._set_running_loop(before)

    def at_once(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of a coroutine that waits for nothing."""
        with self.running():
            try:
                work.send(None)
            except StopIteration as done:
                result: T = done.value
                return result
        work.close()
        raise Stuck(f"{self.name}: {work!r} waited; expected an answer at once")

    def die(self) -> None:
        """Be killed: nothing of this loop runs any more, and what it waited for is forgotten."""
        if self.dead:
            return
        self.dead = True
        self.kill_at = None
        self.on_killed()

    def bury(self) -> None:
        """Let go of what a dead process left, so that nothing of it is found later. Its ports are dead too: nothing leaves."""
        self.set_exception_handler(lambda _loop, _context: None)
        for task in (of() for of in self._tasks):
            if task is None or task.done():
                continue
            work: Any = task.get_coro()
            # What a dying callback still wants to do is no part of this world: wait once more, or tidy up what is gone.
            with suppress(RuntimeError, ValueError, LookupError, Killed):
                work.close()
        self.close()

    def _write_to_self(self) -> None:
        """There is nothing to wake."""

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Cancelled timers are dropped when they come to the top."""


def _remembered(loop: asyncio.AbstractEventLoop, work: Any, context: Context | None = None) -> asyncio.Task[Any]:
    """A new task, which its loop finds again when it is buried: asyncio would look through the tasks of every loop."""
    assert isinstance(loop, VirtualLoop)
    task: asyncio.Task[Any] = asyncio.Task(work, loop=loop, context=context)
    loop._tasks.append(weakref.ref(task))
    return task


def _remember(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    assert isinstance(loop, VirtualLoop)
    error = context.get("exception")
    if error is not None and loop.broken is None and not isinstance(error, Killed):
        loop.broken = error


class Timeline:
    """The one time of a world, in nanoseconds since it began, and what is due in it."""

    def __init__(self, now: int = 0) -> None:
        self.now = now
        self.steps = 0
        self.loops: list[VirtualLoop] = []
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self._count = 0

    def at(self, when: int, act: Callable[[], None]) -> None:
        """Let `act` happen at `when`; what is due at the same time happens in the order it was asked for."""
        self._count += 1
        heapq.heappush(self._due, (max(when, self.now), self._count, act))

    def after(self, delay_ns: int, act: Callable[[], None]) -> None:
        """Let `act` happen `delay_ns` from now."""
        self.at(self.now + delay_ns, act)

    def loop(self, name: str) -> VirtualLoop:
        """A new loop that runs on this time."""
        loop = VirtualLoop(self, name)
        self.loops.append(loop)
        return loop

    def run(self, until: int) -> None:
        """Let everything happen that is due up to `until`."""
        at_this_time, due = 0, self._due
        while True:
            ran = 0
            for loop in [*self.loops]:
                if loop.has_ready:
                    ran += loop.turn()
                    if loop.dead:
                        self.loops.remove(loop)
                        loop.bury()
            self.steps += ran
            at_this_time += ran
            if at_this_time > STEPS_AT_ONE_TIME:
                raise Stuck(f"{at_this_time} steps at {self.now / SECOND_NS:.3f} s, and time does not pass")
            if ran:
                continue
            upcoming = due[0][0] if due else None
            for loop in self.loops:
                if not loop.stopped and not loop.dead:
                    timer = loop.next_due()
                    if timer is not None and (upcoming is None or timer < upcoming):
                        upcoming = timer
            if upcoming is None:
                raise Stuck(f"nothing will happen after {self.now / SECOND_NS:.3f} s")
            if upcoming > until:
                self.now = max(self.now, until)
                return
            if upcoming > self.now:
                self.now, at_this_time = upcoming, 0
            at_this_time += 1
            self._happen()

    def _happen(self) -> None:
        """Wake whoever is due now, and let happen what is due in the world."""
        for loop in [*self.loops]:
            if loop.dead:
                self.loops.remove(loop)
                loop.bury()
            elif not loop.stopped:
                loop.wake(self.now)
        due = self._due
        while due and due[0][0] <= self.now:
            heapq.heappop(due)[2]()
