"""What a client says on a socket: subscribe, unsubscribe, ping; all else is answered with an error and changes nothing."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import msgspec

from tradeloop.api.policy import Rate
from tradeloop.api.problem import Problem, problem_of
from tradeloop.api.stream_quotes import Ticks, ticks
from tradeloop.api.stream_socket import Code, Socket
from tradeloop.api.stream_topics import QUOTES, SCOPES, may_see
from tradeloop.core.errors import BadInput, NotKnown, TradeloopError
from tradeloop.markets.symbols import canonical

if TYPE_CHECKING:
    from tradeloop.api.stream_hub import Hub

SYMBOLS_MAX: Final = 500
ERRORS_MAX: Final = 200
_ID_MAX: Final = 64


class Command(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One frame of a client."""

    op: str
    topic: str = ""
    stream: str = ""
    from_: int | None = msgspec.field(name="from", default=None)
    symbols: list[str] | None = None
    id: str = ""


class Error(msgspec.Struct, frozen=True, tag_field="t", tag="error"):
    """What was asked was not done."""

    code: str
    detail: str
    op: str = ""
    topic: str = ""


_COMMAND: Final = msgspec.json.Decoder(Command)


class Commands:
    """Those of one socket, carried out one after another."""

    def __init__(self, hub: Hub, socket: Socket) -> None:
        self._hub = hub
        self._socket = socket

    async def obey(self, text: str | None) -> None:
        """Carry out a frame; one that is bytes is None."""
        command = None
        try:
            self._hub.rates.take(self._socket.owner, Rate.READ)
            command = _read(text)
            await self._obey(command)
        except Problem as problem:
            self._refuse(problem, command)
        except TradeloopError as error:
            self._refuse(problem_of(error), command)

    async def _obey(self, command: Command) -> None:
        match command.op:
            case "subscribe":
                self._refuse_topic(command.topic)
                if command.topic == QUOTES:
                    self._quotes(command.symbols)
                else:
                    await self._subscribe(command)
            case "unsubscribe":
                self._refuse_topic(command.topic)
                await self._unsubscribe(command.topic)
            case "ping":
                if len(command.id) > _ID_MAX:
                    raise BadInput(f"id had {len(command.id)} characters; expected at most {_ID_MAX}")
                self._socket.offer(_text({"t": "pong", "id": command.id}))
            case _:
                raise BadInput(f"op was {command.op[:20]!r}; expected subscribe, unsubscribe or ping")

    async def _subscribe(self, command: Command) -> None:
        hub, socket = self._hub, self._socket
        channel, because = hub.channels[command.topic], "asked"
        if command.symbols is not None:
            raise BadInput(f"symbols belong to the topic {QUOTES} alone")
        if command.from_ is not None:
            if command.stream == hub.name and await hub.resume(socket, channel, command.from_):
                return
            because = "too_old" if command.stream == hub.name else "restarted"
        await hub.show(socket, channel, because)

    async def _unsubscribe(self, topic: str) -> None:
        socket = self._socket
        if topic == QUOTES:
            socket.symbols = frozenset()
            self._hub.want_quotes()
        else:
            async with socket.alone:
                self._hub.leave(socket, self._hub.channels[topic])
        socket.offer(_text({"t": "unsubscribed", "topic": topic}))

    def _quotes(self, written: list[str] | None) -> None:
        if not written or len(written) > SYMBOLS_MAX:
            raise BadInput(f"there were {len(written or ())} symbols; expected 1 to {SYMBOLS_MAX}")
        symbols = list(dict.fromkeys(map(canonical, written)))
        found = [quote for quote in map(self._hub.desk.quote, symbols) if quote is not None]
        self._socket.symbols = frozenset(symbols)
        self._hub.want_quotes()
        self._socket.offer_quotes(Ticks(ticks(found)))

    def _refuse_topic(self, topic: str) -> None:
        if topic not in SCOPES:
            raise NotKnown(f"topic was {topic[:40]!r}; expected one of {', '.join(SCOPES)}")
        who, account = self._socket.who, self._hub.desk.account
        if may_see(who, topic, account):
            return
        needed = SCOPES[topic]
        if who.may(needed):
            raise Problem(HTTPStatus.FORBIDDEN, "wrong_account", f"this key is not good for account {account}")
        raise Problem(HTTPStatus.FORBIDDEN, "forbidden", f"the topic {topic} asks for the scope {needed.value}")

    def _refuse(self, problem: Problem, command: Command | None) -> None:
        op, topic = ("", "") if command is None else (command.op[:20], command.topic[:40])
        self._socket.errors += 1
        self._socket.offer(_text(Error(problem.code, problem.detail, op, topic)))
        if self._socket.errors > ERRORS_MAX:
            self._socket.end(Code.TOO_OFTEN, "too many errors")


def _read(text: str | None) -> Command:
    if text is None:
        raise _malformed("the frame was binary; expected text with a JSON object in it")
    try:
        return _COMMAND.decode(text)
    except msgspec.ValidationError as error:
        raise _malformed(f"the frame is none of a client: {error}") from None
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        raise _malformed("the frame is no JSON") from None


def _malformed(text: str) -> Problem:
    return Problem(HTTPStatus.BAD_REQUEST, "malformed", text)


def _text(document: object) -> str:
    return msgspec.json.encode(document).decode()
