"""A leg that cannot go yet waits alone, a person hears of it, and what passes by itself fails no run."""

from __future__ import annotations

from tests.core.runs_made import LISTED, A, B, C, Work, prices

from tradeloop.core.commands import CancelOrder, OpenTradingDay
from tradeloop.core.effects import RaiseAlert
from tradeloop.core.events import LineResized, OrderDenied
from tradeloop.core.reports import OrderAck, SendOutcome
from tradeloop.core.types import SECOND_NS, OrderID, OrdType, RunStatus, UtcNs
from tradeloop.testing.builders import BROKER, DAY, a_quote, a_snapshot, an_instrument, buy
from tradeloop.testing.desk import Desk


def quoted(*symbols: str, positions: dict[str, int] | None = None, cash: int = 1_000_000) -> Desk:
    """A desk on which only these symbols have a quote."""
    desk = Desk().opened(*LISTED, quoted=False, positions=positions, cash=cash)
    for symbol in symbols:
        desk.give(a_quote(symbol))
    return desk


def look(desk: Desk, seconds: float, *symbols: str) -> None:
    """Time passes, the feed quotes these symbols, and the broker's books are looked at."""
    desk.wait(seconds)
    for symbol in symbols:
        desk.give(a_quote(symbol, at=desk.now))
    desk.give(a_snapshot(as_of=desk.now))


def test_a_symbol_without_a_quote_holds_back_its_own_leg_alone() -> None:
    """S1-42: one silent symbol is no reason to keep the others from the market."""
    work = Work.begun({A: 0, B: "0.1", C: "0.1"}, desk=quoted(A, C, positions={A: 1000}))

    assert set(work.sent()) == {A, C}
    assert (work.status, work.leg(B).closed) == (RunStatus.RUNNING, False)


def test_a_leg_without_a_quote_goes_with_the_next_look_after_its_first_one() -> None:
    work = Work.begun({A: "0.1", B: "0.1"}, desk=quoted(A))
    look(work.desk, 30, A, B)
    assert work.sent() == {A: 10_000, B: 10_000}


def test_the_money_of_a_waiting_buy_is_kept_for_it() -> None:
    """D4: the target says who gets the money, not the feed."""
    work = Work.begun({B: "0.6", C: "0.39"}, desk=quoted(C, cash=100_000))
    assert work.sent() == {C: 3_900}

    look(work.desk, 1, B)

    assert work.sent() == {B: 6_000, C: 3_900}


def test_a_person_is_told_once_of_a_leg_that_waits_longer_than_a_quote_may_be_old() -> None:
    """Silence for an afternoon is what the alert is for."""
    work = Work.begun({A: "0.1", B: "0.1"}, desk=quoted(A))
    look(work.desk, 59, A)
    assert not work.desk.of(RaiseAlert)

    for _ in range(3):
        look(work.desk, 30, A)

    (told,) = work.desk.of(RaiseAlert)
    assert told.text.startswith(f"line 2 of run {work.run_id} is held back: no quote of {B} has been seen")
    assert (work.leg(B).code, int(work.leg(B).order_qty)) == ("waits", 10_000)


def test_a_leg_that_was_told_of_says_again_what_it_is_once_it_goes() -> None:
    work = Work.begun({A: "0.1", B: "0.1"}, desk=quoted(A))
    look(work.desk, 61, A)

    look(work.desk, 30, A, B)

    assert [(event.leg, event.code) for event in work.desk.of(LineResized)] == [(2, "waits"), (2, "")]
    assert (work.leg(B).code, work.sent()) == ("", {A: 10_000, B: 10_000})


def test_a_leg_with_an_old_quote_waits_for_a_fresh_one_instead_of_being_denied() -> None:
    """S1-41: a feed that stalls for a minute is no reason to drop a line."""
    desk = Desk().opened(*LISTED)
    desk.wait(61)
    work = Work.begun({A: "0.1"}, desk=desk, prices=prices(at=desk.now))
    assert (work.status, work.sent(), desk.of(OrderDenied)) == (RunStatus.RUNNING, {}, [])

    look(desk, 1, A)

    assert work.sent() == {A: 10_000}


def test_a_market_at_lunch_holds_back_its_own_legs_alone_and_alerts_nobody() -> None:
    """S1-41: two markets of one currency, one of which shuts for an hour before its buy is paid for."""
    sold, bought = an_instrument(A), an_instrument(B, market="OTHER", session="OTHER")
    desk = Desk().opened(sold, bought, an_instrument(C), cash=0, positions={A: 1000})
    soon, later = UtcNs(desk.now + SECOND_NS), UtcNs(desk.now + 3600 * SECOND_NS)
    end = UtcNs(later + 3600 * SECOND_NS)
    desk.give(OpenTradingDay("OTHER", DAY, ((desk.now, soon), (later, end))))
    work = Work.begun({A: 0, B: "0.4", C: "0.4"}, desk=desk)
    desk.wait(1)

    work.fill(A)
    assert set(work.sent()) == {A, C}
    look(desk, 3000, B)
    assert not [alert for alert in desk.of(RaiseAlert) if alert.key.startswith("waits")]
    look(desk, 600, B)

    assert set(work.sent()) == {A, B, C}


def test_a_leg_waits_while_an_order_of_unknown_fate_stands_in_its_symbol() -> None:
    """D7: proof comes within seconds; a line denied for good would be a line lost."""
    work = Work.begun({A: 0, B: "0.9"}, cash=100, held={A: 1000})
    lost = work.desk.order(buy(B, 100, ord_type=OrdType.LIMIT, price="0.01"))
    work.desk.give(SendOutcome(BROKER, lost.cl_ord_id, "UNKNOWN", "time-out"))
    work.fill(A)
    assert (work.status, work.leg(B).closed, work.desk.of(OrderDenied)) == (RunStatus.RUNNING, False, [])

    work.desk.give(OrderAck(BROKER, lost.cl_ord_id, OrderID("b9")))
    look(work.desk, 1, B)

    assert work.sent()[B] == 900


def test_a_person_who_takes_a_staged_order_back_has_not_failed_the_batch() -> None:
    """S1-44 speaks of orders that were refused."""
    work = Work.begun({A: "0.1"})
    order = work.order(A)
    work.desk.give(SendOutcome(BROKER, order.cl_ord_id, "NOT_SENT", "refused", order.send_begun_at))

    work.desk.give(CancelOrder(order.cl_ord_id, "ann", "changed my mind"))

    assert (work.status, work.run.code, work.run.todo) == (RunStatus.COMPLETED, "partial", (1,))
