"""The toy venue: in a process of its own, obeying what is typed, and keeping to its page."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
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


async def test_its_market_trades_in_slices_by_its_own_clock_whoever_listens() -> None:
    """Nobody is connected: a day at a venue goes on without the client that began it."""
    rules = ToyRules(slice_qty=Decimal(40), slice_ns=5_000_000, held=(("US:ACME", Decimal(7)),))
    there = ToyServer(rules, WallClock())
    await there.start()
    try:
        placed = there.venue.answer(
            {
                "do": "place", "account": "demo", "cl_ord_id": "a1", "symbol": "US:ACME", "side": "B", "qty": "100",
                "type": "MKT", "px": None, "tif": "DAY",
            }
        )  # fmt: skip
        assert there.venue.books.trades == {}
        order = there.venue.books.newest_of("a1")
        assert order is not None
        async with asyncio.timeout(10):
            while order.is_open:
                await asyncio.sleep(0.002)
    finally:
        await there.stop()
    assert placed["ok"]
    assert [str(trade.qty) for trade in there.venue.books.trades.values()] == ["40", "40", "20"]
    assert there.venue.books.positions == {"US:ACME": Decimal(107)}


def test_an_order_that_may_not_rest_trades_whole_where_others_trade_in_slices() -> None:
    there = ToyServer(ToyRules(slice_qty=Decimal(40)), WallClock()).venue
    request = {
        "do": "place", "account": "demo", "cl_ord_id": "a1", "symbol": "US:ACME", "side": "B", "qty": "100", "type": "LMT",
        "px": "10.00", "tif": "FOK",
    }  # fmt: skip
    there.answer(request)
    assert [str(trade.qty) for trade in there.books.trades.values()] == ["100"]


def test_a_limit_that_the_price_does_not_reach_gets_no_slice() -> None:
    there = ToyServer(ToyRules(slice_qty=Decimal(40)), WallClock()).venue
    request = {
        "do": "place", "account": "demo", "cl_ord_id": "a1", "symbol": "US:ACME", "side": "B", "qty": "100", "type": "LMT",
        "px": "9.99", "tif": "DAY",
    }  # fmt: skip
    there.answer(request)
    there.trade_slices()
    assert there.books.trades == {}
    there.move("US:ACME", Decimal("9.99"))
    there.trade_slices()
    assert [(str(trade.qty), str(trade.px)) for trade in there.books.trades.values()] == [("40", "9.99")]


async def test_what_the_account_is_and_when_the_clock_begins_is_said_at_the_start() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tradeloop.venues.toy", "--begin", "2013-10-08T13:31:00Z", "--day", "2013-10-08",
        "--cash", "1500.50", "--account", "desk", "--hold", "US:HELD=300", "--price", "US:HELD=12.50", "--price", "US:WANT=3",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    typed = Typed(process)
    try:
        began = (await typed.said())["at"]
        shown = await typed.type("books")
    finally:
        assert process.stdin is not None
        process.stdin.close()
        assert await asyncio.wait_for(process.wait(), 10) == 0
    assert 0 <= began - 1_381_239_060_000_000_000 < 60_000_000_000
    assert (shown["account"], shown["day"]) == ("desk", "2013-10-08")
    assert shown["positions"] == [{"symbol": "US:HELD", "qty": "300", "sellable": "300"}]
    assert shown["cash"] == [{"currency": "USD", "balance": "1500.50", "available": None}]


@pytest.mark.parametrize(
    "words",
    [("--price", "US:ACME=ten"), ("--cash", "-1"), ("--begin", "2013-10-08T13:31:00"), ("--slice-ms", "0")],
    ids=" ".join,
)
def test_an_option_that_could_not_mean_anything_ends_it_at_once(words: tuple[str, str]) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "tradeloop.venues.toy", *words], capture_output=True, text=True, check=False, timeout=30
    )
    assert ran.returncode == 2
    assert words[0] in ran.stderr


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


@pytest.mark.parametrize(("settles_t1", "today", "tomorrow"), [(True, "10", "40"), (False, "40", "40")])
async def test_what_is_bought_today_is_sellable_when_it_settles(settles_t1: bool, today: str, tomorrow: str) -> None:
    there = ToyServer(ToyRules(held=(("US:ACME", Decimal(20)),), settles_t1=settles_t1), WallClock()).venue
    for side, qty in (("B", 30), ("S", 10), ("B", 5)):
        there.by_hand("US:ACME", side, Decimal(qty), Decimal(10))
    there.bust(list(there.books.trades)[-1])
    assert there.shown()["positions"] == [{"symbol": "US:ACME", "qty": "40", "sellable": today}]
    there.next_day("2026-07-20")
    assert there.shown()["positions"] == [{"symbol": "US:ACME", "qty": "40", "sellable": tomorrow}]


async def test_a_trade_costs_what_the_rules_say() -> None:
    there = ToyServer(ToyRules(fee_per_unit=Decimal("0.00137")), WallClock()).venue
    there.by_hand("US:ACME", "B", Decimal(20), Decimal(10))
    there.correct(next(iter(there.books.trades)), Decimal(10), Decimal(10))
    assert [t.fee for t in there.books.trades.values()] == [Decimal("0.01370")]


async def test_requests_are_counted_as_they_come_though_nothing_comes_of_them() -> None:
    there = ToyServer(ToyRules(), WallClock()).venue
    for do in ("cancel", "cancel", "place"):
        assert there.answer({"do": do, "expires_at": 1})["code"] == "REQUEST_EXPIRED"
    assert dict(there.asked) == {"cancel": 2, "place": 1}


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
