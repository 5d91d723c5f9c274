"""Station 7: fills that a look shows as the last one did.

A look shows every fill of the day again, and nearly all say nothing new. A line that was gone through, and of whose fill the
record has not changed since, books nothing and moves nothing: it is put beside its key and passed over. What differs from one
look to the next is the rest of them: mostly they stand behind the others, and these are compared at once (core/shown_lines.py).
This saves work, and changes no more than the order in which what one look brings is booked; a new process goes through every
line once more.
"""

from __future__ import annotations

from collections.abc import Container, Sequence

from tradeloop.core.reports import BrokerSnapshot, Execution
from tradeloop.core.shown_lines import ShownLines
from tradeloop.core.state import State
from tradeloop.core.surroundings import FillLines, Surroundings
from tradeloop.core.types import BUY, UtcNs

_SPARE = 1000
"""Lines that are shown no more are let go once there are as many of them as of the others, and this many."""


def shown_again(state: State, around: Surroundings, snap: BrokerSnapshot) -> tuple[dict[str, Execution], list[Execution]]:
    """The fills that the look shows as before, by their keys, each under the id by which it is kept; and all others."""
    lines, seen = snap.executions or (), _seen(around, snap)
    buys, sells, last = seen.buys, seen.sells, seen.last
    if not buys and not sells:
        return {}, list(lines)
    again: dict[str, Execution] = {}
    places: Sequence[int] = range(len(lines))
    kept = [*lines]
    if last is not None and last.begin(lines, state.execs):
        again, places = seen.again, last.left(lines)
        if not places:
            return again.copy(), []
        kept[: len(last.lines)] = last.lines  # one copy of each is enough
    told: list[int] = []
    packed = state.execs.packed
    for place in places:
        x = lines[place]
        known = (buys if x.side is BUY else sells).get(x.exec_id)
        if known is not None and (known[0] is x or known[0] == x) and packed.get(known[2]) is known[3]:
            again[known[2]] = known[1]
            kept[place] = known[0]
        else:
            told.append(place)
            kept[place] = x
    seen.last, seen.again = ShownLines(tuple(kept), told, state.execs), again
    return again.copy(), [lines[place] for place in told]


def gone_through(
    state: State, around: Surroundings, snap: BrokerSnapshot, lines: Sequence[tuple[Execution, Execution, str]]
) -> None:
    """Keep what needs no second look: each line, the fill as it is kept, and its key."""
    seen = _seen(around, snap)
    buys, sells = seen.buys, seen.sells
    if len(buys) + len(sells) > 2 * len(snap.executions or ()) + _SPARE:
        shown = {(x.exec_id, x.side) for x in snap.executions or ()}
        for known in (buys, sells):
            for exec_id in [one for one, line in known.items() if (one, line[0].side) not in shown]:
                del known[exec_id]
    for x, own, key in lines:
        packed = state.execs.packed.get(key)
        if packed is not None:
            (buys if x.side is BUY else sells)[x.exec_id] = x, own, key, packed


def has_changed(around: Surroundings, snap: BrokerSnapshot, x: Execution) -> bool:
    """Whether the broker has shown the fill before, at another price than now."""
    seen = _seen(around, snap)
    known = (seen.buys if x.side is BUY else seen.sells).get(x.exec_id)
    return known is not None and known[0].last_px != x.last_px


def lacking(state: State, around: Surroundings, snap: BrokerSnapshot, shown: Container[str], since: UtcNs) -> list[str]:
    """The keys of fills that happened at or after `since` and are not among those `shown`. As long as looks show the same, and
    nothing was booked, they lack the same.
    """
    seen, recent = _seen(around, snap), state.recent
    if seen.lacks is not None and seen.last is not None:
        last, of, changes, from_then, keys = seen.lacks
        if (last, of, changes, from_then) == (seen.last, recent, recent.changes, since):
            return keys
    keys = recent.absent(snap.account, since, shown)
    seen.lacks = None if seen.last is None or seen.last.told else (seen.last, recent, recent.changes, since, keys)
    return keys


def _seen(around: Surroundings, snap: BrokerSnapshot) -> FillLines:
    seen = around.fills.get(snap.account)
    if seen is None:
        seen = around.fills[snap.account] = FillLines()
    return seen
