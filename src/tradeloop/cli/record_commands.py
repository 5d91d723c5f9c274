"""`tradeloop replay`, `verify`, `export`: the journal as evidence."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tradeloop.cli.options import Json, bounded
from tradeloop.cli.seeds import replay_seed
from tradeloop.cli.shell import FAILED, OK, Shell, Voice, perform

if TYPE_CHECKING:
    from rich.console import Console

    from tradeloop.bootstrap import Archive
    from tradeloop.core.state import State


def replay(
    ctx: typer.Context,
    until: Annotated[int | None, bounded("--until", int, 1, about="Stop after this sequence number.")] = None,
    seed: Annotated[
        int | None, bounded("--seed", int, 0, about="Live this seed of the simulated world instead, and print its story.")
    ] = None,
    json: Json = False,
) -> None:
    """Rebuild the state from the journal's first row and print its hash: the same journal always gives the same."""
    if seed is not None:
        if until is not None:
            raise typer.BadParameter("--until was given with --seed; a seed is lived to its end, leave one of them away")
        replay_seed(ctx, seed, json)

    async def work(shell: Shell, voice: Voice) -> int:
        from tradeloop.bootstrap import open_archive

        async with open_archive(shell.load(), fresh_views=False) as archive:
            document = await _replayed(archive, until)
        if until is not None and until > document["seq"]:
            voice.say(f"warning: --until was {until:,}, and the journal ends at sequence number {document['seq']:,}")
        voice.result(document, lambda out: _pairs(out, document))
        return FAILED if document["snapshot"] == "differs" else OK

    perform(ctx, json, work)


def verify(
    ctx: typer.Context,
    journal_only: Annotated[
        bool, typer.Option("--journal-only", help="Leave the read models out, and with them most of the time.")
    ] = False,
    without_witness: Annotated[
        bool,
        typer.Option("--without-witness", help="Accept a journal without the file that saw its end."),
    ] = False,
    json: Json = False,
) -> None:
    """Check every row of the journal against its hash chain, and snapshots and read models against the journal folded anew.

    Exit code 1 where the journal is damaged, the witness of its end is missing, or one of those says something else.
    """

    async def work(shell: Shell, voice: Voice) -> int:
        from tradeloop.bootstrap import open_archive
        from tradeloop.journal.verify import Witness
        from tradeloop.journal.verify import verify as verified
        from tradeloop.views.errors import ViewsFailed

        compared, failed = None, ""
        strange: list[tuple[int, str]] = []
        async with open_archive(shell.load(), fresh_views=False) as archive:
            witnesses = []
            try:
                _, seq = await archive.views.cursor()
                witnesses.append(Witness("the read models", seq))
            except ViewsFailed as error:
                failed = f"the read models could not be asked how far they have seen: {error}"
            report = await verified(archive.reader, witnesses)
            if report.sound:
                strange = await archive.false_snapshots()
            if report.sound and not failed and not journal_only:
                try:
                    compared = await archive.compared()
                except ViewsFailed as error:
                    failed = f"the read models could not be compared: {error}"
        refused = bool(report.unwitnessed) and not without_witness
        document = {
            "sound": report.sound,
            "sentence": report.sentence,
            "batches": report.batches,
            "events": report.events,
            "head": report.head,
            "first_bad_seq": report.first_bad_seq,
            "witnessed": report.sound and not report.unwitnessed,
            "false_snapshots": [{"seq": seq, "sentence": sentence} for seq, sentence in strange],
            "read_models": None
            if compared is None
            else {
                "agree": compared.agree,
                "sentence": compared.sentence,
                "seq": compared.seq,
                "rows": compared.rows,
                "count": compared.count,
                "differences": compared.differences,
            },
        }

        def tell(out: Console) -> None:
            out.print(report.sentence, soft_wrap=True)
            for _, sentence in strange:
                out.print(sentence, soft_wrap=True)
            if compared is not None:
                out.print(compared.sentence, soft_wrap=True)
                for each in compared.differences[1:]:
                    out.print(f"  {each.sentence}", soft_wrap=True)

        voice.result(document, tell)
        if refused:
            voice.say(
                "error: who cut rows off the journal's end would take away or spoil its witness too; find it, or look that the"
                f" newest event, number {report.events:,}, is the one you expect, and accept that with --without-witness"
            )
        if failed:
            voice.say(f"error: {failed}")
        sound = report.sound and not strange and not refused and not failed
        return OK if sound and (compared is None or compared.agree) else FAILED

    perform(ctx, json, work)


def export(
    ctx: typer.Context,
    run: Annotated[str | None, typer.Option("--run", help="The run; otherwise every run.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Folder to write to, with a folder for each run.")] = None,
    json: Json = False,
) -> None:
    """Write the files of a run from the journal, those that are not there; what is there stays."""

    async def work(shell: Shell, voice: Voice) -> int:
        from tradeloop.bootstrap import open_archive
        from tradeloop.cli.record import every

        files: list[Path] = []
        new: list[Path] = []
        async with open_archive(shell.load()) as archive:
            queries = archive.views.queries
            if run is not None:
                ids = [run]
            else:
                ids = [row.id for row in await every(lambda before: queries.runs(before=before, limit=1000))][::-1]
            state = (await archive.recovered()).state
            for run_id in ids:
                there, written = await _exported(archive, state, run_id, out)
                files, new = files + there, new + written

        def show(console: Console) -> None:
            for path in files:
                console.print(f"{'written' if path in new else 'there already'}: {path}", soft_wrap=True)
            if not files:
                console.print("no runs yet")

        voice.result({"artefacts": [str(path) for path in files], "written": [str(path) for path in new]}, show)
        return OK

    perform(ctx, json, work)


async def _exported(archive: Archive, state: State, run_id: str, out: Path | None) -> tuple[list[Path], list[Path]]:
    """The files of a run that are there now, and those that were not before."""
    from dataclasses import replace

    from tradeloop.cli.artefacts import write_missing, written, zone_of
    from tradeloop.cli.record import read_record
    from tradeloop.core.run.conduct import ENDED
    from tradeloop.core.types import RunID, RunStatus, UtcNs

    record = await read_record(archive.views.queries, run_id)
    if RunStatus(record.run.status) in ENDED:
        # The last look at the broker's books is journalled by what it found: where no break stands, they agree with ours.
        theirs = {line.ts_code: line.held_qty for line in record.target_lines()}
        for each in record.breaks:
            symbol, _, direction = each.subject.rpartition(" ")
            if each.kind == "position" and symbol in theirs:
                theirs[symbol] = Decimal(each.theirs) if direction == "long" else -Decimal(each.theirs)
        record = replace(record, at_broker=theirs)
    folder = (out if out is not None else archive.loaded.home.artefacts) / run_id
    zone = zone_of(state.instruments[line.symbol] for line in state.runs[RunID(run_id)].created.targets)
    at = UtcNs(record.run.finished_at or record.run.updated_at)
    new = write_missing(folder, record, at, zone)
    return written(folder), new


async def _replayed(archive: Archive, until: int | None) -> dict[str, Any]:
    from tradeloop.core.evolve import evolve
    from tradeloop.core.state import State
    from tradeloop.engine.clock import stopwatch_ns
    from tradeloop.journal import codec

    began = stopwatch_ns()
    state, batches, counts = State(), 0, dict[str, int]()
    async for row in archive.reader.read():
        if until is not None and row.first_seq > until:
            break
        batches += 1
        for event in codec.decode(row.payload, f"batch {row.batch}"):
            if until is not None and state.seq >= until:
                break
            evolve(state, event)
            counts[type(event).__name__] = counts.get(type(event).__name__, 0) + 1
    seconds = (stopwatch_ns() - began) / 1_000_000_000
    found = state.hash()
    kept = {each.seq: each.state_hash for each in await archive.reader.load_snapshots()}
    return {
        "seq": state.seq,
        "state_hash": found,
        "snapshot": "none at this number" if state.seq not in kept else "agrees" if kept[state.seq] == found else "differs",
        "batches": batches,
        "orders": len(state.orders),
        "open_orders": len(state.orders.open),
        "runs": len(state.runs),
        "open_breaks": len(state.breaks),
        "events": dict(sorted(counts.items())),
        "seconds": f"{seconds:.3f}",
    }


def _pairs(out: Console, document: dict[str, Any]) -> None:
    for name, value in document.items():
        said = ", ".join(f"{key} {count:,}" for key, count in value.items()) if isinstance(value, dict) else value
        out.print(f"{name.replace('_', ' '):<12} {said}", soft_wrap=True)
