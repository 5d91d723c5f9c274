"""A map in many small pieces behaves like one map, and shows no order but that of its keys."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tradeloop.core.shards import Shards


@given(st.lists(st.tuples(st.text(max_size=8), st.one_of(st.none(), st.integers()))))
def test_whatever_is_put_and_taken_it_agrees_with_a_dict(steps: list[tuple[str, int | None]]) -> None:
    """None takes the key away."""
    shards: Shards[int] = Shards()
    plain: dict[str, int] = {}
    for key, value in steps:
        if value is None:
            assert shards.pop(key) == plain.pop(key, None)
        else:
            shards[key] = plain[key] = value
        assert (shards.get(key), key in shards, len(shards)) == (plain.get(key), key in plain, len(plain))
    assert list(shards.items()) == sorted(plain.items())


def test_the_walk_is_in_the_order_of_the_keys_whatever_the_order_of_arrival() -> None:
    shards: Shards[int] = Shards()
    for number in range(999, -1, -1):
        shards[f"k{number:04d}"] = number
    assert [value for _, value in shards.items()] == list(range(1000))
