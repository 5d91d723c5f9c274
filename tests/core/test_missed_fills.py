"""What one look at the broker brings that happened before what is booked already."""

from __future__ import annotations

import random
from decimal import Decimal

import pytest
from tests.core.test_late_fills import CLOSE, CLOSE_TODAY, GOLD, MOUTAI, OPEN, a_desk, figures, fill, held

from tradeloop.core import fills, identity, missed, rebooking, reconcile
from tradeloop.core.events import Traded
from tradeloop.core.execution import exec_key
from tradeloop.core.position import with_more
from tradeloop.core.reports import Execution
from tradeloop.core.state import State
from tradeloop.core.types import ZERO, Side
from tradeloop.testing.builders import a_snapshot
from tradeloop.testing.desk import Desk

BUY, SELL = Side.BUY, Side.SELL


def look(desk: Desk, *listed: Execution) -> None:
    """The broker shows these fills, in this order, and nothing that could be compared."""
    desk.wait(3600)
    desk.give(a_snapshot(as_of=desk.now, executions=listed, positions=None, orders_complete=False))


def stocks(number: int, rng: random.Random) -> Execution:
    return fill(number, rng.choice((BUY, SELL)), rng.randint(1, 9), f"{rng.randint(5, 30)}")


def futures(number: int, rng: random.Random) -> Execution:
    side, effect = rng.choice(((BUY, OPEN), (BUY, OPEN), (SELL, CLOSE), (SELL, OPEN), (BUY, CLOSE), (SELL, CLOSE_TODAY)))
    return fill(number, side, rng.randint(1, 9), f"{rng.randint(5, 30)}", position_effect=effect)


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("symbol", [MOUTAI, GOLD])
def test_fills_that_were_missed_are_booked_as_if_each_had_been_told_in_time(symbol: str, seed: int) -> None:
    rng = random.Random(seed)
    path = [(stocks if symbol == MOUTAI else futures)(number, rng) for number in range(40)]
    missed = [each for each in path if rng.random() < 0.4]
    desk, straight = a_desk(), a_desk()
    straight.give(*path)
    desk.give(*(each for each in path if each not in missed))
    rng.shuffle(missed)
    look(desk, *missed)
    assert figures(desk, symbol) == figures(straight, symbol)
    assert [page.keys for pages in desk.state.pages.values() for page in pages] == [
        page.keys for pages in straight.state.pages.values() for page in pages
    ]


@pytest.mark.parametrize("seed", range(10))
def test_the_profits_that_they_tell_are_the_profit_of_the_position(seed: int) -> None:
    rng = random.Random(seed)
    path = [futures(number, rng) for number in range(30)]
    desk = a_desk()
    desk.give(*path[15:])
    look(desk, *path[:15])
    assert sum(e.realized for e in desk.of(Traded) if e.realized is not None) == held(desk, GOLD).realized
    legs = [(e.rebooked.long_realized, e.rebooked.short_realized) for e in desk.of(Traded) if e.rebooked is not None]
    assert len(legs) == 15
    assert all(with_more(*leg) is not None for leg in legs)


def test_after_them_a_word_about_any_of_them_is_answered_exactly() -> None:
    desk, straight = a_desk(), a_desk()
    rng = random.Random(7)
    path = [stocks(number, rng) for number in range(60)]
    straight.give(*path)
    desk.give(*path[20:])
    look(desk, *path[:20])
    desk.state = State.unpack(desk.state.pack())
    late = fill(10, BUY, 3, "8", "late")
    for each in (desk, straight):
        each.give(late)
        assert each.of(Traded)[-1].rebooked is not None
    assert figures(desk) == figures(straight)


def test_a_fill_that_is_shown_twice_is_booked_once() -> None:
    desk = a_desk()
    desk.give(fill(5, BUY, 100, "10"))
    missed = [fill(number, BUY, 10, "20") for number in (1, 2)]
    look(desk, *missed, *missed)
    assert (held(desk).long_qty, held(desk).long_cost) == (Decimal(120), Decimal(1400))


def test_a_thousand_missed_fills_behind_a_thousand_cost_as_much_as_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """The decision that booked all behind each of them anew outlasted the lease: so did that of the successor."""
    many = 1000
    desk = a_desk()
    desk.give(*(fill(many + number, BUY if number % 3 else SELL, 1 + number % 7, "10") for number in range(many)))
    steps = 0
    book = rebooking._book

    def counted(*args: object, **named: object) -> object:
        nonlocal steps
        steps += 1
        return book(*args, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(rebooking, "_book", counted)
    look(desk, *(fill(number, BUY if number % 3 else SELL, 1 + number % 7, "10") for number in range(many)))
    assert len(desk.of(Traded)) == 2 * many
    assert ZERO < steps < 8 * many


def test_a_look_makes_the_identity_of_a_fill_that_is_known_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A look shows every fill of the day again, and there may be fifty thousand."""
    desk = a_desk()
    path = [stocks(number, random.Random(1)) for number in range(10)]
    desk.give(*path)
    made: list[str] = []

    def counted(*parts: str) -> str:
        made.append(exec_key(*parts))  # type: ignore[arg-type]
        return made[-1]

    for module in (fills, identity, missed, reconcile):
        monkeypatch.setattr(module, "exec_key", counted)
    look(desk, *path)
    assert sorted(made) == sorted(set(made))
    assert len(made) == len(path)
