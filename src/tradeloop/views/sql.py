"""`SqlViews`: keeps the read models as far as the journal, each event exactly once, whatever happens between.

Rows and cursor commit together. A crash before the commit leaves both where they were, one after it leaves both done;
offering a batch again changes nothing, and offering one too early is refused. The journal is never written and never waited
on.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Generator, Sequence
from typing import Final, Protocol

import msgspec
from sqlalchemy import select
from sqlalchemy.engine import URL

from tradeloop.core.events import Event
from tradeloop.core.types import UtcNs
from tradeloop.ports.journal import Batch
from tradeloop.views import tables
from tradeloop.views.books import Books
from tradeloop.views.database import Database
from tradeloop.views.errors import ViewsBehind, ViewsFailed
from tradeloop.views.fold import Fold
from tradeloop.views.projector import PROJECTION, project
from tradeloop.views.queries import Queries
from tradeloop.views.rows import (
    AccountRow,
    AlertRow,
    BreakRow,
    CursorRow,
    FillRow,
    InstrumentRow,
    OrderRow,
    PositionRow,
    Row,
    RunLineRow,
    RunRow,
    SessionRow,
)
from tradeloop.views.rowset import Kept, R, RowSet
from tradeloop.views.wanted import Wanted

VIEWS: Final = "views"
"""The name of the one cursor of them all."""

CHUNK_EVENTS: Final = 250
"""Events folded between two commits while catching up: few enough that neither the loop nor the lock is held long."""

TURN_EVENTS: Final = 50
"""Events folded before everybody else has a turn: a millisecond or two."""


class BatchSource(Protocol):
    """What the read models need of a journal."""

    def read(self, after_batch: int = 0) -> AsyncIterator[Batch]:
        """Rows in order, after `after_batch`."""
        ...


class Committed(msgspec.Struct, frozen=True):
    """One batch that the journal has, with its events."""

    batch_no: int
    first_seq: int
    events: Sequence[Event]
    appended_at: UtcNs

    @property
    def last_seq(self) -> int:
        """Number of its last event."""
        return self.first_seq + len(self.events) - 1


class Stored(msgspec.Struct, frozen=True):
    """Rows that changed and are stored, by the name of their table, and the ids of those that are gone. They go on changing:
    whoever keeps one copies it. `seq` is the number of the last event in them; `missed` that others changed rows before these.
    """

    seq: int
    changed: dict[str, list[Row]]
    gone: dict[str, list[str]]
    missed: bool


class SqlViews:
    """The read models of one journal in one database. `decode` reads a journal row's payload (journal/codec.py).

    Call `catch_up` once at the start, then `apply` with every batch the writer committed. One instance per process; a second
    process may do the same without harm, because only one of them moves the cursor.
    """

    def __init__(self, url: str | URL, decode: Callable[[bytes], Sequence[Event]], *, chunk_events: int = CHUNK_EVENTS) -> None:
        self.database = Database(url)
        self._decode = decode
        self._chunk_events = chunk_events
        self._alone = asyncio.Lock()
        self._hand: tuple[CursorRow, RowSet, Books] | None = None
        self._listeners: list[Callable[[Stored], None]] = []
        self._told_batch: int | None = None
        """Up to which batch the listeners were told; None where nothing was stored yet."""
        self.queries = Queries(self.database)

    async def cursor(self) -> tuple[int, int]:
        """(batch, seq) up to which the rows are folded."""
        at = await self.database.cursor(VIEWS)
        return (0, 0) if at is None else (at.batch, at.seq)

    @property
    def folded_seq(self) -> int:
        """The same from memory; 0 where nothing is in hand."""
        return 0 if self._hand is None else self._hand[0].seq

    def listen(self, listener: Callable[[Stored], None]) -> None:
        """Have `listener` called with every change of rows once it is stored. It must be quick and must not raise."""
        self._listeners.append(listener)

    async def apply(self, first_seq: int, batch_no: int, events: Sequence[Event], appended_at: UtcNs) -> bool:
        """Fold one batch; False where it had been folded before. Raises ViewsBehind where batches before it are missing."""
        return await self.apply_all([Committed(batch_no, first_seq, events, appended_at)]) == 1

    async def apply_all(self, offered: Sequence[Committed]) -> int:
        """Fold batches that follow each other in one transaction, skipping those folded before; how many were new.

        A busy publisher offers whatever has gathered: the cost of a transaction is then shared. Raises ViewsBehind on a gap,
        and nothing of the offer counts.
        """
        async with self._alone:
            while True:
                cursor, rows, books = await self._taken_up()
                if cursor.clearing or cursor.projection != PROJECTION:
                    raise ViewsBehind(
                        "the read models are from another version or half cleared; make them anew with `tradeloop db rebuild`"
                    )
                fresh = [batch for batch in offered if batch.batch_no > cursor.batch]
                _refuse_gap(cursor, fresh)
                if not fresh:
                    return 0
                await self._fold(rows, books, fresh)
                if await self._keep(cursor, rows, books, fresh[-1]):
                    return len(fresh)
                # Another process moved the cursor meanwhile: look again what is left to do.

    async def catch_up(self, journal: BatchSource) -> int:
        """Fold everything the journal has beyond the cursor; the number of batches. Rows of another version are made anew."""
        async with self._alone:
            self._hand = None  # another process may have gone on meanwhile
            cursor, _, _ = await self._taken_up()
            if cursor.clearing or cursor.projection != PROJECTION:
                await self._clear(cursor)
            return await self._follow(journal)

    async def rebuild(self, journal: BatchSource) -> int:
        """Throw every row away and fold the journal anew; the number of batches. Interrupted, it begins again at `catch_up`."""
        async with self._alone:
            self._hand = None
            cursor, _, _ = await self._taken_up()
            await self._clear(cursor)
            return await self._follow(journal)

    async def close(self) -> None:
        """Let go of every connection; a second call does nothing."""
        self._hand = None
        await self.database.close()

    # --- inside

    async def _taken_up(self) -> tuple[CursorRow, RowSet, Books]:
        """What is in hand; read from the database at the start and after anything went wrong."""
        if self._hand is None:
            cursor = await self.database.cursor(VIEWS)
            if cursor is None:
                first = CursorRow(id=VIEWS, batch=0, seq=0, projection=PROJECTION, clearing=False, updated_at=0)
                await self.database.begin_cursor(first)
                cursor = await self.database.cursor(VIEWS)
                if cursor is None:
                    raise ViewsFailed("the cursor of the read models could not be made; see `tradeloop db status`")
            rows, books = RowSet(), Books()
            if not cursor.clearing and cursor.projection == PROJECTION:
                books = await self._stored_books()
                for alert in await self.database.rows(_OPEN_ALERTS, AlertRow):
                    rows.alerts.admit(alert)
            self._hand = cursor, rows, books
        return self._hand

    async def _stored_books(self) -> Books:
        read, books = self.database.rows, Books()
        days = {row.id: row.trading_day for row in await read(select(tables.sessions), SessionRow)}
        books.admit(
            await read(select(tables.instruments), InstrumentRow),
            days,
            await read(select(tables.positions).order_by(tables.positions.c.id), PositionRow),
            await read(select(tables.accounts).order_by(tables.accounts.c.id), AccountRow),
        )
        return books

    async def _follow(self, journal: BatchSource) -> int:
        done = count = 0
        waiting: list[Committed] = []
        cursor, _, _ = await self._taken_up()
        async for batch in journal.read(after_batch=cursor.batch):
            events = self._decode(batch.payload)
            waiting.append(Committed(batch.batch, batch.first_seq, events, batch.appended_at))
            count += len(events)
            if count >= self._chunk_events:
                done += await self._fold_chunk(waiting)
                waiting, count = [], 0
        return done + (await self._fold_chunk(waiting) if waiting else 0)

    async def _fold_chunk(self, chunk: Sequence[Committed]) -> int:
        cursor, rows, books = await self._taken_up()
        _refuse_gap(cursor, chunk)
        await self._fold(rows, books, chunk)
        if not await self._keep(cursor, rows, books, chunk[-1]):
            raise ViewsBehind(
                f"the read models stood at batch {cursor.batch}, and another process folded more into them meanwhile;"
                " let it end, then try again"
            )
        return len(chunk)

    async def _fold(self, rows: RowSet, books: Books, batches: Sequence[Committed]) -> None:
        """Read what the events touch, then fold them; from here until `_keep` succeeds nothing may be taken up again."""
        self._hand = None
        wanted = Wanted()
        for batch in batches:
            for number, event in enumerate(batch.events, start=1):
                wanted.add(event)
                if not number % (10 * TURN_EVENTS):
                    await _Turn()
        await self._load(rows.orders, wanted.orders, OrderRow)
        await self._load(rows.fills, wanted.fills, FillRow)
        await self._load(rows.runs, wanted.runs, RunRow)
        await self._load(rows.lines, wanted.lines, RunLineRow)
        await self._load(rows.breaks, wanted.breaks, BreakRow)
        await self._load(rows.alerts, wanted.alerts, AlertRow)
        fold = Fold(rows, books, 0)
        for batch in batches:
            for seq, event in enumerate(batch.events, start=batch.first_seq):
                fold.seq = seq
                project(fold, event)
                if not seq % TURN_EVENTS:
                    await _Turn()
            books.close_batch(batch.batch_no, rows)

    async def _load(self, kept: Kept[R], wanted: dict[str, None], kind: type[R]) -> None:
        missing = [key for key in map(kept.key, wanted) if key not in kept.rows]
        for row in await self.database.rows_by_id(kept.table, missing, kind):
            kept.admit(row)

    async def _keep(self, before: CursorRow, rows: RowSet, books: Books, last: Committed) -> bool:
        """Store everything, and only then go on from memory; False where another process moved the cursor meanwhile."""
        after = CursorRow(
            id=VIEWS,
            batch=last.batch_no,
            seq=last.last_seq,
            projection=PROJECTION,
            clearing=False,
            updated_at=last.appended_at,
        )
        changes = list(rows.changes())
        if not await self.database.write(changes, before, after):
            return False
        missed = self._told_batch is not None and self._told_batch != before.batch
        self._told_batch = after.batch
        stored = Stored(
            after.seq, {str(table): its for table, its, _ in changes}, {str(table): gone for table, _, gone in changes}, missed
        )
        for listener in self._listeners:
            listener(stored)
        rows.written()
        self._hand = after, rows, books
        return True

    async def _clear(self, cursor: CursorRow) -> None:
        """Empty every table and set the cursor back; begun is marked first, so that half of it is never mistaken for rows."""
        self._hand = None
        marked = CursorRow(id=VIEWS, batch=0, seq=0, projection=PROJECTION, clearing=True, updated_at=0)
        if not await self.database.write([], cursor, marked):
            raise ViewsBehind("another process moves the read models; stop it, then try again")
        for table in tables.FOLDED:
            await self.database.clear(table)
        empty = CursorRow(id=VIEWS, batch=0, seq=0, projection=PROJECTION, clearing=False, updated_at=0)
        if not await self.database.write([], marked, empty):
            raise ViewsBehind("another process moves the read models; stop it, then try again")
        self._hand = empty, RowSet(), Books()


class _Turn:
    """One turn of the event loop for everybody else."""

    def __await__(self) -> Generator[None, None, None]:
        yield


def _refuse_gap(cursor: CursorRow, batches: Sequence[Committed]) -> None:
    batch_no, seq = cursor.batch + 1, cursor.seq + 1
    for batch in batches:
        if (batch.batch_no, batch.first_seq) != (batch_no, seq):
            raise ViewsBehind(
                f"expected batch {batch_no} from event {seq}, was batch {batch.batch_no} from event {batch.first_seq};"
                " make the read models anew with `tradeloop db rebuild`, and see `tradeloop verify` if that does not help"
            )
        batch_no, seq = batch_no + 1, batch.last_seq + 1


_OPEN_ALERTS: Final = select(tables.alerts).where(tables.alerts.c.resolved_at.is_(None))
