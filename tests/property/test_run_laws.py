"""What holds for every run, whatever the market and the broker do: money, identity, and an end."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.core.runs_made import a_run, prices
from tests.property.run_moves import CNY, LISTED, SYMBOLS, act, check_the_books_after_every_event, their_books

from tradeloop.core.commands import OpenTradingDay, ResumeRun
from tradeloop.core.events import (
    BreakChanged,
    BreakClosed,
    BreakFound,
    OrderStaged,
    RunCreated,
    RunEnded,
    SendBegun,
    SendFailed,
    Traded,
)
from tradeloop.core.evolve import evolve
from tradeloop.core.order import Order
from tradeloop.core.reports import CancelAck
from tradeloop.core.run.conduct import ENDED
from tradeloop.core.state import State
from tradeloop.core.types import SECOND_NS, RunStatus, Side, Symbol, TradingDay, UtcNs
from tradeloop.testing.builders import ACCOUNT, BROKER, a_quote, a_snapshot, an_execution
from tradeloop.testing.desk import Desk

CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=120)

weights = st.lists(st.integers(0, 5), min_size=4, max_size=4).filter(lambda w: sum(w) <= 10)
holdings = st.lists(st.integers(0, 20), min_size=4, max_size=4)
acts = st.lists(
    st.tuples(
        st.sampled_from(["ack", "fill", "part", "cancel", "reject", "not_sent", "unknown", "quote", "steer"]), st.integers(0, 9)
    ),
    max_size=60,
)


def begun(weight: list[int], held: list[int], cash: int) -> Desk:
    desk = Desk()
    desk.opened(*LISTED, cash=cash, positions={s: n * 100 for s, n in zip(SYMBOLS, held, strict=True) if n})
    desk.give(a_run({s: Decimal(w) / 10 for s, w in zip(SYMBOLS, weight, strict=True)}, prices=prices(px=10)))
    return desk


@CALM
@given(weights, holdings, st.integers(0, 30_000), acts)
def test_free_cash_is_never_negative_at_any_event(
    weight: list[int], held: list[int], cash: int, moves: list[tuple[str, int]]
) -> None:
    """Issue 2, done when; invariants 23 and 25."""
    desk = begun(weight, held, cash)
    for number, (what, pick) in enumerate(moves):
        act(desk, what, pick, number)
    check_the_books_after_every_event(desk)


@CALM
@given(weights, holdings, st.integers(0, 30_000), acts)
def test_a_leg_is_ordered_once_and_an_order_is_sent_once_for_each_time_it_surely_was_not(
    weight: list[int], held: list[int], cash: int, moves: list[tuple[str, int]]
) -> None:
    """S0-65, D7, invariants 1 and 30."""
    desk = begun(weight, held, cash)
    for number, (what, pick) in enumerate(moves):
        act(desk, what, pick, number)

    legs = [(event.run_id, event.leg) for event in desk.of(OrderStaged)]
    assert len(legs) == len(set(legs))
    sends = Counter(event.cl_ord_id for event in desk.of(SendBegun))
    failed = Counter(event.cl_ord_id for event in desk.of(SendFailed))
    assert all(count <= failed[cl_ord_id] + 1 for cl_ord_id, count in sends.items())
    planned = {line.leg: line for event in desk.of(RunCreated) for line in event.lines}
    for staged in desk.of(OrderStaged):
        line = planned[staged.leg]
        assert (staged.symbol, staged.side) == (line.symbol, line.side)
        assert staged.order_qty <= line.order_qty


@CALM
@given(weights, holdings, st.integers(0, 30_000), acts)
def test_a_run_whose_orders_have_all_ended_has_ended(
    weight: list[int], held: list[int], cash: int, moves: list[tuple[str, int]]
) -> None:
    """Invariant 42: nothing would ever wake it again."""
    desk = begun(weight, held, cash)
    for number, (what, pick) in enumerate(moves):
        act(desk, what, pick, number)
    for run_id, run in list(desk.state.runs.items()):
        if run.status is RunStatus.PAUSED:
            desk.give(ResumeRun(run_id, "tester"))
    for _ in range(50):
        for number, order in enumerate(list(desk.state.orders.open.values())):
            if order.send_begun_at is None:
                desk.give(CancelAck(BROKER, order.cl_ord_id, cum_qty=order.cum_qty))
            else:
                act_fill(desk, order, f"end-{order.cl_ord_id}-{number}")

    for run in desk.state.runs.values():
        assert run.status in ENDED, run
        assert len([event for event in desk.of(RunEnded) if event.run_id == run.created.run_id]) == 1


def act_fill(desk: Desk, order: Order, exec_id: str) -> None:
    px = "9.50" if order.side is Side.SELL else "9.40"
    desk.give(an_execution(order.cl_ord_id, order.symbol, order.side, order.leaves_qty, px, exec_id, commission=None))


@CALM
@given(weights, holdings, st.integers(0, 30_000), acts)
def test_the_events_of_a_run_fold_to_the_same_state_however_often(
    weight: list[int], held: list[int], cash: int, moves: list[tuple[str, int]]
) -> None:
    """Invariant 32: replay and snapshot agree with what was lived."""
    desk = begun(weight, held, cash)
    for number, (what, pick) in enumerate(moves):
        act(desk, what, pick, number)
    again = State()
    for event in desk.events:
        evolve(again, event)
    assert again.hash() == desk.state.hash() == State.unpack(desk.state.pack()).hash()


@CALM
@given(weights, holdings, st.integers(0, 30_000), acts)
def test_asking_for_the_same_run_again_at_any_moment_changes_nothing(
    weight: list[int], held: list[int], cash: int, moves: list[tuple[str, int]]
) -> None:
    """S0-46, S0-60, S0-65."""
    desk = begun(weight, held, cash)
    for number, (what, pick) in enumerate(moves):
        act(desk, what, pick, number)
    if not desk.of(RunCreated):
        return
    before = len(desk.events)
    desk.give(a_run({s: Decimal(w) / 10 for s, w in zip(SYMBOLS, weight, strict=True)}, prices=prices(px=10)))
    assert len(desk.events) == before


@CALM
@given(weights, holdings, st.integers(0, 30_000), acts, acts)
def test_no_new_order_of_a_run_is_made_on_another_day_than_its_own(
    weight: list[int], held: list[int], cash: int, moves: list[tuple[str, int]], later: list[tuple[str, int]]
) -> None:
    """S0-46, S1-41: whatever comes late."""
    desk = begun(weight, held, cash)
    for number, (what, pick) in enumerate(moves):
        act(desk, what, pick, number)
    staged = len(desk.of(OrderStaged))
    desk.wait(3 * 24 * 3600)
    end = UtcNs(desk.now + 3600 * SECOND_NS)
    desk.give(OpenTradingDay("CN_A", TradingDay("2026-07-20"), ((desk.now, end),)))
    for symbol in SYMBOLS:
        desk.give(a_quote(symbol, at=desk.now))

    for number, (what, pick) in enumerate(later):
        if what not in ("steer", "quote"):
            act(desk, what, pick, len(moves) + number)
        desk.give(a_snapshot(as_of=desk.now, **their_books(desk, [0, 0, 0, 0], 0)))  # type: ignore[arg-type]

    assert len(desk.of(OrderStaged)) == staged


# --- reconciliation


@CALM
@given(weights, holdings, acts, st.lists(st.integers(-3, 3), min_size=4, max_size=4), st.integers(-500, 500))
def test_the_same_books_twice_make_no_event_the_second_time(
    weight: list[int], held: list[int], moves: list[tuple[str, int]], drift: list[int], cash_drift: int
) -> None:
    """Invariant 37."""
    desk = begun(weight, held, 20_000)
    for number, (what, pick) in enumerate(moves):
        act(desk, what, pick, number)
    desk.wait(1)
    books = a_snapshot(as_of=desk.now, **their_books(desk, drift, cash_drift))  # type: ignore[arg-type]
    desk.give(books)
    settled = a_snapshot(as_of=desk.now + 1, **their_books(desk, [0, 0, 0, 0], 0))  # type: ignore[arg-type]
    shown = msgspec.structs.replace(settled, positions=books.positions, cash=books.cash)
    desk.give(shown)
    events = len(desk.events)

    desk.give(msgspec.structs.replace(shown, as_of=desk.now + 2))

    assert [event for event in desk.events[events:] if type(event) in (BreakFound, BreakChanged, BreakClosed)] == []
    assert len(desk.events) == events


@CALM
@given(weights, holdings, acts)
def test_books_that_agree_are_no_break(weight: list[int], held: list[int], moves: list[tuple[str, int]]) -> None:
    """Invariant 36."""
    desk = begun(weight, held, 20_000)
    for number, (what, pick) in enumerate(moves):
        act(desk, what, pick, number)
    desk.wait(30)
    desk.give(a_snapshot(as_of=desk.now, **their_books(desk, [0, 0, 0, 0], 0)))  # type: ignore[arg-type]
    assert not desk.state.breaks
    assert not desk.state.unknown


@CALM
@given(weights, holdings, acts)
def test_money_and_shares_are_what_the_fills_moved(weight: list[int], held: list[int], moves: list[tuple[str, int]]) -> None:
    """Invariants 8, 12 and 21: quantities move by fills alone, each once."""
    desk = begun(weight, held, 20_000)
    for number, (what, pick) in enumerate(moves):
        act(desk, what, pick, number)
    cash = Decimal(20_000)
    shares = {symbol: Decimal(100 * n) for symbol, n in zip(SYMBOLS, held, strict=True)}
    for fill in desk.of(Traded):
        sign = 1 if fill.side is Side.BUY else -1
        shares[fill.symbol] += sign * fill.last_qty
        cash -= sign * fill.last_qty * fill.last_px + fill.fee
    assert desk.state.accounts[ACCOUNT].cash[CNY].balance == cash
    assert {s: desk.state.held(ACCOUNT, Symbol(s)).long_qty for s in SYMBOLS} == shares
    assert all(run.status is not RunStatus.NEW for run in desk.state.runs.values())
