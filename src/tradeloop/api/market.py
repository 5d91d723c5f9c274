"""The market as the desk sees it: the newest quotes with their age, and the instruments it knows."""

from __future__ import annotations

import msgspec

from tradeloop.access.identity import Scope
from tradeloop.api.call import Answer, Call
from tradeloop.api.desk import Desk
from tradeloop.api.gate import ok
from tradeloop.api.pages import Limit, page_size
from tradeloop.api.plain import Amount, Moment, amount_or_none, local, moment, told
from tradeloop.api.policy import Policy, Rate, Routes
from tradeloop.api.symbols import exchange_of
from tradeloop.core.errors import BadInput, NotKnown
from tradeloop.core.instrument import Instrument
from tradeloop.core.reports import Quote
from tradeloop.markets.symbols import canonical

SYMBOLS_MAX = 500


class Quoted(msgspec.Struct, frozen=True):
    """A quote, by UTC and by the exchange's clock, and its age by the desk's clock."""

    symbol: str
    exchange: str
    bid: Amount | None
    ask: Amount | None
    bid_size: Amount | None
    ask_size: Amount | None
    last: Amount | None
    volume: Amount | None
    prev_close: Amount | None
    suspended: bool
    at: Moment
    at_local: Moment
    age_ms: int


class Quotes(msgspec.Struct, frozen=True):
    """The newest quotes, by symbol; `missing` were asked for and never had one."""

    quotes: list[Quoted]
    missing: list[str]


class Listed(msgspec.Struct, frozen=True):
    """What is true of a symbol."""

    symbol: str
    exchange: str
    name: str
    asset_class: str
    currency: str
    market: str
    session: str
    board: str
    industry: str
    multiplier: Amount
    lot: Amount
    tick: Amount


class Instruments(msgspec.Struct, frozen=True):
    """Instruments that this desk has met; and, where the text is a symbol that the rules know, that one."""

    instruments: list[Listed]


class WhichQuotes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Symbols with commas between; all that have a quote without them."""

    symbols: str = ""


class WhichInstruments(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of a symbol or a name, in any notation."""

    q: str = ""
    limit: Limit = 50


def routes(table: Routes) -> None:
    """The routes of this file."""
    reads = Policy(Scope.READ_MARKET, safe=True, rate=Rate.READ)
    table.add("GET", "/api/v1/quotes", quotes, reads, "market", query=WhichQuotes, gives=Quotes)
    table.add("GET", "/api/v1/instruments", instruments, reads, "market", query=WhichInstruments, gives=Instruments)


async def quotes(call: Call) -> Answer:
    """Show the newest quotes with their age."""
    desk, written = call.desk, [each for each in call.wanted(WhichQuotes).symbols.split(",") if each.strip()]
    if len(written) > SYMBOLS_MAX:
        raise BadInput(f"there were {len(written)} symbols; expected at most {SYMBOLS_MAX}")
    if not written:
        return ok(Quotes([_quoted(desk, quote) for quote in sorted(desk.quotes(), key=lambda each: each.symbol)], []))
    found, missing = [], []
    for symbol in dict.fromkeys(map(canonical, written)):
        quote = desk.quote(symbol)
        if quote is None:
            missing.append(str(symbol))
        else:
            found.append(_quoted(desk, quote))
    return ok(Quotes(found, missing))


async def instruments(call: Call) -> Answer:
    """Search the instruments."""
    asked, desk = call.wanted(WhichInstruments), call.desk
    text = asked.q.strip()[:64]
    await desk.shown()
    rows = await desk.queries.instruments(text=text, limit=page_size(asked.limit))
    found = {row.id: told(Listed, row, symbol=row.id, exchange=exchange_of(row.id)) for row in rows}
    if text:
        try:
            known = desk.listed(canonical(text))
        except BadInput:
            known = None
        if known is not None and known.symbol not in found:
            found[known.symbol] = _listed(known)
    if text and not found:
        raise NotKnown(f"no instrument was found by {text!a}")
    return ok(Instruments(list(found.values())))


def _listed(known: Instrument) -> Listed:
    return told(Listed, known, exchange=exchange_of(known.symbol))


def _quoted(desk: Desk, quote: Quote) -> Quoted:
    instrument = desk.state.instruments.get(quote.symbol)
    return Quoted(
        symbol=quote.symbol,
        exchange=exchange_of(quote.symbol),
        bid=amount_or_none(quote.bid),
        ask=amount_or_none(quote.ask),
        bid_size=amount_or_none(quote.bid_size),
        ask_size=amount_or_none(quote.ask_size),
        last=amount_or_none(quote.last),
        volume=amount_or_none(quote.volume),
        prev_close=amount_or_none(quote.prev_close),
        suspended=quote.suspended,
        at=moment(quote.at),
        at_local=local(quote.at, "" if instrument is None else instrument.market),
        age_ms=max(0, desk.now() - quote.at) // 1_000_000,
    )
