"""A map that grows without a pause.

A Python dict is copied whole when it outgrows its table: some 50 ms at a million entries, in one step. 256 small dicts grow one
at a time. What is walked is sorted afterwards, here or by the caller of `parts`, so that the placement (Python's string hash)
can never be seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, Generic, TypeVar

V = TypeVar("V")
_SHARDS: Final = 256
_MASK: Final = _SHARDS - 1


class Shards(Generic[V]):
    """str -> V."""

    __slots__ = ("_parts",)

    def __init__(self) -> None:
        self._parts: list[dict[str, V]] = [{} for _ in range(_SHARDS)]

    def __contains__(self, key: str) -> bool:
        return key in self._parts[hash(key) & _MASK]

    def __len__(self) -> int:
        return sum(map(len, self._parts))

    def __setitem__(self, key: str, value: V) -> None:
        self._parts[hash(key) & _MASK][key] = value

    def update(self, entries: Iterable[tuple[str, V]]) -> None:
        """Put down many: what a snapshot holds, at a third of what each by itself would cost."""
        parts = self._parts
        for key, value in entries:
            parts[hash(key) & _MASK][key] = value

    def get(self, key: str) -> V | None:
        """The value, or None."""
        return self._parts[hash(key) & _MASK].get(key)

    def pop(self, key: str) -> V | None:
        """Remove and return the value, or None."""
        return self._parts[hash(key) & _MASK].pop(key, None)

    def parts(self) -> list[dict[str, V]]:
        """The small dicts, in no order that means anything: for a caller that sorts what it picks."""
        return self._parts

    def items(self) -> Iterator[tuple[str, V]]:
        """Every entry, in the order of its key."""
        merged: dict[str, V] = {}
        for part in self._parts:
            merged.update(part)
        for key in sorted(merged):
            yield key, merged[key]
