"""A figure of a command that no arithmetic could end with is refused at the boundary; what passes is decided."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from tests.core.runs_made import A, a_run, prices

from tradeloop.core.checked import checked_command
from tradeloop.core.commands import ListInstruments, RetryRun, TargetLine
from tradeloop.core.errors import BadInput
from tradeloop.core.instrument import AssetClass, FeeLine, FeeSchedule, Instrument
from tradeloop.core.types import OrdType, Px, RunID, Side, Symbol
from tradeloop.journal import codec
from tradeloop.testing.builders import an_execution, an_instrument, buy
from tradeloop.testing.desk import Desk

FINE = ("1E-30", "1E-100", "1E-999999999999999999", "0E-999999999999999999")
LARGE = ("1E+15", "1E+999999999999999999", "NaN", "-Infinity")
FIGURES = (*FINE, *LARGE, "-1E-100", "-1", "0", "1E-13", "1E-12", "1E-40", "0.5", "1", "99999999999999", "1E+13")
FAR = tuple(figure for figure in (*FINE, *LARGE) if figure != "1E-30")

OF_INSTRUMENT = (
    *("tick", "lot", "min_qty", "multiplier", "max_qty_limit", "max_qty_market", "price_limit", "price_limit_down"),
    *("margin_rate", "cage", "large_cancel_qty"),
)
OF_FEE = ("rate", "per_unit", "minimum", "maximum_rate", "close_today_rate", "close_today_per_unit", "maximum")


def an_odd_run(where: str, figure: Decimal) -> Any:
    px = Px(figure)
    match where:
        case "target":
            return msgspec.structs.replace(a_run({}), targets=(TargetLine(Symbol(A), Decimal("0.5"), 1, px),))
        case "weight":
            return msgspec.structs.replace(a_run({}), targets=(TargetLine(Symbol(A), figure, 1),))
        case "px":
            return a_run({A: "0.5"}, prices=tuple(msgspec.structs.replace(one, px=px) for one in prices()))
        case "prev_close":
            return a_run({A: "0.5"}, prices=tuple(msgspec.structs.replace(one, prev_close=px) for one in prices()))
        case "exposure":
            return a_run({A: "0.5"}, target_exposure=figure)
        case _:
            assert where == "retry"
    return RetryRun(RunID("r1"), "t", tuple(msgspec.structs.replace(one, px=px) for one in prices()))


def listed(instrument: Instrument) -> Desk | None:
    """A desk with this instrument, or None where it is refused."""
    try:
        checked_command(ListInstruments((instrument,)))
    except BadInput:
        return None
    return Desk().opened(instrument, cash=10**12)


def trades(desk: Desk, symbol: str) -> None:
    """Orders are asked for and fills come, whatever they cost, and what was recorded can be read."""
    for qty in (1, 100, 10**13):
        desk.give(buy(symbol, qty, ord_type=OrdType.LIMIT, price="10.00"), buy(symbol, qty))
        for side in Side:
            desk.give(an_execution(None, symbol, side, qty, "10", f"{side}{qty}", commission=None))
    codec.decode(codec.encode(desk.events))


@pytest.mark.parametrize("where", ["target", "weight", "px", "prev_close", "exposure", "retry"])
@pytest.mark.parametrize("text", FIGURES)
def test_a_run_with_a_figure_that_no_arithmetic_ends_with_is_refused(where: str, text: str) -> None:
    command = an_odd_run(where, Decimal(text))
    desk = Desk().opened(an_instrument(A), cash=10**12)
    try:
        checked_command(command)
        desk.give(command)
    except BadInput as refused:
        str(refused).encode()
    else:
        assert text not in FAR
    codec.decode(codec.encode(desk.events))


@pytest.mark.parametrize("field", OF_INSTRUMENT)
@pytest.mark.parametrize("kind", [AssetClass.STOCK, AssetClass.FUTURE])
@pytest.mark.parametrize("text", FIGURES)
def test_an_instrument_with_a_figure_that_no_order_could_be_asked_by_is_refused(
    field: str, kind: AssetClass, text: str
) -> None:
    desk = listed(msgspec.structs.replace(an_instrument(A, asset_class=kind), **{field: Decimal(text)}))
    assert desk is None or text not in (*FINE, *LARGE)
    if desk is not None:
        trades(desk, A)


@pytest.mark.parametrize("field", [*OF_FEE, "quantum"])
@pytest.mark.parametrize("text", FIGURES)
def test_a_fee_with_a_figure_that_no_cost_could_be_computed_from_is_refused(field: str, text: str) -> None:
    line = FeeLine("commission", Decimal("0.001"))
    schedule = (
        FeeSchedule((line,), Decimal(text))
        if field == "quantum"
        else FeeSchedule((msgspec.structs.replace(line, **{field: Decimal(text)}),))
    )
    desk = listed(an_instrument(A, fees=schedule, multiplier=10**6))
    assert desk is None or text not in (*FINE, *LARGE)
    if desk is not None:
        trades(desk, A)


@pytest.mark.parametrize("maximum", ["-1", "4.99"])
def test_a_maximum_below_zero_or_below_the_minimum_is_refused(maximum: str) -> None:
    line = FeeLine("commission", minimum=Decimal(5), maximum=Decimal(maximum))
    with pytest.raises(BadInput, match="maximum of fee 'commission'"):
        checked_command(ListInstruments((an_instrument(A, fees=FeeSchedule((line,))),)))


def test_the_middle_of_the_finest_bid_and_ask_is_a_price_of_a_run() -> None:
    checked_command(an_odd_run("px", Decimal("0.0000000000015")))


@pytest.mark.parametrize("ticks", [-1, 10**18])
def test_a_cage_of_so_many_ticks_is_refused(ticks: int) -> None:
    assert listed(msgspec.structs.replace(an_instrument(A), cage_ticks=ticks)) is None
