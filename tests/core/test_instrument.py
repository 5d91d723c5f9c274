"""Lots, ticks, price limits and fees of one instrument on one day."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tradeloop.core.instrument import FeeLine, FeeSchedule, Instrument
from tradeloop.core.types import Side
from tradeloop.testing.builders import an_instrument

MAIN = an_instrument()
STAR = an_instrument("688001.SH", lot=1, min_qty=200)
BEIJING = an_instrument("430047.BJ", lot=1, min_qty=100)
US = an_instrument("AAPL.US", lot=1, min_qty=1, odd_lot_sell=False)
BUY, SELL = Side.BUY, Side.SELL


@pytest.mark.parametrize(
    ("instrument", "side", "qty", "held", "legal"),
    [
        (MAIN, BUY, "100", "0", True),
        (MAIN, BUY, "150", "0", False),
        (MAIN, BUY, "50", "0", False),
        (MAIN, BUY, "50", "50", False),
        (MAIN, BUY, "0", "0", False),
        (MAIN, BUY, "-100", "0", False),
        (MAIN, SELL, "100", "150", True),
        (MAIN, SELL, "150", "150", True),
        (MAIN, SELL, "150", "250", True),
        (MAIN, SELL, "50", "50", True),
        (MAIN, SELL, "30", "50", False),
        (MAIN, SELL, "130", "150", False),
        (MAIN, SELL, "150", "140", False),
        (STAR, BUY, "200", "0", True),
        (STAR, BUY, "201", "0", True),
        (STAR, BUY, "199", "0", False),
        (STAR, SELL, "199", "199", True),
        (STAR, SELL, "100", "199", False),
        (BEIJING, BUY, "101", "0", True),
        (BEIJING, BUY, "99", "0", False),
        (US, SELL, "1", "0", True),
        (US, BUY, "0.5", "0", False),
    ],
)
def test_an_order_has_a_legal_size_by_the_lots_of_its_board(
    instrument: Instrument, side: Side, qty: str, held: str, legal: bool
) -> None:
    assert instrument.is_tradable_qty(Decimal(qty), side, Decimal(held)) is legal


@pytest.mark.parametrize(
    ("instrument", "side", "qty", "held", "floored"),
    [
        (MAIN, BUY, "199", "0", "100"),
        (MAIN, BUY, "99.9", "0", "0"),
        (STAR, BUY, "201.7", "0", "201"),
        (STAR, BUY, "199", "0", "0"),
        (MAIN, SELL, "150", "150", "150"),
        (MAIN, SELL, "1000", "150", "150"),
        (MAIN, SELL, "149", "150", "100"),
        (STAR, SELL, "150", "150", "150"),
    ],
)
def test_a_quantity_is_floored_to_what_can_be_traded(
    instrument: Instrument, side: Side, qty: str, held: str, floored: str
) -> None:
    """S1-57."""
    assert instrument.floor_qty(Decimal(qty), side, Decimal(held)) == Decimal(floored)


def test_a_price_stands_on_a_tick_above_zero() -> None:
    assert [MAIN.on_tick(Decimal(p)) for p in ("10.01", "10.001", "0", "-1")] == [True, False, False, False]


def test_the_price_limits_of_a_day_are_rounded_half_up_to_the_tick() -> None:
    band = an_instrument(price_limit="0.1").band(Decimal("10.05"))
    assert band == (Decimal("9.05"), Decimal("11.06"))


@pytest.mark.parametrize("fraction", ["0.05", "0.1", "0.2", "0.3"])
@pytest.mark.parametrize("prev_close", ["0.05", "9.87", "10.05", "1725.35"])
def test_the_upper_limit_asked_for_alone_is_that_of_the_band(fraction: str, prev_close: str) -> None:
    limited = an_instrument(price_limit=fraction)
    band = limited.band(Decimal(prev_close))
    assert band is not None
    assert str(limited.limit_up(Decimal(prev_close))) == str(band[1])


def test_an_instrument_without_a_limit_has_no_band() -> None:
    assert MAIN.band(Decimal(10)) is None
    assert MAIN.limit_up(Decimal(10)) is None


def test_stamp_duty_is_paid_on_sells_alone() -> None:
    schedule = FeeSchedule((FeeLine("stamp", Decimal("0.0005"), side=SELL),))
    paid = [schedule.fee(side, Decimal(100), Decimal(10_000)) for side in (BUY, SELL)]
    assert paid == [Decimal(0), Decimal(5)]


def test_each_fee_line_is_rounded_half_up_before_they_are_added() -> None:
    line = FeeLine("a", Decimal("0.000015"))
    assert FeeSchedule((line, line)).fee(BUY, Decimal(100), Decimal(1000)) == Decimal("0.04")


def test_a_minimum_fee_holds_where_the_rate_gives_less() -> None:
    schedule = FeeSchedule((FeeLine("commission", Decimal("0.00025"), minimum=Decimal(5)),))
    assert [schedule.fee(BUY, Decimal(100), Decimal(v)) for v in (1000, 100_000)] == [Decimal(5), Decimal(25)]


def test_a_fee_per_unit_is_capped_by_its_maximum_rate() -> None:
    schedule = FeeSchedule((FeeLine("commission", per_unit=Decimal("0.005"), maximum_rate=Decimal("0.01")),))
    assert schedule.fee(BUY, Decimal(1000), Decimal(100)) == Decimal(1)


PER_TRADE = FeeSchedule((FeeLine("taf", per_unit=Decimal("0.000195"), side=SELL, maximum=Decimal("9.79")),))


def test_a_maximum_bounds_each_fill_by_itself() -> None:
    """FINRA's trading activity fee: at most so much per trade."""
    paid, before = [], Decimal(0)
    for qty in (Decimal(60_000), Decimal(100), Decimal(60_000)):
        paid.append(str(PER_TRADE.grown(SELL, qty, qty, (before, before))))
        before += qty
    assert paid == ["9.79", "0.02", "9.79"]


def test_an_order_is_estimated_as_if_no_fill_of_it_reached_the_maximum() -> None:
    assert PER_TRADE.fee(SELL, Decimal(120_000), Decimal(120_000)) == Decimal("23.40")


def test_a_side_that_pays_no_fee_pays_none_up_to_a_maximum_either() -> None:
    assert PER_TRADE.grown(BUY, Decimal(60_000), Decimal(60_000), (Decimal(0), Decimal(0))) == 0


def test_a_minimum_of_an_order_is_paid_once_beside_a_maximum_of_a_fill() -> None:
    own = FeeLine("commission", per_unit=Decimal("0.005"), minimum=Decimal(1))
    both = FeeSchedule((own, *PER_TRADE.lines))
    first = both.grown(SELL, Decimal(100), Decimal(1000), (Decimal(0), Decimal(0)))
    second = both.grown(SELL, Decimal(100), Decimal(1000), (Decimal(100), Decimal(1000)))
    assert (str(first), str(second)) == ("1.02", "0.02")


def test_closing_todays_futures_costs_its_own_rate() -> None:
    """D5."""
    line = FeeLine("fee", Decimal("0.0001"), close_today_rate=Decimal("0.001"), close_today_per_unit=Decimal(0))
    schedule = FeeSchedule((line,))
    assert schedule.fee(SELL, Decimal(1), Decimal(100_000), close_today=True) == Decimal(100)
    assert schedule.fee(SELL, Decimal(1), Decimal(100_000)) == Decimal(10)


def test_a_contract_is_worth_its_multiplier() -> None:
    """D5."""
    assert an_instrument("IF2612.CFFEX", multiplier=300).notional(Decimal(4000), Decimal(2)) == Decimal(2_400_000)
