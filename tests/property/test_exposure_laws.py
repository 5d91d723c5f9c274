"""The law of limits on positions: whatever passes, and whatever of it fills in whatever order, none of them is broken at any
instant. What is not accepted is not the law's business, nor what a person changes outside, nor a price that moves.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.property.holdings_made import ACCOUNTS, ALL, BANK, CNY, FUTURE, OTHER, SHORTABLE, STOCK, USD, Life

from tradeloop.core.commands import SetLimits
from tradeloop.core.limit import LimitScope, RiskLimit
from tradeloop.core.types import ZERO, AccountID, Currency, PositionEffect, Side
from tradeloop.testing.builders import ACCOUNT

PX = Decimal("10.005")
"""What every unit counts for."""
HELD = {"600519.SH": 300, "AAPL.US": 200}
MOST: dict[tuple[str, LimitScope], int] = {
    ("max_position_qty", LimitScope.ACCOUNT): 700,
    ("max_position_qty", LimitScope.SYMBOL): 800,
    ("max_position_value", LimitScope.ACCOUNT): 9_000,
    ("max_gross_value", LimitScope.GLOBAL): 12_000,
    ("max_industry_value", LimitScope.INDUSTRY): 8_000,
    ("max_positions", LimitScope.ACCOUNT): 2,
    ("max_open_orders", LimitScope.GLOBAL): 4,
}
"""Per account and over both."""
QTY, ALL_QTY, VALUE, GROSS, INDUSTRY, COUNT, OPEN = MOST.values()

in_force = st.one_of(st.sampled_from([[one] for one in MOST]), st.just(list(MOST)))
"""One of them alone, where no other stands before it, or all together."""

becoming = st.tuples(
    st.sampled_from(["fill"] * 8 + ["cancel", "lose", "change", "change", "changed", "unchanged"]),
    st.integers(0, 9),
    st.sampled_from([50, 400, 900, 900]),
)


@st.composite
def paths(draw: st.DrawFn) -> list[tuple[object, ...]]:
    """Orders in few instruments, and what becomes of them: in many, hardly any limit is ever come near."""
    instruments = draw(st.sampled_from([[FUTURE], [BANK], [STOCK, FUTURE], [SHORTABLE], list(ALL)]))
    few = st.tuples(
        st.just("order"),
        st.sampled_from(instruments),
        st.sampled_from(list(Side)),
        st.sampled_from([1, 80, 350, 600]),
        st.sampled_from([PositionEffect.AUTO, PositionEffect.AUTO, PositionEffect.OPEN, PositionEffect.CLOSE]),
        st.sampled_from(ACCOUNTS),
    )
    return draw(st.lists(st.one_of(few, becoming), min_size=12, max_size=60))


def under(asked: list[tuple[str, LimitScope]]) -> Life:
    """A desk under these limits."""
    life = Life(HELD)
    limits = (RiskLimit(rule, Decimal(MOST[rule, scope]), scope, allow_missing=True) for rule, scope in asked)
    life.desk.give(SetLimits(tuple(limits), "risk.yaml"))
    return life


def worth(life: Life, account: AccountID, symbol: str, currency: Currency) -> Decimal:
    """What is held of it, both legs together, whatever works."""
    instrument = next(one for one in ALL if one.symbol == symbol)
    position = life.desk.state.held(account, instrument.symbol)
    if instrument.currency != currency:
        return ZERO
    return (position.long_qty + position.short_qty) * PX * instrument.multiplier


def judge(life: Life) -> None:
    """What is held keeps every limit in force, in each currency by itself."""
    state = life.desk.state
    limits = {(limit.rule, limit.scope): limit.value for limit in state.limits.in_force.values()}
    for (rule, scope), most in limits.items():
        for found in MEASURED[rule, scope](life):
            assert found <= most, rule
    assert len(state.limits.in_force) in (1, len(MOST))


def _qty(life: Life, *groups: tuple[AccountID, ...]) -> list[Decimal]:
    held = [[life.desk.state.held(account, one.symbol) for account in group] for group in groups for one in ALL]
    return [sum(legs, ZERO) for books in held for legs in ([p.long_qty for p in books], [p.short_qty for p in books])]


def _value(life: Life) -> list[Decimal]:
    books = [(life.desk.state.held(account, one.symbol), one) for account in ACCOUNTS for one in ALL]
    return [max(p.long_qty, p.short_qty) * PX * one.multiplier for p, one in books]


def _gross(life: Life) -> list[Decimal]:
    return [sum((worth(life, a, i.symbol, c) for a in ACCOUNTS for i in ALL), ZERO) for c in (CNY, USD)]


def _industry(life: Life) -> list[Decimal]:
    inside = [(c, [i for i in ALL if i.industry == name]) for c in (CNY, USD) for name in ("drinks", "tech")]
    return [sum((worth(life, a, i.symbol, c) for a in ACCOUNTS for i in those), ZERO) for c, those in inside]


def _count(life: Life) -> list[Decimal]:
    return [Decimal(sum(not life.desk.state.held(account, one.symbol).is_flat for one in ALL)) for account in ACCOUNTS]


def _open(life: Life) -> list[Decimal]:
    """Those that surely open: what closes passes, and stands beside them."""
    state = life.desk.state
    opening = 0
    for order in state.orders.open.values():
        buys = order.position_effect is PositionEffect.AUTO and order.side is Side.BUY
        opens = order.position_effect is PositionEffect.OPEN or (buys and not state.instruments[order.symbol].can_be_short)
        opening += bool(order.exposed_qty) and opens
    return [Decimal(opening)]


MEASURED: dict[tuple[str, LimitScope], Callable[[Life], list[Decimal]]] = dict(
    zip(
        MOST,
        (
            lambda life: _qty(life, (ACCOUNT,), (OTHER,)),
            lambda life: _qty(life, ACCOUNTS),
            *(_value, _gross, _industry, _count, _open),
        ),
        strict=True,
    )
)


@settings(max_examples=250)
@given(in_force, paths())
def test_no_limit_on_positions_is_ever_broken_by_what_was_accepted(
    asked: list[tuple[str, LimitScope]], path: list[tuple[object, ...]]
) -> None:
    """Invariant 25: at every instant, in flight, UNKNOWN, changed, filled and taken out in any order."""
    life = under(asked)
    judge(life)
    for deed in path:
        life.do(deed)
        judge(life)


def test_the_law_is_tight_what_may_be_held_can_be() -> None:
    """Each limit is reached exactly, so that the law above judges something."""
    life = under(list(MOST))
    stock = ALL[0]
    life.do(("order", stock, Side.BUY, 400, PositionEffect.AUTO, ACCOUNT))
    life.do(("order", stock, Side.BUY, 1, PositionEffect.AUTO, ACCOUNT))
    assert len(life.desk.state.orders.open) == 1
    life.do(("order", stock, Side.BUY, 99, PositionEffect.AUTO, OTHER))
    life.do(("order", stock, Side.BUY, 1, PositionEffect.AUTO, OTHER))
    assert len(life.desk.state.orders.open) == 2
    for deed in (("fill", 0, 400), ("fill", 0, 99)):
        life.do(deed)
        judge(life)
    assert [life.desk.state.held(account, stock.symbol).long_qty for account in ACCOUNTS] == [700, 99]
