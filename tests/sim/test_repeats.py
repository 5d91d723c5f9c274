"""A venue refuses the repeat of an order that it knows, as real ones do: said on its stream, or in its reply."""

from __future__ import annotations

from itertools import count, islice

import pytest

from tradeloop.core.errors import Refused
from tradeloop.core.types import ClOrdID
from tradeloop.testing.faults import Fault
from tradeloop.testing.world.life import live, repeats_of
from tradeloop.testing.world.venue import Repeats, Venue

MOST_WORLDS = 150
ENOUGH = 3


@pytest.mark.timeout(600)
@pytest.mark.parametrize("how", [Repeats.REFUSED_ON_STREAM, Repeats.REFUSED_AT_ONCE])
def test_the_refusal_of_a_repeat_is_lived_and_ends_no_order(how: Repeats, monkeypatch: pytest.MonkeyPatch) -> None:
    """F6, invariants 6 and 36."""
    refuse, refused = Venue._refuse_repeat, []

    def counted(self: Venue, cl_ord_id: ClOrdID) -> Refused | None:
        refused.append(cl_ord_id)
        return refuse(self, cl_ord_id)

    monkeypatch.setattr(Venue, "_refuse_repeat", counted)
    for seed in islice((seed for seed in count() if repeats_of(seed) is how), MOST_WORLDS):
        before = len(refused)
        outcome = live(seed)
        assert outcome.violations == []
        assert len(refused) == before or outcome.met[Fault.REQUEST_TWICE]
        if len(refused) >= ENOUGH:
            return
    pytest.fail(f"{len(refused)} repeats were refused in {MOST_WORLDS} worlds; expected {ENOUGH}")
