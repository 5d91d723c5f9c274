"""What orders may come to, compared with the limits on it when an order is let through (invariant 25).

Counted by a walk over what is held and every order that may trade: working, in flight and of unknown fate alike. Nothing can be
sold short here but by an overfill, so only what is bought adds to anything; what is short by then lessens the net.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Final

from tradeloop.core import events as ev
from tradeloop.core.instrument import Instrument
from tradeloop.core.limit import RiskLimit
from tradeloop.core.order import Order
from tradeloop.core.reports import Execution, Quote
from tradeloop.core.state import State
from tradeloop.core.types import SECOND_NS, ZERO, ClOrdID, Side, Symbol
from tradeloop.testing.builders import ACCOUNT
from tradeloop.testing.limits.in_force import InForce

SEEN_NS: Final = 150 * SECOND_NS
"""No price that a process knows is older than this: none is stopped for so long."""


class Prices:
    """Between what a price of a symbol may have been for whoever judged by it."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._seen: dict[Symbol, deque[tuple[int, Decimal, Decimal]]] = {}

    def take(self, quote: Quote) -> None:
        """The market says something."""
        if quote.bid is None or quote.ask is None:
            return
        seen = self._seen.setdefault(quote.symbol, deque())
        seen.append((self._now(), quote.bid, quote.ask))
        while len(seen) > 1 and seen[1][0] < self._now() - SEEN_NS:
            seen.popleft()

    def low(self, symbol: Symbol) -> Decimal:
        """The least it was."""
        return min(bid for _, bid, _ in self._seen[symbol])

    def high(self, symbol: Symbol) -> Decimal:
        """The most it was."""
        return max(ask for _, _, ask in self._seen[symbol])


class Sizes:
    """Asks of every order and change that is let through what it may come to with everything else."""

    def __init__(self, broken: Callable[[int, str], None], limits: InForce, prices: Prices) -> None:
        self._broken, self._limits, self._prices = broken, limits, prices
        self._truly: dict[Symbol, Decimal] = {}
        """What the venue holds of a symbol."""
        self._not_ours: dict[Symbol, Decimal] = {}
        """How much of it may have come by others than our orders."""
        self._most: dict[Symbol, Decimal | None] = {}
        """The largest limit on the position that ever was in force; None while there was none at any time."""

    # --- an order is let through

    def staged(self, order: ev.OrderStaged, state: State) -> None:
        """An order passed; it is in the state already. What a FLATTEN closes no limit on size holds up."""
        if order.halt:
            return
        self._most.setdefault(order.symbol, self._bound(order.symbol))  # it may have passed before there was any limit
        self.asked(order, state)
        if opens(order, state):
            working = Decimal(sum(1 for one in state.orders.open.values() if may_trade(one)))
            for limit in self._limits.binding("max_open_orders", order, state.instruments[order.symbol]):
                self._within(limit, order, working, limit.value)
            self.raised(order, state)
            self._counted(order, state.instruments[order.symbol], state)

    def asked(self, order: ev.OrderStaged, state: State) -> None:
        """An order, or other terms for one, passed: what it is by itself."""
        instrument = state.instruments[order.symbol]
        for limit in self._limits.binding("max_order_qty", order, instrument):
            self._within(limit, order, order.order_qty, limit.value)
        px = order.price if order.price is not None else order.stop_px
        value = order.order_qty * (self._prices.low(order.symbol) if px is None else px)
        for limit in self._limits.binding("max_order_value", order, instrument):
            self._within(limit, order, value, limit.value)

    def raised(self, order: ev.OrderStaged, state: State) -> None:
        """More may be bought than before."""
        if opens(order, state):
            self._held(order, state.instruments[order.symbol], state)

    def _held(self, order: ev.OrderStaged, instrument: Instrument, state: State) -> None:
        worst = worst_of(state)
        low = self._prices.low
        here = worst.get(order.symbol, ZERO)
        value = here * low(order.symbol)
        gross = sum((qty * low(symbol) for symbol, qty in worst.items()), ZERO)
        industry = sum((qty * low(s) for s, qty in worst.items() if state.instruments[s].industry == instrument.industry), ZERO)
        equity = self._equity(state)
        held = state.positions.get(ACCOUNT, {})
        short = sum((its.short_qty * self._prices.high(symbol) for symbol, its in held.items() if its.short_qty), ZERO)
        for rule, is_there, of in (
            ("max_position_qty", here, None),
            ("max_position_value", value, None),
            ("max_position_ratio", value, equity),
            ("max_industry_value", industry if instrument.industry else ZERO, None),
            ("max_industry_ratio", industry if instrument.industry else ZERO, equity),
            ("max_gross_value", gross, None),
            ("max_net_value", gross - short, None),
            ("max_total_ratio", gross, equity),
            ("max_leverage", gross, equity),
        ):
            for limit in self._limits.binding(rule, order, instrument):
                self._within(limit, order, is_there, limit.value if of is None else limit.value * of)

    def _counted(self, order: ev.OrderStaged, instrument: Instrument, state: State) -> None:
        worst = worst_of(state, without=order.cl_ord_id)
        if not worst.get(order.symbol):
            for limit in self._limits.binding("max_positions", order, instrument):
                self._within(limit, order, Decimal(sum(1 for qty in worst.values() if qty) + 1), limit.value)
        book = state.accounts[order.account].cash.get(instrument.currency)
        if book is None or not order.reserve:
            return
        free = book.balance - sum((open_.reserved for open_ in state.orders.open.values()), ZERO)
        least = self._equity(state, at_least=True)
        for limit in self._limits.binding("min_cash_ratio", order, instrument):
            if free < limit.value * least:
                self._broken(25, f"{order.cl_ord_id} leaves {free} free, at least {limit.value} of {least} has to be")

    def _equity(self, state: State, *, at_least: bool = False) -> Decimal:
        """What the account is worth at most, or at least."""
        its = state.accounts[ACCOUNT]
        total = sum((book.balance for book in its.cash.values()), ZERO)
        for symbol, position in state.positions.get(ACCOUNT, {}).items():
            net = position.long_qty - position.short_qty
            total += net * (self._prices.low(symbol) if at_least is (net > 0) else self._prices.high(symbol))
        return total

    def _within(self, limit: RiskLimit, order: ev.OrderStaged, is_there: Decimal, most: Decimal) -> None:
        if is_there > most:
            self._broken(
                25, f"{order.cl_ord_id} was let through, which makes {is_there} of {limit.rule} ({limit.where}), at most {most}"
            )

    # --- the venue's own word

    def limits_changed(self, state: State) -> None:
        """The limits are others: the largest that ever stood bounds what our orders may have bought."""
        for symbol in state.instruments:
            bound = self._bound(symbol)
            known = self._most.get(symbol, ZERO)
            self._most[symbol] = None if bound is None or known is None else max(bound, known)

    def _bound(self, symbol: Symbol) -> Decimal | None:
        """What every order of a symbol has to keep, of whatever strategy, approved or not."""
        found = [
            limit.value
            for limit in self._limits.of("max_position_qty")
            if limit.severity.value == "deny" and (limit.name in ("", symbol, ACCOUNT))
        ]
        return min(found, default=None)

    def hear(self, report: Execution, *, ours: bool) -> None:
        """The venue has traded."""
        way = 1 if report.side is Side.BUY else -1
        self._moves(report.symbol, way * report.last_qty)
        if not ours:
            self.by_others(report.symbol, report.last_qty)
            return
        most = self._most.get(report.symbol)
        truly = self._truly.get(report.symbol, ZERO) - self._not_ours.get(report.symbol, ZERO)
        if way == 1 and most is not None and report.symbol in self._most and truly > most:
            self._broken(25, f"the venue holds {truly} {report.symbol} by our orders alone, and {most} were allowed at most")

    def changed(self, symbol: Symbol, side: Side, before: Decimal, now: Decimal) -> None:
        """A fill was taken back, or is of another quantity: so much more or less is there, and may be there by right."""
        self._moves(symbol, now - before if side is Side.BUY else before - now)
        self.by_others(symbol, max(abs(now - before), before * 2))

    def _moves(self, symbol: Symbol, qty: Decimal) -> None:
        self._truly[symbol] = self._truly.get(symbol, ZERO) + qty

    def by_others(self, symbol: Symbol, qty: Decimal) -> None:
        """Somebody else than our orders has moved what is held, or taken a fill back: so much may be there by right."""
        self._not_ours[symbol] = self._not_ours.get(symbol, ZERO) + abs(qty)


def opens(order: ev.OrderStaged, state: State) -> bool:
    """Whether it adds to what is held: a buy does, but where it covers what an overfill has sold short."""
    return order.side is Side.BUY and not state.held(order.account, order.symbol).short_qty


def may_trade(order: Order) -> Decimal:
    """What an order may trade at worst, under its terms or any that were asked for."""
    if order.canceled_at is not None or order.expired_at is not None or order.rejected_at is not None:
        return ZERO
    asked = [one.terms.order_qty for one in order.replaces or ()]
    return max(max((order.order_qty, *asked)) - order.cum_qty, ZERO)


def worst_of(state: State, without: ClOrdID | None = None) -> dict[Symbol, Decimal]:
    """What would be held of each symbol if everything that may be bought were, and nothing sold."""
    worst: dict[Symbol, Decimal] = {}
    for symbol, position in state.positions.get(ACCOUNT, {}).items():
        worst[symbol] = position.long_qty - position.short_qty
    for symbol, qty in _buys(state, without):
        worst[symbol] = worst.get(symbol, ZERO) + qty
    return {symbol: max(qty, ZERO) for symbol, qty in worst.items()}


def _buys(state: State, without: ClOrdID | None) -> Iterator[tuple[Symbol, Decimal]]:
    for order in state.orders.open.values():
        if order.side is Side.BUY and order.account == ACCOUNT and order.cl_ord_id != without:
            yield order.symbol, may_trade(order)
