"""Reads SQLite's write-ahead log as SQLite would after a crash, and says whether commits follow where SQLite stops reading.

A log may end in a frame that fails: the process or the power ended within it. But each commit waits for the one before to be
on the disk, so whole commits behind a frame that fails mean that the frame was changed after it was written. The format is
https://www.sqlite.org/fileformat2.html#walformat.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Final

import msgspec

from tradeloop.journal.host import MACHINE, Host

_HEADER: Final = 32
_FRAME: Final = 24
_MAGIC: Final = (0x377F0682, 0x377F0683)
_TRIES: Final = 5
_COMMITS_LOST: Final = 2
"""One commit may have been on its way when the power failed, its frames written in any order."""

Sums = tuple[int, int]


class Break(msgspec.Struct, frozen=True):
    """Frame number `frame` (0: the log's header) fails, and `commits` whole commits stand behind it."""

    frame: int
    commits: int


def find_break(path: Path, host: Host = MACHINE) -> Break | None:
    """The first frame that fails although commits follow it; None for a sound log, and for none."""
    for _ in range(_TRIES):
        try:
            kept = host.read(path)
            if kept[:_HEADER] == host.read(path)[:_HEADER]:  # otherwise a writer began the log anew while we read
                return _walk(kept)
        except FileNotFoundError:
            return None
    return None


def _walk(kept: bytes) -> Break | None:
    if len(kept) < _HEADER + _FRAME or not kept[:_HEADER].strip(b"\0"):
        return None
    magic, _, page, _ = struct.unpack(">4I", kept[:16])
    order = ">" if magic == _MAGIC[1] else "<"
    sums: Sums = struct.unpack(">2I", kept[24:_HEADER])
    broken: int | None = None
    if magic not in _MAGIC or _summed(kept[:24], (0, 0), order) != sums:
        broken = 0
        if page not in {1 << bits for bits in range(9, 17)}:
            page = 4096  # what our databases have
    size = _FRAME + page
    salts = kept[16:24] if broken is None else kept[_HEADER + 8 : _HEADER + 16]
    commits = 0
    for number, at in enumerate(range(_HEADER, len(kept) - size + 1, size), start=1):
        frame = kept[at : at + size]
        own: Sums = struct.unpack(">2I", frame[16:_FRAME])
        whole = frame[8:16] == salts and _summed(frame[:8] + frame[_FRAME:], sums, order) == own
        if not whole and broken is None:
            broken = number
        if whole and broken is not None and frame[4:8] != b"\0\0\0\0":
            commits += 1
        sums = own
    return Break(broken, commits) if broken is not None and commits >= _COMMITS_LOST else None


def _summed(content: bytes, sums: Sums, order: str) -> Sums:
    first, second = sums
    words = struct.unpack(f"{order}{len(content) // 4}I", content)
    for one, two in zip(words[::2], words[1::2], strict=True):
        first = (first + one + second) & 0xFFFFFFFF
        second = (second + two + first) & 0xFFFFFFFF
    return first, second
