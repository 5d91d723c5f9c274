"""How every command speaks: one JSON document with --json, one sentence for an error, secrets never."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.cli.commands import FAST, demo, tradeloop
from typer.testing import CliRunner

from tradeloop.cli.app import app
from tradeloop.core.types import SECOND_NS, UtcNs
from tradeloop.engine.clock import WallClock
from tradeloop.markets.coverage import unverified_rows

DEMO = ("--feed", "demo", "--speed", FAST)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which the demo has run."""
    folder = tmp_path_factory.mktemp("speaking")
    assert demo(folder).code == 0
    return folder / "demo"


@pytest.mark.parametrize(
    "words",
    [
        ("runs", "list"),
        ("runs", "show", "RUN"),
        ("orders",),
        ("fills",),
        ("positions", "--flat"),
        ("account",),
        ("reconcile", *DEMO),
        ("replay",),
        ("verify",),
        ("export",),
        ("doctor",),
        ("db", "status"),
        ("db", "upgrade"),
        ("db", "rebuild"),
        ("config", "show"),
        ("version",),
    ],
    ids=" ".join,
)
def test_with_json_stdout_is_one_document(words: tuple[str, ...], home: Path) -> None:
    run = tradeloop(home, "runs", "list", "--json").document["runs"][0]["id"]
    said = tradeloop(home, *(run if word == "RUN" else word for word in words), "--json")
    assert said.code == 0, said.err
    assert said.document


@pytest.mark.parametrize(
    "words",
    [
        ("runs", "show", "nothing"),
        ("runs", "retry", "nothing", *DEMO),
        ("runs", "approve", "nothing", *DEMO),
        ("runs", "resume", "nothing", *DEMO),
        ("runs", "pause", "nothing"),
        ("runs", "cancel", "nothing"),
        ("orders", "cancel", "nothing"),
        ("orders", "resolve", "nothing", "--as", "NOT_SENT", "--reason", "asked"),
        ("reconcile", *DEMO, "--accept", "nothing", "--reason", "none"),
        ("export", "--run", "nothing"),
        ("runs", "list", "--status", "lost"),
    ],
    ids=" ".join,
)
def test_what_is_not_known_is_one_sentence_and_a_document(words: tuple[str, ...], home: Path) -> None:
    said = tradeloop(home, *words, "--json")
    assert said.code == 2
    assert said.document == {"error": said.error, "exit_code": 2}
    assert "\n" not in said.error


def test_config_show_names_origins_and_masks_passwords(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "tradeloop.yaml"
    path.write_text("database:\n  url: postgresql+asyncpg://u:hunter2@h/db\nrun:\n  max_weight: 0.1\n", encoding="utf-8")
    path.chmod(0o600)
    monkeypatch.setenv("TRADELOOP_RUN__MAX_POSITIONS", "12")
    said = tradeloop(tmp_path, "config", "show", "--json")
    found = {row["name"]: (row["value"], row["origin"]) for row in said.document["settings"]}
    assert found["run.max_weight"] == ("0.1", "tradeloop.yaml")
    assert found["run.max_positions"] == ("12", "environment TRADELOOP_RUN__MAX_POSITIONS")
    assert found["run.rounding"] == ("floor_to_lot", "default")
    assert "hunter2" not in said.out + said.err


def test_a_database_password_is_in_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRADELOOP_DATABASE__URL", "postgresql+asyncpg://u:hunter2@127.0.0.1:1/db")
    said = tradeloop(tmp_path, "positions")
    assert said.code == 1
    assert "hunter2" not in said.out + said.err
    assert "127.0.0.1" in said.error


def test_doctor_and_every_command_that_trades_warn_of_a_home_that_others_may_read(home: Path) -> None:
    home.chmod(0o755)
    said = tradeloop(home, "doctor", "--json")
    traded = tradeloop(home, "reconcile", *DEMO)
    home.chmod(0o700)
    (found,) = [each for each in said.document["findings"] if each["what"] == "home"]
    assert found["state"] == "warn"
    assert "chmod 700" in found["text"]
    assert f"warning: {found['text']}" in traded.err


def test_doctor_names_what_can_not_be_written(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a disk that is mounted for reading only, where the system says so to the superuser too."""
    kept = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: kept(path, mode) and not Path(path).is_relative_to(home))
    before = sorted(home.rglob("*"))
    said = tradeloop(home, "doctor", "--json")
    (found,) = [each for each in said.document["findings"] if each["what"] == "home"]
    assert (said.code, found["state"]) == (1, "bad")
    named = f"{home}, {home / 'tradeloop.db'}, {home / 'paper.db'} can not be written"
    assert found["text"].startswith(named)
    assert sorted(home.rglob("*")) == before


def test_doctor_names_calendars_that_end_and_rows_nobody_verified(home: Path) -> None:
    said = tradeloop(home, "doctor", "--json").document["findings"]
    assert {"python", "packages", "disk", "schema", "journal", "clock", "lease", "feed", "calendars"} <= {
        each["what"] for each in said
    }
    rows = [each["text"] for each in said if each["what"] == "market rows"]
    assert len(rows) == len({row.file for row in unverified_rows()})
    assert "price_cages.yaml: 6 rows rest on general knowledge: CN_A MAIN_SH (2 rows), CN_A MAIN_SZ (2 rows)" in "\n".join(rows)
    assert all(any(row.row in text for text in rows) for row in unverified_rows())


@pytest.mark.parametrize(
    ("day", "says"),
    [
        (datetime(2026, 11, 1, tzinfo=UTC), "end in 60 days"),
        (datetime(2026, 10, 31, tzinfo=UTC), "none ends within 60 days"),
        (datetime(2027, 1, 2, tzinfo=UTC), "ended 2 days ago"),
    ],
)
def test_doctor_names_a_calendar_from_sixty_days_before_its_end(
    home: Path, monkeypatch: pytest.MonkeyPatch, day: datetime, says: str
) -> None:
    monkeypatch.setattr(WallClock, "now", lambda _: UtcNs(int(day.timestamp()) * SECOND_NS))
    (found,) = [each for each in tradeloop(home, "doctor", "--json").document["findings"] if each["what"] == "calendars"]
    named = " calendar CN (2026-12-31)," in found["text"]
    assert found["text"].startswith(says)
    assert (found["state"], named) == (("ok", False) if says.startswith("none") else ("warn", True))


def test_a_fault_of_the_program_is_one_sentence_and_a_traceback_only_with_debug(tmp_path: Path) -> None:
    """The fault is planted: a settings module that can not be used."""
    planted = (
        "import tradeloop.config as c\n"
        "def broken(*a, **k): raise TypeError('planted')\n"
        "c.load = broken\n"
        "from tradeloop.cli import main\n"
        "main()\n"
    )
    for debug in ([], ["--debug"]):
        ran = subprocess.run(
            [sys.executable, "-c", planted, *debug, "config", "show"], capture_output=True, text=True, check=False, cwd=tmp_path
        )
        assert ran.returncode == 1
        assert ("Traceback" in ran.stderr) is bool(debug)
        assert "planted" in ran.stderr


def test_a_fault_of_the_program_is_one_json_document_too(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise AssertionError("number too large")

    monkeypatch.setattr("tradeloop.config.load", broken)
    said = CliRunner().invoke(app, ["--home", str(home), "orders", "--json"])
    assert isinstance(said.exception, AssertionError)
    assert said.exit_code == 1
    assert json.loads(said.stdout) == {"error": "a fault of the program: AssertionError: number too large", "exit_code": 1}
