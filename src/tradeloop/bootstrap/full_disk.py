"""Questions about a database whose disk is full: they are answered from a copy in another place.

Whoever reads a SQLite log needs an index beside it, which SQLite makes anew where no process has the file open, and a full
disk has no room for it. The file alone would be no answer: the newest commits may be in the log. So both are copied to where
there is room, in memory for example, and read there. While a process writes here its index is there, and nothing is copied.
"""

from __future__ import annotations

import os
import shutil
import sys
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import Final

from tradeloop.journal.lock import FileLock

_INDEX_ROOM: Final = 1 << 16
"""Bytes free below which SQLite may not get the 32 KiB of a new index."""
_COPIED_MAX: Final = 1 << 29
BESIDE: Final = ("", "-wal", ".head")
_TRIES: Final = 3

Look = tuple[tuple[int, int] | None, ...]


def copied(path: Path) -> Path | None:
    """A copy of the database to be read instead of it, gone with this process; None where the file itself can be read, or where
    there is no room for a copy.
    """
    if sys.platform == "win32" or not path.exists() or _room(path.parent) >= _INDEX_ROOM:
        return None
    if FileLock(path).holder() is not None:
        return None
    for _ in range(_TRIES):
        seen = look(path)
        folder = _copy(path, seen)
        if folder is None:
            return None
        if look(path) == seen:  # else somebody has begun to write meanwhile: half of it would be no copy
            return Path(folder.name) / path.name
    return None


def look(path: Path) -> Look:
    return tuple(_size_and_time(path.with_name(path.name + end)) for end in BESIDE)


def _size_and_time(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_size, found.st_mtime_ns


@lru_cache(maxsize=1)
def _copy(path: Path, seen: Look) -> TemporaryDirectory[str] | None:
    """One copy of what was `seen`, for as many questions as this process has."""
    size = sum(each[0] for each in seen if each is not None)
    where = next((each for each in _places() if _room(each) >= 2 * size + _INDEX_ROOM), None)
    if size > _COPIED_MAX or where is None:
        return None
    folder = TemporaryDirectory(prefix="tradeloop-full-disk-", dir=where)
    for end, each in zip(BESIDE, seen, strict=True):
        if each is not None:
            shutil.copyfile(path.with_name(path.name + end), Path(folder.name) / (path.name + end))
    return folder


def _places() -> list[Path]:
    return [each for each in (Path("/dev/shm"), Path(gettempdir())) if os.access(each, os.W_OK)]  # noqa: S108


def _room(folder: Path) -> int:
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize
