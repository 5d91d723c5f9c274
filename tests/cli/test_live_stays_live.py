"""Whether a broker is live is the journal's to say: no variable and no `.env` takes the second factor away."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from tests.cli.commands import tradeloop
from tests.cli.test_second_factor import live, releases

PAPER = {"TRADELOOP_BROKER__KIND": "paper", "TRADELOOP_BROKER__NAME": "toy"}


@pytest.fixture
def home() -> Iterator[Path]:
    """A live home that is halted, and has no second factor."""
    with tempfile.TemporaryDirectory(prefix="tl") as folder:
        live(Path(folder))
        assert tradeloop(Path(folder), "halt", "--by", "ann").code == 0
        yield Path(folder)


@pytest.mark.parametrize("code", [(), ("--code", "123456")], ids=["no code", "some code"])
def test_a_broker_that_was_live_stays_so_for_releases(
    home: Path, monkeypatch: pytest.MonkeyPatch, code: tuple[str, ...]
) -> None:
    monkeypatch.setenv("TRADELOOP_BROKER__TOY__AS_LIVE", "false")
    said = tradeloop(home, "resume", "--reason", "oops", "--by", "eve", *code)
    assert said.code == 2
    assert "broker toy trades live, and a halt there is released with a second factor, and none is set up" in said.error
    assert releases(home) == []
    assert (home / "HALT").exists()


def set_in_the_environment(monkeypatch: pytest.MonkeyPatch, _: Path, given: Mapping[str, str]) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)


def set_in_a_file_of_the_folder(monkeypatch: pytest.MonkeyPatch, folder: Path, given: Mapping[str, str]) -> None:
    (folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in given.items()), encoding="ascii")
    monkeypatch.chdir(folder)


@pytest.mark.parametrize("put", [set_in_the_environment, set_in_a_file_of_the_folder])
def test_another_kind_under_the_same_name_is_refused(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, put: object
) -> None:
    before = tradeloop(home, "verify", "--json").document["head"]
    assert callable(put)
    put(monkeypatch, tmp_path, {**PAPER, "TRADELOOP_BROKER__ACCOUNT": "desk-1"})
    said = tradeloop(home, "watch", "--feed", "synthetic")
    assert said.code == 2
    assert said.error == (
        f"broker.kind was paper, and the journal of {home} was written at broker toy of kind toy; expected toy: set broker.kind"
        " back, in the environment and in .env too, or give the other broker a home of its own with --home"
    )
    said = tradeloop(home, "resume", "--reason", "oops", "--by", "eve")
    assert (said.code, "trades live" in said.error) == (2, True)
    assert tradeloop(home, "verify", "--json").document["head"] == before
    assert (home / "HALT").exists()


def test_another_name_is_refused_where_the_live_broker_was_never_reached(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    set_in_the_environment(monkeypatch, home, {"TRADELOOP_BROKER__KIND": "paper", "TRADELOOP_BROKER__NAME": "paper"})
    said = tradeloop(home, "watch", "--feed", "synthetic")
    assert (said.code, "were traded at broker toy, and the settings name paper" in said.error) == (2, True)


def test_a_stop_holds_whatever_the_environment_says_of_the_broker(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    set_in_the_environment(monkeypatch, home, PAPER)
    (home / "HALT").unlink()
    said = tradeloop(home, "halt", "--by", "ann", "--reason", "again")
    assert "is latched by" in said.out
    assert (home / "HALT").exists()


def test_doctor_and_the_audit_log_say_that_the_home_is_live(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRADELOOP_BROKER__TOY__AS_LIVE", "false")
    found = [each["what"] for each in tradeloop(home, "doctor", "--json").document["findings"]]
    assert "second factor" in found


def test_a_release_in_a_home_without_a_journal_has_nothing_to_release(tmp_path: Path) -> None:
    said = tradeloop(tmp_path, "resume", "--reason", "looked")
    assert (said.code, "nothing to release" in said.error) == (2, True)
