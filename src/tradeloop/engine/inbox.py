"""One bounded queue before the writer. Full means say no: nothing is dropped, nothing is unbounded.

Commands wait for their reply; reports come without one. Quotes are conflated: only the newest of a symbol waits, because a
price that has been overtaken is of no use to a decision; how far the market went meanwhile stays with it, for the stops.
A command that could not be decided or recorded is refused here, before it shares a batch with anybody (core/checked.py).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from tradeloop.core.checked import checked_command
from tradeloop.core.commands import Command
from tradeloop.core.errors import BadInput, NotSent
from tradeloop.core.inputs import Input, Start
from tradeloop.core.replies import Reply
from tradeloop.core.reports import Quote, Report
from tradeloop.core.types import Px, Symbol

INBOX_MAX: Final = 100_000
"""Inputs that may wait. At the slowest measured rate of the writer this is a few seconds of work."""

Waiting = tuple[Input, "asyncio.Future[Reply] | None"]


class InboxFull(NotSent):
    """The writer is too far behind; the request was not taken and may be made again."""


class Inbox:
    """What waits for the writer, in order of arrival. `wake` is set whenever something has come."""

    def __init__(self, limit: int = INBOX_MAX) -> None:
        self.wake = asyncio.Event()
        self._limit = limit
        self._waiting: deque[Waiting] = deque()
        self._quotes: dict[Symbol, tuple[Quote, ...]] = {}
        self._start: Start | None = None
        self._ended: Exception | None = None
        self.let_go = 0
        """Inputs without a reply that came after the end."""

    @property
    def ended(self) -> Exception | None:
        """Why nothing is taken any more; None while the writer lives."""
        return self._ended

    def ask(self, command: Command) -> asyncio.Future[Reply]:
        """Queue a command; the future has the reply once its facts are durable, or BadInput. Raises InboxFull."""
        if self._ended is not None:
            raise type(self._ended)(*self._ended.args)  # a new one: each asker's traceback is its own
        if len(self._waiting) >= self._limit:
            raise InboxFull(f"{self._limit} requests are waiting already; nothing was done, ask again later")
        reply: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        try:
            checked_command(command)
        except BadInput as refusal:
            reply.set_exception(refusal)
            return reply
        self._waiting.append((command, reply))
        self.wake.set()
        return reply

    def put(self, given: Report | Input) -> None:
        """Queue what has no reply. Never refused while the writer lives: what a broker says must not be lost, so only commands
        are bounded. After its end it is counted and let go: the next start asks the broker.
        """
        if self._ended is not None:
            self.let_go += 1
            return
        self._waiting.append((given, None))
        self.wake.set()

    def begin(self, start: Start) -> None:
        """Have the engine's start decided before all that waits, quotes included: until then the state is the last process's,
        and its broker looks READY.
        """
        self._start = start
        self.wake.set()

    def quote(self, quote: Quote) -> None:
        """Queue a quote in the place of an older one of its symbol, with the highest offer and the lowest bid of both."""
        if self._ended is not None:
            return
        self._quotes[quote.symbol] = _joined(self._quotes.get(quote.symbol, ()), quote)
        self.wake.set()

    def drain(self, most: int, rest: Sequence[Waiting] = ()) -> list[Waiting]:
        """Take what waits, at most `most` inputs, after the `rest` of what was taken before; newest quotes first, so that
        decisions see the present market. A quote of the rest that a newer one has overtaken counts with how far it reached.
        """
        undecided: dict[Symbol, tuple[Quote, ...]] = {}
        for item, _ in rest:
            if isinstance(item, Quote):
                undecided[item.symbol] = _joined(undecided.get(item.symbol, ()), item)
        for symbol, quotes in self._quotes.items():
            for quote in quotes:
                undecided[symbol] = _joined(undecided.get(symbol, ()), quote)
        taken: list[Waiting] = []
        if self._start is not None:
            taken.append((self._start, None))
            self._start = None
        taken.extend((quote, None) for quotes in undecided.values() for quote in quotes)
        self._quotes.clear()
        taken.extend(one for one in rest if not isinstance(one[0], Quote))
        waiting = self._waiting
        for _ in range(min(most, len(waiting))):
            taken.append(waiting.popleft())
        if waiting:
            self.wake.set()
        return taken

    def refuse(self, error: Exception) -> None:
        """The writer has ended: whoever still waits is told why, and so is whoever asks from now on."""
        self._ended = error
        for _, reply in self._waiting:
            if reply is not None and not reply.done():
                reply.set_exception(error)
        self._waiting.clear()
        self._quotes.clear()
        self._start = None

    def __len__(self) -> int:
        return len(self._waiting) + len(self._quotes) + (self._start is not None)


def _joined(before: tuple[Quote, ...], quote: Quote) -> tuple[Quote, ...]:
    """What is left to decide of a symbol's quotes when one more has come: nothing changes where it is older than they are. How
    far the market went is kept over a suspension: where that is the newest, the last quote of before is decided in front of it.
    """
    if before and quote.at < before[-1].at:
        return before
    traded = next((one for one in before if not one.suspended), None)
    if traded is None:
        return (quote,)
    if quote.suspended:
        return traded, quote
    high, low = _further(traded, quote, max), _further(traded, quote, min)
    return (msgspec.structs.replace(quote, high=high, low=low),)


def _further(one: Quote, other: Quote, which: Callable[..., Any]) -> Px | None:
    """How far two quotes reached: up by the offer, down by the bid, by the last price where that side is empty."""
    reached = []
    for quote in (one, other):
        side, known = (quote.ask, quote.high) if which is max else (quote.bid, quote.low)
        own = side if side is not None else quote.last
        reached += [px for px in (own, known) if px is not None]
    return which(reached) if reached else None
