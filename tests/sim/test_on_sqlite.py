"""The seeds that live on the product's own journal in SQLite: the disk below it, and what the judge sees of both."""

from __future__ import annotations

import errno
import sqlite3
from random import Random

import pytest

from tradeloop.journal.headfile import HeadFile, Seen
from tradeloop.testing.faults import OF_SQLITE, Fault
from tradeloop.testing.prove import summary
from tradeloop.testing.tally import Tally
from tradeloop.testing.world.life import live
from tradeloop.testing.world.machine import File, Machine
from tradeloop.testing.world.sqlite import AMONG_THEM, LIVES_ON_SQLITE, lives_on_sqlite
from tradeloop.testing.world.vfs import Vfs, unavailable

needs_vfs = pytest.mark.skipif(bool(unavailable()), reason=unavailable() or "it is available")
ON_SQLITE = range(AMONG_THEM, 20 * LIVES_ON_SQLITE, LIVES_ON_SQLITE)
DATABASE = "some.db"


def rows_after_the_power_went(synchronous: str, seed: int) -> list[int]:
    """Three commits on a machine of the world, then the power goes, and SQLite is asked what is left."""
    machine = Machine(Random(seed))
    machine.put(DATABASE, b"")
    vfs = Vfs(machine, lambda: 0)
    first = vfs.connect("first", DATABASE)
    first.execute("PRAGMA journal_mode=WAL")
    first.execute("CREATE TABLE kept (number)")
    first.execute(f"PRAGMA synchronous={synchronous}")
    for number in (1, 2, 3):
        first.execute("INSERT INTO kept VALUES (?)", (number,))
    machine.bury("first")
    first.close()
    machine.lose_power()
    second = vfs.connect("second", DATABASE)
    try:
        return [number for (number,) in second.execute("SELECT number FROM kept ORDER BY number")]
    finally:
        second.close()
        vfs.close()


def violations(seeds: range) -> set[int]:
    """The invariants that the first of these seeds breaks which breaks any."""
    for seed in seeds:
        if found := live(seed).violations:
            return {violation.invariant for violation in found}
    return set()


@needs_vfs
@pytest.mark.parametrize("seed", range(8))
def test_a_commit_that_waits_for_the_disk_survives_every_power_failure(seed: int) -> None:
    assert rows_after_the_power_went("FULL", seed) == [1, 2, 3]


@needs_vfs
def test_commits_that_do_not_wait_are_lost_in_part_or_whole_and_the_last_ones_first() -> None:
    left = [rows_after_the_power_went("NORMAL", seed) for seed in range(30)]
    assert all(rows == [1, 2, 3][: len(rows)] for rows in left)
    assert len({len(rows) for rows in left}) > 2, left


@needs_vfs
def test_a_dead_process_writes_no_more_and_its_locks_are_free() -> None:
    machine = Machine(Random(1))
    machine.put(DATABASE, b"")
    vfs = Vfs(machine, lambda: 0)
    dying, living = vfs.connect("dying", DATABASE), vfs.connect("living", DATABASE)
    dying.execute("PRAGMA journal_mode=WAL")
    dying.execute("CREATE TABLE kept (number)")
    machine.die_within("dying", 1)
    with pytest.raises(sqlite3.OperationalError, match="disk I/O error"):
        dying.execute("INSERT INTO kept VALUES (1)")
    machine.bury("dying")
    dying.close()
    living.execute("INSERT INTO kept VALUES (2)")
    assert living.execute("SELECT number FROM kept").fetchall() == [(2,)]
    living.close()
    vfs.close()


def test_what_a_failed_sync_has_lost_no_later_sync_brings_back() -> None:
    """F55: the kernel counts what it could not write as clean."""
    left: dict[bytes, bool] = {}
    for seed in range(20):
        file = File(b"old")
        file.write(0, b"new")
        file.fail_to_sync(Random(seed))
        file.sync()
        left[bytes(file.on_disk)] = file.is_whole
    assert left == {b"old": False, b"new": True}


def rows_after_a_tidied_log_came_back(seed: int) -> tuple[list[int], list[int]]:
    """A commit whose sync failed, a process that reads it and tidies up, and the power goes: what it read, and what is left."""
    machine = Machine(Random(seed))
    machine.put(DATABASE, b"")
    vfs = Vfs(machine, lambda: 0)
    first = vfs.connect("first", DATABASE)
    first.execute("PRAGMA journal_mode=WAL")
    first.execute("CREATE TABLE kept (number)")
    first.execute("PRAGMA synchronous=FULL")
    first.execute("INSERT INTO kept VALUES (1)")
    machine.trouble = lambda process, act: errno.EIO if (process, act) == ("first", "sync") else 0
    with pytest.raises(sqlite3.OperationalError, match="disk I/O error"):
        first.execute("INSERT INTO kept VALUES (2)")
    machine.bury("first")
    first.close()
    reads = []
    for process in ("second", "third"):
        connection = vfs.connect(process, DATABASE)
        reads.append([number for (number,) in connection.execute("SELECT number FROM kept ORDER BY number")])
        connection.close()
        if process == "second":
            assert machine.files[DATABASE].is_whole
            logs = machine.after_a_cut(f"{DATABASE}-wal")
            assert logs[0] is None, "SQLite has removed its log"
            assert logs[1] is not None, "and has not waited for its name to be gone"
            machine.lose_power()
    vfs.close()
    return reads[0], reads[1]


@needs_vfs
def test_a_log_that_was_tidied_up_may_come_back_and_hide_what_a_failed_sync_had_lost_of_it() -> None:
    """F55: what can be read, and is on the disk in the database itself, is not safe while the name of the old log is there."""
    lives = [rows_after_a_tidied_log_came_back(seed) for seed in range(30)]
    assert all(read == [1, 2] for read, _ in lives)
    assert {tuple(left) for _, left in lives} == {(1,), (1, 2)}


@needs_vfs
def test_one_seed_in_sixteen_lives_on_the_products_journal() -> None:
    assert [seed for seed in range(40) if lives_on_sqlite(seed)] == [11, 27]
    assert live(11).on_sqlite
    assert not live(12).on_sqlite


@needs_vfs
def test_a_process_is_let_in_while_another_one_writes_and_no_invariant_breaks() -> None:
    """F71: the epoch in the append is what keeps the first one from writing on."""
    outcomes = [live(seed) for seed in ON_SQLITE[:4]]
    assert sum(Fault.LOCK_IGNORED in outcome.met for outcome in outcomes) > 1
    assert any("StaleEpoch" in text for outcome in outcomes for _, _, text in outcome.lines)
    assert [outcome.violations for outcome in outcomes] == [[]] * 4


@needs_vfs
def test_a_disk_that_says_it_has_synced_and_has_not_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Invariant 7: what was confirmed is asked for again after every death."""
    monkeypatch.setattr(File, "sync", lambda self: self.unsynced.clear())
    monkeypatch.setattr(File, "is_whole", property(lambda self: True))
    in_short = ON_SQLITE[3:4]  # in others every later start is refused, again and again
    assert 7 in violations(in_short)


@needs_vfs
def test_a_witness_that_nobody_asks_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """F53, F60, invariant 33: rows that SQLite drops without a word are noticed by the file beside it alone."""

    def credulous(self: HeadFile, seen: Seen, head: object) -> None:
        return None

    monkeypatch.setattr(HeadFile, "refuse_lost", credulous)
    assert 33 in violations(ON_SQLITE)


def test_seeds_that_cannot_live_on_sqlite_here_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    why = "SQLite is out of reach"
    monkeypatch.setattr("tradeloop.testing.world.life.why_not", lambda: why)
    monkeypatch.setattr("tradeloop.testing.prove.why_not", lambda: why)
    tally = Tally()
    tally.add(live(AMONG_THEM))
    assert tally.on_sqlite == 0
    assert f"SKIPPED: 1 seeds belong on SQLite and lived on the other instead: {why}" in list(summary(tally, 1))
    assert not {*OF_SQLITE} & {*tally.never_met}
