"""The laws of the order, whatever a venue does: late, twice, out of order, taken back.

The machine gives orders and lets the venue say anything about them; after every step all books are recomputed from the
executions and compared. A second law says that the order in which a venue's words arrive does not matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule
from typing_extensions import override

from tradeloop.core.commands import CancelOrder, ReplaceOrder
from tradeloop.core.effects import SendReplace
from tradeloop.core.errors import BadInput
from tradeloop.core.events import TradeBusted, TradeCorrected
from tradeloop.core.evolve import evolve
from tradeloop.core.execution import Exec
from tradeloop.core.inputs import Start, TimerFired
from tradeloop.core.order import Order
from tradeloop.core.replies import OrderReply
from tradeloop.core.reports import (
    BrokerDown,
    BrokerSnapshot,
    BrokerUp,
    CancelAck,
    CancelOutcome,
    CancelReject,
    Execution,
    ExecutionBust,
    ExecutionCorrect,
    OrderAck,
    OrderExpire,
    OrderReject,
    OrderRestate,
    ReplaceAck,
    ReplaceOutcome,
    ReplaceReject,
    Report,
    SendOutcome,
)
from tradeloop.core.short_promise import what_it_may_cost
from tradeloop.core.state import State
from tradeloop.core.types import (
    ZERO,
    Amount,
    ClOrdID,
    ExecID,
    OrderID,
    OrdStatus,
    OrdType,
    Px,
    Qty,
    Side,
    Symbol,
)
from tradeloop.journal import codec
from tradeloop.testing.builders import ACCOUNT, BROKER, DAY, a_quote, an_execution, an_instrument, buy, fees, known, sell
from tradeloop.testing.desk import Desk

SYMBOL = "600519.SH"
STOCK = an_instrument(SYMBOL, lot=1, min_qty=1, fees=fees("0.001", 5))
CASH = 10_000_000
HELD = 1_000_000
CNY = STOCK.currency

quantities = st.integers(1, 120)
prices = st.sampled_from(["9.50", "10.00", "10.03", "55.00"])
sides = st.sampled_from([Side.BUY, Side.SELL])
own_ids = st.sampled_from([None, *(ExecID(f"c{number}") for number in range(4))])
commissions = st.sampled_from([None, Amount(Decimal(0)), Amount(Decimal("1.23"))])


class Venue(RuleBasedStateMachine):
    """Orders of one account, and a venue that may say anything about them."""

    sent = Bundle("sent")
    fills = Bundle("fills")
    said = Bundle("said")

    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk().opened(STOCK, cash=CASH, positions={SYMBOL: HELD}, costs={SYMBOL: 0})
        self.count = 0

    # --- what we ask

    @rule(target=sent, side=sides, qty=st.integers(1, 100), limit=st.booleans())
    def order(self, side: Side, qty: int, limit: bool) -> object:
        """Asked for an order; it may be denied."""
        make = buy if side is Side.BUY else sell
        kind = {"ord_type": OrdType.LIMIT, "price": "10.00"} if limit else {}
        reply = self.desk.give(make(SYMBOL, qty, **kind))
        assert isinstance(reply, OrderReply)
        return multiple() if reply.denied is not None else reply.cl_ord_id

    @rule(order_id=sent)
    def cancel(self, order_id: ClOrdID) -> None:
        """Asked to cancel, in whatever standing."""
        self.desk.give(CancelOrder(order_id, "tester"))

    @rule(order_id=sent, qty=quantities, px=st.sampled_from([None, "9.40", "10.20"]))
    def replace(self, order_id: ClOrdID, qty: int, px: str | None) -> None:
        """Asked for other terms, in whatever standing; a refusal has changed nothing."""
        before = self.desk.state.hash()
        price = None if px is None else Px(Decimal(px))
        try:
            self.desk.give(ReplaceOrder(order_id, "tester", Qty(Decimal(qty)), price))
        except BadInput:
            assert self.desk.state.hash() == before

    # --- what the venue says

    def say(self, report: Report) -> Report:
        """Tell the desk, and keep the words for a repeat."""
        self.desk.give(report)
        return report

    @rule(target=said, order_id=sent)
    def ack(self, order_id: ClOrdID) -> Report:
        """Acknowledge."""
        return self.say(OrderAck(BROKER, order_id, OrderID(f"b-{order_id}")))

    @rule(target=said, order_id=sent, how=st.integers(0, 5))
    def answer(self, order_id: ClOrdID, how: int) -> Report:
        """End it, or say something about a cancel or the wire."""
        reports: list[Report] = [
            OrderReject(BROKER, order_id, "7", "no"),
            OrderExpire(BROKER, order_id),
            CancelAck(BROKER, order_id),
            CancelReject(BROKER, order_id, "1", "too late"),
            CancelOutcome(BROKER, order_id, "timed out"),
            SendOutcome(BROKER, order_id, "UNKNOWN", "timed out"),
        ]
        return self.say(reports[how])

    @rule(target=said, order_id=sent, how=st.integers(0, 3), number=st.sampled_from([None, 1, 2, 3]), qty=quantities)
    def other_terms(self, order_id: ClOrdID, how: int, number: int | None, qty: int) -> Report:
        """Answer a replace, asked for or not, or change the order alone."""
        of = self.desk.known(order_id)
        price = None if of.price is None else Px(Decimal("9.80"))
        reports: list[Report] = [
            ReplaceAck(BROKER, order_id, Qty(Decimal(qty)), price, None, number),
            ReplaceReject(BROKER, order_id, "1", "too late", number),
            ReplaceOutcome(BROKER, order_id, number or 1, ("NOT_SENT", "UNKNOWN")[qty % 2], "timed out"),
            OrderRestate(BROKER, order_id, Qty(Decimal(qty)), price, None, "as the venue likes it"),
        ]
        return self.say(reports[how])

    @rule(order_id=sent)
    def not_sent(self, order_id: ClOrdID) -> None:
        """The wire swears that it never left."""
        self.desk.give(SendOutcome(BROKER, order_id, "NOT_SENT", "refused"))

    @rule(target=fills, order_id=sent, qty=quantities, px=prices, fee=commissions)
    def fill(self, order_id: ClOrdID, qty: int, px: str, fee: Amount | None) -> Execution:
        """Fill any quantity at any time, more than was ordered too."""
        self.count += 1
        side = self.desk.known(order_id).side
        report = an_execution(order_id, SYMBOL, side, qty, px, f"e{self.count}", commission=fee)
        self.desk.give(report)
        return report

    @rule(target=fills, order_id=sent, qty=quantities, px=prices, fee=commissions)
    def nameless(self, order_id: ClOrdID, qty: int, px: str, fee: Amount | None) -> Execution:
        """Fill an order and name the venue's number alone, which we may not know yet."""
        self.count += 1
        side, number = self.desk.known(order_id).side, OrderID(f"b-{order_id}")
        report = an_execution(None, SYMBOL, side, qty, px, f"e{self.count}", order_id=number, commission=fee)
        self.desk.give(report)
        return report

    @rule(target=fills, side=sides, qty=quantities, px=prices, number=st.integers(1, 3))
    def external(self, side: Side, qty: int, px: str, number: int) -> Execution:
        """Fill an order we never sent."""
        self.count += 1
        report = an_execution(None, SYMBOL, side, qty, px, f"e{self.count}", order_id=OrderID(f"theirs-{number}"))
        self.desk.give(report)
        return report

    @rule(fill=fills)
    def redeliver(self, fill: Execution) -> None:
        """A fill that was told already changes nothing, ever."""
        before = self.desk.state.hash()
        self.desk.give(fill)
        assert self.desk.state.hash() == before

    @rule(report=said)
    def repeat(self, report: Report) -> None:
        """Old words, told late."""
        self.desk.give(report)

    def give_and_hold_no_more(self, report: Report) -> None:
        """An order whose fill has got other figures, or is gone, holds what the rest may cost, and no more."""
        desk, before = self.desk, len(self.desk.events)
        desk.give(report)
        for event in desk.events[before:]:
            if isinstance(event, TradeBusted | TradeCorrected):
                order = desk.state.orders.open.get(event.cl_ord_id)
                if order is not None and not order.external and order.price is not None:
                    assert order.reserved == max(what_it_may_cost(desk.state, desk.around, order))

    @rule(fill=fills, own=own_ids)
    def bust(self, fill: Execution, own: ExecID | None) -> None:
        """Take a fill back; a second time changes nothing."""
        report = ExecutionBust(BROKER, ACCOUNT, DAY, fill.exec_id, fill.side, exec_id=own)
        self.give_and_hold_no_more(report)
        before = self.desk.state.hash()
        self.desk.give(report)
        assert self.desk.state.hash() == before

    @rule(target=said, fill=fills, qty=quantities, px=prices, own=own_ids)
    def correct(self, fill: Execution, qty: int, px: str, own: ExecID | None) -> Report:
        """Give a fill other figures, a busted one too; a second time changes nothing."""
        figures = (Qty(Decimal(qty)), Px(Decimal(px)))
        report = ExecutionCorrect(BROKER, ACCOUNT, DAY, fill.exec_id, fill.side, *figures, exec_id=own)
        self.give_and_hold_no_more(report)
        before = self.desk.state.hash()
        self.desk.give(report)
        assert self.desk.state.hash() == before
        return report

    # --- what happens around

    @rule()
    def reconnect(self) -> None:
        """The session drops and comes back; the books show nothing of use."""
        self.desk.give(BrokerDown(BROKER, "gone"), BrokerUp(BROKER), _blank(self.desk))

    @rule(order_id=sent, kind=st.sampled_from(["resend", "ack_timeout", "replace_timeout"]), seconds=st.sampled_from([0, 1, 6]))
    def timer(self, order_id: ClOrdID, kind: str, seconds: int) -> None:
        """A timer fires, early or late."""
        self.desk.wait(seconds)
        self.desk.give(a_quote(SYMBOL, at=self.desk.now), TimerFired(kind, order_id))

    @rule()
    def restart(self) -> None:
        """Another process goes on from the packed state."""
        self.desk.state = State.unpack(self.desk.state.pack())
        self.desk.give(Start(self.desk.state.epoch + 1, "test", "t1"), BrokerUp(BROKER), _blank(self.desk))

    @rule(symbol=st.just(Symbol(SYMBOL)))
    def release(self, symbol: Symbol) -> None:
        """A person looked at an overfill: without this the machine would soon stand still."""
        self.desk.state.halted.pop(symbol, None)

    @rule(fill=consumes(fills))
    def forget(self, fill: Execution) -> None:
        """The venue never speaks of this fill again."""
        assert fill.last_qty > ZERO

    # --- the laws

    def orders(self) -> list[Order]:
        """All orders, open and closed."""
        state = self.desk.state
        keys = [*state.orders.open, *(ClOrdID(key) for key, _ in state.orders.closed.items())]
        return [self.desk.known(key) for key in keys]

    @invariant()
    def an_order_is_the_sum_of_its_live_executions(self) -> None:
        """cum_qty, value and fees are recomputed from what was not taken back."""
        for order in self.orders():
            live = _live(self.desk, order)
            assert order.cum_qty == sum((x.qty for x in live), ZERO)
            assert order.cum_value == sum((x.qty * x.px for x in live), ZERO)
            assert order.fees == sum((x.fee for x in live), ZERO)
            assert order.leaves_qty == (0 if order.is_done else max(order.order_qty - order.cum_qty, ZERO))
            assert order.leaves_qty <= order.exposed_qty
            if order.avg_px is not None:
                assert min(x.px for x in live) <= order.avg_px.quantize(Decimal("1e-9")) <= max(x.px for x in live)

    @invariant()
    def a_number_that_is_ours_is_nobody_elses(self) -> None:
        """What came under it before we knew is ours by now (F20)."""
        orders = self.orders()
        ours = {(order.order_id, order.side) for order in orders if not order.external and order.order_id is not None}
        for order in orders:
            if order.external and (order.order_id, order.side) in ours:
                assert not order.cum_qty
                assert order.is_done

    @invariant()
    def a_pending_cancel_shows_and_nothing_else_shows_as_one(self) -> None:
        """PENDING_CANCEL has the highest precedence, and follows from one fact."""
        for order in self.orders():
            assert (order.ord_status is OrdStatus.PENDING_CANCEL) is (order.cancel_requested_at is not None)

    @invariant()
    def a_pending_replace_shows_unless_a_cancel_does_and_its_order_is_open(self) -> None:
        """PENDING_REPLACE comes second, also of an order that has filled meanwhile (FIX C.2.a)."""
        for order in self.orders():
            pending = bool(order.replaces) and order.cancel_requested_at is None
            assert (order.ord_status is OrdStatus.PENDING_REPLACE) is pending
            assert not (order.replaces and order.is_done)

    @invariant()
    def what_is_promised_is_enough_for_every_outcome_of_what_waits(self) -> None:
        """Cash: the dearest of the terms in force and those asked for, and no more."""
        for order in self.orders():
            if order.replaces:
                assert order.reserved == max(order.own_reserve, *(asked.reserve for asked in order.replaces))

    @invariant()
    def what_is_promised_is_what_an_order_may_cost_at_least(self) -> None:
        """Invariants 23 and 25: under its own terms, and under each change of them that waits."""
        desk = self.desk
        for order in desk.state.orders.open.values():
            if not order.external:
                assert order.reserved >= max(what_it_may_cost(desk.state, desk.around, order))

    @invariant()
    def what_is_reserved_is_the_sum_over_open_orders(self) -> None:
        """Each reserve is released exactly once."""
        orders = self.orders()
        assert all(not o.reserved for o in orders if o.is_done)
        reserved = self.desk.state.accounts[ACCOUNT].cash[CNY].reserved
        assert reserved == sum((o.reserved for o in orders if not o.is_done), ZERO)
        assert all(o.reserved >= 0 for o in orders)

    @invariant()
    def what_is_frozen_is_what_open_sells_may_still_take(self) -> None:
        """Working, in flight and unknown sells keep their shares."""
        selling = (o.exposed_qty for o in self.orders() if o.side is Side.SELL)
        assert self.desk.state.held(ACCOUNT, Symbol(SYMBOL)).long_frozen == sum(selling, ZERO)

    @invariant()
    def cash_and_position_are_the_sum_of_all_live_executions(self) -> None:
        """Nothing is created and nothing is lost, to the last digit."""
        flows = fees_paid = bought = ZERO
        for order in self.orders():
            for x in _live(self.desk, order):
                sign = 1 if order.side is Side.BUY else -1
                flows -= sign * x.qty * x.px
                fees_paid += x.fee
                bought += sign * x.qty
        position = self.desk.state.held(ACCOUNT, Symbol(SYMBOL))
        assert position.net_qty == HELD + bought
        assert position.fees == fees_paid
        assert self.desk.cash() == CASH + flows - fees_paid
        assert known(position.realized) - known(position.long_cost) + known(position.short_cost) == flows
        assert 0 <= position.long_today <= position.long_qty
        assert 0 <= position.short_today <= position.short_qty

    @invariant()
    def open_and_closed_orders_and_their_indexes_agree(self) -> None:
        """What is derived is what a fresh reading derives."""
        state = self.desk.state
        assert all(not o.is_done for o in state.orders.open.values())
        again = State.unpack(state.pack())
        assert {k: set(v) for k, v in state.working.items() if v} == {k: set(v) for k, v in again.working.items() if v}
        assert {k: set(v) for k, v in state.unknown.items()} == {k: set(v) for k, v in again.unknown.items()}
        assert again.pack() == state.pack()

    @invariant()
    def no_order_is_sent_twice_without_a_word_that_it_never_left(self) -> None:
        """One send, plus one for each proof that the one before did not leave."""
        sends: dict[ClOrdID, int] = {}
        for event in self.desk.events:
            name = type(event).__name__
            if name in {"SendBegun", "SendFailed", "NotSentProven"}:
                key = event.cl_ord_id  # type: ignore[union-attr]
                sends[key] = sends.get(key, 0) + (1 if name == "SendBegun" else -1)
                assert sends[key] in (0, 1)

    @invariant()
    def every_change_is_handed_over_at_most_once(self) -> None:
        """One wire attempt per request, whatever becomes of it (invariants 16 to 18)."""
        sent = [(effect.change.order.cl_ord_id, effect.change.order.number) for effect in self.desk.of(SendReplace)]
        assert len(sent) == len(set(sent))

    @override
    def teardown(self) -> None:
        """The facts, through the bytes of the journal, folded anew give the same state."""
        if not hasattr(self, "desk"):
            return
        halted = dict(self.desk.state.halted)
        fresh = State()
        for event in codec.decode(codec.encode(self.desk.events)):
            evolve(fresh, event)
        fresh.halted = halted
        assert fresh.hash() == self.desk.state.hash()


def _live(desk: Desk, order: Order) -> list[Exec]:
    return [x for _, x in desk.state.execs.items() if x.cl_ord_id == order.cl_ord_id and not x.busted]


def _blank(desk: Desk) -> Report:
    """Books of which only the open orders could be read, and none was shown."""
    return BrokerSnapshot(BROKER, ACCOUNT, desk.now, (), None, None, None)


TestVenue = Venue.TestCase
TestVenue.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


# --- confluence

ENDS = [None, CancelAck, OrderExpire]


@st.composite
def stories(draw: st.DrawFn) -> tuple[list[tuple[Side, int]], list[Report], list[int], list[int]]:
    """Orders, what a venue says about them, and two orders of arrival in which no bust comes before its fill."""
    orders = draw(st.lists(st.tuples(sides, st.integers(10, 60)), min_size=1, max_size=3))
    said: list[Report] = []
    after: dict[int, int] = {}
    for number, (side, qty) in enumerate(orders):
        own = ClOrdID(str(number))
        end = draw(st.sampled_from(ENDS))
        left = qty - 1 if end is not None else qty
        for part in range(draw(st.integers(0, 3))):
            if left <= 0:
                break
            size = draw(st.integers(1, left))
            left -= size
            exec_id = f"{number}.{part}"
            fee = Amount(Decimal(draw(st.integers(0, 3))))
            said.append(an_execution(own, SYMBOL, side, size, draw(prices), exec_id, commission=fee))
            if draw(st.booleans()):
                after[len(said)] = len(said) - 1
                said.append(ExecutionBust(BROKER, ACCOUNT, DAY, ExecID(exec_id), side))
        if draw(st.booleans()):
            said.append(OrderAck(BROKER, own, OrderID(f"b{number}")))
        if end is not None:
            # Without a count the first word of an order says less than a later one (tests/core/test_uncounted_ends.py).
            said.append(end(BROKER, own, cum_qty=Qty(Decimal(qty - 1 - left))))
    arrivals = []
    for _ in range(2):
        repeats = draw(st.lists(st.integers(0, len(said) - 1), max_size=4)) if said else []
        arrivals.append(_busts_last(draw(st.permutations([*range(len(said)), *repeats])), after))
    return orders, said, arrivals[0], arrivals[1]


def _busts_last(arrival: Sequence[int], after: dict[int, int]) -> list[int]:
    kept: list[int] = []
    held_back: list[int] = []
    for report in arrival:
        if report in after and after[report] not in kept:
            held_back.append(report)
        else:
            kept.append(report)
    return [*kept, *held_back]


def told(orders: list[tuple[Side, int]], said: list[Report], arrival: list[int]) -> tuple[object, ...]:
    """Where orders, position and cash stand after a venue's words arrived in this order."""
    desk = Desk().opened(STOCK, cash=CASH, positions={SYMBOL: HELD}, costs={SYMBOL: 0})
    ids = {
        str(n): desk.order((buy if side is Side.BUY else sell)(SYMBOL, qty)).cl_ord_id for n, (side, qty) in enumerate(orders)
    }
    for place in arrival:
        report = said[place]
        own = getattr(report, "cl_ord_id", None)
        desk.give(report if own is None else _replace(report, ids[own]))
    standing = []
    for order_id in ids.values():
        order = desk.known(order_id)
        execs = [(key, x.qty, x.px, x.fee, x.busted) for key, x in desk.state.execs.items() if x.cl_ord_id == order.cl_ord_id]
        figures = (order.cum_qty, order.leaves_qty, order.cum_value, order.fees, order.is_done)
        standing.append((order.ord_status, figures, execs))
    p = desk.state.held(ACCOUNT, Symbol(SYMBOL))
    cash = desk.state.accounts[ACCOUNT].cash[CNY]
    earned = known(p.realized) - known(p.long_cost) + known(p.short_cost)
    return standing, (p.long_qty, p.long_today, p.long_frozen, p.short_qty, p.fees, earned), cash.balance


def _replace(report: Report, cl_ord_id: ClOrdID) -> Report:
    fields = {name: getattr(report, name) for name in report.__struct_fields__}
    return type(report)(**{**fields, "cl_ord_id": cl_ord_id})


@given(stories())
def test_the_order_in_which_a_venues_words_arrive_does_not_matter_nor_how_often(
    story: tuple[list[tuple[Side, int]], list[Report], list[int], list[int]],
) -> None:
    orders, said, one, other = story
    assert told(orders, said, one) == told(orders, said, other)
