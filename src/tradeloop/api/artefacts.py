"""The files that a run left behind (S1-11, S1-31..S1-34), listed and given over HTTP: its own alone, and nothing beside them.

A name is one that the product writes, and a file is a regular one in the folder of a run that is known: no path is followed out
of it, and no link. What is given is read whole, bounded, and said to be what it is.
"""

from __future__ import annotations

import asyncio
import os
import re
import stat
from http import HTTPStatus
from pathlib import Path
from typing import Final

import msgspec

from tradeloop.access.identity import Scope
from tradeloop.api.call import Answer, Call
from tradeloop.api.gate import ok
from tradeloop.api.plain import Moment, moment
from tradeloop.api.policy import Policy, Rate, Routes
from tradeloop.api.problem import Problem
from tradeloop.core.errors import NotKnown
from tradeloop.core.types import RunID

SIZE_MAX: Final = 64 * 1024 * 1024
"""The largest file that is given: a million orders are less."""
FILES_MAX: Final = 1_000
MEDIA: Final = {"json": "application/json", "parquet": "application/vnd.apache.parquet"}
_NAME: Final = re.compile(r"broker_(submit|orders|fills|reconcile)_[0-9]{8}_[0-9]{6}(?:_[0-9]{1,3})?\.(json|parquet)", re.ASCII)
_AS_IT_IS: Final = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
"""A link is not followed, and nothing that is no file is waited for."""


class Artefact(msgspec.Struct, frozen=True):
    """One file: `kind` is submit, orders, fills or reconcile."""

    name: str
    kind: str
    media_type: str
    size: int
    written_at: Moment


class Artefacts(msgspec.Struct, frozen=True):
    """The files of a run, newest first by the time in their names; none while it works."""

    run_id: str
    artefacts: list[Artefact]


def routes(table: Routes) -> None:
    """The routes of this file."""
    reads = Policy(Scope.READ_ACCOUNT, safe=True, rate=Rate.READ)
    work = Policy(Scope.READ_ACCOUNT, safe=True, rate=Rate.WORK)
    path = "/api/trade/runs/{run_id}/artefacts"
    table.add("GET", path, listed, reads, "artefacts", gives=Artefacts)
    table.add("GET", f"{path}/{{name}}", one, work, "artefacts", files=tuple(MEDIA.values()))


async def listed(call: Call) -> Answer:
    """List the files that a run left behind."""
    folder = await _folder(call)
    return ok(Artefacts(folder.name, await asyncio.to_thread(_there, folder)))


async def one(call: Call) -> Answer:
    """Give one file of a run, as it was written."""
    folder, name = await _folder(call), call.path["name"]
    written = _NAME.fullmatch(name)
    content = None if written is None else await asyncio.to_thread(_content, folder / name)
    if written is None or content is None:
        raise NotKnown(f"file was {name[:60]!a}, which run {folder.name} has not; see the list of its artefacts")
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Answer(headers=headers, text=content, media=MEDIA[written.group(2)])


async def _folder(call: Call) -> Path:
    """The folder of the run that the address names. Raises NotKnown where there is no such run of this account."""
    run_id = call.path["run_id"]
    await call.desk.shown()
    row = await call.desk.queries.run(run_id[:64])
    if row is None or row.account_id != call.desk.account:
        raise NotKnown(f"run was {run_id[:60]!r}, which is not known")
    return call.desk.artefacts(RunID(row.id))


def _there(folder: Path) -> list[Artefact]:
    found = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                named = _NAME.fullmatch(entry.name)
                if named is None or not entry.is_file(follow_symlinks=False):
                    continue
                about = entry.stat(follow_symlinks=False)
                media = MEDIA[named.group(2)]
                found.append(Artefact(entry.name, named.group(1), media, about.st_size, moment(about.st_mtime_ns)))
    except (FileNotFoundError, NotADirectoryError):
        return []
    found.sort(key=lambda each: (Path(each.name).stem.split("_", 2)[2], each.name), reverse=True)
    return found[:FILES_MAX]


def _content(path: Path) -> bytes | None:
    """What a file holds; None where there is none, or none that is regular. Raises Problem for one that is too large."""
    try:
        at = os.open(path, os.O_RDONLY | _AS_IT_IS)
    except OSError:
        return None
    about = os.fstat(at)
    if not stat.S_ISREG(about.st_mode):
        os.close(at)
        return None
    with os.fdopen(at, "rb") as file:
        if about.st_size > SIZE_MAX:
            said = f"{path.name} has {about.st_size} bytes, and at most {SIZE_MAX} are given; fetch it on the desk's machine"
            raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "bad_input", said)
        return file.read(SIZE_MAX)
