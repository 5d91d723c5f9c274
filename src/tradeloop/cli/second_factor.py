"""`tradeloop second-factor`: the code from a device that the release of a halt needs where the broker trades live.

What it says stands in docs/how-to/stop.md. The secret is shown once, at set-up, on stderr alone; codes are shown nowhere.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Final

import typer

from tradeloop.cli.options import By, Json
from tradeloop.cli.shell import OK, Shell, Voice, perform

if TYPE_CHECKING:
    from tradeloop.access.second_factor import Pending

app = typer.Typer(help="The second factor of a live desk: set-up one, remove it.")

Code = Annotated[
    str | None,
    typer.Option("--code", help="The six digits that your authenticator shows now; without it a terminal asks for them."),
]
_TRIES: Final = 3
_NO_TERMINAL: Final = "no code was given, and there is no terminal to ask for one"


@app.command("set-up")
def set_up(ctx: typer.Context, by: By = None, json: Json = False) -> None:
    """Show a new secret once, for an authenticator app; it counts when a code of it was typed. Needs a terminal."""

    async def work(shell: Shell, voice: Voice) -> int:
        from tradeloop.access.second_factor import SecondFactor
        from tradeloop.core.errors import BadInput

        loaded = shell.load(operator=by)
        if not _is_terminal():
            raise BadInput("a second factor is set up by a person who types a code of it; expected a terminal, was none")
        loaded.home.prepare()
        pending = SecondFactor(loaded.home.second_factor).begin()
        voice.say("give this to an authenticator app now; whoever has it can release halts, and it is shown only once:")
        voice.say(pending.uri(f"{loaded.operator}@{loaded.settings.group}"))
        _confirm(voice, pending, loaded.operator)
        text = f"the second factor is set up, in {loaded.home.second_factor}"
        voice.result({"second_factor": text}, lambda out: out.print(text, soft_wrap=True))
        return OK

    perform(ctx, json, work)


@app.command("remove")
def remove(ctx: typer.Context, code: Code = None, by: By = None, json: Json = False) -> None:
    """Take the second factor away, with a code of it. A live desk that is halted is then released by nobody."""

    async def work(shell: Shell, voice: Voice) -> int:
        from tradeloop.access.second_factor import SecondFactor
        from tradeloop.core.errors import BadInput
        from tradeloop.engine.clock import WallClock

        loaded = shell.load(operator=by)
        factor = SecondFactor(loaded.home.second_factor)
        if not factor.is_set_up:
            raise BadInput("no second factor is set up, nothing to remove")
        given = code if code is not None else asked_for(voice)
        if given is None:
            raise BadInput(f"{_NO_TERMINAL}; give --code")
        factor.remove(given, WallClock().now(), loaded.operator)
        text = "the second factor is removed"
        voice.result({"second_factor": text}, lambda out: out.print(text, soft_wrap=True))
        return OK

    perform(ctx, json, work)


def asked_for(voice: Voice) -> str | None:
    """The code that a person types; None where nobody can be asked."""
    if voice.json or not _is_terminal():
        return None
    text: str = typer.prompt("code of the second factor", hide_input=True, err=True)
    return text.strip()


def _confirm(voice: Voice, pending: Pending, by: str) -> None:
    """Ask for a code until it is right, a few times. Raises BadInput where none was; then nothing is set up."""
    from tradeloop.core.errors import BadInput
    from tradeloop.engine.clock import WallClock

    for left in reversed(range(_TRIES)):
        typed: str = typer.prompt("the code that it shows now", hide_input=True, err=True)
        try:
            return pending.confirm(typed.strip(), WallClock().now(), by)
        except BadInput as error:
            if not left:
                raise BadInput(f"{error}; nothing is set up") from None
            voice.say(f"{error}")
    return None


def _is_terminal() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()
