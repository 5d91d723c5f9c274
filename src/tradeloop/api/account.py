"""Money: what the account has by currency, and how it went (S4-41)."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Final

import msgspec

from tradeloop.access.identity import Scope
from tradeloop.api.call import Answer, Call
from tradeloop.api.gate import ok
from tradeloop.api.plain import Amount, Moment, amount_or_none, moment, told
from tradeloop.api.policy import Policy, Rate, Routes
from tradeloop.core.errors import BadInput
from tradeloop.core.types import SECOND_NS
from tradeloop.views.queries import PAGE_MAX
from tradeloop.views.rows import AccountRow

_END: Final = 2**63


class Money(msgspec.Struct, frozen=True):
    """What there is in one currency; null is unknown. `available` is the balance less `reserved` and `margin`."""

    currency: str
    balance: Amount | None
    available: Amount | None
    reserved: Amount | None
    margin: Amount | None
    unrealized_pnl: Amount | None
    realized_pnl: Amount | None
    fees: Amount | None
    updated_at: Moment


class HaltedSymbol(msgspec.Struct, frozen=True):
    """A symbol that takes no new orders, and why."""

    symbol: str
    why: str


class Account(msgspec.Struct, frozen=True):
    """The account of this desk."""

    account: str
    broker: str
    is_live: bool
    is_ready: bool
    money: list[Money]
    halted: list[HaltedSymbol]


class Point(msgspec.Struct, frozen=True):
    """The money at one moment; `equity` where a run had valued the account."""

    at: Moment
    balance: Amount | None
    available: Amount | None
    realized_pnl: Amount | None
    equity: Amount | None


class Curve(msgspec.Struct, frozen=True):
    """How the money of a currency went, oldest first, and how far it stands below its highest, as a fraction."""

    account: str
    currency: str
    points: list[Point]
    drawdown: Amount | None


class WhichPoints(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Of which currency, from when on, and how many points at most: the newest."""

    currency: str
    since: Moment | None = None
    limit: int = PAGE_MAX


def routes(table: Routes) -> None:
    """The routes of this file."""
    reads = Policy(Scope.READ_ACCOUNT, safe=True, rate=Rate.READ)
    table.add("GET", "/api/v1/account", show, reads, "account", gives=Account)
    table.add("GET", "/api/v1/account/curve", curve, reads, "account", query=WhichPoints, gives=Curve)


async def show(call: Call) -> Answer:
    """Show the account: money by currency, and symbols that take no new orders."""
    desk = call.desk
    await desk.shown()
    rows = await desk.queries.accounts(account_id=desk.account)
    money = [money_document(row) for row in rows]
    halted = [HaltedSymbol(symbol, why) for symbol, why in desk.state.halted.items()]
    return ok(Account(desk.account, desk.broker, desk.is_live, desk.is_ready, money, halted))


def money_document(row: AccountRow) -> Money:
    """The money of one currency as it is told."""
    return told(Money, row, updated_at=moment(row.update_time))


async def curve(call: Call) -> Answer:
    """Show how the money of a currency went."""
    wanted, desk = call.wanted(WhichPoints), call.desk
    await desk.shown()
    since = None if wanted.since is None else _ns(wanted.since)
    currency = wanted.currency.upper()[:12]
    rows = await desk.queries.curve(desk.account, currency, since=since, limit=wanted.limit)
    worth = [value for row in rows if (value := row.equity if row.equity is not None else row.balance) is not None]
    below = None if not worth or max(worth) <= 0 else (worth[-1] / max(worth) - 1).quantize(Decimal("0.000001"))
    return ok(Curve(desk.account, currency, [told(Point, row) for row in rows], amount_or_none(below)))


def _ns(written: str) -> int:
    try:
        at = datetime.fromisoformat(written)
        if at.tzinfo is None:
            raise ValueError
        since = int(at.timestamp()) * SECOND_NS
        if not 0 <= since < _END:
            raise ValueError
        return since
    except (ValueError, OverflowError):
        raise BadInput(f"since was {written[:40]!r}; expected a time with its zone such as 2026-07-17T01:30:00Z") from None
