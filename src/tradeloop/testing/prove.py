"""`python -m tradeloop.testing.prove --seeds 2000`: live many worlds, and show what they met.

Prints how many seeds, crashes, trades and virtual hours there were, which faults struck how often, and every violation with
the command that lives its seed again. A world that falls over is a failed seed, too, and the others are lived all the same.
Ends with an error when a seed failed, when enough seeds were lived and a fault has never struck (a fault that cannot happen
proves nothing), and when our own orders hardly traded. `--tally FILE` keeps a long count, and goes on with it.
"""

from __future__ import annotations

import argparse
import gc
import sys
import traceback
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Final

import msgspec

from tradeloop.core.errors import BadInput
from tradeloop.core.types import SECOND_NS
from tradeloop.engine.clock import stopwatch_ns
from tradeloop.testing.faults import Fault
from tradeloop.testing.tally import Kept, Tally, keep, kept_in
from tradeloop.testing.world.life import Outcome, fallen, live
from tradeloop.testing.world.sqlite import why_not

EVERY_FAULT_FROM: Final = 2_000
"""So many seeds have to meet every fault."""
SHOWN: Final = 3
"""Failing seeds whose whole story is printed; of the others the violations."""
DIGITS_MAX: Final = 18
"""Of a first seed: it and every seed after it fit the count that is kept (tally.py)."""
CLEANED_EVERY: Final = 50
"""Seeds between two collections of what dead processes leave."""


def story(outcome: Outcome) -> Iterator[str]:
    """One line per event in fixed columns: virtual seconds, a mark, and what happened.

    `!` something broke, `^` it came back, `X` an invariant did not hold, blank a fact of the journal.
    """
    broken = [(found.at_ns, "X", f"invariant {found.invariant}: {found.text}") for found in outcome.violations]
    for at_ns, mark, text in sorted([*outcome.lines, *broken], key=lambda line: line[0]):
        yield f"{at_ns / SECOND_NS:10.3f} {mark} {text.rstrip()}"


def replay_command(seed: int) -> str:
    """What lives a seed again."""
    return f"tradeloop replay --seed {seed}"


def lived(seeds: Iterable[int], jobs: int = 1) -> Iterator[Outcome]:
    """The seeds' outcomes, in the order of the seeds; the story is kept of those alone that failed."""
    if jobs == 1:
        yield from map(_live_one, seeds)
        return
    with get_context("spawn").Pool(jobs) as pool:
        yield from pool.imap(_live_one, seeds, chunksize=8)


def _live_one(seed: int) -> Outcome:
    with ThreadPoolExecutor(1) as thread:
        its = thread.submit(live, seed)
        error = its.exception()  # whatever it is: it is told with its seed, and fails the run
    outcome = its.result() if error is None else fallen(seed, "".join(traceback.format_exception(error)))
    if seed % CLEANED_EVERY == 0:
        gc.unfreeze()
        gc.collect()
    return outcome if outcome.is_broken else msgspec.structs.replace(outcome, lines=[])


def main(arguments: Sequence[str] | None = None) -> int:
    """Live the seeds that were asked for; 0 when nothing was broken."""
    asked = _parsed(arguments)
    try:
        kept = Kept("", asked.start) if asked.tally is None else kept_in(asked.tally, asked.start)
    except BadInput as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    tally, shown, say = kept.tally, 0, sys.stdout.write
    began, before = stopwatch_ns(), kept.seconds
    for outcome in lived(range(asked.start + tally.seeds, asked.start + asked.seeds), asked.jobs):
        tally.add(outcome)
        if outcome.fell_over:
            last_words = outcome.fell_over.strip().splitlines()[-1]
            say(f"\nseed {outcome.seed}: the world fell over: {last_words}; live it again: {replay_command(outcome.seed)}\n")
            say(outcome.fell_over)
        if outcome.violations:
            shown += 1
            say(f"\nseed {outcome.seed} broke {len(outcome.violations)} times; live it again: {replay_command(outcome.seed)}\n")
            if shown <= SHOWN:
                say("\n".join(story(outcome)) + "\n")
            for found in islice(outcome.violations, SHOWN):
                say(f"  invariant {found.invariant} at {found.at_ns / SECOND_NS:.3f} s: {found.text}\n")
        if tally.seeds % 500 == 0:
            say(f"{tally.seeds} seeds lived, {len(tally.failed)} broken\n")
            sys.stdout.flush()
            _keep(asked.tally, kept, before, began)
    seconds = _keep(asked.tally, kept, before, began)
    say("\n".join(summary(tally, seconds)) + "\n")
    missing = tally.never_met if tally.seeds >= EVERY_FAULT_FROM else []
    for fault in missing:
        say(f"{fault.number} {fault.name} has not struck in {tally.seeds} seeds; expected every fault to be met\n")
    for why in tally.idle:
        say(f"{why}\n")
    return 1 if tally.failed or missing or tally.idle else 0


def _keep(path: Path | None, kept: Kept, before: float, began: int) -> float:
    """Put the count down where one is kept; the seconds it has taken."""
    kept.seconds = round(before + (stopwatch_ns() - began) / SECOND_NS, 1)
    if path is not None:
        keep(path, kept)
    return kept.seconds


def summary(tally: Tally, seconds: float) -> Iterator[str]:
    """What was lived, what was met, what was broken."""
    hours = tally.virtual_ns / SECOND_NS / 3600
    yield (
        f"{tally.seeds} seeds, {tally.crashes} crashes, {tally.trades} trades, {tally.events} events, "
        f"{hours:.1f} virtual hours, in {seconds:.0f} s ({tally.seeds / max(seconds, 0.001):.1f} seeds/s)"
    )
    for whose, dealt in (("orders of ours", tally.dealt), ("of these made after the faults stopped", tally.late)):
        yield f"{whose}: {dealt.accepted} accepted, {dealt.filled} filled, {dealt.denied} denied"
    yield f"{tally.on_sqlite} of them on the product's journal in SQLite (journal/sql.py), the others on one that plays it"
    if tally.skipped:
        yield f"SKIPPED: {tally.skipped} seeds belong on SQLite and lived on the other instead: {why_not()}"
    yield "seeds that met each fault:"
    for fault in Fault:
        number, sentence = fault.value.split(" ", 1)
        yield f"  {number:<4} {tally.met.get(fault.name, 0):>6}  {sentence}"
    yield f"invariants broken: in {len(tally.failed)} seeds {' '.join(map(str, tally.failed[:20]))}".rstrip()


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tradeloop.testing.prove", description="Live many simulated worlds.")
    parser.add_argument("--seeds", type=_positive, default=200, help="how many worlds")
    parser.add_argument("--from", dest="start", type=_seed, default=0, help="the first seed")
    parser.add_argument("--tally", type=Path, help="a file that keeps the count: broken off, the same command goes on with it")
    parser.add_argument("--jobs", type=_positive, default=1, help="processes that live them")
    return parser.parse_args(arguments)


def _seed(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= DIGITS_MAX):
        raise argparse.ArgumentTypeError(
            f"was {text[:40]!r}; expected a whole number of 0 or more, of {DIGITS_MAX} digits at most"
        )
    return int(text)


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"was {text!r}; expected a number of at least 1")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
