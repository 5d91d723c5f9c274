"""Every notation has one canonical form, and what could mean two things is refused with both."""

from __future__ import annotations

from datetime import date

import pytest
from tests.markets import shared_data

from tradeloop.core.errors import BadInput
from tradeloop.markets.boards import boards
from tradeloop.markets.futures import EXCHANGES, product_known, products, venue_code
from tradeloop.markets.symbols import canonical

ON = date(2025, 11, 3)


@pytest.mark.parametrize(
    ("written", "symbol"),
    [
        ("600519.SH", "600519.SH"),
        ("sh600519", "600519.SH"),
        ("SH600519", "600519.SH"),
        ("SH.600519", "600519.SH"),
        ("600519.XSHG", "600519.SH"),
        ("600519.SS", "600519.SH"),
        ("600519.sse", "600519.SH"),
        (" 600519.SH ", "600519.SH"),
        ("600519", "600519.SH"),
        ("000001.SZ", "000001.SZ"),
        ("000001.XSHE", "000001.SZ"),
        ("sz300750", "300750.SZ"),
        ("688981.SH", "688981.SH"),
        ("920799.BJ", "920799.BJ"),
        ("510300", "510300.SH"),
        ("159915.SZ", "159915.SZ"),
        ("00700.HK", "00700.HK"),
        ("700.HK", "00700.HK"),
        ("0700.HK", "00700.HK"),
        ("HK.00700", "00700.HK"),
        ("hk00700", "00700.HK"),
        ("AAPL", "AAPL.US"),
        ("AAPL.US", "AAPL.US"),
        ("US.AAPL", "AAPL.US"),
        ("aapl.nasdaq", "AAPL.US"),
        ("BRK.B", "BRK.B.US"),
        ("BRK-B.US", "BRK.B.US"),
        ("SHFE.au2512", "au2512.SHFE"),
        ("au2512.SHFE", "au2512.SHFE"),
        ("au2512.SHF", "au2512.SHFE"),
        ("AU2512", "au2512.SHFE"),
        ("au2512", "au2512.SHFE"),
        ("IF2512", "IF2512.CFFEX"),
        ("if2512.CFFEX", "IF2512.CFFEX"),
        ("sr2601.CZCE", "SR2601.CZCE"),
        ("SR601", "SR2601.CZCE"),
        ("CZCE.SR601", "SR2601.CZCE"),
        ("BTC/USDT", "BTC/USDT.CRYPTO"),
        ("BTCUSDT", "BTC/USDT.CRYPTO"),
        ("BTC-USDT", "BTC/USDT.CRYPTO"),
        ("btc_usdt", "BTC/USDT.CRYPTO"),
        ("BTC/USDT.CRYPTO", "BTC/USDT.CRYPTO"),
        ("BTC-PERP", "BTC-PERP.CRYPTO"),
        ("btc-perp.crypto", "BTC-PERP.CRYPTO"),
    ],
)
def test_every_usual_notation_has_one_canonical_form(written: str, symbol: str) -> None:
    assert canonical(written, ON) == symbol


@pytest.mark.parametrize(
    "symbol", ["600519.SH", "00700.HK", "BRK.B.US", "au2512.SHFE", "SR2601.CZCE", "BTC/USDT.CRYPTO", "BTC-PERP.CRYPTO"]
)
def test_a_canonical_symbol_is_its_own_canonical_form_on_any_day(symbol: str) -> None:
    assert canonical(symbol) == symbol


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("600519.SZ", "600519 is a Shanghai code, not of Shenzhen; did you mean 600519.SH"),
        ("300750.SH", "300750 is a Shenzhen code, not of Shanghai; did you mean 300750.SZ"),
        ("000001.SH", "000001.SH is an index, not a stock; did you mean 000001.SZ"),
        ("000001", "000001 does not say its market, and 000001.SH is an index; write 000001.SZ"),
        ("1", "write 000001.SZ or 00001.HK"),
        ("333", "write 000333.SZ or 00333.HK"),
        ("2594", "write 002594.SZ or 02594.HK"),
        ("00700", "write 000700.SZ or 00700.HK"),
        ("333.SZ", "333 has lost its leading zeros; did you mean 000333.SZ"),
        ("999999.SH", "999999.SH has a prefix that no mainland exchange uses"),
        ("900901.SH", "900901.SH is a B share"),
        ("010107.SH", "010107.SH is a bond, not a stock; only stocks, funds and convertible bonds are traded"),
        ("113050", "113050 does not say its market, and 113050.SZ is a bond; write 113050.SH"),
        ("430047.BJ", "the stock has a 920 code since 2025-10-09"),
        ("600519.HK", "did you mean 600519.SH"),
        ("00000.HK", "not a Hong Kong code"),
        ("600519.XX", "unknown market 'XX'"),
        ("BTC/USDT.BINANCE", "unknown market 'BINANCE'"),
        ("au", "write au2512.SHFE or AU.US"),
        ("au2513", "au2513 has month 13"),
        ("au512", "au512 has a one-digit year, which SHFE does not use; write au2512"),
        ("au2512.DCE", "au trades on SHFE, was DCE; did you mean au2512.SHFE"),
        ("xx2512", "xx2512 names no futures product"),
        ("TOOLONG.US", "not a US ticker"),
        ("ABCDEFG", "not a coin pair"),
        ("1234567", "has 7 digits"),
        ("000000", "is no code"),
        ("", "symbol was empty"),
        ("   ", "symbol was empty"),
    ],
)
def test_what_is_unknown_or_ambiguous_is_refused_with_the_candidates(written: str, says: str) -> None:
    with pytest.raises(BadInput) as refused:
        canonical(written, ON)
    assert says in str(refused.value)


@pytest.mark.parametrize(
    "written", ['=HYPERLINK("http://example.invalid","x")', "+1", "-1+2", "@SUM(A1)", '\t=HYPERLINK("x")', "\uff1d1"]
)
def test_a_spreadsheet_formula_is_refused_and_never_echoed(written: str) -> None:
    with pytest.raises(BadInput) as refused:
        canonical(written)
    assert str(refused.value).startswith("symbol begins like a spreadsheet formula")
    assert written.strip() not in str(refused.value)


def test_foreign_text_is_shown_escaped_and_cut() -> None:
    with pytest.raises(BadInput) as refused:
        canonical("<script>\x1b[31m" + "x" * 500)
    assert "\x1b" not in str(refused.value)
    assert len(str(refused.value)) < 200


@pytest.mark.parametrize("written", ["600519.SZ", "333", "=1", "", "au2513", "999999.SH", "600519.XX", "x" * 99])
def test_a_refusal_is_one_sentence(written: str) -> None:
    with pytest.raises(BadInput) as refused:
        canonical(written, ON)
    assert "\n" not in str(refused.value)
    assert ". " not in str(refused.value)


@pytest.mark.parametrize(
    ("on", "symbol"),
    [
        (date(2025, 1, 2), "SR2601.CZCE"),
        (date(2026, 1, 31), "SR2601.CZCE"),
        (date(2015, 6, 1), "SR1601.CZCE"),
        (date(2034, 12, 1), "SR3601.CZCE"),
    ],
)
def test_the_one_digit_year_of_czce_is_the_next_such_year(on: date, symbol: str) -> None:
    assert canonical("SR601", on) == symbol


def test_a_one_digit_year_without_a_day_is_refused() -> None:
    with pytest.raises(BadInput, match="every tenth year"):
        canonical("SR601")


def test_a_one_digit_year_that_is_not_listed_names_both_decades() -> None:
    with pytest.raises(BadInput, match="SR601 is not listed on 2026-02-02; did you mean SR2601 or SR3601"):
        canonical("SR601", date(2026, 2, 2))


@pytest.mark.parametrize(("symbol", "code"), [("SR2601.CZCE", "SR601"), ("au2512.SHFE", "au2512"), ("IF2512.CFFEX", "IF2512")])
def test_the_exchange_gets_its_own_notation_back(symbol: str, code: str) -> None:
    assert venue_code(canonical(symbol)) == code


def test_an_old_beijing_code_is_known_while_it_was_in_use() -> None:
    assert canonical("430047.BJ", date(2024, 5, 6)) == "430047.BJ"


def test_no_two_exchanges_share_a_product_in_any_case() -> None:
    written = {(row.product, row.exchange) for row in products().rows}
    assert len({product.lower() for product, _ in written}) == len(written)


@pytest.mark.parametrize(("exchange", "upper"), [("SHFE", False), ("INE", False), ("DCE", False), ("GFEX", False)])
def test_products_are_written_in_the_case_of_their_exchange(exchange: str, upper: bool) -> None:
    of_it = [row.product for row in products().rows if row.exchange == exchange]
    assert of_it
    assert all(product.isupper() is upper for product in of_it)


def test_every_product_is_found_in_any_case_at_a_known_exchange() -> None:
    for row in products().rows:
        assert product_known(row.product.swapcase()) == (row.product, row.exchange)
        assert row.exchange in EXCHANGES


def test_no_prefix_belongs_to_two_boards_of_one_venue() -> None:
    seen: dict[tuple[str, str], str] = {}
    for row in boards().rows:
        for prefix in row.prefixes:
            assert seen.setdefault((row.venue, prefix), row.board) == row.board


@pytest.mark.data
def test_every_listed_contract_of_the_data_pack_goes_there_and_back() -> None:
    """The list is of about March 2025; CZCE writes one digit for the year."""
    contracts = shared_data.rows("cn_futures/futures_contracts.csv")
    wrong = []
    for row in contracts:
        symbol = canonical(f"{row['exchange']}.{row['contract']}", date(2025, 3, 1))
        month = f"{int(row['delivery_year']) % 100:02d}{int(row['delivery_month']):02d}.{row['exchange']}"
        if venue_code(symbol) != row["contract"] or not symbol.endswith(month):
            wrong.append((row["contract"], symbol))
    assert len(contracts) == 493
    assert wrong == []
