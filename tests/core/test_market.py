"""Which quote counts: the newest that is not from the future; and how far the market went for a stop."""

from __future__ import annotations

import msgspec
import pytest

from tradeloop.core.events import OrderDenied, StopTriggered
from tradeloop.core.instrument import AssetClass
from tradeloop.core.types import OrdType, Px, Symbol
from tradeloop.testing.builders import a_quote, an_instrument, buy, number, sell
from tradeloop.testing.desk import Desk

MOUTAI = "600519.SH"


def a_desk() -> Desk:
    return Desk().opened(an_instrument(), positions={MOUTAI: 1000})


def test_an_older_quote_never_replaces_a_newer_one() -> None:
    desk = a_desk()
    desk.wait(30)
    desk.give(a_quote(bid="10.49", ask="10.50", at=desk.now), a_quote(bid="9.00", ask="9.01", at=desk.now - 1))
    assert desk.around.quotes[Symbol(MOUTAI)].ask == number("10.50")


def test_an_older_quote_fires_no_stop() -> None:
    desk = a_desk()
    desk.order(sell(MOUTAI, 100, ord_type=OrdType.STOP, stop_px="9.50"))
    desk.wait(30)
    desk.give(a_quote(at=desk.now), a_quote(bid="9.00", ask="9.01", at=desk.now - 1))
    assert desk.of(StopTriggered) == []


def test_a_quote_stamped_far_ahead_of_our_clock_is_not_fresh() -> None:
    desk = Desk().opened(an_instrument(), quoted=False)
    desk.give(a_quote(at=desk.now + 36_000 * 1_000_000_000), buy(MOUTAI, 100))
    (denied,) = desk.of(OrderDenied)
    assert (denied.rule, "36000 s ahead of our clock" in denied.text) == ("quote_fresh", True)


def test_a_quote_from_the_future_neither_replaces_a_present_one_nor_keeps_it_out() -> None:
    desk = a_desk()
    ahead = a_quote(bid="19.99", ask="20.00", at=desk.now + 36_000 * 1_000_000_000)
    desk.give(ahead)
    assert desk.around.quotes[Symbol(MOUTAI)].ask == number("10.00")
    fresh = Desk().opened(an_instrument(), quoted=False)
    fresh.give(ahead, a_quote(at=fresh.now))
    assert fresh.around.quotes[Symbol(MOUTAI)].ask == number("10.00")


@pytest.mark.parametrize("asset_class", list(AssetClass))
def test_a_price_of_zero_or_less_means_nobody_there_but_in_futures(asset_class: AssetClass) -> None:
    desk = Desk().opened(an_instrument(asset_class=asset_class))
    desk.give(a_quote(bid="-6", ask="0", last=Px(number("-5")), prev_close=Px(number("0"))))
    seen = desk.around.quotes[Symbol(MOUTAI)]
    nobody = asset_class is not AssetClass.FUTURE
    assert [px is None for px in (seen.bid, seen.ask, seen.last, seen.prev_close)] == [nobody] * 4


@pytest.mark.parametrize(("side", "stop_px", "reach"), [(buy, "11", {"high": "11.20"}), (sell, "9", {"low": "8.80"})])
def test_a_stop_fires_by_how_far_the_market_went_between_two_looks(side: object, stop_px: str, reach: dict[str, str]) -> None:
    desk = a_desk()
    desk.order(side(MOUTAI, 100, ord_type=OrdType.STOP, stop_px=stop_px))  # type: ignore[operator]
    desk.give(msgspec.structs.replace(a_quote(at=desk.now), **{name: Px(number(px)) for name, px in reach.items()}))
    assert [str(e.px) for e in desk.of(StopTriggered)] == list(reach.values())
