"""Where the master key comes from: a setting, a file of one's own, or a file that is made at the first start.

A key is 32 bytes in base64 or in hexadecimal digits. Several may stand there, with blanks, commas or lines between: the first
one seals, each opens, so that an old one goes only when nothing is sealed with it any more.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import os
import shlex
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from tradeloop.access import drawn
from tradeloop.access.refusals import StoreFailed
from tradeloop.access.sealed import MasterKey
from tradeloop.core.errors import BadInput

_OPEN: Final = 0o077
_BYTES: Final = 32
_READ_MAX: Final = 65_536
_EXPECTED: Final = "expected 32 bytes in base64 or 64 hexadecimal digits, as `openssl rand -base64 32` draws them"


def keys_in(text: SecretStr, where: str) -> list[MasterKey]:
    """The keys that stand in a text. Raises BadInput, with none of it."""
    found = [_key(each, where) for each in text.get_secret_value().replace(",", " ").split()]
    if not found:
        raise BadInput(f"{where} held no key; {_EXPECTED}")
    return found


class MasterKeyFile:
    """The file at `path`, for its owner alone."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> list[MasterKey] | None:
        """Its keys, None where there is no file. Raises BadInput where others may read it, or it holds no key."""
        try:
            mode = stat.S_IMODE(self.path.stat().st_mode)
            with self.path.open("rb") as file:
                text = file.read(_READ_MAX)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._failed(error) from None
        if os.name != "nt" and mode & _OPEN:
            raise BadInput(
                f"{self.path} holds the master key and its mode was {mode:04o}; expected 0600: others may have read it, so"
                f" draw a new one after you run: chmod 600 {shlex.quote(str(self.path))}"
            )
        return keys_in(SecretStr(text.decode(errors="replace")), str(self.path))

    def read_or_make(self) -> list[MasterKey]:
        """Its keys; where there is no file, one with a new key. Of two processes that make it the second reads."""
        found = self.read()
        if found is not None:
            return found
        self._place([drawn.key()], over=False)
        found = self.read()
        if found is None:
            raise BadInput(f"{self.path} was taken away while it was made; start again")
        return found

    def put_first(self, key: bytes) -> list[MasterKey]:
        """Have a new key in front of those that are there, durably; all of them then. Raises as `read` does."""
        self.read()
        there = [_bytes(each) for each in self.path.read_text(encoding="ascii").replace(",", " ").split()]
        kept = [key, *(each for each in there if each is not None)]
        self._place(kept, over=True)
        return [MasterKey(each) for each in kept]

    def keep_first(self) -> list[MasterKey]:
        """Have the first key there alone, durably."""
        self.read()
        first = _bytes(self.path.read_text(encoding="ascii").replace(",", " ").split()[0])
        assert first is not None  # it was read
        self._place([first], over=True)
        return [MasterKey(first)]

    def _place(self, keys: Sequence[bytes], *, over: bool) -> None:
        fresh = self.path.with_name(f".{self.path.name}.{os.getpid()}.new")
        text = "".join(f"{base64.b64encode(each).decode()}\n" for each in keys)
        try:
            fresh.unlink(missing_ok=True)
            fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(fd, "w", encoding="ascii") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            if over:
                fresh.replace(self.path)
            else:
                with contextlib.suppress(FileExistsError):
                    os.link(fresh, self.path)
                fresh.unlink()
            self._keep_folder()
        except OSError as error:
            with contextlib.suppress(OSError):
                fresh.unlink(missing_ok=True)
            raise self._failed(error) from None

    def _keep_folder(self) -> None:
        if os.name == "nt":
            return
        at = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(at)
        finally:
            os.close(at)

    def _failed(self, error: OSError) -> StoreFailed:
        return StoreFailed(f"{self.path} could not be read or written ({error.strerror or error}); see its folder and rights")


def _key(text: str, where: str) -> MasterKey:
    found = _bytes(text)
    if found is None:
        raise BadInput(f"{where} held a text of {len(text)} characters that is no key; {_EXPECTED}")
    if len(set(found)) < 8:
        raise BadInput(f"{where} held a key that nobody drew; {_EXPECTED}")
    return MasterKey(found)


def _bytes(text: str) -> bytes | None:
    with contextlib.suppress(ValueError):
        if len(found := bytes.fromhex(text)) == _BYTES:
            return found
    for altchars in (None, b"-_"):
        with contextlib.suppress(binascii.Error, ValueError):
            found = base64.b64decode(text + "=" * (-len(text) % 4), altchars=altchars, validate=True)
            if len(found) == _BYTES:
                return found
    return None
