"""The stream over `/ws`: a ticket for a socket, and the socket (docs/reference/stream.md)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

import msgspec

from tradeloop import __version__
from tradeloop.access.tickets import GOOD_FOR_NS
from tradeloop.api.call import Answer, Call
from tradeloop.api.gate import ok
from tradeloop.api.identify import Identifies
from tradeloop.api.plain import moment
from tradeloop.api.policy import Opened, Policy, Rate, Routes, Who
from tradeloop.api.problem import Problem, problem_of
from tradeloop.api.socket_tickets import PROTOCOL
from tradeloop.api.stream_commands import Commands
from tradeloop.api.stream_hub import LOOK_NS, LOOKS_PER_BEAT, Hub
from tradeloop.api.stream_socket import Socket
from tradeloop.api.stream_topics import topics_of
from tradeloop.core.errors import TradeloopError
from tradeloop.core.types import SECOND_NS

PER_ASKER_MAX: Final = 16
SOCKETS_MAX: Final = 500
GOOD_FOR_S: Final = GOOD_FOR_NS // SECOND_NS
ABORT: Final = "tradeloop.abort"
"""The extension of ASGI's scope under which the server gives what cuts a connection (bootstrap/sockets.py)."""


class TicketGiven(msgspec.Struct, frozen=True):
    """A ticket for one socket: the subprotocol `ticket.` with it behind, beside `protocol`."""

    ticket: str
    protocol: str = PROTOCOL
    good_for_s: int = GOOD_FOR_S


class Stream:
    """The handlers of one application; without a hub they are there to be looked at, as the document of the API does."""

    def __init__(self, hub: Hub | None = None, identifies: Identifies | None = None) -> None:
        self._hub = hub
        self._identifies = identifies

    @property
    def hub(self) -> Hub:
        """What the sockets share."""
        assert self._hub is not None, "these routes are there to be looked at"
        return self._hub

    async def ticket(self, call: Call) -> Answer:
        """Give a ticket that opens one socket, once, within thirty seconds."""
        who = call.who
        assert who is not None
        if not topics_of(who, call.desk.account):
            raise Problem(
                HTTPStatus.FORBIDDEN, "forbidden", "there is no topic that you may see: it asks for read:acct or read:md"
            )
        if who.session_id and not call.sender.origin:
            raise Problem(
                HTTPStatus.FORBIDDEN, "wrong_origin", "the request of a page says its Origin; programs use an API key"
            )
        assert self._identifies is not None, "these routes are there to be looked at"
        ticket = self._identifies.ticket(who, call.sender.origin, call.sender.address)
        return ok(TicketGiven(ticket.get_secret_value()), HTTPStatus.CREATED)

    async def socket(self, opened: Opened) -> None:
        """Open the stream: a WebSocket, with a ticket among its subprotocols (docs/reference/stream.md)."""
        hub = self.hub
        abort = opened.scope.get("extensions", {}).get(ABORT, {}).get("abort", lambda: None)
        socket = Socket(opened.who, opened.send, abort, hub.clock)
        self._refuse_many(socket.owner)
        hub.sockets[socket] = None  # counted before anything is waited for
        try:
            try:
                await hub.start()
            except TradeloopError as error:
                raise problem_of(error) from error
            await opened.send({"type": "websocket.accept", "subprotocol": PROTOCOL})
            socket.offer(self._hello(socket))
            await socket.run(opened.receive, Commands(hub, socket).obey)
        finally:
            hub.remove(socket)

    def _refuse_many(self, owner: str) -> None:
        sockets = self.hub.sockets
        if len(sockets) >= SOCKETS_MAX:
            text = f"there are {SOCKETS_MAX} sockets open, which is all there may be; close one"
        elif sum(each.owner == owner for each in sockets) >= PER_ASKER_MAX:
            text = f"{PER_ASKER_MAX} sockets of yours are open, which is all there may be; close one"
        else:
            return
        raise Problem(HTTPStatus.TOO_MANY_REQUESTS, "too_many_sockets", text, retry_after_s=5)

    def _hello(self, socket: Socket) -> str:
        hub, desk = self.hub, self.hub.desk
        hello = {
            "t": "hello",
            "protocol": PROTOCOL,
            "stream": hub.name,
            "version": __version__,
            "account": desk.account,
            "broker": desk.broker,
            "is_live": desk.is_live,
            "who": socket.who.name,
            "topics": topics_of(socket.who, desk.account),
            "beat_s": LOOK_NS * LOOKS_PER_BEAT // SECOND_NS,
            "at": moment(hub.clock.now()),
            "now": moment(desk.now()),
        }
        return msgspec.json.encode(hello).decode()


def routes(table: Routes, served: Stream) -> None:
    """The routes of this file."""
    asks = Policy(Who.SIGNED_IN, safe=False, rate=Rate.READ)
    opens = Policy(Who.SIGNED_IN, safe=True, rate=Rate.READ)
    table.add("POST", "/api/v1/stream/ticket", served.ticket, asks, "stream", gives=TicketGiven, status=201)
    table.socket("/ws", served.socket, opens, "stream")
