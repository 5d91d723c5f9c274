"""`tradeloop users`: who may sign in at the desk, as what, and help for those who forgot a password or lost a device."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated

import typer

from tradeloop.cli.options import By, Json
from tradeloop.cli.people import FromStdin, are_there, in_order, iso, people, typed_twice, words_of
from tradeloop.cli.shell import OK, Shell, Voice, perform

if TYPE_CHECKING:
    from rich.console import Console

    from tradeloop.access.access import Access
    from tradeloop.access.asked import Asked
    from tradeloop.access.users import UserShown

app = typer.Typer(
    help="The users of the desk: list, add, roles, disable, enable, remove, password, reset-factor, unlock, set-up-link.",
    no_args_is_help=True,
)

Name = Annotated[str, typer.Argument(help="The name of the user.")]
Roles = Annotated[
    str,
    typer.Option("--roles", help="One or more of viewer, trader, risk, admin, with commas between; who works alone takes all."),
]


@app.command("list")
def list_(ctx: typer.Context, json: Json = False) -> None:
    """List the users: their roles, whether they have a second factor, and who is disabled or locked out."""

    async def work(shell: Shell, voice: Voice) -> int:
        from tradeloop.cli import words

        found: list[UserShown] = []
        if are_there(shell):
            async with people(shell) as (access, asked):
                found = access.users.shown(asked.at)

        def show(out: Console) -> None:
            headings = ("name", "roles", "second factor", "state", "?made", "?password of")
            words.table(out, "Users", headings, [_row(each) for each in found])

        voice.result({"users": [_document(each) for each in found]}, show)
        return OK

    perform(ctx, json, work)


@app.command("add")
def add(ctx: typer.Context, name: Name, roles: Roles, from_stdin: FromStdin = False, by: By = None, json: Json = False) -> None:
    """Add a user; the password is typed twice. Unless it is the first user, they change it when they first sign in."""

    async def work(shell: Shell, voice: Voice) -> int:
        from tradeloop.access.identity import Role
        from tradeloop.access.names import checked_name
        from tradeloop.core.errors import BadInput

        given = words_of(roles, Role, "--roles")
        checked_name(name)
        async with people(shell, by) as (access, asked):
            is_first = access.users.is_empty
            if is_first and Role.ADMIN not in given:
                raise BadInput(
                    "the first user was no admin; expected that role among theirs, since nobody else could add users"
                )
            password = typed_twice(voice, f"password of {name}", from_stdin)
            await access.users.add(name, password, given, asked, must_change=not is_first)
        return _done(voice, f"{name} is a user, as {', '.join(in_order(given, Role))}")

    perform(ctx, json, work)


@app.command("roles")
def roles_(ctx: typer.Context, name: Name, roles: Roles, by: By = None, json: Json = False) -> None:
    """Give a user these roles and no others, from their next question on."""

    async def work(shell: Shell, voice: Voice) -> int:
        from tradeloop.access.identity import Role

        given = words_of(roles, Role, "--roles")
        async with people(shell, by) as (access, asked):
            await access.users.set_roles(name, given, asked)
        return _done(voice, f"{name} is now {', '.join(in_order(given, Role))}")

    perform(ctx, json, work)


@app.command("disable")
def disable(ctx: typer.Context, name: Name, by: By = None, json: Json = False) -> None:
    """Let a user in no more: their sessions end and their keys open nothing, within a second."""

    async def act(access: Access, asked: Asked) -> str:
        await access.users.disable(name, asked)
        return f"{name} is disabled"

    _perform(ctx, json, by, act)


@app.command("enable")
def enable(ctx: typer.Context, name: Name, by: By = None, json: Json = False) -> None:
    """Let a user who was disabled in again."""

    async def act(access: Access, asked: Asked) -> str:
        await access.users.enable(name, asked)
        return f"{name} may sign in again"

    _perform(ctx, json, by, act)


@app.command("remove")
def remove(ctx: typer.Context, name: Name, by: By = None, json: Json = False) -> None:
    """Erase a user with their sessions and keys; the journal and the log of access keep the name."""

    async def act(access: Access, asked: Asked) -> str:
        await access.users.remove(name, asked)
        return f"{name} is removed"

    _perform(ctx, json, by, act)


@app.command("password")
def password(ctx: typer.Context, name: Name, from_stdin: FromStdin = False, by: By = None, json: Json = False) -> None:
    """Set a user's password, typed twice: every session of theirs ends, and they change it when they next sign in."""

    async def work(shell: Shell, voice: Voice) -> int:
        async with people(shell, by) as (access, asked):
            access.users.one(name, asked.at)
            typed = typed_twice(voice, f"new password of {name}", from_stdin)
            await access.users.set_password(name, typed, asked)
        return _done(voice, f"the password of {name} is set, and every session of theirs has ended")

    perform(ctx, json, work)


@app.command("reset-factor")
def reset_factor(ctx: typer.Context, name: Name, by: By = None, json: Json = False) -> None:
    """Take a user's second factor away, for who lost the device and the recovery codes; every session of theirs ends."""

    async def act(access: Access, asked: Asked) -> str:
        had = await access.factors.reset(name, asked)
        return f"{name} has no second factor any more" if had else f"{name} had no second factor"

    _perform(ctx, json, by, act)


@app.command("unlock")
def unlock(ctx: typer.Context, name: Name, by: By = None, json: Json = False) -> None:
    """Let a user who was locked out after wrong passwords or codes try again at once."""

    async def act(access: Access, asked: Asked) -> str:
        had = await access.users.unlock(name, asked)
        return f"{name} may try again" if had else f"{name} was not locked"

    _perform(ctx, json, by, act)


@app.command("set-up-link")
def set_up_link(
    ctx: typer.Context,
    base: Annotated[str, typer.Option("--base", help="Where the desk listens on this machine.")] = "http://127.0.0.1:8003",
    by: By = None,
    json: Json = False,
) -> None:
    """Print a new link that makes the first user: good once, for fifteen minutes, on this machine, while there is nobody."""

    async def work(shell: Shell, voice: Voice) -> int:
        from tradeloop.bootstrap.access import set_up_link

        async with people(shell, by) as (access, asked):
            link = set_up_link(base, (await access.first_user.begin(asked)).get_secret_value())
        voice.say("open this on this machine within fifteen minutes, and make the first user; it is good once:")
        voice.result({"link": link}, lambda out: out.print(link, soft_wrap=True, highlight=False, markup=False))
        return OK

    perform(ctx, json, work)


def _perform(ctx: typer.Context, json: bool, by: str | None, act: Callable[[Access, Asked], Awaitable[str]]) -> None:
    """Do one thing to the users in the name of `by`, and tell what was done."""

    async def work(shell: Shell, voice: Voice) -> int:
        async with people(shell, by) as (access, asked):
            text = await act(access, asked)
        return _done(voice, text)

    perform(ctx, json, work)


def _done(voice: Voice, text: str) -> int:
    voice.result({"done": text}, lambda out: out.print(text, soft_wrap=True))
    return OK


def _row(user: UserShown) -> tuple[str, ...]:
    from tradeloop.access.identity import Role
    from tradeloop.cli import words

    factor = "none" if user.factor_since is None else f"yes, {user.recovery_codes_left} recovery codes left"
    return (
        user.name,
        ", ".join(in_order(user.roles, Role)),
        factor,
        _state(user),
        words.moment(user.made_at),
        words.moment(user.password_at),
    )


def _state(user: UserShown) -> str:
    from tradeloop.cli import words

    if user.disabled:
        return "disabled"
    if user.locked_until is not None:
        return f"locked until {words.moment(user.locked_until)}"
    return "must change the password" if user.must_change else "active"


def _document(user: UserShown) -> dict[str, object]:
    from tradeloop.access.identity import Role, Scope

    return {
        "name": user.name,
        "roles": in_order(user.roles, Role),
        "scopes": in_order(user.scopes, Scope),
        "made_at": iso(user.made_at),
        "password_at": iso(user.password_at),
        "must_change": user.must_change,
        "disabled": user.disabled,
        "factor_since": iso(user.factor_since),
        "recovery_codes_left": user.recovery_codes_left,
        "locked_until": iso(user.locked_until),
    }
