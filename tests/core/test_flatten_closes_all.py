"""A FLATTEN closes whatever a legal order can close, and is not done before: without market orders, and around lots."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from tests.core.test_halt import MOUTAI, halt

from tradeloop.core.commands import ListInstruments, OpenTradingDay
from tradeloop.core.effects import SendCancel
from tradeloop.core.events import HaltChecked, OrderDenied, OrderStaged
from tradeloop.core.halt import HaltTier
from tradeloop.core.inputs import Start, TimerFired
from tradeloop.core.instrument import AssetClass, FeeSchedule, Instrument
from tradeloop.core.order import Order
from tradeloop.core.reports import BrokerUp, CancelAck, HeldPosition, OrderReject
from tradeloop.core.types import SECOND_NS, ZERO, OrdType, PositionEffect, Px, Qty, Side, Symbol, TimeInForce, TradingDay, UtcNs
from tradeloop.markets import instruments
from tradeloop.markets.facts import InstrumentFacts
from tradeloop.markets.futures import products
from tradeloop.markets.instruments import InstrumentMaster
from tradeloop.testing.builders import ACCOUNT, BROKER, a_quote, a_snapshot, an_execution, an_instrument, buy, sell
from tradeloop.testing.desk import ABLE, Desk

DAY, TODAY = date(2026, 7, 17), TradingDay("2026-07-17")
WITHOUT = sorted(
    {
        (row.exchange, row.product)
        for row in products().rows
        if row.max_qty_market == 0 and row.effective_from <= DAY <= (row.effective_to or DAY)
    }
)


def resolved(exchange: str, product: str, monkeypatch: pytest.MonkeyPatch) -> Instrument:
    """The real rows of a product; what it costs is not known for all of them."""
    monkeypatch.setattr(instruments, "futures_schedule", lambda *_: FeeSchedule(()))
    return InstrumentMaster().resolve(Symbol(f"{product}2609.{exchange}"), DAY)


def quoted(desk: Desk, symbol: str, bid: Any = "9.99", ask: Any = "10.00", **more: Any) -> None:
    desk.give(a_quote(symbol, bid, ask, at=desk.now, **more))


def looks(desk: Desk, symbol: str, bid: Any = "9.99", ask: Any = "10.00", after: float = 40, **more: Any) -> None:
    desk.wait(after)
    quoted(desk, symbol, bid, ask, **more)
    desk.give(TimerFired("halt", "1"))


def flattens(desk: Desk) -> list[Order]:
    """The closing orders of a FLATTEN that is asked for now."""
    halt(desk, HaltTier.FLATTEN)
    return [desk.known(staged.cl_ord_id) for staged in desk.of(OrderStaged) if staged.halt]


def last(desk: Desk) -> HaltChecked:
    return desk.of(HaltChecked)[-1]


# --- without market orders


def test_the_products_that_take_no_market_orders_are_those_of_two_exchanges() -> None:
    assert len(WITHOUT) == 14
    assert {product for exchange, product in WITHOUT if exchange == "CFFEX"} == {"T", "TF", "TS", "TL"}
    assert sum(exchange == "CZCE" for exchange, _ in WITHOUT) == 10


@pytest.mark.parametrize(("exchange", "product"), WITHOUT)
@pytest.mark.parametrize("side", [Side.SELL, Side.BUY])
def test_what_takes_limits_alone_is_closed_at_a_limit(
    exchange: str, product: str, side: Side, monkeypatch: pytest.MonkeyPatch
) -> None:
    instrument = resolved(exchange, product, monkeypatch)
    tick, most = instrument.tick, instrument.max_qty_limit
    assert most is not None
    bid, ask = 5000 * tick, 5001 * tick
    desk = holding(instrument, most + 25 if side is Side.SELL else -most - 25)
    quoted(desk, instrument.symbol, bid, ask)

    orders = flattens(desk)

    price = bid - 9 * tick if side is Side.SELL else ask + 9 * tick
    assert [(each.side, each.ord_type, each.price) for each in orders] == [(side, OrdType.LIMIT, Px(price))] * 2
    assert [each.order_qty for each in orders] == [most, 25]
    assert not last(desk).done
    for number, each in enumerate(orders):
        desk.give(an_execution(each.cl_ord_id, instrument.symbol, side, each.order_qty, price, f"e{number}"))
    looks(desk, instrument.symbol, bid, ask)
    assert (last(desk).done, last(desk).held) == (True, ())


def rb(**changes: Any) -> Instrument:
    terms: dict[str, Any] = {
        "asset_class": AssetClass.FUTURE,
        "tick": 1,
        "lot": 1,
        "min_qty": 1,
        "odd_lot_sell": False,
        "max_qty_market": 0,
        "max_qty_limit": 500,
        **changes,
    }
    return an_instrument("SR609.CZCE", **terms)


def holding(instrument: Instrument, qty: Any, *, able: Any = ABLE) -> Desk:
    """A desk that holds so many of one instrument; less than nothing is short."""
    desk, held, cash = Desk(able=able), Decimal(qty), 10**8 if Decimal(qty) > 0 else 0
    desk.give(Start(1, "test", "t1"), ListInstruments((instrument,)))
    desk.give(OpenTradingDay(instrument.session, TODAY, ((UtcNs(0), UtcNs(desk.now + 3600 * SECOND_NS)),)))
    leg = HeldPosition(ACCOUNT, instrument.symbol, Qty(max(held, ZERO)), Qty(max(-held, ZERO)))
    desk.give(BrokerUp(BROKER), msgspec.structs.replace(a_snapshot(cash=cash, currency=instrument.currency), positions=(leg,)))
    return desk


def test_a_limit_that_the_market_has_left_behind_is_taken_out_and_ordered_anew() -> None:
    desk = holding(rb(), 25)
    quoted(desk, "SR609.CZCE", 5000, 5001)
    (first,) = flattens(desk)
    assert first.price == Px(Decimal(4991))
    desk.ack(first)
    looks(desk, "SR609.CZCE", 4991, 4992, after=1)
    assert desk.of(SendCancel) == []
    looks(desk, "SR609.CZCE", 4980, 4981)
    assert [each.cl_ord_id for each in desk.of(SendCancel)] == [first.cl_ord_id]
    looks(desk, "SR609.CZCE", 4980, 4981, after=1)
    assert len(desk.of(SendCancel)) == 1, "its answer is waited for"

    desk.give(CancelAck(BROKER, first.cl_ord_id))
    looks(desk, "SR609.CZCE", 4980, 4981, after=1)
    again = desk.of(OrderStaged)[-1]
    assert (again.price, again.order_qty) == (Px(Decimal(4980)), Qty(Decimal(25)))


def test_a_limit_at_which_the_market_stands_is_left_at_work() -> None:
    desk = holding(rb(), 25)
    quoted(desk, "SR609.CZCE", None, 4800, last=Px(Decimal(4800)))
    (order,) = flattens(desk)
    assert order.price == Px(Decimal(4800)), "nobody is on the other side: it joins those who sell"
    desk.ack(order)
    for _ in range(5):
        looks(desk, "SR609.CZCE", None, 4800, last=Px(Decimal(4800)))
    assert desk.of(SendCancel) == []
    assert not last(desk).done


def test_after_a_refusal_the_price_is_the_other_sides_best_which_is_within_every_limit() -> None:
    desk = holding(rb(), 25)
    quoted(desk, "SR609.CZCE", 4805, 4806)
    (first,) = flattens(desk)
    desk.give(OrderReject(BROKER, first.cl_ord_id, "50", "beyond the day's limit"))
    looks(desk, "SR609.CZCE", 4805, 4806)
    assert [each.price for each in desk.of(OrderStaged)] == [Px(Decimal(4796)), Px(Decimal(4805))]


def test_without_a_present_quote_a_limit_waits_and_is_not_done() -> None:
    desk = holding(rb(), 25)
    assert flattens(desk) == []
    assert not last(desk).done
    assert "no present price of it is known" in last(desk).held[0]


@pytest.mark.parametrize(("bid", "expected"), [("10.00", "9.80"), ("9.10", "9.00")])
def test_a_limit_goes_to_the_end_of_the_cage_or_of_the_band_whichever_comes_first(bid: str, expected: str) -> None:
    share = an_instrument(MOUTAI, price_limit="0.1", cage=Decimal("0.02"), cage_ticks=10, settles_t1=True)
    able = msgspec.structs.replace(ABLE, ord_types=frozenset({OrdType.LIMIT}))
    desk = holding(share, 1000, able=able)
    quoted(desk, MOUTAI, bid, "10.50", prev_close=Px(Decimal(10)))
    assert [(each.ord_type, each.price) for each in flattens(desk)] == [(OrdType.LIMIT, Px(Decimal(expected)))]


def test_a_person_is_told_that_a_product_takes_no_market_orders() -> None:
    desk = holding(rb(), 25)
    quoted(desk, "SR609.CZCE", 5000, 5001)
    desk.give(sell("SR609.CZCE", 1, position_effect=PositionEffect.CLOSE))
    assert desk.of(OrderDenied)[-1].text == "SR609.CZCE takes no market orders; give a limit"


@pytest.mark.parametrize("qty", [100, 300_100])
def test_hong_kong_is_closed_at_limits_and_takes_no_market_order_and_no_stop_without_a_limit(qty: int) -> None:
    facts = InstrumentFacts(lot=Decimal(100), ref_price=Decimal(5))
    share = InstrumentMaster().resolve(Symbol("00700.HK"), DAY, facts)
    desk = holding(share, qty)
    quoted(desk, "00700.HK", "5.000", "5.005")
    for asked, said in (
        ({}, "00700.HK takes no market orders; give a limit"),
        (
            {"ord_type": OrdType.STOP, "stop_px": "4.800"},
            "00700.HK takes no market orders, which a stop without a limit becomes; give a limit",
        ),
    ):
        desk.give(sell("00700.HK", 100, **asked))
        assert desk.of(OrderDenied)[-1].text == said
    sizes = [size for size in (300_000, qty % 300_000) if size <= qty]
    assert [(each.ord_type, each.price, each.order_qty) for each in flattens(desk)] == [
        (OrdType.LIMIT, Px(Decimal("4.955")), Qty(Decimal(size))) for size in sizes
    ]


# --- around lots


@pytest.mark.parametrize(
    ("terms", "held", "closes", "rest"),
    [
        ({"lot": "0.00001", "min_qty": "0.00001", "odd_lot_sell": False}, "1.0000073", ["1.00000"], "0.0000073"),
        ({"lot": "0.00001", "min_qty": "0.00001", "odd_lot_sell": False, "max_qty_market": 25}, "25.000000001", ["25"], "1E-9"),
        ({"lot": 1, "min_qty": 1, "odd_lot_sell": False}, "1000.5", ["1000"], "0.5"),
        ({"lot": 500, "min_qty": 500, "odd_lot_sell": False}, "750", ["500"], "250"),
        ({"lot": 500, "min_qty": 500, "odd_lot_sell": False, "max_qty_market": 1000}, "1750", ["1000", "500"], "250"),
        ({"lot": 1, "min_qty": 200, "odd_lot_sell": True}, "150", ["150"], "0"),
        ({"lot": 100, "min_qty": 100, "odd_lot_sell": True}, "1050", ["1050"], "0"),
        ({"lot": 100, "min_qty": 100, "odd_lot_sell": False}, "50", [], "50"),
    ],
)
def test_what_is_legal_of_a_position_is_closed_and_the_rest_is_named(
    terms: dict[str, Any], held: str, closes: list[str], rest: str
) -> None:
    desk = holding(an_instrument(MOUTAI, **terms), held)
    quoted(desk, MOUTAI)

    orders = flattens(desk)

    assert [each.order_qty for each in orders] == [Decimal(each) for each in closes]
    assert last(desk).done is not bool(closes)
    for number, each in enumerate(orders):
        desk.give(an_execution(each.cl_ord_id, MOUTAI, Side.SELL, each.order_qty, "9.99", f"e{number}"))
    looks(desk, MOUTAI)
    left = Decimal(rest)
    assert last(desk).done
    assert [why.partition(":")[0] for why in last(desk).held] == ([f"{left:f} {MOUTAI} of {ACCOUNT}"] if left else [])
    if left:
        assert "no legal order sells so little" in last(desk).held[0]
        assert last(desk).text.endswith(f"1 position left ({MOUTAI} lot)")
        looks(desk, MOUTAI)
        assert len(desk.of(OrderStaged)) == len(orders), "nothing illegal is tried"


def test_a_short_of_a_fraction_is_bought_back_to_the_lot() -> None:
    coin = an_instrument(MOUTAI, lot="0.01", min_qty="0.01", odd_lot_sell=False, shortable=True)
    desk = holding(coin, "-1.005")
    quoted(desk, MOUTAI)
    assert [(each.side, each.order_qty) for each in flattens(desk)] == [(Side.BUY, Decimal("1.00"))]


def test_a_flatten_is_not_done_while_what_could_be_closed_is_refused() -> None:
    """Whatever says no: the broker takes no orders of this kind, and a person has to do something."""
    able = msgspec.structs.replace(ABLE, tifs=frozenset({TimeInForce.IOC}))
    desk = holding(an_instrument(MOUTAI), 1000, able=able)
    quoted(desk, MOUTAI)
    assert flattens(desk) == []
    assert (last(desk).done, last(desk).text.endswith(f"({MOUTAI} time_in_force)")) == (False, True)


def test_what_was_bought_today_and_a_market_that_is_closed_leave_nothing_to_do_today() -> None:
    desk = Desk().opened(an_instrument(MOUTAI, settles_t1=True))
    bought = desk.order(buy(MOUTAI, 100))
    desk.give(an_execution(bought.cl_ord_id, MOUTAI, Side.BUY, 100, 10))
    halt(desk, HaltTier.FLATTEN)
    assert last(desk).done

    desk = Desk().opened(an_instrument(MOUTAI), positions={MOUTAI: 1000})
    desk.give(OpenTradingDay("CN_A", TODAY, ((UtcNs(0), UtcNs(SECOND_NS)),)))
    halt(desk, HaltTier.FLATTEN)
    assert (last(desk).done, last(desk).text.endswith("session_open)")) == (True, True)
