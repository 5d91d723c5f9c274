"""What an order is promised again when a fill of it is taken back: never less than it may still cost."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from tradeloop.core.answers import NOT_SENT, UNKNOWN
from tradeloop.core.commands import ReplaceOrder
from tradeloop.core.events import ReserveRaised
from tradeloop.core.instrument import AssetClass
from tradeloop.core.order import Order
from tradeloop.core.replies import OrderReply
from tradeloop.core.reports import CancelAck, ExecutionBust, ExecutionCorrect, ReplaceAck, ReplaceOutcome, ReplaceReject
from tradeloop.core.types import Amount, Currency, ExecID, OrderID, OrdStatus, OrdType, PositionEffect, Px, Qty, Side
from tradeloop.testing.builders import ACCOUNT, BROKER, DAY, a_snapshot, an_execution, an_instrument, buy, sell, their_order
from tradeloop.testing.desk import ABLE, Desk

D = Decimal
STOCK = an_instrument("600519.SH", lot=1, min_qty=1)
GOLD = an_instrument(
    "au2512.SHFE",
    asset_class=AssetClass.FUTURE,
    lot=1,
    min_qty=1,
    multiplier=1000,
    margin_rate="0.1",
    shortable=True,
    odd_lot_sell=False,
)


def a_buy(desk: Desk, qty: int) -> Order:
    return desk.order(buy("600519.SH", qty, ord_type=OrdType.LIMIT, price="10.00"))


def fill(desk: Desk, order: Order, qty: int, px: str, exec_id: str = "e1") -> None:
    desk.give(an_execution(order.cl_ord_id, order.symbol, order.side, qty, px, exec_id))


def bust(desk: Desk, order: Order, exec_id: str = "e1") -> None:
    desk.give(ExecutionBust(BROKER, ACCOUNT, DAY, ExecID(exec_id), order.side))


def test_an_order_whose_last_fill_is_taken_back_is_promised_its_limit_again_and_not_what_that_fill_cost() -> None:
    """Invariants 23 and 25: filled at 9 and taken back, the order may fill at 10 now."""
    desk = Desk().opened(STOCK, cash=1000)
    order = a_buy(desk, 100)
    fill(desk, order, 100, "9")
    bust(desk, order)
    assert desk.known(order.cl_ord_id).reserved == 1000
    assert desk.state.accounts[ACCOUNT].cash[STOCK.currency].free == 0
    assert [e.reserve for e in desk.of(ReserveRaised)] == [1000]


def test_it_fills_again_at_its_limit_without_spending_what_is_not_there() -> None:
    desk = Desk().opened(STOCK, cash=1000)
    order = a_buy(desk, 100)
    fill(desk, order, 100, "9")
    bust(desk, order)
    reply = desk.give(buy("600519.SH", 10, ord_type=OrdType.LIMIT, price="10.00"))
    fill(desk, order, 100, "10", "e2")
    book = desk.state.accounts[ACCOUNT].cash[STOCK.currency]
    assert getattr(reply, "denied", None) is not None
    assert [book.balance, book.free] == [0, 0]


def test_a_bust_that_came_before_its_fill_leaves_the_same_promise() -> None:
    """Invariant 19."""
    desk = Desk().opened(STOCK, cash=1000)
    order = a_buy(desk, 100)
    bust(desk, order)
    fill(desk, order, 100, "9")
    assert desk.known(order.cl_ord_id).reserved == 1000


def test_a_last_fill_corrected_to_less_leaves_the_rest_promised_at_the_limit() -> None:
    desk = Desk().opened(STOCK, cash=1000)
    order = a_buy(desk, 100)
    fill(desk, order, 100, "9")
    desk.give(ExecutionCorrect(BROKER, ACCOUNT, DAY, ExecID("e1"), Side.BUY, Qty(D(60)), Px(D(9)), Amount(D(0))))
    assert desk.known(order.cl_ord_id).reserved == 400


def test_one_of_several_fills_taken_back_raises_nothing_while_enough_is_promised() -> None:
    desk = Desk().opened(STOCK, cash=1000)
    order = a_buy(desk, 100)
    fill(desk, order, 50, "9")
    bust(desk, order)
    assert desk.known(order.cl_ord_id).reserved == 1000
    assert desk.of(ReserveRaised) == []


def test_the_short_of_a_future_that_is_taken_back_reserves_its_margin_again() -> None:
    """A sell that opens needs cash of its own, as a buy does."""
    desk = Desk().opened(GOLD, cash=100_000)
    order = desk.order(sell(GOLD.symbol, 2, position_effect=PositionEffect.OPEN, ord_type=OrdType.LIMIT, price="10.00"))
    fill(desk, order, 1, "10")
    assert desk.known(order.cl_ord_id).reserved == 1000
    bust(desk, order)
    assert desk.known(order.cl_ord_id).reserved == 2000


@pytest.mark.parametrize("side", list(Side))
def test_the_close_of_a_future_that_is_taken_back_reserves_nothing_as_before(side: Side) -> None:
    """An account without free cash can always reduce; what the fill freed is held again by the position."""
    desk = Desk().opened(GOLD, cash=100_000)
    opens, closes = (sell, buy) if side is Side.BUY else (buy, sell)
    first = desk.order(opens(GOLD.symbol, 2, position_effect=PositionEffect.OPEN))
    fill(desk, first, 2, "10", "opens")
    order = desk.order(closes(GOLD.symbol, 2, position_effect=PositionEffect.CLOSE, ord_type=OrdType.LIMIT, price="10.00"))
    fill(desk, order, 1, "10", "closes")
    bust(desk, order, "closes")
    book = desk.state.accounts[ACCOUNT].cash[GOLD.currency]
    assert [desk.known(order.cl_ord_id).reserved, book.reserved, book.margin] == [0, 0, 2000]


def test_an_order_that_has_ended_is_promised_nothing_again() -> None:
    desk = Desk().opened(STOCK, cash=1000)
    order = a_buy(desk, 100)
    desk.ack(order)
    fill(desk, order, 50, "9")
    desk.give(CancelAck(BROKER, order.cl_ord_id))
    bust(desk, order)
    assert desk.known(order.cl_ord_id).reserved == 0
    assert desk.of(ReserveRaised) == []


def test_what_closes_a_future_leaves_the_reserve_to_what_is_still_to_open() -> None:
    """Invariant 25: half of an order without an effect closes a short and costs nothing; the other half still opens a long."""
    desk = Desk().opened(GOLD, cash=100_000)
    short = desk.order(sell(GOLD.symbol, 5, ord_type=OrdType.LIMIT, price="100", position_effect=PositionEffect.OPEN))
    fill(desk, short, 5, "100")
    turning = desk.order(buy(GOLD.symbol, 10, ord_type=OrdType.LIMIT, price="100"))
    assert turning.reserved == 50_000
    fill(desk, turning, 5, "100", "e2")
    assert desk.known(turning.cl_ord_id).reserved == 50_000
    assert desk.state.accounts[ACCOUNT].cash[GOLD.currency].free == 50_000
    more = desk.give(buy(GOLD.symbol, 10, ord_type=OrdType.LIMIT, price="100", position_effect=PositionEffect.OPEN))
    assert isinstance(more, OrderReply)
    assert more.denied is not None
    assert more.denied.rule == "cash"


def test_a_fill_that_closes_and_opens_gives_back_the_reserve_of_what_it_opened() -> None:
    """Invariant 23."""
    desk = Desk().opened(GOLD, cash=100_000)
    short = desk.order(sell(GOLD.symbol, 5, ord_type=OrdType.LIMIT, price="100", position_effect=PositionEffect.OPEN))
    fill(desk, short, 5, "100")
    turning = desk.order(buy(GOLD.symbol, 10, ord_type=OrdType.LIMIT, price="100"))
    fill(desk, turning, 7, "100", "e2")
    assert desk.known(turning.cl_ord_id).reserved == 30_000
    fill(desk, turning, 3, "100", "e3")
    assert desk.state.accounts[ACCOUNT].cash[GOLD.currency].reserved == 0


def asked(order: Order, qty: int | None = None, price: str | None = None) -> ReplaceOrder:
    return ReplaceOrder(order.cl_ord_id, "ann", None if qty is None else Qty(D(qty)), None if price is None else Px(D(price)))


def half_filled_cheaply() -> tuple[Desk, Order]:
    """A buy of 100 at 10, half of which filled at 1, and which was changed to 9 then: the other half is promised 450."""
    desk = Desk().opened(STOCK, cash=1000)
    order = a_buy(desk, 100)
    desk.ack(order)
    fill(desk, order, 50, "1")
    desk.give(asked(order, price="9"), ReplaceAck(BROKER, order.cl_ord_id, Qty(D(100)), Px(D(9)), number=1))
    assert desk.known(order.cl_ord_id).reserved == 450
    return desk, order


def test_a_fill_taken_back_while_a_change_waits_is_promised_again_at_the_dearest_of_all_terms() -> None:
    desk, order = half_filled_cheaply()
    desk.give(asked(order, price="8"))
    bust(desk, order)
    assert desk.known(order.cl_ord_id).reserved == 900


@pytest.mark.parametrize("answer", ["refused", "not sent", "the books show it unchanged"])
def test_and_stays_promised_when_that_change_does_not_take_effect(answer: str) -> None:
    """Invariants 23 and 25."""
    desk, order = half_filled_cheaply()
    desk.give(asked(order, price="8"))
    bust(desk, order)
    if answer == "refused":
        desk.give(ReplaceReject(BROKER, order.cl_ord_id, "1", "no", number=2))
    elif answer == "not sent":
        desk.give(ReplaceOutcome(BROKER, order.cl_ord_id, 2, NOT_SENT, "no connection"))
    else:
        desk.give(ReplaceOutcome(BROKER, order.cl_ord_id, 2, UNKNOWN, "no answer"))
        desk.wait(600)
        line = their_order(
            order.cl_ord_id, order.symbol, order.side, 100, OrdStatus.NEW, order_id=OrderID("b1"), price=Px(D(9))
        )
        desk.give(a_snapshot(cash=1000, as_of=desk.now, orders=(line,), executions=()))
    assert not desk.known(order.cl_ord_id).replaces
    assert desk.known(order.cl_ord_id).reserved == 900
    reply = desk.give(buy("600519.SH", 50, ord_type=OrdType.LIMIT, price="10.00"))
    assert isinstance(reply, OrderReply)
    assert reply.denied is not None


def test_what_a_later_change_was_promised_is_asked_again_when_an_earlier_one_is_refused() -> None:
    desk, order = half_filled_cheaply()
    desk.give(asked(order, price="8"), asked(order, price="8.5"))
    bust(desk, order)
    desk.give(ReplaceReject(BROKER, order.cl_ord_id, "1", "no", number=2))
    assert desk.known(order.cl_ord_id).reserved == 900
    desk.give(ReplaceAck(BROKER, order.cl_ord_id, Qty(D(100)), Px(D("8.5")), number=3))
    assert desk.known(order.cl_ord_id).reserved == 850


def test_what_waits_is_promised_again_when_the_dearer_terms_are_replaced() -> None:
    desk, order = half_filled_cheaply()
    desk.give(asked(order, price="8"), asked(order, price="8.5"))
    bust(desk, order)
    desk.give(ReplaceAck(BROKER, order.cl_ord_id, Qty(D(100)), Px(D(8)), number=2))
    assert desk.known(order.cl_ord_id).reserved == 850


def test_a_filled_order_that_may_get_more_is_promised_its_limit_when_its_fill_is_taken_back() -> None:
    able = msgspec.structs.replace(ABLE, replaces_filled=True)
    desk = Desk(able=able).opened(STOCK, cash=2000)
    order = a_buy(desk, 100)
    desk.ack(order)
    fill(desk, order, 100, "1")
    desk.give(asked(order, qty=110))
    bust(desk, order)
    assert desk.known(order.cl_ord_id).reserved == 1100
    desk.give(ReplaceReject(BROKER, order.cl_ord_id, "1", "no"))
    assert desk.known(order.cl_ord_id).reserved == 1000


@pytest.mark.parametrize("told", ["taken back", "corrected"])
@pytest.mark.parametrize("kind", ["a stock", "a future"])
def test_a_fill_of_an_order_that_covers_gives_it_no_promise_that_it_never_had(kind: str, told: str) -> None:
    """What closed drew on nothing, so nothing goes back (invariant 25)."""
    stock = an_instrument("AAPL.US", lot=1, min_qty=1, shortable=True, margin_rate="0.5", currency=Currency("CNY"))
    what = stock if kind == "a stock" else GOLD
    desk = Desk().opened(what, cash=1_000_000)
    short = desk.order(sell(what.symbol, 100, ord_type=OrdType.LIMIT, price="10.00"))
    fill(desk, short, 100, "10", "e1")
    cover = desk.order(buy(what.symbol, 100, ord_type=OrdType.LIMIT, price="10.50"))
    assert desk.known(cover.cl_ord_id).reserved == 0
    fill(desk, cover, 60, "10", "e2")
    if told == "corrected":
        desk.give(ExecutionCorrect(BROKER, ACCOUNT, DAY, ExecID("e2"), Side.BUY, Qty(D(10)), Px(D(10)), None))
    else:
        bust(desk, cover, "e2")
    assert desk.known(cover.cl_ord_id).reserved == 0


def test_a_fill_that_opened_is_promised_its_limit_again_though_its_symbol_can_be_short() -> None:
    stock = an_instrument("AAPL.US", lot=1, min_qty=1, shortable=True, margin_rate="0.5", currency=Currency("CNY"))
    desk = Desk().opened(stock, cash=1000)
    order = desk.order(buy(stock.symbol, 100, ord_type=OrdType.LIMIT, price="10.00"))
    fill(desk, order, 60, "9", "e1")
    bust(desk, order)
    assert desk.known(order.cl_ord_id).reserved == 1000
