"""A target for a day on which nothing trades is refused for its day, not for the silence of a market that is shut."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.commands import FILES, runs, tradeloop


def test_a_weekend_context_is_refused_for_its_day_alone_and_nothing_is_written(tmp_path: Path) -> None:
    """S1-41: 2013-10-05 was a Saturday; a clock that began on the Monday after it could not go back."""
    (tmp_path / "tradeloop.yaml").write_text("feed:\n  wait_s: 0.2\n", encoding="utf-8")
    written = json.loads((FILES / "good" / "execution_context_us.json").read_text(encoding="utf-8"))
    context = tmp_path / "execution_context.json"
    context.write_text(json.dumps(written | {"trade_date": "2013-10-05", "generated_at": None}), encoding="utf-8")
    portfolio = FILES / "good" / "portfolio_us.csv"

    said = tradeloop(tmp_path, "run", str(portfolio), "--context", str(context), "--feed", "demo", "--yes")

    assert said.code == 2
    assert said.error.startswith("execution_context.json: the trade date 2013-10-05 is a Saturday and no trading day of US")
    assert "the next one is 2013-10-07" in said.error
    assert runs(tmp_path) == []
