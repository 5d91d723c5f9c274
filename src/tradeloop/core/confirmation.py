"""A person's word that exactly this goes to a live account: what they saw, as a hash, and what they typed (S0-5, S0-52).

A typed word alone proves that somebody meant to trade, not what. So the word is bound to its content: the hash covers all that
a person can be shown of the orders, and the core makes it anew from what is about to leave. Another price, another quantity,
another account or other limits in force, and the word was given for something else.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from hashlib import sha256
from typing import Final

import msgspec

from tradeloop.core.types import Currency, OrdType, PositionEffect, Px, Qty, Side, Symbol

WORD: Final = "LIVE"
"""What every phrase begins with; whoever types it knows that this is no rehearsal."""


class Confirmation(msgspec.Struct, array_like=True, frozen=True, gc=False, forbid_unknown_fields=True):
    """What a person confirmed: `content` is the hash of it, `phrase` what they typed.

    `second_factor`: which one they gave, such as `totp`, and `set_up_by` who had set it up. Only the process that has checked
    it says so: what a request from elsewhere says of it is not believed (bootstrap/confirming.py).
    """

    content: str
    phrase: str
    second_factor: str
    set_up_by: str = ""
    px: Px | None = None
    """The price that they were shown of an order without one of its own; part of what `content` is of."""


class ShownOrder(msgspec.Struct, frozen=True):
    """One order as a person is shown it before they confirm it. `px` is the price that it was planned or seen at, the only
    one that anybody saw of one without a price of its own; `value` what it may be worth, None where nothing is known.
    """

    leg: int
    symbol: Symbol
    side: Side
    order_qty: Qty
    ord_type: OrdType
    price: Px | None
    stop_px: Px | None
    px: Px | None
    position_effect: PositionEffect
    value: Decimal | None
    currency: Currency


class Frozen(msgspec.Struct, frozen=True):
    """What is to be confirmed: the hash of it, how many orders it is, the words that are typed for it, and each of the orders.
    `px` as in Confirmation.
    """

    content: str
    orders: int
    phrase: str
    lines: tuple[ShownOrder, ...] = ()
    px: Px | None = None

    @property
    def totals(self) -> dict[Currency, Decimal | None]:
        """What the orders may be worth together, by currency; None where that of one of them is not known."""
        sums: dict[Currency, Decimal | None] = {}
        for line in self.lines:
            before = sums.get(line.currency, Decimal(0))
            sums[line.currency] = None if before is None or line.value is None else before + line.value
        return sums


def phrase_of(account: str, orders: int) -> str:
    """What is typed for so many orders at an account: the word, the account and the count, so that none is typed unread."""
    return f"{WORD} {account} {orders}"


def counted(orders: int) -> str:
    """So many orders, in words."""
    return "1 order" if orders == 1 else f"{orders} orders"


def is_phrase(typed: str, account: str, orders: int) -> bool:
    """Whether that is what was to be typed. Spaces more or less are no other words; a small letter is none of this word."""
    return are_words(typed, phrase_of(account, orders))


def are_words(typed: str, wanted: str) -> bool:
    """The same for words that were shown."""
    return typed.split() == wanted.split()


def content_hash(kind: str, parts: Iterable[str | Decimal | int | None]) -> str:
    """The hash of what a person saw, in one form: each part as text in its place, equal amounts written alike."""
    written = [kind, *(_text(part) for part in parts)]
    return sha256(msgspec.json.encode(written)).hexdigest()


def _text(part: str | Decimal | int | None) -> str | None:
    if not isinstance(part, Decimal):
        return None if part is None else str(part)
    text = f"{part:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
