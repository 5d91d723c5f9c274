"""A `tradeloop watch` of its own process, beside the commands of a test."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def watching(home: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """A process that trades, until the block ends; on the recorded day in its own time where nothing else is asked for."""
    words = ("--home", str(home), "watch", *(options or ("--feed", "demo", "--speed", "1")))
    process = subprocess.Popen([sys.executable, "-m", "tradeloop", *words], stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        while "watching" not in (line := process.stderr.readline()):
            assert process.poll() is None, line
        yield process
    finally:
        process.kill()
        process.communicate()
