"""What every request passes first and every answer last, whichever route it is for, or for none: id, host, headers."""

from __future__ import annotations

import itertools
import re
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tradeloop.api.gate import REQUEST_ID, refuse_socket, respond, said
from tradeloop.api.identify import refuse_host
from tradeloop.api.page import Page
from tradeloop.api.problem import Problem

_ID: Final = re.compile(rb"[A-Za-z0-9._-]{1,64}")

HEADERS: Final = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)
"""Of answers that have none of their own of that name."""


class Front:
    """The application with what stands before it, and the files of the page where it has one. `begun` makes the ids of this
    process others than those of the last.
    """

    def __init__(self, app: ASGIApp, hosts: frozenset[str], begun: int, page: Page | None = None) -> None:
        self._app = app
        self._page = page
        self._hosts = hosts
        self._begun = f"{begun:x}"
        self._count = itertools.count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection, request or the life of the application."""
        if scope["type"] == "http":
            headers = dict(scope["headers"])
        elif scope["type"] == "websocket":  # whose headers come as they were written
            headers = {name.lower(): value for name, value in scope["headers"]}
        else:
            await self._app(scope, receive, send)
            return
        given = headers.get(b"x-request-id", b"")
        request_id = given.decode() if _ID.fullmatch(given) else f"{self._begun}-{next(self._count):x}"
        scope[REQUEST_ID] = request_id

        async def answer(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                there = {name for name, _ in message["headers"]}
                more = [(name, value) for name, value in HEADERS if name not in there]
                message = {**message, "headers": [*message["headers"], *more, (b"x-request-id", request_id.encode())]}
            await send(message)

        try:
            refuse_host(headers, self._hosts)
        except Problem as problem:
            if scope["type"] == "websocket":
                await receive()
                await refuse_socket(answer, said(problem, request_id))
            else:
                await respond(answer, said(problem, request_id))
            return
        found = None if self._page is None else self._page.answer(scope.get("method", ""), scope["path"], headers)
        if found is None:
            await self._app(scope, receive, answer)
            return
        await answer({"type": "http.response.start", "status": found.status, "headers": found.headers})
        await answer({"type": "http.response.body", "body": found.body})
