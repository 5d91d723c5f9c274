"""Who asks: a person by the cookie of a session, or a program by its API key; and whether the request came from where it says.

What a browser can be made to do against its person's will is kept out here: a page elsewhere that names our address (Host), a
form or a script elsewhere that sends (Origin, Sec-Fetch-Site), and one that gets both right but cannot read our page (the token
of the session, which unsafe requests bring back in a header). A key is sent by nobody who does not hold it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from hmac import compare_digest
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from typing import Final, Protocol
from urllib.parse import urlsplit

import msgspec
from pydantic import SecretStr

from tradeloop.access.identity import Identity
from tradeloop.api.problem import Problem

Headers = Mapping[bytes, bytes]

SECURE_COOKIE: Final = "__Host-tradeloop_session"
"""Where the connection is TLS: no other host of the domain, and no plain connection, can set it."""
PLAIN_COOKIE: Final = "tradeloop_session"
CSRF_HEADER: Final = b"x-csrf-token"
KEY_PREFIX: Final = "tlk_"
_HOST: Final = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::[0-9]{1,5})?")
_TOKEN_MAX: Final = 512
_SAME_SITE: Final = frozenset({b"same-origin"})


class SignedIn(msgspec.Struct, frozen=True):
    """A session in force: who it is of, and the token that unsafe requests bring."""

    identity: Identity
    csrf: str


class Identifies(Protocol):
    """Knows sessions and keys. Asked for every request, so that what was revoked a moment ago is gone; answers from memory."""

    def by_session(self, session: str, address: str) -> SignedIn | None:
        """Whose session this is; None where it is nobody's, or no more."""
        ...

    def by_key(self, key: str, address: str) -> Identity | None:
        """Whose key this is, from an address that it is good for; None where it is nobody's, or no more."""
        ...

    def ticket(self, identity: Identity, origin: str, address: str) -> SecretStr:
        """A ticket that opens one socket of this asker, from this origin and address. Raises BadInput where too many wait."""
        ...

    def by_ticket(self, ticket: str, origin: str, address: str) -> Identity | None:
        """Whose ticket this is; it is good for nothing more. None where it opens nothing, or not from there."""
        ...

    def still(self, identity: Identity) -> Identity | None:
        """The same one as they are now, for a socket that stays open; None where their session or key has ended."""
        ...

    def is_fresh(self, session_id: str) -> bool:
        """Whether whoever is in this session gave their password or a code of theirs a moment ago."""
        ...


class Asker(msgspec.Struct, frozen=True):
    """Who was found, and the session it was by."""

    identity: Identity
    session: SignedIn | None = None


def asker_of(identifies: Identifies, headers: Headers, address: str, *, tls: bool) -> Asker | None:
    """Who asks; None where nothing says so. Raises Problem where something does, and is not good (any more)."""
    authorization = headers.get(b"authorization")
    if authorization is not None:
        identity = _by_key(identifies, authorization, address)
        if identity is None:
            raise _not_identified("the API key is not known, has ended, or is not good for this address")
        return Asker(identity)
    session = session_in(headers, tls=tls)
    if not session:
        return None
    signed = identifies.by_session(session, address)
    if signed is None:
        raise _not_identified("the session has ended; sign in again")
    return Asker(signed.identity, signed)


def cookie_name(*, tls: bool) -> str:
    """What the cookie of a session is called."""
    return SECURE_COOKIE if tls else PLAIN_COOKIE


def session_in(headers: Headers, *, tls: bool) -> str:
    """The token in the cookie of a request, whether or not it opens anything; empty without one."""
    return _cookie(headers.get(b"cookie", b""), cookie_name(tls=tls)) or ""


def nobody() -> Problem:
    """What is said to whoever is not signed in."""
    return _not_identified("nobody is signed in; sign in, or send an API key as `Authorization: Bearer tlk_…`")


def refuse_host(headers: Headers, hosts: frozenset[str]) -> None:
    """Raise Problem where the request was meant for another name than ours: a page elsewhere may have given it our address."""
    written = headers.get(b"host", b"").decode("latin-1").lower()
    found = _HOST.fullmatch(written)
    if found is None or found.group(1) not in hosts:
        text = f"the host was {written[:80]!r}, which this desk is not called; add it to web.hosts if it is"
        raise Problem(HTTPStatus.MISDIRECTED_REQUEST, "wrong_host", text)


def refuse_foreign(session: SignedIn, headers: Headers, origins: frozenset[str]) -> None:
    """Raise Problem where an unsafe request of a session came from another place than our own page."""
    refuse_elsewhere(headers, origins)
    given = headers.get(CSRF_HEADER, b"")
    if not given or not compare_digest(given, session.csrf.encode()):
        raise _forbidden("no_csrf", "the header X-CSRF-Token is missing or is not the session's; load the page again")


def refuse_elsewhere(headers: Headers, origins: frozenset[str]) -> None:
    """Raise Problem where an unsafe request came from another site's page, or not from a page: there nobody is signed in by
    another's doing, and a program has a key.
    """
    site, origin, host = headers.get(b"sec-fetch-site"), headers.get(b"origin"), headers.get(b"host", b"")
    if site is None and origin is None:
        raise _forbidden("wrong_origin", "the request says neither Origin nor Sec-Fetch-Site; programs use an API key")
    if site is not None and site not in _SAME_SITE:
        raise _forbidden(
            "wrong_origin", f"the request came from another site ({site.decode('latin-1')[:20]}), and was not done"
        )
    if origin is not None:
        written = origin.decode("latin-1").lower()
        ours = urlsplit(written).netloc == host.decode("latin-1").lower() and written.startswith(("http://", "https://"))
        if not ours and written not in origins:
            raise _forbidden("wrong_origin", f"the origin was {written[:80]!r}; add it to web.origins if it is ours")


def _by_key(identifies: Identifies, authorization: bytes, address: str) -> Identity | None:
    scheme, _, token = authorization.decode("latin-1").partition(" ")
    key = token.strip()
    if scheme.lower() != "bearer" or not key.startswith(KEY_PREFIX) or len(key) > _TOKEN_MAX or not key.isascii():
        return None
    return identifies.by_key(key, address)


def _cookie(header: bytes, name: str) -> str | None:
    if not header:
        return None
    jar: SimpleCookie = SimpleCookie()
    try:
        jar.load(header.decode("latin-1"))
    except CookieError:
        return None
    found = jar.get(name)
    return None if found is None or not 0 < len(found.value) <= _TOKEN_MAX else found.value


def _not_identified(text: str) -> Problem:
    return Problem(HTTPStatus.UNAUTHORIZED, "not_identified", text)


def _forbidden(code: str, text: str) -> Problem:
    return Problem(HTTPStatus.FORBIDDEN, code, text)
