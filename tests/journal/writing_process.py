"""A process that writes a SQLite journal until it is told to stop, fails or is killed; one line for each thing that happened.

    python writing_process.py DATABASE OWNER [BYTES]

BYTES limits how far any file may still grow, which is how a full disk looks to a process.
"""

from __future__ import annotations

import asyncio
import resource
import sys
from pathlib import Path

from tradeloop.core.errors import TradeloopError
from tradeloop.journal import codec
from tradeloop.journal.sql import SqlJournal
from tradeloop.testing.journal_contract import next_batch


def say(line: str) -> None:
    print(line, flush=True)


async def write(database: str, owner: str, room: int | None) -> None:
    journal = SqlJournal(f"sqlite:///{database}")
    await journal.open()
    try:
        holder = await journal.acquire(owner)
        say(f"epoch {holder.epoch}")
        if room is not None:
            limit = Path(database).stat().st_size + room
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        head = await journal.head()
        failures = 0
        while failures < 2:
            row = next_batch(head, holder.epoch, 20)
            try:
                await journal.append(row)
            except TradeloopError as error:
                failures += 1
                say(f"{type(error).__name__} {error}")
            else:
                head = codec.head_of(row)
                say(f"appended {row.batch}")
    finally:
        await journal.close()


if __name__ == "__main__":
    try:
        asyncio.run(write(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else None))
    except TradeloopError as error:
        say(f"{type(error).__name__} {error}")
