"""What docs/how-to/write-a-strategy.md shows does what it says, beside a real `tradeloop up`; and the example trades."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from tests.api.test_up import up
from tests.cli.commands import tradeloop
from tests.tidy.tree import ROOT

from tradeloop.core.types import Symbol, UtcNs
from tradeloop.strategies.bars import Bar
from tradeloop.strategies.child import made
from tradeloop.strategies.pipe import Begin, Fill

TEXT = (ROOT / "docs" / "how-to" / "write-a-strategy.md").read_text(encoding="utf-8")
BLOCKS = [block.split("```")[0] for block in TEXT.split("```bash\n")[1:]]
EXAMPLE = ROOT / "examples" / "strategies" / "dip.py"


@pytest.mark.crash
def test_the_commands_of_the_how_to_run(tmp_path: Path) -> None:
    head = f"set -e\nexport TRADELOOP_HOME={tmp_path}\n" + "tradeloop() { " + f'{sys.executable} -m tradeloop "$@"; }}\n'
    with up(tmp_path, "--feed", "demo"):
        script = head + "\n".join(BLOCKS)
        ran = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=120, check=False)
        listed = tradeloop(tmp_path, "strategies", "list", "--json").document["strategies"]
        triggers = tradeloop(tmp_path, "strategies", "triggers", "once", "--json").document["triggers"]
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "strategy once runs, version 1 of its configuration" in ran.stdout
    assert [(each["name"], each["standing"]) for each in listed] == [("once", "STOPPED")]
    assert [each["action_type"] for each in triggers][::-1] == ["START", "BUY", "PAUSE", "START", "STOP"]
    assert triggers[-2]["execution_result"] == "TAKEN"


def test_without_a_desk_the_command_says_what_is_missing(tmp_path: Path) -> None:
    assert tradeloop(tmp_path, "strategies", "list", "--json").document == {"strategies": []}
    said = tradeloop(tmp_path, "strategies", "start", "dip")
    assert (said.code, said.error) == (1, "no process trades in this home; strategies run in `tradeloop up`")
    assert tradeloop(tmp_path, "strategies", "triggers", "--json").document == {"triggers": []}


def test_the_example_buys_a_dip_and_sells_the_way_back() -> None:
    parameters = {"down": "0.01", "up": "0.01", "lot": "100"}
    dip = made(Begin("dip", EXAMPLE.read_bytes(), str(EXAMPLE), "", ["BAC.US"], parameters))
    dip.on_start()
    asked = []
    for number, price in enumerate(("100", "99.5", "98.9", "98", "99.9", "101")):
        px = Decimal(price)
        order = dip.on_bar(Bar(Symbol("BAC.US"), UtcNs(number), px, px, px, px, Decimal(0)))
        if order is not None:
            asked.append((order.side, price))
            dip.on_fill(Fill("BAC.US", order.side.upper(), Decimal(100), px, "o1", UtcNs(number)))
    assert asked == [("buy", "98.9"), ("sell", "99.9")]
