"""Replaces whose answer is lost: they wait, are never sent again, and the broker's books say which terms hold."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from tests.core.test_replace import ask, done, fill, frozen, now, refused, reserved, working

from tradeloop.core.effects import RaiseAlert, SendReplace, SetTimer, TakeSnapshot
from tradeloop.core.errors import BadInput
from tradeloop.core.events import OrderReplaced, OrderRestated, Overfilled, ReplaceFateLost, ReplaceRejected
from tradeloop.core.inputs import Start, TimerFired
from tradeloop.core.order import Order
from tradeloop.core.reports import BrokerDown, BrokerUp, OpenOrder, OrderRestate, ReplaceOutcome
from tradeloop.core.types import SECOND_NS, OrderID, OrdStatus, Px, Qty, Side, UtcNs
from tradeloop.testing.builders import BROKER, a_snapshot, their_order
from tradeloop.testing.desk import Desk

MOUTAI = "600519.SH"


def shown(order: Order, qty: int, price: str = "10.00", status: OrdStatus = OrdStatus.NEW, cum: int = 0) -> OpenOrder:
    """Our order as the broker's books show it."""
    return their_order(order.cl_ord_id, MOUTAI, order.side, qty, status, cum_qty=Qty(Decimal(cum)), price=Px(Decimal(price)))


def look(desk: Desk, *orders: OpenOrder, **changes: Any) -> None:
    desk.give(a_snapshot(positions={MOUTAI: 3000}, orders=orders, as_of=desk.now, **changes))


def lost(qty: int = 2000, price: str | None = None, *, side: Side = Side.BUY) -> tuple[Desk, Order]:
    """A replace that went out, and nobody knows whether it arrived."""
    desk, order = working(side=side)
    desk.give(ask(order, qty, price), ReplaceOutcome(BROKER, order.cl_ord_id, 1, "UNKNOWN", "timed out"))
    return desk, order


def test_a_replace_of_unknown_fate_stays_pending_and_keeps_what_both_terms_may_cost() -> None:
    desk, order = lost()
    assert now(desk, order)[:2] == (OrdStatus.PENDING_REPLACE, 1000)
    assert reserved(desk) == 20_000
    assert desk.of(ReplaceFateLost)[0].text == "timed out"


def test_it_is_never_sent_again() -> None:
    """At most one attempt on the wire: a venue may count a second one as another change, or make another order of it."""
    desk, order = lost()
    desk.give(BrokerDown(BROKER, "gone"), BrokerUp(BROKER))
    look(desk, shown(order, 1000))
    for _ in range(20):
        desk.wait(1)
        desk.give(TimerFired("replace_timeout", order.cl_ord_id), TimerFired("probe", order.cl_ord_id))
    assert len(desk.of(SendReplace)) == 1


def test_it_bars_further_changes_until_it_is_settled() -> None:
    desk, order = lost()
    with pytest.raises(BadInput, match=r"the fate of replace 1 of order \w+ \(2000 at 10\.00\) is unknown"):
        desk.give(ask(order, 3000))


def test_books_that_show_the_new_terms_prove_that_it_arrived() -> None:
    desk, order = lost(2000, "9.90")
    desk.wait(3)
    look(desk, shown(order, 2000, "9.90"))
    assert now(desk, order)[:4] == (OrdStatus.NEW, 2000, 0, 2000)
    assert [e.number for e in desk.of(OrderReplaced)] == [1]
    assert reserved(desk) == 19_800


def test_books_that_show_the_old_terms_prove_nothing_while_the_request_may_still_arrive() -> None:
    desk, order = lost()
    desk.wait(16)
    look(desk, shown(order, 1000))
    assert now(desk, order)[0] is OrdStatus.PENDING_REPLACE


def test_books_that_show_the_old_terms_long_after_prove_that_it_did_not_arrive() -> None:
    desk, order = lost()
    desk.wait(18)
    look(desk, shown(order, 1000))
    assert now(desk, order)[:4] == (OrdStatus.NEW, 1000, 0, 1000)
    assert desk.of(ReplaceRejected)[0].code == "not_delivered"
    assert reserved(desk) == 10_000


def test_an_answer_is_worth_more_than_that_proof() -> None:
    desk, order = lost()
    desk.wait(18)
    look(desk, shown(order, 1000))
    desk.give(done(order, 2000))
    assert now(desk, order)[:4] == (OrdStatus.NEW, 2000, 0, 2000)
    assert reserved(desk) == 20_000


def test_the_larger_quantity_shows_before_its_fills_are_judged() -> None:
    """The answer and some fills were lost: the books show both, and nothing was overfilled."""
    desk, order = lost()
    desk.wait(3)
    look(desk, shown(order, 2000, cum=1500), executions=(fill(order, 1500),))
    assert now(desk, order)[:4] == (OrdStatus.PARTIALLY_FILLED, 2000, 1500, 500)
    assert desk.of(Overfilled) == []


def test_a_quantity_below_what_had_filled_shows_as_what_had_filled() -> None:
    """FIX C.3.c, its answer lost."""
    desk, order = lost(300)
    desk.give(fill(order, 500))
    desk.wait(3)
    look(desk, shown(order, 500, status=OrdStatus.FILLED, cum=500))
    assert now(desk, order)[:4] == (OrdStatus.FILLED, 500, 500, 0)


def test_of_two_lost_replaces_the_books_say_how_far_they_came() -> None:
    desk, order = working()
    desk.give(ask(order, 2000), ask(order, 3000), BrokerDown(BROKER, "gone"), BrokerUp(BROKER))
    desk.wait(18)
    look(desk, shown(order, 2000))
    assert now(desk, order)[:2] == (OrdStatus.PENDING_REPLACE, 2000)
    desk.wait(2)
    look(desk, shown(order, 2000))
    assert now(desk, order)[:4] == (OrdStatus.NEW, 2000, 0, 2000)
    assert reserved(desk) == 20_000


def test_an_order_that_filled_and_is_gone_from_books_of_working_orders_did_not_grow() -> None:
    desk, order = lost()
    desk.give(fill(order, 1000))
    desk.wait(18)
    look(desk, orders_complete=False)
    assert now(desk, order)[:4] == (OrdStatus.FILLED, 1000, 1000, 0)
    assert reserved(desk) == 0


def test_an_order_that_traded_more_than_its_own_quantity_and_is_gone_from_those_books_had_grown() -> None:
    """What has traded proves that the change took effect; the books' silence does not disprove it."""
    desk, order = lost(1200)
    desk.give(fill(order, 1200))
    desk.wait(60)
    look(desk, orders_complete=False)
    assert now(desk, order)[:4] == (OrdStatus.FILLED, 1200, 1200, 0)
    assert desk.of(Overfilled) == []
    assert reserved(desk) == 0


def test_an_order_that_traded_more_than_was_ever_asked_is_overfilled_and_waits_for_nothing() -> None:
    desk, order = lost(1200)
    desk.give(fill(order, 1300))
    desk.wait(60)
    look(desk, orders_complete=False)
    assert now(desk, order)[:2] == (OrdStatus.FILLED, 1000)
    assert desk.of(Overfilled)


@pytest.mark.parametrize("first", ["the fill", "the look"])
def test_books_that_show_all_of_the_larger_quantity_filled_prove_that_it_grew(first: str) -> None:
    """However long after: what has filled is more than the order's own terms allow."""
    desk, order = lost(1200)
    if first == "the fill":
        desk.give(fill(order, 1200))
    desk.wait(60)
    look(desk, shown(order, 1200, status=OrdStatus.FILLED, cum=1200), executions=(fill(order, 1200),))
    assert now(desk, order)[:4] == (OrdStatus.FILLED, 1200, 1200, 0)
    assert desk.of(Overfilled) == []
    assert not desk.state.halted


def test_what_surely_did_not_leave_is_as_if_never_asked() -> None:
    desk, order = working(side=Side.SELL)
    before = now(desk, order), frozen(desk)
    desk.give(ask(order, 2000), ReplaceOutcome(BROKER, order.cl_ord_id, 1, "NOT_SENT", "refused"))
    assert (now(desk, order), frozen(desk)) == before


def test_silence_makes_the_fate_unknown_and_an_answer_after_it_counts() -> None:
    desk, order = working()
    desk.give(ask(order, 2000))
    timer = next(effect for effect in desk.of(SetTimer) if effect.kind == "replace_timeout")
    desk.wait(5)
    desk.give(TimerFired(timer.kind, timer.subject))
    assert desk.of(ReplaceFateLost)[0].text == "no answer within 5 s"
    desk.give(done(order, 2000))
    assert now(desk, order)[:2] == (OrdStatus.NEW, 2000)


def test_an_answer_in_time_leaves_nothing_for_the_timer() -> None:
    desk, order = working()
    desk.give(ask(order, 2000), done(order, 2000))
    desk.wait(6)
    desk.give(TimerFired("replace_timeout", order.cl_ord_id))
    assert desk.of(ReplaceFateLost) == []


def fired(desk: Desk, seconds: int) -> None:
    """Time passes; the newest time-out comes when it is due."""
    for _ in range(seconds):
        desk.wait(1)
        due = [timer for timer in desk.of(SetTimer) if timer.kind == "replace_timeout"][-1:]
        for timer in due:
            if timer.due <= desk.now:
                desk.effects = [effect for effect in desk.effects if effect not in due]
                desk.give(TimerFired(timer.kind, timer.subject))


def test_a_newer_change_does_not_put_off_the_doubt_of_an_older_one() -> None:
    desk, order = working()
    asked_at: list[UtcNs] = []
    for qty in (2000, 3000):
        asked_at.append(desk.now)
        desk.give(ask(order, qty))
        fired(desk, 3)
    fired(desk, 6)
    assert [(e.number, (e.at - asked) // SECOND_NS) for e, asked in zip(desk.of(ReplaceFateLost), asked_at, strict=True)] == [
        (1, 5),
        (2, 5),
    ]


def test_an_answer_to_the_older_change_leaves_the_newer_one_its_time_out() -> None:
    desk, order = working()
    desk.give(ask(order, 2000))
    fired(desk, 3)
    desk.give(ask(order, 3000), done(order, 2000))
    fired(desk, 4)
    assert desk.of(ReplaceFateLost) == []
    fired(desk, 1)
    assert [e.number for e in desk.of(ReplaceFateLost)] == [2]


def test_no_more_than_four_changes_of_an_order_wait_for_their_answers() -> None:
    """A program that changes its mind with every quote would else fill the order's numbers before it hears of the first."""
    desk, order = working()
    for qty in (1100, 1200, 1300, 1400):
        desk.give(ask(order, qty))
    with pytest.raises(BadInput, match=r"4 changes of order \w+ have no answer yet, .* wait for an answer or cancel the order"):
        desk.give(ask(order, 1500))
    assert len(desk.of(SendReplace)) == 4
    desk.give(done(order, 1100))
    desk.give(ask(order, 1500))
    assert len(desk.of(SendReplace)) == 5


@pytest.mark.parametrize("how", ["restart", "session lost"])
def test_what_was_on_its_way_when_everything_ended_is_doubted(how: str) -> None:
    desk, order = working()
    desk.give(ask(order, 2000))
    desk.give(Start(2, "test", "t1") if how == "restart" else BrokerDown(BROKER, "reset"))
    assert [e.number for e in desk.of(ReplaceFateLost)] == [1]


def test_while_it_is_unknown_the_books_are_asked_and_a_person_is_told() -> None:
    desk, order = lost()
    assert f"replace:{order.cl_ord_id}" in [alert.key for alert in desk.of(RaiseAlert)]
    desk.wait(11)
    before = len(desk.of(TakeSnapshot))
    desk.give(TimerFired("probe", order.cl_ord_id))
    assert len(desk.of(TakeSnapshot)) == before + 1
    assert desk.of(RaiseAlert)[-1].level == "CRITICAL"
    desk.give(refused(order), TimerFired("probe", order.cl_ord_id))
    assert len(desk.of(TakeSnapshot)) == before + 1


# --- what the books show unasked


def test_terms_that_nobody_here_asked_for_are_taken_from_the_books() -> None:
    """FIX E.1.c, its message lost."""
    desk, order = working(side=Side.SELL)
    desk.wait(3)
    look(desk, shown(order, 600, "10.50"))
    assert now(desk, order) == (OrdStatus.NEW, 600, 0, 600, Decimal("10.50"))
    assert frozen(desk) == 600


def test_books_read_before_the_terms_changed_say_nothing_of_them() -> None:
    desk, order = working()
    desk.wait(3)
    desk.give(ask(order, 2000), done(order, 2000))
    look(desk, shown(order, 1000))
    assert now(desk, order)[1] == 2000
    assert desk.of(OrderRestated) == []


def test_books_without_prices_say_nothing_of_them() -> None:
    desk, order = working()
    desk.wait(3)
    look(desk, their_order(order.cl_ord_id, MOUTAI, order.side, 1000, OrdStatus.NEW, order_id=OrderID("b1")))
    assert desk.of(OrderRestated) == []
    assert now(desk, order)[4] == Decimal("10.00")


def test_the_quantity_books_show_of_a_cancelled_order_is_not_its_terms() -> None:
    desk, order = working()
    desk.give(fill(order, 400))
    desk.wait(3)
    look(desk, shown(order, 400, status=OrdStatus.CANCELED, cum=400))
    assert now(desk, order)[:4] == (OrdStatus.CANCELED, 1000, 400, 0)


def test_books_of_an_overfilled_order_still_say_that_its_change_never_came() -> None:
    """They show a quantity below what has filled (F31), which fits no terms as they stand."""
    desk, order = lost(500)
    desk.give(fill(order, 1400))
    for _ in range(40):
        desk.wait(10)
        look(desk, shown(order, 1000, status=OrdStatus.FILLED, cum=1400))
    assert desk.of(ReplaceRejected)
    assert desk.of(OrderRestated) == []
    assert now(desk, order)[0] is OrdStatus.FILLED


# --- what the books have shown is not undone by an older word


def a_word(desk: Desk, order: Order, qty: int, ago: float, ahead: float = 0) -> None:
    """What the broker said of the order so many seconds ago, by its own clock, comes only now."""
    at = UtcNs(desk.now + int((ahead - ago) * SECOND_NS))
    desk.give(OrderRestate(BROKER, order.cl_ord_id, Qty(Decimal(qty)), Px(Decimal(10)), transact_at=at))


@pytest.mark.parametrize("ahead", [0, 3_600])
@pytest.mark.parametrize("asked", [True, False])
def test_a_word_from_before_the_terms_that_the_books_show_does_not_undo_them(asked: bool, ahead: int) -> None:
    """Whose clock is right does not matter: both times are the broker's."""
    desk, order = lost(2000) if asked else working()
    desk.wait(60)
    desk.give(a_snapshot(orders=(shown(order, 2000),), as_of=desk.now + ahead * SECOND_NS, asked_at=desk.now))
    desk.wait(1)
    a_word(desk, order, 1000, 30, ahead)
    assert now(desk, order)[1] == 2000
    desk.give(fill(order, 2000))
    assert (desk.of(Overfilled), desk.state.halted) == ([], {})


def test_an_answer_to_an_older_change_does_not_undo_the_newer_one_that_the_books_show() -> None:
    """The books may have shown it at once: no time is known at which it took effect."""
    desk, order = working()
    desk.give(ask(order, 3000), ask(order, 2000), BrokerDown(BROKER, "gone"), BrokerUp(BROKER))
    desk.wait(18)
    look(desk, shown(order, 2000))
    desk.give(done(order, 3000, number=1, transact_at=UtcNs(desk.now - SECOND_NS // 2)))
    assert now(desk, order)[1] == 2000


def test_a_change_that_the_books_did_not_show_yet_is_news() -> None:
    desk, order = working()
    desk.wait(60)
    look(desk, shown(order, 2000))
    a_word(desk, order, 2500, 0.5)
    assert now(desk, order)[1] == 2500


def test_books_are_believed_when_the_brokers_clock_was_set_back_since_its_last_word() -> None:
    """And no word from before the last one counts again."""
    desk, order = working()
    a_word(desk, order, 1500, 0, ahead=3_600)
    desk.wait(60)
    look(desk, shown(order, 2000))
    assert now(desk, order)[1] == 2000
    a_word(desk, order, 1000, 90, ahead=3_600)
    assert now(desk, order)[1] == 2000
