"""Facts of the halts: begun, ended, and what they have come to."""

from __future__ import annotations

from tradeloop.core import events as ev
from tradeloop.core.halt import Halt
from tradeloop.core.state import State


def halted(state: State, e: ev.Halted) -> None:
    state.halt_count = e.number
    state.halts[e.number] = Halt(e.number, e.tier, e.scope, e.name, e.by, e.reason, e.at, trigger=e.trigger)


def halt_released(state: State, e: ev.HaltReleased) -> None:
    del state.halts[e.number]


def halt_checked(state: State, e: ev.HaltChecked) -> None:
    halt = state.halts[e.number]
    halt.found, halt.done, halt.said_at = e.text, e.done, e.at
    halt.unknown, halt.held = e.unknown, len(e.held)
