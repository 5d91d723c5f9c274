"""Reads portfolio.csv: a line for each symbol to hold, its weight exact, or one sentence that refuses it.

Columns, in any order and case: `ts_code` or `code`, `weight`, and if wanted `price`, `name`, `industry`, or
their Chinese headers; other columns are left unread. UTF-8 with or without a byte order mark, else GBK. The
separator is a comma.

Weights are fractions of the equity or percent, for the whole file and never by row:

- a percent sign in every row means percent; in some rows only it is refused;
- without signs, a sum of at most 1 means fractions, a sum above 10 and up to 100 means percent;
- any other sum is refused: between 1 and 10 it could be either.

A weight of 0 sells all that is held. Negative weights are refused: a target portfolio holds, it does not sell
short.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Final

import msgspec

from tradeloop.core.commands import TargetLine
from tradeloop.core.errors import BadInput
from tradeloop.core.types import ZERO, Px, Symbol, exact
from tradeloop.targets.rows import Row, rows_of
from tradeloop.targets.source import Source, looks_like_formula, read_source, shown

LINES_MAX: Final = 2_000
"""More lines than this are a mistake: no account holds so many, and each becomes an order."""

PERCENT_SUM_MIN: Final = Decimal(10)
PERCENT_SUM_MAX: Final = Decimal(100)

_SIGNED: Final = re.compile(r"[+-][0-9.]", re.ASCII)
_CODE_LENGTH_MAX: Final = 40
_TEXT_LENGTH_MAX: Final = 100
_PERCENT_SIGNS: Final = ("%", "\uff05")

Canonical = Callable[[str], Symbol]
"""The canonical symbol of a notation; raises BadInput for an unknown or ambiguous one."""


class Portfolio(msgspec.Struct, frozen=True):
    """A target portfolio as its file says it; weights are fractions whatever the file was written in."""

    lines: tuple[TargetLine, ...]
    sha256: str
    weights_in_percent: bool

    @property
    def total_weight(self) -> Decimal:
        """Sum of the weights, a fraction of the equity."""
        return sum((line.weight for line in self.lines), ZERO)


class _Line(msgspec.Struct, frozen=True):
    """A row that was understood, its weight still in the unit of the file."""

    target: TargetLine
    written: str

    @property
    def percent_sign(self) -> bool:
        return self.written.endswith(_PERCENT_SIGNS)


def read_portfolio(source: Path | bytes, canonical: Canonical, name: str = "portfolio.csv") -> Portfolio:
    """The portfolio in a file, or in bytes that a message calls `name`. Raises BadInput with one sentence."""
    file = read_source(source, name)
    rows = list(rows_of(file))
    if not rows:
        raise BadInput(
            f"{file.name}, row 1: has a header and no rows; expected one row for each symbol,"
            " to sell a holding give it weight 0"
        )
    if len(rows) > LINES_MAX:
        raise BadInput(
            f"{file.name}, row {rows[LINES_MAX].line}: has {len(rows):,} lines; expected at most {LINES_MAX:,},"
            " shorten the portfolio or split it over accounts"
        )
    read = _understood(file, rows, canonical)
    percent = _is_percent(file, read)
    lines = tuple(_in_fractions(file, each.target) for each in read) if percent else tuple(e.target for e in read)
    return Portfolio(lines, file.sha256, percent)


# --- from rows to lines


def _understood(file: Source, rows: list[Row], canonical: Canonical) -> list[_Line]:
    """Every row as a line; otherwise the first bad row's sentence with the count of the others."""
    read: list[_Line] = []
    seen: dict[Symbol, int] = {}
    errors: list[tuple[int, str]] = []
    for row in rows:
        try:
            line = _line(row, canonical)
            symbol = line.target.symbol
            if symbol in seen:
                raise BadInput(f"{symbol} stands in row {seen[symbol]} already; keep one row with its whole weight")
            seen[symbol] = row.line
            read.append(line)
        except BadInput as error:
            errors.append((row.line, str(error)))
    if errors:
        _refuse(file, errors)
    signed = [line for line in read if line.percent_sign]
    plain = [line for line in read if not line.percent_sign]
    if signed and plain:
        few, word, many = (signed, "a", plain) if len(signed) <= len(plain) else (plain, "no", signed)
        odd = few[0]
        raise BadInput(
            f"{file.name}, row {odd.target.row}: the weight of {odd.target.symbol} was {shown(odd.written)},"
            f" with {word} percent sign unlike {len(many)} other rows; write all weights alike"
        )
    return read


def _refuse(file: Source, errors: list[tuple[int, str]]) -> None:
    line, text = errors[0]
    others = len(errors) - 1
    more = "" if not others else " (1 other row is wrong too)" if others == 1 else f" ({others} other rows are wrong too)"
    raise BadInput(f"{file.name}, row {line}: {text}{more}")


def _line(row: Row, canonical: Canonical) -> _Line:
    for column in ("code", "name", "industry"):
        _refuse_formula(row.cells.get(column, ""), column)
    code = row.cells["code"]
    if not code:
        raise BadInput("the code is empty; expected a symbol such as 600519.SH, add it or remove the row")
    if len(code) > _CODE_LENGTH_MAX:
        raise BadInput(f"the code was {shown(code)}; expected at most {_CODE_LENGTH_MAX} characters, correct it")
    symbol = canonical(code)
    for column in ("name", "industry"):
        if len(text := row.cells.get(column, "")) > _TEXT_LENGTH_MAX:
            raise BadInput(f"the {column} was {shown(text)}; expected at most {_TEXT_LENGTH_MAX} characters, shorten it")
    written = row.cells["weight"]
    target = TargetLine(
        symbol=symbol,
        weight=_weight(written, symbol),
        row=row.line,
        price=_price(row.cells.get("price", ""), symbol),
        name=row.cells.get("name", ""),
        industry=row.cells.get("industry", ""),
    )
    return _Line(target, written)


def _refuse_formula(cell: str, column: str) -> None:
    if looks_like_formula(cell):
        raise BadInput(f"the {column} was the formula {shown(cell)}; expected text, write its value instead")


def _weight(written: str, symbol: Symbol) -> Decimal:
    if not written:
        raise BadInput(f"the weight of {symbol} is empty; expected a number, write 0 to sell all of it")
    bare = written[:-1].rstrip() if written.endswith(_PERCENT_SIGNS) else written
    weight = _number(bare, f"the weight of {symbol}")
    if weight < ZERO:
        raise BadInput(f"the weight of {symbol} was {shown(written)}; expected zero or more, write 0 to sell all of it")
    return weight.copy_abs()  # "-0" is nothing, and is shown as that


def _price(written: str, symbol: Symbol) -> Px | None:
    if not written:
        return None
    price = _number(written, f"the price of {symbol}")
    if price <= ZERO:
        raise BadInput(f"the price of {symbol} was {shown(written)}; expected more than zero, correct it or leave it empty")
    return Px(price)


def _number(written: str, what: str) -> Decimal:
    try:
        return exact(written, what)
    except BadInput:
        if looks_like_formula(written) and not _SIGNED.match(written):
            raise BadInput(f"{what} was the formula {shown(written)}; expected a number, write its value") from None
        raise BadInput(
            f"{what} was {shown(written)}; expected a plain decimal number such as 0.065"
            " with at most 14 digits and 12 decimal places, correct it"
        ) from None


# --- fractions or percent


def _is_percent(file: Source, read: list[_Line]) -> bool:
    """The unit of the whole file, by the rule at the top of this module."""
    total = sum((line.target.weight for line in read), ZERO)
    first, last = read[0].target.row, read[-1].target.row
    rows = f"row {first}" if first == last else f"rows {first} to {last}"
    if read[0].percent_sign:
        if total > PERCENT_SUM_MAX:
            raise BadInput(f"{file.name}, {rows}: the weights sum to {total:f} %; expected at most 100 %, scale them down")
        return True
    if total <= 1:
        return False
    if PERCENT_SUM_MIN < total <= PERCENT_SUM_MAX:
        return True
    raise BadInput(
        f"{file.name}, {rows}: the weights sum to {_plain(total)}; expected at most 1 as fractions,"
        f" or more than {PERCENT_SUM_MIN} and at most {PERCENT_SUM_MAX} as percent, scale them down{_or_with_a_sign(read)}"
    )


def _or_with_a_sign(read: list[_Line]) -> str:
    """What else may have been meant where the sum is too small for percent, and no weight is that of a fraction."""
    weights = [line.target.weight for line in read if line.target.weight]
    may_be_percent = sum(weights, ZERO) <= PERCENT_SUM_MIN and min(weights) >= 1
    return f", or write {_plain(weights[0])}% where percent is meant" if may_be_percent else ""


def _plain(total: Decimal) -> str:
    """All digits: a rounded sum could look like its limit."""
    text = f"{total:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _in_fractions(file: Source, target: TargetLine) -> TargetLine:
    try:
        weight = exact(f"{target.weight.scaleb(-2):f}", f"the weight of {target.symbol} as a fraction")
    except BadInput as error:
        raise BadInput(f"{file.name}, row {target.row}: {error}, write fewer decimals") from None
    return msgspec.structs.replace(target, weight=weight)
