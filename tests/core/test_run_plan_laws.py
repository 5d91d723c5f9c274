"""The laws that a plan keeps for any target, any holdings and any steps of the venue."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.core.plans_made import FLOOR, held, planned, price, stock, target

from tradeloop.core.commands import SeenPrice, TargetLine
from tradeloop.core.events import PlanLine
from tradeloop.core.instrument import Instrument
from tradeloop.core.run.legs import LEGS_PER_LINE_MAX
from tradeloop.core.run.plan import Held
from tradeloop.core.types import ZERO, Qty, Rounding, Side, Symbol, step_down

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
        stock(symbol, *draw(steps), largest=draw(st.sampled_from([None, None, 100, 250, 300, 7000, 100_000])))
        for symbol in SYMBOLS
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


@st.composite
def full_situations(draw: st.DrawFn) -> Situation:
    """One symbol whose target is one to five full plans away, up or down, and not always by whole lots."""
    lot, min_qty, largest = draw(st.sampled_from([(100, 100, 100), (100, 100, 250), (1, 200, 200), (1, 200, 300), (1, 1, 7)]))
    instrument = stock(SYMBOLS[0], lot, min_qty, largest)
    at_once = largest // lot * lot * LEGS_PER_LINE_MAX
    far, near = draw(st.integers(at_once + min_qty + 2 * lot, 5 * at_once)), draw(st.integers(0, 999))
    if draw(st.booleans()):  # a buy: of 2,000,000 at 1 each
        weight, holding = Decimal(near + far) / 2_000_000, near
    else:
        weight, holding = draw(st.sampled_from([ZERO, Decimal(near) / 2_000_000])), near + far
    prices, equity = [price("1", SYMBOLS[0])], Decimal(2_000_000)
    return [target(f"{weight:f}", SYMBOLS[0])], prices, [instrument], {SYMBOLS[0]: held(holding)}, equity


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


def after(situation: Situation, lines: tuple[PlanLine, ...]) -> Situation:
    """The same target over the holdings that `lines` lead to; what they bought today can not be sold today."""
    targets, prices, instruments, holdings, equity = situation
    ended = dict(holdings)
    for line in lines:
        was, change = ended.get(line.symbol, held(0)), int(traded(line))
        ended[line.symbol] = held(int(was.qty) + change, sellable=int(was.sellable) + min(change, 0))
    return targets, prices, instruments, ended, equity


def full_lines(situation: Situation, lines: tuple[PlanLine, ...]) -> set[Symbol]:
    """The symbols of which a plan made as many orders as it may, each as large as the venue takes it."""
    largest = {i.symbol: step_down(i.max_qty_market, i.lot) for i in situation[2] if i.max_qty_market is not None}
    legs = {s: [line.order_qty for line in lines if line.symbol == s] for s in {line.symbol for line in lines}}
    return {s for s, qtys in legs.items() if s in largest and qtys == [largest[s]] * LEGS_PER_LINE_MAX}


@CALM
@given(situations(), ROUNDINGS)
def test_law_a_plan_over_its_own_outcome_orders_nothing(situation: Situation, rounding: Rounding) -> None:
    """But of a symbol whose line is full: a hundred of the largest orders are all that one plan makes of it."""
    lines = lines_of(situation, rounding)

    again = lines_of(after(situation, lines), rounding)

    assert {line.symbol for line in again if line.order_qty} <= full_lines(situation, lines)


@CALM
@given(full_situations(), ROUNDINGS)
def test_law_a_full_line_comes_to_its_target_plan_by_plan(situation: Situation, rounding: Rounding) -> None:
    """Each plan orders a hundred of the largest orders more towards the same target, the last one the rest; then it rests."""
    (instrument, *_) = situation[2]
    assert instrument.max_qty_market is not None
    at_once = step_down(instrument.max_qty_market, instrument.lot) * LEGS_PER_LINE_MAX
    goals: set[Decimal] = set()
    ordered: list[Decimal] = []
    while not ordered or ordered[-1]:
        own = [line for line in lines_of(situation, rounding) if line.symbol == instrument.symbol]
        assert len(own) <= LEGS_PER_LINE_MAX
        goals.add(own[0].target_qty)
        ordered.append(sum(map(traded, own), ZERO))
        situation = after(situation, tuple(own))

    (goal,) = goals
    *whole, last, nothing = ordered
    assert whole, "the first plan was not full"
    assert set(map(abs, whole)) == {at_once}
    assert (abs(last) <= at_once, nothing) == (True, ZERO)
    assert len({number > ZERO for number in (*whole, last)}) == 1
    assert abs(goal - situation[3][instrument.symbol].net) < max(instrument.lot, instrument.min_qty)


@CALM
@given(situations(), ROUNDINGS)
def test_law_nothing_is_left_that_would_fit_into_legal_orders(situation: Situation, rounding: Rounding) -> None:
    """`order_cap` is said of a full line, or where one order more would make one of them smaller than the venue takes."""
    lines = lines_of(situation, rounding)
    full = full_lines(situation, lines)
    by_symbol = {instrument.symbol: instrument for instrument in situation[2]}
    for line in lines:
        if line.code != "order_cap" or line.symbol in full:
            continue
        instrument = by_symbol[line.symbol]
        assert instrument.max_qty_market is not None
        legs = [each.order_qty for each in lines if each.symbol == line.symbol and each.order_qty]
        wanted = Decimal(line.reason.split(" of ")[1].split(" ")[0])
        if step_down(instrument.max_qty_market, instrument.lot) < instrument.min_qty:
            assert not legs  # a venue whose largest order is smaller than its smallest takes none
            continue
        assert (len(legs) + 1) * instrument.min_qty > wanted
        assert line.side is Side.BUY or wanted < situation[3][line.symbol].sellable


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
