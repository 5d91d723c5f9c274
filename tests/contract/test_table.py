"""The table of brokers calls an adapter supported when its run says so, and for no other reason."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.tidy.tree import ROOT, plant

from tradeloop.brokers._template.adapter import CAPABILITIES
from tradeloop.testing.broker_contract import BrokerContract
from tradeloop.testing.broker_contract.cards import cards
from tradeloop.testing.broker_contract.table import PASSED, Verdict, rendered

CARDS = cards(BrokerContract)


def a_verdict(**outcomes: str) -> Verdict:
    """All cards passed, except as told by card id."""
    return Verdict("ours", CAPABILITIES, {card.test: outcomes.get(card.id, PASSED) for card in CARDS})


def test_who_passed_every_card_is_supported() -> None:
    assert a_verdict().is_supported
    assert a_verdict(D2="absent: orders are not replaced").is_supported


@pytest.mark.parametrize("outcome", ["FAILED", "SKIPPED: not today"])
def test_one_card_that_failed_or_was_skipped_for_another_reason_is_enough(outcome: str) -> None:
    assert not a_verdict(F4=outcome).is_supported


def test_a_card_that_was_not_run_does_not_count_as_passed() -> None:
    verdict = a_verdict()
    del verdict.outcomes[CARDS[-1].test]
    assert not verdict.is_supported
    assert "| not run |" in rendered([verdict])


BROKEN_CONTRACT = """
from collections.abc import AsyncIterator

import pytest
from tests.contract.broken.snapshots import ShowsNoFillTheStreamLost
from tests.contract.test_the_contract import _BrokenVenue
from tests.contract.toy import ToyContractVenue, a_toy

from tradeloop.brokers._template.adapter import CAPABILITIES
from tradeloop.testing.broker_contract import BrokerContract


class TestForgetful(BrokerContract):
    adapter = "forgetful"
    declares = CAPABILITIES

    @pytest.fixture
    async def venue(self) -> AsyncIterator[ToyContractVenue]:
        async with a_toy(kind=_BrokenVenue) as venue:
            venue.broken = ShowsNoFillTheStreamLost
            yield venue
"""


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_run_with_a_red_card_says_so_and_fails(tmp_path: Path) -> None:
    plant(tmp_path, "test_forgetful.py", BROKEN_CONTRACT)
    surroundings = os.environ | {"PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}
    ran = subprocess.run(
        [sys.executable, "-m", "tradeloop.testing.broker_contract.table", str(tmp_path)],
        cwd=ROOT, env=surroundings, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 1
    assert "| supported | no |" in ran.stdout
    assert [line.split(" | ")[0] for line in ran.stdout.splitlines() if line.endswith("| FAILED |")] == ["| F5"]


def contract_with(promise: str) -> type:
    """The contract and one test more, whose docstring is `promise`."""

    def judge(self: BrokerContract) -> None:
        raise AssertionError(self)

    judge.__doc__ = promise
    return type("Longer", (BrokerContract,), {"test_something": judge})


def test_a_test_without_a_card_is_no_contract() -> None:
    with pytest.raises(ValueError, match="opens with no card"):
        cards(contract_with("It works."))


def test_two_promises_under_one_id_are_no_contract() -> None:
    with pytest.raises(ValueError, match="card F4 is both"):
        cards(contract_with("F4: the fills are in it."))
