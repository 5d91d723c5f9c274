"""The access store: read whole at the start, answered from memory, and every change durable before it is answered.

A change is a function from what is there to what shall be there. It is decided on what this process has read; where another
process has written meanwhile, all is read anew and it is decided again, so that nothing of the other's is overwritten. Where
a commit failed nobody knows whether it took effect, and all is read anew before the next one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, TypeVar, cast

import msgspec
from sqlalchemy.engine import URL

from tradeloop.access.asked import Asked
from tradeloop.access.carried import Carried
from tradeloop.access.database import AccessDatabase, Found, Written
from tradeloop.access.records import Entry, R, Record
from tradeloop.access.refusals import StoreFailed

T = TypeVar("T")
Kept = dict[type[Record], dict[str, Record]]

_TRIES: Final = 20
_WORD_MAX: Final = 128
_TEXT_MAX: Final = 500
ENTRIES_MAX: Final = 1000
"""Lines of the log that are given at once."""


class Draft:
    """What a change sees and does: what is there, with what it has put and dropped so far."""

    def __init__(self, kept: Kept, log_lines: int) -> None:
        self._kept = kept
        self._log_lines = log_lines
        self._puts: dict[tuple[type[Record], str], Record] = {}
        self._drops: dict[tuple[type[Record], str], Record] = {}
        self._entries: list[Entry] = []

    def get(self, kind: type[R], name: str) -> R | None:
        """The record of that id."""
        key = (kind, name)
        if key in self._drops:
            return None
        return cast("R | None", self._puts.get(key) or self._kept.get(kind, {}).get(name))

    def all(self, kind: type[R]) -> list[R]:
        """Every record of a kind."""
        names = {**self._kept.get(kind, {}), **{name: each for (of, name), each in self._puts.items() if of is kind}}
        return [found for name in names if (found := self.get(kind, name)) is not None]

    def put(self, record: Record) -> None:
        """Have it there, in the place of one of the same kind and id."""
        key = (type(record), record.id)
        self._drops.pop(key, None)
        self._puts[key] = record

    def drop(self, record: Record) -> None:
        """Have it gone."""
        key = (type(record), record.id)
        self._puts.pop(key, None)
        if record.id in self._kept.get(type(record), {}):
            self._drops[key] = record

    def note(self, asked: Asked, what: str, subject: str = "", text: str = "", *, who: str | None = None) -> None:
        """A line for the log of access. Nothing secret is ever given to it."""
        number = self._log_lines + len(self._entries) + 1
        said = (_clean(each, _WORD_MAX) for each in (what, asked.by if who is None else who, subject, asked.address[:64]))
        what, who, subject, address = said
        self._entries.append(Entry(number, asked.at, what[:64], who, subject, address, _clean(text, _TEXT_MAX)))

    @property
    def written(self) -> Written | None:
        """The change; None where nothing changes."""
        if not (self._puts or self._drops or self._entries):
            return None
        return Written(tuple(self._puts.values()), tuple(self._drops.values()), tuple(self._entries))


class AccessStore:
    """The store at `url`. `open` first, `close` in the end."""

    def __init__(self, url: str | URL) -> None:
        self._database = AccessDatabase(url)
        self.label = self._database.label
        self._found: Found | None = None
        self._kept: Kept = {}
        self._alone = asyncio.Lock()
        self._doubtful = False
        self._carried = Carried()

    async def open(self) -> None:
        """Make what is missing, and read all of it."""
        opened = False
        try:
            await self._database.open()
            await self._read()
            opened = True
        finally:
            if not opened:
                await self._database.close()

    async def close(self) -> None:
        """End what was begun and let go of every connection; a second call does nothing."""
        await self._carried.all()
        await self._database.close()

    def get(self, kind: type[R], name: str) -> R | None:
        """The record of that id, from memory."""
        return cast("R | None", self._kept.get(kind, {}).get(name))

    def all(self, kind: type[R]) -> list[R]:
        """Every record of a kind, from memory."""
        return [cast("R", each) for each in self._kept.get(kind, {}).values()]

    async def change(self, decide: Callable[[Draft], T]) -> T:
        """Have what `decide` did to its draft there, durably, and give what it returned; what it raises changes nothing.

        It may be called again with what another process wrote. Whoever stops waiting does not stop the change.
        """
        return await self._carried.out(self._change(decide))

    async def refresh(self) -> bool:
        """Read all anew where another process has written; whether one had."""
        async with self._alone:
            if not self._doubtful and self._found is not None and await self._database.version() == self._found.version:
                return False
            await self._read()
            return True

    async def log(
        self, newest: int = 100, before: int | None = None, *, what: str | None = None, who: str | None = None
    ) -> list[Entry]:
        """The newest lines of the log of access, the newest first; `before` a line's number, for the page behind it."""
        return await self._database.log(max(1, min(newest, ENTRIES_MAX)), before, what, who)

    async def _change(self, decide: Callable[[Draft], T]) -> T:
        async with self._alone:
            for _ in range(_TRIES):
                if self._doubtful or self._found is None:
                    await self._read()
                found = self._found
                assert found is not None  # read above
                draft = Draft(self._kept, found.log_lines)
                answer = decide(draft)
                written = draft.written
                if written is None:
                    return answer
                self._doubtful = True  # until it is known whether it took effect
                if await self._database.write(found, written):
                    self._take(found, written)
                    return answer
                await self._read()
        raise StoreFailed(f"{self.label} was changed by another process each of {_TRIES} times; try again")

    async def _read(self) -> None:
        found = await self._database.read()
        kept: Kept = {}
        for each in found.records:
            kept.setdefault(type(each), {})[each.id] = each
        self._kept, self._found, self._doubtful = kept, found, False

    def _take(self, found: Found, written: Written) -> None:
        for each in written.drops:
            self._kept[type(each)].pop(each.id)
        for each in written.puts:
            self._kept.setdefault(type(each), {})[each.id] = each
        lines = found.log_lines + len(written.entries)
        self._found = msgspec.structs.replace(found, version=found.version + 1, log_lines=lines, records=())
        self._doubtful = False


def _clean(text: str, longest: int) -> str:
    """Words of strangers in one line: what is not seen, and what no database takes, is a blank."""
    return "".join(each if each.isprintable() and not "\ud800" <= each <= "\udfff" else " " for each in text[:longest])
