"""Lots, ticks, largest orders, price limits and cages, permissions and short margins of a board on a day."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import cache

from tradeloop.markets.tables import Dated, Table, read_table


class OrderRulesRow(Dated, frozen=True, kw_only=True):
    """Size and price steps of a board; None where they are not the board's to say."""

    board: str
    lot: Decimal | None
    min_qty: Decimal | None
    odd_lot_sell: bool
    tick: Decimal | None
    settles_t1: bool


class OrderLimitsRow(Dated, frozen=True, kw_only=True):
    """The largest quantity of one order."""

    board: str
    max_qty_limit: Decimal
    max_qty_market: Decimal


class PriceLimitRow(Dated, frozen=True, kw_only=True):
    """The daily limit as a fraction of the previous close; None where there is none."""

    board: str
    st: bool
    limit: Decimal | None


class ListingDaysRow(Dated, frozen=True, kw_only=True):
    """On how many of its first trading days a listing has no limit."""

    board: str
    free_days: int


class PriceCageRow(Dated, frozen=True, kw_only=True):
    """How far beyond the market a limit may lie: a fraction (None: no bound), and the steps that are always free."""

    board: str
    cage: Decimal | None
    ticks: int


class PermissionRow(Dated, frozen=True, kw_only=True):
    """A board that is open to accounts with a permission alone."""

    board: str


class ShortMarginRow(Dated, frozen=True, kw_only=True):
    """What a short sale needs of the account's own money, as a fraction of its value, beside its proceeds."""

    rate: Decimal


class TickLadderRow(Dated, frozen=True, kw_only=True):
    """Pairs of (price up to and including, tick); None above all."""

    steps: tuple[tuple[Decimal | None, Decimal], ...]


@cache
def order_rule_table() -> Table[OrderRulesRow]:
    """Lots and ticks."""
    return read_table("order_rules.yaml", OrderRulesRow)


@cache
def order_limit_table() -> Table[OrderLimitsRow]:
    """Largest orders."""
    return read_table("order_limits.yaml", OrderLimitsRow)


@cache
def price_limit_table() -> Table[PriceLimitRow]:
    """Daily price limits."""
    return read_table("price_limits.yaml", PriceLimitRow)


@cache
def listing_days_table() -> Table[ListingDaysRow]:
    """Free days of new listings."""
    return read_table("listing_days.yaml", ListingDaysRow)


@cache
def price_cage_table() -> Table[PriceCageRow]:
    """Cages of limit prices."""
    return read_table("price_cages.yaml", PriceCageRow)


@cache
def permission_table() -> Table[PermissionRow]:
    """Boards that need a permission."""
    return read_table("permissions.yaml", PermissionRow)


@cache
def short_margin_table() -> Table[ShortMarginRow]:
    """Margins of short sales."""
    return read_table("short_margins.yaml", ShortMarginRow)


@cache
def tick_ladder_table() -> Table[TickLadderRow]:
    """Hong Kong's ticks by price."""
    return read_table("hk_ticks.yaml", TickLadderRow)


@cache
def order_rules(market: str, board: str, on: date) -> OrderRulesRow:
    """Lots and ticks of a board; a coin pair without rows of its own takes the general row of its market."""
    rows = [row for row in order_rule_table().rows if row.market == market]
    own = [row for row in rows if row.board == board] or [row for row in rows if row.board == market]
    return order_rule_table().on(on, board, own)


@cache
def order_limits(market: str, board: str, on: date) -> OrderLimitsRow | None:
    """Largest orders of a board; None for a market that sets none."""
    rows = [row for row in order_limit_table().rows if row.market == market]
    return order_limit_table().on(on, board, [r for r in rows if r.board == board]) if rows else None


@cache
def price_limit(market: str, board: str, on: date, *, is_st: bool) -> Decimal | None:
    """The daily limit of a board. Special treatment matters on mainland boards that have rows for it."""
    rows = [row for row in price_limit_table().rows if row.market == market and row.board in {board, market}]
    own = [row for row in rows if row.st == is_st] or rows
    return price_limit_table().on(on, f"{board} under special treatment" if is_st else board, own).limit


@cache
def free_listing_days(board: str, on: date) -> int:
    """On how many of its first trading days a listing on that board has no limit; 0 where the table knows none."""
    rows = [row for row in listing_days_table().rows if row.board == board]
    return listing_days_table().on(on, board, rows).free_days if rows else 0


@cache
def price_cage(board: str, on: date) -> tuple[Decimal | None, int]:
    """The cage of a board and its free steps; (None, 0) for a board that the table does not know."""
    rows = [row for row in price_cage_table().rows if row.board == board]
    if not rows:
        return None, 0
    found = price_cage_table().on(on, board, rows)
    return found.cage, found.ticks


@cache
def needs_permission(board: str, on: date) -> bool:
    """Whether a board is open to accounts with a permission alone."""
    rows = [row for row in permission_table().rows if row.board == board]
    return bool(rows) and bool(permission_table().on(on, board, rows))


@cache
def short_margin(market: str, on: date) -> Decimal | None:
    """The account's own share of a short sale in a market; None where the table knows none."""
    rows = [row for row in short_margin_table().rows if row.market == market]
    return short_margin_table().on(on, market, rows).rate if rows else None


def hong_kong_tick(on: date, price: Decimal | None) -> Decimal:
    """The tick at a price; the finest of the ladder when no price is known, so that nothing legal is denied here."""
    steps = tick_ladder_table().on(on, "HK", tick_ladder_table().rows).steps
    if price is None:
        return min(tick for _, tick in steps)
    return next(tick for up_to, tick in steps if up_to is None or price <= up_to)
