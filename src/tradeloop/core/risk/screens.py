"""What tells at once that an order keeps several limits: on the day, on requests, on conduct, on the market, on what is held.

A screen only ever saves work. Where it cannot say that all of its limits are kept, each of them is measured and compared as any
other (core/risk/judging.py); so it has no figures of its own, and decides nothing. It is asked of new orders alone, and may
therefore take an order for one of which nothing is counted yet. Where a rule asks whether an order opens anything, which is
dear to say, a screen takes it for one that does.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_CEILING, Decimal
from operator import attrgetter, lt
from typing import Final

from tradeloop.core import market
from tradeloop.core.activity import WINDOW_NS, Day
from tradeloop.core.lately import MINUTE_VALUE, NO_DUPLICATE, REPEATED, SELF_TRADES, fires_of
from tradeloop.core.limit import RiskLimit
from tradeloop.core.own_orders import NO_SELF_TRADE
from tradeloop.core.risk.rule import Look, Screen
from tradeloop.core.types import BUY, LIMIT, SECOND_NS, SELL, STOP_LIMIT, ZERO, UtcNs

ORDERS: Final = "max_orders_per_day"
ORDER_VALUE: Final = "max_order_value"
ORDER_QTY: Final = "max_order_qty"
DAILY_ORDER_VALUE: Final = "max_daily_order_value"
DAILY_TRADED_VALUE: Final = "max_daily_traded_value"
CANCEL_RATIO: Final = "max_cancel_ratio"
PRICE_DEVIATION: Final = "max_price_deviation"
CLOSE_DEVIATION: Final = "max_deviation_from_prev_close"
LOCKED: Final = "limit_up_down"
COOL_DOWN: Final = "cool_down_seconds"
COOL_DOWN_AFTER_LOSS: Final = "cool_down_after_loss_seconds"

COUNTED: Final = {
    "max_requests_per_day": "messages",
    ORDERS: "orders",
    "max_trades_per_day": "trades",
    "max_cancels_per_day": "cancels",
    "max_quick_cancels_per_day": "quick_cancels",
    SELF_TRADES: "self_trades",
    "max_large_cancels_per_day": "large_cancels",
}
"""What a rule counts in a day, as `Day` calls it."""
SPANS: Final = {"max_requests_per_second": SECOND_NS, "max_requests_per_minute": WINDOW_NS}
"""Over which time a rule counts requests."""
ORDERS_FROM: Final = Decimal(20)
"""From how many orders on the share of those that were cancelled says anything, unless a limit has a floor of its own."""
_ANY: Final = Decimal("Infinity")
_NOTHING: Final = Day()


def least(limits: tuple[RiskLimit, ...], *rules: str) -> Decimal:
    """The least of the limits of these rules; beyond any figure where there is none."""
    return min((limit.value for limit in limits if limit.rule in rules), default=_ANY)


def of_day(limits: tuple[RiskLimit, ...]) -> Screen:
    """What an order is worth and how much it is of; what it comes to with all that was ordered, traded and cancelled today."""
    first = limits[0]
    most_value, most_qty = least(limits, ORDER_VALUE), least(limits, ORDER_QTY)
    most_ordered, most_traded = least(limits, DAILY_ORDER_VALUE), least(limits, DAILY_TRADED_VALUE)
    counted = [limit for limit in limits if limit.rule in COUNTED]
    most = [int(limit.value) for limit in counted]
    counts: Callable[[Day], tuple[int, ...]] = attrgetter(*(COUNTED[limit.rule] for limit in counted), "orders", "orders")
    ratios = [limit for limit in limits if limit.rule == CANCEL_RATIO]
    most_cancelled = least(limits, CANCEL_RATIO)
    orders_from = min((ORDERS_FROM if limit.floor is None else limit.floor for limit in ratios), default=_ANY)

    def screen(look: Look) -> bool:
        value = look.value
        if value is None or value > most_value or look.order.order_qty > most_qty:
            return False
        activity, place = look.state.activity, look.place(first)
        in_money = activity.of(first.scope, place, look.instrument.currency) or _NOTHING
        day = activity.total(first.scope, place)
        return (
            in_money.ordered + value <= most_ordered
            and in_money.traded + value <= most_traded
            and all(map(lt, counts(day), most))
            and (day.orders < orders_from or day.cancels + 1 <= most_cancelled * (day.orders + 1))
        )

    return screen


def of_requests(limits: tuple[RiskLimit, ...]) -> Screen:
    """Requests of one account in the last moments."""
    first, spans = limits[0], [(SPANS[limit.rule], int(limit.value)) for limit in limits]

    def screen(look: Look) -> bool:
        accounts = look.accounts(first)
        requests = look.state.activity.requests.get(look.order.account)
        if requests is None or len(accounts) > 1:
            return False
        for span_ns, most in spans:  # noqa: SIM110 - asked of every order: a generator costs three times as much
            if not requests.is_below(most, UtcNs(look.now - span_ns)):
                return False
        return True

    return screen


def of_conduct(limits: tuple[RiskLimit, ...]) -> Screen:
    """Equal orders, orders of one strategy, own orders on the other side, the value of a minute, and rests between trades."""
    first, rules = limits[0], {limit.rule for limit in limits}
    apart, rest, rest_after_loss = (_longest_ns(limits, rule) for rule in (NO_DUPLICATE, COOL_DOWN, COOL_DOWN_AFTER_LOSS))
    meets = NO_SELF_TRADE in rules
    repeats = int(least(limits, REPEATED)) if REPEATED in rules else None
    most_value = least(limits, MINUTE_VALUE) if MINUTE_VALUE in rules else None

    def screen(look: Look) -> bool:
        order, state, now = look.order, look.state, look.now
        account, symbol, side, lately = order.account, order.symbol, order.side, state.lately
        if apart is not None and _is_after(lately.alike_at((account, symbol, side, order.order_qty, order.price)), now - apart):
            return False
        if rest is not None and _is_after(lately.trades.get((account, symbol)), now - rest):
            return False
        if rest_after_loss is not None and _is_after(lately.losses.get((account, symbol)), now - rest_after_loss):
            return False
        if repeats is not None:
            fired = lately.fires(fires_of(order.strategy_id, order.account, symbol, side))
            if repeats < 1 or (fired is not None and not fired.is_below(repeats, UtcNs(now - WINDOW_NS))):
                return False
        if meets:
            limited = order.ord_type is LIMIT or order.ord_type is STOP_LIMIT
            if state.exposure.own.meets(symbol, SELL if side is BUY else BUY, order.price if limited else None):
                return False
        if most_value is None:
            return True
        value, currency, before = look.value, look.instrument.currency, ZERO
        for of in look.accounts(first):
            before += lately.minute_value(of, currency, side, now) + state.exposure.own.value((of, side, currency))
        return value is not None and before + value <= most_value

    return screen


def _longest_ns(limits: tuple[RiskLimit, ...], rule: str) -> int | None:
    """The most that has to lie between two of something; None where no limit asks."""
    seconds = max((limit.value for limit in limits if limit.rule == rule), default=None)
    return None if seconds is None else int((seconds * SECOND_NS).to_integral_value(ROUND_CEILING))


def _is_after(at: UtcNs | None, when: int) -> bool:
    return at is not None and at > when


def of_quote(limits: tuple[RiskLimit, ...]) -> Screen:
    """Whether there is a market, and how far a price lies from it and from the previous close."""
    rules = {limit.rule for limit in limits}
    most_from_market, most_from_close = least(limits, PRICE_DEVIATION), least(limits, CLOSE_DEVIATION)
    by_close, locks = CLOSE_DEVIATION in rules or LOCKED in rules, LOCKED in rules

    def screen(look: Look) -> bool:
        quote, px, mid = look.quote, look.px, look.mid
        if quote is None or px is None or mid is None or mid <= ZERO or look.order.stop_px is not None:
            return False
        if quote.suspended or not market.is_current(look.around, quote, look.now):
            return False
        buys = look.order.side is BUY
        if locks and ((quote.ask is None or not quote.ask_size) if buys else (quote.bid is None or not quote.bid_size)):
            return False
        if (px - mid if buys else mid - px) / mid > most_from_market:
            return False
        if not by_close:
            return True
        close = market.todays_close(look.state, look.instrument, quote)
        return close is not None and close > ZERO and (px - close if buys else close - px) / close <= most_from_close

    return screen
