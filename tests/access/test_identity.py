"""Roles are sets of scopes, and what they keep apart."""

from __future__ import annotations

import pytest

from tradeloop.access.identity import SCOPES, Role, Scope, scopes_of

TRADES = {Scope.ORDER_PAPER, Scope.ORDER_LIVE}


def test_only_the_trader_trades() -> None:
    assert [role for role in Role if SCOPES[role] & TRADES] == [Role.TRADER]


@pytest.mark.parametrize("role", [Role.TRADER, Role.RISK, Role.ADMIN])
def test_everybody_but_the_viewer_stops_the_desk(role: Role) -> None:
    assert Scope.HALT in SCOPES[role]
    assert Scope.HALT not in SCOPES[Role.VIEWER]


def test_who_trades_does_not_set_the_limits_nor_who_may_trade() -> None:
    assert not SCOPES[Role.TRADER] & {Scope.RISK, Scope.ADMIN}


def test_every_scope_belongs_to_some_role() -> None:
    assert scopes_of(frozenset(Role)) == frozenset(Scope)


def test_nobody_without_a_role_may_do_anything() -> None:
    assert scopes_of(frozenset()) == frozenset()
