"""Fills that come in another order than that in which the venue made them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from tradeloop.core.commands import OpenTradingDay, RepairBreak
from tradeloop.core.events import Traded
from tradeloop.core.evolve import evolve
from tradeloop.core.instrument import AssetClass
from tradeloop.core.position import Position
from tradeloop.core.rebooking import MARK_EVERY, MARK_NEAR
from tradeloop.core.reports import Execution
from tradeloop.core.state import State
from tradeloop.core.types import SECOND_NS, Currency, OrderID, PositionEffect, Side, Symbol, TradingDay, UtcNs
from tradeloop.testing.builders import ACCOUNT, BROKER, NOON, a_snapshot, an_execution, an_instrument
from tradeloop.testing.desk import Desk

MOUTAI, GOLD = "600519.SH", "au2512.SHFE"
BUY, SELL = Side.BUY, Side.SELL
OPEN, CLOSE, CLOSE_TODAY = PositionEffect.OPEN, PositionEffect.CLOSE, PositionEffect.CLOSE_TODAY
CASH = 1_000_000


def a_desk(**held: int) -> Desk:
    """One stock and one contract of ten; `held`: contracts of yesterday."""
    future = an_instrument(
        GOLD,
        asset_class=AssetClass.FUTURE,
        lot=1,
        min_qty=1,
        multiplier=10,
        margin_rate="0.1",
        shortable=True,
        closes_today_apart=True,
    )
    positions = {GOLD: held["gold"]} if held else {}
    return Desk().opened(an_instrument(MOUTAI, lot=1, min_qty=1), future, cash=CASH, positions=positions)


def fill(second: int, side: Side, qty: int, px: str, name: str = "", **changes: Any) -> Execution:
    """A fill of `second`; with an effect it is of the contract, without of the stock."""
    symbol = GOLD if "position_effect" in changes else MOUTAI
    name = name or f"e{second}"
    fields = {"order_id": OrderID(f"o{name}"), "transact_at": UtcNs(NOON + second * SECOND_NS), **changes}
    return an_execution(None, symbol, side, qty, px, name, **fields)


def a_day_later(desk: Desk) -> None:
    desk.give(OpenTradingDay("CN_A", TradingDay("2026-07-20"), ((UtcNs(0), UtcNs(2**62)),)))


def held(desk: Desk, symbol: str = MOUTAI) -> Position:
    return desk.state.held(ACCOUNT, Symbol(symbol))


def figures(desk: Desk, symbol: str = MOUTAI) -> tuple[Decimal | None, ...]:
    p = held(desk, symbol)
    return p.long_qty, p.long_today, p.long_cost, p.short_qty, p.short_cost, p.realized, desk.cash()


def test_a_close_told_before_its_open_leaves_nothing_held_and_the_profit_made() -> None:
    """D5, F29: bought to open at 100, sold to close at 110, told the other way round."""
    desk = a_desk()
    desk.give(fill(2, SELL, 1, "110", position_effect=CLOSE), fill(1, BUY, 1, "100", position_effect=OPEN))
    assert held(desk, GOLD).is_flat
    assert (held(desk, GOLD).realized, desk.cash()) == (Decimal(100), Decimal(CASH + 100))
    assert desk.state.accounts[ACCOUNT].cash[Currency("CNY")].margin == 0


def test_a_close_of_today_told_before_its_open_leaves_yesterdays_alone() -> None:
    """D5: SHFE and INE close the two by different instructions, so what is left has to be told apart."""
    desk = a_desk(gold=3)
    desk.give(fill(2, SELL, 2, "110", position_effect=CLOSE_TODAY), fill(1, BUY, 2, "100", position_effect=OPEN))
    assert (held(desk, GOLD).long_yesterday, held(desk, GOLD).long_today) == (Decimal(3), Decimal(0))


def test_a_buy_told_late_has_no_part_in_what_an_earlier_sell_had_cost() -> None:
    """Bought at 10 and 20, sold at 15, bought at 30: told with the sell last."""
    late, straight = a_desk(), a_desk()
    one, two, sold, last = (fill(1, BUY, 100, "10"), fill(2, BUY, 100, "20"), fill(3, SELL, 100, "40"), fill(4, BUY, 100, "30"))
    straight.give(one, two, sold, last)
    late.give(two, last, one, sold)
    assert held(late).realized == 2500
    assert figures(late) == figures(straight)


def test_the_profit_that_its_fills_tell_is_the_profit_of_the_position() -> None:
    desk = a_desk()
    desk.give(fill(3, SELL, 100, "40"), fill(2, BUY, 100, "20"), fill(1, BUY, 100, "10"), fill(4, SELL, 50, "30"))
    assert sum(e.realized for e in desk.of(Traded) if e.realized is not None) == held(desk).realized


def test_a_fill_told_late_that_opens_only_says_that_it_realised_nothing() -> None:
    desk = a_desk()
    desk.give(fill(2, BUY, 100, "20"), fill(1, BUY, 100, "10"))
    assert [e.realized for e in desk.of(Traded)] == [None, None]


def test_in_their_order_no_fill_is_booked_before_another() -> None:
    desk = a_desk()
    desk.give(*(fill(second, BUY if second % 2 else SELL, 10, "10") for second in range(6)))
    assert [e.rebooked for e in desk.of(Traded)] == [None] * 6


def test_a_fill_without_a_time_stays_where_it_came() -> None:
    desk = a_desk()
    desk.give(fill(1, SELL, 100, "40", transact_at=None), fill(2, BUY, 100, "10", transact_at=None))
    assert (desk.of(Traded)[-1].rebooked, held(desk).realized) == (None, Decimal(3000))
    assert held(desk).short_qty == 0


@pytest.mark.parametrize(("first", "second"), [("       1009", "       1010"), ("999", "1000"), ("0998", "1000")])
def test_of_two_fills_of_one_second_the_one_with_the_lower_trade_number_came_first(first: str, second: str) -> None:
    """CTP tells the time to the second, and each exchange counts its trades up, padded with blanks or not."""
    told, straight = a_desk(), a_desk()
    bought = fill(1, BUY, 1, "100", first, position_effect=OPEN)
    sold = fill(1, SELL, 1, "110", second, position_effect=CLOSE)
    straight.give(bought, sold)
    told.give(sold, bought)
    assert figures(told, GOLD) == figures(straight, GOLD)
    assert straight.of(Traded)[-1].rebooked is None


@pytest.mark.parametrize(("first", "second"), [("b1", "a1"), ("a1", "1"), ("2", "a1"), ("7", "7")])
def test_where_neither_time_nor_number_tells_two_fills_apart_they_stay_as_they_came(first: str, second: str) -> None:
    """A venue that counts nothing has said nothing about their order; both halves of a self-trade carry one number."""
    desk = a_desk()
    desk.give(fill(1, BUY, 100, "10", first), fill(1, SELL, 100, "40", second))
    assert (desk.of(Traded)[-1].rebooked, held(desk).realized) == (None, Decimal(3000))


def test_a_fill_of_today_is_todays_though_its_time_is_before_yesterdays() -> None:
    """A venue that dates its night session otherwise must not turn what was bought today into what may be sold today."""
    desk = Desk().opened(an_instrument(MOUTAI, lot=1, min_qty=1, settles_t1=True), cash=CASH)
    desk.give(fill(5, BUY, 100, "10"))
    a_day_later(desk)
    desk.give(fill(1, BUY, 30, "10", "n1", trading_day=TradingDay("2026-07-20")))
    assert (held(desk).long_yesterday, held(desk).long_today) == (Decimal(100), Decimal(30))


def test_a_night_session_that_is_dated_a_day_ahead_does_not_put_the_day_before_it() -> None:
    """DCE and CZCE write the trading day on what is traded the evening before; so an adapter has to mend it, and may not."""
    desk = a_desk()
    desk.give(fill(24 * 3600, BUY, 100, "10", "night"), fill(1, SELL, 100, "40", "day"), fill(2, BUY, 5, "1"))
    assert [e.rebooked for e in desk.of(Traded)] == [None] * 3
    desk.give(fill(0, BUY, 5, "1"))
    assert desk.of(Traded)[-1].rebooked is not None


def test_what_a_person_took_over_from_the_broker_is_not_booked_anew() -> None:
    """The figure may hold the late fill already."""
    desk = a_desk()
    desk.give(fill(2, BUY, 100, "10"))
    desk.wait(3600)
    desk.give(a_snapshot(as_of=desk.now, cash=999_000, positions={MOUTAI: 250}))
    desk.give(RepairBreak(f"position:{BROKER}:{ACCOUNT}:{MOUTAI} long", "ann", "looked"))
    desk.give(fill(1, BUY, 10, "10"))
    assert (desk.of(Traded)[-1].rebooked, held(desk).long_qty) == (None, Decimal(260))


@pytest.mark.parametrize("late", [0, 5, MARK_EVERY - 1, MARK_EVERY, MARK_EVERY + 1, MARK_EVERY * 2 + 90])
def test_marks_on_the_way_change_nothing_but_the_cost(late: int) -> None:
    many = MARK_EVERY * 2 + 100
    path = [fill(n, BUY if n % 3 else SELL, 1 + n % 7, f"{10 + n % 11}") for n in range(many)]
    desk, straight = a_desk(), a_desk()
    straight.give(*path)
    for place, each in enumerate(path):
        if place != late:
            desk.give(each)
    desk.state = State.unpack(desk.state.pack())
    desk.give(path[late])
    assert desk.of(Traded)[-1].rebooked is not None
    assert figures(desk) == figures(straight)


def test_where_every_second_fill_comes_late_none_waits_for_a_thousand_to_be_booked_anew() -> None:
    desk, straight = a_desk(), a_desk()
    path = [fill(n, BUY if n % 3 else SELL, 1 + n % 7, f"{10 + n % 11}") for n in range(600)]
    for one, two in zip(path[::2], path[1::2], strict=True):
        desk.give(two, one)
    straight.give(*path)
    assert figures(desk) == figures(straight)
    marks = [place for place, _ in desk.state.pages[ACCOUNT, Symbol(MOUTAI)][-1].marks]
    assert marks == sorted(set(marks))
    assert len(path) - marks[-1] <= 3 * MARK_NEAR
    assert len(marks) <= len(path) / MARK_NEAR


def test_a_journal_from_before_gives_what_it_gave() -> None:
    """There each fill was booked behind the others, and what people saw and did rested on that."""
    desk = a_desk()
    told = (fill(2, SELL, 1, "110", position_effect=CLOSE), fill(1, BUY, 1, "100", position_effect=OPEN))
    desk.give(told[0])
    before = State.unpack(desk.state.pack())
    desk.give(told[1])
    for event in desk.events[-2:]:
        old = msgspec.structs.replace(event, rebooked=None, realized=None) if isinstance(event, Traded) else event
        evolve(before, old)
    then = before.held(ACCOUNT, Symbol(GOLD))
    assert (then.long_qty, then.short_qty, then.realized) == (Decimal(1), Decimal(1), Decimal(0))
