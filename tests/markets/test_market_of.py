"""Which market a symbol is traded in: its venue says it, and the instrument agrees."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from tradeloop.core.types import Symbol
from tradeloop.markets.facts import InstrumentFacts
from tradeloop.markets.instruments import InstrumentMaster, market_of

KNOWN = {Symbol("00700.HK"): InstrumentFacts(lot=Decimal(100))}
"""Lots of Hong Kong are facts of each company."""


@pytest.mark.parametrize(
    ("symbol", "market"),
    [
        ("600519.SH", "CN_A"),
        ("000333.SZ", "CN_A"),
        ("920982.BJ", "CN_A"),
        ("AAPL.US", "US"),
        ("00700.HK", "HK"),
        ("BTC/USDT.CRYPTO", "CRYPTO"),
        ("IF2608.CFFEX", "CN_FUTURES"),
        ("au2612.SHFE", "CN_FUTURES"),
    ],
)
def test_the_market_of_a_symbol_is_the_one_its_instrument_has(symbol: str, market: str) -> None:
    assert market_of(Symbol(symbol)) == market == InstrumentMaster(KNOWN).resolve(Symbol(symbol), date(2026, 7, 17)).market
