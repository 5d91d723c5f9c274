"""Rows and facts as documents: amounts as text in plain notation, times as RFC 3339, nothing as a binary number."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import Annotated, Any, Final, TypeVar
from zoneinfo import ZoneInfo

import msgspec

from tradeloop.core.types import SECOND_NS

S = TypeVar("S", bound=msgspec.Struct)

_NUMBER: Final = r"^-?[0-9]{1,30}(\.[0-9]{1,30})?$"

Amount = Annotated[
    str, msgspec.Meta(extra_json_schema={"pattern": _NUMBER}, description="A plain decimal number, as text.", examples=["100"])
]
Moment = Annotated[str, msgspec.Meta(extra_json_schema={"format": "date-time"})]
Day = Annotated[str, msgspec.Meta(extra_json_schema={"format": "date"})]

_ZONES: Final = {
    "US": "America/New_York",
    "CN_A": "Asia/Shanghai",
    "CN_FUTURES": "Asia/Shanghai",
    "HK": "Asia/Hong_Kong",
}
_US: Final = 1_000


def told(kind: type[S], row: Any, **more: Any) -> S:
    """A document of this kind out of a row: fields of one name, and `more` beside or over them."""
    values = {name: more[name] if name in more else _said(name, getattr(row, name)) for name in _fields(kind)}
    return kind(**values)


def amount(number: Decimal) -> str:
    """An amount in plain notation."""
    return f"{number:f}"


def amount_or_none(number: Decimal | None) -> str | None:
    """The same of what may be unknown."""
    return None if number is None else f"{number:f}"


def moment(at: int) -> str:
    """A time in nanoseconds as RFC 3339, UTC, to the microsecond."""
    whole, rest = divmod(at, SECOND_NS)
    return f"{datetime.fromtimestamp(whole, UTC):%Y-%m-%dT%H:%M:%S}.{rest // _US:06d}Z"


def moment_or_none(at: int | None) -> str | None:
    """The same of what may not have been."""
    return None if at is None else moment(at)


def local(at: int, market: str) -> str:
    """The same by the clock of the exchange, with its offset; UTC where it trades round the clock."""
    zone = _ZONES.get(market)
    if zone is None:
        return moment(at)
    whole, rest = divmod(at, SECOND_NS)
    return datetime.fromtimestamp(whole, ZoneInfo(zone)).replace(microsecond=rest // _US).isoformat(timespec="microseconds")


def documents(value: Any) -> Any:
    """A tree of anything of ours as JSON can say it."""
    match value:
        case Decimal():
            return amount(value)
        case Enum():
            return value.value
        case msgspec.Struct():
            return {name: documents(_said(name, getattr(value, name))) for name in value.__struct_fields__}
        case dict():
            return {str(key): documents(each) for key, each in value.items()}
        case list() | tuple():
            return [documents(each) for each in value]
        case _:
            return value


@lru_cache(maxsize=256)
def _fields(kind: type[msgspec.Struct]) -> tuple[str, ...]:
    return kind.__struct_fields__


def _said(name: str, value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if type(value) is int and (name == "at" or name.endswith(("_at", "_time"))):
        return moment(value)
    if isinstance(value, Enum):
        return value.value
    return value
