"""What risk says of an order that nobody sends, and of orders that were sent, under other limits."""

from __future__ import annotations

import inspect
import re
from decimal import Decimal

import pytest
from tests.core.risk.cases import BANK, MOUTAI, Case, a_limit, buys, limited, refused, sells
from tests.core.risk.test_rules import CASES, asked

from tradeloop.core.commands import HaltTrading, ReplaceOrder, SetLimits
from tradeloop.core.errors import BadInput
from tradeloop.core.events import OrderStaged, ReplaceRequested
from tradeloop.core.halt import HaltTier
from tradeloop.core.hypothetical import Answer, Hindsight, explain
from tradeloop.core.limit import LimitScope, RiskLimit, Severity
from tradeloop.core.risk.codes import ORDER_CODES
from tradeloop.core.risk.pipeline import LAST, PIPELINE, SAYS
from tradeloop.core.risk.registry import RULES
from tradeloop.core.risk.rule import RuleGroup
from tradeloop.core.types import Qty
from tradeloop.testing.builders import an_instrument, buy
from tradeloop.testing.desk import Desk


def explained(desk: Desk, qty: int, symbol: str = MOUTAI) -> Answer:
    return explain(desk.state, desk.around, buys(qty, symbol), desk.now)


def looked_back(desk: Desk, *limits: RiskLimit) -> list[tuple[str, str | None]]:
    """(order, rule that would have denied it) of every order and change on record."""
    past = Hindsight(limits)
    found: list[tuple[str, str | None]] = []
    for event in desk.events:
        verdict = past.feed(event)
        if verdict is not None:
            assert isinstance(event, OrderStaged | ReplaceRequested)
            found.append((event.cl_ord_id, verdict.denied.rule if verdict.denied is not None else None))
    return found


def test_every_check_and_every_limit_answers_and_nothing_is_recorded() -> None:
    limits = (a_limit("max_order_value", 999), a_limit("max_order_qty", 100), a_limit("max_daily_traded_value", 1))
    desk = limited(*limits)
    desk.give(HaltTrading(HaltTier.HALT, "ann", "news"))
    before = len(desk.events), desk.state.hash()
    answer = explained(desk, 100)
    assert [each.code for each in answer.checks if each.denied is not None] == ["halted"]
    assert answer.denied is not None
    assert answer.denied.rule == "halted"
    figures = [(each.limit.rule, each.most, each.was, each.adds, each.is_beyond) for each in answer.figures]
    assert figures == [
        ("max_order_value", "999", "0", "1000", True),
        ("max_order_qty", "100", "0", "100", False),
        ("max_daily_traded_value", "1", "0", "1000", True),
    ]
    assert (len(desk.events), desk.state.hash()) == before


def test_the_answer_is_what_whoever_sends_it_is_told() -> None:
    for qty, rule in ((100, None), (101, "lot"), (200, "max_order_value")):
        desk = limited(a_limit("max_order_value", 1000))
        denied = explained(desk, qty).denied
        assert (denied.rule if denied is not None else None) == rule
        reply = desk.give(buys(qty))
        assert reply is not None
        assert reply.denied == denied  # type: ignore[union-attr]


def test_the_checks_have_the_codes_of_the_registry_and_of_their_denials() -> None:
    """One code, one meaning: what is shown of an order is what its denial carries."""
    desk = limited()
    codes = [each.code for each in explained(desk, 100).checks]
    assert codes == [code for code in ORDER_CODES if code != "price_drift"]  # of an order that leaves late
    checks = {each.code: each for each in explained(desk, 101).checks}
    assert {code for code, each in checks.items() if each.denied is not None} == {"lot"}
    assert {code for code, each in checks.items() if not each.asked} == {"exact_qty", "order_qty_max"}


def test_every_check_names_the_codes_that_it_says_no_with() -> None:
    assert set(SAYS) == set(PIPELINE + LAST)
    for check, codes in SAYS.items():
        said = re.findall(r'Denied\(\s*"(\w+)"', inspect.getsource(check))
        assert set(said) <= set(codes), check.__name__


def test_a_limit_of_another_symbol_is_not_asked() -> None:
    desk = limited(a_limit("max_order_qty", 1, LimitScope.SYMBOL, name=BANK))
    assert explained(desk, 100).figures == ()
    assert explained(desk, 100, BANK).denied is not None


def test_what_a_limit_does_not_know_is_named() -> None:
    desk = limited(a_limit("max_order_value", 1000))
    desk.around.quotes.clear()
    answer = explain(desk.state, desk.around, buy(MOUTAI, 100), desk.now)
    (figure,) = answer.figures
    assert (figure.missing, figure.was, figure.is_beyond) == (f"a price of {MOUTAI}", "unknown", True)


def test_an_order_that_contradicts_itself_is_refused() -> None:
    desk = limited()
    with pytest.raises(BadInput):
        explained(desk, -100)
    with pytest.raises(BadInput, match="which is not listed"):
        explained(desk, 100, "000001.SZ")


def test_hindsight_says_what_other_limits_would_have_denied() -> None:
    desk = limited()
    first, second = desk.order(buys(100)), desk.order(buys(200))
    assert looked_back(desk, a_limit("max_order_qty", 100)) == [
        (first.cl_ord_id, None),
        (second.cl_ord_id, "max_order_qty"),
    ]
    assert looked_back(desk, a_limit("max_orders_per_day", 0)) == [
        (first.cl_ord_id, "max_orders_per_day"),
        (second.cl_ord_id, "max_orders_per_day"),
    ]


def test_hindsight_forgets_the_limits_that_were() -> None:
    desk = limited(a_limit("max_order_qty", 100, severity=Severity.WARN))
    order = desk.order(buys(200))
    desk.give(SetLimits((a_limit("max_order_value", 10_000),), "risk.yaml"))
    assert looked_back(desk) == [(order.cl_ord_id, None)]
    assert looked_back(desk, a_limit("max_daily_order_value", 1999)) == [(order.cl_ord_id, "max_daily_order_value")]


def test_hindsight_values_an_order_without_a_price_at_the_one_recorded_with_it() -> None:
    desk = limited()
    order = desk.order(buy(MOUTAI, 100))
    value = order.arrival_px * 100 if order.arrival_px is not None else Decimal(0)
    assert value > 0
    assert looked_back(desk, RiskLimit("max_order_value", value)) == [(order.cl_ord_id, None)]
    assert looked_back(desk, RiskLimit("max_order_value", value - 1)) == [(order.cl_ord_id, "max_order_value")]


def test_hindsight_looks_at_other_terms_of_an_order_too() -> None:
    desk = limited()
    order = desk.order(buys(100))
    desk.ack(order)
    desk.give(ReplaceOrder(order.cl_ord_id, "ann", order_qty=Qty(Decimal(300))))
    assert looked_back(desk, a_limit("max_order_qty", 200)) == [
        (order.cl_ord_id, None),
        (order.cl_ord_id, "max_order_qty"),
    ]


FACTS = frozenset({RuleGroup.CAPITAL, RuleGroup.POSITION, RuleGroup.FREQUENCY})
"""Groups whose rules look at recorded facts; where they look at prices as well and there is none, that denies too."""


@pytest.mark.parametrize("case", [case for case in CASES if RULES[case.rule].group in FACTS], ids=lambda case: case.rule)
def test_hindsight_finds_what_each_rule_of_facts_would_have_denied(case: Case) -> None:
    desk = case.desk(case.limit)
    desk.give(SetLimits((), "risk.yaml"))
    for order in case.beyond:
        assert asked(case, desk, [order]) is None
        case.done(desk)
    assert looked_back(desk, case.limit)[-1][1] == case.rule


@pytest.mark.parametrize("rule", ["no_self_trade", "max_minute_traded_value"])
def test_a_look_back_counts_the_own_orders_that_worked(rule: str) -> None:
    """What a rule reads of the other side of our own book stood there in the past as well."""
    limit = a_limit(rule, 0 if rule == "no_self_trade" else 1500, LimitScope.GLOBAL)
    orders = [buys(100, price="10"), sells(100, price="10")] if rule == "no_self_trade" else [buys(100), buys(100)]
    live, past = (Desk().opened(an_instrument(MOUTAI), positions={MOUTAI: 1000}) for _ in range(2))
    live.give(SetLimits((limit,), "risk.yaml"))
    denied = [found.rule for order in orders if (found := refused(live, order)) is not None]
    assert denied == [rule]
    for order in orders:
        past.give(order)
    assert [found for _, found in looked_back(past, limit)] == [None, rule]
