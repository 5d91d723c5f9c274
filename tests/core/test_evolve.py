"""Every fact has its place in the fold, and the fold asks nothing but the fact."""

from __future__ import annotations

from decimal import Decimal
from typing import get_args

import pytest

from tradeloop.core import decide as deciding
from tradeloop.core import evolve as evolving
from tradeloop.core import follow as following
from tradeloop.core.commands import Command, OpenTradingDay
from tradeloop.core.events import BooksAdjusted, Event, RunDenied, SymbolReleased
from tradeloop.core.evolve import evolve
from tradeloop.core.inputs import Input, Start, TimerFired
from tradeloop.core.instrument import AssetClass
from tradeloop.core.reports import BrokerDown, Quote, Report
from tradeloop.core.types import AccountID, Mode, OrdStatus, PositionEffect, Qty, Side, Symbol, TradingDay, UtcNs
from tradeloop.testing.builders import BROKER, NOON, an_execution, an_instrument, buy
from tradeloop.testing.desk import Desk


def test_every_event_has_its_place_in_the_fold_and_nothing_else_has() -> None:
    assert set(evolving._APPLY) == set(get_args(Event))
    assert len(evolving._APPLY) == len(get_args(Event))


def test_every_input_has_its_decision_and_nothing_else_has() -> None:
    inputs = {*get_args(Command), *get_args(Report), Quote, TimerFired, Start}
    assert set(get_args(Input)) == inputs
    assert set(deciding._DECIDE) == inputs
    assert len(deciding._DECIDE) == len(get_args(Input))


def test_effects_follow_from_events_that_exist() -> None:
    assert set(following._FOLLOW) <= set(get_args(Event))


@pytest.mark.parametrize("event", get_args(Event), ids=lambda e: e.__name__)
def test_every_event_begins_with_its_moment_and_is_frozen(event: type) -> None:
    fields = event.__struct_fields__  # type: ignore[attr-defined]
    assert fields[0] == "at"
    assert event.__struct_config__.frozen  # type: ignore[attr-defined]


def test_events_are_numbered_without_a_gap() -> None:
    desk = Desk().opened(an_instrument())
    desk.order(buy("600519.SH", 100))
    assert desk.state.seq == len(desk.events)


def test_a_refusal_is_counted_and_changes_nothing_else() -> None:
    desk = Desk().opened(an_instrument())
    before = desk.state.pack()
    refused = RunDenied(
        UtcNs(NOON), "p", "s", Mode.PAPER, TradingDay("2026-07-17"), AccountID("demo"), "ann", "hash", ("no cash",)
    )
    evolve(desk.state, refused)
    desk.state.seq -= 1
    assert desk.state.pack() == before


def test_a_released_symbol_takes_orders_again() -> None:
    desk = Desk().opened(an_instrument())
    desk.state.halted[Symbol("600519.SH")] = "overfilled"
    evolve(desk.state, SymbolReleased(UtcNs(NOON), Symbol("600519.SH"), "ann", "looked"))
    assert desk.order(buy("600519.SH", 100)).ord_status is OrdStatus.PENDING_NEW


def test_a_restart_trusts_no_session_of_the_process_before() -> None:
    desk = Desk().opened(an_instrument())
    desk.give(Start(2, "test", "t1"))
    link = desk.state.links[BROKER]
    assert (link.connected, link.ready, link.text) == (False, False, "engine restarted")


def test_a_day_of_one_market_settles_nothing_in_another() -> None:
    desk = Desk().opened(an_instrument(), an_instrument("AAPL.US", session="US"))
    for symbol in ("600519.SH", "AAPL.US"):
        position = desk.state.position(AccountID("demo"), Symbol(symbol))
        position.long_qty = position.long_today = Qty(an_instrument().lot)
    desk.give(OpenTradingDay("US", TradingDay("2026-07-20"), ()))
    held = desk.state.positions[AccountID("demo")]
    assert {symbol: bool(p.long_today) for symbol, p in held.items()} == {"600519.SH": True, "AAPL.US": False}


def test_a_lost_session_keeps_its_reason() -> None:
    desk = Desk().opened(an_instrument())
    desk.give(BrokerDown(BROKER, "reset by peer"))
    assert desk.state.links[BROKER].text == "reset by peer"


def test_a_holding_that_an_adjustment_emptied_leaves_no_cost_and_no_margin_behind() -> None:
    contract = an_instrument(asset_class=AssetClass.FUTURE, margin_rate="0.1", shortable=True)
    desk = Desk().opened(contract)
    order = desk.order(buy("600519.SH", 100, position_effect=PositionEffect.OPEN))
    desk.give(an_execution(order.cl_ord_id, "600519.SH", Side.BUY, 100, "10"))
    gone = Decimal(-100)
    evolve(desk.state, BooksAdjusted(UtcNs(NOON), "b", order.account, "long", "600519.SH", gone, "ann", "moved away"))
    held = desk.state.held(order.account, order.symbol)
    assert (held.long_cost, held.is_flat) == (Decimal(0), True)
    assert desk.state.accounts[order.account].cash[contract.currency].margin == Decimal(0)
