"""A walk over a value by the types it declares, compiled once: each field of a struct is of its type and fits (core/fit.py).

It asks the same of a value as the journal's decoder would, and more: no derived types, texts that can be written, numbers that
sums and products can end with. For what comes seldom; what is on the path of an order has its own checks.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from types import NoneType, UnionType
from typing import Any, Final, NewType, Union, get_args, get_origin, get_type_hints

import msgspec

from tradeloop.core import fit
from tradeloop.core.types import VALUE_DIGITS_MAX, UtcNs

PLACES_MAX: Final = 40
"""Decimal places of a weight, which may be what a division left; as many as core/types.py reads from text."""

Check = Callable[[Any, str], None]
"""Raises BadInput when the value of the field of that name does not fit."""


@lru_cache(maxsize=256)
def check_of(hint: Any) -> Check:
    """The check of what this type stands at."""
    if hint is UtcNs:
        return fit.moment
    if isinstance(hint, NewType):
        return check_of(hint.__supertype__)
    origin, inside = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return _one_or_none(hint, [one for one in inside if one is not NoneType])
    if origin is tuple:
        return _sequence(check_of(inside[0])) if inside[-1] is Ellipsis else _parts([check_of(one) for one in inside])
    if origin is dict:
        return _mapping(check_of(inside[0]), check_of(inside[1]))
    if issubclass(hint, msgspec.Struct):
        return _struct(hint)
    if issubclass(hint, Enum):
        return lambda value, what: fit.word(value, hint, what)
    return _PLAIN[hint]


def places(number: Decimal) -> int:
    """Decimal places of a finite number; below zero for one in tens or hundreds."""
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int)
    return -exponent


def _number(value: Any, what: str) -> None:
    """What no more is asked of than that sums and products of it end."""
    sound = type(value) is Decimal and value.is_finite() and value.adjusted() < VALUE_DIGITS_MAX
    if not sound or places(value) > PLACES_MAX:
        raise fit.wrong(value, what, f"a finite number below 1E+{VALUE_DIGITS_MAX}, of at most {PLACES_MAX} decimal places")


def _whole(value: Any, what: str) -> None:
    if type(value) is not int or not -fit.MOMENT_END <= value < fit.MOMENT_END:
        raise fit.wrong(value, what, "a whole number below 2**63")


_PLAIN: Final[dict[Any, Check]] = {str: fit.text, bool: fit.flag, int: _whole, Decimal: _number}


def _one_or_none(hint: Any, kinds: list[Any]) -> Check:
    if len(kinds) != 1:
        raise TypeError(f"{hint} is more than one type or none; a walk over it is not written")
    inner = check_of(kinds[0])

    def check(value: Any, what: str) -> None:
        if value is not None:
            inner(value, what)

    return check


def _sequence(inner: Check) -> Check:
    def check(value: Any, what: str) -> None:
        if type(value) is not tuple:
            raise fit.wrong(value, what, "a tuple")
        for one in value:
            inner(one, what)

    return check


def _parts(inner: list[Check]) -> Check:
    def check(value: Any, what: str) -> None:
        if type(value) is not tuple or len(value) != len(inner):
            raise fit.wrong(value, what, f"a tuple of {len(inner)}")
        for one, part in zip(value, inner, strict=True):
            part(one, what)

    return check


def _mapping(of_key: Check, of_value: Check) -> Check:
    def check(value: Any, what: str) -> None:
        if type(value) is not dict:
            raise fit.wrong(value, what, "a dict")
        for key, one in value.items():
            of_key(key, what)
            of_value(one, what)

    return check


def _struct(kind: type[msgspec.Struct]) -> Check:
    hints = get_type_hints(kind)
    fields = tuple((field, check_of(hints[field])) for field in kind.__struct_fields__)

    def check(value: Any, what: str) -> None:
        if type(value) is not kind:
            raise fit.wrong(value, what, f"a {kind.__name__}")
        for field, inner in fields:
            inner(getattr(value, field), field)

    return check
