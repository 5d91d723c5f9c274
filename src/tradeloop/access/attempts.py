"""What was tried at a second factor, by whom and when: a line of JSON each, in a file beside it that stays when it goes.

A right code, a wrong one, one that came while it was locked or that was used before, each set-up and each removal. A wrong code
is in no journal where nobody trades, and whoever tries for days must leave a trace. No code and no secret is in it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from tradeloop.access.kept import NAME_MAX

TAKEN: Final = "taken"
WRONG: Final = "wrong"
USED: Final = "used before"
LOCKED: Final = "while locked"
SET_UP: Final = "set up"
REMOVED: Final = "removed"
_BYTES_MAX: Final = 1 << 20
"""From this size on the file is put aside, and the one that was put aside before goes: nobody fills a disk by trying."""
_READ_MAX: Final = 65_536


def as_kept(name: str) -> str:
    """A name as a line can hold it, and the file of a second factor."""
    return "".join(each if each.isprintable() else " " for each in name)[:NAME_MAX]


class Attempt(msgspec.Struct, frozen=True):
    """One of them; `at` in nanoseconds since 1970."""

    at: int
    what: str
    by: str


class Attempts:
    """The file of them beside the second factor at `path`. Written under the lock of that one."""

    def __init__(self, path: Path) -> None:
        self.path = path.with_name(f"{path.stem}.log")

    def add(self, at: int, what: str, by: str) -> None:
        """Note one, durably. Raises OSError."""
        named = as_kept(by)
        fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(fd, msgspec.json.encode(Attempt(at, what, named)) + b"\n")
            os.fsync(fd)
            full = os.fstat(fd).st_size > _BYTES_MAX
        finally:
            os.close(fd)
        if full:
            self.path.replace(self.path.with_name(f"{self.path.name}.old"))

    def newest(self) -> Sequence[Attempt]:
        """The newest of them, the oldest of these first; what is no line of ours is passed over. Raises OSError."""
        try:
            with self.path.open("rb") as file:
                file.seek(max(0, self.path.stat().st_size - _READ_MAX))
                lines = file.read(_READ_MAX).splitlines()
        except FileNotFoundError:
            return ()
        found = []
        for line in lines:
            try:
                found.append(msgspec.json.decode(line, type=Attempt))
            except msgspec.MsgspecError:
                continue  # the first of a tail, or what somebody else wrote
        return found
