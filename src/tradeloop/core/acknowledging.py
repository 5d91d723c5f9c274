"""Somebody has seen an alert: a fact about people, which changes nothing of what trades and does not end the trouble."""

from __future__ import annotations

from collections.abc import Generator

from tradeloop.core.commands import AcknowledgeAlert
from tradeloop.core.errors import BadInput
from tradeloop.core.events import AlertAcknowledged, Event
from tradeloop.core.replies import Done
from tradeloop.core.state import State
from tradeloop.core.surroundings import Surroundings
from tradeloop.core.types import UtcNs


def acknowledge(state: State, around: Surroundings, command: AcknowledgeAlert, now: UtcNs) -> Generator[Event, None, Done]:
    """Record who has seen it. Which alerts there are is known to the read models, where whoever asks has looked."""
    del state, around
    if not command.alert_id or not command.by.strip():
        raise BadInput("an alert is acknowledged by its id and by somebody; one of them was empty")
    yield AlertAcknowledged(now, command.alert_id, command.by, command.note)
    return Done(f"alert {command.alert_id} is acknowledged by {command.by}")
