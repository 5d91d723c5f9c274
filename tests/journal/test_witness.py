"""What was committed and is gone is seen, even where what is left is a whole chain; and no epoch begins twice."""

from __future__ import annotations

import shutil
import sqlite3
import struct
from contextlib import closing
from pathlib import Path

import pytest
from tests.journal.databases import fresh_database

from tradeloop.core.errors import JournalDamaged, JournalFailed
from tradeloop.journal import sql
from tradeloop.journal.headfile import SECTOR, HeadFile, Seen
from tradeloop.journal.patches import upgrade
from tradeloop.journal.sql import EPOCH_MINUTE_NS, EPOCH_ZERO_NS, SqlJournal
from tradeloop.journal.verify import Report, verify
from tradeloop.journal.wal import find_break
from tradeloop.ports.journal import Batch
from tradeloop.testing.journal_contract import all_rows, next_batch, written

FRAME = 24 + 4096


async def killed(folder: Path, batches: int = 8) -> tuple[Path, list[Batch], int]:
    """What a process leaves that is killed while its commits are in the write-ahead log; its rows and its epoch."""
    live, left = folder / "live", folder / "left"
    live.mkdir()
    left.mkdir()
    await upgrade(f"sqlite:///{live}/journal.db")
    journal = SqlJournal(f"sqlite:///{live}/journal.db")
    await journal.open()
    epoch = (await journal.acquire("doomed")).epoch
    rows = await written(journal, epoch, batches)
    for name in ("journal.db", "journal.db-wal", "journal.db.head"):
        shutil.copy(live / name, left / name)
    await journal.close()
    return left / "journal.db", rows, epoch


async def verified(path: Path) -> Report:
    journal = SqlJournal(f"sqlite:///{path}", read_only=True)
    await journal.open()
    try:
        return await verify(journal)
    finally:
        await journal.close()


def live_frames(log: Path) -> list[int]:
    """Where the frames of the log's present run begin, up to the last commit."""
    kept = log.read_bytes()
    frames = [at for at in range(32, len(kept) - FRAME + 1, FRAME) if kept[at + 8 : at + 16] == kept[16:24]]
    last = max(at for at in frames if struct.unpack(">I", kept[at + 4 : at + 8])[0])
    return [at for at in frames if at <= last]


def flip(path: Path, at: int) -> None:
    kept = bytearray(path.read_bytes())
    kept[at] ^= 0x10
    path.write_bytes(kept)


@pytest.mark.parametrize("has_witness", [True, False], ids=["with its witness", "a copy without it"])
async def test_one_changed_byte_in_the_log_of_a_killed_process_is_found(tmp_path: Path, has_witness: bool) -> None:
    """S0: SQLite takes the frame for the end of its log and drops every commit after it; what is left is a whole chain."""
    path, rows, _ = await killed(tmp_path)
    log = path.with_name("journal.db-wal")
    places = [10, *(at + part for at in live_frames(log)[: -1 if has_witness else -4] for part in (2, 9, 17, 2000))]
    assert len(places) > 10
    for number, place in enumerate(places):
        folder = tmp_path / str(number)
        shutil.copytree(path.parent, folder)
        flip(folder / "journal.db-wal", place)
        if not has_witness:
            (folder / "journal.db.head").unlink()
        report = await verified(folder / "journal.db")
        lost = report.events < rows[-1].last_seq
        assert not lost or not report.sound, f"byte {place}: {report.sentence}"
        if has_witness and lost:
            assert f"has seen {rows[-1].last_seq}" in report.sentence


async def test_a_start_on_a_journal_that_lost_its_end_is_refused_and_names_both_numbers(tmp_path: Path) -> None:
    path, rows, _ = await killed(tmp_path)
    flip(path.with_name("journal.db-wal"), live_frames(path.with_name("journal.db-wal"))[-1] + 100)
    journal = SqlJournal(f"sqlite:///{path}")
    with pytest.raises(JournalDamaged, match=rf"ends at sequence number \d+, .*journal\.db\.head has seen {rows[-1].last_seq}"):
        await journal.open()


async def test_a_start_without_the_witness_is_refused_when_commits_stand_behind_a_broken_frame(tmp_path: Path) -> None:
    path, _, _ = await killed(tmp_path)
    path.with_name("journal.db.head").unlink()
    flip(path.with_name("journal.db-wal"), live_frames(path.with_name("journal.db-wal"))[2] + 100)
    with pytest.raises(JournalDamaged, match=r"frame 3 fails its checksum although \d+ commits follow it"):
        await SqlJournal(f"sqlite:///{path}").open()


async def test_a_log_that_ends_within_a_commit_is_no_damage(tmp_path: Path) -> None:
    """What the power took was never confirmed."""
    path, _, _ = await killed(tmp_path)
    log = path.with_name("journal.db-wal")
    kept = log.read_bytes()
    log.write_bytes(kept[: live_frames(log)[-1] + 1000])
    assert find_break(log) is None
    assert find_break(path.with_name("no-such-log")) is None


async def test_a_killed_process_leaves_a_journal_that_opens_and_is_sound(tmp_path: Path) -> None:
    path, rows, epoch = await killed(tmp_path)
    assert find_break(path.with_name("journal.db-wal")) is None
    assert (await verified(path)).events == rows[-1].last_seq
    journal = SqlJournal(f"sqlite:///{path}")
    await journal.open()
    assert (await journal.acquire("heir")).epoch > epoch
    assert await all_rows(journal) == rows
    assert journal.remark == ""
    await journal.close()


async def test_a_journal_older_than_its_witness_by_whole_files_is_refused(tmp_path: Path) -> None:
    """The log was deleted: everything since the last checkpoint is gone without a trace in the database."""
    path, rows, _ = await killed(tmp_path)
    path.with_name("journal.db-wal").unlink()
    with pytest.raises(JournalDamaged, match=f"ends at sequence number 0, .* has seen {rows[-1].last_seq}"):
        await SqlJournal(f"sqlite:///{path}").open()


async def test_a_copy_without_its_witness_opens_and_says_so(tmp_path: Path) -> None:
    path, _, _ = await killed(tmp_path)
    path.with_name("journal.db.head").unlink()
    report = await verified(path)
    assert report.sound
    assert "there is no witness journal.db.head beside it" in report.sentence
    journal = SqlJournal(f"sqlite:///{path}")
    await journal.open()
    await journal.acquire("heir")
    assert "there is no witness journal.db.head" in journal.remark
    await journal.close()
    assert HeadFile(path).read() is not None


async def test_the_next_epoch_is_above_the_one_the_witness_knows(tmp_path: Path) -> None:
    """The lease row was lost with the end of the log, the epoch must not be."""
    path, rows, epoch = await killed(tmp_path)
    HeadFile(path).begin(Seen(epoch + 1000, rows[-1].batch, rows[-1].last_seq, rows[-1].hash))
    journal = SqlJournal(f"sqlite:///{path}")
    await journal.open()
    assert (await journal.acquire("heir")).epoch == epoch + 1001
    await journal.close()


async def test_a_witness_that_was_cut_off_while_it_wrote_leaves_the_record_before(tmp_path: Path) -> None:
    file = HeadFile(tmp_path / "journal.db")
    assert file.read() is None
    file.begin(Seen(7, 0, 0, bytes(32)))
    file.note(Seen(7, 1, 5, b"a" * 32))
    file.note(Seen(7, 2, 9, b"b" * 32))
    assert file.read() == Seen(7, 2, 9, b"b" * 32)
    flip(file.path, 20)
    assert file.read() == Seen(7, 1, 5, b"a" * 32)
    flip(file.path, SECTOR + 20)
    with pytest.raises(JournalDamaged, match="holds something else"):
        file.read()
    file.drop()


async def test_another_journal_in_the_place_of_the_witnessed_one_is_refused(tmp_path: Path) -> None:
    path, rows, epoch = await killed(tmp_path)
    HeadFile(path).begin(Seen(epoch, rows[-1].batch, rows[-1].last_seq, b"x" * 32))
    with pytest.raises(JournalDamaged, match="is not the one"):
        await SqlJournal(f"sqlite:///{path}").open()
    assert not (await verified(path)).sound


async def test_a_new_journal_begins_with_an_epoch_of_the_clock(tmp_path: Path) -> None:
    """A journal begun anew must not give out the ids that the one before it left in the broker's books."""
    epochs = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        await upgrade(f"sqlite:///{tmp_path}/{name}/journal.db")
        journal = SqlJournal(f"sqlite:///{tmp_path}/{name}/journal.db")
        await journal.open()
        epochs.append((await journal.acquire("one")).epoch)
        await journal.release()
        epochs.append((await journal.acquire("one")).epoch)
        await journal.close()
    with closing(sqlite3.connect(":memory:")) as connection:
        now = connection.execute("SELECT strftime('%s', 'now')").fetchone()[0]
    minute = (int(now) * 1_000_000_000 - EPOCH_ZERO_NS) // EPOCH_MINUTE_NS
    assert minute - 1 <= epochs[0] <= minute
    assert epochs[0] < epochs[1]
    assert epochs[2] < epochs[3]


@pytest.mark.mysql
async def test_a_server_that_takes_only_small_statements_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Raising what we expect stands for lowering what the server takes, which would meet every other test on it."""
    async with fresh_database("mysql") as url:
        await upgrade(url)
        monkeypatch.setattr(sql, "PACKET_BYTES", 1 << 40)
        journal = SqlJournal(url)
        with pytest.raises(JournalFailed, match=r"takes statements of \d+ bytes at most, .*; set max_allowed_packet = "):
            await journal.open()


async def test_the_witness_has_seen_every_row_once_its_append_returns(tmp_path: Path) -> None:
    """Otherwise a row whose orders went out could be lost unseen."""
    await upgrade(f"sqlite:///{tmp_path}/journal.db")
    journal = SqlJournal(f"sqlite:///{tmp_path}/journal.db")
    await journal.open()
    epoch = (await journal.acquire("one")).epoch
    head = await journal.head()
    for _ in range(5):
        row = next_batch(head, epoch)
        await journal.append(row)
        assert HeadFile(tmp_path / "journal.db").read() == Seen(epoch, row.batch, row.last_seq, row.hash)
        head = (row.batch, row.last_seq, row.hash)
    await journal.close()
