"""Allowances: no span of time holds more than is allowed, who waits as told may ask, and nobody uses up another's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradeloop.api.policy import Rate
from tradeloop.api.problem import Problem
from tradeloop.api.rates import OWNERS_MAX, UNIDENTIFIED, Allowance, Rates
from tradeloop.core.types import SECOND_NS


class Asker:
    """Asks at moments of its own."""

    def __init__(self, **allowed: Allowance) -> None:
        self.now = 0
        self.rates = Rates(lambda: self.now, {each: allowed.get(each.value, Allowance(1, 1)) for each in Rate})

    def wait_s(self, who: str = "ann", rate: Rate = Rate.ORDER) -> int:
        """0 where the request is taken, or how long to wait."""
        try:
            self.rates.take(who, rate)
        except Problem as problem:
            return problem.retry_after_s
        return 0


@given(st.integers(1, 20), st.integers(1, 50), st.lists(st.integers(0, 2_000), max_size=200))
def test_no_span_of_time_holds_more_than_a_full_bucket_and_what_comes_back_in_it(
    per_s: int, burst: int, waits_ms: list[int]
) -> None:
    asker, taken = Asker(order=Allowance(per_s, burst)), list[int]()
    for wait in waits_ms:
        asker.now += wait * 1_000_000
        if asker.wait_s() == 0:
            taken.append(asker.now)
    for place, first in enumerate(taken):
        for count, last in enumerate(taken[place:], start=1):
            assert count <= burst + (last - first) / SECOND_NS * per_s + 1e-6


def test_whoever_waits_as_long_as_is_said_may_ask() -> None:
    asker = Asker(order=Allowance(0.2, 2))
    waits = [asker.wait_s() for _ in range(3)]
    asker.now += waits[-1] * SECOND_NS
    assert (waits[:2], waits[2] >= 5, asker.wait_s()) == ([0, 0], True, 0)


def test_whoever_has_not_asked_for_long_has_one_full_bucket_and_no_more() -> None:
    asker = Asker(order=Allowance(0.2, 2))
    for now in (1000, 5000):
        asker.now = now * SECOND_NS
        assert [asker.wait_s() == 0 for _ in range(3)] == [True, True, False]


def test_kinds_and_askers_do_not_use_up_each_other() -> None:
    asker = Asker()
    asked = [asker.wait_s("ann"), asker.wait_s("ann", Rate.STOP), asker.wait_s("bob"), asker.wait_s("ann", Rate.PROOF)]
    assert (asked, asker.wait_s("ann") > 0) == ([0, 0, 0, 0], True)


def test_the_buckets_take_bounded_room() -> None:
    asker = Asker()
    asker.wait_s("first")
    for number in range(OWNERS_MAX):
        asker.wait_s(f"{number}")
    assert asker.wait_s("first") == 0  # forgotten, and full again


def test_an_address_that_nobody_is_found_at_has_an_allowance_of_its_own() -> None:
    asker = Asker()
    for _ in range(UNIDENTIFIED.burst):
        asker.rates.take_unidentified("192.0.2.7")
    with pytest.raises(Problem, match="not identified"):
        asker.rates.take_unidentified("192.0.2.7")
    asker.rates.take_unidentified("192.0.2.8")
