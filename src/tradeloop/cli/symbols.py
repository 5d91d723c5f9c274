"""`tradeloop symbols`: what takes no new orders because more was filled than ordered, and its release by a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tradeloop.cli.options import By, Feed, Json, Reason, Speed, Start, feed_settings
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
    by: By = None,
    feed: Feed = None,
    speed: Speed = None,
    start: Start = None,
    json: Json = False,
) -> None:
    """Let a halted symbol take orders again, in your name and for a reason."""

    async def work(shell: Shell, voice: Voice) -> int:
        from tradeloop.cli.asking import carried_out
        from tradeloop.core.commands import ReleaseSymbol
        from tradeloop.markets.symbols import canonical

        loaded = shell.load(operator=by, **feed_settings(feed, speed, start))
        return await carried_out(voice, loaded, ReleaseSymbol(canonical(symbol), loaded.operator, reason), "symbols release")

    perform(ctx, json, work)
