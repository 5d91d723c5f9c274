"""The pages about brokers say what a run of the contract says, and the way they describe leads to a passing adapter."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.tidy.tree import ROOT, files

from tradeloop.testing.broker_contract.table import MARKER

TABLE = ROOT / "docs" / "brokers" / "README.md"
HOW_TO = ROOT / "docs" / "how-to" / "add-a-broker.md"


def run(command: list[str], root: Path) -> subprocess.CompletedProcess[str]:
    surroundings = os.environ | {"PYTHONPATH": f"{root / 'src'}{os.pathsep}{root}"}
    surroundings.pop("PYTEST_ADDOPTS", None)
    return subprocess.run(command, cwd=root, env=surroundings, capture_output=True, text=True, check=False)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_table_of_brokers_is_what_the_contract_finds_today() -> None:
    ran = run([sys.executable, "-m", "tradeloop.testing.broker_contract.table", "tests/contract"], ROOT)
    assert ran.returncode == 0, ran.stderr
    written = TABLE.read_text(encoding="utf-8")
    below = written[written.index(MARKER) :]
    assert below == ran.stdout, (
        f"write it anew: the head of {TABLE.name}, then `python -m tradeloop.testing.broker_contract.table`"
    )


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_commands_of_the_how_to_lead_to_a_passing_adapter(tmp_path: Path) -> None:
    """In a copy of the repository, as printed."""
    for path in files(
        ROOT, "src/*", "tests/contract/*", "tests/brokers/*", "tests/tidy/*", "pyproject.toml", "tests/conftest.py"
    ):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, tmp_path / path)
    copying, tabling = re.findall(r"```bash\n(.*?)```", HOW_TO.read_text(encoding="utf-8"), re.DOTALL)
    # The copied contract is run once, by the first block; the second one makes the table of what it leaves.
    for script in (copying, tabling):
        ran = run(["bash", "-euc", script.replace(".venv/bin/python", sys.executable)], tmp_path)
        assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr[-2000:]
    table = (tmp_path / "acme-table.md").read_text(encoding="utf-8")
    assert "| supported | **yes** | **yes** | **yes** |" in table
    assert "|  | acme | paper | template |" in table
