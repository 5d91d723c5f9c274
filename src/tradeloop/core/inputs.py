"""What may enter the engine: commands, reports, quotes, and the two inputs of its own, a timer and the start."""

from __future__ import annotations

import msgspec

from tradeloop.core.commands import Command, HaltTrading
from tradeloop.core.events import TradedAt
from tradeloop.core.reports import Quote, Report


class TimerFired(msgspec.Struct, frozen=True, gc=False):
    """A moment the core asked for (effects.SetTimer) has come."""

    kind: str
    subject: str


class Start(msgspec.Struct, frozen=True, gc=False):
    """A process took over the journal under a new epoch; the first input of its life.

    `predecessor_dead`: the operating system says that the process before it is gone, not only that its lease ran out.
    `clock`: which time this process lives in, "wall" or "replay". `brokers`: where it trades.
    """

    epoch: int
    version: str
    group: str
    config_hash: str = ""
    predecessor_dead: bool = False
    clock: str = ""
    brokers: tuple[TradedAt, ...] = ()


class LatchFound(msgspec.Struct, frozen=True, gc=False):
    """The latch file holds these halts (engine/latch.py); what the journal does not know of them is recorded."""

    halts: tuple[HaltTrading, ...]


Input = Command | Report | Quote | TimerFired | Start | LatchFound
