"""Many fills that one look at the broker shows with other figures: the corrections of a session that was lost."""

from __future__ import annotations

import random
from decimal import Decimal

import msgspec
import pytest
from tests.core.test_late_fills import GOLD, MOUTAI, a_day_later, a_desk, figures, fill, held
from tests.core.test_missed_fills import futures, stocks
from tests.core.watched import WatchedDesk

from tradeloop.core import rebooking
from tradeloop.core.commands import OpenTradingDay
from tradeloop.core.events import FeeChanged, TradeCorrected
from tradeloop.core.execution import Executions
from tradeloop.core.position import with_more
from tradeloop.core.reports import Execution, ExecutionBust
from tradeloop.core.state import State
from tradeloop.core.types import OrderID, Px, Qty, Side, TradingDay, UtcNs
from tradeloop.testing.builders import ACCOUNT, BROKER, a_snapshot, an_instrument, fees
from tradeloop.testing.desk import Desk

BUY, SELL = Side.BUY, Side.SELL


def look(desk: Desk, *listed: Execution) -> None:
    """The broker shows these fills, and other money than we have."""
    desk.wait(3600)
    desk.give(a_snapshot(as_of=desk.now, cash=1, executions=listed, positions=None, orders_complete=False))


def other(x: Execution, rng: random.Random) -> Execution:
    return msgspec.structs.replace(x, last_qty=Qty(Decimal(rng.randint(1, 9))), last_px=Px(Decimal(rng.randint(5, 30))))


def some_others(path: list[Execution], rng: random.Random) -> list[Execution]:
    return [other(each, rng) if rng.random() < 0.4 else each for each in path]


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("symbol", [MOUTAI, GOLD])
def test_fills_that_are_corrected_together_are_as_if_each_had_always_been_so(symbol: str, seed: int) -> None:
    rng = random.Random(seed)
    path = [(stocks if symbol == MOUTAI else futures)(number, rng) for number in range(40)]
    desk, straight = a_desk(), a_desk()
    desk.give(*path)
    stands = some_others(path, rng)
    straight.give(*stands)
    shown = list(stands)
    rng.shuffle(shown)
    look(desk, *shown)
    assert figures(desk, symbol) == figures(straight, symbol)
    legs = [(e.rebooked.long_realized, e.rebooked.short_realized) for e in desk.of(TradeCorrected) if e.rebooked is not None]
    assert len(legs) == len(desk.of(TradeCorrected)) > 1
    assert all(with_more(*leg) is not None for leg in legs)


@pytest.mark.parametrize("seed", range(10))
def test_so_are_fills_of_the_day_before(seed: int) -> None:
    rng = random.Random(seed)
    path = [futures(number, rng) for number in range(40)]
    desk, straight = a_desk(), a_desk()
    desk.give(*path[:20])
    stands = some_others(path, rng)
    straight.give(*stands[:20])
    for each in (desk, straight):
        a_day_later(each)
    desk.give(*path[20:])
    straight.give(*stands[20:])
    look(desk, *stands)
    assert figures(desk, GOLD) == figures(straight, GOLD)


def test_after_them_a_word_about_any_of_them_is_answered_exactly() -> None:
    rng = random.Random(7)
    path = [stocks(number, rng) for number in range(60)]
    desk, straight = a_desk(), a_desk()
    desk.give(*path)
    stands = some_others(path, rng)
    straight.give(*stands)
    look(desk, *stands)
    desk.state = State.unpack(desk.state.pack())
    for each in (desk, straight):
        each.give(ExecutionBust(BROKER, ACCOUNT, path[10].trading_day, path[10].exec_id, path[10].side))
        each.give(fill(20, BUY, 3, "8", "late"))
    assert figures(desk) == figures(straight)


def test_an_order_pays_its_minimum_once_whatever_is_corrected_together() -> None:
    """A minimum holds per order: what one fill does not use of it, the next one pays."""
    listed = an_instrument(MOUTAI, lot=1, min_qty=1, fees=fees("0.01", minimum="5"))
    path = [fill(n, BUY, 10, "20", order_id=OrderID(f"o{n % 3}"), commission=None) for n in range(12)]
    stands = [msgspec.structs.replace(x, last_px=Px(Decimal(30))) if n % 2 else x for n, x in enumerate(path)]
    desk, straight = (WatchedDesk().opened(listed, cash=1_000_000) for _ in range(2))
    desk.give(*path)
    straight.give(*stands)
    look(desk, *stands)
    assert desk.of(FeeChanged)
    assert figures(desk) == figures(straight)


@pytest.mark.parametrize("seed", range(5))
def test_what_is_held_otherwise_than_its_fills_made_it_is_corrected_one_by_one(seed: int) -> None:
    rng = random.Random(seed)
    path = [fill(number, BUY, 5, "10") for number in range(9)]
    desk = a_desk()
    desk.give(*path)
    desk.state.position(ACCOUNT, path[0].symbol).long_qty += Decimal(7)  # type: ignore[assignment]
    stands = [other(each, rng) for each in path]
    look(desk, *stands)
    assert held(desk).long_qty == 7 + sum(each.last_qty for each in stands)


@pytest.mark.parametrize("seed", range(10))
def test_how_today_began_is_known_after_fills_of_the_day_before_were_corrected(seed: int) -> None:
    """To a restart, to words about fills of today, and to the day that follows."""
    rng = random.Random(seed)
    path = [futures(number, rng) for number in range(40)]
    yesterday = some_others(path[:20], rng)
    desk, straight = a_desk(), a_desk()
    desk.give(*path[:20])
    straight.give(*yesterday)
    for each in (desk, straight):
        a_day_later(each)
        each.give(*path[20:])
    look(desk, *yesterday)
    if seed % 2:
        desk.state = State.unpack(desk.state.pack())
    for each in (desk, straight):
        each.give(ExecutionBust(BROKER, ACCOUNT, path[25].trading_day, path[25].exec_id, path[25].side))
    assert figures(desk, GOLD) == figures(straight, GOLD)
    look(desk, *some_others(yesterday, rng))
    look(desk, *yesterday)
    for each in (desk, straight):
        each.give(OpenTradingDay("CN_A", TradingDay("2026-07-21"), ((UtcNs(0), UtcNs(2**62)),)))
        each.give(ExecutionBust(BROKER, ACCOUNT, path[30].trading_day, path[30].exec_id, path[30].side))
    assert figures(desk, GOLD) == figures(straight, GOLD)


def steps_of(corrected: int, monkeypatch: pytest.MonkeyPatch, *, of_yesterday: bool = False) -> int:
    """How many fills are booked anew or read while so many of a thousand are corrected by one look."""
    path = [fill(number, BUY if number % 3 else SELL, 1 + number % 7, "10") for number in range(1000)]
    desk = a_desk()
    desk.give(*path)
    if of_yesterday:
        a_day_later(desk)
        desk.give(fill(1000, BUY, 1, "10"))
    steps = 0
    book, get = rebooking._book, Executions.get

    def booked(*args: object, **named: object) -> object:
        nonlocal steps
        steps += 1
        return book(*args, **named)  # type: ignore[arg-type]

    def read(self: Executions, key: str) -> object:
        nonlocal steps
        steps += 1
        return get(self, key)

    every = 1000 // corrected
    stands = [msgspec.structs.replace(x, last_px=Px(Decimal(9))) if n % every == 0 else x for n, x in enumerate(path)]
    with monkeypatch.context() as patch:
        patch.setattr(rebooking, "_book", booked)
        patch.setattr(Executions, "get", read)
        look(desk, *stands)
    assert len(desk.of(TradeCorrected)) == corrected
    return steps


@pytest.mark.parametrize("of_yesterday", [False, True])
def test_half_of_a_thousand_fills_corrected_cost_no_more_than_a_walk_and_a_little_for_each(
    monkeypatch: pytest.MonkeyPatch, of_yesterday: bool
) -> None:
    """The decision that booked all behind each of them anew outlasted the lease: so did that of the successor."""
    ten, many = (steps_of(corrected, monkeypatch, of_yesterday=of_yesterday) for corrected in (10, 500))
    assert ten < 8 * 1000
    assert many < ten + 100 * 490


def test_of_a_correction_that_was_heard_and_others_that_were_not_all_count_once() -> None:
    desk = a_desk()
    path = [fill(number, BUY, 10, "10") for number in range(4)]
    desk.give(*path)
    stands = [msgspec.structs.replace(x, last_px=Px(Decimal(9))) for x in path]
    look(desk, *stands[:3], path[3])
    look(desk, *stands)
    look(desk, *stands)
    assert len(desk.of(TradeCorrected)) == 4
    assert held(desk).long_cost == 360
