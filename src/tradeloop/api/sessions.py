"""Who is signed in, over HTTP: one's own sessions, and for an admin those of all; and their end."""

from __future__ import annotations

from typing import Final

import msgspec

from tradeloop.access.identity import Scope
from tradeloop.access.names import user_id
from tradeloop.access.refusals import Missing
from tradeloop.access.sessions import SessionShown
from tradeloop.api.call import Answer, Call, Said
from tradeloop.api.gate import ok
from tradeloop.api.persons import access_of, asked_by, people_of, whose
from tradeloop.api.plain import Moment, moment, told
from tradeloop.api.policy import Policy, Rate, Routes, Who

ALL: Final = "*"


class OfUser(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose: one's own without a name; for an admin somebody's, or `*` for all."""

    user: str = ""


class SessionDocument(msgspec.Struct, frozen=True):
    """A session; `current` is the one that asks."""

    id: str
    user: str
    current: bool
    made_at: Moment
    seen_at: Moment
    ends_at: Moment
    address: str
    agent: str
    with_factor: bool


class SessionList(msgspec.Struct, frozen=True):
    """Sessions, the newest first."""

    sessions: list[SessionDocument]


def routes(table: Routes) -> None:
    """The routes of this file."""
    add = table.add
    looks = Policy(Who.PERSON, safe=True, rate=Rate.READ)
    ends = Policy(Who.PERSON, safe=False, rate=Rate.STOP)
    add("GET", "/api/v1/sessions", listed, looks, "sessions", query=OfUser, gives=SessionList)
    add("DELETE", "/api/v1/sessions", revoke_others, ends, "sessions", gives=Said)
    add("DELETE", "/api/v1/sessions/{session_id}", revoke, ends, "sessions", gives=Said)


async def listed(call: Call) -> Answer:
    """List your sessions; an admin may name another user, or all."""
    assert call.who is not None
    user = whose(call, call.wanted(OfUser).user)
    found = access_of(call).sessions.shown(people_of(call).now(), None if user == ALL else user)
    return ok(SessionList([_document(each, call.who.session_id) for each in found]))


async def revoke_others(call: Call) -> Answer:
    """End every session of yours but this one."""
    assert call.who is not None
    count = await access_of(call).sessions.end_all(call.by, asked_by(call), but=call.who.session_id)
    return ok(Said(f"{count} other session{'' if count == 1 else 's'} of yours ended"))


async def revoke(call: Call) -> Answer:
    """End a session of yours, from the next request on; an admin, anybody's."""
    assert call.who is not None
    access, session_id = access_of(call), call.path["session_id"]
    found = [each for each in access.sessions.shown(people_of(call).now()) if each.id == session_id]
    if not found or not (user_id(found[0].user) == user_id(call.by) or call.who.may(Scope.ADMIN)):
        raise Missing(f"there is no session {session_id[:40]!r}; it may have ended already")
    await access.sessions.end(session_id, asked_by(call))
    return ok(Said(f"session {session_id} has ended"))


def _document(session: SessionShown, current: str) -> SessionDocument:
    return told(SessionDocument, session, current=session.id == current, ends_at=moment(session.ends_at))
