"""Funds of every kind: how far they move in a day, and whether what was bought today can be sold today."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from tradeloop.core.instrument import AssetClass, Instrument
from tradeloop.core.types import Side
from tradeloop.markets.facts import InstrumentFacts
from tradeloop.markets.instruments import InstrumentMaster
from tradeloop.markets.symbols import canonical

ON = date(2026, 7, 17)


def fund(symbol: str, on: date = ON, facts: InstrumentFacts | None = None) -> Instrument:
    """A fund on a day."""
    return InstrumentMaster().resolve(canonical(symbol, on), on, facts)


@pytest.mark.parametrize(
    ("symbol", "board", "limit", "t1"),
    [
        ("510300.SH", "ETF_SH", "0.10", True),
        ("511880.SH", "ETF_SH_T0", "0.10", False),
        ("513100.SH", "ETF_SH_T0", "0.10", False),
        ("518880.SH", "ETF_SH_T0", "0.10", False),
        ("588000.SH", "ETF_STAR", "0.20", True),
        ("159919.SZ", "ETF_SZ", "0.10", True),
        ("159915.SZ", "ETF_CHINEXT", "0.20", True),
        ("159949.SZ", "ETF_CHINEXT", "0.20", True),
        ("159941.SZ", "ETF_SZ_T0", "0.10", False),
        ("159985.SZ", "ETF_SZ_T0", "0.10", False),
        ("508000.SH", "REIT_SH", "0.10", True),
        ("180101.SZ", "REIT_SZ", "0.10", True),
        ("161725.SZ", "FUND_SZ", "0.10", True),
    ],
)
def test_each_kind_of_fund_has_its_limit_and_its_day_of_sale(symbol: str, board: str, limit: str, t1: bool) -> None:
    found = fund(symbol)
    assert (found.asset_class, found.board, found.settles_t1) == (AssetClass.FUND, board, t1)
    assert (found.price_limit, found.tick, int(found.lot)) == (Decimal(limit), Decimal("0.001"), 100)


def test_an_infrastructure_fund_moves_thirty_percent_on_its_first_day_alone() -> None:
    listed = InstrumentFacts(list_date=date(2026, 7, 16))
    assert fund("508000.SH", date(2026, 7, 16), listed).band(Decimal("3.000")) == (Decimal("2.100"), Decimal("3.900"))
    assert fund("508000.SH", ON, listed).band(Decimal("3.000")) == (Decimal("2.700"), Decimal("3.300"))


def test_what_the_rows_do_not_know_of_a_fund_the_facts_say() -> None:
    own = fund("159919.SZ", facts=InstrumentFacts(settles_t1=False, price_limit=Decimal("0.20")))
    assert (own.settles_t1, own.price_limit) == (False, Decimal("0.20"))


def test_a_sale_of_a_fund_pays_no_stamp_duty() -> None:
    assert fund("510300.SH").fees.fee(Side.SELL, Decimal(100_000), Decimal(400_000)) == Decimal("100.00")
