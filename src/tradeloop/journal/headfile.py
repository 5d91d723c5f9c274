"""How far a SQLite journal has come, kept outside of it in `<database>.head`, so that a lost end is seen.

SQLite takes the first frame of its write-ahead log that fails its checksum for the end of the log
(https://www.sqlite.org/fileformat2.html#walformat): one flipped bit drops every commit after it without a word, and what
is left is a whole chain. This file has seen more. It is written after the commit, without a wait for the disk: the kernel
keeps it when the process is killed, and when power fails it may be older than the journal but never newer. Only the epoch is
waited for, at the start.

Two records of one sector each are written in turn, so that one that was cut off in the middle leaves the one before.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Final
from zlib import crc32

import msgspec

from tradeloop.core.errors import JournalDamaged, JournalFailed
from tradeloop.journal.codec import Head
from tradeloop.journal.host import MACHINE, Host

SECTOR: Final = 512
_MAGIC: Final = b"TLHEAD01"
_RECORD: Final = struct.Struct(">8sqqq32s")
_SUM: Final = struct.Struct(">I")


class Seen(msgspec.Struct, frozen=True, order=True):
    """What was durable: the last row, and the epoch that wrote. The newer of two is the greater."""

    epoch: int
    batch: int
    seq: int
    hash: bytes


class HeadFile:
    """The file beside one database; only the holder of the lease writes it."""

    def __init__(self, database: Path, host: Host = MACHINE) -> None:
        self.database = database
        self._host = host
        self.path = database.with_name(database.name + ".head")
        self._fd: int | None = None

    @property
    def exists(self) -> bool:
        """Whether there is such a file, whatever it says."""
        return self._host.exists(self.path)

    def read(self) -> Seen | None:
        """The newest record, None where there is no file. Raises JournalDamaged when neither record can be read."""
        try:
            kept = self._host.read(self.path)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise JournalFailed(f"{self.path} could not be read ({error.strerror}); make it readable by this user") from error
        if not kept.strip(b"\0"):
            return None  # made, and never written: the process ended between the two
        found = [seen for at in (0, SECTOR) if (seen := _unpack(kept[at : at + _RECORD.size + _SUM.size])) is not None]
        if not found:
            raise JournalDamaged(
                f"{self.path} should say how far the journal had come and holds something else; if `tradeloop verify` finds the"
                " journal sound, move that file away and start again"
            )
        return max(found)

    def refuse_lost(self, seen: Seen, head: Head) -> None:
        """Raise JournalDamaged where the journal, which ends at `head`, holds less than was seen, or something else."""
        remedy = (
            "restore it from a backup, or open a new one and let reconciliation adopt the broker's books;"
            f" either way move {self.path} away first"
        )
        if head[0] < seen.batch or head[1] < seen.seq:
            raise JournalDamaged(
                f"the journal ends at sequence number {head[1]}, {self.path} has seen {seen.seq}:"
                f" its newest rows are gone; {remedy}"
            )
        if head[0] == seen.batch and head[2] != seen.hash:
            raise JournalDamaged(
                f"the journal's last row, up to sequence number {head[1]}, is not the one {self.path} has seen:"
                f" this is another journal, or it was changed; {remedy}"
            )

    @property
    def absence(self) -> str:
        """What is said of a journal that has no such file."""
        return f"there is no witness {self.path.name} beside it, so that rows cut off its end would not be seen"

    def begin(self, seen: Seen) -> None:
        """Make the file say `seen`, durably. Raises JournalFailed."""
        try:
            is_new = not self.exists
            self._fd = self._host.open(self.path)
            for slot in (0, 1):  # one after the other: a power failure spoils one of them at most
                self._host.write(self._fd, _pack(seen).ljust(SECTOR, b"\0"), slot * SECTOR)
                self._host.sync(self._fd)
            if is_new:
                self._host.sync_folder(self.path.parent)
        except OSError as error:
            self.drop()
            raise JournalFailed(
                f"{self.path} could not be written ({error.strerror}); free space on the disk, make its folder writable,"
                " and start again"
            ) from error

    def note(self, seen: Seen) -> None:
        """Write the newest record; it outlives the process at once, and a power failure some time later."""
        if self._fd is not None:
            self._host.write(self._fd, _pack(seen), seen.batch % 2 * SECTOR)

    def drop(self) -> None:
        """Let go of the file, which stays; harmless when it is not held."""
        if self._fd is not None:
            self._host.close(self._fd)
            self._fd = None


def _pack(seen: Seen) -> bytes:
    record = _RECORD.pack(_MAGIC, seen.epoch, seen.batch, seen.seq, seen.hash)
    return record + _SUM.pack(crc32(record))


def _unpack(kept: bytes) -> Seen | None:
    record, check = kept[: _RECORD.size], kept[_RECORD.size :]
    if len(kept) != _RECORD.size + _SUM.size or check != _SUM.pack(crc32(record)):
        return None
    magic, epoch, batch, seq, digest = _RECORD.unpack(record)
    return Seen(epoch, batch, seq, digest) if magic == _MAGIC else None
