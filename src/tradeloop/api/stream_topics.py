"""The topics of the stream: who may subscribe to each, and the documents of the rows that changed, as REST tells them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from tradeloop.access.identity import Identity, Scope
from tradeloop.api.account import money_document
from tradeloop.api.desk import Desk
from tradeloop.api.fills import fill_document
from tradeloop.api.orders_out import order_document
from tradeloop.api.plain import told
from tradeloop.api.positions import position_document
from tradeloop.api.record import Alert, Break
from tradeloop.api.runs import run_document
from tradeloop.api.stream_channel import Pieces
from tradeloop.views.rows import AccountRow, AlertRow, BreakRow, FillRow, OrderRow, PositionRow, Row, RunRow

QUOTES: Final = "quotes"
ORDERS, FILLS, POSITIONS, ACCOUNT, RUNS = "orders", "fills", "positions", "account", "runs"
ALERTS, BREAKS, HALTS, RISK, SYSTEM = "alerts", "breaks", "halts", "risk", "system"

SCOPES: Final[Mapping[str, Scope]] = {
    **dict.fromkeys((ORDERS, FILLS, POSITIONS, ACCOUNT, RUNS, ALERTS, BREAKS, HALTS, RISK, SYSTEM), Scope.READ_ACCOUNT),
    QUOTES: Scope.READ_MARKET,
}
"""Every topic, and the scope that it asks for."""

Made = tuple[str, bytes]
"""The key of a document, and the document."""


def may_see(who: Identity, topic: str, account: str) -> bool:
    """Whether somebody may subscribe to a topic of this account's desk."""
    scope = SCOPES[topic]
    return who.may(scope) and (scope is Scope.READ_MARKET or who.accounts is None or account in who.accounts)


def topics_of(who: Identity, account: str) -> list[str]:
    """Those that somebody may subscribe to."""
    return [topic for topic in SCOPES if may_see(who, topic, account)]


def encoded(document: msgspec.Struct | dict[str, Any]) -> bytes:
    """A document as bytes."""
    return _ENCODE(document)


def with_id(key: str, document: msgspec.Struct) -> bytes:
    """A document that has no key among its fields, with one."""
    return b'{"id":' + _ENCODE(key) + b"," + _ENCODE(document)[1:]


def of_order(_desk: Desk, row: OrderRow) -> Made:
    """An order."""
    return row.id, _ENCODE(order_document(row))


def of_fill(desk: Desk, row: FillRow) -> Made:
    """A fill."""
    return row.id, with_id(row.id, fill_document(desk, row))


def of_position(desk: Desk, row: PositionRow) -> Made:
    """A position."""
    return row.id, with_id(row.id, position_document(desk, row))


def of_money(_desk: Desk, row: AccountRow) -> Made:
    """The money of one currency."""
    return row.currency, _ENCODE(money_document(row))


def of_run(_desk: Desk, row: RunRow) -> Made:
    """A run."""
    return row.id, _ENCODE(run_document(row))


def of_alert(_desk: Desk, row: AlertRow) -> Made:
    """A trouble."""
    return row.id, _ENCODE(told(Alert, row))


def of_break(_desk: Desk, row: BreakRow) -> Made:
    """A difference between two books."""
    return row.id, _ENCODE(told(Break, row))


TABLES: Final[Mapping[str, tuple[str, Callable[[Desk, Any], Made]]]] = {
    "trade_orders": (ORDERS, of_order),
    "trade_fills": (FILLS, of_fill),
    "positions": (POSITIONS, of_position),
    "accounts": (ACCOUNT, of_money),
    "trade_runs": (RUNS, of_run),
    "alerts": (ALERTS, of_alert),
    "breaks": (BREAKS, of_break),
}
"""The topic that each table of the read models is told under, and how a row of it is told."""


def told_of(desk: Desk, table: str, rows: list[Row]) -> Pieces:
    """The documents of rows that changed, but those of other accounts."""
    made = TABLES[table][1]
    return dict(made(desk, row) for row in rows if getattr(row, "account_id", desk.account) == desk.account)


_ENCODE: Final = msgspec.json.Encoder().encode
