"""What a person puts back in the wrong place: a snapshot of another history among ours (F95), as a restored table has it whose
journal went another way since. It is whole and fits its own hash; nothing but its place in the chain says that it is not ours.
"""

from __future__ import annotations

from hashlib import sha256
from random import Random

from tradeloop.core.events import BrokerDisconnected
from tradeloop.core.evolve import evolve
from tradeloop.core.state import SNAPSHOT_FORMAT, State
from tradeloop.journal import codec
from tradeloop.ports.journal import StoredSnapshot
from tradeloop.testing.builders import BROKER
from tradeloop.testing.world.disk import Disk


def foreign_snapshot(disk: Disk, dice: Random) -> bool:
    """Leave a snapshot among ours whose last fact was another one; whether there was a place for it."""
    newest = disk.snapshots[0].batch if disk.snapshots else 0
    if disk.is_damaged_on_purpose or newest >= len(disk.rows):
        return False
    batch = dice.randint(newest + 1, len(disk.rows))
    events = [event for row in disk.rows[:batch] for event in codec.decode(row.payload)]
    state = State()
    for event in events[:-1]:
        evolve(state, event)
    evolve(state, BrokerDisconnected(events[-1].at, BROKER, "as it was in another history"))
    payload = state.pack()
    foreign = StoredSnapshot(
        seq=state.seq,
        batch=batch,
        batch_hash=sha256(payload).digest(),
        state_hash=sha256(payload).hexdigest(),
        format=SNAPSHOT_FORMAT,
        payload=payload,
    )
    disk.snapshots = [foreign, *disk.snapshots]
    return True
