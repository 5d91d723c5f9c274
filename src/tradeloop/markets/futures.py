"""Futures products and the codes of their contracts.

The canonical code is product, two-digit year, month, exchange: `au2512.SHFE`, `SR2601.CZCE`. CZCE itself writes one
digit for the year (`SR601`), which names another contract every ten years; a journal is kept for longer, so the
canonical code carries both. `venue_code` gives back what the exchange writes.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

from typing_extensions import override

from tradeloop.core.errors import BadInput
from tradeloop.core.types import Symbol
from tradeloop.markets.tables import Dated, Table, kept, read_table
from tradeloop.markets.written import shown

EXCHANGES = ("SHFE", "INE", "DCE", "CZCE", "CFFEX", "GFEX")
_LISTED_MONTHS_AHEAD = 24
"""CZCE lists contracts for about a year ahead; twice that still leaves one decade only."""
_PRODUCT = re.compile(r"[A-Za-z]{1,2}", re.ASCII)
_CANONICAL = re.compile(r"([A-Za-z]{1,2})(\d{2})(\d{2})\.([A-Z]+)", re.ASCII)


class ProductRow(Dated, frozen=True, kw_only=True):
    """What one contract of a product is. `product` is in the case its exchange writes it."""

    RULE = ("market", "exchange", "product")

    exchange: str
    product: str
    multiplier: Decimal
    tick: Decimal
    session: str
    apart: bool
    max_qty_limit: Decimal
    max_qty_market: Decimal

    @override
    def fault(self) -> str:
        """Also a product that is none, and a largest order of less than one contract; 0 market orders are none at all."""
        if fault := super().fault() or _no_exchange(self.exchange):
            return fault
        if not _PRODUCT.fullmatch(self.product):
            return f"product was {shown(self.product)}; expected one or two letters"
        for column in ("max_qty_limit", "max_qty_market"):
            if 0 < getattr(self, column) < 1:
                return f"{column} was {getattr(self, column)}; expected one contract or more"
        return ""


class CostRow(Dated, frozen=True, kw_only=True):
    """Margin and fee of a product; both fees None: unknown."""

    RULE = ("market", "exchange", "product")

    exchange: str
    product: str
    margin_rate: Decimal
    rate: Decimal | None = None
    rate_close_today: Decimal | None = None
    per_lot: Decimal | None = None
    per_lot_close_today: Decimal | None = None

    @override
    def fault(self) -> str:
        """Also an exchange that is none."""
        return super().fault() or _no_exchange(self.exchange)


class ConductRow(Dated, frozen=True, kw_only=True):
    """What an exchange calls abnormal in a day, by account and contract; None where no figure is known.

    `product` is empty in the row of the exchange, which is for every product without one of its own.
    """

    RULE = ("market", "exchange", "product")

    exchange: str
    product: str = ""
    self_trades: int | None
    cancels: int | None
    large_cancels: int | None
    large_cancel_qty: Decimal | None
    counts_killed: bool | None

    @override
    def fault(self) -> str:
        """Also an exchange that is none."""
        return super().fault() or _no_exchange(self.exchange)


def _no_exchange(name: str) -> str:
    return "" if name in EXCHANGES else f"exchange was {shown(name)}; expected one of {', '.join(EXCHANGES)}"


@kept
def conduct() -> Table[ConductRow]:
    """The table of what exchanges call abnormal."""
    return read_table("futures_conduct.yaml", ConductRow)


@kept
def products() -> Table[ProductRow]:
    """The table of products."""
    return read_table("futures_products.yaml", ProductRow)


@kept
def costs() -> Table[CostRow]:
    """The table of margins and fees."""
    return read_table("futures_costs.yaml", CostRow)


@kept
def _by_product() -> dict[str, tuple[str, str]]:
    """Lower-case product to (product, exchange). No two exchanges share one (shown by a test)."""
    return {row.product.lower(): (row.product, row.exchange) for row in products().rows}


def product_known(letters: str) -> tuple[str, str] | None:
    """(product as written, exchange) of a product in any case; None when no exchange trades it."""
    return _by_product().get(letters.lower())


def contract(letters: str, digits: str, exchange: str | None, on: date | None) -> Symbol:
    """The canonical symbol of a contract given as letters, 3 or 4 digits, and perhaps an exchange."""
    written = letters + digits
    known = product_known(letters)
    if known is None:
        raise BadInput(f"{written} names no futures product of the tables; expected one such as au2512 or SR601")
    product, home = known
    if exchange is not None and exchange != home:
        raise BadInput(f"{product} trades on {home}, was {exchange}; did you mean {product}{digits}.{home}")
    month = int(digits[-2:])
    if not 1 <= month <= 12:
        raise BadInput(f"{written} has month {digits[-2:]}; expected 01 to 12, as in {product}2512")
    if len(digits) == 4:
        return Symbol(f"{product}{digits}.{home}")
    if home != "CZCE":
        raise BadInput(f"{written} has a one-digit year, which {home} does not use; write {product}2{digits}")
    return Symbol(f"{product}{_czce_year(product, digits, month, on) % 100:02d}{digits[1:]}.{home}")


def _czce_year(product: str, digits: str, month: int, on: date | None) -> int:
    if on is None:
        raise BadInput(
            f"{product}{digits} names a contract of every tenth year; say the day it is traded on, or write {product}2{digits}"
        )
    year = on.year + (int(digits[0]) - on.year) % 10
    if (year, month) < (on.year, on.month):
        year += 10
    if (year - on.year) * 12 + month - on.month > _LISTED_MONTHS_AHEAD:
        shown = f"{product}{(year - 10) % 100:02d}{digits[1:]} or {product}{year % 100:02d}{digits[1:]}"
        raise BadInput(f"{product}{digits} is not listed on {on}; did you mean {shown}")
    return year


def terms(product: str, exchange: str, on: date) -> tuple[ProductRow, CostRow]:
    """What a product is and what it costs on a day."""
    name = f"{product}.{exchange}"
    its = [row for row in products().rows if (row.product, row.exchange) == (product, exchange)]
    costing = [row for row in costs().rows if (row.product, row.exchange) == (product, exchange)]
    return products().on(on, name, its), costs().on(on, name, costing)


@kept
def conduct_of(product: str, exchange: str, on: date) -> ConductRow | None:
    """What is abnormal in a product on a day; None for an exchange of which nothing is known."""
    rows = [row for row in conduct().rows if row.exchange == exchange]
    its = [row for row in rows if row.product == product] or [row for row in rows if not row.product]
    return conduct().on(on, exchange, its) if its else None


def parts(symbol: Symbol) -> tuple[str, int, int, str] | None:
    """(product, year, month, exchange) of a canonical futures symbol; None for any other symbol."""
    match = _CANONICAL.fullmatch(symbol)
    if match is None or match.group(4) not in EXCHANGES:
        return None
    return match.group(1), 2000 + int(match.group(2)), int(match.group(3)), match.group(4)


def venue_code(symbol: Symbol) -> str:
    """The contract as its exchange writes it: `SR2601.CZCE` is `SR601` there, `au2512.SHFE` is `au2512`."""
    found = parts(symbol)
    if found is None:
        raise BadInput(f"{symbol} is not a futures contract; expected one such as au2512.SHFE")
    product, year, month, exchange = found
    digits = f"{year % 10}" if exchange == "CZCE" else f"{year % 100:02d}"
    return f"{product}{digits}{month:02d}"
