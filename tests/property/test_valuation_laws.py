"""The law of the sums of positions: kept up with what moves, they are what a walk over everything gives, after every step."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.property.holdings_made import ACCOUNTS, ALL, CNY, USD, Life, bad_luck, fates, legs, orders, places, walked

from tradeloop.core.types import ZERO

HELD = {"600519.SH": 300, "AAPL.US": 200}

deeds = st.lists(st.one_of(orders, orders, fates, fates, bad_luck), max_size=40)


def compare(life: Life) -> None:
    """Every sum of the valuation beside the walk's."""
    state = life.desk.state
    kept = life.desk.around.valuation.look(state, life.desk.around.quotes)
    for account, currency, industry in places():
        totals, walk = kept.of(account, currency, industry), walked(life, account, currency, industry)
        figures = totals.figures
        assert {name: getattr(figures, name) for name in figures.__struct_fields__} == {
            name: walk[name] for name in figures.__struct_fields__
        }
        assert set(totals.unpriced) == walk["unpriced"]
        assert set(totals.unvalued) == walk["unvalued"]
        if not industry:
            balance = state.cash(account, currency).balance
            equity = None if walk["unvalued"] else balance + figures.in_equity
            assert kept.equity(state, account, currency) == equity
    there = [(a, i.symbol) for a in ACCOUNTS for i in ALL if legs(life, a, i.symbol)[:2] != (ZERO, ZERO)]
    assert [kept.count(account) for account in ACCOUNTS] == [sum(a == account for a, _ in there) for account in ACCOUNTS]
    assert kept.symbols() == len({symbol for _, symbol in there})


@settings(max_examples=150)
@given(deeds, st.booleans())
def test_sums_kept_up_are_those_of_a_walk_after_every_step(path: list[tuple[object, ...]], quoted: bool) -> None:
    life = Life(HELD, quoted=quoted)
    compare(life)
    for deed in path:
        life.do(deed)
        compare(life)


@settings(max_examples=100)
@given(deeds)
def test_sums_looked_at_once_in_the_end_are_the_same(path: list[tuple[object, ...]]) -> None:
    """What moved several times between two looks is counted once."""
    life = Life(HELD)
    compare(life)
    for deed in path:
        life.do(deed)
    compare(life)


@settings(max_examples=100)
@given(deeds)
def test_the_largest_symbol_is_the_one_whose_legs_come_to_most(path: list[tuple[object, ...]]) -> None:
    life = Life(HELD)
    for deed in path:
        life.do(deed)
    kept = life.desk.around.valuation.look(life.desk.state, life.desk.around.quotes)
    for account in ACCOUNTS:
        for currency in (CNY, USD):
            found = kept.largest(account, currency)
            rows = [kept.of_symbol(account, i.symbol) for i in ALL if i.currency == currency]
            most = max((row.figures.gross for row in rows if row is not None), default=ZERO)
            largest = None if found is None else kept.of_symbol(account, found)
            assert (ZERO if largest is None else largest.figures.gross) == most
            assert (found is None) == all(row is None for row in rows)
