"""Their words and ours, as tables and nothing else. A word that is in no table is never guessed: `ours` raises with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeVar

from tradeloop.core.errors import BadInput
from tradeloop.core.types import OrdStatus, OrdType, Side, Symbol, TimeInForce
from tradeloop.ports.trouble import Trouble

T = TypeVar("T")

SIDES: Final[Mapping[str, Side]] = {"B": Side.BUY, "S": Side.SELL}

TYPES: Final[Mapping[str, OrdType]] = {"MKT": OrdType.MARKET, "LMT": OrdType.LIMIT}

TIFS: Final[Mapping[str, TimeInForce]] = {
    "DAY": TimeInForce.DAY,
    "GTC": TimeInForce.GTC,
    "IOC": TimeInForce.IOC,
    "FOK": TimeInForce.FOK,
}

STATUSES: Final[Mapping[str, OrdStatus]] = {
    "working": OrdStatus.NEW,
    "part": OrdStatus.PARTIALLY_FILLED,
    "done": OrdStatus.FILLED,
    "gone": OrdStatus.CANCELED,
    "lapsed": OrdStatus.EXPIRED,
}

TROUBLES: Final[Mapping[str, Trouble]] = {
    "UNKNOWN_SYMBOL": Trouble.DEFINITIVE_REJECT,
    "UNKNOWN_ACCOUNT": Trouble.DEFINITIVE_REJECT,
    "UNKNOWN_ORDER": Trouble.DEFINITIVE_REJECT,
    "BAD_ID": Trouble.DEFINITIVE_REJECT,
    "BAD_TERMS": Trouble.DEFINITIVE_REJECT,
    "BAD_QTY": Trouble.DEFINITIVE_REJECT,
    "BAD_PX": Trouble.DEFINITIVE_REJECT,
    "BAD_REQUEST": Trouble.DEFINITIVE_REJECT,
    "NO_CASH": Trouble.DEFINITIVE_REJECT,
    "TOO_LATE": Trouble.DEFINITIVE_REJECT,
    "TOO_LITTLE": Trouble.DEFINITIVE_REJECT,
    "DUPLICATE_ID": Trouble.DUP_ID,
    "REQUEST_EXPIRED": Trouble.NOT_SENT,
    "NO_SESSION": Trouble.NOT_SENT,
    "BAD_LOGIN": Trouble.NOT_SENT,
    "TOO_FAST": Trouble.THROTTLED,
}
"""What each code of theirs proves about the request it answers. One that stands here in no line proves nothing."""


def ours(table: Mapping[str, T], word: object, what: str) -> T:
    """Our word for theirs. Raises BadInput with the raw word where the table has none."""
    meant = table.get(word) if isinstance(word, str) else None
    if meant is None:
        raise BadInput(f"{what} was {word!r}; expected one of {', '.join(table)}: look it up and add it to words.py")
    return meant


def theirs(table: Mapping[str, T], word: T, what: str) -> str:
    """Their word for ours. Raises BadInput where they have none."""
    for their, our in table.items():
        if our is word:
            return their
    raise BadInput(f"{what} was {word}; this venue has no word for it")


def our_symbol(written: object) -> Symbol:
    """`US:ACME` is ACME.US."""
    venue, colon, code = written.partition(":") if isinstance(written, str) else ("", "", "")
    if not (venue and colon and code):
        raise BadInput(f"the symbol was {written!r}; expected VENUE:CODE")
    return Symbol(f"{code}.{venue}")


def their_symbol(symbol: Symbol) -> str:
    """ACME.US is `US:ACME`."""
    code, dot, venue = symbol.rpartition(".")
    if not (code and dot and venue):
        raise BadInput(f"the symbol was {symbol!r}; expected CODE.VENUE")
    return f"{venue}:{code}"
