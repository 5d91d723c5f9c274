"""A journal written in the time of a recording stays in that time, whatever command comes next."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.cli.commands import a_portfolio, tradeloop, us_run

from tradeloop.bootstrap.listing import Listing
from tradeloop.bootstrap.market import Market
from tradeloop.bootstrap.past import Past
from tradeloop.config import find_home, load
from tradeloop.core.state import State
from tradeloop.core.types import UtcNs
from tradeloop.engine.recover import Recovered
from tradeloop.journal.codec import EMPTY


def test_a_command_without_a_feed_stays_in_the_recorded_day_and_the_recording_goes_on(tmp_path: Path) -> None:
    """H14: a cancel stamped with today would end the recorded day for ever."""
    held = us_run(tmp_path, a_portfolio(tmp_path, "AIG.US,0.5\nBAC.US,0.45\n"), "--yes", "--hold", "--json")
    assert held.code == 0, held.err
    canceled = tradeloop(tmp_path, "runs", "cancel", held.document["run"]["id"], "--by", "boss", "--reason", "veto")
    assert canceled.code == 0, canceled.err
    (database,) = tmp_path.rglob("tradeloop.db")
    with closing(sqlite3.connect(database)) as connection:
        (last,) = connection.execute("SELECT max(appended_at) FROM journal").fetchone()
    assert last < 1_400_000_000 * 1_000_000_000  # the recording is of October 2013
    again = us_run(tmp_path, a_portfolio(tmp_path, "AIG.US,0.45\nBAC.US,0.5\n"), "--dry-run", "--json")
    assert "time does not go back" not in again.err


def test_made_up_quotes_on_a_journal_of_a_recorded_day_come_in_its_time(tmp_path: Path) -> None:
    """H14: they have no time of their own, and stamped with today they would end the recorded day for ever."""
    held = us_run(tmp_path, a_portfolio(tmp_path, "AIG.US,0.5\nBAC.US,0.45\n"), "--yes", "--hold", "--json")
    assert held.code == 0, held.err
    said = tradeloop(tmp_path, "orders", "submit", "AIG.US", "buy", "100", "--feed", "synthetic", "--json")
    assert said.code == 0, said.err
    (database,) = tmp_path.rglob("tradeloop.db")
    with closing(sqlite3.connect(database)) as connection:
        (last,) = connection.execute("SELECT max(appended_at) FROM journal").fetchone()
    assert last < 1_400_000_000 * 1_000_000_000


def test_made_up_quotes_of_a_recorded_day_run_as_fast_as_asked(tmp_path: Path) -> None:
    loaded = load({"feed.kind": "synthetic", "feed.speed": 600.0}, home=find_home(tmp_path), environ={}, folder=tmp_path)
    state = State()
    state.clock = "replay"
    past = Past(Recovered(state, EMPTY, 0, 0), UtcNs(1_381_000_000 * 1_000_000_000))
    market = Market(loaded, Listing(loaded.settings), past, [], {}, None)
    assert (market.speed, market.clock_kind) == (600, "replay")


def test_made_up_quotes_on_the_wall_clock_have_one_speed(tmp_path: Path) -> None:
    said = tradeloop(tmp_path, "orders", "submit", "AIG.US", "buy", "100", "--feed", "synthetic", "--speed", "60")
    assert said.code == 2
    assert "the wall clock, which has one speed" in said.error
    assert not list(tmp_path.rglob("tradeloop.db"))
