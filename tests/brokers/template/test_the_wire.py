"""The template's wire, at a venue that stumbles: what the session survives, what ends it, and how it comes back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import pytest
from tests.brokers.paper.made import ManualClock
from tests.brokers.template.test_words_and_messages import an_order

from tradeloop.brokers._template import Secret, TemplateBroker, TemplateConfig
from tradeloop.core.errors import FateUnknown, NotSent, Refused
from tradeloop.core.reports import BrokerDown, BrokerUp, Execution, OrderAck, Report
from tradeloop.core.risk.pipeline import approved
from tradeloop.core.types import SECOND_NS, ClOrdID, Symbol, UtcNs
from tradeloop.engine.clock import ReplayClock, WallClock
from tradeloop.venues.toy import ToyRules, ToyServer
from tradeloop.venues.toy.faults import Fault

MS = 1_000_000


class Line:
    """A toy, an adapter at it, and what it reported."""

    def __init__(self, server: ToyServer, **changes: Any) -> None:
        self.server = server
        self.heard: list[Report] = []
        fields: dict[str, Any] = {
            "port": server.port, "token": Secret("toy-token"), "answer_within_ns": 2000 * MS, "backoff_s": (0.01,),
        }  # fmt: skip
        self.broker = TemplateBroker(TemplateConfig(**(fields | changes)), WallClock())

    def all(self, kind: type[Report]) -> list[Any]:
        return [report for report in self.heard if isinstance(report, kind)]

    async def until(self, arrived: Callable[[], object]) -> None:
        async with asyncio.timeout(5):
            while not arrived():
                await asyncio.sleep(0.002)

    async def place(self, cl_ord_id: str, **changes: Any) -> None:
        await self.broker.place(approved(an_order(cl_ord_id=ClOrdID(cl_ord_id), **changes)))


@asynccontextmanager
async def a_line(**changes: Any) -> AsyncIterator[Line]:
    server = ToyServer(ToyRules(), WallClock())
    await server.start()
    line = Line(server, **changes)
    try:
        await line.broker.connect(line.heard.append)
        yield line
    finally:
        await line.broker.close()
        await server.stop()


async def test_lines_that_arrive_in_pieces_are_whole_messages() -> None:
    async with a_line() as line:
        line.server.venue.faults.arm(Fault.PIECES, 4)
        await line.place("a1")
        assert [ack.cl_ord_id for ack in line.all(OrderAck)] == ["a1"]


GIBBERISH = [
    (b"what is this", "what is this"),
    (b"[1, 2]", "[1, 2]"),
    (b'{"say": "halted", "symbol": "US:ACME"}', "'halted'"),
    (b'{"say": 5}', "{'say': 5}"),
    (b'{"say": "new", "order_id": "O1"}', "'order_id': 'O1'"),
]


@pytest.mark.parametrize(("line_said", "shown"), GIBBERISH)
async def test_a_line_that_cannot_be_read_ends_the_session_with_its_raw_text(line_said: bytes, shown: str) -> None:
    """It may have been a fill: the books that are read after the reconnect have it."""
    async with a_line() as line:
        line.server.say_raw(line_said)
        await line.until(lambda: len(line.all(BrokerUp)) == 2)
        (down,) = line.all(BrokerDown)
        assert shown in down.text


async def test_a_line_that_is_too_long_ends_the_session() -> None:
    async with a_line(line_max=4096) as line:
        line.server.say_raw(b"x" * 10_000)
        await line.until(lambda: line.all(BrokerDown))
        assert "too long" in line.all(BrokerDown)[0].text


async def test_an_answer_to_nobody_is_let_go() -> None:
    """A late answer to a request that was given up says nothing new: its order is asked about in the books."""
    async with a_line() as line:
        line.server.say_raw(b'{"re": 77, "ok": true}')
        await line.place("a1")
        assert line.all(BrokerDown) == []


async def test_a_bug_in_the_reading_is_raised_and_not_taken_for_an_outage() -> None:
    """A session that stays down for ever without a word would be worse than a process that stops."""
    async with a_line() as line:
        line.broker._translator.report = None  # type: ignore[method-assign, assignment]
        line.server.say_raw(b'{"say": "new"}')
        await line.until(lambda: not line.broker.is_connected)
        with pytest.raises(TypeError):
            await line.place("a1")


async def test_a_code_that_nobody_knows_leaves_the_fate_unknown_and_is_named() -> None:
    async with a_line() as line:
        line.server.venue.refusal = ("E-4711", "the moon is full")
        with pytest.raises(FateUnknown, match="E-4711: the moon is full"):
            await line.place("a1")


async def test_a_code_that_means_no_is_refused_in_the_venues_words() -> None:
    async with a_line() as line:
        with pytest.raises(Refused, match="no such symbol") as refused:
            await line.place("a1", symbol=Symbol("NOPE.US"))
        assert refused.value.code == "UNKNOWN_SYMBOL"


async def test_books_with_a_word_that_nobody_knows_cannot_be_read() -> None:
    """An order in a state we do not understand must not be taken for a closed one, nor for no order at all."""
    async with a_line() as line:
        await line.place("a1")
        line.server.venue.books.orders["O000001"].status = "frozen"
        with pytest.raises(NotSent, match="frozen"):
            await line.broker.snapshot()


async def test_a_place_ends_before_the_engine_gives_up_on_it() -> None:
    """Of 450 orders at 200 a second the last have to wait too long for their turn: surely not sent, said within ten seconds."""
    async with a_line(answer_within_ns=7900 * MS, in_flight_max=500) as line:
        outcomes = await asyncio.gather(*(line.place(f"a{n}") for n in range(450)), return_exceptions=True)
        late = [outcome for outcome in outcomes if outcome is not None]
        assert len(late) == 250
        assert {type(outcome) for outcome in late} == {NotSent}
        assert len(line.server.venue.books.orders) == 200


async def test_requests_that_wait_are_bounded() -> None:
    async with a_line(in_flight_max=2, answer_within_ns=150 * MS) as line:
        line.server.venue.faults.arm(Fault.SWALLOW, 3)
        outcomes = await asyncio.gather(*(line.place(f"a{n}") for n in range(3)), return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [FateUnknown, FateUnknown, NotSent]


async def test_a_request_that_expired_on_its_way_was_not_sent() -> None:
    """The venue says that it threw it away: that is proof."""
    async with a_line(lives_ns=1) as line:
        with pytest.raises(NotSent):
            await line.place("a1")
        assert line.server.venue.books.orders == {}


@pytest.mark.parametrize("begins", [1_381_239_060 * SECOND_NS, 4_000_000_000 * SECOND_NS], ids=["years behind", "years ahead"])
async def test_a_clock_of_ours_that_is_wrong_neither_shortens_nor_lengthens_the_life_of_a_request(begins: int) -> None:
    """A request that lives longer than was declared may arrive after it was proven that it never would."""
    server = ToyServer(ToyRules(late_ns=300 * MS), WallClock())
    await server.start()
    config = TemplateConfig(port=server.port, token=Secret("toy-token"), answer_within_ns=500 * MS, lives_ns=150 * MS)
    broker = TemplateBroker(config, ReplayClock(UtcNs(begins), 1))
    try:
        await broker.connect(lambda _: None)
        await broker.place(approved(an_order(cl_ord_id=ClOrdID("intime"))))
        server.venue.faults.arm(Fault.LATE)
        with pytest.raises(FateUnknown):
            await broker.place(approved(an_order(cl_ord_id=ClOrdID("toolate"))))
        assert [order.cl_ord_id for order in server.venue.books.orders.values()] == ["intime"]
    finally:
        await broker.close()
        await server.stop()


async def test_a_venue_that_does_not_tell_its_time_is_not_traded_at() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b'{"re": 1, "ok": true, "day": "2026-07-17"}\n')
        await reader.read()
        writer.close()

    venue = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = venue.sockets[0].getsockname()[1]
    broker = TemplateBroker(TemplateConfig(port=port, token=Secret("toy-token")), WallClock())
    try:
        await broker.connect(lambda _: None)
        with pytest.raises(NotSent, match="its time is None"):
            await broker.place(approved(an_order(cl_ord_id=ClOrdID("a1"))))
    finally:
        await broker.close()
        venue.close()
        await venue.wait_closed()


async def test_a_venue_that_falls_silent_is_noticed_by_the_heartbeat() -> None:
    """F9: a half-open connection looks sound to TCP for a long time."""
    async with a_line(heartbeat_ns=20 * MS, answer_within_ns=50 * MS) as line:
        line.server.venue.answer = lambda request: {"re": None}  # type: ignore[method-assign]
        line.server._reply = lambda writer, message: None  # type: ignore[method-assign]
        await line.until(lambda: line.all(BrokerDown))
        assert "heartbeat" in line.all(BrokerDown)[0].text


async def test_the_session_outlives_many_heartbeats() -> None:
    async with a_line(heartbeat_ns=5 * MS) as line:
        await asyncio.sleep(0.06)
        await line.place("a1")
        assert line.all(BrokerDown) == []


async def test_connect_returns_though_nobody_is_there_and_the_session_comes_later() -> None:
    server = ToyServer(ToyRules(), WallClock())
    await server.start()
    port = server.port
    await server.stop()
    line = Line(server, port=port)
    try:
        await line.broker.connect(line.heard.append)
        assert line.heard == []
        with pytest.raises(NotSent, match="could not be reached"):
            await line.place("a1")
        await server.start(port)
        await line.until(lambda: line.all(BrokerUp))
        await line.place("a1")
    finally:
        await line.broker.close()
        await server.stop()
    assert [ack.cl_ord_id for ack in line.all(OrderAck)] == ["a1"]


async def test_a_login_that_is_refused_says_so_without_the_token() -> None:
    async with a_line(token=Secret("wrong-token")) as line:
        with pytest.raises(NotSent, match="BAD_LOGIN") as refused:
            await line.place("a1")
        assert "wrong-token" not in str(refused.value)
        assert line.heard == []


async def test_the_waits_between_attempts_grow_to_the_last_and_stay_there() -> None:
    """D9: it never gives up, and it never hammers."""
    clock = ManualClock()
    waits: list[float] = []
    sleep_until = clock.sleep_until

    async def counted(due: Any) -> None:
        waits.append((due - clock.now()) / SECOND_NS)
        await sleep_until(due)

    clock.sleep_until = counted  # type: ignore[method-assign]
    server = ToyServer(ToyRules(), clock)
    await server.start()
    port = server.port
    await server.stop()
    broker = TemplateBroker(TemplateConfig(port=port, token=Secret("t")), clock)
    await broker.connect(lambda _: None)
    async with asyncio.timeout(5):
        while len(waits) < 8:
            await asyncio.sleep(0.002)
            for due, _, _ in list(clock._sleepers):
                await clock.move_to(due)
    await broker.close()
    assert waits[:8] == [1, 2, 4, 8, 16, 30, 30, 30]


async def test_broker_up_comes_before_what_the_venue_says_at_once() -> None:
    server = ToyServer(ToyRules(replays=True), WallClock())
    await server.start()
    server.venue.by_hand("US:ACME", "B", Decimal(1), Decimal(10))
    line = Line(server)
    try:
        await line.broker.connect(line.heard.append)
        await line.until(lambda: line.all(Execution))
    finally:
        await line.broker.close()
        await server.stop()
    assert [type(report) for report in line.heard] == [BrokerUp, Execution]


@asynccontextmanager
async def a_silent_server() -> AsyncIterator[int]:
    """Takes connections and says nothing; gives its port."""
    taken: list[asyncio.StreamWriter] = []

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        taken.append(writer)
        await reader.read()

    listening = await asyncio.start_server(take, "127.0.0.1", 0)
    try:
        yield listening.sockets[0].getsockname()[1]
    finally:
        for writer in taken:
            writer.transport.abort()
        listening.close()
        await listening.wait_closed()


async def test_a_login_that_is_never_answered_is_given_up_in_time() -> None:
    async with a_silent_server() as port:
        broker = TemplateBroker(TemplateConfig(port=port, token=Secret("t"), connect_within_ns=50 * MS), WallClock())
        async with asyncio.timeout(5):
            await broker.connect(lambda _: None)
        with pytest.raises(NotSent, match="no answer in time"):
            await broker.snapshot()
        await broker.close()


async def test_a_connect_that_is_cancelled_leaves_no_task_after_close() -> None:
    async with a_silent_server() as port:
        broker = TemplateBroker(TemplateConfig(port=port, token=Secret("t")), WallClock())
        before = asyncio.all_tasks()
        connecting = asyncio.ensure_future(broker.connect(lambda _: None))
        await asyncio.sleep(0.02)
        connecting.cancel()
        await asyncio.gather(connecting, return_exceptions=True)
        await broker.close()
        left = {task for task in asyncio.all_tasks() - before if "take" not in repr(task)}
        assert left == set()
