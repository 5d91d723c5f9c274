"""How old a price may be on a replay that is faster than the world: said before a run, and kept with it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.commands import FAST, a_portfolio, tradeloop, us_run


def test_a_run_keeps_how_old_a_price_could_be(tmp_path: Path) -> None:
    """S1-11: 300 times as fast as the world, the five seconds that the machine may take are 1,500 of the market."""
    portfolio = a_portfolio(tmp_path, "AIG.US,0.5\nBAC.US,0.45\n")
    planned = us_run(tmp_path, portfolio, "--dry-run", "--json")
    sent = us_run(tmp_path, portfolio, "--yes", "--json")

    assert (planned.code, sent.code) == (0, 0), (planned.err, sent.err)
    assert planned.document["max_quote_age_s"] == str(5 * int(FAST))
    records = [path for name in ("submit", "reconcile") for path in (tmp_path / "artefacts").rglob(f"broker_{name}_*.json")]
    kept = [json.loads(path.read_text(encoding="utf-8"))["run"]["max_quote_age_s"] for path in records]
    assert kept == [str(5 * int(FAST))] * 3


def test_the_help_of_a_run_says_how_old_a_price_may_be_on_a_fast_replay() -> None:
    said = tradeloop(Path(), "run", "--help").out
    assert "engine.ack_timeout_s" in "".join(said.split()).replace("│", "")
