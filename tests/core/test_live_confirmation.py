"""At a live account nothing leaves without a person's word for exactly that: the core asks, whatever stands before it (R39)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace
from tests.core.live_made import FACTOR, a_live_desk, as_seen, as_waiting, word_for, word_for_order
from tests.core.risk.cases import a_limit
from tests.core.runs_made import LISTED, A, B, Work, a_run, prices

from tradeloop.core.commands import ApproveRun, HaltTrading, ReplaceOrder, SetLimits, StartRun, SubmitOrder
from tradeloop.core.confirmation import Confirmation, is_phrase, phrase_of
from tradeloop.core.decide import RESEND
from tradeloop.core.effects import RaiseAlert
from tradeloop.core.errors import BadInput, NotConfirmed
from tradeloop.core.events import (
    EngineStarted,
    LateOrderDenied,
    OrderCanceled,
    OrderDenied,
    OrderStaged,
    ReplaceRequested,
    RunApproved,
    RunCreated,
    RunDenied,
    RunStarted,
    SendBegun,
    TradedAt,
)
from tradeloop.core.evolve import evolve
from tradeloop.core.halt import HaltScope, HaltTier
from tradeloop.core.inputs import TimerFired
from tradeloop.core.order import Order
from tradeloop.core.replies import OrderReply, RunReply
from tradeloop.core.reports import SendOutcome
from tradeloop.core.risk import live, pipeline
from tradeloop.core.risk.live import frozen_order
from tradeloop.core.risk.pipeline import PIPELINE
from tradeloop.core.run import conduct
from tradeloop.core.run.confirming import frozen_plan
from tradeloop.core.staging import intent_of
from tradeloop.core.state import State
from tradeloop.core.terms_to_confirm import to_confirm
from tradeloop.core.types import Mode, OrdType, Px, Qty, RunID, RunStatus, Side, Symbol, TimeInForce
from tradeloop.testing.builders import ACCOUNT, BROKER, Number, a_quote, buy, sell
from tradeloop.testing.desk import Desk

TARGET: dict[str, Number] = {A: "0.2", B: "0.3"}
WRONG = [
    {"phrase": "LIVE"},
    {"phrase": f"LIVE {ACCOUNT} 3"},
    {"phrase": "LIVE other 2"},
    {"phrase": f"live {ACCOUNT} 2"},
    {"phrase": ""},
    {"second_factor": ""},
]


def a_live_run(**changes: Any) -> StartRun:
    return replace(a_run(TARGET, mode=Mode.LIVE), **changes)


def waiting(desk: Desk, **changes: Any) -> RunID:
    reply = desk.give(a_live_run(**{"execute": False, **changes}))
    assert isinstance(reply, RunReply)
    assert reply.run_id is not None, reply.failed
    return reply.run_id


def refused_with(desk: Desk, command: Any) -> tuple[str, ...]:
    """The codes of why no run was made."""
    reply = desk.give(command)
    assert isinstance(reply, RunReply)
    assert reply.run_id is None
    assert not desk.of(RunCreated)
    assert not desk.of(OrderStaged)
    return tuple(each.partition(":")[0] for each in reply.failed)


# --- a run that goes at once


def test_a_live_run_does_not_go_at_once_without_a_word_for_it() -> None:
    desk = a_live_desk(*LISTED)
    assert refused_with(desk, a_live_run()) == ("live_confirmation",)
    (denied,) = desk.of(RunDenied)
    assert (denied.by, denied.mode, denied.account) == ("tester", Mode.LIVE, ACCOUNT)


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_word_or_no_second_factor_lets_no_run_go(wrong: dict[str, str]) -> None:
    desk = a_live_desk(*LISTED)
    cmd = a_live_run()
    given = word_for(as_seen(desk, cmd), **wrong)
    assert refused_with(desk, replace(cmd, confirmed=given)) == ("live_confirmation",)


def test_a_word_for_the_plan_that_was_seen_lets_it_go_and_is_recorded() -> None:
    desk = a_live_desk(*LISTED)
    cmd = a_live_run()
    given = word_for(as_seen(desk, cmd), set_up_by="ann")
    work = Work(desk, desk.give(replace(cmd, confirmed=given)))
    assert work.status is RunStatus.RUNNING
    assert len(desk.of(SendBegun)) == 2
    (created,) = desk.of(RunCreated)
    assert (created.confirmed, created.by) == (given, "tester")
    assert work.run.confirmed_by == "tester"


@pytest.mark.parametrize(
    "moved",
    [
        {"prices": prices(px="10.01")},
        {"decision_snapshot_id": "s2"},
        {"targets": a_run({A: "0.2", B: "0.2"}).targets},
    ],
)
def test_a_plan_made_anew_at_other_prices_or_towards_another_target_needs_a_word_of_its_own(moved: dict[str, Any]) -> None:
    desk = a_live_desk(*LISTED)
    given = word_for(as_seen(desk, a_live_run()))
    assert refused_with(desk, a_live_run(confirmed=given, **moved)) == ("live_changed",)


def test_limits_that_changed_since_the_plan_was_seen_make_another_one_of_it() -> None:
    desk = a_live_desk(*LISTED)
    cmd = a_live_run()
    given = word_for(as_seen(desk, cmd))
    desk.give(SetLimits((a_limit("max_order_value", 10_000_000),), "risk.yaml"))
    assert refused_with(desk, replace(cmd, confirmed=given)) == ("live_changed",)


@pytest.mark.parametrize("nobody", ["", " "])
def test_a_live_run_is_made_by_somebody(nobody: str) -> None:
    desk = a_live_desk(*LISTED)
    cmd = a_live_run(by=nobody)
    given = word_for(as_seen(desk, cmd))
    with pytest.raises(BadInput, match="is made by a named person"):
        desk.give(replace(cmd, confirmed=given))
    assert not desk.of(RunCreated)


def test_a_live_run_says_so_in_its_mode() -> None:
    desk = a_live_desk(*LISTED)
    assert refused_with(desk, a_run(TARGET)) == ("other_mode",)


def test_where_nothing_real_is_traded_nobody_is_asked_for_a_word() -> None:
    work = Work.begun(TARGET, confirmed=Confirmation("00", "whatever", FACTOR))
    assert work.status is RunStatus.RUNNING
    assert work.desk.of(RunCreated)[0].confirmed is None


# --- a run that waits


def test_a_run_that_waits_is_made_without_a_word_and_goes_with_one() -> None:
    desk = a_live_desk(*LISTED)
    run_id = waiting(desk)
    with pytest.raises(NotConfirmed, match=f"type 'LIVE {ACCOUNT} 2' and give a code") as refused:
        desk.give(ApproveRun(run_id, "bob"))
    assert refused.value.rule == "live_confirmation"
    assert not desk.of(RunApproved)
    given = word_for(as_waiting(desk, desk.state.runs[run_id]), set_up_by="bob")
    desk.give(ApproveRun(run_id, "bob", given))
    assert [(event.by, event.confirmed) for event in desk.of(RunApproved)] == [("bob", given)]
    assert desk.state.runs[run_id].confirmed_by == "bob"
    assert len(desk.of(SendBegun)) == 2


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("held", [False, True])
def test_a_wrong_word_lets_no_waiting_run_go(wrong: dict[str, str], held: bool) -> None:
    desk = a_live_desk(*LISTED)
    run_id = waiting(desk, execute=held, hold_for_approval=held)
    before = desk.state.runs[run_id].status
    given = word_for(as_waiting(desk, desk.state.runs[run_id]), **wrong)
    with pytest.raises(NotConfirmed):
        desk.give(ApproveRun(run_id, "bob", given))
    assert desk.state.runs[run_id].status is before
    assert not desk.of(RunStarted)


def test_the_word_for_one_run_is_none_for_another() -> None:
    desk = a_live_desk(*LISTED)
    first = waiting(desk)
    second = waiting(desk, decision_snapshot_id="s2")
    given = word_for(as_waiting(desk, desk.state.runs[first]))
    with pytest.raises(NotConfirmed) as refused:
        desk.give(ApproveRun(second, "bob", given))
    assert refused.value.rule == "live_changed"


def test_limits_that_changed_while_a_run_waited_ask_for_another_look() -> None:
    desk = a_live_desk(*LISTED)
    run_id = waiting(desk)
    given = word_for(as_waiting(desk, desk.state.runs[run_id]))
    desk.give(SetLimits((a_limit("max_order_value", 10_000_000),), "risk.yaml"))
    with pytest.raises(NotConfirmed) as refused:
        desk.give(ApproveRun(run_id, "bob", given))
    assert refused.value.rule == "live_changed"
    desk.give(ApproveRun(run_id, "bob", word_for(as_waiting(desk, desk.state.runs[run_id]))))
    assert desk.of(RunStarted)


def test_what_was_confirmed_stays_so_after_a_restart_and_what_waits_for_money_goes() -> None:
    desk = a_live_desk(*LISTED, cash=0, positions={B: 10_000})
    cmd = a_run({A: "0.5", B: "0.4"}, mode=Mode.LIVE)
    work = Work(desk, desk.give(replace(cmd, confirmed=word_for(as_seen(desk, cmd)))))
    assert work.sent().keys() == {B}
    desk.state = State.unpack(desk.state.pack())
    assert work.run.confirmed_by == "tester"
    work.ack(B)
    work.fill(B)
    assert work.sent().keys() == {A, B}


def test_a_staged_order_of_a_live_run_goes_after_a_restart_without_another_word() -> None:
    desk = a_live_desk(*LISTED)
    cmd = a_live_run()
    work = Work(desk, desk.give(replace(cmd, confirmed=word_for(as_seen(desk, cmd)))))
    order = work.order(A)
    desk.give(SendOutcome(BROKER, order.cl_ord_id, "NOT_SENT", "no route"))
    desk.state = State.unpack(desk.state.pack())
    before = len(desk.of(SendBegun))
    desk.wait(1)
    desk.give(a_quote(A, at=desk.now), TimerFired(RESEND, order.cl_ord_id))
    assert len(desk.of(SendBegun)) == before + 1


def test_a_run_that_was_made_before_its_broker_was_live_sends_nothing_more() -> None:
    desk = Desk().opened(*LISTED, cash=0, positions={B: 10_000})
    work = Work.begun({A: "0.5", B: "0.4"}, desk=desk)
    desk.around.policy = a_live_desk(*LISTED).around.policy
    work.ack(B)
    work.fill(B)
    assert [(event.symbol, event.rule) for event in desk.of(OrderDenied)] == [(A, "live_confirmation")]
    assert work.sent().keys() == {B}


@pytest.mark.parametrize("asks", [True, False], ids=["as it is", "taken out"])
def test_that_the_orders_of_a_run_are_asked_for_its_word_is_missed_where_it_is_taken_out(
    asks: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mutation: what waits in a run that nobody confirmed would go, once its money comes."""
    if not asks:
        monkeypatch.setattr(pipeline, "PIPELINE", tuple(check for check in PIPELINE if check is not live.run_confirmed))
    desk = Desk().opened(*LISTED, cash=0, positions={B: 10_000})
    work = Work.begun({A: "0.5", B: "0.4"}, desk=desk)
    desk.around.policy = a_live_desk(*LISTED).around.policy
    work.ack(B)
    work.fill(B)
    assert (A in work.sent()) is not asks


def test_that_a_plan_is_asked_for_its_word_is_missed_where_it_is_taken_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutation: with neither the question of the plan nor that of its orders, an unconfirmed run would go."""
    monkeypatch.setattr(conduct, "refuse_unconfirmed", lambda *of: None)
    desk = a_live_desk(*LISTED)
    desk.give(ApproveRun(waiting(desk), "bob"))
    assert desk.of(RunStarted)
    assert [denied.rule for denied in desk.of(OrderDenied)] == ["live_confirmation"] * 2, "the gate is the second one to ask"
    assert not desk.of(SendBegun)


def test_a_retry_of_a_live_run_waits_for_a_word_of_its_own() -> None:
    desk = a_live_desk(*LISTED)
    cmd = a_live_run()
    given = word_for(as_seen(desk, cmd))
    work = Work(desk, desk.give(replace(cmd, confirmed=given)))
    work.reject(A)
    work.reject(B)
    assert work.has_ended
    again = work.retried()
    assert again.status is RunStatus.NEW
    with pytest.raises(NotConfirmed):
        desk.give(ApproveRun(again.run_id, "bob", given))
    desk.give(ApproveRun(again.run_id, "bob", word_for(as_waiting(desk, again.run))))
    assert again.run.confirmed_by == "bob"
    assert again.run.started_at is not None


# --- the list of live accounts


def test_an_account_that_is_not_listed_trades_on_no_live_broker() -> None:
    desk = a_live_desk(*LISTED, accounts=("another",))
    assert refused_with(desk, a_live_run(execute=False)) == ("live_account",)
    command = buy(A, 100)
    reply = desk.give(replace(command, confirmed=word_for_order(desk, command)))
    assert isinstance(reply, OrderReply)
    assert reply.denied is not None
    assert reply.denied.rule == "live_account"


def test_a_run_that_waited_while_its_account_was_taken_off_the_list_does_not_go() -> None:
    desk = a_live_desk(*LISTED)
    run_id = waiting(desk)
    given = word_for(as_waiting(desk, desk.state.runs[run_id]))
    desk.around.policy = replace(desk.around.policy, live_accounts=())
    with pytest.raises(NotConfirmed) as refused:
        desk.give(ApproveRun(run_id, "bob", given))
    assert refused.value.rule == "live_account"


def test_a_stop_closes_positions_of_a_live_account_without_a_word() -> None:
    desk = a_live_desk(*LISTED, accounts=(), positions={A: 300})
    desk.give(HaltTrading(HaltTier.FLATTEN, "ann", "stop", HaltScope.ACCOUNT, ACCOUNT))
    assert [(event.symbol, event.halt) for event in desk.of(OrderStaged)] == [(A, 1)]


# --- orders of their own


def a_limit_order(qty: int = 100, **changes: Any) -> SubmitOrder:
    return buy(A, qty, ord_type=OrdType.LIMIT, price="10", **changes)


def rule_of(desk: Desk, command: Any) -> str:
    reply = desk.give(command)
    assert isinstance(reply, OrderReply)
    return "" if reply.denied is None else reply.denied.rule


def test_an_order_of_up_to_the_figure_needs_no_word_and_one_above_it_does() -> None:
    desk = a_live_desk(*LISTED, small=1000)
    assert rule_of(desk, a_limit_order(100)) == ""
    assert rule_of(desk, a_limit_order(200)) == "live_confirmation"


def test_without_a_figure_every_order_needs_a_word() -> None:
    desk = a_live_desk(*LISTED, positions={A: 500})
    assert rule_of(desk, a_limit_order(100)) == "live_confirmation"
    assert rule_of(desk, sell(A, 100)) == "live_confirmation"


def test_the_word_for_an_order_lets_it_go_and_is_recorded_with_it() -> None:
    desk = a_live_desk(*LISTED)
    command = a_limit_order(200)
    given = word_for_order(desk, command, set_up_by="ann")
    assert rule_of(desk, replace(command, confirmed=given)) == ""
    (staged,) = desk.of(OrderStaged)
    assert (staged.confirmed, staged.by) == (given, "tester")


@pytest.mark.parametrize(
    "other",
    [
        {"order_qty": Qty(Decimal(300))},
        {"price": Px(Decimal("10.01"))},
        {"symbol": B},
        {"strategy_id": "beta"},
    ],
)
def test_the_word_for_one_order_is_none_for_another(other: dict[str, Any]) -> None:
    desk = a_live_desk(*LISTED)
    command = a_limit_order(200)
    given = word_for_order(desk, command)
    assert rule_of(desk, replace(command, confirmed=given, **other)) == "live_changed"


@pytest.mark.parametrize("wrong", [{"phrase": "LIVE"}, {"second_factor": ""}])
def test_a_wrong_word_lets_no_order_go(wrong: dict[str, str]) -> None:
    desk = a_live_desk(*LISTED)
    command = a_limit_order(200)
    given = word_for_order(desk, command, **wrong)
    assert rule_of(desk, replace(command, confirmed=given)) == "live_confirmation"
    assert not desk.of(OrderStaged)


def a_market_order(desk: Desk, **changes: Any) -> SubmitOrder:
    """One with a person's word, given at the prices of this moment."""
    command = buy(A, 100)
    return replace(command, confirmed=replace(word_for_order(desk, command), **changes))


FAR = [(px, "live_changed") for px in ("10.21", "30.00", "5")]


@pytest.mark.parametrize(("ask", "rule"), [("10.19", ""), *FAR])
def test_the_word_for_a_market_order_holds_as_far_as_its_price_may_drift(ask: str, rule: str) -> None:
    desk = a_live_desk(*LISTED)
    desk.give(a_quote(A, bid="10", ask="10", at=desk.now))
    command = a_market_order(desk)
    desk.give(a_quote(A, bid=ask, ask=ask, at=desk.now))
    reply = desk.give(command)
    assert isinstance(reply, OrderReply)
    assert (reply.denied.rule if reply.denied else "") == rule
    if reply.denied is not None:
        assert reply.denied.text == (
            f"{A} moved from 10 to {ask} since it was shown and confirmed; look at it again and confirm it"
        )
        assert not desk.of(OrderStaged)


def test_the_price_that_was_shown_is_part_of_what_is_confirmed() -> None:
    desk = a_live_desk(*LISTED)
    assert rule_of(desk, a_market_order(desk, px=Px(Decimal("10.01")))) == "live_changed"
    assert rule_of(desk, a_market_order(desk, px=None)) == "live_changed"


def test_a_market_order_that_was_confirmed_without_a_price_is_none_that_anybody_saw() -> None:
    desk = a_live_desk(*LISTED)
    quote = desk.around.quotes.pop(Symbol(A))
    command = a_market_order(desk)
    desk.give(replace(quote, at=desk.now))
    assert rule_of(desk, command) == "live_changed"


def test_a_market_order_that_leaves_late_is_no_further_from_the_price_that_was_shown() -> None:
    desk = a_live_desk(*LISTED)
    desk.give(a_quote(A, bid="10", ask="10", at=desk.now))
    command = a_market_order(desk)
    desk.give(a_quote(A, bid="10.15", ask="10.15", at=desk.now))
    order = desk.order(command)
    assert (order.shown_px, order.arrival_px) == (Px(Decimal(10)), Px(Decimal("10.15")))
    desk.give(SendOutcome(BROKER, order.cl_ord_id, "NOT_SENT", "no route"))
    desk.state = State.unpack(desk.state.pack())
    desk.wait(1)
    desk.give(a_quote(A, bid="10.25", ask="10.25", at=desk.now), TimerFired(RESEND, order.cl_ord_id))
    (late,) = desk.of(LateOrderDenied)
    assert (late.rule, late.was) == ("price_drift", "10 to 10.25")
    assert len(desk.of(SendBegun)) == 1


def test_what_a_limit_denies_is_not_said_to_lack_a_word() -> None:
    desk = a_live_desk(*LISTED)
    desk.give(SetLimits((a_limit("max_order_value", 500),), "risk.yaml"))
    assert rule_of(desk, a_limit_order(100)) == "max_order_value"


def test_what_is_shown_of_an_order_says_what_it_may_be_worth() -> None:
    desk = a_live_desk(*LISTED)
    seen = frozen_order(desk.state, desk.around, *intent_of(desk.state, desk.around, buy(A, 100), desk.now), desk.now)
    assert seen is not None
    (line,) = seen.lines
    assert (line.symbol, line.side, f"{line.order_qty}") == (A, Side.BUY, "100")
    assert line.px == seen.px == Decimal("9.995")
    assert seen.totals == {"CNY": line.value}
    assert line.value == 1010


def test_more_of_an_order_than_the_figure_needs_a_word_and_less_of_it_none() -> None:
    desk = a_live_desk(*LISTED, small=1000)
    order = desk.order(a_limit_order(100))
    desk.ack(order)
    assert rule_of(desk, ReplaceOrder(order.cl_ord_id, "ann", order_qty=Qty(Decimal(200)))) == "live_confirmation"
    assert rule_of(desk, ReplaceOrder(order.cl_ord_id, "ann", price=Px(Decimal("9.99")))) == ""
    assert len(desk.of(ReplaceRequested)) == 1


def test_what_was_confirmed_of_other_terms_lets_them_go_and_nothing_else() -> None:
    desk = a_live_desk(*LISTED, small=1000)
    order = desk.order(a_limit_order(100))
    desk.ack(order)
    more, most = (ReplaceOrder(order.cl_ord_id, "ann", order_qty=Qty(Decimal(qty))) for qty in (200, 300))
    frozen = to_confirm(desk.state, desk.around, more, desk.now)
    assert frozen is not None
    assert [(f"{line.order_qty}", f"{line.price}", line.value) for line in frozen.lines] == [("200", "10", Decimal(2000))]
    word = word_for(frozen)
    assert rule_of(desk, replace(most, confirmed=word)) == "live_changed"
    assert rule_of(desk, replace(more, confirmed=word)) == ""
    assert [asked.confirmed for asked in desk.of(ReplaceRequested)] == [word]


def test_other_terms_that_need_nobodys_word_or_are_denied_anyhow_ask_for_none() -> None:
    desk = a_live_desk(*LISTED, small=1000)
    order = desk.order(a_limit_order(100))
    desk.ack(order)
    cheaper = ReplaceOrder(order.cl_ord_id, "ann", price=Px(Decimal("9.99")))
    assert to_confirm(desk.state, desk.around, cheaper, desk.now) is None
    desk.give(SetLimits((a_limit("max_order_value", 1500),), "risk.yaml"))
    more = ReplaceOrder(order.cl_ord_id, "ann", order_qty=Qty(Decimal(200)))
    assert to_confirm(desk.state, desk.around, more, desk.now) is None
    assert rule_of(desk, more) == "max_order_value"


# --- orders of their own that were made before


def made_before(command: SubmitOrder, **policy: Any) -> tuple[Desk, Order]:
    """A desk that trades live by now, and an order that it was given before and that has not left."""
    desk = Desk().opened(*LISTED, positions={B: 300})
    order = desk.order(command)
    if not order.is_held:
        desk.give(SendOutcome(BROKER, order.cl_ord_id, "NOT_SENT", "no route"))
    desk.around.policy = replace(a_live_desk(*LISTED).around.policy, **policy)
    desk.state = State.unpack(desk.state.pack())
    desk.effects.clear()
    desk.wait(1)
    return desk, desk.state.orders.open[order.cl_ord_id]


def a_stop(**changes: Any) -> SubmitOrder:
    return buy(A, 100, ord_type=OrdType.STOP, stop_px="11", tif=TimeInForce.GTC, **changes)


def left_since(desk: Desk, order: Order, *inputs: Any) -> tuple[bool, list[str]]:
    """Whether it leaves, and the rules that say no."""
    desk.give(*inputs)
    return any(each.cl_ord_id == order.cl_ord_id for each in desk.of(SendBegun)), [
        each.rule for each in desk.of(LateOrderDenied)
    ]


def test_a_stop_that_was_held_before_its_broker_was_live_does_not_leave_without_a_word() -> None:
    desk, order = made_before(a_stop())
    assert left_since(desk, order, a_quote(A, bid="11.50", ask="11.51", at=desk.now)) == (False, ["live_confirmation"])
    assert [(each.cl_ord_id, each.given_up) for each in desk.of(OrderCanceled)] == [(order.cl_ord_id, True)]
    (alert,) = [each for each in desk.effects if isinstance(each, RaiseAlert)]
    assert alert.level == "CRITICAL"
    assert "was never sent: order" in alert.text
    assert "was made before broker" in alert.text
    assert "make and confirm a new one" in alert.text


def test_a_stop_that_was_made_where_it_is_live_leaves_however_far_the_market_has_come() -> None:
    desk = a_live_desk(*LISTED, small=1200)
    order = desk.order(a_stop())
    assert order.live
    assert left_since(desk, order, a_quote(A, bid="19", ask="19.01", at=desk.now)) == (True, [])


def as_older_facts_say(desk: Desk, order: Order, *, began_live: bool = False) -> Order:
    """The order, folded from facts that do not say themselves that it was made where real money is traded."""
    state = State()
    if began_live:
        evolve(state, EngineStarted(desk.now, 1, "1", "t", brokers=(TradedAt(BROKER, "paper", live=True),)))
    for event in desk.events:
        evolve(state, replace(event, live=False) if isinstance(event, OrderStaged) else event)
    return state.orders.open[order.cl_ord_id]


def test_a_stop_that_was_confirmed_before_facts_said_that_they_were_live_leaves_still() -> None:
    desk = a_live_desk(*LISTED)
    command = a_stop()
    order = desk.order(replace(command, confirmed=word_for_order(desk, command)))
    assert as_older_facts_say(desk, order).live


def test_so_does_one_below_the_figure_that_asked_for_no_word() -> None:
    desk = a_live_desk(*LISTED, small=1_000_000)
    assert as_older_facts_say(desk, desk.order(a_stop()), began_live=True).live


def test_one_that_older_facts_tell_of_a_paper_desk_is_of_a_paper_desk() -> None:
    desk, order = made_before(a_stop())
    assert not as_older_facts_say(desk, order).live


def test_a_staged_order_that_was_made_before_its_broker_was_live_is_not_sent_again() -> None:
    desk, order = made_before(buy(A, 100))
    before = len(desk.of(SendBegun))
    desk.give(a_quote(A, at=desk.now), TimerFired(RESEND, order.cl_ord_id))
    assert (len(desk.of(SendBegun)), [each.rule for each in desk.of(LateOrderDenied)]) == (before, ["live_confirmation"])


def test_one_that_is_worth_no_more_than_the_figure_is_sent_again() -> None:
    desk, order = made_before(buy(A, 100), live_order_value=Decimal(1200))
    before = len(desk.of(SendBegun))
    desk.give(a_quote(A, at=desk.now), TimerFired(RESEND, order.cl_ord_id))
    assert len(desk.of(SendBegun)) == before + 1


def test_what_a_halt_closes_is_sent_again_whenever_it_was_made() -> None:
    desk = Desk().opened(*LISTED, positions={B: 300})
    desk.give(HaltTrading(HaltTier.FLATTEN, "ann", "stop", HaltScope.ACCOUNT, ACCOUNT))
    (closing,) = desk.of(OrderStaged)
    desk.give(SendOutcome(BROKER, closing.cl_ord_id, "NOT_SENT", "no route"))
    desk.around.policy = a_live_desk(*LISTED, accounts=()).around.policy
    desk.wait(1)
    desk.give(a_quote(B, at=desk.now), TimerFired(RESEND, closing.cl_ord_id))
    assert len(desk.of(SendBegun)) == 2


# --- what is typed


def test_the_phrase_names_the_account_and_how_many_orders_it_is() -> None:
    assert phrase_of("U123", 7) == "LIVE U123 7"
    assert is_phrase("  LIVE  U123 7 ", "U123", 7)
    assert not is_phrase("LIVE U123", "U123", 7)


def test_the_hash_of_a_plan_does_not_hang_on_how_an_amount_is_written() -> None:
    desk = a_live_desk(*LISTED)
    run = desk.state.runs[waiting(desk)]
    lines = [replace(line, order_qty=Qty(Decimal(f"{line.order_qty:f}.00"))) for line in run.created.lines]
    of = (desk.state, desk.around, run.created.run_id, BROKER, ACCOUNT)
    assert frozen_plan(*of, lines) == frozen_plan(*of, run.created.lines)
