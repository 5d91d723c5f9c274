"""The way between us and the venue: what it is like at this moment, for every session at once.

Requests that have left are the network's: they arrive although the process that sent them has died. A request older than
the lifetime the venue declares is refused by the venue and has no effect.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import partial
from random import Random
from typing import Final, Protocol, TypeVar

import msgspec

from tradeloop.core.capabilities import Dedupes
from tradeloop.core.errors import BadInput, Refused
from tradeloop.core.order import Order
from tradeloop.core.replacement import Replacement
from tradeloop.core.reports import BrokerSnapshot, Execution, OpenOrder, OrderAck, Report
from tradeloop.core.types import SECOND_NS, ClOrdID, OrderID, OrdStatus, Px, Qty, Symbol
from tradeloop.testing.faults import Fault, Weather
from tradeloop.testing.world.loop import Timeline
from tradeloop.testing.world.venue import Venue

MS: Final = 1_000_000
SLOT_NS: Final = SECOND_NS
CENT: Final = Decimal("0.01")
LOT: Final = Decimal(100)
PARTS: Final = ("orders", "executions", "positions", "cash")
FLAP_NS: Final = 200 * MS

_Named = TypeVar("_Named", OpenOrder, Execution)


class Session(Protocol):
    """One process's end of the line."""

    def come_up(self) -> None:
        """The line is there again."""
        ...

    def lose(self, why: str) -> None:
        """The line is gone."""
        ...

    def tell(self, report: Report) -> None:
        """The venue says something to this process, whatever it has said before."""
        ...


class Network:
    """The line, and what befalls it and the venue at its other end."""

    def __init__(self, timeline: Timeline, venue: Venue, weather: Weather, dice: Random, later: Random) -> None:
        self.timeline = timeline
        self.venue = venue
        self.weather = weather
        self.dice = dice
        self.later = later
        """Dice of what befell it when seeds were known already."""
        self.sessions: list[Session] = []
        self.up = True
        self.half_open_until = 0
        self.one_way_until = 0
        self.narrow_until = 0
        self.rejected: dict[ClOrdID, None] = {}
        """Orders whose end is told as a rejection (F32)."""
        self.twins: dict[ClOrdID, int] = {}
        """Orders of one symbol and side that left together, and the number of their pair (F93)."""
        self.trades_by_number = False
        """Whether the books list executions without our id."""
        self.sent: Callable[[Session, Order], None] = lambda session, order: None
        self.moment: Callable[[Fault], None] = lambda fault: None
        self.requested: Callable[[Session, bool], None] = lambda session, is_order: None
        """Called whenever a process writes an order or a cancel to the line."""
        self.looked: Callable[[Session, BrokerSnapshot], None] = lambda session, books: None
        """Called whenever a process has been handed the venue's books."""
        self.told: Callable[[Session, Report], None] = lambda session, report: None
        """Called whenever a report reaches a process."""
        self.trades_beyond: Callable[[Symbol, Decimal], None] = lambda symbol, qty: None
        """Called when the venue is about to trade more of an order than is left of it."""
        self.crossing: dict[ClOrdID, int] = {}
        """Orders that traded while a cancel came to the venue, and until when the fill may be told behind its ack (F33)."""
        self.cancel_leaves: Callable[[ClOrdID], None] = lambda cl_ord_id: None
        self.cancel_comes: Callable[[ClOrdID], None] = lambda cl_ord_id: None
        self.change_leaves: Callable[[Replacement], None] = lambda change: None
        self.waits_too_long: Callable[[str], None] = lambda text: None
        self._next_slot = 0
        self._unread: tuple[str, ...] = ()
        self._unread_until = 0
        self._handed_over: dict[ClOrdID, None] = {}
        self._nameless: dict[OrderID, int] = {}
        """Orders of ours that the venue tells of under its own number alone, and until when (F82)."""
        self._unlisted: dict[OrderID, tuple[int, int]] = {}
        """Orders that its list has never shown, until when that may be so, and until when where a fill is shown (F99)."""
        venue.listeners.append(self._hear)

    def hand_over(self, session: Session, order: Order) -> None:
        """An order leaves a process."""
        if order.cl_ord_id in self._handed_over and not self.knows_repeats:
            self.weather.meet(Fault.ID_TAKEN_TWICE)
        self._handed_over[order.cl_ord_id] = None
        self.sent(session, order)

    @property
    def knows_repeats(self) -> bool:
        """Whether a request that is delivered twice is carried out once."""
        return self.venue.able.dedupes in (Dedupes.DAY, Dedupes.FOR_EVER)

    def latency(self) -> int:
        """How long a message takes now."""
        delay = self.dice.randint(2, 30) * MS
        if self.timeline.now < self.narrow_until:
            self._next_slot = max(self._next_slot, self.timeline.now) + SLOT_NS
            delay += self._next_slot - self.timeline.now
        return delay

    def within(self, least_s: float, most_s: float) -> int:
        """A span drawn between two numbers of seconds."""
        return self.dice.randint(int(least_s * SECOND_NS), int(most_s * SECOND_NS))

    def disturb(self) -> None:
        """One opportunity for the line to turn bad; each request is one."""
        weather, now = self.weather, self.timeline.now
        if weather.strikes(Fault.HALF_OPEN):
            self.half_open_until = now + self.within(1, 12)
            self.timeline.at(self.half_open_until, lambda: self.drop("the heartbeat failed", self.within(0.2, 3)))
        if weather.strikes(Fault.ONE_WAY):
            self.one_way_until = now + self.within(1, 12)
            self.timeline.at(self.one_way_until, lambda: self.drop("the heartbeat failed", self.within(0.2, 3)))
        if weather.strikes(Fault.NARROW_BAND):
            self.narrow_until = now + self.within(3, 15)
        if weather.strikes(Fault.FLAPPING):
            for count in range(self.dice.randint(2, 8)):
                self.timeline.after(2 * count * FLAP_NS, lambda: self.drop("the connection flaps", FLAP_NS))

    @property
    def loses_requests(self) -> bool:
        """Whether what is written now vanishes."""
        return self.timeline.now < self.half_open_until

    @property
    def loses_answers(self) -> bool:
        """Whether what the venue says now vanishes."""
        return self.timeline.now < max(self.half_open_until, self.one_way_until)

    def drop(self, why: str, back_after_ns: int) -> None:
        """Every session is lost, and comes back after a while."""
        if not self.up:
            return
        self.up = False
        for session in [*self.sessions]:
            session.lose(why)
        self.timeline.after(back_after_ns, self._come_back)

    def _come_back(self) -> None:
        self.up = True
        for session in [*self.sessions]:
            session.come_up()

    def tell_again(self, report: Report) -> None:
        """The venue says what it has said before, to whoever listens."""
        for session in [*self.sessions]:
            session.tell(report)

    def restart_venue(self) -> None:
        """The venue goes down and comes up without the orders that worked in it; nobody is told (F37)."""
        self.weather.meet(Fault.VENUE_RESTARTS)
        self.drop("the venue is gone", self.within(1, 5))
        for order in self.venue.truth().orders or ():
            if order.ord_status in (OrdStatus.NEW, OrdStatus.PARTIALLY_FILLED):
                self.cancel_unasked(order.order_id)

    def heal(self) -> None:
        """The line is well again, at once, and so is what was on its way to come up over a narrow one."""
        self.half_open_until = self.one_way_until = self.narrow_until = 0
        for session in self.sessions:
            session.come_up()

    def read(self, books: BrokerSnapshot) -> BrokerSnapshot:
        """The books as they can be read: for a while a part of them cannot, which is not the same as empty."""
        now = self.timeline.now
        if self.weather.strikes(Fault.PART_NOT_READ):
            self._unread_until = now + self.within(2, 40)
            self._unread = tuple(part for part in PARTS if self.dice.random() < 0.5) or (PARTS[0],)
        if self.trades_by_number and books.executions is not None:
            books = msgspec.structs.replace(
                books, executions=tuple(msgspec.structs.replace(x, cl_ord_id=None) for x in books.executions)
            )
        if self._nameless and not self.weather.calm:
            books = msgspec.structs.replace(
                books,
                orders=None if books.orders is None else tuple(map(self._unnamed, books.orders)),
                executions=None if books.executions is None else tuple(map(self._unnamed, books.executions)),
            )
        if self.weather.calm:
            return books
        if now < self._unread_until:
            unread: dict[str, None] = dict.fromkeys(self._unread)
            complete = books.orders_complete and "orders" not in unread
            books = msgspec.structs.replace(books, **unread, orders_complete=complete)
        return self._listed(books) if self._unlisted else books

    def _listed(self, books: BrokerSnapshot) -> BrokerSnapshot:
        """The books without the orders that their list does not show yet. No order is missing from both lists for longer than
        the venue declares, and what the list has shown once it goes on showing.
        """
        if books.orders is None:
            return books
        now = self.timeline.now
        filled = {x.order_id for x in books.executions or ()}
        for order_id in [order.order_id for order in books.orders if order.order_id in self._unlisted]:
            unfilled_until, until = self._unlisted[order_id]
            if now >= (until if order_id in filled else unfilled_until):
                del self._unlisted[order_id]
        return msgspec.structs.replace(books, orders=tuple(one for one in books.orders if one.order_id not in self._unlisted))

    def as_named(self, report: Report) -> Report | None:
        """A report as the venue tells it while it has lost our id of its order: a fill under its own number, nothing else."""
        if not self._nameless or self.weather.calm:
            return report
        if isinstance(report, Execution):
            return self._unnamed(report)
        number = getattr(report, "order_id", None)
        numbers = self.venue.orders_of.get(getattr(report, "cl_ord_id", None) or ClOrdID(""), ())
        return None if any(self._is_nameless(each) for each in (number, *numbers)) else report

    def _unnamed(self, one: _Named) -> _Named:
        return msgspec.structs.replace(one, cl_ord_id=None) if self._is_nameless(one.order_id) else one

    def _is_nameless(self, order_id: OrderID | None) -> bool:
        return order_id is not None and self.timeline.now < self._nameless.get(order_id, 0)

    # --- what the venue does by itself, each report being an opportunity

    def _hear(self, report: Report) -> None:
        strikes = self.weather.strikes
        if type(report) is OrderAck:
            if strikes(Fault.NAME_LOST):
                self._nameless[report.order_id] = self.timeline.now + self.within(8, 60)
            # A list of open orders tells by what it lacks that an order is over: it cannot lag for longer than its venue says.
            if self.venue.able.orders_complete and strikes(Fault.LINE_BEHIND_FILL):
                now, lag = self.timeline.now, self.dice.randint(1, self.venue.able.visibility_lag_ns)
                self._unlisted[report.order_id] = now + lag, now + self.within(20, 90)
            if self.weather.comes(Fault.CANCELED_UNASKED):
                self.timeline.after(self.within(0.1, 5), lambda: self._end(Fault.CANCELED_UNASKED, report.order_id))
            if self.weather.comes(Fault.REJECT_AFTER_ACCEPT):
                self.rejected[report.cl_ord_id] = None
                self.timeline.after(self.within(0.1, 2), lambda: self._end(Fault.REJECT_AFTER_ACCEPT, report.order_id))
            for fault, act in ((Fault.CANCELED_UNASKED, self._lessen), (Fault.OVERFILL, self._trade_beyond)):
                if self.weather.also(fault, self.later):
                    self.timeline.after(self.later.randint(SECOND_NS // 10, 5 * SECOND_NS), partial(act, report.order_id))
        elif type(report) is Execution and self.timeline.now > 0:
            if strikes(Fault.TAKEN_BACK):
                for _ in range(self.dice.randint(1, 3)):
                    self.timeline.after(self.within(0.1, 20), lambda: self._take_back(report))
            if report.cl_ord_id is not None and strikes(Fault.OVERFILL):
                self.timeline.after(self.within(0.1, 5), lambda: self._overfill(report))

    def cancel_unasked(self, order_id: OrderID) -> bool:
        """The venue takes an order out of the market, where it still is; whether it was."""
        return self._at_the_venue(lambda: self.venue.broker.cancel_unasked(order_id))

    def _end(self, fault: Fault, order_id: OrderID) -> None:
        if self.cancel_unasked(order_id):
            self.weather.meet(fault)

    def _at_the_venue(self, act: Callable[[], None]) -> bool:
        """Something befalls an order; whether it was still in time."""
        with self.venue.loop.running():
            try:
                act()
            except Refused:
                return False  # it has ended
        return True

    def _lessen(self, order_id: OrderID) -> None:
        """The venue makes an order smaller (F30)."""
        order = None if self.weather.calm else self.venue.working(order_id)
        lots = 0 if order is None else int((order.order_qty - order.cum_qty - 1) // LOT)
        if order is None or not lots:
            return
        qty = Qty(order.order_qty - LOT * self.later.randint(1, lots))
        if self._at_the_venue(lambda: self.venue.broker.restate(order_id, qty, order.price)):
            self.weather.meet(Fault.CANCELED_UNASKED)

    def _trade_beyond(self, order_id: OrderID) -> None:
        """An order trades more than is left of it (F31)."""
        order = None if self.weather.calm else self.venue.working(order_id)
        if order is None or order.price is None:
            return
        px, beyond = order.price, LOT * self.later.randint(1, 5)
        self.trades_beyond(order.symbol, beyond)
        qty = Qty(order.order_qty - order.cum_qty + beyond)
        if self._at_the_venue(lambda: self.venue.broker.fill(order_id, qty, px)):
            self.weather.meet(Fault.OVERFILL)

    def cross(self, cl_ord_id: ClOrdID) -> None:
        """A lot of an order trades just before its cancel takes effect, and is told behind the ack of the cancel (F33)."""
        numbers = self.venue.orders_of.get(cl_ord_id, ())
        order = next((found for one in numbers if (found := self.venue.working(one)) is not None), None)
        if order is None or order.price is None or order.order_qty - order.cum_qty <= LOT:
            return
        number, px = order.order_id, order.price
        self.crossing[cl_ord_id] = self.timeline.now
        if self._at_the_venue(lambda: self.venue.broker.fill(number, Qty(LOT), px)):
            self.weather.meet(Fault.CANCEL_ANSWER_WRONG)

    def _take_back(self, fill: Execution) -> None:
        if self.weather.calm:
            return
        if self.dice.random() < 0.5:
            with self.venue.loop.running():
                try:
                    self.venue.broker.bust(self.venue.own_number(fill))
                except BadInput:
                    return  # it is back already
        elif self.dice.random() < 0.5 and fill.last_qty > 100:
            self._correct(fill, Qty(fill.last_qty - 100), fill.last_px)
        else:
            self._correct(fill, fill.last_qty, Px(fill.last_px + self.dice.randint(1, 9) * CENT))

    def _overfill(self, fill: Execution) -> None:
        if not self.weather.calm:
            self._correct(fill, Qty(fill.last_qty * 20), fill.last_px)

    def _correct(self, fill: Execution, qty: Qty, px: Px) -> None:
        with self.venue.loop.running():
            try:
                self.venue.broker.correct(self.venue.own_number(fill), qty, px)
            except BadInput:
                return  # it was taken back
