"""A dry-run changes nothing: it is planned in a copy of the books, which is gone afterwards."""

from __future__ import annotations

import tempfile
from hashlib import sha256
from pathlib import Path

import pytest
from tests.cli.commands import FILES, Said, a_portfolio, runs, tradeloop, us_run
from tests.cli.test_recorded_days import DAYS, a_context, ran, recorded


def digests(home: Path) -> dict[str, str]:
    """Every file of a home but those that a dry-run writes about itself, with what is in it."""
    files = (file for file in home.rglob("*") if file.is_file() and "unsent" not in file.parts)
    return {str(file.relative_to(home)): sha256(file.read_bytes()).hexdigest() for file in files}


def test_a_dry_run_in_a_new_home_makes_no_journal_and_no_books(tmp_path: Path) -> None:
    assert us_run(tmp_path, FILES / "good" / "portfolio_us.csv", "--dry-run").code == 0
    assert digests(tmp_path) == {}


@pytest.mark.parametrize("how", [("--dry-run",), ()], ids=["asked for", "nobody to ask"])
def test_a_dry_run_of_a_later_day_moves_no_clock(tmp_path: Path, how: tuple[str, ...]) -> None:
    """A later real run of a day before it is a run like any other."""
    assert ran(tmp_path, DAYS[0], "--yes").code == 0
    before = digests(tmp_path / "home")

    planned = ran(tmp_path, DAYS[2], *how, "--json", snapshot="s3")

    assert (planned.code, planned.document["trade_date"]) == (0, DAYS[2])
    assert digests(tmp_path / "home") == before
    assert ran(tmp_path, DAYS[1], "--yes", snapshot="s2").code == 0


def denied(tmp_path: Path, day: str) -> Said:
    """A run that is denied for the weight of its only line."""
    portfolio = a_portfolio(tmp_path, "600036.SH,0.9\n", "heavy.csv")
    home = tmp_path / "home"
    (home / "tradeloop.yaml").write_text("run:\n  max_weight: 0.5\n", encoding="utf-8")
    feed = ("--feed", str(recorded(tmp_path)), "--speed", "600")
    return tradeloop(home, "run", str(portfolio), "--context", str(a_context(tmp_path, day, "heavy")), *feed, "--yes")


def test_a_run_that_is_denied_on_a_later_day_moves_no_clock(tmp_path: Path) -> None:
    assert ran(tmp_path, DAYS[0], "--yes").code == 0

    said = denied(tmp_path, DAYS[2])

    assert (said.code, "nothing was sent; written: " in said.err) == (3, True), said.err
    assert str(tmp_path / "home" / "artefacts" / "unsent") in said.err
    assert ran(tmp_path, DAYS[1], "--yes", snapshot="s2").code == 0


def test_a_run_of_a_later_day_that_is_allowed_is_sent_once(tmp_path: Path) -> None:
    assert ran(tmp_path, DAYS[0], "--yes").code == 0
    assert ran(tmp_path, DAYS[2], "--yes", snapshot="s3").code == 0
    assert len(runs(tmp_path / "home")) == 2


def test_what_is_wrong_with_the_copy_is_said_of_the_books(tmp_path: Path) -> None:
    assert ran(tmp_path, DAYS[1], "--yes").code == 0

    said = ran(tmp_path, DAYS[0], "--dry-run", snapshot="s0")

    assert said.code == 2
    assert f"the books of {tmp_path / 'home'} stand at" in said.error


def test_the_copy_is_gone_after_the_dry_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "tmp"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    assert us_run(tmp_path / "home", FILES / "good" / "portfolio_us.csv", "--dry-run").code == 0
    assert list(place.iterdir()) == []
