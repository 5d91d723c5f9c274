"""portfolio.csv: read exactly, or refused with one sentence that names file, row and remedy."""

from __future__ import annotations

from decimal import Decimal
from os import mkfifo
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tradeloop.core.errors import BadInput
from tradeloop.core.types import Symbol
from tradeloop.markets.symbols import canonical
from tradeloop.targets.portfolio import LINES_MAX, Portfolio, read_portfolio
from tradeloop.targets.source import BYTES_MAX

FILES = Path(__file__).parent / "files"
PLAIN = (FILES / "good" / "portfolio_ashare.csv").read_bytes()

CHINESE_HEADER = "\u8bc1\u5238\u4ee3\u7801,\u8bc1\u5238\u540d\u79f0,\u6743\u91cd,\u4ef7\u683c,\u884c\u4e1a"  # all five


def read(text: str | bytes) -> Portfolio:
    return read_portfolio(text if isinstance(text, bytes) else text.encode(), canonical, "p.csv")


def refusal(text: str | bytes) -> str:
    with pytest.raises(BadInput) as caught:
        read(text)
    return str(caught.value)


def weights(portfolio: Portfolio) -> dict[str, Decimal]:
    return {line.symbol: line.weight for line in portfolio.lines}


def test_a_portfolio_is_its_symbols_weights_and_rows() -> None:
    """S1-25, S1-26."""
    portfolio = read_portfolio(FILES / "good" / "portfolio_ashare.csv", canonical)

    assert len(portfolio.lines) == 20
    assert portfolio.total_weight == Decimal("0.95")
    assert not portfolio.weights_in_percent
    first = portfolio.lines[0]
    assert (first.symbol, first.weight, first.row, first.price) == ("600519.SH", Decimal("0.0050"), 2, None)


def test_the_hash_is_of_the_bytes_of_the_file() -> None:
    assert read(PLAIN).sha256 != read(PLAIN + b"\n").sha256
    assert len(read(PLAIN).sha256) == 64


@pytest.mark.parametrize("name", ["gbk_encoded.csv", "percent_weights.csv", "utf8_bom.csv"])
def test_odd_files_are_taken_for_what_they_mean(name: str) -> None:
    portfolio = read_portfolio(FILES / "odd" / name, canonical)

    assert weights(portfolio) == weights(read(PLAIN))
    assert [line.row for line in portfolio.lines] == list(range(2, 22))
    assert portfolio.weights_in_percent == (name == "percent_weights.csv")


def test_chinese_headers_and_all_columns_are_read() -> None:
    portfolio = read(f"{CHINESE_HEADER}\n600036.SH,Bank A,0.5,41.20,banks\n")

    (line,) = portfolio.lines
    assert (line.name, line.price, line.industry) == ("Bank A", Decimal("41.20"), "banks")


def test_the_order_and_case_of_columns_do_not_matter_and_others_are_left_unread() -> None:
    portfolio = read("score,Weight,CODE\n=1+1,0.5,600036.SH\n")

    assert weights(portfolio) == {"600036.SH": Decimal("0.5")}


def test_blank_lines_and_a_quoted_line_break_keep_the_row_numbers_of_the_file() -> None:
    text = 'ts_code,weight,name\n\n600036.SH,0.1,"two\nlines"\n,,\n600000.SH,x,\n'

    assert refusal(text).startswith("p.csv, row 6: the weight of 600000.SH was 'x'")


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_every_line_end_is_one(line_end: str) -> None:
    assert read(line_end.join(["ts_code,weight", "600036.SH,0.5", "600000.SH,0.1"])).lines[1].row == 3


def test_different_notations_of_one_symbol_are_one_symbol() -> None:
    assert "600036.SH stands in row 2 already" in refusal("code,weight\n600036.SH,0.1\nsh600036,0.1\n")


# --- the unit of the weights


def test_weights_that_are_percent_of_too_small_a_sum_are_told_how_to_be_written() -> None:
    assert refusal("code,weight\n600036.SH,5\n600000.SH,5\n").endswith("scale them down, or write 5% where percent is meant")


def test_a_sum_a_hair_above_one_is_told_with_all_its_digits() -> None:
    """S1-40: "the weights sum to 1, expected at most 1" would help nobody."""
    assert refusal("code,weight\n600036.SH,0.5000001\n600000.SH,0.5\n") == (
        "p.csv, rows 2 to 3: the weights sum to 1.0000001; expected at most 1 as fractions,"
        " or more than 10 and at most 100 as percent, scale them down"
    )


@pytest.mark.parametrize("weight", ["0.3333333333333333333333333333", "1E-3", "0,5", "５"])
def test_a_weight_that_can_not_be_carried_exactly_is_refused(weight: str) -> None:
    """28 digits are more than any ledger of ours carries."""
    assert "expected a plain decimal number such as 0.065 with at most 14 digits" in refusal(
        f'code,weight\n600036.SH,"{weight}"\n'
    )


def test_a_percent_sign_in_every_row_is_percent() -> None:
    portfolio = read("code,weight\n600036.SH,1.5%\n600000.SH,2 %\n")

    assert weights(portfolio) == {"600036.SH": Decimal("0.015"), "600000.SH": Decimal("0.02")}
    assert portfolio.weights_in_percent


def test_a_percent_sign_missing_in_one_row_names_that_row() -> None:
    assert refusal("code,weight\n600036.SH,15%\n600000.SH,20\n600004.SH,5%\n") == (
        "p.csv, row 3: the weight of 600000.SH was '20', with no percent sign unlike 2 other rows; write all weights alike"
    )


@pytest.mark.parametrize(("total", "percent"), [("0", False), ("0.01", False), ("1", False), ("10.01", True), ("100", True)])
def test_the_sum_says_whether_weights_are_fractions_or_percent(total: str, percent: bool) -> None:
    portfolio = read(f"code,weight\n600036.SH,{total}\n")

    assert portfolio.weights_in_percent == percent
    assert portfolio.total_weight == Decimal(total) / (100 if percent else 1)


@pytest.mark.parametrize("total", ["1.000001", "1.4", "2", "10", "100.01", "140"])
def test_a_sum_that_could_be_either_or_neither_is_refused(total: str) -> None:
    text = refusal(f"code,weight\n600036.SH,{total}\n")

    assert f"p.csv, row 2: the weights sum to {total}; expected at most 1 as fractions" in text


def test_percent_signs_above_a_hundred_are_refused() -> None:
    assert "the weights sum to 101 %; expected at most 100 %" in refusal("code,weight\n600036.SH,101%\n")


# --- refusals


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "p.csv, row 1: the file is empty"),
        ("\n \n", "p.csv, row 1: the file is empty"),
        ("code;weight\n600036.SH;0.5\n", "row 1: columns are separated by ';'; expected a comma"),
        ("code\tweight\n600036.SH\t0.5\n", "columns are separated by '\\t'"),
        ("600036.SH,0.5\n", "row 1: has no column ts_code (or code), was '600036.SH', '0.5'; add it"),
        ("ts_code,code,weight\n", "row 1: has 2 columns for code (ts_code, code); keep one"),
        ("code,weight\n600036.SH\n", "row 2: has 1 of the header's 2 cells"),
        ("code,weight\n600036.SH,0,5\n", "row 2: has 3 of the header's 2 cells"),
        ("code,weight\n,0.5\n", "row 2: the code is empty"),
        ('code,weight\n"600036.SH,0.5\n', "row 2: is not well-formed CSV"),
        ("code,weight\n600036.SH,1e-2\n", "was '1e-2'; expected a plain decimal number"),
        ("code,weight\n600036.SH,1e400\n", "was '1e400'; expected a plain decimal number"),
        (f"code,weight\n600036.SH,0.{'1' * 60}\n", "at most 14 digits and 12 decimal places"),
        ("code,weight\n600036.SH,0x1\n", "expected a plain decimal number"),
        ("code,weight\n600036.SH,\u0660.\u0665\n", "expected a plain decimal number"),
        ("code,weight\n600036.SH,=0.5\n", "was the formula '=0.5'; expected a number"),
        ("code,weight,name\n600036.SH,0.5,@SUM(A1)\n", "the name was the formula '@SUM(A1)'"),
        ("code,weight,price\n600036.SH,0.5,0\n", "the price of 600036.SH was '0'; expected more than zero"),
        ("code,weight,price\n600036.SH,0.5,-1\n", "expected more than zero"),
        (f"code,weight\n{'6' * 41},0.5\n", "expected at most 40 characters"),
        (f"code,weight,name\n600036.SH,0.5,{'n' * 101}\n", "expected at most 100 characters"),
        (b"code,weight\n600036.SH,0.\0005\n", "row 2: holds a NUL byte"),
        (b"PK\x03\x04\x14\0", "is a spreadsheet workbook"),
        ("code,weight\n600036.SH,0.5\n".encode("utf-16"), "is UTF-16"),
        (b"code,weight\n600036.SH,0.5\n\xff\xff,0.1\n", "row 3: is neither UTF-8 nor GBK"),
        (b"code,weight\n" + b"#" * BYTES_MAX, "larger than 4,194,304 bytes"),
    ],
)
def test_a_file_that_can_not_be_meant_is_refused(text: str | bytes, words: str) -> None:
    said = refusal(text)

    assert words in said
    assert "\n" not in said


def test_a_sixty_digit_weight_is_not_repeated_at_length() -> None:
    assert len(refusal(f"code,weight\n600036.SH,{'9' * 100_000}\n")) < 250


def test_what_is_shown_of_a_cell_is_quoted_and_escaped() -> None:
    said = refusal('code,weight\n"=\'a\'\x07\u2028""b""",0.5\n')

    assert "the code was the formula '=\\'a\\'\\x07\\u2028\"b\"'" in said


def test_the_first_bad_row_is_named_and_the_others_are_counted() -> None:
    text = "code,weight\n600036.SH,x\n600000.SH,0.1\n1,0.1\n600000.SH,0.1\n"

    assert refusal(text).startswith("p.csv, row 2: the weight of 600036.SH was 'x'")
    assert refusal(text).endswith("(2 other rows are wrong too)")


def test_as_many_lines_as_allowed_are_read_and_one_more_is_refused() -> None:
    def some(count: int) -> str:
        rows = "".join(f"{600000 + n}.SH,0.0001\n" for n in range(count))
        return "code,weight\n" + rows

    def any_code(text: str) -> Symbol:
        return Symbol(text)

    assert len(read_portfolio(some(LINES_MAX).encode(), any_code).lines) == 2000
    with pytest.raises(BadInput, match="row 2002: has 2,001 lines; expected at most 2,000"):
        read_portfolio(some(LINES_MAX + 1).encode(), any_code)


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(BadInput, match=r"pipe\.csv: is no regular file; expected one"):
        read_portfolio(tmp_path / "pipe.csv", canonical)


def test_a_file_that_is_not_there_is_refused_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"none\.csv: there is no such file at .*none\.csv"):
        read_portfolio(tmp_path / "none.csv", canonical)
    with pytest.raises(BadInput, match="is a folder"):
        read_portfolio(tmp_path, canonical)


def test_percent_too_fine_to_be_exact_as_a_fraction_is_refused() -> None:
    assert "write fewer decimals" in refusal("code,weight\n600036.SH,50.00000000001\n")


# --- fuzz

# The machine may be busy: how long an example takes is not what these tests are about.
CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
CELLS = st.text("0123456789.,%-+=@eE\"'\n\r\t NaSHZ\u6743\0\ufeff", max_size=12)


@CALM
@given(st.binary(max_size=200))
def test_fuzz_any_bytes_are_read_or_refused(raw: bytes) -> None:
    read_or_refuse(raw)


@CALM
@given(st.lists(st.tuples(st.integers(0, len(PLAIN) - 1), st.binary(max_size=3)), max_size=5))
def test_fuzz_a_damaged_portfolio_is_read_or_refused(damage: list[tuple[int, bytes]]) -> None:
    raw = bytearray(PLAIN)
    for place, piece in damage:
        raw[place : place + len(piece)] = piece
    read_or_refuse(bytes(raw))


@CALM
@given(st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=5))
def test_fuzz_any_cells_are_read_or_refused(rows: list[tuple[str, str, str]]) -> None:
    body = "\n".join(",".join(cells) for cells in rows)
    read_or_refuse(f"code,weight,price\n{body}".encode("utf-8", "surrogatepass"))


def read_or_refuse(raw: bytes) -> None:
    """Whatever else than BadInput comes out of this is the failure."""
    try:
        portfolio = read(raw)
    except BadInput as error:
        said = str(error)
        assert said.startswith("p.csv")
        assert "\n" not in said
        assert len(said) < 600
    else:
        assert 0 <= portfolio.total_weight <= 1
        assert len({line.symbol for line in portfolio.lines}) == len(portfolio.lines)
