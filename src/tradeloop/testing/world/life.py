"""One seed, lived from beginning to end: everything built, the faults, the healing, and the judgement.

    outcome = live(4711)
    outcome.violations == []

Two phases. While the faults strike, nothing unsafe may happen. Then they stop, and within `T_CONV_NS` our books have to be the
venue's. The same seed gives the same journal bytes and the same state hash in every process.
"""

# size: how the parts of a world are wired and when what goes wrong in it; who follows one seed reads both side by side

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from functools import partial
from hashlib import sha256
from random import Random
from typing import Any, Final

import msgspec

from tradeloop.core.commands import OpenTradingDay
from tradeloop.core.events import Event
from tradeloop.core.order import Order
from tradeloop.core.reports import Report
from tradeloop.core.surroundings import Policy
from tradeloop.core.types import SECOND_NS, Amount, Qty, Side, Symbol, TradingDay, UtcNs
from tradeloop.engine.recover import Recovered
from tradeloop.testing.builders import DAY, NOON
from tradeloop.testing.checkers import Judge, Violation
from tradeloop.testing.convergence import converged
from tradeloop.testing.dealt import Dealing, Dealt
from tradeloop.testing.faults import Fault, Weather
from tradeloop.testing.heard import Heard
from tradeloop.testing.limits.in_force import IN_TIME_NS
from tradeloop.testing.limits.kept import LimitsKept
from tradeloop.testing.told import Told
from tradeloop.testing.way_out import LOOK_NS, WayOut
from tradeloop.testing.world.back_office import BackOffice
from tradeloop.testing.world.billing import STATED_AGAIN_NS, STATED_NS, Billing, statement
from tradeloop.testing.world.clerk import Clerk
from tradeloop.testing.world.clock import Sundial
from tradeloop.testing.world.disk import Disk
from tradeloop.testing.world.halts import RELEASE_NS, Stopper
from tradeloop.testing.world.hurry import Hurried
from tradeloop.testing.world.limits import in_industries, is_limited
from tradeloop.testing.world.loop import Stuck, Timeline
from tradeloop.testing.world.market import SYMBOLS, Market
from tradeloop.testing.world.network import Network, Session
from tradeloop.testing.world.operators import Operators
from tradeloop.testing.world.process import Process
from tradeloop.testing.world.restored import foreign_snapshot, without_its_newest
from tradeloop.testing.world.risk_desk import RiskDesk
from tradeloop.testing.world.sqlite import SqliteDisk, lives_on_sqlite, why_not
from tradeloop.testing.world.store import Store
from tradeloop.testing.world.supervisor import Supervisor
from tradeloop.testing.world.venue import Repeats, Venue, abilities
from tradeloop.testing.world.wire import Wire

YESTERDAY: Final = TradingDay("2026-07-16")
NEXT_DAY: Final = TradingDay("2026-07-20")
T_CONV_NS: Final = 120 * SECOND_NS
"""How long after the last fault everything has to agree, where no clock was wrong."""
SETTLES_NS: Final = 20 * SECOND_NS
"""What is on its way when the prices come to rest has ended by then."""
QUIET_NS: Final = 65 * SECOND_NS
"""After that nothing may be written any more: two looks at the same books make no fact (invariant 37)."""
PAST_NS: Final = 7200 * SECOND_NS
"""How long before the first process the venue has been there: no clock is ever so wrong that it says otherwise."""
LONG_NS: Final = 30_000 * SECOND_NS
NIGHT_NS: Final = 12 * SECOND_NS
SHORT_DAYS: Final = 0.1
"""How many seeds see the end of a trading day and the beginning of the next one, faults aside."""
CASH: Final = Amount(Decimal(1_000_000))
SCARCE: Final = (104_000, 112_000, 125_000)
"""Cash that is nearly all spent on what is held when the first process starts: the next orders vie for the rest."""
SCARCITY: Final = 0.3
"""How many seeds have scarce cash."""
TRADES_BY_NUMBER: Final = 0.5
"""Where acks of twins are mixed up: how many venues name their trades by the number of the order alone."""
LATER_DICE: Final = (
    "two ids", "take out weather", "transfer weather", "twin weather", "row weather", "snapshot weather", "newest weather",
    "failing cancels", "lost names", "old books", "latched bursts", "paused changes",
    "untold fees", "old words", "late lines",
)  # fmt: skip
"""Names of the dice of those faults."""
SMALL_ROWS: Final = (1, 2, 3, 5)
ROWS_ARE_SMALL: Final = 0.2
"""How many seeds have rows so small that a turn takes several: they are durable together or not at all."""
CHANGING: Final = 0.5
"""How many seeds have operators who change their orders."""


class Outcome(msgspec.Struct, frozen=True):
    """What came of one seed."""

    seed: int
    violations: list[Violation]
    met: dict[Fault, int]
    lines: list[tuple[int, str, str]]
    """(virtual ns, mark, what happened), in order."""
    journal: str
    """SHA-256 of the journal's bytes."""
    state: str
    """Hash of the state in the end."""
    on_sqlite: bool
    """Whether it lived on the product's own journal in SQLite."""
    crashes: int
    trades: int
    events: int
    steps: int
    virtual_ns: int
    dealt: Dealt = msgspec.field(default_factory=Dealt)
    """What became of our own orders."""
    late: Dealt = msgspec.field(default_factory=Dealt)
    """And of those that were made after the faults had stopped."""
    fell_over: str = ""
    """Where the world or its judge has a defect of its own: the traceback of the error that ended it."""

    @property
    def is_broken(self) -> bool:
        """Whether this seed proves that something is wrong."""
        return bool(self.violations or self.fell_over)


def fallen(seed: int, how: str) -> Outcome:
    """The outcome of a world that fell over: nothing of it can be told, and it counts as failed."""
    return Outcome(
        seed, [], {}, [], "", "", on_sqlite=False, crashes=0, trades=0, events=0, steps=0, virtual_ns=0, fell_over=how
    )


class World:
    """Everything of one seed."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.lines: list[tuple[int, str, str]] = []
        self.timeline = Timeline(-PAST_NS)
        self.sundial = Sundial(self.timeline, NOON)
        self.weather = weather_of(seed)
        self.dice, self.pauses = self._dice("script"), self._dice("pauses before changes")
        self.policy = Policy()
        is_lock = self.dice.random() < 0.4
        self.disk: Store
        if lives_on_sqlite(seed) and not why_not():
            self.disk = SqliteDisk(self.timeline, self.sundial, self._dice("sqlite"), self.weather)
        else:
            self.disk = Disk(self.timeline, self._dice("disk"), self.weather, is_lock=is_lock)
        able = msgspec.structs.replace(
            abilities(self._dice("abilities")), rate_per_second=self._dice("rate").choice((None, None, None, 1, 3)),
            second_ids=self.weather.enables(Fault.TWO_IDS), echoes_ids=not self.weather.enables(Fault.NAME_LOST),
        )  # fmt: skip
        self.venue = Venue(self.timeline, self.sundial, able, self.weather, cash_of(seed), self._dice("venue"))
        self.venue.repeats = repeats_of(seed)
        self.back_office = BackOffice(self.timeline, self.venue, self.weather, self._dice("back office"))
        self.network = Network(self.timeline, self.venue, self.weather, self._dice("network"), self._dice("later network"))
        self.judge = Judge(lambda: self.timeline.now, self.venue.orders_of, self.policy)
        self.market = Market(self.timeline, self.sundial, self.weather, self._dice("market"))
        self.supervisor = Supervisor(self.timeline, self.disk, self.weather, self._dice("supervisor"), self._spawn)
        self.operators = Operators(
            self.timeline, self.supervisor, self.venue, self.market, self.weather, self.judge, self._dice("operators"),
            lambda: self.day.trading_day, self._dice("later operators"),
        )  # fmt: skip
        twins = self._dice("clerk")
        self.clerk = Clerk(self.timeline, self.operators.ask, self.weather, self.market, self.network.twins, twins)
        self.stopper: Stopper | None = None
        self.risk_desk: RiskDesk | None = None
        self.limits_kept: LimitsKept | None = None
        if is_limited(seed):
            self._limit()
        halts = (Fault.KILL_SWITCH, Fault.LATCHED_IN_A_BURST)
        if is_limited(seed) or any(map(self.weather.enables, halts)):
            self.stopper = Stopper(self.timeline, self.weather, self.judge, self.venue, self._dice("halts"), self.operators.ask)
        self.way_out = WayOut(
            self.judge.broken, lambda: self.timeline.now, None if self.stopper is None else self.stopper.latch, self._line_of,
            self.judge.gate.clocks,
        )  # fmt: skip
        self.told = Told(self.judge.broken, lambda: self.timeline.now, self.policy, self.judge.gate.clocks)
        self.heard = Heard(self.judge.broken, lambda: self.timeline.now, self.judge.gate.clocks)
        self.dealing = Dealing(lambda: self.weather.calm)
        self.faulty_ns = self.dice.randint(30, 90) * SECOND_NS
        self.bell_ns: int | None = None
        if self.weather.enables(Fault.SLEEPS_OVER_THE_BELL) or self.dice.random() < SHORT_DAYS:
            self.bell_ns = self.dice.randint(self.faulty_ns // 3, self.faulty_ns * 3 // 4)
        # A venue that shows neither ended orders nor our ids in its trades could not be asked what became of an order; and one
        # whose numbers begin anew takes no request that was sent in another trading day.
        by_number = twins.random() < TRADES_BY_NUMBER and able.orders_complete and self.bell_ns is None
        self.network.trades_by_number = self.weather.enables(Fault.TWINS_MIXED_UP) and by_number
        self.auctions = self._auctions()
        self.day = _day(DAY, -PAST_NS, LONG_NS if self.bell_ns is None else self.bell_ns, self.auctions)
        billing = Billing(self.weather, self._dice("billing"), is_one_day=self.bell_ns is None)
        billing.instruments = {listed.symbol: listed for listed in self.market.instruments}
        self.venue.billing = billing
        self.wrong_by_ns = 0
        """How far clocks were ahead at most: facts stamped in the future have to become past before books can be compared."""
        self._wire()

    def _limit(self) -> None:
        """This seed lives under limits of risk."""
        self.risk_desk = RiskDesk(
            self.timeline, self.weather, self.market, self.judge, self.operators.ask, self._dice("limits")
        )
        self.market.instruments, self.market.tells_all = in_industries(self.market.instruments), True
        self.supervisor.policy = msgspec.structs.replace(self.policy, approvers=self.risk_desk.approvers)
        self.limits_kept = kept = LimitsKept(self.judge.broken, lambda: self.timeline.now)
        self.judge.watchers.append(kept)
        self.market.readers.append(kept.prices.take)
        self.venue.listeners.append(self._hears_of_limits)

    def _hears_of_limits(self, report: Report) -> None:
        assert self.limits_kept is not None
        ours = self.timeline.now <= 0 or getattr(report, "order_id", None) in self.venue.ids
        self.limits_kept.hear(report, ours=ours)

    def _auctions(self) -> tuple[tuple[int, int], ...]:
        """When no cancels are taken (F34), until the faults stop."""
        if not self.weather.enables(Fault.HALTED):
            return ()
        dice = self._dice("auctions")
        spans: list[tuple[int, int]] = []
        for begins in sorted(dice.randint(SECOND_NS, self.faulty_ns) for _ in range(dice.randint(0, 2))):
            if not spans or begins > spans[-1][1]:
                spans.append((begins, min(begins + dice.randint(3, 12) * SECOND_NS, self.faulty_ns)))
        return tuple(spans)

    def _dice(self, whose: str) -> Random:
        """Dice of one's own: what one part draws does not change what another does."""
        return Random(f"{self.seed}:{whose}")

    def _wire(self) -> None:
        judge, network, disk, supervisor = self.judge, self.network, self.disk, self.supervisor
        disk.watch, disk.broken, disk.took_over, disk.note = judge.rows_kept, judge.broken, supervisor.took_over, self.note
        disk.moment, network.moment = self._moment, supervisor.at_moment
        network.sent = self._sent
        self.venue.arrived = self._arrived
        self.venue.doubled = judge.doubled
        judge.ends.works = self.venue.works
        judge.told = self._told
        judge.watchers += [self.way_out, self.told, self.heard, self.dealing]
        network.told, self.heard.filled_there = self._hears, self.venue.filled
        self.way_out.no_cancels = self.auctions
        network.trades_beyond = self._trades_beyond
        network.cancel_leaves, network.cancel_comes = self.way_out.cancel_leaves, self.way_out.cancel_comes
        network.change_leaves = lambda change: self.way_out.change_leaves(change, supervisor.policy)
        self.timeline.at(0, self._look_for_what_waits)
        judge.gate.first_id = judge.told_twice.first_id = judge.costs.first_id = self.venue.second_ids.first
        self.venue.listeners += [judge.gate.hear, judge.costs.hear, judge.told_twice.hear]
        judge.gate.rate = self.venue.able.rate_per_second
        network.requested = self._requested
        network.looked = lambda session, books: judge.told_twice.looked(session, books, judge.shadow)
        network.waits_too_long = lambda text: judge.broken(40, text)
        supervisor.note = self.back_office.note = self.note
        self.back_office.moved = self._moved_there
        self.back_office.tell_again = network.tell_again
        supervisor.bug = lambda text: judge.broken(42, text)
        supervisor.refused_itself = judge.broken
        supervisor.journal_failed = lambda process, error: self.told.ended(process.name, error)
        self.market.readers.append(self.venue.quote)
        self.market.readers.append(self._quote_everybody)

    # --- the wiring's small parts

    def note(self, mark: str, text: str) -> None:
        """A line of the story: `!` something broke, `^` it came back, blank a fact."""
        self.lines.append((self.timeline.now, mark, text))

    def _told(self, event: Event) -> None:
        self.lines.append((self.timeline.now, " ", _sentence(event)))

    def _moment(self, fault: Fault) -> None:
        """A moment of the disk, in which the script may kill or stop the process."""
        self.supervisor.at_moment(fault)
        change = fault is Fault.KILLED_BEFORE_SEND and self.way_out.newest_change_at == self.timeline.now
        if change and self.weather.strikes(Fault.PAUSED_BEFORE_CHANGE):
            self.supervisor.pause(Fault.PAUSED_BEFORE_CHANGE, self.pauses.choice((4, 8, 20)) * SECOND_NS)

    def _line_of(self, epoch: int) -> Wire | None:
        return next((process.wire for process in self.supervisor.lives if process.epoch == epoch), None)

    def _look_for_what_waits(self) -> None:
        process = self.supervisor.current
        running = process is not None and process.taking and not process.loop.stopped and process.epoch == self.disk.epoch
        self.way_out.look(self.supervisor.policy, is_running=running)
        epoch = process.epoch if running and process is not None else None
        self.told.look(epoch)
        self.heard.look(epoch)
        if self.limits_kept is not None and process is not None:
            right = self.judge.gate.clocks.were_right_for(IN_TIME_NS)
            self.limits_kept.look(epoch if right else None, process.clock.now())
        self.timeline.after(LOOK_NS, self._look_for_what_waits)

    def _moved_there(self, symbol: Symbol, delta: Decimal) -> None:
        self.judge.gate.moved_there(symbol, delta)
        if self.limits_kept is not None:
            self.limits_kept.sizes.by_others(symbol, delta)

    def _trades_beyond(self, symbol: Symbol, qty: Decimal) -> None:
        if self.limits_kept is not None:
            self.limits_kept.sizes.by_others(symbol, qty)

    def _arrived(self, order: Order) -> None:
        self.judge.arrived(order)
        if self.limits_kept is not None:
            self.limits_kept.arrived(order)

    def _sent(self, session: Session, order: Order) -> None:
        self.way_out.order_leaves(order)
        for process in self.supervisor.lives:
            if process.wire is session:
                self.judge.sent(order, process.epoch)

    def _hears(self, session: Session, report: Report) -> None:
        for process in self.supervisor.lives:
            if process.wire is session:
                self.heard.told(process.epoch, report)

    def _requested(self, session: Session, is_order: bool) -> None:
        for process in self.supervisor.lives:
            if process.wire is session:
                self.judge.gate.requested(is_order=is_order, by_the_newest=process.epoch == self.disk.epoch)

    def _quote_everybody(self, quote: Any) -> None:
        for process in self.supervisor.lives:
            if not process.ended:
                process.loop.call_soon(process.engine.quote, quote)

    def _spawn(self, name: str, policy: Policy) -> Process:
        latch = None if self.stopper is None else self.stopper.latch
        process = Process(
            name,
            self.timeline,
            self.sundial,
            self.disk,
            self.network,
            policy,
            self.market.latest,
            latch,
            row_events_of(self.seed),
        )
        if self.risk_desk is not None:
            process.limits = partial(getattr, self.risk_desk, "command")
        process.on_recovered = self._recovered
        process.on_alert = lambda process, alert: self.told.alert(process.epoch, process.name, alert)
        self.note("^", f"{name} starts")
        process.start(self.market.instruments, self.day)
        return process

    def _recovered(self, process: Process, recovered: Recovered) -> None:
        """A process has read the journal, and is about to begin."""
        if self.disk.is_damaged_on_purpose and not self.disk.shows_damage_late:
            self.judge.broken(33, f"{process.name} started on a journal that was damaged")
            self.disk.mend()
        elif recovered.head == self.judge.head:
            self.judge.recovered(recovered.state, process.name)

    # --- a life

    def live(self) -> Outcome:
        """Everything, in its order."""
        try:
            self._begin()
            self.timeline.run(self.faulty_ns)
            self._heal()
            self._judge()
        except Stuck as error:
            self.judge.broken(42, str(error))
        except (LookupError, AssertionError, ArithmeticError, TypeError) as error:
            if not self.judge.violations:
                raise  # a defect of the world itself
            self.note("!", f"facts that contradict each other cannot be judged any further: {type(error).__name__}: {error}")
        for process in [*self.supervisor.lives]:
            process.kill()
        kept = self.disk.bytes()
        self.disk.close()
        self.venue.loop.die()
        for loop in self.timeline.loops:
            if loop.dead:
                loop.bury()
        return Outcome(
            self.seed,
            self.judge.violations,
            dict(self.weather.met),
            self.lines,
            sha256(kept).hexdigest(),
            self.judge.shadow.hash(),
            isinstance(self.disk, SqliteDisk),
            self.supervisor.crashes,
            self.venue.trades,
            self.judge.events,
            self.timeline.steps,
            self.timeline.now,
            self.dealing.whole,
            self.dealing.late,
        )

    def _begin(self) -> None:
        """Holdings of yesterday, the market, the first process, and the script of the faults."""
        venue = self.venue
        venue.open_day(_day(YESTERDAY, -PAST_NS, LONG_NS))
        with venue.loop.running():
            venue.broker.list_instruments(self.market.instruments)
        self.market.quote_all()
        for symbol in SYMBOLS[:2]:
            with venue.loop.running():
                venue.broker.act_by_hand(symbol, Side.BUY, Qty(Decimal(5000)), filled_at=self.market.px(symbol))
        venue.open_day(self.day)
        self.timeline.run(0)
        self.market.begin()
        self.supervisor.start()
        dice, at = self.dice, self.timeline.at
        if self.bell_ns is not None:
            at(self.bell_ns + NIGHT_NS, self._next_day)
        for _ in range(dice.randint(1, 2)):
            at(dice.randint(2 * SECOND_NS, self.faulty_ns), self.operators.run)
        for _ in range(dice.randint(6, 16)):
            at(dice.randint(SECOND_NS, self.faulty_ns), self.operators.act)
        self._script()

    def _next_day(self) -> None:
        """The next trading day begins, at the venue and for whoever runs."""
        self.day = _day(NEXT_DAY, self.timeline.now, LONG_NS)
        self.venue.open_day(self.day)
        self.operators.ask(self.day)

    def _script(self) -> None:
        """What happens to processes, disks and clocks, and when."""
        dice, weather, supervisor = self.dice, self.weather, self.supervisor

        def some_time(fault: Fault, most: int, act: Callable[[], None]) -> None:
            if weather.enables(fault):
                for _ in range(dice.randint(1, most)):
                    self.timeline.at(dice.randint(SECOND_NS // 10, self.faulty_ns - SECOND_NS), act)

        some_time(Fault.KILLED, 3, supervisor.kill)
        some_time(Fault.KILLED_WRITING, 2, lambda: supervisor.trap(Fault.KILLED_WRITING))
        some_time(Fault.KILLED_BEFORE_SEND, 2, lambda: supervisor.trap(Fault.KILLED_BEFORE_SEND))
        some_time(Fault.KILLED_AFTER_SEND, 2, lambda: supervisor.trap(Fault.KILLED_AFTER_SEND))
        some_time(Fault.KILLED_RECOVERING, 1, supervisor.crash_loop)
        some_time(Fault.PAUSED, 2, lambda: supervisor.pause(Fault.PAUSED, dice.choice((1, 4, 12, 40)) * SECOND_NS))
        if weather.enables(Fault.PAUSED):
            supervisor.trap_pause(self._dice("pause"))
        some_time(Fault.TWO_STARTED, 1, supervisor.start_second)
        some_time(Fault.BIT_FLIP, 1, lambda: supervisor.damage(Fault.BIT_FLIP, self.disk.flip_a_bit))
        some_time(Fault.OLD_BACKUP, 1, lambda: supervisor.damage(Fault.OLD_BACKUP, self.disk.put_back_an_old_one))
        some_time(Fault.VENUE_RESTARTS, 1, self.network.restart_venue)
        some_time(Fault.COMMIT_LOST, 1, self._fail_over)
        some_time(Fault.CLOCK_STEPS, 2, self._step_the_clock)
        some_time(Fault.CLOCK_DRIFTS, 1, self._let_the_clock_drift)
        if self.bell_ns is not None and weather.enables(Fault.SLEEPS_OVER_THE_BELL):
            span = dice.randint(4, 25) * SECOND_NS
            self.timeline.at(self.bell_ns - 2 * SECOND_NS, lambda: supervisor.pause(Fault.SLEEPS_OVER_THE_BELL, span))
        later = self._dice("later script")
        if later.random() < CHANGING:
            for _ in range(later.randint(3, 14)):
                self.timeline.at(later.randint(SECOND_NS, self.faulty_ns), self.operators.change)
        if weather.enables(Fault.LIMITS_LOWERED):
            for _ in range(later.randint(1, 2)):
                self.timeline.at(later.randint(SECOND_NS, self.faulty_ns * 2 // 3), self.operators.lower_limits)
        some_time(Fault.OTHER_POLICY, 1, lambda: supervisor.restart(_other_policy(dice, supervisor.policy)))
        if self.stopper is not None and weather.enables(Fault.KILL_SWITCH):
            self.stopper.script(self.faulty_ns - SECOND_NS)
        if isinstance(self.disk, Disk):
            self._restore(self.disk)
        self.back_office.script(self.faulty_ns)
        self.clerk.script(self.faulty_ns)
        if self.disk.lets_two_in:
            mistakes = self._dice("mistakes")
            for _ in range(mistakes.randint(2, 5)):
                self.timeline.at(mistakes.randint(SECOND_NS, self.faulty_ns), supervisor.start_second)
        self._hurry()
        if self.risk_desk is not None:
            self.risk_desk.script(self.faulty_ns)

    def _restore(self, disk: Disk) -> None:
        """What is put back wrongly, and when."""
        dice, weather = self._dice("restored"), self.weather
        for fault, spoil in (
            (Fault.ROW_MISSING, lambda: disk.lose_a_row(dice)),
            (Fault.FOREIGN_SNAPSHOT, lambda: foreign_snapshot(disk, dice)),
            (Fault.NEWEST_GONE, lambda: without_its_newest(disk, dice)),
        ):
            if weather.enables(fault):
                at = dice.randint(SECOND_NS, self.faulty_ns)
                self.timeline.at(at, partial(self.supervisor.damage, fault, spoil))

    def _hurry(self) -> None:
        """Those who cancel right behind their order, and who latch in the middle of a burst."""
        until = self.faulty_ns - SECOND_NS
        for fault, who in ((Fault.CANCEL_FAILS, "eve"), (Fault.LATCHED_IN_A_BURST, "finn")):
            if not self.weather.enables(fault):
                continue
            hurried = Hurried(
                self.timeline, self.weather, self.market, self.judge, self.operators.ask, self._dice(f"hurried {who}"), who
            )
            if fault is Fault.CANCEL_FAILS:
                drop = partial(self.network.drop, "the connection was lost", hurried.away_ns())
                hurried.change_their_mind(until, drop)
            elif self.stopper is not None:
                hurried.latch(until, self.stopper.latch)

    def _fail_over(self) -> None:
        """The database fails over to a replica that has not heard of the last commit."""
        lost = self.disk.fail_over()
        if lost:
            self.weather.meet(Fault.COMMIT_LOST)
            batches = " and ".join(str(row.batch) for row in lost)
            self.note("!", f"the database failed over, batch {batches} is lost")
            self.judge.rewind(*lost)

    def _step_the_clock(self) -> None:
        """Somebody sets the machine's clock."""
        step = self.dice.choice((-3600, -90, -90, -30, -5, 2, 5, 30, 30, 90, 90, 3600)) * SECOND_NS
        self.weather.meet(Fault.CLOCK_STEPS)
        self.note("!", f"the clock jumps by {step // SECOND_NS} s")
        self.sundial.offset_ns += step
        self.judge.gate.clocks.stepped(step)
        self.wrong_by_ns = max(self.wrong_by_ns, self.sundial.offset_ns)

    def _let_the_clock_drift(self) -> None:
        self.weather.meet(Fault.CLOCK_DRIFTS)
        self.sundial.drift_ppm = self.dice.choice((-500, 500))

    def _heal(self) -> None:
        """The faults stop; what was down comes back."""
        self.note("^", "the faults stop")
        self.weather.calm = True
        self.network.heal()
        self.judge.gate.clocks.stepped(self.sundial.true() - self.sundial.shown())
        self.sundial.set_right()
        self.supervisor.heal()
        if self.risk_desk is not None:
            self.risk_desk.heal()
        calm = self.timeline.now
        if self.venue.billing is not None and self.venue.billing.is_stated:
            self.timeline.after(STATED_NS, self._state_the_fees)
        end = calm + T_CONV_NS + self.wrong_by_ns + (0 if self.stopper is None else RELEASE_NS)
        while self.timeline.now < end:
            self.timeline.run(self.timeline.now + 10 * SECOND_NS)
            self.operators.settle()
            process = self.supervisor.current
            if process is not None and process.taking and self.timeline.now >= calm + self.wrong_by_ns:
                self.clerk.settle(process)  # until then the books of a symbol that moved "in the future" are not compared
            if self.stopper is not None and process is not None and process.taking and not process.ended:
                self.stopper.settle(process, process.engine.state, calm + self.wrong_by_ns)
        self.market.is_quiet = True
        self.timeline.run(end + SETTLES_NS)
        before = self.judge.shadow.seq
        self.timeline.run(end + SETTLES_NS + QUIET_NS)
        if self.judge.shadow.seq != before:
            self.judge.broken(
                37, f"{self.judge.shadow.seq - before} facts were made while nothing happened: {self.lines[-1][2]}"
            )

    def _state_the_fees(self) -> None:
        """The day is done at the venue: it says what every fill has cost."""
        stated = statement(self.venue.truth(), self.day.trading_day, UtcNs(self.sundial.true()))

        def tell() -> None:
            for word in stated:
                self.network.tell_again(word)

        tell()
        self.timeline.after(STATED_AGAIN_NS - STATED_NS, tell)

    def _judge(self) -> None:
        process = self.supervisor.leading
        if process is None or not process.taking:
            self.judge.broken(42, "no process is running, long after the last fault")
            return
        self._wait_for_durability(process)
        converged(self.judge, process.engine.state, self.venue.truth(), self.venue.second_ids)

    def _wait_for_durability(self, process: Process) -> None:
        """What is decided is on the disk a moment later."""
        for _ in range(50):
            if process.engine.state.seq == self.judge.shadow.seq:
                return
            self.timeline.run(self.timeline.now + SECOND_NS // 100)


def weather_of(seed: int) -> Weather:
    """Which faults a seed lets happen."""
    weather, later, halts, *others = (
        Random(f"{seed}:{name}") for name in ("weather", "later weather", "halt weather", *LATER_DICE)
    )
    return Weather(weather, later, later, halts, *others)


def cash_of(seed: int) -> Amount:
    """What the account of a seed begins with."""
    dice = Random(f"{seed}:cash")
    return Amount(Decimal(dice.choice(SCARCE))) if dice.random() < SCARCITY else CASH


def row_events_of(seed: int) -> int:
    """How many events a row of this seed holds at most; 0 for what the product takes, which no turn of a world fills."""
    dice = Random(f"{seed}:rows")
    return dice.choice(SMALL_ROWS) if dice.random() < ROWS_ARE_SMALL else 0


def repeats_of(seed: int) -> Repeats:
    """What the venue of a seed says to the repeat of an order that it knows."""
    return Random(f"{seed}:repeats").choice(tuple(Repeats))


def _day(trading_day: TradingDay, begins: int, ends: int, no_cancels: tuple[tuple[int, int], ...] = ()) -> OpenTradingDay:
    """A trading day with one window, in the world's time; and when no cancels are taken in it."""
    closed = tuple((UtcNs(NOON + since), UtcNs(NOON + until)) for since, until in no_cancels)
    return OpenTradingDay("CN_A", trading_day, ((UtcNs(NOON + begins), UtcNs(NOON + ends)),), no_cancels=closed)


def _other_policy(dice: Random, before: Policy) -> Policy:
    return msgspec.structs.replace(
        before,
        ack_timeout_ns=dice.choice((2, 5, 8)) * SECOND_NS,
        reconcile_every_ns=dice.choice((10, 30)) * SECOND_NS,
        looks=dice.choice((3, 5)),
    )


def _sentence(event: Event) -> str:
    """A fact in one line of fixed columns: what, which order or run, and what distinguishes it."""
    subject = getattr(event, "cl_ord_id", None) or getattr(event, "run_id", None) or getattr(event, "break_id", "")
    shown = [
        f"{name}={_short(value)}"
        for name in (
            "symbol",
            "side",
            "order_qty",
            "last_qty",
            "last_px",
            "price",
            "exec_id",
            "order_id",
            "status",
            "text",
            "epoch",
        )
        if (value := getattr(event, name, None)) not in (None, "")
    ]
    return f"{type(event).__name__:<20} {subject:<20} {' '.join(shown)}"


def _short(value: Any) -> str:
    return str(getattr(value, "value", value))[:60]


@contextmanager
def collector_kept() -> Iterator[None]:
    """The engine tunes Python's collector at every start, for a process that lives for weeks; here it is put back."""
    before = gc.get_threshold()
    gc.freeze()
    try:
        yield
    finally:
        gc.set_threshold(*before)


def live(seed: int) -> Outcome:
    """One seed."""
    with collector_kept():
        return World(seed).live()
