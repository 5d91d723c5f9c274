"""`tradeloop run --demo`: the main job, from an empty folder to reconciled positions and files."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest
from tests.cli.commands import Said, demo, orders, runs, tradeloop


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Said]:
    """A home in which the demo ran once, and what it said."""
    home = tmp_path_factory.mktemp("demo")
    return home / "demo", demo(home, "--json")


def test_the_demo_ends_completed_with_no_unexplained_break(ended: tuple[Path, Said]) -> None:
    """S0-64, S1-53."""
    _, said = ended
    assert said.code == 0, said.err
    assert said.document["run"]["status"] == "COMPLETED"
    assert said.document["unexplained_breaks"] == 0
    assert said.document["breaks"] == []


def test_every_line_ends_at_its_target_here_and_at_the_broker(ended: tuple[Path, Said]) -> None:
    """S1-19."""
    _, said = ended
    lines = said.document["lines"]
    assert {line["ts_code"] for line in lines} == {"AIG.US", "BAC.US", "IBM.US", "SPY.US"}
    for line in lines:
        assert line["held_qty"] == line["target_qty"] == line["broker_qty"]
        assert Decimal(line["residual_qty"]) == 0
        assert line["slippage_bp"] is not None


def test_cash_is_what_the_fills_left(ended: tuple[Path, Said]) -> None:
    _, said = ended
    spent = sum(
        Decimal(fill["fill_qty"]) * Decimal(fill["fill_price"]) + Decimal(fill["commission"]) for fill in said.document["fills"]
    )
    (usd,) = [row for row in said.document["accounts"] if row["currency"] == "USD"]
    assert Decimal(usd["balance"]) == Decimal(1_000_000) - spent
    assert Decimal(usd["reserved"]) == 0


def test_the_run_leaves_the_four_files_under_their_names(ended: tuple[Path, Said]) -> None:
    """S1-31 to S1-34."""
    home, said = ended
    files = [Path(path) for path in said.document["artefacts"]]
    assert [path.name.rsplit("_", 2)[0] for path in files] == [
        "broker_fills",
        "broker_orders",
        "broker_reconcile",
        "broker_submit",
    ]
    assert all(path.parent == home / "artefacts" / said.document["run"]["id"] for path in files)
    reconcile = json.loads(files[2].read_text(encoding="utf-8"))
    assert {line["residual_qty"] for line in reconcile["lines"]} == {"0"}


def test_no_amount_in_the_document_is_a_json_number(ended: tuple[Path, Said]) -> None:
    _, said = ended
    order = said.document["orders"][0]
    assert isinstance(order["qty"], str)
    assert isinstance(order["avg_px"], str)
    assert "." not in "".join(str(value) for value in order.values() if isinstance(value, float))


def test_the_demo_again_is_the_same_run_and_sends_nothing(ended: tuple[Path, Said]) -> None:
    """S0-12, S0-60, S0-65, S1-42."""
    home, said = ended
    before = orders(home)
    again = demo(home.parent)
    assert again.code == 0
    assert f"run {said.document['run']['id']} exists; nothing was sent" in again.err
    assert orders(home) == before
    assert len(runs(home)) == 1


def test_the_demo_again_writes_no_second_set_of_files(ended: tuple[Path, Said]) -> None:
    home, said = ended
    again = demo(home.parent, "--json")
    assert again.document["artefacts"] == said.document["artefacts"]


def test_the_tables_for_a_person_name_run_positions_and_files(ended: tuple[Path, Said]) -> None:
    home, _ = ended
    said = demo(home.parent)
    for word in ("COMPLETED", "Positions", "Cash", "0 unexplained breaks", "broker_reconcile_", "AIG.US"):
        assert word in said.out


def test_files_and_folders_are_their_owners_alone(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert tradeloop(home, "db", "upgrade").code == 0
    assert home.stat().st_mode & 0o777 == 0o700
    assert (home / "tradeloop.db").stat().st_mode & 0o777 == 0o600
