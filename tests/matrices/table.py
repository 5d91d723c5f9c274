"""Order state matrices as text: one scenario a table, one message a line, and where the order stands after it.

    C.1.b Part-filled order, a fill while a larger quantity is pending
        new order 10000           | PENDING_NEW      | 10000 |     0 | 10000 |
        ack                       | NEW              | 10000 |     0 | 10000 |
        fill B 2000 @ 50          | PARTIALLY_FILLED | 10000 |  2000 |  8000 | 50

The columns are OrdStatus, OrderQty, CumQty, LeavesQty, AvgPx (empty: the scenario does not say) and, where FIX has another word
or figure than we have, what FIX says and why ours differs. A line in brackets is a message of FIX that no report of ours stands
for: it changes nothing here. An indented `#` is a remark.

A line that begins with `!` belongs to the message above it. It says where the order stands after that message in one of the
other ways to play the table, where that is not what the plain order comes to, and why:

        ! crash after 5 6     | FILLED           | 10000 | 10000 |     0 | 50 | the books after the crash answer the cancel

The ways are `doubled`, `swapped K` (the K-th message and the one behind it), and `crash after K`, each with as many numbers as
share the line.

Scenarios are those of FIX 4.2 and 4.4, appendix D (order state change matrices). Titles and figures are told in our own words;
`[unverified]` marks those that were not compared with the specification.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from tradeloop.core.types import OrdStatus

_OURS = ("new order", "cancel", "replace", "next day", "quote")
_ANSWERS = {
    "new order": ("ack", "reject", "lost"),
    "cancel": ("canceled", "cancel reject"),
    "replace": ("replaced", "replace reject"),
}
_WAY = re.compile(r"! (?P<way>doubled|swapped|crash after)(?P<places>[ \d]*)")
_VERBS = re.compile(
    r"(?P<verb>new order|ack|reject of repeat|reject|lost|look without it|fill|bust|correct|cancel reject of stranger|"
    r"cancel reject|canceled|cancel|expired|replace reject|replaced|replace|restate|books|next day|quote|phone order|"
    r"phone fill)"
    r"\b(?P<rest>.*)"
)


@dataclass(frozen=True)
class Message:
    """One message: its place in the table, what it is, its words, the day it belongs to, and which replace it is about."""

    place: int
    line: str
    verb: str
    words: tuple[str, ...]
    day: int
    number: int = 0

    @property
    def is_ours(self) -> bool:
        """Whether we send it; what we do keeps the order in which we do it."""
        return self.verb in _OURS

    def answers(self, asked: Message) -> bool:
        """Whether this is the broker's answer to `asked`: it cannot come before it."""
        if self.verb in _ANSWERS.get(asked.verb, ()):
            return self.number == asked.number
        return asked.verb == "new order" and self.verb in ("canceled", "expired", "fill", "reject of repeat")


@dataclass(frozen=True)
class Standing:
    """Where the order stands."""

    ord_status: OrdStatus
    order_qty: Decimal
    cum_qty: Decimal
    leaves_qty: Decimal
    avg_px: Decimal | None


@dataclass(frozen=True)
class Row:
    """A message and what it leads to; `message` None for a line in brackets. `otherwise`: what it leads to in other ways, by
    the way and its number (0 for one without).
    """

    line: str
    message: Message | None
    then: Standing
    otherwise: Mapping[tuple[str, int], Standing]


@dataclass(frozen=True)
class Scenario:
    """A table."""

    name: str
    title: str
    rows: tuple[Row, ...]

    @property
    def spoken(self) -> tuple[Row, ...]:
        """The rows without the lines in brackets."""
        return tuple(row for row in self.rows if row.message is not None)

    @property
    def messages(self) -> tuple[Message, ...]:
        """Everything that is said."""
        return tuple(row.message for row in self.rows if row.message is not None)


def scenarios(text: str) -> tuple[Scenario, ...]:
    """The tables of a text."""
    found: list[Scenario] = []
    title, lines = "", list[str]()
    for line in [*text.splitlines(), "."]:
        if not line.strip() or line.strip().startswith("#"):
            continue
        if line[0] == " ":
            lines.append(line)
            continue
        if title:
            found.append(_scenario(title, lines))
        title, lines = line, []
    return tuple(found)


def _scenario(title: str, lines: list[str]) -> Scenario:
    name, _, words = title.partition(" ")
    day = number = 0
    rows: list[Row] = []
    for line in lines:
        said, *columns = (part.strip() for part in line.split("|"))
        if said.startswith("!"):
            rows[-1] = _with_another_way(name, rows[-1], said, columns)
            continue
        if said == "next day":
            day += 1
        message = None
        if not said.startswith("("):
            matched = _VERBS.fullmatch(said)
            assert matched is not None, f"{name}: {said!r} is no message of these tables"
            verb, rest = matched["verb"], tuple(matched["rest"].split())
            about = 0
            if verb == "replace":
                number += 1
                about = number
            elif verb in ("replaced", "replace reject"):
                about, rest = int(rest[0]), rest[1:]
            message = Message(len(rows) + 1, said, verb, rest, day, about)
        then = _standing(name, said, columns)
        if message is None:
            before = rows[-1].then
            assert then in (before, replace(before, avg_px=None)), f"{name}: {said!r} is no message to us and changes something"
        rows.append(Row(said, message, then, {}))
    return Scenario(name, words, tuple(rows))


def _with_another_way(name: str, row: Row, said: str, columns: list[str]) -> Row:
    matched = _WAY.fullmatch(said)
    assert matched is not None, f"{name}: {said!r} is no way to play a table"
    assert columns[5:], f"{name}: {said!r} says not why"
    then = _standing(name, said, columns)
    assert then != row.then, f"{name}: {said!r} is what the plain order comes to"
    places = [int(place) for place in matched["places"].split()] or [0]
    return replace(row, otherwise={**row.otherwise, **{(matched["way"], place): then for place in places}})


def _standing(name: str, said: str, columns: list[str]) -> Standing:
    assert 4 <= len(columns) <= 6, f"{name}: {said!r} has {len(columns)} columns"
    status, order_qty, cum, leaves, avg = (*columns, "")[:5]
    return Standing(OrdStatus(status), Decimal(order_qty), Decimal(cum), Decimal(leaves), Decimal(avg) if avg else None)
