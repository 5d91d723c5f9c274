"""What fits into a fact: texts that can be written, numbers that are exact, moments of 64 bits, and nothing of another type.

The journal writes what it is given and reads only what its types allow, so a value of a wrong type would be found when nobody
can take it back any more: at the next start. Each function returns when the value fits and raises BadInput when it does not,
naming the field, what was expected and what was found. Those that end in `_or_none` allow what is unknown; the others do not.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from enum import Enum
from functools import lru_cache
from typing import Any, Final

from tradeloop.core.errors import BadInput
from tradeloop.core.types import DECIMAL_PLACES_MAX, SIGNIFICANT_DIGITS_MAX, VALUE_DIGITS_MAX, is_exact

TEXT_MAX: Final = 512
"""Characters of one text; the longest id a venue documents has 64."""
MOMENT_END: Final = 2**63
SHOWN_MAX: Final = 40
"""Characters of what was found that a sentence repeats."""

_DUST: Final = Decimal(1).scaleb(-DECIMAL_PLACES_MAX)
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def shown(value: object) -> str:
    """What was found, short enough for a sentence and in characters that every channel carries."""
    if value is None:
        return "None"
    try:
        said = str(value)[:SHOWN_MAX]
    except ValueError:  # an integer of thousands of digits
        return f"a very long {type(value).__name__}"
    return f"{said!a}" if type(value) in (str, Decimal, int) else f"{said!a}, a {type(value).__name__}"


def wrong(value: object, what: str, expected: str) -> BadInput:
    """The error that says what was expected and what was found."""
    return BadInput(f"{what} was {shown(value)}; expected {expected}")


# --- texts


def identity(names: tuple[str, ...], *texts: str) -> None:
    """All texts are such that the journal and every view can hold them. One look when all are short and ASCII."""
    for one in texts:
        if type(one) is not str:
            break  # found below by its name
    else:
        whole = "".join(texts)
        if len(whole) <= TEXT_MAX and whole.isascii() and "\0" not in whole:
            return
    for name, one in zip(names, texts, strict=True):
        text(one, name)


def text(given: Any, what: str) -> None:
    """A text that can be written. One of a derived type is refused: it may read as another one than it is written as."""
    if type(given) is not str:
        raise wrong(given, what, "text")
    if len(given) > TEXT_MAX:
        raise BadInput(f"{what} was {len(given)} characters long, beginning {given[:20]!a}; expected at most {TEXT_MAX}")
    if "\0" in given:
        raise BadInput(f"{what} was {given[:SHOWN_MAX]!a}, with a NUL in it; expected text without")
    try:
        given.encode()
    except UnicodeEncodeError:
        raise BadInput(f"{what} was {given[:SHOWN_MAX]!a}, which is no Unicode text; check the encoding it came in") from None


def words(given: Any) -> str:
    """Free words as the journal can hold them: what cannot be written becomes a question mark, the end is cut off. What is no
    text at all is said as it shows itself, and nothing as no words.
    """
    if type(given) is str and len(given) <= TEXT_MAX and given.isascii() and "\0" not in given:
        return given
    if not isinstance(given, str):
        return "" if given is None else shown(given)
    return str.__str__(given)[:TEXT_MAX].encode(errors="replace").decode().replace("\0", "?")


def day(given: Any, what: str = "trading_day") -> None:
    """A day is part of the identity of a fill, and is compared as text: nothing but a date can stand there."""
    if type(given) is not str or not is_date(given):
        raise wrong(given, what, "a date such as 2026-07-17")


@lru_cache(maxsize=64)
def is_date(given: str) -> bool:
    """Whether a text is a date of the calendar, as ISO 8601 writes it."""
    if _DATE.fullmatch(given) is None:
        return False
    try:
        date.fromisoformat(given)
    except ValueError:  # the 30th of February
        return False
    return True


def account(given: str) -> None:
    """The name of an account, known to be text."""
    if "|" in given:  # it parts the identity of a fill (core/execution.py)
        raise BadInput(f"account was {given[:SHOWN_MAX]!a}; expected a name without '|'")


# --- numbers


def unfit(number: object, what: str) -> BadInput:
    """The error of a number that is none, or one that the ledger could not carry exactly."""
    return wrong(
        number, what, f"a number of at most {SIGNIFICANT_DIGITS_MAX} significant digits and {DECIMAL_PLACES_MAX} decimal places"
    )


def exact(number: Any, what: str, *, least: int | None = 0, above: bool = False) -> None:
    """A number within the bounds of core/types.py and not below `least` (above: not at it either)."""
    if type(number) is not Decimal or not is_exact(number):
        raise unfit(number, what)
    if least is not None and (number < least or (above and number == least)):
        raise BadInput(f"{what} was {number}; expected {'more than' if above else 'at least'} {least}")


def exact_or_none(number: Any, what: str, *, least: int | None = 0, above: bool = False) -> None:
    """The same, or None."""
    if number is not None:
        exact(number, what, least=least, above=above)


def amount(number: Any, what: str) -> Decimal:
    """Money of either sign; what is finer than twelve places is rounded to them."""
    if type(number) is not Decimal or not number.is_finite() or number.adjusted() >= VALUE_DIGITS_MAX:
        raise wrong(number, what, f"an amount below 1E+{VALUE_DIGITS_MAX}")
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int)
    return number if exponent >= -DECIMAL_PLACES_MAX else number.quantize(_DUST, rounding=ROUND_HALF_EVEN)


def moment(at: Any, what: str) -> None:
    """A moment since 1970."""
    if type(at) is not int or not 0 <= at < MOMENT_END:
        raise wrong(at, what, "nanoseconds since 1970, below 2**63")


def moment_or_none(at: Any, what: str) -> None:
    """The same, or None."""
    if at is not None:
        moment(at, what)


def count(number: Any, what: str, expected: str = "a whole number, counted from 1") -> None:
    """A number counted from 1."""
    if type(number) is not int or not 0 < number < MOMENT_END:
        raise wrong(number, what, expected)


# --- words of the vocabulary


def word(given: Any, kind: type[Enum], what: str) -> None:
    """A word of `kind`, not the text of one."""
    if type(given) is not kind:
        raise wrong(given, what, f"a {kind.__name__}")


def flag(given: Any, what: str) -> None:
    """Yes or no."""
    if type(given) is not bool:
        raise wrong(given, what, "True or False")
