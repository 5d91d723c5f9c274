"""A copy of an installation that a plan is made in and that is gone afterwards, so that a dry-run changes nothing.

A desk takes the lease, opens the trading day and moves the clock of its journal there, before there is any plan. In a recording
time does not go back: a look at a later day would keep every day before it from being traded. So the journal and the books of
the paper broker are copied into a folder of their own, and the desk of a dry-run is opened there; it is the same desk. Only of
the paper broker, whose books are a file here: a copy of a journal at a venue would send its open orders a second time.
"""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from tradeloop.bootstrap.database import is_new, sqlite_path
from tradeloop.bootstrap.full_disk import BESIDE, look
from tradeloop.config import Home, Loaded
from tradeloop.core.errors import JournalFailed, TradeloopError
from tradeloop.journal.copied import copy_journal

_TRIES: Final = 3


def can_rehearse(loaded: Loaded) -> bool:
    """Whether nothing of the desk is outside of what is copied."""
    return loaded.settings.broker.kind == "paper"


@asynccontextmanager
async def rehearsal(loaded: Loaded) -> AsyncIterator[Loaded]:
    """The settings of a copy of this installation. What is said of the copy is said of the original: errors name its folder."""
    try:
        folder = TemporaryDirectory(prefix="tradeloop-dry-run-", ignore_cleanup_errors=True)
    except OSError as error:
        raise JournalFailed(
            f"a dry-run is made in a copy of the books, for which no folder could be made ({error.strerror or error});"
            " free space in the folder for temporary files, or name another one in TMPDIR"
        ) from error
    with folder as name:
        copy = Path(name) / "home"
        try:
            copy.mkdir(mode=0o700)
            there = await _copied(loaded, copy)
            yield there
        except TradeloopError as error:
            error.args = tuple(str(each).replace(str(copy), str(loaded.home.data)) for each in error.args)
            raise


async def _copied(loaded: Loaded, copy: Path) -> Loaded:
    home, was = Home(copy, copy, copy), loaded.home
    settings = loaded.settings.model_copy(update={"database": loaded.settings.database.model_copy(update={"url": ""})})
    there = replace(loaded, settings=settings, home=home)
    for file in (was.limits, was.latch):
        if file.exists():
            shutil.copyfile(file, copy / file.name)
    database = sqlite_path(loaded)
    books = [(was.paper_books, home.paper_books)]
    if database is not None:
        _copy_files([(database, home.database), *books])
    else:
        if not await is_new(loaded):
            await copy_journal(loaded.database_url, home.database)
        _copy_files(books)
    return there


def _copy_files(files: Iterable[tuple[Path, Path]]) -> None:
    """Copies of SQLite files, each with its log, as they stood at one moment. Raises JournalFailed while somebody writes."""
    pairs = list(files)
    for _ in range(_TRIES):
        before = [look(path) for path, _ in pairs]
        try:
            for path, to in pairs:
                for end in BESIDE:
                    there = to.with_name(to.name + end)
                    there.unlink(missing_ok=True)
                    if (file := path.with_name(path.name + end)).exists():
                        shutil.copyfile(file, there)
        except OSError as error:
            raise JournalFailed(
                f"a dry-run is made in a copy of the books, and {pairs[0][0]} could not be copied ({error.strerror or error});"
                " free space in the folder for temporary files, or name another one in TMPDIR"
            ) from error
        if [look(path) for path, _ in pairs] == before:
            return
    raise JournalFailed(f"{pairs[0][0]} is being written, and half of it would be no copy; try again when that process is done")
