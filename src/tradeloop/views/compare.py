"""Proof that the read models say what the journal says: it is folded anew beside them, and every row is held against its twin.

What is stored is read as of one moment, while another process may go on folding, and compared as far as its cursor had come
then. Both directions are looked at: a row that differs, one that is missing, and one that no event made. A value that cannot
even be read is a difference like any other. Nothing is repaired: `SqlViews.rebuild` does that.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from decimal import Decimal
from typing import Final

import msgspec
from sqlalchemy import Table, select

from tradeloop.ports.journal import Batch
from tradeloop.views import tables
from tradeloop.views.columns import plain
from tradeloop.views.database import Database, Moment
from tradeloop.views.projector import PROJECTION
from tradeloop.views.rows import CursorRow, Row
from tradeloop.views.sql import VIEWS, BatchSource, SqlViews

TOLD_MAX: Final = 10
"""Differences told one by one; the rest is counted."""

_PAGE: Final = 500
_TEXT_MAX: Final = 80


class Difference(msgspec.Struct, frozen=True):
    """One cell, or one whole row where `column` is empty; `stored` and `journal` are None where a row is not there."""

    table: str
    id: str
    column: str
    stored: str | None
    journal: str | None

    @property
    def sentence(self) -> str:
        """What stands there and what should."""
        if self.stored is None:
            return f"{self.table} lacks row {self.id!r}, which the journal gives"
        if self.journal is None:
            return f"{self.table} has row {self.id!r}, which no event in the journal made"
        return f"{self.table} row {self.id!r}: {self.column} was {self.stored}, the journal gives {self.journal}"


class Comparison(msgspec.Struct, frozen=True):
    """What was compared, up to which event, and the first differences of `count`."""

    seq: int
    rows: int
    count: int
    differences: tuple[Difference, ...]
    unusable: str = ""
    """Why nothing could be compared: the rows are of another version of the fold, or half cleared."""

    @property
    def agree(self) -> bool:
        """Whether every row is what the journal gives."""
        return not self.count and not self.unusable

    @property
    def sentence(self) -> str:
        """The result, with the remedy where there is something to mend."""
        remedy = "the journal is not touched by this, make them anew with `tradeloop db rebuild`"
        if self.unusable:
            return f"the read models {self.unusable}; {remedy}"
        if not self.count:
            return f"the read models agree with the journal up to event {self.seq}: {self.rows} rows compared"
        many = "1 difference" if self.count == 1 else f"{self.count} differences"
        return f"the read models differ from the journal: {many}, the first: {self.differences[0].sentence}; {remedy}"


async def compare(stored: SqlViews, fresh: SqlViews, journal: BatchSource) -> Comparison:
    """Fold `journal` into the empty `fresh` as far as `stored` has come, and hold every row of the one against the other."""
    near = await stored.cursor()
    await fresh.catch_up(_UpTo(journal, near[0]))  # most of the work, before a moment of the stored rows is held on to
    async with stored.database.moment() as then:
        cursors = await then.rows(select(tables.view_cursors).where(tables.view_cursors.c.id == VIEWS), CursorRow)
        if (why := _unusable(cursors)) is not None:
            return Comparison(0, 0, 0, (), why)
        batch, seq = (cursors[0].batch, cursors[0].seq) if cursors else (0, 0)
        await fresh.catch_up(_UpTo(journal, batch))
        found = _Found()
        if (at := await fresh.cursor()) != (batch, seq):
            found.differ("view_cursors", VIEWS, "seq", f"event {seq} in batch {batch}", f"event {at[1]} in batch {at[0]}")
        for table in tables.FOLDED:
            await _compare_table(table, then, fresh.database, found)
    return Comparison(at[1], found.rows, found.count, tuple(found.differences))


def _unusable(cursors: Sequence[CursorRow]) -> str | None:
    if not cursors:
        return None  # never folded yet: there must be no row either
    if cursors[0].clearing:
        return "are half cleared"
    if cursors[0].projection != PROJECTION:
        return f"are of version {cursors[0].projection} of the fold, this program has {PROJECTION}"
    return None


class _UpTo:
    """A journal that ends at a batch."""

    def __init__(self, journal: BatchSource, batch: int) -> None:
        self._journal = journal
        self._batch = batch

    async def read(self, after_batch: int = 0) -> AsyncIterator[Batch]:
        """Rows in order, up to that batch."""
        if after_batch >= self._batch:
            return
        async for row in self._journal.read(after_batch=after_batch):
            if row.batch > self._batch:
                return
            yield row


class _Found:
    """Counts everything, keeps the first."""

    def __init__(self) -> None:
        self.rows = 0
        self.count = 0
        self.differences: list[Difference] = []

    def differ(self, table: str, identity: str, column: str, stored: object, journal: object) -> None:
        self.count += 1
        if len(self.differences) < TOLD_MAX:
            self.differences.append(Difference(str(table), identity, column, _said(stored), _said(journal)))


async def _compare_table(table: Table, stored: Moment, fresh: Database, found: _Found) -> None:
    kind = tables.ROW_TYPES[table.name]
    async for ids in stored.ids(table, _PAGE):
        there = await _readable(table, ids, kind, stored, found)
        ours = {row.id: row for row in await fresh.rows_by_id(table, ids, kind)}
        for identity in ids:
            found.rows += 1
            if identity not in ours:
                found.differ(table.name, identity, "", "a row", None)
            elif identity in there:
                _compare_row(table.name, there[identity], ours[identity], found)
    async with fresh.moment() as then:
        async for ids in then.ids(table, _PAGE):
            known = set(await stored.known(table, ids))
            for identity in ids:
                if identity not in known:
                    found.differ(table.name, identity, "", None, "a row")


async def _readable(table: Table, ids: Sequence[str], kind: type[Row], stored: Moment, found: _Found) -> dict[str, Row]:
    """The rows by id; those with a value of another kind than their column's are noted as differences."""
    try:
        return {row.id: row for row in await stored.rows(select(table).where(table.c.id.in_(ids)), kind)}
    except (ArithmeticError, ValueError, TypeError):
        if len(ids) == 1:
            found.differ(table.name, ids[0], "a column", "no value of its kind", "one")
            return {}
    half = len(ids) // 2
    first = await _readable(table, ids[:half], kind, stored, found)
    return first | await _readable(table, ids[half:], kind, stored, found)


def _compare_row(table: str, stored: Row, journal: Row, found: _Found) -> None:
    for column in stored.__struct_fields__:
        was, should = getattr(stored, column), getattr(journal, column)
        if was != should:
            found.differ(table, stored.id, column, _plain(was), _plain(should))


def _plain(value: object) -> str:
    if isinstance(value, Decimal):
        return plain(value)
    return "nothing" if value is None else str(value)


def _said(value: object) -> str | None:
    if value is None:
        return None
    text = " ".join(str(value).split())
    return text if len(text) <= _TEXT_MAX else f"{text[:_TEXT_MAX]}…"
