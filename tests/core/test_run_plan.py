"""The plan: how much it orders of what, what it leaves, and the reason it gives."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from tests.core.plans_made import HALF_UP, held, only, planned, price, stock, target

from tradeloop.core.commands import SeenPrice, TargetLine
from tradeloop.core.errors import BadInput
from tradeloop.core.instrument import AssetClass, Instrument
from tradeloop.core.types import ZERO, Currency, Side, Symbol


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


@pytest.mark.parametrize(
    ("holding", "goal", "sold", "code"),
    [
        (150, 0, 150, ""),  # less than one order, but all there is
        (350, 200, 0, "below_one_lot"),  # 150 of 350 is neither an order nor all
        (401, 200, 201, ""),  # single shares above 200
        (350, 100, 250, ""),  # what is left may be an odd lot
    ],
)
def test_star_sells_single_shares_from_two_hundred_and_an_odd_rest_whole(holding: int, goal: int, sold: int, code: str) -> None:
    """R21."""
    star = stock(lot=1, min_qty=200)
    line = only(
        planned(
            target(f"{Decimal(goal) / 1000}"),
            prices=[price("1")],
            instruments=[star],
            holdings={"600001.SH": held(holding)},
            equity="1000",
        )
    )

    assert (line.order_qty, line.code) == (Decimal(sold), code)


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


@pytest.mark.parametrize(
    ("prices", "code", "words"),
    [
        ([], "no_price", "has no price"),
        ([price("0")], "no_price", "has no price"),
        ([price("10", age_s=61)], "stale_price", "61 s old, at most 60 s"),
        ([price("10", age_s=-61)], "stale_price", "stamped 61 s ahead of our clock, at most 60 s"),
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
