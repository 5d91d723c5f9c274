"""A stream that never holds up who writes into it: a bounded queue, and a thread of its own that writes it out.

A desk trades and stops while it tells of it. A pager that shows its first page, a terminal stopped with Ctrl-S and a shipper of
logs that hangs let a pipe fill up; whoever writes into a full pipe stands still, and into a closed one, dies. Neither may
happen to the engine. What nobody reads is left out and counted, and the count is said in its place, once somebody reads again.
"""

from __future__ import annotations

import io
import os
from collections import deque
from threading import Condition, Event, Thread
from typing import Final, TextIO

from typing_extensions import override

PIECES_MAX: Final = 1_000
"""Pieces of text that wait at most; a line for a person is one."""

_AGAIN_S: Final = 0.05
"""Until a stream that takes nothing at once, as another process may have set it, is tried again."""


class Unblocked(io.TextIOBase):
    """Stands before `stream`. One that is no file of the system, as tests have it, cannot block and is written to at once."""

    def __init__(self, stream: TextIO, pieces_max: int = PIECES_MAX) -> None:
        super().__init__()
        self._stream = stream
        self._number = _number(stream)
        self._max = pieces_max
        self._waiting: deque[tuple[str, int]] = deque()
        """Each piece with the lines that are lost with it. The first one is being written."""
        self._lost = 0
        self._moved = 0
        """Bytes written and pieces given up: while it grows, it is worth waiting for the rest."""
        self._changed = Condition()
        self._writer: Thread | None = None

    @property
    @override
    def encoding(self) -> str:  # type: ignore[override]
        """That of the stream; who draws tables asks."""
        return getattr(self._stream, "encoding", None) or "utf-8"

    @override
    def isatty(self) -> bool:
        return self._stream.isatty()

    @override
    def writable(self) -> bool:
        return True

    @override
    def write(self, text: str) -> int:
        """Never waits and never fails."""
        if not isinstance(text, str):
            raise TypeError(f"text was {type(text).__name__}; expected str")
        if self._number is None:
            self._stream.write(text)
            self._stream.flush()
        elif text:
            with self._changed:
                self._take(text)
        return len(text)

    def finish(self, patience_s: float) -> None:
        """Wait until everything is written, or nothing more has gone for `patience_s` seconds."""
        with self._changed:
            while self._waiting:
                moved = self._moved
                if not self._changed.wait_for(lambda: not self._waiting, patience_s) and moved == self._moved:
                    return

    # --- inside

    def _take(self, text: str) -> None:
        lines = text.count("\n")
        if len(self._waiting) >= self._max:
            self._lost += lines
            return
        self._say_what_is_lost()
        self._waiting.append((text, lines))
        if self._writer is None:
            # It ends with the process, wherever it hangs.
            self._writer = Thread(target=self._write_out, name="stderr", daemon=True)
            self._writer.start()
        self._changed.notify_all()

    def _say_what_is_lost(self) -> None:
        if self._lost:
            lines, self._lost = self._lost, 0
            what = "1 line is" if lines == 1 else f"{lines:,} lines are"
            self._waiting.append((f"warning: {what} missing here: nobody read them while they were said\n", lines))

    def _write_out(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._waiting))
                text, lines = self._waiting[0]
            written = self._write(text)
            with self._changed:
                self._waiting.popleft()
                self._moved += 1
                if not written:
                    self._lost += lines
                elif not self._waiting:
                    self._say_what_is_lost()
                self._changed.notify_all()

    def _write(self, text: str) -> bool:
        """Whether all of it could be written. Past the stream's own buffer: whoever hangs in that would hold up the exit."""
        assert self._number is not None
        left = memoryview(text.replace("\n", os.linesep).encode(self.encoding, "backslashreplace"))
        while left:
            try:
                taken = os.write(self._number, left)
            except BlockingIOError:
                Event().wait(_AGAIN_S)
            except OSError:
                return False  # closed, or full; the next piece is tried all the same
            else:
                self._moved += taken
                left = left[taken:]
        return True


class Begun(Thread):
    """The first part of a result, on its way to its reader while a desk works; nothing of it is left out."""

    def __init__(self, text: str, stream: TextIO) -> None:
        super().__init__(name="stdout", daemon=True)  # it ends with the process, wherever it hangs
        self._text = text
        self._stream = stream
        self._error: OSError | None = None

    @override
    def run(self) -> None:
        """Past the stream's own buffer, which whoever hangs in it would hold at the exit."""
        try:
            write_whole(self._stream, self._text)
        except OSError as error:
            self._error = error

    def end(self) -> None:
        """Wait until it is read. Raises the OSError with which the reader went, or the disk was full."""
        self.join()
        if self._error is not None:
            raise self._error


def write_whole(stream: TextIO, text: str = "", document: bytes = b"") -> None:
    """Write all of it, `text` first, and wait for whoever reads. Raises OSError.

    Python's own streams do not promise that where they are not buffered (PYTHONUNBUFFERED, as in many containers): what a pipe
    takes of a large write is all that is written then, and nobody hears of the rest.
    """
    number = _number(stream)
    if number is None:
        stream.write(text)
        stream.flush()
        if document:
            stream.buffer.write(document)
            stream.flush()
        return
    stream.flush()
    encoded = text.replace("\n", os.linesep).encode(stream.encoding, stream.errors or "strict")
    for part in (encoded, document):
        left = memoryview(part)
        while left:
            try:
                left = left[os.write(number, left) :]
            except BlockingIOError:
                Event().wait(_AGAIN_S)


def _number(stream: TextIO) -> int | None:
    try:
        return stream.fileno()
    except (OSError, ValueError):
        return None
