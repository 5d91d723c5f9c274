"""Cases of the rules of price."""

from __future__ import annotations

from typing import Final

from tests.core.risk.cases import MOUTAI, Case, Step, a_limit, buys, limited, quoted, sells, waits

from tradeloop.core.limit import LimitScope, RiskLimit
from tradeloop.testing.builders import an_instrument, buy, sell
from tradeloop.testing.desk import Desk

ALONE: Final = "it looks at one order by itself"


def holding(limit: RiskLimit) -> Desk:
    """A desk that holds 1,000 of a stock that moves 10 % a day at most."""
    desk = Desk().opened(an_instrument(MOUTAI, price_limit="0.1"), positions={MOUTAI: 1000}, costs={MOUTAI: 10_000})
    return limited(limit, desk=desk)


_MID_10: Final[Step] = quoted("9.90", "10.10")
_UP: Final[Step] = quoted("11.00", None, prev_close="10")
_DOWN: Final[Step] = quoted(None, "9.00", prev_close="10")

CASES: Final = (
    Case(
        limit=a_limit("max_price_deviation", "0.03"),
        below=[_MID_10, buys(100, price="10.29")],
        at=[_MID_10, buys(100, price="10.30")],
        beyond=[_MID_10, buys(100, price="10.31")],
        figures=("3%", "0%", "3.1%"),
        alone_only=ALONE,
    ),
    Case(
        limit=a_limit("max_price_deviation", "0.03"),
        below=[_MID_10, sells(100, price="9.71")],
        at=[_MID_10, sells(100, price="9.70")],
        beyond=[_MID_10, sells(100, price="9.69")],
        figures=("3%", "0%", "3.1%"),
        alone_only=ALONE,
        desk=holding,
    ),
    Case(
        limit=a_limit("max_deviation_from_prev_close", "0.05"),
        below=[quoted("9.9", "10.1", prev_close="10"), buys(100, price="10.49")],
        at=[quoted("9.9", "10.1", prev_close="10"), buys(100, price="10.50")],
        beyond=[quoted("9.9", "10.1", prev_close="10"), buys(100, price="10.60")],
        figures=("5%", "0%", "6%"),
        alone_only=ALONE,
    ),
    Case(
        limit=a_limit("max_slippage", "0.02", LimitScope.GLOBAL),
        below=[quoted("9.90", "10.10", size=100), buy(MOUTAI, 200)],
        at=[quoted("9.90", "10.10", size=100), buy(MOUTAI, 300)],
        beyond=[quoted("9.90", "10.10", size=100), buy(MOUTAI, 400)],
        figures=("2%", "0%", "2.5%"),
        alone_only=ALONE,
    ),
    Case(
        limit=a_limit("max_quote_age_seconds", 3),
        below=[waits(2), buy(MOUTAI, 100)],
        at=[waits(3), buy(MOUTAI, 100)],
        beyond=[waits(3.5), buy(MOUTAI, 100)],
        figures=("3 s", "0 s", "3.5 s"),
        alone_only=ALONE,
    ),
    Case(
        limit=a_limit("limit_up_down", 0),
        below=[quoted("10.99", "11.00", prev_close="10"), buys(100, price="11")],
        at=[_UP, sells(100, price="11")],
        beyond=[_UP, buys(100, price="11")],
        figures=("no", "no", "yes"),
        alone_only=ALONE,
        desk=holding,
    ),
    Case(
        limit=a_limit("limit_up_down", 0),
        below=[quoted("9.00", "9.01", prev_close="10"), sells(100, price="9")],
        at=[_DOWN, buys(100, price="9")],
        beyond=[_DOWN, sell(MOUTAI, 100)],
        figures=("no", "no", "yes"),
        alone_only=ALONE,
        desk=holding,
    ),
)
