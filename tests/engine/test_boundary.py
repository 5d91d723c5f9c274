"""At the boundary: what a broker, a feed or a person says that cannot be ends nothing and spoils nothing."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.core.runs_made import a_run
from tests.engine.made import A, B, House, Venue, only, order_of, outcome, placed, settle

from tradeloop.core.commands import CancelOrder
from tradeloop.core.errors import BadInput
from tradeloop.core.events import BreakFound, StopTriggered, Traded
from tradeloop.core.replies import OrderReply
from tradeloop.core.reports import BrokerUp, OrderReject
from tradeloop.core.types import ClOrdID, OrderID, OrdStatus, OrdType, Side, TradingDay
from tradeloop.engine.engine import Engine
from tradeloop.engine.inbox import Inbox
from tradeloop.journal import codec
from tradeloop.testing.builders import BROKER, NOON, a_quote, a_snapshot, an_execution, buy, number, sell


async def test_a_fill_that_cannot_be_is_told_to_a_person_and_shows_as_a_break() -> None:
    house = House()
    engine = await house.open()
    cl_ord_id = await placed(engine, buy(A, 100))
    engine.report(an_execution(cl_ord_id, A, Side.BUY, 100, "NaN"))
    house.venue.fill(cl_ord_id, heard=False)
    house.venue.fills.clear()
    await house.clock.forward(65)

    assert house.on_disk(Traded) == []
    alert = next(alert for alert in house.alerts if alert.key.startswith("distrusted:"))
    assert (alert.level, "last_px was 'NaN'" in alert.text) == ("CRITICAL", True)
    assert {"position", "cash"} <= {found.kind for found in house.on_disk(BreakFound)}
    assert (await engine.ask(buy(B, 100))) is not None
    await engine.stop()


@pytest.mark.parametrize("effect", [None, "OPEN", "\u5f00\u4ed3", 5, []])
async def test_a_fill_whose_effect_is_no_word_of_ours_is_told_and_never_reaches_the_journal(effect: Any) -> None:
    """The journal would write it and could not read it again: no start after that one."""
    house = House()
    engine = await house.open()
    before = len(house.on_disk(object))
    engine.report(an_execution(None, A, Side.BUY, 100, "10", order_id=OrderID("77"), position_effect=effect))
    await settle()
    alert = only([alert for alert in house.alerts if alert.key.startswith("distrusted:")])
    assert "position_effect was" in alert.text
    assert "expected a PositionEffect" in alert.text
    assert len(house.on_disk(object)) == before
    await house.kill(engine)
    again = house.engine()
    await again.start()
    await again.stop()


async def test_what_is_no_report_and_of_no_broker_is_told_and_ends_nothing() -> None:
    house = House()
    engine = await house.open()
    for what in (None, "fill", BrokerUp([])):  # type: ignore[arg-type]
        engine.report(what)  # type: ignore[arg-type]
        engine.quote(what)  # type: ignore[arg-type]
    await settle()
    assert (await engine.ask(buy(A, 100))) is not None
    assert {alert.key.split(" ")[0] for alert in house.alerts} == {
        "distrusted:NoneType", "distrusted:str", "distrusted:BrokerUp", "distrusted:Quote",
    }  # fmt: skip
    await engine.stop()


async def test_a_rejection_with_unwritable_words_is_a_rejection() -> None:
    house = House()
    engine = await house.open()
    cl_ord_id = await placed(engine, buy(A, 100))
    engine.report(OrderReject(BROKER, cl_ord_id, "1", "bad \ud800 word"))
    await settle()
    assert (order_of(engine, cl_ord_id).ord_status, order_of(engine, cl_ord_id).text) == (OrdStatus.REJECTED, "1: bad ? word")
    await engine.stop()


async def test_a_report_of_a_broker_nobody_configured_is_told_and_not_decided() -> None:
    house = House()
    engine = await house.open()
    engine.report(BrokerUp("other"))
    engine.report(a_snapshot(broker="other"))
    await settle()
    assert [a.key for a in house.alerts] == [
        "distrusted:BrokerUp of broker 'other'",
        "distrusted:BrokerSnapshot of broker 'other'",
    ]
    assert "other" not in engine.state.links
    await engine.stop()


async def test_a_command_that_cannot_be_written_is_refused_to_its_asker_alone() -> None:
    house = House()
    engine = await house.open()
    bad = [
        engine.ask(buy(A, 100, reason="\ud800")),
        engine.ask(buy(A, 100, request_id="\udfff")),
        engine.ask(CancelOrder(ClOrdID("x"), "t", "\ud800")),
    ]
    good = engine.ask(buy(B, 100))
    assert [type(await outcome(refused)) for refused in bad] == [BadInput] * 3
    reply = await good
    assert isinstance(reply, OrderReply)
    assert reply.denied is None
    await engine.stop()


async def test_a_run_for_a_day_that_is_no_date_is_refused_to_its_asker_and_leaves_nothing() -> None:
    house = House()
    engine = await house.open()
    before = await house.journal.head()
    with pytest.raises(BadInput, match="trade_date was '2026-02-30'"):
        await engine.ask(a_run({A: "0.1"}, trade_date=TradingDay("2026-02-30")))
    assert await house.journal.head() == before
    assert not engine.state.runs
    await engine.stop()


async def test_a_quote_that_cannot_be_is_passed_over() -> None:
    house = House()
    engine = await house.open()
    engine.quote(a_quote(A, ask="NaN", at=house.clock.now()))
    await settle()
    assert engine.around.quotes[a_quote(A).symbol].ask == number("10.00")
    assert [a.key for a in house.alerts] == [f"distrusted:Quote of '{A}'"]
    await engine.stop()


async def test_a_stop_fires_though_the_quote_that_reached_it_was_overtaken_before_it_was_seen() -> None:
    house = House()
    house.venue.positions[A] = number(100)
    engine = await house.open()
    stop = await placed(engine, sell(A, 100, ord_type=OrdType.STOP, stop_px="9.50"))
    engine.quote(a_quote(A, bid="9.00", ask="9.01", at=house.clock.now()))
    engine.quote(a_quote(A, at=house.clock.now()))
    await settle()
    assert (only(house.on_disk(StopTriggered)).cl_ord_id, house.venue.placed) == (stop, [stop])
    await engine.stop()


async def test_waiting_quotes_keep_the_highest_offer_and_the_lowest_bid_and_never_go_back() -> None:
    inbox = Inbox()
    for second, (bid, ask) in enumerate([("9.99", "10.00"), ("8.00", "8.01"), ("12.00", "12.01"), ("10.00", "10.01")]):
        inbox.quote(a_quote(A, bid=bid, ask=ask, at=NOON + second))
    inbox.quote(a_quote(A, bid="1", ask="99", at=NOON))
    inbox.quote(a_quote(B, bid=None, ask=None, last=number("5")))
    inbox.quote(a_quote(B, bid=None, ask=None, last=number("4")))
    quotes = [given for given, _ in inbox.drain(10)]
    assert [(str(q.ask), str(q.high), str(q.low)) for q in quotes] == [  # type: ignore[union-attr]
        ("10.01", "12.01", "8.00"),
        ("None", "5", "4"),
    ]


async def test_a_suspended_quote_reaches_nothing() -> None:
    inbox = Inbox()
    inbox.quote(a_quote(A, bid="1", ask="1.01", suspended=True))
    inbox.quote(a_quote(A))
    ((quote, _),) = inbox.drain(10)
    assert (quote.low, quote.high) == (None, None)  # type: ignore[union-attr]


@pytest.mark.parametrize("changes", [{"cl_ord_id_max": 17}, {"cl_ord_id_alphabet": "0-9"}, {"cl_ord_id_alphabet": "a-zA-Z"}])
async def test_a_broker_that_cannot_carry_our_ids_is_refused_at_the_start(changes: dict[str, object]) -> None:
    house = House()
    house.venue.capabilities = msgspec.structs.replace(house.venue.capabilities, **changes)
    with pytest.raises(BadInput, match="broker paper takes ids of"):
        await house.engine().start()


def test_two_brokers_whose_accounts_have_one_name_are_refused() -> None:
    """The second one's books would be compared with those of the first, and their orders sent to whichever came first."""
    house = House()
    with pytest.raises(
        BadInput, match="account demo is configured at broker paper and at broker two; expected each account at"
    ):
        Engine(
            journal=house.journal,
            codec=codec,
            clock=house.clock,
            brokers={BROKER: house.venue, "two": Venue(7)},
            policy=house.policy,
            group="t1",
            owner="test",
            version="test",
            alert=house.alerts.append,
        )
