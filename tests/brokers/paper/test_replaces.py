"""Other terms at the paper broker: what it takes, what it refuses, and what becomes of the place in the queue."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from tests.brokers.paper.made import (
    MAOTAI,
    NEXT_DAY,
    T0,
    Bench,
    ManualClock,
    Session,
    approved,
    ashare,
    at,
    bar,
    connected,
    px,
    qty,
    quote,
    stock,
    turns,
)

from tradeloop.brokers.paper import Fault, FaultConfig, PaperBroker, PaperConfig, Scripted, interventions
from tradeloop.brokers.paper.records import PaperOrder
from tradeloop.core.errors import FateUnknown, Refused
from tradeloop.core.replacement import Replacement
from tradeloop.core.reports import CancelAck, CancelReject, Execution, OrderRestate, ReplaceAck, ReplaceReject
from tradeloop.core.risk.approved import Approved
from tradeloop.core.types import SECOND_NS, AccountID, ClOrdID, OrdStatus, OrdType, PositionEffect, Qty, Side, UtcNs


def facts(*values: object) -> tuple[object, ...]:
    """Figures of several kinds, to be compared at once."""
    return values


def change(bench: Bench, order: PaperOrder, size: int, price: str | None, seconds: float = 1, number: int = 1) -> None:
    assert order.cl_ord_id is not None
    bench.matching.replace(order.cl_ord_id, None, number, qty(size), px(price), at(seconds))  # type: ignore[arg-type]


def answers(bench: Bench) -> list[object]:
    """What was said of replaces since the last call: quantity and price, or the code of a refusal."""
    told: list[object] = []
    for report in bench.heard():
        if isinstance(report, ReplaceAck):
            told.append((str(report.order_qty), str(report.price)))
        elif isinstance(report, ReplaceReject):
            told.append(report.code)
    return told


def quiet(price: str = "9.90", size: int = 300, cash: int = 10_000_000) -> tuple[Bench, PaperOrder]:
    """A buy that rests below the market."""
    bench = Bench(stock(), cash=cash)
    bench.quote(quote(0, "10.00", "10.01"))
    order = bench.buy(size, price)
    bench.heard()
    return bench, order


def test_quantity_and_price_change_together_and_the_cash_follows() -> None:
    bench, order = quiet()
    change(bench, order, 500, "9.80")
    assert answers(bench) == [("500", "9.80")]
    assert bench.available() == 10_000_000 - 4_900


def test_another_price_meets_the_standing_quote_like_a_new_order() -> None:
    bench, order = quiet()
    change(bench, order, 300, "10.01")
    assert [type(report) for report in bench.heard()] == [ReplaceAck, Execution]
    assert order.ord_status is OrdStatus.FILLED


@pytest.mark.parametrize(
    ("asked", "first"),
    [([(200, "9.90")], "changed"), ([(400, "9.90")], "other"), ([(300, "9.91"), (300, "9.90")], "other")],
    ids=["less keeps the place", "more loses it", "another price loses it"],
)
def test_the_place_in_the_queue_is_kept_only_by_asking_for_less(asked: list[tuple[int, str]], first: str) -> None:
    bench, order = quiet()
    other = bench.buy(300, "9.90")
    for number, (size, price) in enumerate(asked, start=1):
        change(bench, order, size, price, number=number)
    bench.quote(quote(2, "9.80", "9.90", ask_size=100))
    took = {"changed": order.cum_qty, "other": other.cum_qty}
    assert took == {"changed": 100 if first == "changed" else 0, "other": 100 if first == "other" else 0}


def test_a_quantity_at_what_has_filled_or_below_fills_the_order() -> None:
    """FIX C.3.b and C.3.c."""
    for wanted in (100, 40):
        bench, order = quiet()
        bench.quote(quote(1, "9.80", "9.90", ask_size=100))
        bench.heard()
        change(bench, order, wanted, "9.90", seconds=2)
        assert answers(bench) == [("100", "9.90")]
        assert facts(order.ord_status, order.leaves_qty) == (OrdStatus.FILLED, 0)
        assert bench.available() == bench.cash()


@pytest.mark.parametrize(
    ("size", "price", "code"),
    [
        (300, "9.905", "PRICE_OFF_TICK"),
        (300, None, "PRICE_REQUIRED"),
        (90_000_000, "9.90", "INSUFFICIENT_CASH"),
    ],
)
def test_what_a_new_order_may_not_ask_for_a_change_may_not_either(size: int, price: str | None, code: str) -> None:
    bench, order = quiet()
    before = bench.available()
    change(bench, order, size, price)
    assert answers(bench) == [code]
    assert facts(order.order_qty, order.price, bench.available()) == (300, Decimal("9.90"), before)


def test_what_the_order_holds_already_counts_for_its_change() -> None:
    bench, order = quiet(size=1000, cash=10_000)
    change(bench, order, 1010, "9.90")
    assert answers(bench) == [("1010", "9.90")]


def test_lots_limits_and_the_largest_order_hold_for_changes() -> None:
    """R20 to R25."""
    bench = Bench(ashare(), cash=100_000_000)
    bench.quote(quote(0, "1500.00", "1500.10", symbol=MAOTAI, prev_close="1500.00"))
    order = bench.buy(200, "1490.00", symbol=MAOTAI)
    bench.heard()
    for number, (size, price) in enumerate([(250, "1490.00"), (200, "1700.00"), (2_000_000, "1490.00")], start=1):
        change(bench, order, size, price, number=number)
    assert answers(bench) == ["ILLEGAL_QTY", "PRICE_OUTSIDE_LIMITS", "QTY_ABOVE_MAXIMUM"]


def test_a_sell_grows_by_what_may_be_sold_today_and_no_more() -> None:
    """R27: what was bought today is not sold today."""
    bench = Bench(ashare(), cash=100_000_000)
    bench.quote(quote(0, "10.00", "10.01", symbol=MAOTAI, prev_close="10.00"))
    bench.buy(300, symbol=MAOTAI)
    bench.matching.open_day("cn", NEXT_DAY, ((T0, at(90_000)),), at(80_000))
    bench.quote(quote(80_001, "10.00", "10.01", symbol=MAOTAI, prev_close="10.00"))
    bench.buy(100, symbol=MAOTAI, seconds=80_002)
    order = bench.sell(200, "10.50", symbol=MAOTAI, seconds=80_003)
    bench.heard()
    change(bench, order, 400, "10.50", seconds=80_004)
    change(bench, order, 300, "10.50", seconds=80_004, number=2)
    assert answers(bench) == ["INSUFFICIENT_POSITION", ("300", "10.50")]


def test_two_sells_never_close_the_same_shares_through_a_change() -> None:
    bench = Bench(stock())
    bench.quote(quote(0, "10.00", "10.01"))
    bench.buy(300)
    first = bench.sell(100, "11.00")
    bench.sell(150, "11.00")
    bench.heard()
    change(bench, first, 200, "11.00")
    change(bench, first, 150, "11.00", number=2)
    assert answers(bench) == ["INSUFFICIENT_POSITION", ("150", "11.00")]


def test_an_order_that_ended_is_not_changed() -> None:
    bench, order = quiet(price="10.01")
    change(bench, order, 500, "10.01")
    assert answers(bench) == ["TOO_LATE_TO_REPLACE"]


def test_an_order_nobody_knows_is_not_changed() -> None:
    bench, _ = quiet()
    bench.matching.replace(ClOrdID("nobody"), None, 1, qty(1), px("9.00"), at(1))  # type: ignore[arg-type]
    assert answers(bench) == ["UNKNOWN_ORDER"]


def test_the_same_request_again_is_told_how_it_ended_and_changes_nothing() -> None:
    bench, order = quiet()
    change(bench, order, 500, "9.90")
    change(bench, order, 500, "9.90", seconds=2)
    assert answers(bench) == [("500", "9.90")] * 2
    assert order.live_at == at(1)


def slow() -> tuple[Bench, PaperOrder]:
    """Everything takes a second to the market."""
    bench = Bench(stock(), latency_ns=SECOND_NS)
    bench.quote(quote(0, "10.00", "10.01"))
    order = bench.buy(300, "9.90", seconds=0)
    bench.matching.advance(at(1))
    bench.heard()
    return bench, order


def test_a_change_takes_its_time_and_fills_may_come_first() -> None:
    """FIX C.2.a: it filled while the change was on its way."""
    bench, order = slow()
    change(bench, order, 500, "9.90", seconds=2)
    bench.quote(quote(2.5, "9.80", "9.90"))
    bench.matching.advance(at(3))
    assert [type(report) for report in bench.heard()] == [Execution, ReplaceReject]


def test_one_change_at_a_time() -> None:
    """FIX D.2.d."""
    bench, order = slow()
    change(bench, order, 500, "9.90", seconds=2)
    change(bench, order, 600, "9.90", seconds=2.5, number=2)
    bench.matching.advance(at(4))
    assert answers(bench) == ["REPLACE_PENDING", ("500", "9.90")]


def test_of_a_change_and_a_cancel_the_earlier_one_comes_first() -> None:
    bench, order = slow()
    change(bench, order, 500, "9.90", seconds=2)
    bench.matching.cancel(ClOrdID("c1"), None, at(2.2))
    bench.matching.advance(at(5))
    assert [type(report) for report in bench.heard()] == [ReplaceAck, CancelAck]
    other = bench.buy(300, "9.90", seconds=6)
    bench.matching.advance(at(7))
    bench.heard()
    bench.matching.cancel(ClOrdID("c2"), None, at(8))
    change(bench, other, 500, "9.90", seconds=8.2)
    bench.matching.advance(at(10))
    assert [type(report) for report in bench.heard()] == [CancelAck, ReplaceReject]


def test_a_cancel_of_what_a_change_has_ended_comes_too_late() -> None:
    bench, order = slow()
    bench.quote(quote(1.5, "9.80", "9.90", ask_size=100))
    bench.quote(quote(1.6, "9.95", "9.96"))
    change(bench, order, 100, "9.90", seconds=2)
    bench.matching.cancel(ClOrdID("c1"), None, at(2.2))
    bench.heard()
    bench.matching.advance(at(5))
    assert [type(report) for report in bench.heard()] == [ReplaceAck, CancelReject]


def test_a_changed_order_fills_on_bars_after_its_change_only() -> None:
    bench = Bench(stock())
    bench.quote(bar(60, "10.00", 10_000))
    order = bench.buy(300, "9.00", seconds=61)
    change(bench, order, 300, "10.00", seconds=120)
    bench.quote(bar(120, "10.00", 10_000))
    assert order.cum_qty == 0
    bench.quote(bar(180, "10.00", 10_000))
    assert order.cum_qty == 300


def test_the_broker_may_change_an_order_by_itself() -> None:
    """FIX E.1.d."""
    bench, order = quiet()
    interventions.restate(bench.matching, order.order_id, qty(200), px("9.90"), "self-trade prevention", at(1))  # type: ignore[arg-type]
    restated = bench.heard()[0]
    assert isinstance(restated, OrderRestate)
    assert facts(restated.order_qty, restated.text, order.order_qty) == (200, "self-trade prevention", 200)
    with pytest.raises(Refused, match="PRICE_OFF_TICK"):
        interventions.restate(bench.matching, order.order_id, qty(200), px("9.905"), "no", at(1))  # type: ignore[arg-type]


# --- through the port


def asked(cl_ord_id: str, size: int, price: str, number: int = 1) -> Approved[Replacement]:
    """A replace as the engine's dispatch hands it over."""
    terms = Replacement(
        "paper", AccountID("paper"), ClOrdID(cl_ord_id), None, stock().symbol, Side.BUY, OrdType.LIMIT, PositionEffect.AUTO,
        number, Qty(Decimal(size)), px(price), None,
    )  # fmt: skip
    return Approved(terms, "1")


async def test_a_replace_is_answered_by_a_report_and_the_books_show_the_new_terms() -> None:
    session = await connected()
    await session.broker.place(approved("a", size=100, price="9.00"))
    await session.broker.replace(asked("a", 200, "9.10"))
    assert session.words()[1:] == ["OrderAck", "ReplaceAck"]
    (shown,) = (await session.broker.snapshot()).orders or ()
    assert facts(shown.order_qty, shown.price) == (200, Decimal("9.10"))
    await session.broker.close()


@pytest.mark.parametrize("fault", [Fault.REQUEST_LOST, Fault.REPLY_LOST, Fault.REQUEST_LATE])
async def test_a_replace_whose_fate_is_unknown_shows_in_the_books(fault: Fault) -> None:
    session = await connected(faults=FaultConfig(script=(Scripted(fault, 2),)))
    await session.broker.place(approved("a", size=100, price="9.00"))
    with pytest.raises(FateUnknown):
        await session.broker.replace(asked("a", 200, "9.10"))
    await session.clock.move_to(UtcNs(session.clock.now() + 60 * SECOND_NS))
    (shown,) = (await session.broker.snapshot()).orders or ()
    assert shown.order_qty == (100 if fault is Fault.REQUEST_LOST else 200)
    await session.broker.close()


async def test_a_change_under_way_survives_the_process(tmp_path: Path) -> None:
    path = tmp_path / "paper.db"
    clock = ManualClock()
    broker = PaperBroker(PaperConfig(path=path, latency_ns=SECOND_NS), clock)
    broker.list_instruments([stock()])
    first = Session(broker, clock)
    await broker.connect(first.reports.append)
    await broker.place(approved("a", size=100, price="9.00"))
    await clock.move_to(at(2))
    await broker.replace(asked("a", 200, "9.10"))
    assert "ReplaceAck" not in first.words()
    await broker.close()

    again = Session(PaperBroker(PaperConfig(path=path, latency_ns=SECOND_NS), clock), clock)
    await again.broker.connect(again.reports.append)
    await clock.move_to(at(4))
    await turns()
    assert again.words() == ["BrokerUp", "ReplaceAck"]
    await again.broker.close()
