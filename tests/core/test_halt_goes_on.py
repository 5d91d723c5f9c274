"""A FLATTEN that cannot close now goes on: over the night, at a price limit, and after refusals, ever more rarely."""

from __future__ import annotations

import itertools
from decimal import Decimal

from tests.core.test_another_day import MONDAY
from tests.core.test_halt import MOUTAI, a_desk, halt

from tradeloop.core.commands import OpenTradingDay
from tradeloop.core.events import HaltChecked, OrderStaged
from tradeloop.core.halt import HaltTier
from tradeloop.core.inputs import TimerFired
from tradeloop.core.reports import CancelAck
from tradeloop.core.types import SECOND_NS, Px, Qty, Side, UtcNs
from tradeloop.testing.builders import BROKER, a_quote, an_execution, an_instrument, buy
from tradeloop.testing.desk import Desk


def looks(desk: Desk, after: float = 1, bid: str | None = "9.99") -> None:
    """Some seconds later the halt looks again; without a bid the market stands at its lower limit."""
    desk.wait(after)
    desk.give(a_quote(MOUTAI, bid=bid, last=Px(Decimal("9.99")), at=desk.now), TimerFired("halt", "1"))


def last(desk: Desk) -> HaltChecked:
    return desk.of(HaltChecked)[-1]


def test_what_was_bought_today_is_sold_when_the_next_day_begins() -> None:
    desk = Desk().opened(an_instrument(MOUTAI, settles_t1=True))
    bought = desk.order(buy(MOUTAI, 100))
    desk.give(an_execution(bought.cl_ord_id, MOUTAI, Side.BUY, 100, 10))
    halt(desk, HaltTier.FLATTEN)
    assert last(desk).text == "no open orders left, 1 position left (600519.SH T+1)"
    for _ in range(3):
        looks(desk, after=3600)
    assert len(desk.of(OrderStaged)) == 1, "nothing that cannot be sold is tried"

    desk.give(OpenTradingDay("CN_A", MONDAY, ((desk.now, UtcNs(desk.now + 3600 * SECOND_NS)),)))
    looks(desk)
    closing = desk.of(OrderStaged)[-1]
    assert (closing.side, closing.order_qty, closing.halt) == (Side.SELL, Qty(Decimal(100)), 1)
    desk.give(an_execution(closing.cl_ord_id, MOUTAI, Side.SELL, 100, 10, "e2"))
    looks(desk)
    assert (last(desk).done, last(desk).text) == (True, "no open orders left, no positions left")


def test_at_the_lower_limit_one_order_waits_and_is_named_until_somebody_buys() -> None:
    desk = a_desk(moutai="1000")
    desk.give(a_quote(MOUTAI, bid=None, at=desk.now))
    halt(desk, HaltTier.FLATTEN)
    (closing,) = desk.state.orders.open.values()
    desk.ack(closing, "b1")
    for _ in range(60):
        looks(desk, bid=None)
    assert len(desk.of(OrderStaged)) == 1
    assert last(desk).text == "1 open order left, 1 position left (600519.SH waits)"
    assert "nobody is on the other side: the market may stand at its limit" in last(desk).held[0]
    assert not last(desk).done

    desk.give(an_execution(closing.cl_ord_id, MOUTAI, Side.SELL, 1000, 10))
    looks(desk)
    assert (last(desk).done, last(desk).held) == (True, ())


def test_a_close_that_ends_again_and_again_is_tried_ever_more_rarely_and_never_given_up() -> None:
    desk = a_desk(moutai="1000")
    halt(desk, HaltTier.FLATTEN)
    for _ in range(300):
        for order in list(desk.state.orders.open.values()):
            desk.ack(order, f"b{order.cl_ord_id}")
            desk.give(CancelAck(BROKER, order.cl_ord_id, text="the exchange took it out"))
        looks(desk)
    tried = [event.at // SECOND_NS for event in desk.of(OrderStaged)]
    gaps = [after - before for before, after in itertools.pairwise(tried)]
    assert gaps[:5] == [2, 4, 8, 16, 32]
    assert {*gaps[5:]} == {32}
    assert len(gaps) > 10
    assert not last(desk).done
