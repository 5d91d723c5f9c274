"""From a run that works to its end: progress, a last look at the broker's books, files, tables, exit code."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from tradeloop.cli.artefacts import write_missing, written, zone_of
from tradeloop.cli.record import Record, held_now, read_record, read_with_held, with_others
from tradeloop.cli.run_tables import break_rows, record_document, show_record, unexplained
from tradeloop.cli.shell import FAILED, OK, UNKNOWN, Voice
from tradeloop.cli.stops import came_meanwhile, stops_worked
from tradeloop.cli.waits import worked
from tradeloop.core.errors import BadInput
from tradeloop.core.run.conduct import ENDED
from tradeloop.core.run_book import Run
from tradeloop.core.state import State
from tradeloop.core.types import RunID, RunStatus, Symbol, UtcNs

if TYPE_CHECKING:
    from pathlib import Path

    from tradeloop.bootstrap import Archive, Desk
    from tradeloop.core.reports import BrokerSnapshot
    from tradeloop.views.queries import Queries

RESTING = (RunStatus.AWAITING_APPROVAL, RunStatus.NEW, RunStatus.PAUSED)


async def follow_run(voice: Voice, desk: Desk, run_id: RunID, *, had_ended: bool = False) -> int:
    """Work a run to its end and show what became of it; one that waits for a person already is shown as it stands.

    A run that is paused meanwhile is waited for: what works goes on working, and somebody will resume or cancel it.
    """
    run = desk.state.runs[run_id]
    if run.status not in RESTING:
        await worked(desk, lambda: run.status in ENDED, lambda order: order.run_id == run_id)
    return await show_result(voice, desk, run_id, had_ended=had_ended)


async def show_result(voice: Voice, desk: Desk, run_id: RunID, *, had_ended: bool = False) -> int:
    """A last look at the broker's books, the files of the run, its tables; the exit code. What a run that `had_ended` ended as
    was said then: what it left unexplained by now is what counts.
    """
    await stops_worked(desk, voice)
    snapshot = await _looked(desk)
    while came_meanwhile(desk):  # the tables are of what is left behind it
        await stops_worked(desk, voice)
        snapshot = await _looked(desk)
    held = {str(symbol): Decimal(each.net_qty) for symbol, each in desk.state.positions.get(desk.account, {}).items()}
    queries = desk.views.queries
    record = await with_others(queries, await read_record(queries, run_id, held=held, at_broker=_at_broker(snapshot)))
    record = at_prices(record, desk)
    at = UtcNs(record.run.finished_at or desk.clock.now())
    files = leave_files(voice, desk.loaded.home.artefacts / run_id, record, at, desk.state)
    now = desk.clock.now()
    await _show(voice, desk.views.queries, record, files, now)
    left = left_unexplained(record, now)
    return left if had_ended else exit_code_of(record) or left


async def _looked(desk: Desk) -> BrokerSnapshot:
    snapshot = await desk.reconcile()
    await desk.views_caught_up()
    return snapshot


async def finish_from_archive(voice: Voice, archive: Archive, run: Run) -> int:
    """Show a run that ended before, and write the files that a crash may have kept it from leaving; the exit code."""
    run_id = run.created.run_id
    record = await read_record(archive.views.queries, run_id)
    at = UtcNs(run.finished_at or run.created.at)
    files = leave_files(voice, archive.loaded.home.artefacts / run_id, record, at, (await archive.recovered()).state)
    drift = archive.loaded.settings.engine.max_drift
    record = replace(record, held=await held_now(archive.views.queries, record.run), max_drift=drift)
    record = await with_others(archive.views.queries, record)
    await _show(voice, archive.views.queries, record, files, at)
    return left_unexplained(record, at)


async def show_from_archive(voice: Voice, archive: Archive, run_id: str) -> None:
    """Show a run as it stands; nothing is written."""
    record = await read_with_held(archive.views, run_id, newest_only=True)
    record = replace(record, max_drift=archive.loaded.settings.engine.max_drift)
    at = record.run.finished_at or record.run.updated_at
    await _show(voice, archive.views.queries, record, written(archive.loaded.home.artefacts / run_id), at)


def at_prices(record: Record, desk: Desk) -> Record:
    """The record with the present prices of the market."""
    seen = {str(each.symbol): Decimal(each.px) for each in desk.seen_prices(Symbol(line.symbol) for line in record.lines)}
    return replace(record, market_px=seen, max_drift=desk.loaded.settings.engine.max_drift)


def exit_code_of(record: Record) -> int:
    """0 where every line was worked to its end or the run waits on purpose, 4 while a fate is unknown, 1 for the rest."""
    if record.unknown:
        return UNKNOWN
    status = RunStatus(record.run.status)
    if status in RESTING:
        return OK
    return OK if status is RunStatus.COMPLETED and not record.todo else FAILED


def left_unexplained(record: Record, now: int) -> int:
    """The exit code of what an ended run shows: 1 where a break is left that nothing explains."""
    if RunStatus(record.run.status) not in ENDED:
        return OK
    return FAILED if unexplained(break_rows(record, record.target_lines(), now)) else OK


def leave_files(voice: Voice, folder: Path, record: Record, at: UtcNs, state: State) -> list[Path]:
    """The files of a run, written where it is at its end; what can not be written is said, and is no fault of the run."""
    if RunStatus(record.run.status) in ENDED:
        instruments = (state.instruments[line.symbol] for line in state.runs[RunID(record.run.id)].created.targets)
        try:
            write_missing(folder, record, at, zone_of(instruments))
        except BadInput as error:
            voice.say(f"warning: {error}; then write them with `tradeloop export --run {record.run.id}`")
    return written(folder)


async def _show(voice: Voice, queries: Queries, record: Record, files: list[Path], now: int) -> None:
    positions = await queries.positions(account_id=record.run.account_id)
    accounts = await queries.accounts(account_id=record.run.account_id)

    def show(out: object) -> None:
        from rich.console import Console

        assert isinstance(out, Console)
        show_record(out, record, positions, accounts, now)
        if record.run.status == RunStatus.AWAITING_APPROVAL.value:
            out.print(f"the run waits for approval; let it go with: tradeloop runs approve {record.run.id}", soft_wrap=True)
        for path in files:
            out.print(f"file: {path}", soft_wrap=True)

    voice.result(record_document(record, positions, accounts, files, now), show)


def _at_broker(snapshot: BrokerSnapshot) -> dict[str, Decimal]:
    return {each.symbol: Decimal(each.long_qty - each.short_qty) for each in snapshot.positions or ()}
