"""How the command line refuses words that are no command: one sentence on stderr, one document with --json, exit code 2."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from typing import Any

import typer
from typer.core import TyperGroup
from typing_extensions import override

from tradeloop.cli.shell import FAILED, USAGE, write_json

_UsageError: Any = typer.BadParameter.__mro__[1]
"""Every refusal of words; Typer names its one child alone."""


class Commands(TyperGroup):
    """All commands; their usage errors end as every other error does."""

    @override
    def main(  # type: ignore[override]
        self, args: Sequence[str] | None = None, **extra: Any
    ) -> Any:
        """Run, and leave with the exit code."""
        standalone = extra.pop("standalone_mode", True)
        given = sys.argv[1:] if args is None else list(args)
        try:
            code = super().main(given, standalone_mode=False, **extra)
        except _UsageError as error:
            if type(error).__name__ == "NoArgsIsHelpError":
                error.show()
                code = USAGE
            else:
                code = _refused(error, given)
        except typer.Abort:
            sys.stderr.write("error: interrupted\n")
            code = FAILED
        if not standalone:
            return code
        sys.exit(code if isinstance(code, int) else 0)


def _refused(error: Any, given: Sequence[str]) -> int:
    sentence = _sentence(error)
    if "--json" in given:
        write_json({"error": sentence, "exit_code": USAGE})
    elif error.ctx is not None:
        sys.stderr.write(f"{error.ctx.get_usage()}\n")
    sys.stderr.write(f"error: {sentence}\n")
    return USAGE


def _sentence(error: Any) -> str:
    option = getattr(error, "option_name", None)
    if isinstance(option, str) and re.fullmatch(r"-[\d.].*", option):
        if error.ctx is not None and error.ctx.command_path.endswith((" risk set", " risk shadow")):
            return f"a limit was below zero ({option}); expected zero or more"
        return f"a number was below zero ({option}); expected one above it, the side says the direction"
    # What an option of ours says of itself (`bounded`) is the whole sentence; Typer would put its own words before it.
    said = error.message if isinstance(error, typer.BadParameter) and error.message.startswith("--") else error.format_message()
    return " ".join(str(said).replace("Value error, ", "").split()).rstrip(".")  # Typer's own word of a choice
