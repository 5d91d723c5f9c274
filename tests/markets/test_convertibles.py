"""Convertible bonds: lots of ten, sold on the day they were bought, and a first day whose two limits differ."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from tradeloop.core.errors import BadInput
from tradeloop.core.instrument import AssetClass, Instrument
from tradeloop.core.types import Side
from tradeloop.markets.facts import InstrumentFacts
from tradeloop.markets.fees import BrokerFees
from tradeloop.markets.instruments import InstrumentMaster
from tradeloop.markets.symbols import canonical
from tradeloop.testing.builders import an_instrument

ON = date(2026, 7, 17)


def bond(symbol: str = "113050.SH", on: date = ON, facts: InstrumentFacts | None = None) -> Instrument:
    """A convertible bond on a day."""
    return InstrumentMaster().resolve(canonical(symbol, on), on, facts)


@pytest.mark.parametrize(
    ("symbol", "board"),
    [("110059.SH", "CB_SH"), ("111000.SH", "CB_SH"), ("118003.SH", "CB_SH"), ("123001.SZ", "CB_SZ"), ("127005.SZ", "CB_SZ")],
)
def test_a_convertible_bond_is_bought_in_tens_and_sold_on_the_same_day(symbol: str, board: str) -> None:
    found = bond(symbol)
    assert (found.asset_class, found.board, found.currency, found.session) == (AssetClass.BOND, board, "CNY", "CN_A")
    assert (int(found.lot), int(found.min_qty), found.tick) == (10, 10, Decimal("0.001"))
    assert (found.settles_t1, found.needs_permission) == (False, True)


@pytest.mark.parametrize(("qty", "held", "legal"), [(10, 0, True), (15, 0, False), (5, 0, False), (5, 5, True), (4, 5, False)])
def test_an_odd_remainder_of_bonds_is_sold_whole(qty: int, held: int, legal: bool) -> None:
    side = Side.SELL if held else Side.BUY
    assert bond().is_tradable_qty(Decimal(qty), side, Decimal(held)) is legal


def test_a_convertible_bond_moves_a_fifth_a_day() -> None:
    assert bond().band(Decimal("123.456")) == (Decimal("98.765"), Decimal("148.147"))


def test_its_first_day_has_another_limit_upwards_than_downwards() -> None:
    listed = InstrumentFacts(list_date=date(2026, 7, 16))
    first, second = bond(on=date(2026, 7, 16), facts=listed), bond(on=ON, facts=listed)
    assert first.band(Decimal(100)) == (Decimal("56.700"), Decimal("157.300"))
    assert first.limit_up(Decimal(100)) == Decimal("157.300")
    assert second.band(Decimal(100)) == (Decimal("80.000"), Decimal("120.000"))


def test_the_first_day_of_a_main_board_stock_had_two_limits_before_the_registration_reform() -> None:
    listed = InstrumentFacts(list_date=date(2022, 3, 1))
    first = InstrumentMaster().resolve(canonical("600999.SH"), date(2022, 3, 1), listed)
    assert first.band(Decimal("10.00")) == (Decimal("6.40"), Decimal("14.40"))


def test_one_limit_is_for_both_sides_where_no_other_is_named() -> None:
    assert an_instrument(price_limit="0.10").band(Decimal(10)) == (Decimal("9.00"), Decimal("11.00"))
    assert an_instrument(price_limit="0.573", price_limit_down="0.433").band(Decimal(100)) == (
        Decimal("56.70"),
        Decimal("157.30"),
    )
    assert an_instrument(price_limit_down="0.433").band(Decimal(100)) is None


def test_a_sale_of_a_bond_pays_no_stamp_duty_and_no_transfer_fee() -> None:
    assert [line.name for line in bond().fees.lines] == ["commission"]
    apart = InstrumentMaster(broker_fees=BrokerFees(passes_exchange_fees=True)).resolve(canonical("113050.SH"), ON)
    assert apart.fees.fee(Side.SELL, Decimal(1000), Decimal(100_000)) == Decimal("29.00")


def test_a_day_before_the_rules_of_2022_is_refused() -> None:
    with pytest.raises(BadInput, match="begin 2022-08-01; 2022-07-29 is before the table"):
        bond(on=date(2022, 7, 29))


@pytest.mark.parametrize("symbol", ["010107.SH", "132018.SH", "120002.SZ"])
def test_other_bonds_are_refused_by_name(symbol: str) -> None:
    with pytest.raises(BadInput, match="is a bond"):
        bond(symbol)
