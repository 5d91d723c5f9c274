"""One question or command for the desk: what is sent, and what comes back. Made once, it may be sent again.

What makes something carries an `Idempotency-Key` of its own from the start, so that the same `Ask` sent again after a time-out
is answered with what the first one made.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Generic, TypeVar
from urllib.parse import quote

import msgspec

from tradeloop.access import drawn
from tradeloop.core.errors import BadInput

T = TypeVar("T")

Number = Decimal | int | str
"""An amount as it may be given. Never a float: 0.1 is not one of them."""


class Ask(msgspec.Struct, Generic[T], frozen=True):
    """One of them. `gives` is the type of the answer; `may_repeat`: sent twice it does no more than sent once."""

    method: str
    path: str
    gives: type[T]
    query: dict[str, str] = {}
    body: dict[str, Any] | None = None
    key: str = ""
    is_harmless: bool = False

    @property
    def may_repeat(self) -> bool:
        """Whether it may be sent again where nobody knows what became of the first time."""
        return self.method == "GET" or bool(self.key) or self.is_harmless


def amount(given: Number | None) -> str | None:
    """An amount as it is sent: plain text. Raises BadInput for what is none."""
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, Decimal | int | str):
        raise BadInput(
            f"an amount was the {type(given).__name__} {given!r}; expected a Decimal, an int or text: a float is not exact"
        )
    try:
        number = Decimal(given)
    except InvalidOperation:
        raise BadInput(f"an amount was {given!r}; expected a plain decimal number") from None
    if not number.is_finite():
        raise BadInput(f"an amount was {given}; expected a plain decimal number")
    return f"{number:f}"


def present(**fields: Any) -> dict[str, Any]:
    """The fields that were given: neither None nor empty text."""
    return {name: value for name, value in fields.items() if value is not None and value != ""}


def asked(**fields: Any) -> dict[str, str]:
    """The same for a query."""
    return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in present(**fields).items()}


def at(path: str, **parts: str) -> str:
    """A path with its parts, each escaped."""
    return path.format_map(_Escaped(parts))


def new_key() -> str:
    """An Idempotency-Key that nobody else has."""
    return drawn.token().get_secret_value()


class _Escaped(dict[str, str]):
    def __init__(self, parts: Mapping[str, str]) -> None:
        super().__init__({name: quote(part, safe="") for name, part in parts.items()})
