"""What the master says of a symbol on a day: lots, ticks, limits, fees, and what it refuses to assume."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from tests.markets import shared_data

from tradeloop.core.errors import BadInput
from tradeloop.core.instrument import AssetClass, FeeLine, Instrument
from tradeloop.core.types import Side, Symbol
from tradeloop.markets.facts import InstrumentFacts, load_facts
from tradeloop.markets.fees import BrokerFees
from tradeloop.markets.futures import costs, products
from tradeloop.markets.instruments import InstrumentMaster
from tradeloop.markets.symbols import canonical

ON = date(2026, 7, 17)
ST = InstrumentFacts(is_st=True)


def resolve(symbol: str, on: date = ON, facts: InstrumentFacts | None = None) -> Instrument:
    return InstrumentMaster().resolve(canonical(symbol, on), on, facts)


@pytest.mark.parametrize(
    ("symbol", "board", "min_qty", "lot"),
    [
        ("600519.SH", "MAIN_SH", 100, 100),
        ("000333.SZ", "MAIN_SZ", 100, 100),
        ("300750.SZ", "CHINEXT", 100, 100),
        ("688981.SH", "STAR", 200, 1),
        ("920799.BJ", "BSE", 100, 1),
        ("510300.SH", "ETF_SH", 100, 100),
        ("AAPL.US", "US", 1, 1),
        ("au2612.SHFE", "SHFE", 1, 1),
    ],
)
def test_each_board_has_its_smallest_order_and_its_step(symbol: str, board: str, min_qty: int, lot: int) -> None:
    instrument = resolve(symbol)
    assert (instrument.board, int(instrument.min_qty), int(instrument.lot)) == (board, min_qty, lot)


@pytest.mark.parametrize(
    ("symbol", "qty", "legal"),
    [
        ("600519.SH", 100, True),
        ("600519.SH", 150, False),
        ("688981.SH", 199, False),
        ("688981.SH", 200, True),
        ("688981.SH", 201, True),
        ("920799.BJ", 99, False),
        ("920799.BJ", 101, True),
        ("510300.SH", 101, False),
    ],
)
def test_a_buy_has_a_legal_size_on_its_board(symbol: str, qty: int, legal: bool) -> None:
    assert resolve(symbol).is_tradable_qty(Decimal(qty), Side.BUY) is legal


@pytest.mark.parametrize(
    ("symbol", "qty", "held", "legal"),
    [
        ("600519.SH", 150, 150, True),
        ("600519.SH", 50, 50, True),
        ("600519.SH", 30, 150, False),
        ("688981.SH", 150, 150, True),
        ("688981.SH", 100, 150, False),
        ("920799.BJ", 37, 37, True),
    ],
)
def test_an_odd_remainder_is_sold_whole_or_not_at_all(symbol: str, qty: int, held: int, legal: bool) -> None:
    instrument = resolve(symbol)
    assert instrument.is_tradable_qty(Decimal(qty), Side.SELL, Decimal(held)) is legal


@pytest.mark.parametrize(
    ("symbol", "limit", "market"),
    [
        ("600519.SH", "1000000", "1000000"),
        ("300750.SZ", "300000", "150000"),
        ("688981.SH", "100000", "50000"),
        ("SR2701.CZCE", "1000", "0"),
    ],
)
def test_each_board_has_its_largest_order(symbol: str, limit: str, market: str) -> None:
    instrument = resolve(symbol)
    assert (instrument.max_qty_limit, instrument.max_qty_market) == (Decimal(limit), Decimal(market))


@pytest.mark.parametrize(
    ("symbol", "tick"), [("600519.SH", "0.01"), ("510300.SH", "0.001"), ("au2612.SHFE", "0.02"), ("IF2612", "0.2")]
)
def test_each_instrument_has_its_tick(symbol: str, tick: str) -> None:
    assert resolve(symbol).tick == Decimal(tick)


@pytest.mark.parametrize(
    ("symbol", "on", "facts", "limit"),
    [
        ("600519.SH", ON, None, "0.10"),
        ("300750.SZ", ON, None, "0.20"),
        ("300750.SZ", date(2020, 8, 21), None, "0.10"),
        ("300750.SZ", date(2020, 8, 24), None, "0.20"),
        ("688981.SH", ON, None, "0.20"),
        ("920799.BJ", ON, None, "0.30"),
        ("588000.SH", ON, None, "0.20"),
        ("600568.SH", date(2026, 7, 3), ST, "0.05"),
        ("600568.SH", date(2026, 7, 6), ST, "0.10"),
        ("002528.SZ", date(2026, 7, 3), ST, "0.05"),
        ("002528.SZ", date(2026, 7, 6), ST, "0.10"),
        ("300044.SZ", date(2026, 7, 3), ST, "0.20"),
        ("688981.SH", date(2026, 7, 3), ST, "0.20"),
        ("159915.SZ", ON, InstrumentFacts(price_limit=Decimal("0.20")), "0.20"),
    ],
)
def test_the_price_limit_follows_board_treatment_and_day(
    symbol: str, on: date, facts: InstrumentFacts | None, limit: str
) -> None:
    assert resolve(symbol, on, facts).price_limit == Decimal(limit)


@pytest.mark.parametrize("symbol", ["AAPL.US", "BTC/USDT"])
def test_some_markets_have_no_daily_limit(symbol: str) -> None:
    assert resolve(symbol).price_limit is None


@pytest.mark.parametrize(
    ("symbol", "on", "side", "reference", "bound"),
    [
        ("688981.SH", ON, Side.BUY, "50.00", "51.00"),
        ("688981.SH", ON, Side.SELL, "50.00", "49.00"),
        ("688981.SH", ON, Side.BUY, "2.00", "2.04"),
        ("600519.SH", ON, Side.BUY, "50.00", "51.00"),
        ("600519.SH", ON, Side.BUY, "2.00", "2.10"),
        ("600519.SH", ON, Side.SELL, "2.00", "1.90"),
        ("600519.SH", date(2023, 4, 7), Side.BUY, "50.00", None),
        ("300750.SZ", date(2023, 4, 10), Side.SELL, "50.03", "49.03"),
        ("920799.BJ", ON, Side.BUY, "50.00", "52.50"),
        ("920799.BJ", ON, Side.SELL, "1.00", "0.90"),
        ("510300.SH", ON, Side.BUY, "4.000", None),
        ("AAPL.US", ON, Side.BUY, "50.00", None),
    ],
)
def test_the_price_cage_follows_board_and_day(symbol: str, on: date, side: Side, reference: str, bound: str | None) -> None:
    found = resolve(symbol, on).bound_of_cage(side, Decimal(reference))
    assert found == (None if bound is None else Decimal(bound))


def test_some_boards_are_open_to_accounts_with_a_permission_alone() -> None:
    asking = [
        symbol
        for symbol in ("600519.SH", "300750.SZ", "688981.SH", "920799.BJ", "510300.SH")
        if resolve(symbol).needs_permission
    ]
    assert asking == ["300750.SZ", "688981.SH", "920799.BJ"]


def test_what_is_counted_of_cancels_of_a_future_follows_exchange_and_day() -> None:
    copper = resolve("cu2612.SHFE")
    assert (copper.large_cancel_qty, copper.counts_killed) == (Decimal(300), True)
    assert resolve("cu2412.SHFE", date(2024, 10, 24)).counts_killed is False
    assert resolve("i2612.DCE").counts_killed is None


def test_a_new_listing_has_no_limit_for_five_trading_days() -> None:
    listed = InstrumentFacts(list_date=date(2026, 7, 9))
    fifth, sixth = date(2026, 7, 15), date(2026, 7, 16)
    assert resolve("600999.SH", fifth, listed).price_limit is None
    assert resolve("600999.SH", sixth, listed).price_limit == Decimal("0.10")


def test_the_first_day_in_beijing_alone_has_no_limit() -> None:
    listed = InstrumentFacts(list_date=date(2026, 7, 16))
    assert resolve("920799.BJ", date(2026, 7, 16), listed).price_limit is None
    assert resolve("920799.BJ", date(2026, 7, 17), listed).price_limit == Decimal("0.30")


def test_a_day_before_the_listing_is_refused() -> None:
    with pytest.raises(BadInput, match="was listed on 2026-07-16; 2026-07-15 is before its first day"):
        resolve("600999.SH", date(2026, 7, 15), InstrumentFacts(list_date=date(2026, 7, 16)))


@pytest.mark.parametrize(
    ("symbol", "t1"),
    [("600519.SH", True), ("688981.SH", True), ("510300.SH", True), ("518880.SH", False), ("AAPL.US", False)],
)
def test_what_was_bought_today_can_be_sold_today_or_not(symbol: str, t1: bool) -> None:
    assert resolve(symbol).settles_t1 is t1


@pytest.mark.parametrize(
    ("symbol", "apart"), [("cu2612", True), ("nr2612", True), ("m2612", False), ("SR2701", False), ("IF2612", False)]
)
def test_shanghai_futures_close_today_apart_from_yesterday(symbol: str, apart: bool) -> None:
    broker = BrokerFees({"nr.INE": FeeLine("commission", per_unit=Decimal(3))})
    assert InstrumentMaster(broker_fees=broker).resolve(canonical(symbol), ON).closes_today_apart is apart


def test_a_futures_contract_has_multiplier_margin_and_the_hours_of_its_product() -> None:
    gold = resolve("au2612")
    assert (gold.asset_class, gold.multiplier, gold.margin_rate, gold.session, gold.currency) == (
        AssetClass.FUTURE,
        Decimal(1000),
        Decimal("0.14"),
        "FN0230",
        "CNY",
    )


def test_a_contract_past_its_month_is_refused() -> None:
    with pytest.raises(BadInput, match=r"IF2512\.CFFEX ended in 2025-12"):
        resolve("IF2512.CFFEX")


def test_an_unknown_futures_fee_is_refused_and_a_brokers_own_fee_is_taken() -> None:
    with pytest.raises(BadInput, match=r"the fee of zn\.SHFE is not in the tables"):
        resolve("zn2612")
    own = FeeLine("commission", per_unit=Decimal(3), close_today_per_unit=Decimal(0))
    zinc = InstrumentMaster(broker_fees=BrokerFees({"zn.SHFE": own})).resolve(Symbol("zn2612.SHFE"), ON)
    assert zinc.fees.fee(Side.BUY, Decimal(2), Decimal(200_000)) == Decimal(6)


def test_every_futures_product_has_a_row_of_costs_and_a_session() -> None:
    assert {(row.product, row.exchange) for row in products().rows} == {(row.product, row.exchange) for row in costs().rows}


@pytest.mark.parametrize(("on", "stamp"), [(date(2023, 8, 25), "100.00"), (date(2023, 8, 28), "50.00")])
def test_the_stamp_duty_of_a_sale_was_halved_on_the_28th_of_august_2023(on: date, stamp: str) -> None:
    lines = {line.name: line for line in resolve("600519.SH", on).fees.lines}
    assert lines["stamp_duty"].side is Side.SELL
    assert lines["stamp_duty"].rate * Decimal(100_000) == Decimal(stamp)


def test_an_a_share_sale_costs_commission_stamp_duty_and_transfer_fee() -> None:
    fees = resolve("600519.SH").fees
    assert fees.fee(Side.SELL, Decimal(100), Decimal(100_000)) == Decimal("76.00")
    assert fees.fee(Side.BUY, Decimal(100), Decimal(100_000)) == Decimal("26.00")


def test_a_small_a_share_fill_costs_the_smallest_commission() -> None:
    assert resolve("600221.SH").fees.fee(Side.BUY, Decimal(100), Decimal(132)) == Decimal("5.00")


def test_a_fund_pays_no_stamp_duty_and_no_transfer_fee() -> None:
    assert [line.name for line in resolve("510300.SH").fees.lines] == ["commission"]


def test_a_brokers_own_commission_replaces_the_default_and_nothing_else() -> None:
    own = FeeLine("commission", rate=Decimal("0.0001"))
    fees = InstrumentMaster(broker_fees=BrokerFees({"CN_A": own})).resolve(Symbol("600519.SH"), ON).fees
    assert fees.fee(Side.SELL, Decimal(100), Decimal(100_000)) == Decimal("61.00")


def test_exchange_fees_are_added_where_the_broker_charges_them_apart() -> None:
    master = InstrumentMaster(broker_fees=BrokerFees(passes_exchange_fees=True))
    names = [line.name for line in master.resolve(Symbol("600519.SH"), ON).fees.lines]
    assert names == ["commission", "stamp_duty", "transfer_fee", "handling_fee", "regulatory_fee"]


@pytest.mark.parametrize(
    ("on", "most"),
    [
        (date(2013, 10, 8), "5.95"),
        (date(2022, 1, 3), "6.49"),
        (date(2023, 1, 3), "7.27"),
        (date(2024, 1, 2), "8.30"),
        (date(2026, 1, 2), "9.79"),
    ],
)
def test_the_trading_activity_fee_of_a_us_sale_is_bounded_per_trade(on: date, most: str) -> None:
    lines = [line for line in resolve("IBM", on).fees.lines if line.name == "taf"]
    assert [str(line.maximum) for line in lines] == [most]


def test_the_settlement_fee_of_hong_kong_was_bounded_until_the_30th_of_june_2025() -> None:
    def most(on: date) -> list[Decimal | None]:
        fees = resolve("00700.HK", on, InstrumentFacts(lot=Decimal(100))).fees
        return [line.maximum for line in fees.lines if line.name == "settlement_fee"]

    assert (most(date(2025, 6, 27)), most(date(2025, 6, 30))) == ([Decimal(100)], [None])


def test_a_us_sale_of_the_demo_day_pays_the_sec_and_finra_and_a_buy_nothing() -> None:
    fees = resolve("IBM", date(2013, 10, 8)).fees
    assert fees.fee(Side.SELL, Decimal(100), Decimal(18_000)) == Decimal("0.32")
    assert fees.fee(Side.BUY, Decimal(100), Decimal(18_000)) == 0


def test_a_coin_fee_is_rounded_to_a_hundred_millionth() -> None:
    assert resolve("BTC/USDT").fees.fee(Side.BUY, Decimal("0.001"), Decimal("39.43299")) == Decimal("0.03943299")


def test_a_hong_kong_lot_cannot_be_told_from_the_code() -> None:
    with pytest.raises(BadInput, match=r"the lot of 00700\.HK cannot be told from its code"):
        resolve("00700.HK")


@pytest.mark.parametrize(
    ("on", "price", "tick"),
    [
        (date(2025, 8, 1), "15", "0.02"),
        (date(2025, 8, 4), "15", "0.01"),
        (date(2025, 8, 4), "30", "0.02"),
        (date(2026, 7, 17), "5", "0.005"),
        (date(2026, 7, 17), "500", "0.2"),
        (date(2026, 7, 17), "6000", "5"),
    ],
)
def test_the_hong_kong_tick_follows_the_price_and_the_day(on: date, price: str, tick: str) -> None:
    facts = InstrumentFacts(lot=Decimal(100), ref_price=Decimal(price))
    stock = resolve("00700.HK", on, facts)
    assert stock.tick == Decimal(tick)
    assert stock.lot == stock.min_qty == 100


def test_a_hong_kong_trade_pays_stamp_duty_on_both_sides() -> None:
    fees = resolve("00700.HK", facts=InstrumentFacts(lot=Decimal(100))).fees
    assert fees.fee(Side.BUY, Decimal(100), Decimal(50_000)) == Decimal("71.36")


def test_a_renminbi_counter_is_refused() -> None:
    with pytest.raises(BadInput, match="counter in renminbi"):
        resolve("80700.HK", facts=InstrumentFacts(lot=Decimal(100)))


def test_a_perpetual_is_traded_in_dollars_in_its_own_steps() -> None:
    perpetual = resolve("BTC-PERP")
    assert (perpetual.symbol, perpetual.currency, perpetual.session) == ("BTC-PERP.CRYPTO", "USD", "CRYPTO")
    assert (perpetual.lot, perpetual.tick, perpetual.margin_rate) == (Decimal("0.0001"), Decimal(1), None)
    with pytest.raises(BadInput, match=r"the lot of ETH-PERP\.CRYPTO cannot be told"):
        resolve("ETH-PERP")


def test_a_missing_fact_names_the_setting_that_brings_it() -> None:
    with pytest.raises(BadInput, match=r"column lot of the CSV file that the setting markets\.facts names"):
        resolve("00700.HK")


def test_the_steps_of_an_unlisted_pair_must_be_given() -> None:
    with pytest.raises(BadInput, match=r"the lot of DOGE/USDT\.CRYPTO cannot be told from its code"):
        resolve("DOGE/USDT")
    given = InstrumentFacts(lot=Decimal(1), tick=Decimal("0.00001"))
    assert resolve("DOGE/USDT", facts=given).currency == "USDT"


@pytest.mark.parametrize(
    ("symbol", "on", "says"),
    [
        ("600519.SH", date(2027, 1, 4), "end 2026-12-31; 2027-01-04 needs newer rows in markets/data/boards.yaml"),
        ("AAPL.US", date(2028, 1, 3), "end 2027-12-31"),
        ("AAPL.US", date(2012, 12, 31), "begin 2013-01-01"),
        ("600519.SH", date(2015, 7, 31), "begin 2015-08-01"),
        ("688981.SH", date(2019, 7, 19), "begin 2019-07-22"),
        ("au2712.SHFE", date(2027, 1, 4), "end 2026-12-31"),
    ],
)
def test_a_day_outside_the_tables_is_refused(symbol: str, on: date, says: str) -> None:
    with pytest.raises(BadInput) as refused:
        InstrumentMaster().resolve(Symbol(symbol), on)
    assert says in str(refused.value)


def test_a_symbol_that_is_not_canonical_is_refused() -> None:
    with pytest.raises(BadInput, match="not a canonical symbol"):
        InstrumentMaster().resolve(Symbol("sh600519"), ON)


@pytest.mark.parametrize(("symbol", "rate"), [("AAPL.US", Decimal("0.5")), ("00700.HK", None), ("BTC/USDT", None)])
def test_what_may_be_sold_short_carries_the_own_share_its_market_asks_for(symbol: str, rate: Decimal | None) -> None:
    lot = Decimal(100) if symbol.endswith("HK") else None
    found = resolve(symbol, facts=InstrumentFacts(shortable=True, lot=lot))
    assert (found.shortable, found.margin_rate) == (True, rate)
    assert resolve(symbol, facts=InstrumentFacts(lot=lot)).margin_rate is None


def test_many_symbols_resolve_in_their_order() -> None:
    wanted = [Symbol("IBM.US"), Symbol("AIG.US")]
    assert [each.symbol for each in InstrumentMaster().resolve_all(wanted, date(2013, 10, 8))] == wanted


def test_facts_come_from_a_csv_and_reach_the_instrument(tmp_path: Path) -> None:
    path = tmp_path / "facts.csv"
    path.write_text(
        "\ufeffts_code,name,industry,is_st,list_date,lot\n"
        "600568.SH,ST Made Up,health,true,2001-05-18,\n"
        "00700.HK,Made Up,media,,,100\n",
        encoding="utf-8",
    )
    master = InstrumentMaster(load_facts(path))
    stock = master.resolve(Symbol("600568.SH"), date(2026, 7, 3))
    assert (stock.name, stock.industry, stock.is_st, stock.price_limit) == (
        "ST Made Up",
        "health",
        True,
        Decimal("0.05"),
    )
    assert master.resolve(Symbol("00700.HK"), ON).lot == 100


@pytest.mark.parametrize(("name", "is_st"), [("*ST Made", True), ("ST Made", True), ("Made ST", False)])
def test_without_a_column_the_name_says_special_treatment(tmp_path: Path, name: str, is_st: bool) -> None:
    path = tmp_path / "facts.csv"
    path.write_text(f"code,name\n600568.SH,{name}\n", encoding="utf-8")
    assert load_facts(path)[Symbol("600568.SH")].is_st is is_st


@pytest.mark.parametrize(("name", "leaves"), [("退市海润", True), ("金亚退", True), ("贵州茅台", False)])
def test_without_a_column_the_name_says_that_a_stock_is_about_to_leave(tmp_path: Path, name: str, leaves: bool) -> None:
    path = tmp_path / "facts.csv"
    path.write_text(f"ts_code,name\n600519.SH,{name}\n", encoding="utf-8")
    symbol = Symbol("600519.SH")
    assert InstrumentMaster(load_facts(path)).resolve(symbol, ON).is_delisting is leaves


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name\nx\n", "has no column ts_code, symbol or code"),
        ("ts_code\n600519.SZ\n", "facts.csv row 2: 600519 is a Shanghai code"),
        ("ts_code\n600519.SH\n600519.SH\n", "facts.csv row 3: 600519.SH appears a second time"),
        ("ts_code,is_st\n600519.SH,perhaps\n", "is_st was 'perhaps'; expected true or false"),
        ("ts_code,list_date\n600519.SH,27/08/2001\n", "list_date was '27/08/2001'"),
        ("ts_code,lot\n700.HK,-100\n", "lot was -100; expected more than zero"),
        ("ts_code,asset_class\n700.HK,option\n", "asset_class was 'option'"),
    ],
)
def test_a_bad_row_of_facts_is_named(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "facts.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadInput) as refused:
        load_facts(path)
    assert says in str(refused.value)


def test_a_facts_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"the facts file missing\.csv cannot be read"):
        load_facts(tmp_path / "missing.csv")


@pytest.mark.data
def test_the_band_of_every_limit_day_of_the_data_pack_is_what_the_market_did() -> None:
    events = shared_data.rows("cn_ashare_daily/limit_events.csv")
    wrong = []
    for event in events:
        day, facts = date.fromisoformat(event["trade_date"]), InstrumentFacts(is_st=event["is_st"] == "true")
        stock = InstrumentMaster().resolve(canonical(event["ts_code"], day), day, facts)
        band = stock.band(Decimal(event["pre_close"]))
        if band != (Decimal(event["limit_down"]), Decimal(event["limit_up"])) or stock.board != event["board"]:
            wrong.append((event["trade_date"], event["ts_code"], band))
    assert len(events) == 27
    assert wrong == []


@pytest.mark.data
def test_no_daily_bar_of_the_data_pack_leaves_its_band() -> None:
    wrong = []
    for bar in shared_data.rows("cn_ashare_daily/daily_bars.csv"):
        if not bar["pre_close"]:
            continue
        day, facts = date.fromisoformat(bar["trade_date"]), InstrumentFacts(is_st=bar["is_st"] == "true")
        band = InstrumentMaster().resolve(canonical(bar["ts_code"], day), day, facts).band(Decimal(bar["pre_close"]))
        if band is None or not band[0] <= Decimal(bar["low"]) <= Decimal(bar["high"]) <= band[1]:
            wrong.append((bar["trade_date"], bar["ts_code"], band))
    assert wrong == []


@pytest.mark.data
def test_the_facts_of_the_data_pack_load_and_agree_on_the_boards() -> None:
    rows = shared_data.rows("cn_ashare_daily/instruments.csv")
    for row in rows:
        assert resolve(row["ts_code"]).board == row["board"]
