"""What a person, or a test in another process, may type at the toy venue: one command a line, answered by one JSON line."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from tradeloop.core.errors import BadInput
from tradeloop.venues.toy.faults import Fault
from tradeloop.venues.toy.server import ToyServer

COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "books": ("", "show orders, trades, positions and cash"),
    "fill": ("CL_ORD_ID QTY PX", "let an order trade"),
    "move": ("SYMBOL PX", "change the last price; what it satisfies trades"),
    "hand": ("SYMBOL B|S QTY PX", "type an order at the venue, which trades at once"),
    "cancel": ("CL_ORD_ID", "take an order out unasked"),
    "bust": ("EXEC_ID", "take a trade back"),
    "correct": ("EXEC_ID QTY PX", "change a trade"),
    "redeliver": ("EXEC_ID", "say a trade once more"),
    "fault": ("NAME [TIMES]", "let a fault strike at its next opportunities"),
    "refuse": ("CODE TEXT…", "refuse the next order in these words"),
    "day": ("YYYY-MM-DD", "begin this trading day"),
    "cut": ("", "cut every connection"),
    "shut": ("", "cut every connection and let nobody in"),
    "open": ("", "let clients in again"),
}
"""Each command with what follows it and what it does; README.md lists them, and a test holds the two together."""


def obey(server: ToyServer, line: str) -> dict[str, Any]:
    """Do what the line says. What cannot be understood is answered with `error` and changes nothing."""
    name, *words = line.split()
    act = _ACTS.get(name)
    if act is None:
        return {"error": f"the command was {name!r}; expected one of {', '.join(COMMANDS)}"}
    try:
        return act(server, words) or {"done": name}
    except (BadInput, ValueError, IndexError, InvalidOperation) as error:
        follows = COMMANDS[name][0] or "nothing"
        return {"error": f"{name} takes {follows}: {str(error) or type(error).__name__}"}


def _books(server: ToyServer, _: list[str]) -> dict[str, Any]:
    return server.venue.shown()


def _fill(server: ToyServer, words: list[str]) -> dict[str, Any]:
    return {"exec_id": server.venue.fill(words[0], Decimal(words[1]), Decimal(words[2])).exec_id}


def _move(server: ToyServer, words: list[str]) -> None:
    server.venue.move(words[0], Decimal(words[1]))


def _hand(server: ToyServer, words: list[str]) -> dict[str, Any]:
    return {"order_id": server.venue.by_hand(words[0], words[1], Decimal(words[2]), Decimal(words[3])).order_id}


def _fault(server: ToyServer, words: list[str]) -> None:
    server.venue.faults.arm(Fault(words[0]), int(words[1]) if len(words) > 1 else 1)


def _refuse(server: ToyServer, words: list[str]) -> None:
    server.venue.refusal = (words[0], " ".join(words[1:]))


_ACTS: Final[dict[str, Callable[[ToyServer, list[str]], dict[str, Any] | None]]] = {
    "books": _books,
    "fill": _fill,
    "move": _move,
    "hand": _hand,
    "cancel": lambda server, words: server.venue.cancel_unasked(words[0]),
    "bust": lambda server, words: server.venue.bust(words[0]),
    "correct": lambda server, words: server.venue.correct(words[0], Decimal(words[1]), Decimal(words[2])),
    "redeliver": lambda server, words: server.venue.redeliver(words[0]),
    "fault": _fault,
    "refuse": _refuse,
    "day": lambda server, words: server.venue.next_day(words[0]),
    "cut": lambda server, _: server.cut(),
    "shut": lambda server, _: server.shut(),
    "open": lambda server, _: server.open(),
}
