"""Numbers are read exactly or refused, and stepping never rounds the wrong way."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tradeloop.core.errors import BadInput
from tradeloop.core.types import exact, is_exact, step_down, step_half_up, step_up

SIXTY_DIGITS = "1." + "1234567890" * 6
NO_NUMBERS = ["NaN", "nan", "sNaN", "Infinity", "-inf", "1e400", "1E+5", "0x10", "1_000", "１２"]
NO_NUMBERS += ["", " ", ".", "1.", ".5", "12,5", "1 2"]
UNFIT = ["NaN", "sNaN", "Infinity", "-Infinity", "1e400", "1E+999999", "1e-13", "9" * 15, SIXTY_DIGITS]


@pytest.mark.parametrize(
    "text",
    [
        "NaN",
        "nan",
        "sNaN",
        "Infinity",
        "-inf",
        "1e400",
        "1E+5",
        "0x10",
        "1_000",
        "１２",
        "",
        " ",
        ".",
        "1.",
        ".5",
        "12,5",
        "1 2",
    ],
)
def test_what_is_no_plain_number_is_refused_with_its_name(text: str) -> None:
    with pytest.raises(BadInput, match=r"order_qty was .*expected a plain decimal number"):
        exact(text, "order_qty")


@pytest.mark.parametrize(
    "text", [SIXTY_DIGITS[:40], "123456789012345", "0.1234567890123", "1" * 40, "1.00000000000001", "100000000000000"]
)
def test_a_number_with_too_many_digits_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="at most 14 significant digits and 12 decimal places"):
        exact(text, "price")


def test_a_number_of_sixty_digits_is_refused_in_one_short_sentence() -> None:
    with pytest.raises(BadInput) as refused:
        exact(SIXTY_DIGITS, "price")
    assert len(str(refused.value)) < 160


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12.34", "12.34"),
        ("+12.34", "12.34"),
        ("-12.34", "-12.34"),
        (" 7 ", "7"),
        ("0", "0"),
        ("0.000000000001", "0.000000000001"),
        ("99999999999999", "99999999999999"),
        ("00012.500000000000000000", "12.5"),
    ],
)
def test_a_plain_number_is_read_as_written(text: str, number: str) -> None:
    assert exact(text, "price") == Decimal(number)


def test_a_whole_number_and_a_decimal_are_taken_too() -> None:
    assert (exact(7, "qty"), exact(Decimal("7.5"), "qty")) == (Decimal(7), Decimal("7.5"))


@pytest.mark.parametrize(
    "text", ["NaN", "sNaN", "Infinity", "-Infinity", "1e400", "1E+999999", "1e-13", SIXTY_DIGITS, "1" * 15]
)
def test_a_decimal_the_ledger_cannot_carry_is_known_as_such(text: str) -> None:
    assert not is_exact(Decimal(text))


@pytest.mark.parametrize("text", ["0", "0E+30", "1E+5", "100.00000000000000000000", "-3", "0.000000000001", "99999999999999"])
def test_a_decimal_the_ledger_can_carry_is_known_however_it_is_written(text: str) -> None:
    assert is_exact(Decimal(text))


def test_the_product_of_the_longest_price_and_quantity_is_exact() -> None:
    longest = exact("99999999999999", "price")
    assert longest * longest == Decimal(99999999999999**2)


def test_a_step_down_never_rises_and_a_step_up_never_falls() -> None:
    lot = Decimal(100)
    assert (step_down(Decimal("199.99"), lot), step_up(Decimal("100.01"), lot)) == (Decimal(100), Decimal(200))
    assert (step_down(Decimal(200), lot), step_up(Decimal(200), lot)) == (Decimal(200), Decimal(200))


def test_half_a_share_is_rounded_up() -> None:
    """S0-6, S0-61."""
    one = Decimal(1)
    assert [step_half_up(Decimal(q), one) for q in ("0.49", "0.5", "1.5", "2.5")] == [0, 1, 2, 3]


def test_a_number_too_long_to_show_is_said_to_be_cut_and_what_may_be_written() -> None:
    with pytest.raises(BadInput, match=r"… \(60 characters\); .* at most 14 significant digits and 12 decimal places"):
        exact("1" * 60, "the price")
