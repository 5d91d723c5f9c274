"""What a code does not say: name, industry, special treatment, first day, and the steps that issuers and venues choose.

Facts come from the user's own file (a CSV such as data vendors ship) and are true for the day the file is about.
Where nothing is said, a stock is not under special treatment; a Hong Kong lot or a coin pair's step is unknown, and
unknown is refused later on.
"""

from __future__ import annotations

import csv
from datetime import date
from decimal import Decimal
from pathlib import Path

import msgspec

from tradeloop.core.errors import BadInput
from tradeloop.core.instrument import AssetClass
from tradeloop.core.types import Symbol, exact
from tradeloop.markets.symbols import canonical

_SYMBOL_COLUMNS = ("ts_code", "symbol", "code")
_ST_MARKS = ("ST", "*ST", "SST", "S*ST")
_FLAGS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


class InstrumentFacts(msgspec.Struct, frozen=True):
    """Facts about one instrument; None means unknown, and the dated rules then decide, or refuse.

    `price_limit`, `tick`, `lot`, `min_qty` and `settles_t1` replace the rule of the board (a fund on a ChiNext index
    moves 20 %). `ref_price` is a recent price, used where the tick depends on it (Hong Kong, and the US below a dollar).
    """

    name: str = ""
    industry: str = ""
    is_st: bool = False
    list_date: date | None = None
    asset_class: AssetClass | None = None
    lot: Decimal | None = None
    min_qty: Decimal | None = None
    tick: Decimal | None = None
    price_limit: Decimal | None = None
    settles_t1: bool | None = None
    shortable: bool | None = None
    ref_price: Decimal | None = None
    is_delisting: bool = False


_READ = (*_SYMBOL_COLUMNS, *InstrumentFacts.__struct_fields__)


def load_facts(path: Path, on: date | None = None) -> dict[Symbol, InstrumentFacts]:
    """The facts in a CSV with a header: `ts_code` (or symbol, code) and any field of `InstrumentFacts`.

    Other columns are ignored. Without an `is_st` column the name says it (`ST`, `*ST`), and so of
    `is_delisting` (`退`). `BadInput` names the row.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as wrong:
        raise BadInput(f"the facts file {path.name} cannot be read as UTF-8 text: {wrong}") from wrong
    try:
        return _read(path, text, on)
    except csv.Error as wrong:
        raise BadInput(f"the facts file {path.name} is not well-formed CSV ({wrong}); save it as CSV again") from wrong


def _read(path: Path, text: str, on: date | None) -> dict[Symbol, InstrumentFacts]:
    reader = csv.DictReader(text.splitlines())
    columns = reader.fieldnames or ()
    twice = next((name for name in _READ if list(columns).count(name) > 1), None)
    if twice is not None:
        raise BadInput(f"the facts file {path.name} has several columns {twice}; keep one")
    key = next((name for name in _SYMBOL_COLUMNS if name in columns), None)
    if key is None:
        raise BadInput(f"the facts file {path.name} has no column ts_code, symbol or code; add one")
    found: dict[Symbol, InstrumentFacts] = {}
    for row in reader:
        where = f"{path.name} row {reader.line_num}"
        try:
            symbol = canonical(row[key] or "", on)
            facts = _facts(row)
        except BadInput as wrong:
            raise BadInput(f"{where}: {wrong}") from wrong
        if symbol in found:
            raise BadInput(f"{where}: {symbol} appears a second time; keep one row")
        found[symbol] = facts
    return found


def _facts(row: dict[str, str]) -> InstrumentFacts:
    name = (row.get("name") or "").strip()
    is_st = _flag(row, "is_st")
    is_delisting = _flag(row, "is_delisting")
    return InstrumentFacts(
        name=name,
        industry=(row.get("industry") or "").strip(),
        is_st=name.upper().startswith(_ST_MARKS) if is_st is None else is_st,
        list_date=_day(row, "list_date"),
        asset_class=_asset_class(row),
        lot=_positive(row, "lot"),
        min_qty=_positive(row, "min_qty"),
        tick=_positive(row, "tick"),
        price_limit=_positive(row, "price_limit"),
        settles_t1=_flag(row, "settles_t1"),
        shortable=_flag(row, "shortable"),
        ref_price=_positive(row, "ref_price"),
        is_delisting=_is_delisting(name) if is_delisting is None else is_delisting,
    )


def _is_delisting(name: str) -> bool:
    """A stock in its last days of trading is named so: `退市整理` before its name in Shanghai, `退` behind it in Shenzhen."""
    return name.endswith("退") or name.startswith("退市")


def _positive(row: dict[str, str], column: str) -> Decimal | None:
    written = (row.get(column) or "").strip()
    if not written:
        return None
    number = exact(written, column)
    if number <= 0:
        raise BadInput(f"{column} was {written}; expected more than zero")
    return number


def _flag(row: dict[str, str], column: str) -> bool | None:
    written = (row.get(column) or "").strip().lower()
    if not written:
        return None
    if written not in _FLAGS:
        raise BadInput(f"{column} was {written[:20]!r}; expected true or false")
    return _FLAGS[written]


def _day(row: dict[str, str], column: str) -> date | None:
    written = (row.get(column) or "").strip()
    if not written:
        return None
    try:
        return date.fromisoformat(written)
    except ValueError as wrong:
        raise BadInput(f"{column} was {written[:20]!r}; expected a day such as 2001-08-27") from wrong


def _asset_class(row: dict[str, str]) -> AssetClass | None:
    written = (row.get("asset_class") or "").strip().lower()
    if not written:
        return None
    try:
        return AssetClass(written)
    except ValueError as wrong:
        known = ", ".join(each.value for each in AssetClass)
        raise BadInput(f"asset_class was {written[:20]!r}; expected one of {known}") from wrong
