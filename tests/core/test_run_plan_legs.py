"""The legs of a plan: their numbers, orders above the venue's largest, and what a future closes before it opens."""

from __future__ import annotations

from decimal import Decimal

from tests.core.plans_made import future, held, only, planned, price, stock, target

from tradeloop.core.types import PositionEffect, Side


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


def test_the_odd_remainder_of_a_holding_above_the_largest_order_is_sold_as_the_last_leg() -> None:
    """What a single order may do, the last one of several may: sell all that is left."""
    lines = planned(target("0"), prices=[price("1")], instruments=[stock(largest=100)], holdings={"600001.SH": held(350)})

    assert [int(line.order_qty) for line in lines] == [100, 100, 100, 50]
    assert {line.code for line in lines} == {"split"}


def test_what_the_last_leg_lacks_comes_from_as_many_others_as_it_takes() -> None:
    """D8: 650 in orders of 200 to 300 are three, though no single one of them can spare what the third lacks."""
    lines = planned(target("0.65"), prices=[price("1")], instruments=[stock(lot=1, min_qty=200, largest=300)], equity="1000")

    assert [int(line.order_qty) for line in lines] == [250, 200, 200]
    assert {line.code for line in lines} == {"split"}


def test_what_no_number_of_legal_orders_makes_up_is_left_and_reported() -> None:
    """D8: 350 in orders of 200 to 300 are one of 300."""
    line = only(
        planned(target("0.35"), prices=[price("1")], instruments=[stock(lot=1, min_qty=200, largest=300)], equity="1000")
    )

    assert (int(line.order_qty), line.code, int(line.residual_qty)) == (300, "order_cap", 50)
    assert line.reason == "50 of 350 do not fit into 100 orders of at least 200 and at most 300 each"


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


def test_what_takes_no_market_orders_is_not_planned_and_the_line_says_so() -> None:
    line = only(planned(target("1"), prices=[price("1")], instruments=[stock(largest=0)]))
    assert (int(line.order_qty), line.code) == (0, "order_cap")
    assert line.reason == "600001.SH takes no market orders, and a run sends no others; order it with a limit"
