"""What stops trading by itself is latched like a person's halt: in the journal, in the file, and after every restart."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Final

import pytest
from tests.core.risk.cases import a_limit
from tests.engine.made import A, House, ManualClock, settle
from tests.engine.test_comparator import larger, ordered, tampered

from tradeloop.core.commands import HaltTrading, SetLimits
from tradeloop.core.events import Halted
from tradeloop.core.halt import HaltScope, HaltTier
from tradeloop.core.limit import LimitScope, RiskLimit
from tradeloop.core.replies import OrderReply
from tradeloop.core.risk.triggers import TRIGGERS
from tradeloop.core.types import SECOND_NS, Symbol, UtcNs
from tradeloop.engine.engine import Engine
from tradeloop.engine.latch import FileLatch
from tradeloop.testing.builders import ACCOUNT, BROKER, a_quote, buy

GLOBAL: Final = LimitScope.GLOBAL
Trouble = Callable[[House, Engine], Awaitable[None]]


async def a_loss(house: House, engine: Engine) -> None:
    """What is held falls by half."""
    await house.clock.forward(2)
    engine.quote(a_quote(A, "4.99", "5.00", at=house.clock.now()))
    await house.clock.forward(2)


async def a_difference(house: House, engine: Engine) -> None:
    """The broker's books say something else, and go on saying it."""
    house.venue.positions[A] += 100
    for _ in range(70):
        await house.clock.forward(1)
        house.quote(engine)


async def silence(house: House, engine: Engine) -> None:
    """The feed says nothing more."""
    await house.clock.forward(35)


async def another_time(house: House, engine: Engine) -> None:
    """The broker's clock runs ahead of ours."""
    house.venue.clock = ManualClock(UtcNs(house.clock.now() + 3600 * SECOND_NS))
    for _ in range(35):
        await house.clock.forward(1)
        house.quote(engine)


async def another_order(house: House, engine: Engine) -> None:
    """Something else than was decided comes to the wire."""
    tampered(engine, larger)
    await ordered(engine)


@dataclass(frozen=True)
class Case:
    """What goes wrong, under which limit, and what it halts."""

    name: str
    limit: RiskLimit | None
    goes_wrong: Trouble
    halts: tuple[HaltScope, str]
    by: str = "risk"


CASES: Final = (
    Case("max_daily_loss", a_limit("max_daily_loss", 1000), a_loss, (HaltScope.ACCOUNT, ACCOUNT)),
    Case("max_drawdown", a_limit("max_drawdown", "0.001"), a_loss, (HaltScope.ACCOUNT, ACCOUNT)),
    Case("max_break_seconds", a_limit("max_break_seconds", 5), a_difference, (HaltScope.ACCOUNT, ACCOUNT)),
    Case("max_feed_silence_seconds", a_limit("max_feed_silence_seconds", 30, GLOBAL), silence, (HaltScope.GLOBAL, "")),
    Case("max_clock_offset_seconds", a_limit("max_clock_offset_seconds", 5, GLOBAL), another_time, (HaltScope.BROKER, BROKER)),
    Case("comparator", None, another_order, (HaltScope.GLOBAL, ""), "comparator"),
)
each_trouble = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def test_every_trigger_has_a_case() -> None:
    assert {*TRIGGERS, "comparator"} == {case.name for case in CASES}


async def gone_wrong(case: Case, latch: FileLatch) -> tuple[House, Engine]:
    """A desk that holds something, and has halted by itself."""
    house = House()
    house.venue.positions[A] = Decimal(1000)
    engine = await house.open(house.engine(latch))
    if case.limit is not None:
        await engine.ask(SetLimits((case.limit,), "risk.yaml"))
    await case.goes_wrong(house, engine)
    await settle()
    (halted,) = house.on_disk(Halted)
    assert (halted.tier, halted.scope, halted.name, halted.by) == (HaltTier.HALT, *case.halts, case.by)
    return house, engine


async def denied(house: House, engine: Engine) -> str:
    """By which rule an order is."""
    house.quote(engine)
    reply = await engine.ask(buy(Symbol(A), 100))
    assert isinstance(reply, OrderReply)
    assert reply.denied is not None
    return reply.denied.rule


@each_trouble
async def test_it_halts_and_stands_in_the_file_too(case: Case, tmp_path: Path) -> None:
    latch = FileLatch(tmp_path / "HALT")
    house, engine = await gone_wrong(case, latch)
    (held,) = latch.read()
    assert (held.tier, held.scope, held.name, held.by) == (HaltTier.HALT, *case.halts, case.by)
    assert latch.file_of(held).exists()
    assert await denied(house, engine) == "halted"
    await engine.stop()


@each_trouble
async def test_it_stands_after_a_kill_and_a_restart(case: Case, tmp_path: Path) -> None:
    latch = FileLatch(tmp_path / "HALT")
    house, engine = await gone_wrong(case, latch)
    sent = len(house.venue.placed)
    await house.kill(engine)
    engine = await house.open(house.engine(latch))
    assert await denied(house, engine) == "halted"
    await house.clock.forward(5)
    assert [(each.scope, each.name) for each in engine.state.halts.values()] == [case.halts]
    assert len(house.venue.placed) == sent
    await engine.stop()


@each_trouble
async def test_it_stands_where_only_the_file_is_left_of_it(case: Case, tmp_path: Path) -> None:
    """A desk that lost its journal starts halted."""
    latch = FileLatch(tmp_path / "HALT")
    house, engine = await gone_wrong(case, latch)
    await house.kill(engine)
    new = House()
    engine = await new.open(new.engine(latch))
    assert [(each.scope, each.name, each.by) for each in engine.state.halts.values()] == [(*case.halts, case.by)]
    assert await denied(new, engine) == "halted"
    await engine.stop()


async def test_what_stops_by_itself_stops_beside_what_a_person_has_stopped(tmp_path: Path) -> None:
    """Neither takes the other's place in the file."""
    latch = FileLatch(tmp_path / "HALT")
    house, engine = await gone_wrong(CASES[0], latch)
    await engine.ask(HaltTrading(HaltTier.CANCEL_ALL, "ann", "enough"))
    assert {(each.tier, each.by) for each in latch.read()} == {(HaltTier.HALT, "risk"), (HaltTier.CANCEL_ALL, "ann")}
    await engine.stop()
    assert len(house.on_disk(Halted)) == 2
