"""How a run is worked: sells at once, buys as real fills pay for them, and what failed does not stop what is good."""

from __future__ import annotations

from decimal import Decimal

from tests.core.runs_made import LISTED, A, B, C, D, Work, a_run, prices

from tradeloop.core.commands import ResumeRun
from tradeloop.core.effects import RaiseAlert, SendOrder
from tradeloop.core.events import FateLost, LineResized, OrderDenied, OrderStaged, RunEnded
from tradeloop.core.instrument import AssetClass
from tradeloop.core.reports import BrokerDown, BrokerUp, SendOutcome
from tradeloop.core.types import PositionEffect, RunStatus, Side
from tradeloop.testing.builders import ACCOUNT, BROKER, a_quote, a_snapshot, an_execution, an_instrument, buy, sell
from tradeloop.testing.desk import Desk


def test_all_orders_of_a_wave_leave_together() -> None:
    """S0-7, S0-49: within one decision, so within one group commit."""
    work = Work.begun({A: "0.1", B: "0.2", C: "0.3"})

    sent = [effect.order.order.symbol for effect in work.desk.of(SendOrder)]

    assert sent == [A, B, C]
    assert {event.at for event in work.desk.of(OrderStaged)} == {work.desk.now}


def test_orders_of_a_run_go_at_the_market_and_name_their_leg() -> None:
    """S0-3, S0-27, D8."""
    work = Work.begun({A: "0.1", B: "0.2"})

    legs = [(o.run_id, o.leg, o.symbol, o.ord_type.value, o.by) for o in work.desk.of(OrderStaged)]

    assert legs == [(work.run_id, n, s, "MARKET", f"run:{work.run_id}") for n, s in ((1, A), (2, B))]


def test_sells_go_first_and_a_buy_without_money_waits() -> None:
    """D4."""
    work = Work.begun({A: 0, B: "0.9"}, cash=0, held={A: 1000})
    assert work.sent() == {A: -1000}

    work.ack(A)
    assert work.sent() == {A: -1000}


def test_a_sell_that_is_only_acknowledged_funds_nothing() -> None:
    """D4: money is what has been filled, never what is expected."""
    work = Work.begun({A: 0, B: "0.5"}, cash=1_000, held={A: 1000})
    work.ack(A)
    assert work.leg(B).cl_ord_id is None

    work.fill(A)

    assert work.sent() == {A: -1000, B: 500}


def test_a_part_of_a_sell_releases_the_buys_it_pays_for() -> None:
    """D4: real fills in waves; the rest of the sell goes on working."""
    work = Work.begun({A: 0, B: "0.2", C: "0.6"}, cash=0, held={A: 1000})

    work.fill(A, 300)
    assert work.sent() == {A: -1000, B: 200}

    work.fill(A, 700)
    assert work.sent() == {A: -1000, B: 200, C: 600}


def test_half_filled_sells_shrink_the_buys() -> None:
    """Issue 2, done when; the residual is a list for a person (S1-45)."""
    work = Work.begun({A: 0, B: "0.9"}, cash=0, held={A: 1000})

    work.fill(A, 500)
    work.canceled(A)

    assert work.sent() == {A: -1000, B: 400}
    (resized,) = work.desk.of(LineResized)
    assert (resized.order_qty, resized.code) == (Decimal(400), "cash_short")
    assert resized.reason == "900 would cost up to 9090, 4995 is free and no sell of the run is left to bring more"

    work.fill(B)
    assert (work.status, work.run.code, work.run.todo) == (RunStatus.COMPLETED, "partial", (1, 2))


def test_a_sell_that_brings_nothing_drops_its_buy_with_a_reason() -> None:
    work = Work.begun({A: 0, B: "0.2", C: "0.7"}, cash=2_500, held={A: 1000})
    work.fill(B)
    work.canceled(A)

    assert (work.leg(C).code, work.leg(C).order_qty) == ("no_cash", Decimal(0))
    assert (work.status, work.run.todo) == (RunStatus.COMPLETED, (1, 3))


def test_a_buy_filled_below_its_bound_gives_back_money_for_the_next_one() -> None:
    """Buffers of one per cent do not starve the last line of a fully invested target."""
    work = Work.begun({A: "0.5", B: "0.5"}, cash=10_000)
    assert work.sent() == {A: 500}

    work.fill(A, px="9.90")

    assert work.sent() == {A: 500, B: 500}
    assert work.free >= 0


def test_a_run_whose_every_order_filled_is_completed() -> None:
    """S0-39."""
    work = Work.begun({A: "0.1", B: "0.2"})
    work.fill(A)
    assert work.status is RunStatus.RUNNING

    work.fill(B)

    assert (work.status, work.run.code, work.run.todo) == (RunStatus.COMPLETED, "", ())
    assert work.run.text == "every line was worked to its end"
    assert work.run.finished_at == work.desk.now


def test_a_fill_after_the_end_of_a_run_is_booked_and_does_not_reopen_it() -> None:
    """S0-40: the shares are ours whatever became of the run."""
    work = Work.begun({A: "0.1"})
    work.canceled(A)
    assert work.status is RunStatus.COMPLETED

    order = work.order(A)
    work.desk.give(an_execution(order.cl_ord_id, A, Side.BUY, 100, 10, "late"))

    assert work.desk.state.held(ACCOUNT, order.symbol).long_qty == 100
    assert len(work.desk.of(RunEnded)) == 1


def test_when_every_order_of_the_wave_is_rejected_nothing_further_is_sent() -> None:
    """S1-44."""
    work = Work.begun({A: 0, B: 0, C: "0.9"}, cash=0, held={A: 1000, B: 1000})
    work.reject(A)
    assert work.status is RunStatus.RUNNING

    work.reject(B)

    assert (work.status, work.run.code, work.run.todo) == (RunStatus.FAILED, "FAILED_BATCH", (1, 2, 3))
    assert work.sent() == {A: -1000, B: -1000}
    assert [alert.key for alert in work.desk.of(RaiseAlert)] == [f"run:{work.run_id}"]


def test_when_every_order_of_the_wave_is_denied_by_risk_the_batch_failed() -> None:
    """S1-44, S0-56."""
    desk = Desk().opened(*LISTED)
    desk.give(a_quote(A, suspended=True), a_quote(B, suspended=True))

    work = Work(desk, desk.give(a_run({A: "0.1", B: "0.1"}, prices=prices(at=desk.now))))

    assert (work.status, work.run.code, work.run.todo) == (RunStatus.FAILED, "FAILED_BATCH", (1, 2))
    assert [event.rule for event in desk.of(OrderDenied)] == ["suspended", "suspended"]
    assert not desk.of(SendOrder)


def test_when_no_order_of_the_wave_could_be_sent_the_batch_failed() -> None:
    """S1-43, S1-44: three repeats after 1, 2 and 5 seconds, then a person."""
    work = Work.begun({A: "0.1"})
    for wait in (1, 2, 5, 0):
        work.desk.give(SendOutcome(BROKER, work.order(A).cl_ord_id, "NOT_SENT", "connection refused"))
        work.desk.wait(wait)
        work.desk.give(a_quote(A, at=work.desk.now))
        work.timer("resend", A)

    assert len(work.desk.of(SendOrder)) == 4
    assert (work.status, work.run.code) == (RunStatus.FAILED, "FAILED_BATCH")


def test_the_good_orders_go_on_when_others_fail_and_the_bad_ones_are_a_list() -> None:
    """S1-45."""
    work = Work.begun({A: "0.1", B: "0.1", C: "0.1"})
    work.reject(A, "E7", "account restricted")
    assert work.status is RunStatus.RUNNING

    work.fill(B)
    work.fill(C)

    assert (work.status, work.run.code, work.run.todo) == (RunStatus.COMPLETED, "partial", (1,))
    assert work.run.text == "1 of 3 lines need a person"
    assert work.order(A).text == "E7: account restricted"


def test_a_denied_order_does_not_stop_the_others_of_its_wave() -> None:
    """S1-45."""
    desk = Desk().opened(*LISTED)
    desk.give(a_quote(A, suspended=True))

    work = Work(desk, desk.give(a_run({A: "0.1", B: "0.1"})))
    work.fill(B)

    assert (work.leg(A).code, work.leg(A).cl_ord_id) == ("denied", None)
    assert (work.status, work.run.todo) == (RunStatus.COMPLETED, (1,))


def test_a_denied_buy_does_not_strand_the_one_that_waited_behind_it() -> None:
    """Nothing of the run works any more, so nothing would ever wake it again (invariant 42)."""
    work = Work.begun({A: 0, B: "0.5", C: "0.5"}, cash=0, held={A: 1000})
    work.desk.give(a_quote(B, suspended=True))

    work.fill(A)

    assert work.leg(B).code == "denied"
    assert work.sent() == {A: -1000, C: 500}


def test_an_order_of_unknown_fate_keeps_the_run_running_while_the_others_go_on() -> None:
    """D7: UNKNOWN is neither filled nor rejected."""
    work = Work.begun({A: "0.1", B: "0.1"})
    work.desk.give(SendOutcome(BROKER, work.order(A).cl_ord_id, "UNKNOWN", "reset after the first byte"))
    work.fill(B)

    assert work.status is RunStatus.RUNNING
    assert work.order(A).ord_status.value == "UNKNOWN"

    work.fill(A)
    assert (work.status, work.run.todo) == (RunStatus.COMPLETED, ())


def test_unsent_lines_in_other_symbols_go_on_beside_an_unknown_one() -> None:
    """D7: the quarantine is the symbol's, not the run's."""
    work = Work.begun({A: 0, B: 0, C: "0.4", D: "0.4"}, cash=0, held={A: 1000, B: 1000})
    work.desk.give(SendOutcome(BROKER, work.order(A).cl_ord_id, "UNKNOWN", "time-out"))

    work.fill(B)

    assert work.sent() == {A: -1000, B: -1000, C: 800}


def test_a_lost_session_makes_the_orders_in_flight_unknown_and_the_run_waits() -> None:
    """S4's reconnect, D7."""
    work = Work.begun({A: 0, B: "0.5"}, cash=0, held={A: 1000})
    work.desk.give(BrokerDown(BROKER, "reset"))
    work.fill(A)

    assert [event.cl_ord_id for event in work.desk.of(FateLost)] == [work.order(A).cl_ord_id]
    assert work.leg(B).cl_ord_id is None
    assert work.status is RunStatus.RUNNING


def test_a_run_goes_on_when_the_broker_is_ready_again() -> None:
    work = Work.begun({A: 0, B: "0.5"}, cash=0, held={A: 1000})
    work.desk.give(BrokerDown(BROKER, "reset"))
    work.fill(A)
    work.desk.give(BrokerUp(BROKER))
    assert work.leg(B).cl_ord_id is None

    work.desk.give(a_snapshot(cash=9_990, positions={}))

    assert work.sent() == {A: -1000, B: 500}


def test_a_run_started_before_the_broker_is_ready_sends_its_orders_when_it_is() -> None:
    """DESIGN 8: submits are refused before READY; the run waits instead of failing."""
    desk = Desk().opened(*LISTED)
    desk.give(BrokerDown(BROKER, "reset"), BrokerUp(BROKER))
    work = Work(desk, desk.give(a_run({A: "0.1"})))
    assert (work.status, work.sent()) == (RunStatus.RUNNING, {})

    desk.give(a_snapshot())

    assert work.sent() == {A: 10_000}


def test_lines_above_the_largest_order_are_worked_as_several_legs() -> None:
    """D8."""
    desk = Desk().opened(an_instrument(A, max_qty_market=400))
    work = Work(desk, desk.give(a_run({A: "0.01"})))

    assert [(o.leg, o.order_qty) for o in desk.of(OrderStaged)] == [(1, Decimal(400)), (2, Decimal(400)), (3, Decimal(200))]
    for order in list(desk.state.orders.open.values()):
        desk.give(an_execution(order.cl_ord_id, A, Side.BUY, order.order_qty, 10, f"e{order.leg}"))
    assert work.status is RunStatus.COMPLETED


def test_closing_a_short_waits_for_no_money() -> None:
    """D5: covering frees margin, so an account without free cash may always do it."""
    future = an_instrument(A, asset_class=AssetClass.FUTURE, lot=1, min_qty=1, multiplier=10, margin_rate="0.1", shortable=True)
    desk = Desk().opened(future, an_instrument(B, lot=1, min_qty=1), an_instrument(C), cash=1_000, positions={C: 100})
    short = desk.order(sell(A, 5, position_effect=PositionEffect.OPEN))
    desk.give(an_execution(short.cl_ord_id, A, Side.SELL, 5, 10, position_effect=PositionEffect.OPEN))
    desk.order(buy(B, 94))
    assert desk.state.cash(ACCOUNT, future.currency).free < 1

    work = Work(desk, desk.give(a_run({A: 0, C: 0}, sell_unlisted=False)))

    assert work.sent() == {C: -100, A: 5}, work.leg(A).reason


def test_a_buy_released_after_the_market_ran_away_is_left_to_a_person() -> None:
    """Paused at one price and resumed at another: what the plan meant is not what would be bought."""
    work = Work.begun({A: "0.1", B: "0.1"}, execute=False)
    run = work.desk.state.runs[work.run_id]
    far = [a_quote(symbol, bid="13.99", ask="14.00", at=work.desk.now) for symbol in (A, B)]
    run.status = RunStatus.PAUSED
    work.desk.give(*far, ResumeRun(work.run_id, "ann"))

    assert work.sent() == {}
    assert [leg.code for leg in run.legs] == ["price_drift", "price_drift"]
    assert run.todo == (1, 2)
