"""`tradeloop symbols`: what takes no new orders because more was filled than ordered, and its release by a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tradeloop.cli.options import By, Feed, Json, Reason, Speed, Start, feed_settings
from tradeloop.cli.second_factor import Code, asked_for
from tradeloop.cli.shell import OK, Shell, Voice, perform

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer(help="Halted symbols, listed by the command alone: release one.", invoke_without_command=True)


@app.callback(invoke_without_command=True)
def list_(ctx: typer.Context, json: Json = False) -> None:
    """List the symbols that take no new orders, and why; or release one."""
    if ctx.invoked_subcommand is not None:
        return

    async def work(shell: Shell, voice: Voice) -> int:
        from tradeloop.bootstrap import open_archive
        from tradeloop.cli import words

        async with open_archive(shell.load(), fresh_views=False) as archive:
            halted = sorted((await archive.recovered()).state.halted.items())

        def show(out: Console) -> None:
            words.table(out, "Halted symbols", ("symbol", "~why"), halted)
            for symbol, _ in halted:
                out.print(f"{symbol}: look at it, then `tradeloop symbols release {symbol} --reason …`", soft_wrap=True)

        voice.result({"halted": [{"symbol": symbol, "why": why} for symbol, why in halted]}, show)
        return OK

    perform(ctx, json, work)


@app.command("release")
def release(
    ctx: typer.Context,
    symbol: Annotated[str, typer.Argument(help="What may be traded again, in any notation.")],
    reason: Reason,
    code: Code = None,
    by: By = None,
    feed: Feed = None,
    speed: Speed = None,
    start: Start = None,
    json: Json = False,
) -> None:
    """Let a halted symbol take orders again, in your name and for a reason, and where the broker trades live with a code."""

    async def work(shell: Shell, voice: Voice) -> int:
        from tradeloop.bootstrap.release import needs_a_code
        from tradeloop.cli.asking import released
        from tradeloop.cli.known import recorded_state, refuse
        from tradeloop.core.checked import checked_command
        from tradeloop.core.commands import ReleaseSymbol
        from tradeloop.core.errors import BadInput
        from tradeloop.core.state import State
        from tradeloop.markets.symbols import canonical

        loaded = shell.load(operator=by, **feed_settings(feed, speed, start))
        if not reason.strip():
            raise BadInput("a release needs a name and a reason; --reason was empty")
        command = ReleaseSymbol(canonical(symbol), loaded.operator, reason)
        checked_command(command)
        recorded = await recorded_state(loaded)
        if recorded is not None:
            refuse(recorded, command)  # no code is asked for, or spent, where it releases nothing
        given = code or ""
        if code is None and needs_a_code(loaded, recorded or State()):
            given = asked_for(voice) or ""
        return await released(voice, loaded, command, given, "symbols release")

    perform(ctx, json, work)
