"""Screens: what they say is kept is not measured again, and one that is not sure costs its own family alone."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from tests.core.risk.cases import MOUTAI, buys, limited, refused

from tradeloop.core.limit import LimitScope, RiskLimit
from tradeloop.core.risk.registry import RULES, SHARES
from tradeloop.core.risk.rule import ByList, Look, RiskRule
from tradeloop.core.state import Account
from tradeloop.core.types import ONE, ZERO, AccountID, Amount, Currency
from tradeloop.testing.builders import BROKER, a_quote, an_instrument
from tradeloop.testing.desk import Desk

SCREENED = [rule for rule in RULES.values() if rule.family is not None and rule.by_list is ByList.NO]


def wide(rule: RiskRule) -> RiskLimit:
    """A limit that every order keeps."""
    scope = LimitScope.ACCOUNT if LimitScope.ACCOUNT in rule.scopes else LimitScope.SYMBOL
    if rule.at_least or rule.unit.value == "none":
        return RiskLimit(rule.code, ZERO, scope)
    return RiskLimit(rule.code, ONE if rule.code in SHARES else Decimal(10**9), scope)


def under_all_of_them() -> Desk:
    """A desk that has ordered once, in a market that is known."""
    desk = Desk().opened(an_instrument(MOUTAI, industry="drinks", price_limit="0.1"), cash=10**9)
    desk = limited(*(wide(rule) for rule in SCREENED), desk=desk)
    desk.give(a_quote(MOUTAI, "9.99", "10", at=desk.now, prev_close=Decimal(10)))
    desk.order(buys(100))
    return desk


def measured(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The rules that measure another order."""
    met: list[str] = []

    def counting(rule: RiskRule) -> RiskRule:
        def measure(look: Look, limit: RiskLimit) -> object:
            met.append(rule.code)
            return rule.measure(look, limit)

        return msgspec.structs.replace(rule, measure=measure)

    for rule in SCREENED:
        monkeypatch.setitem(RULES, rule.code, counting(rule))
    desk.state.limits.relisted()
    assert refused(desk, buys(200)) is None
    return met


def test_what_a_screen_says_is_kept_is_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    assert measured(under_all_of_them(), monkeypatch) == []


def test_a_screen_that_is_not_sure_has_the_limits_of_its_own_family_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody says how much is offered, so that the price may be locked."""
    desk = under_all_of_them()
    desk.give(a_quote(MOUTAI, "9.99", None, at=desk.now, prev_close=Decimal(10)))
    met = measured(desk, monkeypatch)
    assert met
    families = {RULES[code].family for code in met}
    assert families == {RULES["limit_up_down"].family}


def test_a_limit_of_nothing_is_a_limit() -> None:
    """Of all accounts together at least nothing has to stay free, and another one owes more than this one has."""
    desk = Desk().opened(an_instrument(MOUTAI), cash=50_000, positions={MOUTAI: 5000}, costs={MOUTAI: 50_000})
    other = AccountID("other")
    desk.state.accounts[other] = Account(BROKER, adopted=True)
    desk.state.links[BROKER].compared[other] = None
    desk.state.cash(other, Currency("CNY")).balance = Amount(Decimal(-45_000))
    denied = refused(limited(RiskLimit("min_cash_ratio", ZERO, LimitScope.GLOBAL), desk=desk), buys(1000, price="10"))
    assert denied is not None
    assert denied.rule == "min_cash_ratio"
