"""Stations 4 and 7: a word of the broker about an order proves that the broker has it, and closes what an earlier look at its
books had found of that order.

A break that says that the books lack an order, or count all of it as filled, is what a person may close the order by
(core/fate.py). Once the broker has told of a fill of it, acknowledged or changed it, or announced its end, the look is
overtaken: the order may trade on, and what it holds must not become free. A look from after the word finds the break anew where
it stands.
A refused cancel or change is no such word: most brokers say that of an order they do not know, too. A refused repeat is: who
knows the id has the order, and it is never handed over again.

Most words are facts of their own and count as an answer by what they make true. One that changes nothing is worth as much:
terms told again, an answer to a change that nobody here asked for. Of an order that had no answer yet, or an unknown fate, it
makes the fact that it was heard of. A fill told again closes no break: it is a word of what was, not of what the order does
now.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Final

from tradeloop.core.breaks import ORDER_MISSING, ORDER_QTY, closed, id_of
from tradeloop.core.events import (
    EndAnnounced,
    Event,
    OrderAcknowledged,
    OrderHeard,
    OrderReplaced,
    OrderRestated,
    TradeBusted,
    TradeCorrected,
    Traded,
    TradeMoved,
)
from tradeloop.core.order import Order
from tradeloop.core.replacement import order_named
from tradeloop.core.replies import Reply
from tradeloop.core.reports import Execution, OrderAck, OrderReject, OrderRestate, ReplaceAck
from tradeloop.core.state import State
from tradeloop.core.types import UtcNs

Decision = Generator[Event, None, Reply | None]

_WORDS: Final = (
    Traded,
    TradeBusted,
    TradeCorrected,
    TradeMoved,
    OrderAcknowledged,
    OrderHeard,
    OrderReplaced,
    OrderRestated,
    EndAnnounced,
)

Word = OrderAck | OrderReject | ReplaceAck | OrderRestate | Execution
WORDS: Final = (OrderAck, OrderReject, ReplaceAck, OrderRestate, Execution)
"""Reports that can be made of an order the broker has, and of no other; some of them make no fact."""

_SAID: Final[dict[type, str]] = {
    OrderAck: "the broker acknowledged it again",
    OrderReject: "the broker refused a repeat of it, so it knows the first",
    ReplaceAck: "the broker told its terms in answer to a change",
    OrderRestate: "the broker told its terms again",
    Execution: "the broker told a fill of it again",
}


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
            yield from _look_overtaken(state, order, now)


def taken_in(state: State, decision: Decision, word: Word, now: UtcNs) -> Decision:
    """The decision about a word, and behind it that the order was heard of, where nothing else in the decision says so."""
    reply = yield from decision
    order = _spoken_of(state, word)
    if order is None:
        return reply
    if order.acked_at is None or order.unknown_at is not None:
        yield OrderHeard(now, order.cl_ord_id, _SAID[type(word)])
    if state.breaks and not isinstance(word, Execution):
        yield from _look_overtaken(state, order, now)
    return reply


def _look_overtaken(state: State, order: Order, now: UtcNs) -> Generator[Event, None, None]:
    for kind in (ORDER_MISSING, ORDER_QTY):
        found = id_of(kind, order.broker, order.account, order.cl_ord_id)
        yield from closed(state, now, found, "the broker has spoken of the order since; the next look compares it anew")


def _spoken_of(state: State, word: Word) -> Order | None:
    """The open order that a word names by our id, or that of one of its replaces, if the word can be one about it."""
    if word.cl_ord_id is None or (isinstance(word, OrderReject) and not word.of_repeat):
        return None
    order = state.orders.open.get(order_named(word.cl_ord_id))
    if order is None or order.broker != word.broker:
        return None
    if isinstance(word, Execution) and (order.account, order.symbol, order.side) != (word.account, word.symbol, word.side):
        return None
    return order
