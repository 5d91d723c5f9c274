"""The command line: what a person at a terminal, a script and cron use. Every command is in docs/reference/cli.md.

A command says what it means on stdout, tables or, with `--json`, one JSON document; progress, logs and alerts go to stderr.
Exit codes: 0 done, 1 failed or left something for a person, 2 usage or bad input, 3 denied by risk, 4 an order's fate unknown.
Modules import what they need when they run, so that `--help` stays quick.
"""

from __future__ import annotations

import io
import sys
from types import TracebackType
from typing import NoReturn


def main() -> None:
    """The entry point of the installed command `tradeloop`."""
    import os

    # Before Typer is imported, which hands on to the hook that stands then.
    sys.excepthook = _told
    _have_streams()
    os.umask(0o077)  # what is made here is its owner's alone: journal, books, artefacts
    try:
        from tradeloop.cli.app import app

        app()
    except KeyboardInterrupt:
        _end_interrupted()
    except SystemExit as ended:
        if ended.code != _TYPERS_INTERRUPT:
            raise
        _end_interrupted()


_TYPERS_INTERRUPT = 130


def _end_interrupted() -> NoReturn:
    """Ctrl-C before the command began: the commands themselves say what they leave (shell.py)."""
    sys.stderr.write("error: interrupted; nothing was begun\n")
    sys.exit(1)


def _have_streams() -> None:
    """Somewhere to read and to speak, whatever we were given: a closed stream's number would be taken by the next file that is
    opened, and a character that the terminal does not know would end the command after its work is done.
    """
    import os
    from pathlib import Path

    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free, which is this one
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115  # to the end of the process
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _told(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """A fault of the program: its place with --debug, one sentence without."""
    if "--debug" in sys.argv:
        sys.__excepthook__(kind, error, trace)
        return
    if isinstance(error, OSError) and error.filename is None:
        sys.stderr.write(f"error: what there was to say could not be written ({error.strerror or error})\n")
        return
    said = f"error: a fault of tradeloop itself ({kind.__name__}: {error}); what was recorded is safe."
    sys.stderr.write(f"{said} Run it again as `tradeloop --debug …` for the place, and report it.\n")
