"""What a rule does not know of an instrument or of this day is unknown, and never the answer that lets an order through."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.core.risk.cases import BANK, MOUTAI, a_limit, buys, limited, refused, sells

from tradeloop.core import market
from tradeloop.core.commands import OpenTradingDay
from tradeloop.core.limit import RiskLimit
from tradeloop.core.types import SECOND_NS, OrdType, Px, Symbol, TradingDay, UtcNs
from tradeloop.testing.builders import a_quote, an_instrument, sell
from tradeloop.testing.desk import Desk

HOUR = 3600 * SECOND_NS
TEN, ELEVEN = Px(Decimal(10)), Px(Decimal(11))
TOMORROW = TradingDay("2026-07-20")


def nameless(limit: RiskLimit) -> Desk:
    """A desk that trades a mainland stock of which nobody has said more than its code, and one that is known by name."""
    known = an_instrument(BANK, name="Ping An Bank")
    return limited(limit, desk=Desk().opened(an_instrument(MOUTAI), known, positions={MOUTAI: 1000}))


@pytest.mark.parametrize("rule", ["no_special_treatment", "no_delisting"])
def test_a_stock_without_a_name_may_be_marked_and_is_not_opened(rule: str) -> None:
    desk = nameless(a_limit(rule, 0))
    denied = refused(desk, buys(100))
    assert denied is not None
    assert "the name of 600519.SH" in denied.text
    assert refused(desk, buys(100, BANK)) is None
    assert refused(desk, sells(100)) is None


def test_whoever_lets_the_unknown_pass_says_so_in_the_limit() -> None:
    assert refused(nameless(a_limit("no_special_treatment", 0, allow_missing=True)), buys(100)) is None


def test_without_a_present_quote_nobody_knows_whether_a_stock_is_suspended() -> None:
    desk = nameless(a_limit("no_suspended", 0))
    desk.give(a_quote(MOUTAI, at=desk.now))
    assert refused(desk, buys(100)) is None
    desk.wait(18 * 3600)
    denied = refused(desk, buys(100, price="10"))
    assert denied is not None
    assert "a present quote of 600519.SH" in denied.text


def over_night() -> Desk:
    """A process that lives over night with a feed that has died: the last quote is of the day before."""
    desk = Desk().opened(an_instrument(MOUTAI, price_limit="0.1"), positions={MOUTAI: 1000})
    desk.give(a_quote(MOUTAI, "11", "11.01", at=desk.now, prev_close=TEN))
    desk.wait(20 * 3600)
    desk.give(OpenTradingDay("CN_A", TOMORROW, ((UtcNs(desk.now - HOUR), UtcNs(desk.now + 2 * HOUR)),)))
    return desk


def test_the_close_of_the_day_before_yesterday_bounds_no_price_of_today() -> None:
    """11.40 is legal by yesterday's close of 11, and was refused by the one before that."""
    assert refused(over_night(), sell(MOUTAI, 100, ord_type=OrdType.LIMIT, price="11.40")) is None


def test_the_first_quote_of_the_day_brings_its_limits() -> None:
    desk = over_night()
    desk.give(a_quote(MOUTAI, "11", "11.01", at=desk.now, prev_close=ELEVEN))
    assert refused(desk, sell(MOUTAI, 100, ord_type=OrdType.LIMIT, price="12.10")) is None
    denied = refused(desk, sell(MOUTAI, 100, ord_type=OrdType.LIMIT, price="12.11"))
    assert denied is not None
    assert denied.rule == "price_limit"


@pytest.mark.parametrize("rule", ["max_deviation_from_prev_close", "limit_up_down"])
def test_a_rule_that_measures_from_the_last_close_does_not_know_it_before_the_first_quote(rule: str) -> None:
    desk = limited(a_limit(rule, "0.2" if rule.startswith("max") else 0), desk=over_night())
    denied = refused(desk, buys(100, price="11.40"))
    assert denied is not None
    assert "unknown" in denied.was


def test_a_quote_from_just_before_the_bell_is_of_the_day_that_begins() -> None:
    desk = Desk().opened(an_instrument(MOUTAI), quoted=False)
    bell = desk.state.hours["CN_A"].windows[0][0]
    moutai = desk.state.instruments[Symbol(MOUTAI)]
    early = a_quote(MOUTAI, at=bell - HOUR, prev_close=TEN)
    of_the_day_before = a_quote(MOUTAI, at=bell - 6 * HOUR, prev_close=TEN)
    assert market.todays_close(desk.state, moutai, early) == TEN
    assert market.todays_close(desk.state, moutai, of_the_day_before) is None
