"""The instrument master: from a canonical symbol and a day to everything the core needs to know about it.

`InstrumentMaster.resolve` looks up every dated row for that day and fills one `core.instrument.Instrument`. What no
row and no fact says is refused, never assumed: a Hong Kong board lot, the steps of an unlisted coin pair, the fee of
a futures product.

Futures carry no `price_limit`: it is a fraction of the settlement price that exchanges change by notice, and a
broker's daily contract list brings it. Their `margin_rate` is a list's, not your broker's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal

from tradeloop.core.errors import BadInput
from tradeloop.core.instrument import AssetClass, Instrument
from tradeloop.core.types import Currency, Symbol
from tradeloop.markets import futures, rules
from tradeloop.markets.boards import board_of
from tradeloop.markets.facts import InstrumentFacts
from tradeloop.markets.fees import BrokerFees, futures_schedule, schedule
from tradeloop.markets.sessions import is_trading_day

_NO_FACTS = InstrumentFacts()
_MAINLAND = frozenset({"SH", "SZ", "BJ"})
_ONE_LOT = Decimal(1)
_CLASSES = {"stock": AssetClass.STOCK, "fund": AssetClass.FUND, "convertible": AssetClass.BOND}
_NEW_LISTING_DAYS = 30
"""Calendar days after which a listing is surely past its first days."""


def market_of(symbol: Symbol) -> str:
    """The market that a canonical symbol is traded in (markets/tables.py); its venue says it, on every day."""
    venue = symbol.rpartition(".")[2]
    if venue in _MAINLAND:
        return "CN_A"
    return "CN_FUTURES" if venue in futures.EXCHANGES else venue


class InstrumentMaster:
    """Resolves symbols. `facts` is what the codes do not say, `broker_fees` your broker's terms in place of the defaults."""

    def __init__(
        self,
        facts: Mapping[Symbol, InstrumentFacts] | None = None,
        broker_fees: BrokerFees | None = None,
    ) -> None:
        """Keeps both; reads no table yet."""
        self._facts = dict(facts or {})
        self._broker_fees = broker_fees or BrokerFees()

    def resolve(self, symbol: Symbol, on: date, facts: InstrumentFacts | None = None) -> Instrument:
        """The instrument as the rules of `on` make it; `facts` given here replace the master's.

        `symbol` is canonical (markets/symbols.py). `BadInput` for a day outside the tables or a fact that is missing.
        """
        known = facts or self._facts.get(symbol, _NO_FACTS)
        code, _, venue = symbol.rpartition(".")
        if venue in _MAINLAND:
            return self._mainland(symbol, code, venue, on, known)
        if venue == "US":
            return self._spot(symbol, "US", "US", "USD", AssetClass.STOCK, on, known)
        if venue == "HK":
            if code.startswith("8"):
                raise BadInput(f"{symbol} is a counter in renminbi, which is not traded here; use the Hong Kong dollar one")
            return self._spot(symbol, "HK", "HK", "HKD", AssetClass.STOCK, on, known)
        if venue == "CRYPTO":
            # A perpetual is held like the coin, paid in full: no leverage, no funding, no short side are modelled.
            quote = code.partition("/")[2] or "USD"
            return self._spot(symbol, "CRYPTO", code, quote, AssetClass.CRYPTO, on, known)
        if venue in futures.EXCHANGES:
            return self._future(symbol, on, known)
        raise BadInput(f"{symbol!r} is not a canonical symbol; pass it through markets.symbols.canonical first")

    def resolve_all(self, symbols: Iterable[Symbol], on: date) -> tuple[Instrument, ...]:
        """`resolve` for each symbol, in order."""
        return tuple(self.resolve(symbol, on) for symbol in symbols)

    def _mainland(self, symbol: Symbol, code: str, venue: str, on: date, facts: InstrumentFacts) -> Instrument:
        row = board_of(code, venue, on)
        asset_class = _CLASSES.get(row.kind)
        if asset_class is None:
            raise BadInput(f"{symbol} is of kind {row.kind}; only stocks, funds and convertible bonds are traded")
        if facts.list_date is not None and on < facts.list_date:
            raise BadInput(f"{symbol} was listed on {facts.list_date}; {on} is before its first day")
        return self._listed(symbol, "CN_A", row.board, "CNY", asset_class, on, facts)

    def _spot(
        self,
        symbol: Symbol,
        market: str,
        board: str,
        currency: str,
        asset_class: AssetClass,
        on: date,
        facts: InstrumentFacts,
    ) -> Instrument:
        own_class = facts.asset_class or asset_class
        return self._listed(symbol, market, board, currency, own_class, on, facts)

    def _listed(
        self,
        symbol: Symbol,
        market: str,
        board: str,
        currency: str,
        asset_class: AssetClass,
        on: date,
        facts: InstrumentFacts,
    ) -> Instrument:
        """A stock, fund or coin: everything but a futures contract."""
        order = rules.order_rules(market, board, on)
        largest = rules.order_limits(market, board, on)
        lot = _known(facts.lot or order.lot, symbol, "lot")
        cage, cage_ticks = rules.price_cage(board, on)
        up, down = _price_limits(market, board, on, facts)
        max_qty_limit, max_qty_market = largest.largest(lot) if largest else (None, None)
        tick = facts.tick or rules.tick_at(market, on, facts.ref_price, order.tick)
        return Instrument(
            symbol=symbol,
            asset_class=asset_class,
            currency=Currency(currency),
            tick=_known(tick, symbol, "tick"),
            lot=lot,
            min_qty=facts.min_qty or (lot if facts.lot else order.min_qty) or lot,
            market=market,
            session=market,
            board="CRYPTO" if market == "CRYPTO" else board,
            name=facts.name,
            industry=facts.industry,
            odd_lot_sell=order.odd_lot_sell,
            max_qty_limit=max_qty_limit,
            max_qty_market=max_qty_market,
            price_limit=up,
            settles_t1=order.settles_t1 if facts.settles_t1 is None else facts.settles_t1,
            shortable=bool(facts.shortable),
            margin_rate=rules.short_margin(market, on) if facts.shortable else None,
            is_st=facts.is_st,
            cage=cage,
            cage_ticks=cage_ticks,
            is_delisting=facts.is_delisting,
            needs_permission=rules.needs_permission(board, on),
            price_limit_down=down,
            fees=schedule(market, symbol.rpartition(".")[2], asset_class, on, self._broker_fees),
        )

    def _future(self, symbol: Symbol, on: date, facts: InstrumentFacts) -> Instrument:
        found = futures.parts(symbol)
        if found is None:
            raise BadInput(f"{symbol!r} is not a futures contract; expected one such as au2512.SHFE")
        product, year, month, exchange = found
        if (on.year, on.month) > (year, month):
            raise BadInput(f"{symbol} ended in {year}-{month:02d}; {on} is after its last month")
        row, cost = futures.terms(product, exchange, on)
        conduct = futures.conduct_of(product, exchange, on)
        return Instrument(
            symbol=symbol,
            asset_class=AssetClass.FUTURE,
            currency=Currency("CNY"),
            tick=row.tick,
            lot=_ONE_LOT,
            min_qty=_ONE_LOT,
            market="CN_FUTURES",
            session=row.session,
            board=exchange,
            name=facts.name,
            industry=facts.industry,
            multiplier=row.multiplier,
            max_qty_limit=row.max_qty_limit,
            max_qty_market=row.max_qty_market,
            price_limit=facts.price_limit,
            shortable=True,
            closes_today_apart=row.apart,
            margin_rate=cost.margin_rate,
            large_cancel_qty=conduct.large_cancel_qty if conduct else None,
            counts_killed=conduct.counts_killed if conduct else None,
            fees=futures_schedule(product, exchange, cost, self._broker_fees),
        )


def _price_limits(market: str, board: str, on: date, facts: InstrumentFacts) -> tuple[Decimal | None, Decimal | None]:
    """The limit of the day and, where it differs, that downwards: of the facts, a listing's first days, or the board."""
    if facts.price_limit is not None:
        return facts.price_limit, None
    first = facts.list_date
    if first is not None and (on - first).days < _NEW_LISTING_DAYS:
        new = rules.listing_days(board, on)
        if new is not None and _trading_days(market, first, on) <= new.days:
            return new.up, None if new.down == new.up else new.down
    return rules.price_limit(market, board, on, is_st=facts.is_st), None


def _trading_days(market: str, first: date, last: date) -> int:
    """Trading days from `first` to `last`, both counted."""
    span = (last - first).days
    return sum(is_trading_day(market, first + timedelta(days=n)) for n in range(span + 1))


def _known(value: Decimal | None, symbol: Symbol, what: str) -> Decimal:
    if value is None:
        raise BadInput(
            f"the {what} of {symbol} cannot be told from its code; give it in the instrument facts (column {what} of the"
            " CSV file that the setting markets.facts names, beside a column symbol)"
        )
    return value
