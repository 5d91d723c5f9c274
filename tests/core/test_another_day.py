"""What today's books say of the orders of another day: nothing, unless they say that they show them."""

from __future__ import annotations

from typing import Any

import pytest
from tests.core.runs_made import LISTED, A, B

from tradeloop.core.commands import CancelOrder, OpenTradingDay, ResolveOrder
from tradeloop.core.effects import RaiseAlert, SendOrder, SetTimer
from tradeloop.core.errors import BadInput
from tradeloop.core.events import AbsenceSeen, BreakClosed, BreakFound, NotSentProven, OrderExpired
from tradeloop.core.inputs import Start, TimerFired
from tradeloop.core.order import Order
from tradeloop.core.reports import BrokerUp, CancelReject, SendOutcome
from tradeloop.core.types import SECOND_NS, OrdStatus, OrdType, TimeInForce, TradingDay, UtcNs
from tradeloop.testing.builders import ACCOUNT, BROKER, DAY, a_quote, a_snapshot, an_execution, buy, their_order
from tradeloop.testing.desk import Desk

MONDAY = TradingDay("2026-07-20")
HOUR = 3600 * SECOND_NS


def monday(desk: Desk) -> None:
    """The process ended on Friday; another begins on Monday, and its session comes up."""
    desk.wait(3 * 86_400)
    window = (UtcNs(desk.now - HOUR), UtcNs(desk.now + HOUR))
    desk.give(Start(2, "test", "t1", predecessor_dead=True))
    desk.give(OpenTradingDay("CN_A", MONDAY, (window,)), BrokerUp(BROKER))


def look(desk: Desk, times: int = 6, **changes: Any) -> None:
    """Monday's complete books, some seconds apart."""
    for _ in range(times):
        desk.wait(4)
        desk.give(a_quote(A, at=desk.now), a_snapshot(**{"as_of": desk.now, "trading_day": MONDAY, **changes}))


def status(desk: Desk, order: Order) -> OrdStatus:
    return desk.known(order.cl_ord_id).ord_status


def reserved(desk: Desk) -> int:
    return int(desk.state.accounts[ACCOUNT].cash["CNY"].reserved)  # type: ignore[index]


# --- unknown fates


@pytest.mark.parametrize("tif", [TimeInForce.DAY, TimeInForce.GTC])
def test_todays_books_prove_nothing_of_an_order_of_another_day_and_it_is_not_sent_again(tif: TimeInForce) -> None:
    """It may have filled on its own day; the shares are in the position, and a second one would double it."""
    desk = Desk().opened(*LISTED)
    order = desk.order(buy(A, 100, tif=tif))
    monday(desk)
    look(desk, cash=999_000, positions={A: 100})

    assert (status(desk, order), len(desk.of(SendOrder))) == (OrdStatus.UNKNOWN, 1)
    assert not desk.of(AbsenceSeen)


@pytest.mark.parametrize(
    "said",
    [{"trading_day": None}, {"trading_day": DAY, "executions_since": "after the order"}],
    ids=["no day said", "executions from later on"],
)
def test_a_look_that_does_not_say_it_covers_the_order_proves_nothing(said: dict[str, Any]) -> None:
    desk = Desk().opened(*LISTED)
    order = desk.order(buy(A, 100))
    desk.give(SendOutcome(BROKER, order.cl_ord_id, "UNKNOWN", "time-out"))
    if "executions_since" in said:
        said = {**said, "executions_since": UtcNs(desk.now + 1)}
    look(desk, **said)

    assert status(desk, order) is OrdStatus.UNKNOWN
    assert not desk.of(AbsenceSeen)


def test_a_look_that_says_it_shows_the_orders_of_that_day_proves_absence_a_day_later() -> None:
    desk = Desk().opened(*LISTED)
    order = desk.order(buy(A, 100))
    monday(desk)
    look(desk, orders_from=DAY)

    assert [proven.cl_ord_id for proven in desk.of(NotSentProven)] == [order.cl_ord_id]


def test_an_order_of_another_day_whose_fate_is_unknown_is_put_before_a_person_who_ends_it() -> None:
    desk = Desk().opened(*LISTED)
    order = desk.order(buy(A, 100))
    monday(desk)
    look(desk)
    desk.give(TimerFired("overdue", f"{order.cl_ord_id}|{desk.known(order.cl_ord_id).unknown_at}"))

    alert = desk.of(RaiseAlert)[-1]
    assert alert.level == "CRITICAL"
    assert f"of trading day {DAY}" in alert.text
    assert f"tradeloop orders resolve {order.cl_ord_id}" in alert.text
    desk.give(ResolveOrder(order.cl_ord_id, "NOT_SENT", "ann", "not in Friday's statement"))
    assert (status(desk, order), reserved(desk)) == (OrdStatus.CANCELED, 0)


def test_the_books_are_probed_rarely_for_an_order_they_no_longer_show() -> None:
    """A second is for what may show at any moment; this one waits for a person, perhaps for days."""
    desk = Desk().opened(*LISTED)
    order = desk.order(buy(A, 100))
    monday(desk)
    desk.effects.clear()
    desk.give(TimerFired("probe", order.cl_ord_id))
    assert [timer.due - desk.now for timer in desk.of(SetTimer)] == [30 * SECOND_NS]


# --- acknowledged orders that are missing


def resting(desk: Desk, **changes: Any) -> Order:
    order = desk.order(buy(A, 100, ord_type=OrdType.LIMIT, price="9.50", **changes))
    desk.ack(order)
    return order


def test_a_day_order_of_an_earlier_day_that_is_gone_from_books_that_agree_has_expired() -> None:
    desk = Desk().opened(*LISTED)
    order = resting(desk)
    monday(desk)
    look(desk, times=1)

    assert (status(desk, order), reserved(desk)) == (OrdStatus.EXPIRED, 0)
    assert [ended.text for ended in desk.of(OrderExpired)] == [f"a DAY order of {DAY}, not in the broker's books of {MONDAY}"]
    assert not desk.state.breaks


def test_an_expiry_waits_for_a_person_where_the_shares_say_that_it_filled() -> None:
    desk = Desk().opened(*LISTED)
    order = resting(desk)
    monday(desk)
    look(desk, cash=999_050, positions={A: 100})

    assert status(desk, order) is OrdStatus.NEW
    assert {found.kind for found in desk.of(BreakFound)} == {"order_missing", "position", "cash"}


def test_fills_that_reach_back_to_the_order_are_proof_enough_whatever_else_moved_the_shares() -> None:
    desk = Desk().opened(*LISTED)
    order = resting(desk)
    begun = desk.now
    monday(desk)
    fill = an_execution(order.cl_ord_id, A, order.side, 40, "9.50")
    look(desk, times=2, executions=(fill,), executions_since=begun, positions={A: 7000})

    assert status(desk, order) is OrdStatus.EXPIRED
    assert desk.known(order.cl_ord_id).cum_qty == 40


def test_an_order_that_outlives_its_day_does_not_expire_by_being_missing() -> None:
    desk = Desk().opened(*LISTED)
    order = resting(desk, tif=TimeInForce.GTC)
    monday(desk)
    look(desk)

    assert status(desk, order) is OrdStatus.NEW
    assert [found.kind for found in desk.of(BreakFound)] == ["order_missing"]


def gone_over_the_roll(desk: Desk, **changes: Any) -> tuple[Order, dict[str, Any]]:
    """An order good till cancelled whose end was not heard, and Monday's books, which show all fills since it was sent."""
    order = resting(desk, tif=TimeInForce.GTC, **changes)
    begun = desk.now
    monday(desk)
    return order, {"executions_since": begun}


def test_an_acknowledged_order_that_later_books_lack_is_over_by_the_looks_that_end_one_never_heard_of() -> None:
    """Both neither work nor have traded: only the answer to the one came."""
    desk = Desk().opened(*LISTED)
    unheard = desk.order(buy(B, 100, tif=TimeInForce.GTC))
    order, books = gone_over_the_roll(desk)
    books["executions_since"] = unheard.staged_at
    look(desk, times=2, **books)
    assert [status(desk, one) for one in (order, unheard)] == [OrdStatus.NEW, OrdStatus.UNKNOWN]
    look(desk, times=4, **books)
    assert [status(desk, one) for one in (order, unheard)] == [OrdStatus.CANCELED, OrdStatus.CANCELED]
    assert desk.known(order.cl_ord_id).text == f"not in the broker's books of {MONDAY}, and its executions are complete"
    assert (reserved(desk), desk.state.breaks) == (0, {})


@pytest.mark.parametrize("doubt", ["fills from later on", "shown in between", "its own day", "a few looks"])
def test_an_acknowledged_order_that_later_books_lack_stays_a_break_where_they_prove_less(doubt: str) -> None:
    desk = Desk().opened(*LISTED)
    order, books = gone_over_the_roll(desk)
    shown = their_order(order.cl_ord_id, A, order.side, 100, OrdStatus.NEW)
    less: dict[str, dict[str, Any]] = {
        "fills from later on": {"executions_since": UtcNs(books["executions_since"] + 1)},
        "its own day": {"orders_from": DAY},
    }
    for _ in range(1 if doubt == "a few looks" else 4):
        look(desk, times=2, **{**books, **less.get(doubt, {})})
        if doubt == "shown in between":
            look(desk, times=1, **books, orders=(shown,))
    assert status(desk, order) is OrdStatus.NEW
    assert "order_missing" in {found.kind for found in desk.of(BreakFound)}


def test_a_missing_order_can_be_closed_by_a_person_and_its_break_with_it() -> None:
    """Else its cash stays promised for ever."""
    desk = Desk().opened(*LISTED)
    order = resting(desk)
    desk.wait(60)
    desk.give(a_snapshot(as_of=desk.now))
    (found,) = desk.of(BreakFound)
    assert f"tradeloop orders resolve {order.cl_ord_id} --as CANCELED --reason" in found.repair

    desk.give(CancelOrder(order.cl_ord_id, "ann"), CancelReject(BROKER, order.cl_ord_id, "404", "no such order"))
    desk.give(ResolveOrder(order.cl_ord_id, "CANCELED", "ann", "the broker says it is gone"))

    assert (status(desk, order), reserved(desk)) == (OrdStatus.CANCELED, 0)
    assert [(closed.break_id, closed.by) for closed in desk.of(BreakClosed)] == [(found.break_id, "ann")]
    assert not desk.state.breaks
    desk.give(an_execution(order.cl_ord_id, A, order.side, 100, "9.50"))
    assert desk.state.held(ACCOUNT, order.symbol).long_qty == 100


@pytest.mark.parametrize(
    ("decision", "reason", "sentence"),
    [
        ("NOT_SENT", "gone", "--as was 'NOT_SENT'; the broker has acknowledged the order, expected CANCELED"),
        ("CANCELED", " ", "a reason is needed"),
    ],
)
def test_a_missing_order_was_sent_and_needs_a_reason(decision: str, reason: str, sentence: str) -> None:
    desk = Desk().opened(*LISTED)
    order = resting(desk)
    desk.wait(60)
    desk.give(a_snapshot(as_of=desk.now))
    with pytest.raises(BadInput, match=sentence):
        desk.give(ResolveOrder(order.cl_ord_id, decision, "ann", reason))


def test_an_order_the_broker_shows_cannot_be_resolved_away() -> None:
    desk = Desk().opened(*LISTED)
    order = resting(desk)
    desk.order(buy(B, 100))
    with pytest.raises(BadInput, match="is NEW, neither UNKNOWN nor missing"):
        desk.give(ResolveOrder(order.cl_ord_id, "CANCELED", "ann", "why"))
