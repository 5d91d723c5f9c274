"""What the stream tells of halts and of limits of risk: straight from the published events, which are durable.

The engine's own state may be a batch ahead of that, so the halts in force are kept here by the same facts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from tradeloop.api.halts import halt_document
from tradeloop.api.plain import Moment, moment
from tradeloop.api.stream_channel import Pieces
from tradeloop.api.stream_topics import HALTS, RISK, encoded
from tradeloop.core import events as ev
from tradeloop.core.halt import Halt
from tradeloop.engine.writer import Published

Told = tuple[str, int, Pieces, tuple[str, ...]]
"""A topic, the number of the event, documents, and keys of those that are gone."""

_OF_HALTS: Final = (ev.Halted, ev.HaltReleased, ev.HaltChecked)
_OF_RISK: Final = (
    ev.LimitsConfigured,
    ev.LimitSet,
    ev.LimitEnded,
    ev.LimitPassed,
    ev.LimitTripped,
    ev.LimitCleared,
    ev.OrderThrottled,
)
OF_INTEREST: Final = frozenset((*_OF_HALTS, *_OF_RISK))


class RiskFact(msgspec.Struct, frozen=True):
    """What became of a limit, or what it said; `number` is that of the event. `subject`: the order, or what the limit is on."""

    number: int
    at: Moment
    what: str
    limit_id: str = ""
    rule: str = ""
    subject: str = ""
    text: str = ""


class Facts:
    """The halts in force by what is durable, and what is told of each fact."""

    def __init__(self, halts: Iterable[Halt]) -> None:
        self._halts = {each.number: msgspec.structs.replace(each) for each in halts}

    def halts(self) -> Pieces:
        """The halts in force."""
        return {str(number): encoded(halt_document(each)) for number, each in self._halts.items()}

    def told(self, published: Published) -> Iterator[Told]:
        """What there is to tell of a batch."""
        for seq, event in enumerate(published.events, start=published.first_seq):
            if type(event) not in OF_INTEREST:
                continue
            if isinstance(event, _OF_HALTS):
                yield self._of_halt(seq, event)
            elif (fact := _of_risk(seq, event)) is not None:
                yield RISK, seq, {str(seq): encoded(fact)}, ()

    def _of_halt(self, seq: int, event: ev.Halted | ev.HaltReleased | ev.HaltChecked) -> Told:
        key, halts = str(event.number), self._halts
        match event:
            case ev.Halted():
                halts[event.number] = Halt(
                    event.number,
                    event.tier,
                    event.scope,
                    event.name,
                    event.by,
                    event.reason,
                    event.at,
                    trigger=event.trigger,
                )
            case ev.HaltReleased():
                halts.pop(event.number, None)
                return HALTS, seq, {}, (key,)
            case ev.HaltChecked():
                halt = halts.get(event.number)
                if halt is None:
                    return HALTS, seq, {}, ()
                halt.found, halt.done, halt.said_at = event.text, event.done, event.at
                halt.unknown, halt.held = event.unknown, len(event.held)
        return HALTS, seq, {key: encoded(halt_document(halts[event.number]))}, ()


def _of_risk(seq: int, event: ev.Event) -> RiskFact | None:
    at = moment(event.at)
    match event:
        case ev.LimitsConfigured():
            count = len(event.limits)
            return RiskFact(seq, at, "configured", text=f"{count} limit{'' if count == 1 else 's'} of risk.yaml in force")
        case ev.LimitSet():
            limit = event.limit
            text = f"{limit.value:f} by {limit.by}: {limit.reason}"
            return RiskFact(seq, at, "set", limit.limit_id, limit.rule, limit.where, text)
        case ev.LimitEnded():
            return RiskFact(seq, at, "ended", event.limit_id, text=f"by {event.by}: {event.reason}")
        case ev.LimitPassed():
            text = f"was {event.was}, this order {event.this_order}, limit {event.limit}{', in shadow' if event.shadow else ''}"
            return RiskFact(seq, at, "passed", "", event.rule, event.cl_ord_id, text)
        case ev.LimitTripped():
            text = f"was {event.was}, limit {event.limit}{', in shadow' if event.shadow else ''}"
            return RiskFact(seq, at, "tripped", event.limit_id, event.rule, event.what, text)
        case ev.LimitCleared():
            return RiskFact(seq, at, "cleared", event.limit_id, subject=event.what)
        case ev.OrderThrottled():
            text = f"was {event.was}, limit {event.limit}; asked again at {moment(event.until)}"
            return RiskFact(seq, at, "throttled", "", event.rule, event.cl_ord_id, text)
        case _:
            return None
