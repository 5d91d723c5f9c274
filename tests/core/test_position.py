"""What a fill does to a position: two legs, today and yesterday, cost as a total, profit by direction."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tradeloop.core.position import Position, book, closed_by, realizes, roll
from tradeloop.core.types import Amount, PositionEffect, Qty, Side
from tradeloop.testing.builders import known

BUY, SELL = Side.BUY, Side.SELL
AUTO, OPEN, CLOSE = PositionEffect.AUTO, PositionEffect.OPEN, PositionEffect.CLOSE
TODAY, YESTERDAY = PositionEffect.CLOSE_TODAY, PositionEffect.CLOSE_YESTERDAY


def long(qty: int, cost: int, today: int = 0) -> Position:
    return Position(long_qty=Qty(Decimal(qty)), long_cost=Amount(Decimal(cost)), long_today=Qty(Decimal(today)))


def short(qty: int, cost: int, today: int = 0) -> Position:
    return Position(short_qty=Qty(Decimal(qty)), short_cost=Amount(Decimal(cost)), short_today=Qty(Decimal(today)))


def trade(pos: Position, side: Side, qty: int, px: int, effect: PositionEffect = AUTO, *, of_today: bool = False) -> Decimal:
    return known(book(pos, side, Decimal(qty), Decimal(qty * px), effect, of_today=of_today))


def test_a_long_gains_when_it_is_sold_higher_and_a_short_when_it_is_bought_lower() -> None:
    """D5, S4-14."""
    assert trade(long(10, 100), SELL, 10, 12) == Decimal(20)
    assert trade(short(10, 100), BUY, 10, 8) == Decimal(20)


def test_a_short_loses_when_the_price_rises() -> None:
    """D5, S4-14."""
    assert trade(short(10, 100), BUY, 10, 13) == Decimal(-30)
    assert short(10, 100).unrealized(Decimal(13)) == Decimal(-30)


def test_an_open_position_gains_by_its_direction_and_multiplier() -> None:
    """D5."""
    assert long(2, 2400).unrealized(Decimal(5), Decimal(300)) == Decimal(600)
    assert short(2, 2400).unrealized(Decimal(5), Decimal(300)) == Decimal(-600)


def test_a_partial_close_takes_its_share_of_the_cost() -> None:
    pos = long(30, 100)
    realized = trade(pos, SELL, 10, 4)
    assert known(pos.long_cost) + (40 - realized) == Decimal(100)


def test_closing_everything_leaves_no_dust_of_cost() -> None:
    pos = long(3, 10)
    for _ in range(3):
        trade(pos, SELL, 1, 4)
    assert (pos.long_cost, pos.realized, pos.is_flat) == (Decimal(0), Decimal(2), True)


def test_a_sell_past_the_holding_turns_it_short() -> None:
    pos = long(10, 100)
    assert trade(pos, SELL, 15, 12) == Decimal(20)
    assert (pos.long_qty, pos.short_qty, pos.short_cost) == (Decimal(0), Decimal(5), Decimal(60))


def test_open_does_not_net_against_the_other_leg() -> None:
    """D5."""
    pos = long(10, 100)
    assert trade(pos, SELL, 5, 12, OPEN) == Decimal(0)
    assert (pos.long_qty, pos.short_qty) == (Decimal(10), Decimal(5))


@pytest.mark.parametrize(
    ("effect", "today_left"), [(CLOSE, 4), (YESTERDAY, 4), (TODAY, 1), (AUTO, 4)], ids=lambda v: getattr(v, "value", "")
)
def test_a_close_takes_yesterdays_part_first_unless_it_asks_for_todays(effect: PositionEffect, today_left: int) -> None:
    """D5."""
    pos = long(10, 100, today=4)
    trade(pos, SELL, 3, 10, effect)
    assert (pos.long_qty, pos.long_today) == (Decimal(7), Decimal(today_left))


def test_the_short_leg_keeps_its_days_apart_too() -> None:
    """D5."""
    pos = short(10, 100, today=4)
    trade(pos, BUY, 3, 10, TODAY)
    assert (pos.short_today, pos.short_yesterday) == (Decimal(1), Decimal(6))


def test_a_new_day_makes_todays_part_yesterdays() -> None:
    pos = long(10, 100, today=4)
    roll(pos)
    assert (pos.long_today, pos.long_yesterday) == (Decimal(0), Decimal(10))


def test_what_was_bought_today_is_not_sellable_under_t1() -> None:
    pos = long(10, 100, today=4)
    assert (pos.sellable(settles_t1=True), pos.sellable(settles_t1=False)) == (Decimal(6), Decimal(10))


def test_what_another_order_will_sell_is_not_sellable_again() -> None:
    pos = long(10, 100)
    pos.long_frozen = Qty(Decimal(8))
    assert pos.sellable(settles_t1=False) == Decimal(2)


def test_sellable_is_never_negative() -> None:
    pos = long(10, 100, today=10)
    pos.long_frozen = Qty(Decimal(8))
    assert pos.sellable(settles_t1=True) == Decimal(0)


@pytest.mark.parametrize("side", [BUY, SELL])
@pytest.mark.parametrize("effect", list(PositionEffect))
@pytest.mark.parametrize("qty", [3, 10, 15])
def test_what_a_fill_would_realise_is_what_it_realises(side: Side, effect: PositionEffect, qty: int) -> None:
    pos = long(10, 95)
    pos.short_qty, pos.short_cost = Qty(Decimal(10)), Amount(Decimal(107))
    foreseen = realizes(pos, side, Decimal(qty), Decimal(qty * 11), effect)
    realized = trade(pos, side, qty, 11, effect)
    assert (foreseen is None) is (effect is OPEN)
    assert realized == (foreseen or Decimal(0))


def test_an_opening_realises_nothing_which_is_not_zero_profit() -> None:
    assert realizes(Position(), BUY, Decimal(10), Decimal(100), AUTO) is None


def test_what_exceeds_the_leg_opens_whatever_was_asked() -> None:
    assert closed_by(long(10, 100), SELL, Decimal(15), CLOSE) == Decimal(10)


def test_taking_an_opening_back_makes_no_profit_that_nobody_made() -> None:
    """FIX J.1: bought at 10 and at 12, the first is taken back; what stays cost 12."""
    pos = Position()
    trade(pos, BUY, 10, 10)
    trade(pos, BUY, 10, 12)
    assert trade(pos, SELL, 10, 10, of_today=True) == Decimal(0)
    assert (pos.long_qty, pos.long_cost, pos.realized) == (Decimal(10), Decimal(120), Decimal(0))


def test_taking_a_short_opening_back_makes_no_profit_either() -> None:
    pos = Position()
    trade(pos, SELL, 10, 10, OPEN)
    trade(pos, SELL, 10, 12, OPEN)
    assert trade(pos, BUY, 10, 10, CLOSE, of_today=True) == Decimal(0)
    assert (pos.short_qty, pos.short_cost) == (Decimal(10), Decimal(120))


def test_an_opening_taken_back_after_its_shares_were_sold_still_balances() -> None:
    pos = Position()
    trade(pos, BUY, 10, 10)
    trade(pos, BUY, 10, 20)
    trade(pos, SELL, 15, 15)
    trade(pos, SELL, 10, 20, of_today=True)
    assert known(pos.realized) - known(pos.long_cost) + known(pos.short_cost) == Decimal(-100 - 200 + 225 + 200)


def test_a_sale_taken_back_returns_shares_that_may_be_sold_the_same_day() -> None:
    """Under T+1 only yesterday's shares can have been sold."""
    pos = long(10, 100)
    trade(pos, SELL, 10, 12)
    trade(pos, BUY, 10, 12, of_today=True)
    assert pos.sellable(settles_t1=True) == Decimal(10)


def test_the_average_cost_is_that_of_the_larger_leg_and_unknown_when_flat() -> None:
    assert long(10, 100).avg_cost() == Decimal(10)
    assert short(10, 6000).avg_cost(Decimal(300)) == Decimal(2)
    assert Position().avg_cost() is None


def test_a_cost_past_sixteen_digits_is_still_shared_out_and_refuses_no_fill() -> None:
    held = Position(long_qty=Qty(Decimal(300)), long_cost=Amount(Decimal("3E+16")))
    realized = book(held, Side.SELL, Decimal(100), Decimal(1000), PositionEffect.AUTO)
    assert (realized, held.long_cost) == (Decimal(1000) - Decimal("1E+16"), Decimal("2E+16"))
