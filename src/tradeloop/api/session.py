"""Signing in and out over HTTP, proving once more that it is you, one's own password, and the first user of all.

The token of a session goes into a cookie that no script reads and no other site sends; what a page needs beside it, the token
against forged requests, is in the answer. Nothing that was typed comes back in any answer.
"""

from __future__ import annotations

from http import HTTPStatus

from pydantic import SecretStr

from tradeloop.access.refusals import NotSignedIn
from tradeloop.api.call import Answer, Call, Said
from tradeloop.api.gate import ok
from tradeloop.api.identify import cookie_name
from tradeloop.api.people import FRESH_NS
from tradeloop.api.persons import (
    BODY_MAX,
    RoleWord,
    Secret,
    Secretive,
    TellsOnce,
    access_of,
    asked_by,
    people_of,
    role_words,
    roles_in,
    scope_words,
)
from tradeloop.api.plain import Moment, moment, moment_or_none
from tradeloop.api.policy import Policy, Rate, Routes, Who


class SignIn(Secretive, frozen=True):
    """Name and password; `code` where a second factor is set up, of the device or one of the recovery codes."""

    name: str
    password: Secret
    code: Secret = ""


class Confirm(Secretive, frozen=True):
    """A code where a second factor is set up, the password where none is."""

    password: Secret | None = None
    code: Secret | None = None


class SetUp(Secretive, frozen=True):
    """The first user; `token` stands in the link, behind the #. They are an admin, and whatever else they choose."""

    token: Secret
    name: str
    password: Secret
    roles: list[RoleWord]


class NewPassword(Secretive, frozen=True):
    """The password there is, and the one that shall be."""

    old: Secret
    new: Secret


class InSession(TellsOnce, frozen=True):
    """Who is signed in. `csrf` goes into the header X-CSRF-Token of whatever is not a GET. `fresh_until`: what asks for a
    confirmation is done without another one until then.
    """

    name: str
    roles: list[RoleWord]
    scopes: list[str]
    session_id: str
    csrf: str
    ends_at: Moment
    fresh_until: Moment
    with_factor: bool
    must_change_password: bool
    factor_since: Moment | None
    recovery_codes_left: int


def routes(table: Routes) -> None:
    """The routes of this file."""
    add, most = table.add, BODY_MAX
    opens = Policy(Who.OPEN, safe=False, rate=Rate.PROOF)
    proves = Policy(Who.PERSON, safe=False, rate=Rate.PROOF)
    looks = Policy(Who.PERSON, safe=True, rate=Rate.READ)
    leaves = Policy(Who.PERSON, safe=False, rate=Rate.STOP)
    add("POST", "/api/v1/session", sign_in, opens, "session", body=SignIn, gives=InSession, status=201, body_max=most)
    add("GET", "/api/v1/session", current, looks, "session", gives=InSession)
    add("DELETE", "/api/v1/session", sign_out, leaves, "session", gives=Said)
    add("POST", "/api/v1/session/confirm", confirm, proves, "session", body=Confirm, gives=InSession, body_max=most)
    add("POST", "/api/v1/set-up", set_up, opens, "session", body=SetUp, gives=Said, status=201, body_max=most)
    add("POST", "/api/v1/password", password, proves, "session", body=NewPassword, gives=Said, body_max=most)


async def sign_in(call: Call) -> Answer:
    """Sign in: the answer sets the cookie of the session."""
    asked = call.asked(SignIn)
    given = await access_of(call).door.sign_in(
        asked.name,
        SecretStr(asked.password),
        asked.code,
        asked_by(call),
        agent=call.sender.agent,
        instead_of=call.sender.session,
    )
    shown = _shown(call, given.identity.name, given.identity.session_id, given.csrf.get_secret_value())
    cookie = _cookie(call, given.token.get_secret_value())
    return Answer(shown, HTTPStatus.CREATED, {"set-cookie": cookie})


async def current(call: Call) -> Answer:
    """Show who is signed in, what they may do, and until when."""
    return ok(_of(call))


async def sign_out(call: Call) -> Answer:
    """Sign out: the session ends with this."""
    await access_of(call).door.sign_out(call.sender.session, asked_by(call))
    return Answer(Said("signed out"), HTTPStatus.OK, {"set-cookie": f"{_cookie(call, '')}; Max-Age=0"})


async def confirm(call: Call) -> Answer:
    """Prove once more that it is you, before a step that asks for it."""
    asked = call.asked(Confirm)
    assert call.who is not None
    typed = None if asked.password is None else SecretStr(asked.password)
    await access_of(call).door.confirm(call.who.session_id, asked_by(call), password=typed, code=asked.code)
    return ok(_of(call))


async def set_up(call: Call) -> Answer:
    """Make the first user, with the token of the link that is printed on the machine of the desk."""
    asked = call.asked(SetUp)
    if call.sender.passed_on:
        raise NotSignedIn("the set-up link is good on the machine of the desk alone, and not through a proxy; open it there")
    roles = roles_in(asked.roles)
    await access_of(call).first_user.finish(asked.token, asked.name, SecretStr(asked.password), roles, asked_by(call))
    return Answer(Said(f"{asked.name} is a user, as {', '.join(role_words(roles))}; sign in"), HTTPStatus.CREATED)


async def password(call: Call) -> Answer:
    """Change your own password: every other session of yours ends."""
    asked = call.asked(NewPassword)
    assert call.who is not None
    old, new = SecretStr(asked.old), SecretStr(asked.new)
    await access_of(call).door.change_password(call.by, old, new, asked_by(call), session_id=call.who.session_id)
    return ok(Said("the password is changed, and every other session of yours has ended"))


def _of(call: Call) -> InSession:
    assert call.who is not None
    return _shown(call, call.by, call.who.session_id, call.csrf)


def _shown(call: Call, name: str, session_id: str, csrf: str) -> InSession:
    people = people_of(call)
    now = people.now()
    user = people.access.users.one(name, now)
    found = [each for each in people.access.sessions.shown(now, name) if each.id == session_id]
    if not found:
        raise NotSignedIn("the session has ended; sign in again")
    (session,) = found
    return InSession(
        name=user.name,
        roles=role_words(user.roles),
        scopes=scope_words(user.scopes),
        session_id=session.id,
        csrf=csrf,
        ends_at=moment(session.ends_at),
        fresh_until=moment(session.confirmed_at + FRESH_NS),
        with_factor=session.with_factor,
        must_change_password=user.must_change,
        factor_since=moment_or_none(user.factor_since),
        recovery_codes_left=user.recovery_codes_left,
    )


def _cookie(call: Call, token: str) -> str:
    """The cookie, of this host alone, sent by no other site's doing and read by no script; over TLS never without it."""
    secure = "; Secure" if call.sender.tls else ""
    return f"{cookie_name(tls=call.sender.tls)}={token}; Path=/; HttpOnly; SameSite=Strict{secure}"
