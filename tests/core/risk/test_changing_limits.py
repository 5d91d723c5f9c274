"""Who changes a limit of risk: named people, for a reason and a time, two of them where two exist; and what they are told."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from tests.core.risk.cases import BANK, MOUTAI, buys, limited

from tradeloop.core.commands import ChangeLimit, RevertLimit, SetLimits
from tradeloop.core.effects import SetTimer
from tradeloop.core.errors import BadInput
from tradeloop.core.events import LimitEnded, LimitsConfigured, LimitSet
from tradeloop.core.inputs import TimerFired
from tradeloop.core.limit import LimitScope, RiskLimit, Severity
from tradeloop.core.limiting import LIMIT_ENDS
from tradeloop.core.replies import Done, OrderReply
from tradeloop.core.risk.registry import RULES
from tradeloop.core.state import State
from tradeloop.core.types import SECOND_NS
from tradeloop.testing.builders import ACCOUNT, a_quote, an_instrument
from tradeloop.testing.desk import Desk

HOUR_NS = 3600 * SECOND_NS
VALUE = RiskLimit("max_order_value", Decimal(1000), by="ann", reason="news")


def told(desk: Desk, command: SetLimits | ChangeLimit | RevertLimit) -> str:
    reply = desk.give(command)
    assert isinstance(reply, Done)
    return reply.text


def is_denied(desk: Desk, qty: int) -> bool:
    reply = desk.give(buys(qty))
    assert isinstance(reply, OrderReply)
    return reply.denied is not None


def test_a_change_holds_for_as_long_as_it_says_and_ends_by_itself() -> None:
    desk = limited()
    assert told(desk, ChangeLimit(VALUE, lasts_ns=HOUR_NS)) == "max_order_value of global is 1000 until its time is up"
    (limit,) = desk.state.limits.by_person.values()
    assert limit.until == desk.now + HOUR_NS
    assert is_denied(desk, 200)
    assert [timer.due for timer in desk.of(SetTimer) if timer.kind == LIMIT_ENDS] == [limit.until]
    desk.wait(3600)
    desk.give(TimerFired(LIMIT_ENDS, limit.limit_id))
    assert [(e.by, e.reason) for e in desk.of(LimitEnded)] == [("engine", "its time is up")]
    assert not is_denied(desk, 200)


@pytest.mark.parametrize("lasts_ns", [0, -1, 7 * 24 * HOUR_NS + 1])
def test_a_change_without_an_end_or_with_one_too_far_away_is_refused(lasts_ns: int) -> None:
    with pytest.raises(BadInput, match="at most 7 days away"):
        limited().give(ChangeLimit(VALUE, lasts_ns=lasts_ns))


@pytest.mark.parametrize("restarted", [False, True])
def test_a_limit_whose_time_is_up_lets_nothing_pass_before_its_timer_has_run(restarted: bool) -> None:
    """A timer may be late, and its process gone."""
    desk = limited(RiskLimit("max_order_qty", Decimal(100)))
    desk.give(ChangeLimit(RiskLimit("max_order_qty", Decimal(1000), by="ann", reason="news"), lasts_ns=HOUR_NS))
    assert not is_denied(desk, 500)
    if restarted:
        desk.state = State.unpack(desk.state.pack())
    desk.wait(3600)
    assert is_denied(desk, 500)
    assert [ended.by for ended in desk.of(LimitEnded)] == ["engine"]
    desk.give(TimerFired(LIMIT_ENDS, RiskLimit("max_order_qty", Decimal(1)).limit_id))
    assert len(desk.of(LimitEnded)) == 1


def test_a_limit_whose_rule_fails_is_set_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fact is recorded by then: a bug in a rule must not end the process behind it."""

    def fails(*_: object) -> None:
        raise ZeroDivisionError("no such thing")

    desk = limited()
    desk.order(buys(100))
    rule = RULES["max_order_qty"]
    monkeypatch.setitem(RULES, "max_order_qty", msgspec.structs.replace(rule, measure=fails))
    limit = RiskLimit("max_order_qty", Decimal(1000), by="ann", reason="news")
    done = desk.give(ChangeLimit(limit, lasts_ns=HOUR_NS))
    assert isinstance(done, Done)
    assert "could not be measured (ZeroDivisionError: no such thing)" in done.text
    assert limit.limit_id in desk.state.limits.in_force


@pytest.mark.parametrize(
    ("by", "approved_by", "sentence"),
    [
        ("ann", "", "needs the approval of one of bob, eve (risk.approvers), nobody had; give --approved-by"),
        ("ann", "mallory", "needs the approval of one of bob, eve (risk.approvers), was 'mallory'"),
        ("ann", "ann", "approved by somebody else than who makes it; both were 'ann'"),
        ("mallory", "bob", "a limit is changed by one of ann, bob, eve (risk.approvers); was 'mallory'"),
    ],
)
def test_where_two_people_exist_one_changes_and_another_approves(by: str, approved_by: str, sentence: str) -> None:
    desk = limited(approvers=("ann", "bob", "eve"))
    limit = RiskLimit("max_order_value", Decimal(1000), by=by, reason="news")
    with pytest.raises(BadInput) as refused:
        desk.give(ChangeLimit(limit, approved_by, HOUR_NS))
    assert sentence in str(refused.value)
    assert not desk.of(LimitSet)
    told(desk, ChangeLimit(VALUE, "bob", HOUR_NS))
    with pytest.raises(BadInput) as refused:
        desk.give(RevertLimit("max_order_value", by, "read it", approved_by=approved_by))
    assert sentence in str(refused.value)
    assert not desk.of(LimitEnded)


def test_who_approved_is_recorded() -> None:
    desk = limited(approvers=("ann", "bob"))
    told(desk, ChangeLimit(VALUE, "bob", HOUR_NS))
    told(desk, RevertLimit("max_order_value", "bob", "read it", approved_by="ann"))
    assert [(e.limit.by, e.approved_by) for e in desk.of(LimitSet)] == [("ann", "bob")]
    assert [(e.by, e.approved_by) for e in desk.of(LimitEnded)] == [("bob", "ann")]


def test_one_name_alone_approves_itself_and_nobody_else_changes() -> None:
    desk = limited(approvers=("ann",))
    told(desk, ChangeLimit(VALUE, lasts_ns=HOUR_NS))
    with pytest.raises(BadInput, match="changed by one of ann"):
        desk.give(RevertLimit("max_order_value", "bob", "read it"))


def ordered(desk: Desk) -> Desk:
    """A thousand yuan ordered today, of one symbol."""
    assert not is_denied(desk, 100)
    return desk


@pytest.mark.parametrize(("value", "beyond"), [(999, True), (1000, False), (1001, False)], ids=["below", "at", "above"])
def test_whoever_sets_a_limit_below_what_there_is_hears_it(value: int, beyond: bool) -> None:
    desk = ordered(limited())
    limit = RiskLimit("max_daily_order_value", Decimal(value), by="ann", reason="news")
    said = told(desk, ChangeLimit(limit, lasts_ns=HOUR_NS))
    expected = f"it is beyond that now ({MOUTAI} of {ACCOUNT}: 1000 of at most {value}), and only orders that lessen it pass"
    assert (expected in said) == beyond, said
    assert is_denied(desk, 100)


@pytest.mark.parametrize(("value", "beyond"), [("0.04", True), ("0.05", False)], ids=["below", "at"])
def test_a_share_below_what_there_is_is_said_as_a_share(value: str, beyond: bool) -> None:
    """5,000 of an equity of 100,000 are held."""
    opened = Desk().opened(an_instrument(MOUTAI), cash=95_000, positions={MOUTAI: 500}, quoted=False)
    desk = limited(desk=opened)
    desk.give(a_quote(MOUTAI, "10", "10", at=desk.now))
    limit = RiskLimit("max_position_ratio", Decimal(value), LimitScope.SYMBOL, by="ann", reason="news")
    said = told(desk, ChangeLimit(limit, lasts_ns=HOUR_NS))
    assert (f"it is beyond that now ({MOUTAI} of {ACCOUNT}: 5% of at most 4%)" in said) == beyond, said


def test_a_file_below_what_there_is_holds_and_says_so_once() -> None:
    desk = ordered(limited())
    limit = RiskLimit("max_daily_order_value", Decimal(1), LimitScope.ACCOUNT)
    other = RiskLimit("max_order_value", Decimal(10_000))
    said = told(desk, SetLimits((limit, other), "risk.yaml"))
    assert said.startswith("2 limits in force from risk.yaml; max_daily_order_value of each account: it is beyond that now")
    assert told(desk, SetLimits((limit, other), "risk.yaml")) == "2 limits, as before"
    assert len(desk.of(LimitsConfigured)) == 1
    assert is_denied(desk, 100)


@pytest.mark.parametrize(
    "changes", [{"shadow": True}, {"severity": Severity.WARN}, {"scope": LimitScope.SYMBOL, "name": BANK}, {"currency": "USD"}]
)
def test_a_limit_that_stops_nothing_here_is_not_said_to_be_beyond(changes: dict[str, object]) -> None:
    desk = ordered(limited())
    limit = RiskLimit("max_daily_order_value", Decimal(1), by="ann", reason="news", **changes)  # type: ignore[arg-type]
    assert "beyond" not in told(desk, ChangeLimit(limit, lasts_ns=HOUR_NS))


EACH = RiskLimit("max_order_value", Decimal(1000), LimitScope.ACCOUNT)
MINE = msgspec.structs.replace(VALUE, value=Decimal(100_000), scope=LimitScope.ACCOUNT, name=ACCOUNT)


@pytest.mark.parametrize(
    ("file", "limit", "said"),
    [
        (EACH, MINE, "; max_order_value of each account is 1000 beside it, and the tighter one holds"),
        (
            EACH,
            msgspec.structs.replace(MINE, scope=LimitScope.GLOBAL, name=""),
            "; max_order_value of each account is 1000 beside",
        ),
        (msgspec.structs.replace(EACH, currency="CNY"), MINE, "; max_order_value of each account is 1000 CNY beside it"),
        (msgspec.structs.replace(EACH, name="other"), MINE, ""),
        (msgspec.structs.replace(EACH, value=Decimal(200_000)), MINE, ""),
        (msgspec.structs.replace(EACH, shadow=True), MINE, ""),
        (msgspec.structs.replace(EACH, severity=Severity.WARN), MINE, ""),
        (EACH, msgspec.structs.replace(MINE, shadow=True), ""),
        (msgspec.structs.replace(EACH, name=ACCOUNT), MINE, ""),
        (msgspec.structs.replace(EACH, currency="USD"), msgspec.structs.replace(MINE, currency="CNY"), ""),
    ],
)
def test_whoever_raises_a_limit_hears_of_a_tighter_one_beside_it(file: RiskLimit, limit: RiskLimit, said: str) -> None:
    text = told(limited(file), ChangeLimit(limit, lasts_ns=HOUR_NS))
    until = "until its time is up"
    assert text[text.index(until) + len(until) :].startswith(said)
    assert ("beside it" in text) == bool(said)
