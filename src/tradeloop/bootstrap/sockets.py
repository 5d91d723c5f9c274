"""The server's part of a WebSocket: uvicorn's over websockets' sans-I/O protocol, and beside it what cuts a connection.

A socket that takes nothing takes no close either, and uvicorn waits for what is in its buffer for as long as the other side
keeps the connection: whoever serves it gets `abort` in the scope.
"""

from __future__ import annotations

import os
import socket
import struct
from asyncio import Transport
from typing import Final

from typing_extensions import override
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

from tradeloop.api.stream import ABORT

FRAME_MAX: Final = 64 * 1024
"""Bytes of a message that a client sends; the largest there is names 500 symbols."""

PING_S: Final = 20.0
"""How often the other side is asked whether it is there, and how long the answer may take."""


BUFFER: Final = 256 * 1024
"""Bytes that the system keeps of what was sent and not taken; left to itself it keeps megabytes for each that reads slowly."""


class Sockets(WebSocketsSansIOProtocol):
    """One connection."""

    @override
    def handle_connect(self, event: Request) -> None:
        """The scope is made and the application begins with the next turn of the loop: until then this goes into it."""
        super().handle_connect(event)
        scope = getattr(self, "scope", None)
        if scope is not None:
            scope["extensions"][ABORT] = {"abort": lambda: cut(self.transport)}
            _set(self.transport, socket.SO_SNDBUF, BUFFER)

    @override
    def handle_ping(self) -> None:
        """Answer a ping; whoever sends them and takes no answer is cut off, since nothing else bounds what waits for them."""
        super().handle_ping()
        if self.transport.get_write_buffer_size() > BUFFER:
            cut(self.transport)


def cut(transport: Transport) -> None:
    """End a connection at once: what was not taken is thrown away, by the system as well, which would keep it for minutes."""
    _set(transport, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


def _set(transport: Transport, option: int, value: int | bytes) -> None:
    """Set an option of a connection; one that is closed already has none. Through a copy: uvloop's sockets take no options."""
    number = transport.get_extra_info("socket").fileno()
    if transport.is_closing() or number < 0:
        return
    with socket.socket(fileno=os.dup(number)) as copy:
        copy.setsockopt(socket.SOL_SOCKET, option, value)
