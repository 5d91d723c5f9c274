"""Rules of price: how far from the market and from the previous close, how much slippage, and how old a quote.

A price on the safe side of the market adds nothing: a buy below it, a sell above. What the rules need and nobody knows refuses
what opens; who closes with a price of their own is not held up by a feed that is silent. A stop is judged by what its own stop
price makes of the market.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from tradeloop.core import market
from tradeloop.core.limit import RiskLimit, Severity
from tradeloop.core.risk.rule import Look, Measured, Missing, RiskRule, RuleGroup, Unit, Words
from tradeloop.core.risk.screens import CLOSE_DEVIATION, LOCKED, PRICE_DEVIATION, of_quote
from tradeloop.core.types import BUY, LIMIT, ONE, SECOND_NS, STOP_LIMIT, TWO, ZERO


def _beyond(look: Look, reference: Decimal) -> Measured | None:
    """By which fraction of the reference the order may trade at a worse price."""
    px = look.px
    if px is None:
        return None
    worse = px - reference if look.order.side is BUY else reference - px
    return Measured(ZERO, worse / reference)


def _price_deviation(look: Look, _: RiskLimit) -> Measured | Missing | None:
    order = look.order
    if look.is_way_out or (look.own is not None and look.own.stop_px is not None and not look.late):
        return None  # a stop that fires was judged when it was placed
    if order.stop_px is not None:
        return _beyond(look, order.stop_px)
    quote = look.quote
    reference = None
    if quote is not None and market.is_current(look.around, quote, look.now):
        reference = look.mid
    if reference is None or reference <= ZERO:
        return Missing(f"a present price of {order.symbol}") if look.may_open else None
    return _beyond(look, reference)


def _from_prev_close(look: Look, _: RiskLimit) -> Measured | Missing | None:
    if look.is_way_out:
        return None
    close = market.todays_close(look.state, look.instrument, look.quote)
    if close is None or close <= ZERO:
        return Missing(f"the previous close of {look.order.symbol}, by a quote of today") if look.may_open else None
    return _beyond(look, close)


def _slippage(look: Look, _: RiskLimit) -> Measured | Missing | None:
    """Half the spread for what is displayed. Behind that, as much again is taken to stand half a spread further off each time,
    so that an order of n displayed sizes pays (n + 1) / 2 half spreads on average.
    """
    order, quote = look.order, look.quote
    if order.price is not None or order.stop_px is not None or look.is_way_out:
        return None
    if quote is None or quote.bid is None or quote.ask is None or quote.bid + quote.ask <= ZERO:
        return Missing(f"both sides of the market of {order.symbol}")
    size = quote.ask_size if order.side is BUY else quote.bid_size
    if not size:
        return Missing(f"the displayed size of {order.symbol}")
    mid = (quote.bid + quote.ask) / TWO
    half = max(quote.ask - quote.bid, ZERO) / TWO / mid
    return Measured(ZERO, half * max(ONE, (order.order_qty / size + ONE) / TWO))


def _quote_age(look: Look, _: RiskLimit) -> Measured | Missing | None:
    if look.order.ord_type is LIMIT or look.order.ord_type is STOP_LIMIT:
        return None
    if look.quote is None:
        return Missing(f"a quote of {look.order.symbol}")
    return Measured(ZERO, Decimal(abs(look.now - look.quote.at)) / SECOND_NS)


def _locked(look: Look, _: RiskLimit) -> Measured | Missing | None:
    """A buy where the price stands at its upper limit and nobody offers, a sell at the lower one where nobody bids."""
    if look.instrument.price_limit is None or look.is_way_out:
        return None
    quote = look.quote
    close = market.todays_close(look.state, look.instrument, quote)
    if quote is None or close is None:
        return Missing(f"today's price limits of {look.order.symbol}") if look.may_open else None
    if look.order.side is BUY:
        theirs, size, ours = quote.ask, quote.ask_size, quote.bid
    else:
        theirs, size, ours = quote.bid, quote.bid_size, quote.ask
    seen = ours if ours is not None else quote.last
    if (theirs is not None and size != ZERO) or seen is None:
        return None
    band = market.band(look.around, look.instrument, close)
    assert band is not None
    at = band[1] if look.order.side is BUY else band[0]
    if seen < at if look.order.side is BUY else seen > at:
        return None
    return Measured(ZERO, ONE, what=f"{look.order.symbol} stands at {at:f} and nobody takes the other side")


_NO_APPROVAL: Final = (Severity.DENY, Severity.WARN, Severity.HALT)

RULES: Final = (
    RiskRule(
        code=PRICE_DEVIATION,
        number="R2, S2-33",
        group=RuleGroup.PRICE,
        unit=Unit.FRACTION,
        words=Words(
            "the distance of the price from the market, on the side that costs",
            "委托价相对最新价或中间价的不利偏离",
            "move the price towards the market",
            "请将价格调近市价",
        ),
        source="RTS 6 Art. 15(1)(a) asks for a collar; 3 % of liquid and 8 % of illiquid instruments are defaults of ours",
        measure=_price_deviation,
        family=of_quote,
        at_send=True,
        of_closing=True,
    ),
    RiskRule(
        code=CLOSE_DEVIATION,
        number="R2, S2-33",
        group=RuleGroup.PRICE,
        unit=Unit.FRACTION,
        words=Words(
            "the distance of the price from the previous close, on the side that costs",
            "委托价相对昨收价的不利偏离",
            "move the price towards the previous close",
            "请将价格调近昨收价",
        ),
        source="S2-33; the figure is the user's",
        measure=_from_prev_close,
        family=of_quote,
        of_closing=True,
    ),
    RiskRule(
        code="max_slippage",
        number="S2-34",
        group=RuleGroup.PRICE,
        unit=Unit.FRACTION,
        words=Words(
            "the slippage that a market order is expected to have",
            "市价委托的预期滑点",
            "make it smaller or give a limit",
            "请减小数量或改用限价",
        ),
        source="S2-34; spread and displayed size, and an assumption of ours about what stands behind it",
        measure=_slippage,
        of_closing=True,
    ),
    RiskRule(
        code="max_quote_age_seconds",
        number="R3",
        group=RuleGroup.PRICE,
        unit=Unit.SECONDS,
        words=Words(
            "the age of the quote behind an order without a limit",
            "无限价委托所依据行情的时延",
            "check the feed or give a limit",
            "请检查行情或改用限价",
        ),
        source="R3; 3 s is a default of ours, and the policy's own bound holds beside it",
        measure=_quote_age,
        severities=_NO_APPROVAL,
        at_send=True,
        of_closing=True,
    ),
    RiskRule(
        code=LOCKED,
        number="S2-32",
        group=RuleGroup.PRICE,
        unit=Unit.NONE,
        words=Words(
            "a buy at a locked limit up, or a sell at a locked limit down",
            "涨停无卖盘时买入或跌停无买盘时卖出",
            "wait until the other side is back",
            "请等待对手盘出现",
        ),
        source="S2-32; the limits themselves are dated rows (markets/data/price_limits.yaml)",
        measure=_locked,
        family=of_quote,
        concerns=lambda instrument: instrument.price_limit is not None,
        of_closing=True,
    ),
)
