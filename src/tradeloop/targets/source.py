"""The bytes of an imported file under the name a person knows, and how a piece of it is shown back safely."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from stat import S_ISREG

import msgspec

from tradeloop.core.errors import BadInput

BYTES_MAX = 4 * 1024 * 1024
"""Two thousand lines of a target with long names are about 200 kB; what is larger is another kind of file."""

_SHOWN_MAX = 40
_FORMULA_STARTS = ("=", "+", "-", "@")


class Source(msgspec.Struct, frozen=True):
    """A file as it was read once: what is parsed and what is hashed are the same bytes."""

    name: str
    raw: bytes

    @property
    def sha256(self) -> str:
        """Hash of the bytes, in hex: what makes the same key with other content visible."""
        return sha256(self.raw).hexdigest()


def read_source(source: Path | bytes, name: str) -> Source:
    """The bytes of a path under its file name, or given bytes under `name`. Raises BadInput for what can not
    be read.
    """
    if isinstance(source, bytes):
        return _bounded(Source(name, source))
    shown = shown_name(source.name or str(source))
    try:
        # Opening a pipe waits until somebody writes into it, and no signal ends that.
        if not S_ISREG(source.stat().st_mode) and not source.is_dir():
            raise BadInput(f"{shown}: is no regular file; expected one, write what it says into a file")
        # One byte more than allowed tells a file that is too large without reading all of it.
        with source.open("rb") as file:
            raw = file.read(BYTES_MAX + 1)
    except FileNotFoundError:
        raise BadInput(f"{shown}: there is no such file at {str(source)!r}; correct the path") from None
    except IsADirectoryError:
        raise BadInput(f"{shown}: is a folder; expected a file, name the file in it") from None
    except OSError as error:
        raise BadInput(f"{shown}: can not be read ({error.strerror}); check the file and its rights") from None
    return _bounded(Source(shown, raw))


def shown(text: str) -> str:
    """A piece of a file for a message: quoted, escaped and short, so that no page and no spreadsheet can take
    it for its own.
    """
    cut = text if len(text) <= _SHOWN_MAX else text[:_SHOWN_MAX] + "…"
    # repr() of a text with both kinds of quotes uses single ones; the added double quote is cut off again.
    return "'" + repr('"' + cut)[2:]


def shown_name(name: str) -> str:
    """A file name for a message: as it is where it is harmless, else quoted."""
    return name if name.isprintable() and not looks_like_formula(name) and len(name) <= 120 else shown(name)


def looks_like_formula(cell: str) -> bool:
    """Whether a spreadsheet would compute this cell instead of showing it."""
    return cell.startswith(_FORMULA_STARTS)


def _bounded(source: Source) -> Source:
    if len(source.raw) > BYTES_MAX:
        raise BadInput(f"{source.name}: is larger than {BYTES_MAX:,} bytes; expected a target file, check which it is")
    return source
