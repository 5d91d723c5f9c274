"""What the machine gives a SQLite journal: files, a lock, a thread for the connection, and SQLite's own way to the disk.

Production has the operating system's. A simulated world gives its own (testing/world/sqlite.py), so that the journal that
is killed, starved and cut off there is this one, to the last statement.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, Protocol, TypeVar

from tradeloop.journal.lock import FileLock
from tradeloop.journal.thread import OneThread

T = TypeVar("T")


class Lock(Protocol):
    """The right to write one database; journal/lock.py says what it promises."""

    def take(self, owner: str) -> None:
        """Take it at once or raise LeaseHeld."""
        ...

    def stands(self) -> bool:
        """Whether it is held."""
        ...

    def drop(self) -> None:
        """Let go."""
        ...


class Thread(Protocol):
    """Does one thing after another, away from the event loop; journal/thread.py says what it promises."""

    def call(self, work: Callable[[], T]) -> Awaitable[T]:
        """What `work` will return or raise."""
        ...

    def end(self) -> None:
        """Finish what was asked, then end."""
        ...


class Host:
    """The operating system."""

    vfs = ""
    """The name of SQLite's VFS (https://www.sqlite.org/vfs.html); empty for its default."""

    def thread(self, name: str, errors: tuple[type[Exception], ...]) -> Thread:
        """A thread of its own for one connection."""
        return OneThread(name, errors)

    def lock(self, database: Path) -> Lock:
        """The lock of one database."""
        return FileLock(database)

    def exists(self, path: Path) -> bool:
        """Whether there is such a file."""
        return path.exists()

    def make(self, path: Path) -> None:
        """Make an empty file that its owner alone may read."""
        self.close(self.open(path))

    def read(self, path: Path) -> bytes:
        """All of a file. Raises OSError."""
        return path.read_bytes()

    def open(self, path: Path) -> int:
        """Open a file for writing, and make it where there is none. Raises OSError."""
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)

    def write(self, file: int, content: bytes, at: int) -> None:
        """Put bytes at a place; they are the kernel's then, and not yet the disk's."""
        os.pwrite(file, content, at)

    def sync(self, file: int) -> None:
        """Wait until what was written is on the disk."""
        os.fsync(file)

    def sync_folder(self, path: Path) -> None:
        """Wait until the names in a folder are on the disk."""
        folder = os.open(path, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def close(self, file: int) -> None:
        """Let go of a file."""
        os.close(file)


MACHINE: Final = Host()
"""The one that this program runs on."""
