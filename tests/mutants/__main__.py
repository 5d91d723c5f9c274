"""`python -m tests.mutants [NAME …]`: plant each bug in a copy of the source, find it, and write docs/reference/proof.md.

Ends with an error when one survives: then the world or its judge is too weak, never the bug too hard.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from tests.mutants.planted import MOST_SEEDS, every
from tests.mutants.proof import load, save
from tests.mutants.search import find


def main(arguments: Iterable[str] | None = None) -> int:
    """Find what was asked for; 0 when nothing survived."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description="Find every planted bug.")
    parser.add_argument("names", nargs="*", help="names or beginnings of names; all when none is given")
    parser.add_argument("--seeds", type=int, default=MOST_SEEDS, help="how many worlds each may take")
    parser.add_argument("--jobs", type=int, default=2, help="how many are sought side by side")
    asked = parser.parse_args(None if arguments is None else [*arguments])
    chosen = [one for one in every() if not asked.names or any(one.name.startswith(name) for name in asked.names)]
    if not chosen:
        parser.error(f"no planted bug is called {' or '.join(asked.names)}; known are {', '.join(m.name for m in every())}")
    known = load()
    survived = []
    with ThreadPoolExecutor(asked.jobs) as pool:
        for mutant, found in zip(chosen, pool.map(lambda one: find(one, asked.seeds), chosen), strict=True):
            if found is None:
                survived.append(mutant.name)
                known.pop(mutant.name, None)
                print(f"{mutant.name}: SURVIVED {asked.seeds} seeds; make the world or its judge stronger", flush=True)
            else:
                known[mutant.name] = found
                print(f"{mutant.name}: invariant {found.invariant}, seed {found.seed}, {found.seconds} s", flush=True)
    save(known)
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main())
