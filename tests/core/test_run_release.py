"""Release: sells at once, buys as money comes, and never more bought than the free cash pays for."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tradeloop.core.events import PlanLine
from tradeloop.core.instrument import AssetClass, Instrument
from tradeloop.core.run.plan import BUYS, SELLS
from tradeloop.core.run.release import Drop, LegState, LineState, Release, Send, Shrink, release
from tradeloop.core.types import ZERO, Amount, Currency, Px, Qty, Side, Symbol

UNSENT, WAITING, WORKING, CLOSED = LegState.UNSENT, LegState.WAITING, LegState.WORKING, LegState.CLOSED

STOCK = Instrument(
    symbol=Symbol("600001.SH"),
    asset_class=AssetClass.STOCK,
    currency=Currency("CNY"),
    tick=Decimal("0.01"),
    lot=Decimal(100),
    min_qty=Decimal(100),
    market="CN_A",
)


def at_bound(line: PlanLine, qty: Decimal) -> Decimal:
    """The price with a buffer of 5 % and a fee of 5."""
    assert line.ref_px is not None
    return qty * line.ref_px * Decimal("1.05") + 5


def leg(
    number: int, side: Side, qty: int, px: str = "10", state: LegState = UNSENT, instrument: Instrument = STOCK
) -> LineState:
    line = PlanLine(
        leg=number,
        symbol=Symbol(f"{600000 + number}.SH"),
        row=number + 1,
        side=side,
        target_weight=Decimal("0.1"),
        target_value=Amount(qty * Decimal(px)),
        target_qty=Qty(Decimal(qty)),
        held_qty=Qty(ZERO),
        order_qty=Qty(Decimal(qty)),
        ref_px=Px(Decimal(px)),
        wave=SELLS if side is Side.SELL else BUYS,
    )
    return LineState(line, line.order_qty, state, instrument)


def sell(number: int, qty: int = 100, state: LegState = UNSENT) -> LineState:
    return leg(number, Side.SELL, qty, state=state)


def buy(number: int, qty: int = 100, px: str = "10", state: LegState = UNSENT) -> LineState:
    return leg(number, Side.BUY, qty, px, state)


def released(*lines: LineState, cash: int) -> list[Release]:
    return release(lines, Decimal(cash), at_bound)


def test_all_sells_go_at_once_whatever_cash_there_is() -> None:
    assert released(sell(1), sell(2, 300), buy(3), cash=0) == [
        Send(1, Qty(Decimal(100))),
        Send(2, Qty(Decimal(300))),
    ]


def test_buys_that_the_cash_pays_for_go_together_with_the_sells() -> None:
    """S0-7: nothing waits that has no reason to."""
    assert released(sell(1), buy(2), buy(3), cash=2110) == [Send(leg, Qty(Decimal(100))) for leg in (1, 2, 3)]


def test_a_buy_waits_for_a_working_sell_and_is_not_made_smaller() -> None:
    """D4."""
    assert released(sell(1, state=WORKING), buy(2, 1000), cash=5000) == []


def test_a_dear_buy_that_waits_holds_back_the_cheap_one_behind_it() -> None:
    assert released(sell(1, state=WORKING), buy(2, 1000), buy(3, 100), cash=5000) == []


def test_half_filled_sells_shrink_the_buys_to_what_the_money_pays_for() -> None:
    shrink, send = released(sell(1, state=CLOSED), buy(2, 1000), cash=5000)

    assert isinstance(shrink, Shrink)
    assert (shrink.leg, shrink.qty, shrink.code) == (2, Decimal(400), "cash_short")
    assert shrink.reason == ("1000 would cost up to 10505, 5000 is free and no sell of the run is left to bring more")
    assert send == Send(2, Qty(Decimal(400)))


def test_a_buy_is_not_shrunk_while_another_buy_may_give_back_what_its_bound_holds() -> None:
    """Ten per cent of buffers would otherwise starve the last line of a fully invested target."""
    assert released(buy(1, state=WORKING), buy(2, 1000), cash=10_000) == []
    assert released(buy(1), buy(2, 1000), cash=11_000) == [Send(1, Qty(Decimal(100)))]


def test_a_buy_that_not_even_one_lot_of_is_affordable_is_dropped_and_the_next_one_tried() -> None:
    drop, send = released(buy(1, 200, px="100"), buy(2, 100), cash=2000)

    assert isinstance(drop, Drop)
    assert (drop.leg, drop.code) == (1, "no_cash")
    assert "the smallest order, 100, would cost up to 10505, 2000 is free" in drop.reason
    assert send == Send(2, Qty(Decimal(100)))


def test_a_shrunk_order_respects_the_smallest_order_of_its_board() -> None:
    star = Instrument(
        symbol=Symbol("688001.SH"),
        asset_class=AssetClass.STOCK,
        currency=Currency("CNY"),
        tick=Decimal("0.01"),
        lot=Decimal(1),
        min_qty=Decimal(200),
        market="CN_A",
    )
    (drop,) = released(leg(1, Side.BUY, 500, instrument=star), cash=2100)
    shrink, _ = released(leg(1, Side.BUY, 500, instrument=star), cash=2126)

    assert isinstance(drop, Drop)
    assert isinstance(shrink, Shrink)
    assert shrink.qty == Decimal(202)


def test_nothing_is_released_twice() -> None:
    assert released(sell(1, state=CLOSED), buy(2, state=WORKING), buy(3, state=CLOSED), cash=10_000) == []


# --- laws

# The machine may be busy: how long an example takes is not what these tests are about.
CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

STATES = st.sampled_from(list(LegState))


@st.composite
def runs(draw: st.DrawFn) -> list[LineState]:
    sells = [sell(n, 100, draw(STATES)) for n in range(1, draw(st.integers(0, 3)) + 1)]
    buys = [
        buy(
            len(sells) + n,
            100 * draw(st.integers(1, 50)),
            str(draw(st.decimals(Decimal("0.01"), 300, places=2))),
            draw(STATES),
        )
        for n in range(1, draw(st.integers(0, 5)) + 1)
    ]
    return [*sells, *buys]


def sent(steps: list[Release]) -> dict[int, Qty]:
    return {step.leg: step.qty for step in steps if isinstance(step, Send)}


@CALM
@given(runs(), st.integers(0, 100_000))
def test_law_the_buys_released_never_cost_more_than_the_free_cash(lines: list[LineState], cash: int) -> None:
    by_leg = {state.line.leg: state for state in lines}
    cost = sum(
        (
            at_bound(by_leg[number].line, qty)
            for number, qty in sent(released(*lines, cash=cash)).items()
            if by_leg[number].line.wave == BUYS
        ),
        ZERO,
    )

    assert cost <= cash


@CALM
@given(runs(), st.integers(0, 100_000))
def test_law_a_line_is_sent_whole_unless_no_order_of_the_run_may_bring_money(lines: list[LineState], cash: int) -> None:
    steps = released(*lines, cash=cash)
    may_bring = any(state.state is WORKING or (state.state is UNSENT and state.line.wave == SELLS) for state in lines)
    if may_bring:
        assert all(isinstance(step, Send) for step in steps)
        assert all(qty == lines[number - 1].order_qty for number, qty in sent(steps).items())


@CALM
@given(runs(), st.integers(0, 100_000))
def test_law_a_shrunk_buy_is_the_largest_that_the_cash_pays_for(lines: list[LineState], cash: int) -> None:
    free = Decimal(cash)
    for step in released(*lines, cash=cash):
        line = lines[step.leg - 1].line
        if isinstance(step, Shrink):
            assert ZERO < step.qty < lines[step.leg - 1].order_qty
            assert at_bound(line, step.qty) <= free < at_bound(line, step.qty + 100)
        elif isinstance(step, Drop):
            assert at_bound(line, Decimal(100)) > free
        elif line.wave == BUYS:
            free -= at_bound(line, step.qty)


def test_what_a_waiting_buy_may_cost_is_set_aside_and_nothing_behind_it_is_made_smaller() -> None:
    """D4: what stands first in the target gets the money, also when it cannot go at once."""
    waiting, behind = buy(1, 100, state=WAITING), buy(2, 100)
    assert released(waiting, behind, cash=10_000) == [Send(2, Qty(Decimal(100)))]
    assert released(waiting, behind, cash=1_500) == []


@CALM
@given(runs(), st.integers(0, 100_000))
def test_law_a_run_with_nothing_working_always_gets_on(lines: list[LineState], cash: int) -> None:
    """No run can wait for ever: while something is unsent and nothing works or waits, something is sent or dropped."""
    unsent = [state for state in lines if state.state is UNSENT]
    if unsent and not any(state.state in (WORKING, WAITING) for state in lines):
        assert released(*lines, cash=cash) != []
