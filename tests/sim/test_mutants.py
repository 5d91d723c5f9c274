"""The judge finds what it is there to find: the product, or its surroundings, broken on purpose."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count
from typing import Any

import msgspec
import pytest

from tradeloop.core import events as ev
from tradeloop.core import fate
from tradeloop.core.errors import FateUnknown, NotSent
from tradeloop.core.evolve import _APPLY
from tradeloop.core.execution import exec_key
from tradeloop.core.run.look import Finding, Look
from tradeloop.core.state import State
from tradeloop.core.types import ZERO, Amount
from tradeloop.ports.journal import Batch
from tradeloop.testing import faults
from tradeloop.testing.builders import BROKER
from tradeloop.testing.world.disk import Commit, Disk, DiskJournal
from tradeloop.testing.world.life import live
from tradeloop.testing.world.process import Process
from tradeloop.testing.world.wire import Wire

MOST_SEEDS = 150


def found_within(seeds: int, *wanted: int) -> bool:
    """Whether one of the first seeds breaks one of these invariants."""
    return any(violation.invariant in wanted for seed in range(seeds) for violation in live(seed).violations)


def test_an_adapter_that_takes_no_answer_for_not_sent_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A blind retry: invariants 1 and 6."""
    place = Wire.place

    async def hopeful(self: Wire, order: Any) -> None:
        try:
            await place(self, order)
        except FateUnknown as error:
            raise NotSent(str(error)) from error

    monkeypatch.setattr(Wire, "place", hopeful)
    assert found_within(MOST_SEEDS, 1, 6)


def test_a_proof_of_absence_that_comes_too_early_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hasty reject, which only late requests and lagging books reveal: invariants 1 and 6, or the engine falls over it."""
    made = Process.__init__

    def hasty(self: Process, *given: Any) -> None:
        made(self, *given)
        brokers = self.engine.around.brokers
        brokers[BROKER] = msgspec.structs.replace(brokers[BROKER], request_lifetime_ns=0, visibility_lag_ns=0)

    monkeypatch.setattr(Process, "__init__", hasty)
    monkeypatch.setattr(fate, "_left_by", lambda state, around, begun: begun)
    assert found_within(3 * MOST_SEEDS, 1, 6, 42)


def test_a_commit_that_returns_before_it_is_durable_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing fsync: invariants 2 and 7."""

    async def hasty(self: DiskJournal, *batches: Batch) -> None:
        self._disk.begin(Commit(self, batches, lambda error: None))

    monkeypatch.setattr(DiskJournal, "append", hasty)
    assert found_within(MOST_SEEDS, 2, 7)


def test_a_fill_that_counts_as_often_as_it_is_told_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Double booking: invariants 12 and 36."""
    number, key = count(), exec_key
    monkeypatch.setattr("tradeloop.core.fills.exec_key", lambda *parts: f"{key(*parts)}-{next(number)}")
    assert found_within(MOST_SEEDS, 12, 36)


def test_a_journal_that_takes_rows_of_an_old_epoch_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lease that fences nobody: invariants 33 and 35."""
    refusal = Disk._refusal

    def blind(self: Disk, commit: Commit) -> Exception | None:
        return None if commit.rows[0].epoch < self.epoch else refusal(self, commit)

    monkeypatch.setattr(Disk, "_refusal", blind)

    async def never_lost(self: DiskJournal) -> None:
        return None

    monkeypatch.setattr(DiskJournal, "renew", never_lost)
    monkeypatch.setattr(faults, "ENABLED_OF_ALL", 0.8)  # it takes a stopped process, and another that took over
    assert found_within(MOST_SEEDS, 33, 35)


def test_a_limit_that_is_not_asked_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """F75, invariant 25: a run beyond the limits it came with."""
    monkeypatch.setattr("tradeloop.core.run.checks.LIMITS", ())
    assert found_within(MOST_SEEDS, 25)


def test_a_limit_that_keeps_people_from_selling_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """F75, invariant 25: what is held already is beyond the limit, and its sale is refused for that."""

    def too_strict(look: Look) -> Iterable[Finding]:
        most = look.cmd.limits.max_positions
        if most is not None and sum(not held.is_flat for held in look.held.values()) > most:
            yield Finding("max_positions", "too many are held")

    monkeypatch.setattr("tradeloop.core.run.checks.LIMITS", (too_strict,))
    assert found_within(MOST_SEEDS, 25)


def test_a_change_of_an_order_that_reserves_nothing_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Invariant 23: the larger quantity may trade before its answer comes."""
    monkeypatch.setattr("tradeloop.core.risk.change.need_while_asked", lambda *_: Amount(ZERO))
    assert found_within(MOST_SEEDS, 23)


def test_terms_that_change_before_the_broker_says_so_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Invariant 17: what was asked for is not in force yet."""
    asked = _APPLY[ev.ReplaceRequested]

    def hopeful(state: State, e: ev.ReplaceRequested) -> None:
        asked(state, e)
        order = state.orders.open[e.cl_ord_id]
        order.order_qty, order.price = e.order_qty, e.price

    monkeypatch.setitem(_APPLY, ev.ReplaceRequested, hopeful)
    assert found_within(MOST_SEEDS, 17)
