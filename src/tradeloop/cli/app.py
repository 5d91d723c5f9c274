"""The commands and their groups; each lives in a module of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tradeloop.cli import (
    books,
    database,
    doctor,
    halt,
    halts,
    keys,
    orders,
    record_commands,
    replace,
    resume,
    risk,
    risk_check,
    risk_replay,
    run,
    runs,
    second_factor,
    secrets_of_brokers,
    sessions,
    settings,
    strategies,
    symbols,
    up,
    users,
    watch,
)
from tradeloop.cli.shell import Shell
from tradeloop.cli.usage import Commands

app = typer.Typer(
    name="tradeloop",
    cls=Commands,
    help="Turns a decision to trade into positions, and can always say what happened.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def _options(
    ctx: typer.Context,
    home: Annotated[
        str | None, typer.Option("--home", help="Folder of the installation; otherwise TRADELOOP_HOME or the XDG folders.")
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show where a fault of the program is.")] = False,
) -> None:
    if home is not None and not home.strip():
        raise typer.BadParameter("--home was empty; expected a folder, or leave it away")
    ctx.obj = Shell(home=None if home is None else Path(home), debug=debug)


app.command("run")(run.run)
app.add_typer(runs.app, name="runs")
orders.app.command("replace")(replace.replace)
app.add_typer(orders.app, name="orders")
app.command("fills")(books.fills)
app.command("positions")(books.positions)
app.command("account")(books.account)
app.add_typer(symbols.app, name="symbols")
app.command("halt")(halt.halt)
app.command("halts")(halts.halts)
app.command("cancel-all")(halt.cancel_all)
app.command("flatten")(halt.flatten)
app.command("resume")(resume.resume)
app.add_typer(second_factor.app, name="second-factor")
app.add_typer(users.app, name="users")
app.add_typer(sessions.app, name="sessions")
app.add_typer(keys.app, name="keys")
app.add_typer(secrets_of_brokers.app, name="secrets")
risk.app.command("check")(risk_check.check)
risk.app.command("replay")(risk_replay.replay)
app.add_typer(risk.app, name="risk")
app.add_typer(strategies.app, name="strategies")
app.command("reconcile")(books.reconcile)
app.command("watch")(watch.watch)
app.command("up")(up.up)
app.command("replay")(record_commands.replay)
app.command("verify")(record_commands.verify)
app.command("export")(record_commands.export)
app.command("doctor")(doctor.doctor)
app.add_typer(database.app, name="db")
app.add_typer(settings.app, name="config")
app.command("version")(settings.version)
