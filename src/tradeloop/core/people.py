"""Names of people, as orders, approvals and changes of limits carry them: compared in one form, however they were typed.

A name is taken at its word; but two spellings of one name are one person, so that nobody agrees with themselves by a capital, a
space or a sign that is not seen.
"""

from __future__ import annotations

from collections.abc import Iterable
from unicodedata import normalize

from tradeloop.core.errors import BadInput

_SHOWN_MAX = 60


def person(name: str) -> str:
    """The one form in which a name is compared: no difference of case, width or spaces. Empty where it names nobody."""
    return " ".join(normalize("NFKC", normalize("NFKC", name).casefold()).split())


def is_one_of(name: str, people: Iterable[str]) -> bool:
    """Whether a name is that of one of these people."""
    return person(name) in map(person, people)


def seen(name: str, what: str) -> None:
    """Raise BadInput where a name holds what nobody sees: two names that look alike must be one."""
    if not name.isprintable():
        raise BadInput(f"{what} was {ascii(name)[:_SHOWN_MAX]}, which holds signs that are not seen; type the name anew")
