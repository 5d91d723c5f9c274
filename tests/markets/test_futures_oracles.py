"""Futures rows beside two public lists of contracts, of 2022 and of 2025: where they differ, the row says which is right."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from tests.markets import shared_data

from tradeloop.markets.futures import CostRow, ProductRow, conduct_of, costs, products, terms
from tradeloop.markets.sessions import segments
from tradeloop.markets.symbols import canonical

pytestmark = pytest.mark.data

IN_2022, IN_2025 = date(2022, 6, 1), date(2025, 3, 3)
OTHER_SESSION = {"nr.INE": "FN2300", "T.CFFEX": "FD0915", "TF.CFFEX": "FD0915", "TS.CFFEX": "FD0915"}
"""Products whose session in the list is wrong, and the right one."""
OTHER_FEES = {"IF.CFFEX", "IC.CFFEX"}
"""Products whose fee to close today is wrong in the list."""
FEES_FROM_ELSEWHERE = {"IH.CFFEX", "IM.CFFEX", "T.CFFEX", "TF.CFFEX", "TS.CFFEX", "TL.CFFEX"}
"""Products without fees in the list."""


def listed() -> Iterator[tuple[str, dict[str, str], ProductRow, CostRow]]:
    """Each product of the list, with our rows of about its day."""
    for row in shared_data.rows("cn_futures/futures_instruments.csv"):
        product, cost = terms(row["product"], row["exchange"], IN_2025)
        yield f"{row['product']}.{row['exchange']}", row, product, cost


def test_every_product_of_the_list_has_its_rows_and_there_is_no_other() -> None:
    names = {name for name, *_ in listed()}
    assert len(names) == 51
    assert names == {f"{row.product}.{row.exchange}" for row in products().rows}
    assert names == {f"{row.product}.{row.exchange}" for row in costs().rows}


def test_multipliers_ticks_and_largest_orders_are_those_of_the_list_of_2025() -> None:
    for name, row, product, _ in listed():
        assert (product.multiplier, product.tick) == (Decimal(row["multiplier"]), Decimal(row["price_tick"])), name
        largest = (Decimal(row["max_limit_order_qty"]), Decimal(row["max_market_order_qty"]))
        assert (product.max_qty_limit, product.max_qty_market) == largest, name


def test_multipliers_and_ticks_were_those_of_the_list_of_2022() -> None:
    seen = 0
    for name, row, *_ in listed():
        if not row["wt_multiplier"]:
            continue
        product, _ = terms(row["product"], row["exchange"], IN_2022)
        assert (product.multiplier, product.tick) == (Decimal(row["wt_multiplier"]), Decimal(row["wt_price_tick"])), name
        seen += 1
    assert seen == 46


def test_every_listed_contract_has_the_multiplier_and_the_tick_of_its_product() -> None:
    contracts = shared_data.rows("cn_futures/futures_contracts.csv")
    for row in contracts:
        canonical(f"{row['exchange']}.{row['contract']}", IN_2025)
        product, _ = terms(row["product"], row["exchange"], IN_2025)
        found = (product.multiplier, product.tick)
        assert found == (Decimal(row["multiplier"]), Decimal(row["price_tick"])), row["contract"]
        assert product.max_qty_limit == Decimal(row["max_limit_order_qty"]), row["contract"]
    assert len(contracts) == 493


def test_today_is_closed_apart_where_both_lists_say_so() -> None:
    for name, row, product, _ in listed():
        assert product.apart == (row["close_today_distinguished"] == "true"), name
        if row["cover_mode_wt"]:
            assert product.apart == (row["cover_mode_wt"] == "1"), name


def test_hours_are_those_of_the_list_but_for_four_products_whose_rows_say_why() -> None:
    for name, row, product, _ in listed():
        assert product.session == OTHER_SESSION.get(name, row["session_id"]), name
        if name in OTHER_SESSION:
            source = products().sources[product.source]
            assert "is wrong" in source, name


def test_margins_are_those_of_the_list() -> None:
    for name, row, _, cost in listed():
        assert cost.margin_rate == Decimal(row["margin_long"]) == Decimal(row["margin_short"]), name


def test_fees_are_those_of_the_list_but_where_it_is_wrong_or_says_nothing() -> None:
    for name, row, _, cost in listed():
        ours = (cost.rate, cost.rate_close_today, cost.per_lot, cost.per_lot_close_today)
        if not row["fee_basis"]:
            assert (ours == (None, None, None, None)) is (name not in FEES_FROM_ELSEWHERE), name
            continue
        assert row["fee_open"] == row["fee_close"], name
        paid = (Decimal(row["fee_open"]), Decimal(row["fee_close_today"]))
        by_ratio = row["fee_basis"] == "turnover_ratio"
        if name in OTHER_FEES:
            assert (ours[0], ours[1]) == (paid[0], Decimal("0.00023")), name
            assert "is wrong" in costs().sources[cost.source], name
            continue
        assert ours == ((*paid, None, None) if by_ratio else (None, None, *paid)), name


def test_trading_and_night_hours_are_those_of_the_sessions_of_the_list() -> None:
    """The auctions are not compared: those of the list are its own convention. No holiday lies before either day."""
    zone = ZoneInfo("Asia/Shanghai")
    hours: dict[str, list[tuple[str, str, str]]] = {}
    for row in shared_data.rows("cn_futures/futures_sessions.csv"):
        if row["kind"] != "auction" and row["session_id"] != "TRADING":
            hours.setdefault(row["session_id"], []).append((row["kind"], row["from_local"], row["to_local"]))
    for session, theirs in hours.items():
        for day in (date(2022, 1, 12), date(2025, 3, 6)):
            ours = [
                (each.kind, *(f"{datetime.fromtimestamp(at // 10**9, zone):%H:%M}" for at in (each.start, each.end)))
                for each in segments(session, day)
                if each.kind != "opening_auction"
            ]
            assert ours == theirs, (session, day)
    assert {row.session for row in products().rows} <= set(hours)


def test_the_night_of_a_product_ends_when_the_list_says() -> None:
    for name, row, product, _ in listed():
        night = [each for each in segments(product.session, date(2025, 3, 6)) if each.kind == "night"]
        ends = [f"{datetime.fromtimestamp(each.end // 10**9, ZoneInfo('Asia/Shanghai')):%H:%M}" for each in night]
        expected = "23:00" if name == "nr.INE" else row["night_end"]
        assert ends == ([expected] if expected else []), name


def test_every_exchange_of_the_list_says_what_it_calls_abnormal() -> None:
    for name, row, *_ in listed():
        found = conduct_of(row["product"], row["exchange"], IN_2025)
        assert found is not None, name
        expected = 400 if row["product"] in {"IF", "IH", "IC", "IM"} else 500
        assert (found.self_trades, found.cancels) == (5, expected), name
