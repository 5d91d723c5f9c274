"""`tradeloop secrets`: what brokers want to know, sealed; written here and shown by nobody, and the master key that seals
them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tradeloop.cli.options import By, Json
from tradeloop.cli.people import FromStdin, are_there, iso, people, typed_twice
from tradeloop.cli.shell import OK, Shell, Voice, perform

if TYPE_CHECKING:
    from rich.console import Console

    from tradeloop.access.broker_secrets import SecretShown

app = typer.Typer(help="Secrets of brokers, sealed: list, set, remove, new-master-key.", no_args_is_help=True)

Broker = Annotated[str, typer.Argument(help="The broker, by its name in broker.yaml.")]
Account = Annotated[str, typer.Argument(help="The account.")]
Which = Annotated[str, typer.Argument(metavar="NAME", help="Which secret, such as password.")]


@app.command("list")
def list_(ctx: typer.Context, json: Json = False) -> None:
    """List which secrets there are, with their last four characters where they are long."""

    async def work(shell: Shell, voice: Voice) -> int:
        from tradeloop.cli import words

        found: list[SecretShown] = []
        if are_there(shell):
            async with people(shell) as (access, _):
                found = access.secrets.shown()
        rows = [
            (each.broker, each.account, each.name, each.ending and f"...{each.ending}", words.moment(each.set_at), each.set_by)
            for each in found
        ]
        document = [
            {
                "broker": each.broker,
                "account": each.account,
                "name": each.name,
                "ending": each.ending,
                "set_at": iso(each.set_at),
                "set_by": each.set_by,
                "master": each.master,
            }
            for each in found
        ]

        def show(out: Console) -> None:
            words.table(out, "Secrets", ("broker", "account", "name", "ends with", "set", "by"), rows)

        voice.result({"secrets": document}, show)
        return OK

    perform(ctx, json, work)


@app.command("set")
def set_(
    ctx: typer.Context,
    broker: Broker,
    account: Account,
    name: Which,
    from_stdin: FromStdin = False,
    by: By = None,
    json: Json = False,
) -> None:
    """Set a secret, typed twice, in the place of one before. It is sealed, and nobody is shown it again."""

    async def work(shell: Shell, voice: Voice) -> int:
        async with people(shell, by) as (access, asked):
            await access.secrets.put(broker, account, name, typed_twice(voice, name, from_stdin), asked)
        return _done(voice, f"{name} of {broker} for {account} is set")

    perform(ctx, json, work)


@app.command("remove")
def remove(ctx: typer.Context, broker: Broker, account: Account, name: Which, by: By = None, json: Json = False) -> None:
    """Remove a secret."""

    async def work(shell: Shell, voice: Voice) -> int:
        async with people(shell, by) as (access, asked):
            await access.secrets.remove(broker, account, name, asked)
        return _done(voice, f"{name} of {broker} for {account} is removed")

    perform(ctx, json, work)


@app.command("new-master-key")
def new_master_key(ctx: typer.Context, by: By = None, json: Json = False) -> None:
    """Draw a new master key and seal every secret with it. Where a setting holds the key, give it the new one before the old
    one, and this seals with the new one.
    """

    async def work(shell: Shell, voice: Voice) -> int:
        from tradeloop.bootstrap.access import master_key_file

        file = master_key_file(shell.load())
        async with people(shell, by) as (access, asked):
            done = await (access.seal_anew(asked) if file is None else access.draw_new_master(file, asked))
        where = "the first key of the setting access.master_key" if file is None else f"a new master key, in {file.path}"
        return _done(voice, f"{done} secrets are sealed anew with {where}")

    perform(ctx, json, work)


def _done(voice: Voice, text: str) -> int:
    voice.result({"done": text}, lambda out: out.print(text, soft_wrap=True))
    return OK
