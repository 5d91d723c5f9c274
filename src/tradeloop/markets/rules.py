"""Lots, ticks, largest orders, price limits and cages, permissions and short margins of a board on a day."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from typing_extensions import override

from tradeloop.markets.tables import Dated, Table, kept, read_table


class OrderRulesRow(Dated, frozen=True, kw_only=True):
    """Size and price steps of a board; None where they are not the board's to say."""

    RULE = ("market", "board")

    board: str
    lot: Decimal | None
    min_qty: Decimal | None
    odd_lot_sell: bool
    tick: Decimal | None
    settles_t1: bool

    @override
    def fault(self) -> str:
        """Also a smallest order that is no whole number of lots."""
        if fault := super().fault():
            return fault
        if self.lot is not None and self.min_qty is not None and self.min_qty % self.lot:
            return f"min_qty was {self.min_qty:f}; expected whole lots of {self.lot:f}"
        return ""


class OrderLimitsRow(Dated, frozen=True, kw_only=True):
    """The largest quantity of one order, in units or, where the lot is the issuer's choice, in lots; 0 market orders are none
    at all.
    """

    RULE = ("market", "board")

    board: str
    max_qty_limit: Decimal | None = None
    max_qty_market: Decimal | None = None
    max_lots: Decimal | None = None

    @override
    def fault(self) -> str:
        """Also a part of a lot."""
        if fault := super().fault():
            return fault
        if self.max_lots is not None and self.max_lots % 1:
            return f"max_lots was {self.max_lots:f}; expected whole lots"
        return ""

    def largest(self, lot: Decimal) -> tuple[Decimal | None, Decimal | None]:
        """The largest limit and market order in units; None where there is no such bound."""
        of_lots = None if self.max_lots is None else self.max_lots * lot
        limit, market = self.max_qty_limit, self.max_qty_market
        return of_lots if limit is None else limit, of_lots if market is None else market


class PriceLimitRow(Dated, frozen=True, kw_only=True):
    """The daily limit as a fraction of the previous close; None where there is none."""

    RULE = ("market", "board", "st")

    board: str
    st: bool
    limit: Decimal | None


class ListingDaysRow(Dated, frozen=True, kw_only=True):
    """The limit of a listing's first trading days, upwards and downwards; None where they have none."""

    RULE = ("market", "board")

    board: str
    days: int
    up: Decimal | None
    down: Decimal | None


class PriceCageRow(Dated, frozen=True, kw_only=True):
    """How far beyond the market a limit may lie: a fraction (None: no bound), and the steps that are always free."""

    RULE = ("market", "board")

    board: str
    cage: Decimal | None
    ticks: int


class PermissionRow(Dated, frozen=True, kw_only=True):
    """A board that is open to accounts with a permission alone."""

    RULE = ("market", "board")

    board: str


class ShortMarginRow(Dated, frozen=True, kw_only=True):
    """What a short sale needs of the account's own money, as a fraction of its value, beside its proceeds."""

    WHOLE = ("rate",)

    rate: Decimal

    @override
    def fault(self) -> str:
        """Also a rate of nothing."""
        return super().fault() or ("" if self.rate else "rate was 0; expected more than zero")


class TickLadderRow(Dated, frozen=True, kw_only=True):
    """Pairs of (price up to and including, tick); None above all."""

    steps: tuple[tuple[Decimal | None, Decimal], ...]

    @override
    def fault(self) -> str:
        """Also a ladder whose prices do not rise, or that does not reach above all."""
        if fault := super().fault():
            return fault
        bounds = [up_to for up_to, _ in self.steps]
        below = [bound for bound in bounds[:-1] if bound is not None]
        if not bounds or bounds[-1] is not None or len(below) != len(bounds) - 1 or below != sorted(set(below)):
            return "steps should rise in price and end with null"
        return ""


@kept
def order_rule_table() -> Table[OrderRulesRow]:
    """Lots and ticks."""
    return read_table("order_rules.yaml", OrderRulesRow)


@kept
def order_limit_table() -> Table[OrderLimitsRow]:
    """Largest orders."""
    return read_table("order_limits.yaml", OrderLimitsRow)


@kept
def price_limit_table() -> Table[PriceLimitRow]:
    """Daily price limits."""
    return read_table("price_limits.yaml", PriceLimitRow)


@kept
def listing_days_table() -> Table[ListingDaysRow]:
    """First days of new listings."""
    return read_table("listing_days.yaml", ListingDaysRow)


@kept
def price_cage_table() -> Table[PriceCageRow]:
    """Cages of limit prices."""
    return read_table("price_cages.yaml", PriceCageRow)


@kept
def permission_table() -> Table[PermissionRow]:
    """Boards that need a permission."""
    return read_table("permissions.yaml", PermissionRow)


@kept
def short_margin_table() -> Table[ShortMarginRow]:
    """Margins of short sales."""
    return read_table("short_margins.yaml", ShortMarginRow)


@kept
def tick_ladder_table() -> Table[TickLadderRow]:
    """Ticks by price."""
    return read_table("tick_ladders.yaml", TickLadderRow)


@kept
def order_rules(market: str, board: str, on: date) -> OrderRulesRow:
    """Lots and ticks of a board; a coin pair without rows of its own takes the general row of its market."""
    rows = [row for row in order_rule_table().rows if row.market == market]
    own = [row for row in rows if row.board == board] or [row for row in rows if row.board == market]
    return order_rule_table().on(on, board, own)


@kept
def order_limits(market: str, board: str, on: date) -> OrderLimitsRow | None:
    """Largest orders of a board; None for a market that sets none."""
    rows = [row for row in order_limit_table().rows if row.market == market]
    return order_limit_table().on(on, board, [r for r in rows if r.board == board]) if rows else None


@kept
def price_limit(market: str, board: str, on: date, *, is_st: bool) -> Decimal | None:
    """The daily limit of a board. Special treatment matters on mainland boards that have rows for it."""
    rows = [row for row in price_limit_table().rows if row.market == market and row.board in {board, market}]
    own = [row for row in rows if row.st == is_st] or rows
    return price_limit_table().on(on, f"{board} under special treatment" if is_st else board, own).limit


@kept
def listing_days(board: str, on: date) -> ListingDaysRow | None:
    """How a listing on that board moves in its first days; None where they are like any other."""
    rows = [row for row in listing_days_table().rows if row.board == board]
    return listing_days_table().on(on, board, rows) if rows else None


@kept
def price_cage(board: str, on: date) -> tuple[Decimal | None, int]:
    """The cage of a board and its free steps; (None, 0) for a board that the table does not know."""
    rows = [row for row in price_cage_table().rows if row.board == board]
    if not rows:
        return None, 0
    found = price_cage_table().on(on, board, rows)
    return found.cage, found.ticks


@kept
def needs_permission(board: str, on: date) -> bool:
    """Whether a board is open to accounts with a permission alone."""
    rows = [row for row in permission_table().rows if row.board == board]
    return bool(rows) and bool(permission_table().on(on, board, rows))


@kept
def short_margin(market: str, on: date) -> Decimal | None:
    """The account's own share of a short sale in a market; None where the table knows none."""
    rows = [row for row in short_margin_table().rows if row.market == market]
    return short_margin_table().on(on, market, rows).rate if rows else None


@kept
def tick_at(market: str, on: date, price: Decimal | None, of_board: Decimal | None) -> Decimal | None:
    """The tick at a price, `of_board` in a market whose ticks do not depend on it.

    Where no price is known it is that of the board, or else the finest of the ladder, so that nothing legal is denied here.
    """
    rows = [row for row in tick_ladder_table().rows if row.market == market]
    if not rows or (price is None and of_board is not None):
        return of_board
    steps = tick_ladder_table().on(on, market, rows).steps
    if price is None:
        return min(tick for _, tick in steps)
    return next(tick for up_to, tick in steps if up_to is None or price <= up_to)
