"""Station 7: figures that look after look could not be compared.

A look says nothing of what has moved since it was read, so where a fill comes while each look is being read, a difference of
cash or of a holding would be seen by nobody; nor is it where a part of the broker's books cannot be read, look after look. That
nobody has looked for some time is then a break of its own: silence must not look like agreement. It is closed by the first look
that can be compared, whatever that finds.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import Final

from tradeloop.core.breaks import NOT_COMPARED, closed, found, id_of
from tradeloop.core.events import Event
from tradeloop.core.reports import BrokerSnapshot
from tradeloop.core.state import State
from tradeloop.core.surroundings import Surroundings
from tradeloop.core.types import UtcNs

LONG: Final = 10
"""So many times the time between two periodic looks is too long for a figure not to be compared."""


def passed_over(
    state: State, around: Surroundings, snap: BrokerSnapshot, figures: Iterable[str], what: str, now: UtcNs
) -> Generator[Event, None, None]:
    """Say which figures have not been compared for long, and close what was said of those that were. `figures`: those that this
    look could not say anything of; `what` they are, of which it shows all.
    """
    moving = {f"{what} {figure}": None for figure in figures}
    known = around.moving.setdefault((snap.account, what), {})
    for subject in [one for one in known if one not in moving]:
        del known[subject]
    for subject in _open(state, snap, what):
        if subject not in moving:
            yield from closed(state, now, id_of(NOT_COMPARED, snap.broker, snap.account, subject), "it was compared again")
    cause = "a fill came while each look at the broker's books was read, or its executions could not be read"
    yield from _for_long(state, around, snap, moving, what, "moved while each look was read", cause, now)


def unread(state: State, around: Surroundings, snap: BrokerSnapshot, what: str, now: UtcNs) -> Generator[Event, None, None]:
    """Say the same of all of it, where the look shows nothing of `what`; it says nothing else of that."""
    around.moving.setdefault((snap.account, what), {})
    cause = f"the {what} of the broker's books could not be read, look after look"
    yield from _for_long(state, around, snap, (what,), what, "could not be read", cause, now)


def _for_long(
    state: State,
    around: Surroundings,
    snap: BrokerSnapshot,
    subjects: Iterable[str],
    what: str,
    ours: str,
    cause: str,
    now: UtcNs,
) -> Generator[Event, None, None]:
    known = around.moving[snap.account, what]
    long_ns = LONG * around.policy.reconcile_every_ns
    for subject in sorted(subjects):
        looks, since = known.get(subject, (0, snap.read_at))
        known[subject] = looks + 1, since
        if looks + 1 >= around.policy.looks and snap.read_at - since >= long_ns:
            yield from found(
                state,
                now,
                snap,
                NOT_COMPARED,
                subject,
                ours,
                f"not compared for {long_ns / 1_000_000_000:g} s",
                f"{cause}: a difference would not be seen",
                "compare it with the broker by hand, or let it rest for one look: `tradeloop reconcile`",
                None,
            )


def _open(state: State, snap: BrokerSnapshot, what: str) -> list[str]:
    """Of which figures it is said that they have not been compared for long."""
    return [
        one.subject
        for one in state.breaks.values()
        if (one.kind, one.broker, one.account) == (NOT_COMPARED, snap.broker, snap.account)
        and f"{one.subject} ".startswith(f"{what} ")
    ]
