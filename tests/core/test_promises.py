"""What an order promises, as both folds ask it: given back by fills, taken again by reversals, and never more than it has."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from tradeloop.core.instrument import AssetClass
from tradeloop.core.order import Order
from tradeloop.core.promises import effect_of_reversal, frozen_anew, released_by_fill, reserved_by_reversal
from tradeloop.core.types import Amount, PositionEffect, Px, Qty, Side
from tradeloop.testing.builders import a_quote, an_instrument, buy
from tradeloop.testing.desk import Desk

A = "600001.SH"
D = Decimal


def an_order(**changes: object) -> Order:
    """A buy of 100, of which 40 have traded and 610 are still reserved."""
    instrument = an_instrument(A)
    desk = Desk().opened(instrument)
    desk.give(a_quote(A))
    order = desk.order(buy(A, 100))
    fields = {"cum_qty": Qty(D(40)), "reserved": Amount(D(610)), "frozen": Qty(D(0)), **changes}
    return msgspec.structs.replace(order, **fields)


def test_a_fill_releases_what_it_used_and_never_more_than_is_reserved() -> None:
    order = an_order()
    assert released_by_fill(order, an_instrument(A), D(400), D(5)) == 405
    assert released_by_fill(order, an_instrument(A), D(900), D(5)) == 610


def test_the_last_fill_releases_all_that_is_left() -> None:
    """Invariant 23: each reservation is released exactly once."""
    assert released_by_fill(an_order(cum_qty=Qty(D(100))), an_instrument(A), D(1), D(0)) == 610


def test_a_reversal_reserves_again_what_the_order_may_cost_and_only_while_it_works() -> None:
    assert reserved_by_reversal(an_order(), an_instrument(A), D(400), D(5)) == 405
    assert reserved_by_reversal(an_order(cum_qty=Qty(D(100))), an_instrument(A), D(400), D(5)) == 0
    assert reserved_by_reversal(an_order(side=Side.SELL), an_instrument(A), D(400), D(5)) == 0
    assert reserved_by_reversal(an_order(external=True, price=None), an_instrument(A), D(400), D(5)) == 0
    assert reserved_by_reversal(an_order(external=True, price=Px(D(10))), an_instrument(A), D(400), D(5)) == 405


def test_a_rebate_larger_than_what_a_fill_used_neither_raises_a_promise_nor_takes_it_below_zero() -> None:
    """A fill of a future uses its margin, a tenth of what it is worth here."""
    future = an_instrument(A, asset_class=AssetClass.FUTURE, margin_rate="0.1")
    assert released_by_fill(an_order(), future, D(400), D(-50)) == 0
    assert reserved_by_reversal(an_order(), future, D(400), D(-50)) == 0
    assert reserved_by_reversal(an_order(), an_instrument(A), D(400), D(-1)) == 399


def test_what_is_frozen_follows_what_is_left_to_close() -> None:
    """Invariant 22."""
    selling = an_order(side=Side.SELL, frozen=Qty(D(100)))
    assert frozen_anew(selling, an_instrument(A)) == -40
    assert frozen_anew(msgspec.structs.replace(selling, frozen=Qty(D(0))), an_instrument(A)) == 60
    assert frozen_anew(an_order(), an_instrument(A)) == 0


def test_what_was_frozen_is_released_even_where_the_instrument_is_not_known_any_more() -> None:
    selling = an_order(side=Side.SELL, frozen=Qty(D(100)))
    assert frozen_anew(selling, None) == -40
    assert frozen_anew(msgspec.structs.replace(selling, frozen=Qty(D(0))), None) == 0


@pytest.mark.parametrize("effect", list(PositionEffect))
def test_a_reversal_does_the_opposite_to_the_position(effect: PositionEffect) -> None:
    opposite = {PositionEffect.AUTO: PositionEffect.AUTO, PositionEffect.OPEN: PositionEffect.CLOSE}
    assert effect_of_reversal(effect) is opposite.get(effect, PositionEffect.OPEN)
