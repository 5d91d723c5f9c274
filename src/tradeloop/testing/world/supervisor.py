"""Who keeps a process running: starts it, starts it again, and lets a second one try.

It is what systemd, Kubernetes and a person with two terminals do. The script of the seed kills, stops and wakes processes
through it; when the faults are over, one process runs, whatever it takes.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Final

from tradeloop.core.errors import InvariantBroken, JournalDamaged, JournalFailed, LeaseHeld, StaleEpoch
from tradeloop.core.surroundings import Policy
from tradeloop.core.types import SECOND_NS
from tradeloop.testing.faults import Fault, Weather
from tradeloop.testing.world.disk import LEASE_TTL_NS
from tradeloop.testing.world.loop import Timeline
from tradeloop.testing.world.process import ON_PURPOSE, Process
from tradeloop.testing.world.store import Store

RETRY_NS: Final = 1 * SECOND_NS


class Supervisor:
    """One process is wanted at any time; more may live for a while."""

    def __init__(
        self, timeline: Timeline, disk: Store, weather: Weather, dice: Random, spawn: Callable[[str, Policy], Process]
    ) -> None:
        self.current: Process | None = None
        self.lives: list[Process] = []
        """Every process that has not ended, stopped ones too."""
        self.policy = Policy()
        self.crashes = 0
        self.starts = 0
        self.note: Callable[[str, str], None] = lambda mark, text: None
        self.bug: Callable[[str], None] = lambda text: None
        self.refused_itself: Callable[[int, str], None] = lambda invariant, text: None
        """Called when a process stopped because an invariant would have been broken (engine/invariants.py)."""
        self.journal_failed: Callable[[Process, JournalFailed], None] = lambda process, error: None
        """Called when a process that took commands ended because its journal failed."""
        self._timeline, self._disk, self._weather, self._dice, self._spawn = timeline, disk, weather, dice, spawn
        self._traps: dict[Fault, int] = {}
        self._pause_in: tuple[int, int] | None = None
        """After how many durable commits the process is stopped between the disk's word and the send, and for how long."""
        self._kills_in_recovery = 0
        self._due = False

    @property
    def leading(self) -> Process | None:
        """The process whose epoch is the newest: it alone can write. Where a lock does not hold (F71), an older one that has
        nothing to write lives beside it without knowing, and what that one believes is nobody's books.
        """
        return max(self.lives, key=lambda process: process.epoch, default=None)

    def start(self) -> None:
        """Start a process now."""
        self._due = False
        self.starts += 1
        process = self._spawn(f"p{self.starts}", self.policy)
        process.on_ended = self._ended
        self.lives.append(process)
        if self.current is None or self.current.ended or self.current.loop.stopped:
            self.current = process
        if self._kills_in_recovery and not self._weather.calm:
            self._kills_in_recovery -= 1
            self._weather.meet(Fault.KILLED_RECOVERING)
            process.loop.kill_at = self._dice.randint(1, 12)

    def _start_again(self, after_ns: int) -> None:
        if not self._due:
            self._due = True
            self._timeline.after(after_ns, self.start)

    def _ended(self, process: Process) -> None:
        self.lives.remove(process)
        error = process.error
        if error is None:
            self.note("!", f"{process.name} is gone")
        else:
            self.note("!", f"{process.name} ended: {type(error).__name__}: {error}")
            if isinstance(error, InvariantBroken):
                self.refused_itself(error.number, f"{process.name} stopped: {error}")
            elif not isinstance(error, ON_PURPOSE):
                self.bug(f"{process.name} died of {type(error).__name__}: {error}")
            if isinstance(error, JournalDamaged):
                self._refused(process, error)
            elif type(error) is JournalFailed and process.has_traded:
                self.journal_failed(process, error)
        if process is self.current:
            others = [life for life in self.lives if not life.loop.stopped]
            self.current = others[0] if others else None
            if not others:
                wait = RETRY_NS if isinstance(error, LeaseHeld | StaleEpoch) else self._dice.randint(200_000_000, 2 * SECOND_NS)
                self._start_again(wait)

    def _refused(self, process: Process, error: JournalDamaged) -> None:
        """A process did not start on this journal: rightly, where it was damaged; then the right one is put back."""
        if not self._disk.is_damaged_on_purpose and not self._disk.forget_ahead():
            self.bug(f"{process.name} refused a sound journal: {error}")
        self._disk.mend()

    # --- what the script of a seed does to processes

    def kill(self) -> None:
        """Kill the process before one of its next callbacks (F41)."""
        if self.current is not None and not self.current.ended:
            self._weather.meet(Fault.KILLED)
            self.crashes += 1
            self.current.loop.kill_at = self.current.loop.steps + self._dice.randint(1, 80)

    def trap(self, fault: Fault) -> None:
        """Kill the process at one of the next moments of that kind (F42, F43, F44)."""
        self._traps[fault] = self._dice.randint(1, 3)

    def at_moment(self, fault: Fault) -> None:
        """A moment has come in which a trap may close."""
        if fault is Fault.KILLED_BEFORE_SEND and self._pause_in is not None and not self._weather.calm:
            self._pause_at_moment(*self._pause_in)
        left = self._traps.get(fault)
        if left is None or self._weather.calm:
            return
        if left > 1:
            self._traps[fault] = left - 1
            return
        del self._traps[fault]
        if self.current is not None and not self.current.ended:
            self._weather.meet(fault)
            self.crashes += 1
            self.current.kill()

    def trap_pause(self, dice: Random) -> None:
        """Stop the process once at the worst moment: a commit is durable and nothing of it has left (F46)."""
        self._pause_in = dice.randint(5, 60), dice.choice((4, 12, 40)) * SECOND_NS

    def _pause_at_moment(self, commits: int, span_ns: int) -> None:
        self._pause_in = (commits - 1, span_ns) if commits > 1 else None
        if self._pause_in is None:
            self.pause(Fault.PAUSED, span_ns)

    def crash_loop(self) -> None:
        """Kill the process, and the next ones while they recover (F45)."""
        self._kills_in_recovery = self._dice.randint(1, 5)
        self.crashes += self._kills_in_recovery
        self.kill()

    def damage(self, fault: Fault, spoil: Callable[[], bool]) -> None:
        """Kill the process and spoil the journal before the next one starts (F53, F60, F94 to F96)."""
        if self.current is None or len(self.lives) > 1 or not self._disk.rows:
            return
        self.current.kill()
        self.crashes += 1
        if spoil():
            self._weather.meet(fault)
            self.note("!", f"the journal is spoiled: {fault.value}")

    def pause(self, fault: Fault, span_ns: int) -> None:
        """Stop the process (SIGSTOP) and let it go on later; where its lease runs out, another takes over (F46, F70)."""
        process = self.current
        if process is None or process.ended or process.loop.stopped or (self._disk.lets_two_in and len(self.lives) > 1):
            return  # who sleeps must not be one that another takes for dead: its lock says so, where a lock holds
        self._stop(process, fault, span_ns)
        if not self._disk.is_lock and span_ns > LEASE_TTL_NS and self._weather.enables(Fault.STANDBY_TAKES_OVER):
            self._weather.meet(Fault.STANDBY_TAKES_OVER)
            self._timeline.after(LEASE_TTL_NS + SECOND_NS // 2, self.start)

    def _stop(self, process: Process, fault: Fault, span_ns: int) -> None:
        self._weather.meet(fault)
        self.note("!", f"{process.name} is stopped for {span_ns / SECOND_NS:.0f} s")
        process.loop.stopped = True
        self._timeline.after(span_ns, lambda: self._go_on(process))

    def _go_on(self, process: Process) -> None:
        if not process.ended:
            self.note("^", f"{process.name} goes on")
            process.loop.stopped = False

    def start_second(self) -> None:
        """Start one more by mistake (F49)."""
        if self._disk.lets_two_in and any(process.loop.stopped for process in self.lives):
            return
        self._weather.meet(Fault.TWO_STARTED)
        self.start()

    def took_over(self, name: str) -> None:
        """A process has taken the lease while another one writes, because the lock does not hold (F71); it may be stopped right
        then, before it has written anything.
        """
        self._weather.meet(Fault.LOCK_IGNORED)
        for process in self.lives:
            if process.name == name and not self._weather.calm and not process.loop.stopped:
                self._stop(process, Fault.PAUSED, self._dice.choice((0, 1, 2, 4)) * SECOND_NS // 2)

    def restart(self, policy: Policy) -> None:
        """Stop the process in order and start it with other settings (F78)."""
        if self.current is not None and self.current.taking:
            self._weather.meet(Fault.OTHER_POLICY)
            self.policy = policy
            self.current.stop()

    def heal(self) -> None:
        """Let everybody go on, start those anew whose time stands still, and see to it that one runs."""
        self._traps.clear()
        self._pause_in = None
        self._kills_in_recovery = 0
        newest = max((process.epoch for process in self.lives), default=0)
        for process in [*self.lives]:
            if self._disk.lets_two_in and process.epoch < newest:
                process.kill()  # somebody finds the one that was forgotten, and ends it
            process.loop.kill_at = None
            process.loop.stopped = False
            if process.is_ahead:
                process.kill()
        if not self.lives:
            self._start_again(RETRY_NS)
