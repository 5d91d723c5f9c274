"""A plan that was allowed and a run that is denied a moment later: what is said is what was done."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from tests.cli.commands import FAST, a_portfolio, us_run

from tradeloop.core.commands import StartRun
from tradeloop.core.run.conduct import Preview
from tradeloop.engine.engine import Engine


def test_a_run_with_yes_that_is_denied_after_its_plan_speaks_of_no_question(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a loaded machine the clock of a fast replay passes the close while the plan is made; here a limit stands for it."""
    planned = Engine.preview

    def allowed(self: Engine, command: StartRun) -> Preview:
        return msgspec.structs.replace(planned(self, command), findings=())

    monkeypatch.setattr(Engine, "preview", allowed)
    monkeypatch.setenv("TRADELOOP_RUN__MAX_WEIGHT", "0.1")
    said = us_run(tmp_path, a_portfolio(tmp_path, "AIG.US,0.5\n"), "--yes")

    assert said.code != 0
    assert "denied: " in said.err
    assert "question" not in said.error
    assert "while the plan was made" in said.error
    assert f"--speed {FAST}" in said.error
