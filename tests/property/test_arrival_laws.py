"""The law of arrival: where the venue says when its fills happened, the books are those of its order of them, not of ours.

Average cost, what is realised, the two legs of a contract and what of them was opened today all depend on the order in which
fills are booked. Fills may come in any other order: over two sessions, by a query after a lost line, on the next day.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tradeloop.core.commands import OpenTradingDay
from tradeloop.core.instrument import AssetClass, Instrument
from tradeloop.core.reports import Execution, ExecutionBust, ExecutionCorrect
from tradeloop.core.state import State
from tradeloop.core.types import Amount, ExecID, OrderID, PositionEffect, Px, Qty, Side, TradingDay, UtcNs
from tradeloop.testing.builders import ACCOUNT, BROKER, DAY, NOON, an_execution, an_instrument
from tradeloop.testing.desk import Desk

STOCK = an_instrument("600519.SH", lot=1, min_qty=1, settles_t1=True)
GOLD = an_instrument(
    "au2512.SHFE", asset_class=AssetClass.FUTURE, lot=1, min_qty=1, multiplier=1000, margin_rate="0.1", shortable=True
)
TOMORROW = TradingDay("2026-07-20")
NEXT_DAY = OpenTradingDay("CN_A", TOMORROW, ((UtcNs(0), UtcNs(2**62)),))

Word = Execution | ExecutionBust | ExecutionCorrect


class Fill(msgspec.Struct, frozen=True):
    """One fill, and what is said of it afterwards: nothing, that it never was (0), or that it was of another quantity."""

    side: Side
    effect: PositionEffect
    qty: int
    px: str
    fee: int
    becomes: int | None


class Story(msgspec.Struct, frozen=True):
    """Fills in the order in which the venue made them, the place before which its day turned, and two ways to hear of it."""

    instrument: Instrument
    fills: tuple[Fill, ...]
    turns: int
    arrivals: tuple[tuple[int, ...], tuple[int, ...]]
    """Places in `words`, -1: the day turns."""


fills = st.lists(
    st.builds(
        Fill,
        st.sampled_from(list(Side)),
        st.sampled_from(list(PositionEffect)),
        st.integers(1, 60),
        st.integers(700, 1300).map(lambda cents: f"{Decimal(cents) / 100}"),
        st.integers(0, 3),
        st.sampled_from([None, None, None, 0, 7]),
    ),
    min_size=1,
    max_size=9,
).map(tuple)


def words(instrument: Instrument, path: tuple[Fill, ...], turns: int) -> list[tuple[int, Word]]:
    """All that the venue says, with the place of the fill it is about."""
    said: list[tuple[int, Word]] = []
    for place, fill in enumerate(path):
        day, ref = DAY if place < turns else TOMORROW, ExecID(f"e{place}")
        said.append((place, told(instrument, place, fill, day, fill.qty)))
        if fill.becomes:
            figures = (Qty(Decimal(fill.becomes)), Px(Decimal(fill.px)), Amount(Decimal(fill.fee)))
            said.append((place, ExecutionCorrect(BROKER, ACCOUNT, day, ref, fill.side, *figures)))
        elif fill.becomes == 0:
            said.append((place, ExecutionBust(BROKER, ACCOUNT, day, ref, fill.side)))
    return said


def told(instrument: Instrument, place: int, fill: Fill, day: TradingDay, qty: int) -> Execution:
    return an_execution(
        None,
        instrument.symbol,
        fill.side,
        qty,
        fill.px,
        f"e{place}",
        order_id=OrderID(f"o{place}"),
        position_effect=PositionEffect.AUTO if instrument is STOCK else fill.effect,
        commission=Amount(Decimal(fill.fee)),
        transact_at=UtcNs(NOON + place),
        trading_day=day,
    )


@st.composite
def stories(draw: st.DrawFn) -> Story:
    """Words of the first day come on either day, those of the second after it began."""
    instrument = draw(st.sampled_from([STOCK, GOLD]))
    path = draw(fills)
    turns = draw(st.integers(0, len(path)))
    said = words(instrument, path, turns)
    ways = []
    for _ in range(2):
        late = [n for n, (place, _) in enumerate(said) if place < turns and draw(st.booleans())]
        first = [n for n, (place, _) in enumerate(said) if place < turns and n not in late]
        second = [n for n, (place, _) in enumerate(said) if place >= turns]
        ways.append((*draw(st.permutations(first)), -1, *draw(st.permutations([*late, *second]))))
    return Story(instrument, path, turns, (ways[0], ways[1]))


def a_desk(instrument: Instrument) -> Desk:
    return Desk().opened(instrument, cash=1_000_000, positions={instrument.symbol: 25}, costs={instrument.symbol: 250})


def books(desk: Desk, instrument: Instrument) -> tuple[Any, ...]:
    """All of position and cash but what working orders were promised."""
    p = desk.state.held(ACCOUNT, instrument.symbol)
    cash = desk.state.accounts[ACCOUNT].cash[instrument.currency]
    legs = (p.long_qty, p.long_today, p.long_cost, p.short_qty, p.short_today, p.short_cost)
    return legs, p.realized, p.fees, cash.balance, cash.margin


@given(stories(), st.booleans())
def test_the_books_are_those_of_the_venues_order_of_its_fills_however_they_came(story: Story, restart: bool) -> None:
    """F29, D5: a close told before the open it closes, over two trading days, with fills taken back and corrected between."""
    instrument = story.instrument
    straight = a_desk(instrument)
    for place, fill in enumerate((*story.fills, None)):
        if place == story.turns:
            straight.give(NEXT_DAY)
        if fill is not None and fill.becomes != 0:
            straight.give(told(instrument, place, fill, DAY if place < story.turns else TOMORROW, fill.becomes or fill.qty))
    said = words(instrument, story.fills, story.turns)
    for arrival in story.arrivals:
        desk = a_desk(instrument)
        for number in arrival:
            desk.give(NEXT_DAY if number < 0 else said[number][1])
            if restart:
                desk.state = State.unpack(desk.state.pack())
        assert books(desk, instrument) == books(straight, instrument)
