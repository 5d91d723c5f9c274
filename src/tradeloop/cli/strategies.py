"""`tradeloop strategies`: which there are and how each stands, start, pause and stop, and the log of triggers.

They run in the process that trades, `tradeloop up`, which is asked; the log is read here, whether or not it runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from tradeloop.cli.options import By, Json, bounded
from tradeloop.cli.shell import FAILED, OK, Ended, Shell, Voice, perform

if TYPE_CHECKING:
    from rich.console import Console

    from tradeloop.config import Loaded
    from tradeloop.strategies.rows import Trigger

app = typer.Typer(
    help="Users' own strategies, in the process that trades: list, start, pause, stop, triggers.", no_args_is_help=True
)

Name = Annotated[str, typer.Argument(help="The strategy, as strategies.yaml names it.")]


@app.command("list")
def list_(ctx: typer.Context, json: Json = False) -> None:
    """List the strategies of strategies.yaml and how each stands."""

    async def work(shell: Shell, voice: Voice) -> int:
        from tradeloop.cli import words

        found = await _found(shell.load())

        def show(out: Console) -> None:
            headings = ("name", "standing", "version", "symbols", "triggers", "?why")
            words.table(out, "Strategies", headings, [_row(each) for each in found])

        voice.result({"strategies": found}, show)
        return OK

    perform(ctx, json, work)


@app.command("start")
def start(ctx: typer.Context, name: Name, by: By = None, json: Json = False) -> None:
    """Start a strategy, or have it go on after a pause."""
    _command(ctx, "start", name, by, json)


@app.command("pause")
def pause(ctx: typer.Context, name: Name, by: By = None, json: Json = False) -> None:
    """Pause a strategy: no new entries, and orders that only close what it holds still go."""
    _command(ctx, "pause", name, by, json)


@app.command("stop")
def stop(ctx: typer.Context, name: Name, by: By = None, json: Json = False) -> None:
    """Stop a strategy; what it holds stays."""
    _command(ctx, "stop", name, by, json)


@app.command("triggers")
def triggers(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="The strategy; all of them without it.")] = "",
    limit: Annotated[int, bounded("--limit", int, 1, 1000, about="How many, newest first.")] = 50,
    json: Json = False,
) -> None:
    """List what strategies asked for: when, on which condition, at which price, and what came of it."""

    async def work(shell: Shell, voice: Voice) -> int:
        from tradeloop.bootstrap.strategies import store_path
        from tradeloop.cli import words
        from tradeloop.strategies.store import StrategyStore

        path = store_path(shell.load())
        found: list[Trigger] = []
        if path.exists():
            store = StrategyStore(path)
            try:
                found = await store.triggers(name, limit=limit)
            finally:
                await store.close()

        def show(out: Console) -> None:
            headings = ("number", "at", "strategy", "condition", "price", "action", "result", "?order", "?error")
            words.table(out, "Triggers", headings, [_line(each) for each in found])

        voice.result({"triggers": [_document(each) for each in found]}, show)
        return OK

    perform(ctx, json, work)


def _command(ctx: typer.Context, action: str, name: str, by: str | None, json: bool) -> None:
    async def work(shell: Shell, voice: Voice) -> int:
        from tradeloop.cli.control import ask_of_strategies
        from tradeloop.cli.strategy_answer import StrategyAsked

        loaded = shell.load(operator=by)
        said = await ask_of_strategies(loaded.home.socket, StrategyAsked(action, name, loaded.operator))
        if said is None:
            raise Ended("no process trades in this home; strategies run in `tradeloop up`", FAILED)
        if not said.ok:
            raise Ended(said.text, said.exit_code)
        voice.result({"done": said.text}, lambda out: out.print(said.text, soft_wrap=True))
        return OK

    perform(ctx, json, work)


async def _found(loaded: Loaded) -> list[dict[str, Any]]:
    """As the process that trades says it; where none does, as the file has them, stopped."""
    import msgspec

    from tradeloop.bootstrap.strategies import config_path
    from tradeloop.cli.control import ask_of_strategies
    from tradeloop.cli.strategy_answer import StrategyAsked
    from tradeloop.strategies.configured import configured_in

    said = await ask_of_strategies(loaded.home.socket, StrategyAsked("list"))
    if said is not None and said.ok:
        told: list[dict[str, Any]] = msgspec.json.decode(said.text)
        return told
    if said is not None and said.exit_code == FAILED:
        raise Ended(said.text, said.exit_code)
    return [
        {"name": one.name, "file": one.file, "symbols": list(one.traded), "standing": "STOPPED", "why": ""}
        for one in configured_in(config_path(loaded)).values()
    ]


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    version, count = one.get("version"), one.get("triggers")
    counts = ("" if version is None else str(version), ", ".join(one["symbols"]), "" if count is None else str(count))
    return (one["name"], one["standing"], *counts, one["why"])


def _line(one: Trigger) -> tuple[str, ...]:
    from tradeloop.cli import words
    from tradeloop.core.types import UtcNs

    when = words.moment(UtcNs(one.trigger_time))
    what = (one.trigger_condition, one.trigger_price or "", one.action_type, one.execution_result)
    return (str(one.id), when, one.strategy_name, *what, one.order_id or "", one.error_message)


def _document(one: Trigger) -> dict[str, Any]:
    import msgspec

    from tradeloop.cli.record import iso

    return {**msgspec.structs.asdict(one), "trigger_time_iso": iso(one.trigger_time)}
