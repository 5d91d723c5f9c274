"""`tradeloop keys`: API keys for programs. A key is told once, when it is made or rotated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tradeloop.cli.options import By, Json, bounded
from tradeloop.cli.people import are_there, in_order, iso, parts, people, words_of
from tradeloop.cli.shell import OK, Shell, Voice, perform

if TYPE_CHECKING:
    from rich.console import Console

    from tradeloop.access.keys import KeyShown, MadeKey

app = typer.Typer(help="API keys for programs: list, make, rotate, revoke.", no_args_is_help=True)

KeyId = Annotated[str, typer.Argument(help="The key, as the list names it.")]


@app.command("list")
def list_(
    ctx: typer.Context,
    owner: Annotated[str | None, typer.Option("--owner", help="Those of this user.")] = None,
    json: Json = False,
) -> None:
    """List the keys: whose, what they may do, when they were last used, and when they expire."""

    async def work(shell: Shell, voice: Voice) -> int:
        from tradeloop.cli import words

        found: list[KeyShown] = []
        if are_there(shell):
            async with people(shell) as (access, asked):
                found = access.keys.shown(asked.at, owner)

        def show(out: Console) -> None:
            headings = ("key", "name", "owner", "scopes", "expires", "last used", "?accounts", "?from")
            words.table(out, "Keys", headings, [_row(each) for each in found])

        voice.result({"keys": [_document(each) for each in found]}, show)
        return OK

    perform(ctx, json, work)


@app.command("make")
def make(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="A name for it, such as that of the program.")],
    owner: Annotated[str, typer.Option("--owner", help="The user whose key it is; it may nothing that they may not.")],
    scopes: Annotated[
        str,
        typer.Option(
            "--scopes",
            help="One or more of read:md, read:acct, order:paper, order:live, cancel, halt, risk:write, read:audit, admin, with"
            " commas between.",
        ),
    ],
    days: Annotated[int, bounded("--days", int, 1, 365, about="For how many days it is good.")] = 90,
    accounts: Annotated[
        str | None, typer.Option("--accounts", help="Only these accounts, with commas between; without it all of them.")
    ] = None,
    allowed_from: Annotated[
        str | None,
        typer.Option(
            "--from", help="Only from these networks, such as 192.0.2.0/24, with commas between; without it from anywhere."
        ),
    ] = None,
    by: By = None,
    json: Json = False,
) -> None:
    """Make a key and print it, once: it is kept nowhere, and who loses it makes another one."""

    async def work(shell: Shell, voice: Voice) -> int:
        from tradeloop.access.identity import Scope
        from tradeloop.access.keys import DAY_NS
        from tradeloop.core.types import UtcNs

        wanted = words_of(scopes, Scope, "--scopes")
        async with people(shell, by) as (access, asked):
            made = await access.keys.make(
                owner,
                name,
                wanted,
                asked,
                expires_at=UtcNs(asked.at + days * DAY_NS),
                accounts=None if accounts is None else parts(accounts),
                allowed_from=parts(allowed_from),
            )
        return _tell(voice, made)

    perform(ctx, json, work)


@app.command("rotate")
def rotate(
    ctx: typer.Context,
    key: KeyId,
    grace: Annotated[
        int, bounded("--grace", int, 0, 86_400, about="For how many seconds the old secret stays good beside the new one.")
    ] = 3600,
    by: By = None,
    json: Json = False,
) -> None:
    """Give a key a new secret and print it, once; its scopes and its expiry stay."""

    async def work(shell: Shell, voice: Voice) -> int:
        from tradeloop.core.types import SECOND_NS

        async with people(shell, by) as (access, asked):
            made = await access.keys.rotate(key, grace * SECOND_NS, asked)
        return _tell(voice, made)

    perform(ctx, json, work)


@app.command("revoke")
def revoke(ctx: typer.Context, key: KeyId, by: By = None, json: Json = False) -> None:
    """Have a key open nothing any more, within a second."""

    async def work(shell: Shell, voice: Voice) -> int:
        async with people(shell, by) as (access, asked):
            await access.keys.revoke(key, asked)
        text = f"key {key} is revoked"
        voice.result({"done": text}, lambda out: out.print(text, soft_wrap=True))
        return OK

    perform(ctx, json, work)


def _tell(voice: Voice, made: MadeKey) -> int:
    text = made.text.get_secret_value()
    voice.say("this is the key, shown only once; a program gives it in the header Authorization, as Bearer:")
    document = {"id": made.id, "key": text, "expires_at": iso(made.expires_at)}
    voice.result(document, lambda out: out.print(text, soft_wrap=True, highlight=False, markup=False))
    return OK


def _row(key: KeyShown) -> tuple[str, ...]:
    from tradeloop.access.identity import Scope
    from tradeloop.cli import words

    lost = key.scopes - key.scopes_now
    scopes = ", ".join(in_order(key.scopes_now, Scope)) + (f" (not {', '.join(in_order(lost, Scope))})" if lost else "")
    return (
        key.id,
        key.name,
        key.owner,
        scopes,
        "over" if key.expired else words.moment(key.expires_at),
        words.moment(key.used_at),
        "all" if key.accounts is None else ", ".join(sorted(key.accounts)),
        ", ".join(key.networks) or "anywhere",
    )


def _document(key: KeyShown) -> dict[str, object]:
    from tradeloop.access.identity import Scope

    return {
        "id": key.id,
        "name": key.name,
        "owner": key.owner,
        "scopes": in_order(key.scopes, Scope),
        "scopes_now": in_order(key.scopes_now, Scope),
        "accounts": None if key.accounts is None else sorted(key.accounts),
        "networks": list(key.networks),
        "made_at": iso(key.made_at),
        "expires_at": iso(key.expires_at),
        "expired": key.expired,
        "used_at": iso(key.used_at),
        "used_from": key.used_from,
        "old_secret_until": iso(key.old_until),
    }
