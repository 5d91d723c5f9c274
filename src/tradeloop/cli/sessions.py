"""`tradeloop sessions`: who is signed in at the desk, and ending it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tradeloop.cli.options import By, Json
from tradeloop.cli.people import are_there, iso, people
from tradeloop.cli.shell import OK, Shell, Voice, perform

if TYPE_CHECKING:
    from rich.console import Console

    from tradeloop.access.sessions import SessionShown

app = typer.Typer(help="Who is signed in: list, revoke.", no_args_is_help=True)

User = Annotated[str | None, typer.Option("--user", help="Those of this user.")]


@app.command("list")
def list_(ctx: typer.Context, user: User = None, json: Json = False) -> None:
    """List the sessions that are open: whose, since when, when they were last used, and from where."""

    async def work(shell: Shell, voice: Voice) -> int:
        from tradeloop.cli import words

        found: list[SessionShown] = []
        if are_there(shell):
            async with people(shell) as (access, asked):
                found = access.sessions.shown(asked.at, user)
        rows = [
            (
                each.id,
                each.user,
                words.moment(each.made_at),
                words.moment(each.seen_at),
                each.address,
                "yes" if each.with_factor else "no",
                each.agent,
            )
            for each in found
        ]

        def show(out: Console) -> None:
            headings = ("session", "user", "since", "last used", "from", "?second factor", "?~with")
            words.table(out, "Sessions", headings, rows)

        voice.result({"sessions": [_document(each) for each in found]}, show)
        return OK

    perform(ctx, json, work)


@app.command("revoke")
def revoke(
    ctx: typer.Context,
    session: Annotated[str | None, typer.Argument(help="The session to end, as the list names it.")] = None,
    user: User = None,
    by: By = None,
    json: Json = False,
) -> None:
    """End one session, or all of a user; open pages of theirs stop within a second."""

    async def work(shell: Shell, voice: Voice) -> int:
        from tradeloop.core.errors import BadInput

        if (session is None) == (user is None):
            raise BadInput("expected a session or --user, and not both")
        async with people(shell, by) as (access, asked):
            if session is not None:
                await access.sessions.end(session, asked)
                text = f"session {session} has ended"
            else:
                assert user is not None  # one of them is given
                access.users.one(user, asked.at)
                text = f"{await access.sessions.end_all(user, asked)} sessions of {user} have ended"
        voice.result({"done": text}, lambda out: out.print(text, soft_wrap=True))
        return OK

    perform(ctx, json, work)


def _document(session: SessionShown) -> dict[str, object]:
    return {
        "session": session.id,
        "user": session.user,
        "made_at": iso(session.made_at),
        "seen_at": iso(session.seen_at),
        "ends_at": iso(session.ends_at),
        "address": session.address,
        "agent": session.agent,
        "with_factor": session.with_factor,
    }
