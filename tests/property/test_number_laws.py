"""The laws of numbers: what is read is what was written, products are exact, and the boundary has one edge."""

from __future__ import annotations

from decimal import Decimal, localcontext

from hypothesis import given
from hypothesis import strategies as st

from tradeloop.core.errors import BadInput
from tradeloop.core.types import exact, is_exact, step_down, step_half_up, step_up

numbers = st.builds(
    lambda sign, digits, places: (Decimal(digits) * sign).scaleb(-places),
    st.sampled_from([1, -1]),
    st.integers(0, 10**14 - 1),
    st.integers(0, 12),
)
anything = st.one_of(numbers, st.decimals())
steps = st.sampled_from([Decimal(s) for s in ("0.000001", "0.01", "0.05", "1", "100", "0.2")])
values = st.decimals("0", "1000000", places=6)


@given(numbers)
def test_a_number_within_the_bounds_is_read_as_it_was_written(number: Decimal) -> None:
    assert exact(format(number, "f"), "price") == number


@given(numbers, numbers)
def test_the_product_of_two_numbers_within_the_bounds_is_exact(one: Decimal, other: Decimal) -> None:
    with localcontext() as wide:
        wide.prec = 60
        product = one * other
    assert one * other == product


@given(anything)
def test_a_decimal_is_exact_if_and_only_if_its_text_is_read(number: Decimal) -> None:
    try:
        exact(format(number, "f"), "price")
    except BadInput:
        assert not is_exact(number) or len(format(number, "f")) > 40
    else:
        assert is_exact(number)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_in_one_sentence(text: str) -> None:
    sentence = ""
    try:
        number = exact(text, "price")
    except BadInput as refused:
        number, sentence = Decimal("NaN"), str(refused)
    assert is_exact(number) is not sentence.startswith("price was ")


@given(values, steps)
def test_stepping_goes_to_the_nearest_multiple_on_its_side(value: Decimal, step: Decimal) -> None:
    down, half, up = step_down(value, step), step_half_up(value, step), step_up(value, step)
    assert value - step < down <= value <= up < value + step
    assert half in (down, up)
    assert abs(half - value) * 2 <= step
    assert [m % step for m in (down, half, up)] == [0, 0, 0]
