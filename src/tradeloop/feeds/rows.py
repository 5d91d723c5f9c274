"""Rows of a recorded CSV file: opened plain or gzipped, read one at a time, every mistake named by file and row.

Nothing is read ahead, so memory does not grow with the file.
"""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from importlib.resources.abc import Traversable
from io import TextIOWrapper
from pathlib import Path
from typing import Final

from tradeloop.core.errors import BadInput
from tradeloop.core.types import ZERO, Px, Qty, UtcNs, exact

CsvFile = Path | Traversable
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_END: Final = datetime(2262, 1, 1, tzinfo=UTC)
"""Nanoseconds since the epoch fit into 64 bits until then, and no market was recorded before it."""
_NAMED_MAX: Final = 200
_MICROSECOND: Final = timedelta(microseconds=1)


class Row:
    """One data row: its fields by column name, and where it stands."""

    __slots__ = ("_fields", "file", "number")

    def __init__(self, file: str, number: int, fields: Mapping[str, str | None]) -> None:
        self.file = file
        self.number = number
        self._fields = fields

    def text(self, column: str) -> str:
        """The field, stripped; empty when the column is absent."""
        return (self._fields.get(column) or "").strip()

    def at(self, column: str = "ts") -> UtcNs:
        """A time with offset or Z, as nanoseconds UTC."""
        written = self.text(column)
        try:
            moment = datetime.fromisoformat(written)
        except ValueError:
            raise self.bad(f"{column} was {written[:40]!r}; expected RFC 3339 such as 2013-10-08T13:30:01Z") from None
        if moment.tzinfo is None:
            raise self.bad(f"{column} was {written!r} without an offset; expected Z or +08:00 at its end")
        if not _EPOCH <= moment < _END:
            raise self.bad(f"{column} was {written}; expected a time from 1970 to 2261")
        return UtcNs((moment - _EPOCH) // _MICROSECOND * 1000)

    def px(self, column: str) -> Px | None:
        """A price; None where the field is empty or zero, which is how several vendors write 'nobody there'."""
        number = self._number(column)
        return None if number is None or number == ZERO else Px(number)

    def qty(self, column: str) -> Qty | None:
        """A quantity; None where the field is empty."""
        number = self._number(column)
        return None if number is None else Qty(number)

    def bad(self, what: str) -> BadInput:
        """An error that names this row."""
        return BadInput(f"{self.file} row {self.number}: {what}")

    def _number(self, column: str) -> Decimal | None:
        written = self.text(column)
        if not written:
            return None
        try:
            number = _exact(written)
        except BadInput as error:
            raise self.bad(f"{column}: {error}") from None
        if number < ZERO:
            raise self.bad(f"{column} was {written[:40]}; expected a number of 0 or more")
        return number


@lru_cache(maxsize=65_536)
def _exact(written: str) -> Decimal:
    """Recorded prices repeat; reading each text once makes a replay three times as fast."""
    return exact(written, "the number")


@contextmanager
def _opened(file: CsvFile) -> Iterator[TextIOWrapper]:
    """The file as UTF-8 text, a byte order mark skipped."""
    with file.open("rb") as raw:
        if file.name.endswith(".gz"):
            with gzip.GzipFile(fileobj=raw, mode="rb") as unpacked:
                yield TextIOWrapper(unpacked, encoding="utf-8-sig", newline="")
        else:
            yield TextIOWrapper(raw, encoding="utf-8-sig", newline="")


def columns(file: CsvFile) -> tuple[str, ...]:
    """The header of the file. Raises BadInput when it cannot be read."""
    try:
        with _opened(file) as text:
            return tuple(name.strip() for name in next(csv.reader(text), ()))
    except _UNREADABLE as error:
        raise _unreadable(file, error) from error


def rows(file: CsvFile, required: tuple[str, ...]) -> Iterator[Row]:
    """Data rows, lazily. Raises BadInput for a file that cannot be read, lacks a column, or has a row of another length."""
    try:
        with _opened(file) as text:
            reader = csv.DictReader(text, restkey="", restval=None)
            present = tuple(reader.fieldnames or ())
            missing = [name for name in required if name not in present]
            if missing:
                raise BadInput(f"{file.name} row 1: columns were {_named(present)}; expected also {', '.join(missing)}")
            twice = next((name for name in present if name and present.count(name) > 1), None)
            if twice is not None:
                raise BadInput(f"{file.name} row 1: {present.count(twice)} columns are named {_named((twice,))}; keep one")
            width = len(present)
            for number, fields in enumerate(reader, start=2):
                if "" in fields or None in fields.values():
                    raise BadInput(f"{file.name} row {number}: expected {width} fields, as in the header")
                yield Row(file.name, number, fields)
    except _UNREADABLE as error:
        raise _unreadable(file, error) from error


_UNREADABLE: Final = (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error)


def _named(present: tuple[str, ...]) -> str:
    """The columns of a header for a message; a file that is no CSV may have a page for its first line."""
    return "".join(each if each.isprintable() else "?" for each in ", ".join(present)[:_NAMED_MAX]) or "none"


def _unreadable(file: CsvFile, error: Exception) -> BadInput:
    return BadInput(f"{file.name} could not be read ({error}); expected a UTF-8 CSV file, plain or gzipped")
