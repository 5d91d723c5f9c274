"""The paper broker's misbehaviour on demand: which fault strikes at which opportunity, from a script or a seed.

Every place in the adapter where something may go wrong asks `strikes(fault)`. An unscripted, rate-less source never
says yes. The same seed or script and the same inputs give the same faults. They are faults that real brokers show;
what each does is written beside it.
"""

from __future__ import annotations

from enum import Enum
from random import Random

import msgspec

from tradeloop.core.errors import BadInput


class Fault(Enum):
    """One way to misbehave, and when it has its opportunity."""

    DROP_ACK = "drop_ack"
    """Each ack: it is never delivered; the order works all the same."""
    LOSE_EXECUTION = "lose_execution"
    """Each execution: missing from the stream for ever, present in the snapshot."""
    DUPLICATE_REPORT = "duplicate_report"
    """Each report about an order: delivered twice."""
    DELAY_REPORT = "delay_report"
    """Each report about an order: delivered `delay_ns` later, others overtake it."""
    REORDER_REPORT = "reorder_report"
    """Each report about an order: swapped with the next one (or `delay_ns` later where none follows)."""
    REQUEST_LOST = "request_lost"
    """Each place or cancel: FateUnknown is raised and the request never arrives."""
    REPLY_LOST = "reply_lost"
    """Each place or cancel: FateUnknown is raised though the request was carried out."""
    REQUEST_LATE = "request_late"
    """Each place: FateUnknown is raised and the order arrives `late_ns` later."""
    DISCONNECT = "disconnect"
    """Each place or cancel: BrokerDown, NotSent for this and later requests, BrokerUp after `outage_ns`."""
    BUST_FILL = "bust_fill"
    """Each execution: taken back `delay_ns` later."""
    CANCEL_UNASKED = "cancel_unasked"
    """Each ack: the broker cancels the rest of the order `delay_ns` later without being asked."""


class Scripted(msgspec.Struct, frozen=True):
    """Let `fault` strike at its `nth` opportunity, counted from 1."""

    fault: Fault
    nth: int


class FaultConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Which faults strike: those of the `script`, and each of `rates` (fault name, probability) drawn from `seed`.

    Lateness is bounded by `late_ns`, which must not pass the request lifetime the broker declares (1 s).
    """

    script: tuple[Scripted, ...] = ()
    rates: tuple[tuple[Fault, float], ...] = ()
    seed: int = 0
    delay_ns: int = 500_000_000
    late_ns: int = 500_000_000
    outage_ns: int = 2_000_000_000

    def __post_init__(self) -> None:
        """Refuse a script or a rate that could never mean anything."""
        for line in self.script:
            if line.nth < 1:
                raise BadInput(f"fault {line.fault.value} had nth {line.nth}; opportunities count from 1")
        for fault, rate in self.rates:
            if not 0 <= rate <= 1:
                raise BadInput(f"rate of fault {fault.value} was {rate}; expected a probability from 0 to 1")
        if min(self.delay_ns, self.outage_ns) < 0 or not 0 <= self.late_ns <= 1_000_000_000:
            raise BadInput("fault times must not be negative, and late_ns is at most 1000000000 (one second)")


class FaultSource:
    """Counts opportunities and says which of them strike."""

    __slots__ = ("_count", "_draw", "_rates", "_script", "active", "config")

    def __init__(self, config: FaultConfig) -> None:
        self.config = config
        self.active = bool(config.script or config.rates)
        self._script = frozenset((line.fault, line.nth) for line in config.script)
        self._rates = dict(config.rates)
        self._draw = Random(config.seed)
        self._count: dict[Fault, int] = {}

    def strikes(self, fault: Fault) -> bool:
        """Whether `fault` strikes now; asking is one opportunity."""
        if not self.active:
            return False
        nth = self._count.get(fault, 0) + 1
        self._count[fault] = nth
        rate = self._rates.get(fault)
        drawn = rate is not None and self._draw.random() < rate
        return drawn or (fault, nth) in self._script
