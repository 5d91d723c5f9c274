"""A screen decides nothing: with all screens, with none, the verdict on an order is the same, whatever was ordered before."""

from __future__ import annotations

from decimal import Decimal
from random import Random
from typing import Any

import pytest

from tradeloop.core.commands import SetLimits, SubmitOrder
from tradeloop.core.limit import RiskLimit, Severity
from tradeloop.core.reports import CancelAck
from tradeloop.core.risk.judging import judge
from tradeloop.core.risk.registry import RULES, SHARES
from tradeloop.core.risk.rule import ByList, Look, RiskRule, Unit
from tradeloop.core.staging import intent_of
from tradeloop.core.state import Account
from tradeloop.core.types import AccountID, Amount, ClOrdID, Currency, OrdType, Qty, UtcNs
from tradeloop.testing.builders import ACCOUNT, BROKER, a_quote, an_execution, an_instrument, buy, sell
from tradeloop.testing.desk import Desk

SCREENED = [rule for rule in RULES.values() if rule.family is not None and rule.by_list is ByList.NO]
SYMBOLS = {"600519.SH": "drinks", "600036.SH": "banks", "AAPL.US": ""}
OTHER = AccountID("other")
SEEDS = range(12)
ORDERS = 60
FIGURES = {
    Unit.MONEY: ("500", "3000", "9000", "30000"),
    Unit.QTY: ("100", "300", "1000", "4000"),
    Unit.COUNT: ("0", "1", "3", "10", "40"),
    Unit.FRACTION: ("0", "0.01", "0.05", "0.3", "1"),
    Unit.MULTIPLE: ("0.1", "1", "2"),
    Unit.SECONDS: ("0", "1", "5"),
    Unit.NONE: ("0",),
}


def some_limit(dice: Random, rule: RiskRule) -> RiskLimit:
    """One that some orders keep and others do not, and now and then one that warns."""
    value = Decimal(dice.choice(FIGURES[rule.unit]))
    floor = None if rule.floor is None else Decimal(dice.choice((0, 2)))
    return RiskLimit(
        rule.code,
        min(value, Decimal(1)) if rule.code in SHARES else value,
        dice.choice(rule.scopes),
        severity=dice.choice((Severity.DENY, Severity.DENY, Severity.WARN)),
        allow_missing=dice.random() < 0.2,
        shadow=dice.random() < 0.2,
        floor=floor,
    )


def a_desk() -> Desk:
    """Two stocks of the mainland and one that may be sold short and has no industry; one of them is held; two accounts."""
    instruments = [
        an_instrument(symbol, industry=industry, price_limit=None if symbol.endswith("US") else "0.1", shortable=not industry)
        for symbol, industry in SYMBOLS.items()
    ]
    desk = Desk().opened(*instruments, cash=50_000, positions={"600519.SH": 500}, costs={"600519.SH": 5000})
    desk.state.accounts[OTHER] = Account(BROKER, adopted=True)
    desk.state.links[BROKER].compared[OTHER] = None
    desk.state.cash(OTHER, Currency("CNY")).balance = Amount(Decimal(20_000))
    return desk


def some_order(dice: Random) -> SubmitOrder:
    side = buy if dice.random() < 0.6 else sell
    more: dict[str, Any] = (
        {} if dice.random() < 0.2 else {"ord_type": OrdType.LIMIT, "price": dice.choice(("9.8", "10", "10.3"))}
    )
    more |= {"strategy_id": dice.choice(("", "s")), "account": dice.choice((ACCOUNT, ACCOUNT, OTHER))}
    return side(dice.choice(list(SYMBOLS)), dice.choice((100, 200, 500)), **more)


def moves_on(dice: Random, desk: Desk, working: list[ClOrdID]) -> None:
    """Time passes, a price changes or is lost, an order fills or is cancelled."""
    desk.now = UtcNs(desk.now + dice.choice((1_000_000, 700_000_000, 9_000_000_000)))
    bid = dice.choice(("9.7", "9.98", "10", None))
    more: dict[str, Any] = {"prev_close": dice.choice((Decimal(10), None)), "volume": Decimal(5000)}
    desk.give(a_quote(dice.choice(list(SYMBOLS)), bid, dice.choice(("10.02", "10.2", None)), at=desk.now, **more))
    if not working or dice.random() < 0.4:
        return
    order = desk.known(working.pop(dice.randrange(len(working))))
    if dice.random() < 0.5:
        desk.give(CancelAck(BROKER, order.cl_ord_id, cum_qty=Qty(order.cum_qty)))
    else:
        px = order.price or Decimal(10)
        desk.give(
            an_execution(
                order.cl_ord_id, order.symbol, order.side, order.order_qty, px, f"e{order.cl_ord_id}", account=order.account
            )
        )


@pytest.mark.parametrize("seed", SEEDS)
def test_a_verdict_is_the_same_with_screens_and_without(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    dice, desk, kept = Random(seed), a_desk(), 0
    working: list[ClOrdID] = []
    rules = [rule for rule in SCREENED if dice.random() < 0.5]
    desk.give(SetLimits(tuple(some_limit(dice, rule) for rule in rules), "risk.yaml"))
    for _ in range(ORDERS):
        moves_on(dice, desk, working)
        order = some_order(dice)
        intent, instrument = intent_of(desk.state, desk.around, order, desk.now)
        screened = judge(Look(desk.state, desk.around, intent, instrument, desk.now))
        with monkeypatch.context() as without:
            without.setattr("tradeloop.core.risk.judging._not_screened", lambda plan, look: plan.every)
            assert screened == judge(Look(desk.state, desk.around, intent, instrument, desk.now))
        kept += screened.denied is None
        if dice.random() < 0.7:
            desk.give(order)
        else:  # as if no limit had been there, so that there is something to count
            made = len(desk.state.orders.open)
            desk.give(SetLimits((), "nothing"), order, SetLimits(tuple(some_limit(dice, rule) for rule in rules), "risk.yaml"))
            if len(desk.state.orders.open) > made:
                working.append(next(reversed(desk.state.orders.open)))
    assert 0 < kept < ORDERS
