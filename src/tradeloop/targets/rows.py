"""From the bytes of a portfolio to its rows, each with the line of the file it begins on."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Final

import msgspec

from tradeloop.core.errors import BadInput
from tradeloop.targets.source import Source, shown

# Escaped, because the source speaks English: securities code, weight, price, securities name, industry.
_COLUMNS: Final = {
    "ts_code": "code",
    "code": "code",
    "\u8bc1\u5238\u4ee3\u7801": "code",
    "weight": "weight",
    "\u6743\u91cd": "weight",
    "price": "price",
    "\u4ef7\u683c": "price",
    "name": "name",
    "\u8bc1\u5238\u540d\u79f0": "name",
    "industry": "industry",
    "\u884c\u4e1a": "industry",
}


class Row(msgspec.Struct, frozen=True):
    """One row of the file with the cells it has, by the meaning of their column; `line` counts from 1 in the
    file.
    """

    line: int
    cells: dict[str, str]


def rows_of(file: Source) -> Iterator[Row]:
    """Header first, then each row that is not blank."""
    reader = csv.reader(io.StringIO(_text(file), newline=""), strict=True)
    columns: list[str] | None = None
    start = 1
    try:
        for cells in reader:
            stripped = [cell.strip() for cell in cells]
            if any(stripped):
                if columns is None:
                    columns = _header(file, stripped, start)
                else:
                    yield _row(file, columns, stripped, start)
            start = reader.line_num + 1
    except csv.Error as error:
        raise BadInput(
            f"{file.name}, row {start}: is not well-formed CSV ({error}); expected each quote to be closed,"
            " save the file as CSV again"
        ) from None
    if columns is None:
        raise BadInput(f"{file.name}, row 1: the file is empty; expected a header with ts_code and weight, and rows")


def _text(file: Source) -> str:
    raw = file.raw
    if raw.startswith(b"PK\x03\x04"):
        raise BadInput(f"{file.name}, row 1: is a spreadsheet workbook; expected text, save the sheet as CSV")
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise BadInput(f"{file.name}, row 1: is UTF-16; expected UTF-8 or GBK, save it as 'CSV UTF-8'")
    if (place := raw.find(b"\0")) >= 0:
        raise BadInput(f"{file.name}, row {_line_of(raw, place)}: holds a NUL byte; expected text, save it as CSV again")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as not_utf8:
        try:
            return raw.decode("gbk")
        except UnicodeDecodeError:
            raise BadInput(
                f"{file.name}, row {_line_of(raw, not_utf8.start)}: is neither UTF-8 nor GBK; save it as 'CSV UTF-8'"
            ) from None


def _line_of(raw: bytes, place: int) -> int:
    return raw.count(b"\n", 0, place) + 1


def _header(file: Source, cells: list[str], line: int) -> list[str]:
    where = f"{file.name}, row {line}"
    columns = [_COLUMNS.get(cell.lower(), "") for cell in cells]
    for meaning in ("code", "weight", "price", "name", "industry"):
        named = [cell for cell, column in zip(cells, columns, strict=True) if column == meaning]
        if len(named) > 1:
            raise BadInput(f"{where}: has {len(named)} columns for {meaning} ({', '.join(named)}); keep one")
    found = ", ".join(shown(cell) for cell in cells[:6])
    separator = next((mark for mark in (";", "\t", "|") if len(cells) == 1 and mark in cells[0]), None)
    if separator is not None:
        raise BadInput(f"{where}: columns are separated by {separator!r}; expected a comma, save it as comma-separated")
    for meaning, header in (("code", "ts_code (or code)"), ("weight", "weight")):
        if meaning not in columns:
            raise BadInput(f"{where}: has no column {header}, was {found}; add it to the header")
    return columns


def _row(file: Source, columns: list[str], cells: list[str], line: int) -> Row:
    if len(cells) != len(columns):
        raise BadInput(
            f"{file.name}, row {line}: has {len(cells)} of the header's {len(columns)} cells;"
            " write one for each column, decimals with a point, and quote a cell that holds a comma"
        )
    return Row(line, {column: cell for column, cell in zip(columns, cells, strict=True) if column})
