"""What stops trading by itself: each trigger at its limit and beyond, once, after a restart, in shadow, and unknown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import msgspec
import pytest
from tests.core.risk.cases import BANK, MOUTAI, a_limit, buys, limited

from tradeloop.core.commands import ReleaseHalt, SetLimits
from tradeloop.core.effects import RaiseAlert, SetTimer
from tradeloop.core.events import EquityMarked, Halted, LimitCleared, LimitTripped
from tradeloop.core.evolve import evolve
from tradeloop.core.follow import after_restart
from tradeloop.core.halt import HaltScope, HaltTier
from tradeloop.core.inputs import TimerFired
from tradeloop.core.limit import LimitScope, RiskLimit
from tradeloop.core.replies import OrderReply
from tradeloop.core.risk.triggers import TRIGGERS
from tradeloop.core.state import State
from tradeloop.core.tripping import RISK_LOOK
from tradeloop.core.types import SECOND_NS, Amount, UtcNs
from tradeloop.testing.builders import ACCOUNT, BROKER, a_quote, a_snapshot, an_execution, an_instrument
from tradeloop.testing.desk import Desk

GLOBAL: Final = LimitScope.GLOBAL


def looks(desk: Desk, after: float = 1) -> None:
    """A look at the risk, some seconds later."""
    desk.wait(after)
    desk.give(TimerFired(RISK_LOOK, ""))


def quoted(desk: Desk, px: str) -> None:
    """The market is at this price, now."""
    desk.give(a_quote(MOUTAI, px, px, at=desk.now))


def a_holder(limit: RiskLimit) -> Desk:
    """Holds 1000 at 10, so that its equity is 10,000 and its cash; the day's mark is taken."""
    desk = limited(limit, desk=Desk().opened(an_instrument(MOUTAI), positions={MOUTAI: 1000}, cash=10_000, quoted=False))
    quoted(desk, "10")
    looks(desk)
    return desk


def falls_to(px: str) -> Callable[[Desk], None]:
    """The held share falls, and it is looked."""

    def fall(desk: Desk) -> None:
        quoted(desk, px)
        looks(desk)

    return fall


def a_difference(limit: RiskLimit) -> Desk:
    """The broker shows a share that our books have not; it is found now."""
    desk = limited(limit)
    desk.give(a_snapshot(positions={BANK: 100}, as_of=desk.now))
    return desk


def the_books_agree(desk: Desk) -> None:
    desk.give(a_snapshot(as_of=desk.now))


def clock_is_off(seconds: str) -> Callable[[Desk], None]:
    """A look at the books whose time lies so far from ours."""

    def look(desk: Desk) -> None:
        off = UtcNs(desk.now + int(Decimal(seconds) * SECOND_NS))
        desk.give(a_snapshot(as_of=off, asked_at=desk.now))
        looks(desk, 0)

    return look


def waits(seconds: float) -> Callable[[Desk], None]:
    """So long nothing comes, then it is looked."""
    return lambda desk: looks(desk, seconds)


@dataclass(frozen=True)
class Case:
    """`at` comes to the limit, `beyond` goes past it; `again` brings it back within."""

    limit: RiskLimit
    desk: Callable[[RiskLimit], Desk]
    at: Callable[[Desk], None]
    beyond: Callable[[Desk], None]
    again: Callable[[Desk], None]
    halts: tuple[HaltScope, str]


OF_ACCOUNT: Final = (HaltScope.ACCOUNT, ACCOUNT)
CASES: Final = (
    Case(a_limit("max_daily_loss", 1000), a_holder, falls_to("9"), falls_to("8.99"), falls_to("10"), OF_ACCOUNT),
    Case(a_limit("max_drawdown", "0.05"), a_holder, falls_to("9"), falls_to("8.99"), falls_to("10"), OF_ACCOUNT),
    Case(a_limit("max_break_seconds", 30), a_difference, waits(30), waits(31), the_books_agree, OF_ACCOUNT),
    Case(
        limit=a_limit("max_feed_silence_seconds", 30, GLOBAL),
        desk=limited,
        at=waits(30),
        beyond=waits(31),
        again=falls_to("10"),
        halts=(HaltScope.GLOBAL, ""),
    ),
    Case(
        limit=a_limit("max_clock_offset_seconds", "0.5", GLOBAL),
        desk=limited,
        at=clock_is_off("0.5"),
        beyond=clock_is_off("0.6"),
        again=clock_is_off("0"),
        halts=(HaltScope.BROKER, BROKER),
    ),
)
each_trigger = pytest.mark.parametrize("case", CASES, ids=lambda case: case.limit.rule)


def test_every_trigger_has_a_case() -> None:
    assert sorted(case.limit.rule for case in CASES) == sorted(TRIGGERS)


@each_trigger
def test_what_comes_to_its_limit_stops_nothing(case: Case) -> None:
    desk = case.desk(case.limit)
    case.at(desk)
    assert desk.of(Halted) == []


@each_trigger
def test_what_goes_beyond_its_limit_halts_its_place_and_says_the_figures(case: Case) -> None:
    desk = case.desk(case.limit)
    case.beyond(desk)
    (halted,) = desk.of(Halted)
    assert (halted.scope, halted.name, halted.tier, halted.by) == (*case.halts, HaltTier.HALT, "risk")
    assert TRIGGERS[case.limit.rule].words.title in halted.reason
    reply = desk.give(buys(100))
    assert isinstance(reply, OrderReply)
    assert reply.denied is not None
    assert reply.denied.rule == "halted"


@each_trigger
def test_it_stops_as_much_as_its_limit_says(case: Case) -> None:
    desk = case.desk(msgspec.structs.replace(case.limit, tier=HaltTier.REDUCE_ONLY))
    case.beyond(desk)
    assert [each.tier for each in desk.of(Halted)] == [HaltTier.REDUCE_ONLY]


@each_trigger
def test_whoever_releases_it_is_not_overruled_a_second_later(case: Case) -> None:
    desk = case.desk(case.limit)
    case.beyond(desk)
    desk.give(ReleaseHalt("ann", "looked at it", *case.halts))
    looks(desk)
    assert desk.state.halts == {}


@each_trigger
def test_it_trips_again_when_it_was_within_its_limit_in_between(case: Case) -> None:
    desk = case.desk(case.limit)
    case.beyond(desk)
    desk.give(ReleaseHalt("ann", "looked at it", *case.halts))
    case.again(desk)
    looks(desk, 0)
    assert len(desk.of(LimitCleared)) == 1
    if case.desk is a_difference:
        desk.give(a_snapshot(positions={BANK: 100}, as_of=desk.now))
    case.beyond(desk)
    assert len(desk.of(Halted)) == 2


@each_trigger
def test_in_shadow_it_says_what_it_would_have_stopped(case: Case) -> None:
    desk = case.desk(msgspec.structs.replace(case.limit, shadow=True))
    case.beyond(desk)
    assert [each.shadow for each in desk.of(LimitTripped)] == [True]
    assert desk.of(Halted) == []
    assert "would have halted" in desk.of(RaiseAlert)[-1].text


@pytest.mark.parametrize("from_snapshot", [False, True], ids=["journal", "snapshot"])
@each_trigger
def test_a_restart_measures_by_the_same_marks_and_trips_once(case: Case, from_snapshot: bool) -> None:
    desk = case.desk(case.limit)
    case.beyond(desk)
    if from_snapshot:
        desk.state = State.unpack(desk.state.pack())
    else:
        desk.state = State()
        for event in desk.events:
            evolve(desk.state, event)
    looks(desk)
    assert len(desk.of(Halted)) == 1
    assert RISK_LOOK in [each.kind for each in after_restart(desk.state, desk.around) if isinstance(each, SetTimer)]


def test_without_a_trigger_nobody_looks() -> None:
    desk = limited(a_limit("max_order_value", 5000))
    assert RISK_LOOK not in [each.kind for each in desk.of(SetTimer)]
    desk.give(SetLimits((a_limit("max_daily_loss", 1000),), "risk.yaml"))
    assert RISK_LOOK in [each.kind for each in desk.of(SetTimer)]


def test_a_loss_that_nobody_can_value_stops_nothing_by_itself() -> None:
    desk = a_holder(a_limit("max_daily_loss", 1000))
    order = desk.order(buys(100, BANK)) if BANK in desk.state.instruments else None
    assert order is None
    desk.around.quotes.clear()
    desk.around.valuation = type(desk.around.valuation)()
    looks(desk)
    assert desk.of(Halted) == []


def test_a_fee_is_a_loss_too() -> None:
    desk = a_holder(a_limit("max_daily_loss", 50))
    order = desk.order(buys(100))
    desk.give(an_execution(order.cl_ord_id, MOUTAI, order.side, 100, "10", commission=Amount(Decimal(51))))
    looks(desk)
    assert len(desk.of(Halted)) == 1


def test_the_highest_equity_is_recorded_when_it_is_higher_by_a_part_in_a_thousand() -> None:
    desk = a_holder(a_limit("max_drawdown", "0.05"))
    for px in ("10.01", "10.02", "10.03"):
        falls_to(px)(desk)
    assert [each.equity for each in desk.of(EquityMarked)] == [Decimal(20_000), Decimal(20_030)]
