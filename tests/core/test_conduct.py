"""How a run is born: once per key, only when every check passes, and only as far as its maker allows."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.core.runs_made import LISTED, A, B, Work, a_run, prices

from tradeloop.core.commands import ApproveRun, OpenTradingDay, RunLimits
from tradeloop.core.errors import BadInput
from tradeloop.core.events import OrderStaged, RunApproved, RunCreated, RunDenied, RunEnded, RunStarted
from tradeloop.core.replies import RunReply
from tradeloop.core.run.conduct import preview
from tradeloop.core.types import SECOND_NS, AccountID, Currency, Mode, RunID, RunStatus, TradingDay, UtcNs
from tradeloop.testing.builders import ACCOUNT, DAY, a_quote, a_snapshot, an_instrument
from tradeloop.testing.desk import Desk


def test_the_same_key_again_gives_the_same_run_and_makes_nothing() -> None:
    """S0-46, S0-60, S0-65."""
    work = Work.begun({A: "0.1", B: "0.2"})
    events, effects = len(work.desk.events), len(work.desk.effects)

    again = work.desk.give(a_run({A: "0.1", B: "0.2"}))

    assert again == RunReply(work.run_id, RunStatus.RUNNING, repeat=True)
    assert (len(work.desk.events), len(work.desk.effects)) == (events, effects)


def test_the_same_key_after_the_run_ended_gives_the_ended_run() -> None:
    """S0-60: a repeat is a question about the run, whatever became of it."""
    work = Work.begun({A: "0.1"})
    work.fill(A)

    again = work.desk.give(a_run({A: "0.1"}))

    assert again == RunReply(work.run_id, RunStatus.COMPLETED, repeat=True)
    assert len(work.desk.of(OrderStaged)) == 1


def test_the_same_key_after_a_retry_gives_the_newest_attempt() -> None:
    """S0-60, D1."""
    work = Work.begun({A: "0.1"})
    work.reject(A)
    second = work.retried()

    again = work.desk.give(a_run({A: "0.1"}))

    assert isinstance(again, RunReply)
    assert (again.run_id, again.repeat) == (second.run_id, True)


def test_the_same_key_with_other_content_is_refused_and_changes_nothing() -> None:
    """S0-46: what was decided under a key is never silently exchanged."""
    work = Work.begun({A: "0.1"})
    before = work.desk.state.hash()

    with pytest.raises(BadInput, match="other content: its target, its decision, its rounding or its strategy was another"):
        work.desk.give(a_run({A: "0.3"}, content_hash="e" * 64))

    assert work.desk.state.hash() == before


@pytest.mark.parametrize("change", [{"project_id": "beta"}, {"decision_snapshot_id": "s2"}, {"mode": Mode.LIVE}])
def test_each_part_of_the_key_makes_another_run(change: dict[str, object]) -> None:
    """S0-46."""
    work = Work.begun({A: "0.1"})
    work.fill(A)

    other = Work(work.desk, work.desk.give(a_run({A: "0.1"}, **change)))

    assert other.run_id != work.run_id


def test_a_run_id_is_the_same_on_every_machine() -> None:
    """S0-46: derived from the key, never drawn."""
    assert Work.begun({A: "0.1"}).run_id == Work.begun({B: "0.3"}).run_id


def test_a_run_freezes_what_it_was_decided_from() -> None:
    """S0-18: prices with their age, money, limits and the hash of its inputs stand in the run."""
    limits = RunLimits(max_weight=Decimal("0.5"))
    work = Work.begun({A: "0.1"}, cash=500_000, limits=limits, inputs=(("portfolio.csv", "a" * 64),), champion_id="c7")

    created = work.run.created

    assert (created.cash, created.equity, created.limits) == (Decimal(500_000), Decimal(500_000), limits)
    assert (created.prices, created.content_hash, created.champion_id) == (prices(), "f" * 64, "c7")
    assert created.inputs == (("portfolio.csv", "a" * 64),)
    assert created.attempt == 1


def test_failed_checks_deny_the_run_with_every_reason_and_make_no_order() -> None:
    """S0-53 to S0-56."""
    desk = Desk().opened(*LISTED)
    limits = RunLimits(max_weight=Decimal("0.3"), max_positions=1, min_cash=Decimal(2_000_000))

    reply = desk.give(a_run({A: "0.4", B: "0.1"}, limits=limits, risk_checks={"turnover": False}))

    assert isinstance(reply, RunReply)
    assert (reply.run_id, reply.status) == (None, None)
    assert [text.split(":")[0] for text in reply.failed] == ["risk_check_failed", "max_weight", "max_positions", "min_cash"]
    (denied,) = desk.of(RunDenied)
    assert denied.failed == reply.failed
    assert not desk.state.runs
    assert not desk.of(OrderStaged)


def test_a_day_without_trading_is_the_one_reason_and_the_record_keeps_what_follows_from_it() -> None:
    """S1-41, S0-56: a market that is shut brings no prices, and nobody can mend that."""
    desk = Desk().opened(*LISTED, positions={B: 500})

    reply = desk.give(a_run({A: "0.4"}, trade_date=TradingDay("2026-07-18"), prices=prices(A, at=desk.now - 61 * SECOND_NS)))

    assert isinstance(reply, RunReply)
    assert [text.split(":")[0] for text in reply.failed] == ["not_a_trading_day"]
    (denied,) = desk.of(RunDenied)
    assert [text.split(":")[0] for text in denied.failed] == ["not_a_trading_day", "stale_prices", "equity_unknown"]
    assert [text.endswith("(follows from not_a_trading_day)") for text in denied.failed] == [False, True, True]


def test_a_day_without_trading_hides_no_reason_of_another_kind() -> None:
    """S0-56: what a person can mend now is said now."""
    desk = Desk().opened(*LISTED)
    asked = a_run({A: "0.4"}, trade_date=TradingDay("2026-07-18"), prices=(), risk_checks={"turnover": False})

    reply = desk.give(asked)

    assert isinstance(reply, RunReply)
    assert [text.split(":")[0] for text in reply.failed] == ["risk_check_failed", "not_a_trading_day"]


def test_a_market_that_is_shut_for_now_is_the_reason_why_its_prices_are_old() -> None:
    """S1-41."""
    desk = Desk().opened(*LISTED)
    desk.give(OpenTradingDay("CN_A", DAY, ((UtcNs(desk.now + SECOND_NS), UtcNs(desk.now + 2 * SECOND_NS)),)))

    reply = desk.give(a_run({A: "0.4"}, prices=prices(at=desk.now - 3600 * SECOND_NS)))

    assert isinstance(reply, RunReply)
    assert [text.split(":")[0] for text in reply.failed] == ["off_session"]


def test_prices_that_are_old_while_the_market_is_open_are_a_reason_of_their_own() -> None:
    """S1-41."""
    desk = Desk().opened(*LISTED)

    reply = desk.give(a_run({A: "0.4"}, prices=prices(at=desk.now - 61 * SECOND_NS)))

    assert isinstance(reply, RunReply)
    assert [text.split(":")[0] for text in reply.failed] == ["stale_prices"]


def test_a_denied_key_may_be_asked_for_again_when_its_cause_is_gone() -> None:
    """S0-56: a denial blocks generation, it does not use up the key."""
    desk = Desk().opened(*LISTED)
    desk.give(a_run({A: "0.4"}, risk_checks={"turnover": False}))

    work = Work(desk, desk.give(a_run({A: "0.4"}, risk_checks={"turnover": True})))

    assert work.status is RunStatus.RUNNING


def test_a_holding_without_a_price_denies_the_run_because_the_equity_is_not_known() -> None:
    """None is unknown, never zero: weights of an unknown equity are no quantities."""
    desk = Desk().opened(*LISTED, positions={B: 500})

    reply = desk.give(a_run({A: "0.1"}, prices=prices(A)))

    assert isinstance(reply, RunReply)
    assert reply.failed == (f"equity_unknown: the equity needs a price for every holding, was none for {B}; start its feed",)


def test_a_run_of_an_unknown_account_is_refused_with_the_known_ones() -> None:
    desk = Desk().opened(*LISTED)
    with pytest.raises(BadInput, match=r"account was 'ghost', known are \['demo'\]"):
        desk.give(a_run({A: "0.1"}, account=AccountID("ghost")))


def test_a_dry_run_is_never_made() -> None:
    """S1-49: dry-run shows the same plan and sends nothing."""
    desk = Desk().opened(*LISTED)
    before = desk.state.hash()
    with pytest.raises(BadInput, match="a dry run is previewed, never made"):
        desk.give(a_run({A: "0.1"}, mode=Mode.DRY_RUN))
    assert desk.state.hash() == before


def test_a_preview_shows_the_plan_of_the_run_and_records_nothing() -> None:
    """S1-49."""
    desk = Desk().opened(*LISTED, positions={B: 1000})
    cmd = a_run({A: "0.1"})
    before = desk.state.hash()

    seen = preview(desk.state, cmd, desk.now, desk.around.policy.max_drift)

    assert desk.state.hash() == before
    work = Work(desk, desk.give(cmd))
    assert (seen.lines, seen.cash, seen.equity) == (work.run.created.lines, work.run.created.cash, work.run.created.equity)


def test_a_preview_in_a_currency_the_account_never_had_leaves_no_trace() -> None:
    """Reading the state never writes it: the hash of a replay would differ."""
    desk = Desk().opened(*LISTED)
    before = desk.state.hash()

    seen = preview(desk.state, a_run({A: "0.1"}, currency=Currency("USD")), desk.now, desk.around.policy.max_drift)

    assert {finding.code for finding in seen.findings} >= {"other_currency", "no_equity"}
    assert desk.state.hash() == before
    assert list(desk.state.accounts[ACCOUNT].cash) == ["CNY"]


def test_a_run_that_is_not_to_execute_plans_and_waits_for_a_person() -> None:
    """S0-43: POST …/execute lets it go later."""
    work = Work.begun({A: "0.1"}, execute=False)
    assert (work.status, work.sent()) == (RunStatus.NEW, {})

    reply = work.desk.give(ApproveRun(work.run_id, "ann"))

    assert reply == RunReply(work.run_id, RunStatus.RUNNING)
    assert work.sent() == {A: 10_000}


def test_a_run_held_for_approval_sends_nothing_until_a_named_person_approves_it() -> None:
    """S1-56."""
    work = Work.begun({A: "0.1"}, hold_for_approval=True)
    assert (work.status, work.sent()) == (RunStatus.AWAITING_APPROVAL, {})

    work.desk.give(ApproveRun(work.run_id, "ann"))

    (approved,) = work.desk.of(RunApproved)
    assert (approved.run_id, approved.by) == (work.run_id, "ann")
    assert work.sent() == {A: 10_000}


def test_approving_twice_starts_once() -> None:
    """S0-65: two people press the same button."""
    work = Work.begun({A: "0.1"}, hold_for_approval=True)
    work.desk.give(ApproveRun(work.run_id, "ann"))

    again = work.desk.give(ApproveRun(work.run_id, "bob"))

    assert again == RunReply(work.run_id, RunStatus.RUNNING, repeat=True)
    assert len(work.desk.of(RunStarted)) == 1
    assert len(work.desk.of(OrderStaged)) == 1


@pytest.mark.parametrize("waiting", ["execute", "hold_for_approval"])
def test_a_run_is_not_let_go_on_another_trading_day_than_its_own(waiting: str) -> None:
    """S1-41, S0-46: its quantities are those of a market that is gone, and its key says which day it was for.

    One of its two markets is a day further; that of the other line has not opened it yet.
    """
    desk = Desk().opened(an_instrument(A), an_instrument(B, session="OTHER"))
    held = waiting != "execute"
    work = Work.begun({A: "0.1", B: "0.1"}, desk=desk, execute=held, hold_for_approval=held)
    monday = TradingDay("2026-07-20")
    desk.give(OpenTradingDay("CN_A", monday, ((work.desk.now, UtcNs(work.desk.now + SECOND_NS)),)))
    before = work.desk.state.hash()

    with pytest.raises(BadInput, match="was planned for 2026-07-17, which is not the trading day now; make a run for today"):
        work.desk.give(ApproveRun(work.run_id, "ann"))

    assert work.desk.state.hash() == before


@pytest.mark.parametrize("waiting", ["execute", "hold_for_approval"])
def test_who_let_a_run_go_is_in_the_journal(waiting: str) -> None:
    """S1-56."""
    work = Work.begun({A: "0.1"}, execute=waiting != "execute", hold_for_approval=waiting != "execute")
    work.desk.give(ApproveRun(work.run_id, "boss"))
    assert [event.by for event in work.desk.of(RunApproved)] == ["boss"]


@pytest.mark.parametrize("by", ["", "  "])
def test_a_run_is_approved_by_a_name(by: str) -> None:
    """S1-56."""
    work = Work.begun({A: "0.1"}, hold_for_approval=True)
    with pytest.raises(BadInput, match="a run is approved by a named person; the name was empty"):
        work.desk.give(ApproveRun(work.run_id, by))
    assert (work.status, work.sent()) == (RunStatus.AWAITING_APPROVAL, {})


def test_a_plan_whose_prices_have_run_away_is_not_approved() -> None:
    """S1-41: nobody decided on these prices."""
    work = Work.begun({A: "0.1"}, hold_for_approval=True)
    work.desk.give(a_quote(A, bid="10.99", ask="11.01"))
    before = work.desk.state.hash()

    with pytest.raises(BadInput, match=f"with {A} at 10, which was 11.00 now; at most 2.00% of change is allowed"):
        work.desk.give(ApproveRun(work.run_id, "boss"))

    assert work.desk.state.hash() == before


def test_a_plan_without_a_present_price_is_not_approved() -> None:
    """None is unknown, never unchanged."""
    work = Work.begun({A: "0.1"}, hold_for_approval=True, desk=Desk().opened(*LISTED, quoted=False))
    with pytest.raises(BadInput, match=f"needs a present price of {A}, none was known; start its feed"):
        work.desk.give(ApproveRun(work.run_id, "boss"))


def test_a_plan_is_not_approved_on_an_old_quote_of_an_open_market() -> None:
    """S1-41: a feed that fell silent says nothing about the price now, however close its last one was."""
    work = Work.begun({A: "0.1", B: "0.1"}, hold_for_approval=True)
    work.desk.wait(61)
    work.desk.give(a_quote(A, at=work.desk.now))
    before = work.desk.state.hash()

    with pytest.raises(BadInput) as refused:
        work.desk.give(ApproveRun(work.run_id, "boss"))

    assert str(refused.value) == (
        f"run {work.run_id} needs a present price of {B}, at most 60 s old while its market is open;"
        " its last quote was 61 s old; wait for its next quote or look why its feed is silent, then approve again"
    )
    assert work.desk.state.hash() == before


def test_a_plan_is_approved_once_the_feed_speaks_again() -> None:
    """S1-56."""
    work = Work.begun({A: "0.1"}, hold_for_approval=True)
    work.desk.wait(3600)
    work.desk.give(a_quote(A, at=work.desk.now))

    work.desk.give(ApproveRun(work.run_id, "boss"))

    assert work.sent() == {A: 10_000}


def test_a_quote_exactly_as_old_as_allowed_lets_a_plan_be_approved() -> None:
    work = Work.begun({A: "0.1"}, hold_for_approval=True)
    work.desk.wait(60)

    work.desk.give(ApproveRun(work.run_id, "boss"))

    assert work.sent() == {A: 10_000}


def test_a_plan_is_not_approved_on_a_quote_from_the_future() -> None:
    """A wrong clock would keep it fresh for ever."""
    work = Work.begun({A: "0.1"}, hold_for_approval=True, desk=Desk().opened(*LISTED, quoted=False))
    work.desk.give(a_quote(A, at=work.desk.now + 61 * SECOND_NS))

    with pytest.raises(BadInput, match="its last quote was stamped 61 s ahead of our clock; check both clocks"):
        work.desk.give(ApproveRun(work.run_id, "boss"))


def test_over_lunch_a_plan_is_approved_on_the_last_quote_and_waits_for_a_current_one() -> None:
    """S1-41: a shut market brings no newer quote; nothing leaves before it does."""
    desk = Desk().opened(*LISTED)
    soon, later = UtcNs(desk.now + 60 * SECOND_NS), UtcNs(desk.now + 3600 * SECOND_NS)
    desk.give(OpenTradingDay("CN_A", DAY, ((desk.now, soon), (later, UtcNs(later + 3600 * SECOND_NS)))))
    work = Work.begun({A: "0.1"}, desk=desk, hold_for_approval=True)
    desk.wait(1800)

    desk.give(ApproveRun(work.run_id, "boss"))
    assert (work.status, work.sent()) == (RunStatus.RUNNING, {})
    desk.wait(1800)
    desk.give(a_snapshot(as_of=desk.now))
    assert work.sent() == {}
    desk.give(a_quote(A, at=desk.now), a_snapshot(as_of=desk.now))

    assert work.sent() == {A: 10_000}


def test_approving_an_unknown_run_is_refused() -> None:
    desk = Desk().opened(*LISTED)
    with pytest.raises(BadInput, match="run was 'r1', which is not known"):
        desk.give(ApproveRun(RunID("r1"), "ann"))


def test_a_run_whose_target_is_held_already_completes_at_once() -> None:
    """S0-39: nothing to order is a success, not a run that hangs."""
    work = Work.begun({A: "0.1"}, cash=90_000, held={A: 1000})

    assert (work.status, work.run.code, work.run.todo) == (RunStatus.COMPLETED, "", ())
    assert work.leg(A).code == "unchanged"
    assert not work.desk.of(OrderStaged)
    assert [type(e) for e in work.desk.events[-3:]] == [RunCreated, RunStarted, RunEnded]
