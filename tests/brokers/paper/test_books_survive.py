"""The paper broker's file: what was acknowledged is there after kill -9, and nobody else's file is taken."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from decimal import Decimal
from pathlib import Path

import pytest
from tests.brokers.paper.made import (
    DAY,
    MAOTAI,
    NEXT_DAY,
    WINDOWS,
    ManualClock,
    Session,
    approved,
    ashare,
    at,
    bar,
    quote,
    stock,
    turns,
)

from tradeloop.brokers.paper import PaperBroker, PaperConfig
from tradeloop.core.errors import BadInput, FateUnknown, JournalFailed, NotSent
from tradeloop.core.reports import BrokerDown, Report
from tradeloop.core.types import (
    SECOND_NS,
    AccountID,
    Amount,
    ClOrdID,
    Currency,
    OrdStatus,
    Side,
    TimeInForce,
    TradingDay,
    UtcNs,
)

PLACES_FOR_EVER = """
import asyncio, sys
from pathlib import Path
from tests.brokers.paper.made import DAY, MAOTAI, WINDOWS, ManualClock, approved, at, quote, stock
from tradeloop.brokers.paper import PaperBroker, PaperConfig
from tradeloop.core.reports import Execution, OrderAck

def say(report):
    if isinstance(report, OrderAck):
        print("ack", report.cl_ord_id, flush=True)
    if isinstance(report, Execution):
        print("fill", report.exec_id, flush=True)

async def main():
    broker = PaperBroker(PaperConfig(path=Path(sys.argv[1]), latency_ns=0), ManualClock())
    broker.list_instruments([stock()])
    await broker.connect(say)
    for n in range(1_000_000):
        broker.on_quote(quote(0, "10.00", "10.01"))
        await broker.place(approved(f"k{n}", size=1))

asyncio.run(main())
"""


async def reopened(path: Path, clock: ManualClock | None = None) -> Session:
    its = clock or ManualClock()
    session = Session(PaperBroker(PaperConfig(path=path, latency_ns=0), its), its)
    await session.broker.connect(session.reports.append)
    return session


async def traded(path: Path) -> Session:
    """A file with a filled, a working and a rejected order."""
    session = await reopened(path)
    session.broker.list_instruments([stock()])
    session.broker.on_quote(quote(0, "10.00", "10.01"))
    await session.broker.place(approved("filled"))
    await session.broker.place(approved("working", price="9.00"))
    await session.broker.place(approved("rejected", Side.SELL, 999))
    return session


@contextmanager
def held(path: Path, broker: PaperBroker | None = None) -> Iterator[sqlite3.Connection]:
    """Another program is in the middle of a write until the block ends; `broker`, where one is given, hardly waits for it."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        if broker is not None:
            broker._books._store._db.execute("PRAGMA busy_timeout=1")  # type: ignore[union-attr]
        yield other
        if other.in_transaction:
            other.execute("ROLLBACK")


@pytest.mark.crash
async def test_books_survive_kill_9(tmp_path: Path) -> None:
    """S0-61: every order that was acknowledged, and every fill that was reported, is in the books afterwards."""
    path = tmp_path / "paper.db"
    root = Path(__file__).parents[3]
    child = subprocess.Popen(
        [sys.executable, "-c", PLACES_FOR_EVER, str(path)], stdout=subprocess.PIPE, text=True, cwd=root,
        env={**os.environ, "PYTHONPATH": f"{root}{os.pathsep}{root / 'src'}"},
    )  # fmt: skip
    assert child.stdout is not None
    said = [child.stdout.readline().split() for _ in range(60)]
    child.send_signal(signal.SIGKILL)
    said += [line.split() for line in child.stdout.read().splitlines() if len(line.split()) == 2]
    child.stdout.close()
    assert child.wait() == -signal.SIGKILL
    snapshot = await (session := await reopened(path)).broker.snapshot()
    assert snapshot.orders is not None
    assert snapshot.executions is not None
    orders = {o.cl_ord_id for o in snapshot.orders}
    fills = {e.exec_id for e in snapshot.executions}
    assert {word[1] for word in said if word[0] == "ack"} <= orders
    assert {word[1] for word in said if word[0] == "fill"} <= fills
    ((position,), (cash,)) = (snapshot.positions or (), snapshot.cash or ())
    assert position.long_qty == len(fills)
    assert cash.balance == Decimal(1_000_000) - len(fills) * Decimal("10.01")
    await session.broker.close()


async def test_a_restart_finds_the_books_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "paper.db"
    first = await traded(path)
    before = await first.broker.snapshot()
    await first.broker.close()
    second = await reopened(path)
    after = await second.broker.snapshot()
    assert after == before
    assert [(o.cl_ord_id, o.ord_status) for o in after.orders or ()] == [
        ("filled", OrdStatus.FILLED),
        ("working", OrdStatus.NEW),
        ("rejected", OrdStatus.REJECTED),
    ]
    await second.broker.close()


async def test_a_working_order_fills_after_the_restart(tmp_path: Path) -> None:
    await (await traded(tmp_path / "paper.db")).broker.close()
    session = await reopened(tmp_path / "paper.db")
    session.broker.on_quote(quote(1, "8.98", "8.99"))
    assert [e.cl_ord_id for e in session.executions()] == ["working"]
    assert session.executions()[0].exec_id == "E0000000002", "ids go on where they stopped"
    await session.broker.close()


async def test_quotes_that_come_before_the_session_is_open_wait_for_it(tmp_path: Path) -> None:
    """A restart plays the feed while it recovers; what the market does meanwhile is not lost on a standing order."""
    await (await traded(tmp_path / "paper.db")).broker.close()
    clock = ManualClock()
    session = Session(PaperBroker(PaperConfig(path=tmp_path / "paper.db", latency_ns=0), clock), clock)
    await session.broker.close()
    session.broker.on_quote(quote(1, "8.98", "8.99"))
    session.broker.on_quote(quote(2, "9.98", "9.99"))
    await session.broker.connect(session.reports.append)
    shown = await session.broker.snapshot()
    assert [e.cl_ord_id for e in shown.executions or ()] == ["filled", "working"]
    await session.broker.close()


async def test_a_bar_of_the_process_before_has_its_volume_once(tmp_path: Path) -> None:
    """It is offered again after a restart, since nobody knows how far the feed had come; the books know."""
    first = await reopened(tmp_path / "paper.db")
    first.broker.list_instruments([stock()])
    first.broker.on_quote(bar(0, "9.40", 1000))
    await first.broker.place(approved("large", size=500, price="12.00"))
    first.broker.on_quote(bar(60, "9.50", 1000))
    await first.broker.close()
    clock = ManualClock(at(300))
    session = Session(PaperBroker(PaperConfig(path=tmp_path / "paper.db", latency_ns=0), clock), clock)
    await session.broker.close()
    session.broker.on_quote(bar(60, "9.50", 1000))
    session.broker.on_quote(bar(120, "9.60", 1000))
    await session.broker.connect(session.reports.append)
    shown = await session.broker.snapshot()
    bars = [(str(e.last_qty), str(e.last_px)) for e in shown.executions or () if e.cl_ord_id == "large"]
    assert bars == [("100", "9.50"), ("100", "9.60")]
    await session.broker.close()


async def test_cancels_that_were_under_way_take_effect_in_the_order_they_were_asked_for(tmp_path: Path) -> None:
    config = PaperConfig(path=tmp_path / "paper.db", latency_ns=500_000_000)
    clock = ManualClock()
    first = Session(PaperBroker(config, clock), clock)
    first.broker.list_instruments([stock()])
    await first.broker.connect(first.reports.append)
    for name, seconds in (("early", 0.0), ("late", 0.1)):
        await clock.move_to(at(seconds))
        await first.broker.place(approved(name, price="9.00"))
    for name, seconds in (("late", 1.0), ("early", 1.4)):
        await clock.move_to(at(seconds))
        await first.broker.cancel(ClOrdID(name), None, stock().symbol)
    await first.broker.close()
    second = Session(PaperBroker(config, clock), clock)
    assert second.broker._matching.next_due() == at(0.0) + 500_000_000, "the first order reaches the market before all"
    second.broker._matching.advance(at(1.5))
    working = [o.cl_ord_id for o in second.broker._books.working()]
    assert working == ["early"], "its cancel was asked for later"


async def test_the_first_trading_of_a_client_id_is_remembered_for_ever(tmp_path: Path) -> None:
    clock = ManualClock()
    await (await traded(tmp_path / "paper.db")).broker.close()
    session = await reopened(tmp_path / "paper.db", clock)
    for day in (1, 2, 3):
        await clock.move_to(at(day * 86_400))
        await session.broker.snapshot()
    assert ClOrdID("filled") not in session.broker._books.by_cl_ord_id, "it has left memory"
    session.broker.on_quote(quote(3 * 86_400, "10.00", "10.01"))
    await session.broker.place(approved("filled"))
    assert session.words() == ["BrokerUp", "OrderExpire", "OrderAck", "Execution"]
    assert [e.exec_id for e in session.executions()] == ["E0000000001"], "the fill of the first day, told again"
    assert session.broker._books.last_exec == 1
    await session.broker.close()


async def test_an_old_fill_can_still_be_busted(tmp_path: Path) -> None:
    clock = ManualClock()
    first = await traded(tmp_path / "paper.db")
    exec_id = first.executions()[0].exec_id
    await first.broker.close()
    session = await reopened(tmp_path / "paper.db", clock)
    await clock.move_to(at(3 * 86_400))
    session.broker.bust(exec_id)
    snapshot = await session.broker.snapshot(at(0))
    assert not snapshot.executions
    assert not snapshot.positions
    await session.broker.close()


async def test_orders_placed_at_once_share_a_commit(tmp_path: Path) -> None:
    session = await reopened(tmp_path / "paper.db")
    session.broker.list_instruments([stock()])
    session.broker.on_quote(quote(0, "10.00", "10.01"))
    before = _steps(tmp_path / "paper.db")
    await asyncio.gather(*(session.broker.place(approved(f"a{n}", size=1)) for n in range(50)))
    assert len(session.executions()) == 50
    assert _steps(tmp_path / "paper.db") == before + 1
    await session.broker.close()


async def test_no_report_leaves_before_its_commit(tmp_path: Path) -> None:
    path = tmp_path / "paper.db"
    session = await reopened(path)
    session.broker.list_instruments([stock()])
    seen: list[int] = []

    def look(_report: Report) -> None:
        with sqlite3.connect(path) as db:
            seen.append(db.execute("SELECT count(*) FROM orders").fetchone()[0])
        db.close()

    session.broker._report = look
    await session.broker.place(approved("a1", price="9.00"))
    assert seen == [1]
    await session.broker.close()


async def test_a_file_of_another_account_is_refused(tmp_path: Path) -> None:
    await (await traded(tmp_path / "paper.db")).broker.close()
    with pytest.raises(BadInput, match="give each paper account its own file"):
        PaperBroker(PaperConfig(path=tmp_path / "paper.db", account=AccountID("other")), ManualClock())


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "paper.db").write_text("not a database, but long enough to be taken for one" * 100)
    with pytest.raises(JournalFailed, match="expected the SQLite file that this broker wrote: put it back from a backup"):
        PaperBroker(PaperConfig(path=tmp_path / "paper.db"), ManualClock())


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("UPDATE orders SET body = x'7b'", "truncated"),
        ("UPDATE cash SET balance = 'much'", "a number in it is none"),
        ("UPDATE positions SET long_today = '1.2.3'", "a number in it is none"),
    ],
    ids=["an order", "cash", "a position"],
)
async def test_a_file_with_something_unreadable_in_it_is_refused_in_one_sentence(
    tmp_path: Path, statement: str, found: str
) -> None:
    await (await traded(tmp_path / "paper.db")).broker.close()
    with sqlite3.connect(tmp_path / "paper.db") as db:
        db.execute(statement)
    with pytest.raises(JournalFailed, match=f"could not be read .*{found}"):
        PaperBroker(PaperConfig(path=tmp_path / "paper.db"), ManualClock())


@pytest.mark.parametrize("empty", [False, True], ids=["gone", "empty"])
async def test_books_that_have_to_be_there_are_never_made_anew(tmp_path: Path, empty: bool) -> None:
    path = tmp_path / "paper.db"
    if empty:
        path.touch()
    with pytest.raises(JournalFailed, match="are gone: expected the broker's own record"):
        PaperBroker(PaperConfig(path=path, begun=True), ManualClock())
    assert path.exists() is empty


async def test_books_that_vanish_under_a_broker_are_not_made_anew_when_it_connects_again(tmp_path: Path) -> None:
    session = await traded(tmp_path / "paper.db")
    await session.broker.close()
    for each in tmp_path.iterdir():
        each.unlink()
    with pytest.raises(JournalFailed, match="there is no such file"):
        await session.broker.connect(session.reports.append)
    assert not list(tmp_path.iterdir())


async def test_a_second_process_on_the_file_is_noticed_and_nothing_of_it_is_reported(tmp_path: Path) -> None:
    first = await traded(tmp_path / "paper.db")
    second = await reopened(tmp_path / "paper.db")
    second.broker.on_quote(quote(1, "10.00", "10.01"))
    await second.broker.place(approved("theirs"))
    with pytest.raises(FateUnknown, match="changed by another process"):
        await first.broker.place(approved("ours"))
    assert first.words()[-1] == "BrokerDown"
    with pytest.raises(NotSent):
        await first.broker.place(approved("later"))
    await second.broker.close()
    await first.broker.close()


@pytest.mark.parametrize("reopens", [False, True], ids=["the same session", "after a restart"])
async def test_an_order_that_stood_for_days_is_shown_when_it_has_ended(reopens: bool, tmp_path: Path) -> None:
    """S0-61: its end may have been told to nobody, and books that do not show an order say that there is none."""
    clock = ManualClock()
    session = await reopened(tmp_path / "paper.db", clock)
    session.broker.list_instruments([ashare()])
    session.broker.transfer("CNY", Decimal(1_000))
    day_s = 24 * 3600
    for number, day in enumerate((DAY, NEXT_DAY, TradingDay("2026-07-21"))):
        await clock.move_to(at(number * day_s))
        session.broker.open_day("cn", day, ((at(number * day_s), at(number * day_s + 3600)),))
        session.broker.on_quote(quote(number * day_s, "10.00", "10.01", symbol=MAOTAI))
        if not number:
            await session.broker.place(approved("gtc", symbol=MAOTAI, size=100, price="9.50", tif=TimeInForce.GTC))
    await session.broker.cancel(ClOrdID("gtc"), None, MAOTAI)
    await clock.move_to(at(2 * day_s + 60))
    if reopens:
        await session.broker.close()
        session = await reopened(tmp_path / "paper.db", clock)
    shown = (await session.broker.snapshot()).orders or ()
    assert [(order.cl_ord_id, order.ord_status) for order in shown] == [("gtc", OrdStatus.CANCELED)]
    await session.broker.close()


async def test_after_a_full_disk_a_new_connect_reads_the_file(tmp_path: Path) -> None:
    """F54: what could not be written is of unknown fate, and the books go on from what was."""
    session = await traded(tmp_path / "paper.db")
    store = session.broker._books._store
    assert store is not None
    store._db.execute("PRAGMA max_page_count = 1")
    fates = await asyncio.gather(*(session.broker.place(approved(f"lost{n}")) for n in range(300)), return_exceptions=True)
    assert {type(fate) for fate in fates} == {FateUnknown}
    assert "is full" in str(fates[0])
    assert session.words()[-1] == "BrokerDown"
    await session.broker.connect(session.reports.append)
    snapshot = await session.broker.snapshot()
    assert [o.cl_ord_id for o in snapshot.orders or ()] == ["filled", "working", "rejected"]
    session.broker.on_quote(quote(1, "10.00", "10.01"))
    await session.broker.place(approved("next"))
    await turns()
    assert session.executions()[-1].cl_ord_id == "next"
    await session.broker.close()


async def test_a_session_whose_books_could_not_be_written_comes_back_when_they_can(tmp_path: Path) -> None:
    """D9: it never gives up. A backup or a shell may hold the file for longer than a write waits."""
    path = tmp_path / "paper.db"
    session = await traded(path)
    with held(path, session.broker):
        with pytest.raises(FateUnknown, match="database is locked"):
            await session.broker.place(approved("lost"))
        broke_at = session.clock.now()
        await session.clock.move_to(UtcNs(broke_at + 6 * SECOND_NS))
        assert session.words()[-1] == "BrokerDown"
    with pytest.raises(NotSent, match="in the middle of a write"):
        await session.broker.place(approved("early"))
    await session.clock.move_to(UtcNs(broke_at + 7 * SECOND_NS))
    assert session.words()[-1] == "BrokerUp"
    session.broker.on_quote(quote(8, "10.00", "10.01"))
    await session.broker.place(approved("next"))
    await turns()
    assert session.executions()[-1].cl_ord_id == "next"
    assert "lost" not in {order.cl_ord_id for order in (await session.broker.snapshot()).orders or ()}
    await session.broker.close()


async def test_books_that_another_process_has_are_not_taken_back(tmp_path: Path) -> None:
    """A process may believe in its lease for a while after another has taken it, and proven what is absent."""
    path = tmp_path / "paper.db"
    late = await traded(path)
    taker = await reopened(path, late.clock)
    with pytest.raises(FateUnknown, match="changed by another process"):
        await late.broker.place(approved("late"))
    await late.clock.move_to(UtcNs(late.clock.now() + 600 * SECOND_NS))
    assert (late.words()[-1], taker.words()[-1]) == ("BrokerDown", "BrokerUp")
    taker.broker.on_quote(quote(600, "10.00", "10.01"))
    await taker.broker.place(approved("own"))
    await late.broker.close()
    await taker.broker.close()


async def test_nor_are_those_that_another_wrote_while_this_one_could_not(tmp_path: Path) -> None:
    path = tmp_path / "paper.db"
    late = await traded(path)
    with held(path, late.broker) as other:
        with pytest.raises(FateUnknown, match="database is locked"):
            await late.broker.place(approved("late"))
        other.execute("UPDATE meta SET step = step + 1")
        other.execute("COMMIT")
    await late.clock.move_to(UtcNs(late.clock.now() + 600 * SECOND_NS))
    (down,) = [each for each in late.reports if isinstance(each, BrokerDown) and "meanwhile" in each.text]
    assert "end this process" in down.text
    with pytest.raises(NotSent, match="changed by another process"):
        await late.broker.place(approved("later"))
    await late.broker.close()


async def test_a_lost_connection_stays_lost_though_the_books_are_read_anew(tmp_path: Path) -> None:
    session = await traded(tmp_path / "paper.db")
    began = session.clock.now()
    session.broker.disconnect(back_after_ns=60 * SECOND_NS)
    with held(tmp_path / "paper.db", session.broker):
        session.broker.list_instruments([ashare()])
    await session.clock.move_to(UtcNs(began + 59 * SECOND_NS))
    assert session.words()[-1] == "BrokerDown"
    await session.clock.move_to(UtcNs(began + 60 * SECOND_NS))
    assert session.words()[-1] == "BrokerUp"
    await session.broker.close()


async def test_a_session_that_was_closed_does_not_come_back_by_itself(tmp_path: Path) -> None:
    session = await traded(tmp_path / "paper.db")
    session.broker._books._store._db.execute("PRAGMA max_page_count = 1")  # type: ignore[union-attr]
    fates = await asyncio.gather(*(session.broker.place(approved(f"lost{n}")) for n in range(300)), return_exceptions=True)
    assert {type(fate) for fate in fates} == {FateUnknown}
    await session.broker.close()
    await session.clock.move_to(UtcNs(session.clock.now() + 100 * SECOND_NS))
    assert session.words()[-1] == "BrokerDown"


def _steps(path: Path) -> int:
    db = sqlite3.connect(path)
    steps = int(db.execute("SELECT step FROM meta").fetchone()[0])
    db.close()
    return steps


async def test_a_file_that_cannot_be_read_any_more_means_not_sent(tmp_path: Path) -> None:
    session = await traded(tmp_path / "paper.db")
    session.broker._books.close()
    with pytest.raises(NotSent, match="could not be read"):
        await session.broker.place(approved("a1"))
    assert session.words()[-1] == "BrokerDown"


async def test_what_a_frozen_process_was_placing_when_another_took_over_has_no_effect(tmp_path: Path) -> None:
    """It looked, decided and stood still before its commit; by then another one has proven its order absent."""
    path = tmp_path / "paper.db"
    await (await traded(path)).broker.close()
    frozen = await reopened(path)
    frozen.words()
    taker = await reopened(path)
    with pytest.raises(FateUnknown, match="changed by another process"):
        await frozen.broker.place(approved("late"))
    assert "OrderAck" not in frozen.words()
    books = await taker.broker.snapshot(at(0))
    assert "late" not in {order.cl_ord_id for order in books.orders or ()}
    await taker.broker.place(approved("own"))
    await frozen.broker.close()
    await taker.broker.close()


async def test_no_session_opens_while_another_process_is_in_the_middle_of_a_write(tmp_path: Path) -> None:
    path = tmp_path / "paper.db"
    await (await traded(path)).broker.close()
    broker = PaperBroker(PaperConfig(path=path, latency_ns=0), ManualClock())
    heard: list[Report] = []
    with held(path), pytest.raises(NotSent, match="in the middle of a write"):
        await broker.connect(heard.append)
    assert heard == []
    await broker.connect(heard.append)
    assert [type(each).__name__ for each in heard] == ["BrokerUp"]
    await broker.close()


async def test_what_was_listed_while_the_books_could_not_be_written_trades_when_they_can(tmp_path: Path) -> None:
    path = tmp_path / "paper.db"
    cash = ((Currency("CNY"), Amount(Decimal(1_000_000))),)
    broker = PaperBroker(PaperConfig(path=path, latency_ns=0, cash=cash), ManualClock())
    with held(path, broker):
        broker.list_instruments([ashare()])
        broker.open_day("cn", DAY, WINDOWS)
    session = Session(broker, ManualClock())
    await broker.connect(session.reports.append)
    broker.on_quote(quote(0, "1500.00", "1500.01", symbol=MAOTAI))
    await broker.place(approved("first", symbol=MAOTAI, size=100))
    assert session.words() == ["BrokerUp", "OrderAck", "Execution"]
    await broker.close()
