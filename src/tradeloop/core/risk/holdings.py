"""What the rules of positions measure: one symbol, one industry or all of it, against money or the equity.

Everything is counted at worst (core/valuation.py): what is held, and each leg by itself what working, in-flight and UNKNOWN
orders may still open. An order that only reduces adds nothing, so that none of these stands in the way out. Values are at
present prices, not at the order's own: what is bought is worth what its market says.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from operator import attrgetter
from typing import Final, TypeVar

from tradeloop.core.instrument import FUTURE
from tradeloop.core.limit import RiskLimit
from tradeloop.core.risk.rule import ACCOUNT, Look, Measure, Measured, Missing
from tradeloop.core.totals import Figures, Totals
from tradeloop.core.types import BUY, ONE, SELL, ZERO, AccountID
from tradeloop.core.valuation import worst_leg

T = TypeVar("T")
Figure = tuple[Decimal, Decimal]
"""What there is without an order, and what the order adds."""
Worth = Callable[[Look, RiskLimit], Figure | Missing | None]


def _px_of(look: Look) -> str:
    return f"a price of {look.order.symbol}"


def position_qty(look: Look, limit: RiskLimit) -> Measured | None:
    leg, adds = look.leg
    return Measured(leg + elsewhere(look, limit), adds) if adds else None


def elsewhere(look: Look, limit: RiskLimit) -> Decimal:
    """The same leg in the other accounts, where a limit counts them together."""
    if limit.scope is ACCOUNT:
        return ZERO
    order = look.order
    others = (account for account in look.accounts(limit) if account != order.account)
    return sum((worst_leg(look.state, account, order.symbol, order.side) for account in others), ZERO)


def _kept(find: Callable[[Look, RiskLimit], T]) -> Callable[[Look, RiskLimit], T]:
    """The same, found once for each order and scope: several rules bound one figure, in money and as a share."""

    def worth(look: Look, limit: RiskLimit) -> T:
        key = find, limit.scope
        found: T = look.kept.get(key, look)  # itself: what no rule finds
        if found is look:
            found = look.kept[key] = find(look, limit)
        return found

    return worth


@_kept
def position_value(look: Look, limit: RiskLimit) -> Figure | Missing | None:
    leg, adds = look.leg
    if not adds:
        return None
    current, more = look.worth(leg if limit.scope is ACCOUNT else leg + elsewhere(look, limit)), look.opening_value
    return Missing(_px_of(look)) if current is None or more is None else (current, more)


def _in_sum(of: Callable[[Look, AccountID], Totals], figure: Callable[[Figures], Decimal], *, of_leg: bool = True) -> Worth:
    """What a figure comes to over the accounts of the limit, where the order adds what it opens. `of_leg`: what it opens is
    what it counts for there; else all of it.
    """

    @_kept
    def worth(look: Look, limit: RiskLimit) -> Figure | Missing | None:
        if not look.leg[1]:
            return None
        adds = look.opening_value
        if adds is None:
            return Missing(_px_of(look))
        own = (adds if of_leg else look.worth(look.more_qty) or ZERO) if look.late else ZERO
        if limit.scope is ACCOUNT and not (totals := of(look, look.order.account)).unpriced:
            return figure(totals.figures) - own, adds
        total = -own
        for account in look.accounts(limit):
            totals = of(look, account)
            if totals.unpriced:
                return Missing(f"a price of {next(iter(totals.unpriced))}, which counts for account {account},")
            total += figure(totals.figures)
        return total, adds

    return worth


def _all_of(look: Look, account: AccountID) -> Totals:
    return look.valuation.of(account, look.instrument.currency)


gross: Final = _in_sum(_all_of, lambda figures: figures.gross)
_in_its_industry: Final = _in_sum(
    lambda look, account: look.valuation.of(account, look.instrument.currency, look.instrument.industry),
    lambda figures: figures.gross,
)


def industry(look: Look, limit: RiskLimit) -> Figure | Missing | None:
    if look.leg[1] and not look.instrument.industry:
        return Missing(f"the industry of {look.order.symbol}")
    return _in_its_industry(look, limit)


def net(look: Look, limit: RiskLimit) -> Figure | Missing | None:
    """A buy is counted against what is held long beyond what is held short once all buys have filled, a sell the other way
    round. A cover moves the sum as well, but is a way out.
    """
    found = (_up if look.order.side is BUY else _down)(look, limit)
    value = look.worth(look.more_qty)
    if found is None or isinstance(found, Missing) or value is None:
        return found
    if found[0] >= ZERO:
        return found[0], value
    return ZERO, max(found[0] + value, ZERO)


_up: Final = _in_sum(_all_of, attrgetter("up"), of_leg=False)
_down: Final = _in_sum(_all_of, attrgetter("down"), of_leg=False)


def money(worth: Worth) -> Measure:
    def measure(look: Look, limit: RiskLimit) -> Measured | Missing | None:
        found = worth(look, limit)
        return Measured(found[0], found[1]) if isinstance(found, tuple) else found

    return measure


def of_equity(worth: Worth) -> Measure:
    """The same as a share of the equity."""

    def measure(look: Look, limit: RiskLimit) -> Measured | Missing | None:
        found = worth(look, limit)
        if not isinstance(found, tuple):
            return found
        equity = _equity(look, limit)
        return equity if isinstance(equity, Missing) else Measured(found[0], found[1], of=equity)

    return measure


@_kept
def _equity(look: Look, limit: RiskLimit) -> Decimal | Missing:
    """Of the limit's accounts, in the currency of the order's instrument."""
    total, currency = ZERO, look.instrument.currency
    for account in look.accounts(limit):
        equity = look.valuation.equity(look.state, account, currency)
        if equity is None:
            symbol = next(iter(look.valuation.of(account, currency).unvalued))
            return Missing(f"what account {account} has in {symbol} (its price, or what it cost)")
        total += equity
    return total


def positions(look: Look, limit: RiskLimit) -> Measured | None:
    """A symbol counts once for each limit's account; over all accounts, once however many hold it."""
    if not look.leg[1]:
        return None
    order, valuation = look.order, look.valuation
    if limit.scope is ACCOUNT:
        adds = ZERO if _is_there(look, order.account) else ONE
        return Measured(valuation.count(order.account) - (adds if look.late else ZERO), adds)
    adds = ZERO if any(_is_there(look, account) for account in look.state.accounts) else ONE
    return Measured(valuation.symbols() - (adds if look.late else ZERO), adds)


def _is_there(look: Look, account: AccountID) -> bool:
    """Whether an account holds the symbol, or is about to, without the order."""
    state, symbol = look.state, look.order.symbol
    if not look.late or account != look.order.account:
        return look.valuation.of_symbol(account, symbol) is not None
    if not state.held(account, symbol).is_flat:
        return True
    return any(state.exposure.of(account, symbol, side, look.own) for side in (BUY, SELL))


def open_orders(look: Look, limit: RiskLimit) -> Measured | None:
    counted = look.own is not None and bool(look.own.exposed_qty)
    if counted and not look.late:
        return None
    orders = look.state.exposure.orders
    own = ONE if counted else ZERO
    if limit.scope is ACCOUNT:
        return Measured(orders.get(look.order.account, 0) - own, ONE)
    return Measured(sum(orders.values()) - own, ONE)


def _takes(look: Look) -> Decimal:
    """The cash that the order may take beyond what it has been promised; nothing where it only reduces."""
    if look.own is not None and not look.late:
        return look.order.reserve - look.own.reserved
    return look.order.reserve if look.leg[1] else ZERO


def _promised(look: Look) -> Decimal:
    """The cash that the order has been promised, where it is judged like a new one."""
    return look.own.reserved if look.late and look.own is not None else ZERO


def cash_left(look: Look, limit: RiskLimit) -> Measured | Missing | None:
    """What is neither spent, nor promised to an order, nor held as margin."""
    takes = _takes(look)
    if takes <= ZERO:
        return None
    equity = _equity(look, limit)
    if isinstance(equity, Missing):
        return equity
    free, currency = _promised(look), look.instrument.currency
    for account in look.accounts(limit):
        book = look.state.accounts[account].cash.get(currency)
        if book is not None:
            free += book.free
    return Measured(free, -takes, of=equity)


def margin(look: Look, limit: RiskLimit) -> Figure | None:
    """What is held as margin, and what orders are promised beside it: the orders of stocks in the same account included."""
    takes = _takes(look)
    if look.instrument.asset_class is not FUTURE or takes <= ZERO:
        return None
    books = (look.state.accounts[account].cash.get(look.instrument.currency) for account in look.accounts(limit))
    return sum((book.margin + book.reserved for book in books if book is not None), -_promised(look)), takes


def opened_today(look: Look, limit: RiskLimit) -> Measured | None:
    """What fills of the day have opened, either way, and what orders may still open."""
    leg, adds = look.leg
    if not adds:
        return None
    order, state, opened = look.order, look.state, look.day(limit).opened
    for account in look.accounts(limit):
        for side, still in ((BUY, state.exposure.buys), (SELL, state.exposure.sells)):
            if not still.get((account, order.symbol)):
                continue
            held = state.held(account, order.symbol)
            own = side is order.side and account == order.account
            worst = leg if own else worst_leg(state, account, order.symbol, side)
            opened += worst - (held.long_qty if side is BUY else held.short_qty)
    return Measured(opened, adds)
