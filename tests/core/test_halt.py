"""A stop that really stops: what leaves under a halt, what is taken out and closed, and how it ends."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.core.runs_made import A, B, Work, a_run

from tradeloop.core.commands import ApproveRun, CancelOrder, HaltTrading, ReleaseHalt, ReleaseSymbol, ReplaceOrder, ResumeRun
from tradeloop.core.effects import RaiseAlert, SendCancel, SendOrder, SetTimer
from tradeloop.core.errors import BadInput
from tradeloop.core.events import HaltChecked, Halted, HaltReleased, OrderCanceled, OrderDenied, OrderStaged, SendBegun
from tradeloop.core.follow import after_restart
from tradeloop.core.halt import HaltScope, HaltTier
from tradeloop.core.inputs import LatchFound, TimerFired
from tradeloop.core.instrument import AssetClass, Instrument
from tradeloop.core.order import Order
from tradeloop.core.replies import Done, OrderReply, RunReply
from tradeloop.core.reports import CancelAck, CancelReject, SendOutcome
from tradeloop.core.state import State
from tradeloop.core.types import (
    OrderID,
    OrdStatus,
    OrdType,
    PositionEffect,
    Px,
    Qty,
    RunStatus,
    Side,
    Symbol,
    TimeInForce,
    UtcNs,
)
from tradeloop.testing.builders import (
    ACCOUNT,
    BROKER,
    a_quote,
    a_snapshot,
    an_execution,
    an_instrument,
    buy,
    sell,
    their_order,
)
from tradeloop.testing.desk import Desk

MOUTAI, PINGAN, GOLD = "600519.SH", "601318.SH", Symbol("au2512.SHFE")


def gold() -> Instrument:
    return an_instrument(
        GOLD,
        asset_class=AssetClass.FUTURE,
        lot=1,
        min_qty=1,
        multiplier=10,
        margin_rate="0.1",
        shortable=True,
        odd_lot_sell=False,
        closes_today_apart=True,
    )


def a_desk(**positions: str) -> Desk:
    held = {
        symbol: qty for symbol, qty in (("600519.SH", positions.get("moutai")), ("601318.SH", positions.get("pingan"))) if qty
    }
    return Desk().opened(an_instrument(MOUTAI), an_instrument(PINGAN), positions=held)


def halt(desk: Desk, tier: HaltTier = HaltTier.HALT, scope: HaltScope = HaltScope.GLOBAL, name: str = "") -> Done:
    reply = desk.give(HaltTrading(tier, "ann", "fat finger", scope, name))
    assert isinstance(reply, Done)
    return reply


def release(desk: Desk, scope: HaltScope = HaltScope.GLOBAL, name: str = "") -> Done:
    seen = tuple(number for number, one in desk.state.halts.items() if (one.scope, one.name) == (scope, name))
    reply = desk.give(ReleaseHalt("bob", "looked at it", scope, name, numbers=seen))
    assert isinstance(reply, Done)
    return reply


def denied(desk: Desk, command: object) -> OrderDenied:
    reply = desk.give(command)  # type: ignore[arg-type]
    assert isinstance(reply, OrderReply)
    assert reply.denied is not None
    return desk.of(OrderDenied)[-1]


def limit(side: Side, qty: int = 100, px: str = "9.50", symbol: str = MOUTAI) -> object:
    make = buy if side is Side.BUY else sell
    return make(symbol, qty, ord_type=OrdType.LIMIT, price=px)


def works(desk: Desk, order_id: str = "b1", symbol: str = MOUTAI) -> Order:
    order = desk.order(limit(Side.BUY, symbol=symbol))  # type: ignore[arg-type]
    desk.ack(order, order_id)
    return order


def looks(desk: Desk, number: int = 1, after: float = 1) -> None:
    """The halt looks again what is left to do."""
    desk.wait(after)
    desk.give(a_quote(MOUTAI, at=desk.now), a_quote(PINGAN, at=desk.now), TimerFired("halt", str(number)))


# --- what leaves


def test_under_a_halt_no_order_leaves_and_the_denial_says_who_when_why_and_how_it_ends() -> None:
    desk = a_desk(moutai="1000")
    said = halt(desk)

    no = denied(desk, sell(MOUTAI, 100))

    assert (no.rule, no.was) == ("halted", "HALT of everything")
    assert no.text == (
        "everything takes no new orders: HALT by ann at 2026-07-17 04:00:00Z: fat finger;"
        " whoever has looked releases it with `tradeloop resume --reason …`"
    )
    assert said.text.startswith("halt 1 is in force: everything, HALT by ann")
    assert not desk.of(SendOrder)


@pytest.mark.parametrize(
    ("scope", "name", "other"),
    [
        (HaltScope.SYMBOL, MOUTAI, buy(PINGAN, 100)),
        (HaltScope.VENUE, "SH", buy("000001.SZ", 100)),
        (HaltScope.STRATEGY, "trend", buy(MOUTAI, 100, strategy_id="mean")),
    ],
)
def test_a_halt_stops_its_scope_and_nothing_else(scope: HaltScope, name: str, other: object) -> None:
    desk = Desk().opened(an_instrument(MOUTAI), an_instrument(PINGAN), an_instrument("000001.SZ"))
    halt(desk, scope=scope, name=name)

    assert denied(desk, buy(MOUTAI, 100, strategy_id="trend")).rule == "halted"
    reply = desk.give(other)  # type: ignore[arg-type]
    assert isinstance(reply, OrderReply)
    assert reply.denied is None


@pytest.mark.parametrize(("scope", "name"), [(HaltScope.ACCOUNT, ACCOUNT), (HaltScope.BROKER, BROKER)])
def test_an_account_and_a_broker_can_be_halted(scope: HaltScope, name: str) -> None:
    desk = a_desk()
    halt(desk, scope=scope, name=name)
    assert f"tradeloop resume --{scope.value} {name} --reason" in denied(desk, buy(MOUTAI, 100)).text


def test_reduce_only_lets_leave_what_makes_a_position_smaller_and_counts_what_works_already() -> None:
    desk = a_desk(moutai="1000")
    halt(desk, HaltTier.REDUCE_ONLY)

    assert denied(desk, buy(MOUTAI, 100)).rule == "reduce_only"
    desk.order(sell(MOUTAI, 600))
    desk.order(sell(MOUTAI, 400))
    assert len(desk.of(SendOrder)) == 2


def test_reduce_only_lets_no_sell_turn_a_position_round() -> None:
    desk = Desk().opened(an_instrument(MOUTAI, shortable=True, settles_t1=False), positions={MOUTAI: 1000})
    halt(desk, HaltTier.REDUCE_ONLY)
    desk.order(sell(MOUTAI, 600))

    assert denied(desk, sell(MOUTAI, 500)).rule == "reduce_only"
    assert denied(desk, sell(MOUTAI, 100, position_effect=PositionEffect.OPEN)).rule == "reduce_only"


def test_a_cancel_always_leaves() -> None:
    desk = a_desk()
    order = works(desk)
    halt(desk)
    desk.give(CancelOrder(order.cl_ord_id, "ann"))
    assert [effect.cl_ord_id for effect in desk.of(SendCancel)] == [order.cl_ord_id]


def test_a_replace_leaves_only_where_it_lessens_the_order() -> None:
    desk = a_desk()
    order = works(desk)
    halt(desk)

    more = desk.give(ReplaceOrder(order.cl_ord_id, "ann", order_qty=Qty(Decimal(200))))
    less = desk.give(ReplaceOrder(order.cl_ord_id, "ann", price=Px(Decimal("9.40"))))

    assert isinstance(more, OrderReply)
    assert more.denied is not None
    assert more.denied.rule == "halted"
    assert isinstance(less, OrderReply)
    assert less.denied is None


def test_an_order_that_did_not_get_out_waits_for_the_release_and_passes_the_gate_then() -> None:
    desk = a_desk()
    order = desk.order(buy(MOUTAI, 100))
    halt(desk)
    desk.give(SendOutcome(BROKER, order.cl_ord_id, "NOT_SENT", "reset"))
    desk.wait(1)
    desk.give(TimerFired("resend", order.cl_ord_id), a_snapshot(as_of=desk.now))
    assert (desk.known(order.cl_ord_id).ord_status, len(desk.of(SendBegun))) == (OrdStatus.STAGED, 1)

    said = release(desk)

    assert said.text == "released: everything (HALT)"
    assert len(desk.of(SendBegun)) == 2


def test_a_stop_order_stays_on_watch_under_a_halt() -> None:
    desk = a_desk()
    stop = desk.order(buy(MOUTAI, 100, ord_type=OrdType.STOP, stop_px="11"))
    halt(desk)
    desk.give(a_quote(MOUTAI, bid="11.99", ask="12.00"))
    assert desk.known(stop.cl_ord_id).is_held

    release(desk)
    desk.give(a_quote(MOUTAI, bid="11.99", ask="12.00"))
    assert len(desk.of(SendOrder)) == 1


# --- fates that are unknown


def test_an_order_of_unknown_fate_is_not_sent_again_under_a_halt_though_it_is_proven_absent() -> None:
    desk = a_desk()
    order = desk.order(buy(MOUTAI, 100))
    desk.give(SendOutcome(BROKER, order.cl_ord_id, "UNKNOWN", "reset"))
    halt(desk)
    for _ in range(30):
        desk.wait(2)
        desk.give(a_snapshot(as_of=desk.now))
    found = desk.known(order.cl_ord_id)
    assert (found.ord_status, len(desk.of(SendBegun))) == (OrdStatus.STAGED, 1)


def test_cancel_all_cancels_an_order_of_unknown_fate_again_when_it_is_found() -> None:
    desk = a_desk()
    order = desk.order(limit(Side.BUY))  # type: ignore[arg-type]
    desk.give(SendOutcome(BROKER, order.cl_ord_id, "UNKNOWN", "reset"))
    halt(desk, HaltTier.CANCEL_ALL)
    desk.give(CancelReject(BROKER, order.cl_ord_id, "404", "no such order"))

    desk.give(a_snapshot(as_of=desk.now, orders=(their_order(order.cl_ord_id, MOUTAI, Side.BUY, 100, OrdStatus.NEW),)))
    desk.wait(5)
    desk.give(TimerFired("cancel_again", order.cl_ord_id))

    assert [effect.order_id for effect in desk.of(SendCancel)] == [None, OrderID("b1")]


# --- cancel all


def test_cancel_all_takes_everything_out_and_says_when_nothing_is_left() -> None:
    desk = a_desk()
    first, second = works(desk, "b1"), works(desk, "b2", PINGAN)
    held = desk.order(buy(MOUTAI, 100, ord_type=OrdType.STOP, stop_px="11"))

    said = halt(desk, HaltTier.CANCEL_ALL)

    assert said.text.endswith("fat finger; 2 open orders left")
    assert desk.known(held.cl_ord_id).ord_status is OrdStatus.CANCELED
    assert [effect.cl_ord_id for effect in desk.of(SendCancel)] == [first.cl_ord_id, second.cl_ord_id]

    desk.give(CancelAck(BROKER, first.cl_ord_id), CancelAck(BROKER, second.cl_ord_id))
    looks(desk)

    last = desk.of(HaltChecked)[-1]
    assert (last.open_orders, last.done, last.text) == (0, True, "no open orders left")
    count = len(desk.events)
    looks(desk)
    assert len(desk.events) == count, "the same finding is no new fact"


def test_cancel_all_finds_a_strangers_order_that_comes_later() -> None:
    desk = a_desk()
    halt(desk, HaltTier.CANCEL_ALL)
    stranger = their_order(None, MOUTAI, Side.BUY, 100, OrdStatus.NEW, order_id=OrderID("x9"))
    desk.wait(3)
    desk.give(a_snapshot(as_of=desk.now, orders=(stranger,)))
    looks(desk)
    assert [effect.order_id for effect in desk.of(SendCancel)] == [OrderID("x9")]


def test_cancel_all_of_a_symbol_leaves_the_others_alone() -> None:
    desk = a_desk()
    first, _ = works(desk, "b1"), works(desk, "b2", PINGAN)
    halt(desk, HaltTier.CANCEL_ALL, HaltScope.SYMBOL, MOUTAI)
    assert [effect.cl_ord_id for effect in desk.of(SendCancel)] == [first.cl_ord_id]


def test_a_cancel_that_is_refused_is_asked_for_again_while_the_halt_stands() -> None:
    desk = a_desk()
    order = works(desk)
    halt(desk, HaltTier.CANCEL_ALL)
    desk.give(CancelReject(BROKER, order.cl_ord_id, "busy", "later"))
    desk.wait(5)
    desk.give(TimerFired("cancel_again", order.cl_ord_id))
    assert len(desk.of(SendCancel)) == 2


def test_a_halt_that_does_not_come_to_its_end_is_told_to_a_person() -> None:
    desk = a_desk()
    works(desk)
    halt(desk, HaltTier.CANCEL_ALL)
    works_not = desk.known(desk.of(OrderStaged)[0].cl_ord_id)
    desk.give(SendOutcome(BROKER, works_not.cl_ord_id, "UNKNOWN", "late"))
    stranger = their_order(None, PINGAN, Side.BUY, 100, OrdStatus.NEW, order_id=OrderID("x9"))
    ours = their_order(works_not.cl_ord_id, MOUTAI, Side.BUY, 100, OrdStatus.NEW)
    desk.wait(20)
    desk.give(a_snapshot(as_of=desk.now, orders=(stranger, ours)))
    looks(desk)
    assert [alert.key for alert in desk.of(RaiseAlert) if alert.key.startswith("halt_open")] == ["halt_open:1"]


# --- flatten


def test_flatten_cancels_first_then_closes_and_says_when_it_is_flat() -> None:
    desk = a_desk(moutai="1000")
    order = works(desk)
    halt(desk, HaltTier.FLATTEN)
    assert desk.of(HaltChecked)[-1].text == "1 open order left, 1 position left (600519.SH canceling)"

    desk.give(CancelAck(BROKER, order.cl_ord_id))
    looks(desk)
    closing = desk.of(SendOrder)[-1].order.order
    assert (closing.side, closing.order_qty, closing.by, closing.halt) == (Side.SELL, Qty(Decimal(1000)), "halt:1", 1)

    desk.give(an_execution(closing.cl_ord_id, MOUTAI, Side.SELL, 1000, 10))
    looks(desk)
    last = desk.of(HaltChecked)[-1]
    assert (last.done, last.text, last.held) == (True, "no open orders left, no positions left", ())


def test_flatten_names_what_it_cannot_sell_today() -> None:
    desk = Desk().opened(an_instrument(MOUTAI, settles_t1=True))
    bought = desk.order(buy(MOUTAI, 100))
    desk.give(an_execution(bought.cl_ord_id, MOUTAI, Side.BUY, 100, 10))

    halt(desk, HaltTier.FLATTEN)

    last = desk.of(HaltChecked)[-1]
    assert (last.done, last.text) == (True, "no open orders left, 1 position left (600519.SH T+1)")
    assert last.held == (f"100 600519.SH of {ACCOUNT}: bought today, it may be sold on the next trading day",)
    assert len(desk.of(OrderStaged)) == 1


def test_flatten_tries_again_after_a_refusal_and_not_at_once() -> None:
    desk = a_desk(moutai="1000")
    halt(desk, HaltTier.FLATTEN)
    first = desk.of(OrderStaged)[-1].cl_ord_id
    desk.give(SendOutcome(BROKER, first, "UNKNOWN", "?"))
    desk.give(
        a_snapshot(
            as_of=desk.now, positions={MOUTAI: 1000}, orders=(their_order(first, MOUTAI, Side.SELL, 1000, OrdStatus.NEW),)
        )
    )
    desk.give(CancelAck(BROKER, first, text="the exchange took it out"))

    looks(desk)
    assert desk.of(HaltChecked)[-1].done is False
    assert len(desk.of(OrderStaged)) == 1
    looks(desk, after=2)
    assert len(desk.of(OrderStaged)) == 2


def test_a_halt_that_comes_after_a_flatten_stops_it_and_one_before_does_not() -> None:
    desk = a_desk(moutai="1000", pingan="1000")
    halt(desk)
    halt(desk, HaltTier.FLATTEN, HaltScope.SYMBOL, MOUTAI)
    assert [effect.order.order.symbol for effect in desk.of(SendOrder)] == [MOUTAI]

    halt(desk, HaltTier.CANCEL_ALL)
    halt(desk, HaltTier.FLATTEN, HaltScope.SYMBOL, PINGAN)
    assert [effect.cl_ord_id for effect in desk.of(SendCancel)] == [desk.of(OrderStaged)[0].cl_ord_id]
    assert [effect.order.order.symbol for effect in desk.of(SendOrder)] == [MOUTAI, PINGAN]


def test_a_flatten_asked_for_again_counts_as_newer_than_the_halt_that_stopped_it() -> None:
    """Whoever asks to close everything after somebody said halt, means it."""
    desk = Desk().opened(an_instrument(MOUTAI), positions={MOUTAI: "1000"}, quoted=False)
    halt(desk, HaltTier.FLATTEN)
    halt(desk)
    desk.wait(1)
    desk.give(a_quote(MOUTAI, at=desk.now), TimerFired("halt", "1"))
    assert (len(desk.of(SendOrder)), desk.state.halts[1].done) == (0, False)

    said = halt(desk, HaltTier.FLATTEN)

    assert said.text.startswith("halt 3 is in force: everything, FLATTEN by ann")
    assert list(desk.state.halts) == [2, 3]
    assert [(event.number, event.reason) for event in desk.of(HaltReleased)] == [(1, "asked for anew, as halt 3")]
    assert [effect.order.order.halt for effect in desk.of(SendOrder)] == [3]


def test_a_flatten_that_the_file_says_again_does_not_overrule_the_halt_after_it() -> None:
    """The desk writes into the file what is missing there, so what stands in it says nothing of when it was asked for."""
    desk = Desk().opened(an_instrument(MOUTAI), positions={MOUTAI: "1000"}, quoted=False)
    halt(desk, HaltTier.FLATTEN)
    halt(desk)
    desk.wait(1)
    again = HaltTrading(HaltTier.FLATTEN, "the latch file", "")
    desk.give(a_quote(MOUTAI, at=desk.now), LatchFound((again,)), TimerFired("halt", "1"))
    assert list(desk.state.halts) == [1, 2]
    assert desk.of(SendOrder) == []
    halt(desk, HaltTier.FLATTEN)
    assert [effect.order.order.symbol for effect in desk.of(SendOrder)] == [MOUTAI]


def test_a_flatten_asked_for_again_takes_out_what_it_ordered_before_and_closes_the_rest() -> None:
    desk = a_desk(moutai="1000")
    halt(desk, HaltTier.FLATTEN)
    (first,) = desk.state.orders.open.values()
    desk.ack(first, "b1")
    desk.give(an_execution(first.cl_ord_id, MOUTAI, Side.SELL, 400, 10))
    halt(desk)
    halt(desk, HaltTier.FLATTEN)
    assert [effect.cl_ord_id for effect in desk.of(SendCancel)] == [first.cl_ord_id]
    desk.give(CancelAck(BROKER, first.cl_ord_id))
    looks(desk, 3)
    assert [effect.order.order.order_qty for effect in desk.of(SendOrder)] == [Qty(Decimal(1000)), Qty(Decimal(600))]


def test_a_halt_asked_for_again_counts_as_newer_than_the_flatten_it_is_to_stop() -> None:
    desk = a_desk(moutai="1000")
    halt(desk)
    desk.give(a_quote(MOUTAI, bid=None, ask=None, last=None, at=desk.now))
    halt(desk, HaltTier.FLATTEN)
    sent = len(desk.of(SendOrder))
    assert halt(desk).text.startswith("halt 3 is in force: everything, HALT by ann")
    looks(desk, 2, after=5)
    assert len(desk.of(SendOrder)) == sent


def test_a_flatten_is_not_done_while_a_position_is_left_that_a_halt_stops() -> None:
    desk = a_desk(moutai="1000")
    halt(desk, HaltTier.FLATTEN)
    (closing,) = desk.state.orders.open.values()
    desk.ack(closing, "b1")
    desk.give(an_execution(closing.cl_ord_id, MOUTAI, Side.SELL, 1100, "9.99"))
    looks(desk, after=10)

    last = desk.of(HaltChecked)[-1]
    assert (last.done, last.text) == (False, f"no open orders left, 1 position left ({MOUTAI} short halted)")
    assert "overfilled by 100" in last.held[0]
    desk.give(ReleaseSymbol(Symbol(MOUTAI), "bob", "looked at it"))
    looks(desk, after=10)
    covering = desk.of(SendOrder)[-1].order.order
    assert (covering.side, covering.order_qty) == (Side.BUY, Qty(Decimal(100)))
    desk.give(an_execution(covering.cl_ord_id, MOUTAI, Side.BUY, 100, 10, "e2"))
    looks(desk)
    assert desk.of(HaltChecked)[-1].done


def test_a_halt_that_does_not_come_to_its_end_says_so_again_and_again() -> None:
    """What is left and why; each time that it has lasted twice as long."""
    desk = a_desk(moutai="1000")
    halt(desk, HaltTier.FLATTEN)
    (closing,) = desk.state.orders.open.values()
    desk.ack(closing, "b1")
    looks(desk)
    said = len(desk.of(HaltChecked))
    for _ in range(45):
        looks(desk)
    late = desk.of(HaltChecked)[said:]
    assert [(event.at - desk.of(Halted)[0].at) // 1_000_000_000 for event in late] == [10, 20, 40]
    alerts = [alert for alert in desk.of(RaiseAlert) if alert.key == "halt_open:1"]
    assert len(alerts) == 3
    assert f"1000 {MOUTAI} of {ACCOUNT}: order {closing.cl_ord_id} closes it" in alerts[0].text


def test_a_person_cannot_pass_a_halt_by_the_name_of_a_flatten() -> None:
    desk = a_desk(moutai="1000")
    halt(desk, HaltTier.FLATTEN, HaltScope.SYMBOL, PINGAN)
    halt(desk)
    assert denied(desk, buy(PINGAN, 100, by="halt:1")).rule == "halted"


# --- runs


def test_a_halt_pauses_runs_and_they_wait_for_a_person_after_it() -> None:
    work = Work.begun({A: 0, B: "0.5"}, cash=0, held={A: 1000})
    halt(work.desk)
    assert work.status is RunStatus.PAUSED
    work.fill(A)
    assert work.sent() == {A: -1000}
    with pytest.raises(BadInput, match="cannot go: everything takes no new orders"):
        work.desk.give(ResumeRun(work.run_id, "ann"))

    assert "paused, to be resumed by a person: " + work.run_id in release(work.desk).text
    work.desk.give(ResumeRun(work.run_id, "ann"))
    assert work.sent() == {A: -1000, B: 500}


def test_cancel_all_cancels_runs_with_what_works_of_them() -> None:
    work = Work.begun({A: 0, B: "0.5"}, cash=0, held={A: 1000})
    work.ack(A)
    halt(work.desk, HaltTier.CANCEL_ALL)
    work.canceled(A)
    assert work.status is RunStatus.CANCELED


def test_no_run_is_made_or_approved_under_a_halt() -> None:
    desk = Work.begun({A: "0.1"}, hold_for_approval=True).desk
    halt(desk)
    run_id = next(iter(desk.state.runs))
    with pytest.raises(BadInput, match="cannot go: everything takes no new orders: HALT by ann"):
        desk.give(ApproveRun(run_id, "bob"))
    reply = desk.give(a_run({B: "0.1"}, decision_snapshot_id="other"))
    assert isinstance(reply, RunReply)
    assert reply.run_id is None
    assert reply.failed[0].startswith("halted: everything takes no new orders")


# --- how it stands and ends


def test_a_halt_survives_a_snapshot_and_goes_on_with_its_work_after_a_restart() -> None:
    desk = a_desk(moutai="1000")
    halt(desk, HaltTier.FLATTEN)
    again = State.unpack(desk.state.pack())
    assert again.hash() == desk.state.hash()
    assert SetTimer(UtcNs(desk.now + 1_000_000_000), "halt", "1") in after_restart(again, desk.around)


def test_the_same_halt_twice_is_one_and_works_again() -> None:
    desk = a_desk()
    works(desk)
    halt(desk, HaltTier.CANCEL_ALL)
    said = halt(desk, HaltTier.CANCEL_ALL)
    assert len(desk.of(Halted)) == 1
    assert said.text.startswith("halt 1 is in force: everything, CANCEL_ALL by ann")


def test_halts_stand_side_by_side_and_one_release_ends_those_of_its_scope() -> None:
    desk = a_desk()
    halt(desk)
    halt(desk, HaltTier.REDUCE_ONLY)
    halt(desk, HaltTier.HALT, HaltScope.SYMBOL, MOUTAI)

    said = release(desk)

    assert said.text == "released: everything (HALT); everything (REDUCE_ONLY); still in force: symbol 600519.SH"
    assert [event.number for event in desk.of(HaltReleased)] == [1, 2]
    assert denied(desk, buy(MOUTAI, 100)).rule == "halted"
    desk.order(buy(PINGAN, 100))


def test_what_a_released_flatten_had_not_sent_yet_ends() -> None:
    desk = a_desk(moutai="1000")
    halt(desk, HaltTier.FLATTEN)
    closing = desk.of(OrderStaged)[0].cl_ord_id
    desk.give(SendOutcome(BROKER, closing, "NOT_SENT", "reset"))
    release(desk)
    assert desk.of(OrderCanceled)[-1].text == "never sent: halt 1 was released"


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        (HaltTrading(HaltTier.HALT, " "), "a halt is asked for by a named person"),
        (HaltTrading(HaltTier.HALT, "ann", "", HaltScope.ACCOUNT, "nobody"), "account was 'nobody', known are"),
        (HaltTrading(HaltTier.HALT, "ann", "", HaltScope.BROKER, "x"), "broker was 'x', known are"),
        (HaltTrading(HaltTier.HALT, "ann", "", HaltScope.VENUE), "the name of what to halt was '' for the scope venue"),
        (HaltTrading(HaltTier.HALT, "ann", "", HaltScope.SYMBOL), "the name of what to halt was '' for the scope symbol"),
        (HaltTrading(HaltTier.HALT, "ann", "", HaltScope.GLOBAL, "x"), "only global has none"),
        (HaltTrading(HaltTier.FLATTEN, "ann", "", HaltScope.STRATEGY, "s"), "not by strategy; flatten one of those"),
        (ReleaseHalt("ann", " "), "by a named person for a reason"),
        (ReleaseHalt("ann", "why not"), "no halt of everything is in force, nothing to release; in force: none"),
        (ReleaseHalt("ann", "why not", HaltScope.SYMBOL, MOUTAI), "no halt of symbol '600519.SH' is in force"),
    ],
)
def test_what_cannot_be_halted_or_released_is_refused_and_changes_nothing(command: object, sentence: str) -> None:
    desk = a_desk()
    before = desk.state.hash()
    with pytest.raises(BadInput, match=sentence):
        desk.give(command)  # type: ignore[arg-type]
    assert desk.state.hash() == before


# --- the latch file


def test_what_the_latch_file_holds_is_recorded_once_and_never_refused() -> None:
    desk = a_desk()
    works(desk)
    nowhere = HaltTrading(HaltTier.HALT, "file", "", HaltScope.ACCOUNT, "nobody knows it")
    found = LatchFound((HaltTrading(HaltTier.CANCEL_ALL, "file"), nowhere))
    desk.give(found, found)
    assert [(event.tier, event.from_file) for event in desk.of(Halted)] == [(HaltTier.CANCEL_ALL, True), (HaltTier.HALT, True)]
    assert len(desk.of(SendCancel)) == 1


def test_a_day_order_that_waits_out_a_halt_expires_with_its_day() -> None:
    desk = a_desk()
    order = desk.order(buy(MOUTAI, 100, tif=TimeInForce.DAY))
    halt(desk)
    desk.give(SendOutcome(BROKER, order.cl_ord_id, "NOT_SENT", "reset"))
    assert desk.known(order.cl_ord_id).ord_status is OrdStatus.STAGED


def test_a_halt_is_not_at_its_end_while_the_broker_works_an_order_that_is_over_in_our_books() -> None:
    desk = a_desk()
    order = desk.order(buy(MOUTAI, 100))
    desk.ack(order)
    desk.give(CancelAck(BROKER, order.cl_ord_id))
    desk.give(HaltTrading(HaltTier.CANCEL_ALL, "ann", "enough"))
    assert desk.state.halts[1].done

    desk.wait(60)
    desk.give(a_snapshot(as_of=desk.now, orders=(their_order(order.cl_ord_id, MOUTAI, Side.BUY, 100, OrdStatus.NEW),)))
    desk.effects.clear()
    desk.give(TimerFired("halt", "1"))

    last = desk.of(HaltChecked)[-1]
    assert (last.open_orders, last.done) == (1, False)
    assert last.text == f"1 open order left, 1 ended here and at work at the broker ({order.cl_ord_id}): cancel there"
    assert [(alert.level, alert.key) for alert in desk.of(RaiseAlert)] == [("CRITICAL", "halt_open:1")]

    desk.wait(60)
    desk.give(a_snapshot(as_of=desk.now, orders=(their_order(order.cl_ord_id, MOUTAI, Side.BUY, 100, OrdStatus.CANCELED),)))
    desk.give(TimerFired("halt", "1"))
    assert desk.state.halts[1].done


def test_an_order_over_here_and_at_work_there_keeps_no_halt_of_another_symbol_open() -> None:
    desk = a_desk()
    order = desk.order(buy(MOUTAI, 100))
    desk.ack(order)
    desk.give(CancelAck(BROKER, order.cl_ord_id))
    desk.wait(60)
    desk.give(a_snapshot(as_of=desk.now, orders=(their_order(order.cl_ord_id, MOUTAI, Side.BUY, 100, OrdStatus.NEW),)))
    desk.give(HaltTrading(HaltTier.CANCEL_ALL, "ann", "enough", HaltScope.SYMBOL, PINGAN))
    assert desk.state.halts[1].done
