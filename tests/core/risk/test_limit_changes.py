"""What a file of limits makes of the one before: what ends, what leaves more room, what less; and who has to agree to it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from tests.core.risk.cases import BANK, MOUTAI, limited

from tradeloop.core.commands import SetLimits
from tradeloop.core.effects import RaiseAlert
from tradeloop.core.errors import BadInput
from tradeloop.core.events import LimitsConfigured
from tradeloop.core.halt import HaltTier
from tradeloop.core.limit import LimitScope, RiskLimit, Severity
from tradeloop.core.replies import Done
from tradeloop.core.risk.limit_changes import changes
from tradeloop.testing.desk import Desk

VALUE = RiskLimit("max_order_value", Decimal(1000))
CASH = RiskLimit("min_cash_ratio", Decimal("0.1"))
BLACK = RiskLimit("blacklist", Decimal(0), only=(BANK, MOUTAI))
RATIO = RiskLimit("max_cancel_ratio", Decimal("0.5"), floor=Decimal(10))
SOFT = RiskLimit("max_order_qty", Decimal(100), soft=Decimal(50), soft_severity=Severity.APPROVAL)
LOSS = RiskLimit("max_daily_loss", Decimal(10), tier=HaltTier.CANCEL_ALL)


@pytest.mark.parametrize(
    ("was", "more", "less"),
    [
        (VALUE, {"value": Decimal(1001)}, {"value": Decimal(999)}),
        (CASH, {"value": Decimal("0.09")}, {"value": Decimal("0.11")}),
        (VALUE, {"severity": Severity.WARN}, {"severity": Severity.HALT}),
        (VALUE, {"allow_missing": True}, {"value": Decimal(1)}),
        (BLACK, {"only": (BANK,)}, {"only": (BANK, MOUTAI, "STAR")}),
        (BLACK, {"but": (BANK,)}, {"only": ()}),
        (RATIO, {"floor": Decimal(20)}, {"floor": Decimal(5)}),
        (RATIO, {"floor": None}, {"floor": Decimal(9)}),
        (SOFT, {"soft": None, "soft_severity": Severity.WARN}, {"soft": Decimal(40)}),
        (SOFT, {"soft_severity": Severity.WARN}, {"soft": Decimal(49)}),
        (LOSS, {"tier": HaltTier.HALT}, {"tier": HaltTier.FLATTEN}),
        (VALUE, {"value": Decimal(1), "severity": Severity.WARN}, {"value": Decimal(1), "severity": Severity.HALT}),
    ],
)
def test_more_room_is_told_from_less(was: RiskLimit, more: dict[str, Any], less: dict[str, Any]) -> None:
    looser, tighter = msgspec.structs.replace(was, **more), msgspec.structs.replace(was, **less)
    found = changes({was.limit_id: was}, {was.limit_id: looser})
    assert (len(found.looser), found.tighter, found.loosens) == (1, (), True)
    found = changes({was.limit_id: was}, {was.limit_id: tighter})
    assert (found.looser, len(found.tighter), found.loosens) == ((), 1, False)


def test_what_stands_in_shadow_stops_nothing_and_is_no_change() -> None:
    shadow = msgspec.structs.replace(VALUE, shadow=True)
    assert not changes({shadow.limit_id: shadow}, {}).loosens
    assert changes({VALUE.limit_id: VALUE}, {shadow.limit_id: shadow}).ended == ("max_order_value of global (1000)",)


def two_people() -> Desk:
    """A desk of two approvers with a limit and a list in force, as a start takes them."""
    desk = limited(approvers=("ann", "bob"))
    desk.give(SetLimits((VALUE, BLACK), "risk.yaml"))
    return desk


RAISED = msgspec.structs.replace(VALUE, value=Decimal(100_000))


@pytest.mark.parametrize(
    ("by", "reason", "approved_by", "sentence"),
    [
        ("ann", "results", "", "needs the approval of one of bob"),
        ("ann", "results", "Ann", "approved by somebody else"),
        ("eve", "results", "bob", "changed by one of ann, bob"),
        ("ann", " ", "bob", "for a reason"),
        ("ann", "results", "b\u200bob", "signs that are not seen"),
    ],
)
@pytest.mark.parametrize("limits", [(RAISED, BLACK), (VALUE,)])
def test_a_file_that_loosens_a_running_desk_is_agreed_to_by_two(
    by: str, reason: str, approved_by: str, sentence: str, limits: tuple[RiskLimit, ...]
) -> None:
    desk = two_people()
    with pytest.raises(BadInput, match=sentence):
        desk.give(SetLimits(limits, "risk.yaml", by, reason, approved_by))
    assert tuple(desk.state.limits.of_file.values()) == (VALUE, BLACK)


def test_what_two_agreed_to_is_recorded_and_told_with_what_it_changed() -> None:
    desk = two_people()
    reply = desk.give(SetLimits((RAISED,), "risk.yaml", "ann", "results", "bob"))
    said = "ended: blacklist of global (only 600036.SH, 600519.SH); looser: max_order_value of global (100000, was 1000)"
    assert isinstance(reply, Done)
    assert reply.text == f"1 limit in force from risk.yaml; {said}"
    event = desk.of(LimitsConfigured)[-1]
    assert (event.by, event.reason, event.approved_by) == ("ann", "results", "bob")
    alert = [each for each in desk.of(RaiseAlert) if each.key == "limits"][-1]
    assert alert.level == "WARNING"
    assert alert.text == f"1 limit of risk is in force from risk.yaml, by ann, approved by bob: results; {said}"


def test_whoever_tightens_needs_nobody_else_and_no_reason() -> None:
    desk = two_people()
    lower = msgspec.structs.replace(VALUE, value=Decimal(10))
    reply = desk.give(SetLimits((lower, BLACK, CASH), "risk.yaml", "eve"))
    assert isinstance(reply, Done)
    assert reply.text == "3 limits in force from risk.yaml; tighter: max_order_value of global (10, was 1000)"
    assert [each.level for each in desk.of(RaiseAlert) if each.key == "limits"] == ["INFO", "INFO"]


def test_a_start_asks_nobody_and_warns_of_what_ended_or_rose() -> None:
    desk = two_people()
    assert isinstance(desk.give(SetLimits((), "risk.yaml")), Done)
    alert = [each for each in desk.of(RaiseAlert) if each.key == "limits"][-1]
    assert alert.level == "WARNING"
    assert alert.text.startswith(
        "no limit of risk is in force from risk.yaml any more; ended: max_order_value of global (1000),"
    )


def test_many_changes_are_counted_behind_the_first() -> None:
    many = tuple(RiskLimit("max_order_qty", Decimal(1), LimitScope.SYMBOL, f"{600000 + n}.SH") for n in range(9))
    desk = limited()
    desk.give(SetLimits(many, "risk.yaml"))
    reply = desk.give(SetLimits((), "risk.yaml"))
    assert isinstance(reply, Done)
    assert reply.text.count("max_order_qty") == 5
    assert reply.text.endswith(" and 4 more")
    assert len(desk.of(LimitsConfigured)[-1].ended) == 9
