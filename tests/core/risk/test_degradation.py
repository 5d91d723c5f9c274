"""What is kept and what stops when something fails: the rows of docs/reference/degradation.md, each with a test that exists."""

from __future__ import annotations

import ast
import re
from decimal import Decimal
from pathlib import Path

from tests.core.risk.cases import MOUTAI

from tradeloop.core.commands import CancelOrder
from tradeloop.core.replies import OrderReply
from tradeloop.core.reports import BrokerDown, BrokerUp
from tradeloop.core.types import OrdStatus, OrdType
from tradeloop.testing.builders import BROKER, an_instrument, buy, sell
from tradeloop.testing.desk import Desk

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "reference" / "degradation.md"
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def test_every_row_is_shown_by_tests_that_exist() -> None:
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ") and "shown by" not in line]
    assert len(rows) == 7
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
