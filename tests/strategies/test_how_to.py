"""What docs/how-to/write-a-strategy.md shows does what it says, beside a real `tradeloop up`; and the example trades."""

from __future__ import annotations

import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path

import pytest
from tests.api.test_up import up
from tests.cli.commands import orders, tradeloop
from tests.strategies.houses import is_alive
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


@pytest.mark.crash
def test_the_example_trades_in_the_demo_when_the_portfolio_is_traded(tmp_path: Path) -> None:
    demo = tmp_path / "demo"
    with up(tmp_path, "--demo", "--speed", "60"):
        until = time.monotonic() + 60
        filled: list[str] = []
        while not filled and time.monotonic() < until:
            filled = [each["id"] for each in orders(demo) if each["strategy_id"] == "dip" and each["ord_status"] == "FILLED"]
        triggers = tradeloop(demo, "strategies", "triggers", "dip", "--json").document["triggers"]
    bought = next(each for each in reversed(triggers) if each["action_type"] == "BUY")
    assert (bought["execution_result"], bought["order_id"]) == ("TAKEN", filled[-1])
    assert bought["trigger_condition"].startswith("0.0004 below the highest")


@pytest.mark.crash
def test_a_strategy_that_hangs_ends_with_a_desk_that_is_killed(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    file = tmp_path / "hangs.py"
    file.write_text("class Hangs:\n    def on_quote(self, quote):\n        while True: pass\n", encoding="utf-8")
    file.chmod(0o600)
    config = "strategies:\n  - {name: hangs, file: hangs.py, symbols: [BAC.US], call_s: 60}\n"
    (tmp_path / "strategies.yaml").write_text(config, encoding="utf-8")
    with up(tmp_path, "--feed", "demo") as (process, _):
        assert tradeloop(tmp_path, "strategies", "start", "hangs").code == 0
        (one,) = tradeloop(tmp_path, "strategies", "list", "--json").document["strategies"]
        assert is_alive(one["pid"])
        process.kill()
        process.communicate()
    until = time.monotonic() + 20
    while is_alive(one["pid"]) and time.monotonic() < until:
        time.sleep(0.05)
    assert not is_alive(one["pid"])


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
    prices = ("100", "99.5", "98.9", "98", "99.9", "101")
    for number, price in enumerate(prices):
        px = Decimal(price)
        order = dip.on_bar(Bar(Symbol("BAC.US"), UtcNs(number), px, px, px, px, Decimal(0)))
        if order is not None:
            asked.append((order.side, price))
            dip.on_fill(Fill("BAC.US", order.side.upper(), Decimal(100), px, "o1", UtcNs(number)))
    assert asked == [("buy", "98.9"), ("sell", "99.9")]
