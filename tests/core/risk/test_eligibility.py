"""What may be opened at all: lists, boards that need a permission, and limits that are set wrongly."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from tests.core.risk.cases import BANK, MOUTAI, a_limit, buys, limited, refused, sells

from tradeloop.core.commands import ChangeLimit, ReplaceOrder, RevertLimit
from tradeloop.core.errors import BadInput
from tradeloop.core.instrument import AssetClass
from tradeloop.core.limit import LimitScope, RiskLimit, Severity
from tradeloop.core.replies import OrderReply
from tradeloop.core.risk.registry import checked
from tradeloop.core.types import SECOND_NS, PositionEffect, Qty, Side
from tradeloop.testing.builders import ACCOUNT, an_execution, an_instrument
from tradeloop.testing.desk import Desk


def listed(*limits: RiskLimit) -> Desk:
    """A desk that holds one of its two stocks, on two boards and of two industries."""
    desk = Desk().opened(
        an_instrument(MOUTAI, board="MAIN_SH", industry="liquor"),
        an_instrument(BANK, board="STAR", industry="", needs_permission=True),
        positions={MOUTAI: 1000},
        costs={MOUTAI: 10_000},
    )
    return limited(*limits, desk=desk)


@pytest.mark.parametrize("name", [MOUTAI, "liquor", "MAIN_SH", ACCOUNT])
def test_a_list_names_symbols_industries_boards_and_accounts(name: str) -> None:
    desk = listed(a_limit("blacklist", 0, LimitScope.GLOBAL, only=("000001.SZ", name)))
    denied = refused(desk, buys(100))
    assert denied is not None
    assert denied.text == f"opening what is on the black list (global): not allowed: {MOUTAI}; trade something else"
    assert (refused(desk, buys(100, BANK)) is None) is (name != ACCOUNT)
    assert refused(desk, sells(1000)) is None


def test_what_has_no_industry_is_on_no_list_of_industries() -> None:
    desk = listed(a_limit("whitelist", 0, but=("",)))
    assert refused(desk, buys(100, BANK)) is not None


def test_an_empty_white_list_lets_nothing_be_opened() -> None:
    desk = listed(a_limit("whitelist", 0))
    assert refused(desk, buys(100)) is not None
    assert refused(desk, sells(1000)) is None


def test_an_account_opens_on_the_boards_that_it_has_a_permission_for() -> None:
    assert refused(listed(a_limit("board_permission", 0, but=("STAR",))), buys(100, BANK)) is None
    denied = refused(listed(a_limit("board_permission", 0, but=("BSE",))), buys(100, BANK))
    assert denied is not None
    assert "600036.SH trades on STAR" in denied.text
    assert refused(listed(a_limit("board_permission", 0)), buys(100)) is None


def test_an_account_with_a_report_on_file_trades_by_program() -> None:
    assert refused(listed(a_limit("programme_report", 0, LimitScope.GLOBAL, but=(ACCOUNT,))), buys(100)) is None
    denied = refused(listed(a_limit("programme_report", 0, LimitScope.GLOBAL)), buys(100))
    assert denied is not None
    assert f"account {ACCOUNT}" in denied.text


def test_a_short_position_is_covered_whatever_is_on_the_black_list() -> None:
    future = an_instrument(MOUTAI, asset_class=AssetClass.FUTURE, margin_rate="0.1", lot=1, min_qty=1, shortable=True)
    desk = limited(a_limit("blacklist", 0, only=(MOUTAI,)), desk=Desk().opened(future))
    desk.give(an_execution(None, MOUTAI, Side.SELL, 5, "10", position_effect=PositionEffect.OPEN))
    assert refused(desk, buys(5)) is None
    assert refused(desk, buys(1)) is not None


def test_an_order_that_works_already_may_be_made_smaller_and_not_larger() -> None:
    desk = listed()
    order = desk.order(buys(300))
    desk.ack(order)
    limited(a_limit("blacklist", 0, only=(MOUTAI,)), desk=desk)
    for qty, passes in ((200, True), (400, False)):
        reply = desk.give(ReplaceOrder(order.cl_ord_id, "ann", order_qty=Qty(Decimal(qty))))
        assert isinstance(reply, OrderReply)
        assert (reply.denied is None) is passes


@pytest.mark.parametrize(
    ("limit", "says"),
    [
        (a_limit("no_self_trade", 1), "expected 0, it forbids and has no figure"),
        (a_limit("blacklist", 0), "has an empty list; name the symbols, boards, industries or accounts under `only`"),
        (a_limit("blacklist", 0, only=("A",), but=("B",)), "has no list of exceptions, and `but` was B"),
        (a_limit("whitelist", 0, only=("A",)), "is not for a list of names, and `only` was A"),
        (a_limit("max_orders_per_day", 3, only=("A",)), "is not for a list of names"),
        (a_limit("max_orders_per_day", 3, floor=Decimal(1)), "has no floor, which was 1; take that out"),
        (a_limit("max_cancel_ratio", "0.5", floor=Decimal(-1)), "expected a number that is not below zero"),
        (a_limit("max_minute_share", "0.2", LimitScope.GLOBAL), "cannot be counted over global; expected symbol"),
    ],
)
def test_a_limit_that_contradicts_its_rule_is_refused(limit: RiskLimit, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        checked(limit)


@pytest.mark.parametrize(
    ("of_file", "of_ann"),
    [
        (a_limit("blacklist", 0, only=(MOUTAI,)), a_limit("blacklist", 0, only=(BANK,))),
        (a_limit("whitelist", 0, but=(BANK,)), a_limit("whitelist", 0, but=(MOUTAI, BANK))),
        (a_limit("whitelist", 0), a_limit("whitelist", 0, but=(MOUTAI,))),
        (a_limit("blacklist", 0, only=(MOUTAI,)), a_limit("blacklist", 0, only=(MOUTAI,), severity=Severity.WARN)),
    ],
)
def test_a_list_that_a_person_adds_to_for_a_time_frees_nothing_that_the_file_forbids(
    of_file: RiskLimit, of_ann: RiskLimit
) -> None:
    desk = listed(of_file)
    desk.give(ChangeLimit(msgspec.structs.replace(of_ann, by="ann", reason="news"), lasts_ns=SECOND_NS))
    assert refused(desk, buys(100)) is not None
    assert len(desk.state.limits.in_force) == 2


def test_a_list_of_a_person_forbids_for_its_time_alone() -> None:
    desk = listed(a_limit("blacklist", 0, only=(MOUTAI,)))
    limit = a_limit("blacklist", 0, only=(BANK,), by="ann", reason="news")
    assert refused(desk, buys(100, BANK)) is None
    desk.give(ChangeLimit(limit, lasts_ns=SECOND_NS))
    assert refused(desk, buys(100, BANK)) is not None
    desk.give(RevertLimit("blacklist", "ann", "read it", LimitScope.ACCOUNT))
    assert refused(desk, buys(100, BANK)) is None
    assert refused(desk, buys(100)) is not None
