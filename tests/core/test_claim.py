"""A fill that names the venue's number alone and comes before that number is known to be ours (F19, F20)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from tests.core.runs_made import A, Work

from tradeloop.core.commands import OpenTradingDay, ReplaceOrder
from tradeloop.core.effects import SendOrder
from tradeloop.core.events import ExternalOrderFound, OrderCanceled, Overfilled, TradeMoved
from tradeloop.core.execution import Exec, Executions
from tradeloop.core.instrument import AssetClass
from tradeloop.core.order import Order
from tradeloop.core.reports import Execution, ExecutionBust, ReplaceAck, SendOutcome
from tradeloop.core.state import State
from tradeloop.core.types import (
    Currency,
    ExecID,
    OrderID,
    OrdStatus,
    OrdType,
    PositionEffect,
    Px,
    Qty,
    RunStatus,
    Side,
    Symbol,
    TimeInForce,
    TradingDay,
    UtcNs,
)
from tradeloop.testing.builders import (
    ACCOUNT,
    BROKER,
    DAY,
    a_quote,
    a_snapshot,
    an_execution,
    an_instrument,
    buy,
    fees,
    known,
    sell,
    their_order,
)
from tradeloop.testing.desk import Desk

MOUTAI, GOLD = "600519.SH", "au2512.SHFE"
CASH = 1_000_000
MONDAY = TradingDay("2026-07-20")


def a_desk() -> tuple[Desk, Order]:
    desk = Desk().opened(an_instrument(lot=1, min_qty=1), cash=CASH, positions={MOUTAI: 300})
    return desk, desk.order(buy(MOUTAI, 100, ord_type=OrdType.LIMIT, price="10"))


def nameless(qty: int, exec_id: str = "e1", symbol: str = MOUTAI, side: Side = Side.BUY, **changes: Any) -> Execution:
    return an_execution(None, symbol, side, qty, "10", exec_id, order_id=OrderID("17"), **changes)


def books(desk: Desk) -> tuple[Decimal, Decimal, Decimal]:
    """Held, balance, promised."""
    cash = desk.state.accounts[ACCOUNT].cash[Currency("CNY")]
    return desk.state.held(ACCOUNT, Symbol(MOUTAI)).long_qty, cash.balance, cash.reserved


def the_stranger(desk: Desk) -> Order:
    (found,) = desk.of(ExternalOrderFound)
    return desk.known(found.cl_ord_id)


def test_a_fill_that_overtook_the_acknowledgement_is_in_the_books_at_once() -> None:
    desk, _ = a_desk()
    desk.give(nameless(40))
    assert books(desk)[:2] == (Decimal(340), Decimal(CASH - 400))


def test_the_acknowledgement_brings_the_fill_to_our_order_and_what_it_had_promised_is_released() -> None:
    desk, order = a_desk()
    desk.give(nameless(40))
    desk.ack(order, "17")
    now = desk.known(order.cl_ord_id)
    assert (now.ord_status, now.cum_qty, now.leaves_qty) == (OrdStatus.PARTIALLY_FILLED, Decimal(40), Decimal(60))
    assert books(desk) == (Decimal(340), Decimal(CASH - 400), Decimal(600))


def test_all_its_fills_come_and_it_is_filled() -> None:
    desk, order = a_desk()
    desk.give(nameless(40), nameless(60, "e2"))
    desk.ack(order, "17")
    assert desk.known(order.cl_ord_id).ord_status is OrdStatus.FILLED
    assert books(desk) == (Decimal(400), Decimal(CASH - 1000), Decimal(0))


def test_the_fills_that_follow_are_booked_on_our_order() -> None:
    desk, order = a_desk()
    desk.give(nameless(40))
    desk.ack(order, "17")
    desk.give(nameless(60, "e2"))
    assert desk.known(order.cl_ord_id).ord_status is OrdStatus.FILLED


def test_it_counts_once_however_often_each_is_told() -> None:
    """F22, F26."""
    desk, order = a_desk()
    desk.give(nameless(40))
    desk.ack(order, "17")
    before = desk.state.hash()
    desk.give(nameless(40))
    desk.ack(order, "17")
    desk.give(an_execution(order.cl_ord_id, MOUTAI, Side.BUY, 40, "10", order_id=OrderID("17")))
    assert desk.state.hash() == before


def test_the_journal_says_whose_the_strangers_order_was() -> None:
    desk, order = a_desk()
    desk.give(nameless(40))
    desk.ack(order, "17")
    stranger = the_stranger(desk)
    (moved,) = desk.of(TradeMoved)
    assert (moved.from_cl_ord_id, moved.cl_ord_id, moved.exec_id) == (stranger.cl_ord_id, order.cl_ord_id, "e1")
    assert (stranger.ord_status, stranger.cum_qty) == (OrdStatus.CANCELED, Decimal(0))
    assert stranger.text == f"number 17 is our order {order.cl_ord_id}"


def test_an_order_in_doubt_has_arrived_when_a_fill_turns_out_to_be_its_own() -> None:
    """Invariant 6. That fill is taken back later and the books show nothing of the order for a while: it is not sent again."""
    desk, order = a_desk()
    desk.give(SendOutcome(BROKER, order.cl_ord_id, "UNKNOWN", "timed out"), nameless(100))
    its_own = an_execution(order.cl_ord_id, MOUTAI, Side.BUY, 100, "10", order_id=OrderID("17"))
    desk.wait(1)
    desk.give(
        a_snapshot(as_of=desk.now, cash=CASH - 1000, positions={MOUTAI: 400}, orders_complete=False, executions=(its_own,))
    )
    assert len(desk.of(TradeMoved)) == 1
    desk.give(ExecutionBust(BROKER, ACCOUNT, DAY, ExecID("e1"), Side.BUY))
    for _ in range(4):
        desk.wait(20)
        desk.give(a_quote(at=desk.now), a_snapshot(as_of=desk.now, cash=CASH, positions={MOUTAI: 300}))
    now = desk.known(order.cl_ord_id)
    assert (now.unknown_at, now.leaves_qty, len(desk.of(SendOrder))) == (None, Decimal(100), 1)


def test_the_brokers_books_bind_the_number_as_well() -> None:
    desk, order = a_desk()
    desk.give(nameless(40))
    theirs = their_order(
        order.cl_ord_id, MOUTAI, Side.BUY, 100, OrdStatus.PARTIALLY_FILLED, order_id=OrderID("17"), cum_qty=Qty(Decimal(40))
    )
    desk.wait(60)
    desk.give(
        a_snapshot(as_of=desk.now, orders=(theirs,), executions=(nameless(40),), cash=CASH - 400, positions={MOUTAI: 340})
    )
    assert desk.known(order.cl_ord_id).cum_qty == 40
    assert desk.state.breaks == {}


def test_a_fill_that_names_both_ids_binds_the_number_as_well() -> None:
    desk, order = a_desk()
    desk.give(nameless(40), an_execution(order.cl_ord_id, MOUTAI, Side.BUY, 60, "10", "e2", order_id=OrderID("17")))
    assert desk.known(order.cl_ord_id).ord_status is OrdStatus.FILLED
    assert desk.of(Overfilled) == []


def test_an_order_first_seen_without_our_id_in_the_brokers_books_is_ours_when_its_number_is() -> None:
    """What it was counted to promise is counted once."""
    desk, order = a_desk()
    theirs = their_order(None, MOUTAI, Side.BUY, 100, OrdStatus.NEW, order_id=OrderID("17"), price=Px(Decimal(10)))
    desk.give(a_snapshot(as_of=desk.now, orders=(theirs,), positions={MOUTAI: 300}))
    assert books(desk)[2] == 2000
    desk.ack(order, "17")
    assert books(desk)[2] == 1000
    assert the_stranger(desk).is_done


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_bust_takes_the_fill_back_from_whoever_has_it(when: str) -> None:
    desk, order = a_desk()
    desk.give(nameless(40))
    bust = ExecutionBust(BROKER, ACCOUNT, DAY, ExecID("e1"), Side.BUY)
    if when == "before":
        desk.give(bust)
    desk.ack(order, "17")
    desk.give(bust)
    assert (desk.known(order.cl_ord_id).cum_qty, the_stranger(desk).is_done) == (Decimal(0), True)
    assert books(desk) == (Decimal(300), Decimal(CASH), Decimal(1000))


def test_more_than_was_ordered_is_found_when_it_is_known_whose_it_is() -> None:
    desk, order = a_desk()
    desk.give(nameless(130))
    desk.ack(order, "17")
    assert [e.excess for e in desk.of(Overfilled)] == [Decimal(30)]


def test_a_number_of_the_other_side_or_another_symbol_is_another_order() -> None:
    desk, order = a_desk()
    desk.give(nameless(40, side=Side.SELL))
    desk.ack(order, "17")
    assert desk.of(TradeMoved) == []


def test_a_fill_booked_before_a_restart_is_claimed_after_it() -> None:
    desk, order = a_desk()
    desk.give(nameless(40))
    desk.state = State.unpack(desk.state.pack())
    desk.ack(order, "17")
    assert desk.known(order.cl_ord_id).cum_qty == 40


def test_fills_are_found_also_after_a_person_has_accepted_another_figure() -> None:
    """The short list of late fills is gone then."""
    desk, order = a_desk()
    desk.give(nameless(40))
    desk.state.pages.clear()
    desk.ack(order, "17")
    assert desk.known(order.cl_ord_id).cum_qty == 40


def test_a_claim_reads_the_fills_it_moves_and_no_others_of_the_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """CTP tells of a trade before its order, of every one: read the day each time, two thousand orders cost thrice as much."""
    desk, _ = a_desk()
    read = 0
    get = Executions.get

    def counted(self: Executions, key: str) -> Exec | None:
        nonlocal read
        read += 1
        return get(self, key)

    monkeypatch.setattr(Executions, "get", counted)
    cost = []
    for number in range(100, 140):
        order = desk.order(buy(MOUTAI, 100))
        desk.give(an_execution(None, MOUTAI, Side.BUY, 100, "10", f"e{number}", order_id=OrderID(str(number))))
        before = read
        desk.ack(order, str(number))
        cost.append(read - before)
        assert desk.known(order.cl_ord_id).cum_qty == 100
    assert set(cost) == {cost[0]}


@pytest.mark.parametrize(("effect", "long", "short"), [(PositionEffect.OPEN, 5, 3), (PositionEffect.CLOSE, 5, 1)])
def test_what_our_order_opens_or_closes_holds_where_the_broker_did_not_say(
    effect: PositionEffect, long: int, short: int
) -> None:
    """D5. Without a word of the broker a buy of 2 was taken for one that closes what is short."""
    gold = an_instrument(
        GOLD, asset_class=AssetClass.FUTURE, lot=1, min_qty=1, multiplier=1000, margin_rate="0.1", shortable=True
    )
    desk = Desk().opened(gold, cash=CASH)
    for number, (side, qty) in enumerate([(Side.SELL, 3), (Side.BUY, 5 if effect is PositionEffect.CLOSE else 3)]):
        opening = desk.order((buy if side is Side.BUY else sell)(GOLD, qty, position_effect=PositionEffect.OPEN))
        desk.give(an_execution(opening.cl_ord_id, GOLD, side, qty, "10", f"o{number}"))
    order = desk.order(buy(GOLD, 2, position_effect=effect))
    desk.give(nameless(2, symbol=GOLD))
    desk.ack(order, "17")
    held = desk.state.held(ACCOUNT, order.symbol)
    assert (held.long_qty, held.short_qty, held.short_frozen) == (Decimal(long), Decimal(short), Decimal(0))
    cash = desk.state.accounts[ACCOUNT].cash[gold.currency]
    assert cash.margin == (known(held.long_cost) + known(held.short_cost)) / 10
    assert cash.reserved == 0


def test_the_run_of_the_order_goes_on() -> None:
    work = Work.begun({A: "0.1"})
    order = work.order(A)
    work.desk.give(an_execution(None, A, Side.BUY, order.order_qty, "10", order_id=OrderID(f"b-{A}")))
    before = work.status
    work.desk.ack(order, f"b-{A}")
    assert (before, work.status) == (RunStatus.RUNNING, RunStatus.COMPLETED)
    assert [e.run_id for e in work.desk.of(TradeMoved)] == [work.run_id]


def on_monday(desk: Desk) -> None:
    desk.wait(3 * 86400)
    desk.give(OpenTradingDay("CN_A", MONDAY, ((UtcNs(desk.now - 1), UtcNs(desk.now + 10**13)),)))


@pytest.mark.parametrize("days", [1, 3])
@pytest.mark.parametrize("tif", [TimeInForce.DAY, TimeInForce.GTC])
def test_an_acknowledgement_of_a_later_day_brings_the_fill_to_our_order(tif: TimeInForce, days: int) -> None:
    """The day may turn while the answer is on its way (F19, F20)."""
    desk = Desk().opened(an_instrument(lot=1, min_qty=1), cash=CASH, positions={MOUTAI: 300})
    order = desk.order(buy(MOUTAI, 100, ord_type=OrdType.LIMIT, price="10", tif=tif))
    desk.give(nameless(100))
    for number in range(days):
        desk.wait(86400)
        day = TradingDay(f"2026-07-{20 + number}")
        desk.give(OpenTradingDay("CN_A", day, ((UtcNs(desk.now - 1), UtcNs(desk.now + 10**13)),)))
    desk.ack(order, "17")
    now = desk.known(order.cl_ord_id)
    assert (now.ord_status, now.cum_qty) == (OrdStatus.FILLED, Decimal(100))
    assert books(desk) == (Decimal(400), Decimal(CASH - 1000), Decimal(0))


def test_the_brokers_books_of_a_later_day_bind_the_number_as_well() -> None:
    desk, order = a_desk()
    desk.give(nameless(100))
    on_monday(desk)
    theirs = their_order(
        order.cl_ord_id, MOUTAI, Side.BUY, 100, OrdStatus.FILLED, order_id=OrderID("17"), cum_qty=Qty(Decimal(100))
    )
    look = a_snapshot(as_of=desk.now, orders=(theirs,), cash=CASH - 1000, positions={MOUTAI: 400}, trading_day=MONDAY)
    desk.give(look)
    assert desk.known(order.cl_ord_id).ord_status is OrdStatus.FILLED


def test_a_fill_that_is_told_again_by_our_id_on_the_next_day_comes_to_our_order() -> None:
    desk, order = a_desk()
    desk.give(nameless(100))
    on_monday(desk)
    desk.give(an_execution(order.cl_ord_id, MOUTAI, Side.BUY, 100, "10", order_id=OrderID("17")))
    assert desk.known(order.cl_ord_id).cum_qty == 100


def test_strangers_orders_older_than_the_last_day_are_kept_in_mind_no_longer() -> None:
    desk = Desk().opened(an_instrument(lot=1, min_qty=1), cash=CASH)
    desk.give(nameless(40))
    for day in ("2026-07-20", "2026-07-21"):
        desk.wait(86400)
        desk.give(OpenTradingDay("CN_A", TradingDay(day), ((UtcNs(desk.now - 1), UtcNs(desk.now + 10**13)),)))
    assert list(desk.state.strangers) == []


def test_an_order_that_really_is_a_strangers_is_left_alone() -> None:
    desk, order = a_desk()
    desk.give(nameless(40))
    desk.ack(order, "18")
    assert the_stranger(desk).cum_qty == 40
    assert desk.known(order.cl_ord_id).cum_qty == 0
    assert [e.cl_ord_id for e in desk.of(OrderCanceled)] == []


def test_an_order_that_a_replace_gave_another_number_takes_over_what_came_under_it() -> None:
    """A venue may cancel and enter anew under another number, and tell of a trade there first."""
    desk, order = a_desk()
    desk.ack(order, "16")
    desk.give(ReplaceOrder(order.cl_ord_id, "ann", order_qty=Qty(Decimal(90))))
    desk.give(nameless(40))
    desk.give(ReplaceAck(BROKER, order.cl_ord_id, Qty(Decimal(90)), None, order_id=OrderID("17")))
    assert desk.known(order.cl_ord_id).cum_qty == 40
    assert the_stranger(desk).is_done


def test_our_schedule_charges_the_order_once_for_all_its_fills() -> None:
    """Its minimum holds per order; on two of them it would have been paid twice."""
    desk = Desk().opened(an_instrument(lot=1, min_qty=1, fees=fees("0.001", 5)), cash=CASH)
    order = desk.order(buy(MOUTAI, 100))
    desk.give(nameless(40, commission=None))
    ours = an_execution(order.cl_ord_id, MOUTAI, Side.BUY, 60, "10", "e2", order_id=OrderID("17"), commission=None)
    desk.give(ours)
    assert desk.known(order.cl_ord_id).fees == 5
    assert desk.cash() == CASH - 1000 - 5


def test_a_least_fee_that_was_charged_twice_leaves_the_rest_of_its_order_the_promise_it_needs() -> None:
    """One of two fills came under the number alone; each paid the least fee of 5, which only one of them owes. The rest may
    still cost its limit, and no fee: the least one is paid.
    """
    desk = Desk().opened(an_instrument(lot=1, min_qty=1, fees=fees("0.0001", 5)), cash=CASH)
    order = desk.order(buy(MOUTAI, 100, ord_type=OrdType.LIMIT, price="10"))
    assert order.reserved == 1005
    desk.give(an_execution(order.cl_ord_id, MOUTAI, Side.BUY, 10, "10", "e0", commission=None))
    desk.give(nameless(20, commission=None))
    assert desk.known(order.cl_ord_id).fees == the_stranger(desk).fees == 5
    desk.ack(order, "17")
    ours = desk.known(order.cl_ord_id)
    assert (ours.cum_qty, ours.fees) == (Decimal(30), Decimal(5))
    assert ours.reserved == books(desk)[2] == 70 * 10


@pytest.mark.parametrize("bound_by", ["the acknowledgement", "a fill that names both", "the books"])
def test_a_claimed_cover_leaves_the_rest_of_its_order_the_promise_it_needs(bound_by: str) -> None:
    """Invariants 23 and 25: a cover costs nothing, so the part that opens keeps all that was promised for it."""
    stock = an_instrument("AAPL.US", lot=1, min_qty=1, shortable=True, margin_rate="0.5")
    desk = Desk().opened(stock, cash=2000)
    short = desk.order(sell("AAPL.US", 100, ord_type=OrdType.LIMIT, price="10"))
    desk.ack(short, "1")
    desk.give(an_execution(short.cl_ord_id, "AAPL.US", Side.SELL, 100, "10", "e0"))
    order = desk.order(buy("AAPL.US", 200, ord_type=OrdType.LIMIT, price="10"))
    assert order.reserved == 1000
    cover = nameless(60, symbol="AAPL.US")
    desk.give(cover)
    rest = an_execution(order.cl_ord_id, "AAPL.US", Side.BUY, 40, "10", "e2", order_id=OrderID("17"))
    if bound_by == "the acknowledgement":
        desk.ack(order, "17")
        desk.give(rest)
    elif bound_by == "a fill that names both":
        desk.give(rest)
    else:
        desk.wait(30)
        line = their_order(
            order.cl_ord_id,
            "AAPL.US",
            Side.BUY,
            200,
            OrdStatus.PARTIALLY_FILLED,
            cum_qty=Qty(Decimal(100)),
            order_id=OrderID("17"),
            price=Px(Decimal(10)),
        )
        desk.give(a_snapshot(cash=2000, as_of=desk.now, orders=(line,), executions=(cover, rest)))
    now = desk.known(order.cl_ord_id)
    assert (now.cum_qty, now.leaves_qty) == (Decimal(100), Decimal(100))
    assert now.reserved == 1000
    assert desk.state.accounts[ACCOUNT].cash[Currency("CNY")].free == 1000
