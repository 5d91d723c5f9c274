"""A large result comes whole, however little a pipe takes at a time and however slow its reader is."""

from __future__ import annotations

import io
import os
from threading import Thread

import pytest

from tradeloop.cli.unblocked import write_whole

LARGE = 1_000_000


def received(text: str, document: bytes, *, blocking: bool) -> bytes:
    """What a reader gets of it through a stream that is not buffered, as PYTHONUNBUFFERED makes them."""
    reader, writer = os.pipe()
    os.set_blocking(writer, blocking)
    stream = io.TextIOWrapper(io.FileIO(writer, "w"), encoding="utf-8", write_through=True)
    parts: list[bytes] = []

    def read() -> None:
        while part := os.read(reader, 32_768):
            parts.append(part)

    reading = Thread(target=read)
    reading.start()
    try:
        write_whole(stream, text, document)
    finally:
        stream.close()
        reading.join()
        os.close(reader)
    return b"".join(parts)


@pytest.mark.parametrize("blocking", [True, False])
def test_nothing_of_a_large_document_is_left_out(blocking: bool) -> None:
    """In a container with PYTHONUNBUFFERED, `--json` of a large run ended in the middle, with the exit code 0."""
    assert received("", b"x" * LARGE, blocking=blocking) == b"x" * LARGE


def test_the_text_stands_above_the_document_and_in_the_streams_encoding() -> None:
    text = "…" * LARGE
    assert received(f"{text}\n", b"{}", blocking=False) == f"{text}{os.linesep}".encode() + b"{}"
