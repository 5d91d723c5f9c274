"""The command line as tests use it: in this process, in a home of its own, with what it said and how it ended."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from tradeloop.cli.app import app

FILES = Path(__file__).parents[1] / "targets" / "files"
FAST = "300"
"""Replay speed of the tests: a market minute is a fifth of a second."""


@dataclass(frozen=True)
class Said:
    """What a command said on both streams, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.out)

    @property
    def error(self) -> str:
        """The sentence of a refusal, without the word before it."""
        lines = [line for line in self.err.splitlines() if line.startswith("error: ")]
        assert len(lines) == 1, self.err
        return lines[0].removeprefix("error: ")


def tradeloop(home: Path, *words: str, given: str | None = None) -> Said:
    """Run one command in `home`; a fault of the program fails the test with its traceback."""
    result = CliRunner().invoke(app, ["--home", str(home), *words], input=given, catch_exceptions=False)
    return Said(result.exit_code, result.stdout, result.stderr)


def demo(home: Path, *words: str) -> Said:
    """The demo run, fast."""
    return tradeloop(home, "run", "--demo", "--speed", FAST, *words)


def us_run(home: Path, portfolio: Path, *words: str) -> Said:
    """A US portfolio on the demo's quotes, with the demo's trade date."""
    context = FILES / "good" / "execution_context_us.json"
    return tradeloop(home, "run", str(portfolio), "--context", str(context), "--feed", "demo", "--speed", FAST, *words)


def a_portfolio(folder: Path, text: str, name: str = "portfolio.csv") -> Path:
    """A file with these lines below the header."""
    path = folder / name
    path.write_text(f"ts_code,weight\n{text}", encoding="utf-8")
    return path


def runs(home: Path) -> list[dict[str, Any]]:
    """The runs the home knows; none where nothing was ever recorded."""
    said = tradeloop(home, "runs", "list", "--json")
    if said.code == 2 and "nothing has been recorded" in said.document["error"]:
        return []
    assert said.code == 0, said.err
    found: list[dict[str, Any]] = said.document["runs"]
    return found


def orders(home: Path) -> list[dict[str, Any]]:
    """The orders the home knows."""
    said = tradeloop(home, "orders", "--json", "--limit", "1000")
    assert said.code == 0, said.err
    found: list[dict[str, Any]] = said.document["orders"]
    return found
