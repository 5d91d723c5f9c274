"""Rules of conduct: what looks like a mistake of a program, or like manipulation to an exchange.

Cancels are counted and never refused, and neither is what only closes: beyond these limits nothing new is opened. Numbers of
the exchanges stand in `source`; where a row of the table has none, the default is the user's.

No rule watches the pattern of the opening auction (R19): no order is sent in it, its hours are no trading hours here
(markets/sessions.py), so the pattern cannot come about.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from operator import attrgetter
from typing import Final

from tradeloop.core.activity import Day
from tradeloop.core.lately import MINUTE_SHARE, MINUTE_VALUE, NO_DUPLICATE, REPEATED, SELF_TRADES, fires_of
from tradeloop.core.limit import LimitScope, RiskLimit, Severity
from tradeloop.core.own_orders import NO_SELF_TRADE
from tradeloop.core.risk.rule import Look, Measured, Missing, RiskRule, RuleGroup, Unit, Words
from tradeloop.core.risk.screens import CANCEL_RATIO, COOL_DOWN, COOL_DOWN_AFTER_LOSS, COUNTED, ORDERS_FROM, of_conduct, of_day
from tradeloop.core.types import BUY, LIMIT, ONE, SECOND_NS, SELL, STOP_LIMIT, ZERO, AccountID, Symbol, UtcNs


def _duplicate(look: Look, _: RiskLimit) -> Measured | None:
    """How long ago an equal order was made; a change of an order is not another one."""
    order = look.order
    if look.own is not None:
        return None
    made = look.state.lately.alike_at((order.account, order.symbol, order.side, order.order_qty, order.price))
    return None if made is None else Measured(_seconds(look.now - made), ZERO)


def _self_trade(look: Look, _: RiskLimit) -> Measured | None:
    order, own = look.order, look.own
    if own is not None and own.price == order.price and not look.late:
        return None
    limited = order.ord_type is LIMIT or order.ord_type is STOP_LIMIT
    other = SELL if order.side is BUY else BUY
    if not look.state.exposure.own.meets(order.symbol, other, order.price if limited else None):
        return None
    return Measured(ZERO, ONE, what=f"an own {other.value} order of {order.symbol} works within its price")


def _repeated(look: Look, _: RiskLimit) -> Measured | None:
    """Orders of one strategy, symbol and side in a minute. A program may name no strategy: what has none is counted by account;
    no person orders that often.
    """
    order = look.order
    if look.own is not None:
        return None
    of = fires_of(order.strategy_id, order.account, order.symbol, order.side)
    return Measured(Decimal(look.state.lately.fired(of, look.now)), ONE)


def _opening_counts(code: str) -> Callable[[Look, RiskLimit], Measured | None]:
    """What was counted today, and that one more may follow from an order that opens."""

    count_of: Callable[[Day], int] = attrgetter(COUNTED[code])

    def measure(look: Look, limit: RiskLimit) -> Measured | None:
        return Measured(Decimal(count_of(look.day(limit))), ONE) if look.opens else None

    return measure


def _cancel_ratio(look: Look, limit: RiskLimit) -> Measured | None:
    """The cancels of the day and one more, that of this order, by its orders, this one among them."""
    if (look.own is not None and not look.late) or not look.opens:
        return None
    day, counted = look.day(limit), 1 if look.is_of_today else 0
    if day.orders - counted < (limit.floor if limit.floor is not None else ORDERS_FROM):
        return None
    return Measured(Decimal(day.cancels), ONE, of=Decimal(day.orders - counted + 1))


def _minute_share(look: Look, limit: RiskLimit) -> Measured | Missing | None:
    """Own trades and own working orders of a side by what all traded in the last minute, while the price runs to that side."""
    order, symbol = look.order, look.order.symbol
    minute = look.around.minutes.get(symbol)
    move = None if minute is None else minute.move(look.now)
    if minute is None or move is None or not minute.says_volume:
        return Missing(f"price and volume of the last minute of {symbol}") if look.opens else None
    floor = limit.floor if limit.floor is not None else _MOVE_FROM
    if (move if order.side is BUY else -move) <= floor or not look.opens:
        return None
    state, own = look.state, look.own
    done = state.lately.minute_qty(symbol, order.side, look.now)
    working = sum((state.exposure.of(account, symbol, order.side, own) for account in state.accounts), ZERO)
    qty = order.order_qty if own is None else order.order_qty - own.cum_qty
    market = max(minute.volume(look.now), done) + working
    current = (done + working) / market if market else ZERO
    return Measured(current, (done + working + qty) / (market + qty) - current)


def _minute_value(look: Look, limit: RiskLimit) -> Measured | Missing:
    value = look.more_value
    if value is None:
        return Missing(f"a price of {look.order.symbol}")
    side, currency = look.order.side, look.instrument.currency
    current, lately, own = ZERO, look.state.lately, look.state.exposure.own
    for account in look.accounts(limit):
        current += lately.minute_value(account, currency, side, look.now)
        current += own.value((account, side, currency), look.own if look.late else None)
    return Measured(current, value)


def _rest_after(when: Callable[[Look, AccountID, Symbol], UtcNs | None]) -> Callable[[Look, RiskLimit], Measured | None]:
    def measure(look: Look, _: RiskLimit) -> Measured | None:
        order = look.order
        at = when(look, order.account, order.symbol)
        if at is None or not look.opens:
            return None
        return Measured(_seconds(look.now - at), ZERO)

    return measure


def _seconds(span_ns: int) -> Decimal:
    return Decimal(max(span_ns, 0)) / SECOND_NS


_MOVE_FROM: Final = Decimal("0.01")
_BY_ACCOUNT: Final = (LimitScope.GLOBAL, LimitScope.ACCOUNT)
_NEXT_DAY: Final = "close and cancel only until the next trading day"
_NEXT_DAY_ZH: Final = "下一交易日前仅可平仓与撤单"
_WAIT: Final = "wait"
_WAIT_ZH: Final = "请稍候"


def _per_day(code: str, number: str, title: str, title_zh: str, source: str) -> RiskRule:
    return RiskRule(
        code=code,
        number=number,
        group=RuleGroup.CONDUCT,
        unit=Unit.COUNT,
        words=Words(title, title_zh, _NEXT_DAY, _NEXT_DAY_ZH),
        source=source,
        measure=_opening_counts(code),
        family=of_day,
    )


RULES: Final = (
    RiskRule(
        code=NO_DUPLICATE,
        number="R6",
        group=RuleGroup.CONDUCT,
        unit=Unit.SECONDS,
        words=Words(
            "the time between two equal orders",
            "相同委托的间隔时间",
            "wait, or ask for another quantity or price if both are meant",
            "如确需重复下单,请稍候或调整数量、价格",
        ),
        source="SEC 15c3-5 asks for it; 2 s is a default of ours",
        measure=_duplicate,
        family=of_conduct,
        at_least=True,
        of_closing=True,
    ),
    RiskRule(
        code=NO_SELF_TRADE,
        number="R12",
        group=RuleGroup.CONDUCT,
        unit=Unit.NONE,
        words=Words(
            "an order that could trade with an own one",
            "可能与本方委托自成交",
            "cancel the other order first, or move the price away from it",
            "请先撤销对手方委托或调整价格",
        ),
        source="futures exchanges: self-trades are abnormal trades; FIA best practices (general knowledge, unverified)",
        measure=_self_trade,
        family=of_conduct,
        severities=(Severity.DENY, Severity.WARN, Severity.HALT),
        of_closing=True,
    ),
    RiskRule(
        code=REPEATED,
        number="R5",
        group=RuleGroup.CONDUCT,
        unit=Unit.COUNT,
        words=Words(
            "orders of one strategy (of an account, where they name none), symbol and side in a minute",
            "同一策略(未注明策略的按账户)同一标的同方向一分钟内的委托笔数",
            "have a person look at the strategy",
            "请人工检查策略",
        ),
        source="RTS 6 Art. 15(3) asks for it; 20 is a default of ours",
        measure=_repeated,
        family=of_conduct,
        of_closing=True,
    ),
    RiskRule(
        code=CANCEL_RATIO,
        number="R14",
        group=RuleGroup.CONDUCT,
        unit=Unit.FRACTION,
        words=Words("the share of the day's orders that was cancelled", "当日撤单比例", _NEXT_DAY, _NEXT_DAY_ZH),
        source="SSE and SZSE watch frequent cancels without a public figure; 50 % from 20 orders on is a default of ours",
        measure=_cancel_ratio,
        family=of_day,
        floor=ORDERS_FROM,
    ),
    _per_day(
        "max_quick_cancels_per_day",
        "R14",
        "cancels within a second of their order in a day",
        "当日一秒内撤单笔数",
        "SSE and SZSE watch cancels in an instant without a public figure; 20 is a default of ours",
    ),
    _per_day(
        SELF_TRADES,
        "R31",
        "self-trades in a day",
        "当日自成交次数",
        "SHFE and CZCE: 5 of one contract in a day are an abnormal trade; a stop at 2 is a default of ours",
    ),
    _per_day(
        "max_large_cancels_per_day",
        "R33",
        "large cancels in a day",
        "当日大额撤单次数",
        "SHFE: 50 of one contract in a day are an abnormal trade; a stop at 40 is a default of ours",
    ),
    RiskRule(
        code=MINUTE_SHARE,
        number="R17",
        group=RuleGroup.CONDUCT,
        unit=Unit.FRACTION,
        words=Words(
            "the own share of a minute's volume while the price moves that way",
            "价格同向波动时本方占一分钟成交量的比例",
            "trade more slowly",
            "请放慢交易",
        ),
        source="SSE and SZSE watch frequent ramping without a public figure; 20 % beside a move of 1 % is a default of ours",
        measure=_minute_share,
        scopes=(LimitScope.SYMBOL,),
        floor=_MOVE_FROM,
    ),
    RiskRule(
        code=MINUTE_VALUE,
        number="R18",
        group=RuleGroup.CONDUCT,
        unit=Unit.MONEY,
        words=Words(
            "the value traded on one side in a minute",
            "一分钟内单方向成交金额",
            "trade more slowly",
            "请放慢交易",
        ),
        source="SSE and SZSE watch large trades in a short time without a public figure; 10 million CNY is a default of ours",
        measure=_minute_value,
        family=of_conduct,
        scopes=_BY_ACCOUNT,
        of_closing=True,
    ),
    RiskRule(
        code=COOL_DOWN,
        number="S2-31",
        group=RuleGroup.CONDUCT,
        unit=Unit.SECONDS,
        words=Words("the time since the last trade of the symbol", "距该标的上次成交的时间", _WAIT, _WAIT_ZH),
        source="S2-31; the figure is the user's",
        measure=_rest_after(lambda look, account, symbol: look.state.lately.trades.get((account, symbol))),
        family=of_conduct,
        at_least=True,
    ),
    RiskRule(
        code=COOL_DOWN_AFTER_LOSS,
        number="S2-31",
        group=RuleGroup.CONDUCT,
        unit=Unit.SECONDS,
        words=Words("the time since the last loss in the symbol", "距该标的上次亏损平仓的时间", _WAIT, _WAIT_ZH),
        source="S2-31; the figure is the user's",
        measure=_rest_after(lambda look, account, symbol: look.state.lately.losses.get((account, symbol))),
        family=of_conduct,
        at_least=True,
    ),
)
