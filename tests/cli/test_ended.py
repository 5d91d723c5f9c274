"""What a person is told who asks something of a run or an order that is over, or unknown: and that nothing changed."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.commands import FAST, demo, orders, runs, tradeloop

DEMO = ("--feed", "demo", "--speed", FAST)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which the demo has run to its end."""
    folder = tmp_path_factory.mktemp("ended")
    assert demo(folder).code == 0
    return folder / "demo"


def events(home: Path) -> int:
    """How many events the journal has."""
    found: int = tradeloop(home, "verify", "--json").document["events"]
    return found


@pytest.mark.parametrize("verb", ["cancel", "pause", "resume", "approve"])
def test_a_run_that_has_ended_is_said_to_have_when_and_as_what(verb: str, home: Path) -> None:
    (run,) = runs(home)
    before = events(home)
    said = tradeloop(home, "runs", verb, run["id"], *DEMO)
    assert said.code == 2
    when = run["finished_at_iso"].replace("T", " ")
    assert said.error == f"run {run['id']} has ended as COMPLETED at {when}; there is nothing left to {verb}"
    assert "accepted" not in said.out
    assert events(home) == before


def test_an_order_that_has_ended_is_not_cancelled(home: Path) -> None:
    before = events(home)
    order = orders(home)[0]["id"]
    said = tradeloop(home, "orders", "cancel", order, *DEMO)
    assert said.code == 2
    assert said.error == f"order {order} is FILLED already; there is nothing left to cancel"
    assert events(home) == before


@pytest.mark.parametrize(
    "words",
    [
        ("runs", "cancel", "nothing"),
        ("runs", "pause", "nothing"),
        ("runs", "resume", "nothing"),
        ("runs", "approve", "nothing"),
        ("runs", "retry", "nothing"),
        ("orders", "cancel", "nothing"),
        ("orders", "resolve", "nothing", "--as", "NOT_SENT", "--reason", "asked"),
    ],
    ids=" ".join,
)
def test_what_nobody_knows_makes_no_home(words: tuple[str, ...], tmp_path: Path) -> None:
    """Bad input changes nothing: no folder, no database, no lease."""
    said = tradeloop(tmp_path / "home", *words, *DEMO)
    assert said.code == 2
    assert "'nothing', which is not known" in said.error
    assert not (tmp_path / "home").exists()


def test_a_retry_that_is_refused_says_nothing_of_what_it_would_have_worked(home: Path) -> None:
    (run,) = [each["id"] for each in tradeloop(home, "runs", "list", "--json").document["runs"]]
    said = tradeloop(home, "runs", "retry", run, "--feed", "demo", "--speed", FAST)
    assert said.code != 0
    assert "the retry works what is left" not in said.err
