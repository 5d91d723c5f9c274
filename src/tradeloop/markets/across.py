"""What one data file says against another: boards, venues, products and sessions that none knows, sizes that no order has.

Asked of the files of one's own alone: the packaged ones are held to the same by a test.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Final

from tradeloop.core.errors import BadInput
from tradeloop.markets.boards import BoardRow
from tradeloop.markets.fees import FeeRow
from tradeloop.markets.futures import EXCHANGES, ConductRow, CostRow, ProductRow
from tradeloop.markets.rules import (
    ListingDaysRow,
    OrderLimitsRow,
    OrderRulesRow,
    PermissionRow,
    PriceCageRow,
    PriceLimitRow,
)
from tradeloop.markets.sessions import SessionRow
from tradeloop.markets.tables import Dated, Table
from tradeloop.markets.written import shown

_PAIR: Final = re.compile(r"[A-Z0-9]+(/[A-Z0-9]+|-PERP)", re.ASCII)
_OF_A_BOARD: Final = (OrderRulesRow, OrderLimitsRow, PriceLimitRow, ListingDaysRow, PriceCageRow, PermissionRow)


class Known:
    """What the tables together know of."""

    def __init__(self, tables: Mapping[str, Table[Any]]) -> None:
        boards: tuple[BoardRow, ...] = tables["boards.yaml"].rows
        sessions: tuple[SessionRow, ...] = tables["sessions.yaml"].rows
        products: tuple[ProductRow, ...] = tables["futures_products.yaml"].rows
        self.boards = {market: sorted({row.board for row in boards if row.market == market}) for market in ("CN_A",)}
        self.venues = {market: sorted({row.venue for row in boards if row.market == market}) for market in ("CN_A",)}
        self.sessions = sorted({row.key for row in sessions if row.market == "CN_FUTURES"})
        self.products = {(row.exchange, row.product) for row in products}
        self.homes: dict[str, set[str]] = {}
        for row in products:
            self.homes.setdefault(row.product.lower(), set()).add(row.exchange)

    def fault(self, row: Dated) -> str:
        """What of a row no table knows, empty where all is known."""
        return next(self._faults(row), "")

    def _faults(self, row: Dated) -> Iterator[str]:
        if isinstance(row, _OF_A_BOARD):
            known = self.boards.get(row.market, [row.market])
            if row.board not in known and not (row.market == "CRYPTO" and _PAIR.fullmatch(row.board)):
                yield _expected("board", row.board, known)
        if isinstance(row, FeeRow):
            known = [*EXCHANGES] if row.market == "CN_FUTURES" else self.venues.get(row.market, [row.market])
            yield from (_expected("venues", venue, known) for venue in row.venues if venue not in known)
        if isinstance(row, ProductRow):
            if row.session not in self.sessions:
                yield _expected("session", row.session, self.sessions)
            if len(self.homes[row.product.lower()]) > 1:
                yield f"product was {row.product}, which two exchanges list; expected each letter of a product at one exchange"
        if isinstance(row, CostRow | ConductRow) and row.product and (row.exchange, row.product) not in self.products:
            yield _expected("product", row.product, sorted(name for home, name in self.products if home == row.exchange))


def refuse_strangers(tables: Mapping[str, Table[Any]], own: Collection[str], place: Callable[[str], str]) -> None:
    """Raise BadInput for the first row of a file in `own` that does not fit what the `tables` say together."""
    known = Known(tables)
    for file in own:
        for number, row in enumerate(tables[file].rows if file in tables else (), start=1):
            if fault := known.fault(row):
                raise BadInput(f"{place(file)} row {number}: {fault}")
    if {"order_rules.yaml", "order_limits.yaml"} & set(own):
        _refuse_sizes(tables["order_rules.yaml"].rows, tables["order_limits.yaml"].rows, place("order_limits.yaml"))


def _refuse_sizes(rules: tuple[OrderRulesRow, ...], limits: tuple[OrderLimitsRow, ...], where: str) -> None:
    """A board whose largest order is smaller than its smallest trades nothing."""
    for number, limit in enumerate(limits, start=1):
        for rule in rules:
            if (rule.market, rule.board) != (limit.market, limit.board) or rule.min_qty is None or not _meet(rule, limit):
                continue
            for column in ("max_qty_limit", "max_qty_market"):
                largest = getattr(limit, column)
                if largest and largest < rule.min_qty:  # 0: there are no such orders
                    least = f"at least {rule.min_qty:f}, the min_qty of {rule.board} from {rule.effective_from} on"
                    raise BadInput(f"{where} row {number}: {column} was {largest:f}; expected {least}")


def _meet(one: Dated, other: Dated) -> bool:
    """Whether there is a day on which both hold."""
    ends = [row.effective_to for row in (one, other) if row.effective_to is not None]
    return not ends or max(one.effective_from, other.effective_from) <= min(ends)


def _expected(column: str, found: str, known: Collection[str]) -> str:
    return f"{column} was {shown(found)}; expected one of {', '.join(known)}"
