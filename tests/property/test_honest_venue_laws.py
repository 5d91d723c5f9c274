"""The laws of the desk against a venue with true books: whatever was lost on the way, in the end we believe what is so.

The machine buys, sells, opens and closes in stock of T+1 and in a contract, and lets the venue do what venues do. Words, orders
and cancels may be late, lost, repeated and out of order; sessions drop, processes restart, days end. After every step the books
of the desk are recomputed from its executions; at the end of every day they are the venue's.
"""

from __future__ import annotations

from decimal import Decimal

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.property.venue_made import Venue
from typing_extensions import override

from tradeloop.core.commands import CancelOrder, OpenTradingDay, ReleaseSymbol
from tradeloop.core.effects import SendCancel, SendOrder, SetTimer
from tradeloop.core.evolve import evolve
from tradeloop.core.execution import Exec, order_key
from tradeloop.core.inputs import Start, TimerFired
from tradeloop.core.instrument import AssetClass
from tradeloop.core.order import Order
from tradeloop.core.replies import OrderReply
from tradeloop.core.reports import BrokerDown, BrokerUp, ExecutionBust, ExecutionCorrect, SendOutcome
from tradeloop.core.state import State
from tradeloop.core.types import (
    ZERO,
    Amount,
    ClOrdID,
    Currency,
    OrdType,
    PositionEffect,
    Side,
    Symbol,
    TradingDay,
    UtcNs,
)
from tradeloop.journal import codec
from tradeloop.testing.builders import ACCOUNT, BROKER, a_quote, an_instrument, buy, known, sell
from tradeloop.testing.desk import Desk

CNY, USD = Currency("CNY"), Currency("USD")
MOUTAI, GOLD = Symbol("600519.SH"), Symbol("au2512.SHFE")
STOCK = an_instrument(MOUTAI, lot=1, min_qty=1, settles_t1=True)
CONTRACT = an_instrument(
    GOLD,
    asset_class=AssetClass.FUTURE,
    lot=1,
    min_qty=1,
    multiplier=1000,
    margin_rate="0.1",
    shortable=True,
    odd_lot_sell=False,
    currency=USD,  # money of its own, so that the stock's can be compared to the last fen
)
CASH = 100_000
HELD = 60
LIMIT = Decimal(10)
KINDS = [
    (MOUTAI, Side.BUY, PositionEffect.AUTO),
    (MOUTAI, Side.SELL, PositionEffect.AUTO),
    (GOLD, Side.BUY, PositionEffect.OPEN),
    (GOLD, Side.SELL, PositionEffect.OPEN),
    (GOLD, Side.BUY, PositionEffect.CLOSE),
    (GOLD, Side.SELL, PositionEffect.CLOSE_TODAY),
    (GOLD, Side.SELL, PositionEffect.CLOSE),
]
picks = st.integers(0, 20)
sizes = st.integers(1, 30)


class HonestVenue(RuleBasedStateMachine):
    """One desk, one venue, and everything between them that can fail."""

    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk().opened(STOCK, CONTRACT, cash=CASH, positions={MOUTAI: HELD})
        self.desk.state.cash(ACCOUNT, USD).balance = Amount(Decimal(1_000_000))
        self.venue = Venue((STOCK, CONTRACT), CASH, {MOUTAI: HELD})
        self.wire: list[SendOrder] = []
        self.cancels: list[SendCancel] = []
        self.timers: list[SetTimer] = []
        self.seen = len(self.desk.effects)
        self.days = 0
        self.taken_back = False

    # --- between the two

    def give(self, *inputs: object) -> object:
        """Tell the desk something and take what it wants done."""
        reply = self.desk.give(*inputs)  # type: ignore[arg-type]
        for effect in self.desk.effects[self.seen :]:
            if isinstance(effect, SendOrder):
                self.wire.append(effect)
            elif isinstance(effect, SendCancel):
                self.cancels.append(effect)
            elif isinstance(effect, SetTimer):
                self.timers.append(effect)
        self.seen = len(self.desk.effects)
        return reply

    def pass_time(self, seconds: int, *, arrives: bool = True) -> None:
        """What was on its way arrives, or never will; timers that are due fire; quotes are fresh."""
        going, self.wire = self.wire, []
        asked, self.cancels = self.cancels, []
        if arrives:
            for one in going:
                self.venue.take(one.order.order)
            for cancel in asked:
                self.venue.cancel(cancel.cl_ord_id)
        self.desk.wait(seconds)
        for symbol in (MOUTAI, GOLD):
            self.give(a_quote(symbol, at=self.desk.now))
        due = [timer for timer in self.timers if timer.due <= self.desk.now]
        self.timers = [timer for timer in self.timers if timer.due > self.desk.now]
        for timer in sorted(due, key=lambda each: each.due):
            self.give(TimerFired(timer.kind, timer.subject))

    def look(self) -> None:
        """Show the venue's books."""
        other = {USD: self.desk.state.accounts[ACCOUNT].cash[USD].balance}
        self.give(self.venue.books(self.desk.now, other))

    def hear(self, place: int) -> None:
        """Hear one of the words not heard yet."""
        word = self.venue.unheard.pop(place % len(self.venue.unheard))
        self.venue.heard.append(word)
        self.give(word)

    # --- what we ask

    @rule(wanted=st.lists(st.tuples(st.sampled_from(KINDS), sizes), min_size=1, max_size=4))
    def order(self, wanted: list[tuple[tuple[Symbol, Side, PositionEffect], int]]) -> None:
        """Ask for orders; each may be denied."""
        for (symbol, side, effect), qty in wanted:
            make = buy if side is Side.BUY else sell
            reply = self.give(make(symbol, qty, position_effect=effect, ord_type=OrdType.LIMIT, price=str(LIMIT)))
            assert isinstance(reply, OrderReply)

    @precondition(lambda self: self.desk.state.orders.open)
    @rule(pick=picks)
    def cancel(self, pick: int) -> None:
        """Ask for a cancel."""
        working = list(self.desk.state.orders.open)
        self.give(CancelOrder(working[pick % len(working)], "tester"))

    # --- what becomes of it on the way

    @precondition(lambda self: self.wire)
    @rule(pick=picks)
    def arrive(self, pick: int) -> None:
        """An order reaches the venue."""
        self.venue.take(self.wire.pop(pick % len(self.wire)).order.order)

    @precondition(lambda self: self.wire)
    @rule(pick=picks, arrives=st.booleans())
    def lose_the_answer(self, pick: int, arrives: bool) -> None:
        """The wire fails while the order is on it."""
        one = self.wire.pop(pick % len(self.wire))
        if arrives:
            self.venue.take(one.order.order)
        self.give(SendOutcome(BROKER, one.order.order.cl_ord_id, "UNKNOWN", "reset", one.begun_at))

    @precondition(lambda self: self.wire)
    @rule(pick=picks)
    def refuse_to_send(self, pick: int) -> None:
        """The wire surely never took it."""
        one = self.wire.pop(pick % len(self.wire))
        self.give(SendOutcome(BROKER, one.order.order.cl_ord_id, "NOT_SENT", "refused", one.begun_at))

    @precondition(lambda self: self.cancels)
    @rule(pick=picks)
    def cancel_arrives(self, pick: int) -> None:
        """A cancel reaches the venue."""
        self.venue.cancel(self.cancels.pop(pick % len(self.cancels)).cl_ord_id)

    @precondition(lambda self: self.venue.unheard)
    @rule(pick=picks)
    def hear_one(self, pick: int) -> None:
        """Words come in any order."""
        self.hear(pick)

    @precondition(lambda self: self.venue.heard)
    @rule(pick=picks)
    def hear_again(self, pick: int) -> None:
        """Words come twice."""
        self.give(self.venue.heard[pick % len(self.venue.heard)])

    @precondition(lambda self: any(not isinstance(word, ExecutionBust | ExecutionCorrect) for word in self.venue.unheard))
    @rule(pick=picks)
    def lose_one(self, pick: int) -> None:
        """A word never comes; the books make up for it."""
        may = [word for word in self.venue.unheard if not isinstance(word, ExecutionBust | ExecutionCorrect)]
        self.venue.unheard.remove(may[pick % len(may)])

    # --- what the venue does

    @precondition(lambda self: self.venue.working)
    @rule(parts=st.lists(st.tuples(picks, sizes, st.integers(0, 3), st.booleans()), min_size=1, max_size=4))
    def fill(self, parts: list[tuple[int, int, int, bool]]) -> None:
        """Orders trade at their limit."""
        for pick, qty, fee, by_number in parts:
            self.venue.fill(pick, qty, LIMIT, fee, self.desk.now, by_number=by_number)

    @precondition(lambda self: self.venue.trades)
    @rule(pick=picks, qty=sizes, corrects=st.booleans())
    def take_back(self, pick: int, qty: int, corrects: bool) -> None:
        """A fill was a mistake."""
        self.taken_back |= self.venue.take_back(pick, qty, LIMIT, self.desk.now, corrects=corrects)

    @precondition(lambda self: self.venue.working)
    @rule(pick=picks, expires=st.booleans())
    def end(self, pick: int, expires: bool) -> None:
        """An order ends unasked."""
        self.venue.end(pick, expires=expires)

    # --- what happens around

    @rule(seconds=st.sampled_from([1, 3, 6, 12, 40]), arrives=st.booleans())
    def wait_and_look(self, seconds: int, arrives: bool) -> None:
        """Time passes, and the books are looked at."""
        self.pass_time(seconds, arrives=arrives)
        self.look()

    @rule(what=st.sampled_from(["session", "process", "day"]), arrives=st.booleans())
    def trouble(self, what: str, arrives: bool) -> None:
        """A session, a process or a day ends."""
        match what:
            case "session":
                self.lose_the_session(arrives)
            case "process":
                self.restart(arrives)
            case _:
                self.next_day()

    def lose_the_session(self, arrives: bool) -> None:
        """The session drops and comes back."""
        self.give(BrokerDown(BROKER, "gone"))
        self.pass_time(2, arrives=arrives)
        self.give(BrokerUp(BROKER))
        self.look()

    def restart(self, arrives: bool) -> None:
        """Another process goes on from the packed state; what the last one had sent arrives or not."""
        self.pass_time(1, arrives=arrives)
        self.wire, self.cancels, self.timers = [], [], []
        self.desk.state = State.unpack(self.desk.state.pack())
        self.desk.around.settled.clear()
        self.give(Start(self.desk.state.epoch + 1, "test", "t1", "", predecessor_dead=True))
        self.give(BrokerUp(BROKER))
        self.look()

    def next_day(self) -> None:
        """The day ends with everything heard, and the books agree; then the next one begins."""
        self.heal()
        self.days += 1
        day = TradingDay(f"2026-08-{self.days:02d}")
        self.venue.close_day(day, self.desk.now)
        while self.venue.unheard:
            self.hear(0)
        for session in dict.fromkeys((STOCK.session, CONTRACT.session)):
            self.give(OpenTradingDay(session, day, ((UtcNs(0), UtcNs(2**62)),)))
        self.pass_time(5)
        self.look()

    def heal(self) -> None:
        """Nothing is lost any more, and enough time passes; then what we believe is what is so."""
        while self.venue.unheard:
            self.hear(0)
        for _ in range(12):
            self.pass_time(40)
            while self.venue.unheard:
                self.hear(0)
            self.look()
            for symbol in list(self.desk.state.halted):
                self.give(ReleaseSymbol(symbol, "tester", "looked at"))
        state = self.desk.state
        assert not self.wire
        assert state.unknown == {}
        assert state.breaks == {}, list(state.breaks.values())
        for order in self.orders():
            theirs = self.venue.orders.get(order.cl_ord_id)
            if theirs is None:
                assert order.is_done
                assert not order.cum_qty
                continue
            assert (order.cum_qty, order.leaves_qty) == (theirs.cum, theirs.leaves), order
            assert order.ord_status is theirs.status
        for (symbol, leg), qty in self.venue.legs.items():
            held = state.held(ACCOUNT, symbol)
            assert (held.long_qty if leg == "long" else held.short_qty) == qty
        assert self.desk.cash() == self.venue.cash

    # --- the laws

    @initialize()
    def begin(self) -> None:
        """Something is held both ways of the contract, so that there is something to close."""
        for side in (Side.BUY, Side.SELL):
            self.order([((GOLD, side, PositionEffect.OPEN), 20)])
            self.arrive(0)
            self.venue.fill(0, 20, LIMIT, 0, self.desk.now, by_number=False)
        while self.venue.unheard:
            self.hear(0)

    def orders(self) -> list[Order]:
        """All orders, open and closed."""
        state = self.desk.state
        return [self.desk.known(key) for key in (*state.orders.open, *(ClOrdID(key) for key, _ in state.orders.closed.items()))]

    def live(self) -> dict[ClOrdID, list[Exec]]:
        """The executions that count, by their order."""
        found: dict[ClOrdID, list[Exec]] = {}
        for _, x in self.desk.state.execs.items():  # noqa: PERF102 - not a dict
            if not x.busted:
                found.setdefault(x.cl_ord_id, []).append(x)
        return found

    @invariant()
    def every_order_is_the_sum_of_its_executions(self) -> None:
        """Invariants 8 to 11."""
        live = self.live()
        for order in self.orders():
            own = live.get(order.cl_ord_id, [])
            assert order.cum_qty == sum((x.qty for x in own), ZERO)
            assert order.cum_value == sum((x.qty * x.px for x in own), ZERO)
            assert order.fees == sum((x.fee for x in own), ZERO)
            # A fill may overtake the bust that made room for it; and an order that is known by its first fill alone is as large
            # as that until the books are read.
            assert order.cum_qty <= order.order_qty or self.taken_back or order.external
            assert order.leaves_qty == (ZERO if order.is_done else order.order_qty - order.cum_qty)

    @invariant()
    def money_moves_by_flows_and_fees_alone(self) -> None:
        """Invariant 20: the change of each balance is what was traded in it, less fees, to the last digit."""
        state = self.desk.state
        flows = {CNY: ZERO, USD: ZERO}
        for cl_ord_id, own in sorted(self.live().items()):
            order = self.desk.known(cl_ord_id)
            currency = state.instruments[order.symbol].currency
            sign = -1 if order.side is Side.BUY else 1
            flows[currency] -= sum((x.fee for x in own), ZERO)
            if currency == CNY:
                flows[currency] += sum((sign * x.px * x.qty for x in own), ZERO)
        flows[USD] += known(state.held(ACCOUNT, GOLD).realized)
        cash = state.accounts[ACCOUNT].cash
        assert cash[CNY].balance == CASH + flows[CNY]
        assert cash[USD].balance == 1_000_000 + flows[USD]
        gold = state.held(ACCOUNT, GOLD)
        assert cash[USD].margin == (known(gold.long_cost) + known(gold.short_cost)) / 10

    @invariant()
    def what_is_promised_is_what_open_orders_are_promised(self) -> None:
        """Invariants 22 and 23: cash, longs and shorts; each promise is given back once."""
        orders = self.orders()
        assert all(not o.reserved and not o.frozen for o in orders if o.is_done)
        for currency, book in self.desk.state.accounts[ACCOUNT].cash.items():
            mine = [o for o in orders if self.desk.state.instruments[o.symbol].currency == currency]
            assert book.reserved == sum((o.reserved for o in mine), ZERO)
            assert all(o.reserved >= 0 for o in mine)
        for symbol in (MOUTAI, GOLD):
            held = self.desk.state.held(ACCOUNT, symbol)
            frozen = {side: sum((o.frozen for o in orders if o.symbol == symbol and o.side is side), ZERO) for side in Side}
            assert (held.long_frozen, held.short_frozen) == (frozen[Side.SELL], frozen[Side.BUY])
            assert 0 <= held.long_today <= held.long_qty
            assert 0 <= held.short_today <= held.short_qty

    @invariant()
    def no_more_stock_is_on_offer_than_has_settled(self) -> None:
        """Invariant 22: T+1, as long as the venue takes nothing back. A fill by a number nobody knows yet is a stranger's: its
        order goes on promising what it has sold, until the number is known to be its own.
        """
        held = self.desk.state.held(ACCOUNT, MOUTAI)
        assert held.sellable(settles_t1=True) >= 0
        strangers = any(o.external and o.cum_qty and o.symbol == MOUTAI for o in self.orders())
        if not self.taken_back and not strangers:
            assert held.long_frozen <= held.long_yesterday
            assert held.short_qty == 0

    @invariant()
    def an_order_is_found_by_the_number_its_venue_gave_it(self) -> None:
        """The way back from the venue's number leads to the order that bears it."""
        for order in self.orders():
            if order.order_id is not None and order.acked_at is not None:
                key = order_key(order.broker, order.account, order.number_day, order.symbol, order.order_id)
                found = self.desk.state.by_order_id.get(key)
                assert found is not None
                assert self.desk.known(found).order_id == order.order_id

    @invariant()
    def no_order_reaches_the_wire_twice_without_proof_that_it_never_left(self) -> None:
        """Invariant 1, S1-43."""
        begun: dict[ClOrdID, int] = {}
        for event in self.desk.events:
            name = type(event).__name__
            if name in {"SendBegun", "SendFailed", "NotSentProven"}:
                key = event.cl_ord_id  # type: ignore[union-attr]
                begun[key] = begun.get(key, 0) + (1 if name == "SendBegun" else -1)
                assert begun[key] in (0, 1)

    @invariant()
    def the_state_survives_its_bytes(self) -> None:
        """Invariant 32: a snapshot is the state."""
        packed = self.desk.state.pack()
        assert State.unpack(packed).pack() == packed

    @override
    def teardown(self) -> None:
        """After the last step everything heals; and the facts, through the bytes of the journal, give the same state."""
        if not hasattr(self, "timers"):
            return
        self.heal()
        fresh = State()
        for event in codec.decode(codec.encode(self.desk.events)):
            evolve(fresh, event)
            if USD not in fresh.accounts.get(ACCOUNT, self.desk.state.accounts[ACCOUNT]).cash:
                fresh.cash(ACCOUNT, USD).balance = Amount(Decimal(1_000_000))
        assert fresh.hash() == self.desk.state.hash()


TestHonestVenue = HonestVenue.TestCase
TestHonestVenue.settings = settings(max_examples=max(40, settings().max_examples // 2), stateful_step_count=40, deadline=None)
