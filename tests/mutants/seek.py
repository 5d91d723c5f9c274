"""`python -m tests.mutants.seek`: live worlds on the source that PYTHONPATH names, until one breaks a wanted invariant.

The worker of the search: one JSON object on its last line of output. `--journals` prints the SHA-256 of each seed's journal
instead, for the comparison of two processes.
"""

from __future__ import annotations

import argparse
import sys

import msgspec

from tradeloop.testing.world.life import live


class Sighting(msgspec.Struct, frozen=True):
    """What the search came to: the first seed that broke a wanted invariant, None when none did."""

    seed: int | None
    tried: int
    invariant: int = 0
    text: str = ""


def seek(seeds: range, wanted: tuple[int, ...]) -> Sighting:
    """Live the seeds in turn, until one breaks one of the invariants."""
    for tried, seed in enumerate(seeds, start=1):
        for found in live(seed).violations:
            if found.invariant in wanted:
                return Sighting(seed, tried, found.invariant, found.text)
    return Sighting(None, len(seeds))


def main() -> None:
    """Do what the command line asks."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants.seek")
    parser.add_argument("--from", dest="start", type=int, default=0)
    parser.add_argument("--seeds", type=int, required=True)
    parser.add_argument("--invariants", default="")
    parser.add_argument("--journals", action="store_true")
    asked = parser.parse_args()
    seeds = range(asked.start, asked.start + asked.seeds)
    if asked.journals:
        for seed in seeds:
            sys.stdout.write(f"{live(seed).journal}\n")
        return
    wanted = tuple(int(number) for number in asked.invariants.split(","))
    sys.stdout.write(msgspec.json.encode(seek(seeds, wanted)).decode() + "\n")


if __name__ == "__main__":
    main()
