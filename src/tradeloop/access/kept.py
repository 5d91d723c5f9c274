"""The file of a second factor: its secret, the last step that was used, and how often a code was wrong.

Its owner alone may read it. It is changed under a lock of the operating system and replaced as a whole, so that two processes
never take the same code, and a crash leaves what was before or what is now.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final

import msgspec
from pydantic import SecretStr

from tradeloop.core.errors import BadInput, JournalFailed

if sys.platform != "win32":
    import fcntl

_OPEN: Final = 0o077
NAME_MAX: Final = 64
"""Characters of a name that is kept."""
_BASE32: Final = re.compile(r"[A-Z2-7]{32,}")


Count = Annotated[int, msgspec.Meta(ge=0)]


def _secret(_: type, text: object) -> SecretStr:
    if not isinstance(text, str) or not _BASE32.fullmatch(text):
        raise ValueError("no secret")
    return SecretStr(text)


class Kept(msgspec.Struct, frozen=True):
    """What is known of a second factor. `last_step` is the newest whose code was taken; `wrong` counts wrong codes in a row,
    and until `locked_until` (seconds since 1970) none is looked at. `by`: who set it up; empty where nobody said.
    """

    secret: SecretStr
    last_step: Count = 0
    wrong: Count = 0
    locked_until: Count = 0
    by: Annotated[str, msgspec.Meta(max_length=NAME_MAX)] = ""


class KeptFile:
    """The file at `path`, and its lock beside it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else reads or writes it while the block runs. Raises BadInput on a system without locks, and JournalFailed."""
        if sys.platform == "win32":
            raise BadInput("a second factor was asked for on Windows; expected a system with flock: use WSL")
        try:
            fd = os.open(self.path.with_name(f"{self.path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise self._failed(error) from None
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield
        except OSError as error:
            raise self._failed(error) from None
        finally:
            os.close(fd)

    def read(self) -> Kept | None:
        """What it says, None where there is none. Raises BadInput where others may read it, or it cannot be understood."""
        try:
            mode = stat.S_IMODE(self.path.stat().st_mode)
            text = self.path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._failed(error) from None
        if mode & _OPEN:
            raise BadInput(
                f"{self.path} holds a secret and its mode was {mode:04o}; expected 0600: others may have read it, so"
                f" remove it, set up a new one with `tradeloop second-factor set-up`, or"
                f" run: chmod 600 {shlex.quote(str(self.path))}"
            )
        try:
            return msgspec.json.decode(text, type=Kept, dec_hook=_secret)
        except (msgspec.MsgspecError, TypeError, ValueError):
            raise BadInput(
                f"{self.path} is no second factor that can be read; restore it from a backup, or remove it and set up a new one"
                " with `tradeloop second-factor set-up`"
            ) from None

    def write(self, kept: Kept) -> None:
        """Have it say this, durably. Raises JournalFailed."""
        fresh = self.path.with_name(f".{self.path.name}.new")
        try:
            fresh.unlink(missing_ok=True)  # left by a process that was killed
            fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(fd, "wb") as file:
                file.write(msgspec.json.encode(kept, enc_hook=lambda secret: secret.get_secret_value()))
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self.path)
            self._keep_folder()
        except OSError as error:
            with contextlib.suppress(OSError):
                fresh.unlink(missing_ok=True)
            raise self._failed(error) from None

    def remove(self) -> None:
        """Have it gone, durably. Raises JournalFailed."""
        try:
            self.path.unlink()
            self._keep_folder()
        except OSError as error:
            raise self._failed(error) from None

    def _keep_folder(self) -> None:
        at = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(at)
        finally:
            os.close(at)

    def _failed(self, error: OSError) -> JournalFailed:
        return JournalFailed(
            f"{self.path} could not be read or written ({error.strerror or error}), so no code can be taken; free space on the"
            " disk and see its rights"
        )
