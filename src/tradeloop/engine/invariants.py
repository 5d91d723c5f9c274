"""What must never be untrue, asserted of every fact between its decision and its record, also while real money trades.

The simulation judges the same rules from outside, after the fact (testing/checkers.py). Here the process refuses itself: a fact
that would break one is neither recorded nor followed by anything, the process stops with one sentence that names the invariant,
and the next start finds the journal as it was right. Each rule is asked of what the fact does and not of how it was decided,
and costs the same however many orders there are. What only risk knows, the limits of a desk, is asked there alone
(core/risk/), and the table says so. A journal that exists is read without these rules: what was once recorded
happened, and refusing to read it would help nobody.

The starred invariants of a trading system, and what holds each here:

| | invariant | held by |
|---|---|---|
| 1 | one order per id at the venue | `_send_begun`; `Dispatch` never overlaps two attempts |
| 4 | one key, one order | `_staged` |
| 5 | ids are never used again | `_staged` |
| 6 | UNKNOWN is left by proof or a word, and not sent again | `_send_begun`, `_proven_absent`, `_is_over`, `_in_doubt` |
| 8 | filled is the sum of the fills | `_moved`, `_fill_moved`, `_terms_changed` |
| 9 | an overfill is recorded and halts | `_moved`, `_fill_moved`, `_terms_changed`, `decided` |
| 10 | leaves are ordered less filled | computed, never stored (core/order.py); `_found` |
| 12 | a fill counts once | `_filled`, `_fill_of`, `_fill_moved` |
| 14 | every transition is a known one | `_terms_changed`; a fact without its rule in core/evolve.py ends the process |
| 20 | cash is the sum of its flows | `_moved`, `_fill_moved`, `_charged`, `_adjusted`; reserved: `_ended`, `_terms_changed` |
| 21 | positions are the sum of the fills | `_moved`, `_fill_moved`, `_adjusted` |
| 22 | nothing is promised twice to sells | `_promised` |
| 25 | cash covers what may trade; no order beside one in doubt | `_staged`, `_raised`, `_send_begun`, `_sound`; limits: risk |
| 26 | what leaves has passed risk, at a broker whose books were compared | `_send_begun`; `Approved` is all a broker takes |
| 27 | no more in a second than the venue takes | `Pace.left` (core/pacing.py); longer spans: risk |
| 28 | nothing is sent in what is halted, by an overfill or by a stop | `_send_begun` |
| 29 | no own orders that cross | risk alone, where a limit asks for it (core/risk/conduct.py); core/turns.py for a FLATTEN |
| 30 | one order per leg of a run, no larger than the leg | `_staged` |
| 32 | a replay gives the same state | core/ is deterministic; a snapshot without its hash is passed over (engine/recover.py) |
| 33 | the chain is whole | `follows`; the journal is read row by row along its hashes |
| 35 | one epoch writes and sends | `_started`; the append asks for the epoch (StaleEpoch), `send_before` ends late sends |
"""

# size: the rules stand beside the table that names them; whoever reads one asks what the others leave open.

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final, get_args

from tradeloop.core import events as ev
from tradeloop.core.cash import CashBook
from tradeloop.core.errors import InvariantBroken
from tradeloop.core.execution import Exec, exec_key
from tradeloop.core.instrument import AssetClass, Instrument
from tradeloop.core.order import Order
from tradeloop.core.reports import BrokerDown, BrokerUp, CancelOutcome, ReplaceOutcome, Report, SendOutcome
from tradeloop.core.risk.cost import closes
from tradeloop.core.risk.stopped import stopped
from tradeloop.core.state import State
from tradeloop.core.surroundings import Surroundings
from tradeloop.core.types import ZERO, AccountID, ClOrdID, Currency, Side, Symbol

Then = Callable[[], None]
"""What is asked when the fact has been made true in memory."""

Promising = ev.ExternalOrderFound | ev.ReplaceRequested | ev.ReplaceRejected | ev.OrderRestated
"""Facts that say anew what is promised to an order."""

SAID_BY_BROKERS: Final[frozenset[type]] = frozenset(get_args(Report)) - {
    SendOutcome, CancelOutcome, ReplaceOutcome, BrokerUp, BrokerDown,
}  # fmt: skip
"""Inputs in which a broker speaks of its orders. Of the others that come by its session, some tell of the session, and some
what our own wire made of a request.
"""

_NO_CASH: Final = CashBook()


class Invariants:
    """Asked by the writer before every fact, after it, and when a decision is whole. Each raises InvariantBroken."""

    __slots__ = (
        "_around", "_balance", "_cum", "_fill", "_instrument", "_last_id", "_net", "_order", "_over", "_rules", "_staging",
        "_state", "_then_moved", "_then_staged", "_was", "input",
    )  # fmt: skip

    _fill: ev.Traded | ev.TradeBusted | ev.TradeCorrected
    _was: Exec | None
    _staging: ev.OrderStaged
    _order: Order | None
    _instrument: Instrument
    _cum: Decimal
    _balance: Decimal
    _net: Decimal

    def __init__(self, state: State, around: Surroundings) -> None:
        self._state, self._around = state, around
        self.input: type = type(None)
        """The kind of what is being decided."""
        self._last_id = ""
        self._over: dict[ClOrdID, None] = {}
        """Orders that this decision has let trade more than was ordered, and not said so yet."""
        self._then_moved, self._then_staged = self._moved, self._promised
        self._rules: Final[dict[type, Callable[[Any], Then | None]]] = {
            ev.EngineStarted: self._started,
            ev.OrderStaged: self._staged,
            ev.SendBegun: self._send_begun,
            ev.NotSentProven: self._proven_absent,
            ev.OrderCanceled: self._is_over,
            ev.OrderRejected: self._is_over,
            ev.OrderExpired: self._is_over,
            ev.OrderResolved: self._ended,
            ev.CancelRequested: self._in_doubt,
            ev.CancelRejected: self._in_doubt,
            ev.AbsenceSeen: self._in_doubt,
            ev.ReserveRaised: self._raised,
            ev.Traded: self._filled,
            ev.TradeBusted: self._changed,
            ev.TradeCorrected: self._changed,
            ev.Overfilled: self._overfilled,
            ev.TradeMoved: self._fill_moved,
            ev.FeeChanged: self._charged,
            ev.BooksAdjusted: self._adjusted,
            ev.OrderReplaced: self._terms_changed,
            ev.ExternalOrderFound: self._found,
            ev.ReplaceRequested: self._promise_changed,
            ev.ReplaceRejected: self._promise_changed,
            ev.OrderRestated: self._promise_changed,
        }

    def before(self, event: ev.Event) -> Then | None:
        """Ask what can be asked of a fact before it is true; returns what is to be asked after that, None for nothing."""
        rule = self._rules.get(event.__class__)
        return None if rule is None else rule(event)

    def decided(self) -> None:
        """A decision is whole: what it let trade beyond an order is said, and halts the instrument."""
        if not self._over:
            return
        for cl_ord_id in self._over:
            order = self._known(cl_ord_id)
            if order.cum_qty > order.most_qty and order.symbol not in self._state.halted:
                raise InvariantBroken(
                    9, f"{cl_ord_id} has traded {order.cum_qty:f} of {order.order_qty:f} {order.symbol}, which is not halted"
                )
        self._over.clear()

    # --- identity and submission

    def _started(self, e: ev.EngineStarted) -> None:
        if e.epoch <= self._state.epoch:
            raise InvariantBroken(35, f"epoch {e.epoch} was to begin after epoch {self._state.epoch} had begun")

    def _staged(self, e: ev.OrderStaged) -> Then | None:
        state = self._state
        cl_ord_id = e.cl_ord_id
        if cl_ord_id <= self._last_id or cl_ord_id in state.orders.open:
            raise InvariantBroken(5, f"the id {cl_ord_id} was to be given after {self._last_id}; ids of one epoch only rise")
        if not cl_ord_id.startswith(state.id_prefix):
            raise InvariantBroken(5, f"the id {cl_ord_id} is none of epoch {state.epoch}, whose ids begin {state.id_prefix}")
        self._last_id = cl_ord_id
        if e.request_id and e.request_id in state.requests:
            made = state.requests.get(e.request_id)
            raise InvariantBroken(4, f"request {e.request_id!r} made {made} and was to make {e.cl_ord_id}")
        if e.run_id is not None:
            leg = state.runs[e.run_id].leg(e.leg)
            if leg.cl_ord_id is not None or e.order_qty > leg.order_qty:
                raise InvariantBroken(
                    30,
                    f"leg {e.leg} of run {e.run_id} over {leg.order_qty:f} {e.symbol} has order {leg.cl_ord_id}, and was to "
                    f"have {e.cl_ord_id} over {e.order_qty:f}",
                )
        if e.reserve:
            if e.reserve < ZERO:
                raise InvariantBroken(20, f"{cl_ord_id} was to reserve {e.reserve:f}")
            book = state.accounts[e.account].cash.get(state.instruments[e.symbol].currency) or _NO_CASH
            taken = book.reserved + e.reserve
            if (taken + book.margin if book.margin else taken) > book.balance:
                raise InvariantBroken(
                    25, f"with {cl_ord_id} orders may cost {taken + book.margin}, the account has {book.balance}"
                )
        if e.side is Side.BUY:
            return None
        self._staging = e
        return self._then_staged

    def _book(self, account: AccountID, currency: Currency) -> CashBook:
        """The cash book as it stands; an empty one where there is none. Changes nothing."""
        return self._state.accounts[account].cash.get(currency) or _NO_CASH

    def _promised(self) -> None:
        """Sells of what cannot be sold short share no share, and take none that has not settled (T+1)."""
        e = self._staging
        instrument = self._state.instruments[e.symbol]
        if not closes(e.side, e.position_effect, instrument):
            return
        held = self._state.held(e.account, e.symbol)
        settled = held.long_qty - held.long_today if instrument.settles_t1 else held.long_qty
        if held.long_frozen > settled:
            raise InvariantBroken(
                22, f"with {e.cl_ord_id} sells may take {held.long_frozen} {e.symbol}, of which {settled} may be sold"
            )

    def _found(self, e: ev.ExternalOrderFound) -> Then:
        """An order somebody else made has something to trade: one of nothing is done, and no word would ever end it."""
        if e.order_qty <= ZERO:
            raise InvariantBroken(10, f"{e.cl_ord_id} was to be an order over {e.order_qty:f} {e.symbol}")
        return self._promise_changed(e)

    def _send_begun(self, e: ev.SendBegun) -> None:
        state = self._state
        order = state.orders.open.get(e.cl_ord_id)
        if order is None:
            raise InvariantBroken(1, f"{e.cl_ord_id} was to be sent, and no open order has that id")
        if order.unknown_at is not None:
            raise InvariantBroken(6, f"{e.cl_ord_id} was to be sent again while its fate is unknown")
        if order.send_begun_at is not None or _is_heard_of(order):
            raise InvariantBroken(1, f"{e.cl_ord_id} was to be sent again, and nothing says that it is not at the broker")
        if order.external or not order.risk_version:
            raise InvariantBroken(26, f"{e.cl_ord_id} was to be sent and has never passed risk")
        if not state.is_ready(order.broker, order.account):
            raise InvariantBroken(
                26, f"{e.cl_ord_id} was to be sent to {order.broker}, whose books of {order.account} have not been compared"
            )
        if order.symbol in state.halted:
            raise InvariantBroken(28, f"{e.cl_ord_id} was to be sent in {order.symbol}, which is halted")
        if state.halts and (stop := stopped(state, order, state.instruments[order.symbol])) is not None:
            raise InvariantBroken(28, f"{e.cl_ord_id} was to be sent under a stop: {stop.text}")
        if state.unknown and (others := state.unknown.get((order.account, order.symbol))):
            raise InvariantBroken(
                25, f"{e.cl_ord_id} was to be sent in {order.symbol} while the fate of {', '.join(others)} is unknown"
            )

    def _proven_absent(self, e: ev.NotSentProven) -> None:
        self._proof(self._known(e.cl_ord_id))

    def _is_over(self, e: ev.OrderCanceled | ev.OrderRejected | ev.OrderExpired) -> Then:
        """An order of unknown fate ends because it is proven to be over, or because its broker says so: no command and no timer
        ends it. What a person resolves is a fact of its own.
        """
        order = self._known(e.cl_ord_id)
        if order.unknown_at is not None:
            if isinstance(e, ev.OrderCanceled) and e.proven:
                self._proof(order)
            elif self.input not in SAID_BY_BROKERS:
                raise InvariantBroken(
                    6,
                    f"{order.cl_ord_id} was to end by an {type(e).__name__} while its fate is unknown, on a "
                    f"{self.input.__name__}: no word of its broker",
                )
        return self._ended(e)

    def _proof(self, order: Order) -> None:
        """Absence is proven by looks, so many and so far apart that a request on its way would have arrived and shown."""
        if _is_heard_of(order):
            raise InvariantBroken(
                6,
                f"{order.cl_ord_id} was to count as never arrived; {order.told_qty:f} of it was told to have traded, or its "
                "broker has spoken of it otherwise",
            )
        able, looks = self._around.brokers[order.broker], self._around.policy.looks
        wait = able.request_lifetime_ns + able.visibility_lag_ns
        first, last = order.absent_from, order.absent_to
        if order.absences < looks or first is None or last is None or last - max(first, order.send_begun_at or 0) < wait:
            raise InvariantBroken(
                6,
                f"{order.cl_ord_id} was to count as never arrived after {order.absences} looks; it takes {looks}, "
                f"{wait / 1_000_000_000:g} s apart",
            )

    def _in_doubt(self, e: ev.CancelRequested | ev.CancelRejected | ev.AbsenceSeen) -> Then | None:
        order = self._state.orders.open.get(e.cl_ord_id)
        if order is None or order.unknown_at is None:
            return None

        def then() -> None:
            if order.unknown_at is None:
                raise InvariantBroken(6, f"{e.cl_ord_id} was to leave UNKNOWN by a {type(e).__name__}, which proves nothing")

        return then

    # --- quantities, positions and money

    def _filled(self, e: ev.Traded) -> Then:
        key = exec_key(e.broker, e.account, e.trading_day, e.exec_id, e.side)
        if key in self._state.execs.packed:
            raise InvariantBroken(12, f"fill {e.exec_id} ({e.trading_day}) of {e.cl_ord_id} was to be booked a second time")
        state = self._state
        order = self._order = state.orders.open.get(e.cl_ord_id)
        if order is None:
            return self._moves(e, None)
        instrument = self._instrument = state.instruments[e.symbol]
        book = state.accounts[e.account].cash.get(instrument.currency)
        by_symbol = state.positions.get(e.account)
        held = None if by_symbol is None else by_symbol.get(e.symbol)
        self._fill, self._was, self._cum = e, None, order.cum_qty
        self._balance = ZERO if book is None else book.balance
        self._net = ZERO if held is None else held.long_qty if not held.short_qty else held.long_qty - held.short_qty
        return self._then_moved

    def _changed(self, e: ev.TradeBusted | ev.TradeCorrected) -> Then | None:
        if not e.cl_ord_id:
            return None  # kept for a fill that has not come
        key = exec_key(e.broker, e.account, e.trading_day, e.exec_id, e.side)
        was = self._state.execs.get(key)
        if was is None:
            raise InvariantBroken(12, f"fill {e.exec_id} ({e.trading_day}) was to change, and it was never booked")
        return self._moves(e, was)

    def _moves(self, e: ev.Traded | ev.TradeBusted | ev.TradeCorrected, was: Exec | None) -> Then:
        """Note what a fill, or the change of one, moves: the order's quantity, the position and the cash.

        Noted in the object itself: between here and `_moved` lies one fact, and a closure would cost as much as the question.
        """
        state = self._state
        order = self._order = state.orders.open.get(e.cl_ord_id)
        if order is None:
            order = self._known(e.cl_ord_id)
        instrument = self._instrument = state.instruments[order.symbol]
        book = state.accounts[order.account].cash.get(instrument.currency)
        self._fill, self._was, self._cum = e, was, order.cum_qty
        self._balance = ZERO if book is None else book.balance
        self._net = state.held(order.account, order.symbol).net_qty
        return self._then_moved

    def _moved(self) -> None:
        e, order, state, instrument = self._fill, self._order, self._state, self._instrument
        if order is None:
            order = self._known(e.cl_ord_id)
        if self._was is None:
            qty, fee = e.last_qty, e.fee  # type: ignore[union-attr]
            value = qty * e.last_px  # type: ignore[union-attr]
        else:
            qty, value, fee = _difference(e, self._was)
        if order.cum_qty != self._cum + qty:
            raise InvariantBroken(
                8, f"{e.cl_ord_id} had filled {self._cum}, and {order.cum_qty:f} after a fill moved by {qty:f}"
            )
        if order.cum_qty > order.order_qty and qty > ZERO and not order.external:
            self._over[e.cl_ord_id] = None
        bought = e.side is Side.BUY
        held = state.positions[order.account][order.symbol]
        net = self._net + qty if bought else self._net - qty
        if (held.long_qty - held.short_qty if held.short_qty else held.long_qty) != net:
            raise InvariantBroken(21, f"the position in {order.symbol} is {held.net_qty:f}, and {net} by fill {e.exec_id}")
        book = state.accounts[order.account].cash[instrument.currency]
        if order.reserved < ZERO or book.reserved < ZERO:
            self._sound(order)
        if instrument.asset_class is AssetClass.FUTURE:
            return
        if instrument.multiplier != 1:
            value *= instrument.multiplier
        balance = book.balance
        if balance != (self._balance - value if bought else self._balance + value) - fee:
            raise InvariantBroken(20, f"cash was {self._balance} and is {balance}, which is not by fill {e.exec_id}")

    def _promise_changed(
        self,
        e: ev.ExternalOrderFound
        | ev.ReplaceRequested
        | ev.OrderReplaced
        | ev.ReplaceRejected
        | ev.OrderRestated
        | ev.TradeMoved,
    ) -> Then:
        def then() -> None:
            self._sound(self._known(e.cl_ord_id))

        return then

    def _sound(self, order: Order) -> None:
        """No order holds less than nothing: what it holds below zero, another may spend."""
        book = self._book(order.account, self._state.instruments[order.symbol].currency)
        if order.reserved < ZERO or book.reserved < ZERO:
            raise InvariantBroken(
                20, f"{order.cl_ord_id} reserves {order.reserved:f}, all orders of {order.account} {book.reserved:f}"
            )

    def _overfilled(self, e: ev.Overfilled) -> None:
        self._over.pop(e.cl_ord_id, None)

    # --- words about what is booked already: seldom, so what is noted stands in a closure

    def _fill_of(self, e: ev.TradeMoved | ev.FeeChanged, cl_ord_id: ClOrdID) -> Exec:
        """The fill that a fact speaks of, on the order that the fact names."""
        was = self._state.execs.get(exec_key(e.broker, e.account, e.trading_day, e.exec_id, e.side))
        if was is None or was.cl_ord_id != cl_ord_id:
            where = "never" if was is None else f"on {was.cl_ord_id}"
            raise InvariantBroken(
                12,
                f"a {type(e).__name__} of fill {e.exec_id} ({e.trading_day}) of {cl_ord_id} was to be recorded; the fill was "
                f"booked {where}",
            )
        return was

    def _fill_moved(self, e: ev.TradeMoved) -> Then:
        """A fill goes from one order to another of the same position, whole, and is booked once: nothing else moves."""
        was, left, came = self._fill_of(e, e.from_cl_ord_id), self._known(e.from_cl_ord_id), self._known(e.cl_ord_id)
        told, known = (e.last_qty, e.last_px, e.fee, e.busted), (was.qty, was.px, was.fee, was.busted)
        if told != known or e.cl_ord_id == e.from_cl_ord_id:
            raise InvariantBroken(
                12, f"fill {e.exec_id} of {e.from_cl_ord_id} was to go to {e.cl_ord_id} as another than it was booked"
            )
        if (left.account, left.symbol, left.side) != (came.account, came.symbol, came.side):
            raise InvariantBroken(
                21, f"fill {e.exec_id} of {left.side.value} {left.symbol} was to count for {came.side.value} {came.symbol}"
            )
        qty = ZERO if was.busted else was.qty
        expected = left.cum_qty - qty, came.cum_qty + qty
        books = self._of(came)

        def then() -> None:
            left, came = self._known(e.from_cl_ord_id), self._known(e.cl_ord_id)
            if (left.cum_qty, came.cum_qty) != expected:
                raise InvariantBroken(
                    8,
                    f"a fill of {qty:f} went from {e.from_cl_ord_id} to {e.cl_ord_id}, which have filled {left.cum_qty:f} and "
                    f"{came.cum_qty:f}; by the fill they have {expected[0]:f} and {expected[1]:f}",
                )
            self._unmoved(came, books, e)
            self._sound(left)
            self._sound(came)
            if came.cum_qty > came.order_qty and not came.external:
                self._over[e.cl_ord_id] = None

        return then

    def _charged(self, e: ev.FeeChanged) -> Then:
        """A fill that counts costs more or less: its order and the cash by as much, and nothing that is held."""
        was, order = self._fill_of(e, e.cl_ord_id), self._known(e.cl_ord_id)
        if was.busted:
            raise InvariantBroken(20, f"fill {e.exec_id} of {e.cl_ord_id} was to cost {e.fee:f}, and it was taken back")
        more, fees, (net, balance) = e.fee - was.fee, order.fees, self._of(order)

        def then() -> None:
            order = self._known(e.cl_ord_id)
            if order.fees != fees + more:
                raise InvariantBroken(
                    20, f"the fees of {e.cl_ord_id} were {fees:f} and are {order.fees:f}, {more:f} more were charged"
                )
            self._unmoved(order, (net, balance - more), e)

        return then

    def _adjusted(self, e: ev.BooksAdjusted) -> Then:
        """A figure becomes the broker's where an open break says by how much it differs, and a named person has said why."""
        cash = e.kind == "cash"
        number, subject = (20, e.subject) if cash else (21, f"{e.subject} {e.kind}")
        known = self._state.breaks.get(e.break_id)
        if known is None or (known.account, known.subject, known.delta) != (e.account, subject, e.delta):
            raise InvariantBroken(
                number, f"books were to move by {e.delta:f} {subject}, and no open break {e.break_id} says so"
            )
        if not (e.by.strip() and e.reason.strip()):
            raise InvariantBroken(number, f"books were to move by {e.delta:f} {subject}, and nobody says why")
        before = self._figures(e)
        legs = ("cash", "long", "short")
        expected = [figure + e.delta if leg == e.kind else figure for leg, figure in zip(legs, before, strict=True)]

        def then() -> None:
            now = self._figures(e)
            if now != expected:
                raise InvariantBroken(
                    number, f"{subject} was to move by {e.delta:f}; cash, long and short were {before} and are {now}"
                )

        return then

    def _figures(self, e: ev.BooksAdjusted) -> list[Decimal]:
        """Cash, long and short of what a person lets our books take over."""
        if e.kind == "cash":
            return [self._book(e.account, Currency(e.subject)).balance, ZERO, ZERO]
        held = self._state.held(e.account, Symbol(e.subject))
        return [ZERO, held.long_qty, held.short_qty]

    def _terms_changed(self, e: ev.OrderReplaced) -> Then:
        """An order gets the terms that somebody asked for; what it holds moves with it, and what has filled stands."""
        order = self._known(e.cl_ord_id)
        if not order.replaced < e.number <= order.replace_asks:
            raise InvariantBroken(
                14,
                f"change {e.number} of {e.cl_ord_id} was to be in force; {order.replace_asks} were asked for, and "
                f"{order.replaced} is in force",
            )
        account, currency = order.account, self._state.instruments[order.symbol].currency
        promised, cum = self._book(account, currency).reserved - order.reserved, order.cum_qty

        def then() -> None:
            order = self._known(e.cl_ord_id)
            if order.cum_qty != cum or order.order_qty != e.order_qty:
                raise InvariantBroken(
                    8,
                    f"{e.cl_ord_id} had filled {cum:f} when it was changed to {e.order_qty:f}, and has filled "
                    f"{order.cum_qty:f} of {order.order_qty:f}",
                )
            if self._book(account, currency).reserved - order.reserved != promised:
                raise InvariantBroken(
                    20, f"{e.cl_ord_id} holds {order.reserved:f} under its new terms, the books say otherwise"
                )
            self._sound(order)
            if order.cum_qty > order.most_qty and not order.external:
                self._over[e.cl_ord_id] = None

        return then

    def _of(self, order: Order) -> tuple[Decimal, Decimal]:
        """What is held net of an order's symbol, and the cash it is paid from."""
        state = self._state
        balance = self._book(order.account, state.instruments[order.symbol].currency).balance
        return state.held(order.account, order.symbol).net_qty, balance

    def _unmoved(self, order: Order, expected: tuple[Decimal, Decimal], e: ev.TradeMoved | ev.FeeChanged) -> None:
        net, balance = self._of(order)
        if net != expected[0]:
            raise InvariantBroken(
                21, f"a {type(e).__name__} of fill {e.exec_id} left {net:f} {order.symbol} of {expected[0]:f}"
            )
        future = self._state.instruments[order.symbol].asset_class is AssetClass.FUTURE
        if balance != expected[1] and not (future and isinstance(e, ev.TradeMoved)):
            raise InvariantBroken(
                20, f"a {type(e).__name__} of fill {e.exec_id} left {balance:f} in cash, expected {expected[1]:f}"
            )

    def _ended(self, e: ev.OrderCanceled | ev.OrderRejected | ev.OrderExpired | ev.OrderResolved) -> Then:
        order = self._known(e.cl_ord_id)
        account, currency = order.account, self._state.instruments[order.symbol].currency
        held, promised = order.reserved, self._book(account, currency).reserved

        def then() -> None:
            released = promised - self._book(account, currency).reserved
            if released != held:
                raise InvariantBroken(20, f"{e.cl_ord_id} ended and held {held}, the books released {released}")

        return then

    def _raised(self, e: ev.ReserveRaised) -> None:
        order = self._known(e.cl_ord_id)
        if e.reserve < ZERO:
            raise InvariantBroken(20, f"{e.cl_ord_id} was to reserve {e.reserve:f}")
        if order.may_be_at_broker:
            return  # what it may cost has grown with a fill that was told anew, whatever the account has
        book = self._book(order.account, self._state.instruments[order.symbol].currency)
        taken = book.reserved + book.margin + e.reserve - order.reserved
        if taken > book.balance:
            raise InvariantBroken(25, f"with {e.cl_ord_id} orders may cost {taken}, the account has {book.balance}")

    def _known(self, cl_ord_id: ClOrdID) -> Order:
        order = self._state.orders.get(cl_ord_id)
        if order is None:
            raise InvariantBroken(14, f"a fact was to be recorded of order {cl_ord_id}, which no fact made")
        return order


def follows(first_seq: int, head_seq: int) -> None:
    """The next row begins where the last one ended."""
    if first_seq != head_seq + 1:
        raise InvariantBroken(33, f"a row from {first_seq} on was to be written behind one that ends at {head_seq}")


def _is_heard_of(order: Order) -> bool:
    """Whether the broker has told of the order, a fill of it, or its end: each for itself, so that none leans on another."""
    return order.acked_at is not None or order.told_qty > ZERO or order.ending is not None


def _difference(e: ev.Traded | ev.TradeBusted | ev.TradeCorrected, was: Exec) -> tuple[Decimal, Decimal, Decimal]:
    """By how much quantity, value and fee change when a known fill is taken back or corrected."""
    qty, value, fee = (ZERO, ZERO, ZERO) if was.busted else (was.qty, was.qty * was.px, was.fee)
    if isinstance(e, ev.TradeBusted):
        return -qty, -value, -fee
    return e.last_qty - qty, e.last_qty * e.last_px - value, e.fee - fee
