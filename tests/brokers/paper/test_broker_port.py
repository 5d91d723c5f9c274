"""The paper broker behind the broker port: session, reports, snapshot, and every fault on demand."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.brokers.paper.made import ACME, ManualClock, Session, approved, at, connected, quote, stock, turns

from tradeloop.brokers.paper import Fault, FaultConfig, PaperBroker, PaperConfig, Scripted
from tradeloop.core.errors import BadInput, FateUnknown, NotSent
from tradeloop.core.reports import BrokerUp, CancelAck, Execution, ExecutionBust, OrderAck
from tradeloop.core.types import ClOrdID, OrdStatus, Px, Qty, Side
from tradeloop.ports.broker import Broker


def once(fault: Fault, nth: int = 1) -> FaultConfig:
    return FaultConfig(script=(Scripted(fault, nth),))


def names(session: Session) -> list[str]:
    """Reports after BrokerUp."""
    return session.words()[1:]


def test_it_is_a_broker() -> None:
    broker: Broker = PaperBroker(PaperConfig(), ManualClock())
    assert broker.name == "paper"


async def test_the_first_report_is_broker_up_and_an_order_is_acked_then_filled() -> None:
    session = await connected()
    await session.broker.place(approved("a1"))
    assert session.words() == ["BrokerUp", "OrderAck", "Execution"]
    assert session.executions()[0].cl_ord_id == "a1"


async def test_an_order_in_flight_reaches_the_market_when_the_clock_says_so() -> None:
    session = await connected(PaperConfig(latency_ns=20_000_000))
    await session.broker.place(approved("a1"))
    assert names(session) == ["OrderAck"]
    await session.clock.move_to(at(0.019))
    assert names(session) == ["OrderAck"]
    await session.clock.move_to(at(0.021))
    assert names(session) == ["OrderAck", "Execution"]
    assert session.executions()[0].transact_at == at(0.020)
    await session.broker.close()


async def test_nothing_is_sent_before_connect_after_close_or_while_disconnected() -> None:
    broker = PaperBroker(PaperConfig(), ManualClock())
    with pytest.raises(NotSent, match="never opened"):
        await broker.place(approved("a1"))
    session = await connected()
    session.broker.disconnect("cable cut")
    with pytest.raises(NotSent, match="cable cut"):
        await session.broker.place(approved("a1"))
    with pytest.raises(NotSent):
        await session.broker.cancel(ClOrdID("a1"), None, ACME)
    with pytest.raises(NotSent):
        await session.broker.snapshot()
    await session.broker.close()
    await session.broker.close()
    with pytest.raises(NotSent, match="closed"):
        await session.broker.place(approved("a1"))


async def test_fills_missed_while_disconnected_are_in_the_snapshot_and_not_in_the_stream() -> None:
    session = await connected()
    await session.broker.place(approved("a1", price="9.99"))
    session.broker.disconnect()
    session.broker.on_quote(quote(1, "9.97", "9.98"))
    session.broker.reconnect()
    assert names(session) == ["OrderAck", "BrokerDown", "BrokerUp"]
    snapshot = await session.broker.snapshot()
    assert snapshot.executions is not None
    assert [e.cl_ord_id for e in snapshot.executions] == ["a1"]


async def test_the_snapshot_shows_orders_positions_and_cash_as_the_reports_told_them() -> None:
    session = await connected()
    broker = session.broker
    await broker.place(approved("a1"))
    await broker.place(approved("a2", price="9.00"))
    await broker.place(approved("a3", Side.SELL, 500))
    snapshot = await broker.snapshot()
    assert snapshot.orders_complete
    assert [(o.cl_ord_id, o.ord_status) for o in snapshot.orders or ()] == [
        ("a1", OrdStatus.FILLED),
        ("a2", OrdStatus.NEW),
        ("a3", OrdStatus.REJECTED),
    ]
    assert snapshot.executions == tuple(session.executions())
    ((position,), (cash,)) = (snapshot.positions or (), snapshot.cash or ())
    assert (position.long_qty, position.long_sellable, position.cost) == (Decimal(100), Decimal(100), Decimal(1001))
    assert (cash.balance, cash.available) == (Decimal(998_999), Decimal(998_099))
    assert snapshot.trading_day == "2026-07-17"


async def test_executions_can_be_asked_for_since_a_time() -> None:
    session = await connected()
    await session.broker.place(approved("a1"))
    await session.clock.move_to(at(10))
    await session.broker.place(approved("a2"))
    snapshot = await session.broker.snapshot(at(5))
    assert [e.cl_ord_id for e in snapshot.executions or ()] == ["a2"]
    assert snapshot.executions_since == at(5)


async def test_executions_of_the_previous_trading_day_stay_in_the_snapshot_and_older_ones_leave() -> None:
    session = await connected()
    await session.broker.place(approved("a1"))
    for day, count in ((1, 1), (2, 0)):
        await session.clock.move_to(at(day * 86_400))
        snapshot = await session.broker.snapshot()
        assert len(snapshot.executions or ()) == count


async def test_a_dropped_ack_leaves_the_order_working() -> None:
    session = await connected(faults=once(Fault.DROP_ACK))
    await session.broker.place(approved("a1", price="9.00"))
    assert names(session) == []
    snapshot = await session.broker.snapshot()
    assert [o.cl_ord_id for o in snapshot.orders or ()] == ["a1"]


async def test_a_lost_execution_is_in_the_snapshot_alone() -> None:
    session = await connected(faults=once(Fault.LOSE_EXECUTION))
    await session.broker.place(approved("a1"))
    assert names(session) == ["OrderAck"]
    assert len((await session.broker.snapshot()).executions or ()) == 1


async def test_a_duplicated_report_comes_twice_with_the_same_exec_id() -> None:
    session = await connected(faults=once(Fault.DUPLICATE_REPORT, 2))
    await session.broker.place(approved("a1"))
    assert names(session) == ["OrderAck", "Execution", "Execution"]
    first, second = session.executions()
    assert first == second


async def test_a_delayed_ack_is_overtaken_by_the_fill() -> None:
    session = await connected(faults=once(Fault.DELAY_REPORT))
    await session.broker.place(approved("a1"))
    assert names(session) == ["Execution"]
    await session.clock.move_to(at(0.5))
    assert names(session) == ["Execution", "OrderAck"]


async def test_reordered_reports_are_swapped() -> None:
    session = await connected(faults=once(Fault.REORDER_REPORT))
    await session.broker.place(approved("a1"))
    assert names(session) == ["Execution", "OrderAck"]
    await session.broker.close()


async def test_a_lost_request_is_of_unknown_fate_and_never_arrives() -> None:
    session = await connected(faults=once(Fault.REQUEST_LOST))
    with pytest.raises(FateUnknown):
        await session.broker.place(approved("a1"))
    assert not (await session.broker.snapshot()).orders


async def test_a_lost_reply_is_of_unknown_fate_though_the_order_was_taken() -> None:
    """F16, F18."""
    session = await connected(faults=once(Fault.REPLY_LOST))
    with pytest.raises(FateUnknown):
        await session.broker.place(approved("a1"))
    assert len((await session.broker.snapshot()).orders or ()) == 1


async def test_a_late_request_arrives_after_the_engine_gave_up_and_within_the_declared_lifetime() -> None:
    """F4."""
    session = await connected(faults=once(Fault.REQUEST_LATE))
    with pytest.raises(FateUnknown):
        await session.broker.place(approved("a1"))
    assert not (await session.broker.snapshot()).orders
    await session.clock.move_to(at(1))
    assert names(session) == ["OrderAck", "Execution"]


async def test_a_disconnect_is_not_sent_and_heals_by_itself() -> None:
    session = await connected(faults=once(Fault.DISCONNECT))
    with pytest.raises(NotSent, match="reset by the broker"):
        await session.broker.place(approved("a1"))
    await session.clock.move_to(at(2))
    assert names(session) == ["BrokerDown", "BrokerUp"]
    await session.broker.place(approved("a1"))
    assert names(session)[2:] == ["OrderAck", "Execution"]


async def test_a_bust_follows_its_fill() -> None:
    session = await connected(faults=once(Fault.BUST_FILL))
    await session.broker.place(approved("a1"))
    await session.clock.move_to(at(1))
    assert isinstance(session.reports[-1], ExecutionBust)
    assert not (await session.broker.snapshot()).executions


async def test_an_unasked_cancel_follows_its_ack() -> None:
    session = await connected(faults=once(Fault.CANCEL_UNASKED))
    await session.broker.place(approved("a1", price="9.00"))
    await session.clock.move_to(at(1))
    assert isinstance(session.reports[-1], CancelAck)


async def test_an_order_by_hand_shows_as_an_execution_without_our_id() -> None:
    """F77."""
    session = await connected()
    session.broker.act_by_hand(ACME, Side.BUY, Qty(Decimal(5)))
    (execution,) = session.executions()
    assert (execution.cl_ord_id, execution.last_qty) == (None, Decimal(5))
    snapshot = await session.broker.snapshot()
    assert [o.cl_ord_id for o in snapshot.orders or ()] == [None]


async def test_a_fill_can_be_redelivered_busted_and_corrected_by_hand() -> None:
    session = await connected()
    await session.broker.place(approved("a1"))
    exec_id = session.executions()[0].exec_id
    session.broker.redeliver(exec_id)
    session.broker.correct(exec_id, Qty(Decimal(90)), Px(Decimal("10.02")))
    session.broker.bust(exec_id)
    assert names(session) == ["OrderAck", "Execution", "Execution", "ExecutionCorrect", "ExecutionBust"]


async def test_a_cancel_by_either_id_is_acknowledged() -> None:
    session = await connected()
    await session.broker.place(approved("a1", price="9.00"))
    await session.broker.place(approved("a2", price="9.00"))
    acks = [r for r in session.reports if isinstance(r, OrderAck)]
    await session.broker.cancel(ClOrdID("a1"), None, ACME)
    await session.broker.cancel(ClOrdID("forgotten"), acks[1].order_id, ACME)
    assert [r.cl_ord_id for r in session.reports if isinstance(r, CancelAck)] == ["a1", "a2"]


async def test_close_leaves_no_timer_behind() -> None:
    session = await connected(PaperConfig(latency_ns=10**9))
    await session.broker.place(approved("a1"))
    await session.broker.close()
    await session.clock.move_to(at(10))
    assert names(session) == ["OrderAck"]


async def test_a_seed_gives_the_same_faults_and_another_seed_gives_others() -> None:
    async def heard(seed: int) -> list[str]:
        rates = tuple((fault, 0.2) for fault in (Fault.DROP_ACK, Fault.DUPLICATE_REPORT, Fault.LOSE_EXECUTION))
        session = await connected(faults=FaultConfig(rates=rates, seed=seed))
        for n in range(40):
            await session.broker.place(approved(f"a{n}", size=1))
        await turns()
        return session.words()

    assert await heard(7) == await heard(7)
    assert await heard(7) != await heard(8)


async def test_a_second_session_hears_broker_up_first_again() -> None:
    session = await connected()
    await session.broker.close()
    heard: list[object] = []
    await session.broker.connect(heard.append)
    assert heard == [BrokerUp("paper")]


def test_faults_that_could_not_mean_anything_are_refused() -> None:
    with pytest.raises(BadInput, match="count from 1"):
        once(Fault.DROP_ACK, 0)
    with pytest.raises(BadInput, match="probability"):
        FaultConfig(rates=((Fault.DROP_ACK, 1.5),))
    with pytest.raises(BadInput, match="one second"):
        FaultConfig(late_ns=2_000_000_000)


@pytest.mark.parametrize(
    "settings",
    [{"latency_ns": -1}, {"bar_participation": Decimal(0)}, {"assumed_size": Decimal(0)}, {"cash": (("USD", Decimal(-1)),)}],
)
def test_settings_that_could_not_mean_anything_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(BadInput):
        PaperConfig(**settings)  # type: ignore[arg-type]


async def test_the_same_inputs_give_the_same_reports() -> None:
    async def heard() -> list[object]:
        session = await connected()
        session.broker.list_instruments([stock(fee_per_share="0.01")])
        for n in range(20):
            session.broker.on_quote(quote(n, "10.00", f"10.0{n % 4 + 1}", ask_size=37 * n))
            await session.clock.move_to(at(n))
            await session.broker.place(approved(f"a{n}", size=50 + n, price="10.02"))
        assert any(isinstance(r, Execution) for r in session.reports)
        return list(session.reports)

    assert await heard() == await heard()
