"""The rules that linters hold are shown able to fail: each offence is planted and must be caught."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.tidy.tree import ROOT, plant

PROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
CONTRACTS = PROJECT[PROJECT.index("[tool.importlinter]") :]
TOOLS = Path(sys.executable).parent

FOLDERS = [
    "access",
    "audit",
    "bootstrap",
    "brokers",
    "cli",
    "core",
    "engine",
    "feeds",
    "journal",
    "markets",
    "ports",
    "strategies",
    "targets",
    "testing",
    "venues",
    "views",
]
MODULES = ["__main__", "config"]

# Where the offending import stands, what it imports, and the contract that must break.
OFFENCES = [
    ("core/order.py", "tradeloop.ports.broker", "Imports point inward, along the flow"),
    ("markets/lots.py", "tradeloop.targets", "Imports point inward, along the flow"),
    ("engine/writer.py", "tradeloop.bootstrap", "Imports point inward, along the flow"),
    ("journal/sql.py", "tradeloop.feeds", "Imports point inward, along the flow"),
    (
        "markets/lots.py",
        "tradeloop.ports.broker",
        "Market rules and portfolio files know the core, not the ports",
    ),
    ("brokers/paper/book.py", "tradeloop.engine", "Adapters know ports and core, never the engine"),
    ("brokers/paper/book.py", "tradeloop.brokers.other", "Brokers do not know each other"),
    ("ports/broker.py", "sqlalchemy", "Ports name the core and nothing else"),
    ("core/order.py", "time", "The core is pure"),
    ("core/order.py", "random", "The core is pure"),
    ("core/risk/checks.py", "structlog", "The core is pure"),
    ("brokers/_template/adapter.py", "tradeloop.engine", "Adapters know ports and core, never the engine"),
    ("brokers/_template/adapter.py", "tradeloop.brokers.paper", "Brokers do not know each other"),
    ("brokers/_template/adapter.py", "tradeloop.venues", "Imports point inward, along the flow"),
    ("testing/world.py", "tradeloop.venues", "Imports point inward, along the flow"),
    (
        "venues/server.py",
        "tradeloop.brokers._template",
        "A venue does not know the adapters that are tested against it",
    ),
    (
        "cli/runs.py",
        "tradeloop.venues",
        "What trades is built of nothing that exists for tests or for copying",
    ),
    (
        "bootstrap/desk.py",
        "tradeloop.brokers._template",
        "What trades is built of nothing that exists for tests or for copying",
    ),
    (
        "cli/runs.py",
        "tradeloop.brokers.paper",
        "Only the composition root and the test worlds build concrete brokers",
    ),
]


def a_tree(root: Path) -> Path:
    """A package called tradeloop with today's layers, all empty, under today's contracts."""
    plant(root, "pyproject.toml", CONTRACTS)
    plant(root, "src/tradeloop/__init__.py")
    for folder in [*FOLDERS, "brokers/_template", "brokers/paper", "brokers/other", "core/risk"]:
        plant(root, f"src/tradeloop/{folder}/__init__.py")
    for module in MODULES:
        plant(root, f"src/tradeloop/{module}.py")
    plant(root, "src/tradeloop/ports/broker.py")
    plant(root, "src/tradeloop/strategies/child.py")
    plant(root, "src/tradeloop/bootstrap/toy.py", "import tradeloop.brokers._template\n")
    return root


def broken_contracts(root: Path) -> list[str]:
    """The names of the contracts that import-linter says are broken, or its error where it can not judge."""
    ran = subprocess.run(
        [str(TOOLS / "lint-imports"), "--config", "pyproject.toml", "--no-cache"],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root / "src"), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    said = re.sub(r"\x1b\[[0-9;]*m", "", ran.stdout)
    broken = re.findall(r"^(.*\S) BROKEN", said, re.MULTILINE)
    return broken if broken or ran.returncode == 0 else [said[-500:]]


def test_a_tree_in_order_breaks_no_contract(tmp_path: Path) -> None:
    assert broken_contracts(a_tree(tmp_path)) == []


@pytest.mark.parametrize(("where", "imported", "contract"), OFFENCES)
def test_an_import_against_the_rule_breaks_its_contract(tmp_path: Path, where: str, imported: str, contract: str) -> None:
    root = a_tree(tmp_path)
    plant(root, f"src/tradeloop/{where}", f"import {imported}\n")
    assert contract in "\n".join(broken_contracts(root))


def test_a_folder_without_a_place_is_refused(tmp_path: Path) -> None:
    root = a_tree(tmp_path)
    plant(root, "src/tradeloop/utils/__init__.py")
    assert broken_contracts(root) == ["Imports point inward, along the flow"]


BANNED = [
    "import time\n\nT = time.time()\n",
    "from time import monotonic_ns\n\nT = monotonic_ns()\n",
    "import time\n\ntime.sleep(1)\n",
    "import datetime\n\nT = datetime.datetime.now(datetime.UTC)\n",
    "import datetime\n\nT = datetime.date.today()\n",
    "import uuid\n\nI = uuid.uuid4()\n",
    "import random\n\nR = random.random()\n",
    "import os\n\nB = os.urandom(8)\n",
    "import secrets\n\nB = secrets.token_bytes(8)\n",
    "import asyncio\n\n\nasync def f() -> None:\n    await asyncio.sleep(1)\n",
]


def ruff_says(source: str, path: str) -> str:
    """What ruff says, under the project's own rules, about `source` as if it stood at `path`."""
    asked = [
        str(TOOLS / "ruff"),
        "check",
        "--select",
        "TID251,BLE001",
        "--no-cache",
        "--stdin-filename",
        path,
        "-",
    ]
    return subprocess.run(asked, cwd=ROOT, input=source, capture_output=True, text=True, check=False).stdout


@pytest.mark.parametrize("source", BANNED)
def test_reading_the_clock_or_drawing_at_random_is_caught(source: str) -> None:
    assert "TID251" in ruff_says(source, "src/tradeloop/engine/writer.py")


def test_the_one_clock_may_read_the_time() -> None:
    assert "TID251" not in ruff_says(BANNED[0], "src/tradeloop/engine/clock.py")


def test_a_seeded_generator_may_be_used() -> None:
    source = "import random\n\n\ndef f(r: random.Random) -> random.Random:\n    return random.Random(r.random())\n"
    assert "TID251" not in ruff_says(source, "src/tradeloop/feeds/synthetic.py")


def test_only_supervision_may_catch_everything() -> None:
    source = "try:\n    print()\nexcept Exception:\n    pass\n"
    assert "BLE001" in ruff_says(source, "src/tradeloop/engine/writer.py")
    assert "BLE001" not in ruff_says(source, "src/tradeloop/engine/supervise.py")
