"""The files of a run, written when it has ended, by a desk that goes on; of one that ended with the process before, too."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from itertools import islice
from typing import TYPE_CHECKING, Final

from tradeloop.audit.artefacts import newest
from tradeloop.cli.artefacts import RESULTS
from tradeloop.cli.record import read_record
from tradeloop.cli.run_result import leave_files
from tradeloop.core import events as ev
from tradeloop.core.errors import TradeloopError
from tradeloop.core.run.conduct import ENDED
from tradeloop.core.types import RunID, UtcNs

if TYPE_CHECKING:
    from tradeloop.bootstrap import Desk
    from tradeloop.cli.shell import Voice
    from tradeloop.engine.writer import Published


_VIEWS_S: Final = 10.0
_BEHIND_MAX: Final = 20
"""So many runs are looked at when a desk begins; `tradeloop export` writes the files of any."""


class Finished:
    """Listens for runs that end."""

    def __init__(self, voice: Voice, desk: Desk) -> None:
        self._voice = voice
        self._desk = desk
        self._writing: set[asyncio.Task[None]] = set()
        desk.listen(self._heard)
        behind = [each for each in islice(desk.state.runs.newest_first(), _BEHIND_MAX) if self._is_behind(each)]
        self._begin(self._catch_up(behind))

    async def close(self) -> None:
        """Return when what has begun is written."""
        await asyncio.gather(*self._writing)

    def _heard(self, published: Published) -> None:
        for event in published.events:
            if isinstance(event, ev.RunEnded):
                self._begin(self._write(event.run_id))

    def _is_behind(self, run_id: RunID) -> bool:
        folder = self._desk.loaded.home.artefacts / run_id
        return self._desk.state.runs[run_id].status in ENDED and any(newest(folder, kind) is None for kind in RESULTS)

    async def _catch_up(self, behind: list[RunID]) -> None:
        """One after the other; what keeps one from being written, which is said, would keep the others from it, too."""
        for run_id in behind:
            await self._write(run_id)
            if self._is_behind(run_id):
                return

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.ensure_future(work)
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def _write(self, run_id: RunID) -> None:
        desk = self._desk
        await desk.views_show(_VIEWS_S)
        run = desk.state.runs.get(run_id)
        if run is None or run.status not in ENDED:
            return
        try:
            record = await read_record(desk.views.queries, run_id)
        except TradeloopError as error:
            self._voice.say(f"warning: {error}; then write the files of run {run_id} with `tradeloop export --run {run_id}`")
            return
        at = UtcNs(record.run.finished_at or desk.clock.now())
        leave_files(self._voice, desk.loaded.home.artefacts / run_id, record, at, desk.state)
