"""One process's session with the venue: the Broker port over a line that loses, delays, doubles and mixes up.

Nothing is sent twice and nothing is invented here; the network does that. What a caller hears is what a real adapter could
know: an answer, an error that says nothing, a reset, or silence. A dead process hears nothing, and its requests go on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final

import msgspec

from tradeloop.core.errors import FateUnknown, NotSent, Refused
from tradeloop.core.order import Order
from tradeloop.core.replacement import Replacement
from tradeloop.core.reports import (
    BrokerDown,
    BrokerSnapshot,
    BrokerUp,
    CancelAck,
    CancelReject,
    Execution,
    OrderAck,
    OrderReject,
    ReplaceAck,
    Report,
)
from tradeloop.core.risk.approved import Approved
from tradeloop.core.types import SECOND_NS, ClOrdID, OrderID, Symbol, UtcNs
from tradeloop.testing.builders import ACCOUNT, BROKER
from tradeloop.testing.faults import Fault
from tradeloop.testing.world.loop import Killed, VirtualLoop
from tradeloop.testing.world.network import MS, Network

PATIENCE_NS: Final = 10 * SECOND_NS
"""After this the caller has stopped waiting (engine/dispatch.py)."""
OVERDUE_NS: Final = SECOND_NS

Answer = Callable[[Exception | BrokerSnapshot | None], None]


class Wire:
    """The Broker port of one process."""

    name = BROKER
    account = ACCOUNT

    def __init__(self, network: Network, loop: VirtualLoop) -> None:
        self.capabilities = network.venue.able
        self.loop = loop
        self.is_up = False
        self._net = network
        self._report: Callable[[Report], None] | None = None
        self._session = 0
        self.ups = 0
        """How many sessions this process was told of that they came up."""
        self.newest_look = 0
        """How many it had been told of when it asked for the newest books it was handed that show the orders."""
        self._last_at = 0
        self._waiting: dict[int, tuple[Answer, type[NotSent | FateUnknown]]] = {}
        self._count = 0
        self._held_ack: OrderAck | None = None
        self._twin_acks: dict[int, OrderAck] = {}
        self._on_its_own_line: dict[int, None] = {}
        """Looks whose answers come by a line of their own, which the end of the session does not touch (F83)."""
        self._kept_books: list[tuple[int, BrokerSnapshot]] = []
        self._mixed: dict[OrderID, None] = {}
        """Numbers that were told of the wrong order: their fills name the number alone, as its own kind of venue would."""

    # --- the port

    async def connect(self, report: Callable[[Report], None]) -> None:
        """Begin to come up; BrokerUp follows when the line is there."""
        self._alive()
        self._report = report
        net = self._net
        net.sessions.append(self)
        net.venue.listeners.append(self._hear)
        net.timeline.after(net.latency(), self.come_up)

    async def close(self) -> None:
        """End the session."""
        self._alive()
        self.leave()

    async def place(self, order: Approved[Order]) -> None:
        """Write the request at once, then wait for what comes back."""
        self._alive()
        net, weather = self._net, self._net.weather
        if not self.is_up:
            raise NotSent("the session is down")
        net.requested(self, True)
        if weather.strikes(Fault.THROTTLED):
            raise NotSent("too many requests; this one was not processed")
        order = msgspec.structs.replace(order, order=msgspec.structs.replace(order.order))
        net.hand_over(self, order.order)
        net.disturb()
        key, heard = self._expect()
        if net.loses_requests or weather.strikes(Fault.REQUEST_LOST):
            pass  # silence
        elif weather.strikes(Fault.RESET_AFTER_FIRST_BYTE):
            if net.dice.random() < 0.5:
                self._leave_for_the_venue(key, order)
            net.timeline.after(MS, lambda: net.drop("connection reset by peer", net.within(0.3, 4)))
        elif weather.strikes(Fault.ERROR_BEFORE_EFFECT):
            self._answer_later(key, FateUnknown("503 service unavailable; execution status unknown"))
        else:
            self._leave_for_the_venue(key, order)
        net.moment(Fault.KILLED_AFTER_SEND)
        self._alive()
        await heard

    async def cancel(self, cl_ord_id: ClOrdID, order_id: OrderID | None, symbol: Symbol) -> None:
        """Ask for a cancel; the answer comes as a report."""
        self._alive()
        net, weather = self._net, self._net.weather
        if not self.is_up:
            raise NotSent("the session is down")
        net.requested(self, False)
        if weather.also(Fault.THROTTLED, net.later):
            weather.meet(Fault.THROTTLED)
            raise NotSent("too many requests; this one was not processed")
        net.cancel_leaves(cl_ord_id)
        net.disturb()
        key, heard = self._expect()
        if not net.loses_requests and not weather.strikes(Fault.REQUEST_LOST):
            sent = self._session

            def arrive() -> None:
                if weather.strikes(Fault.CANCEL_FAILS):
                    if net.dice.random() < 0.5 and sent == self._session:
                        self._answer_later(key, Refused("E9", "no cancels are taken now, try later"))
                    return
                net.cancel_comes(cl_ord_id)
                if net.venue.takes_no_cancels:
                    weather.meet(Fault.HALTED)
                    net.venue.refuse_cancel(cl_ord_id)
                else:
                    if weather.also(Fault.CANCEL_ANSWER_WRONG, net.later):
                        net.cross(cl_ord_id)
                    net.venue.cancel(cl_ord_id, order_id, symbol)
                if not weather.strikes(Fault.REPLY_LOST) and sent == self._session:
                    self._answer_later(key, None)

            net.timeline.after(self._way(net.latency()), arrive)
        await heard

    async def replace(self, change: Approved[Replacement]) -> None:
        """Write the request at once, then wait; what becomes of it comes as a report."""
        self._alive()
        net, weather = self._net, self._net.weather
        if not self.is_up:
            raise NotSent("the session is down")
        net.requested(self, False)
        if weather.strikes(Fault.THROTTLED):
            raise NotSent("too many requests; this one was not processed")
        net.change_leaves(change.order)
        net.disturb()
        key, heard = self._expect()
        if net.loses_requests or weather.strikes(Fault.REQUEST_LOST):
            pass  # silence
        elif weather.strikes(Fault.ERROR_BEFORE_EFFECT):
            self._answer_later(key, FateUnknown("503 service unavailable; execution status unknown"))
        else:
            sent_at, session = net.timeline.now, self._session
            change = msgspec.structs.replace(change)

            def arrive() -> None:
                if net.timeline.now - sent_at > self.capabilities.request_lifetime_ns:
                    return  # too old for the venue
                net.venue.replace(change)
                self._reply(key, session)

            net.timeline.after(self._way(net.latency()), arrive)
        await heard

    async def snapshot(self, executions_since: UtcNs | None = None) -> BrokerSnapshot:
        """Read the venue's books; they may be old when they come."""
        self._alive()
        del executions_since
        net = self._net
        if not self.is_up:
            raise NotSent("the session is down")
        key, heard = self._expect(NotSent)
        told_of = self.ups
        if net.weather.strikes(Fault.OLD_BOOKS):
            self._on_its_own_line[key] = None

        def arrive() -> None:
            books = net.venue.books()
            lag = net.within(1, 8) if net.weather.strikes(Fault.QUERY_LAGS) else 0
            books = net.read(books)
            if key in self._on_its_own_line:
                self._kept_books.append((key, books))
                net.timeline.after(net.within(1, 20), lambda: self._tell_old_books(0))
                return
            self._answer_later(key, books, lag)

        if not net.loses_requests:
            net.timeline.after(net.latency(), arrive)
        books: BrokerSnapshot = await heard
        net.looked(self, books)
        if books.orders is not None:
            self.newest_look = max(self.newest_look, told_of)
        return books

    # --- the line

    def come_up(self) -> None:
        """The session is there."""
        if self._report is None or self.is_up or not self._net.up or self.loop.dead:
            return
        self.is_up = True
        self._session += 1
        up = self._deliver(BrokerUp(BROKER))
        self._tell_old_books(up - self._net.timeline.now)
        fills = [*self._net.venue.fills.values()]
        if self._net.weather.comes(Fault.DAY_REPLAYED) and fills:
            self._net.weather.meet(Fault.DAY_REPLAYED)
            for fill in fills:
                self._deliver(fill)

    def lose(self, why: str) -> None:
        """The session is lost: whoever waits for an answer learns nothing."""
        if not self.is_up:
            return
        self.is_up = False
        self._session += 1
        waiting, self._waiting = self._waiting, {}
        for key, (answer, lost) in waiting.items():
            if key in self._on_its_own_line:
                self._waiting[key] = answer, lost
            else:
                answer(lost(f"the session was lost: {why}"))
        if self._report is not None and not self.loop.dead:
            self.loop.call_soon(self._report, BrokerDown(BROKER, why))

    def tell(self, report: Report) -> None:
        """A report that the venue has made before comes once more, on its own."""
        if self.is_up and not self._net.loses_answers:
            self._deliver(report)

    def leave(self) -> None:
        """The session ends, because it was closed or its process is gone."""
        self.is_up, self._report = False, None
        self._session += 1
        if self in self._net.sessions:
            self._net.sessions.remove(self)
            self._net.venue.listeners.remove(self._hear)

    # --- requests

    def _leave_for_the_venue(self, key: int, order: Approved[Order]) -> None:
        net, weather, sent_at, session = self._net, self._net.weather, self._net.timeline.now, self._session
        lifetime = self.capabilities.request_lifetime_ns
        delay = self._way(net.latency())
        if lifetime > PATIENCE_NS and weather.strikes(Fault.REQUEST_PAST_TIMEOUT):
            delay = net.dice.randint(PATIENCE_NS, lifetime)

        def arrive() -> None:
            if net.timeline.now - sent_at > lifetime:
                return  # too old for the venue
            if self.loop.dead:
                weather.meet(Fault.REQUEST_OUTLIVES_CLIENT)
            self._reply(key, session, net.venue.place(order))

        net.timeline.after(delay, arrive)
        if net.knows_repeats and weather.strikes(Fault.REQUEST_TWICE):
            net.timeline.after(delay + net.within(0.01, 1), arrive)

    def _way(self, delay: int) -> int:
        """How long this request is on its way."""
        if self._net.weather.strikes(Fault.REQUEST_LATE):
            return self._net.dice.randint(0, self.capabilities.request_lifetime_ns)
        return delay

    def _reply(self, key: int, session: int, refused: Refused | None = None) -> None:
        """The venue has taken the request, or refused it, and says so, in one way or another."""
        weather = self._net.weather
        if session != self._session or weather.strikes(Fault.REPLY_LOST):
            return
        if refused is not None:
            self._answer_later(key, refused)
        elif weather.strikes(Fault.ERROR_AFTER_EFFECT):
            self._answer_later(key, FateUnknown("504 gateway time-out; execution status unknown"))
        else:
            lag = self._net.within(0.5, 3) if weather.strikes(Fault.TRADE_BEFORE_REPLY) else 0
            self._answer_later(key, None, lag)

    def _expect(self, lost: type[NotSent | FateUnknown] = FateUnknown) -> tuple[int, asyncio.Future[BrokerSnapshot]]:
        """A place for the answer that may come; `lost` is what a lost session means for it."""
        self._count += 1
        key = self._count
        heard: asyncio.Future[BrokerSnapshot] = self.loop.create_future()

        def answer(found: Exception | BrokerSnapshot | None) -> None:
            if heard.done() or self.loop.dead:
                return
            if isinstance(found, Exception):
                heard.set_exception(found)
            else:
                heard.set_result(found)  # type: ignore[arg-type]

        self._waiting[key] = answer, lost
        if lost is FateUnknown:
            self._net.timeline.after(PATIENCE_NS + OVERDUE_NS, lambda: self._overdue(heard, again=True))
        return key, heard

    def _overdue(self, heard: asyncio.Future[BrokerSnapshot], *, again: bool) -> None:
        """Whoever waits longer than its time-out waits by a clock that somebody has set back (invariant 40)."""
        if heard.done() or self.loop.dead or self.loop.stopped:
            return
        if again:  # one that was stopped meanwhile gets a moment to look at its time
            self._net.timeline.after(OVERDUE_NS, lambda: self._overdue(heard, again=False))
            return
        waited = (PATIENCE_NS + 2 * OVERDUE_NS) // SECOND_NS
        self._net.waits_too_long(
            f"a request has waited {waited} s for its answer; its time-out is {PATIENCE_NS // SECOND_NS} s"
        )

    def _answer_later(self, key: int, found: Exception | BrokerSnapshot | None, lag: int = 0) -> None:
        if self._net.loses_answers:
            return
        session = self._session

        def answer() -> None:
            if session == self._session:
                waiting = self._waiting.pop(key, None)
                if waiting is not None:
                    waiting[0](found)

        self._net.timeline.after(self._net.latency() + lag, answer)

    def _tell_old_books(self, after_ns: int) -> None:
        """Answers that were held up come: at the latest with the session, right behind the word that it is there."""
        kept, self._kept_books = self._kept_books, []
        for key, books in kept:
            self._net.timeline.after(after_ns, partial(self._tell_books, key, books))

    def _tell_books(self, key: int, books: BrokerSnapshot) -> None:
        self._on_its_own_line.pop(key, None)
        waiting = self._waiting.pop(key, None)
        if waiting is not None:
            waiting[0](books)

    # --- reports

    def _hear(self, report: Report) -> None:
        """The venue says something; whether and when it is heard is another matter."""
        net, strikes = self._net, self._net.weather.strikes
        if isinstance(report, BrokerUp | BrokerDown):
            return
        if not self.is_up or net.loses_answers:
            return
        delay = 0
        told = net.as_named(report)
        if told is None:
            return
        report = told
        match report:
            case OrderAck():
                if strikes(Fault.ACK_LOST):
                    return
                if strikes(Fault.FILL_BEFORE_ACK):
                    delay = net.within(0.2, 3)
                mixed = self._mixed_up(report)
                if mixed is None:
                    return
                report = mixed
            case ReplaceAck() if strikes(Fault.ACK_LOST):
                return
            case Execution() if report.order_id is not None and (
                report.order_id in self._mixed or strikes(Fault.TRADE_BEFORE_REPLY)
            ):
                report = msgspec.structs.replace(report, cl_ord_id=None)
            case CancelAck() if report.cl_ord_id in net.rejected and not report.cum_qty:
                report = OrderReject(BROKER, report.cl_ord_id, "E7", "rejected after it was accepted")
            case CancelAck() if strikes(Fault.CANCEL_ANSWER_WRONG):
                report = CancelReject(BROKER, report.cl_ord_id, "E8", "too late to cancel")
            case _:
                pass
        if strikes(Fault.STREAM_DROPS):
            return
        if isinstance(report, Execution) and net.crossing.get(
            net.venue.ids.get(report.order_id or OrderID(""), ClOrdID(""))
        ) == (net.timeline.now):
            delay = net.later.randint(SECOND_NS // 2, 4 * SECOND_NS)
        if not delay and strikes(Fault.OUT_OF_ORDER):
            delay = net.within(0, 2)
        self._deliver(report, delay)
        if strikes(Fault.FILL_TWICE if isinstance(report, Execution) else Fault.STATUS_TWICE):
            self._deliver(report, delay + net.within(0, 2))

    def _mixed_up(self, ack: OrderAck) -> OrderAck | None:
        """The ack as it is told: with the number of another one in flight, where their replies were mixed up (F7)."""
        net, held = self._net, self._held_ack
        if ack.cl_ord_id in net.twins:
            return self._of_a_twin(ack, net.twins[ack.cl_ord_id])
        if held is not None and held.cl_ord_id != ack.cl_ord_id:
            self._held_ack = None
            net.weather.meet(Fault.ACKS_MIXED_UP)
            self._mixed |= {held.order_id: None, ack.order_id: None}
            self._deliver(msgspec.structs.replace(held, order_id=ack.order_id))
            return msgspec.structs.replace(ack, order_id=held.order_id)
        if (
            held is None
            and net.weather.enables(Fault.ACKS_MIXED_UP)
            and net.dice.random() < net.weather.rates[Fault.ACKS_MIXED_UP]
        ):
            self._held_ack = ack
            net.timeline.after(SECOND_NS, self._release_ack)
            return None
        return ack

    def _of_a_twin(self, ack: OrderAck, pair: int) -> OrderAck | None:
        """The first ack of two twins waits for the other one, and each is told with the other's number (F93)."""
        net, first = self._net, self._twin_acks.pop(pair, None)
        if first is not None and first.cl_ord_id != ack.cl_ord_id:
            net.weather.meet(Fault.TWINS_MIXED_UP)
            self._mixed |= {first.order_id: None, ack.order_id: None}
            self._deliver(msgspec.structs.replace(first, order_id=ack.order_id))
            return msgspec.structs.replace(ack, order_id=first.order_id)
        if first is None and net.weather.enables(Fault.TWINS_MIXED_UP):
            self._twin_acks[pair] = ack
            net.timeline.after(SECOND_NS, lambda: self._release_twin(pair))
            return None
        return ack

    def _release_twin(self, pair: int) -> None:
        ack = self._twin_acks.pop(pair, None)
        if ack is not None:
            self._deliver(ack)

    def _release_ack(self) -> None:
        held, self._held_ack = self._held_ack, None
        if held is not None:
            self._deliver(held)

    def _deliver(self, report: Report, delay: int = 0) -> int:
        """Hand a report over after the line's latency, behind those before it unless it was delayed; when."""
        session, timeline = self._session, self._net.timeline
        at = timeline.now + self._net.latency()
        if delay:
            at += delay
        else:
            at = self._last_at = max(self._last_at, at)

        def arrive() -> None:
            if session == self._session and self._report is not None and not self.loop.dead:
                self.loop.call_soon(self._report, report)
                self._net.told(self, report)
                if type(report) is BrokerUp:
                    self.ups += 1

        timeline.at(at, arrive)
        return at

    def _alive(self) -> None:
        """A dead process sends nothing."""
        if self.loop.dead:
            raise Killed
