"""Station 7: figures that look after look could not be compared.

A look says nothing of what has moved since it was read, so where a fill comes while each look is being read, a difference of
cash or of a holding would be seen by nobody. That nobody has looked for some time is then a break of its own: silence must not
look like agreement. It is closed by the first look that can be compared, whatever that finds.
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
    for one in list(state.breaks.values()):
        named = (one.kind, one.broker, one.account) == (NOT_COMPARED, snap.broker, snap.account)
        if named and one.subject.startswith(f"{what} ") and one.subject not in moving:
            yield from closed(state, now, id_of(NOT_COMPARED, snap.broker, snap.account, one.subject), "it was compared again")
    long_ns = LONG * around.policy.reconcile_every_ns
    for subject in sorted(moving):
        looks, since = known.get(subject, (0, snap.read_at))
        known[subject] = looks + 1, since
        if looks + 1 >= around.policy.looks and snap.read_at - since >= long_ns:
            yield from found(
                state,
                now,
                snap,
                NOT_COMPARED,
                subject,
                "moved while each look was read",
                f"not compared for {long_ns / 1_000_000_000:g} s",
                "a fill came while each look at the broker's books was read, or its executions could not be read: a difference "
                "would not be seen",
                "compare it with the broker by hand, or let it rest for one look: `tradeloop reconcile`",
                None,
            )
