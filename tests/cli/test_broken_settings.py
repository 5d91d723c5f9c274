"""Settings that cannot be read: what is stopped is told all the same, and a release says that it releases nothing."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.commands import tradeloop
from tests.cli.test_halt import BROKEN, STANDS, break_settings
from tests.cli.watched import watching


@pytest.fixture
def home() -> Iterator[Path]:
    """A home whose socket has a short path."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@pytest.mark.parametrize("where", BROKEN)
def test_the_latch_files_are_told(home: Path, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    sentence = break_settings(home, monkeypatch, where)
    assert tradeloop(home, "halt", "--symbol", "BAC.US", "--reason", "panic", "--by", "ann").code == 1
    said = tradeloop(home, "halts", "--json")
    (halt,) = said.document["halts"]
    assert (said.code, halt["name"], halt["by"], halt["recorded"]) == (1, "BAC.US", "ann", False)
    assert halt["latch_file"] == str(home / "HALT.part")
    assert "only what the files say is told" in said.error
    assert sentence in said.error


@pytest.mark.crash
def test_the_process_that_trades_is_asked_what_it_holds(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert tradeloop(home, *STANDS).code == 0
    with watching(home):
        assert tradeloop(home, "cancel-all", "--account", "paper", "--reason", "panic", "--by", "ann").code == 0
        (home / "HALT.part").unlink(missing_ok=True)
        sentence = break_settings(home, monkeypatch, "tradeloop.yaml")
        said = tradeloop(home, "halts", "--json")
        (halt,) = said.document["halts"]
    assert (said.code, halt["number"], halt["tier"], halt["name"], halt["done"]) == (1, 1, "CANCEL_ALL", "paper", True)
    assert "the process that trades here was asked" in said.error
    assert sentence in said.error


@pytest.mark.parametrize("where", BROKEN)
def test_a_release_says_that_nothing_was_released(home: Path, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    sentence = break_settings(home, monkeypatch, where)
    assert tradeloop(home, "halt", "--reason", "panic", "--by", "ann").code == 1
    said = tradeloop(home, "resume", "--reason", "over", "--by", "ann")
    assert said.code == 2
    assert said.error.startswith(sentence)
    assert "nothing was released, and every halt stays" in said.error
    assert (home / "HALT").exists()


def test_a_release_that_is_refused_has_released_nothing_before(home: Path) -> None:
    assert tradeloop(home, *STANDS).code == 0
    assert tradeloop(home, "halt", "--reason", "panic", "--by", "ann").code == 0
    (home / "risk.yaml").write_text("limits: 7\n", encoding="utf-8")
    said = tradeloop(home, "resume", "--reason", "over", "--by", "ann")
    assert said.code == 2
    assert "would release halt 1 of everything" in said.err
    assert "releases halt" not in said.err
