"""Rules of frequency: requests a second and a minute, orders, cancels and trades a day, and a rest between trades (S2-29..31).

What a broker's own rate allows is kept elsewhere (core/pacing.py); these are the desk's limits and the exchanges'. A request is
an order, a cancel or a change. Cancels are counted and never refused. Shanghai, Shenzhen and Beijing take an account for a
high-frequency one from 300 requests in a second or 20,000 in a day on (implementation rules of programme trading, in force
2025-07-07).
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from operator import attrgetter
from typing import Final

from tradeloop.core.activity import WINDOW_NS, Day
from tradeloop.core.limit import LimitScope, RiskLimit, Severity, SoftLimit
from tradeloop.core.risk.rule import Look, Measured, RiskRule, RuleGroup, Unit, Words
from tradeloop.core.risk.screens import COUNTED, ORDERS, of_day, of_requests
from tradeloop.core.types import ONE, SECOND_NS, ZERO, UtcNs


def _requests_within(span_ns: int) -> Callable[[Look, RiskLimit], Measured]:
    """Requests of the scope's accounts in the last `span_ns`; over several accounts, those of all of them together."""

    def measure(look: Look, limit: RiskLimit) -> Measured:
        made, room_at, most = 0, look.now, int(limit.value)
        asked = [of for account in look.accounts(limit) if (of := look.state.activity.requests.get(account)) is not None]
        for requests in asked:
            made += requests.within(span_ns, look.now)
        if most > 0 and made >= most:
            room_at = max((requests.room_at(span_ns, most, look.now) for requests in asked), default=room_at)
            if room_at == look.now:
                room_at = UtcNs(look.now + span_ns)  # only together they are too many: the oldest of all is gone by then
        return Measured(Decimal(made), ONE, room_at if most > 0 else None)

    return measure


def _requests_per_day(look: Look, limit: RiskLimit) -> Measured | None:
    """Requests of today, and one more. From a soft figure that throttles on, what is left of them up to the limit is spread
    over what is left of the day. What only closes does not wait for that, and no order of a FLATTEN: they have the limit
    itself.
    """
    found = _COUNT_REQUESTS(look, limit)
    if found is None or not isinstance(limit, SoftLimit) or limit.severity is not Severity.THROTTLE:
        return found
    if look.order.halt or not look.may_open:
        return None
    return Measured(found.current, found.adds, _spaced(look, limit, int(limit.hard) - int(found.current)))


def _spaced(look: Look, limit: RiskLimit, left: int) -> UtcNs:
    """When the next of `left` requests may go, of what is left of the day's trading hours; never later than they last. Where
    nothing is left the limit itself refuses, and where nothing is open the market does.
    """
    hours, now = look.state.hours.get(look.instrument.session), look.now
    asked = [of.at[-1] for account in look.accounts(limit) if (of := look.state.activity.requests.get(account)) and of.at]
    if hours is None or left <= 0 or not asked:
        return now
    newest = min(max(asked), now)  # a clock set back keeps nobody waiting for what it calls the future
    open_ns = sum(max(end - max(start, newest), 0) for start, end in hours.windows)
    return UtcNs(newest + open_ns // (left + 1))


def _per_day(code: str, *, opening: bool = False) -> Callable[[Look, RiskLimit], Measured | None]:
    """What was counted today, and one more; `opening`: asked of orders alone that may open something."""

    count_of: Callable[[Day], int] = attrgetter(COUNTED[code])

    def measure(look: Look, limit: RiskLimit) -> Measured | None:
        if (opening and not look.opens) or (code == ORDERS and look.own is not None and not look.late):
            return None  # other terms are no other order
        own = ONE if code == ORDERS and look.is_of_today else ZERO
        return Measured(count_of(look.day(limit)) - own, ONE)

    return measure


_COUNT_REQUESTS: Final = _per_day("max_requests_per_day")
_THROTTLED: Final = (Severity.THROTTLE, Severity.DENY, Severity.WARN, Severity.HALT)
_SOFTLY: Final = (Severity.WARN, Severity.THROTTLE, Severity.APPROVAL)
_BY_ACCOUNT: Final = (LimitScope.GLOBAL, LimitScope.ACCOUNT)
_NEXT_DAY: Final = "wait for the next trading day"
_NEXT_DAY_ZH: Final = "请等到下一交易日"

RULES: Final = (
    RiskRule(
        code="max_requests_per_second",
        number="R4, R15, R16",
        group=RuleGroup.FREQUENCY,
        unit=Unit.COUNT,
        words=Words("requests in a second", "每秒申报与撤单笔数", "send more slowly", "请放慢申报速度"),
        source="programme-trading rules of SSE, SZSE and BSE, in force 2025-07-07: 300 in a second; RTS 6 Art. 15(1)(d)",
        measure=_requests_within(SECOND_NS),
        family=of_requests,
        scopes=_BY_ACCOUNT,
        severities=_THROTTLED,
        softly=_SOFTLY,
        at_send=True,
        of_flatten=True,
        of_closing=True,
    ),
    RiskRule(
        code="max_requests_per_minute",
        number="R4",
        group=RuleGroup.FREQUENCY,
        unit=Unit.COUNT,
        words=Words("requests in a minute", "每分钟申报与撤单笔数", "send more slowly", "请放慢申报速度"),
        source="RTS 6 Art. 15(1)(d)",
        measure=_requests_within(WINDOW_NS),
        family=of_requests,
        scopes=_BY_ACCOUNT,
        severities=_THROTTLED,
        softly=_SOFTLY,
        at_send=True,
        of_flatten=True,
        of_closing=True,
    ),
    RiskRule(
        code="max_requests_per_day",
        number="R4, R15",
        group=RuleGroup.FREQUENCY,
        unit=Unit.COUNT,
        words=Words("requests in a day", "当日申报与撤单笔数", _NEXT_DAY, _NEXT_DAY_ZH),
        source="programme-trading rules of SSE, SZSE and BSE, in force 2025-07-07: 20,000 in a day",
        measure=_requests_per_day,
        family=of_day,
        softly=_SOFTLY,
        at_send=True,
        of_flatten=True,
        of_closing=True,
    ),
    RiskRule(
        code=ORDERS,
        number="S2-30",
        group=RuleGroup.FREQUENCY,
        unit=Unit.COUNT,
        words=Words("orders in a day", "当日委托笔数", _NEXT_DAY, _NEXT_DAY_ZH),
        source="S2-30",
        measure=_per_day(ORDERS),
        family=of_day,
    ),
    RiskRule(
        code="max_trades_per_day",
        number="S2-29, S2-30",
        group=RuleGroup.FREQUENCY,
        unit=Unit.COUNT,
        words=Words("trades in a day", "当日成交笔数", _NEXT_DAY, _NEXT_DAY_ZH),
        source="S2-29, S2-30",
        measure=_per_day("max_trades_per_day"),
        family=of_day,
    ),
    RiskRule(
        code="max_cancels_per_day",
        number="R32",
        group=RuleGroup.FREQUENCY,
        unit=Unit.COUNT,
        words=Words(
            "cancels in a day",
            "当日撤单笔数",
            "close and cancel only until the next trading day",
            "下一交易日前仅可平仓与撤单",
        ),
        source="SHFE and CZCE: 500 cancels of one contract in a day are an abnormal trade; a stop at 400 is a default of ours",
        measure=_per_day("max_cancels_per_day", opening=True),
        family=of_day,
    ),
)
