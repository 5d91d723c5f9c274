"""Faults that happen in two ways happen in both: the venue makes an order smaller, trades beyond it, and closes its way out."""

from __future__ import annotations

from functools import partial
from itertools import count, islice
from typing import Any

import pytest

from tradeloop.brokers.paper import PaperBroker
from tradeloop.testing.faults import RATES, Fault
from tradeloop.testing.world.life import live, weather_of
from tradeloop.testing.world.venue import Venue

MOST_WORLDS = 60


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("fault", "of", "name"),
    [
        (Fault.CANCELED_UNASKED, PaperBroker, "restate"),
        (Fault.OVERFILL, PaperBroker, "fill"),
        (Fault.CANCEL_ANSWER_WRONG, PaperBroker, "fill"),
        (Fault.HALTED, Venue, "refuse_cancel"),
    ],
    ids=lambda case: case.number if isinstance(case, Fault) else "",
)
def test_the_second_way_of_a_fault_is_lived(fault: Fault, of: type, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """F30, F31, F33 and F34, each where no other fault does the same at the venue."""
    act, happened = getattr(of, name), []

    def counted(*given: Any, **named: Any) -> Any:
        done = act(*given, **named)
        happened.append(name)
        return done

    monkeypatch.setattr(of, name, counted)
    for seed in islice(filter(partial(plays, fault), count()), MOST_WORLDS):
        outcome = live(seed)
        assert outcome.violations == []
        if happened:
            assert outcome.met[fault]
            return
    pytest.fail(f"{name} did not happen in {MOST_WORLDS} worlds")


def plays(fault: Fault, seed: int) -> bool:
    """Whether the fault is at home in this world, and often, and no other one lets orders trade by themselves."""
    rates = weather_of(seed).rates
    others = {Fault.OVERFILL, Fault.CANCEL_ANSWER_WRONG} - {fault}
    return rates.get(fault, 0) >= (0 if fault is Fault.HALTED else RATES[-1]) and fault in rates and not others & rates.keys()
