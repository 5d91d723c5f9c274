"""How a socket says who opens it: a browser can give it no header, so a one-time ticket comes among its subprotocols.

Neither a cookie nor a key opens one: a browser sends cookies with a socket from any page. The ticket stands in no address,
since those stand in logs.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from starlette.types import Scope

from tradeloop.access.identity import Identity
from tradeloop.api.identify import Headers, Identifies, refuse_elsewhere
from tradeloop.api.problem import Problem

PROTOCOL: Final = "tradeloop.v1"
TICKET_PREFIX: Final = "ticket."
_TICKET_MAX: Final = 128


def asker_with_ticket(identifies: Identifies, scope: Scope, address: str, origins: frozenset[str]) -> Identity:
    """Whose ticket a socket brings; it is good for nothing more. Raises Problem."""
    headers: Headers = {name.lower(): value for name, value in scope["headers"]}
    if b"origin" in headers or b"sec-fetch-site" in headers:
        refuse_elsewhere(headers, origins)
    asked = scope.get("subprotocols") or []
    tickets = [each.removeprefix(TICKET_PREFIX) for each in asked if each.startswith(TICKET_PREFIX)]
    if len(tickets) != 1 or not 0 < len(tickets[0]) <= _TICKET_MAX:
        raise _nobody(
            "a socket is opened with a ticket: ask POST /api/v1/stream/ticket, and send it as the subprotocol ticket.…"
        )
    if PROTOCOL not in asked:
        raise Problem(HTTPStatus.BAD_REQUEST, "malformed", f"the subprotocol {PROTOCOL} is missing beside the ticket")
    who = identifies.by_ticket(tickets[0], origin_in(headers), address)
    if who is None:
        raise _nobody(
            "the ticket is not known, was used, is too old or from elsewhere, or its session has ended; ask for another"
        )
    return who


def origin_in(headers: Headers) -> str:
    """The origin that a request says it comes from, in one form; empty where it says none, as programs do."""
    return headers.get(b"origin", b"").decode("latin-1").lower()


def _nobody(text: str) -> Problem:
    return Problem(HTTPStatus.UNAUTHORIZED, "not_identified", text)
