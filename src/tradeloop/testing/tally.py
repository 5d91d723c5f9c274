"""What many simulated worlds came to, and how a long count is kept, so that one may be broken off and gone on with.

A kept count is of one code: the hash of all of it stands in the file, and worlds of other code are not counted with them.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec

import tradeloop
from tradeloop.core.errors import BadInput
from tradeloop.testing.dealt import Dealt
from tradeloop.testing.faults import OF_SQLITE, Fault
from tradeloop.testing.world.life import Outcome
from tradeloop.testing.world.sqlite import lives_on_sqlite

JUDGED_FROM: Final = 100
"""So many seeds have to show a desk that trades."""
ACCEPTED_MIN: Final = 2
"""Orders of ours that brokers accept in a seed, on average: 349 seeds had 4.9, and no 50 of them in a row
fewer than 4.2. A desk that denies what it should take falls to none."""
LATE_FROM: Final = 200
"""So many have to show one that trades when the faults have stopped: of these 349 no 50 in a row were without such an order."""


class Tally(msgspec.Struct):
    """What many seeds came to."""

    seeds: int = 0
    crashes: int = 0
    trades: int = 0
    events: int = 0
    virtual_ns: int = 0
    on_sqlite: int = 0
    """Those that lived on the product's own journal in SQLite."""
    skipped: int = 0
    """Those that should have and could not, on this machine."""
    dealt: Dealt = msgspec.field(default_factory=Dealt)
    """What became of our own orders."""
    late: Dealt = msgspec.field(default_factory=Dealt)
    """And of those that were made after the faults had stopped."""
    met: dict[str, int] = {}
    failed: list[int] = []

    def add(self, outcome: Outcome) -> None:
        """Count one seed."""
        self.seeds += 1
        self.crashes += outcome.crashes
        self.trades += outcome.trades
        self.events += outcome.events
        self.virtual_ns += outcome.virtual_ns
        self.dealt.add(outcome.dealt)
        self.late.add(outcome.late)
        self.on_sqlite += outcome.on_sqlite
        self.skipped += lives_on_sqlite(outcome.seed) and not outcome.on_sqlite
        for fault in outcome.met:
            self.met[fault.name] = self.met.get(fault.name, 0) + 1
        if outcome.is_broken:
            self.failed.append(outcome.seed)

    @property
    def idle(self) -> list[str]:
        """Why these seeds prove little although nothing broke: a desk that hardly trades."""
        why = []
        if self.seeds >= JUDGED_FROM and self.dealt.accepted < ACCEPTED_MIN * self.seeds:
            why.append(
                f"brokers accepted {self.dealt.accepted} orders of ours in {self.seeds} seeds; expected {ACCEPTED_MIN} a seed "
                "at least, for a desk that does not trade proves nothing"
            )
        if self.seeds >= LATE_FROM and not self.late.accepted:
            why.append(
                f"of our orders that were made after the faults had stopped none was accepted in {self.seeds} seeds, and "
                f"{self.late.denied} were denied; expected some to trade"
            )
        return why

    @property
    def never_met(self) -> list[Fault]:
        """The faults that no seed has met, though it could."""
        cannot = OF_SQLITE if self.skipped else ()
        return [fault for fault in Fault if fault.name not in self.met and fault not in cannot]


class Kept(msgspec.Struct):
    """A count in a file: of which code, from which seed on, and how many seconds its worlds took."""

    code: str
    start: int
    seconds: float = 0
    tally: Tally = msgspec.field(default_factory=Tally)


def code_hash() -> str:
    """SHA-256 of the program, file by file."""
    package = Path(tradeloop.__file__).parent
    whole = sha256()
    for path in sorted(package.rglob("*.py")):
        whole.update(str(path.relative_to(package)).encode() + b"\0" + path.read_bytes() + b"\0")
    return whole.hexdigest()


def kept_in(path: Path, start: int) -> Kept:
    """The count to go on with; a new one where there is no file. Raises BadInput where it is of something else."""
    code = code_hash()
    if not path.exists():
        return Kept(code, start)
    try:
        kept = msgspec.json.decode(path.read_bytes(), type=Kept)
    except msgspec.MsgspecError as error:
        raise BadInput(f"{path} holds no tally ({error}); name another file") from None
    if (kept.code, kept.start) != (code, start):
        of = f"other code ({kept.code[:12]}, not {code[:12]})" if kept.code != code else f"seeds from {kept.start} on"
        raise BadInput(f"the tally in {path} is of {of}; name another file, or count on with what it is of")
    return kept


def keep(path: Path, kept: Kept) -> None:
    """Put the count down, whole or not at all."""
    part = path.with_name(path.name + ".part")
    part.write_bytes(msgspec.json.format(msgspec.json.encode(kept), indent=1) + b"\n")
    part.replace(path)
