"""A release ends the halts that its author has seen, and no other; and says which limits are exceeded still."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.core.risk.cases import a_limit, buys, limited, refused
from tests.core.test_halt import MOUTAI, PINGAN

from tradeloop.core.commands import HaltTrading, ReleaseHalt
from tradeloop.core.errors import BadInput
from tradeloop.core.events import Halted, HaltReleased, LimitTripped
from tradeloop.core.halt import HaltScope, HaltTier
from tradeloop.core.inputs import TimerFired
from tradeloop.core.limit import LimitScope, Severity
from tradeloop.core.replies import Done
from tradeloop.core.types import Px
from tradeloop.testing.builders import ACCOUNT, a_quote, an_instrument
from tradeloop.testing.desk import Desk

LOSS = "max_daily_loss|account|||"


def a_holder(tier: HaltTier = HaltTier.HALT, *others: object) -> Desk:
    desk = Desk().opened(an_instrument(MOUTAI), an_instrument(PINGAN), positions={MOUTAI: 1000}, cash=10000, quoted=False)
    limited(a_limit("max_daily_loss", 1000, tier=tier), *others, desk=desk)  # type: ignore[arg-type]
    falls_to(desk, "10")
    return desk


def falls_to(desk: Desk, px: str) -> None:
    desk.wait(1)
    desk.give(a_quote(MOUTAI, px, px, at=desk.now, last=Px(Decimal(px))), TimerFired("risk_look", ""))


def halts(desk: Desk, tier: HaltTier = HaltTier.HALT) -> None:
    desk.give(HaltTrading(tier, "ann", "lunch", HaltScope.ACCOUNT, ACCOUNT))


def releases(desk: Desk, *numbers: int, seen: int = 0) -> str:
    reply = desk.give(ReleaseHalt("ann", "lunch is over", HaltScope.ACCOUNT, ACCOUNT, numbers=numbers, seen=seen))
    assert isinstance(reply, Done)
    return reply.text


@pytest.mark.parametrize("tier", HaltTier)
@pytest.mark.parametrize("of_the_limit", HaltTier)
def test_a_limit_that_trips_under_a_persons_halt_leaves_a_halt_of_its_own(tier: HaltTier, of_the_limit: HaltTier) -> None:
    desk = a_holder(of_the_limit)
    halts(desk, tier)
    falls_to(desk, "8")
    assert [(each.number, each.tier, each.by, each.trigger) for each in desk.of(Halted)] == [
        (1, tier, "ann", ""),
        (2, of_the_limit, "risk", LOSS),
    ]

    releases(desk, 1, seen=2)

    assert list(desk.state.halts) == [2]
    denied = refused(desk, buys(100, PINGAN))
    assert denied is not None
    assert "by risk" in denied.text


def test_two_limits_of_one_place_have_a_halt_each() -> None:
    desk = a_holder(HaltTier.HALT, a_limit("max_drawdown", "0.05"))
    falls_to(desk, "8")
    assert [each.trigger for each in desk.of(Halted)] == [LOSS, "max_drawdown|account|||"]


def test_a_limit_of_severity_halt_leaves_its_own_beside_a_persons_of_the_same_place() -> None:
    desk = a_holder()
    limited(a_limit("max_order_qty", 50, LimitScope.SYMBOL, severity=Severity.HALT), desk=desk)
    desk.give(HaltTrading(HaltTier.HALT, "ann", "news", HaltScope.SYMBOL, PINGAN))
    desk.give(ReleaseHalt("ann", "read", HaltScope.SYMBOL, PINGAN, numbers=(1,)))
    refused(desk, buys(100, PINGAN))
    desk.give(HaltTrading(HaltTier.HALT, "ann", "news", HaltScope.SYMBOL, PINGAN))
    assert [(each.by, each.name) for each in desk.state.halts.values()] == [("risk", PINGAN), ("ann", PINGAN)]


def test_a_halt_that_came_after_the_look_refuses_the_release_and_both_stand() -> None:
    desk = a_holder(HaltTier.REDUCE_ONLY)
    halts(desk)
    falls_to(desk, "8")
    with pytest.raises(BadInput) as error:
        releases(desk, 1)
    assert str(error.value).startswith(
        f"a newer halt of account {ACCOUNT!r} came meanwhile, nothing was released (halt 2: REDUCE"
    )
    assert str(error.value).endswith("; look at it and release again")
    assert (desk.of(HaltReleased), list(desk.state.halts)) == ([], [1, 2])


def test_a_release_that_names_nothing_ends_nothing_and_lists_what_stands() -> None:
    desk = a_holder()
    halts(desk)
    with pytest.raises(BadInput, match=r"names the halts that it ends by their numbers; .* halt 1: HALT by ann"):
        releases(desk)
    with pytest.raises(BadInput, match=r"halt 7 of account .* is not in force, nothing was released"):
        releases(desk, 1, 7)
    assert list(desk.state.halts) == [1]


def test_a_limit_that_is_exceeded_still_is_named_and_whoever_released_it_is_not_overruled() -> None:
    """He has named its halt, so he has seen it; it halts again when it was within its limit in between."""
    desk = a_holder()
    halts(desk)
    falls_to(desk, "8")

    said = releases(desk, 1, 2)

    assert said.startswith(f"released: account {ACCOUNT} (HALT); account {ACCOUNT} (HALT)")
    assert said.endswith(
        f"; beyond its limit still, and halting again only after being within: max_daily_loss of {ACCOUNT} CNY"
    )
    for px in ("7", "6"):
        falls_to(desk, px)
    assert desk.state.halts == {}
    falls_to(desk, "10")
    falls_to(desk, "8")
    assert [each.trigger for each in desk.state.halts.values()] == [LOSS]


def test_a_limit_that_is_held_by_its_own_halt_still_is_not_named() -> None:
    desk = a_holder()
    halts(desk)
    falls_to(desk, "8")
    assert releases(desk, 1, seen=2) == f"released: account {ACCOUNT} (HALT); still in force: account {ACCOUNT}"


def test_what_is_in_shadow_or_could_not_be_measured_is_not_named() -> None:
    desk = a_holder()
    limited(a_limit("max_daily_loss", 1000, shadow=True), desk=desk)
    halts(desk)
    falls_to(desk, "8")
    assert desk.of(LimitTripped)[-1].shadow
    assert releases(desk, 1) == f"released: account {ACCOUNT} (HALT)"
