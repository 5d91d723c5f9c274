"""What docs/how-to/use-the-client.md shows does what it says, at a real desk."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from tests.api.sockets import a_wire
from tests.tidy.tree import ROOT

from tradeloop.access.identity import Scope

BLOCKS = re.findall(
    r"^```python\n(.*?)^```", (ROOT / "docs/how-to/use-the-client.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
)


async def test_the_examples_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with a_wire(tmp_path) as wire:
        key = wire.known.key("ann", Scope.READ_ACCOUNT, Scope.READ_MARKET, Scope.ORDER_PAPER, Scope.CANCEL)
        for block in BLOCKS:
            await asyncio.to_thread(exec, block, {"ADDRESS": wire.address, "KEY": key})
        assert len(wire.desk.state.orders) == 1
    said = capsys.readouterr().out
    assert len(BLOCKS) == 2
    assert re.search(r"^[a-z0-9]{18} (STAGED|PENDING_NEW|NEW)$", said, re.MULTILINE), said
    assert re.search(r"^USD [0-9.]+$", said, re.MULTILINE), said
