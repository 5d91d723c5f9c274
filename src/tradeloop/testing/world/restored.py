"""What a person puts back in the wrong place, so that snapshots and journal are of different histories.

A snapshot of another history lies among ours (F95), as a restored table has it whose journal went another way since: whole, and
fitting its own hash; nothing but its place in the chain says that it is not ours. And a journal without its newest rows is put
beside a snapshot that knows them (F96): nothing but the snapshot says that there were more.
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


def without_its_newest(disk: Disk, dice: Random) -> bool:
    """Take a snapshot of all that there is, and lose the newest rows; whether there were any."""
    if disk.is_damaged_on_purpose or not disk.rows:
        return False
    state = State()
    for row in disk.rows:
        for event in codec.decode(row.payload):
            evolve(state, event)
    newest = disk.rows[-1]
    if not disk.snapshots or disk.snapshots[0].batch < newest.batch:
        disk.snapshots = [_kept(state, newest.batch, newest.hash), *disk.snapshots]
    return disk.lose_the_newest(dice)


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
    disk.snapshots = [_kept(state, batch, sha256(state.pack()).digest()), *disk.snapshots]
    return True


def _kept(state: State, batch: int, batch_hash: bytes) -> StoredSnapshot:
    payload = state.pack()
    return StoredSnapshot(
        seq=state.seq,
        batch=batch,
        batch_hash=batch_hash,
        state_hash=sha256(payload).hexdigest(),
        format=SNAPSHOT_FORMAT,
        payload=payload,
    )
