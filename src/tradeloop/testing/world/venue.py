"""The venue: the paper broker, on time of its own that no crash of ours touches, behind the abilities it declares.

What it declares is drawn from the seed and played as declared: for how long it knows an id again, for how long an accepted
order may be missing from what it shows, and whether it shows orders that have ended. So is what it says to a repeat of an order
that it knows. Every judgement is held against its books.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from enum import Enum
from random import Random
from typing import Final

import msgspec

from tradeloop.brokers.paper import PaperBroker, PaperConfig
from tradeloop.brokers.paper.adapter import CAPABILITIES
from tradeloop.brokers.paper.words import Code
from tradeloop.core.capabilities import Capabilities, Dedupes
from tradeloop.core.commands import OpenTradingDay
from tradeloop.core.errors import Refused
from tradeloop.core.order import Order
from tradeloop.core.replacement import Replacement
from tradeloop.core.reports import (
    BrokerSnapshot,
    CancelAck,
    CancelReject,
    Execution,
    ExecutionBust,
    ExecutionCorrect,
    OpenOrder,
    OrderAck,
    OrderExpire,
    OrderReject,
    Quote,
    Report,
)
from tradeloop.core.risk.approved import Approved
from tradeloop.core.types import (
    SECOND_NS,
    ZERO,
    Amount,
    ClOrdID,
    Currency,
    ExecID,
    OrderID,
    OrdStatus,
    Symbol,
    TradingDay,
    UtcNs,
)
from tradeloop.testing.builders import ACCOUNT, BROKER, DAY
from tradeloop.testing.faults import Fault, Weather
from tradeloop.testing.second_ids import SecondIDs
from tradeloop.testing.world.billing import Billing
from tradeloop.testing.world.clock import Sundial, TrueClock
from tradeloop.testing.world.loop import Timeline

WORKING: Final = (OrdStatus.NEW, OrdStatus.PARTIALLY_FILLED)
AGAIN: Final = "-"
"""Between an id and the count of its use, where the venue forgets ids: its own books never confuse two orders."""


class Repeats(Enum):
    """What a venue says to an order under an id that it knows. None of it is about the first one's end (FIX F.1.a)."""

    TOLD_AGAIN = "it tells how the first one stands"
    REFUSED_ON_STREAM = "it refuses the second one in a report"
    REFUSED_AT_ONCE = "it refuses the second one in its reply to the request"


def abilities(dice: Random) -> Capabilities:
    """What a venue of this seed can do."""
    return msgspec.structs.replace(
        CAPABILITIES,
        dedupes=dice.choice(tuple(Dedupes)),
        orders_complete=dice.random() < 0.7,
        request_lifetime_ns=dice.choice((1, 5, 20)) * SECOND_NS,
        visibility_lag_ns=dice.choice((500_000_000, 2 * SECOND_NS, 8 * SECOND_NS)),
    )


class Venue:
    """A broker's books and market, and everybody who listens to it."""

    def __init__(self, timeline: Timeline, sundial: Sundial, able: Capabilities, weather: Weather, cash: Amount, dice: Random):
        self.able = able
        self.loop = timeline.loop("venue")
        self.listeners: list[Callable[[Report], None]] = []
        self.orders_of: dict[ClOrdID, list[OrderID]] = {}
        """Every order that was taken under one of our ids; a second one is a doubled order."""
        self.ids: dict[OrderID, ClOrdID] = {}
        self.fills: dict[tuple[TradingDay, ExecID], Execution] = {}
        """Executions that count, by day and id, in the order they happened."""
        self.trades = 0
        self.arrived: Callable[[Order], None] = lambda order: None
        self.doubled: Callable[[ClOrdID], None] = lambda cl_ord_id: None
        self.billing: Billing | None = None
        self.repeats = Repeats.TOLD_AGAIN
        self._weather = weather
        self.second_ids = SecondIDs(lambda: timeline.now > 0 and weather.strikes(Fault.TWO_IDS))
        self._sundial = sundial
        self._no_cancels: tuple[tuple[UtcNs, UtcNs], ...] = ()
        self._open: dict[ClOrdID, bool] = {}
        self._numbers: dict[TradingDay, int] = {}
        """The broker's number of the last fill before a day: the venue counts anew every day, as CTP and QMT do."""
        self._hidden: dict[OrderID, UtcNs] = {}
        self._was_hidden: dict[OrderID, None] = {}
        """Orders that worked and were missing from books that somebody has asked for."""
        self._dice = dice
        config = PaperConfig(
            name=BROKER,
            account=ACCOUNT,
            cash=((Currency("CNY"), cash),),
            latency_ns=dice.choice((0, 5_000_000, 40_000_000)),
        )
        self.broker = PaperBroker(config, TrueClock(sundial))
        self.loop.at_once(self.broker.connect(self._hear))

    # --- requests, at the moment they arrive

    def place(self, order: Approved[Order]) -> Refused | None:
        """Take an order, as a venue with these abilities does; what it refuses in its reply."""
        it = order.order
        self.arrived(it)
        known = self.orders_of.get(it.cl_ord_id)
        if known and self.repeats is not Repeats.TOLD_AGAIN and not self._has_forgotten(it.cl_ord_id):
            return self._refuse_repeat(it.cl_ord_id)
        if known and self._has_forgotten(it.cl_ord_id):
            it = msgspec.structs.replace(it, cl_ord_id=ClOrdID(f"{it.cl_ord_id}{AGAIN}{len(known)}"))
            order = msgspec.structs.replace(order, order=it)
        self.loop.at_once(self.broker.place(order))
        return None

    def _refuse_repeat(self, cl_ord_id: ClOrdID) -> Refused | None:
        """As IB answers 103 and a FIX venue a duplicate ClOrdID: nothing has changed, and nothing is told of the first one."""
        code, text = Code.DUPLICATE_CL_ORD_ID.value, "the client order id was used before"
        if self.repeats is Repeats.REFUSED_AT_ONCE:
            return Refused(code, text, of_repeat=True)
        with self.loop.running():
            self._hear(OrderReject(BROKER, cl_ord_id, code, text, self._sundial.true(), of_repeat=True))
        return None

    def _has_forgotten(self, cl_ord_id: ClOrdID) -> bool:
        match self.able.dedupes:
            case Dedupes.NEVER:
                return True
            case Dedupes.OPEN_ONLY:
                return not self._open.get(cl_ord_id, False)
            case Dedupes.DAY | Dedupes.FOR_EVER:
                return False

    @property
    def takes_no_cancels(self) -> bool:
        """Whether an auction is on in which nobody gets out (F34)."""
        now = self._sundial.true()
        return any(begins <= now < ends for begins, ends in self._no_cancels)

    def refuse_cancel(self, cl_ord_id: ClOrdID) -> None:
        """Say no to a cancel; the order works on."""
        with self.loop.running():
            self._hear(CancelReject(BROKER, cl_ord_id, "E10", "no cancels are taken in the auction"))

    def cancel(self, cl_ord_id: ClOrdID, order_id: OrderID | None, symbol: Symbol) -> None:
        """Take a cancel, for the newest order of that id."""
        count = len(self.orders_of.get(cl_ord_id, ()))
        used = cl_ord_id if count < 2 else ClOrdID(f"{cl_ord_id}{AGAIN}{count - 1}")
        self.loop.at_once(self.broker.cancel(used, order_id, symbol))

    def replace(self, change: Approved[Replacement]) -> None:
        """Take other terms, for the newest order of that id."""
        it = change.order
        count = len(self.orders_of.get(it.cl_ord_id, ()))
        if count > 1:
            it = msgspec.structs.replace(it, cl_ord_id=ClOrdID(f"{it.cl_ord_id}{AGAIN}{count - 1}"))
            change = msgspec.structs.replace(change, order=it)
        self.loop.at_once(self.broker.replace(change))

    def books(self) -> BrokerSnapshot:
        """What it shows to whoever asks: all of the truth, less what it need not show yet."""
        books = self._seen(self.truth())
        return self.second_ids.shown(books if self.billing is None else self.billing.shown(books))

    def truth(self) -> BrokerSnapshot:
        """What it knows."""
        books = self.loop.at_once(self.broker.snapshot())
        orders = tuple(msgspec.structs.replace(o, cl_ord_id=_plain(o.cl_ord_id)) for o in books.orders or ())
        fills = tuple(
            msgspec.structs.replace(x, cl_ord_id=_plain(x.cl_ord_id), exec_id=self._number(x.trading_day, x.exec_id))
            for x in books.executions or ()
        )
        books = msgspec.structs.replace(books, orders=orders, executions=fills)
        return books if self.billing is None else self.billing.settled(books, DAY)

    def works(self, cl_ord_id: ClOrdID) -> str:
        """The status of an order under one of our ids that works now; empty where none does."""
        found = (self.working(number) for number in self.orders_of.get(cl_ord_id, ()))
        return next((order.ord_status.value for order in found if order is not None), "")

    def working(self, order_id: OrderID) -> OpenOrder | None:
        """The order under a number, while it works."""
        orders = self.loop.at_once(self.broker.snapshot()).orders or ()
        return next((one for one in orders if one.order_id == order_id and one.ord_status in WORKING), None)

    def filled(self, cl_ord_id: ClOrdID) -> Decimal:
        """How much of the orders under one of our ids counts as filled."""
        return sum((fill.last_qty for fill in self.fills.values() if fill.cl_ord_id == cl_ord_id), ZERO)

    def _seen(self, books: BrokerSnapshot) -> BrokerSnapshot:
        now = self._sundial.true()
        if self._weather.calm:
            self._hidden.clear()
        hidden = {order_id for order_id, until in self._hidden.items() if now < until}
        if not self.able.orders_complete:
            working = tuple(order for order in books.orders or () if order.ord_status in WORKING)
            books = msgspec.structs.replace(books, orders=working, orders_complete=False, orders_from=None)
        if not hidden:
            return books
        for order in books.orders or ():
            if order.order_id in hidden and order.ord_status in WORKING and order.order_id not in self._was_hidden:
                self._was_hidden[order.order_id] = None
                self._weather.meet(Fault.LIVE_ORDER_NOT_SHOWN)
        return msgspec.structs.replace(
            books,
            orders=tuple(o for o in books.orders or () if o.order_id not in hidden),
            executions=tuple(x for x in books.executions or () if x.order_id not in hidden),
        )

    def open_day(self, day: OpenTradingDay) -> None:
        """A trading day begins."""
        self._no_cancels = day.no_cancels
        with self.loop.running():
            self.broker.open_day(day.session, day.trading_day, day.windows)

    # --- the market, and what happens without being asked

    def quote(self, quote: Quote) -> None:
        """The market moves."""
        with self.loop.running():
            self.broker.on_quote(quote)

    # --- what it says

    def _hear(self, report: Report) -> None:
        report = self._numbered(_renamed(report))
        if self.billing is not None:
            report = self.billing.without(report)
        match report:
            case OrderAck():
                orders = self.orders_of.setdefault(report.cl_ord_id, [])
                if report.order_id not in orders:
                    orders.append(report.order_id)
                    if len(orders) > 1:
                        self.doubled(report.cl_ord_id)
                    self.ids[report.order_id] = report.cl_ord_id
                    self._open[report.cl_ord_id] = True
                    if self._weather.comes(Fault.LIVE_ORDER_NOT_SHOWN):
                        lag = self._dice.randint(1, self.able.visibility_lag_ns)
                        self._hidden[report.order_id] = UtcNs(self._sundial.true() + lag)
            case OrderReject() if not report.of_repeat:
                self._open[report.cl_ord_id] = False
            case CancelAck() | OrderExpire():
                self._open[report.cl_ord_id] = False
            case Execution():
                self.second_ids.happened(report)
                self.fills[report.trading_day, report.exec_id] = report
                self.trades += 1
            case ExecutionBust():
                self.fills.pop((report.trading_day, report.exec_ref_id), None)
            case ExecutionCorrect():
                name = report.trading_day, report.exec_ref_id
                corrected = self.fills.get(name)
                if corrected is not None:
                    self.fills[name] = msgspec.structs.replace(
                        corrected, last_qty=report.last_qty, last_px=report.last_px, commission=report.commission
                    )
            case _:
                pass
        for listener in [*self.listeners]:
            listener(report)

    # --- its numbers of fills

    def own_number(self, fill: Execution) -> ExecID:
        """What the broker behind it calls a fill."""
        return _exec_id(_count(fill.exec_id) + self._numbers[fill.trading_day])

    def _numbered(self, report: Report) -> Report:
        match report:
            case Execution():
                self._numbers.setdefault(report.trading_day, _count(report.exec_id) - 1)
                return msgspec.structs.replace(report, exec_id=self._number(report.trading_day, report.exec_id))
            case ExecutionBust() | ExecutionCorrect():
                return msgspec.structs.replace(report, exec_ref_id=self._number(report.trading_day, report.exec_ref_id))
            case _:
                return report

    def _number(self, day: TradingDay, own: ExecID) -> ExecID:
        return _exec_id(_count(own) - self._numbers[day])


def _count(exec_id: ExecID) -> int:
    return int(exec_id[1:])


def _exec_id(count: int) -> ExecID:
    return ExecID(f"E{count:010d}")


def _plain(cl_ord_id: ClOrdID | None) -> ClOrdID | None:
    """The id as its sender knows it."""
    return None if cl_ord_id is None else ClOrdID(cl_ord_id.split(AGAIN)[0])


def _renamed(report: Report) -> Report:
    cl_ord_id = getattr(report, "cl_ord_id", None)
    if cl_ord_id is None or AGAIN not in cl_ord_id:
        return report
    return msgspec.structs.replace(report, cl_ord_id=_plain(cl_ord_id))
