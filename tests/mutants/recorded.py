"""`python -m tests.mutants.recorded TALLY`: put a long count of worlds (`prove --tally TALLY`) into the repository.

The figures of docs/reference/proof.md come from tests/sim/recorded.toml alone, and that file from a tally. A tally is of one
code: the commit that is written beside its figures has to be one whose program has the tally's hash.
"""

from __future__ import annotations

import argparse
import io
import subprocess
import sys
import tarfile
import tomllib
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Final

import msgspec
from tests.mutants.planted import ROOT

from tradeloop.core.types import SECOND_NS
from tradeloop.testing.tally import Kept

FILE: Final = ROOT / "tests/sim/recorded.toml"
PACKAGE: Final = "src/tradeloop"
HEAD: Final = """# A long run of the simulated worlds, copied from its tally by `python -m tests.mutants.recorded TALLY`, which
# writes docs/reference/proof.md, too. Not edited by hand.
"""


class Recorded(msgspec.Struct, frozen=True):
    """What a long run came to; nothing of it depends on the machine that lived it."""

    commit: str
    code: str
    """SHA-256 of the program, file by file (testing/tally.py)."""
    start: int
    """The first seed."""
    seeds: int
    jobs: int
    broken: list[int]
    """The seeds that broke an invariant, or fell over."""
    crashes: int
    trades: int
    events: int
    virtual_hours: int
    accepted: int
    """Orders of ours that brokers took, and those of them that traded; then those that were denied here."""
    filled: int
    denied: int
    faults_met: int
    on_sqlite: int
    skipped: int

    @property
    def command(self) -> str:
        """What lives the same worlds again."""
        return f"python -m tradeloop.testing.prove --seeds {self.seeds} --from {self.start} --jobs {self.jobs}"


def load(path: Path = FILE) -> Recorded | None:
    """The recorded run; None where none is."""
    if not path.exists():
        return None
    return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), Recorded)


def save(run: Recorded, path: Path = FILE) -> None:
    """Keep it, one figure a line."""
    fields = msgspec.to_builtins(run)
    lines = [f'{name} = "{value}"' if isinstance(value, str) else f"{name} = {value}" for name, value in fields.items()]
    path.write_text(HEAD + "\n".join(lines) + "\n", encoding="utf-8")


def from_tally(kept: Kept, commit: str, jobs: int) -> Recorded:
    """The figures of a tally. Raises ValueError where it is of other code than the commit's, or holds no seed."""
    tally = kept.tally
    if not tally.seeds:
        raise ValueError("the tally has lived no seed; expected one at least")
    found = code_of(commit)
    if found != kept.code:
        raise ValueError(
            f"the tally is of code {kept.code[:12]}, commit {commit[:12]} has {found[:12]}; name the commit that was lived "
            "with --commit"
        )
    return Recorded(
        commit=commit,
        code=kept.code,
        start=kept.start,
        seeds=tally.seeds,
        jobs=jobs,
        broken=tally.failed,
        crashes=tally.crashes,
        trades=tally.trades,
        events=tally.events,
        virtual_hours=tally.virtual_ns // (3600 * SECOND_NS),
        accepted=tally.dealt.accepted,
        filled=tally.dealt.filled,
        denied=tally.dealt.denied,
        faults_met=len(tally.met),
        on_sqlite=tally.on_sqlite,
        skipped=tally.skipped,
    )


def code_of(commit: str) -> str:
    """SHA-256 of the program of a commit, as testing/tally.py takes it of the program that runs."""
    archive = _git("archive", "--format=tar", commit, PACKAGE)
    whole = sha256()
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        sources = {
            PurePosixPath(each.name).relative_to(PACKAGE): files.extractfile(each)
            for each in files
            if each.isfile() and each.name.endswith(".py")
        }
        for path, content in sorted(sources.items()):
            assert content is not None
            whole.update(str(path).encode() + b"\0" + content.read() + b"\0")
    return whole.hexdigest()


def _git(*arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=True, timeout=60).stdout


def section(run: Recorded) -> str:
    """The part of the page that tells of it."""
    broken = f"{len(run.broken)}" + (f" ({', '.join(map(str, run.broken[:20]))})" if run.broken else "")
    rows = {
        "commit": f"`{run.commit}`",
        "command": f"`{run.command}`",
        "seeds": f"{run.seeds:,}, from {run.start:,} on",
        "jobs": f"{run.jobs}",
        "seeds broken": broken,
        "crashes": f"{run.crashes:,}",
        "trades at the venues": f"{run.trades:,}",
        "events in the journals": f"{run.events:,}",
        "virtual hours": f"{run.virtual_hours:,}",
        "orders of ours": f"{run.accepted:,} accepted, {run.filled:,} of them filled in part or whole, {run.denied:,} denied",
        "faults met": f"{run.faults_met}",
        "seeds on the product's journal in SQLite": f"{run.on_sqlite:,}",
        "of these lived elsewhere for want of SQLite's C interface": f"{run.skipped:,}",
    }
    return (
        "\n## A recorded run\n\n"
        "Worlds lived one after another on one commit. The same command on it counts the same on every machine with the same\n"
        "SQLite, for nothing here is a time that passed. `tests/sim/recorded.toml` holds the figures, copied from the tally\n"
        "of the run (`prove --tally FILE`) by `python -m tests.mutants.recorded FILE`.\n\n"
        "| what | figure |\n|---|---|\n" + "\n".join(f"| {name} | {figure} |" for name, figure in rows.items()) + "\n"
    )


def main() -> int:
    """Copy a tally; 0 when it is on the page."""
    from tests.mutants import proof  # the page has this section, and this command writes the page

    parser = argparse.ArgumentParser(prog="python -m tests.mutants.recorded", description="Record a long run of worlds.")
    parser.add_argument("tally", type=Path, help="the file that `prove --tally` kept")
    parser.add_argument("--commit", default="HEAD", help="the commit that was lived")
    parser.add_argument("--jobs", type=int, default=1, help="how many processes lived them")
    asked = parser.parse_args()
    try:
        kept = msgspec.json.decode(asked.tally.read_bytes(), type=Kept)
        commit = _git("rev-parse", "--verify", f"{asked.commit}^{{commit}}").decode().strip()
        save(from_tally(kept, commit, asked.jobs))
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    proof.save(proof.load())
    return 0


if __name__ == "__main__":
    sys.exit(main())
