"""Futures rules that changed: ticks, fees for closing today's position, and what an exchange calls abnormal."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from tradeloop.core.instrument import Instrument
from tradeloop.core.types import Side
from tradeloop.markets.futures import conduct_of
from tradeloop.markets.instruments import InstrumentMaster
from tradeloop.markets.symbols import canonical

ON = date(2026, 7, 17)


def future(symbol: str, on: date) -> Instrument:
    """A contract on a day."""
    return InstrumentMaster().resolve(canonical(symbol, on), on)


@pytest.mark.parametrize(
    ("symbol", "on", "tick"),
    [
        ("TS2312", date(2023, 8, 29), "0.005"),
        ("TS2312", date(2023, 8, 30), "0.002"),
        ("TS2612", ON, "0.002"),
    ],
)
def test_the_tick_of_a_bond_future_became_finer(symbol: str, on: date, tick: str) -> None:
    assert future(symbol, on).tick == Decimal(tick)


@pytest.mark.parametrize(
    ("on", "fee"),
    [
        (date(2019, 4, 19), "552.00"),
        (date(2019, 4, 22), "414.00"),
        (date(2023, 8, 25), "414.00"),
        (date(2023, 8, 28), "276.00"),
        (ON, "276.00"),
    ],
)
def test_an_index_future_opened_today_is_dear_to_close_and_became_cheaper(on: date, fee: str) -> None:
    fees = future(f"IF{on.year % 100}12", on).fees
    assert fees.fee(Side.SELL, Decimal(1), Decimal(1_200_000), close_today=True) == Decimal(fee)
    assert fees.fee(Side.SELL, Decimal(1), Decimal(1_200_000)) == Decimal("27.60")


def test_a_long_bond_future_costs_three_a_lot_and_nothing_to_close_today() -> None:
    fees = future("TL2612", ON).fees
    assert fees.fee(Side.BUY, Decimal(2), Decimal(2_300_000)) == Decimal("6.00")
    assert fees.fee(Side.SELL, Decimal(2), Decimal(2_300_000), close_today=True) == 0


@pytest.mark.parametrize(
    ("product", "exchange", "self_trades", "cancels", "large_cancels"),
    [
        ("cu", "SHFE", 5, 500, 50),
        ("sc", "INE", 5, 500, None),
        ("i", "DCE", 5, 500, None),
        ("SR", "CZCE", 5, 500, None),
        ("IF", "CFFEX", 5, 400, None),
        ("T", "CFFEX", 5, 500, None),
        ("si", "GFEX", 5, 500, None),
    ],
)
def test_each_exchange_says_from_where_on_conduct_is_abnormal(
    product: str, exchange: str, self_trades: int, cancels: int, large_cancels: int | None
) -> None:
    found = conduct_of(product, exchange, ON)
    assert found is not None
    assert (found.self_trades, found.cancels, found.large_cancels) == (self_trades, cancels, large_cancels)


def test_of_an_exchange_that_is_not_there_nothing_is_known() -> None:
    assert conduct_of("xx", "MARS", ON) is None
