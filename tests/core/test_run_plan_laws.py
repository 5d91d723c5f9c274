"""The laws that a plan keeps for any target, any holdings and any steps of the venue."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.core.plans_made import FLOOR, held, planned, price, stock, target

from tradeloop.core.commands import SeenPrice, TargetLine
from tradeloop.core.events import PlanLine
from tradeloop.core.instrument import Instrument
from tradeloop.core.run.plan import Held
from tradeloop.core.types import ZERO, Qty, Rounding, Side

# The machine may be busy: how long an example takes is not what these tests are about.
CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

SYMBOLS = [f"60000{digit}.SH" for digit in range(6)]


@st.composite
def situations(
    draw: st.DrawFn,
) -> tuple[list[TargetLine], list[SeenPrice], list[Instrument], dict[str, Held], Decimal]:
    named = draw(st.lists(st.sampled_from(SYMBOLS), unique=True, max_size=6))
    steps = st.sampled_from([(100, 100), (1, 200), (1, 100), (1, 1), (500, 500)])
    instruments = [
        stock(symbol, *draw(steps), largest=draw(st.sampled_from([None, None, 7000, 100_000]))) for symbol in SYMBOLS
    ]
    prices = [price(str(draw(st.decimals(Decimal("0.01"), 2000, places=2))), symbol) for symbol in SYMBOLS]
    weights = [draw(st.decimals(0, Decimal("0.2"), places=4)) for _ in named]
    holdings: dict[str, Held] = {}
    for symbol in draw(st.lists(st.sampled_from(SYMBOLS), unique=True)):
        qty = draw(st.integers(0, 20_000))
        holdings[symbol] = held(qty, sellable=draw(st.integers(0, qty)))
    equity = draw(st.decimals(0, 2_000_000, places=2))
    targets = [
        target(str(weight), symbol, row) for row, (symbol, weight) in enumerate(zip(named, weights, strict=True), start=2)
    ]
    return targets, prices, instruments, holdings, equity


Situation = tuple[list[TargetLine], list[SeenPrice], list[Instrument], dict[str, Held], Decimal]


def lines_of(situation: Situation, rounding: Rounding) -> tuple[PlanLine, ...]:
    targets, prices, instruments, holdings, equity = situation
    return planned(
        *targets,
        prices=prices,
        instruments=instruments,
        holdings=holdings,
        equity=str(equity),
        rounding=rounding,
    )


def traded(line: PlanLine) -> Decimal:
    return line.order_qty if line.side is Side.BUY else -line.order_qty


ROUNDINGS = st.sampled_from(list(Rounding))


@CALM
@given(situations(), ROUNDINGS)
def test_law_no_order_passes_its_target(situation: Situation, rounding: Rounding) -> None:
    lines = lines_of(situation, rounding)
    for symbol in SYMBOLS:
        own = [line for line in lines if line.symbol == symbol]
        if own:
            start, end = own[0].held_qty, own[0].held_qty + sum(map(traded, own))
            goal = own[0].target_qty
            assert min(start, goal) <= end <= max(start, goal)


@CALM
@given(situations(), ROUNDINGS)
def test_law_every_order_is_legal_and_no_sell_exceeds_what_may_be_sold(situation: Situation, rounding: Rounding) -> None:
    _, _, instruments, holdings, _ = situation
    by_symbol = {instrument.symbol: instrument for instrument in instruments}
    left = {symbol: holding.sellable for symbol, holding in holdings.items()}
    for line in lines_of(situation, rounding):
        if line.order_qty == ZERO:
            continue
        instrument = by_symbol[line.symbol]
        if line.side is Side.SELL:
            sellable = left[line.symbol]
            assert line.order_qty <= sellable
            assert instrument.is_tradable_qty(line.order_qty, Side.SELL, sellable)
            left[line.symbol] = Qty(sellable - line.order_qty)
        else:
            assert instrument.is_tradable_qty(line.order_qty, Side.BUY)


@CALM
@given(situations())
def test_law_rounding_down_never_buys_for_more_than_the_weights_allow(situation: Situation) -> None:
    """S1-57."""
    targets, _, _, _, equity = situation
    lines = lines_of(situation, FLOOR)
    spent = sum(
        (line.order_qty * line.ref_px for line in lines if line.side is Side.BUY and line.ref_px is not None),
        ZERO,
    )

    assert spent <= equity * sum((each.weight for each in targets), ZERO)


@CALM
@given(situations(), ROUNDINGS)
def test_law_a_plan_over_its_own_outcome_orders_nothing(situation: Situation, rounding: Rounding) -> None:
    targets, prices, instruments, holdings, equity = situation
    after = {
        symbol: (int(holdings[symbol].qty), int(holdings[symbol].sellable)) if symbol in holdings else (0, 0)
        for symbol in SYMBOLS
    }
    for line in lines_of(situation, rounding):
        qty, sellable = after[line.symbol]
        # What is bought today can not be sold today.
        change = int(traded(line))
        after[line.symbol] = (qty + change, sellable + min(change, 0))
    ended = {symbol: held(*both) for symbol, both in after.items()}

    again = lines_of((targets, prices, instruments, ended, equity), rounding)

    # One plan makes at most so many orders of a line (`order_cap`); the next one takes up the rest.
    capped = {line.symbol for line in lines_of(situation, rounding) if line.code == "order_cap"}
    assert [line for line in again if line.order_qty and line.symbol not in capped] == []


@CALM
@given(situations(), ROUNDINGS)
def test_law_planned_and_residual_add_up_to_the_wish(situation: Situation, rounding: Rounding) -> None:
    lines = lines_of(situation, rounding)
    for symbol in SYMBOLS:
        own = [line for line in lines if line.symbol == symbol]
        if not own or own[0].ref_px is None:
            continue
        end = own[0].held_qty + sum(map(traded, own))
        residual_qty = sum((line.residual_qty for line in own), ZERO)
        residual_value = sum((line.residual_value for line in own), ZERO)
        assert own[0].target_value - end * own[0].ref_px == residual_value
        assert abs((end + residual_qty) * own[0].ref_px - own[0].target_value) < Decimal("0.00000001")


@CALM
@given(situations(), ROUNDINGS)
def test_law_legs_count_from_one_and_whatever_is_not_ordered_in_full_says_why(situation: Situation, rounding: Rounding) -> None:
    lines = lines_of(situation, rounding)

    assert [line.leg for line in lines] == list(range(1, len(lines) + 1))
    for line in lines:
        assert (line.code == "") == (line.reason == "")
        assert line.code or (line.order_qty > ZERO and line.residual_qty == ZERO)
