"""What was done in the last minute, however long the desk has been at it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tradeloop.core import lately, minute
from tradeloop.core.activity import WINDOW_NS
from tradeloop.core.lately import Flow
from tradeloop.core.minute import Minute
from tradeloop.core.types import ZERO, UtcNs
from tradeloop.testing.builders import a_quote

STEP_NS = 7_000_000_000


def test_a_flow_forgets_what_is_old_and_nothing_of_the_last_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lately, "_TRIM_AT", 16)
    flow, came = Flow(), list[tuple[int, Decimal]]()
    for number in range(500):
        now, amount = UtcNs(number * STEP_NS), Decimal(number % 13)
        came.append((now, amount))
        flow.add(now, amount)
        for later in (now, now + WINDOW_NS // 2, now + WINDOW_NS - 1, now + WINDOW_NS):
            recent = sum((amount for at, amount in came if at > later - WINDOW_NS), ZERO)
            assert flow.within_minute(UtcNs(later)) == recent
    assert len(flow.at) < 40


def test_a_clock_that_is_set_back_stands_still() -> None:
    flow = Flow()
    flow.add(UtcNs(WINDOW_NS), Decimal(1))
    flow.add(UtcNs(0), Decimal(2))
    assert flow.within_minute(UtcNs(WINDOW_NS + 1)) == 3


def test_the_price_of_a_minute_ago_outlives_what_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minute, "_TRIM_AT", 16)
    market = Minute()
    for number in range(500):
        now = UtcNs(number * STEP_NS)
        market.take(a_quote(bid=100 + number, ask=100 + number, at=now, volume=Decimal(1)))
        if number >= 9:
            was, is_now = 100 + number - 9, 100 + number
            assert market.move(now) == Decimal(is_now - was) / was, "nine quotes of seven seconds ago is the first older one"
            assert market.volume(now) == 9
    assert not Minute().says_volume
    assert Minute().move(UtcNs(0)) is None
