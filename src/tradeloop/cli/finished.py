"""The files of runs that end while a desk works, whoever ended them; of one that ended with the process before, too."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from itertools import islice, takewhile
from typing import TYPE_CHECKING, Final

from tradeloop.cli.artefacts import says_status
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
"""So many runs that have ended are looked at when a desk begins; `tradeloop export` writes the files of any."""


class Finished:
    """Listens for runs that end. A command leaves their files behind it; a desk that goes on writes them `at_once`."""

    def __init__(self, voice: Voice, desk: Desk) -> None:
        self._voice = voice
        self._desk = desk
        self._writing: set[asyncio.Task[None]] = set()

    def at_once(self) -> None:
        """From now on; and what was left without its files is looked for."""
        self._desk.listen(self._heard)
        self._begin(self._catch_up(list(islice(reversed(self._desk.state.runs.ended), _BEHIND_MAX))))

    async def close(self) -> None:
        """Return when everything is written of what has ended since this desk began."""
        await asyncio.gather(*self._writing)
        runs, began = self._desk.state.runs, self._desk.state.started_at
        here = takewhile(lambda run_id: (runs[run_id].finished_at or 0) >= began, reversed(runs.ended))  # the last to end first
        await self._catch_up(list(here))

    def _heard(self, published: Published) -> None:
        for event in published.events:
            if isinstance(event, ev.RunEnded):
                self._begin(self._write(event.run_id))

    def _is_behind(self, run_id: RunID) -> bool:
        status = self._desk.state.runs[run_id].status
        return not says_status(self._desk.loaded.home.artefacts / run_id, status)

    async def _catch_up(self, runs: list[RunID]) -> None:
        """One after the other; what keeps one from being written, which is said, would keep the others from it, too."""
        for run_id in filter(self._is_behind, runs):
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
