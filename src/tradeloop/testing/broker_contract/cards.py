"""The contract as a list of cards, for whoever runs it by other means than pytest or makes a table of it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec

_OPENING: Final = re.compile(r"([A-H]\d+)(?: \([^)]*\))?: (.+?)\.?$", re.DOTALL)


class Card(msgspec.Struct, frozen=True):
    """One promise: its id, its words, the test that judges it, and the values of its parameter (one empty row without)."""

    id: str
    promise: str
    test: str
    rows: tuple[dict[str, Any], ...]


def cards(contract: type) -> list[Card]:
    """The cards of a contract class, by id. Raises ValueError for a test without a card, or two under one id."""
    found: dict[str, Card] = {}
    for name, test in _tests(contract):
        opening = _OPENING.match(inspect.getdoc(test) or "")
        if opening is None:
            raise ValueError(f"{name} opens with no card; expected a docstring such as 'A1: an order is acknowledged'")
        card = Card(opening.group(1), " ".join(opening.group(2).split()), name, _rows(test))
        if card.id in found:
            raise ValueError(f"card {card.id} is both {found[card.id].test} and {name}")
        found[card.id] = card
    return sorted(found.values(), key=lambda card: (card.id[0], int(card.id[1:])))


def _tests(contract: type) -> Iterator[tuple[str, Any]]:
    return ((name, test) for name, test in inspect.getmembers(contract, inspect.isfunction) if name.startswith("test_"))


def _rows(test: Any) -> tuple[dict[str, Any], ...]:
    for mark in getattr(test, "pytestmark", []):
        if mark.name == "parametrize":
            name, values = mark.args
            return tuple({name: value} for value in values)
    return ({},)
