"""Station 7: a word of the broker about an order closes what an earlier look at its books had found of that order.

A break that says that the books lack an order, or count all of it as filled, is what a person may close the order by
(core/fate.py). Once the broker has told of a fill of it, acknowledged or changed it, or announced its end, the look is
overtaken: the order may trade on, and what it holds must not become free. A look from after the word finds the break anew where
it stands.
A refused cancel or change is no such word: most brokers say that of an order they do not know, too.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Final

from tradeloop.core.breaks import ORDER_MISSING, ORDER_QTY, closed, id_of
from tradeloop.core.events import (
    EndAnnounced,
    Event,
    OrderAcknowledged,
    OrderReplaced,
    OrderRestated,
    TradeBusted,
    TradeCorrected,
    Traded,
    TradeMoved,
)
from tradeloop.core.replies import Reply
from tradeloop.core.state import State
from tradeloop.core.types import UtcNs

Decision = Generator[Event, None, Reply | None]

_WORDS: Final = (
    Traded,
    TradeBusted,
    TradeCorrected,
    TradeMoved,
    OrderAcknowledged,
    OrderReplaced,
    OrderRestated,
    EndAnnounced,
)


def overtaken(state: State, decision: Decision, now: UtcNs) -> Decision:
    """The decision about a report, and behind each word in it the end of what a look had found of that order before."""
    while True:
        try:
            fact = next(decision)
        except StopIteration as done:
            reply: Reply | None = done.value
            return reply
        yield fact
        if isinstance(fact, _WORDS) and (order := state.orders.get(fact.cl_ord_id)) is not None:
            for kind in (ORDER_MISSING, ORDER_QTY):
                found = id_of(kind, order.broker, order.account, order.cl_ord_id)
                yield from closed(state, now, found, "the broker has spoken of the order since; the next look compares it anew")
