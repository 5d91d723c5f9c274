"""The plan: what it orders, what it leaves and why, and the laws it keeps for any target."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tradeloop.core.commands import SeenPrice, TargetLine
from tradeloop.core.errors import BadInput
from tradeloop.core.events import PlanLine
from tradeloop.core.instrument import AssetClass, Instrument
from tradeloop.core.run.plan import Held, plan
from tradeloop.core.types import (
    SECOND_NS,
    ZERO,
    Currency,
    PositionEffect,
    Px,
    Qty,
    Rounding,
    Side,
    Symbol,
    UtcNs,
)

NOW = UtcNs(1_700_000_000 * SECOND_NS)
FLOOR, HALF_UP = Rounding.FLOOR_TO_LOT, Rounding.HALF_UP


def stock(symbol: str = "600001.SH", lot: int = 100, min_qty: int = 100, largest: int | None = None) -> Instrument:
    return Instrument(
        symbol=Symbol(symbol),
        asset_class=AssetClass.STOCK,
        currency=Currency("CNY"),
        tick=Decimal("0.01"),
        lot=Decimal(lot),
        min_qty=Decimal(min_qty),
        market="CN_A",
        odd_lot_sell=True,
        settles_t1=True,
        max_qty_market=None if largest is None else Decimal(largest),
    )


def future(*, apart: bool) -> Instrument:
    return Instrument(
        symbol=Symbol("au2512.SHFE"),
        asset_class=AssetClass.FUTURE,
        currency=Currency("CNY"),
        tick=Decimal("0.02"),
        lot=Decimal(1),
        min_qty=Decimal(1),
        market="CN_F",
        multiplier=Decimal(1000),
        shortable=True,
        closes_today_apart=apart,
    )


def held(qty: int, sellable: int | None = None, short: int = 0, **days: int) -> Held:
    return Held(
        Qty(Decimal(qty)),
        Qty(Decimal(qty if sellable is None else sellable)),
        Qty(Decimal(short)),
        *(None if day not in days else Qty(Decimal(days[day])) for day in ("today", "short_today")),
    )


def target(weight: str, symbol: str = "600001.SH", row: int = 2, price: str | None = None) -> TargetLine:
    return TargetLine(Symbol(symbol), Decimal(weight), row, None if price is None else Px(Decimal(price)))


def price(px: str, symbol: str = "600001.SH", age_s: int = 0, *, suspended: bool = False) -> SeenPrice:
    return SeenPrice(Symbol(symbol), Px(Decimal(px)), UtcNs(NOW - age_s * SECOND_NS), "test", suspended=suspended)


def planned(
    *targets: TargetLine,
    prices: Iterable[SeenPrice] = (),
    instruments: Collection[Instrument] = (),
    holdings: Mapping[str, Held] | None = None,
    equity: str = "100000",
    rounding: Rounding = FLOOR,
    sell_unlisted: bool = True,
) -> tuple[PlanLine, ...]:
    return plan(
        targets,
        prices,
        {i.symbol: i for i in instruments or (stock(),)},
        {Symbol(symbol): each for symbol, each in (holdings or {}).items()},
        Decimal(equity),
        rounding,
        sell_unlisted,
        now=NOW,
        max_quote_age_ns=60 * SECOND_NS,
        currency=Currency("CNY"),
    )


def only(lines: tuple[PlanLine, ...]) -> PlanLine:
    (line,) = lines
    return line


def test_a_weight_becomes_whole_lots_and_the_rest_is_the_residual() -> None:
    """S0-6, S1-57: 0.30 of 100,000 at 17 is 1,764.7 shares."""
    line = only(planned(target("0.30"), prices=[price("17")]))

    assert (line.side, line.order_qty, line.target_qty) == (Side.BUY, Decimal(1700), Decimal(1700))
    assert line.target_value == Decimal(30000)
    assert line.residual_value == Decimal(30000) - 1700 * Decimal(17)
    assert line.code == "rounded"
    assert "1764.7059" in line.reason
    assert "lots of 100" in line.reason


def test_a_weight_that_is_worth_less_than_one_lot_is_not_ordered() -> None:
    """S0-61: the dear share of a small weight."""
    line = only(planned(target("0.005"), prices=[price("1260.5")], equity="10000000"))

    assert line.order_qty == ZERO
    assert line.code == "below_one_lot"
    assert "39.6668" in line.reason
    assert line.residual_value == Decimal(50000)


def test_half_up_takes_the_nearest_lot_and_may_spend_more_than_the_weight() -> None:
    """S0-6, D2."""
    line = only(planned(target("0.30"), prices=[price("17")], rounding=HALF_UP))

    assert line.order_qty == Decimal(1800)
    assert line.residual_value < ZERO


@pytest.mark.parametrize(("equity", "shares"), [("0.99", 0), ("1.49", 1), ("1.50", 2), ("2.5", 3), ("0.6", 0)])
def test_half_up_skips_under_one_share_and_rounds_halves_away_from_zero(equity: str, shares: int) -> None:
    """S0-61."""
    line = only(
        planned(
            target("1"),
            prices=[price("1")],
            instruments=[stock(lot=1, min_qty=1)],
            equity=equity,
            rounding=HALF_UP,
        )
    )

    assert line.order_qty == Decimal(shares)


def test_a_board_with_a_larger_first_order_takes_nothing_below_it() -> None:
    """STAR: at least 200 shares, then any number."""
    star = stock(lot=1, min_qty=200)

    below = only(planned(target("0.199"), prices=[price("100")], instruments=[star]))
    above = only(planned(target("0.201"), prices=[price("100")], instruments=[star]))

    assert (below.order_qty, below.code) == (ZERO, "below_one_lot")
    assert above.order_qty == Decimal(201)


def test_the_steps_of_a_coin_are_told_with_all_their_digits() -> None:
    coin = stock()
    coin = msgspec.structs.replace(coin, lot=Decimal("0.00001"), min_qty=Decimal("0.00001"))
    line = only(planned(target("0.2"), prices=[price("43096")], instruments=[coin]))

    assert line.reason == "0.4640802 are wished for, orders are in lots of 0.00001"


def test_a_target_of_nothing_sells_an_odd_holding_whole() -> None:
    line = only(planned(target("0"), prices=[price("10")], holdings={"600001.SH": held(1234)}))

    assert (line.side, line.order_qty, line.wave) == (Side.SELL, Decimal(1234), 0)
    assert (line.code, line.residual_qty, line.residual_value) == ("", ZERO, ZERO)


def test_a_partial_sell_leaves_the_odd_remainder_where_it_is() -> None:
    """1,250 held, 600 wanted: 650 would be legal as a whole odd remainder, 600 to 1,250 is."""
    line = only(planned(target("0.06"), prices=[price("10")], holdings={"600001.SH": held(1250)}))

    assert line.order_qty == Decimal(650)


def test_what_was_bought_today_stays_and_is_reported() -> None:
    line = only(planned(target("0"), prices=[price("10")], holdings={"600001.SH": held(1000, sellable=300)}))

    assert line.order_qty == Decimal(300)
    assert line.code == "t1_shortfall"
    assert "300 of 1000 may be sold now" in line.reason
    assert line.residual_qty == Decimal(-700)


def test_a_holding_that_the_target_does_not_name_is_sold() -> None:
    lines = planned(
        target("0.5", "600002.SH"),
        prices=[price("10"), price("10", "600002.SH")],
        instruments=[stock(), stock("600002.SH")],
        holdings={"600001.SH": held(500)},
    )

    assert [(line.leg, line.symbol, line.side, line.row) for line in lines] == [
        (1, "600001.SH", Side.SELL, 0),
        (2, "600002.SH", Side.BUY, 2),
    ]


def test_a_holding_that_the_target_does_not_name_is_kept_when_told_so() -> None:
    lines = planned(
        target("0.5", "600002.SH"),
        prices=[price("10"), price("10", "600002.SH")],
        instruments=[stock(), stock("600002.SH")],
        holdings={"600001.SH": held(500)},
        sell_unlisted=False,
    )

    assert [(line.symbol, line.order_qty, line.code) for line in lines][1] == ("600001.SH", ZERO, "kept")


def test_legs_run_from_one_sells_first_and_lines_without_an_order_last() -> None:
    symbols = ["600001.SH", "600002.SH", "600003.SH", "600004.SH", "600005.SH"]
    lines = planned(
        target("0.2", symbols[0], 2),
        target("0.0001", symbols[1], 3),
        target("0.1", symbols[2], 4),
        target("0.2", symbols[3], 5),
        prices=[price("10", symbol) for symbol in symbols],
        instruments=[stock(symbol) for symbol in symbols],
        holdings={"600005.SH": held(100), "600003.SH": held(2000)},
    )

    assert [(line.leg, line.symbol) for line in lines] == [
        (1, "600003.SH"),
        (2, "600005.SH"),
        (3, "600001.SH"),
        (4, "600004.SH"),
        (5, "600002.SH"),
    ]


@pytest.mark.parametrize(
    ("prices", "code", "words"),
    [
        ([], "no_price", "has no price"),
        ([price("0")], "no_price", "has no price"),
        ([price("10", age_s=61)], "stale_price", "61 s old, at most 60 s"),
        ([price("10", suspended=True)], "suspended", "suspended"),
    ],
)
def test_without_a_usable_price_nothing_is_ordered(prices: list[SeenPrice], code: str, words: str) -> None:
    for weight, holding in (("0.5", held(0)), ("0", held(500))):
        line = only(planned(target(weight), prices=prices, holdings={"600001.SH": holding}))

        assert (line.order_qty, line.code) == (ZERO, code)
        assert words in line.reason


def test_a_price_exactly_as_old_as_allowed_is_used() -> None:
    assert only(planned(target("0.5"), prices=[price("10", age_s=60)])).order_qty == Decimal(5000)


def test_the_price_of_the_file_stands_in_for_the_quote() -> None:
    line = only(planned(target("0.5", price="20"), prices=[price("10", age_s=3600)]))

    assert (line.ref_px, line.order_qty) == (Decimal(20), Decimal(2500))


def test_an_unknown_symbol_and_another_currency_order_nothing() -> None:
    dollars = Instrument(
        symbol=Symbol("AAPL.US"),
        asset_class=AssetClass.STOCK,
        currency=Currency("USD"),
        tick=Decimal("0.01"),
        lot=Decimal(1),
        min_qty=Decimal(1),
        market="US",
    )
    lines = planned(
        target("0.1", "999999.SH", 2),
        target("0.1", "AAPL.US", 3),
        prices=[price("10", "999999.SH"), price("10", "AAPL.US")],
        instruments=[dollars],
    )

    assert [(line.order_qty, line.code, line.target_qty) for line in lines] == [
        (ZERO, "unknown_instrument", ZERO),
        (ZERO, "other_currency", ZERO),
    ]


def test_a_target_that_is_held_already_is_unchanged() -> None:
    line = only(planned(target("0.5"), prices=[price("10")], holdings={"600001.SH": held(5000)}))

    assert (line.order_qty, line.code, line.residual_qty) == (ZERO, "unchanged", ZERO)


def test_an_order_above_the_largest_is_split_into_legs_and_each_can_be_sent() -> None:
    """D8."""
    lines = planned(
        target("0.5"),
        prices=[price("0.5")],
        instruments=[stock(lot=1, min_qty=200, largest=30_000)],
        equity="120100",
    )

    assert [(line.leg, line.order_qty) for line in lines] == [
        (1, Decimal(30_000)),
        (2, Decimal(30_000)),
        (3, Decimal(30_000)),
        (4, Decimal(30_000) - 100),
        (5, Decimal(200)),
    ]
    assert {line.code for line in lines} == {"split"}
    assert "order 5 of 5 for 120100" in lines[-1].reason


def test_more_legs_than_a_line_may_have_are_cut_and_reported() -> None:
    lines = planned(target("1"), prices=[price("1")], instruments=[stock(largest=100)])

    assert len(lines) == 100
    assert sum(line.order_qty for line in lines) == Decimal(10_000)
    assert lines[-1].code == "order_cap"
    assert lines[-1].residual_qty == Decimal(90_000)
    assert lines[-1].residual_value == Decimal(90_000)


def test_a_future_counts_with_its_multiplier() -> None:
    line = only(
        planned(
            target("0.5", "au2512.SHFE"),
            prices=[price("700", "au2512.SHFE")],
            instruments=[future(apart=False)],
            equity="3000000",
        )
    )

    assert (line.order_qty, line.position_effect) == (Decimal(2), PositionEffect.OPEN)
    assert line.residual_value == Decimal(100_000)


def test_a_future_closes_yesterday_before_today_where_they_are_apart() -> None:
    """D5."""
    lines = planned(
        target("0", "au2512.SHFE"),
        prices=[price("700", "au2512.SHFE")],
        instruments=[future(apart=True)],
        holdings={"au2512.SHFE": held(5, today=2)},
    )

    assert [(line.side, line.order_qty, line.position_effect) for line in lines] == [
        (Side.SELL, Decimal(3), PositionEffect.CLOSE_YESTERDAY),
        (Side.SELL, Decimal(2), PositionEffect.CLOSE_TODAY),
    ]


def test_a_short_future_is_closed_before_a_long_one_is_opened() -> None:
    lines = planned(
        target("0.5", "au2512.SHFE"),
        prices=[price("700", "au2512.SHFE")],
        instruments=[future(apart=False)],
        holdings={"au2512.SHFE": held(0, short=3)},
        equity="3000000",
    )

    assert [(line.side, line.order_qty, line.position_effect) for line in lines] == [
        (Side.BUY, Decimal(3), PositionEffect.CLOSE),
        (Side.BUY, Decimal(2), PositionEffect.OPEN),
    ]


def test_a_future_whose_days_are_not_known_leaves_the_choice_to_the_sender() -> None:
    line = only(
        planned(
            target("0", "au2512.SHFE"),
            prices=[price("700", "au2512.SHFE")],
            instruments=[future(apart=True)],
            holdings={"au2512.SHFE": held(5)},
        )
    )

    assert (line.order_qty, line.position_effect) == (Decimal(5), PositionEffect.AUTO)


@pytest.mark.parametrize(
    ("targets", "words"),
    [
        ([target("0.1", row=2), target("0.2", row=9)], "rows 2 and 9 both name 600001.SH"),
        ([target("-0.1", row=4)], "row 4: the weight of 600001.SH was -0.1"),
    ],
)
def test_a_target_that_contradicts_itself_is_refused(targets: list[TargetLine], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        planned(*targets, prices=[price("10")])


# --- laws

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
