"""Two operators press every button at every moment, whatever the broker does: laws over any sequence of it."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.core.runs_made import a_run, prices
from tests.property.run_moves import LISTED, SYMBOLS, act, check_the_books_after_every_event, their_books

from tradeloop.core.commands import ApproveRun, CancelRun, Command, OpenTradingDay, PauseRun, ResumeRun, RetryRun
from tradeloop.core.errors import BadInput
from tradeloop.core.events import (
    OrderStaged,
    RunApproved,
    RunCancelRequested,
    RunCreated,
    RunEnded,
    RunPaused,
    RunResumed,
    RunStarted,
    SendBegun,
    TradingDayOpened,
)
from tradeloop.core.evolve import evolve
from tradeloop.core.reports import BrokerDown, BrokerUp
from tradeloop.core.run.conduct import ENDED
from tradeloop.core.state import State
from tradeloop.core.types import SECOND_NS, RunID, RunStatus, Symbol, TradingDay, UtcNs
from tradeloop.testing.builders import ACCOUNT, BROKER, DAY, Number, a_quote, a_snapshot
from tradeloop.testing.desk import Desk

CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=150)

BUTTONS = ("start", "approve", "approve", "pause", "resume", "cancel", "retry", "retry")
BROKERS = (
    "ack",
    "fill",
    "fill",
    "part",
    "cancel",
    "reject",
    "not_sent",
    "unknown",
    "quote",
    "wait",
    "wait",
    "down",
    "up",
    "day",
)

weights = st.lists(st.integers(0, 5), min_size=4, max_size=4).filter(lambda w: sum(w) <= 10)
holdings = st.lists(st.integers(0, 20), min_size=4, max_size=4)
moves = st.lists(st.tuples(st.sampled_from(BUTTONS + BROKERS), st.integers(0, 9)), min_size=10, max_size=80)
waits_for = st.sampled_from([{}, {"hold_for_approval": True}, {"execute": False}])


class Room:
    """A desk that two people share."""

    def __init__(self, weight: list[int], held: list[int], cash: int, waits: dict[str, bool]) -> None:
        self.desk = Desk()
        self.days = 0
        self.desk.opened(*LISTED, cash=cash, positions={s: n * 100 for s, n in zip(SYMBOLS, held, strict=True) if n})
        targets: dict[str, Number] = {s: Decimal(w) / 10 for s, w in zip(SYMBOLS, weight, strict=True)}
        self.start = a_run(targets, prices=prices(px=10), **waits)

    def move(self, what: str, pick: int, number: int) -> None:
        """One button, or one move of the world."""
        desk = self.desk
        if what in BUTTONS:
            self.press(what, "ann" if pick % 2 else "bob", pick)
        elif what == "wait":
            desk.wait(30)
            desk.give(*(a_quote(symbol, at=desk.now) for symbol in SYMBOLS))
            self.look()
        elif what == "day":
            self.next_day()
        elif what == "down":
            desk.give(BrokerDown(BROKER, "reset"))
        elif what == "up":
            desk.give(BrokerUp(BROKER))
            self.look()
        else:
            act(desk, what, pick, number)

    def next_day(self) -> None:
        """The market opens another trading day."""
        self.days += 1
        self.desk.wait(24 * 3600)
        now = self.desk.now
        self.desk.give(OpenTradingDay("CN_A", self.day, ((now, UtcNs(now + 20 * 3600 * SECOND_NS)),)))
        self.desk.give(*(a_quote(symbol, at=now) for symbol in SYMBOLS))

    @property
    def day(self) -> TradingDay:
        """The trading day that is open."""
        return TradingDay((date.fromisoformat(DAY) + timedelta(self.days)).isoformat())

    def press(self, what: str, by: str, pick: int) -> None:
        """A command of a person: it is done, or refused with one sentence and without a trace."""
        runs = list(self.desk.state.runs)
        if what != "start" and not runs:
            return
        run_id = runs[pick % len(runs)] if runs else RunID("")
        seen = prices(px=10, at=self.desk.now)
        commands: dict[str, Command] = {
            "start": self.start,
            "approve": ApproveRun(run_id, by),
            "pause": PauseRun(run_id, by),
            "resume": ResumeRun(run_id, by),
            "cancel": CancelRun(run_id, by),
            "retry": RetryRun(run_id, by, seen),
        }
        before = self.desk.state.hash()
        try:
            self.desk.give(commands[what])
        except BadInput:
            assert self.desk.state.hash() == before

    def look(self) -> None:
        """The broker shows its books."""
        books = their_books(self.desk, [0, 0, 0, 0], 0)
        self.desk.give(a_snapshot(as_of=self.desk.now, trading_day=self.day, **books))  # type: ignore[arg-type]

    def settle(self) -> None:
        """The broker comes back and answers everything; who waits for a person is cancelled."""
        self.desk.give(BrokerUp(BROKER))
        self.look()
        for number in range(40):
            for run_id, run in list(self.desk.state.runs.items()):
                if run.status not in ENDED and run.status is not RunStatus.RUNNING:
                    self.press("cancel", "ann", list(self.desk.state.runs).index(run_id))
            for order in list(self.desk.state.orders.open.values()):
                what = "fill" if order.send_begun_at is not None else "cancel"
                act(self.desk, what, list(self.desk.state.orders.open).index(order.cl_ord_id), 1_000 + number)
            self.move("wait", 0, 0)


def lived(weight: list[int], held: list[int], cash: int, waits: dict[str, bool], sequence: list[tuple[str, int]]) -> Room:
    room = Room(weight, held, cash, waits)
    room.press("start", "ann", 0)
    for number, (what, pick) in enumerate(sequence):
        room.move(what, pick, number)
    return room


@CALM
@given(weights, holdings, st.integers(0, 30_000), waits_for, moves)
def test_no_sequence_of_buttons_overspends_or_promises_what_is_not_held(
    weight: list[int], held: list[int], cash: int, waits: dict[str, bool], sequence: list[tuple[str, int]]
) -> None:
    """Invariants 23 and 25, after every event, fees included."""
    room = lived(weight, held, cash, waits, sequence)
    room.settle()
    check_the_books_after_every_event(room.desk)


@CALM
@given(weights, holdings, st.integers(0, 30_000), waits_for, moves)
def test_no_sequence_of_buttons_trades_past_the_target_of_the_first_attempt(
    weight: list[int], held: list[int], cash: int, waits: dict[str, bool], sequence: list[tuple[str, int]]
) -> None:
    """S0-65, D1: no double order, by whatever way: repeat, approval by two, retry of a retry, a lost session."""
    room = lived(weight, held, cash, waits, sequence)
    room.settle()
    made = room.desk.of(RunCreated)
    if not made:
        return
    bounds = {line.symbol: sorted((line.held_qty, line.target_qty)) for line in made[0].lines}
    state = State()
    for event in room.desk.events:
        evolve(state, event)
        for symbol, (low, high) in bounds.items():
            if state.accounts.get(ACCOUNT) is not None and state.accounts[ACCOUNT].adopted:
                assert low <= state.held(ACCOUNT, Symbol(symbol)).net_qty <= high, (event, symbol)


@CALM
@given(weights, holdings, st.integers(0, 30_000), waits_for, moves)
def test_every_run_is_let_go_once_at_most_and_ends_once(
    weight: list[int], held: list[int], cash: int, waits: dict[str, bool], sequence: list[tuple[str, int]]
) -> None:
    """Invariant 42, S1-56: an approval by two is one; what was to wait for a person sent nothing before one said yes."""
    room = lived(weight, held, cash, waits, sequence)
    room.settle()
    events = room.desk.events
    for run_id, run in room.desk.state.runs.items():
        own = [event for event in events if getattr(event, "run_id", None) == run_id]
        assert run.status in ENDED, (run.status, run.legs)
        assert [type(event) for event in own].count(RunEnded) == 1
        assert [type(event) for event in own].count(RunStarted) <= 1
        assert [type(event) for event in own].count(RunApproved) <= 1
        assert [type(event) for event in own].count(RunCancelRequested) <= 1
        if waits:
            first = next((n for n, event in enumerate(own) if isinstance(event, OrderStaged)), len(own))
            assert first == len(own) or any(isinstance(event, RunApproved) for event in own[:first])
        end = next(n for n, event in enumerate(own) if isinstance(event, RunEnded))
        assert not any(isinstance(event, OrderStaged) for event in own[end:])


@CALM
@given(weights, holdings, st.integers(0, 30_000), waits_for, moves)
def test_no_order_of_a_run_is_made_or_sent_on_another_day_than_its_own(
    weight: list[int], held: list[int], cash: int, waits: dict[str, bool], sequence: list[tuple[str, int]]
) -> None:
    """S0-46, S1-41: whoever presses what, and whatever comes late."""
    room = lived(weight, held, cash, waits, sequence)
    day_of = {event.run_id: event.trade_date for event in room.desk.of(RunCreated)}
    owner = {event.cl_ord_id: event.run_id for event in room.desk.of(OrderStaged)}
    today = ""
    for event in room.desk.events:
        if isinstance(event, TradingDayOpened):
            today = event.trading_day
        elif isinstance(event, OrderStaged | SendBegun):
            run_id = owner[event.cl_ord_id]
            assert run_id is not None
            assert day_of[run_id] == today, event


@CALM
@given(weights, holdings, st.integers(0, 30_000), waits_for, moves)
def test_nothing_leaves_of_a_run_that_is_paused_or_being_cancelled(
    weight: list[int], held: list[int], cash: int, waits: dict[str, bool], sequence: list[tuple[str, int]]
) -> None:
    """S0-40: a stop is a stop from the moment it is durable, also for orders that were staged and not sent."""
    room = lived(weight, held, cash, waits, sequence)
    paused: set[RunID] = set()
    cancelled: set[RunID] = set()
    owner = {event.cl_ord_id: event.run_id for event in room.desk.of(OrderStaged)}
    for event in room.desk.events:
        match event:
            case RunPaused():
                paused.add(event.run_id)
            case RunResumed():
                paused.discard(event.run_id)
            case RunCancelRequested():
                cancelled.add(event.run_id)
            case OrderStaged() | SendBegun():
                assert owner[event.cl_ord_id] not in paused | cancelled, event
            case _:
                pass
