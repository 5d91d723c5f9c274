"""`tradeloop replay --seed`: a life of the simulated world, told."""

from __future__ import annotations

from pathlib import Path

from tests.cli.commands import tradeloop


def test_a_seed_is_told_line_by_line_without_touching_the_home(tmp_path: Path) -> None:
    told = tradeloop(tmp_path / "home", "replay", "--seed", "3")
    assert told.code == 0
    assert "0.000 ^ p1 starts" in told.out
    assert "no invariant was broken" in told.out
    assert not (tmp_path / "home").exists()


def test_the_same_seed_has_the_same_hashes_in_another_process(tmp_path: Path) -> None:
    one, two = (tradeloop(tmp_path, "replay", "--seed", "5", "--json").document for _ in range(2))
    assert one["journal_sha256"] == two["journal_sha256"]
    assert one["state_hash"] == two["state_hash"]
    assert one["violations"] == []


def test_a_seed_has_no_sequence_number_to_stop_at(tmp_path: Path) -> None:
    refused = tradeloop(tmp_path, "replay", "--seed", "3", "--until", "4")
    assert refused.code == 2
    assert "leave one of them away" in refused.err
