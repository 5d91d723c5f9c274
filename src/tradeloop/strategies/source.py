"""The file of a strategy: read once, refused where anybody else could have written it, and known by its hash.

What is run is what was read: the process of the strategy gets these bytes and opens the file no more.
"""

from __future__ import annotations

import os
import stat
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec

from tradeloop.core.errors import BadInput

BYTES_MAX: Final = 1 << 20
_OTHERS: Final = 0o022
"""Writable by the group or by everybody."""


class Source(msgspec.Struct, frozen=True):
    """The file and what stood in it."""

    path: Path
    content: bytes
    sha256: str


def read_source(path: Path) -> Source:
    """The file, where it is the service user's own. Raises BadInput with the reason."""
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)), "rb") as file:
            _refuse_foreign(path, os.fstat(file.fileno()))
            _refuse_foreign(path.parent, path.parent.stat())
            content = file.read(BYTES_MAX + 1)
    except OSError as error:
        raise BadInput(f"{path} can not be read ({error.strerror or error}); see the file of the strategy") from None
    if len(content) > BYTES_MAX:
        raise BadInput(f"{path} is larger than {BYTES_MAX:,} bytes; expected the source of a strategy, see which file it is")
    return Source(path, content, sha256(content).hexdigest())


def _refuse_foreign(path: Path, found: os.stat_result) -> None:
    if not (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)):
        raise BadInput(f"{path} is no file; expected the source of a strategy")
    if os.name == "nt":
        return
    if found.st_uid not in (os.geteuid(), 0):
        raise BadInput(f"{path} belongs to user {found.st_uid}, and the desk runs as user {os.geteuid()}; give it to that user")
    if found.st_mode & _OTHERS:
        mode = stat.S_IMODE(found.st_mode)
        raise BadInput(f"{path} has mode {mode:04o}, so that others may write what would be run; run: chmod go-w {path}")
