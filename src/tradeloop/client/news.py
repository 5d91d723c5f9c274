"""What the stream tells whoever iterates over it, and the documents of each topic."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from tradeloop.client.books_told import Alert, Break, Money, Position, Tick
from tradeloop.client.document import Document
from tradeloop.client.orders_told import Fill, Order
from tradeloop.client.runs_told import Run
from tradeloop.client.stop_told import InForce, RiskFact

Key = str | int


class StreamFill(Fill, frozen=True, kw_only=True):
    """A fill with its key."""

    id: str


class StreamPosition(Position, frozen=True, kw_only=True):
    """A position with its key."""

    id: str


class System(Document, frozen=True):
    """How the desk does; the fields of GET /health beside these are passed over."""

    id: str
    status: str
    broker_ready: bool
    broker_text: str
    views_trouble: str
    views_lag: int
    orders_open: int
    orders_unknown: int
    breaks_open: int
    halts: int


TOPICS: Final[dict[str, tuple[type[Document], str]]] = {
    "orders": (Order, "order_id"),
    "fills": (StreamFill, "id"),
    "positions": (StreamPosition, "id"),
    "account": (Money, "currency"),
    "runs": (Run, "run_id"),
    "alerts": (Alert, "id"),
    "breaks": (Break, "id"),
    "halts": (InForce, "number"),
    "risk": (RiskFact, "number"),
    "system": (System, "id"),
}
"""The type of the documents of each numbered topic, and the field that is their key."""


class Snapshot(msgspec.Struct, frozen=True):
    """All that a topic holds, as of number `n`, in place of what was known of it."""

    topic: str
    n: int
    items: list[Any]


class Change(msgspec.Struct, frozen=True):
    """What changed: documents that are new or in place of others, and keys that are gone."""

    topic: str
    n: int
    seq: int
    put: list[Any]
    drop: list[Key]


class Moved(msgspec.Struct, frozen=True):
    """The newest quotes of symbols that moved."""

    quotes: list[Tick]


class Up(msgspec.Struct, frozen=True):
    """The stream is there: what follows makes good what was missed. `stream` names the run of the desk."""

    stream: str
    topics: list[str]


class Down(msgspec.Struct, frozen=True):
    """The stream is not there, and what is known grows old. It is tried again in `wait_s` seconds, for the `tries`-th time."""

    why: str
    tries: int
    wait_s: float


News = Snapshot | Change | Moved | Up | Down
