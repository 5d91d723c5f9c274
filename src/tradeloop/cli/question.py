"""A question at the terminal while a desk works.

Whoever is asked may think for as long as it takes, and the desk goes on meanwhile: it keeps its lease, watches the stops that
it holds, and sees the file HALT. Where the desk ends, so does the question.
"""

from __future__ import annotations

import asyncio
import os
import termios
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, TypeVar

import typer

if TYPE_CHECKING:
    from tradeloop.cli.shell import Voice

_LONGEST = 4096
T = TypeVar("T")


async def typed(voice: Voice, question: str, terminal: int, desk: Coroutine[Any, Any, None], *, unseen: bool = False) -> str:
    """What is typed as the answer, without what stands around it; raises as `is_confirmed` does. `unseen`: it is not shown."""
    return await _beside(voice, _typed(voice, question, terminal, unseen=unseen), desk)


async def is_confirmed(voice: Voice, question: str, terminal: int, desk: Coroutine[Any, Any, None]) -> bool:
    """Whether the answer is yes; an empty one is no, and after any other the question is asked again. `terminal`: the number of
    the stream that is read, which must be a terminal's. Raises typer.Abort where it ends, and what ends `desk`, the work that
    goes on meanwhile: nobody answers for one that has ended.
    """
    return await _beside(voice, _asked(voice, question, terminal), desk)


async def _beside(voice: Voice, question: Coroutine[Any, Any, T], desk: Coroutine[Any, Any, None]) -> T:
    """The answer, where it comes before the desk ends."""
    asked, works = asyncio.ensure_future(question), asyncio.ensure_future(desk)
    try:
        await asyncio.wait((asked, works), return_when=asyncio.FIRST_COMPLETED)
        if works.done():
            voice.say("")  # behind the question, which nobody answers any more
            works.result()
        return await asked
    finally:
        asked.cancel()
        works.cancel()


async def _typed(voice: Voice, question: str, terminal: int, *, unseen: bool) -> str:
    with _without_echo(terminal) if unseen else nullcontext():
        voice.err.print(f"{question}: ", end="", markup=False, highlight=False, soft_wrap=True)
        line = await _line(terminal)
    if unseen:
        voice.say("")  # behind the question: the end of the line was not shown either
    if not line:
        raise typer.Abort
    return line.decode(errors="replace").strip()


@contextmanager
def _without_echo(terminal: int) -> Iterator[None]:
    before = termios.tcgetattr(terminal)
    quiet = [*before[:3], before[3] & ~termios.ECHO, *before[4:]]
    termios.tcsetattr(terminal, termios.TCSADRAIN, quiet)
    try:
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


async def _asked(voice: Voice, question: str, terminal: int) -> bool:
    while True:
        voice.err.print(f"{question} [y/N]: ", end="", markup=False, highlight=False, soft_wrap=True)
        line = await _line(terminal)
        if not line:
            raise typer.Abort
        answer = line.decode(errors="replace").strip().lower()
        if answer in ("y", "yes"):
            return True
        if answer in ("", "n", "no"):
            return False
        voice.say("answer y or n")


async def _line(terminal: int) -> bytes:
    """The next line that is typed; a terminal gives whole ones."""
    loop, typed = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(terminal, typed.set)
    try:
        await typed.wait()
    finally:
        loop.remove_reader(terminal)
    return os.read(terminal, _LONGEST)
