"""A run under many troubles at once, from seeds: kills, lost answers, lost sessions, late fills; nothing lost or doubled."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from decimal import Decimal

import pytest
from tests.core.runs_made import a_run, prices
from tests.engine.made import A, B, House, PacedVenue, lost, outcome, settle

from tradeloop.core.commands import CancelRun, PauseRun, ResumeRun
from tradeloop.core.errors import BadInput, NotSent, Refused
from tradeloop.core.events import OrderStaged, Traded
from tradeloop.core.replies import RunReply
from tradeloop.core.run.conduct import ENDED
from tradeloop.core.types import SECOND_NS, Currency, OrdStatus, RunStatus
from tradeloop.engine.engine import Engine
from tradeloop.testing.builders import an_instrument

C, D = "600003.SH", "600004.SH"
SEEDS = 60
TROUBLES = (
    *("fill", "fill", "fill", "time", "time", "time", "mood", "mood"),
    *("kill", "stop", "down", "up", "quiet", "slow", "repeat", "pause"),
)
OPEN = (OrdStatus.NEW, OrdStatus.PARTIALLY_FILLED)


class Trouble:
    """One seed: a house, its engine of the moment, and dice."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.house = House(*(an_instrument(symbol) for symbol in (A, B, C, D)), cash=2_000)
        if seed % 3 == 0:  # a slow venue: most orders wait for their turn, and some are killed there
            self.house.venue = PacedVenue(1, cash=2_000)
            self.house.venue.clock = self.house.clock
        for symbol in (A, C):
            self.house.venue.positions[symbol] = Decimal(1000)
        self.engine: Engine = self.house.engine()
        patience = 12 * SECOND_NS if seed % 2 else None
        self.run = a_run({A: 0, B: "0.4", C: "0.1", D: "0.4"}, prices=prices(A, B, C, D), order_timeout_ns=patience)

    async def begin(self) -> None:
        """A rotation out of two holdings into two others; every other one under a time-out."""
        await self.house.open(self.engine)
        await self.engine.ask(self.run)

    async def act(self) -> None:
        """One trouble, or a little peace."""
        venue = self.house.venue
        match self.dice.choice(TROUBLES):
            case "fill":
                self.fill()
            case "time":
                self.house.quote(self.engine)
                await self.house.clock.forward(self.dice.choice([0.1, 1, 3, 7]))
            case "kill":
                for _ in range(self.dice.randrange(12)):
                    await asyncio.sleep(0)
                await self.house.kill(self.engine)
                self.fill()
                self.engine = await self.house.open()
            case "stop":
                await self.engine.stop()
                self.engine = await self.house.open()
            case "slow":
                self.house.journal.gate.clear()
                self.fill()
                await self.house.clock.forward(self.dice.choice([0.1, 6]))
                if self.dice.random() < 0.3:
                    await self.house.kill(self.engine)
                    self.engine = await self.house.open()
                self.house.journal.gate.set()
                await settle()
            case "pause":
                await self.steer()
            case "down" if venue.connected:
                venue.go_down()
            case "up" if not venue.connected:
                venue.come_up()
            case "mood":
                refused = Refused("E1", "no")
                venue.moods.append(self.dice.choice([lost(), (lost(),), NotSent("away"), TimeoutError(), refused, None]))
            case "quiet":
                venue.silent = not venue.silent
            case "repeat":
                reply = self.engine.ask(self.run)
                await settle()
                assert isinstance(await reply, RunReply)
            case _:
                await settle()

    async def steer(self) -> None:
        """Pause or resume, and seldom cancel."""
        (run,) = self.engine.state.runs.values()
        run_id = run.created.run_id
        if run.status in ENDED or run.cancel_requested:
            return
        paused = run.status is RunStatus.PAUSED
        command = ResumeRun(run_id, "tester") if paused else PauseRun(run_id, "tester")
        reply = self.engine.ask(CancelRun(run_id, "tester") if self.dice.random() < 0.1 else command)
        if isinstance(answer := await outcome(reply), BadInput):
            assert run.status in ENDED, answer

    def fill(self) -> None:
        """A part or all of one order that works at the venue, at a price inside its bound; heard when a session is up."""
        working = [order for order in self.house.venue.orders.values() if order.ord_status in OPEN]
        if working:
            order = self.dice.choice(working)
            lots = int(order.order_qty - order.cum_qty) // 100
            assert order.cl_ord_id is not None
            self.house.venue.fill(order.cl_ord_id, 100 * self.dice.randint(1, lots), heard=self.house.venue.connected)

    async def heal(self) -> None:
        """The troubles stop, the venue fills what works, and time passes."""
        venue = self.house.venue
        venue.moods, venue.silent, venue.unreadable = [], False, 0
        if not venue.connected:
            venue.come_up()
        (run,) = self.engine.state.runs.values()
        if run.status is RunStatus.PAUSED:
            await outcome(self.engine.ask(ResumeRun(run.created.run_id, "tester")))
        for _ in range(12):
            self.house.quote(self.engine)
            await self.house.clock.forward(8)
            for _ in range(4):
                self.fill()
            await settle()


async def lived(seed: int) -> Trouble:
    """A seed with all its troubles, healed."""
    trouble = Trouble(seed)
    await trouble.begin()
    for _ in range(25):
        await trouble.act()
    await trouble.heal()
    return trouble


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_whatever_happens_no_order_is_lost_or_doubled_and_the_books_agree_in_the_end(seed: int) -> None:
    """Issue 2, done when; invariants 1, 3, 6, 12, 30, 32, 36 and 42."""
    trouble = await lived(seed)
    house, engine = trouble.house, trouble.engine
    state, venue = engine.state, house.venue

    (run,) = state.runs.values()
    assert run.status in ENDED, (run.status, [(o.symbol, o.ord_status) for o in state.orders.open.values()])
    assert not state.orders.open
    assert not state.unknown
    assert not state.breaks

    held = {symbol: position.long_qty for symbol, position in state.positions[venue.account].items() if position.long_qty}
    assert held == {symbol: qty for symbol, qty in venue.positions.items() if qty}
    book = state.accounts[venue.account].cash[Currency("CNY")]
    assert (book.balance, book.reserved) == (venue.cash, Decimal(0))
    assert venue.cash >= 0

    legs = Counter((event.run_id, event.leg) for event in house.on_disk(OrderStaged))
    assert set(legs.values()) <= {1}
    fills = Counter(event.exec_id for event in house.on_disk(Traded))
    assert set(fills.values()) <= {1}
    assert set(fills) == {fill.exec_id for fill in venue.fills}
    assert {order.cl_ord_id for order in venue.orders.values()} <= {e.cl_ord_id for e in house.on_disk(OrderStaged)}

    assert house.replayed() == state.hash()
    if isinstance(venue, PacedVenue):
        assert venue.most_in_a_second == 1
    await engine.stop()


async def test_the_seeds_reach_the_troubles_they_are_meant_to_reach() -> None:
    """A simulation that never meets a fault proves nothing."""
    met: Counter[str] = Counter()
    for seed in range(SEEDS):
        trouble = await lived(seed)
        met.update(type(event).__name__ for event in trouble.house.durable)
        await trouble.engine.stop()
    wanted = "FateLost NotSentProven SendFailed OrderRejected OrderCanceled RunPaused RunCancelRequested BrokerDisconnected"
    assert [name for name in wanted.split() if not met[name]] == []
    assert met["EngineStarted"] > SEEDS
