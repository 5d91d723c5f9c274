"""What is held (S2-7, S3-33..S3-35): of the account, or what a strategy's own trades made, priced by the newest quotes.

The account's positions are the books, which are compared with the broker's. A strategy's are its trades counted together: two
strategies may hold against each other what the account does not hold at all. The strategy `-` stands for the account.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

import msgspec

from tradeloop.access.identity import Scope
from tradeloop.api.call import Answer, Call
from tradeloop.api.desk import Desk
from tradeloop.api.gate import ok
from tradeloop.api.plain import Amount, Moment, amount, amount_or_none, moment, moment_or_none, told
from tradeloop.api.policy import Policy, Rate, Routes
from tradeloop.api.symbols import exchange_of, symbol_of
from tradeloop.core.errors import BadInput, NotKnown
from tradeloop.core.types import ZERO, Symbol
from tradeloop.markets.symbols import VENUES
from tradeloop.views.rows import BreakRow, PositionRow, TradeRow

ACCOUNT: Final = "-"
"""The strategy that stands for the whole account in a path."""


class Position(msgspec.Struct, frozen=True):
    """One direction of a position. `market_price` is the newest quote's, as old as `price_at` says, and so is what is computed
    from it; null is unknown. Of a strategy, `today_quantity`, `yesterday_quantity` and `frozen_quantity` are unknown.
    """

    account: str
    strategy_id: str
    exchange: str
    symbol: str
    direction: str
    quantity: Amount
    today_quantity: Amount | None
    yesterday_quantity: Amount | None
    frozen_quantity: Amount | None
    sellable_quantity: Amount | None
    average_price: Amount | None
    cost: Amount | None
    market_price: Amount | None
    price_at: Moment | None
    market_value: Amount | None
    unrealized_pnl: Amount | None
    realized_pnl: Amount | None
    currency: str
    multiplier: Amount
    margin: Amount | None
    updated_at: Moment


class Positions(msgspec.Struct, frozen=True):
    """What is held, by symbol."""

    positions: list[Position]


class WhichPositions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which positions; `flat` gives those too that hold nothing any more."""

    strategy_id: str | None = None
    exchange: str = ""
    symbol: str | None = None
    flat: bool = False


class Compared(msgspec.Struct, frozen=True):
    """What a comparison with the broker's books found (S3-35)."""

    broker: str
    account: str
    breaks: list[Difference]
    agrees: bool


class Difference(msgspec.Struct, frozen=True):
    """One difference between our books and the broker's."""

    id: str
    kind: str
    subject: str
    ours: str
    theirs: str
    cause: str
    repair: str
    found_at: Moment


def routes(table: Routes) -> None:
    """The routes of this file."""
    reads = Policy(Scope.READ_ACCOUNT, safe=True, rate=Rate.READ)
    work = Policy(Scope.READ_ACCOUNT, safe=False, rate=Rate.WORK)
    table.add("GET", "/api/v1/positions", listed, reads, "positions", query=WhichPositions, gives=Positions)
    table.add("POST", "/api/v1/positions/sync/{exchange}", sync, work, "positions", gives=Compared)
    table.add("GET", "/api/v1/positions/{strategy_id}/{exchange}/{symbol:path}", one, reads, "positions", gives=Position)


async def listed(call: Call) -> Answer:
    """List what is held."""
    wanted, desk = call.wanted(WhichPositions), call.desk
    symbol = None if wanted.symbol is None else symbol_of(wanted.exchange, wanted.symbol, desk.broker)
    return ok(Positions(await _held(desk, wanted.strategy_id or "", symbol, flat=wanted.flat)))


async def one(call: Call) -> Answer:
    """Show one position: of a strategy, or of the account under `-`."""
    desk, strategy = call.desk, call.path["strategy_id"]
    symbol = symbol_of(call.path["exchange"], call.path["symbol"], desk.broker)
    found = await _held(desk, "" if strategy == ACCOUNT else strategy, symbol, flat=True)
    if not found:
        whose = "the account" if strategy == ACCOUNT else f"strategy {strategy[:60]}"
        raise NotKnown(f"{whose} has never held {symbol}")
    return ok(next(filter(_is_held, found), found[0]))


async def sync(call: Call) -> Answer:
    """Compare our books with the broker's now; what differs is told, and nothing is overwritten."""
    desk, exchange = call.desk, call.path["exchange"]
    traded = {exchange_of(symbol) for symbol in desk.state.instruments}
    if exchange != desk.broker and VENUES.get(exchange.upper()) not in traded:
        raise BadInput(f"exchange was {exchange[:40]!r}; expected {desk.broker}, the broker of this desk, or one traded here")
    await desk.reconcile()
    await desk.shown()
    rows = (await desk.queries.breaks(account_id=desk.account, limit=1_000)).rows
    return ok(Compared(desk.broker, desk.account, [break_document(row) for row in rows], not rows))


def break_document(row: BreakRow) -> Difference:
    """A break as it is told."""
    return told(Difference, row)


async def _held(desk: Desk, strategy: str, symbol: Symbol | None, *, flat: bool) -> list[Position]:
    await desk.shown()
    if strategy:
        trades = await desk.queries.trades_of_strategy(desk.account, strategy, symbol=symbol)
        own = _counted(desk, strategy, trades)
        return [each for each in own if flat or _is_held(each)]
    rows = await desk.queries.positions(account_id=desk.account, symbol=symbol, flat=flat)
    return [position_document(desk, row) for row in rows]


def _is_held(position: Position) -> bool:
    return Decimal(position.quantity) != ZERO


def position_document(desk: Desk, row: PositionRow) -> Position:
    """A position of the account as it is told."""
    px, at = _price(desk, Symbol(row.symbol))
    if px is None:
        px, at = row.current_price, row.price_at
    sign = -1 if row.direction == "short" else 1
    value = None if px is None else px * row.volume * row.multiplier
    gain = None if value is None or row.cost is None else sign * (value - row.cost)
    return told(
        Position,
        row,
        account=row.account_id,
        strategy_id="",
        direction=row.direction.upper(),
        exchange=exchange_of(row.symbol),
        quantity=amount(row.volume),
        today_quantity=amount(row.today_volume),
        yesterday_quantity=amount(row.yesterday_volume),
        frozen_quantity=amount(row.frozen_volume),
        sellable_quantity=_sellable(desk, row),
        average_price=amount_or_none(row.avg_price),
        market_price=amount_or_none(px),
        price_at=moment_or_none(at),
        market_value=amount_or_none(value),
        unrealized_pnl=amount_or_none(gain if row.volume else ZERO),
        updated_at=moment(row.update_time),
    )


def _sellable(desk: Desk, row: PositionRow) -> str | None:
    """What may be sold today: under T+1 yesterday's alone; what working orders hold is not free."""
    instrument = desk.state.instruments.get(Symbol(row.symbol))
    if instrument is None:
        return None
    whole = row.yesterday_volume if instrument.settles_t1 else row.volume
    return amount(max(ZERO, whole - row.frozen_volume))


def _counted(desk: Desk, strategy: str, trades: Iterable[TradeRow]) -> list[Position]:
    """A strategy's trades counted together, at average cost; what closes and goes on to the other side realises first."""
    books: dict[str, _Book] = {}
    for trade in trades:
        books.setdefault(trade.symbol, _Book()).add(trade)
    return [_of_strategy(desk, strategy, symbol, book) for symbol, book in sorted(books.items())]


class _Book:
    """Net quantity, its cost at average price, and what was gained, without multiplier and before fees."""

    def __init__(self) -> None:
        self.net = ZERO
        self.cost = ZERO
        self.gained = ZERO
        self.at = 0

    def add(self, trade: TradeRow) -> None:
        """Count one trade."""
        signed = trade.volume if trade.direction == "buy" else -trade.volume
        closes = min(abs(signed), abs(self.net)) if self.net * signed < 0 else ZERO
        if closes:
            average = self.cost / abs(self.net)
            self.gained += closes * (trade.price - average) * (1 if self.net > 0 else -1)
            self.cost -= average * closes
        self.cost += (abs(signed) - closes) * trade.price
        self.net += signed
        self.at = trade.trade_time


def _of_strategy(desk: Desk, strategy: str, symbol: str, book: _Book) -> Position:
    instrument = desk.state.instruments[Symbol(symbol)]
    px, at = _price(desk, Symbol(symbol))
    held, times = abs(book.net), instrument.multiplier
    value = None if px is None else px * held * times
    cost = book.cost * times
    gain = None if value is None else (value - cost) * (1 if book.net >= 0 else -1)
    return Position(
        account=desk.account,
        strategy_id=strategy,
        exchange=exchange_of(symbol),
        symbol=symbol,
        direction="SHORT" if book.net < 0 else "LONG",
        quantity=amount(held),
        today_quantity=None,
        yesterday_quantity=None,
        frozen_quantity=None,
        sellable_quantity=None,
        average_price=amount(book.cost / held) if held else None,
        cost=amount(cost),
        market_price=amount_or_none(px),
        price_at=moment_or_none(at),
        market_value=amount_or_none(value),
        unrealized_pnl=amount_or_none(gain if held else ZERO),
        realized_pnl=amount(book.gained * times),
        currency=instrument.currency,
        multiplier=amount(times),
        margin=None,
        updated_at=moment(book.at),
    )


def _price(desk: Desk, symbol: Symbol) -> tuple[Decimal | None, int | None]:
    quote = desk.quote(symbol)
    px = None if quote is None else quote.mid_or_last
    return (None, None) if quote is None or px is None else (px, quote.at)
