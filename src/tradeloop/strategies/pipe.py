"""What goes between the host and the process of a strategy: messages as MessagePack, each behind its length in four bytes."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import msgspec

from tradeloop.core.reports import Quote
from tradeloop.core.types import UtcNs
from tradeloop.strategies.answers import WishedOrder, WishedTarget
from tradeloop.strategies.bars import Bar

HEAD: Final = 4
"""Bytes of a length."""
ANSWER_MAX: Final = 1 << 20
"""Bytes of the longest answer."""
ORDERS_MAX: Final = 50
"""Orders of one answer."""


class Begin(msgspec.Struct, frozen=True, tag=True):
    """Be this strategy: the text of its file, its class, and what was configured."""

    name: str
    source: bytes
    file: str
    class_name: str
    symbols: list[str]
    parameters: dict[str, str]


class Fill(msgspec.Struct, frozen=True, tag=True):
    """A fill of one of the strategy's own orders."""

    symbol: str
    side: str
    quantity: Decimal
    price: Decimal
    order_id: str
    at: UtcNs


class OnStart(msgspec.Struct, frozen=True, tag=True):
    """It begins."""


class OnQuote(msgspec.Struct, frozen=True, tag=True):
    """A quote; those that it stands for were passed over."""

    quote: Quote


class OnBar(msgspec.Struct, frozen=True, tag=True):
    """A bar is over."""

    bar: Bar


class OnFill(msgspec.Struct, frozen=True, tag=True):
    """One of its orders was filled."""

    fill: Fill


class OnTimer(msgspec.Struct, frozen=True, tag=True):
    """The timer, by the clock of the desk."""

    at: UtcNs


Called = OnStart | OnQuote | OnBar | OnFill | OnTimer
HOOKS: Final[dict[type[Called], str]] = {
    OnStart: "on_start",
    OnQuote: "on_quote",
    OnBar: "on_bar",
    OnFill: "on_fill",
    OnTimer: "on_timer",
}


class Answer(msgspec.Struct, frozen=True):
    """What a call returned; `hooks` are those that the strategy has, told when it begins."""

    orders: list[WishedOrder] = []
    target: WishedTarget | None = None
    hooks: list[str] = []


_ENCODER: Final = msgspec.msgpack.Encoder()
_ASKED: Final = msgspec.msgpack.Decoder(Begin | OnStart | OnQuote | OnBar | OnFill | OnTimer)
_ANSWERED: Final = msgspec.msgpack.Decoder(Answer)


def framed(message: Begin | Called | Answer) -> bytes:
    """A message behind its length."""
    body = _ENCODER.encode(message)
    return len(body).to_bytes(HEAD, "big") + body


def asked(body: bytes) -> Begin | Called:
    """What the host asks. Raises msgspec.MsgspecError."""
    found: Begin | Called = _ASKED.decode(body)
    return found


def answered(body: bytes) -> Answer:
    """What a strategy answers. Raises msgspec.MsgspecError."""
    return _ANSWERED.decode(body)
