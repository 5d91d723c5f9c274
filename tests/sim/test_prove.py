"""The command that lives many worlds, and the one that tells a single life."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tradeloop.core.risk import pipeline
from tradeloop.core.risk.denied import Denied
from tradeloop.ports.journal import Batch
from tradeloop.testing.dealt import Dealt
from tradeloop.testing.faults import Fault
from tradeloop.testing.prove import main, story, summary
from tradeloop.testing.tally import Tally
from tradeloop.testing.world import life
from tradeloop.testing.world.disk import Disk


def test_it_says_what_was_lived_and_that_nothing_broke(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seeds", "3", "--from", "7"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("3 seeds, ")
    assert all(f"  {fault.number:<4}" in said for fault in Fault)
    assert "invariants broken: in 0 seeds" in said


def test_a_broken_invariant_ends_it_with_an_error_a_story_and_the_command_that_tells_it_again(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(life, "converged", lambda judge, *books: judge.broken(36, "made up"))
    assert main(["--seeds", "1", "--from", "7"]) == 1
    said = capsys.readouterr().out
    assert "live it again: tradeloop replay --seed 7" in said
    assert " ^ p1 starts" in said
    assert " X invariant 36: made up" in said


def test_a_fault_that_never_strikes_is_named_once_enough_seeds_were_lived(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tradeloop.testing.prove.EVERY_FAULT_FROM", 1)
    assert main(["--seeds", "1", "--from", "7"]) == 1
    assert "has not struck in 1 seeds; expected every fault to be met" in capsys.readouterr().out


@pytest.mark.parametrize("asked", [["--seeds", "0"], ["--seeds", "many"], ["--jobs", "-1"]])
def test_a_number_that_makes_no_sense_is_refused(asked: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(asked)
    assert "expected a number of at least 1" in capsys.readouterr().err


@pytest.mark.parametrize("asked", ["-5", "1.5", str(2**64), "many", ""])
def test_a_first_seed_that_makes_no_sense_is_refused(asked: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([f"--from={asked}", "--seeds", "1"])
    assert f"was {asked!r}; expected a whole number of 0 or more" in capsys.readouterr().err


def test_a_world_that_falls_over_is_a_failed_seed_and_the_others_are_lived(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def live(seed: int) -> life.Outcome:
        if seed == 8:
            raise RuntimeError("no such thing")
        return life.live(seed)

    monkeypatch.setattr("tradeloop.testing.prove.live", live)
    kept = tmp_path / "tally.json"
    assert main(["--seeds", "3", "--from", "7", "--tally", str(kept)]) == 1
    said = capsys.readouterr().out
    assert "seed 8: the world fell over: RuntimeError: no such thing; live it again: tradeloop replay --seed 8" in said
    assert "invariants broken: in 1 seeds 8" in said
    tally = msgspec.json.decode(kept.read_bytes())["tally"]
    assert (tally["seeds"], tally["failed"]) == (3, [8])


def test_a_desk_that_denies_everything_is_no_proof(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The check of the session always says no: nothing breaks, and nothing trades."""

    def closed(*asked: object) -> Denied:
        return Denied("session_open", "CN_A", "closed", "the market is closed")

    monkeypatch.setattr(pipeline, "GATE", (closed,))
    monkeypatch.setattr(pipeline, "PIPELINE", (closed,))
    monkeypatch.setattr("tradeloop.testing.tally.JUDGED_FROM", 2)
    assert main(["--seeds", "2", "--from", "7"]) == 1
    said = capsys.readouterr().out
    assert "orders of ours: 0 accepted, 0 filled, " in said
    assert "invariants broken: in 0 seeds" in said
    assert "brokers accepted 0 orders of ours in 2 seeds; expected 2 a seed at least" in said


def test_a_desk_that_denies_everything_when_the_faults_have_stopped_is_no_proof() -> None:
    tally = Tally(seeds=200, dealt=Dealt(accepted=900, filled=700, denied=1500), late=Dealt(denied=80))
    (why,) = tally.idle
    assert "made after the faults had stopped none was accepted in 200 seeds, and 80 were denied" in why


def test_few_seeds_need_not_trade() -> None:
    assert Tally(seeds=99).idle == []


def test_a_story_is_told_in_the_order_it_happened() -> None:
    outcome = life.live(3)
    times = [float(line[:10]) for line in story(outcome)]
    assert times == sorted(times)
    assert len(times) == len(outcome.lines)


def test_a_tally_without_seeds_has_met_nothing() -> None:
    tally = Tally()
    assert tally.never_met == list(Fault)
    assert next(summary(tally, 0)).startswith("0 seeds, 0 crashes")


def test_a_row_that_nobody_judges_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The judge sees every durable row: one that it does not hear of breaks the chain it follows (invariant 33)."""
    keep, kept = Disk._keep, list[Batch]()

    def deaf(self: Disk, *rows: Batch) -> None:
        kept.extend(rows)
        watch = self.watch
        if len(kept) == 5:
            self.watch = lambda row: None
        keep(self, *rows)
        self.watch = watch

    monkeypatch.setattr(Disk, "_keep", deaf)
    assert 33 in {violation.invariant for violation in life.live(7).violations}


def test_a_long_count_that_is_broken_off_goes_on_where_it_was(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = tmp_path / "tally.json"
    assert main(["--seeds", "2", "--from", "7", "--tally", str(kept)]) == 0
    assert main(["--seeds", "3", "--from", "7", "--tally", str(kept)]) == 0
    whole = capsys.readouterr().out
    assert main(["--seeds", "3", "--from", "7"]) == 0
    at_once = capsys.readouterr().out
    assert [line.split(", in ")[0] for line in whole.splitlines()][-len(at_once.splitlines()) :] == [
        line.split(", in ")[0] for line in at_once.splitlines()
    ]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"code": "0" * 64}, "is of other code"),
        ({"start": 8}, "is of seeds from 8 on"),
        ({"tally": "none"}, "holds no tally"),
    ],
)
def test_a_count_of_something_else_is_refused_and_left_as_it_is(
    change: dict[str, object], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "tally.json"
    assert main(["--seeds", "1", "--from", "7", "--tally", str(kept)]) == 0
    kept.write_bytes(msgspec.json.encode(msgspec.json.decode(kept.read_bytes()) | change))
    before = kept.read_bytes()
    assert main(["--seeds", "2", "--from", "7", "--tally", str(kept)]) == 2
    assert says in capsys.readouterr().err
    assert kept.read_bytes() == before
