"""`tradeloop replay --seed N`: one life of the simulated world, told line by line."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NoReturn

from tradeloop.cli.shell import FAILED, OK, Shell, Voice, perform

if TYPE_CHECKING:
    import typer
    from rich.console import Console

    from tradeloop.testing.world.life import Outcome


def replay_seed(ctx: typer.Context, seed: int, json: bool) -> NoReturn:
    """Live the seed again and print what happened; exit code 1 when an invariant did not hold."""

    async def work(_: Shell, voice: Voice) -> int:
        from tradeloop.testing.world.life import live

        # In a thread of its own: a world brings its own event loops.
        outcome = await asyncio.to_thread(live, seed)
        voice.result(_document(outcome), lambda out: _told(out, outcome))
        return FAILED if outcome.violations else OK

    perform(ctx, json, work)


def _document(outcome: Outcome) -> dict[str, object]:
    return {
        "seed": outcome.seed,
        "violations": [
            {"invariant": found.invariant, "at_ns": found.at_ns, "text": found.text} for found in outcome.violations
        ],
        "faults_met": {fault.name: count for fault, count in outcome.met.items()},
        "crashes": outcome.crashes,
        "trades": outcome.trades,
        "events": outcome.events,
        "virtual_ns": outcome.virtual_ns,
        "journal_sha256": outcome.journal,
        "state_hash": outcome.state,
        "lines": [{"at_ns": at_ns, "mark": mark.strip(), "text": text.rstrip()} for at_ns, mark, text in outcome.lines],
    }


def _told(out: Console, outcome: Outcome) -> None:
    from tradeloop.testing.prove import story

    for line in story(outcome):
        out.print(line, soft_wrap=True)
    met = ", ".join(fault.number for fault in outcome.met)
    out.print(
        f"seed {outcome.seed}: {outcome.crashes} crashes, {outcome.trades} trades, {outcome.events} events,"
        f" faults met {met or 'none'}",
        soft_wrap=True,
    )
    out.print(f"journal {outcome.journal}", soft_wrap=True)
    out.print(f"state   {outcome.state}", soft_wrap=True)
    broken = len(outcome.violations)
    out.print("no invariant was broken" if not broken else f"{broken} times an invariant was broken", soft_wrap=True)
