"""Bugs planted on purpose: each a small patch on the real code, with the invariant that has to name it.

A patch opens with a header, one `Key: value` a line, continued by indented lines:

    Breaks:     what the product does wrong with it
    Invariant:  the numbers of the invariants (src/tradeloop/testing/checkers.py) of which one has to be named
    Loses:      the promise that a user loses
    Stands-for: (optional) why this is the nearest thing, where the product has no such part
    Lived:      (optional) "twice" where one process alone cannot tell: two live each seed, under different PYTHONHASHSEED

It is planted in a copy of `src/`, and simulated worlds are lived on that copy until one breaks the invariant.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

import msgspec

ROOT: Final = Path(__file__).resolve().parents[2]
PATCHES: Final = Path(__file__).parent
MOST_SEEDS: Final = 2_000
"""Within so many worlds each of them has to be found."""

_KEY = re.compile(r"([A-Z][a-z-]+):\s+(.*)")


class Mutant(msgspec.Struct, frozen=True):
    """One planted bug."""

    name: str
    breaks: str
    invariants: tuple[int, ...]
    loses: str
    stands_for: str
    twice: bool
    patch: Path


def every() -> list[Mutant]:
    """All of them, in the order of their numbers."""
    return [read(patch) for patch in sorted(PATCHES.glob("*.patch"))]


def read(patch: Path) -> Mutant:
    """The mutant of a patch. Raises ValueError naming the line of its header that is missing."""
    fields: dict[str, str] = {}
    key = ""
    for line in patch.read_text(encoding="utf-8").splitlines():
        if line.startswith("--- "):
            break
        if found := _KEY.fullmatch(line):
            key = found.group(1)
            fields[key] = found.group(2)
        elif line.startswith(" ") and key:
            fields[key] += f" {line.strip()}"
    for wanted in ("Breaks", "Invariant", "Loses"):
        if not fields.get(wanted):
            raise ValueError(f"{patch.name}: expected a line '{wanted}: …' above the first '---'; was none")
    return Mutant(
        name=patch.stem,
        breaks=fields["Breaks"],
        invariants=tuple(int(number) for number in fields["Invariant"].split(",")),
        loses=fields["Loses"],
        stands_for=fields.get("Stands-for", ""),
        twice=fields.get("Lived") == "twice",
        patch=patch,
    )


def does_not_apply(mutant: Mutant, root: Path = ROOT) -> str:
    """Why the patch does not apply to the present code; empty when it does."""
    return _git_apply(mutant.patch, root, "--check")


def plant(mutant: Mutant, into: Path) -> Path:
    """A copy of the source with the bug in it. Raises ValueError when the patch does not apply."""
    source = into / "src"
    shutil.copytree(ROOT / "src", source, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "deploy", into / "deploy")  # the patches that make a database lie beside the source
    trouble = _git_apply(mutant.patch, into)
    if trouble:
        raise ValueError(f"{mutant.patch.name} does not apply: {trouble}; make it anew for the code as it is")
    return source


def _git_apply(patch: Path, root: Path, *options: str) -> str:
    ran = subprocess.run(
        ["git", "apply", *options, str(patch)],
        cwd=root,
        env={**os.environ, "GIT_CEILING_DIRECTORIES": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    return ran.stderr.strip()
