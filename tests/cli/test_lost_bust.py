"""A fill that the broker took back while nobody listened: found by `reconcile`, confirmed by a person, and gone everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.brokers.paper.made import ManualClock
from tests.cli.commands import FAST, orders, tradeloop

from tradeloop.brokers.paper import PaperBroker, PaperConfig
from tradeloop.core.types import SECOND_NS, UtcNs

DEMO = ("--feed", "demo", "--speed", FAST)
LATER = (*DEMO, "--start", "2013-10-08T14:30:00Z")


def taken_back_unheard(home: Path) -> None:
    """The broker busts the only fill in its books, and its report reaches nobody."""
    (books,) = home.rglob("paper*.db")
    clock = ManualClock()
    broker = PaperBroker(PaperConfig(path=books), clock)
    (fill,) = broker._books.executions.values()
    assert fill.transact_at is not None
    clock._now = UtcNs(fill.transact_at + SECOND_NS)
    broker.bust(fill.exec_id)
    broker._books.close()


def missing_fill(home: Path) -> dict[str, Any]:
    """The break, an hour later: a fill that has just come may not be in the books yet."""
    said = tradeloop(home, "reconcile", *LATER, "--json")
    assert said.code == 1
    (found,) = [each for each in said.document["breaks"] if each["what"].startswith("fill_missing ")]
    return dict(found)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home in which 10 shares were bought, and the fill was taken back afterwards."""
    said = tradeloop(tmp_path, "orders", "submit", "AIG", "buy", "10", *DEMO, "--json")
    assert said.code == 0, said.err
    taken_back_unheard(tmp_path)
    return tmp_path


def test_a_lost_bust_is_shown_with_its_age_and_what_would_close_it(home: Path) -> None:
    """Also before the first run, where there is no target to compare with."""
    found = missing_fill(home)
    assert found["ours"].startswith("BUY 10 AIG.US at ")
    assert f'tradeloop reconcile --accept "{found["break_id"]}"' in found["repair"]
    assert found["age"] != "-"
    table = tradeloop(home, "reconcile", *DEMO)
    assert table.code == 1
    assert "BUY 10 AIG.US" in table.out
    assert "3 unexplained breaks" in table.out


def test_accepting_it_busts_the_fill_and_leaves_no_break(home: Path) -> None:
    found = missing_fill(home)
    said = tradeloop(home, "reconcile", *DEMO, "--accept", found["break_id"], "--reason", "told on the phone", "--json")
    assert (said.code, said.document["breaks"]) == (0, [])
    (order,) = orders(home)
    assert order["cum_qty"] == "10", "the order worked again, and filled for the second time"
    (held,) = tradeloop(home, "positions", "--json").document["positions"]
    assert (held["symbol"], held["volume"]) == ("AIG.US", "10")
