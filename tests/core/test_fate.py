"""The three fates of an order at the wire: surely not sent, surely answered, and perhaps there, which only proof ends."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tradeloop.core import follow
from tradeloop.core.commands import CancelOrder, OpenTradingDay, ResolveOrder, SubmitOrder
from tradeloop.core.effects import RaiseAlert, SendOrder, SetTimer, TakeSnapshot
from tradeloop.core.errors import BadInput
from tradeloop.core.events import (
    AbsenceSeen,
    BreakChanged,
    ExternalOrderFound,
    FateLost,
    NotSentProven,
    OrderCanceled,
    OrderResolved,
    SendBegun,
)
from tradeloop.core.inputs import Start, TimerFired
from tradeloop.core.order import Order
from tradeloop.core.replies import Done, OrderReply
from tradeloop.core.reports import BrokerDown, BrokerUp, CancelAck, OpenOrder, OrderAck, OrderReject, SendOutcome
from tradeloop.core.types import (
    SECOND_NS,
    AccountID,
    ClOrdID,
    Currency,
    OrderID,
    OrdStatus,
    OrdType,
    Qty,
    Side,
    TradingDay,
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

MOUTAI, PING_AN = "600519.SH", "000001.SZ"


def a_desk(**opened: Any) -> Desk:
    return Desk().opened(an_instrument(), an_instrument(PING_AN), **opened)


def accepted(desk: Desk, command: SubmitOrder) -> bool:
    """Whether the order is on its way."""
    return desk.order(command).ord_status is OrdStatus.PENDING_NEW


def status(desk: Desk, order: Order) -> OrdStatus:
    return desk.known(order.cl_ord_id).ord_status


def not_sent(desk: Desk, order: Order) -> None:
    desk.give(SendOutcome(BROKER, order.cl_ord_id, "NOT_SENT", "connection refused"))


def lose(desk: Desk, order: Order) -> None:
    desk.give(SendOutcome(BROKER, order.cl_ord_id, "UNKNOWN", "timed out"))


def resend(desk: Desk, order: Order) -> None:
    desk.give(a_quote(at=desk.now), TimerFired("resend", order.cl_ord_id))


def look(desk: Desk, *orders: OpenOrder, **changes: Any) -> None:
    desk.give(a_snapshot(as_of=desk.now, orders=orders, **changes))


def an_unknown_order(desk: Desk) -> Order:
    order = desk.order(buy(MOUTAI, 100))
    lose(desk, order)
    return order


def sent(desk: Desk, order: Order) -> int:
    return len([e for e in desk.of(SendOrder) if e.order.order.cl_ord_id == order.cl_ord_id])


# --- surely not sent


def test_what_was_surely_not_sent_is_tried_again_after_one_two_and_five_seconds_and_then_left_to_a_person() -> None:
    """S1-43."""
    desk = a_desk()
    order = desk.order(buy(MOUTAI, 100))
    for seconds in (1, 2, 5):
        not_sent(desk, order)
        due = [t.due for t in desk.of(SetTimer) if t.kind == "resend"][-1]
        assert due == desk.now + seconds * SECOND_NS
        desk.wait(seconds)
        resend(desk, order)
    assert (len(desk.of(SendBegun)), status(desk, order)) == (4, OrdStatus.PENDING_NEW)
    not_sent(desk, order)
    assert status(desk, order) is OrdStatus.CANCELED
    assert desk.known(order.cl_ord_id).text.startswith("never sent: 4 tries failed")
    assert desk.known(order.cl_ord_id).given_up
    assert [a.key for a in desk.of(RaiseAlert)] == [f"never_sent:{order.cl_ord_id}"]


def test_the_words_of_a_broker_do_not_make_an_order_one_that_never_left() -> None:
    desk = a_desk()
    order = desk.order(buy(MOUTAI, 100))
    desk.ack(order)
    desk.give(CancelAck(BROKER, order.cl_ord_id, "never sent: to the venue, that is"))
    assert not desk.known(order.cl_ord_id).given_up
    assert desk.of(RaiseAlert) == []


def test_a_second_try_carries_the_same_id() -> None:
    desk = a_desk()
    order = desk.order(buy(MOUTAI, 100))
    not_sent(desk, order)
    desk.wait(1)
    resend(desk, order)
    assert sent(desk, order) == 2


def test_looks_at_the_books_make_no_attempt_come_sooner() -> None:
    """S1-43: each of them asks whether staged orders may go; an order that could not leave was given up in two seconds."""
    desk = a_desk()
    order = desk.order(buy(MOUTAI, 100))
    for attempts, seconds in enumerate((1, 2, 5), start=1):
        not_sent(desk, order)
        for _ in range(3):
            desk.wait(0.25)
            desk.give(a_quote(at=desk.now))
            look(desk)
        assert (status(desk, order), sent(desk, order)) == (OrdStatus.STAGED, attempts)
        desk.wait(seconds - 0.75)
        desk.give(a_quote(at=desk.now))
        look(desk)
        assert sent(desk, order) == attempts + 1


def test_a_new_process_waits_as_long_as_the_one_before_it_would_have() -> None:
    desk = a_desk()
    order = desk.order(buy(MOUTAI, 100))
    for wait in (1, 0.2):
        not_sent(desk, order)
        desk.wait(wait)
        if wait == 1:
            resend(desk, order)
    timers = [effect for effect in follow.after_restart(desk.state, desk.around) if isinstance(effect, SetTimer)]
    desk.effects.clear()
    desk.give(Start(2, "test", "t1", predecessor_dead=True))
    assert [timer.due - desk.now for timer in timers if timer.kind == "resend"] == [18 * SECOND_NS // 10]
    desk.give(BrokerUp(BROKER))
    look(desk)
    assert sent(desk, order) == 0
    desk.wait(1.8)
    resend(desk, order)
    assert sent(desk, order) == 1


def test_a_clock_that_was_set_back_holds_no_attempt_back() -> None:
    """How long ago the last one failed is not known then; it may wait no hour."""
    desk = a_desk()
    order = desk.order(buy(MOUTAI, 100))
    not_sent(desk, order)
    desk.wait(-3600)
    desk.give(a_quote(at=desk.now))
    look(desk)
    assert sent(desk, order) == 2


def test_what_is_never_sent_gives_its_cash_back() -> None:
    desk = a_desk()
    order = desk.order(buy(MOUTAI, 100))
    not_sent(desk, order)
    desk.give(CancelOrder(order.cl_ord_id, "tester"))
    assert desk.state.accounts[ACCOUNT].cash[an_instrument().currency].free == Decimal(1_000_000)


def test_an_order_whose_price_ran_away_is_not_sent_late() -> None:
    desk = a_desk()
    order = desk.order(buy(MOUTAI, 100))
    not_sent(desk, order)
    desk.wait(1)
    desk.give(a_quote(bid="10.20", ask="10.21"), TimerFired("resend", order.cl_ord_id))
    assert (status(desk, order), sent(desk, order)) == (OrdStatus.CANCELED, 1)
    assert "moved from 9.995 to 10.205" in desk.known(order.cl_ord_id).text


def test_an_order_whose_price_moved_two_per_cent_at_most_is_sent_late() -> None:
    desk = a_desk()
    order = desk.order(buy(MOUTAI, 100))
    not_sent(desk, order)
    desk.wait(1)
    desk.give(a_quote(bid="10.18", ask="10.20"), TimerFired("resend", order.cl_ord_id))
    assert sent(desk, order) == 2


def test_an_order_is_not_sent_late_into_a_closed_market() -> None:
    desk = a_desk()
    order = desk.order(buy(MOUTAI, 100))
    not_sent(desk, order)
    desk.wait(2 * 86_400)
    resend(desk, order)
    assert status(desk, order) is OrdStatus.CANCELED


def test_an_order_that_cannot_go_while_the_broker_is_away_waits_for_it() -> None:
    desk = a_desk()
    order = desk.order(buy(MOUTAI, 100))
    not_sent(desk, order)
    desk.give(BrokerDown(BROKER, "gone"))
    resend(desk, order)
    assert status(desk, order) is OrdStatus.STAGED
    desk.wait(1)
    desk.give(BrokerUp(BROKER), a_snapshot(as_of=desk.now))
    assert sent(desk, order) == 2


@pytest.mark.parametrize("spoke", ["ack", "fill"])
def test_an_order_the_broker_spoke_of_is_never_sent_again_whatever_the_wire_had_said(spoke: str) -> None:
    """S0-65: the resend timer is already running when the broker's word arrives."""
    desk = a_desk()
    order = desk.order(buy(MOUTAI, 100))
    not_sent(desk, order)
    if spoke == "ack":
        desk.ack(order)
    else:
        desk.give(an_execution(order.cl_ord_id, MOUTAI, Side.BUY, 40, "10"))
    desk.wait(1)
    resend(desk, order)
    assert sent(desk, order) == 1


def test_a_rejected_order_is_not_sent_again() -> None:
    desk = a_desk()
    order = desk.order(buy(MOUTAI, 100))
    desk.give(OrderReject(BROKER, order.cl_ord_id, "7", "no"))
    resend(desk, order)
    assert sent(desk, order) == 1


# --- perhaps sent


def test_a_lost_answer_makes_the_fate_unknown_and_not_rejected() -> None:
    """D7."""
    desk = a_desk()
    order = an_unknown_order(desk)
    assert status(desk, order) is OrdStatus.UNKNOWN
    assert [a.level for a in desk.of(RaiseAlert)] == ["WARNING"]


def test_silence_past_the_time_out_makes_the_fate_unknown() -> None:
    desk = a_desk()
    order = desk.order(buy(MOUTAI, 100))
    desk.wait(4.9)
    desk.give(TimerFired("ack_timeout", order.cl_ord_id))
    assert status(desk, order) is OrdStatus.PENDING_NEW
    desk.wait(0.1)
    desk.give(TimerFired("ack_timeout", order.cl_ord_id))
    assert status(desk, order) is OrdStatus.UNKNOWN


def test_the_time_out_of_the_first_try_does_not_count_against_the_second() -> None:
    desk = a_desk()
    order = desk.order(buy(MOUTAI, 100))
    desk.wait(1)
    not_sent(desk, order)
    desk.wait(1)
    resend(desk, order)
    desk.wait(3)
    desk.give(TimerFired("ack_timeout", order.cl_ord_id))
    assert status(desk, order) is OrdStatus.PENDING_NEW


def test_an_acknowledged_order_has_no_time_out() -> None:
    desk = a_desk()
    order = desk.order(buy(MOUTAI, 100))
    desk.ack(order)
    desk.wait(10)
    desk.give(TimerFired("ack_timeout", order.cl_ord_id))
    assert status(desk, order) is OrdStatus.NEW


def test_a_lost_session_makes_the_fate_of_what_was_in_flight_unknown_and_of_nothing_else() -> None:
    desk = a_desk()
    acked, in_flight = desk.order(buy(MOUTAI, 100)), desk.order(buy(PING_AN, 100))
    staged = desk.order(buy(MOUTAI, 100, ord_type=OrdType.STOP, stop_px="11"))
    desk.ack(acked)
    desk.give(BrokerDown(BROKER, "reset by peer"))
    found = [status(desk, order) for order in (acked, in_flight, staged)]
    assert found == [OrdStatus.NEW, OrdStatus.UNKNOWN, OrdStatus.STAGED]


def test_a_session_lost_twice_is_one_loss() -> None:
    desk = a_desk()
    desk.order(buy(MOUTAI, 100))
    desk.give(BrokerDown(BROKER, "gone"))
    before = desk.state.hash()
    desk.give(BrokerDown(BROKER, "gone"))
    assert desk.state.hash() == before


def test_a_restart_doubts_what_was_in_flight_and_sends_nothing() -> None:
    """D7: a crash between send and save."""
    desk = a_desk()
    order = desk.order(buy(MOUTAI, 100))
    desk.give(Start(2, "test", "t1"))
    assert (status(desk, order), sent(desk, order)) == (OrdStatus.UNKNOWN, 1)


def test_an_unknown_order_is_never_sent_again_by_a_timer_a_reconnect_or_a_restart() -> None:
    desk = a_desk()
    order = an_unknown_order(desk)
    resend(desk, order)
    desk.give(BrokerDown(BROKER, "gone"), BrokerUp(BROKER), a_snapshot(as_of=desk.now, orders_complete=False))
    desk.give(Start(2, "test", "t1"), BrokerUp(BROKER), a_snapshot(as_of=desk.now, orders_complete=False))
    assert (status(desk, order), sent(desk, order)) == (OrdStatus.UNKNOWN, 1)


def test_an_unknown_order_keeps_its_cash() -> None:
    desk = a_desk()
    an_unknown_order(desk)
    assert desk.state.accounts[ACCOUNT].cash[an_instrument().currency].reserved == Decimal("1010.00")


def test_while_a_fate_is_unknown_its_symbol_takes_no_other_order_and_other_symbols_do() -> None:
    desk = a_desk(positions={MOUTAI: 100})
    an_unknown_order(desk)
    for command in (buy(MOUTAI, 100), sell(MOUTAI, 100)):
        reply = desk.give(command)
        assert isinstance(reply, OrderReply)
        assert reply.denied is not None
        assert reply.denied.rule == "fate_unknown"
    assert accepted(desk, buy(PING_AN, 100))


@pytest.mark.parametrize("proof", ["ack", "reject", "fill", "book"])
def test_any_word_of_the_broker_about_the_order_ends_the_doubt(proof: str) -> None:
    desk = a_desk()
    order = an_unknown_order(desk)
    match proof:
        case "ack":
            desk.give(OrderAck(BROKER, order.cl_ord_id, OrderID("b1")))
        case "reject":
            desk.give(OrderReject(BROKER, order.cl_ord_id, "7", "no"))
        case "fill":
            desk.give(an_execution(order.cl_ord_id, MOUTAI, Side.BUY, 100, "10"))
        case _:
            look(desk, their_order(order.cl_ord_id, MOUTAI, Side.BUY, 100, OrdStatus.NEW))
    assert desk.state.unknown == {}
    assert accepted(desk, buy(MOUTAI, 100))


def prove_absence(desk: Desk, looks: int = 3, every: float = 6.0) -> None:
    for _ in range(looks):
        desk.wait(every)
        desk.give(a_quote(at=desk.now))
        look(desk)


def test_three_complete_looks_over_long_enough_prove_that_it_never_arrived_and_it_is_sent() -> None:
    desk = a_desk()
    order = an_unknown_order(desk)
    prove_absence(desk)
    assert [e.looks for e in desk.of(NotSentProven)] == [3]
    assert (status(desk, order), sent(desk, order)) == (OrdStatus.PENDING_NEW, 2)


def test_two_looks_prove_nothing() -> None:
    desk = a_desk()
    order = an_unknown_order(desk)
    prove_absence(desk, looks=2, every=30)
    assert (status(desk, order), len(desk.of(AbsenceSeen))) == (OrdStatus.UNKNOWN, 2)


def test_many_looks_before_a_request_could_have_arrived_and_shown_prove_nothing() -> None:
    """It may be handed over until its last moment (5 s), take 10 s on its way out, live for 1 s, and show 1 s after that."""
    desk = a_desk()
    order = an_unknown_order(desk)
    prove_absence(desk, looks=56, every=0.3)
    assert status(desk, order) is OrdStatus.UNKNOWN
    prove_absence(desk, looks=1, every=0.2)
    assert status(desk, order) is OrdStatus.PENDING_NEW


def test_the_looks_themselves_lie_apart_by_the_time_a_request_may_take() -> None:
    desk = a_desk()
    order = an_unknown_order(desk)
    desk.wait(60)
    prove_absence(desk, looks=3, every=0.5)
    assert status(desk, order) is OrdStatus.UNKNOWN


def test_a_look_from_before_the_order_was_sent_is_no_look() -> None:
    desk = a_desk()
    desk.wait(1)
    desk.give(a_quote(at=desk.now))
    an_unknown_order(desk)
    desk.give(a_snapshot(as_of=desk.now - SECOND_NS // 2))
    assert desk.of(AbsenceSeen) == []


def test_the_same_look_counts_once() -> None:
    desk = a_desk()
    an_unknown_order(desk)
    desk.wait(1)
    snapshot = a_snapshot(as_of=desk.now)
    desk.give(snapshot, snapshot, snapshot)
    assert len(desk.of(AbsenceSeen)) == 1


def test_what_the_last_process_sent_is_doubted_no_longer_than_a_request_lives() -> None:
    """The operating system says that it is gone: it can hand over nothing any more, so the time counts from the restart."""
    desk = a_desk()
    order = desk.order(buy(MOUTAI, 100))
    desk.wait(1)
    desk.give(Start(2, "test", "t1", predecessor_dead=True), BrokerUp(BROKER))
    prove_absence(desk, every=1.5)
    assert [e.looks for e in desk.of(NotSentProven)] == [3]
    assert status(desk, order) is OrdStatus.PENDING_NEW


def test_what_a_predecessor_may_still_send_when_it_wakes_is_doubted_until_it_may_no_longer() -> None:
    """Its lease ran out, which a paused process does not know: it may hand over for 5 s, take 10 s, live and show for 2 s."""
    desk = a_desk()
    order = desk.order(buy(MOUTAI, 100))
    desk.wait(1)
    desk.give(Start(2, "test", "t1"), BrokerUp(BROKER))
    prove_absence(desk, looks=15, every=1)
    assert (status(desk, order), sent(desk, order)) == (OrdStatus.UNKNOWN, 1)
    prove_absence(desk, looks=1, every=1)
    assert (status(desk, order), sent(desk, order)) == (OrdStatus.PENDING_NEW, 2)


def test_what_a_late_successor_finds_is_doubted_from_its_own_start() -> None:
    desk = a_desk()
    order = desk.order(buy(MOUTAI, 100))
    desk.wait(3600)
    desk.give(Start(2, "test", "t1"), BrokerUp(BROKER))
    prove_absence(desk, every=1.5)
    assert status(desk, order) is OrdStatus.PENDING_NEW


def test_a_slow_failure_of_one_attempt_is_not_taken_for_that_of_the_next() -> None:
    """Two attempts of one order must never be on their way together."""
    desk = a_desk()
    order = an_unknown_order(desk)
    first = desk.of(SendOrder)[0].begun_at
    prove_absence(desk)
    assert sent(desk, order) == 2
    desk.give(SendOutcome(BROKER, order.cl_ord_id, "NOT_SENT", "refused after all", begun_at=first))
    assert status(desk, order) is OrdStatus.PENDING_NEW


def test_a_certain_not_sent_settles_what_a_lost_session_had_made_unknown() -> None:
    """S1-43: it may be sent again when the broker is back."""
    desk = a_desk()
    order = desk.order(buy(MOUTAI, 100))
    begun = desk.of(SendOrder)[0].begun_at
    desk.give(BrokerDown(BROKER, "reset"))
    assert status(desk, order) is OrdStatus.UNKNOWN
    desk.give(SendOutcome(BROKER, order.cl_ord_id, "NOT_SENT", "no session", begun_at=begun))
    assert status(desk, order) is OrdStatus.STAGED
    assert desk.state.unknown == {}


@pytest.mark.parametrize("part", [{"orders": None}, {"orders_complete": False}], ids=["no orders", "open orders only"])
def test_a_look_that_is_not_complete_is_no_look(part: dict[str, Any]) -> None:
    desk = a_desk()
    an_unknown_order(desk)
    desk.wait(10)
    desk.give(a_snapshot(**{"as_of": desk.now, **part}))
    assert desk.of(AbsenceSeen) == []


@pytest.mark.parametrize("since", [0, None])
def test_books_of_a_later_day_prove_that_it_is_over_where_they_show_all_executions_since_it_was_sent(since: int | None) -> None:
    """It may have ended without a trade on its own day, so it is never sent again."""
    desk = a_desk()
    order = an_unknown_order(desk)
    desk.give(OpenTradingDay("CN_A", TradingDay("2026-07-20"), ((UtcNs(desk.now), UtcNs(desk.now + 3600 * SECOND_NS)),)))
    sent_before = sent(desk, order)
    for _ in range(10):
        desk.wait(30)
        shown = None if since is None else UtcNs(since)
        desk.give(a_snapshot(as_of=desk.now, trading_day=TradingDay("2026-07-20"), executions_since=shown))
    over = desk.known(order.cl_ord_id)
    assert (over.is_done, over.reserved == 0) == ((True, True) if since is not None else (False, False))
    assert sent(desk, order) == sent_before


def test_a_new_doubt_needs_a_new_proof() -> None:
    desk = a_desk()
    order = an_unknown_order(desk)
    prove_absence(desk)
    lose(desk, order)
    prove_absence(desk, looks=2)
    assert (status(desk, order), sent(desk, order)) == (OrdStatus.UNKNOWN, 2)


def test_an_order_proven_not_sent_is_checked_again_before_it_is_sent() -> None:
    desk = a_desk()
    order = an_unknown_order(desk)
    for _ in range(3):
        desk.wait(6)
        desk.give(a_quote(bid="10.30", ask="10.31", at=desk.now))
        look(desk)
    assert (status(desk, order), sent(desk, order)) == (OrdStatus.CANCELED, 1)
    assert desk.of(OrderCanceled)[-1].text.startswith("never sent: ")


def test_an_order_proven_not_sent_whose_cancel_was_wanted_ends_there() -> None:
    desk = a_desk()
    order = an_unknown_order(desk)
    desk.give(CancelOrder(order.cl_ord_id, "tester"))
    prove_absence(desk)
    assert (status(desk, order), sent(desk, order)) == (OrdStatus.CANCELED, 1)


def test_an_order_that_shows_after_its_absence_was_proven_is_not_sent_once_more() -> None:
    desk = a_desk()
    order = an_unknown_order(desk)
    desk.give(BrokerDown(BROKER, "gone"))
    prove_absence(desk)
    assert (status(desk, order), sent(desk, order)) == (OrdStatus.STAGED, 1)
    desk.ack(order)
    desk.give(BrokerUp(BROKER), a_snapshot(as_of=desk.now, orders=(_shown(order),)))
    assert (status(desk, order), sent(desk, order)) == (OrdStatus.NEW, 1)


def _shown(order: Order) -> OpenOrder:
    return their_order(order.cl_ord_id, MOUTAI, Side.BUY, 100, OrdStatus.NEW)


# --- asking, and a person


def test_a_prober_asks_again_and_again_while_the_fate_is_unknown() -> None:
    desk = a_desk()
    order = an_unknown_order(desk)
    desk.effects.clear()
    desk.give(TimerFired("probe", order.cl_ord_id))
    assert [type(e) for e in desk.effects] == [TakeSnapshot, SetTimer]
    desk.ack(order)
    desk.effects.clear()
    desk.give(TimerFired("probe", order.cl_ord_id))
    assert desk.effects == []


def probes(desk: Desk, order: Order, seconds: int, **shown: Any) -> list[int]:
    """After how many seconds each the prober asks, where every question is answered with the same books."""
    waits = []
    due = desk.now + SECOND_NS
    ends = desk.now + seconds * SECOND_NS
    while due < ends:
        desk.wait((due - desk.now) / SECOND_NS)
        look(desk, asked_at=desk.now, **shown)
        desk.give(TimerFired("probe", order.cl_ord_id))
        due = desk.of(SetTimer)[-1].due
        waits.append((due - desk.now) // SECOND_NS)
    return waits


def test_a_prober_that_no_look_can_answer_asks_ever_more_rarely() -> None:
    """A fill without an id, which may be of the order, spoils every proof for ever: each look costs the loop that decides."""
    desk = a_desk()
    order = an_unknown_order(desk)
    nameless = an_execution(None, MOUTAI, Side.BUY, 100, 10, transact_at=UtcNs(desk.now + 1), order_id="h1")
    waits = probes(desk, order, 300, executions=(nameless,), positions={MOUTAI: 100}, cash=999_000)
    assert waits == [1, 2, 4, 8, 16, *[30] * len(waits[5:])]
    assert status(desk, order) is OrdStatus.UNKNOWN


def test_a_prober_asks_all_the_time_while_its_looks_prove_something() -> None:
    desk = a_desk()
    order = an_unknown_order(desk)
    assert set(probes(desk, order, 10)) == {1}


def overdue(desk: Desk) -> SetTimer:
    """The newest timer that asks whether a fate is still unknown."""
    return [timer for timer in desk.of(SetTimer) if timer.kind == "overdue"][-1]


def test_a_fate_that_stays_unknown_alerts_a_person_and_asking_the_broker_alerts_nobody() -> None:
    desk = a_desk()
    order = an_unknown_order(desk)
    timer = overdue(desk)
    assert timer.due - desk.now == 10 * SECOND_NS
    for _ in range(10):
        desk.wait(1)
        desk.give(TimerFired("probe", order.cl_ord_id))
    assert [alert.level for alert in desk.of(RaiseAlert)] == ["WARNING"]
    desk.give(TimerFired("overdue", timer.subject))
    alert = desk.of(RaiseAlert)[-1]
    assert alert.level == "CRITICAL"
    assert "has been unknown for 10 s: timed out" in alert.text


def test_a_fate_that_stays_unknown_is_told_again_each_time_it_has_lasted_twice_as_long_and_then_hourly() -> None:
    desk = a_desk()
    an_unknown_order(desk)
    lost = desk.now
    told = []
    for _ in range(12):
        timer = overdue(desk)
        desk.now = timer.due
        desk.give(TimerFired("overdue", timer.subject))
        told.append((desk.now - lost) // SECOND_NS)
    assert told == [10, 20, 40, 80, 160, 320, 640, 1280, 2560, 5120, 8720, 12320]
    assert len(desk.of(RaiseAlert)) == 13


def test_a_fate_that_was_found_and_lost_again_begins_to_be_overdue_anew() -> None:
    desk = a_desk()
    order = an_unknown_order(desk)
    first = overdue(desk)
    desk.wait(5)
    desk.give(SendOutcome(BROKER, order.cl_ord_id, "NOT_SENT", "refused", begun_at=order.send_begun_at))
    desk.wait(1)
    resend(desk, order)
    lose(desk, order)
    told = len(desk.of(RaiseAlert))
    desk.give(TimerFired("overdue", first.subject))
    assert len(desk.of(RaiseAlert)) == told
    assert overdue(desk).due - desk.now == 10 * SECOND_NS


@pytest.mark.parametrize("decision", ["NOT_SENT", "CANCELED"])
def test_a_person_may_end_the_doubt_with_a_reason(decision: str) -> None:
    desk = a_desk()
    order = an_unknown_order(desk)
    desk.give(ResolveOrder(order.cl_ord_id, decision, "ann", "the broker said so on the phone"))
    assert status(desk, order) is OrdStatus.CANCELED
    assert [(e.as_, e.by, e.reason) for e in desk.of(OrderResolved)] == [(decision, "ann", "the broker said so on the phone")]
    assert desk.state.accounts[AccountID("demo")].cash[an_instrument().currency].reserved == 0
    assert accepted(desk, buy(MOUTAI, 100))


@pytest.mark.parametrize(
    ("decision", "reason", "sentence"),
    [
        ("NOT_SENT", "", "a reason is needed"),
        ("NOT_SENT", "  ", "a reason is needed"),
        ("FILLED", "I saw it", "--as was 'FILLED'; expected NOT_SENT or CANCELED"),
    ],
)
def test_a_decision_without_a_reason_or_of_another_kind_is_refused(decision: str, reason: str, sentence: str) -> None:
    desk = a_desk()
    order = an_unknown_order(desk)
    before = desk.state.hash()
    with pytest.raises(BadInput, match=sentence):
        desk.give(ResolveOrder(order.cl_ord_id, decision, "ann", reason))
    assert desk.state.hash() == before


def an_order_shown_with_fills_that_nobody_has(status: OrdStatus, order_qty: int) -> tuple[Desk, Order]:
    """The broker's books say that 100 of an acknowledged order are filled, and show no execution of it."""
    desk = Desk().opened(an_instrument())
    order = desk.order(buy(MOUTAI, order_qty, ord_type=OrdType.LIMIT, price="10"))
    desk.ack(order)
    desk.wait(60)
    shown = their_order(order.cl_ord_id, MOUTAI, Side.BUY, order_qty, status, cum_qty=Qty(Decimal(100)))
    desk.give(a_snapshot(orders=(shown,), as_of=desk.now, executions_since=UtcNs(0)))
    assert [known.kind for known in desk.state.breaks.values()] == ["order_qty"]
    return desk, order


def test_an_order_that_the_broker_says_has_filled_otherwise_is_ended_by_a_person() -> None:
    """Else nobody could: its money stays promised, and a halt asks for its cancel for ever."""
    desk, order = an_order_shown_with_fills_that_nobody_has(OrdStatus.FILLED, order_qty=100)
    desk.give(ResolveOrder(order.cl_ord_id, "CANCELED", "ann", "the broker has no execution of it"))
    assert desk.known(order.cl_ord_id).is_done
    assert desk.state.accounts[ACCOUNT].cash[Currency("CNY")].reserved == 0


def test_an_order_that_still_works_there_is_not_ended_by_hand_while_its_executions_are_late() -> None:
    """It would be sent anew by a retry, and its money given out twice."""
    desk, order = an_order_shown_with_fills_that_nobody_has(OrdStatus.PARTIALLY_FILLED, order_qty=1000)
    with pytest.raises(BadInput, match="nothing to resolve"):
        desk.give(ResolveOrder(order.cl_ord_id, "CANCELED", "ann", "the broker is slow"))


@pytest.mark.parametrize("ended", [OrdStatus.CANCELED, OrdStatus.EXPIRED, OrdStatus.REJECTED])
def test_an_order_that_has_ended_there_with_fills_that_nobody_shows_is_ended_by_a_person(ended: OrdStatus) -> None:
    """It has filled in part and trades no more, and no look tells the fills: nothing else ends it before its day is over."""
    desk, order = an_order_shown_with_fills_that_nobody_has(ended, order_qty=1000)
    (known,) = desk.state.breaks.values()
    assert f"tradeloop orders resolve {order.cl_ord_id} --as CANCELED" in known.repair
    with pytest.raises(BadInput, match="a reason is needed"):
        desk.give(ResolveOrder(order.cl_ord_id, "CANCELED", "ann", " "))
    desk.give(ResolveOrder(order.cl_ord_id, "CANCELED", "ann", "the broker says that it is over"))
    assert status(desk, order) is OrdStatus.CANCELED
    assert desk.state.accounts[ACCOUNT].cash[Currency("CNY")].reserved == 0
    assert not desk.state.breaks

    desk.give(an_execution(order.cl_ord_id, MOUTAI, Side.BUY, 100, "10"))
    assert desk.state.held(order.account, order.symbol).long_qty == Decimal(100)


def test_what_a_person_may_end_an_order_by_is_what_the_last_look_showed() -> None:
    desk, order = an_order_shown_with_fills_that_nobody_has(OrdStatus.PARTIALLY_FILLED, order_qty=1000)

    def seen(status: OrdStatus) -> None:
        desk.wait(10)
        shown = their_order(order.cl_ord_id, MOUTAI, Side.BUY, 1000, status, cum_qty=Qty(Decimal(100)))
        look(desk, shown, executions_since=UtcNs(0))

    seen(OrdStatus.CANCELED)
    seen(OrdStatus.CANCELED)
    assert [e.ended for e in desk.of(BreakChanged)] == [True], "the same figures, and the order is over there"
    seen(OrdStatus.PARTIALLY_FILLED)
    with pytest.raises(BadInput, match="nothing to resolve"):
        desk.give(ResolveOrder(order.cl_ord_id, "CANCELED", "ann", "it was over a moment ago"))
    seen(OrdStatus.CANCELED)
    desk.give(ResolveOrder(order.cl_ord_id, "CANCELED", "ann", "the broker says that it is over"))
    assert desk.known(order.cl_ord_id).is_done


def test_only_an_unknown_order_can_be_resolved() -> None:
    desk = a_desk()
    order = desk.order(buy(MOUTAI, 100))
    with pytest.raises(BadInput, match="is PENDING_NEW, neither UNKNOWN nor missing"):
        desk.give(ResolveOrder(order.cl_ord_id, "NOT_SENT", "ann", "why"))
    with pytest.raises(BadInput, match="order was 'nobody', which is not known"):
        desk.give(ResolveOrder(ClOrdID("nobody"), "NOT_SENT", "ann", "why"))


def test_a_fill_after_a_persons_decision_is_booked_all_the_same() -> None:
    desk = a_desk()
    order = an_unknown_order(desk)
    desk.give(ResolveOrder(order.cl_ord_id, "NOT_SENT", "ann", "thought so"))
    desk.give(an_execution(order.cl_ord_id, MOUTAI, Side.BUY, 100, "10"))
    assert status(desk, order) is OrdStatus.FILLED
    assert desk.state.held(order.account, order.symbol).long_qty == Decimal(100)


def test_the_fixed_time_out_cancels_what_has_not_filled() -> None:
    """S1-58."""
    desk = a_desk()
    order = desk.order(buy(MOUTAI, 100))
    desk.ack(order)
    order.cancel_at = UtcNs(desk.now + SECOND_NS)
    desk.give(TimerFired("order_timeout", order.cl_ord_id))
    assert status(desk, order) is OrdStatus.NEW
    desk.wait(1)
    desk.give(TimerFired("order_timeout", order.cl_ord_id))
    assert status(desk, order) is OrdStatus.PENDING_CANCEL


def test_the_loss_of_a_fate_is_told_once() -> None:
    desk = a_desk()
    order = an_unknown_order(desk)
    lose(desk, order)
    desk.give(BrokerDown(BROKER, "gone"), TimerFired("ack_timeout", order.cl_ord_id))
    assert len(desk.of(FateLost)) == 1


def test_a_clock_set_forward_between_two_looks_proves_nothing() -> None:
    """F61, invariants 6 and 40: the broker's clock has to have gone on as long as ours."""
    desk = a_desk()
    order = an_unknown_order(desk)
    desk.wait(1)
    desk.give(a_snapshot(as_of=desk.now + 3600 * SECOND_NS, asked_at=desk.now))
    desk.wait(3600)  # set right
    prove_absence(desk, looks=5, every=1)
    assert status(desk, order) is OrdStatus.UNKNOWN
    prove_absence(desk, looks=2, every=6)
    assert [e.looks for e in desk.of(NotSentProven)] == [8]


def test_a_clock_that_was_an_hour_behind_at_the_first_look_does_not_lengthen_the_doubt_by_an_hour() -> None:
    """F61, invariant 40: set right, it makes the first look seem long before this process; a send is never that late."""
    desk = a_desk()
    order = an_unknown_order(desk)
    desk.wait(1)
    desk.give(a_snapshot(as_of=desk.now + 3600 * SECOND_NS, asked_at=desk.now))
    desk.wait(3600)  # set right
    desk.give(Start(2, "test", "t1"), BrokerUp(BROKER))
    prove_absence(desk, looks=2, every=6)
    assert status(desk, order) is OrdStatus.UNKNOWN
    prove_absence(desk, looks=2, every=6)
    assert status(desk, order) is OrdStatus.PENDING_NEW


# --- what the books show without an id


def a_nameless_order(desk: Desk, qty: int = 100) -> OpenOrder:
    """It works under a number alone, and came after ours was sent: it may be ours."""
    return their_order(None, MOUTAI, Side.BUY, qty, OrdStatus.NEW, order_id=OrderID("n1"))


def test_an_order_that_a_nameless_one_may_be_is_never_proven_absent_and_a_person_is_told_what_to_do() -> None:
    """It waits for ever otherwise: safe, with its exposure reserved, and nobody would know how it ends."""
    desk = a_desk()
    order = an_unknown_order(desk)
    desk.wait(1)
    look(desk)
    desk.effects.clear()
    for _ in range(6):
        desk.wait(10)
        look(desk, a_nameless_order(desk))
    desk.give(TimerFired("overdue", f"{order.cl_ord_id}|{desk.known(order.cl_ord_id).unknown_at}"))

    assert (status(desk, order), desk.of(NotSentProven)) == (OrdStatus.UNKNOWN, [])
    (alert,) = [alert for alert in desk.of(RaiseAlert) if alert.key == f"unknown:{order.cl_ord_id}"]
    assert alert.level == "CRITICAL"
    assert f"tradeloop orders resolve {order.cl_ord_id} --as NOT_SENT|CANCELED --reason" in alert.text


@pytest.mark.parametrize("ended", [OrdStatus.CANCELED, OrdStatus.REJECTED, OrdStatus.EXPIRED])
def test_an_order_that_ended_without_a_fill_and_without_an_id_may_be_the_one_in_doubt(ended: OrdStatus) -> None:
    """Invariant 6: it was there, whatever the broker has forgotten of it, and another one under its id would be sent twice."""
    desk = a_desk()
    order = an_unknown_order(desk)
    for _ in range(6):
        desk.wait(6)
        desk.give(a_quote(at=desk.now))
        look(desk, their_order(None, MOUTAI, Side.BUY, 100, ended, order_id=OrderID("n1")))
    assert (status(desk, order), sent(desk, order)) == (OrdStatus.UNKNOWN, 1)


@pytest.mark.parametrize(("size", "proven"), [(1, False), (99, False), (100, False), (101, True)])
def test_a_venue_may_have_made_the_order_in_doubt_smaller_before_anybody_looked(size: int, proven: bool) -> None:
    """F30, F82, invariant 6: what is larger than ours is another one."""
    desk = a_desk()
    order = an_unknown_order(desk)
    for _ in range(6):
        desk.wait(6)
        desk.give(a_quote(at=desk.now))
        look(desk, their_order(None, MOUTAI, Side.BUY, size, OrdStatus.CANCELED, order_id=OrderID("n1")))
    assert bool(desk.of(NotSentProven)) is proven
    assert (status(desk, order) is OrdStatus.UNKNOWN) is not proven


def test_a_nameless_order_found_after_a_restart_came_after_the_send_whatever_the_clocks_say() -> None:
    """F61, F82, invariant 6: the clock of the process that sent it was ahead of that of its successor."""
    desk = a_desk()
    order = desk.order(buy(MOUTAI, 100))
    desk.wait(-12)
    desk.give(Start(2, "test", "t1"), BrokerUp(BROKER))
    look(desk, a_nameless_order(desk))
    (found,) = desk.of(ExternalOrderFound)
    begun = desk.known(order.cl_ord_id).send_begun_at
    assert begun is not None
    assert found.at < begun
    for _ in range(6):
        desk.wait(6)
        desk.give(a_quote(at=desk.now))
        look(desk, their_order(None, MOUTAI, Side.BUY, 100, OrdStatus.CANCELED, order_id=OrderID("n1")))
    assert (status(desk, order), desk.of(NotSentProven), sent(desk, order)) == (OrdStatus.UNKNOWN, [], 1)


def test_the_alert_says_that_no_look_could_prove_anything() -> None:
    desk = a_desk()
    order = an_unknown_order(desk)
    desk.wait(10)
    look(desk, a_nameless_order(desk))
    desk.give(TimerFired("overdue", f"{order.cl_ord_id}|{desk.known(order.cl_ord_id).unknown_at}"))
    (alert,) = [alert for alert in desk.of(RaiseAlert) if alert.level == "CRITICAL"]
    assert "an order or a fill without an id in them may be this one" in alert.text


@pytest.mark.parametrize(("was", "strangers"), [("ours", 0), ("another's", 100)])
def test_a_person_resolves_it_and_nothing_counts_twice(was: str, strangers: int) -> None:
    desk = a_desk()
    order = an_unknown_order(desk)
    desk.wait(10)
    look(desk, a_nameless_order(desk))
    (found,) = desk.of(ExternalOrderFound)
    desk.give(ResolveOrder(order.cl_ord_id, "NOT_SENT", "ann", "the broker says so"))
    assert status(desk, order) is OrdStatus.CANCELED
    assert desk.state.accounts[ACCOUNT].cash[an_instrument().currency].free == Decimal(1_000_000)
    if was == "ours":
        desk.ack(order, "n1")  # the person was wrong
    desk.give(an_execution(None, MOUTAI, Side.BUY, 100, "10", "e1", order_id=OrderID("n1")))
    assert desk.known(found.cl_ord_id).cum_qty == strangers
    assert desk.known(order.cl_ord_id).cum_qty == 100 - strangers
    assert desk.state.held(ACCOUNT, order.symbol).long_qty == 100


def test_who_resolves_an_order_that_may_still_arrive_is_told_until_when() -> None:
    desk = a_desk()
    order = an_unknown_order(desk)
    done = desk.give(ResolveOrder(order.cl_ord_id, "NOT_SENT", "ann", "the broker does not show it"))
    assert isinstance(done, Done)
    assert "it may still arrive at paper until 04:00:" in done.text
    later = an_unknown_order(desk)
    desk.wait(60)
    done = desk.give(ResolveOrder(later.cl_ord_id, "NOT_SENT", "ann", "the broker does not show it"))
    assert isinstance(done, Done)
    assert "may still arrive" not in done.text
