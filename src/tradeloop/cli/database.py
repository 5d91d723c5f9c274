"""`tradeloop db`: the schema and the read models."""

from __future__ import annotations

import typer

from tradeloop.cli.options import Json
from tradeloop.cli.shell import FAILED, OK, Shell, Voice, perform

app = typer.Typer(help="The database: status, upgrade, rebuild.", no_args_is_help=True)


@app.command("status")
def status(ctx: typer.Context, json: Json = False) -> None:
    """Show which schema patches are applied, and where the live schema differs from them; exit code 1 where it does."""

    async def work(shell: Shell, voice: Voice) -> int:
        from tradeloop.cli import words
        from tradeloop.cli.schema import schema_status

        loaded = shell.load()
        found = await schema_status(loaded)
        document = {
            "database": found.database,
            "patches": [
                {"name": each.name, "state": each.state.value, "applied_at": each.applied_at} for each in found.patches
            ],
            "drift": list(found.drift),
        }
        rows = [(each.name, each.state.value, each.applied_at or "-", each.description) for each in found.patches]

        def show(out: object) -> None:
            words.table(out, f"Patches of {found.database}", ("patch", "state", "?applied at", "~what it does"), rows)  # type: ignore[arg-type]
            words.table(out, "Drift", ("~difference",), [(each,) for each in found.drift])  # type: ignore[arg-type]

        voice.result(document, show)
        return OK if found.is_current else FAILED

    perform(ctx, json, work)


@app.command("upgrade")
def upgrade(ctx: typer.Context, json: Json = False) -> None:
    """Apply the schema patches that are missing; harmless when there are none."""

    async def work(shell: Shell, voice: Voice) -> int:
        from tradeloop.cli.schema import refuse_a_second_writer, upgrade_schema

        loaded = shell.load()
        await refuse_a_second_writer(loaded, voice.say)
        applied = await upgrade_schema(loaded)
        said = f"applied {', '.join(applied)}" if applied else "nothing to apply"
        voice.result({"applied": applied}, lambda out: out.print(said))
        return OK

    perform(ctx, json, work)


@app.command("rebuild")
def rebuild(ctx: typer.Context, json: Json = False) -> None:
    """Throw the read models away and fold them anew from the journal, which is not touched."""

    async def work(shell: Shell, voice: Voice) -> int:
        from tradeloop.bootstrap import open_archive
        from tradeloop.cli.schema import refuse_a_second_writer, restore_read_models

        loaded = shell.load()
        await refuse_a_second_writer(loaded, voice.say)
        await restore_read_models(loaded)
        async with open_archive(loaded, fresh_views=False, writes=True) as archive:
            batches = await archive.views.rebuild(archive.reader)
        said = f"read models folded anew from {batches:,} batches"
        voice.result({"batches": batches}, lambda out: out.print(said))
        return OK

    perform(ctx, json, work)
