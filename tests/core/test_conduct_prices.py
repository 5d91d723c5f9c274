"""No run and no retry buys more than its weight and the drift that is allowed, whatever price the target brought."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace
from tests.core.runs_made import LISTED, A, B, Work, a_run, prices

from tradeloop.core.commands import ApproveRun, CancelRun, RetryRun, TargetLine
from tradeloop.core.events import LineResized
from tradeloop.core.replies import RunReply
from tradeloop.core.run.conduct import preview
from tradeloop.core.types import SECOND_NS, Mode, Px, Rounding, RunStatus, Symbol
from tradeloop.testing.builders import NOON, a_quote
from tradeloop.testing.desk import Desk


def priced(symbol: str, weight: str, price: str, row: int = 2) -> TargetLine:
    """A target line that brought its own price."""
    return TargetLine(Symbol(symbol), Decimal(weight), row, Px(Decimal(price)))


def begun(*lines: TargetLine, **changes: Any) -> Work:
    """A run of these lines on a fresh desk."""
    desk = Desk().opened(*LISTED)
    return Work(desk, desk.give(replace(a_run({}, **changes), targets=lines)))


def test_a_price_of_the_target_far_from_the_market_refuses_its_line_and_the_others_go() -> None:
    """S1 re-checks: the quantity would be ten times what the weight means."""
    work = begun(priced(A, "0.1", "1"), priced(B, "0.1", "9.90", 3))

    assert work.sent() == {B: 10_100}
    line = work.leg(A).line
    assert (line.code, int(line.order_qty)) == ("price_drift", 0)
    assert line.ref_px == 10
    assert line.target_qty == 10_000
    assert line.reason.startswith(f"row 2 prices {A} at 1, the market is at 10, further than 2% away")
    work.fill(B)
    assert work.run.todo == (2,)


@pytest.mark.parametrize("mode", [Mode.PAPER, Mode.DRY_RUN])
def test_a_run_of_which_no_price_is_near_the_market_is_denied(mode: Mode) -> None:
    desk = Desk().opened(*LISTED)
    cmd = replace(a_run({}, mode=mode), targets=(priced(A, "0.1", "100"),))

    (finding,) = preview(desk.state, cmd, desk.now, desk.around.policy.max_drift).findings

    assert finding.code == "price_drift"
    assert finding.text.startswith(f"row 2 prices {A} at 100, the market is at 10")


def test_a_market_price_too_old_to_trade_on_refuses_no_line() -> None:
    """It is no price of now; the line waits for a quote, and is held against that one."""
    work = begun(priced(A, "0.1", "9"), prices=prices(A, at=NOON - 61 * SECOND_NS), execute=False)
    assert work.leg(A).line.order_qty == 11_100


def test_the_retry_of_a_line_with_a_wrong_price_is_made_from_its_weight_and_the_present_price() -> None:
    """D1: a price far from the market is no decision to hold on to; its units would be ten times the weight."""
    first = begun(priced(A, "0.1", "1"), prices=())
    assert (first.status, first.sent(), first.leg(A).code) == (RunStatus.COMPLETED, {}, "price_drift")

    second = first.retried()

    assert second.sent() == {A: 10_000}
    assert second.leg(A).line.ref_px == 10


def test_the_retry_of_a_line_that_its_plan_refused_is_made_from_the_present_price() -> None:
    first = begun(priced(A, "0.1", "100"), priced(B, "0.1", "10", 3))
    first.fill(B)

    assert first.retried(at=prices(px="10.10")).sent() == {A: 9_900}


def test_a_line_that_is_given_up_for_its_price_is_said_to_be_nothing_else_before() -> None:
    """It does not fit the cash either, at the price of the market; one reason for one line."""
    first = begun(priced(A, "0.5", "1"), prices=())

    assert [(int(event.order_qty), event.code) for event in first.desk.of(LineResized)] == [(0, "price_drift")]


def test_a_retry_in_a_market_that_has_risen_too_far_buys_no_more_than_the_weight() -> None:
    """100,000 is its weight: 10,000 units would be worth 120,000."""
    first = Work.begun({A: "0.1"})
    first.fill(A, 4_000)
    first.canceled(A)

    assert first.retried(at=prices(px="12")).sent() == {A: 4_300}


def test_a_retry_where_the_weight_is_held_already_is_denied_and_sells_nothing() -> None:
    first = Work.begun({A: "0.1"})
    first.fill(A, 6_000)
    first.canceled(A)
    first.desk.give(a_quote(A, bid="19.99", ask="20.00", at=first.desk.now))

    reply = first.desk.give(RetryRun(first.run_id, "ann", prices(px=20)))

    assert isinstance(reply, RunReply)
    assert (reply.run_id, [text.split(":")[0] for text in reply.failed]) == (None, ["beyond_weight"])
    assert first.run.superseded_by is None


def test_an_order_worth_more_than_its_weight_when_it_would_go_is_left_to_a_person() -> None:
    """Twice less than what is allowed is more than that: planned at 10.00, retried at 10.19, approved at 10.30."""
    first = Work.begun({A: "0.1"}, hold_for_approval=True)
    first.desk.give(CancelRun(first.run_id, "ann"))
    second = first.retried(at=prices(px="10.19"))
    assert second.leg(A).line.order_qty == 10_000

    first.desk.give(a_quote(A, bid="10.29", ask="10.31"), ApproveRun(second.run_id, "boss"))

    assert (second.sent(), second.leg(A).code) == ({}, "price_drift")
    assert second.leg(A).reason.startswith(f"10000 {A} are worth 103000 at 10.30 now, 2% above its weight is 102000")


def test_rounding_half_up_may_be_worth_half_a_lot_more_than_the_weight() -> None:
    """What it rounds up to is meant: 150 wished for are two lots."""
    work = Work.begun({A: "0.0015"}, rounding=Rounding.HALF_UP)
    assert work.sent() == {A: 200}
