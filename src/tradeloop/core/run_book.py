"""All runs: live ones as objects, ended ones as their bytes, so that no decision walks the past and a year weighs little.

The bytes are kept deflated, a twelfth of their size. What other machines make of them may differ by their zlib, so a snapshot
and its hash have them plain.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from tradeloop.core.events import PlanLine, RunCreated
from tradeloop.core.types import ClOrdID, Qty, RunID, RunStatus, UtcNs


class Leg(msgspec.Struct, array_like=True):
    """One line of a run as it is worked: `order_qty` may be smaller than planned; `code` says why, or why nothing was sent."""

    line: PlanLine
    order_qty: Qty
    cl_ord_id: ClOrdID | None = None
    code: str = ""
    reason: str = ""
    closed: bool = False


class Run(msgspec.Struct, array_like=True):
    """A run and its legs, in the order of their numbers."""

    created: RunCreated
    status: RunStatus
    legs: list[Leg]
    started_at: UtcNs | None = None
    finished_at: UtcNs | None = None
    cancel_requested: bool = False
    code: str = ""
    text: str = ""
    todo: tuple[int, ...] = ()
    superseded_by: RunID | None = None
    approved_by: str = ""
    """Who let it go where it waited for somebody; empty where nobody had to."""
    confirmed_by: str = ""
    """Who confirmed its plan for a live account; empty where nobody did."""

    def leg(self, number: int) -> Leg:
        """The leg numbered from 1."""
        return self.legs[number - 1]


_FAST: Final = 1
"""The level of zlib: a plan of three hundred lines takes 0.4 ms, and no other is much smaller."""


class RunBook:
    """Every run there ever was, by its id."""

    __slots__ = ("_decode", "_encode", "ended", "live")

    def __init__(self) -> None:
        self.live: dict[RunID, Run] = {}
        self.ended: dict[RunID, bytes] = {}
        self._encode = msgspec.msgpack.Encoder(order="deterministic").encode
        self._decode = msgspec.msgpack.Decoder(Run).decode

    def get(self, run_id: RunID) -> Run | None:
        """The run, or None. One that has ended comes as a copy: `keep` it after a change."""
        run = self.live.get(run_id)
        if run is None:
            packed = self.ended.get(run_id)
            return None if packed is None else self._decode(zlib.decompress(packed))
        return run

    def __getitem__(self, run_id: RunID) -> Run:
        run = self.get(run_id)
        if run is None:
            raise KeyError(run_id)
        return run

    def keep(self, run: Run) -> None:
        """Put a run where it now belongs."""
        run_id = run.created.run_id
        if run.finished_at is None:
            self.live[run_id] = run
        else:
            self.live.pop(run_id, None)
            self.ended[run_id] = zlib.compress(self._encode(run), _FAST)

    def pack(self) -> list[tuple[RunID, bytes]]:
        """The ended runs in plain bytes, as `unpack` takes them: the same whatever machine made them."""
        return [(run_id, zlib.decompress(packed)) for run_id, packed in self.ended.items()]

    def unpack(self, live: Iterable[tuple[RunID, Run]], ended: Iterable[tuple[RunID, bytes]]) -> None:
        """Take over live and ended runs from a snapshot."""
        self.live = dict(live)
        self.ended = {run_id: zlib.compress(plain, _FAST) for run_id, plain in ended}

    def __iter__(self) -> Iterator[RunID]:
        """The ids of all, the ended ones first; for whoever looks at the past, no decision does."""
        yield from self.ended
        yield from self.live

    def newest_first(self) -> Iterator[RunID]:
        """The ids of all: the live ones, then the ended ones, the last to end first."""
        yield from reversed(self.live)
        yield from reversed(self.ended)

    def items(self) -> Iterator[tuple[RunID, Run]]:
        """All runs, the ended ones first."""
        return ((run_id, self[run_id]) for run_id in self)

    def values(self) -> Iterator[Run]:
        """All runs, the ended ones first."""
        return (self[run_id] for run_id in self)

    def __len__(self) -> int:
        return len(self.live) + len(self.ended)
