"""A retry: a new attempt at the residual, by a named person, of a run that ended (S0-59, D1)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from tests.core.runs_made import LISTED, A, B, C, Work, prices

from tradeloop.core.commands import ApproveRun, CancelRun, RetryRun, RunLimits, SeenPrice
from tradeloop.core.errors import BadInput, Conflicts
from tradeloop.core.events import RunDenied
from tradeloop.core.replies import RunReply
from tradeloop.core.reports import HeldCash
from tradeloop.core.surroundings import Policy
from tradeloop.core.types import SECOND_NS, Amount, Currency, RunStatus, Side
from tradeloop.testing.builders import ACCOUNT, NOON, Number, a_quote, an_execution, an_instrument
from tradeloop.testing.desk import Desk


def test_a_retry_covers_only_the_residual_and_supersedes_the_old_attempt() -> None:
    """S0-59, D1."""
    first = Work.begun({A: "0.1", B: "0.1", C: "0.1"})
    first.fill(A)
    first.fill(B, 4_000)
    first.canceled(B)
    first.reject(C)
    assert first.run.todo == (2, 3)

    second = first.retried(by="ann")

    assert second.sent() == {B: 6_000, C: 10_000}
    created = second.run.created
    assert (created.attempt, created.supersedes, created.by) == (2, first.run_id, "ann")
    assert first.run.superseded_by == second.run_id
    (kept,) = [line for line in created.lines if line.symbol == A]
    assert (kept.code, kept.reason) == ("kept", "this attempt works what the one before it left, which this is no part of")


def test_a_retry_in_a_moved_market_still_aims_at_the_quantities_of_the_first_attempt() -> None:
    """D1: the residual of a decision is not a new decision."""
    first = Work.begun({A: "0.1"})
    first.fill(A, 4_000)
    first.canceled(A)
    first.desk.give(a_quote(A, bid="10.14", ask="10.15"))

    second = first.retried(at=prices(px="10.15"))

    assert second.sent() == {A: 6_000}
    assert second.run.created.equity == Decimal(1_000_000)


def test_a_retry_of_a_retry_covers_what_is_still_left() -> None:
    """D1."""
    first = Work.begun({A: "0.1"})
    first.fill(A, 4_000)
    first.canceled(A)
    second = first.retried()
    second.fill(A, 1_000)
    second.canceled(A)

    third = second.retried(by="bob")

    assert third.sent() == {A: 5_000}
    assert (third.run.created.attempt, third.run.created.supersedes) == (3, second.run_id)
    third.fill(A)
    assert (third.status, third.run.todo) == (RunStatus.COMPLETED, ())


def test_a_retry_of_a_retry_still_works_towards_the_units_of_the_first_attempt() -> None:
    """D1: two moves of the market later."""
    first = Work.begun({A: "0.1"})
    first.fill(A, 4_000)
    first.canceled(A)
    second = first.retried(at=prices(px="10.10"))
    second.canceled(A)

    third = second.retried(by="bob", at=prices(px="9.90"))

    assert third.sent() == {A: 6_000}


def test_a_retry_keeps_what_its_maker_saw_beside_what_it_was_planned_with() -> None:
    """The frozen prices of each attempt are those of its moment, whatever its targets were made from."""
    first = Work.begun({A: "0.1"})
    first.reject(A)

    second = first.retried(at=prices(px="10.15"))

    assert {price.px for price in second.run.created.prices} == {Decimal("10.15")}
    assert second.leg(A).line.ref_px == 10


@pytest.mark.parametrize(
    "first_seen",
    [
        prices(A) + prices(B, px=0),
        prices(A) + prices(B, px=5, at=NOON - 61 * SECOND_NS),
        prices(A) + prices(B, px=5, suspended=True),
    ],
    ids=["zero", "stale", "suspended"],
)
def test_a_price_that_the_first_attempt_could_not_use_is_not_brought_back(first_seen: tuple[SeenPrice, ...]) -> None:
    """D1: what nobody could decide on then is no price to decide on now."""
    first = Work.begun({A: "0.1", B: "0.1"}, prices=first_seen)
    first.fill(A)
    assert (first.status, first.run.todo) == (RunStatus.COMPLETED, (2,))

    second = first.retried()

    assert second.sent() == {B: 10_000}
    second.canceled(B)
    assert second.retried(at=prices(px="10.10")).sent() == {B: 10_000}


def test_a_retry_that_waited_is_approved_at_the_prices_its_maker_saw() -> None:
    """S1-56: the move before the retry was known to the person who made it; one after it is not."""
    first = Work.begun({A: "0.1"}, hold_for_approval=True)
    first.desk.give(CancelRun(first.run_id, "ann"))
    first.desk.give(a_quote(A, bid="10.49", ask="10.51"))
    second = first.retried(at=prices(px="10.50"))
    first.desk.give(a_quote(A, bid="10.99", ask="11.01"))
    with pytest.raises(BadInput, match=f"with {A} at 10.50, which was 11.00 now; at most 2.00% of change is allowed"):
        first.desk.give(ApproveRun(second.run_id, "boss"))

    first.desk.give(a_quote(A, bid="10.59", ask="10.61"), ApproveRun(second.run_id, "boss"))

    assert second.sent() == {A: 9_500}


def test_a_retry_whose_price_ran_away_while_it_waited_for_money_is_left_to_a_person() -> None:
    """Its maker decided on the market of the retry, neither on that of the first attempt nor on any later one."""
    first = Work.begun({A: 0, B: "0.9"}, cash=0, held={A: 1000})
    first.reject(A)
    second = first.retried(at=prices(px="10.50"))
    assert second.sent() == {A: -1000}
    first.desk.give(a_quote(B, bid="10.89", ask="10.90"))

    second.fill(A, px="10.49")

    assert (second.sent(), second.leg(B).code) == ({A: -1000}, "price_drift")
    assert second.leg(B).reason.startswith(f"{B} was planned at 10.50 and is at 10.895 now")


def test_an_attempt_that_was_retried_cannot_be_retried_again() -> None:
    """D1: two people retrying the same attempt would double it."""
    first = Work.begun({A: "0.1"})
    first.reject(A)
    second = first.retried()
    with pytest.raises(BadInput, match=f"was retried as {second.run_id}; retry that one"):
        first.retried(by="bob")
    assert len(first.desk.state.runs) == 2


def test_a_running_run_cannot_be_retried() -> None:
    work = Work.begun({A: "0.1"})
    with pytest.raises(BadInput, match="is RUNNING; only one that ended can be retried"):
        work.retried()


def test_a_run_being_cancelled_cannot_be_retried() -> None:
    """Its orders may still fill."""
    work = Work.begun({A: "0.1"})
    work.desk.give(CancelRun(work.run_id, "ann"))
    with pytest.raises(BadInput, match="is RUNNING and being cancelled; only one that ended can be retried"):
        work.retried()


@pytest.mark.parametrize("by", ["", "  "])
def test_a_retry_needs_a_name(by: str) -> None:
    """S0-59: only by a person."""
    work = Work.begun({A: "0.1"})
    work.reject(A)
    with pytest.raises(BadInput, match="a retry is made by a named person"):
        work.retried(by=by)


def test_a_run_that_left_nothing_over_cannot_be_retried() -> None:
    work = Work.begun({A: "0.1"})
    work.fill(A)
    with pytest.raises(BadInput, match="left nothing over; there is nothing to retry"):
        work.retried()


def test_a_failed_batch_is_retried_as_a_whole() -> None:
    """S1-44, S0-59."""
    first = Work.begun({A: 0, B: "0.9"}, cash=0, held={A: 1000})
    first.reject(A)
    assert first.run.code == "FAILED_BATCH"

    second = first.retried()
    second.fill(A)

    assert second.sent() == {A: -1000, B: 900}


def test_a_cancelled_run_is_retried_with_what_it_had_not_done() -> None:
    """S0-59: lines it never sent included."""
    first = Work.begun({A: 0, B: "0.5"}, cash=0, held={A: 1000})
    first.fill(A, 300)
    first.desk.give(CancelRun(first.run_id, "ann"))
    first.canceled(A)
    assert first.status is RunStatus.CANCELED

    second = first.retried()

    assert second.sent()[A] == -700
    second.fill(A)
    assert second.sent() == {A: -700, B: 500}


def test_a_holding_that_the_target_does_not_name_is_sold_by_the_retry_too() -> None:
    first = Work.begun({B: "0.1"}, held={A: 1000})
    first.reject(A)
    first.fill(B)
    assert first.run.todo == (1,)

    assert first.retried().sent() == {A: -1000}


def test_a_retry_does_not_sell_what_was_bought_elsewhere_meanwhile() -> None:
    first = Work.begun({A: "0.1"})
    first.reject(A)
    first.desk.give(an_execution(None, C, Side.BUY, 500, 10, "by-hand", order_id="h1"))

    assert first.retried().sent() == {A: 10_000}


def left_over_before(newer: dict[str, Number], **how: Any) -> Work:
    """A run that bought no A, and behind it another one that is done."""
    first = Work.begun({A: "0.1"})
    first.reject(A)
    first.desk.wait(60)
    at = prices(at=first.desk.now)
    second = Work.begun(newer, desk=first.desk, decision_snapshot_id="s2", prices=at, **how)
    for symbol in newer:
        if second.status is RunStatus.RUNNING:
            second.fill(symbol)
    return first


@pytest.mark.parametrize("newer", [{A: "0.3"}, {B: "0.1"}], ids=["names the symbol", "sells what it does not name"])
def test_a_retry_never_trades_against_a_newer_target(newer: dict[str, Number]) -> None:
    first = left_over_before(newer)
    with pytest.raises(Conflicts, match=r"began after .*, towards another target, which a retry would undo"):
        first.retried(at=prices(at=first.desk.now))


@pytest.mark.parametrize("came_to", ["refused", "cancelled"])
def test_a_newer_run_that_traded_nothing_brought_no_target(came_to: str) -> None:
    first = Work.begun({A: "0.1"})
    first.reject(A)
    first.desk.wait(60)
    second = Work.begun({B: "0.1"}, desk=first.desk, decision_snapshot_id="s2", prices=prices(at=first.desk.now))
    if came_to == "refused":
        second.reject(B)
    else:
        second.desk.give(CancelRun(second.run_id, "ann", "changed her mind"))
        second.canceled(B)
    assert second.status is (RunStatus.FAILED if came_to == "refused" else RunStatus.CANCELED)
    assert first.retried(at=prices(at=first.desk.now)).sent() == {A: 10_000}


def test_a_run_in_another_currency_has_no_target_for_what_this_one_left() -> None:
    spy = an_instrument("SPY.US", currency=Currency("USD"), lot=1, min_qty=1)
    dollars = HeldCash(ACCOUNT, Currency("USD"), Amount(Decimal(1_000_000)))
    first = Work.begun({A: "0.1"}, desk=Desk().opened(*LISTED, spy, also=(dollars,)))
    first.reject(A)
    first.desk.wait(60)
    seen = prices("SPY.US", at=first.desk.now)
    Work.begun({"SPY.US": "0.1"}, desk=first.desk, decision_snapshot_id="s2", currency=Currency("USD"), prices=seen)
    assert first.retried(at=prices(at=first.desk.now)).sent() == {A: 10_000}


def test_the_newer_target_is_that_of_the_run_that_began_later_though_it_was_made_before() -> None:
    waits = Work.begun({A: "0.1"}, hold_for_approval=True, sell_unlisted=False)
    waits.desk.wait(10)
    at = prices(at=waits.desk.now)
    first = Work.begun({A: "0.3", B: "0.1"}, desk=waits.desk, decision_snapshot_id="s2", prices=at, sell_unlisted=False)
    first.reject(A)
    first.reject(B)
    waits.desk.wait(10)
    waits.desk.give(ApproveRun(waits.run_id, "bob"))
    waits.fill(A)
    with pytest.raises(Conflicts, match="towards another target"):
        first.retried(at=prices(at=first.desk.now))


@pytest.mark.parametrize(
    "how", [{"newer": {B: "0.1"}, "sell_unlisted": False}, {"newer": {A: "0.3"}, "execute": False}], ids=["others", "not begun"]
)
def test_a_newer_run_that_says_nothing_of_the_symbol_leaves_a_retry_to_its_person(how: dict[str, Any]) -> None:
    first = left_over_before(**how)
    assert first.retried(at=prices(at=first.desk.now)).sent() == {A: 10_000}


def test_a_retry_passes_the_checks_again() -> None:
    """S0-56, S0-59: old limits hold for the new attempt."""
    first = Work.begun({A: "0.1"}, limits=RunLimits(max_quote_age_ns=60 * SECOND_NS))
    first.reject(A)
    first.desk.wait(3600)

    reply = first.desk.give(RetryRun(first.run_id, "ann", prices()))

    assert isinstance(reply, RunReply)
    assert (reply.run_id, [text.split(":")[0] for text in reply.failed]) == (None, ["stale_prices"])
    assert first.run.superseded_by is None
    assert [event.by for event in first.desk.of(RunDenied)] == ["ann"]


def test_how_old_a_price_may_be_is_that_of_the_desk_a_retry_is_made_at() -> None:
    """One that replays a recording faster sees older prices, whatever the first attempt was made at."""
    desk = Desk(Policy(max_quote_age_ns=7200 * SECOND_NS)).opened(*LISTED, cash=1_000_000)
    first = Work.begun({A: "0.1"}, desk=desk, limits=RunLimits(max_quote_age_ns=60 * SECOND_NS))
    first.reject(A)
    first.desk.wait(3600)
    assert first.retried().sent() == {A: 10_000}


@pytest.mark.parametrize("how", ["cancelled", "failed"])
def test_a_retry_keeps_what_the_run_was_told_to_keep(how: str) -> None:
    """S0-59: a holding that no target names and that is not to be sold is no residual."""
    first = Work.begun({A: "0.4"}, held={B: 10_000}, sell_unlisted=False)
    if how == "cancelled":
        first.desk.give(CancelRun(first.run_id, "ann"))
        first.canceled(A)
    else:
        first.reject(A)

    assert first.retried().sent() == {A: 44_000}


def test_a_retry_of_a_cancelled_run_leaves_alone_what_was_done_or_needed_nothing() -> None:
    """D1: bought lines may have moved in value since; they are not ordered again."""
    first = Work.begun({A: "0.1", B: "0.1"})
    first.fill(A)
    first.desk.give(CancelRun(first.run_id, "ann"))
    first.canceled(B)
    first.desk.give(an_execution(None, A, Side.SELL, 10_000, 10, "by-hand", order_id="h1"))

    assert first.retried().sent() == {B: 10_000}


@pytest.mark.parametrize(
    ("waiting", "status"), [({"hold_for_approval": True}, RunStatus.AWAITING_APPROVAL), ({"execute": False}, RunStatus.NEW)]
)
def test_a_retry_of_a_run_that_was_vetoed_waits_for_a_person_again(waiting: dict[str, Any], status: RunStatus) -> None:
    """S1-56: cancel and retry are no way round an approval."""
    first = Work.begun({A: "0.1"}, **waiting)
    first.desk.give(CancelRun(first.run_id, "boss", "veto"))

    second = first.retried(by="ann")
    assert (second.status, second.sent()) == (status, {})

    second.desk.give(ApproveRun(second.run_id, "boss"))
    assert second.sent() == {A: 10_000}
