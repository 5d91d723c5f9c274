"""Screens (core/risk/screens.py) of what is held: of what it is worth, of how many there are, and of what a day has opened.

What holdings.py finds for each limit by itself is found here once for all limits of one scope: each by the same sums, so that
a screen says of no order what its rules would not.
"""

from __future__ import annotations

from decimal import Decimal

from tradeloop.core.limit import RiskLimit
from tradeloop.core.risk.holdings import elsewhere
from tradeloop.core.risk.rule import ACCOUNT, Look, Screen
from tradeloop.core.risk.screens import least
from tradeloop.core.types import BUY, ONE, ZERO

CASH_RATIO = "min_cash_ratio"


def of_worth(limits: tuple[RiskLimit, ...]) -> Screen:
    """What the position, its industry, and all of it come to with the order, in money and as shares of the equity."""
    first, by_account = limits[0], limits[0].scope is ACCOUNT
    one, of_one = least(limits, "max_position_value"), least(limits, "max_position_ratio")
    sector, of_sector = least(limits, "max_industry_value"), least(limits, "max_industry_ratio")
    gross, of_gross = least(limits, "max_gross_value"), least(limits, "max_total_ratio", "max_leverage")
    net = least(limits, "max_net_value")
    cash = max((limit.value for limit in limits if limit.rule == CASH_RATIO), default=None)
    by_industry = any(limit.rule.startswith("max_industry") for limit in limits)

    def screen(look: Look) -> bool:
        leg, adds = look.leg
        if not adds:
            return True
        order, state, instrument, valuation = look.order, look.state, look.instrument, look.valuation
        currency, industry = instrument.currency, instrument.industry
        unit = look.worth(ONE)
        if unit is None or (by_industry and not industry):
            return False
        held, more = unit * (leg if by_account else leg + elsewhere(look, first)), unit * adds
        held_all = held_net = held_sector = equity = free = ZERO
        for account in look.accounts(first):
            totals = valuation.of(account, currency)
            if totals.unpriced or totals.unvalued:
                return False
            figures = totals.figures
            held_all += figures.long + figures.short
            held_net += figures.up if order.side is BUY else figures.down
            equity += figures.in_equity
            book = state.accounts[account].cash.get(currency)
            if book is not None:
                equity += book.balance
                free += book.free
            if by_industry:
                held_sector += valuation.of(account, currency, industry).figures.gross
        becomes, becomes_sector, becomes_all = held + more, held_sector + more, held_all + more
        return (
            becomes <= one
            and becomes_sector <= sector
            and becomes_all <= gross
            and held_net + unit * order.order_qty <= net
            and equity > ZERO
            and becomes <= of_one * equity
            and becomes_sector <= of_sector * equity
            and becomes_all <= of_gross * equity
            and (cash is None or free - order.reserve >= cash * equity)
        )

    return screen


def of_counts(limits: tuple[RiskLimit, ...]) -> Screen:
    """How much there is of the symbol with the order, how many symbols and how many orders."""
    first, by_account = limits[0], limits[0].scope is ACCOUNT
    most_qty, most_symbols = least(limits, "max_position_qty"), least(limits, "max_positions")
    most_orders = least(limits, "max_open_orders")

    def screen(look: Look) -> bool:
        account, exposure = look.order.account, look.state.exposure
        orders = exposure.orders.get(account, 0) if by_account else sum(exposure.orders.values())
        if orders + 1 > most_orders:
            return False
        leg, adds = look.leg
        if not adds:
            return True
        if not by_account:
            leg += elsewhere(look, first)
        if leg + adds > most_qty:
            return False
        valuation = look.valuation
        if valuation.of_symbol(account, look.order.symbol) is not None:
            return True
        return (valuation.count(account) if by_account else valuation.symbols()) + 1 <= most_symbols

    return screen


def of_opened(limits: tuple[RiskLimit, ...]) -> Screen:
    """What a day has opened of a symbol, if all that may still trade opens as well."""
    first, most = limits[0], min(limit.value for limit in limits)

    def screen(look: Look) -> bool:
        adds: Decimal = look.leg[1]
        if not adds:
            return True
        symbol, buys, sells = look.order.symbol, look.state.exposure.buys, look.state.exposure.sells
        opened = look.state.activity.total(first.scope, look.place(first)).opened + adds
        for account in look.accounts(first):
            holding = account, symbol
            opened += buys.get(holding, ZERO) + sells.get(holding, ZERO)
        return opened <= most

    return screen
