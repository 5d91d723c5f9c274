"""Damage of every kind is found and named: bytes, rows, files, and a journal of a newer program."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from tradeloop.core.errors import JournalDamaged, JournalFailed
from tradeloop.core.types import UtcNs
from tradeloop.journal import codec
from tradeloop.journal.memory import MemoryJournal
from tradeloop.journal.patches import upgrade
from tradeloop.journal.sql import SqlJournal
from tradeloop.journal.verify import Report, Witness, verify
from tradeloop.ports.journal import Batch
from tradeloop.testing.journal_contract import all_rows, next_batch, snapshot_of, written

COLUMNS = ("batch", "first_seq", "last_seq", "epoch", "appended_at", "prev_hash", "hash", "payload")


async def a_journal(folder: Path, batches: int = 3) -> tuple[Path, list[Batch]]:
    """A closed journal in one file, everything in the file itself and nothing in a write-ahead log."""
    path = folder / "journal.db"
    await upgrade(f"sqlite:///{path}")
    journal = SqlJournal(f"sqlite:///{path}")
    await journal.open()
    rows = await written(journal, (await journal.acquire("writer")).epoch, batches)
    await journal.release()
    await journal.close()
    return path, rows


async def verified(path: Path) -> Report:
    journal = SqlJournal(f"sqlite:///{path}", read_only=True)
    await journal.open()
    try:
        return await verify(journal)
    finally:
        await journal.close()


def alter(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


PAGE = 4096


def pages_of_the_journal(path: Path, rows: list[Batch]) -> list[int]:
    """Where in the file the pages lie that hold the table journal: its root, and every page with a row."""
    whole = path.read_bytes()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA page_size").fetchone() == (PAGE,)
        (root,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'journal'").fetchone()
    return sorted({(root - 1) * PAGE} | {whole.index(row.hash) // PAGE * PAGE for row in rows})


def changes_of_one_byte(value: int | bytes) -> Iterator[int | bytes]:
    """The value with each of its bytes changed, once in its lowest bit and once in all of them."""
    stored = value.to_bytes(8, "big", signed=True) if isinstance(value, int) else value
    for place in range(len(stored)):
        for mask in (0x01, 0xFF):
            changed = bytearray(stored)
            changed[place] ^= mask
            yield int.from_bytes(changed, "big", signed=True) if isinstance(value, int) else bytes(changed)


async def test_one_changed_byte_in_any_column_of_any_row_is_found(tmp_path: Path) -> None:
    """S0: `tradeloop verify` finds a single flipped byte anywhere; the sentence names the first sequence number of the row."""
    path, rows = await a_journal(tmp_path)
    journal = SqlJournal(f"sqlite:///{path}", read_only=True)
    await journal.open()
    tried = 0
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for row in rows:
            for column in COLUMNS:
                good = getattr(row, column)
                for bad in changes_of_one_byte(good):
                    where = bad if column == "batch" else row.batch
                    if column == "batch" and bad in {1, 2, 3}:
                        continue  # the key of another row: the table itself refuses it
                    connection.execute(f"UPDATE journal SET {column} = ? WHERE batch = ?", (bad, row.batch))
                    report = await verify(journal)
                    connection.execute(f"UPDATE journal SET {column} = ? WHERE batch = ?", (good, where))
                    tried += 1
                    assert not report.sound, f"{column} of batch {row.batch} was {bad!r} and nobody saw it"
                    assert report.first_bad_seq == row.first_seq
                    assert f"sequence number {report.first_bad_seq}" in report.sentence
    assert tried > 600
    assert (await verify(journal)).sound
    await journal.close()


@pytest.mark.parametrize("value", ["'text'", "NULL", "x'00'", "1.5", "99999999999"])
@pytest.mark.parametrize("column", ["last_seq", "hash", "payload"])
async def test_a_value_of_another_type_is_found(tmp_path: Path, column: str, value: str) -> None:
    path, rows = await a_journal(tmp_path)
    alter(
        path,
        "PRAGMA writable_schema=ON",
        "UPDATE sqlite_schema SET sql = replace(sql, 'NOT NULL', '') WHERE name = 'journal'",
        "PRAGMA writable_schema=RESET",
        f"UPDATE journal SET {column} = {value} WHERE batch = 2",
    )
    report = await verified(path)
    assert not report.sound
    assert report.first_bad_seq == rows[1].first_seq


async def test_a_page_that_holds_text_for_bytes_is_not_taken_for_the_end(tmp_path: Path) -> None:
    """One bit of a row's header says text instead of bytes, and the text is not UTF-8: the driver refuses the whole page."""
    path, rows = await a_journal(tmp_path, 60)
    alter(
        path,
        "PRAGMA writable_schema=ON",
        "UPDATE sqlite_schema SET sql = replace(sql, 'BLOB', 'TEXT') WHERE name = 'journal'",
        "PRAGMA writable_schema=RESET",
        "UPDATE journal SET hash = CAST(x'FFFEFD' AS TEXT) WHERE batch = 31",
    )
    report = await verified(path)
    assert not report.sound
    assert report.first_bad_seq == rows[30].first_seq


@pytest.mark.parametrize("seed", range(8))
async def test_a_flip_anywhere_in_the_file_is_reported_or_changes_no_row(tmp_path: Path, seed: int) -> None:
    """F53. Most flips go into the pages of the journal itself, where row headers, cell counts and pointers lie, too."""
    draw = random.Random(seed)
    path, rows = await a_journal(tmp_path, 60)
    good = path.read_bytes()
    pages = pages_of_the_journal(path, rows)
    reported = 0
    for turn in range(40):
        bad = bytearray(good)
        place = draw.randrange(len(bad)) if turn % 4 == 0 else draw.choice(pages) + draw.randrange(PAGE)
        bad[place] ^= 1 << draw.randrange(8)
        path.write_bytes(bad)
        journal = SqlJournal(f"sqlite:///{path}", read_only=True)
        try:
            await journal.open()
            if (await verify(journal)).sound:
                assert await all_rows(journal) == rows
            else:
                reported += 1
        except (JournalDamaged, JournalFailed):
            reported += 1
        finally:
            await journal.close()
    assert reported > 0


@pytest.mark.parametrize(
    ("statements", "first_bad_seq"),
    [
        (["DELETE FROM journal WHERE batch = 1"], 1),
        (["DELETE FROM journal WHERE batch = 2"], 3),
        (["DELETE FROM journal WHERE batch = 2", "UPDATE journal SET batch = 2 WHERE batch = 3"], 3),
        (
            [
                "UPDATE journal SET batch = 99 WHERE batch = 2",
                "UPDATE journal SET batch = 2 WHERE batch = 3",
                "UPDATE journal SET batch = 3 WHERE batch = 99",
            ],
            3,
        ),
        (["UPDATE journal SET batch = -3 WHERE batch = 4"], 7),
        (["INSERT INTO journal SELECT 9, 9, 10, epoch, appended_at, hash, hash, payload FROM journal WHERE batch = 4"], 9),
    ],
    ids=["first deleted", "middle deleted", "renumbered", "swapped", "negative", "added"],
)
async def test_rows_that_are_missing_moved_or_added_are_found(
    tmp_path: Path, statements: list[str], first_bad_seq: int
) -> None:
    path, _ = await a_journal(tmp_path, 4)
    alter(path, *statements)
    report = await verified(path)
    assert not report.sound
    assert report.first_bad_seq == first_bad_seq
    assert f"sequence number {first_bad_seq}" in report.sentence


async def test_a_history_rewritten_with_new_hashes_is_found_by_a_snapshot(tmp_path: Path) -> None:
    path, rows = await a_journal(tmp_path)
    journal = SqlJournal(f"sqlite:///{path}")
    await journal.open()
    await journal.save_snapshot(snapshot_of(rows[1]))
    await journal.close()
    forged = next_batch(codec.head_of(rows[0]), epoch=99)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("DELETE FROM journal WHERE batch > 1")
        connection.execute("INSERT INTO journal VALUES (?,?,?,?,?,?,?,?)", msgspec.structs.astuple(forged))
    report = await verified(path)
    assert not report.sound
    assert "contradicts the snapshot at sequence number 4" in report.sentence


async def test_newest_rows_that_were_deleted_are_proven_by_a_snapshot(tmp_path: Path) -> None:
    path, rows = await a_journal(tmp_path)
    journal = SqlJournal(f"sqlite:///{path}")
    await journal.open()
    await journal.save_snapshot(snapshot_of(rows[2]))
    await journal.close()
    alter(path, "DELETE FROM journal WHERE batch = 3")
    path.with_name("journal.db.head").unlink()
    report = await verified(path)
    assert report.first_bad_seq == 5
    assert "the snapshot at sequence number 6 has seen 6" in report.sentence


async def test_a_witness_that_agrees_changes_nothing(tmp_path: Path) -> None:
    path, rows = await a_journal(tmp_path)
    journal = SqlJournal(f"sqlite:///{path}", read_only=True)
    await journal.open()
    report = await verify(journal, [Witness("a note", 4, 2, rows[1].hash), Witness("a read model", 6)])
    await journal.close()
    assert report.sound


@pytest.mark.parametrize("kept", [0.2, 0.5, 0.9])
async def test_a_file_that_was_cut_off_is_refused(tmp_path: Path, kept: float) -> None:
    """F52."""
    path, _ = await a_journal(tmp_path, 300)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * kept)])
    journal = SqlJournal(f"sqlite:///{path}")
    with pytest.raises(JournalDamaged, match="damaged"):
        await journal.open()


async def test_a_damaged_end_is_refused_at_the_start_with_its_sequence_number(tmp_path: Path) -> None:
    path, _ = await a_journal(tmp_path)
    alter(path, "UPDATE journal SET epoch = epoch + 1 WHERE batch = 3")
    with pytest.raises(JournalDamaged, match="sequence number 5"):
        await SqlJournal(f"sqlite:///{path}").open()


async def test_a_damaged_middle_is_refused_while_reading_after_the_good_rows(tmp_path: Path) -> None:
    """The engine replays with `read`: it gets what is good, then the refusal."""
    path, rows = await a_journal(tmp_path, 4)
    alter(path, "UPDATE journal SET payload = x'920190' WHERE batch = 3")
    journal = SqlJournal(f"sqlite:///{path}")
    await journal.open()
    reading = journal.read()
    assert [await anext(reading), await anext(reading)] == rows[:2]
    with pytest.raises(JournalDamaged, match="sequence number 5"):
        await anext(reading)
    await journal.close()


async def test_a_page_that_cannot_be_read_is_named_by_the_sequence_number_it_begins_at(tmp_path: Path) -> None:
    path, rows = await a_journal(tmp_path, 300)
    whole = bytearray(path.read_bytes())
    place = whole.index(rows[150].payload) // PAGE * PAGE
    whole[place : place + 8] = b"\xff" * 8
    path.write_bytes(whole)
    report = await verified(path)
    assert not report.sound
    assert report.first_bad_seq is not None
    assert 1 < report.first_bad_seq <= rows[150].first_seq
    assert f"sequence number {report.first_bad_seq}" in report.sentence


async def test_a_journal_of_a_newer_program_is_refused_by_the_form_of_its_last_row(tmp_path: Path) -> None:
    path, rows = await a_journal(tmp_path)
    newer = codec.seal(
        msgspec.msgpack.encode([2, [["SendBegun", 1, "a0001b1", 7]]]),
        count=1,
        after=codec.head_of(rows[-1]),
        epoch=1,
        appended_at=UtcNs(1),
    )
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("INSERT INTO journal VALUES (?,?,?,?,?,?,?,?)", msgspec.structs.astuple(newer))
    with pytest.raises(JournalDamaged, match="form 2, and tradeloop"):
        await SqlJournal(f"sqlite:///{path}").open()
    assert (await verified(path)).first_bad_seq == 7


async def test_a_batch_with_fewer_events_than_it_says_is_found() -> None:
    """The hash is right: whoever wrote it counted wrong."""
    journal = MemoryJournal()
    holder = await journal.acquire("one")
    one = next_batch(codec.EMPTY, holder.epoch)
    journal.store.rows.append(codec.seal(one.payload, count=3, after=codec.EMPTY, epoch=holder.epoch, appended_at=UtcNs(1)))
    report = await verify(journal)
    assert report.first_bad_seq == 1
    assert "says it holds 3 events, was 2" in report.sentence


def _no_journal(path: Path) -> None:
    path.write_bytes(b"")


def _another_file(path: Path) -> None:
    path.write_bytes(b"PK\x03\x04 this is a spreadsheet" * 100)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: None, "there is no journal at .*; make one with `tradeloop db upgrade`"),
        (_no_journal, "lacks 20261120_journal.sql.*; apply it with `tradeloop db upgrade`"),
        (_another_file, "damaged file"),
    ],
)
async def test_what_is_no_journal_is_refused(tmp_path: Path, make: Callable[[Path], None], says: str) -> None:
    path = tmp_path / "journal.db"
    make(path)
    with pytest.raises((JournalFailed, JournalDamaged), match=says):
        await SqlJournal(f"sqlite:///{path}").open()


async def test_a_file_that_is_something_else_is_left_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    _another_file(path)
    with pytest.raises(JournalDamaged):
        await SqlJournal(f"sqlite:///{path}").open()
    assert path.read_bytes() == b"PK\x03\x04 this is a spreadsheet" * 100
