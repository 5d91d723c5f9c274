"""Junk of every kind on every route: an answer that is a problem, never a fault, and nothing changed by what was refused."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from tests.api.desks import Client, Counter, a_counter
from tests.api.houses import Browser, a_house
from tests.api.test_gate import ENTRIES, called

from tradeloop.access.identity import Role, Scope
from tradeloop.api.policy import Entry, Rate, Who
from tradeloop.bootstrap.served import ServedDesk

TEXTS = [
    "",
    " ",
    "x",
    "-",
    "0",
    "-1",
    "1e400",
    "NaN",
    "9" * 400,
    "\u202ebuy",
    "a\nb",
    "%00",
    "'; DROP TABLE trade_orders; --",
    "../../etc/passwd",
    "BAC.US",
    "600519",
    "BTC/USDT",
    "paper",
    "global",
    "HALT",
    "2013-10-08",
    "2013-10-08T13:30:00Z",
    "9999-12-31T23:59:59Z",
    "\U0001f4a5" * 50,
]
VALUES: list[Any] = [*TEXTS, None, True, 0, -1, 2**70, 0.1, [], {}, ["x"], {"x": "y"}, [[[]]], {"portfolio": []}]
ROUNDS = 12


def an_address(draw: random.Random, entry: Entry) -> str:
    """The path of a route with junk in its places."""

    def written(_: re.Match[str]) -> str:
        return "".join(f"%{byte:02X}" for byte in (draw.choice(TEXTS) or "x").encode()).replace("%2F", "_")

    return re.sub(r"\{[^}]+\}", written, entry.path)


async def junk(client: Client | Browser, draw: random.Random, entry: Entry) -> tuple[int, Any]:
    """One request that nobody means."""
    params = {}
    if entry.query is not None:
        for name in entry.query.__struct_fields__:
            if draw.random() < 0.4:
                params[name] = draw.choice(TEXTS)
    body: Any = None
    if entry.body is not None:
        names = [field for field in entry.body.__struct_encode_fields__ if draw.random() < 0.7]
        body = {name: draw.choice(VALUES) for name in names}
        if draw.random() < 0.2:
            body = json.dumps(draw.choice(VALUES)).encode()
    query = f"?{urlencode(params)}" if params else ""
    said = await client.send(entry.method, f"{an_address(draw, entry)}{query}", body)
    return said.status, said.document


async def _lives(counter: Counter) -> bool:
    await counter.desk.settled()
    return counter.desk.is_ready


@pytest.mark.parametrize("seed", range(3))
async def test_junk_is_answered_and_changes_nothing(tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    faults, changed = [], []
    async with a_counter(tmp_path) as counter, a_house(tmp_path, desk=ServedDesk(counter.desk, "up")) as house:
        await house.add("alice", *Role)
        device = await house.with_factor("alice")
        alice = house.program(await house.key("alice", *Scope))
        page = house.browser()
        await page.sign_in("alice", code=house.shown(device))
        for entry in ENTRIES:
            for _ in range(ROUNDS):
                if entry.policy.rate is Rate.WORK and entry.tag == "positions" and draw.random() < 0.8:
                    continue  # a comparison of books is a change that was asked for
                await counter.desk.settled()
                before = counter.desk.durable_seq
                who = page if entry.policy.of_person or entry.policy.who is Who.OPEN else alice
                status, document = await junk(who, draw, entry)
                if status >= 500:
                    faults.append((called(entry), status, document))
                await counter.desk.settled()
                refused = status >= 400 and document["code"] != "denied"
                if refused and counter.desk.durable_seq != before:
                    changed.append((called(entry), status, document))
        assert await _lives(counter)
    assert faults == []
    assert changed == []
