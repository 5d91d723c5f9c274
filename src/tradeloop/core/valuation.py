"""What positions are worth at present prices, and may come to at worst: as sums, so that no order walks them.

For each holding: what is held, and what working, in-flight and UNKNOWN orders may still trade, each leg by itself: a buy and a
sell that both work do not net. The sums are of one account and currency, and of one industry of these. They live beside the
quotes and are as volatile: the first look of a process walks everything, each later one only what has moved since.

A price counts however old it is: what is held does not stop being worth something when a feed stops, and a limit that then
forgot it would let through the most when least is known. What never had a price makes the sums it is in unknown.
"""

from __future__ import annotations

from decimal import Context, Decimal, localcontext
from typing import Final

from tradeloop.core.exposure import Holding
from tradeloop.core.instrument import FUTURE, Instrument
from tradeloop.core.reports import Quote
from tradeloop.core.state import State
from tradeloop.core.totals import NOTHING, Figures, Row, Totals
from tradeloop.core.types import AUTO, BUY, ONE, OPEN, SELL, ZERO, AccountID, Amount, Currency, PositionEffect, Side, Symbol

Place = tuple[AccountID, Currency, str]
"""(account, currency, industry); the industry is empty where all of them are meant."""
Quotes = dict[Symbol, Quote]

_EXACT: Final = Context(prec=120)
"""No product of a price, a quantity and a multiplier, and no sum of them, is rounded: else what is counted out would not be
what was counted in.
"""


def worst_leg(state: State, account: AccountID, symbol: Symbol, side: Side) -> Decimal:
    """What the leg that a side opens may come to, if everything of that side fills and nothing of the other. What closes the
    opposite leg adds nothing; what is left of it then opens.
    """
    return worst_with(state, account, symbol, side, ZERO, AUTO)[0]


def worst_with(
    state: State, account: AccountID, symbol: Symbol, side: Side, more: Decimal, effect: PositionEffect
) -> tuple[Decimal, Decimal]:
    """The same, and what an order of `more` beside it adds."""
    held = state.held(account, symbol)
    leg, opposite = (held.long_qty, held.short_qty) if side is BUY else (held.short_qty, held.long_qty)
    opens = state.offers.of_part(account, symbol, side, OPEN)
    still = state.exposure.of(account, symbol, side)
    beyond, worst = still - opens - opposite, _worst(leg, opposite, still, opens)
    if effect is OPEN or beyond >= ZERO:
        return worst, more
    return worst, max(beyond + more, ZERO)


def _worst(leg: Decimal, opposite: Decimal, still: Decimal, opens: Decimal) -> Decimal:
    """The leg once all that may still trade has: what says that it opens, and what is left when the opposite leg is closed."""
    if not still:
        return leg
    beyond = still - opens - opposite
    return leg + opens + beyond if beyond > ZERO else leg + opens


class Valuation:
    """The rows and the sums over them; `look` brings them up to date, and everything else reads them."""

    __slots__ = ("_counts", "_exposure", "_holders", "_last", "_quoted", "_rows", "_seen", "_totals")

    def __init__(self) -> None:
        self._rows: dict[Holding, Row] = {}
        self._totals: dict[Place, Totals] = {}
        self._holders: dict[Symbol, dict[AccountID, None]] = {}
        self._counts: dict[AccountID, int] = {}
        """How many symbols an account holds, or is about to."""
        self._quoted: dict[Symbol, None] = {}
        self._last: dict[Symbol, Decimal] = {}
        self._exposure: object = None
        self._seen = 0

    def quoted(self, known: Quote | None, quote: Quote) -> None:
        """A quote has taken the place of the one known: what is held of it is worth something else. One without any price, as
        of a suspended stock, leaves the last one in force.
        """
        symbol = quote.symbol
        if quote.last is None and quote.bid is None and quote.ask is None:
            px = self.px(symbol, known)
            if px is not None:
                self._last[symbol] = px
        if symbol in self._holders:
            self._quoted[symbol] = None

    def px(self, symbol: Symbol, quote: Quote | None) -> Decimal | None:
        """The last price that anybody named; the previous close where there was none since."""
        px = None if quote is None else quote.mid_or_last
        if px is None:
            px = self._last.get(symbol)
        return quote.prev_close if px is None and quote is not None else px

    def look(self, state: State, quotes: Quotes) -> Valuation:
        """Up to date with everything that has moved, and with every quote taken since the last look."""
        exposure = state.exposure
        moved = exposure.moved_since(self._seen) if exposure is self._exposure else None
        if moved is None:
            self._begin(state, quotes)
        elif moved or self._quoted:
            with localcontext(_EXACT):
                for holding in dict.fromkeys(moved):
                    self._value(state, quotes, holding)
                for symbol in self._quoted:
                    for account in list(self._holders.get(symbol, ())):
                        self._value(state, quotes, (account, symbol))
            self._quoted.clear()
        self._seen = exposure.changes
        return self

    def of(self, account: AccountID, currency: Currency, industry: str = "") -> Totals:
        """The sums of an account in a currency, or of one industry of it."""
        return self._totals.get((account, currency, industry)) or _NOTHING

    def of_symbol(self, account: AccountID, symbol: Symbol) -> Row | None:
        """One holding; None where nothing is held or about to be."""
        return self._rows.get((account, symbol))

    def count(self, account: AccountID) -> int:
        """How many symbols an account holds, or may hold once its orders have filled."""
        return self._counts.get(account, 0)

    def symbols(self) -> int:
        """How many symbols any account does."""
        return len(self._holders)

    def equity(self, state: State, account: AccountID, currency: Currency) -> Amount | None:
        """Cash and what the positions are beside it; None where that is not known of one of them."""
        totals = self.of(account, currency)
        if totals.unvalued:
            return None
        book = state.accounts[account].cash.get(currency)
        return Amount(totals.figures.in_equity + (ZERO if book is None else book.balance))

    def largest(self, account: AccountID, currency: Currency) -> Symbol | None:
        """The symbol whose legs come to most, for people: it walks all of them, and no rule asks it."""
        rows = ((s, row.figures.gross) for (a, s), row in self._rows.items() if a == account and row.currency == currency)
        return max(rows, key=lambda found: found[1], default=(None, ZERO))[0]

    def _begin(self, state: State, quotes: Quotes) -> None:
        """Walk everything: another process, or another state, than the one looked at before."""
        self._rows.clear()
        self._totals.clear()
        self._holders.clear()
        self._counts.clear()
        self._quoted.clear()
        self._exposure = exposure = state.exposure
        held = ((account, symbol) for account, by_symbol in state.positions.items() for symbol in by_symbol)
        with localcontext(_EXACT):
            for holding in dict.fromkeys((*held, *exposure.buys, *exposure.sells)):
                self._value(state, quotes, holding)

    def _value(self, state: State, quotes: Quotes, holding: Holding) -> None:
        account, symbol = holding
        was, now = self._rows.get(holding), self._row(state, quotes, account, symbol)
        if now is None:
            self._rows.pop(holding, None)
        else:
            self._rows[holding] = now
        if was is not None and now is not None and was.like(now):
            self._moves(account, now, now.figures.minus(was.figures))
            return
        if was is not None:
            self._moves(account, was, NOTHING.minus(was.figures))
            for totals in self._totals_of(account, was):
                totals.drop(symbol)
        if now is not None:
            self._moves(account, now, now.figures)
            for totals in self._totals_of(account, now):
                totals.take(symbol, now)
        if (was is None) is not (now is None):
            self._held(account, symbol, held=now is not None)

    def _held(self, account: AccountID, symbol: Symbol, *, held: bool) -> None:
        """The holding begins, or ends."""
        self._counts[account] = self._counts.get(account, 0) + (1 if held else -1)
        holders = self._holders.setdefault(symbol, {})
        if held:
            holders[account] = None
            return
        del holders[account]
        if not holders:
            del self._holders[symbol]

    def _moves(self, account: AccountID, row: Row, by: Figures) -> None:
        for totals in self._totals_of(account, row):
            totals.figures = totals.figures.plus(by)

    def _totals_of(self, account: AccountID, row: Row) -> tuple[Totals, ...]:
        place = (account, row.currency, "")
        every = self._totals.get(place) or self._totals.setdefault(place, Totals())
        if not row.industry:
            return (every,)
        place = (account, row.currency, row.industry)
        return every, self._totals.get(place) or self._totals.setdefault(place, Totals())

    def _row(self, state: State, quotes: Quotes, account: AccountID, symbol: Symbol) -> Row | None:
        position, offers, exposure = state.held(account, symbol), state.offers, state.exposure
        buys, sells = exposure.of(account, symbol, BUY), exposure.of(account, symbol, SELL)
        long = _worst(position.long_qty, position.short_qty, buys, offers.of_part(account, symbol, BUY, OPEN) if buys else ZERO)
        short = _worst(
            position.short_qty, position.long_qty, sells, offers.of_part(account, symbol, SELL, OPEN) if sells else ZERO
        )
        instrument = state.instruments.get(symbol)
        if instrument is None or not (long or short):
            return None
        px = self.px(symbol, quotes.get(symbol))
        if px is None:
            is_held = not position.is_flat
            return Row(instrument.currency, instrument.industry, NOTHING, True, is_held, is_held)
        multiplier = instrument.multiplier
        unit = px if multiplier == ONE else px * multiplier
        worth, net = (-unit if unit < ZERO else unit), position.net_qty
        market_value, gained = unit * net, position.unrealized(px, multiplier)
        in_equity = gained if instrument.asset_class is FUTURE else market_value
        figures = Figures(
            worth * long,
            worth * short if short else ZERO,
            worth * (net + buys),
            worth * (sells - net),
            market_value,
            ZERO if in_equity is None else in_equity,
            ZERO if gained is None else gained,
        )
        return Row(instrument.currency, instrument.industry, figures, False, in_equity is None, gained is None)


def value_of(instrument: Instrument, px: Decimal, qty: Decimal) -> Amount:
    """What a quantity counts for: a future's price may be below zero, and what is at stake is not."""
    return Amount(abs(instrument.notional(px, qty)))


_NOTHING: Final = Totals()
