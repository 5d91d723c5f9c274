"""`tradeloop config show` and `tradeloop version`."""

from __future__ import annotations

import typer

from tradeloop.cli.options import Json
from tradeloop.cli.shell import OK, Shell, Voice, perform

app = typer.Typer(help="Settings: show each one and where it came from.", no_args_is_help=True)


@app.command("show")
def show(ctx: typer.Context, json: Json = False) -> None:
    """Show every setting, its value with secrets masked, and every limit of risk as configured, each with its origin."""

    async def work(shell: Shell, voice: Voice) -> int:
        from tradeloop.bootstrap import configured_limits
        from tradeloop.cli import words
        from tradeloop.cli.risk import rows_of, show_limits

        loaded = shell.load()
        limits = rows_of(None, configured_limits(loaded))
        rows = loaded.shown()
        home = loaded.home
        folders = {"config": str(home.config), "data": str(home.data), "state": str(home.state)}
        document = {
            "folders": folders,
            "settings": [{"name": name, "value": value, "origin": origin} for name, value, origin in rows],
            "limits": limits,
        }

        def tell(out: object) -> None:
            words.table(out, "Folders", ("what", "~where"), list(folders.items()))  # type: ignore[arg-type]
            words.table(out, "Settings", ("setting", "~value", "~origin"), rows)  # type: ignore[arg-type]
            show_limits(out, limits, "Limits of risk")  # type: ignore[arg-type]

        voice.result(document, tell)
        return OK

    perform(ctx, json, work)


def version(ctx: typer.Context, json: Json = False) -> None:
    """Say which Tradeloop this is, on which Python, and which journal format it writes."""

    async def work(shell: Shell, voice: Voice) -> int:
        import platform

        from tradeloop import __version__
        from tradeloop.journal.upcast import FORMAT

        del shell
        document = {"tradeloop": __version__, "python": platform.python_version(), "journal_format": FORMAT}
        said = f"tradeloop {__version__} on Python {platform.python_version()}, journal format {FORMAT}"
        voice.result(document, lambda out: out.print(said))
        return OK

    perform(ctx, json, work)
