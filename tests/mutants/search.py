"""The search: plant a bug in a copy of the source and live worlds on it, in processes of their own, until it is named.

A bug is found by the first seed that breaks an invariant its header names, and keeps all of these on the sound source.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import msgspec
from tests.mutants.planted import MOST_SEEDS, ROOT, Mutant, plant
from tests.mutants.proof import Found
from tests.mutants.seek import Sighting

SECONDS_PER_SEED: Final = 2
"""No ordinary world takes longer on a slow machine; one that does hangs."""
DETERMINISM: Final = 32
"""The invariant that the same happenings give the same journal."""
COMPARED_AT_ONCE: Final = 20
"""Seeds that two processes live before their journals are compared."""


def find(mutant: Mutant, seeds: int = MOST_SEEDS) -> Found | None:
    """The first seed that names the bug; None when it survives."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix=f"mutant_{mutant.name}_") as folder:
        source = plant(mutant, Path(folder))
        sighting = _differing(source, seeds) if mutant.twice else _sought(source, mutant, seeds)
    if sighting is None or sighting.seed is None:
        return None
    return Found(mutant.name, sighting.seed, sighting.tried, sighting.invariant, round(time.monotonic() - began, 1))


def _sought(source: Path, mutant: Mutant, seeds: int) -> Sighting | None:
    """Live worlds until one breaks an invariant of the mutant that the sound source keeps in the same world."""
    start = 0
    while start < seeds:
        seen = _lives(source, mutant, start, seeds - start)
        if seen.seed is None:
            return None
        sound = _lives(ROOT / "src", mutant, seen.seed, 1)
        if sound.seed is None:
            return msgspec.structs.replace(seen, tried=seen.seed + 1)
        start = seen.seed + 1
    return None


def _lives(source: Path, mutant: Mutant, start: int, seeds: int) -> Sighting:
    wanted = ",".join(map(str, mutant.invariants))
    said = _worker(source, seeds, "--from", start, "--seeds", seeds, "--invariants", wanted)
    return msgspec.json.decode(said.splitlines()[-1], type=Sighting)


def _differing(source: Path, seeds: int) -> Sighting | None:
    """Live each seed in two processes that hash differently, until their journals differ there and not on the sound source."""
    for start in range(0, seeds, COMPARED_AT_ONCE):
        for seed in _lived_differently(source, start, min(COMPARED_AT_ONCE, seeds - start)):
            if not _lived_differently(ROOT / "src", seed, 1):
                return Sighting(seed, seed + 1, DETERMINISM, "two processes lived it differently")
    return None


def _lived_differently(source: Path, start: int, seeds: int) -> list[int]:
    asked = ("--from", start, "--seeds", seeds, "--journals")
    one, other = (_worker(source, seeds, *asked, hash_seed=hash_seed).splitlines() for hash_seed in ("1", "4242"))
    return [start + index for index, (here, there) in enumerate(zip(one, other, strict=True)) if here != there]


def _worker(source: Path, seeds: int, *arguments: object, hash_seed: str = "0") -> str:
    """What a search in a process of its own says. Raises ValueError with its last words when it broke."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.mutants.seek", *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{source}{os.pathsep}{ROOT}", "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=False,
        timeout=60 + SECONDS_PER_SEED * seeds,
    )
    if ran.returncode:
        raise ValueError(f"the search on {source} broke: {ran.stderr.strip()[-2000:]}")
    return ran.stdout
