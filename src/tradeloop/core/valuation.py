"""What positions are worth at present prices, and may come to at worst: as sums, so that no order walks them.

For each holding: what is held, and what working, in-flight and UNKNOWN orders may still trade, each leg by itself: a buy and a
sell that both work do not net. The sums are of one account and currency, and of one industry of these. They live beside the
quotes and are as volatile: the first look of a process walks everything, each later one only what has moved since.

A price counts however old it is: what is held does not stop being worth something when a feed stops, and a limit that then
forgot it would let through the most when least is known. What never had a price makes the sums it is in unknown.
"""

from __future__ import annotations

from decimal import Context, Decimal, getcontext, setcontext
from typing import Final

from tradeloop.core.errors import BUGS
from tradeloop.core.exposure import Holding
from tradeloop.core.instrument import FUTURE, Instrument
from tradeloop.core.order import Order
from tradeloop.core.position import Position
from tradeloop.core.reports import Quote
from tradeloop.core.state import State
from tradeloop.core.totals import Row, Totals
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
    state: State,
    account: AccountID,
    symbol: Symbol,
    side: Side,
    more: Decimal,
    effect: PositionEffect,
    own: Order | None = None,
) -> tuple[Decimal, Decimal]:
    """The same without the order `own`, and what an order of `more` beside it adds."""
    held = state.held(account, symbol)
    leg, opposite = (held.long_qty, held.short_qty) if side is BUY else (held.short_qty, held.long_qty)
    still = state.exposure.of(account, symbol, side, own)
    if not opposite:
        return leg + still, more  # all of it opens
    own_id = None if own is None else own.cl_ord_id
    opens = state.offers.opening(account, symbol, side, own_id) if still else ZERO
    worst = _worst(leg, opposite, still, opens)
    if effect is OPEN:
        return worst, more
    beyond = still - opens - opposite
    return worst, more if beyond >= ZERO else max(beyond + more, ZERO)


def _worst(leg: Decimal, opposite: Decimal, still: Decimal, opens: Decimal) -> Decimal:
    """The leg once all that may still trade has: what says that it opens, and what is left when the opposite leg is closed."""
    if not still:
        return leg
    beyond = still - opens - opposite
    return leg + opens + beyond if beyond > ZERO else leg + opens


class Valuation:
    """The rows and the sums over them; `look` brings them up to date, and everything else reads them. From the first look on,
    which is the first that a limit asks for, quotes are taken in when they come, and what moves before the next input is
    decided (core/decide.py): however much came since the last order, the next one does not wait for it.
    """

    __slots__ = ("_counts", "_exposure", "_holders", "_last", "_rows", "_seen", "_totals", "is_kept")

    def __init__(self) -> None:
        self.is_kept = False
        """Whether anybody has looked, so that it is kept up with every input."""
        self._rows: dict[Holding, Row] = {}
        self._totals: dict[Place, Totals] = {}
        self._holders: dict[Symbol, dict[AccountID, None]] = {}
        self._counts: dict[AccountID, int] = {}
        """How many symbols an account holds, or is about to."""
        self._last: dict[Symbol, Decimal] = {}
        self._exposure: object = None
        self._seen = 0

    def quoted(self, state: State, known: Quote | None, quote: Quote) -> None:
        """A quote has taken the place of the one known: what is held of it is worth something else. One without any price, as
        of a suspended stock, leaves the last one in force.
        """
        symbol = quote.symbol
        if quote.last is None and quote.bid is None and quote.ask is None:
            px = self.px(symbol, known)
            if px is not None:
                self._last[symbol] = px
        holders = self._holders.get(symbol)
        if holders is None or state.exposure is not self._exposure:
            return
        before = getcontext()
        setcontext(_EXACT)
        try:
            for account in tuple(holders):
                self._value(state, (account, symbol), quote)
        except BUGS:
            self._forget()
        finally:
            setcontext(before)

    def keep_up(self, state: State, quotes: Quotes) -> None:
        """Take in what has moved, if anybody has looked. What cannot be valued is for a look to fail at: that refuses an order,
        this would stop everything.
        """
        if self.is_kept:
            try:
                self.look(state, quotes)
            except BUGS:
                return

    def px(self, symbol: Symbol, quote: Quote | None) -> Decimal | None:
        """The last price that anybody named; the previous close where there was none since."""
        px = None if quote is None else quote.mid_or_last
        if px is None:
            px = self._last.get(symbol)
        return quote.prev_close if px is None and quote is not None else px

    def look(self, state: State, quotes: Quotes) -> Valuation:
        """Up to date with everything that has moved."""
        exposure = state.exposure
        if exposure is self._exposure and exposure.changes == self._seen:
            return self
        moved = exposure.moved_since(self._seen) if exposure is self._exposure else None
        self._forget()  # until all of it is counted
        before = getcontext()
        setcontext(_EXACT)
        try:
            if moved is None:
                self._begin(state, quotes)
            else:
                for holding in moved:
                    self._value(state, holding, quotes.get(holding[1]))
        finally:
            setcontext(before)
        self._exposure, self._seen, self.is_kept = exposure, exposure.changes, True
        return self

    def of(self, account: AccountID, currency: Currency, industry: str = "") -> Totals:
        """The sums of an account in a currency, or of one industry of it."""
        return self._totals.get((account, currency, industry)) or _NOTHING

    def currencies(self, account: AccountID) -> list[Currency]:
        """Those in which the account holds something, or has since this process looked first."""
        return [currency for its, currency, industry in self._totals if its == account and not industry]

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
        rows = (
            (symbol, row.figures.gross)
            for (its, symbol), row in self._rows.items()
            if its == account and row.instrument.currency == currency
        )
        return max(rows, key=lambda found: found[1], default=(None, ZERO))[0]

    def _forget(self) -> None:
        """What is counted may be half counted: the next look walks everything."""
        self._exposure, self.is_kept = None, False

    def _begin(self, state: State, quotes: Quotes) -> None:
        """Walk everything: another process, or another state, than the one looked at before."""
        self._rows.clear()
        self._totals.clear()
        self._holders.clear()
        self._counts.clear()
        exposure = state.exposure
        held = ((account, symbol) for account, by_symbol in state.positions.items() for symbol in by_symbol)
        for holding in dict.fromkeys((*held, *exposure.buys, *exposure.sells)):
            self._value(state, holding, quotes.get(holding[1]))

    def _value(self, state: State, holding: Holding, quote: Quote | None) -> None:
        """Count a holding as it is now, whatever was counted of it before."""
        account, symbol = holding
        offers, exposure = state.offers, state.exposure
        by_symbol = state.positions.get(account)
        position = (None if by_symbol is None else by_symbol.get(symbol)) or _FLAT
        held_long, held_short = position.long_qty, position.short_qty
        buys, sells = exposure.buys.get(holding, ZERO), exposure.sells.get(holding, ZERO)
        long: Decimal = held_long + buys
        short: Decimal = held_short + sells
        if buys and held_short:
            long = _worst(held_long, held_short, buys, offers.of_part(account, symbol, BUY, OPEN))
        if sells and held_long:
            short = _worst(held_short, held_long, sells, offers.of_part(account, symbol, SELL, OPEN))
        instrument = state.instruments.get(symbol)
        row = self._rows.get(holding)
        if instrument is None or not (long or short):
            if row is not None:
                self._ends(holding, row)
            return
        if row is None or row.instrument is not instrument:
            row = self._begins(holding, row, instrument)
        px = self.px(symbol, quote)
        if px is None:
            row.becomes(ZERO, ZERO, ZERO, ZERO, ZERO, unpriced=True, unvalued=not position.is_flat)
            return
        multiplier = instrument.multiplier
        unit = px if multiplier == ONE else px * multiplier
        worth = -unit if unit < ZERO else unit
        if held_short or instrument.asset_class is FUTURE:
            net = held_long - held_short
            in_equity = position.unrealized(px, multiplier) if instrument.asset_class is FUTURE else unit * net
        else:
            net, in_equity = held_long, unit * held_long
        row.becomes(
            worth * long,
            worth * short if short else ZERO,
            worth * (net + buys),
            worth * (sells - net),
            ZERO if in_equity is None else in_equity,
            unpriced=False,
            unvalued=in_equity is None,
        )

    def _begins(self, holding: Holding, was: Row | None, instrument: Instrument) -> Row:
        """A holding is counted for the first time, or by other terms: in another currency or industry, perhaps."""
        account, symbol = holding
        if was is not None:
            was.leaves()
        else:
            self._counts[account] = self._counts.get(account, 0) + 1
            self._holders.setdefault(symbol, {})[account] = None
        places = ["", instrument.industry] if instrument.industry else [""]
        keys = [(account, instrument.currency, industry) for industry in places]
        row = self._rows[holding] = Row(instrument, tuple(self._totals.setdefault(key, Totals()) for key in keys))
        return row

    def _ends(self, holding: Holding, row: Row) -> None:
        account, symbol = holding
        row.leaves()
        del self._rows[holding]
        self._counts[account] -= 1
        holders = self._holders[symbol]
        del holders[account]
        if not holders:
            del self._holders[symbol]


_NOTHING: Final = Totals()
_FLAT: Final = Position()
