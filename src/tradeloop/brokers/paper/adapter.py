"""The paper broker as the engine sees it: the broker port over `Matching`, with the clock, the file and the faults.

A step changes the books, is committed, and only then do its reports leave. With a file, the requests of one turn of the
event loop share a commit. Time comes from the clock port alone; wake-ups are tasks that sleep on it.
"""

# size: one session: the port, and all that can be made to happen at the broker by hand, go through the same commit and reports

from __future__ import annotations

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Final

import msgspec

from tradeloop.brokers.paper import interventions
from tradeloop.brokers.paper.admission import CL_ORD_ID_ALPHABET, CL_ORD_ID_MAX
from tradeloop.brokers.paper.books import Books
from tradeloop.brokers.paper.config import PaperConfig
from tradeloop.brokers.paper.faults import Fault, FaultSource
from tradeloop.brokers.paper.look import look
from tradeloop.brokers.paper.matching import Matching
from tradeloop.brokers.paper.store import BooksChanged, Store
from tradeloop.core.errors import BadInput, FateUnknown, JournalFailed, NotSent
from tradeloop.core.instrument import Instrument
from tradeloop.core.order import Order
from tradeloop.core.replacement import Replacement
from tradeloop.core.reports import (
    BrokerDown,
    BrokerSnapshot,
    BrokerUp,
    Execution,
    OrderAck,
    Quote,
    Report,
)
from tradeloop.core.risk.approved import Approved
from tradeloop.core.types import (
    SECOND_NS,
    ClOrdID,
    ExecID,
    OrderID,
    OrdType,
    PositionEffect,
    Px,
    Qty,
    Side,
    Symbol,
    TimeInForce,
    TradingDay,
    UtcNs,
)
from tradeloop.ports.broker import Capabilities, Dedupes
from tradeloop.ports.clock import Clock

CAPABILITIES = Capabilities(
    ord_types=frozenset({OrdType.MARKET, OrdType.LIMIT}),
    tifs=frozenset(TimeInForce),
    cl_ord_id_max=CL_ORD_ID_MAX,
    cl_ord_id_alphabet=CL_ORD_ID_ALPHABET,
    dedupes=Dedupes.FOR_EVER,
    query_by_cl_ord_id=False,
    orders_complete=True,
    stream_replay=False,
    request_lifetime_ns=SECOND_NS,
    visibility_lag_ns=SECOND_NS,
    replaces=True, echoes_ids=True, fractions=True, shorts=True, many_currencies=True,
)  # fmt: skip


REOPEN_S: Final = (1, 2, 4, 8, 16, 30)
"""Waits before books that could not be written are read anew; the last one for ever (D9)."""


class PaperBroker:
    """One paper account. Feed it quotes through `on_quote`; everything else is the broker port."""

    capabilities = CAPABILITIES

    def __init__(self, config: PaperConfig, clock: Clock, *, undelivered_at: Callable[[], UtcNs | None] = lambda: None) -> None:
        """Open the books. Raises BadInput for the file of another account, JournalFailed for one it cannot use or that is gone.

        `undelivered_at` is the time of the next quote the feed will deliver, None when there is none or it cannot be known
        (a live feed): a trading day does not end before its quotes have come, however far the clock has run ahead.
        """
        self.name = config.name
        self.account = config.account
        self.config = config
        self._clock = clock
        self._undelivered_at = undelivered_at
        self._faults = FaultSource(config.faults)
        self._begun = config.begun
        self._listed: dict[Symbol, Instrument] = {}
        self._days: dict[str, tuple[TradingDay, tuple[tuple[UtcNs, UtcNs], ...]]] = {}
        try:
            self._open_books()
        except sqlite3.Error as error:
            text = f"the paper books {config.path} could not be written ({error}); check the disk and its free space"
            raise JournalFailed(text) from None
        self._report: Callable[[Report], None] | None = None
        self._is_up = False
        self._is_away = False
        """The connection is lost, whatever the books are like."""
        self._closed = False
        self._why_down = "the session was never opened"
        self._up_at = UtcNs(0)
        self._reopened = 0
        self._commit_due: asyncio.Future[None] | None = None
        self._held: list[Report] = []
        self._timers: set[asyncio.Task[None]] = set()
        self._wake_at: UtcNs | None = None
        self._day_wake_at: UtcNs | None = None
        self._early: deque[Quote] = deque()

    def _open_books(self) -> None:
        config = self.config
        store = None if config.path is None else Store(config.path, begun=self._begun)
        self._books = Books(config.name, config.account, config.cash, store)
        self._begun = True
        self._matching = Matching(
            self._books,
            latency_ns=config.latency_ns,
            bar_participation=config.bar_participation,
            assumed_size=config.assumed_size,
            undelivered_at=self._owed_at,
        )
        self._broken = False
        self._matching.list_instruments(self._listed.values())  # what could not be written before is lost with those books
        for session, (trading_day, windows) in self._days.items():
            known = self._books.days.get(session)
            if known is None or known.trading_day <= trading_day:
                self._matching.open_day(session, trading_day, windows, self._clock.now())

    def _take_books(self) -> None:
        """Read the file anew where it was let go of, and be the only one who writes to it. Raises NotSent."""
        try:
            if self._broken or (self._closed and self._books.is_stored):
                self._books.close()
                self._open_books()
        except sqlite3.Error as error:
            raise NotSent(f"the paper books could not be read ({error})") from error
        self._claim_books()

    def _claim_books(self) -> None:
        """Let what another process is still doing to the books have no effect: that one was frozen, and its order was proven
        absent. Read anew where it came before this.
        """
        try:
            try:
                self._books.claim()
            except BooksChanged:
                self._books.close()
                self._open_books()
                self._books.claim()
        except BooksChanged as error:
            raise NotSent(str(error)) from error
        except sqlite3.Error as error:
            raise NotSent(f"the paper books could not be written ({error})") from error

    @property
    def held_symbols(self) -> tuple[Symbol, ...]:
        """What the books hold, as they were last read."""
        return tuple(p.symbol for p in self._books.positions.values() if p.long_qty or p.short_qty)

    # --- what the bootstrap gives

    def list_instruments(self, instruments: Iterable[Instrument]) -> None:
        """Trade these instruments under these rules from now on."""
        listed = tuple(instruments)
        self._matching.list_instruments(listed)
        self._listed |= {each.symbol: each for each in listed}
        self._finish()

    def open_day(self, session: str, trading_day: TradingDay, windows: Iterable[tuple[UtcNs, UtcNs]]) -> None:
        """Begin a session's trading day, or give the windows of the present one anew. Raises BadInput for an earlier day."""
        given = tuple(windows)
        self._matching.open_day(session, trading_day, given, self._clock.now())
        self._days[session] = trading_day, given
        self._finish()

    def on_quote(self, quote: Quote) -> None:
        """Let the market move; fills are committed and reported before this returns.

        What comes before the session is open waits for it: the books may not be ours to write yet.
        """
        if self._closed:
            self._early.append(quote)
            return
        if self._broken:
            return
        self._matching.on_quote(quote, self._clock.now())
        if self._matching.out or self._books.is_dirty:
            self._finish()

    # --- the broker port

    async def connect(self, report: Callable[[Report], None]) -> None:
        """Open the session; BrokerUp is the first report. Books that could not be written are read anew from their file."""
        self._take_books()
        self._closed = False
        self._report = report
        self._catch_up()
        self._come_up()

    async def close(self) -> None:
        """End the session and let go of the file; a second call does nothing."""
        if self._closed:
            return
        self._finish()
        self._closed = True
        self._is_up, self._why_down = False, "the session was closed"
        self._report = None
        timers, self._timers = list(self._timers), set()
        self._wake_at = self._day_wake_at = None
        for timer in timers:
            timer.cancel()
        await asyncio.gather(*timers, return_exceptions=True)
        self._books.close()

    async def place(self, order: Approved[Order]) -> None:
        """Take one order; the answer comes as a report. Raises NotSent or FateUnknown; the paper broker's session
        refuses nobody."""
        await self._requested(lambda: self._place(order.order), late=lambda: self._arrive_late(order.order))

    async def cancel(self, cl_ord_id: ClOrdID, order_id: OrderID | None, symbol: Symbol) -> None:
        """Ask for a cancel; the answer comes as a report. Raises NotSent or FateUnknown."""
        del symbol  # venues that need it exist; this one finds the order by either id
        await self._requested(lambda: self._matching.cancel(cl_ord_id, order_id, self._clock.now()))

    async def replace(self, change: Approved[Replacement]) -> None:
        """Take other terms for an order; the answer comes as a report. Raises NotSent or FateUnknown."""
        await self._requested(lambda: self._change(change.order), late=lambda: self._change_late(change.order))

    async def snapshot(self, executions_since: UtcNs | None = None) -> BrokerSnapshot:
        """The books now: working orders and all orders of this trading day and the one before, executions of both (or since the
        time asked for), positions, cash."""
        self._need_session()
        now = self._clock.now()
        self._matching.advance(now)
        self._finish()
        self._need_session()
        books = self._books
        if executions_since is None:
            executions, since = books.executions_kept()
        else:
            since = executions_since
            with self._reading():
                executions = books.executions_since(since)
        return look(books, self.name, self.account, now, executions, since)

    # --- what happens at a broker without being asked

    def act_by_hand(
        self,
        symbol: Symbol,
        side: Side,
        qty: Qty,
        *,
        price: Px | None = None,
        filled_at: Px | None = None,
        position_effect: PositionEffect = PositionEffect.AUTO,
    ) -> OrderID:
        """Type an order into the broker's app (F77): limit with `price`, else market; `filled_at` fills it at once.

        Raises Refused when the broker's checks say no.
        """
        now = self._clock.now()
        order_id = interventions.act_by_hand(
            self._matching, symbol, side, qty, now,
            price=price, filled_at=filled_at, position_effect=position_effect,
        )  # fmt: skip
        self._finish()
        return order_id

    def bust(self, exec_id: ExecID) -> None:
        """Take a fill back (F29). Raises BadInput when no such fill counts."""
        interventions.bust(self._matching, exec_id, self._clock.now())
        self._finish()

    def correct(self, exec_id: ExecID, qty: Qty, px: Px) -> None:
        """Change a fill's figures (F29, and F31 when the quantity passes the order's). Raises BadInput when no such
        fill counts."""
        interventions.correct(self._matching, exec_id, qty, px, self._clock.now())
        self._finish()

    def cancel_unasked(self, order_id: OrderID, text: str = "canceled by the broker") -> None:
        """Cancel a working order without being asked (F30). Raises Refused when it is unknown or closed."""
        interventions.cancel_unasked(self._matching, order_id, text, self._clock.now())
        self._finish()

    def fill(self, order_id: OrderID, qty: Qty, px: Px) -> None:
        """Let a working order trade whatever the market does, also beyond what is left of it (F31). Raises Refused when it is
        unknown or closed."""
        interventions.fill(self._matching, order_id, qty, px, self._clock.now())
        self._finish()

    def restate(self, order_id: OrderID, qty: Qty, price: Px | None, text: str = "changed by the broker") -> None:
        """Give a working order other terms without being asked (FIX E.1.c). Raises Refused where a replace would be."""
        interventions.restate(self._matching, order_id, qty, price, text, self._clock.now())
        self._finish()

    def transfer(self, subject: str, delta: Decimal) -> None:
        """Let money of a currency, or shares of a symbol, come or go without a report (F92). Raises BadInput for too much."""
        interventions.transfer(self._matching, subject, delta)
        self._finish()

    def redeliver(self, exec_id: ExecID) -> None:
        """Send a report of an execution once more (F22). Raises BadInput when no such fill counts."""
        self._send(interventions.find(self._matching, exec_id))

    def disconnect(self, text: str = "the connection was lost", *, back_after_ns: int | None = None) -> None:
        """Lose the session: BrokerDown, and NotSent until `reconnect` or, when given, `back_after_ns` later."""
        if not self._is_up:
            return
        self._finish()
        self._is_up, self._why_down, self._is_away = False, text, True
        self._held.clear()
        if self._report is not None:
            self._report(BrokerDown(self.name, text))
        if back_after_ns is not None:
            self._later(UtcNs(self._clock.now() + back_after_ns), self.reconnect)

    def reconnect(self) -> None:
        """Bring a lost session back: BrokerUp. Reports of the meantime are not repeated; the snapshot has them."""
        self._is_away = False
        self._come_up()

    # --- inside

    def _catch_up(self) -> None:
        """Let the market move as it did while the session was not open; the first look at the books shows what that filled.

        A bar at or before the last one that was offered has had its effect, in the process before this one.
        """
        offered = dict(self._books.bars)
        while self._early:
            quote = self._early.popleft()
            is_bar = quote.bid is None and quote.ask is None
            if is_bar and quote.at <= offered.get(quote.symbol, UtcNs(0)):
                quote = msgspec.structs.replace(quote, volume=None)
            self._matching.on_quote(quote, self._clock.now())
        self._finish()

    def _owed_at(self) -> UtcNs | None:
        """When the next quote is that has yet to move the market."""
        return self._early[0].at if self._early else self._undelivered_at()

    def _come_up(self) -> None:
        if self._is_up or self._report is None or self._broken:
            return
        self._is_up, self._up_at = True, self._clock.now()
        self._report(BrokerUp(self.name))
        self._arm()

    async def _requested(self, act: Callable[[], object], late: Callable[[], None] | None = None) -> None:
        """Let a request through to the books and keep them, with every fault that may befall it on its way or on the way back.
        `late` is what arrives where it can be late.
        """
        self._need_session()
        if self._faults.active:
            self._maybe_disconnect()
            if self._faults.strikes(Fault.REQUEST_LOST):
                raise FateUnknown(f"no answer from {self.name} (the request was lost)")
            if late is not None and self._faults.strikes(Fault.REQUEST_LATE):
                self._later(UtcNs(self._clock.now() + self.config.faults.late_ns), late)
                raise FateUnknown(f"no answer from {self.name} (the request is late)")
        with self._reading():
            act()
        if self._books.is_stored:
            await asyncio.shield(self._committed())
        else:
            self._finish()
        if self._faults.active and self._faults.strikes(Fault.REPLY_LOST):
            raise FateUnknown(f"no answer from {self.name} (the reply was lost)")

    def _need_session(self) -> None:
        if not self._is_up:
            raise NotSent(f"{self.name} is not connected: {self._why_down}")

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """A file that cannot be read ends the session before the request had any effect."""
        try:
            yield
        except sqlite3.Error as error:
            text = f"the paper books could not be read ({error})"
            self._break(text, None)
            raise NotSent(text) from error

    def _maybe_disconnect(self) -> None:
        if self._faults.strikes(Fault.DISCONNECT):
            self.disconnect("connection reset by the broker", back_after_ns=self.config.faults.outage_ns)
            self._need_session()

    def _place(self, order: Order) -> None:
        self._matching.place(
            cl_ord_id=order.cl_ord_id,
            account=order.account,
            symbol=order.symbol,
            side=order.side,
            order_qty=order.order_qty,
            now=self._clock.now(),
            ord_type=_sent_as(order),
            price=order.price,
            tif=order.tif,
            position_effect=order.position_effect,
        )

    def _change(self, it: Replacement) -> None:
        self._matching.replace(it.cl_ord_id, it.order_id, it.number, it.order_qty, it.price, self._clock.now())

    def _change_late(self, it: Replacement) -> None:
        if not self._broken:
            self._change(it)
            self._finish()

    def _arrive_late(self, order: Order) -> None:
        if not self._broken:
            self._place(order)
            self._finish()

    def _committed(self) -> asyncio.Future[None]:
        """Resolved when everything done so far in this turn of the loop is durable."""
        if self._commit_due is None:
            loop = asyncio.get_running_loop()
            self._commit_due = loop.create_future()
            loop.call_soon(self._finish)
        return self._commit_due

    def _finish(self) -> None:
        """Commit the step, then let its reports leave."""
        if self._broken:
            self._matching.out = []
            return
        due, self._commit_due = self._commit_due, None
        try:
            self._books.commit()
        except (sqlite3.Error, BooksChanged) as error:
            self._break(f"the paper books could not be written ({error})", due, is_over=isinstance(error, BooksChanged))
            return
        if due is not None and not due.done():
            due.set_result(None)
        matching = self._matching
        reports = matching.out
        if reports:
            matching.out = []
            for report in reports:
                self._send(report)
        self._arm()

    def _break(self, text: str, due: asyncio.Future[None] | None, *, is_over: bool = False) -> None:
        """The books are ahead of their file: nothing of this step is reported, and nothing is taken until they are read.

        `is_over`: another process has the books. Its lease is the newer one, whatever this one believes of its own: what was
        proven absent by then must not come to be, so the session does not come back.
        """
        self._broken = True
        self._matching.out = []
        if due is not None and not due.done():
            due.set_exception(FateUnknown(text))
        if self._is_up:
            self._is_up, self._why_down = False, text
            if self._report is not None:
                self._report(BrokerDown(self.name, text))
        if self._report is not None and not is_over:
            self._reopen_later()

    def _reopen_later(self) -> None:
        """A file that fails again and again is tried more and more seldom: only a session that lasts ends the waits."""
        longest = REOPEN_S[-1]
        now = self._clock.now()
        if now - self._up_at > longest * SECOND_NS and self._up_at:
            self._up_at, self._reopened = UtcNs(0), 0
        wait = REOPEN_S[self._reopened] if self._reopened < len(REOPEN_S) else longest
        self._reopened += 1
        self._later(UtcNs(now + wait * SECOND_NS), self._reopen)

    def _reopen(self) -> None:
        """Bring the session back once the file can be written again, and holds what it held."""
        if self._closed or not self._broken or self._report is None:
            return
        step = self._books.step
        try:
            self._books.close()
            self._open_books()
            if self._books.step != step:
                raise BooksChanged(f"paper books {self.config.path} were changed by another process meanwhile")
            self._books.claim()
        except (NotSent, JournalFailed, sqlite3.Error) as error:
            self._broken, self._why_down = True, str(error)
            self._reopen_later()
            return
        except (BooksChanged, BadInput) as error:
            self._broken, self._why_down = True, str(error)
            self._report(BrokerDown(self.name, f"{error}; end this process, and start again"))
            return
        self._catch_up()
        if not self._is_away:
            self._come_up()

    def _send(self, report: Report) -> None:
        if self._report is None or not self._is_up:
            return
        if not self._faults.active:
            self._report(report)
            return
        strikes = self._faults.strikes
        soon = UtcNs(self._clock.now() + self.config.faults.delay_ns)
        if isinstance(report, OrderAck):
            if strikes(Fault.CANCEL_UNASKED):
                self._later(soon, lambda: self._cancel_if_working(report.order_id))
            if strikes(Fault.DROP_ACK):
                return
        elif isinstance(report, Execution):
            if strikes(Fault.BUST_FILL):
                self._later(soon, lambda: self.bust(report.exec_id))
            if strikes(Fault.LOSE_EXECUTION):
                return
        if strikes(Fault.DELAY_REPORT):
            self._later(soon, lambda: self._deliver(report))
        elif strikes(Fault.REORDER_REPORT):
            self._held.append(report)
            self._later(soon, self._release_held)
        else:
            self._deliver(report)
            if strikes(Fault.DUPLICATE_REPORT):
                self._deliver(report)
            self._release_held()

    def _deliver(self, report: Report) -> None:
        if self._report is not None and self._is_up:
            self._report(report)

    def _release_held(self) -> None:
        held, self._held = self._held, []
        for report in held:
            self._deliver(report)

    def _cancel_if_working(self, order_id: OrderID) -> None:
        order = self._books.orders.get(order_id)
        if order is not None and order.is_working:
            self.cancel_unasked(order_id)

    # --- timers, on the clock port

    def _arm(self) -> None:
        """See to it that the next order or cancel on its way reaches the market in time, and that the day ends."""
        if self._report is None:
            return
        due = self._matching.next_due()
        if due is not None and (self._wake_at is None or due < self._wake_at):
            self._wake_at = due
            self._later(due, self._wake)
        ends = self._matching.next_day_end(self._clock.now())
        if ends is not None and (self._day_wake_at is None or ends < self._day_wake_at):
            self._day_wake_at = ends
            self._later(ends, self._wake_for_the_day)

    def _wake(self) -> None:
        self._wake_at = None
        self._matching.advance(self._clock.now())
        self._finish()

    def _wake_for_the_day(self) -> None:
        self._day_wake_at = None
        if self._broken:
            return
        self._matching.advance(self._clock.now())
        self._finish()

    def _later(self, due: UtcNs, act: Callable[[], None]) -> None:
        timer = asyncio.get_running_loop().create_task(self._sleep_then(due, act))
        self._timers.add(timer)
        timer.add_done_callback(self._timers.discard)

    async def _sleep_then(self, due: UtcNs, act: Callable[[], None]) -> None:
        await self._clock.sleep_until(due)
        act()


def _sent_as(order: Order) -> OrdType:
    """The type on the wire: a stop that the engine held and triggered goes out as what it becomes."""
    if order.ord_type is OrdType.STOP and order.triggered_at is not None:
        return OrdType.MARKET
    if order.ord_type is OrdType.STOP_LIMIT and order.triggered_at is not None:
        return OrdType.LIMIT
    return order.ord_type
