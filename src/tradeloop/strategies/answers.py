"""What a strategy may answer: orders, or a target; and the same as it goes through the pipe, where every amount is text."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import msgspec

Number = Decimal | int | str
"""An exact amount; a binary floating point number is none."""


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """An order that a strategy asks for. `why` is the condition that was met, as the log of triggers tells it.

    `side` is buy or sell, `type` market, limit, stop or stop_limit; quantities are in units, prices in the currency of the
    instrument.
    """

    symbol: str
    side: str
    quantity: Number
    type: str = "market"
    price: Number | None = None
    stop_price: Number | None = None
    time_in_force: str = "DAY"
    position_effect: str = "AUTO"
    why: str = ""


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """What the account shall hold of these symbols: fractions of its equity. What is not named stays as it is."""

    weights: Mapping[str, Number]
    why: str = ""


class WishedOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An order as it comes through the pipe."""

    symbol: str
    side: str
    quantity: str
    type: str
    price: str | None
    stop_price: str | None
    time_in_force: str
    position_effect: str
    why: str


class WishedTarget(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A target as it comes through the pipe."""

    weights: dict[str, str]
    why: str


Wishes = tuple[list[WishedOrder], WishedTarget | None]


def wishes(answered: object) -> Wishes:
    """What a hook returned, as it goes through the pipe. Raises TypeError for what is no answer."""
    if answered is None:
        return [], None
    if isinstance(answered, Target):
        return [], WishedTarget({str(each): _text(weight, "weight") for each, weight in answered.weights.items()}, answered.why)
    several = answered if isinstance(answered, list | tuple) else [answered]
    return [_wished(each) for each in several], None


def _wished(order: object) -> WishedOrder:
    if not isinstance(order, Order):
        raise TypeError(f"the answer held a {type(order).__name__}; expected an Order, a list of them, a Target or nothing")
    return WishedOrder(
        order.symbol,
        order.side,
        _text(order.quantity, "quantity"),
        order.type,
        None if order.price is None else _text(order.price, "price"),
        None if order.stop_price is None else _text(order.stop_price, "stop_price"),
        order.time_in_force,
        order.position_effect,
        order.why,
    )


def _text(number: object, name: str) -> str:
    """An amount in plain notation."""
    if isinstance(number, Decimal):
        return f"{number:f}"
    if isinstance(number, str) or (isinstance(number, int) and not isinstance(number, bool)):
        return str(number)
    raise TypeError(f"{name} was a {type(number).__name__}; expected a Decimal, a whole number or text")
