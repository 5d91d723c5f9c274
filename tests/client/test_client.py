"""The client against a real desk on loopback: what it sends, what it makes of answers, and what it says of no answer."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.api.sockets import Wire, a_wire

from tradeloop.access.identity import Scope
from tradeloop.api.openapi import document
from tradeloop.client import (
    AsyncClient,
    Client,
    Denied,
    FateUnknown,
    NotAllowed,
    NotDone,
    NotSent,
    Refused,
    TooOften,
    access,
    access_told,
    books,
    books_told,
    orders,
    orders_told,
    runs,
    runs_told,
    stop,
    stop_told,
    strategies,
    strategies_told,
)
from tradeloop.client.ask import Ask, amount
from tradeloop.client.errors import error_of
from tradeloop.core.errors import BadInput

RESTS = orders.New("BAC.US", "buy", Decimal(100), "limit", price=Decimal("13.00"))


@asynccontextmanager
async def a_client(wire: Wire, *scopes: Scope, **more: float) -> AsyncIterator[AsyncClient]:
    """A client with these scopes, or with all."""
    async with AsyncClient(wire.address, wire.known.key("ann", *(scopes or tuple(Scope))), **more) as client:  # type: ignore[arg-type]
        yield client


async def test_an_order_goes_its_way_with_amounts_that_are_exact(tmp_path: Path) -> None:
    async with a_wire(tmp_path) as wire, a_client(wire) as client:
        taken = await client.send(orders.submit(RESTS))
        await client.send(orders.amend(taken.order_id, price="12.50"))
        shown = (await client.send(orders.get(taken.order_id))).order
        listed = await client.send(orders.listed(open_only=True))
        await client.send(orders.cancel(taken.order_id, "enough"))
        batch = await client.send(orders.submit_all([RESTS, orders.New("BAC.US", "buy", 10**9, "limit", price=13)]))
        counted = await client.send(orders.statistics())
    assert (taken.quantity, taken.price) == (Decimal(100), Decimal("13.00"))
    assert shown.quantity == Decimal(100)
    assert shown.created_at.tzinfo is UTC
    assert [each.order_id for each in listed.orders] == [taken.order_id]
    assert batch.results[0].taken().symbol == "BAC.US"
    with pytest.raises(Denied):
        batch.results[1].taken()
    assert counted.total == 3


async def test_books_halts_limits_and_runs_are_asked_for(tmp_path: Path) -> None:
    async with a_wire(tmp_path) as wire, a_client(wire) as client:
        account = await client.send(books.account())
        quotes = await client.send(books.quotes(["BAC.US", "AAPL.US"]))
        await client.send(stop.halt("look", scope="symbol", name="BAC.US"))
        halts = (await client.send(stop.halts())).halts
        await client.send(stop.release("seen", scope="symbol", name="BAC.US"))
        await client.send(stop.set_limit("max_order_qty", 500, lasts="30min", reason="results"))
        limits = (await client.send(stop.limits())).limits
        judged = await client.send(stop.check(msgspec.structs.replace(RESTS, quantity=600)))
        planned = await client.send(runs.make([runs.Line("BAC.US", "0.1")], dry_run=True))
        known = [
            (await client.send(books.positions())).positions,
            (await client.send(books.breaks())).breaks,
            (await client.send(books.alerts(open_only=False))).alerts,
            (await client.send(runs.listed())).runs,
            (await client.send(orders.fills())).fills,
        ]
    assert account.money[0].balance is not None
    assert isinstance(account.money[0].balance, Decimal)
    assert {each.symbol for each in quotes.quotes} | set(quotes.missing) == {"BAC.US", "AAPL.US"}
    assert [(each.tier, each.name, each.reason) for each in halts] == [("HALT", "BAC.US", "look")]
    assert ("max_order_qty", Decimal(500)) in [(each.rule, each.value) for each in limits]
    assert judged.denied is not None
    assert planned.plan is not None
    assert known[0] == known[3] == known[4] == []


async def test_a_no_is_raised_by_what_became_of_what_was_asked(tmp_path: Path) -> None:
    async with a_wire(tmp_path) as wire, a_client(wire) as client, a_client(wire) as other:
        with pytest.raises(Denied) as denied:
            await client.send(orders.submit(msgspec.structs.replace(RESTS, quantity=10**9)))
        with pytest.raises(NotDone) as unknown:
            await client.send(orders.get("nothing"))
        wire.known.revoke(wire.known.key("ann", *Scope))
        with pytest.raises(NotAllowed) as closed:
            await other.send(books.account())
    assert denied.value.denied["rule"]
    assert (unknown.value.status, unknown.value.code) == (404, "not_known")
    assert unknown.value.request_id
    assert closed.value.status == 401


async def test_the_same_ask_again_makes_one_order(tmp_path: Path) -> None:
    async with a_wire(tmp_path) as wire, a_client(wire) as client:
        ask = orders.submit(RESTS)
        first, second = await client.send(ask), await client.send(ask)
        third = await client.send(orders.submit(RESTS))
    assert first.order_id == second.order_id != third.order_id
    assert (first.repeat, second.repeat) == (False, True)


async def test_an_answer_that_never_comes_leaves_one_order_however_often_it_is_asked_for(tmp_path: Path) -> None:
    async with a_wire(tmp_path) as wire, _swallowing(wire, 2) as address:
        async with AsyncClient(address, wire.known.key("ann", *Scope), timeout_s=1.0) as client:
            taken = await client.send(orders.submit(RESTS))
        assert len(wire.desk.state.orders) == 1
        assert taken.order_id in wire.desk.state.orders.open


async def test_what_may_not_be_repeated_is_of_unknown_fate_without_an_answer(tmp_path: Path) -> None:
    async with (
        a_wire(tmp_path) as wire,
        _swallowing(wire, 9) as address,
        AsyncClient(address, wire.known.key("ann", *Scope), timeout_s=0.5) as client,
    ):
        with pytest.raises(FateUnknown, match="look what became of it"):
            await client.send(stop.release("seen"))


async def test_a_desk_that_is_not_there_was_sent_nothing() -> None:
    async with AsyncClient("http://127.0.0.1:9", "tlk_x", tries=1) as client:
        with pytest.raises(NotSent, match="was not reached"):
            await client.send(orders.submit(RESTS))


async def test_a_program_that_waits_has_the_same_client(tmp_path: Path) -> None:
    async with a_wire(tmp_path) as wire:
        key = wire.known.key("ann", *Scope)

        def work() -> tuple[str, list[str]]:
            with Client(wire.address, key) as desk:
                taken = desk.send(orders.submit(RESTS))
                told = desk.stream(["orders"])
                kinds = [type(next(told)).__name__ for _ in range(2)]
                told.close()  # type: ignore[attr-defined]
                with pytest.raises(NotDone):
                    desk.send(orders.get("nothing"))
                return taken.order_id, kinds

        order_id, kinds = await asyncio.to_thread(work)
        assert order_id in wire.desk.state.orders.open
    assert kinds == ["Up", "Snapshot"]


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (422, b'{"code":"denied"}', Denied),
        (422, b'{"code":"bad_input"}', NotDone),
        (409, b'{"code":"conflict"}', NotDone),
        (401, b'{"code":"not_identified"}', NotAllowed),
        (429, b'{"code":"over_rate"}', TooOften),
        (502, b'{"code":"refused_by_broker"}', Refused),
        (503, b'{"code":"not_sent"}', NotSent),
        (503, b'{"code":"journal_failed"}', FateUnknown),
        (504, b'{"code":"fate_unknown"}', FateUnknown),
        (502, b"<html>Bad Gateway</html>", FateUnknown),
        (404, b"<html>Not Found</html>", FateUnknown),
        (200, b"\xff", FateUnknown),
        (503, b'["code"]', FateUnknown),
    ],
)
def test_an_answer_that_is_no_success_is_sorted_by_fate(status: int, body: bytes, kind: type[Exception]) -> None:
    assert type(error_of(status, body)) is kind


@pytest.mark.parametrize("given", [0.1, True, "x", "NaN", Decimal("Infinity")])
def test_an_amount_is_never_a_float(given: object) -> None:
    with pytest.raises(BadInput):
        amount(given)  # type: ignore[arg-type]


def test_what_makes_something_has_a_key_from_the_start() -> None:
    one, two = orders.submit(RESTS), orders.submit(RESTS)
    assert re.fullmatch(r"[!-~]{20,128}", one.key)
    assert one.key != two.key
    assert [ask.may_repeat for ask in (one, orders.cancel("x"), books.account(), runs.retry("x"))] == [True, True, True, False]


def test_every_document_of_the_client_is_what_the_desk_gives() -> None:
    """The names of fields, by the document of the API: a field that the desk drops or renames fails here."""
    schemas = document()["components"]["schemas"]
    wrong = []
    for module in (orders_told, runs_told, books_told, stop_told, strategies_told, access_told):
        for name, kind in vars(module).items():
            if isinstance(kind, type) and kind.__module__ == module.__name__ and name in schemas:
                told = set(schemas[name].get("properties", {}))
                wrong += [f"{name}.{field}" for field in set(kind.__struct_fields__) ^ told]  # type: ignore[attr-defined]
    assert wrong == []


def test_every_path_of_the_client_is_one_of_the_desk() -> None:
    paths = document()["paths"]
    asks: list[Ask[Any]] = [
        orders.submit(RESTS),
        orders.submit_all([RESTS]),
        orders.amend("{order_id}"),
        orders.cancel("{order_id}"),
        orders.get("{order_id}"),
        orders.listed(side="buy", order_type="limit", created_by="ann", trading_day="x", since="x", until="x"),
        orders.queue(),
        orders.statistics(),
        orders.fills(),
        *(
            each("{run_id}")
            for each in (runs.get, runs.execute, runs.approve, runs.pause, runs.resume, runs.cancel, runs.retry)
        ),
        runs.make([]),
        runs.artefacts("{run_id}"),
        runs.artefact("{run_id}", "{name}"),
        runs.listed(),
        books.positions(),
        books.position("{symbol}", "{exchange}", "{strategy_id}"),
        books.account(),
        books.curve("USD"),
        books.quotes(),
        books.breaks(),
        books.alerts(unseen=True),
        books.acknowledge("{alert_id}"),
        books.main_contract(),
        books.switch_main_contract("x"),
        books.sync("{exchange}"),
        strategies.listed(),
        strategies.triggers("{name}", cursor="1"),
        *(each("{name}") for each in (strategies.get, strategies.configs, strategies.start, strategies.pause, strategies.stop)),
        access.log(what="signed in", who="ann", cursor="1"),
        access.secrets(),
        stop.halts(),
        stop.halt("x"),
        stop.release("x"),
        stop.limits(),
        stop.check(RESTS),
        stop.set_limit("x", 1, lasts="1h", reason="x"),
    ]
    for ask in asks:
        operation = paths[ask.path.replace("%7B", "{").replace("%7D", "}")][ask.method.lower()]
        assert set(ask.query) <= {each["name"] for each in operation["parameters"]}, ask.path
        assert bool(ask.key) is any(each["name"] == "Idempotency-Key" for each in operation["parameters"]), ask.path


@asynccontextmanager
async def _swallowing(wire: Wire, answers: int) -> AsyncIterator[str]:
    """A wire to the desk that carries every request there, and swallows the first answers."""
    host, port = wire.address.removeprefix("http://").split(":")
    left = [answers]
    open_: list[asyncio.StreamWriter] = []

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, to_desk = await asyncio.open_connection(host, int(port))
        open_.extend((writer, to_desk))

        async def back() -> None:
            while data := await there.read(65536):
                if left[0] > 0:
                    left[0] -= 1
                    return
                writer.write(data)

        behind = asyncio.ensure_future(back())
        try:
            while data := await reader.read(65536):
                to_desk.write(data)
        finally:
            behind.cancel()

    server = await asyncio.start_server(carry, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        for writer in open_:
            writer.close()
        server.close()
