"""Who writes a SQLite journal, proven by a lock of the operating system on `<database>.lock`.

The kernel drops the lock when the process ends, kill -9 included, so that a restart never waits and never guesses.
The file stays; its text and its time say who holds it: that is what a second process is told. It has to lie on a
local disk, as SQLite's own locks do (https://www.sqlite.org/wal.html, "WAL does not work over a network filesystem").
"""

from __future__ import annotations

import os
import shlex
import sys
from datetime import UTC, datetime
from pathlib import Path

from tradeloop.core.errors import JournalFailed, LeaseHeld

if sys.platform != "win32":
    import fcntl


class FileLock:
    """The right to write the database beside it, for as long as this object holds the file open."""

    def __init__(self, database: Path) -> None:
        self.path = database.with_name(database.name + ".lock")
        self._database = database
        self._fd: int | None = None

    def take(self, owner: str) -> None:
        """Take the lock at once or raise LeaseHeld, naming the process that has it, since when and with which command."""
        if sys.platform == "win32":
            raise JournalFailed(
                f"{self._database}: expected a system with flock, was Windows; keep the journal in PostgreSQL or MySQL,"
                " or run tradeloop under WSL"
            )
        try:
            fd = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)  # not inherited: a child must not keep it alive
        except OSError as error:
            raise JournalFailed(
                f"the lock file {self.path} could not be opened ({error.strerror}); make its folder writable and start again"
            ) from error
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            held = LeaseHeld(self._held_by(_holder(fd)))
            os.close(fd)
            raise held from error
        except OSError as error:
            os.close(fd)
            raise JournalFailed(
                f"{self.path} could not be locked ({error.strerror}); put the journal on a local disk"
            ) from error
        try:
            os.ftruncate(fd, 0)
            holder = f"{owner} (pid {os.getpid()}, command {shlex.join(sys.argv) or 'python'})"
            os.pwrite(fd, holder.encode(errors="backslashreplace"), 0)  # an argument may be no Unicode text
        except OSError as error:
            os.close(fd)
            raise JournalFailed(
                f"the lock file {self.path} could not be written ({error.strerror}); free space on the disk and start again"
            ) from error
        self._fd = fd

    def holder(self) -> str | None:
        """What a second process would be told by `take`, or None where it would get the lock; nothing is made or changed.

        Asked with a shared lock, so that those who ask at the same time do not take each other for the holder.
        """
        if sys.platform == "win32":
            return None
        try:
            fd = os.open(self.path, os.O_RDONLY)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise JournalFailed(
                f"the lock file {self.path} could not be read ({error.strerror}); make it readable by this user"
            ) from error
        try:
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return self._held_by(_holder(fd))
        except OSError as error:
            raise JournalFailed(
                f"{self.path} could not be locked ({error.strerror}); put the journal on a local disk"
            ) from error
        finally:
            os.close(fd)
        return None

    def _held_by(self, holder: str) -> str:
        return f"the journal {self._database} is being written by {holder}; wait until it ends, or stop it first"

    def stands(self) -> bool:
        """Whether the lock is held and its file is still the one others would lock."""
        if self._fd is None:
            return False
        try:
            return os.path.samestat(os.fstat(self._fd), self.path.stat())
        except FileNotFoundError:
            return False

    def drop(self) -> None:
        """Let go; harmless when nothing is held."""
        if self._fd is not None:
            os.ftruncate(self._fd, 0)
            os.close(self._fd)
            self._fd = None


def _holder(fd: int) -> str:
    text = os.pread(fd, 4096, 0).decode(errors="replace") or "a process that has not yet said its name"
    since = datetime.fromtimestamp(int(os.fstat(fd).st_mtime), UTC)
    return f"{text} since {since:%Y-%m-%dT%H:%M:%SZ}"
