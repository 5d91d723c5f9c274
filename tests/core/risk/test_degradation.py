"""What is kept and what stops when something fails: the rows of docs/reference/degradation.md, each with a test that exists."""

from __future__ import annotations

import ast
import re
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from tests.core.risk.cases import MOUTAI, a_limit, buys, limited, refused, sells

from tradeloop.core.commands import CancelOrder
from tradeloop.core.replies import OrderReply
from tradeloop.core.reports import BrokerDown, BrokerUp
from tradeloop.core.types import SECOND_NS, OrdStatus, OrdType
from tradeloop.testing.builders import BROKER, a_quote, an_instrument, buy, sell
from tradeloop.testing.desk import Desk

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "reference" / "degradation.md"
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def test_every_row_is_shown_by_tests_that_exist() -> None:
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ") and "shown by" not in line]
    assert len(rows) == 11
    for row in rows:
        named = NAMED.findall(row)
        assert named, row
        for file, test in named:
            tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
            functions = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
            assert test in functions, f"{file} has no {test}"


def test_without_market_data_a_limit_order_may_close_and_nothing_goes_at_the_market() -> None:
    desk = Desk().opened(an_instrument(MOUTAI), positions={MOUTAI: 1000}, quoted=False)
    at_market = desk.give(sell(MOUTAI, 100))
    assert isinstance(at_market, OrderReply)
    assert at_market.denied is not None
    assert at_market.denied.rule == "quote_fresh"
    closing = desk.order(sell(MOUTAI, 100, ord_type=OrdType.LIMIT, price="9"))
    assert closing.ord_status is OrdStatus.PENDING_NEW
    desk.ack(closing)
    desk.give(CancelOrder(closing.cl_ord_id, "ann"))
    assert desk.known(closing.cl_ord_id).cancel_requested_at is not None


def test_a_venue_that_is_gone_stops_its_own_orders_and_keeps_what_is_unknown_reserved() -> None:
    desk = Desk().opened(an_instrument(MOUTAI))
    order = desk.order(buy(MOUTAI, 100, ord_type=OrdType.LIMIT, price="10"))
    desk.give(BrokerDown(BROKER, "the line is cut"))
    assert desk.known(order.cl_ord_id).ord_status is OrdStatus.UNKNOWN
    assert desk.known(order.cl_ord_id).reserved == Decimal(1000)
    for _ in range(2):
        reply = desk.give(buy(MOUTAI, 100, ord_type=OrdType.LIMIT, price="10"))
        assert isinstance(reply, OrderReply)
        assert reply.denied is not None
        assert reply.denied.rule == "broker_ready"
        desk.give(BrokerUp(BROKER))  # up again, and its books are not compared yet


def of_market(desk: Desk) -> str | None:
    """The rule that refuses an order at the market; None where it goes."""
    denied = refused(desk, buy(MOUTAI, 100))
    return None if denied is None else denied.rule


def test_a_quote_is_fresh_for_a_minute_and_no_order_goes_at_the_market_on_an_older_one() -> None:
    desk = limited()
    desk.wait(60)
    assert of_market(desk) is None
    desk.wait(1)
    assert of_market(desk) == "quote_fresh"
    desk.give(a_quote(MOUTAI, at=desk.now))
    assert of_market(desk) is None


@pytest.mark.parametrize("off", [None, -61, 61], ids=["unknown", "old", "ahead of our clock"])
def test_a_limit_on_the_price_of_an_order_refuses_it_without_a_fresh_quote_unless_missing_is_allowed(off: int | None) -> None:
    limit = a_limit("max_price_deviation", "0.03")
    for allowed in (False, True):
        desk = Desk().opened(an_instrument(MOUTAI), positions={MOUTAI: 100}, quoted=False)
        if off is not None:
            desk.give(a_quote(MOUTAI, at=desk.now + off * SECOND_NS))
        limited(msgspec.structs.replace(limit, allow_missing=allowed), desk=desk)
        denied = refused(desk, buys(100))
        assert (None if denied is None else (denied.rule, denied.was)) == (None if allowed else (limit.rule, "unknown"))
        assert refused(desk, sells(100)) is None  # what only closes passes


def test_a_limit_on_what_is_held_goes_on_with_the_last_price_and_refuses_where_there_never_was_one() -> None:
    limit = a_limit("max_position_value", 2000)
    desk = limited(limit)
    desk.wait(3600)
    assert refused(desk, buys(200)) is None
    denied = refused(desk, buys(100))
    assert denied is not None
    assert (denied.rule, denied.was) == (limit.rule, "1999")
    unknown = limited(limit, desk=Desk().opened(an_instrument(MOUTAI), quoted=False))
    denied = refused(unknown, buys(100))
    assert denied is not None
    assert (denied.rule, denied.was) == (limit.rule, "unknown")
    allowing = msgspec.structs.replace(limit, allow_missing=True)
    assert refused(limited(allowing, desk=Desk().opened(an_instrument(MOUTAI), quoted=False)), buys(100)) is None


def test_a_quote_that_lies_ahead_of_our_clock_counts_as_none() -> None:
    desk = limited(desk=Desk().opened(an_instrument(MOUTAI), quoted=False))
    desk.give(a_quote(MOUTAI, at=desk.now + 61 * SECOND_NS))
    assert of_market(desk) == "quote_fresh"
    desk.wait(1)
    assert of_market(desk) is None
