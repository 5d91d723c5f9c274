"""How commands about users, keys, sessions and secrets reach them, and how a secret is typed: never as an argument of a
command.

They write the store themselves, whether or not a desk runs here: it sees within a second what was changed.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from tradeloop.cli.shell import Shell, Voice

if TYPE_CHECKING:
    from pydantic import SecretStr

    from tradeloop.access.access import Access
    from tradeloop.access.asked import Asked
    from tradeloop.core.types import UtcNs

E = TypeVar("E", bound=Enum)

FromStdin = Annotated[
    bool, typer.Option("--from-stdin", help="Read it from the first line of stdin; without it a terminal asks for it.")
]


@asynccontextmanager
async def people(shell: Shell, by: str | None = None) -> AsyncIterator[tuple[Access, Asked]]:
    """Users and keys of this installation, and what the log says of who asks; made where there are none."""
    from tradeloop.access.asked import TERMINAL, Asked
    from tradeloop.bootstrap.access import open_access
    from tradeloop.engine.clock import WallClock

    loaded = shell.load(operator=by)
    async with open_access(loaded) as access:
        yield access, Asked(loaded.operator, TERMINAL, WallClock().now())


def are_there(shell: Shell) -> bool:
    """Whether there can be any: a question makes no file."""
    from tradeloop.bootstrap.access import access_path

    path = access_path(shell.load())
    return path is None or path.exists()


def typed_twice(voice: Voice, what: str, from_stdin: bool) -> SecretStr:
    """A new secret as a person types it, twice, or from stdin. Raises BadInput where nobody can be asked."""
    from pydantic import SecretStr

    from tradeloop.core.errors import BadInput

    if from_stdin:
        return SecretStr(sys.stdin.readline().rstrip("\r\n"))
    if voice.json or sys.stdin is None or not sys.stdin.isatty():
        raise BadInput(f"{what} was not given, and there is no terminal to ask for it; use --from-stdin")
    return SecretStr(typer.prompt(what, hide_input=True, confirmation_prompt=True, err=True))


def words_of(text: str, kind: type[E], what: str) -> frozenset[E]:
    """A list with commas as members of an enumeration. Raises BadInput."""
    from tradeloop.core.errors import BadInput

    known = {str(each.value): each for each in kind}
    given = [each.strip() for each in text.split(",") if each.strip()]
    for each in given:
        if each not in known:
            raise BadInput(f"{what} was {each[:40]!r}; expected one or more of {', '.join(known)}, with commas between")
    return frozenset(known[each] for each in given)


def parts(text: str | None) -> list[str]:
    """A list with commas."""
    return [] if text is None else [each.strip() for each in text.split(",") if each.strip()]


def in_order(given: Iterable[E], kind: type[E]) -> list[str]:
    """Members in the order of their enumeration, as words."""
    there = frozenset(given)
    return [str(each.value) for each in kind if each in there]


def iso(at: UtcNs | None) -> str | None:
    """A time as documents have it."""
    return None if at is None else f"{datetime.fromtimestamp(at // 10**9, UTC):%Y-%m-%dT%H:%M:%SZ}"
