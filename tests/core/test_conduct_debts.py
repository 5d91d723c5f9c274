"""An account that owes money, or whose books say too little: it may always reduce, and nothing is guessed."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.core.runs_made import LISTED, A, B, C, Work, a_run, prices

from tradeloop.core.commands import RunLimits
from tradeloop.core.events import OrderDenied
from tradeloop.core.instrument import AssetClass, FeeLine, FeeSchedule, Instrument
from tradeloop.core.replies import RunReply
from tradeloop.core.types import PositionEffect, RunStatus, Side
from tradeloop.testing.builders import ACCOUNT, Number, an_execution, an_instrument, buy, fees, sell
from tradeloop.testing.desk import Desk


def denied(desk: Desk, targets: dict[str, Number], **changes: object) -> list[str]:
    """The codes for which a run was denied."""
    reply = desk.give(a_run(targets, **changes))
    assert isinstance(reply, RunReply)
    return [text.split(":")[0] for text in reply.failed]


def test_an_account_with_negative_cash_may_sell_what_it_holds() -> None:
    """S0-53 asks for money to buy with; to sell is how a debt is paid."""
    work = Work.begun({A: 0}, cash=-500, held={A: 1000})
    assert work.sent() == {A: -1000}
    work.fill(A)
    assert (work.status, work.free) == (RunStatus.COMPLETED, Decimal("9490.00"))


def test_the_buys_of_an_account_with_negative_cash_wait_until_its_sells_have_paid_the_debt() -> None:
    """D4: real money, after what is owed."""
    work = Work.begun({A: 0, B: "0.5"}, cash=-5_000, held={A: 1000})
    work.fill(A, 400)
    assert (work.sent(), work.free) == ({A: -1000}, Decimal("-1004.00"))

    work.fill(A)

    assert work.sent() == {A: -1000, B: 200}


def test_an_account_with_negative_cash_and_nothing_to_sell_buys_nothing() -> None:
    """S0-53: the holding it keeps makes its equity positive, and is not sold for it."""
    desk = Desk().opened(*LISTED, cash=-500, positions={A: 1000})
    assert denied(desk, {B: "0.5"}, sell_unlisted=False) == ["min_cash"]


def test_the_floor_that_a_person_sets_holds_for_sells_too() -> None:
    """S0-53."""
    desk = Desk().opened(*LISTED, cash=400, positions={A: 1000})
    assert denied(desk, {A: 0}, limits=RunLimits(min_cash=Decimal(500))) == ["min_cash"]


def test_everything_may_be_sold_though_the_debts_are_larger_than_the_holdings() -> None:
    """Weights of nothing are no fractions of an equity; a plan that sells says zero and never minus zero."""
    work = Work.begun({A: 0}, cash=-20_000, held={A: 1000})

    assert work.sent() == {A: -1000}
    line = work.leg(A).line
    assert [f"{number:f}" for number in (line.target_value, line.target_qty, line.residual_qty)] == ["0", "0", "0"]


def test_a_target_that_wants_anything_needs_an_equity() -> None:
    assert denied(Desk().opened(*LISTED, cash=-20_000, positions={A: 1000}), {B: "0.5", A: 0}) == ["no_equity"]


@pytest.mark.parametrize("px", ["0", "-1"])
def test_a_holding_whose_price_is_nobodys_is_not_worth_nothing(px: str) -> None:
    """None is unknown, never 0: weights of an equity without it would be other quantities."""
    desk = Desk().opened(*LISTED, positions={B: 500})
    assert denied(desk, {A: "0.1"}, prices=prices(A) + prices(B, px=px)) == ["equity_unknown"]


def test_a_price_of_zero_makes_no_order_of_its_symbol_and_stops_no_other() -> None:
    work = Work.begun({A: "0.1", B: "0.1"}, prices=prices(A) + prices(B, px=0))
    assert (work.sent(), work.leg(B).code) == ({A: 10_000}, "no_price")


# --- closing a short


def short_of(fee: FeeSchedule, *, closes_today_apart: bool = False) -> tuple[Desk, Instrument]:
    """Five contracts short, and no free cash to speak of; a stock that is sold as well brings none before it fills."""
    future = an_instrument(
        A,
        asset_class=AssetClass.FUTURE,
        lot=1,
        min_qty=1,
        multiplier=10,
        margin_rate="0.1",
        shortable=True,
        closes_today_apart=closes_today_apart,
        fees=fee,
    )
    desk = Desk().opened(future, an_instrument(B, lot=1, min_qty=1), an_instrument(C), cash=1_000)
    short = desk.order(sell(A, 5, position_effect=PositionEffect.OPEN))
    desk.give(an_execution(short.cl_ord_id, A, Side.SELL, 5, 10, position_effect=PositionEffect.OPEN))
    stock = desk.order(buy(B, 93))
    desk.give(an_execution(stock.cl_ord_id, B, Side.BUY, 93, 10, "e2"))
    return desk, future


@pytest.mark.parametrize("apart", [False, True])
def test_a_short_is_closed_though_the_fee_of_closing_is_more_than_the_free_cash(apart: bool) -> None:
    """D5: its fee is paid out of the margin it frees, as that of a sell is out of its proceeds."""
    close_today = FeeLine("commission", minimum=Decimal(1), close_today_per_unit=Decimal(5))
    desk, future = short_of(FeeSchedule((close_today,)), closes_today_apart=apart)
    assert desk.state.cash(ACCOUNT, future.currency).free <= 20

    work = Work(desk, desk.give(a_run({A: 0}, sell_unlisted=False)))

    assert (work.sent(), desk.of(OrderDenied)) == ({A: 5}, [])
    work.fill(A)
    assert work.status is RunStatus.COMPLETED
    assert desk.state.cash(ACCOUNT, future.currency).free > 0


def test_a_person_may_close_a_short_without_free_cash() -> None:
    desk, future = short_of(fees("0.06"))
    assert desk.state.cash(ACCOUNT, future.currency).free < 30

    covering = desk.order(buy(A, 5, position_effect=PositionEffect.CLOSE))

    assert covering.reserved == 0
