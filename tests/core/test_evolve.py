"""Every fact has its place in the fold, and the fold asks nothing but the fact."""

from __future__ import annotations

from decimal import Decimal
from typing import get_args

import msgspec
import pytest

from tradeloop.core import decide as deciding
from tradeloop.core import evolve as evolving
from tradeloop.core import follow as following
from tradeloop.core.commands import Command, ListInstruments, OpenTradingDay
from tradeloop.core.events import BooksAdjusted, Event, ExternalOrderFound, RunDenied, SymbolReleased
from tradeloop.core.evolve import evolve
from tradeloop.core.fills import unresolved
from tradeloop.core.inputs import Input, LatchFound, Start, TimerFired
from tradeloop.core.instrument import AssetClass
from tradeloop.core.replies import OrderReply
from tradeloop.core.reports import (
    BrokerDown,
    BrokerUp,
    CancelAck,
    HeldCash,
    HeldPosition,
    Quote,
    Report,
    SendOutcome,
)
from tradeloop.core.state import State
from tradeloop.core.types import (
    AccountID,
    Amount,
    Currency,
    Mode,
    OrdStatus,
    PositionEffect,
    Px,
    Qty,
    Side,
    Symbol,
    TradingDay,
    UtcNs,
)
from tradeloop.testing.builders import (
    ACCOUNT,
    BROKER,
    DAY,
    NOON,
    a_snapshot,
    an_execution,
    an_instrument,
    buy,
    sell,
    their_order,
)
from tradeloop.testing.desk import Desk

MOUTAI = Symbol("600519.SH")


def test_every_event_has_its_place_in_the_fold_and_nothing_else_has() -> None:
    assert set(evolving._APPLY) == set(get_args(Event))
    assert len(evolving._APPLY) == len(get_args(Event))


def test_every_input_has_its_decision_and_nothing_else_has() -> None:
    inputs = {*get_args(Command), *get_args(Report), Quote, TimerFired, Start, LatchFound}
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


@pytest.mark.parametrize(("leg", "side"), [("long", Side.BUY), ("short", Side.SELL)])
def test_what_an_adjustment_takes_away_takes_its_cost_along_and_realizes_nothing(leg: str, side: Side) -> None:
    """What is left has cost what it did for each unit: no loss appears that nobody made."""
    contract = an_instrument(asset_class=AssetClass.FUTURE, margin_rate="0.1", shortable=True)
    desk = Desk().opened(contract)
    order = desk.order(msgspec.structs.replace(buy("600519.SH", 300, position_effect=PositionEffect.OPEN), side=side))
    desk.give(an_execution(order.cl_ord_id, "600519.SH", side, 300, "10"))
    evolve(desk.state, BooksAdjusted(UtcNs(NOON), "b", order.account, leg, "600519.SH", Decimal(-100), "ann", "moved away"))
    held = desk.state.held(order.account, order.symbol)
    assert (held.avg_cost(contract.multiplier), held.realized) == (Decimal(10), Decimal(0))
    assert held.unrealized(Px(Decimal(10)), contract.multiplier) == 0
    assert desk.state.accounts[order.account].cash[contract.currency].margin == Decimal(200)


def test_the_first_trading_day_known_leaves_what_may_be_sold_as_the_broker_showed_it() -> None:
    """H11: a buy of today must not become sellable under T+1 because its market's day was opened after the adoption."""
    desk = Desk()
    desk.give(Start(1, "test", "t1"), ListInstruments((an_instrument(settles_t1=True),)), BrokerUp(BROKER))
    bought_today = HeldPosition(ACCOUNT, MOUTAI, Qty(Decimal(1000)), Qty(Decimal(0)), Qty(Decimal(400)))
    desk.give(msgspec.structs.replace(a_snapshot(), positions=(bought_today,)))
    desk.give(OpenTradingDay("CN_A", DAY, ()))
    assert desk.state.held(ACCOUNT, MOUTAI).sellable(settles_t1=True) == Decimal(400)
    desk.give(OpenTradingDay("CN_A", TradingDay("2026-07-20"), ()))
    assert desk.state.held(ACCOUNT, MOUTAI).sellable(settles_t1=True) == Decimal(1000)


@pytest.mark.parametrize("how", ["filled", "cancelled"])
def test_what_a_sell_was_promised_is_released_whatever_became_of_its_instrument(how: str) -> None:
    """M4."""
    desk = Desk().opened(an_instrument(), positions={MOUTAI: 1000})
    order = desk.order(sell(MOUTAI, 1000))
    desk.ack(order)
    desk.give(ListInstruments((an_instrument(shortable=True),)))
    if how == "filled":
        desk.give(an_execution(order.cl_ord_id, MOUTAI, Side.SELL, 1000, 10))
    else:
        desk.give(CancelAck(BROKER, order.cl_ord_id))
    assert desk.state.held(ACCOUNT, MOUTAI).long_frozen == Decimal(0)


def test_a_sell_that_was_promised_nothing_releases_nothing_of_what_others_were_promised() -> None:
    desk = Desk().opened(an_instrument(shortable=True), positions={MOUTAI: 1000})
    free = desk.order(sell(MOUTAI, 500))
    desk.give(ListInstruments((an_instrument(),)))
    desk.order(sell(MOUTAI, 300))
    desk.give(CancelAck(BROKER, free.cl_ord_id))
    assert desk.state.held(ACCOUNT, MOUTAI).long_frozen == Decimal(300)


def test_a_strangers_working_buy_holds_the_money_it_may_take() -> None:
    """M5: two buyers never share one yuan."""
    desk = Desk().opened(an_instrument(), cash=10_000)
    theirs = their_order(None, MOUTAI, Side.BUY, 600, OrdStatus.NEW, price=Px(Decimal(10)))
    desk.give(a_snapshot(cash=10_000, orders=(theirs,)))
    book = desk.state.accounts[ACCOUNT].cash[an_instrument().currency]
    assert (book.reserved, book.free) == (Decimal(6000), Decimal(4000))
    desk.give(an_execution(None, MOUTAI, Side.BUY, 200, "9", order_id=theirs.order_id))
    assert (book.reserved, book.free) == (Decimal(4200), Decimal(4000))
    external = desk.known(desk.of(ExternalOrderFound)[0].cl_ord_id)
    desk.give(CancelAck(BROKER, external.cl_ord_id))
    assert (book.reserved, book.free) == (Decimal(0), Decimal(8200))


@pytest.mark.parametrize(("side", "price"), [(Side.BUY, None), (Side.SELL, "10")])
def test_a_strangers_order_without_a_price_or_that_sells_holds_no_money(side: Side, price: str | None) -> None:
    desk = Desk().opened(an_instrument(), positions={MOUTAI: 600})
    px = None if price is None else Px(Decimal(price))
    desk.give(a_snapshot(positions={MOUTAI: 600}, orders=(their_order(None, MOUTAI, side, 600, OrdStatus.NEW, price=px),)))
    assert desk.of(ExternalOrderFound)[0].reserve == Decimal(0)


def test_the_currency_of_an_instrument_nobody_knows_does_not_hang_on_the_order_of_the_books() -> None:
    """The same state gives the same facts, also after it was read back from a snapshot."""
    desk = Desk().opened(an_instrument())
    cash = tuple(HeldCash(ACCOUNT, Currency(name), Amount(Decimal(1))) for name in ("USD", "CNY", "HKD"))
    fresh = Desk()
    fresh.give(Start(1, "test", "t1"), msgspec.structs.replace(a_snapshot(), cash=cash))
    again = State.unpack(fresh.state.pack())
    assert again.hash() == fresh.state.hash()
    assert unresolved(fresh.state, ACCOUNT, MOUTAI) == unresolved(again, ACCOUNT, MOUTAI)
    assert unresolved(desk.state, ACCOUNT, MOUTAI).currency == "CNY"


def test_which_order_of_unknown_fate_is_named_does_not_hang_on_the_order_they_came_in() -> None:
    desk = Desk().opened(an_instrument())
    first, second = (desk.order(buy(MOUTAI, 100)) for _ in range(2))
    for order in (second, first):
        desk.give(SendOutcome(BROKER, order.cl_ord_id, "UNKNOWN", "timeout"))
    reply = desk.give(buy(MOUTAI, 100))
    assert isinstance(reply, OrderReply)
    assert reply.denied is not None
    assert first.cl_ord_id in reply.denied.text
