"""The judge of a simulated world: what must never be untrue, asked after every row of the journal and of every request.

It folds the durable rows into a state of its own, counts beside it what the facts say, and knows the venue's books, which
have the last word. Every check costs as much as what changed. The numbers are those of the invariants of the product:

1 one order per id at the venue · 2 nothing at the venue without a durable intent · 3 no intent disappears · 4 one key, one
order · 5 ids are never used again · 6 UNKNOWN is left by proof alone and never sent again · 7 what was answered is durable · 8
quantities are the sum of the fills · 9 an overfill is recorded and halts · 10 leaves are order less filled · 11 values are
exact · 12 a fill counts once · 13 what has filled is less only by a word about a fill that is booked · 15 nothing is sent for
an order that has ended · 17 terms stay in force until others are said to be · 20 cash is the sum of its flows · 21 positions
are the sum of the fills · 23 reservations are those of the open orders · 26 what is sent is what was judged · 30 one order per
leg of a run · 32 a replay gives the same state · 33 the chain is whole · 35 an old epoch writes nothing and sends nothing late
· 38 a stranger's order is taken in once · 40 times of one process never fall. Convergence (36, 37, 42): convergence.py. What
may leave at all (12, 21, 23, 25 to 28, 31, 35) is counted a second time, by other means: gate.py. What an order holds that
works again (23): promised.py. What positions have cost and made (24): costs.py; what our own schedule has charged for fills
(24): fees.py. What a process was told and has not booked (23, 36): heard.py. What is over here and works at the venue (6, 36):
ends.py. A process that refuses a fact of its own
(engine/invariants.py; 14 and 22 here alone) is told of as broken, too. What a venue names twice (12): told_twice.py. On SQLite
7, 33 and 35 are asked of the database itself, too: world/sqlite.py. What leaves besides orders, and what must not leave any
more (15, 26, 28, 35, 42): way_out.py. What a person was told (41): told.py. In worlds that live under limits of risk, what they
let through and what they halt (22, 25 to 30, 42): limits/; it says which rules are compared by their figure, and which are only
known to leave the world sound.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final, Protocol

import msgspec

from tradeloop.core import commands as c
from tradeloop.core import events as ev
from tradeloop.core.errors import JournalDamaged
from tradeloop.core.evolve import evolve
from tradeloop.core.execution import exec_key
from tradeloop.core.order import Order
from tradeloop.core.replies import OrderReply, RunReply
from tradeloop.core.state import State
from tradeloop.core.surroundings import Policy
from tradeloop.core.types import SECOND_NS, ZERO, ClOrdID, OrderID, RunID, Side, Symbol
from tradeloop.journal import codec
from tradeloop.ports.journal import Batch
from tradeloop.testing.builders import ACCOUNT
from tradeloop.testing.costs import Costs
from tradeloop.testing.ends import End, Ends
from tradeloop.testing.fees import Fees
from tradeloop.testing.gate import Gate
from tradeloop.testing.promised import Promised
from tradeloop.testing.told_twice import ToldTwice

NOT_REACHED: Final = {
    16: "no report carries a sequence that would tell a stale one from a new one; what is booked is right in the end (36)",
    18: "holds by construction, since what waits is stored beside what is in force (17), and is tested as a law (tests/core)",
    19: "is tested as a law (tests/property); worlds tell one order of events each, and the venue's is the judge (24, 36)",
    34: "golden journals are replayed by tests/journal",
    39: "there is no client of a stream yet",
}
"""Invariants that no rule of the judge can find broken, and why; of all others one can (tests/sim/test_judged.py)."""


class Violation(msgspec.Struct, frozen=True):
    """An invariant that did not hold: its number, when, and what is broken."""

    invariant: int
    at_ns: int
    text: str


class Watcher(Protocol):
    """A part of the judge that stands beside it: it sees every durable fact."""

    def fact(self, event: ev.Event, state: State, *, again: bool) -> None:
        """A durable fact, and the state it led to; `again` when a journal that lost a row is read anew."""
        ...

    def forget(self) -> None:
        """The journal is read anew."""
        ...


class Judge:
    """Watches one world from its first row to its last."""

    def __init__(self, now: Callable[[], int], orders_at_venue: dict[ClOrdID, list[OrderID]], policy: Policy) -> None:
        self.shadow = State()
        self.head: codec.Head = codec.EMPTY
        self.violations: list[Violation] = []
        self.told: Callable[[ev.Event], None] = lambda event: None
        self.rows: list[Batch] = []
        self.lost_ids: dict[ClOrdID, None] = {}
        """Orders whose rows a failover of the database lost (F67): they are strangers now, by right. What of such an order the
        journal still knows, it may take for not sent.
        """
        self.lost_runs: dict[RunID, None] = {}
        """Runs whose rows it lost: a process that goes on for a moment still answers with them."""
        self.events = 0
        self.watchers: list[Watcher] = []
        self._rereading = False
        self._now = now
        self._at_venue = orders_at_venue
        self._check: dict[type, Callable[[Any], None]] = {
            ev.OrderStaged: self._staged,
            ev.SendBegun: self._send_begun,
            ev.SendFailed: self._not_there,
            ev.NotSentProven: self._not_there,
            ev.OrderCanceled: self._ended,
            ev.OrderExpired: self._ended,
            ev.OrderRejected: self._ended,
            ev.OrderResolved: self._ended,
            ev.ExternalOrderFound: self._stranger,
            ev.AccountAdopted: self._adopted,
            ev.Traded: self._traded,
            ev.TradeBusted: self._taken_back,
            ev.TradeCorrected: self._taken_back,
            ev.TradeMoved: self._moved,
            ev.FeeChanged: self._recharged,
            ev.BooksAdjusted: self._adjusted,
            ev.Overfilled: self._halted,
            ev.ReplaceRequested: self._change_asked,
            ev.OrderReplaced: self._changed,
            ev.OrderRestated: self._restated,
        }
        self.gate = Gate(self.broken, now, policy)
        self.told_twice = ToldTwice(self.broken)
        self.promised = Promised(self.broken)
        self.costs = Costs(self.broken)
        self.fees = Fees(self.broken)
        self.ends = Ends(self.broken, self.lost_ids)
        self._late_by = policy.send_within_ns + policy.place_timeout_ns + SECOND_NS
        self._forget()

    def _forget(self) -> None:
        self.begun: dict[tuple[ClOrdID, int], None] = {}
        """Attempts to send that are durable."""
        self.surely_not: dict[tuple[ClOrdID, int], str] = {}
        self.staged: dict[ClOrdID, ev.OrderStaged] = {}
        self._handed_over: dict[tuple[ClOrdID, int], None] = {}
        self._requests: dict[str, ClOrdID] = {}
        self._legs: dict[tuple[str, int], ClOrdID] = {}
        self._execs: dict[str, tuple[Side, Symbol, Decimal, Decimal, Decimal, bool]] = {}
        self._filled: dict[ClOrdID, tuple[Decimal, Decimal]] = {}
        self._cash = ZERO
        self._net: dict[Symbol, Decimal] = {}
        self._terms: dict[ClOrdID, tuple[Decimal, Decimal | None]] = {}
        """Quantity and price in force of every order of ours."""
        self._changes: dict[tuple[ClOrdID, int], ev.ReplaceRequested] = {}
        self._promised: dict[ClOrdID, tuple[Decimal, Decimal, Symbol]] = {}
        self._reserved = ZERO
        self._frozen: dict[Symbol, Decimal] = {}
        self._over: dict[ClOrdID, None] = {}
        self._epoch_began: dict[int, int] = {}
        self._strangers: dict[tuple[str, str], None] = {}
        self._last_at = 0
        self.gate.forget()
        self.told_twice.forget()
        self.promised.forget()
        self.costs.forget()
        self.fees.forget()
        self.ends.forget()
        for watcher in self.watchers:
            watcher.forget()

    def broken(self, invariant: int, text: str) -> None:
        """Note that an invariant did not hold."""
        self.violations.append(Violation(invariant, self._now(), text))

    # --- the journal

    def rows_kept(self, *batches: Batch) -> None:
        """Rows are durable, together: the decisions in them are whole."""
        for batch in batches:
            self._row(batch)
        self.promised.decided(self.shadow)
        self.fees.decided(self.shadow)
        self.gate.decided(self.shadow)
        for cl_ord_id in self._over:
            order = self.shadow.orders.get(cl_ord_id)
            if order is not None and order.cum_qty > order.most_qty:  # else it was taken back in the same decision
                self.broken(9, f"order {cl_ord_id} was filled beyond its quantity, and no Overfilled fact says so")
        self._over.clear()

    def _row(self, batch: Batch) -> None:
        try:
            self.head = codec.follow(self.head, batch)
            events = codec.decode(batch.payload)
        except JournalDamaged as error:
            self.broken(33, str(error))
            return
        self.rows.append(batch)
        if batch.epoch < self.shadow.epoch:
            self.broken(35, f"epoch {batch.epoch} wrote batch {batch.batch} after epoch {self.shadow.epoch} had begun")
        for event in events:
            self.events += 1
            self._before(event)
            evolve(self.shadow, event)
            self._after(event)
            self.gate.fact(event, self.shadow)
            self.told_twice.fact(event)
            self.promised.fact(event, self.shadow)
            self.costs.fact(event, self.shadow)
            self.fees.fact(event, self.shadow)
            for watcher in self.watchers:
                watcher.fact(event, self.shadow, again=self._rereading)
            self.told(event)

    def rewind(self, *lost: Batch) -> None:
        """A failover of the database lost the newest commit: judge what is left anew."""
        rows = [row for row in self.rows if row.batch not in {each.batch for each in lost}]
        for event in (event for row in lost for event in codec.decode(row.payload)):
            if isinstance(event, ev.OrderStaged | ev.SendBegun):
                self.lost_ids[event.cl_ord_id] = None
            elif isinstance(event, ev.RunCreated):
                self.lost_runs[event.run_id] = None
        told, self.told = self.told, lambda event: None
        known, handed, began = self._requests, self._handed_over, self._epoch_began
        self.shadow, self.head, self.rows = State(), codec.EMPTY, []
        self._forget()
        self._rereading = True
        self.rows_kept(*rows)
        self._rereading = False
        for request_id, cl_ord_id in known.items():
            if cl_ord_id not in self.lost_ids:
                self._requests.setdefault(request_id, cl_ord_id)
        self._handed_over, self._epoch_began = handed, began
        self.told = told

    def recovered(self, state: State, process: str) -> None:
        """A process has recovered: what it knows is what the journal says."""
        if state.hash() != self.shadow.hash():
            self.broken(32, f"{process} recovered another state than its journal makes, at {state.seq}")

    def _before(self, event: ev.Event) -> None:
        kind = type(event)
        if kind is ev.EngineStarted:
            self._last_at = 0
            self._epoch_began[event.epoch] = self._now()  # type: ignore[union-attr]
        if event.at < self._last_at:
            self.broken(40, f"{kind.__name__} is of {event.at}, the fact before it of {self._last_at}")
        self._last_at = max(self._last_at, event.at)
        check = self._check.get(kind)
        if check is not None:
            check(event)

    def _staged(self, e: ev.OrderStaged) -> None:
        if e.cl_ord_id in self.staged or self.shadow.orders.get(e.cl_ord_id) is not None:
            self.broken(5, f"the id {e.cl_ord_id} was made twice")
        self.staged[e.cl_ord_id] = e
        self._terms[e.cl_ord_id] = e.order_qty, e.price
        if e.request_id:
            if e.request_id in self._requests:
                self.broken(4, f"request {e.request_id} made {self._requests[e.request_id]} and then {e.cl_ord_id}")
            self._requests[e.request_id] = e.cl_ord_id
        if e.run_id is not None:
            leg = (e.run_id, e.leg)
            if leg in self._legs:
                self.broken(30, f"leg {e.leg} of run {e.run_id} made {self._legs[leg]} and then {e.cl_ord_id}")
            self._legs[leg] = e.cl_ord_id

    def _send_begun(self, e: ev.SendBegun) -> None:
        order = self.shadow.orders.get(e.cl_ord_id)
        if order is None:
            self.broken(2, f"{e.cl_ord_id} is sent, and no intent of it is recorded")
            return
        if order.send_begun_at is not None or order.unknown_at is not None:
            self.broken(6, f"{e.cl_ord_id} is sent again while its last attempt may be at the venue")
        if order.is_done:
            self.broken(15, f"{e.cl_ord_id} is sent although it is {order.ord_status.value}")
        self.begun[e.cl_ord_id, e.at] = None

    def _not_there(self, e: ev.SendFailed | ev.NotSentProven) -> None:
        order = self.shadow.orders.get(e.cl_ord_id)
        if order is None or order.send_begun_at is None:
            return
        how = "proven absent" if isinstance(e, ev.NotSentProven) else "not sent"
        self.surely_not[e.cl_ord_id, order.send_begun_at] = how
        if self._at_venue.get(e.cl_ord_id) and not self._rereading and e.cl_ord_id not in self.lost_ids:
            self.broken(6, f"{e.cl_ord_id} was {how}, and the venue has it as {self._at_venue[e.cl_ord_id]}")

    def _ended(self, e: End) -> None:
        self.ends.ended(e, self.shadow.orders.get(e.cl_ord_id), again=self._rereading)

    def _stranger(self, e: ev.ExternalOrderFound) -> None:
        key = (e.trading_day, f"{e.order_id}{e.symbol}{e.side.value}")
        if key in self._strangers:
            self.broken(38, f"the stranger's order {e.order_id} was taken in twice")
        self._strangers[key] = None

    def _adopted(self, e: ev.AccountAdopted) -> None:
        self._cash = sum((held.balance for held in e.cash), ZERO)
        self._net = {held.symbol: held.long_qty - held.short_qty for held in e.positions}

    def _traded(self, e: ev.Traded) -> None:
        key = exec_key(e.broker, e.account, e.trading_day, e.exec_id, e.side)
        if key in self._execs:
            self.broken(12, f"fill {key} was booked twice")
        self._execs[key] = (e.side, e.symbol, e.last_qty, e.last_px, e.fee, False)
        self._move(e.cl_ord_id, e.side, e.symbol, e.last_qty, e.last_px, e.fee, 1)

    def _taken_back(self, e: ev.TradeBusted | ev.TradeCorrected) -> None:
        if not e.cl_ord_id:
            return  # kept for a fill that has not come
        key = exec_key(e.broker, e.account, e.trading_day, e.exec_id, e.side)
        if key not in self._execs:
            self.broken(13, f"fill {key} was changed, and it was never booked")
            return
        side, symbol, qty, px, fee, gone = self._execs[key]
        if not gone:
            self._move(e.cl_ord_id, side, symbol, qty, px, fee, -1)
        if isinstance(e, ev.TradeCorrected):
            self._execs[key] = (side, symbol, e.last_qty, e.last_px, e.fee, False)
            self._move(e.cl_ord_id, side, symbol, e.last_qty, e.last_px, e.fee, 1)
        else:
            self._execs[key] = (side, symbol, qty, px, fee, True)

    def _moved(self, e: ev.TradeMoved) -> None:
        """A fill that was a stranger's is ours: it counts as before, for another order."""
        key = exec_key(e.broker, e.account, e.trading_day, e.exec_id, e.side)
        if key not in self._execs:
            self.broken(12, f"fill {key} went from {e.from_cl_ord_id} to {e.cl_ord_id}, and it was never booked")
            return
        side, symbol, qty, px, fee, gone = self._execs[key]
        if not gone:
            self._move(e.from_cl_ord_id, side, symbol, qty, px, fee, -1)
            self._move(e.cl_ord_id, side, symbol, qty, px, fee, 1)

    def _recharged(self, e: ev.FeeChanged) -> None:
        key = exec_key(e.broker, e.account, e.trading_day, e.exec_id, e.side)
        side, symbol, qty, px, fee, gone = self._execs[key]
        self._execs[key] = (side, symbol, qty, px, e.fee, gone)
        if not gone:
            self._cash -= e.fee - fee

    def _move(self, cl_ord_id: ClOrdID, side: Side, symbol: Symbol, qty: Decimal, px: Decimal, fee: Decimal, way: int) -> None:
        cum, value = self._filled.get(cl_ord_id, (ZERO, ZERO))
        self._filled[cl_ord_id] = (cum + way * qty, value + way * qty * px)
        bought = way if side is Side.BUY else -way
        self._net[symbol] = self._net.get(symbol, ZERO) + bought * qty
        self._cash -= bought * qty * px + way * fee

    def _adjusted(self, e: ev.BooksAdjusted) -> None:
        if e.kind == "cash":
            self._cash += e.delta
        else:
            symbol = Symbol(e.subject)
            self._net[symbol] = self._net.get(symbol, ZERO) + (e.delta if e.kind == "long" else -e.delta)

    def _change_asked(self, e: ev.ReplaceRequested) -> None:
        self._changes[e.cl_ord_id, e.number] = e

    def _changed(self, e: ev.OrderReplaced) -> None:
        asked = self._changes.get((e.cl_ord_id, e.number))
        if asked is None:
            self.broken(17, f"change {e.number} of {e.cl_ord_id} is in force, and nobody asked for it")
        self._terms[e.cl_ord_id] = e.order_qty, e.price

    def _restated(self, e: ev.OrderRestated) -> None:
        if e.cl_ord_id in self._terms:
            self._terms[e.cl_ord_id] = e.order_qty, e.price

    def _halted(self, e: ev.Overfilled) -> None:
        self._over.pop(e.cl_ord_id, None)

    def _after(self, event: ev.Event) -> None:
        kind = type(event)
        touched: list[Order] = []
        for name in ("cl_ord_id", "from_cl_ord_id"):
            cl_ord_id: ClOrdID | None = getattr(event, name, None)
            if not cl_ord_id or kind in (ev.OrderDenied, ev.LimitPassed):
                continue
            order = self.shadow.orders.get(cl_ord_id)
            if order is None:
                self.broken(3, f"{kind.__name__} of {cl_ord_id}, and the order is gone")
                return
            self._order(order)
            touched.append(order)
            if kind in _ADDS and order.cum_qty > order.most_qty and not order.external:
                self._over[cl_ord_id] = None
        for order in touched:
            self._promises(order.symbol)
        if kind in _OF_BOOKS:
            self._books(event)

    def _order(self, order: Order) -> None:
        cum, value = self._filled.get(order.cl_ord_id, (ZERO, ZERO))
        if order.cum_qty != cum:
            self.broken(8, f"{order.cl_ord_id} has filled {order.cum_qty}, its fills make {cum}")
        if order.cum_value != value:
            self.broken(11, f"{order.cl_ord_id} traded for {order.cum_value}, its fills make {value}")
        self._in_force(order)
        open_qty = max(order.order_qty - order.cum_qty, ZERO) if order.replaces else order.order_qty - order.cum_qty
        if order.leaves_qty != (ZERO if order.is_done else open_qty):
            self.broken(10, f"{order.cl_ord_id} leaves {order.leaves_qty} of {order.order_qty}, filled {order.cum_qty}")
        reserved, frozen, symbol = self._promised.get(order.cl_ord_id, (ZERO, ZERO, order.symbol))
        now_frozen = order.frozen if order.side is Side.SELL else ZERO
        self._reserved += order.reserved - reserved
        self._frozen[symbol] = self._frozen.get(symbol, ZERO) + now_frozen - frozen
        self._promised[order.cl_ord_id] = (order.reserved, now_frozen, symbol)
        if order.is_done and (order.reserved or order.frozen):
            self.broken(23, f"{order.cl_ord_id} has ended and still holds {order.reserved} and {order.frozen} shares")

    def _in_force(self, order: Order) -> None:
        """The terms of an order are those it was judged with, until its broker, or we for one that has not left, say others."""
        terms = self._terms.get(order.cl_ord_id)
        if terms is not None and terms != (order.order_qty, order.price):
            self.broken(17, f"{order.cl_ord_id} is over {order.order_qty} at {order.price}, in force are {terms}")

    def _promises(self, symbol: Symbol) -> None:
        """What is reserved and frozen is what the open orders hold."""
        account = self.shadow.accounts.get(ACCOUNT)
        if account is not None:
            booked = sum((book.reserved for book in account.cash.values()), ZERO)
            if booked != self._reserved:
                self.broken(23, f"reserved are {booked}, the open orders hold {self._reserved}")
            held = self.shadow.held(ACCOUNT, symbol).long_frozen
            if held != self._frozen[symbol]:
                self.broken(23, f"{held} {symbol} are frozen, the open orders hold {self._frozen[symbol]}")

    def _books(self, event: ev.Event) -> None:
        account = self.shadow.accounts.get(ACCOUNT)
        if account is None:
            return
        balance = sum((book.balance for book in account.cash.values()), ZERO)
        if balance != self._cash:
            self.broken(20, f"cash is {balance}, its flows make {self._cash}, after {type(event).__name__}")
        symbol = getattr(event, "symbol", None)
        symbols = [symbol] if symbol is not None else [*self._net]
        for each in symbols:
            net = self.shadow.held(ACCOUNT, each).net_qty
            if net != self._net.get(each, ZERO):
                self.broken(21, f"{net} {each} are held, the fills make {self._net.get(each, ZERO)}")

    # --- the wire

    def sent(self, order: Order, epoch: int) -> None:
        """A process hands an order to the wire."""
        self.gate.sent(order, epoch)
        cl_ord_id, begun = order.cl_ord_id, order.send_begun_at or 0
        attempt = (cl_ord_id, begun)
        if cl_ord_id in self.lost_ids:
            return
        if attempt not in self.begun:
            self.broken(2, f"{cl_ord_id} left before its SendBegun was durable")
        if attempt in self._handed_over:
            self.broken(1, f"{cl_ord_id} was handed over twice in one attempt")
        self._handed_over[attempt] = None
        staged = self.staged.get(cl_ord_id)
        if staged is not None:
            asked = (staged.symbol, staged.side, *self._terms[cl_ord_id], staged.ord_type, staged.tif, staged.account)
            sends = (order.symbol, order.side, order.order_qty, order.price, order.ord_type, order.tif, order.account)
            if asked != sends:
                self.broken(26, f"{cl_ord_id} was judged as {asked} and is sent as {sends}")
        newest = max(self._epoch_began, default=0)
        if epoch < newest and self._now() - self._epoch_began[newest] > self._late_by:
            self.broken(35, f"epoch {epoch} sends {cl_ord_id} long after epoch {newest} has begun")

    def arrived(self, order: Order) -> None:
        """The venue takes an order."""
        attempt = (order.cl_ord_id, order.send_begun_at or 0)
        self.ends.arrived(order.cl_ord_id)
        if order.cl_ord_id in self.lost_ids:
            return
        if attempt not in self.begun:
            self.broken(2, f"{order.cl_ord_id} is at the venue, and no durable attempt of it")
        elif attempt in self.surely_not:
            self.broken(6, f"{order.cl_ord_id} was {self.surely_not[attempt]}, and arrives all the same")

    def doubled(self, cl_ord_id: ClOrdID) -> None:
        """The venue took a second order under one id."""
        if cl_ord_id not in self.lost_ids:
            self.broken(1, f"the venue has {cl_ord_id} twice: {self._at_venue[cl_ord_id]}")

    # --- the clients

    def replied(self, command: Any, reply: Any) -> None:
        """A client has got its answer."""
        if isinstance(reply, OrderReply) and isinstance(command, c.SubmitOrder):
            if reply.denied is None:
                if self.shadow.orders.get(reply.cl_ord_id) is None and reply.cl_ord_id not in self.lost_ids:
                    self.broken(7, f"{reply.cl_ord_id} was promised, and no durable row knows it")
                known = self._requests.get(command.request_id, reply.cl_ord_id)
                if known != reply.cl_ord_id and known not in self.lost_ids and reply.cl_ord_id not in self.lost_ids:
                    self.broken(4, f"request {command.request_id} was answered {known} and now {reply.cl_ord_id}")
        elif isinstance(reply, RunReply) and reply.run_id not in (None, *self.shadow.runs, *self.lost_runs):
            self.broken(7, f"run {reply.run_id} was promised, and no durable row knows it")

    def knows_request(self, request_id: str) -> bool:
        """Whether an order of this key is durable."""
        return request_id in self._requests

    def must_refuse(self, command: c.SubmitOrder, reply: Any) -> None:
        """A client asked for something else under a key it had used."""
        if isinstance(reply, OrderReply) and command.request_id in self._requests:
            self.broken(4, f"request {command.request_id} came with other content, and was answered {reply!r}")


_OF_FILLS: Final = (ev.Traded, ev.TradeBusted, ev.TradeCorrected, ev.TradeMoved, ev.FeeChanged)
_ADDS: Final = (ev.Traded, ev.TradeCorrected)
_OF_BOOKS: Final = (*_OF_FILLS, ev.BooksAdjusted, ev.AccountAdopted)
