"""The disk of one machine, file by file: what the kernel has taken, what has reached the disk, and what a cut leaves.

A write is the kernel's at once: it outlives the process that made it. It reaches the disk when somebody syncs its file and
that returns. When the power goes, what was not synced is there in full, in part, or not at all, in any order, and the last
write may be cut off between two sectors. A sync that fails may have written a part; the kernel then counts the rest as clean,
so that later syncs succeed without it (https://wiki.postgresql.org/wiki/Fsync_Errors). A new name, and one that was removed,
need a sync of their own.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from random import Random
from typing import Final

SECTOR: Final = 512
Write = tuple[int, bytes | None]
"""A place and the bytes that go there; None for what cuts the file off at that place."""


class File:
    """One file: as the kernel shows it, and as it lies on the disk."""

    __slots__ = ("kernel", "lost", "on_disk", "unsynced")

    def __init__(self, content: bytes = b"") -> None:
        self.kernel = bytearray(content)
        self.on_disk = bytearray(content)
        self.unsynced: list[Write] = []
        self.lost = False
        """Whether a sync has failed: what the kernel shows and counts as clean may not be on the disk."""

    def write(self, at: int, content: bytes | None) -> None:
        """The kernel takes it."""
        _do(self.kernel, at, content)
        self.unsynced.append((at, content))

    def sync(self) -> None:
        """What was written is on the disk, but for what an earlier sync has lost."""
        for at, content in self.unsynced:
            _do(self.on_disk, at, content)
        self.unsynced.clear()

    def fail_to_sync(self, dice: Random) -> None:
        """A part reaches the disk, and the rest never will."""
        self._reach(dice, dice.choice((0.0, 0.5, 1.0)))
        self.unsynced.clear()
        self.lost = True

    def lose_power(self, dice: Random) -> bool:
        """Be what the disk has, with some of what was on its way; whether that was neither all nor nothing."""
        share = dice.choice((0.0, 0.5, 0.9, 1.0))
        torn = self._reach(dice, share)
        self.unsynced.clear()
        self.kernel = bytearray(self.on_disk)
        self.lost = False
        return torn

    def _reach(self, dice: Random, share: float) -> bool:
        torn = False
        for at, content in self.unsynced:
            if dice.random() >= share:
                torn = torn or share > 0
            elif content is not None and share < 1 and len(content) > SECTOR and dice.random() < 0.2:
                torn = True
                _do(self.on_disk, at, content[: dice.randrange(SECTOR, len(content), SECTOR)])
            else:
                _do(self.on_disk, at, content)
        return torn

    @property
    def is_whole(self) -> bool:
        """Whether a power failure would take nothing of it."""
        return not self.unsynced and (not self.lost or self.kernel == self.on_disk)


def _do(image: bytearray, at: int, content: bytes | None) -> None:
    if content is None:
        del image[at:]
        image.extend(bytes(at - len(image)))
        return
    if at > len(image):
        image.extend(bytes(at - len(image)))
    image[at : at + len(content)] = content


class Machine:
    """Files by name. Every process acts under its own name, and does nothing any more when it is dead."""

    def __init__(self, dice: Random) -> None:
        self.files: dict[str, File] = {}
        self.trouble: Callable[[str, str], int] = lambda process, act: 0
        """Asked before every `write` and `sync` of a living process: the error it meets (errno), 0 for none."""
        self.readers: set[str] = set()
        """Processes that change nothing, whatever they are asked."""
        self._names: dict[str, File] = {}
        """The names that are on the disk, too."""
        self._dead: set[str] = set()
        self._left: dict[str, int] = {}
        self._dice = dice
        self.acts = 0
        """How many writes there were, so that somebody can see whether there was one."""

    def put(self, name: str, content: bytes) -> None:
        """A file that has always been there."""
        self.files[name] = self._names[name] = File(content)

    def opened(self, name: str, *, create: bool) -> File:
        """The file of that name. Raises FileNotFoundError."""
        file = self.files.get(name)
        if file is None:
            if not create:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)
            file = self.files[name] = File()
        return file

    def removed(self, name: str, *, for_good: bool) -> None:
        """The name is gone; from the disk, too, where somebody waits for it."""
        if name not in self.files:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)
        del self.files[name]
        if for_good:
            self._names.pop(name, None)

    def write(self, process: str, file: File, at: int, content: bytes | None) -> None:
        """Raises OSError where the machine refuses it."""
        self._act(process, "write")
        self.acts += 1
        file.write(at, content)

    def sync(self, process: str, file: File) -> None:
        """Raises OSError where it fails; whoever asked cannot know then what has reached the disk."""
        try:
            self._act(process, "sync")
        except OSError:
            if self.is_alive(process):
                file.fail_to_sync(self._dice)
            raise
        file.sync()

    def sync_folder(self, process: str) -> None:
        """The names are on the disk: of files that were made, and without those that were removed. Raises OSError."""
        self._act(process, "sync")
        self._names = {**self.files}

    def is_alive(self, process: str) -> bool:
        """Whether what it does still has an effect."""
        return process not in self._dead and self._left.get(process) != 0

    def _act(self, process: str, act: str) -> None:
        left = self._left.get(process)
        if process in self._dead or left == 0:
            raise OSError(errno.EIO, "the process is dead")
        if left is not None:
            self._left[process] = left - 1
        elif (number := self.trouble(process, act)) != 0:
            raise OSError(number, os.strerror(number))

    def die_within(self, process: str, acts: int) -> None:
        """The process does so many writes and syncs more, and no other."""
        self._left[process] = acts

    def bury(self, process: str) -> None:
        """The process is dead; what it wrote is the kernel's."""
        self._dead.add(process)

    def lose_power(self) -> bool:
        """The power goes and comes back; whether something was left in part."""
        torn = False
        for name in sorted({*self.files, *self._names}):
            here, there = self.files.get(name), self._names.get(name)
            if here is not there and self._dice.random() < 0.5:
                here = there  # a name that was made is not there, one that was removed is there again
            if here is None:
                self.files.pop(name, None)
                self._names.pop(name, None)
                continue
            torn = here.lose_power(self._dice) or torn
            self.files[name] = self._names[name] = here
        return torn

    def clear(self) -> None:
        """Let go of all content."""
        for file in (*self.files.values(), *self._names.values()):
            file.kernel, file.on_disk = bytearray(), bytearray()
            file.unsynced.clear()
        self.files.clear()
        self._names.clear()

    def images(self) -> dict[str, bytes]:
        """The files as the kernel shows them."""
        return {name: bytes(file.kernel) for name, file in self.files.items()}

    def after_a_cut(self, name: str) -> list[File | None]:
        """The files of which one has that name if the power goes now, None for none: it may have been made or removed since the
        names were synced.
        """
        here, there = self.files.get(name), self._names.get(name)
        return [here] if here is there else [here, there]

    def restore(self, images: dict[str, bytes]) -> None:
        """Put files in the place of those of the same name."""
        for name, content in images.items():
            self.put(name, content)
