"""The latch file: `touch HALT` in the data folder stops the desk when nothing else works.

The file `HALT` stops everything while it is there, whatever is in it: its first word may be CANCEL_ALL or FLATTEN, the rest is
the reason. Commands write it, too, a JSON object a line. What stops less than everything stands in `HALT.part` beside it, so
that `touch HALT` never finds a weaker halt in its place. What cannot be read or understood stops everything; what was written
here reads back as it was written, since names are compared. Where the disk is full, an empty `HALT` stands in for what could
not be written: it needs no room, and stops everything.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec

from tradeloop.core.checked import checked_command
from tradeloop.core.commands import HaltTrading
from tradeloop.core.errors import BadInput
from tradeloop.core.fit import TEXT_MAX
from tradeloop.core.halt import HaltScope, HaltTier
from tradeloop.ports.latch import Mark

if sys.platform != "win32":
    import fcntl

BY_FILE: Final = "the latch file"
_BYTES_MAX: Final = 16 * 1024 * 1024
"""Of one file; more than any desk has halts for."""
_SAID_MAX: Final = 2048
"""Of what a JSON line says of who and why: more than a reason of ours ever has, and what the journal can hold."""
_TRIES: Final = 100
_REST_S: Final = 0.005
_FULL: Final = (errno.ENOSPC, errno.EDQUOT)

_Stamp = tuple[int, int, int]
HaltKey = tuple[HaltTier, HaltScope, str, str]


class StandsIn(OSError):
    """The disk is full, and a HALT without a word in it stops everything: as much as was asked for, or more, but no cancels."""


class FileLatch:
    """The two files at `path`; read again only when one of them has changed."""

    def __init__(self, path: Path) -> None:
        self._files = (path, path.with_name(f"{path.name}.part"))
        self._looked: dict[Path, _Stamp | None] = {}
        """What each file was when it was last read or written here."""
        self._by_others = dict.fromkeys(self._files, 0)
        """How often each was another one then than it had been left."""
        self._seen: dict[Path, tuple[_Stamp, tuple[HaltTrading, ...]]] = {}

    def read(self) -> tuple[HaltTrading, ...]:
        """What the files say now."""
        whole, part = self._files
        found = self._read(whole, _of_all)
        return found + self._read(part, _of_a_part)

    def file_of(self, halt: HaltTrading) -> Path:
        """The file that a halt stands in: what can only be read as stopping everything stands in the first."""
        whole, part = self._files
        return whole if _stops_everything(halt) else part

    def write(self, halts: Sequence[HaltTrading]) -> None:
        """Make the files say this, and nothing else but what somebody wrote since they were last read here. Raises OSError."""
        with _alone(self._files[0].parent):
            self._write(halts)

    def _write(self, halts: Sequence[HaltTrading]) -> None:
        whole, part = self._files
        halts = each_once(halts)
        held: list[HaltTrading] = []
        for path, line in ((whole, _of_all), (part, _of_a_part)):
            known, before = path in self._looked, self._looked.get(path)
            held += (found := self._read(path, line))
            if known and self._looked[path] != before:
                halts = each_once([*halts, *found])
        try:
            for path, its in (
                (whole, [each for each in halts if _stops_everything(each)]),
                (part, [each for each in halts if not _stops_everything(each)]),
            ):
                written, stamp = _write(path, its, self._looked[path])
                if written:
                    self._looked[path] = stamp
            _keep_folder(whole.parent)
        except OSError as error:
            if any(_stops_everything(each) and not any(same(each, one) for one in held) for each in halts):
                self._stand_in(error)
            raise

    def add(self, halt: HaltTrading) -> None:
        """Latch one more. Raises StandsIn where everything is stopped instead, OSError where nothing is."""
        with _alone(self._files[0].parent):
            for _ in range(_TRIES):  # somebody may write while ours is on its way to the disk
                held = self.read()
                if any(same(each, halt) for each in held):
                    return
                try:
                    self._write((*held, halt))
                except StandsIn:
                    raise
                except OSError as error:
                    self._stand_in(error)
                    raise
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), str(self.file_of(halt)))

    def mark(self) -> Mark:
        """How often somebody else had written each of the files when it was last read or written here."""
        whole, part = self._files
        return self._by_others[whole], self._by_others[part]

    def is_newer(self, halt: HaltTrading, mark: Mark, /) -> bool:
        """Whether somebody else has written where `halt` stands since that mark, with the same words too."""
        return self.mark() != mark if _stops_everything(halt) else self.mark()[1] != mark[1]

    def remove(self, gone: Sequence[HaltTrading]) -> None:
        """Latch these no more. Raises OSError."""
        with _alone(self._files[0].parent):
            self._write([each for each in self.read() if not any(same(each, one) for one in gone)])

    def _stand_in(self, why: OSError) -> None:
        """Where the disk is full, have an empty HALT, which needs no block of it. Raises StandsIn once it is there."""
        if why.errno not in _FULL:
            return
        try:
            os.close(os.open(self._files[0], os.O_WRONLY | os.O_CREAT, 0o600))
            _keep_folder(self._files[0].parent)
        except OSError:
            return  # the caller raises what came first
        raise StandsIn(why.errno, why.strerror, str(self._files[0])) from why

    def _read(self, path: Path, line: _Line) -> tuple[HaltTrading, ...]:
        there = _stamp(path)
        if self._looked.setdefault(path, there) != there:
            self._looked[path] = there
            self._by_others[path] += 1
        try:
            stamp = _stamp_of(path.stat())
        except FileNotFoundError as error:
            return (_unreadable(path, error),) if path.is_symlink() else ()  # a link to nowhere was put there by somebody
        except OSError as error:
            return (_unreadable(path, error),)
        known = self._seen.get(path)
        if known is not None and known[0] == stamp:
            return known[1]
        try:
            with path.open("rb") as file:
                text = file.read(_BYTES_MAX + 1)
        except FileNotFoundError:
            return ()
        except OSError as error:
            return (_unreadable(path, error),)
        lines = [each for each in map(bytes.strip, text.split(b"\n")) if each] or [b""]
        too_much = [_no_halt_of_ours(f"{path.name} is larger than {_BYTES_MAX} bytes")] if len(text) > _BYTES_MAX else []
        found = each_once([*map(line, lines), *too_much])
        self._seen[path] = stamp, found
        return found


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """No other writer of ours is at the files while the block runs. The lock is that of the folder, since a full disk has room
    for no other file. Where another holds it for longer than a disk takes, or there is none to be had, the block runs all the
    same: to stop waits for nobody.
    """
    fd = -1
    if sys.platform != "win32":
        with contextlib.suppress(OSError):
            fd = os.open(folder, os.O_RDONLY)
            for _ in range(_TRIES):
                try:
                    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    threading.Event().wait(_REST_S)
    try:
        yield
    finally:
        if fd >= 0:
            os.close(fd)


class _Line:
    """How a line of a file is read."""

    def __init__(self, *, whole: bool) -> None:
        self._whole = whole

    def __call__(self, line: bytes) -> HaltTrading:
        try:
            halt = _as_it_says(msgspec.json.decode(line, type=HaltTrading))
        except (msgspec.MsgspecError, UnicodeError, RecursionError, BadInput):
            return _in_words(line.decode("utf-8", "replace").strip())
        if self._whole and not _stops_everything(halt):
            return HaltTrading(HaltTier.HALT, halt.by, halt.reason)
        return halt


_of_all, _of_a_part = _Line(whole=True), _Line(whole=False)


def _as_it_says(halt: HaltTrading) -> HaltTrading:
    """The halt of a JSON line, its name and its trigger to the letter: a release, and the journal, name it just so. Raises
    BadInput where it names nothing that could be halted, or nothing that trips.
    """
    name = "" if halt.scope is HaltScope.GLOBAL else halt.name
    if halt.scope is not HaltScope.GLOBAL and not name:
        raise BadInput(f"a halt of scope {halt.scope.value} had no name")
    if halt.trigger != _words(halt.trigger):
        raise BadInput(f"a trigger was {halt.trigger[:40]!a}")
    checked_command(HaltTrading(halt.tier, BY_FILE, "", halt.scope, name))
    by = _words(halt.by) if halt.by.strip() else BY_FILE
    return HaltTrading(halt.tier, by, _words(halt.reason), halt.scope, name, halt.trigger)


def each_once(halts: Sequence[HaltTrading]) -> tuple[HaltTrading, ...]:
    """The first of those that stop as much in the same place, for the same who or what asked."""
    first: dict[HaltKey, HaltTrading] = {}
    for each in halts:
        first.setdefault(key_of(each), each)
    return tuple(first.values())


def key_of(halt: HaltTrading) -> HaltKey:
    """What makes two the same."""
    return halt.tier, halt.scope, halt.name, halt.trigger


def same(one: HaltTrading, other: HaltTrading) -> bool:
    """Whether two stop as much in the same place, for the same who or what asked."""
    return key_of(one) == key_of(other)


def _stamp(path: Path) -> _Stamp | None:
    """Of whatever is there, of a link to nowhere too; None where nothing is."""
    for look in (path.stat, path.lstat):
        with contextlib.suppress(OSError):
            return _stamp_of(look())
    return None


def _stamp_of(state: os.stat_result) -> _Stamp:
    return state.st_mtime_ns, state.st_size, state.st_ino


def _in_words(text: str) -> HaltTrading:
    """A line that a person wrote, or none: the tier may stand first."""
    first, _, rest = text.partition(" ")
    named = first.upper().replace("-", "_").rstrip(":,")
    for tier in (HaltTier.CANCEL_ALL, HaltTier.FLATTEN, HaltTier.HALT):
        if named == tier.value:
            return HaltTrading(tier, BY_FILE, _clean(rest))
    return HaltTrading(HaltTier.HALT, BY_FILE, _clean(text))


def _stops_everything(halt: HaltTrading) -> bool:
    return halt.scope is HaltScope.GLOBAL and halt.tier is not HaltTier.REDUCE_ONLY


def _unreadable(path: Path, error: OSError) -> HaltTrading:
    return _no_halt_of_ours(f"{path.name} can not be read: {error.strerror or type(error).__name__}")


def _no_halt_of_ours(why: str) -> HaltTrading:
    return HaltTrading(HaltTier.HALT, BY_FILE, why)


def _clean(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text).strip()[:TEXT_MAX]


def _words(text: str) -> str:
    """Who and why, as the file and the journal can hold them."""
    return text[:_SAID_MAX].encode(errors="replace").decode().replace("\0", "?")


def _write(path: Path, halts: Sequence[HaltTrading], seen: _Stamp | None) -> tuple[bool, _Stamp | None]:
    """Have the file say this, unless it is another than was seen: then somebody writes now, and the next look finds it. Whether
    it says this, and what it is then.
    """
    if _stamp(path) != seen:
        return False, None
    if not halts:
        return _gone(path, seen), None
    said = (msgspec.structs.replace(each, by=_words(each.by), reason=_words(each.reason)) for each in halts)
    text = b"".join(msgspec.json.encode(each) + b"\n" for each in said)
    if len(text) > _BYTES_MAX:  # it would be read as more than was asked for
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), str(path))
    return (True, seen) if _says(path, text) else _put(path, text, seen)


def _says(path: Path, text: bytes) -> bool:
    """Whether the file says just this, so that a full disk does not matter."""
    try:
        return path.read_bytes() == text
    except OSError:
        return False


def _put(path: Path, text: bytes, seen: _Stamp | None) -> tuple[bool, _Stamp | None]:
    fresh = _beside(path, "new")
    try:
        with fresh.open("wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        fresh.chmod(0o600)
        stamp = _stamp(fresh)  # a name more or less does not change it
        return (_placed(path, fresh, seen), stamp) if _stamp(path) == seen else (False, None)
    finally:
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)


def _placed(path: Path, fresh: Path, seen: _Stamp | None) -> bool:
    """Whether `fresh` stands at `path` now, in the place of what was seen. What somebody writes at the very moment is not lost:
    a file that comes where none was is left there, and one that was written since it was seen is put back.
    """
    if seen is None:
        try:
            os.link(fresh, path)
        except FileExistsError:
            return False
        except OSError:  # no file system for links: what remains is the comparison before
            fresh.replace(path)
        return True
    with _held(path) as old:
        fresh.replace(path)
        if old is None or _stamp(old) == seen:
            return True
        old.replace(path)
        return False


def _gone(path: Path, seen: _Stamp | None) -> bool:
    """Whether nothing stands at `path` now. One that was written since it was seen is put back, where none has come since."""
    if seen is None:
        return True
    with _held(path) as old:
        path.unlink(missing_ok=True)
        if old is None or _stamp(old) == seen:
            return True
        with contextlib.suppress(OSError):
            os.link(old, path)
        return False


@contextlib.contextmanager
def _held(path: Path) -> Iterator[Path | None]:
    """What stands at `path`, by another name beside it while the block runs; None where there is nothing, or no link can be."""
    old, linked = _beside(path, "old"), False
    with contextlib.suppress(OSError):
        old.unlink(missing_ok=True)  # left by a process that was killed
    try:
        with contextlib.suppress(OSError, NotImplementedError):
            os.link(path, old, follow_symlinks=False)
            linked = True
        yield old if linked else None
    finally:
        with contextlib.suppress(OSError):
            old.unlink(missing_ok=True)


def _beside(path: Path, what: str) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.{what}")


def _keep_folder(folder: Path) -> None:
    """Have the names in it on the disk."""
    if os.name != "nt":
        at = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(at)
        finally:
            os.close(at)
