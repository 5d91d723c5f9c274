"""Money: what the account has by currency, and how it went (S4-41)."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from tradeloop.access.identity import Scope
from tradeloop.api.call import Answer, Call
from tradeloop.api.desk import Desk
from tradeloop.api.gate import ok
from tradeloop.api.pages import moment_asked
from tradeloop.api.plain import Amount, Moment, amount_or_none, moment, told
from tradeloop.api.policy import Policy, Rate, Routes
from tradeloop.core.instrument import AssetClass
from tradeloop.core.types import ZERO, Symbol
from tradeloop.views.queries import PAGE_MAX
from tradeloop.views.rows import AccountRow, CurveRow, PositionRow


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
    """The money at one moment. `equity` is the balance and what was held, at the market: as a run had valued it, else at the
    last prices that the journal held then; null where one of them is not known.
    """

    at: Moment
    balance: Amount | None
    available: Amount | None
    realized_pnl: Amount | None
    equity: Amount | None


class Curve(msgspec.Struct, frozen=True):
    """How the money of a currency went, oldest first: a point for each movement, and the last for now, at the newest quotes.
    `drawdown`: how far the equity stands below its highest, as a fraction; null where it is not known now.
    """

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
    """Show how the money of a currency went, and what the account was worth with what it held."""
    wanted, desk = call.wanted(WhichPoints), call.desk
    await desk.shown()
    since = moment_asked("since", wanted.since)
    currency = wanted.currency.upper()[:12]
    rows = await desk.queries.curve(desk.account, currency, since=since, limit=wanted.limit)
    found = [(told(Point, row, equity=amount_or_none(worth := _equity(row))), worth) for row in rows]
    if rows:
        found.append(await _now(desk, currency))
    worths = [worth for _, worth in found if worth is not None]
    below = None
    if found and found[-1][1] is not None and max(worths) > ZERO:
        below = (worths[-1] / max(worths) - 1).quantize(Decimal("0.000001")) + ZERO  # no minus before nought
    return ok(Curve(desk.account, currency, [point for point, _ in found], amount_or_none(below)))


def _equity(row: CurveRow) -> Decimal | None:
    """What the account was worth at a point; None where that is not known."""
    if row.equity is not None:
        return row.equity
    return None if row.balance is None or row.held_value is None else row.balance + row.held_value


async def _now(desk: Desk, currency: str) -> tuple[Point, Decimal | None]:
    """The money as it stands, with what is held at the newest quotes; the equity is None where one has no price."""
    rows = await desk.queries.accounts(account_id=desk.account)
    (row,) = [each for each in rows if each.currency == currency]
    worth = row.balance
    for each in await desk.queries.positions(account_id=desk.account):
        if each.currency == currency:
            value = _worth(desk, each)
            worth = None if worth is None or value is None else worth + value
    point = told(Point, row, at=moment(desk.now()), equity=amount_or_none(worth))
    return point, worth


def _worth(desk: Desk, row: PositionRow) -> Decimal | None:
    """What a position adds to the balance: its market value, or the profit of what is margined as a future."""
    quote, instrument = desk.quote(Symbol(row.symbol)), desk.state.instruments.get(Symbol(row.symbol))
    px = (None if quote is None else quote.mid_or_last) or row.current_price
    if px is None:
        return None
    value = px * row.volume * row.multiplier * (-1 if row.direction == "short" else 1)
    if instrument is not None and instrument.asset_class is AssetClass.FUTURE:
        paid = row.cost
        return None if paid is None else value - (-paid if row.direction == "short" else paid)
    return value
