"""What a fill costs: the broker's word where it can be true, our schedule where it cannot; the fill counts either way."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tradeloop.core.effects import RaiseAlert
from tradeloop.core.events import FeeChanged, FeeDistrusted, Traded
from tradeloop.core.instrument import FeeLine, FeeSchedule
from tradeloop.core.order import Order
from tradeloop.core.reports import ExecutionBust, ExecutionCorrect
from tradeloop.core.types import Amount, Currency, ExecID, Px, Qty, Side
from tradeloop.testing.builders import ACCOUNT, BROKER, DAY, a_snapshot, an_execution, an_instrument, buy, fees, sell
from tradeloop.testing.desk import Desk

MOUTAI = "600519.SH"
CASH = 10_000_000


def a_desk(currency: str = "CNY") -> tuple[Desk, Order]:
    listed = an_instrument(MOUTAI, lot=1, min_qty=1, fees=fees("0.001"), currency=Currency(currency))
    desk = Desk().opened(listed, cash=CASH, currency=currency)
    return desk, desk.order(buy(MOUTAI, 100))


def fill(desk: Desk, order: Order, commission: str) -> None:
    desk.give(an_execution(order.cl_ord_id, MOUTAI, Side.BUY, 100, "10", commission=Amount(Decimal(commission))))


@pytest.mark.parametrize("commission", ["1000.01", "1000000", "-1000.01"])
def test_a_fill_with_an_absurd_commission_is_booked_and_charged_by_our_schedule(commission: str) -> None:
    """1 000 were traded; our schedule asks one in a thousand."""
    desk, order = a_desk()
    fill(desk, order, commission)
    assert desk.state.held(ACCOUNT, order.symbol).long_qty == 100
    assert desk.cash() == CASH - 1000 - 1
    assert [e.fee_by_broker for e in desk.of(Traded)] == [False]


def test_a_person_hears_of_an_absurd_commission_once() -> None:
    """F26: after a reconnect a whole day is told again."""
    desk, order = a_desk()
    fill(desk, order, "5000")
    fill(desk, order, "5000")
    desk.give(
        a_snapshot(
            as_of=desk.now,
            cash=CASH - 1001,
            positions={MOUTAI: 100},
            executions=(an_execution(order.cl_ord_id, MOUTAI, Side.BUY, 100, "10", commission=Amount(Decimal(5000))),),
        )
    )
    (alert,) = desk.of(RaiseAlert)
    assert "a commission of 5000 for fill e1" in alert.text
    assert "charged with 1.00" in alert.text


@pytest.mark.parametrize(("currency", "commission"), [("CNY", "999"), ("JPY", "5000"), ("KRW", "30000"), ("CNY", "-3")])
def test_a_minimum_fee_may_exceed_a_small_trade_in_the_measure_of_its_currency(currency: str, commission: str) -> None:
    desk, order = a_desk(currency)
    fill(desk, order, commission)
    assert desk.cash(currency) == CASH - 1000 - Decimal(commission)
    assert desk.of(FeeDistrusted) == []


def test_a_commission_is_measured_by_what_the_contract_is_worth() -> None:
    """A price of 10 with a multiplier of 1000 is a trade of 1 000 000."""
    listed = an_instrument(MOUTAI, lot=1, min_qty=1, multiplier=1000)
    desk = Desk().opened(listed, cash=CASH)
    order = desk.order(buy(MOUTAI, 100))
    fill(desk, order, "5000")
    assert desk.cash() == CASH - 1_000_000 - 5000


def test_a_correction_with_an_absurd_commission_moves_the_figures_and_leaves_the_fee() -> None:
    desk, order = a_desk()
    fill(desk, order, "3")
    absurd = Amount(Decimal(70_000))
    desk.give(ExecutionCorrect(BROKER, ACCOUNT, DAY, ExecID("e1"), Side.BUY, Qty(Decimal(50)), Px(Decimal(10)), absurd))
    assert desk.cash() == CASH - 500 - 3
    assert [e.charged for e in desk.of(FeeDistrusted)] == [Decimal(3)]


def test_when_the_fill_that_paid_the_minimum_is_taken_back_the_next_one_pays_it() -> None:
    """A minimum of 5 holds per order; the broker names no fees."""
    desk = Desk().opened(an_instrument(MOUTAI, lot=1, min_qty=1, fees=fees("0.001", 5)), cash=CASH)
    order = desk.order(buy(MOUTAI, 100))
    for number in (1, 2):
        desk.give(an_execution(order.cl_ord_id, MOUTAI, Side.BUY, 50, "10", f"e{number}", commission=None))
    assert desk.known(order.cl_ord_id).fees == 5
    desk.give(ExecutionBust(BROKER, ACCOUNT, DAY, ExecID("e1"), Side.BUY))
    assert desk.known(order.cl_ord_id).fees == 5
    assert desk.cash() == CASH - 500 - 5
    assert [(e.exec_id, e.fee) for e in desk.of(FeeChanged)] == [("e2", Decimal(5))]


AT_MOST = FeeSchedule((FeeLine("taf", per_unit=Decimal("0.000195"), side=Side.SELL, maximum=Decimal("9.79")),))


def sold(*quantities: int, commissions: dict[int, str] | None = None) -> tuple[Desk, Order]:
    """A sale of 500 000 shares, filled in these parts; the broker names no fee but those given."""
    listed = an_instrument(MOUTAI, lot=1, min_qty=1, fees=AT_MOST, currency=Currency("USD"))
    desk = Desk().opened(listed, cash=CASH, currency="USD", positions={MOUTAI: 500_000})
    order = desk.order(sell(MOUTAI, 500_000))
    for number, qty in enumerate(quantities, start=1):
        told = (commissions or {}).get(number)
        commission = None if told is None else Amount(Decimal(told))
        desk.give(an_execution(order.cl_ord_id, MOUTAI, Side.SELL, qty, "1", f"e{number}", commission=commission))
    return desk, order


def test_a_maximum_per_trade_is_asked_of_each_fill_and_not_made_up_for_by_the_next() -> None:
    desk, order = sold(200_000, 100, 200_000)
    assert [str(e.fee) for e in desk.of(Traded)] == ["9.79", "0.02", "9.79"]
    assert desk.known(order.cl_ord_id).fees == Decimal("19.60")
    assert desk.cash("USD") == CASH + 400_100 - Decimal("19.60")


def test_what_the_broker_charged_one_fill_leaves_the_maximum_of_the_next_as_it_is() -> None:
    desk, _ = sold(200_000, 200_000, commissions={1: "12.34"})
    assert [str(e.fee) for e in desk.of(Traded)] == ["12.34", "9.79"]


def test_a_fill_that_reached_its_maximum_is_taken_back_and_the_others_stay_charged_as_they_were() -> None:
    desk, order = sold(200_000, 100, 200_000)
    desk.give(ExecutionBust(BROKER, ACCOUNT, DAY, ExecID("e1"), Side.SELL))
    assert desk.known(order.cl_ord_id).fees == Decimal("9.81")
    assert desk.cash("USD") == CASH + 200_100 - Decimal("9.81")


def test_a_fill_that_is_corrected_to_a_small_one_pays_less_than_the_maximum() -> None:
    desk, order = sold(200_000, 200_000)
    desk.give(ExecutionCorrect(BROKER, ACCOUNT, DAY, ExecID("e1"), Side.SELL, Qty(Decimal(1000)), Px(Decimal(1)), None))
    assert desk.known(order.cl_ord_id).fees == Decimal("9.99")
