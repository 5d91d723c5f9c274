"""The law of changed orders: whatever way the broker's words take to us, we end where the broker ended.

A venue that keeps FIX's rules works through requests and trades in some order; its words then reach us in any other order and
any number of times. Its own end is the measure.
"""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from tradeloop.core.commands import ReplaceOrder
from tradeloop.core.reports import OrderAck, ReplaceAck, ReplaceReject, Report
from tradeloop.core.types import ZERO, ClOrdID, OrderID, OrdStatus, OrdType, Px, Qty, Side, Symbol
from tradeloop.testing.builders import ACCOUNT, BROKER, an_execution, an_instrument, buy, sell
from tradeloop.testing.desk import Desk

SYMBOL = "600519.SH"
STOCK = an_instrument(SYMBOL, lot=1, min_qty=1)
PRICES = ["9.80", "9.90", "10.10"]


@st.composite
def lives(draw: st.DrawFn) -> tuple[Side, int, list[tuple[int, str]], list[tuple[str, int]], list[int]]:
    """An order, the replaces asked of it, what the venue does in turn, and an arrival of its words."""
    side = draw(st.sampled_from([Side.BUY, Side.SELL]))
    qty = draw(st.integers(10, 60))
    asked = draw(st.lists(st.tuples(st.integers(5, 120), st.sampled_from(PRICES)), min_size=1, max_size=4))
    asked = [one for place, one in enumerate(asked) if place == 0 or one != asked[place - 1]]
    does: list[tuple[str, int]] = [(draw(st.sampled_from(["accept", "reject"])), n) for n in range(1, len(asked) + 1)]
    for _ in range(draw(st.integers(0, 4))):
        does.insert(draw(st.integers(0, len(does))), ("fill", draw(st.integers(1, 40))))
    places = list(range(len(does)))
    repeats = draw(st.lists(st.sampled_from(places), max_size=4))
    return side, qty, asked, does, draw(st.permutations([*places, *repeats]))


def told(
    life: tuple[Side, int, list[tuple[int, str]], list[tuple[str, int]], list[int]], own: ClOrdID
) -> tuple[list[Report], Decimal, Decimal, str]:
    """What the venue says, and where the order ends there: quantity, traded, price."""
    side, qty, asked, does, _ = life
    said: list[Report] = []
    order_qty, cum, price = Decimal(qty), ZERO, "10.00"
    for what, number in does:
        traded = min(Decimal(number), order_qty - cum)
        if what == "fill" and traded:
            cum += traded
            said.append(an_execution(own, SYMBOL, side, traded, "10.00", f"e{len(said)}"))
        elif what == "accept" and order_qty > cum:
            order_qty, price = max(Decimal(asked[number - 1][0]), cum), asked[number - 1][1]
            said.append(ReplaceAck(BROKER, own, Qty(order_qty), Px(Decimal(price)), None, number, None, Qty(cum)))
        elif what == "fill":
            said.append(OrderAck(BROKER, own, OrderID("b1")))  # nothing is left to trade; it says what it said before
        else:
            said.append(ReplaceReject(BROKER, own, "0", "too late", number))
    return said, order_qty, cum, price


@settings(max_examples=300, deadline=None)
@given(lives())
def test_we_end_where_the_broker_ended_whatever_way_its_words_took(
    life: tuple[Side, int, list[tuple[int, str]], list[tuple[str, int]], list[int]],
) -> None:
    """Invariants 16 to 18; FIX C and D."""
    side, qty, asked, _, arrival = life
    desk = Desk().opened(STOCK, cash=10_000_000, positions={SYMBOL: 1000})
    order = desk.order((buy if side is Side.BUY else sell)(SYMBOL, qty, ord_type=OrdType.LIMIT, price="10.00"))
    desk.ack(order)
    for wanted, price in asked:
        desk.give(ReplaceOrder(order.cl_ord_id, "ann", Qty(Decimal(wanted)), Px(Decimal(price))))
    said, order_qty, cum, price = told(life, order.cl_ord_id)
    for place in arrival:
        desk.give(said[place])

    end = desk.known(order.cl_ord_id)
    assert not end.replaces
    assert (end.order_qty, end.cum_qty) == (order_qty, cum)
    assert end.price == Decimal(price)
    status = OrdStatus.FILLED if cum >= order_qty else OrdStatus.PARTIALLY_FILLED if cum else OrdStatus.NEW
    assert end.ord_status is status
    assert end.leaves_qty == order_qty - cum
    held = desk.state.held(ACCOUNT, Symbol(SYMBOL))
    assert held.long_frozen == (end.leaves_qty if side is Side.SELL else 0)
    reserved = desk.state.accounts[ACCOUNT].cash[STOCK.currency].reserved
    if side is Side.SELL or end.is_done:
        assert reserved == 0
    else:
        # A fill under dearer terms than those in force now has used up more of the promise than one of its shares.
        dearer = max(end.cum_value - end.cum_qty * Decimal(price), ZERO)
        assert reserved + dearer >= end.leaves_qty * Decimal(price)
