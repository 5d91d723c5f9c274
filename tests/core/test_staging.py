"""How an intent becomes an order on its way to the broker, once; and what is refused before anything is changed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tradeloop.core.commands import CancelOrder, ListInstruments, SubmitOrder
from tradeloop.core.effects import SendCancel, SendOrder
from tradeloop.core.errors import BadInput
from tradeloop.core.events import CancelRequested, OrderCanceled, OrderStaged, SendBegun
from tradeloop.core.inputs import Start
from tradeloop.core.replies import Done, OrderReply
from tradeloop.core.reports import BrokerUp, CancelAck, OrderAck, SendOutcome
from tradeloop.core.state import State, cl_ord_id_of, id_prefix
from tradeloop.core.types import AccountID, ClOrdID, OrderID, OrdStatus, OrdType, Px, Qty, Side, Symbol, TimeInForce
from tradeloop.testing.builders import BROKER, a_quote, a_snapshot, an_execution, an_instrument, buy, sell
from tradeloop.testing.desk import Desk

MOUTAI = "600519.SH"
LIMIT, STOP, STOP_LIMIT = OrdType.LIMIT, OrdType.STOP, OrdType.STOP_LIMIT


def a_desk(**opened: Any) -> Desk:
    return Desk().opened(an_instrument(), **opened)


def test_the_intent_is_a_fact_before_the_send_begins_and_the_send_before_the_wire() -> None:
    """D7: intent, then send begun, then the wire."""
    desk = a_desk()
    desk.events.clear()
    desk.effects.clear()
    order = desk.order(buy(MOUTAI, 100))
    assert [type(e) for e in desk.events] == [OrderStaged, SendBegun]
    assert [e.order.order.cl_ord_id for e in desk.of(SendOrder)] == [order.cl_ord_id]
    assert order.ord_status is OrdStatus.PENDING_NEW


def test_what_is_sent_carries_its_last_moment_to_leave() -> None:
    desk = a_desk()
    desk.order(buy(MOUTAI, 100))
    assert desk.of(SendOrder)[0].send_before == desk.now + desk.around.policy.send_within_ns


@pytest.mark.parametrize("tif", list(TimeInForce))
def test_every_time_in_force_the_broker_declares_is_accepted(tif: TimeInForce) -> None:
    assert a_desk().order(buy(MOUTAI, 100, tif=tif)).tif is tif


def test_the_same_request_makes_one_order_and_the_same_answer() -> None:
    """S0-12, S0-65."""
    desk = a_desk()
    first = desk.give(buy(MOUTAI, 100, request_id="r1"))
    before = desk.state.hash()
    again = desk.give(buy(MOUTAI, 100, request_id="r1"))
    assert isinstance(first, OrderReply)
    assert again == OrderReply(first.cl_ord_id, repeat=True)
    assert desk.state.hash() == before


def test_the_same_request_answers_with_its_order_even_when_that_is_closed() -> None:
    desk = a_desk()
    order = desk.order(buy(MOUTAI, 100, request_id="r1"))
    desk.give(CancelAck(BROKER, order.cl_ord_id))
    assert desk.give(buy(MOUTAI, 100, request_id="r1")) == OrderReply(order.cl_ord_id, repeat=True)


def test_a_request_of_the_same_id_that_asks_for_something_else_is_refused() -> None:
    """S0-12: answered as a repeat, the second wish would be lost without a word."""
    desk = a_desk()
    desk.give(buy(MOUTAI, 100, request_id="r1"))
    before = desk.state.hash()
    with pytest.raises(BadInput, match=r"request_id 'r1' has made order .*, whose side was BUY; now SELL is asked"):
        desk.give(sell(MOUTAI, 100, request_id="r1"))
    with pytest.raises(BadInput, match="whose order_qty was 100; now 200 is asked"):
        desk.give(buy(MOUTAI, 200, request_id="r1"))
    assert desk.state.hash() == before


def test_a_denied_request_is_answered_with_its_denial_also_after_a_restart() -> None:
    """S0-12, S0-65: the same question has one answer."""
    desk = a_desk(cash=10)
    first = desk.give(buy(MOUTAI, 100, request_id="r1"))
    desk.state = State.unpack(desk.state.pack())
    before = desk.state.hash()
    again = desk.give(buy(MOUTAI, 100, request_id="r1"))
    assert isinstance(first, OrderReply)
    assert first.denied is not None
    assert again == OrderReply(first.cl_ord_id, first.denied, repeat=True)
    with pytest.raises(BadInput, match="whose tif was DAY; now GTC is asked"):
        desk.give(buy(MOUTAI, 100, request_id="r1", tif=TimeInForce.GTC))
    assert desk.state.hash() == before


def test_a_value_no_account_can_hold_is_denied() -> None:
    desk = a_desk()
    reply = desk.give(buy(MOUTAI, 99999999999900, ord_type=LIMIT, price="99999999999999"))
    assert isinstance(reply, OrderReply)
    assert reply.denied is not None
    assert (reply.denied.rule, reply.denied.limit, reply.denied.this_order) == ("order_value", "1E+15", "1.00E+28")


def test_without_a_request_id_two_equal_orders_are_two_orders() -> None:
    """D8: symbol and side alone do not name an order."""
    desk = a_desk()
    assert desk.order(buy(MOUTAI, 100)).cl_ord_id != desk.order(buy(MOUTAI, 100)).cl_ord_id


def number(text: str) -> Decimal:
    return Decimal(text)


BAD: list[tuple[str, dict[str, Any], str]] = [
    ("nothing is ordered", {"order_qty": number("0")}, "order_qty was 0"),
    ("a negative quantity", {"order_qty": number("-100")}, "order_qty was -100"),
    ("a quantity that is no number", {"order_qty": number("NaN")}, "order_qty was NaN"),
    ("a signalling NaN", {"order_qty": number("sNaN")}, "order_qty was sNaN"),
    ("an infinite quantity", {"order_qty": number("Infinity")}, "order_qty was Infinity"),
    ("a quantity past all bounds", {"order_qty": number("1e400")}, "order_qty was 1E\\+400"),
    ("a quantity of sixty digits", {"order_qty": number("1." + "1234567890" * 6)}, "order_qty was 1.1234"),
    ("a price on a market order", {"price": Px(number("10"))}, "a MARKET order has no price; price was 10"),
    ("a stop on a market order", {"stop_px": Px(number("10"))}, "a MARKET order has no stop_px"),
    ("a limit without a price", {"ord_type": LIMIT}, "a LIMIT order needs price"),
    ("a limit with a stop", {"ord_type": LIMIT, "price": Px(number("1")), "stop_px": Px(number("1"))}, "has no stop_px"),
    ("a stop without its price", {"ord_type": STOP}, "a STOP order needs stop_px"),
    ("a stop with a limit price", {"ord_type": STOP, "price": Px(number("1")), "stop_px": Px(number("1"))}, "has no price"),
    ("a stop limit without its stop", {"ord_type": STOP_LIMIT, "price": Px(number("1"))}, "a STOP_LIMIT order needs stop_px"),
    ("a stop limit without its limit", {"ord_type": STOP_LIMIT, "stop_px": Px(number("1"))}, "a STOP_LIMIT order needs price"),
    ("a price of zero", {"ord_type": LIMIT, "price": Px(number("0"))}, "price was 0; expected more than zero"),
    ("a negative price", {"ord_type": LIMIT, "price": Px(number("-1"))}, "price was -1"),
    ("a price that is no number", {"ord_type": LIMIT, "price": Px(number("NaN"))}, "price was NaN"),
    ("a price past all bounds", {"ord_type": LIMIT, "price": Px(number("1e400"))}, "price was 1E\\+400"),
    ("a stop that is no number", {"ord_type": STOP, "stop_px": Px(number("NaN"))}, "stop_px was NaN"),
    ("an unknown account", {"account": AccountID("nobody")}, "account was 'nobody', known are \\['demo'\\]"),
    ("an unknown symbol", {"symbol": Symbol("999999.SH")}, "symbol was '999999.SH', which is not listed"),
]


@pytest.mark.parametrize(("changes", "sentence"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_bad_input_is_refused_with_a_sentence_and_changes_nothing(changes: dict[str, Any], sentence: str) -> None:
    desk = a_desk()
    before = desk.state.hash()
    fields: dict[str, Any] = {
        "account": AccountID("demo"),
        "symbol": Symbol(MOUTAI),
        "side": Side.BUY,
        "order_qty": Qty(Decimal(100)),
        "by": "tester",
    }
    with pytest.raises(BadInput, match=sentence):
        desk.give(SubmitOrder(**{**fields, **changes}))
    assert desk.state.hash() == before


def test_a_working_order_is_cancelled_by_asking_the_broker() -> None:
    desk = a_desk()
    order = desk.order(buy(MOUTAI, 100))
    desk.ack(order)
    desk.give(CancelOrder(order.cl_ord_id, "tester"))
    assert desk.known(order.cl_ord_id).ord_status is OrdStatus.PENDING_CANCEL
    assert [(e.cl_ord_id, e.order_id) for e in desk.of(SendCancel)] == [(order.cl_ord_id, "b1")]


def test_an_order_may_be_cancelled_before_the_broker_acknowledged_it() -> None:
    """FIX B.1.d."""
    desk = a_desk()
    order = desk.order(buy(MOUTAI, 100))
    desk.give(CancelOrder(order.cl_ord_id, "tester"))
    desk.ack(order)
    assert desk.known(order.cl_ord_id).ord_status is OrdStatus.PENDING_CANCEL
    desk.give(CancelAck(BROKER, order.cl_ord_id))
    assert desk.known(order.cl_ord_id).ord_status is OrdStatus.CANCELED


def test_asking_to_cancel_again_asks_the_broker_again() -> None:
    desk = a_desk()
    order = desk.order(buy(MOUTAI, 100))
    desk.give(CancelOrder(order.cl_ord_id, "tester"), CancelOrder(order.cl_ord_id, "tester"))
    assert len(desk.of(SendCancel)) == 2


def test_cancelling_a_closed_order_says_so_and_asks_nobody() -> None:
    desk = a_desk()
    order = desk.order(buy(MOUTAI, 100))
    desk.give(an_execution(order.cl_ord_id, MOUTAI, Side.BUY, 100, "10"))
    assert desk.give(CancelOrder(order.cl_ord_id, "tester")) == Done(f"order {order.cl_ord_id} is FILLED already")
    assert desk.of(CancelRequested) == []


def test_cancelling_an_unknown_order_is_refused_and_invents_none() -> None:
    """FIX B.1.f."""
    desk = a_desk()
    before = desk.state.hash()
    with pytest.raises(BadInput, match="order was 'nope', which is not known"):
        desk.give(CancelOrder(ClOrdID("nope"), "tester"))
    assert desk.state.hash() == before


def not_sent(desk: Desk, cl_ord_id: ClOrdID) -> None:
    desk.give(SendOutcome(BROKER, cl_ord_id, "NOT_SENT", "connection refused"))


def test_an_order_that_never_left_is_cancelled_without_asking_the_broker() -> None:
    desk = a_desk()
    order = desk.order(buy(MOUTAI, 100))
    not_sent(desk, order.cl_ord_id)
    desk.give(CancelOrder(order.cl_ord_id, "tester"))
    assert desk.known(order.cl_ord_id).ord_status is OrdStatus.CANCELED
    assert desk.of(SendCancel) == []


def test_an_order_whose_cancel_was_wanted_is_not_sent_again_when_it_turns_out_that_it_never_left() -> None:
    desk = a_desk()
    order = desk.order(buy(MOUTAI, 100))
    desk.give(CancelOrder(order.cl_ord_id, "tester"))
    not_sent(desk, order.cl_ord_id)
    assert desk.of(OrderCanceled)[-1].text == "never sent, and a cancel was wanted"
    assert len(desk.of(SendBegun)) == 1


def test_an_order_the_broker_acknowledged_after_all_is_cancelled_at_the_broker() -> None:
    """The wire said that it never left; the broker's word is worth more."""
    desk = a_desk()
    order = desk.order(buy(MOUTAI, 100))
    not_sent(desk, order.cl_ord_id)
    desk.give(OrderAck(BROKER, order.cl_ord_id, OrderID("b1")))
    desk.give(CancelOrder(order.cl_ord_id, "tester"))
    assert len(desk.of(SendCancel)) == 1
    assert desk.known(order.cl_ord_id).ord_status is OrdStatus.PENDING_CANCEL


def test_an_id_has_eighteen_lower_case_characters_whatever_the_counter() -> None:
    for epoch, counter in [(1, 1), (36**5 - 1, 9_999_999_999), (77, 123_456)]:
        made = cl_ord_id_of(id_prefix("t1", epoch), counter)
        assert len(made) == 18
        assert set(made) <= set("abcdefghijklmnopqrstuvwxyz0123456789")


def test_two_processes_of_one_journal_never_make_the_same_id() -> None:
    """The epoch is the fencing token of the lease; the counter starts anew under each."""
    made = {cl_ord_id_of(id_prefix("t1", epoch), counter) for epoch in range(1, 60) for counter in range(1, 60)}
    assert len(made) == 59 * 59


def test_a_restart_goes_on_with_new_ids() -> None:
    desk = a_desk()
    first = desk.order(buy(MOUTAI, 100)).cl_ord_id
    desk.give(an_execution(first, MOUTAI, Side.BUY, 100, "10"))
    desk.give(Start(2, "test", "t1"), BrokerUp(BROKER), a_snapshot(cash=999_000, positions={MOUTAI: 100}), a_quote())
    second = desk.order(buy(MOUTAI, 100)).cl_ord_id
    assert (first[:2], first[2:7], second[2:7]) == ("t1", "00001", "00002")
    assert first[7:17] == second[7:17]


def test_a_changed_digit_of_the_counter_does_not_fit_its_check_character() -> None:
    """All single changes but the exchange of 0 and 9, which a weight of seven modulo 36 cannot see in the higher places."""
    prefix = id_prefix("t1", 3)
    good = cl_ord_id_of(prefix, 1234567812)
    for place in range(10):
        for digit in "0123456789":
            counter = int(good[7 + place])
            if digit != str(counter) and abs(int(digit) - counter) != 9:
                wrong = good[: 7 + place] + digit + good[8 + place :]
                assert cl_ord_id_of(prefix, int(wrong[7:17]))[-1] != wrong[-1]


def test_a_denied_order_uses_up_its_id() -> None:
    desk = a_desk()
    reply = desk.give(sell(MOUTAI, 100))
    assert isinstance(reply, OrderReply)
    assert reply.denied is not None
    assert desk.order(buy(MOUTAI, 100)).cl_ord_id != reply.cl_ord_id


def test_listing_what_is_listed_already_changes_nothing() -> None:
    desk = a_desk()
    before = desk.state.hash()
    assert desk.give(ListInstruments((an_instrument(),))) == Done("0 instruments listed or changed")
    assert desk.state.hash() == before
