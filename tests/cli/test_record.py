"""`verify`, `replay`, `export`, `reconcile`, `db`: the journal as evidence, and what is rebuilt from it."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import msgspec
import pytest
from tests.cli.commands import FAST, Said, a_portfolio, demo, tradeloop

from tradeloop.core.types import UtcNs
from tradeloop.journal import codec

DEMO = ("--feed", "demo", "--speed", FAST)


@pytest.fixture(scope="module")
def traded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which the demo has run; tests copy it."""
    home = tmp_path_factory.mktemp("traded")
    assert demo(home).code == 0
    return home / "demo"


@pytest.fixture
def home(traded: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(traded, tmp_path / "home"))


def change(home: Path, statement: str, *values: object) -> None:
    with sqlite3.connect(home / "tradeloop.db") as db:
        db.execute(statement, values)


def test_a_sound_journal_verifies(home: Path) -> None:
    said = tradeloop(home, "verify", "--json")
    assert said.code == 0
    assert said.document["sound"] is True
    assert said.document["first_bad_seq"] is None


def test_a_flipped_byte_is_found_with_its_sequence_number(home: Path) -> None:
    with sqlite3.connect(home / "tradeloop.db") as db:
        first, payload = db.execute("SELECT first_seq, payload FROM journal WHERE batch = 3").fetchone()
    flipped = bytes((*payload[:-1], payload[-1] ^ 1))
    change(home, "UPDATE journal SET payload = ? WHERE batch = 3", flipped)
    said = tradeloop(home, "verify", "--json")
    assert said.code == 1
    assert said.document["first_bad_seq"] == first
    assert f"sequence number {first}" in said.document["sentence"]


def test_rows_cut_off_at_the_end_are_missed_by_those_who_saw_them(home: Path) -> None:
    change(home, "DELETE FROM journal WHERE batch = (SELECT MAX(batch) FROM journal)")
    said = tradeloop(home, "verify")
    assert said.code == 1
    assert "the newest rows are gone" in said.out


def test_nothing_is_traded_on_a_damaged_journal(home: Path) -> None:
    change(home, "UPDATE journal SET appended_at = appended_at + 1 WHERE batch = (SELECT MAX(batch) FROM journal)")
    change(home, "DELETE FROM snapshots")
    said = tradeloop(home, "orders", "submit", "BAC.US", "buy", "1", *DEMO)
    assert said.code == 1
    assert "damaged at sequence number" in said.error


def test_a_journal_written_by_a_newer_program_is_refused(home: Path) -> None:
    with sqlite3.connect(home / "tradeloop.db") as db:
        head = db.execute("SELECT batch, last_seq, hash FROM journal ORDER BY batch DESC LIMIT 1").fetchone()
        row = codec.seal(msgspec.msgpack.encode((99, [])), count=1, after=head, epoch=9, appended_at=UtcNs(1))
        db.execute("INSERT INTO journal VALUES (?,?,?,?,?,?,?,?)", msgspec.structs.astuple(row))
    checked = tradeloop(home, "verify", "--json").document["sentence"]
    assert checked.startswith(
        f"the journal is sound before sequence number {head[1] + 1}, and goes on there: batch {head[0] + 1} was written"
    )
    for words in (("replay",), ("orders", "submit", "BAC.US", "buy", "1", *DEMO), ("positions",)):
        said = tradeloop(home, *words)
        assert said.code == 1
        assert "was written in form 99" in said.error
        assert "or a newer one" in said.error


def test_a_schema_of_a_newer_program_is_refused(home: Path) -> None:
    change(home, "INSERT INTO schema_patches VALUES ('20990101_later.sql', 'x', '2099-01-01T00:00:00Z')")
    said = tradeloop(home, "positions")
    assert said.code == 1
    assert "20990101_later.sql" in said.error


def test_replay_gives_the_hash_of_the_snapshot_every_time(home: Path) -> None:
    first, second = (tradeloop(home, "replay", "--json").document for _ in range(2))
    assert first["snapshot"] == "agrees"
    assert first["state_hash"] == second["state_hash"]
    assert first["orders"] == 4
    assert first["open_orders"] == 0
    assert first["events"]["RunEnded"] == 1


def test_replay_can_stop_at_any_number(home: Path) -> None:
    early = tradeloop(home, "replay", "--until", "12", "--json").document
    assert early["seq"] == 12
    assert early["state_hash"] != tradeloop(home, "replay", "--json").document["state_hash"]


def test_replay_says_where_the_journal_ends_before_the_number_that_was_asked_for(home: Path) -> None:
    said = tradeloop(home, "replay", "--until", "999999", "--json")
    assert f"--until was 999,999, and the journal ends at sequence number {said.document['seq']:,}" in said.err


def test_export_writes_what_the_run_wrote(home: Path) -> None:
    said = tradeloop(home, "export", "--out", str(home / "again"), "--json")
    assert said.code == 0, said.err
    (run,) = (home / "artefacts").iterdir()
    for path in map(Path, said.document["artefacts"]):
        if path.suffix == ".parquet":
            kind = path.name.rsplit("_", 2)[0]
            (first,) = run.glob(f"{kind}_*.parquet")
            assert path.read_bytes() == first.read_bytes()


def test_reconcile_twice_changes_nothing_the_second_time(home: Path) -> None:
    """Item 9 of the main job: no break, and no fact about breaks either."""
    for _ in range(2):
        said = tradeloop(home, "reconcile", *DEMO, "--json")
        assert said.code == 0, said.err
        assert said.document["unexplained_breaks"] == 0
    events = tradeloop(home, "replay", "--json").document["events"]
    assert "BreakFound" not in events


@pytest.mark.parametrize("statement", ["DELETE FROM schema_patches", "DROP TABLE schema_patches"])
def test_tables_without_a_record_of_their_patches_are_told_as_such_and_recorded_again(home: Path, statement: str) -> None:
    """Everything is there: that nothing was recorded would be untrue, and would send a person away from his own journal."""
    change(home, statement)
    for words in (("orders",), ("runs", "list"), ("reconcile", *DEMO), ("db", "rebuild")):
        said = tradeloop(home, *words)
        assert said.code == 1
        assert "has no record of its schema patches; record them with `tradeloop db upgrade`" in said.error
    assert tradeloop(home, "db", "status").code == 1
    assert tradeloop(home, "doctor").code == 1
    assert tradeloop(home, "db", "upgrade").code == 0
    assert len(tradeloop(home, "orders", "--json").document["orders"]) == 4
    assert tradeloop(home, "verify").code == 0


@pytest.mark.parametrize("found", ["no file", "an empty file", "junk"])
def test_broker_books_that_were_lost_are_not_made_anew_beside_a_journal_that_knows_them(home: Path, found: str) -> None:
    """New ones would hold nothing, and everything the journal holds would look sold."""
    books = home / "paper.db"
    books.unlink()
    if found != "no file":
        books.write_bytes(b"" if found == "an empty file" else b"junk " * 2000)
    before = books.read_bytes() if books.exists() else None
    for words in (("reconcile", *DEMO), ("orders", "submit", "AIG", "buy", "1", *DEMO)):
        said = tradeloop(home, *words)
        assert said.code == 1
        assert str(books) in said.error
        assert "put" in said.error
        assert "back from a backup, or begin anew in a home of its own with --home" in said.error
    if found != "junk":
        findings = tradeloop(home, "doctor", "--json").document["findings"]
        assert [each["state"] for each in findings if each["what"] == "paper books"] == ["bad"]
    assert (books.read_bytes() if books.exists() else None) == before
    assert "BreakFound" not in tradeloop(home, "replay", "--json").document["events"]


def test_nothing_runs_over_a_position_that_our_books_and_the_brokers_differ_about(home: Path, tmp_path: Path) -> None:
    """It would sell what is not there. Accepting the broker's figure, in a name and for a reason, lets it go."""
    with sqlite3.connect(home / "paper.db") as db:
        db.execute("UPDATE positions SET long_today = '5000', long_yesterday = '0' WHERE symbol = 'AIG.US'")
    assert tradeloop(home, "reconcile", *DEMO).code == 1
    target = a_portfolio(tmp_path, "AIG.US,0.25\n")
    words = ("run", str(target), *DEMO, "--yes")

    said = tradeloop(home, *words)
    assert said.code == 3
    assert "denied: position_breaks: our books and the broker's must agree" in said.err
    assert ", was AIG.US long (ours 5" in said.err
    assert ", theirs 5000); find out why and settle it, see `tradeloop reconcile`" in said.err

    accept = ("reconcile", *DEMO, "--accept", "position:paper:paper:AIG.US long", "--reason", "looked", "--by", "ann")
    assert tradeloop(home, *accept).code == 1  # the run before had another target: its line is short
    assert "position_breaks" not in tradeloop(home, *words).err


def test_a_run_says_where_the_books_differ_beside_it(home: Path, tmp_path: Path) -> None:
    """Its weights are fractions of an equity that one side sees otherwise."""
    a_break(home)
    target = a_portfolio(tmp_path, "AIG.US,0.25\n")
    said = tradeloop(home, "run", str(target), *DEMO, "--dry-run")
    assert said.code == 0, said.err
    differ = "our books and the broker's differ, and the plan is made from ours: cash CNY (ours 1000000, theirs 999993)"
    assert f"warning: {differ}; see `tradeloop reconcile`" in said.err


def a_break(home: Path) -> Said:
    """Money leaves the broker's books without a word to us."""
    with sqlite3.connect(home / "paper.db") as db:
        (balance,) = db.execute("SELECT balance FROM cash WHERE currency = 'CNY'").fetchone()
        db.execute("UPDATE cash SET balance = ? WHERE currency = 'CNY'", (str(int(balance) - 7),))
    return tradeloop(home, "reconcile", *DEMO, "--json")


def test_a_break_has_cause_age_and_repair_and_its_own_exit_code(home: Path) -> None:
    """S1-19, S1-34."""
    said = a_break(home)
    assert said.code == 1
    (found,) = said.document["breaks"]
    assert (found["ours"], found["theirs"]) == ("1000000", "999993")
    assert found["cause"]
    assert found["age"]
    assert "reconcile --accept" in found["repair"]


def test_a_person_accepts_the_brokers_figure_once(home: Path) -> None:
    (found,) = a_break(home).document["breaks"]
    words = ("reconcile", *DEMO, "--accept", found["break_id"])
    assert "reason" in tradeloop(home, *words).error
    accepted = tradeloop(home, *words, "--reason", "a bank fee", "--by", "somebody", "--json")
    assert accepted.code == 0, accepted.err
    assert accepted.document["breaks"] == []
    assert tradeloop(home, *words, "--reason", "again").code == 2
    (cny,) = [row for row in tradeloop(home, "account", "--json").document["accounts"] if row["currency"] == "CNY"]
    assert cny["balance"] == "999993"


@pytest.mark.parametrize("command", ["fills", "orders"])
def test_a_run_that_nobody_knows_is_not_told_as_one_without_any(home: Path, command: str) -> None:
    said = tradeloop(home, command, "--run", "nosuch")
    assert said.code == 2
    assert "run was 'nosuch', which is not known; see `tradeloop runs list`" in said.error


@pytest.mark.parametrize("command", ["fills", "orders", "positions"])
def test_a_symbol_that_the_desk_never_met_is_not_told_as_one_without_any(home: Path, command: str) -> None:
    said = tradeloop(home, command, "--symbol", "NOPE")
    assert said.code == 2
    assert "symbol was 'NOPE.US', which this desk has never held, planned or traded" in said.error


@pytest.mark.parametrize("command", ["fills", "orders", "positions"])
def test_a_symbol_that_nobody_can_read_is_refused(home: Path, command: str) -> None:
    said = tradeloop(home, command, "--symbol", "no pe")
    assert said.code == 2
    assert said.error.startswith("symbol was 'no pe'; expected one such as")


def test_a_known_symbol_that_is_not_held_has_no_positions(home: Path) -> None:
    for line in tradeloop(home, "positions", "--json").document["positions"]:
        if line["symbol"] == "BAC.US":
            sold = tradeloop(home, "orders", "submit", "BAC.US", "sell", line["volume"], *DEMO)
            assert sold.code == 0, sold.err
    said = tradeloop(home, "positions", "--symbol", "BAC", "--json")
    assert said.code == 0
    assert said.document == {"positions": []}


def test_rebuilt_read_models_say_what_they_said(home: Path) -> None:
    before = tradeloop(home, "fills", "--json").out
    change(home, "UPDATE trade_fills SET fill_price = '1'")
    assert tradeloop(home, "fills", "--json").out != before
    assert tradeloop(home, "db", "rebuild").code == 0
    assert tradeloop(home, "fills", "--json").out == before


def test_read_models_that_a_kill_left_behind_are_folded_before_an_answer(home: Path) -> None:
    before = tradeloop(home, "positions", "--json").out
    change(home, "DELETE FROM positions")
    change(home, "UPDATE view_cursors SET clearing = 1, batch = 0, seq = 0")
    assert tradeloop(home, "positions", "--json").out == before


def test_the_schema_has_no_drift_and_a_dropped_column_is_seen(home: Path) -> None:
    assert tradeloop(home, "db", "status").code == 0
    assert tradeloop(home, "db", "upgrade", "--json").document["applied"] == []
    change(home, "ALTER TABLE alerts DROP COLUMN text")
    said = tradeloop(home, "db", "status", "--json")
    assert said.code == 1
    assert said.document["drift"] == ["column alerts.text is missing"]
    (schema,) = [each for each in tradeloop(home, "doctor", "--json").document["findings"] if each["what"] == "schema"]
    assert schema["state"] == "bad"


@pytest.mark.parametrize("harm", ["DROP TABLE positions", "ALTER TABLE alerts DROP COLUMN text"])
def test_a_rebuild_makes_read_models_anew_whatever_became_of_their_tables(home: Path, harm: str) -> None:
    """They are derived: the remedy that a failing question names has to be one."""
    before = tradeloop(home, "positions", "--json").out
    change(home, harm)
    assert tradeloop(home, "db", "status").code == 1
    assert tradeloop(home, "db", "rebuild").code == 0
    assert tradeloop(home, "db", "status").code == 0
    assert tradeloop(home, "positions", "--json").out == before
    assert tradeloop(home, "verify").code == 0


def test_asking_where_nothing_was_recorded_says_what_to_do(tmp_path: Path) -> None:
    said = tradeloop(tmp_path / "new", "positions")
    assert said.code == 2
    assert "nothing has been recorded" in said.error
    assert not (tmp_path / "new").exists()


def test_broken_read_models_do_not_hold_trading_up(tmp_path: Path) -> None:
    """They can be made anew; the run works to its end without them, and says what is missing."""
    home = tmp_path / "home"
    assert tradeloop(home / "demo", "db", "upgrade").code == 0
    change(home / "demo", "DROP TABLE trade_fills")
    said = demo(home)
    assert said.code == 1
    assert "read models" in said.error
    with sqlite3.connect(home / "demo" / "paper.db") as books:
        assert books.execute("SELECT COUNT(*) FROM orders WHERE cum_qty = order_qty").fetchone() == (4,)
    assert tradeloop(home / "demo", "replay", "--json").document["events"]["RunEnded"] == 1


def findings(home: Path) -> dict[str, dict[str, str]]:
    """What doctor says, by what it looked at."""
    return {each["what"]: each for each in tradeloop(home, "doctor", "--json").document["findings"]}


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM journal WHERE batch = 5",
        "UPDATE journal SET payload = substr(payload, 1, length(payload) - 1) || x'00' WHERE batch = 3",
        "UPDATE journal SET payload = substr(payload, 1, length(payload) - 1) || x'00' WHERE batch > 8",
    ],
    ids=["a row gone", "a row changed", "the end changed"],
)
def test_doctor_calls_no_journal_sound_that_is_damaged_and_prints_none_of_it(home: Path, statement: str) -> None:
    change(home, statement)
    said = tradeloop(home, "doctor", "--json")
    assert said.code == 1
    found = findings(home)
    assert found["journal"]["state"] == "bad"
    assert "damaged" in found["journal"]["text"]
    assert "database" not in found
    assert "AccountAdopted" not in said.out
    assert "\\u" not in said.out


def test_doctor_calls_a_sound_journal_sound_to_its_first_row(home: Path) -> None:
    found = findings(home)
    assert found["journal"]["state"] == "ok"
    assert found["journal"]["text"].endswith("; every row verifies")
    assert "breaks" not in found


def test_doctor_names_what_our_books_and_the_brokers_differ_about(home: Path) -> None:
    a_break(home)
    assert "cash CNY" in findings(home)["breaks"]["text"]


@pytest.mark.parametrize("left", ["nothing", "an empty file"])
def test_a_journal_that_is_gone_is_no_new_one(home: Path, left: str) -> None:
    """Its witness has seen it."""
    (home / "tradeloop.db").unlink()
    if left == "an empty file":
        (home / "tradeloop.db").touch()
    for words in (("orders",), ("verify",), ("db", "status"), ("reconcile", *DEMO)):
        said = tradeloop(home, *words)
        assert said.code == 1
        assert "tradeloop.db.head has seen" in said.error
        assert "restore it from a backup" in said.error
    assert findings(home)["database"]["state"] == "bad"
    assert not (home / "tradeloop.db").exists() or not (home / "tradeloop.db").stat().st_size


@pytest.mark.parametrize("words", [("fills",), ("positions",), ("account",), ("orders",), ("runs", "list")], ids=" ".join)
def test_a_question_about_an_account_nobody_has_is_not_answered_with_none(home: Path, words: tuple[str, ...]) -> None:
    said = tradeloop(home, *words, "--account", "U99")
    assert said.code == 2
    assert said.error == "account was 'U99', known are paper"
    assert tradeloop(home, *words, "--account", "paper").code == 0
