"""Requests made out of openapi.json, as it says and with one thing wrong: no fault, nothing changed by what was refused, and
answers of the kind that is promised.

`make laws EXAMPLES=5000` asks for longer. The desk is a real one with real users, and whatever is allowed happens.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any, Final
from urllib.parse import quote, urlencode

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.api.desks import Client, Counter, Said, a_counter, buy, resting
from tests.api.houses import Browser, House, a_house
from tests.api.test_gate import ENTRIES, called
from tests.tidy.tree import ROOT

from tradeloop.access.identity import Role, Scope
from tradeloop.api.plain import moment
from tradeloop.api.policy import Entry, Rate, Who
from tradeloop.api.problem import MEDIA
from tradeloop.bootstrap import served
from tradeloop.bootstrap.served import ServedDesk
from tradeloop.core import events as ev
from tradeloop.engine.writer import Published

EXAMPLES: Final = int(os.environ.get("TRADELOOP_TEST_LAWS_EXAMPLES", "250"))
SECONDS: Final = float(os.environ.get("TRADELOOP_TEST_LAWS_SECONDS", "12"))
DOCUMENT: Final = msgspec.json.decode((ROOT / "docs" / "reference" / "openapi.json").read_bytes())
CODES: Final = (ROOT / "docs" / "reference" / "api.md").read_text(encoding="utf-8")

LEFT_OUT: Final = {("DELETE", "/api/v1/session")}
"""To sign out ends what everything else is asked with."""

ASKED: Final = [each for each in ENTRIES if (each.method, each.path) not in LEFT_OUT]

KNOWN: Final[dict[str, list[Any]]] = {
    "symbol": ["BAC.US", "IBM", "AIG.US", "600519.SH", "BTC/USDT"],
    "symbols": ["BAC.US,IBM.US", "x"],
    "exchange": ["US", "SSE", "paper", "binance", ""],
    "side": ["buy", "sell", "BUY"],
    "order_type": ["market", "limit", "stop", "stop_limit", "twap"],
    "time_in_force": ["DAY", "GTC", "IOC"],
    "position_effect": ["AUTO", "OPEN", "CLOSE"],
    "quantity": ["100", "1", "0", "1e400", "-5", "0.5"],
    "price": ["13.00", "1", "0", "99999999"],
    "stop_price": ["15.00", "1"],
    "weight": ["0.1", "25%", "2", "x"],
    "strategy_id": ["s1", "-", ""],
    "status": ["NEW", "FILLED", "filled", "x"],
    "tier": ["HALT", "REDUCE_ONLY", "x"],
    "scope": ["symbol", "strategy", "account", "x"],
    "name": ["AAPL.US", "bob", "paper", "s1"],
    "rule": ["max_order_value", "max_order_qty", "x"],
    "for": ["1h", "x"],
    "value": ["1000000", "-1", "x"],
    "currency": ["USD", "usd", "CNY", "x"],
    "alert_id": ["halt:1", "fate:x", "x"],
    "break_id": ["cash:paper:paper:USD", "x"],
    "broker": ["ib", "i b"],
    "account": ["paper", "U1", ""],
    "reason": ["because", ""],
    "roles": ["viewer", "admin", "x"],
    "scopes": ["read:acct", "order:live", "x"],
    "networks": ["10.0.0.0/8", "x"],
    "owner": ["", "*", "bob"],
    "user": ["", "*", "bob"],
    "as": ["NOT_SENT", "CANCELED", "x"],
}
"""What fields of these names mostly hold, so that requests come past the first door."""

JUNK: Final[list[Any]] = [None, True, -1, 0.1, 2**70, "", "x" * 5_000, "a\nb", "\u202ebuy", "NaN", [], {}, [[[]]], ["x"]]
AMOUNTS: Final = ["1", "100", "0.1", "-1", "1e400", "x"]
NO_OWN_DEED: Final = (ev.CancelRequested, ev.BreakClosed)
"""Facts that a halt in force goes on making in the name of whoever asked for it."""


@dataclass(frozen=True)
class Request:
    """One request, and the route that it is for."""

    entry: Entry
    path: str
    body: Any


def values(schema: dict[str, Any], name: str = "") -> st.SearchStrategy[Any]:
    """What a schema allows, mostly of what a field of this name means."""
    if "$ref" in schema:
        return values(DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]], name)
    if "anyOf" in schema:
        return st.one_of([values(each, name) for each in schema["anyOf"]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    match schema.get("type"):
        case "object" if "properties" in schema:
            needed = set(schema.get("required", ()))
            parts = {field: values(about, field) for field, about in schema["properties"].items()}
            must = {field: each for field, each in parts.items() if field in needed}
            return st.fixed_dictionaries(must, optional={field: parts[field] for field in parts if field not in needed})
        case "array":
            return st.lists(values(schema.get("items", {}), name), max_size=3)
        case "string" if name in KNOWN:
            return st.sampled_from(KNOWN[name])
        case "string" if schema.get("format") == "date-time":
            return st.sampled_from([moment(0), moment(1_381_240_000_000_000_000), "2013-10-08"])
        case "string" if schema.get("format") == "date":
            return st.sampled_from(["2013-10-08", "2013-13-01"])
        case "string" if "pattern" in schema:
            return st.sampled_from(AMOUNTS)
        case "string":
            return st.text(max_size=12)
        case "integer":
            return st.integers(schema.get("minimum", -2), schema.get("maximum", 1_200))
        case "boolean":
            return st.booleans()
        case _:
            return st.none() | st.booleans() | st.text(max_size=5)


@st.composite
def requests(draw: st.DrawFn, ids: dict[str, list[str]]) -> Request:
    """A request for one of the routes: as the document says, or with one thing in it that is wrong."""
    entry = draw(st.sampled_from(ASKED))
    about = DOCUMENT["paths"][entry.path.replace(":path", "")][entry.method.lower()]
    path, query = entry.path.replace(":path", ""), {}
    for each in about["parameters"]:
        name = each["name"]
        if each["in"] == "path":
            part = draw(st.sampled_from([*ids.get(name, KNOWN.get(name, [])), "x", "../x", "\U0001f4a5"]))
            path = path.replace(f"{{{name}}}", quote(part, safe=""))
        elif each["in"] == "query" and (each["required"] or draw(st.booleans())):
            known = st.sampled_from(ids[name]) if name in ids else values(each["schema"], name)
            query[name] = draw(known)
    body = draw(values(about["requestBody"]["content"]["application/json"]["schema"])) if "requestBody" in about else None
    if draw(st.booleans()):
        spoiled = [each for each in (query, body) if isinstance(each, dict) and each]
        if spoiled:
            where = draw(st.sampled_from(spoiled))
            where[draw(st.sampled_from([*where, "more"]))] = draw(st.sampled_from(JUNK))
        elif body is not None:
            body = draw(st.sampled_from(JUNK))
    if query:
        words = {
            name: str(value).lower() if isinstance(value, bool) else str(value)
            for name, value in query.items()
            if value is not None
        }
        path += f"?{urlencode(words)}"
    return Request(entry, path, body)


class Stage:
    """A desk with a person and a program before it, and what the last request has done in their name."""

    def __init__(self, counter: Counter, house: House, page: Browser, program: Client) -> None:
        self._counter, self._house, self._page, self._program = counter, house, page, program
        self._deeds: list[ev.Event] = []
        self.ids: dict[str, list[str]] = {}
        counter.desk.listen(self._heard)

    async def prepare(self) -> None:
        """One order that has filled, one that rests, a run that waits, and a halt of something else."""
        made = [(await self._program.post("/api/v1/orders", each)).document["order_id"] for each in (buy(), resting())]
        target = {"portfolio": [{"symbol": "IBM.US", "weight": "0.01"}], "hold": True}
        run = (await self._program.post("/api/trade/runs", target)).document["run_id"]
        await self._program.post("/api/v1/halts", {"reason": "x", "scope": "symbol", "name": "MSFT.US"})
        await self._house.add("bob")
        self.ids = {"order_id": made, "run_id": [run]}

    async def ask(self, request: Request) -> None:
        """Ask, and hold the answer and what was done against the laws."""
        desk, entry = self._counter.desk, request.entry
        await desk.settled()
        listed, logged = len(desk.state.instruments), await self._house.access.log(1)
        self._deeds = []
        by_person = entry.policy.of_person or entry.policy.who is Who.OPEN
        who: Browser | Client = self._page if by_person else self._program
        said = await who.send(entry.method, request.path, request.body)
        await desk.settled()
        told = (called(entry), request, said.status, said.document)
        assert said.status < 500, told
        if said.status >= 400:
            self._is_a_problem(said, told)
            if said.code != "denied":  # a denial is on record: the answer names it
                assert self._deeds == [], (told, self._deeds)
                assert len(desk.state.instruments) == listed, told
            if entry.policy.rate is not Rate.PROOF:  # a wrong password is counted and noted
                assert await self._house.access.log(1) == logged, told
        else:
            assert not entry.policy.safe or self._deeds == [], (told, self._deeds)
            if entry.gives is not None:
                msgspec.convert(said.document, entry.gives, strict=True)

    def _is_a_problem(self, said: Said, told: object) -> None:
        assert said.headers["content-type"] == MEDIA, told
        assert said.document["status"] == said.status, told
        assert f"`{said.code}`" in CODES, told
        assert said.document["detail"], told

    def _heard(self, published: Published) -> None:
        for event in published.events:
            by = event.limit.by if isinstance(event, ev.LimitSet) else getattr(event, "by", "")
            if by == "alice" and not isinstance(event, NO_OWN_DEED):
                self._deeds.append(event)


@asynccontextmanager
async def a_stage(home: Path) -> AsyncIterator[Stage]:
    """A desk that trades on paper, and everybody who may do everything."""
    async with a_counter(home) as counter, a_house(home, desk=ServedDesk(counter.desk, "up")) as house:
        await house.add("alice", *Role)
        device = await house.with_factor("alice")
        page = house.browser()
        await page.sign_in("alice", code=house.shown(device))
        stage = Stage(counter, house, page, house.program(await house.key("alice", *Scope)))
        await stage.prepare()
        yield stage


@contextmanager
def beside(home: Path) -> Iterator[tuple[Stage, Callable[[Coroutine[Any, Any, None]], None]]]:
    """A stage in a loop of its own, and how to have something done there: hypothesis draws in this thread."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def done(work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, loop).result(60)

    stage = a_stage(home)
    try:
        yield done(stage.__aenter__()), done
    finally:
        done(stage.__aexit__(None, None, None))
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.mark.timeout(120 + SECONDS)
def test_what_the_document_allows_is_answered_and_what_is_refused_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served, "QUOTED_S", 0.01)  # of a symbol that no recording has nothing comes, however long one waits
    with beside(tmp_path) as (stage, done):
        until = monotonic() + SECONDS

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.generate],  # a desk remembers: a request that is made smaller meets another one
            suppress_health_check=list(HealthCheck),
        )
        @given(requests(stage.ids))
        def holds(request: Request) -> None:
            if monotonic() < until:
                done(stage.ask(request))

        holds()


def test_every_route_is_asked() -> None:
    """The document and the table are one, so that no route is left out by its name."""
    assert {(each.method, each.path.replace(":path", "")) for each in ENTRIES} == {
        (method.upper(), path)
        for path, operations in DOCUMENT["paths"].items()
        for method, about in operations.items()
        if "101" not in about["responses"]
    }
