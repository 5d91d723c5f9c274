"""The toy venue: in a process of its own, obeying what is typed, and keeping to its page."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
from tests.brokers.template.test_words_and_messages import an_order
from tests.contract.toy import TROUBLES

from tradeloop.brokers._template import Secret, TemplateBroker, TemplateConfig
from tradeloop.core.reports import BrokerUp, Execution, Report
from tradeloop.core.risk.pipeline import approved
from tradeloop.engine.clock import WallClock
from tradeloop.venues import toy
from tradeloop.venues.toy import ToyRules, ToyServer, server, venue
from tradeloop.venues.toy.control import COMMANDS, obey
from tradeloop.venues.toy.faults import Fault

PAGE = Path(toy.__file__).with_name("README.md").read_text(encoding="utf-8")


class Typed:
    """A toy in another process, and what is typed at it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def said(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        answer: dict[str, Any] = json.loads(await asyncio.wait_for(self.process.stdout.readline(), 10))
        return answer

    async def type(self, command: str) -> dict[str, Any]:
        assert self.process.stdin is not None
        self.process.stdin.write(command.encode() + b"\n")
        return await self.said()


async def test_an_adapter_trades_at_a_toy_in_another_process() -> None:
    """Real sockets between two processes: place, trade, be cut off, come back, and find everything in the books."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tradeloop.venues.toy", "--port", "0",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    typed = Typed(process)
    port = int((await typed.said())["listening"].rpartition(":")[2])
    config = TemplateConfig(port=port, token=Secret("toy-token"), backoff_s=(0.01,))
    broker = TemplateBroker(config, WallClock())
    heard: list[Report] = []
    try:
        await broker.connect(heard.append)
        await broker.place(approved(an_order()))
        first = (await typed.type("fill a1 40 9.87"))["exec_id"]
        await typed.type("cut")
        async with asyncio.timeout(10):
            while sum(isinstance(report, BrokerUp) for report in heard) < 2:
                await asyncio.sleep(0.005)
        second = (await typed.type("fill a1 60 9.80"))["exec_id"]
        shown = await broker.snapshot()
    finally:
        await broker.close()
        assert process.stdin is not None
        process.stdin.close()
        assert await asyncio.wait_for(process.wait(), 10) == 0
    assert [e.exec_id for e in shown.executions or ()] == [first, second]
    assert [p.long_qty for p in shown.positions or ()] == [100]
    assert {first, second} >= {e.exec_id for e in heard if isinstance(e, Execution)}


async def test_what_is_typed_is_done_and_what_is_not_understood_changes_nothing() -> None:
    there = ToyServer(ToyRules(), WallClock())
    hand = obey(there, "hand US:ACME B 5 10.00")
    trade = next(iter(there.venue.books.trades))
    assert hand == {"order_id": "O000001"}
    assert obey(there, f"correct {trade} 4 10.00") == {"done": "correct"}
    before = msgspec.json.encode(obey(there, "books")["trades"])
    for line in ("brew", "fill", "fill a1 1 1", "bust T9", "fault earthquake", "move US:ACME ten", f"correct {trade} x y"):
        assert "error" in obey(there, line), line
    assert msgspec.json.encode(obey(there, "books")["trades"]) == before
    assert obey(there, f"bust {trade}") == {"done": "bust"}
    assert obey(there, "books")["trades"] == []


def test_its_page_lists_every_command_code_and_fault() -> None:
    for name, (follows, about) in COMMANDS.items():
        written = " ".join(filter(None, (name, follows.replace("|", "\\|"))))
        assert f"| `{written}` | {about} |" in PAGE
    assert tuple(re.findall(r"^\| `([A-Z_]+)` \|", PAGE, re.MULTILINE)) == TROUBLES
    source = "".join(Path(str(module.__file__)).read_text(encoding="utf-8") for module in (server, venue))
    assert set(re.findall(r'(?:_no\(\s*|"code": |code=)"([A-Z_]+)"', source)) == set(TROUBLES)
    for fault in Fault:
        assert f"`{fault.value}`" in PAGE


async def test_books_add_up_after_trades_busts_and_corrections() -> None:
    """Position is the sum of what counts; cash is what it cost, to the last digit."""
    there = ToyServer(ToyRules(), WallClock()).venue
    for qty, px in (("10", "10.01"), ("20", "9.99"), ("30", "10.05")):
        there.by_hand("US:ACME", "B", Decimal(qty), Decimal(px))
    first, second, _ = there.books.trades
    there.bust(first)
    there.correct(second, Decimal(15), Decimal("9.98"))
    counted = [t for t in there.books.trades.values() if not t.busted]
    assert there.books.positions == {"US:ACME": Decimal(45)}
    assert there.books.cash == Decimal(1_000_000) - sum(t.qty * t.px + t.fee for t in counted)


async def test_a_client_that_does_not_read_is_cut_off() -> None:
    there = ToyServer(ToyRules(), WallClock())
    await there.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", there.port)
    try:
        writer.write(b'{"id": 1, "do": "login", "account": "demo", "token": "toy-token"}\n')
        await reader.readline()
        there.venue.by_hand("US:ACME", "B", Decimal(1), Decimal(10))
        exec_id = next(iter(there.venue.books.trades))
        async with asyncio.timeout(10):
            while there.sessions:
                for _ in range(1000):
                    there.venue.redeliver(exec_id)
                await asyncio.sleep(0)
        assert there.venue.books.trades[exec_id].qty == 1
    finally:
        writer.close()
        await there.stop()


async def test_nothing_is_done_without_a_login() -> None:
    there = ToyServer(ToyRules(), WallClock())
    await there.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", there.port)
    try:
        for request in (b'{"id": 1, "do": "books"}\n', b"not json\n"):
            writer.write(request)
            assert json.loads(await reader.readline())["ok"] is False
    finally:
        writer.close()
        await there.stop()
