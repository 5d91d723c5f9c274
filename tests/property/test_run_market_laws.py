"""The money and the lots of a run under the rules of real boards, all at once: laws over any answers of the broker.

A main board in lots of 100 whose orders are cut at 300, STAR from 200 in single shares, Hong Kong in lots of 500, a share whose
odd lots nobody takes; T+1, a least commission for each order, and a tax on sells.
"""

from __future__ import annotations

from decimal import Decimal

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.core.runs_made import A, B, C, D, a_run, prices
from tests.property.run_moves import SYMBOLS, act, check_the_books_after_every_event

from tradeloop.core.events import OrderStaged, RunCreated
from tradeloop.core.evolve import evolve
from tradeloop.core.instrument import AssetClass, FeeLine, FeeSchedule
from tradeloop.core.run.conduct import ENDED
from tradeloop.core.state import State
from tradeloop.core.types import Side, Symbol
from tradeloop.testing.builders import ACCOUNT, a_quote, an_execution, an_instrument
from tradeloop.testing.desk import Desk

CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=120)

FEES = FeeSchedule(
    (
        FeeLine("commission", rate=Decimal("0.0003"), minimum=Decimal(5)),
        FeeLine("transfer", rate=Decimal("0.00001")),
        FeeLine("stamp", rate=Decimal("0.0005"), side=Side.SELL),
        FeeLine("per_share", per_unit=Decimal("0.0037"), maximum_rate=Decimal("0.01")),
    )
)
BOARDS = (
    an_instrument(A, fees=FEES, settles_t1=True, max_qty_market=300),
    an_instrument(B, fees=FEES, settles_t1=True, lot=1, min_qty=200, max_qty_market=100_000),
    an_instrument(C, fees=FEES, lot=500, min_qty=500),
    an_instrument(D, fees=FEES, odd_lot_sell=False),
)

weights = st.lists(st.integers(0, 50), min_size=4, max_size=4).filter(lambda w: sum(w) <= 100)
holdings = st.lists(st.integers(0, 2_500), min_size=4, max_size=4)
moves = st.lists(
    st.tuples(
        st.sampled_from(["ack", "fill", "fill", "part", "part", "cancel", "reject", "unknown", "quote"]), st.integers(0, 9)
    ),
    min_size=5,
    max_size=60,
)


def lived(weight: list[int], held: list[int], cash: int, sequence: list[tuple[str, int]]) -> Desk:
    desk = Desk().opened(*BOARDS, cash=cash, positions={s: n for s, n in zip(SYMBOLS, held, strict=True) if n})
    desk.give(a_run({s: Decimal(w) / 100 for s, w in zip(SYMBOLS, weight, strict=True)}, prices=prices(px=10)))
    for number, (what, pick) in enumerate(sequence):
        act(desk, what, pick, number)
    for number in range(60):
        desk.wait(30)
        desk.give(*(a_quote(symbol, at=desk.now) for symbol in SYMBOLS))
        for order in list(desk.state.orders.open.values()):
            px = "9.50" if order.side is Side.SELL else "10.05"
            last = an_execution(order.cl_ord_id, order.symbol, order.side, order.leaves_qty, px, f"x{number}", commission=None)
            desk.give(last)
    return desk


@CALM
@example([0, 21, 0, 0], [0, 0, 0, 1553], 4188, [*[("ack", 0)] * 3, ("cancel", 0), ("part", 0)])  # the least commission was paid
@given(weights, holdings, st.integers(0, 30_000), moves)
def test_buys_paid_by_real_sells_never_cost_more_than_there_is_fees_included(
    weight: list[int], held: list[int], cash: int, sequence: list[tuple[str, int]]
) -> None:
    """D4, invariants 23 and 25: at every event, whatever part of a sell has come, each order with its least commission."""
    check_the_books_after_every_event(lived(weight, held, cash, sequence))


@CALM
@given(weights, holdings, st.integers(0, 30_000), moves)
def test_every_order_of_a_run_is_one_that_its_board_takes(
    weight: list[int], held: list[int], cash: int, sequence: list[tuple[str, int]]
) -> None:
    """Lots, least and largest orders, odd remainders whole, T+1: as it stood when the order was made, shrunk ones included."""
    desk = lived(weight, held, cash, sequence)
    by_symbol = {board.symbol: board for board in BOARDS}
    state = State()
    for event in desk.events:
        if isinstance(event, OrderStaged):
            board, position = by_symbol[event.symbol], state.held(ACCOUNT, event.symbol)
            may_be_sold = position.sellable(settles_t1=board.settles_t1)
            assert board.is_tradable_qty(event.order_qty, event.side, may_be_sold), event
            assert event.side is Side.BUY or event.order_qty <= may_be_sold, event
            assert board.max_qty_market is None or event.order_qty <= board.max_qty_market, event
        evolve(state, event)


@CALM
@given(weights, holdings, st.integers(0, 30_000), moves)
def test_a_run_comes_to_its_end_and_says_of_every_line_why_it_is_not_what_was_wished(
    weight: list[int], held: list[int], cash: int, sequence: list[tuple[str, int]]
) -> None:
    """Invariant 42, S1-45, S1-57."""
    desk = lived(weight, held, cash, sequence)
    for event in desk.of(RunCreated):
        run = desk.state.runs[event.run_id]
        assert run.status in ENDED
        for leg in run.legs:
            order = desk.state.orders.get(leg.cl_ord_id) if leg.cl_ord_id is not None else None
            done = order is not None and order.cum_qty == leg.line.order_qty
            assert done or leg.line.leg in run.todo or not leg.line.order_qty, leg
            assert leg.reason or leg.order_qty == leg.line.order_qty, leg


# --- futures

FUTURE = an_instrument(
    A,
    asset_class=AssetClass.FUTURE,
    lot=1,
    min_qty=1,
    multiplier=10,
    margin_rate="0.12",
    shortable=True,
    closes_today_apart=True,
    max_qty_market=30,
    fees=FeeSchedule((FeeLine("commission", rate=Decimal("0.0001"), close_today_per_unit=Decimal(3)),)),
)


@CALM
@given(st.integers(0, 100), st.integers(0, 60), st.integers(100, 50_000), moves)
def test_a_future_is_never_bought_for_more_margin_and_fees_than_there_is(
    weight: int, held: int, cash: int, sequence: list[tuple[str, int]]
) -> None:
    """D5: a contract costs its margin, not its value; closing asks for nothing."""
    desk = Desk().opened(FUTURE, cash=cash, positions={A: held} if held else None)
    begins = desk.state.cash(ACCOUNT, FUTURE.currency).free
    desk.give(a_run({A: Decimal(weight) / 100}, prices=prices(A, px=10)))
    for number, (what, pick) in enumerate(sequence):
        if what != "quote":
            act(desk, what, pick, number)
    state = State()
    for event in desk.events:
        evolve(state, event)
        if state.accounts.get(ACCOUNT) is not None and FUTURE.currency in state.accounts[ACCOUNT].cash:
            book = state.accounts[ACCOUNT].cash[FUTURE.currency]
            sold = state.held(ACCOUNT, Symbol(A)).long_qty < held
            assert sold or book.free >= min(begins, Decimal(0)), (event, book)
