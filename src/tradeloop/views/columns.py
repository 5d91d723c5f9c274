"""The column types of the read models: exact numbers, text any broker may send, ids, and times, alike on every dialect.

A number is text on SQLite (which has no exact type) and NUMERIC(30,12) elsewhere; it reads back as the same `Decimal`
everywhere, without trailing zeros. A time is a BIGINT: nanoseconds since 1970-01-01T00:00:00Z, UTC, which no server's time
zone can bend.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import Dialect, Numeric, String, Text
from sqlalchemy.dialects.mysql import LONGTEXT
from sqlalchemy.types import TypeDecorator, TypeEngine
from typing_extensions import override

PLACES: Final = 12
_UNIT: Final = Decimal(1).scaleb(-PLACES)
_BEYOND: Final = Decimal(10) ** 18
_WIDE: Final = Context(prec=60, rounding=ROUND_HALF_EVEN)


def plain(number: Decimal) -> str:
    """`number` in plain notation without trailing zeros: one number, one text."""
    text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def shown(number: Decimal | None) -> Decimal | None:
    """`number` as NUMERIC(30,12) can hold it: rounded to 12 places, None (unknown) past 18 digits before the point.

    For figures people read, such as an average; what the fold goes on with is kept exact beside it.
    """
    if number is None:
        return None
    if number.as_tuple().exponent >= -PLACES:  # type: ignore[operator]  # the ledger holds no NaN
        return number if abs(number) < _BEYOND else None
    return Decimal(plain(number.quantize(_UNIT, context=_WIDE))) if abs(number) < _BEYOND else None


def fit(number: Decimal) -> Decimal:
    """`shown`, for a figure that is always known: past what NUMERIC(30,12) holds, the largest it holds."""
    fits = shown(number)
    return (_BEYOND - 1).copy_sign(number) if fits is None else fits


def short(text: str, length: int) -> str:
    """`text` where it can be stored in `length` characters, else its beginning and a digest of all of it, so that two stay
    two: NUL is refused by PostgreSQL, and blanks at the end count for nothing when MariaDB and MySQL compare
    (https://mariadb.com/kb/en/supported-character-sets-and-collations/, on PAD SPACE).
    """
    clean = text.replace("\x00", "").rstrip(" ")
    if clean == text and len(text) <= length:
        return text
    digest = sha256(text.encode()).hexdigest()[: min(32, length // 2)]
    return f"{clean[: length - len(digest) - 1]}~{digest}"


class Dec(TypeDecorator[Decimal]):
    """A price, a quantity or an amount: exact both ways, up to 18 digits before the point and 12 behind it."""

    impl = Numeric(30, PLACES)
    cache_ok = True

    @override
    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else Numeric(30, PLACES))

    @override
    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if shown(value) != value:
            raise ValueError(f"expected a number with at most 18 digits and {PLACES} places, was {value}")
        return plain(value) if dialect.name == "sqlite" else value

    @override
    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        if value is None:
            return None
        return Decimal(value if dialect.name == "sqlite" else plain(value))


class Exact(TypeDecorator[Decimal]):
    """A sum or a product with every digit it has, as text on every dialect; for the fold, not for arithmetic in SQL."""

    impl = String(120)
    cache_ok = True

    @override
    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:
        return None if value is None else plain(value)

    @override
    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(value)


class Word(TypeDecorator[str]):
    """An id or a name of bounded length; one that cannot be stored as it is becomes what `short` makes of it, which keeps it
    distinct.
    """

    impl = String
    cache_ok = True

    def __init__(self, length: int) -> None:
        super().__init__(length)
        self.length = length

    @override
    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else short(value, self.length)


class Words(TypeDecorator[str]):
    """Text of any length: sentences, a broker's own words, JSON."""

    impl = Text
    cache_ok = True

    @override
    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(LONGTEXT() if dialect.name in ("mysql", "mariadb") else Text())

    @override
    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else value.replace("\x00", "")
