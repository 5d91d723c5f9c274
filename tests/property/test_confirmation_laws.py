"""Laws of what is confirmed for a live account: one hash for what is the same, and another one for whatever is not."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tradeloop.core.confirmation import content_hash
from tradeloop.core.events import PlanLine
from tradeloop.core.run.confirming import frozen_plan
from tradeloop.core.state import State
from tradeloop.core.surroundings import Policy, Surroundings
from tradeloop.core.types import AccountID, Amount, PositionEffect, Px, Qty, RunID, Side, Symbol
from tradeloop.testing.builders import an_instrument

AMOUNTS = st.decimals(min_value=Decimal("0.01"), max_value=Decimal(10**9), places=2)
NAMES = st.text('ABCabc019-_. |,"\\', min_size=1, max_size=8)
LINES = st.builds(
    lambda leg, symbol, side, qty, px, effect, wave: PlanLine(
        leg,
        Symbol(symbol),
        2,
        side,
        Decimal("0.1"),
        Amount(Decimal(1)),
        Qty(qty),
        Qty(Decimal(0)),
        Qty(qty),
        px,
        wave,
        position_effect=effect,
    ),
    st.integers(1, 3),
    NAMES,
    st.sampled_from(Side),
    AMOUNTS,
    st.none() | AMOUNTS.map(Px),
    st.sampled_from(PositionEffect),
    st.integers(0, 1),
)
ANY = an_instrument("600519.SH")
PLANS = st.tuples(NAMES, NAMES, NAMES, st.booleans(), st.lists(LINES, min_size=1, max_size=3))
Plan = tuple[str, str, str, bool, list[PlanLine]]


def hashed(plan: Plan) -> str:
    run_id, broker, account, live, lines = plan
    around = Surroundings(Policy(live=(broker,) if live else ()), {})
    state = State()
    state.instruments.update(dict.fromkeys((line.symbol for line in lines), ANY))
    return frozen_plan(state, around, RunID(run_id), broker, AccountID(account), lines).content


@given(PLANS, PLANS)
def test_two_plans_have_one_hash_where_they_are_the_same_and_only_there(one: Plan, other: Plan) -> None:
    assert (hashed(one) == hashed(other)) is (one == other)


@given(PLANS, st.data())
def test_no_part_of_an_order_changes_without_the_hash(plan: Plan, data: st.DataObject) -> None:
    *head, lines = plan
    number = data.draw(st.integers(0, len(lines) - 1))
    name = data.draw(st.sampled_from(("leg", "symbol", "side", "order_qty", "ref_px", "position_effect", "wave")))
    another = data.draw(LINES.filter(lambda line: getattr(line, name) != getattr(lines[number], name)))
    changed = [*lines]
    changed[number] = replace(lines[number], **{name: getattr(another, name)})
    assert hashed((*head, changed)) != hashed(plan)  # type: ignore[arg-type]


@given(PLANS, LINES)
def test_an_order_more_and_an_order_less_is_another_plan(plan: Plan, line: PlanLine) -> None:
    *head, lines = plan
    assert hashed((*head, [*lines, line])) != hashed(plan)  # type: ignore[arg-type]


@given(PLANS)
def test_a_line_that_orders_nothing_is_no_part_of_it(plan: Plan) -> None:
    *head, lines = plan
    idle = replace(lines[0], order_qty=Qty(Decimal(0)), code="unchanged")
    assert hashed((*head, [idle, *lines])) == hashed(plan)  # type: ignore[arg-type]


@pytest.mark.parametrize(("one", "other"), [(["ab", "c"], ["a", "bc"]), ([None], [""]), (["1"], ["1", ""])])
def test_no_two_lists_of_parts_run_into_each_other(one: list[str | None], other: list[str | None]) -> None:
    assert content_hash("run", one) != content_hash("run", other)


def test_what_is_confirmed_of_an_order_is_nothing_of_a_run() -> None:
    assert content_hash("order", ["a"]) != content_hash("run", ["a"])
