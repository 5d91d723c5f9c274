"""The judge of limits misses each that is not kept: the cases of the rules, lived on a desk whose limits stop nothing."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import msgspec
import pytest
from tests.core.risk.cases import MOUTAI, Case, Step, a_limit, buys, limited
from tests.core.risk.test_rules import CASES, asked

from tradeloop.core import events as ev
from tradeloop.core.commands import SetLimits
from tradeloop.core.decide import RESEND
from tradeloop.core.evolve import evolve
from tradeloop.core.inputs import TimerFired
from tradeloop.core.limit import Severity
from tradeloop.core.reports import ExecutionCorrect
from tradeloop.core.state import State
from tradeloop.core.types import Qty, Side
from tradeloop.testing.builders import ACCOUNT, BROKER, DAY, a_quote, an_execution
from tradeloop.testing.desk import Desk
from tradeloop.testing.limits.kept import LimitsKept

COMPARED: Final = {
    "max_order_value": 25, "max_order_qty": 25, "max_daily_order_value": 27, "max_daily_traded_value": 27,
    "max_requests_per_second": 27, "max_requests_per_minute": 27, "max_requests_per_day": 27, "max_orders_per_day": 27,
    "max_trades_per_day": 27, "max_cancels_per_day": 27, "max_position_qty": 25, "max_position_value": 25,
    "max_position_ratio": 25, "max_industry_value": 25, "max_industry_ratio": 25, "max_gross_value": 25,
    "max_total_ratio": 25, "max_leverage": 25, "max_net_value": 25, "max_positions": 25, "max_open_orders": 25,
    "max_opened_qty_per_day": 25, "min_cash_ratio": 25, "no_duplicate_order": 25, "no_self_trade": 29,
    "max_repeated_executions": 25, "blacklist": 25, "whitelist": 25,
}  # fmt: skip
"""The rules whose figure is compared, and the invariant that is named."""
each_compared = pytest.mark.parametrize("case", [case for case in CASES if case.rule in COMPARED], ids=lambda case: case.rule)


def named(case: Case, steps: Sequence[Step]) -> list[int]:
    """What the judge names when nothing keeps these orders within the limit."""
    desk = case.desk(msgspec.structs.replace(case.limit, shadow=True))
    asked(case, desk, steps)
    return judged(desk)


def judged(desk: Desk) -> list[int]:
    """What the judge names of the facts of a desk, with the limits that it had in shadow in force."""
    found: list[int] = []
    watching(desk, found)
    return found


def watching(desk: Desk, found: list[int]) -> LimitsKept:
    """A judge that has seen the facts of a desk, and notes what it finds."""
    judge = LimitsKept(lambda invariant, text: found.append(invariant), lambda: 0)
    state = State()
    for event in desk.events:
        evolve(state, event)
        for symbol in state.instruments:
            quote = desk.around.quotes.get(symbol)
            judge.prices.take(a_quote(symbol) if quote is None else quote)
        judge.fact(_in_force(event), state, again=False)
    return judge


def _in_force(event: ev.Event) -> ev.Event:
    if not isinstance(event, ev.LimitsConfigured):
        return event
    limits = tuple(msgspec.structs.replace(limit, shadow=False) for limit in event.limits)
    return msgspec.structs.replace(event, limits=limits)


@each_compared
def test_an_order_beyond_a_limit_that_was_let_through_is_named(case: Case) -> None:
    assert named(case, case.beyond) == [COMPARED[case.rule]]


@each_compared
def test_an_order_that_keeps_a_limit_is_not(case: Case) -> None:
    assert named(case, case.at) == []


def test_every_rule_that_is_compared_has_a_case() -> None:
    assert COMPARED.keys() <= {case.rule for case in CASES}


def test_an_order_that_leaves_beyond_limits_that_were_set_since_is_named() -> None:
    """Found without the verdict that asks it again: the facts are those of a desk whose new limits stop nothing."""
    desk = limited(a_limit("max_requests_per_second", 1, severity=Severity.THROTTLE))
    desk.order(buys(100))
    waiting = desk.order(buys(100))
    of_now = (a_limit("max_order_qty", 99), a_limit("blacklist", 0, only=(MOUTAI,)))
    desk.give(SetLimits(tuple(msgspec.structs.replace(limit, shadow=True) for limit in of_now), "risk.yaml"))
    desk.wait(2)
    desk.give(TimerFired(RESEND, waiting.cl_ord_id))
    assert judged(desk) == [25, 25]


@pytest.mark.parametrize(("corrected", "expected"), [(900, []), (100, [25])])
def test_a_sell_that_was_corrected_leaves_as_much_as_the_venue_says(corrected: int, expected: list[int]) -> None:
    """Seed 720173: a sell of 100 was more in truth, and what was bought later counted as if it were still held."""
    found: list[int] = []
    judge = watching(limited(a_limit("max_position_qty", 900)), found)
    bought, sold = an_execution(None, MOUTAI, Side.BUY, 900, 10, "1"), an_execution(None, MOUTAI, Side.SELL, 100, 10, "2")
    judge.hear(bought, ours=True)
    judge.hear(sold, ours=True)
    judge.hear(
        ExecutionCorrect(BROKER, ACCOUNT, DAY, sold.exec_id, Side.SELL, Qty(Decimal(corrected)), sold.last_px), ours=True
    )
    judge.hear(an_execution(None, MOUTAI, Side.BUY, 600, 10, "3"), ours=True)
    assert found == expected
