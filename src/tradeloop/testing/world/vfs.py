"""SQLite's way to the files of a simulated machine: a VFS (https://www.sqlite.org/vfs.html) in the memory of this process.

The library that `sqlite3` is bound to is asked for `sqlite3_vfs_register` through ctypes. Where it does not give it, because
it was linked into Python without its names, `unavailable` says so, and no world can live on SQLite there.

Whatever SQLite does is real: its write-ahead log, its checksums, its recovery, its locks between connections. A path is
`/PROCESS/FILE`: the process acts under its name on the one disk. Time is the world's.
"""

from __future__ import annotations

import ctypes
import errno
import sqlite3
from collections.abc import Callable
from ctypes import CFUNCTYPE, Structure, c_char_p, c_int, c_int64, c_void_p
from functools import cache
from itertools import count
from random import Random
from typing import Any, Final

from tradeloop.testing.world.machine import File, Machine

_OK: Final = 0
_BUSY: Final = 5
_FULL: Final = 13
_CANTOPEN: Final = 14
_NOTFOUND: Final = 12
_IOERR: Final = 10
_READ, _SHORT, _WRITE, _FSYNC, _TRUNCATE, _LOCK = (_IOERR | number << 8 for number in (1, 2, 3, 4, 6, 15))
_NO_SUCH: Final = _IOERR | 23 << 8
_CREATE: Final = 0x4
_BESIDE: Final = 0x80000 | 0x4000 | 0x800
"""A write-ahead log, a super-journal, a rollback journal."""
_POWERSAFE_OVERWRITE: Final = 0x1000
_SHM_UNLOCK, _SHM_SHARED = 1, 4
_SHARED, _RESERVED, _PENDING = 1, 2, 3
_SLOTS: Final = 8
_JULIAN_MS: Final = 210_866_760_000_000
"""1970-01-01 in SQLite's milliseconds."""
_SECTOR: Final = 4096
_LONGEST: Final = 512

_Close = CFUNCTYPE(c_int, c_void_p)
_Read = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_int64)
_Sized = CFUNCTYPE(c_int, c_void_p, c_int64)
_Number = CFUNCTYPE(c_int, c_void_p, c_int)
_Asked = CFUNCTYPE(c_int, c_void_p, c_void_p)
_Control = CFUNCTYPE(c_int, c_void_p, c_int, c_void_p)
_ShmMap = CFUNCTYPE(c_int, c_void_p, c_int, c_int, c_int, c_void_p)
_ShmLock = CFUNCTYPE(c_int, c_void_p, c_int, c_int, c_int)
_Barrier = CFUNCTYPE(None, c_void_p)
_Open = CFUNCTYPE(c_int, c_void_p, c_char_p, c_void_p, c_int, c_void_p)
_Delete = CFUNCTYPE(c_int, c_void_p, c_char_p, c_int)
_Named = CFUNCTYPE(c_int, c_void_p, c_char_p, c_int, c_void_p)
_Filled = CFUNCTYPE(c_int, c_void_p, c_int, c_void_p)


class _Methods(Structure):
    """sqlite3_io_methods, version 2."""

    _fields_ = (
        ("iVersion", c_int), ("xClose", _Close), ("xRead", _Read), ("xWrite", _Read), ("xTruncate", _Sized),
        ("xSync", _Number), ("xFileSize", _Asked), ("xLock", _Number), ("xUnlock", _Number), ("xCheckReservedLock", _Asked),
        ("xFileControl", _Control), ("xSectorSize", _Close), ("xDeviceCharacteristics", _Close), ("xShmMap", _ShmMap),
        ("xShmLock", _ShmLock), ("xShmBarrier", _Barrier), ("xShmUnmap", _Number),
    )  # fmt: skip


class _Vfs(Structure):
    """sqlite3_vfs, version 2."""

    _fields_ = (
        ("iVersion", c_int), ("szOsFile", c_int), ("mxPathname", c_int), ("pNext", c_void_p), ("zName", c_char_p),
        ("pAppData", c_void_p), ("xOpen", _Open), ("xDelete", _Delete), ("xAccess", _Named), ("xFullPathname", _Named),
        ("xDlOpen", c_void_p), ("xDlError", c_void_p), ("xDlSym", c_void_p), ("xDlClose", c_void_p),
        ("xRandomness", _Filled), ("xSleep", _Number), ("xCurrentTime", _Asked), ("xGetLastError", _Filled),
        ("xCurrentTimeInt64", _Asked),
    )  # fmt: skip


class _Shared:
    """What the connections to one file share in memory: their locks and the index of the log."""

    def __init__(self) -> None:
        self.locks: dict[int, int] = {}
        self.regions: list[Any] = []
        self.mapped: dict[int, None] = {}
        self.slots: list[dict[int, bool]] = [{} for _ in range(_SLOTS)]
        """By slot, who holds it, and whether alone."""


class _Handle:
    __slots__ = ("file", "joins", "name", "process", "shared")

    def __init__(self, name: str, process: str, file: File, shared: _Shared, *, joins: bool = False) -> None:
        self.name, self.process, self.file, self.shared = name, process, file, shared
        self.joins = joins
        """Whether its folder is synced with it the first time, as SQLite does on Unix for whoever opens a log or a journal."""


_numbers = count(1)
_kept: list[Vfs] = []
"""Those that were let go while a file was still open: SQLite may call them as long as this process lives."""


class Vfs:
    """One machine's files as a VFS of the name `name`, until `close`. `now` gives nanoseconds since 1970."""

    def __init__(self, machine: Machine, now: Callable[[], int]) -> None:
        self.name = f"tradeloop-world-{next(_numbers)}"
        self.fault: Exception | None = None
        """What went wrong in here, which SQLite cannot raise."""
        self._machine, self._now = machine, now
        self._handles: dict[int, _Handle] = {}
        self._shared: dict[str, _Shared] = {}
        told = self._told
        self._methods = _Methods(
            2, _Close(told(self._close, _IOERR)), _Read(told(self._read, _READ)), _Read(told(self._write, _WRITE)),
            _Sized(told(self._truncate, _TRUNCATE)), _Number(told(self._sync, _FSYNC)), _Asked(told(self._size, _IOERR)),
            _Number(told(self._lock, _LOCK)), _Number(told(self._unlock, _LOCK)), _Asked(told(self._is_reserved, _LOCK)),
            _Control(lambda file, op, arg: _NOTFOUND), _Close(lambda file: _SECTOR), _Close(lambda file: _POWERSAFE_OVERWRITE),
            _ShmMap(told(self._shm_map, _IOERR)), _ShmLock(told(self._shm_lock, _LOCK)), _Barrier(lambda file: None),
            _Number(told(self._shm_unmap, _IOERR)),
        )  # fmt: skip
        self._vfs = _Vfs(
            2, 2 * ctypes.sizeof(c_void_p), _LONGEST, None, self.name.encode(), None, _Open(told(self._open, _CANTOPEN)),
            _Delete(told(self._delete, _IOERR)), _Named(told(self._access, _IOERR)), _Named(told(self._full, _CANTOPEN)),
            None, None, None, None, _Filled(told(self._randomness, 0)), _Number(lambda vfs, micros: micros),
            _Asked(lambda vfs, out: _IOERR), _Filled(lambda vfs, size, out: 0), _Asked(told(self._time, _IOERR)),
        )  # fmt: skip
        library = _library()
        assert library is not None, "asked for where it is unavailable"
        self._library = library
        library.sqlite3_vfs_register(ctypes.byref(self._vfs), 0)

    def close(self) -> None:
        """Take it from SQLite; every connection through it has been closed."""
        self._library.sqlite3_vfs_unregister(ctypes.byref(self._vfs))
        if self._handles:
            _kept.append(self)

    def connect(self, process: str, name: str) -> sqlite3.Connection:
        """A connection of that process to a database of this machine."""
        return sqlite3.connect(f"file:/{process}/{name}?mode=rw&vfs={self.name}", uri=True, isolation_level=None)

    def _told(self, act: Callable[..., int], otherwise: int) -> Callable[..., int]:
        """`act`, with an error of the machine as SQLite's number, and with a mistake of ours kept for who can raise it."""

        def call(*given: Any) -> int:
            try:
                return act(*given)
            except OSError as error:
                return _FULL if error.errno == errno.ENOSPC else otherwise
            except (ValueError, TypeError, LookupError, AttributeError, AssertionError) as error:
                self.fault = error
                return otherwise

        return call

    # --- files

    def _open(self, vfs: int, path: bytes | None, out: int, flags: int, out_flags: int | None) -> int:
        c_void_p.from_address(out).value = None
        if path is None:
            handle = _Handle("", "", File(), _Shared())  # what SQLite wants to put away for a moment
        else:
            process, name = _parted(path)
            file = self._machine.opened(name, create=bool(flags & _CREATE))
            handle = _Handle(
                name, process, file, self._shared.setdefault(name, _Shared()), joins=bool(flags & _CREATE and flags & _BESIDE)
            )
        self._handles[out] = handle
        if out_flags:
            c_int.from_address(out_flags).value = flags
        c_void_p.from_address(out).value = ctypes.addressof(self._methods)
        return _OK

    def _close(self, at: int) -> int:
        self._shm_unmap(at, 0)
        handle = self._handles.pop(at)
        handle.shared.locks.pop(at, None)
        return _OK

    def _read(self, at: int, out: int, size: int, start: int) -> int:
        content = bytes(self._handles[at].file.kernel[start : start + size])
        ctypes.memmove(out, content.ljust(size, b"\0"), size)
        return _OK if len(content) == size else _SHORT

    def _write(self, at: int, given: int, size: int, start: int) -> int:
        self._change(at, start, ctypes.string_at(given, size))
        return _OK

    def _truncate(self, at: int, size: int) -> int:
        self._change(at, size, None)
        return _OK

    def _change(self, at: int, start: int, content: bytes | None) -> None:
        handle = self._handles[at]
        if handle.name:
            self._machine.write(handle.process, handle.file, start, content)
        else:
            handle.file.write(start, content)

    def _sync(self, at: int, flags: int) -> int:
        handle = self._handles[at]
        if handle.name:
            self._machine.sync(handle.process, handle.file)
        if handle.name and handle.joins:
            self._machine.sync_folder(handle.process)
            handle.joins = False
        return _OK

    def _size(self, at: int, out: int) -> int:
        c_int64.from_address(out).value = len(self._handles[at].file.kernel)
        return _OK

    # --- locks, as the processes of one machine have them

    def _lock(self, at: int, level: int) -> int:
        handle = self._handles[at]
        if handle.name and not self._machine.is_alive(handle.process):
            return _LOCK
        held = handle.shared.locks
        if level > _SHARED and handle.process in self._machine.readers:
            return _BUSY  # the last connection to close would tidy up
        others = max((theirs for who, theirs in held.items() if who != at), default=0)
        if level <= held.get(at, 0):
            return _OK
        if others > _RESERVED or (others == _RESERVED and level >= _RESERVED) or (others and level > _PENDING):
            return _BUSY
        held[at] = level
        return _OK

    def _unlock(self, at: int, level: int) -> int:
        self._handles[at].shared.locks[at] = level
        return _OK

    def _is_reserved(self, at: int, out: int) -> int:
        locks = self._handles[at].shared.locks
        c_int.from_address(out).value = any(level > _SHARED for level in locks.values())
        return _OK

    def _shm_map(self, at: int, region: int, size: int, extend: int, out: int) -> int:
        shared = self._handles[at].shared
        shared.mapped[at] = None
        while extend and len(shared.regions) <= region:
            shared.regions.append(ctypes.create_string_buffer(size))
        there = len(shared.regions) > region
        c_void_p.from_address(out).value = ctypes.addressof(shared.regions[region]) if there else None
        return _OK

    def _shm_lock(self, at: int, offset: int, number: int, flags: int) -> int:
        handle = self._handles[at]
        slots = handle.shared.slots[offset : offset + number]
        if flags & _SHM_UNLOCK:
            for slot in slots:
                slot.pop(at, None)
            return _OK
        if not self._machine.is_alive(handle.process):
            return _LOCK
        alone = not flags & _SHM_SHARED
        if any((alone or theirs) and who != at for slot in slots for who, theirs in slot.items()):
            return _BUSY
        for slot in slots:
            slot[at] = alone
        return _OK

    def _shm_unmap(self, at: int, delete: int) -> int:
        shared = self._handles[at].shared
        shared.mapped.pop(at, None)
        for slot in shared.slots:
            slot.pop(at, None)
        if not shared.mapped:
            shared.regions.clear()  # the first that comes after finds an index of nothing, and makes it from the log
        return _OK

    # --- names and the rest

    def _delete(self, vfs: int, path: bytes, sync_folder: int) -> int:
        process, name = _parted(path)
        if not self._machine.is_alive(process):
            return _IOERR
        try:
            self._machine.removed(name, for_good=bool(sync_folder))
        except FileNotFoundError:
            return _NO_SUCH
        return _OK

    def _access(self, vfs: int, path: bytes, flags: int, out: int) -> int:
        c_int.from_address(out).value = _parted(path)[1] in self._machine.files
        return _OK

    def _full(self, vfs: int, path: bytes, size: int, out: int) -> int:
        if len(path) >= size:
            return _CANTOPEN
        ctypes.memmove(out, path + b"\0", len(path) + 1)
        return _OK

    def _randomness(self, vfs: int, size: int, out: int) -> int:
        ctypes.memmove(out, Random(size).randbytes(size), size)
        return size

    def _time(self, vfs: int, out: int) -> int:
        c_int64.from_address(out).value = self._now() // 1_000_000 + _JULIAN_MS
        return _OK


def _parted(path: bytes) -> tuple[str, str]:
    """Process and file of a path."""
    _, process, name = path.decode().split("/", 2)
    return process, name


@cache
def _library() -> ctypes.CDLL | None:
    """The SQLite that Python's sqlite3 is bound to, when it gives the names that are needed here."""
    import _sqlite3

    try:
        library = ctypes.CDLL(getattr(_sqlite3, "__file__", None))
        library.sqlite3_vfs_register.argtypes = [c_void_p, c_int]
        library.sqlite3_vfs_unregister.argtypes = [c_void_p]
        library.sqlite3_libversion.restype = c_char_p
    except (OSError, AttributeError, TypeError):  # TypeError: no file, on a system that cannot look into the program itself
        return None
    return library if library.sqlite3_libversion().decode() == sqlite3.sqlite_version else None


@cache
def unavailable() -> str:
    """Why no VFS can be given to SQLite here; empty where one can."""
    if _library() is None:
        return "the SQLite that Python's sqlite3 is bound to does not give sqlite3_vfs_register to others"
    machine = Machine(Random(0))
    machine.put("asked.db", b"")
    vfs = Vfs(machine, lambda: 0)
    try:
        connection = vfs.connect("asking", "asked.db")
        try:
            connection.execute("CREATE TABLE asked (what)").close()
        finally:
            connection.close()
    except sqlite3.Error as error:
        return f"SQLite does not take a VFS from here: {error}"
    finally:
        vfs.close()
    return "" if machine.files["asked.db"].on_disk else "SQLite took a VFS from here and did not use it"
