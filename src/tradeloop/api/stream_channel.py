"""One topic of the stream: its deltas, numbered one by one, and the newest of them for whoever comes back.

A document is encoded once, whoever it is sent to. A topic that nobody watches is asleep: what changes is counted and not
rendered, so that a desk nobody looks at pays nothing for the stream.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, Protocol

import msgspec

from tradeloop.core.types import SECOND_NS

Pieces = dict[str, bytes]
"""Encoded documents by their key."""

KEPT_MAX: Final = 2_000
KEPT_BYTES_MAX: Final = 8 * 1024 * 1024
"""Deltas that are kept for whoever lost the connection, and what they may come to."""

DOCUMENTS_MAX: Final = 100
"""Documents in one frame."""

AWAKE_NS: Final = 300 * SECOND_NS
"""How long deltas are kept after nobody watches any more."""


class Delta(msgspec.Struct, frozen=True):
    """One of them, with its frame."""

    n: int
    put: Pieces
    drop: tuple[str, ...]
    frame: str


class Watcher(Protocol):
    """Whoever watches a topic."""

    def offer(self, frame: str) -> None:
        """Take a frame that must not be left out; raises nothing."""
        ...


class Channel:
    """One topic. `number_of_drop`: whether the keys are numbers, and are dropped as such."""

    def __init__(self, name: str, *, keys_are_numbers: bool = False) -> None:
        self.name = name
        self.n = 0
        self.watchers: dict[Watcher, None] = {}
        self._keys_are_numbers = keys_are_numbers
        self._kept: deque[Delta] = deque()
        self._bytes = 0
        self._awake_until = 0

    def wake(self, elapsed: int) -> None:
        """Somebody wants to know: keep deltas from now on."""
        self._awake_until = elapsed + AWAKE_NS

    def is_awake(self, elapsed: int) -> bool:
        """Whether deltas are to be rendered."""
        if self.watchers:
            self.wake(elapsed)
        return elapsed < self._awake_until

    def skip(self) -> None:
        """Something changed that nobody is told of: whoever comes back has a snapshot."""
        self.n += 1
        self._kept.clear()
        self._bytes = 0

    def tell(self, seq: int, put: Pieces, drop: Iterable[str] = ()) -> None:
        """Number a change, and give it to everybody who watches; a large one is several deltas."""
        gone = tuple(drop)
        for part in _parts(put):
            self._tell(seq, part, gone)
            gone = ()
        if gone:
            self._tell(seq, {}, gone)

    def after(self, n: int) -> list[Delta] | None:
        """What came after number `n`; None where that is not known any more, or never was."""
        if n == self.n:
            return []
        if n > self.n or not self._kept or self._kept[0].n > n + 1:
            return None
        return [delta for delta in self._kept if delta.n > n]

    def laid_over(self, found: Pieces, n: int) -> Pieces | None:
        """What was read while number `n` was the newest, as it is now; None where too much came meanwhile."""
        since = self.after(n)
        if since is None:
            return None
        now = dict(found)
        for delta in since:
            now.update(delta.put)
            for key in delta.drop:
                now.pop(key, None)
        return now

    def snapshot(self, pieces: Mapping[str, bytes], because: str) -> Iterator[str]:
        """The frames of a snapshot as of now."""
        parts = list(_parts(dict(pieces))) or [{}]
        for number, part in enumerate(parts, start=1):
            yield (
                f'{{"t":"snapshot","topic":"{self.name}","n":{self.n},"part":{number},"last":{_json(number == len(parts))},'
                f'"because":"{because}","items":[{_joined(part)}]}}'
            )

    def _tell(self, seq: int, put: Pieces, drop: tuple[str, ...]) -> None:
        self.n += 1
        gone = ",".join(drop if self._keys_are_numbers else map(_json, drop))
        frame = f'{{"t":"delta","topic":"{self.name}","n":{self.n},"seq":{seq},"put":[{_joined(put)}],"drop":[{gone}]}}'
        self._kept.append(Delta(self.n, put, drop, frame))
        self._bytes += len(frame)
        while len(self._kept) > KEPT_MAX or self._bytes > KEPT_BYTES_MAX:
            self._bytes -= len(self._kept.popleft().frame)
        for watcher in tuple(self.watchers):
            watcher.offer(frame)


def _parts(put: Pieces) -> Iterator[Pieces]:
    keys = list(put)
    for start in range(0, len(keys), DOCUMENTS_MAX):
        yield {key: put[key] for key in keys[start : start + DOCUMENTS_MAX]}


def _joined(put: Mapping[str, bytes]) -> str:
    return b",".join(put.values()).decode()


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
