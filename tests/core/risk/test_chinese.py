"""Denials in Chinese, with the figures that the rule compared."""

from __future__ import annotations

import msgspec
import pytest
from tests.core.risk.cases import BANK, MOUTAI, Case, a_limit, buys, limited
from tests.core.risk.test_rules import CASES, asked

from tradeloop.core.limit import LimitScope, Severity
from tradeloop.core.replies import OrderReply
from tradeloop.core.risk.chinese import in_chinese
from tradeloop.core.risk.codes import ORDER_CODES
from tradeloop.core.risk.denied import Denied
from tradeloop.core.risk.registry import RULES


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.rule)
def test_a_denial_of_every_rule_says_its_figures_and_the_remedy(case: Case) -> None:
    denied = asked(case, case.desk(case.limit), case.beyond)
    assert denied is not None
    said = in_chinese(denied)
    words = RULES[case.rule].words
    assert said.startswith(f"委托被拒绝（{case.rule}）：{words.title_zh}（")
    assert said.endswith(f"；{words.remedy_zh}")
    assert all(figure in said for figure in case.figures if figure != "unknown")


@pytest.mark.parametrize(
    ("scope", "name", "words"),
    [
        (LimitScope.GLOBAL, "", "（全局）"),
        (LimitScope.ACCOUNT, "", "（每个账户）"),
        (LimitScope.SYMBOL, MOUTAI, f"（证券 {MOUTAI}）"),
    ],
)
def test_the_scope_is_said_in_chinese(scope: LimitScope, name: str, words: str) -> None:
    reply = limited(a_limit("max_order_qty", 100, scope, name=name)).give(buys(200))
    assert isinstance(reply, OrderReply)
    assert reply.denied is not None
    assert (
        in_chinese(reply.denied)
        == f"委托被拒绝（max_order_qty）：单笔委托数量{words}上限 100，现值 0，本委托增加 200；请减小数量或拆分委托"
    )


@pytest.mark.parametrize(
    ("approver", "why"), [("ann", "不能批准本人提交的委托或改单"), ("mallory", "不在审批人名单（risk.approvers）中")]
)
def test_why_an_approval_did_not_count_is_said_in_chinese(approver: str, why: str) -> None:
    limit = msgspec.structs.replace(a_limit("max_order_qty", 100), severity=Severity.APPROVAL)
    ask = msgspec.structs.replace(buys(200, approved_by=approver, request_id="r1"), by="ann")
    desk = limited(limit, approvers=("bob",))
    for _ in ("first", "again"):
        reply = desk.give(ask)
        assert isinstance(reply, OrderReply)
        assert reply.denied is not None
        assert in_chinese(reply.denied).endswith(f"；{approver} 的批准无效：{why}，请由他人批准；否则请减小数量或拆分委托")


def test_what_is_not_known_is_said() -> None:
    denied = Denied("max_order_value", "1000 CNY", "unknown", "…", "each symbol", "unknown")
    assert (
        in_chinese(denied)
        == "委托被拒绝（max_order_value）：单笔委托金额（每个证券）上限 1000 CNY，现值未知；请减小数量或拆分委托"
    )


@pytest.mark.parametrize("code", ORDER_CODES)
def test_a_denial_of_every_check_says_what_has_to_hold_and_what_to_do(code: str) -> None:
    said = in_chinese(Denied(code, "100", "60", "…", "account demo, symbol 600519.SH", "50"))
    words = ORDER_CODES[code]
    assert said == (
        f"委托被拒绝（{code}）：账户 demo，证券 600519.SH，要求{words.title_zh}（100），现为 60，本委托为 50；{words.remedy_zh}"
    )


@pytest.mark.parametrize(
    ("was", "this_order", "figures"), [("60", "", "，现为 60"), ("", "STOP", "，本委托为 STOP"), ("", "", "")]
)
def test_a_check_that_compares_no_figure_names_none(was: str, this_order: str, figures: str) -> None:
    said = in_chinese(Denied("order_type", "LIMIT", was, "…", "broker paper", this_order))
    assert said == f"委托被拒绝（order_type）：券商 paper，要求券商支持该委托类型（LIMIT）{figures}；请改用其他类型"


def test_a_code_of_another_version_is_told_with_its_figures() -> None:
    assert in_chinese(Denied("gone", "1", "2", f"of {BANK}")) == "委托被拒绝（gone）：限额 1，现值 2"
