"""A target for a day on which nothing trades is denied for its day, not for the silence of a market that is shut."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.commands import FILES, runs, tradeloop


def test_a_weekend_context_is_denied_for_its_day_alone(tmp_path: Path) -> None:
    """S1-41, S0-56: 2013-10-05 was a Saturday; the recording has no quote of it."""
    (tmp_path / "tradeloop.yaml").write_text("feed:\n  wait_s: 0.2\n", encoding="utf-8")
    written = json.loads((FILES / "good" / "execution_context_us.json").read_text(encoding="utf-8"))
    context = tmp_path / "execution_context.json"
    context.write_text(json.dumps(written | {"trade_date": "2013-10-05", "generated_at": None}), encoding="utf-8")
    portfolio = FILES / "good" / "portfolio_us.csv"

    said = tradeloop(tmp_path, "run", str(portfolio), "--context", str(context), "--feed", "demo", "--yes")

    assert said.code == 3
    assert [line.split(": ")[2] for line in said.err.splitlines() if line.startswith("denied: ")] == ["not_a_trading_day"]
    assert runs(tmp_path) == []
    (record,) = (tmp_path / "artefacts" / "unsent").glob("broker_submit_*.json")
    assert json.loads(record.read_text(encoding="utf-8"))["run"]["code"] == "not_a_trading_day,no_prices"
