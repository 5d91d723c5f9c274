"""Real processes on one SQLite journal: refused, killed, and out of disk."""

from __future__ import annotations

import re
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tradeloop.core.errors import LeaseHeld
from tradeloop.journal.patches import upgrade
from tradeloop.journal.sql import SqlJournal
from tradeloop.journal.verify import verify
from tradeloop.testing.journal_contract import all_rows, written

pytestmark = [pytest.mark.crash, pytest.mark.skipif(sys.platform == "win32", reason="a SQLite journal needs POSIX file locks")]


@pytest.fixture
async def database(tmp_path: Path) -> Path:
    await upgrade(f"sqlite:///{tmp_path}/journal.db")
    return tmp_path / "journal.db"


@contextmanager
def a_writer(database: Path, owner: str, *more: str) -> Iterator[subprocess.Popen[str]]:
    """The process of writing_process.py, killed at the end of the block."""
    command = [sys.executable, str(Path(__file__).parent / "writing_process.py"), str(database), owner, *more]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def lines_until(process: subprocess.Popen[str], pattern: str) -> list[str]:
    """What a process says, up to the first line that matches."""
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line.rstrip("\n"))
        if re.match(pattern, line):
            return said
    raise AssertionError(f"the process ended without saying {pattern!r}: {said}")


async def test_a_second_process_is_refused_and_told_who_writes(database: Path) -> None:
    """F49: pid, since when and with which command, so that a person can act on it."""
    with a_writer(database, "the engine of group a") as first:
        lines_until(first, "appended 3")
        with a_writer(database, "another engine") as second:
            said = lines_until(second, "LeaseHeld")[-1]
    assert f"{database} is being written by the engine of group a (pid {first.pid}, command " in said
    assert "writing_process.py" in said
    assert re.search(r"since \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", said)


async def test_a_reader_of_another_process_reads_while_one_writes(database: Path) -> None:
    with a_writer(database, "writer") as process:
        lines_until(process, "appended 5$")
        reader = SqlJournal(f"sqlite:///{database}", read_only=True)
        await reader.open()
        assert len(await all_rows(reader)) >= 5
        report = await verify(reader)
        await reader.close()
        lines_until(process, "appended")
    assert report.sound, report.sentence


@pytest.mark.parametrize("after", [1, 7, 40])
async def test_a_killed_writer_frees_the_lease_at_once_and_loses_nothing(database: Path, after: int) -> None:
    """F41 to F43: what was acknowledged is there, the next epoch is higher, and no time has to pass."""
    with a_writer(database, "doomed") as process:
        said = lines_until(process, f"appended {after}$")
        process.send_signal(signal.SIGKILL)
        assert process.stdout is not None
        said += process.stdout.read().splitlines()
        process.wait()
    epoch = int(said[0].removeprefix("epoch "))
    acknowledged = [int(line.removeprefix("appended ")) for line in said if re.fullmatch(r"appended \d+", line)]
    journal = SqlJournal(f"sqlite:///{database}")
    await journal.open()
    holder = await journal.acquire("heir")
    rows = await all_rows(journal)
    report = await verify(journal)
    more = await written(journal, holder.epoch, 2)
    assert await all_rows(journal) == rows + more
    await journal.release()
    await journal.close()
    assert holder.epoch > epoch
    assert report.sound, report.sentence
    assert max(acknowledged) <= rows[-1].batch <= max(acknowledged) + 1


async def test_a_stopped_writer_keeps_the_lease_however_long_it_sleeps(database: Path) -> None:
    """F46: nothing takes over from a process that is only paused."""
    with a_writer(database, "paused") as process:
        lines_until(process, "appended 2$")
        process.send_signal(signal.SIGSTOP)
        journal = SqlJournal(f"sqlite:///{database}")
        await journal.open()
        with pytest.raises(LeaseHeld, match=rf"paused \(pid {process.pid}"):
            await journal.acquire("eager")
        await journal.close()
        process.send_signal(signal.SIGCONT)
        lines_until(process, "appended")


async def test_a_writer_whose_lock_file_was_deleted_is_fenced_off(database: Path) -> None:
    """The lock can be taken twice when its file is deleted; the epoch in the append cannot."""
    with a_writer(database, "robbed") as process:
        lines_until(process, "appended 2$")
        database.with_name("journal.db.lock").unlink()
        journal = SqlJournal(f"sqlite:///{database}")
        await journal.open()
        holder = await journal.acquire("heir")
        rows = await all_rows(journal) + await written(journal, holder.epoch, 1)
        said = lines_until(process, "(StaleEpoch|JournalFailed)")[-1]
        assert await all_rows(journal) == rows
        await journal.release()
        await journal.close()
    assert said.startswith("StaleEpoch"), said


async def test_a_full_disk_stops_the_writer_and_loses_nothing_that_was_acknowledged(database: Path) -> None:
    """F54: one sentence, no second try, and everything acknowledged is there."""
    with a_writer(database, "squeezed", "200000") as process:
        said = lines_until(process, "JournalFailed nothing is appended after a failure")
    assert re.match(
        rf"JournalFailed appending to the journal in {database} failed .* everything committed before is safe", said[-2]
    )
    acknowledged = [int(line.removeprefix("appended ")) for line in said if line.startswith("appended")]
    journal = SqlJournal(f"sqlite:///{database}")
    await journal.open()
    rows = await all_rows(journal)
    await journal.close()
    assert len(acknowledged) > 3
    assert [row.batch for row in rows][: len(acknowledged)] == acknowledged


async def test_the_files_belong_to_their_owner_alone(database: Path) -> None:
    journal = SqlJournal(f"sqlite:///{database}")
    await journal.open()
    await journal.acquire("one")
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in database.parent.iterdir()}
    await journal.release()
    await journal.close()
    names = ["journal.db", "journal.db-wal", "journal.db-shm", "journal.db.lock", "journal.db.head"]
    assert modes == dict.fromkeys(names, 0o600)
