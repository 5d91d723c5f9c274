"""The gate that every route stands behind: who asks, how often, from where, whether they may, and what they sent.

A handler sees nothing that has not passed; what it raises is said as a problem. Nothing here knows what a route does.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any, Final

import msgspec
from starlette.types import ASGIApp, Receive, Scope, Send

from tradeloop.access.identity import Identity
from tradeloop.access.identity import Scope as Right
from tradeloop.api.body import Gone, as_json, decoded, queried, read_body
from tradeloop.api.call import Answer, Call
from tradeloop.api.desk import Desk
from tradeloop.api.identify import Asker, Headers, Identifies, asker_of, nobody, refuse_elsewhere, refuse_foreign, session_in
from tradeloop.api.metrics import Metrics
from tradeloop.api.people import People
from tradeloop.api.policy import Entry, Opened, Policy, SocketEntry, Who
from tradeloop.api.problem import MEDIA, Problem, document_of, problem_of
from tradeloop.api.rates import Rates
from tradeloop.api.sender import sender_of
from tradeloop.api.socket_tickets import asker_with_ticket
from tradeloop.core.errors import TradeloopError

REQUEST_ID: Final = "tradeloop.request_id"
_KEY: Final = re.compile(rb"[\x21-\x7e]{1,128}")

_NOTHING: Final = (b"", b"{}", b"null")
"""What programs send where there is nothing to send: a cancel is not refused for it."""

Raw = list[tuple[bytes, bytes]]


class Gate:
    """What all routes of one application share."""

    def __init__(
        self,
        desk: Desk,
        identifies: Identifies,
        rates: Rates,
        metrics: Metrics,
        origins: frozenset[str] = frozenset(),
        people: People | None = None,
    ) -> None:
        self._desk = desk
        self._identifies = identifies
        self._rates = rates
        self._metrics = metrics
        self._origins = origins
        self._people = people

    def served(self, entry: Entry) -> ASGIApp:
        """A route's entry as an application of its own."""

        async def serve(scope: Scope, receive: Receive, send: Send) -> None:
            try:
                answer = await self._answered(entry, scope, receive)
            except Gone:
                return
            except Problem as problem:
                answer = said(problem, scope[REQUEST_ID])
            except TradeloopError as error:
                now = None if self._people is None else self._people.now
                answer = said(problem_of(error, now), scope[REQUEST_ID])
            self._metrics.answered(entry, answer.status)
            await respond(send, answer)

        return serve

    def opened(self, entry: SocketEntry) -> ASGIApp:
        """A route for WebSockets as an application of its own."""

        async def serve(scope: Scope, receive: Receive, send: Send) -> None:
            await receive()  # says that somebody wants to connect
            try:
                address = _address(scope)
                try:
                    who = asker_with_ticket(self._identifies, scope, address, self._origins)
                except Problem:
                    self._rates.take_unidentified(address)
                    raise
                self._rates.take(who.key_id or who.name, entry.policy.rate)
                self._refuse_scope(entry.policy, who)
                await entry.handler(Opened(who, scope, receive, send))
            except Problem as problem:
                answer = said(problem, scope[REQUEST_ID])
                self._metrics.answered(entry, answer.status)
                await refuse_socket(send, answer)

        return serve

    async def _answered(self, entry: Entry, scope: Scope, receive: Receive) -> Answer:
        headers: Headers = dict(scope["headers"])
        address = _address(scope)
        asker = self._passed(entry.policy, scope, headers, address)
        if any("\0" in each for each in scope["path_params"].values()):
            raise Problem(HTTPStatus.BAD_REQUEST, "malformed", "the address holds a NUL, which nothing here is called by")
        query = queried(scope["query_string"], entry.query)
        raw, body, media = b"", None, headers.get(b"content-type", b"").decode("latin-1")
        if not entry.policy.safe:
            raw = await read_body(receive, headers, entry.body_max)
            if entry.body is not None and not (entry.uploads and media.startswith("multipart/form-data")):
                body = entry.body() if entry.bare and raw.strip() in _NOTHING else decoded(raw, entry.body, media)
            elif entry.body is None and raw.strip() not in _NOTHING:
                raise Problem(HTTPStatus.BAD_REQUEST, "malformed", "this request takes no body; send none")
        key = _key(entry, headers)
        who, session = (None, None) if asker is None else (asker.identity, asker.session)
        sender = sender_of(scope, headers, address, session_in(headers, tls=scope.get("scheme") == "https"))
        call = Call(self._desk, who, scope[REQUEST_ID], scope["path_params"], query, body, raw, media, key, self._people)
        call.sender, call.csrf = sender, "" if session is None else session.csrf
        return await entry.handler(call)

    def _passed(self, policy: Policy, scope: Scope, headers: Headers, address: str) -> Asker | None:
        """Who asks, where they may; raises Problem where they may not."""
        try:
            asker = asker_of(self._identifies, headers, address, tls=scope.get("scheme") == "https")
            if asker is None and policy.who is not Who.OPEN:
                raise nobody()
        except Problem:
            self._rates.take_unidentified(address)
            if policy.who is Who.OPEN:
                asker = None  # an old cookie keeps nobody from asking whether the desk is up
            else:
                raise
        if asker is None:
            self._rates.take(address, policy.rate)
            if not policy.safe:
                refuse_elsewhere(headers, self._origins)
            return None
        who = asker.identity
        self._rates.take(who.key_id or who.name, policy.rate)
        if asker.session is not None and not policy.safe:
            refuse_foreign(asker.session, headers, self._origins)
        elif policy.who is Who.OPEN and not policy.safe:
            refuse_elsewhere(headers, self._origins)
        self._refuse_scope(policy, who)
        self._refuse_absent(policy, who)
        return asker

    def _refuse_absent(self, policy: Policy, who: Identity) -> None:
        """Raise Problem where a person has to be there, and is not, or has not shown lately that it is them."""
        if policy.of_person and not who.session_id:
            raise Problem(HTTPStatus.FORBIDDEN, "forbidden", "a person does this, signed in; no API key may")
        if policy.fresh and not self._identifies.is_fresh(who.session_id):
            text = "this asks for a proof that it is you: send a code, or the password, to /api/v1/session/confirm, and again"
            raise Problem(HTTPStatus.FORBIDDEN, "not_confirmed", text)

    def _refuse_scope(self, policy: Policy, who: Identity) -> None:
        needed = policy.needs(live=self._desk.is_live)
        if needed is None:
            return
        if not who.may(needed):
            has = ", ".join(sorted(each.value for each in who.scopes)) or "none"
            text = f"{who.name} may not do this: it asks for the scope {needed.value}, and there are {has}"
            raise Problem(HTTPStatus.FORBIDDEN, "forbidden", text, more={"scope": needed.value})
        of_account = needed not in (Right.READ_MARKET, Right.ADMIN)
        if of_account and who.accounts is not None and self._desk.account not in who.accounts:
            text = f"this key is not good for account {self._desk.account}"
            raise Problem(HTTPStatus.FORBIDDEN, "wrong_account", text)
        if policy.trades and not policy.confirms and self._desk.is_live:
            text = "real money is traded here, and nobody can confirm over HTTP what comes of this; nothing was sent"
            raise Problem(HTTPStatus.FORBIDDEN, "live_not_confirmed", text)


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""


def _key(entry: Entry, headers: Headers) -> str:
    """The Idempotency-Key. Raises Problem for one that is not one, or where it would not be kept."""
    given = headers.get(b"idempotency-key")
    if given is None:
        return ""
    if not entry.keyed:
        text = "this request takes no Idempotency-Key: it would not be kept; see docs/reference/api.md for those that do"
        raise Problem(HTTPStatus.BAD_REQUEST, "malformed", text)
    if _KEY.fullmatch(given) is None:
        text = "the Idempotency-Key was not one; expected 1 to 128 printable ASCII characters without spaces"
        raise Problem(HTTPStatus.BAD_REQUEST, "malformed", text)
    return given.decode("ascii")


def said(problem: Problem, request_id: str) -> Answer:
    """A problem as an answer."""
    headers = dict(problem.headers)
    if problem.retry_after_s:
        headers["retry-after"] = str(problem.retry_after_s)
    if problem.status is HTTPStatus.UNAUTHORIZED:
        headers["www-authenticate"] = 'Bearer realm="tradeloop"'
    if problem.status is HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        headers["connection"] = "close"  # the rest of it is not read
    return Answer(None, problem.status, headers, document_of(problem, request_id), MEDIA)


async def respond(send: Send, answer: Answer) -> None:
    """Send an answer."""
    body = answer.text if answer.text is not None else as_json(answer.document)
    headers: Raw = [(b"content-type", answer.media.encode()), (b"content-length", str(len(body)).encode())]
    headers += [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers.items()]
    start: dict[str, Any] = {"type": "http.response.start", "status": int(answer.status), "headers": headers}
    await send(start)
    await send({"type": "http.response.body", "body": body})


async def refuse_socket(send: Send, answer: Answer) -> None:
    """Say to whoever wanted a socket why there is none."""
    body = answer.text or b""
    headers: Raw = [(b"content-type", answer.media.encode()), (b"content-length", str(len(body)).encode())]
    headers += [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers.items()]
    await send({"type": "websocket.http.response.start", "status": int(answer.status), "headers": headers})
    await send({"type": "websocket.http.response.body", "body": body})


def ok(document: msgspec.Struct | dict[str, Any] | list[Any], status: int = HTTPStatus.OK) -> Answer:
    """A document as an answer."""
    return Answer(document, status)
