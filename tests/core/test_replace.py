"""Other terms for a working order: what may be asked, what is promised meanwhile, and what an answer makes of it."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from tests.core.runs_made import A, Work

from tradeloop.core.commands import CancelOrder, ReplaceOrder
from tradeloop.core.effects import RaiseAlert, SendCancel, SendReplace
from tradeloop.core.errors import BadInput
from tradeloop.core.events import (
    OrderReplaced,
    OrderRestated,
    Overfilled,
    ReplaceDenied,
    ReplaceRejected,
    ReplaceRequested,
    SendBegun,
    Traded,
)
from tradeloop.core.instrument import Instrument
from tradeloop.core.order import Order
from tradeloop.core.replies import OrderReply
from tradeloop.core.reports import CancelAck, CancelReject, Execution, OrderExpire, OrderRestate, ReplaceAck, ReplaceReject
from tradeloop.core.types import Amount, ClOrdID, OrderID, OrdStatus, OrdType, Px, Qty, Side, Symbol, UtcNs
from tradeloop.testing.builders import ACCOUNT, BROKER, a_quote, an_execution, an_instrument, buy, sell
from tradeloop.testing.desk import ABLE, Desk

MOUTAI = "600519.SH"
STOCK = an_instrument()


def working(
    *,
    side: Side = Side.BUY,
    qty: int = 1000,
    price: str = "10.00",
    cash: int = 1_000_000,
    held: int = 3000,
    instrument: Instrument = STOCK,
    filled_too: bool = False,
) -> tuple[Desk, Order]:
    """A limit order that the broker has acknowledged."""
    able = msgspec.structs.replace(ABLE, replaces_filled=filled_too)
    desk = Desk(able=able).opened(instrument, cash=cash, positions={MOUTAI: held})
    make = buy if side is Side.BUY else sell
    order = desk.order(make(MOUTAI, qty, ord_type=OrdType.LIMIT, price=price))
    desk.ack(order)
    return desk, order


def ask(order: Order, qty: int | None = None, price: str | None = None, **more: str) -> ReplaceOrder:
    return ReplaceOrder(
        order.cl_ord_id,
        "ann",
        None if qty is None else Qty(Decimal(qty)),
        None if price is None else Px(Decimal(price)),
        **more,  # type: ignore[arg-type]
    )


def done(order: Order, qty: int, price: str = "10.00", number: int | None = 1, **more: object) -> ReplaceAck:
    return ReplaceAck(BROKER, order.cl_ord_id, Qty(Decimal(qty)), Px(Decimal(price)), None, number, **more)  # type: ignore[arg-type]


def refused(order: Order, number: int | None = 1) -> ReplaceReject:
    return ReplaceReject(BROKER, order.cl_ord_id, "0", "too late", number)


def fill(order: Order, qty: int, exec_id: str = "e1", cl_ord_id: str | None = None) -> Execution:
    return an_execution(cl_ord_id or order.cl_ord_id, MOUTAI, order.side, qty, "10.00", exec_id)


def now(desk: Desk, order: Order) -> tuple[object, ...]:
    """Status, quantity, filled, left, price."""
    it = desk.known(order.cl_ord_id)
    return it.ord_status, it.order_qty, it.cum_qty, it.leaves_qty, it.price


def facts(*values: object) -> tuple[object, ...]:
    """Figures of several kinds, to be compared at once."""
    return values


def reserved(desk: Desk) -> Decimal:
    return desk.state.accounts[ACCOUNT].cash[STOCK.currency].reserved


def frozen(desk: Desk) -> Decimal:
    return desk.state.held(ACCOUNT, Symbol(MOUTAI)).long_frozen


# --- asking


def test_the_terms_in_force_stay_in_force_until_the_broker_says_replaced() -> None:
    """Invariant 17; FIX C.1.a."""
    desk, order = working()
    desk.give(ask(order, 2000, "9.90"))
    assert now(desk, order) == (OrdStatus.PENDING_REPLACE, 1000, 0, 1000, Decimal("10.00"))
    desk.give(done(order, 2000, "9.90"))
    assert now(desk, order) == (OrdStatus.NEW, 2000, 0, 2000, Decimal("9.90"))


def test_one_request_goes_to_the_broker_whole_with_an_id_of_its_own() -> None:
    desk, order = working()
    desk.give(ask(order, price="9.90"))
    change = desk.of(SendReplace)[0].change.order
    assert (change.cl_ord_id, change.order_id, change.number) == (order.cl_ord_id, OrderID("b1"), 1)
    assert facts(change.order_qty, change.price, change.ord_type) == (1000, Decimal("9.90"), OrdType.LIMIT)
    assert change.replace_id == f"{order.cl_ord_id}01"
    assert len(change.replace_id) == 20


def test_what_is_asked_and_why_stands_in_the_journal() -> None:
    desk, order = working()
    desk.give(ask(order, 2000, reason="chasing"))
    asked = desk.of(ReplaceRequested)[0]
    assert facts(asked.by, asked.reason, asked.number, asked.order_qty, asked.price) == (
        "ann",
        "chasing",
        1,
        2000,
        Decimal("10.00"),
    )


def test_a_second_change_builds_on_the_first_one_asked_for() -> None:
    """FIX D.2.a: the second names the first as its origin."""
    desk, order = working()
    desk.give(ask(order, 2000), ask(order, price="9.90"))
    assert [facts(e.number, e.order_qty, e.price) for e in desk.of(ReplaceRequested)] == [
        (1, 2000, Decimal("10.00")),
        (2, 2000, Decimal("9.90")),
    ]


@pytest.mark.parametrize("many", [2, 3])
def test_the_same_request_id_asks_once(many: int) -> None:
    """Invariant: two presses of one button are one change."""
    desk, order = working()
    replies = [desk.give(ask(order, 2000, request_id="r7")) for _ in range(many)]
    assert len(desk.of(ReplaceRequested)) == 1
    assert replies == [OrderReply(order.cl_ord_id), *[OrderReply(order.cl_ord_id, repeat=True)] * (many - 1)]


def test_a_repeat_of_the_first_request_is_known_after_the_order_has_changed() -> None:
    """Invariant 4: the client that missed the answer asks for what it asked for, not for what became of it."""
    desk = Desk().opened(STOCK, cash=1_000_000)
    first = buy(MOUTAI, 1000, ord_type=OrdType.LIMIT, price="10.00", request_id="r7")
    order = desk.order(first)
    desk.ack(order)
    desk.give(ask(order, 2000), done(order, 2000))
    assert desk.known(order.cl_ord_id).order_qty == Decimal(2000)
    reply = desk.give(first)
    assert isinstance(reply, OrderReply)
    assert (reply.cl_ord_id, reply.repeat) == (order.cl_ord_id, True)
    with pytest.raises(BadInput, match="whose order_qty was 1000"):
        desk.give(buy(MOUTAI, 2000, ord_type=OrdType.LIMIT, price="10.00", request_id="r7"))


def test_the_same_request_id_for_another_change_is_refused() -> None:
    desk, order = working()
    desk.give(ask(order, 2000, request_id="r7"))
    with pytest.raises(BadInput, match=r"request_id 'r7' has changed order \w+ to 2000 at 10.00"):
        desk.give(ask(order, 3000, request_id="r7"))


def test_a_denied_change_is_denied_alike_when_it_is_asked_again() -> None:
    desk, order = working(cash=20_000)
    first = desk.give(ask(order, 3000, request_id="r7"))
    assert isinstance(first, OrderReply)
    assert first.denied is not None
    desk.give(CancelOrder(order.cl_ord_id, "ann"), CancelAck(BROKER, order.cl_ord_id))
    assert desk.give(ask(order, 3000, request_id="r7")) == msgspec.structs.replace(first, repeat=True)


@pytest.mark.parametrize(
    ("qty", "price", "says"),
    [
        (None, None, "is 1000 at 10.00 already; name another"),
        (1000, "10.00", "is 1000 at 10.00 already; name another"),
        (0, None, "order_qty was 0; expected more than zero, cancel the order"),
        (None, "-1", "price was -1; expected more than zero"),
        (None, "9.1234567890123456", "expected a number of at most 14 significant digits"),
    ],
)
def test_a_change_that_says_nothing_possible_is_refused_and_changes_nothing(
    qty: int | None, price: str | None, says: str
) -> None:
    desk, order = working()
    before = desk.state.hash()
    with pytest.raises(BadInput, match=says):
        desk.give(ask(order, qty, price))
    assert desk.state.hash() == before


def test_a_market_order_has_no_price_to_change() -> None:
    desk = Desk().opened(STOCK)
    order = desk.order(buy(MOUTAI, 100))
    desk.ack(order)
    with pytest.raises(BadInput, match=r"a MARKET order has no price; price was 9\.90"):
        desk.give(ask(order, price="9.90"))


def test_an_order_nobody_knows_is_not_invented() -> None:
    desk, _ = working()
    with pytest.raises(BadInput, match="order was 'nobody', which is not known"):
        desk.give(ReplaceOrder(ClOrdID("nobody"), "ann", Qty(Decimal(100))))


def test_what_the_broker_cannot_replace_is_never_cancelled_and_placed_anew() -> None:
    desk = Desk(able=msgspec.structs.replace(ABLE, replaces=False)).opened(STOCK)
    order = desk.order(buy(MOUTAI, 100, ord_type=OrdType.LIMIT, price="10.00"))
    desk.ack(order)
    with pytest.raises(BadInput, match=r"cannot replace an order in one step; cancel it \(`tradeloop orders cancel \w+`\)"):
        desk.give(ask(order, 200))
    assert desk.of(SendCancel) == []
    assert len(desk.of(SendBegun)) == 1


def test_an_order_that_has_not_been_acknowledged_is_not_changed() -> None:
    desk = Desk().opened(STOCK)
    order = desk.order(buy(MOUTAI, 100, ord_type=OrdType.LIMIT, price="10.00"))
    with pytest.raises(BadInput, match="is PENDING_NEW: the broker has not said that it has it"):
        desk.give(ask(order, 200))


def test_an_order_that_ended_is_not_changed() -> None:
    desk, order = working()
    desk.give(CancelAck(BROKER, order.cl_ord_id))
    with pytest.raises(BadInput, match="is CANCELED already; place a new one"):
        desk.give(ask(order, 2000))


def test_an_order_on_its_way_out_is_not_changed() -> None:
    desk, order = working()
    desk.give(CancelOrder(order.cl_ord_id, "ann"))
    with pytest.raises(BadInput, match=r"a cancel of order \w+ is on its way"):
        desk.give(ask(order, 2000))


def test_an_order_made_elsewhere_is_changed_elsewhere() -> None:
    """FIX E.1.a: it never passed our risk."""
    desk, _ = working()
    desk.give(an_execution(None, MOUTAI, Side.BUY, 100, "10.00", "t1", order_id=OrderID("phone")))
    external = next(o for o in (desk.known(ClOrdID(k)) for k, _ in desk.state.orders.closed.items()) if o.external)
    with pytest.raises(BadInput, match="was made elsewhere and never passed our risk"):
        desk.give(ask(external, 200))


def test_an_order_of_a_run_keeps_the_size_its_plan_gave_it() -> None:
    """Otherwise the line's residual, the next wave's cash and the retry would count something else than what works."""
    work = Work.begun({A: "0.5"})
    work.ack(A)
    with pytest.raises(BadInput, match=r"works leg 1 of run \S+, whose plan says its size; cancel the run"):
        work.desk.give(ReplaceOrder(work.order(A).cl_ord_id, "ann", Qty(Decimal(100))))


# --- risk


def test_other_terms_pass_risk_before_they_leave() -> None:
    desk, order = working(cash=15_000)
    reply = desk.give(ask(order, 2000))
    assert isinstance(reply, OrderReply)
    assert reply.denied is not None
    assert (reply.denied.rule, reply.denied.limit, reply.denied.was, reply.denied.this_order) == (
        "cash",
        "15000.00",
        "10000.00",
        "10000.00",
    )
    assert desk.of(SendReplace) == []
    assert now(desk, order)[:2] == (OrdStatus.NEW, 1000)
    assert desk.of(ReplaceDenied)[0].rule == "cash"


@pytest.mark.parametrize(
    ("qty", "price", "rule"), [(1050, None, "lot"), (None, "9.995", "tick"), (None, "12.00", "price_limit")]
)
def test_other_terms_keep_the_markets_rules(qty: int | None, price: str | None, rule: str) -> None:
    """R20 to R25."""
    desk, order = working(instrument=an_instrument(price_limit="0.1"))
    desk.give(a_quote(MOUTAI, prev_close=Px(Decimal("10.00"))))
    reply = desk.give(ask(order, qty, price))
    assert isinstance(reply, OrderReply)
    assert reply.denied is not None
    assert reply.denied.rule == rule


def test_a_sell_may_grow_by_what_is_free_and_no_more() -> None:
    """R27."""
    desk, order = working(side=Side.SELL, held=3000)
    assert desk.give(ask(order, 3000)) == OrderReply(order.cl_ord_id)
    desk.give(refused(order))
    reply = desk.give(ask(order, 3100))
    assert isinstance(reply, OrderReply)
    assert reply.denied is not None
    assert (reply.denied.rule, reply.denied.limit, reply.denied.was, reply.denied.this_order) == (
        "sellable",
        "3000",
        "1000",
        "2100",
    )


def test_an_odd_lot_that_works_whole_may_not_be_cut_in_the_middle() -> None:
    desk, order = working(side=Side.SELL, qty=150, held=150)
    reply = desk.give(ask(order, 120))
    assert isinstance(reply, OrderReply)
    assert reply.denied is not None
    assert reply.denied.rule == "lot"
    assert desk.give(ask(order, 100)) == OrderReply(order.cl_ord_id)


def test_nothing_is_changed_while_the_broker_is_not_ready() -> None:
    desk, order = working()
    desk.state.links[BROKER].compared.clear()
    reply = desk.give(ask(order, 2000))
    assert isinstance(reply, OrderReply)
    assert reply.denied is not None
    assert reply.denied.rule == "broker_ready"


def test_a_halted_symbol_takes_less_and_never_more() -> None:
    desk, order = working()
    desk.state.halted[Symbol(MOUTAI)] = "overfilled"
    more = desk.give(ask(order, 2000))
    assert isinstance(more, OrderReply)
    assert more.denied is not None
    assert more.denied.rule == "halted"
    assert desk.give(ask(order, 500)) == OrderReply(order.cl_ord_id)


# --- what is promised meanwhile


def test_cash_is_reserved_for_the_dearer_terms_until_the_answer() -> None:
    desk, order = working()
    desk.give(ask(order, 2000, "9.90"))
    assert reserved(desk) == 19_900  # a thousand may fill at 10.00 before the change, and a thousand at 9.90 after it
    desk.give(done(order, 2000, "9.90"))
    assert reserved(desk) == 19_800


def test_a_cheaper_change_frees_nothing_before_the_answer() -> None:
    desk, order = working()
    desk.give(ask(order, 500))
    assert reserved(desk) == 10_000
    desk.give(done(order, 500))
    assert reserved(desk) == 5_000


def test_shares_are_frozen_for_the_larger_quantity_until_the_answer() -> None:
    desk, order = working(side=Side.SELL)
    desk.give(ask(order, 2000))
    assert frozen(desk) == 2000
    desk.give(refused(order))
    assert frozen(desk) == 1000


def test_a_refusal_restores_the_exact_state_with_the_fills_of_the_meantime() -> None:
    """Invariant 18; FIX C.2.a."""
    desk, order = working()
    desk.give(fill(order, 200))
    plain, same = working()
    plain.give(fill(same, 200), fill(same, 300, "e2"))

    desk.give(ask(order, 3000, "10.10"))
    desk.give(fill(order, 300, "e2"), refused(order))

    assert now(desk, order) == now(plain, same) == (OrdStatus.PARTIALLY_FILLED, 1000, 500, 500, Decimal("10.00"))
    assert reserved(desk) == reserved(plain) == 5_000
    assert desk.of(ReplaceRejected)[0].text == "too late"


# --- answers


def test_a_fill_while_a_replace_waits_moves_the_quantities_of_the_terms_in_force() -> None:
    """FIX C.1.b."""
    desk, order = working()
    desk.give(ask(order, 2000), fill(order, 400))
    assert now(desk, order)[:4] == (OrdStatus.PENDING_REPLACE, 1000, 400, 600)
    desk.give(done(order, 2000))
    assert now(desk, order)[:4] == (OrdStatus.PARTIALLY_FILLED, 2000, 400, 1600)


def test_a_fill_that_names_any_link_of_the_chain_counts_once() -> None:
    """Invariant 17: the venue may speak of the request's id or of the order's."""
    desk, order = working()
    desk.give(ask(order, 2000), done(order, 2000))
    desk.give(fill(order, 400, "e1", f"{order.cl_ord_id}01"), fill(order, 400, "e1"))
    assert now(desk, order)[:4] == (OrdStatus.PARTIALLY_FILLED, 2000, 400, 1600)
    assert len(desk.of(Traded)) == 1


def test_a_replace_to_what_has_filled_fills_the_order() -> None:
    """FIX C.3.b."""
    desk, order = working()
    desk.give(fill(order, 500), ask(order, 500), done(order, 500))
    assert now(desk, order)[:4] == (OrdStatus.FILLED, 500, 500, 0)
    assert reserved(desk) == 0


def test_a_replace_below_what_has_filled_is_amended_to_it() -> None:
    """FIX C.3.c."""
    desk, order = working()
    desk.give(ask(order, 300), fill(order, 500), done(order, 300, cum_qty=Qty(Decimal(500))))
    assert now(desk, order)[:4] == (OrdStatus.FILLED, 500, 500, 0)
    assert desk.of(Overfilled) == []


def test_an_order_that_fills_while_a_larger_quantity_waits_may_still_grow() -> None:
    """FIX C.1.c: FILLED is not absorbing; what may come stays reserved."""
    desk, order = working()
    desk.give(ask(order, 1500), fill(order, 1000))
    assert now(desk, order)[:4] == (OrdStatus.PENDING_REPLACE, 1000, 1000, 0)
    assert reserved(desk) == 5_000
    desk.give(done(order, 1500))
    assert now(desk, order)[:4] == (OrdStatus.PARTIALLY_FILLED, 1500, 1000, 500)


def test_an_order_that_fills_while_a_larger_quantity_waits_ends_when_that_is_refused() -> None:
    """FIX C.2.a."""
    desk, order = working()
    desk.give(ask(order, 1500), fill(order, 1000), refused(order))
    assert now(desk, order)[:4] == (OrdStatus.FILLED, 1000, 1000, 0)
    assert reserved(desk) == 0


def test_fills_of_the_larger_quantity_may_come_before_its_answer_and_are_no_overfill() -> None:
    desk, order = working()
    desk.give(ask(order, 2000), fill(order, 1400))
    assert desk.of(Overfilled) == []
    desk.give(done(order, 2000))
    assert now(desk, order)[:4] == (OrdStatus.PARTIALLY_FILLED, 2000, 1400, 600)


def test_fills_beyond_the_quantity_are_an_overfill_once_the_larger_one_is_refused() -> None:
    desk, order = working()
    desk.give(ask(order, 2000), fill(order, 1400), refused(order))
    assert [e.excess for e in desk.of(Overfilled)] == [400]


def test_a_filled_order_grows_only_where_the_broker_says_that_it_can() -> None:
    """FIX C.1.c."""
    desk, order = working(filled_too=True)
    desk.give(fill(order, 1000), ask(order, 1600), done(order, 1600))
    assert now(desk, order)[:4] == (OrdStatus.PARTIALLY_FILLED, 1600, 1000, 600)
    assert reserved(desk) == 6_000
    other, filled = working()
    other.give(fill(filled, 1000))
    with pytest.raises(BadInput, match="is FILLED already"):
        other.give(ask(filled, 1600))


def test_an_order_that_ended_before_its_last_fill_came_cannot_get_more() -> None:
    """FIX J: the fill overtaken by the end makes it FILLED; it works nowhere, whatever else its broker can do."""
    for end in (CancelAck, OrderExpire):
        desk, order = working(filled_too=True)
        desk.give(fill(order, 500), end(BROKER, order.cl_ord_id), fill(order, 500, "e2"))
        assert desk.known(order.cl_ord_id).ord_status is OrdStatus.FILLED
        with pytest.raises(BadInput, match="had left the market before its last fill came"):
            desk.give(ask(order, 1600))
        assert reserved(desk) == 0


def test_the_second_of_two_changes_stands_whatever_the_first_is_told_late() -> None:
    """FIX D.2.b: an answer to an older request says nothing any more."""
    desk, order = working()
    desk.give(ask(order, 2000), ask(order, 3000), done(order, 3000, number=2), done(order, 2000, number=1))
    assert now(desk, order)[:4] == (OrdStatus.NEW, 3000, 0, 3000)


def test_the_first_of_two_changes_stands_where_the_broker_made_it_behind_the_second() -> None:
    """Requests may overtake each other on the wire. What fills under the first is no overfill, and halts nothing."""
    desk, order = working()
    desk.give(ask(order, 3000), ask(order, 2000), done(order, 2000, number=2, transact_at=UtcNs(20)))
    desk.give(done(order, 3000, number=1, transact_at=UtcNs(30)))
    assert now(desk, order)[:4] == (OrdStatus.NEW, 3000, 0, 3000)
    assert reserved(desk) == 30_000
    desk.give(done(order, 2000, number=2, transact_at=UtcNs(20)), fill(order, 3000))
    assert now(desk, order)[:2] == (OrdStatus.FILLED, 3000)
    assert (desk.of(Overfilled), desk.state.halted) == ([], {})


@pytest.mark.parametrize(("of_the_second", "of_the_first"), [(20, 20), (20, 10), (None, 30), (20, None)])
def test_the_second_of_two_changes_stands_where_the_brokers_times_do_not_say_otherwise(
    of_the_second: int | None, of_the_first: int | None
) -> None:
    """A venue that stamps whole seconds gives both the same."""
    at = [None if each is None else UtcNs(each) for each in (of_the_second, of_the_first)]
    desk, order = working()
    desk.give(restate(order, 1500, transact_at=UtcNs(5)), ask(order, 3000), ask(order, 2000))
    desk.give(done(order, 2000, number=2, transact_at=at[0]), done(order, 3000, number=1, transact_at=at[1]))
    assert now(desk, order)[1] == 2000


def test_a_change_behind_the_second_that_does_not_name_its_price_is_left_to_the_books() -> None:
    """The price that was asked for with it is not known any more."""
    desk, order = working()
    desk.give(ask(order, 3000, "9.00"), ask(order, 2000, "8.00"), done(order, 2000, "8.00", 2, transact_at=UtcNs(20)))
    desk.give(msgspec.structs.replace(done(order, 3000, transact_at=UtcNs(30)), price=None))
    assert now(desk, order)[1::3] == (2000, Decimal("8.00"))


def test_the_first_of_two_changes_stands_where_the_second_is_refused() -> None:
    """FIX D.2.d."""
    desk, order = working()
    desk.give(ask(order, 2000), ask(order, 3000), refused(order, 2))
    assert now(desk, order)[:2] == (OrdStatus.PENDING_REPLACE, 1000)
    desk.give(done(order, 2000, number=1))
    assert now(desk, order)[:4] == (OrdStatus.NEW, 2000, 0, 2000)
    assert reserved(desk) == 20_000


def test_an_answer_without_a_number_is_to_the_oldest_that_waits() -> None:
    desk, order = working()
    desk.give(ask(order, 2000), ask(order, 3000), refused(order, None))
    assert [asked.number for asked in desk.known(order.cl_ord_id).replaces or ()] == [2]


def test_an_answer_told_twice_changes_nothing_the_second_time() -> None:
    desk, order = working()
    desk.give(ask(order, 2000), done(order, 2000))
    before = desk.state.hash()
    desk.give(done(order, 2000), done(order, 2000, number=None), refused(order))
    assert desk.state.hash() == before


def test_a_venue_may_give_the_changed_order_another_number() -> None:
    desk, order = working()
    desk.give(ask(order, 2000), done(order, 2000, order_id=OrderID("b2")))
    for number, exec_id in (("b1", "e1"), ("b2", "e2")):
        desk.give(an_execution(None, MOUTAI, Side.BUY, 100, "10.00", exec_id, order_id=OrderID(number)))
    assert now(desk, order)[2] == 200


# --- cancels and replaces


def test_a_cancel_may_overtake_a_replace() -> None:
    """PENDING_CANCEL comes before PENDING_REPLACE; what ends the order ends what waits."""
    desk, order = working()
    desk.give(ask(order, 2000), CancelOrder(order.cl_ord_id, "ann"))
    assert now(desk, order)[0] is OrdStatus.PENDING_CANCEL
    desk.give(CancelAck(BROKER, order.cl_ord_id), refused(order))
    assert now(desk, order)[:4] == (OrdStatus.CANCELED, 1000, 0, 0)
    assert reserved(desk) == 0


def test_a_refused_cancel_shows_the_replace_that_still_waits() -> None:
    """Invariant 18."""
    desk, order = working()
    desk.give(ask(order, 2000), CancelOrder(order.cl_ord_id, "ann"), CancelReject(BROKER, order.cl_ord_id, "1", "busy"))
    assert now(desk, order)[0] is OrdStatus.PENDING_REPLACE


def test_terms_told_after_the_end_are_known_and_open_nothing() -> None:
    desk, order = working()
    desk.give(ask(order, 2000), CancelOrder(order.cl_ord_id, "ann"), CancelAck(BROKER, order.cl_ord_id), done(order, 2000))
    assert now(desk, order)[:4] == (OrdStatus.CANCELED, 2000, 0, 0)
    assert reserved(desk) == 0


# --- what the broker changes alone


def restate(order: Order, qty: int, price: str = "10.00", **more: object) -> OrderRestate:
    return OrderRestate(BROKER, order.cl_ord_id, Qty(Decimal(qty)), Px(Decimal(price)), **more)  # type: ignore[arg-type]


def test_a_quantity_reduced_by_the_venue_frees_what_it_held_and_is_told_to_a_person() -> None:
    """FIX E.1.d."""
    desk, order = working(side=Side.SELL)
    desk.give(restate(order, 600, text="self-trade prevention"))
    assert now(desk, order)[:4] == (OrdStatus.NEW, 600, 0, 600)
    assert frozen(desk) == 600
    assert "without being asked: self-trade prevention" in desk.of(RaiseAlert)[-1].text


def test_a_reduction_to_what_has_filled_ends_the_order() -> None:
    """FIX E.1.d."""
    desk, order = working()
    desk.give(fill(order, 400), restate(order, 400))
    assert now(desk, order)[:4] == (OrdStatus.FILLED, 400, 400, 0)


def test_the_same_terms_said_again_are_no_news() -> None:
    """FIX H.1: a GTC order is restated every morning."""
    desk, order = working()
    desk.give(restate(order, 1000))
    assert desk.of(OrderRestated) == []


def test_older_words_about_the_terms_never_take_newer_ones_back() -> None:
    """Invariant 16."""
    desk, order = working()
    desk.give(restate(order, 600, transact_at=UtcNs(20)), restate(order, 800, transact_at=UtcNs(10)))
    assert now(desk, order)[1] == 600


def test_an_older_answer_to_a_newer_request_makes_no_older_word_news() -> None:
    desk, order = working()
    desk.give(ask(order, 3000), ask(order, 2000), done(order, 3000, number=1, transact_at=UtcNs(30)))
    desk.give(done(order, 2000, number=2, transact_at=UtcNs(10)), restate(order, 2500, transact_at=UtcNs(20)))
    assert now(desk, order)[:2] == (OrdStatus.NEW, 3000)


def test_after_a_split_what_is_open_is_believed_and_the_fills_stay_as_they_were_booked() -> None:
    """FIX H.1.b: the venue counts in new units, our executions in those of their day."""
    desk, order = working()
    desk.give(fill(order, 200), restate(order, 2000, "5.00", cum_qty=Qty(Decimal(400)), leaves_qty=Qty(Decimal(1600))))
    assert now(desk, order) == (OrdStatus.PARTIALLY_FILLED, 1800, 200, 1600, Decimal("5.00"))
    assert reserved(desk) == 8_000


def test_a_restatement_while_a_replace_waits_leaves_it_waiting() -> None:
    desk, order = working()
    desk.give(ask(order, 2000), restate(order, 800))
    assert now(desk, order)[:2] == (OrdStatus.PENDING_REPLACE, 800)
    assert reserved(desk) == 20_000
    desk.give(refused(order))
    assert facts(now(desk, order)[:2], reserved(desk)) == ((OrdStatus.NEW, 800), 8_000)


def test_words_of_another_broker_change_nothing() -> None:
    desk, order = working()
    before = desk.state.hash()
    elsewhere = msgspec.structs.replace(restate(order, 600), broker="elsewhere")
    desk.give(elsewhere, msgspec.structs.replace(done(order, 600), broker="elsewhere"))
    assert desk.state.hash() == before


# --- orders held here


def stop_held() -> tuple[Desk, Order]:
    desk = Desk(able=msgspec.structs.replace(ABLE, replaces=False)).opened(STOCK, positions={MOUTAI: 3000})
    return desk, desk.order(sell(MOUTAI, 1000, ord_type=OrdType.STOP_LIMIT, stop_px="9.00", price="8.90"))


def test_a_stop_held_here_is_changed_here_whatever_the_broker_can() -> None:
    desk, order = stop_held()
    desk.give(ReplaceOrder(order.cl_ord_id, "ann", Qty(Decimal(2000)), Px(Decimal("9.20")), Px(Decimal("9.30"))))
    held = desk.known(order.cl_ord_id)
    assert facts(held.ord_status, held.order_qty, held.price, held.stop_px) == (
        OrdStatus.STAGED,
        2000,
        Decimal("9.20"),
        Decimal("9.30"),
    )
    assert frozen(desk) == 2000
    assert desk.of(SendReplace) == []
    assert len(desk.of(OrderReplaced)) == 1


def test_a_changed_stop_fires_at_its_new_price_with_its_new_terms() -> None:
    desk, order = stop_held()
    desk.give(ReplaceOrder(order.cl_ord_id, "ann", stop_px=Px(Decimal("9.30"))), a_quote(MOUTAI, bid="9.25", ask="9.30"))
    assert desk.known(order.cl_ord_id).ord_status is OrdStatus.PENDING_NEW


def test_a_stop_that_has_fired_has_no_stop_price_to_change() -> None:
    desk, order = stop_held()
    desk.around.brokers[BROKER] = ABLE
    desk.give(a_quote(MOUTAI, bid="8.95", ask="9.00"))
    desk.ack(order)
    with pytest.raises(BadInput, match=r"has been triggered; its stop_px cannot be 8\.50 any more"):
        desk.give(ReplaceOrder(order.cl_ord_id, "ann", stop_px=Px(Decimal("8.50"))))


def test_a_stop_held_here_is_held_to_the_same_rules() -> None:
    desk, order = stop_held()
    reply = desk.give(ReplaceOrder(order.cl_ord_id, "ann", stop_px=Px(Decimal("9.305"))))
    assert isinstance(reply, OrderReply)
    assert reply.denied is not None
    assert reply.denied.rule == "tick"


def test_money_is_the_same_whatever_way_an_order_came_to_its_terms() -> None:
    """Amounts: changed to 2000 at 9.90, or ordered so; what is left has its whole cost, though a fill at 10 used more."""
    changed, order = working()
    changed.give(ask(order, 2000, "9.90"), done(order, 2000, "9.90"), fill(order, 700))
    straight, same = working(qty=2000, price="9.90")
    straight.give(fill(same, 700))
    assert reserved(changed) == reserved(straight) == Amount(Decimal(12_870))
