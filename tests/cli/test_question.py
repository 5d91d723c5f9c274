"""A question at the terminal, and the desk that works while somebody thinks."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from tests.cli.commands import FILES, runs

from tradeloop.cli.question import is_confirmed
from tradeloop.cli.shell import Voice
from tradeloop.core.errors import JournalFailed


async def works_on() -> None:
    await asyncio.Event().wait()


async def ends() -> None:
    raise JournalFailed("another process has taken over")


def answered(typed: bytes) -> bool:
    """What is typed at a terminal, as an answer."""
    keyboard, terminal = os.openpty()
    try:
        os.write(keyboard, typed)
        return asyncio.run(is_confirmed(Voice(json=False), "Send?", terminal, works_on()))
    finally:
        os.close(keyboard)
        os.close(terminal)


@pytest.mark.parametrize(("typed", "means"), [(b"y\n", True), (b"YES\n", True), (b"\n", False), (b"n\n", False)])
def test_only_a_yes_confirms(typed: bytes, means: bool) -> None:
    assert answered(typed) is means


def test_what_is_neither_yes_nor_no_is_asked_again() -> None:
    assert answered(b"maybe\ny\n") is True


def test_the_end_of_the_terminal_confirms_nothing() -> None:
    with pytest.raises(typer.Abort):
        answered(b"\x04")


def test_a_desk_that_ends_ends_the_question() -> None:
    """Nobody would answer for a desk that another process has taken over from; and whoever is asked would not know."""
    keyboard, terminal = os.openpty()
    try:
        with pytest.raises(JournalFailed, match="taken over"):
            asyncio.run(asyncio.wait_for(is_confirmed(Voice(json=False), "Send?", terminal, ends()), timeout=10))
    finally:
        os.close(keyboard)
        os.close(terminal)


@pytest.mark.crash
@pytest.mark.parametrize(
    ("typed", "said"),
    [(b"\x04", "error: the terminal ended before an answer; nothing was sent"), (b"", "nothing was sent")],
    ids=["Ctrl-D", "Ctrl-C"],
)
def test_who_ends_the_question_is_told_on_a_line_of_its_own_that_nothing_was_sent(
    typed: bytes, said: str, tmp_path: Path
) -> None:
    portfolio, context = (str(FILES / "good" / name) for name in ("portfolio_us.csv", "execution_context_us.json"))
    command = [sys.executable, "-m", "tradeloop", "--home", str(tmp_path), "run", portfolio, "--context", context]
    keyboard, terminal = os.openpty()
    shown = b""
    with subprocess.Popen([*command, "--feed", "demo"], stdin=terminal, stdout=terminal, stderr=terminal) as asked:
        os.close(terminal)
        while b"[y/N]: " not in shown:
            shown += os.read(keyboard, 4_096)
        if typed:
            os.write(keyboard, typed)
        else:
            asked.send_signal(signal.SIGINT)  # as the terminal would for Ctrl-C
        with contextlib.suppress(OSError):  # the end of the terminal
            while more := os.read(keyboard, 4_096):
                shown += more
        assert asked.wait(30) == 1
    os.close(keyboard)
    assert said in [line.strip() for line in shown.decode().splitlines()]
    assert runs(tmp_path) == []
