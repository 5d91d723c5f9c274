"""What a world keeps its journal on: the disk that plays one (disk.py), or the product's own in SQLite (sqlite.py)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from tradeloop.ports.journal import Batch, Journal
from tradeloop.testing.faults import Fault
from tradeloop.testing.world.loop import VirtualLoop


class ProcessJournal(Journal, Protocol):
    """The Journal port of one process."""

    @property
    def epoch(self) -> int | None:
        """The fencing token it got."""
        ...

    def reader(self) -> Journal:
        """What the past is read with, before the lease is asked for."""
        ...


class Store(Protocol):
    """A database that outlives the processes that use it, and that nobody has to believe."""

    is_lock: bool
    """Whether the lease is a lock that its holder keeps as long as it lives, and not a row that runs out."""
    lets_two_in: bool
    """Whether that lock does not hold: two may have the database open, each thinking that it is alone (F71)."""
    shows_damage_late: bool
    """Whether damage may be noticed as late as when the lease is taken."""
    rows: list[Batch]
    epoch: int
    watch: Callable[..., None]
    """Told of the rows that have become durable together, before anybody else."""
    moment: Callable[[Fault], None]
    broken: Callable[[int, str], None]
    took_over: Callable[[str], None]
    note: Callable[[str, str], None]

    def journal(self, process: str, loop: VirtualLoop) -> ProcessJournal:
        """The journal of one process."""
        ...

    def bereave(self, process: str) -> None:
        """The process is gone."""
        ...

    def fail_over(self) -> list[Batch]:
        """The database fails over and loses its newest commit, whose rows are given; none where it does not."""
        ...

    def flip_a_bit(self) -> bool:
        """A bit goes wrong (F53); whether it did."""
        ...

    def put_back_an_old_one(self) -> bool:
        """An old copy takes its place (F60); whether it did."""
        ...

    @property
    def is_damaged_on_purpose(self) -> bool:
        """Whether no process may start on it."""
        ...

    def mend(self) -> None:
        """The right journal is put back."""
        ...

    def forget_ahead(self) -> bool:
        """A person removes the snapshot that knows more than the journal; whether there was one, by right."""
        ...

    def bytes(self) -> bytes:
        """The whole journal."""
        ...

    def close(self) -> None:
        """The world is over."""
        ...
