"""`tradeloop verify` and `doctor`: the journal's end has its witness, and the read models say what the journal says."""

from __future__ import annotations

import re
import shutil
import sqlite3
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from tests.cli.commands import demo, tradeloop

from tradeloop.core.state import State


@pytest.fixture(scope="module")
def traded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which the demo has run."""
    folder = tmp_path_factory.mktemp("verify")
    assert demo(folder).code == 0
    return folder / "demo"


@pytest.fixture
def home(traded: Path, tmp_path: Path) -> Path:
    """A copy of it to spoil."""
    return Path(shutil.copytree(traded, tmp_path / "home"))


def change(home: Path, statement: str, *values: object) -> None:
    """Write past the program, as somebody with the file can."""
    with sqlite3.connect(home / "tradeloop.db") as db:
        assert db.execute(statement, values).rowcount >= 1


def read_models(home: Path, code: int) -> dict[str, Any]:
    """What `verify` says of the read models; it ends with `code`."""
    said = tradeloop(home, "verify", "--json")
    assert said.code == code, said.out + said.err
    assert said.document["sound"] is True
    found: dict[str, Any] = said.document["read_models"]
    return found


def finding(home: Path, what: str) -> list[dict[str, str]]:
    found = tradeloop(home, "doctor", "--json").document["findings"]
    return [each for each in found if each["what"] == what]


def test_read_models_that_nobody_touched_agree_row_by_row(home: Path) -> None:
    """S1-46: every table, as far as the journal."""
    found = read_models(home, 0)
    with sqlite3.connect(home / "tradeloop.db") as db:
        fills = db.execute("SELECT count(*) FROM trade_fills").fetchone()[0]
    assert found["agree"] is True
    assert found["rows"] > fills > 0
    assert found["differences"] == []


def test_one_changed_cell_is_found_and_named_and_a_rebuild_mends_it(home: Path) -> None:
    with sqlite3.connect(home / "tradeloop.db") as db:
        identity, price = db.execute("SELECT id, fill_price FROM trade_fills ORDER BY id LIMIT 1").fetchone()
    change(home, "UPDATE trade_fills SET fill_price = '1.5' WHERE id = ?", identity)
    (difference,) = read_models(home, 1)["differences"]
    assert difference == {"table": "trade_fills", "id": identity, "column": "fill_price", "stored": "1.5", "journal": price}
    said = tradeloop(home, "verify")
    assert f"fill_price was 1.5, the journal gives {price}" in said.out
    assert "tradeloop db rebuild" in said.out
    assert tradeloop(home, "db", "rebuild").code == 0
    assert read_models(home, 0)["agree"] is True


def test_a_row_that_is_gone_and_a_row_that_no_event_made_are_found(home: Path) -> None:
    with sqlite3.connect(home / "tradeloop.db") as db:
        gone = db.execute("SELECT id FROM positions ORDER BY id LIMIT 1").fetchone()[0]
    change(home, "DELETE FROM positions WHERE id = ?", gone)
    change(home, "UPDATE trade_orders SET id = 'forged' WHERE id = (SELECT min(id) FROM trade_orders)")
    said = tradeloop(home, "verify")
    assert said.code == 1
    assert f"positions lacks row {gone!r}" in said.out
    assert "trade_orders has row 'forged', which no event in the journal made" in said.out
    assert read_models(home, 1)["count"] == 3


def test_a_cell_that_holds_no_number_is_a_difference_and_no_fault(home: Path) -> None:
    change(home, "UPDATE trade_fills SET fill_price = 'plenty' WHERE id = (SELECT min(id) FROM trade_fills)")
    (difference,) = read_models(home, 1)["differences"]
    assert difference["table"] == "trade_fills"
    assert "no value of its kind" in difference["stored"]


def test_read_models_that_stay_behind_are_compared_as_far_as_they_are(home: Path) -> None:
    """A process that was killed leaves them so; the next command folds the rest, and nothing is wrong with them."""
    whole = read_models(home, 0)["seq"]
    with sqlite3.connect(home / "tradeloop.db") as db:
        for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            if table not in ("journal", "lease", "snapshots", "snapshot_parts", "schema_patches", "view_cursors"):
                db.execute(f"DELETE FROM {table}")
        db.execute("UPDATE view_cursors SET batch = 0, seq = 0")
    found = read_models(home, 0)
    assert (found["seq"], found["rows"]) == (0, 0)
    assert whole > 0


def test_half_cleared_read_models_are_said_to_be(home: Path) -> None:
    change(home, "UPDATE view_cursors SET clearing = 1")
    assert "half cleared" in read_models(home, 1)["sentence"]


def test_the_journal_alone_can_be_verified(home: Path) -> None:
    change(home, "UPDATE trade_fills SET fill_price = '1.5'")
    said = tradeloop(home, "verify", "--journal-only", "--json")
    assert said.code == 0
    assert said.document["read_models"] is None


def test_a_journal_whose_witness_is_gone_does_not_verify_until_a_person_accepts_it(home: Path) -> None:
    """Rows cut off the end leave a whole chain: only the witness sees it, and whoever cuts takes it away."""
    (home / "tradeloop.db.head").unlink()
    said = tradeloop(home, "verify")
    assert said.code == 1
    assert "there is no witness tradeloop.db.head" in said.out
    assert "--without-witness" in said.error
    assert tradeloop(home, "verify", "--json").document["witnessed"] is False
    assert tradeloop(home, "verify", "--without-witness").code == 0


def test_a_witness_that_says_nothing_readable_is_no_witness(home: Path) -> None:
    (home / "tradeloop.db.head").write_bytes(b"not a record" * 100)
    said = tradeloop(home, "verify")
    assert said.code == 1
    assert "holds something else" in said.out
    assert tradeloop(home, "verify", "--without-witness").code == 0


def test_doctor_says_that_the_witness_is_missing(home: Path) -> None:
    assert finding(home, "witness") == []
    (home / "tradeloop.db.head").unlink()
    (found,) = finding(home, "witness")
    assert found["state"] == "warn"
    assert "rows cut off its end would not be seen" in found["text"]
    assert "tradeloop verify" in found["text"]


def test_a_journal_that_nobody_has_folded_yet_verifies(tmp_path: Path) -> None:
    """Tables made and nothing traded: there is no row that could be wrong, and no end that could be cut off."""
    assert tradeloop(tmp_path, "db", "upgrade").code == 0
    (tmp_path / "tradeloop.db.head").unlink(missing_ok=True)
    assert read_models(tmp_path, 0)["rows"] == 0


def spoil_newest_snapshot(home: Path) -> int:
    """Give the newest snapshot another content and the right hash of that; its sequence number."""
    with sqlite3.connect(home / "tradeloop.db") as db:
        seq, batch = db.execute("SELECT seq, batch FROM snapshots ORDER BY seq DESC LIMIT 1").fetchone()
        parts = db.execute("SELECT payload FROM snapshot_parts WHERE seq = ? ORDER BY part", (seq,)).fetchall()
        state = State.unpack(b"".join(part for (part,) in parts))
        assert state.seq == seq
        assert batch > 0
        state.epoch += 1
        payload = state.pack()
        db.execute("DELETE FROM snapshot_parts WHERE seq = ?", (seq,))
        db.execute("INSERT INTO snapshot_parts (seq, part, payload) VALUES (?, 0, ?)", (seq, payload))
        db.execute(
            "UPDATE snapshots SET state_hash = ?, size = ? WHERE seq = ?", (sha256(payload).hexdigest(), len(payload), seq)
        )
    return int(seq)


@pytest.mark.parametrize("options", [(), ("--journal-only",)])
def test_a_snapshot_that_agrees_with_itself_and_not_with_the_journal_is_found(home: Path, options: tuple[str, ...]) -> None:
    """The next start would take it for the books, so its own hash proves nothing (ADR 0011)."""
    assert tradeloop(home, "verify", "--json").document["false_snapshots"] == []
    seq = spoil_newest_snapshot(home)
    said = tradeloop(home, "verify", *options)
    assert said.code == 1
    assert f"the snapshot at sequence number {seq} is not what the journal gives" in said.out
    (found,) = tradeloop(home, "verify", "--json", *options).document["false_snapshots"]
    assert found["seq"] == seq
    change(home, "DELETE FROM snapshots WHERE seq = ?", seq)
    assert tradeloop(home, "verify", *options).code == 0


def test_a_snapshot_under_another_number_is_found(home: Path) -> None:
    change(home, "UPDATE snapshots SET seq = seq - 1")
    change(home, "UPDATE snapshot_parts SET seq = seq - 1")
    assert tradeloop(home, "verify", "--json").document["false_snapshots"]


def test_whoever_has_the_lock_takes_the_lease_whatever_its_row_says(home: Path) -> None:
    change(home, "UPDATE lease SET owner = 'x', expires_at = 9223372036854775000")
    said = tradeloop(home, "orders", "submit", "BAC.US", "buy", "100", "--feed", "demo", "--speed", "300")
    assert said.code == 0, said.err


@pytest.mark.parametrize("epoch", [9223372036854775806, 36**5, -1, 1, "x"])
def test_an_epoch_that_nobody_can_have_taken_is_found_in_one_sentence(home: Path, epoch: object) -> None:
    change(home, "UPDATE lease SET epoch = ?", epoch)
    said = tradeloop(home, "verify", "--json")
    assert (said.code, said.document["sound"]) == (1, False)
    assert f"the epoch in the table lease was {epoch!r}, expected" in said.document["sentence"]
    assert [each["state"] for each in finding(home, "lease")][:1] == ["bad"]


@pytest.mark.parametrize("epoch", [9223372036854775806, 36**5 - 1, -1, "x"])
@pytest.mark.parametrize("words", [("orders", "submit", "BAC.US", "buy", "100", "--feed", "demo"), ("halt",)])
def test_no_command_starts_under_an_epoch_that_no_id_can_carry(home: Path, epoch: object, words: tuple[str, ...]) -> None:
    change(home, "UPDATE lease SET epoch = ?", epoch)
    said = tradeloop(home, *words, "--json")
    assert said.code == 1
    assert "epoch" in said.document.get("error", "") + said.document.get("halted", "")


def spoil_the_middle(home: Path) -> int:
    """Take a row out behind which snapshots stand; how many rows are left."""
    change(home, "DELETE FROM journal WHERE batch = 5")
    return rows_of(home)


def rows_of(home: Path) -> int:
    with sqlite3.connect(home / "tradeloop.db") as db:
        found: int = db.execute("SELECT count(*) FROM journal").fetchone()[0]
    return found


SUBMIT = ("orders", "submit", "BAC.US", "buy", "100", "--feed", "demo", "--speed", "300")


def test_no_command_that_trades_starts_on_a_journal_that_is_damaged_below_its_snapshots(home: Path) -> None:
    """The sequence number is in the refusal."""
    left = spoil_the_middle(home)
    said = tradeloop(home, *SUBMIT, "--json")
    assert said.code == 1
    assert re.search(r"the journal is damaged at sequence number \d+: expected batch 5", said.document["error"])
    assert rows_of(home) == left


def test_a_command_on_a_long_journal_ends_as_soon_as_the_damage_below_its_snapshots_is_found(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tradeloop.bootstrap.past.AT_ONCE", 0)
    spoil_the_middle(home)
    said = tradeloop(home, *SUBMIT, "--json")
    assert said.code == 1
    assert re.search(r"the journal is damaged at sequence number \d+: expected batch 5", said.document["error"])


def test_a_halt_of_a_damaged_journal_is_latched_and_appends_nothing(home: Path) -> None:
    left = spoil_the_middle(home)
    said = tradeloop(home, "cancel-all", "--feed", "demo", "--json")
    assert (said.document["latched"], said.document["recorded"], said.document["done"]) == (True, False, True)
    assert "the journal is damaged at sequence number" in said.document["halted"]
    assert rows_of(home) == left


def test_doctor_finds_a_journal_that_is_damaged_below_its_snapshots(home: Path) -> None:
    change(home, "UPDATE journal SET appended_at = appended_at + 1 WHERE batch = 3")
    assert [each["state"] for each in finding(home, "journal")] == ["bad"]
