"""Steps that depend on the price or on the day: US stocks below a dollar, Hong Kong, and coins."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from tests.markets import shared_data

from tradeloop.core.instrument import Instrument
from tradeloop.markets.facts import InstrumentFacts
from tradeloop.markets.instruments import InstrumentMaster
from tradeloop.markets.symbols import canonical

ON = date(2026, 7, 17)


def instrument(symbol: str, on: date = ON, facts: InstrumentFacts | None = None) -> Instrument:
    """An instrument on a day."""
    return InstrumentMaster().resolve(canonical(symbol, on), on, facts)


@pytest.mark.parametrize(
    ("price", "tick"), [(None, "0.01"), ("0.9999", "0.0001"), ("1.00", "0.01"), ("0.05", "0.0001"), ("250", "0.01")]
)
def test_a_us_stock_below_a_dollar_has_a_finer_tick(price: str | None, tick: str) -> None:
    facts = InstrumentFacts(ref_price=None if price is None else Decimal(price))
    assert instrument("AAPL.US", facts=facts).tick == Decimal(tick)


def test_a_tick_of_the_facts_goes_before_the_ladder() -> None:
    assert instrument("AAPL.US", facts=InstrumentFacts(ref_price=Decimal("0.5"), tick=Decimal("0.005"))).tick == Decimal(
        "0.005"
    )


@pytest.mark.parametrize(
    ("price", "tick"),
    [
        ("0.25", "0.001"),
        ("0.255", "0.005"),
        ("10.00", "0.005"),
        ("10.01", "0.01"),
        ("50", "0.02"),
        ("50.05", "0.05"),
        (None, "0.001"),
    ],
)
def test_a_hong_kong_tick_holds_up_to_and_with_the_end_of_its_band(price: str | None, tick: str) -> None:
    facts = InstrumentFacts(lot=Decimal(100), ref_price=None if price is None else Decimal(price))
    assert instrument("00700.HK", facts=facts).tick == Decimal(tick)


@pytest.mark.parametrize("lot", [100, 500, 2000])
def test_the_largest_order_of_hong_kong_is_three_thousand_board_lots_and_none_goes_at_the_market(lot: int) -> None:
    found = instrument("00700.HK", facts=InstrumentFacts(lot=Decimal(lot)))
    assert (found.max_qty_limit, found.max_qty_market) == (Decimal(3000 * lot), Decimal(0))


def test_us_stocks_and_coins_have_no_largest_order() -> None:
    assert instrument("AAPL.US").max_qty_limit is instrument("BTC/USDT").max_qty_limit is None


def test_the_step_of_bitcoin_became_coarser() -> None:
    assert instrument("BTC/USDT", date(2021, 1, 8)).lot == Decimal("0.000001")
    assert instrument("BTC/USDT", date(2021, 1, 9)).lot == Decimal("0.00001")


@pytest.mark.data
@pytest.mark.parametrize("name", ["trades", "quotes"])
def test_every_price_and_quantity_of_the_recorded_coins_lies_on_the_steps_of_the_day(name: str) -> None:
    pair = instrument("BTC/USDT", date(2021, 1, 8))
    rows = shared_data.rows(f"crypto/btcusdt_{name}.csv")
    for row in rows:
        for column in ("price", "bid", "ask"):
            assert column not in row or pair.on_tick(Decimal(row[column])), row
        for column in ("quantity", "bid_size", "ask_size"):
            assert column not in row or Decimal(row[column]) % pair.lot == 0, row
    assert len(rows) > 400


@pytest.mark.data
def test_every_bar_of_the_recorded_perpetual_lies_on_its_tick() -> None:
    perpetual = instrument("BTC-PERP", date(2022, 1, 17))
    rows = shared_data.rows("crypto/btc_perp_1m.csv.gz")
    assert all(perpetual.on_tick(Decimal(row[column])) for row in rows for column in ("open", "high", "low", "close"))


@pytest.mark.data
@pytest.mark.parametrize("name", ["aig", "bac", "ibm"])
def test_every_quote_of_the_recorded_us_stocks_lies_on_the_tick(name: str) -> None:
    stock = instrument(f"{name.upper()}.US", date(2013, 10, 8))
    rows = shared_data.rows(f"us_equity_quotes/{name}_1s.csv.gz")
    assert all(stock.on_tick(Decimal(row[side])) for row in rows for side in ("bid", "ask") if row[side])
