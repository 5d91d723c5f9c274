"""What was done today in a symbol that is listed anew, in another industry or session, counts where it belongs now."""

from __future__ import annotations

import pytest
from tests.core.risk.cases import BANK, MOUTAI, a_limit, buys, limited, refused

from tradeloop.core.commands import ListInstruments, OpenTradingDay
from tradeloop.core.evolve import evolve
from tradeloop.core.limit import LimitScope, RiskLimit
from tradeloop.core.state import State
from tradeloop.core.types import SECOND_NS, Symbol, TradingDay, UtcNs
from tradeloop.testing.builders import an_instrument
from tradeloop.testing.desk import Desk

PER_INDUSTRY = a_limit("max_daily_order_value", 3000, LimitScope.INDUSTRY)
PER_DAY = a_limit("max_orders_per_day", 1, LimitScope.SYMBOL)


def a_desk(limit: RiskLimit) -> Desk:
    return limited(limit, desk=Desk().opened(an_instrument(MOUTAI, industry="drinks"), an_instrument(BANK, industry="banks")))


def opens_day(desk: Desk, session: str, day: str) -> None:
    desk.give(OpenTradingDay(session, TradingDay(day), ((desk.now, UtcNs(desk.now + 3600 * SECOND_NS)),)))


@pytest.mark.parametrize("restarts", [False, True], ids=["running", "restarted"])
def test_a_symbol_takes_the_sums_of_its_day_along_into_another_industry(restarts: bool) -> None:
    desk = a_desk(PER_INDUSTRY)
    desk.order(buys(200))
    desk.give(ListInstruments((an_instrument(MOUTAI, industry="banks"),)))
    if restarts:
        desk.state = State.unpack(desk.state.pack())
    desk.order(buys(100))
    denied = refused(desk, buys(100))
    assert denied is not None
    assert (denied.rule, denied.was) == ("max_daily_order_value", "3000")
    desk.give(ListInstruments((an_instrument(BANK, industry="drinks"),)))
    assert refused(desk, buys(300, BANK)) is None  # and leaves nothing behind in the one that it was in


def test_relisting_to_and_fro_unties_no_limit() -> None:
    desk = a_desk(PER_INDUSTRY)
    for number in range(6):
        desk.give(ListInstruments((an_instrument(MOUTAI, industry=("drinks", "spirits")[number % 2]),)))
        assert (refused(desk, buys(100)) is None) is (number < 3)


def test_a_symbol_listed_in_another_session_begins_its_day_anew_with_that_session() -> None:
    desk = a_desk(PER_DAY)
    before = desk.state.instruments[Symbol(MOUTAI)].session
    opens_day(desk, "elsewhere", "2026-07-17")
    desk.order(buys(100))
    desk.give(ListInstruments((an_instrument(MOUTAI, session="elsewhere"),)))
    assert refused(desk, buys(100)) is not None
    opens_day(desk, before, "2026-07-20")
    assert refused(desk, buys(100)) is not None
    opens_day(desk, "elsewhere", "2026-07-20")
    assert refused(desk, buys(100)) is None


def test_a_restart_from_the_journal_counts_the_same() -> None:
    desk = a_desk(PER_INDUSTRY)
    desk.order(buys(300))
    desk.give(ListInstruments((an_instrument(MOUTAI, industry="banks"),)))
    again = State()
    for event in desk.events:
        evolve(again, event)
    assert again.pack() == desk.state.pack()
    desk.state = again
    assert refused(desk, buys(100, BANK)) is not None
