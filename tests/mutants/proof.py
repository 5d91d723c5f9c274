"""What the search for planted bugs came to, kept beside the patches, and the page that shows it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec
from tests.mutants import recorded
from tests.mutants.planted import MOST_SEEDS, PATCHES, ROOT, Mutant, every

KEPT: Final = PATCHES / "found.json"
PAGE: Final = ROOT / "docs/reference/proof.md"

HEAD: Final = f"""# What the simulation is able to find

A proof that finds nothing says little until it is shown to find what is there. Each row is a bug planted on purpose in the
real code, a small patch in `tests/mutants/`, and the first simulated world in which the judge names it. The bound is
{MOST_SEEDS:,} worlds. The same seed keeps every invariant on the sound code.

The starred invariants are also asserted while real money trades: `engine/invariants.py` refuses a fact that would break one
before it is recorded, stops the process, and says in a table which rule holds which invariant.

`python -m tests.mutants` plants and finds them all anew and writes this page; `make test` checks that every patch still fits
the code, and finds some of them.

| bug | what it breaks | invariant | seed | worlds tried | seconds |
|---|---|---|---|---|---|
"""

INVARIANTS: Final = """
## What each would have cost

The numbers of the invariants are those of `testing/checkers.py`; a user loses:

"""


class Found(msgspec.Struct, frozen=True):
    """A planted bug that was found: by which seed, after how many worlds, and which invariant named it."""

    name: str
    seed: int
    tried: int
    invariant: int
    seconds: float


def load(path: Path = KEPT) -> dict[str, Found]:
    """What is known, by name."""
    if not path.exists():
        return {}
    return {found.name: found for found in msgspec.json.decode(path.read_bytes(), type=list[Found])}


def save(known: dict[str, Found]) -> None:
    """Keep it, and write the page."""
    mutants = every()
    kept = [known[mutant.name] for mutant in mutants if mutant.name in known]
    KEPT.write_bytes(msgspec.json.format(msgspec.json.encode(kept), indent=1) + b"\n")
    PAGE.write_text(page(mutants, known, recorded.load()), encoding="utf-8")


def page(mutants: list[Mutant], known: dict[str, Found], run: recorded.Recorded | None = None) -> str:
    """The page of all planted bugs, and of the long run where one is recorded."""
    rows, losses = [], []
    for mutant in mutants:
        found = known.get(mutant.name)
        shown = (
            "| not found | | |"
            if found is None
            else f"| {found.invariant} | {found.seed} | {found.tried} | {found.seconds:g} |"
        )
        rows.append(f"| {_title(mutant)} | {mutant.breaks} {shown}")
        losses.append(f"- **{_title(mutant)}**: {mutant.loses}." + (f" {mutant.stands_for}" if mutant.stands_for else ""))
    lived = "" if run is None else recorded.section(run)
    return HEAD + "\n".join(rows) + "\n" + lived + INVARIANTS + "\n".join(losses) + "\n"


def _title(mutant: Mutant) -> str:
    """`01_send_before_journal` as people read it."""
    return mutant.name.split("_", 1)[1].replace("_", " ")
