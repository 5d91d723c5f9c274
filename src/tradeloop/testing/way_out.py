"""What leaves for the venue besides orders, and what must not leave any more: judged by the wire and the venue.

A cancel that is wanted has to get there, however often it is lost on its way; and nothing may go out that a cancel, a halt or a
deadline has overtaken. The facts say what was wanted, the wire what was written to it, the venue what came. The numbers are
those of the invariants:

15 an order that somebody wanted out is not sent, and its changes do not leave behind the cancel · 26 an account is READY by
books that show its orders and were asked for after the session came up · 28 nothing leaves under a halt of the latch file · 35
a change leaves soon after it was asked for, or not at all · 42 a cancel that is wanted reaches the venue, or the order is known
to have ended.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Protocol

import msgspec

from tradeloop.core import events as ev
from tradeloop.core.commands import HaltTrading
from tradeloop.core.halt import HaltTier, covers
from tradeloop.core.order import Order
from tradeloop.core.replacement import Replacement
from tradeloop.core.state import State
from tradeloop.core.surroundings import Policy
from tradeloop.core.types import SECOND_NS, AccountID, ClOrdID, Side
from tradeloop.ports.latch import Latch
from tradeloop.testing.builders import ACCOUNT, BROKER
from tradeloop.testing.clocks import Clocks

LOOK_NS: Final = SECOND_NS
"""How often it is looked what still waits."""
SLACK_NS: Final = SECOND_NS
"""What a process may take between two callbacks, on the venue's time."""
ON_THE_WAY_NS: Final = 20 * SECOND_NS
"""What a cancel may wait here: for its order to come back from the wire, and for its turn behind others."""
DOUBLINGS_MAX: Final = 5
ASKS_SOON: Final = 12
"""So often a cancel that never left is asked for again soon; then it is put off like one that has no answer."""


class Line(Protocol):
    """One process's session with the venue, as the wire knows it."""

    @property
    def ups(self) -> int:
        """How many sessions the process was told of that they came up."""
        ...

    @property
    def newest_look(self) -> int:
        """How many it had been told of when it asked for the newest books it was handed that show the orders."""
        ...


class _Wanted(msgspec.Struct):
    """A cancel that somebody wants, until the venue has it."""

    since: int
    asked: int
    asks: int
    left: int | None = None
    """When it was last written to the wire, of the newest asking."""
    refused: bool = False
    """Whether the broker said no, and the order has to go all the same."""


class WayOut:
    """Watches one world's wire for what has to leave and what must not."""

    def __init__(
        self,
        broken: Callable[[int, str], None],
        now: Callable[[], int],
        latch: Latch | None,
        line: Callable[[int], Line | None],
        clocks: Clocks,
    ) -> None:
        self._broken, self._now, self._latch, self._line = broken, now, latch, line
        self.newest_change_at = -1
        """When a change of an order last became durable."""
        self.no_cancels: tuple[tuple[int, int], ...] = ()
        """When the venue takes no cancels: what was refused then is asked again when it does."""
        self._clocks = clocks
        self._state = State()
        self._good_since: int | None = None
        self._left: dict[ClOrdID, None] = {}
        """Orders of which a cancel has left, whatever became of it."""
        self._rules: dict[type, Callable[[Any], None]] = {
            ev.EngineStarted: self._started,
            ev.BrokerConnected: self._connected,
            ev.BrokerReady: self._ready,
            ev.OrderStaged: self._staged,
            ev.SendBegun: self._send_begun,
            ev.CancelRequested: self._cancel_requested,
            ev.CancelRejected: self._cancel_rejected,
            ev.ReplaceRequested: self._change_asked,
        }
        self.forget()

    def forget(self) -> None:
        """The journal is read anew; what left stays."""
        self._wanted: dict[ClOrdID, _Wanted] = {}
        self._asks: dict[ClOrdID, int] = {}
        self._out: dict[ClOrdID, None] = {}
        """Orders that somebody wanted out, and of which the broker has not said no."""
        self._changes: dict[tuple[ClOrdID, int], int] = {}
        self._overtaken: dict[tuple[ClOrdID, int], None] = {}
        """Changes after which a cancel of their order was asked for, once that has left."""
        self._asked_for: dict[ClOrdID, dict[int, None]] = {}
        self._intents: dict[ClOrdID, ev.OrderStaged] = {}
        self._epoch = 0
        self._connects = 0

    # --- the facts

    def fact(self, event: ev.Event, state: State, *, again: bool) -> None:
        """A durable fact, and the state it led to; `again` when a journal that lost a row is read anew."""
        self._state = state
        rule = self._rules.get(type(event))
        if rule is not None and not (again and isinstance(event, ev.BrokerReady)):
            rule(event)
        if isinstance(event, ev.ReplaceRequested) and not again:
            self.newest_change_at = self._now()
        cl_ord_id = ClOrdID(getattr(event, "cl_ord_id", ""))
        if cl_ord_id and (cl_ord_id not in state.orders.open or (again and cl_ord_id in self._left)):
            self._wanted.pop(cl_ord_id, None)  # that a cancel has left, a journal that is read anew does not say

    def _started(self, e: ev.EngineStarted) -> None:
        self._epoch, self._connects, self._good_since = e.epoch, 0, None

    def _connected(self, _: ev.BrokerConnected) -> None:
        self._connects += 1

    def _ready(self, e: ev.BrokerReady) -> None:
        """The books that make an account READY show its orders, and were asked for when the process knew that the session had
        come up. What a look showed, the line knows.
        """
        line = self._line(self._epoch)
        if line is None or not 0 < self._connects <= line.ups:
            return
        if line.newest_look < self._connects:
            self._broken(
                26,
                f"{e.account} is READY in session {self._connects} with {e.broker}, and no books with its orders that were "
                f"asked for since it came up have come: the newest are of session {line.newest_look}",
            )

    def _staged(self, e: ev.OrderStaged) -> None:
        self._intents[e.cl_ord_id] = e

    def _send_begun(self, e: ev.SendBegun) -> None:
        if e.cl_ord_id in self._out:
            self._broken(15, f"{e.cl_ord_id} is sent, though a cancel of it was asked for and no broker has refused it")

    def _cancel_requested(self, e: ev.CancelRequested) -> None:
        now, asks = self._now(), self._asks.get(e.cl_ord_id, 0) + 1
        self._asks[e.cl_ord_id] = asks
        before = self._wanted.get(e.cl_ord_id)
        self._wanted[e.cl_ord_id] = _Wanted(now if before is None else before.since, now, asks)
        self._out[e.cl_ord_id] = None

    def _cancel_rejected(self, e: ev.CancelRejected) -> None:
        """The broker said no to an order that it has: whoever asked asks again, unless others want it out, too."""
        order = self._state.orders.open.get(e.cl_ord_id)
        if order is None or e.code == ev.NOT_DELIVERED or order.acked_at is None:
            return
        self._out.pop(e.cl_ord_id, None)
        self._wanted.pop(e.cl_ord_id, None)
        if self._has_to_go(order):
            now = self._now()
            self._wanted[e.cl_ord_id] = _Wanted(now, now, self._asks.get(e.cl_ord_id, 0), now, refused=True)

    def _has_to_go(self, order: Order) -> bool:
        """Whether a run that is being cancelled or a halt wants the order out, whatever the broker says."""
        run = None if order.run_id is None else self._state.runs[order.run_id]
        halts = self._state.halts
        closes = order.halt in halts  # for a FLATTEN, which only a later halt of a person wants out
        return (run is not None and run.cancel_requested) or any(
            halt.tier.cancels
            and halt.covers(order)
            and not (closes and (halt.trigger or halt.tier is HaltTier.FLATTEN or halt.number <= order.halt))
            for halt in halts.values()
        )

    def _change_asked(self, e: ev.ReplaceRequested) -> None:
        self._changes[e.cl_ord_id, e.number] = self._now()
        self._asked_for.setdefault(e.cl_ord_id, {})[e.number] = None
        self._wanted.pop(e.cl_ord_id, None)
        self._out.pop(e.cl_ord_id, None)

    # --- what waits

    def look(self, policy: Policy, *, is_running: bool) -> None:
        """Once a second: whether what is wanted has left, while nothing has kept it from leaving."""
        link = self._state.links.get(BROKER)
        good = is_running and link is not None and link.connected and AccountID(ACCOUNT) in link.compared
        if not good or not self._clocks.are_right:
            self._good_since = None
            return
        if self._good_since is None:
            self._good_since = self._now()
        for cl_ord_id, wanted in [*self._wanted.items()]:
            if wanted.refused and not self._has_to_go(self._state.orders.open[cl_ord_id]):
                del self._wanted[cl_ord_id]
                continue
            barred = max((until for begins, until in self.no_cancels if begins <= self._now()), default=0)
            since = max(self._good_since, wanted.asked, wanted.left or 0, barred)
            patience = policy.ack_timeout_ns << min(max(wanted.asks - 1, 0), DOUBLINGS_MAX)
            waited, most = (
                self._now() - since,
                ON_THE_WAY_NS + (0 if wanted.left is None and wanted.asks <= ASKS_SOON else patience),
            )
            if waited > most:
                del self._wanted[cl_ord_id]
                where = "has not left" if wanted.left is None else "has not reached the venue and is not asked again"
                self._broken(
                    42,
                    f"the cancel of {cl_ord_id}, wanted for {(self._now() - wanted.since) / SECOND_NS:.0f} s, {where} in "
                    f"{waited / SECOND_NS:.0f} s of a READY session",
                )

    # --- the wire and the venue

    def cancel_leaves(self, cl_ord_id: ClOrdID) -> None:
        """A process writes a cancel to the line."""
        wanted = self._wanted.get(cl_ord_id)
        self._left[cl_ord_id] = None
        if wanted is not None:
            wanted.left = self._now()
        if cl_ord_id in self._out:
            for number in self._asked_for.get(cl_ord_id, ()):
                self._overtaken[cl_ord_id, number] = None

    def cancel_comes(self, cl_ord_id: ClOrdID) -> None:
        """The venue has a cancel."""
        self._wanted.pop(cl_ord_id, None)

    def order_leaves(self, order: Order) -> None:
        """A process hands an order to the wire."""
        self._under_the_latch(order.cl_ord_id, "leaves")

    def change_leaves(self, change: Replacement, policy: Policy) -> None:
        """A process hands other terms to the wire."""
        name = change.cl_ord_id, change.number
        what = f"change {change.number} of {change.cl_ord_id}"
        if name in self._overtaken:
            self._broken(15, f"{what} leaves behind a cancel that was asked for after it")
        order = self._state.orders.open.get(change.cl_ord_id)
        if order is not None and not _lessens(order, change):
            self._under_the_latch(change.cl_ord_id, f"is changed ({change.number})")
        asked = self._changes.get(name)
        if asked is None or not self._clocks.are_right:
            return
        late = self._now() - asked
        if late > policy.send_within_ns + SLACK_NS:
            self._broken(
                35,
                f"{what} leaves {late / SECOND_NS:.0f} s after it was durable; expected at most "
                f"{policy.send_within_ns / SECOND_NS:g} s",
            )

    def _under_the_latch(self, cl_ord_id: ClOrdID, does: str) -> None:
        """No halt of the file stops it, as the file is at this moment."""
        intent = self._intents.get(cl_ord_id)
        if intent is None or self._latch is None:
            return
        for halt in self._latch.read():
            if not covers(halt.scope, halt.name, intent) or self._knew_of(intent, halt):
                continue
            if halt.tier is HaltTier.REDUCE_ONLY and self._reduces(intent):
                continue
            self._broken(28, f"{cl_ord_id} {does} while {halt.tier.value} by {halt.by} stands in the latch file")

    def _knew_of(self, intent: ev.OrderStaged, halt: HaltTrading) -> bool:
        """Whether the order closes a position for a FLATTEN that is in force, and that no later halt of a person stops."""
        halts = self._state.halts
        if intent.halt not in halts:
            return False
        return bool(halt.trigger or halt.tier is HaltTier.FLATTEN) or any(
            one.number <= intent.halt and one.is_like(halt.tier, halt.scope, halt.name, halt.trigger) for one in halts.values()
        )

    def _reduces(self, intent: ev.OrderStaged) -> bool:
        return intent.side is Side.SELL or intent.order_qty <= self._state.held(intent.account, intent.symbol).short_qty


def _lessens(order: Order, change: Replacement) -> bool:
    """Whether the change can only make less of the order trade, at no worse price."""
    worse = order.price is not None and change.price is not None and order.price != change.price
    if worse and order.price is not None and change.price is not None:
        worse = change.price > order.price if order.side is Side.BUY else change.price < order.price
    return change.order_qty <= order.order_qty and not worse
