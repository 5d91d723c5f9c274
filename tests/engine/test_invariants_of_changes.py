"""Words about what is booked already: a fill that moves to another order, a fee, a figure taken over, other terms of an order.

Each starred invariant that such a fact could break is broken on purpose, and a sound fact of each kind goes its way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from tests.engine.made import A, B, House, order_of, placed, settle
from tests.engine.test_invariants import decide_wrongly, refuses, traded

from tradeloop.core import events as ev
from tradeloop.core.commands import CancelOrder
from tradeloop.core.events import Event
from tradeloop.core.evolve import evolve
from tradeloop.core.state import State
from tradeloop.core.types import Amount, ClOrdID, Currency, OrdType, Px, Qty, Symbol
from tradeloop.engine.engine import Engine
from tradeloop.testing.builders import ACCOUNT, BROKER, NOON, buy

Change = Callable[["Two"], list[Event]]
CNY = Currency("CNY")
PATIENCE_S = 10


class Two(msgspec.Struct):
    """Two orders that work, the first with a fill of 50 that no report has told yet; and one of another symbol."""

    house: House
    engine: Engine
    fill: ev.Traded
    second: ClOrdID
    other: ClOrdID

    @classmethod
    async def made(cls) -> Two:
        house = House()
        engine = await house.open()
        limit = {"ord_type": OrdType.LIMIT, "price": "11"}
        first, second = await placed(engine, buy(A, 100, **limit)), await placed(engine, buy(A, 200, **limit))
        other = await placed(engine, buy(B, 100, **limit))
        return cls(house, engine, traded(house, engine, first, 50), second, other)

    @property
    def moved(self) -> ev.TradeMoved:
        x = self.fill
        return ev.TradeMoved(
            NOON, self.second, x.cl_ord_id, BROKER, ACCOUNT, x.trading_day, x.exec_id, A, x.side, x.last_qty, x.last_px,
            x.position_effect, x.fee, busted=False,
        )  # fmt: skip

    @property
    def charged(self) -> ev.FeeChanged:
        x = self.fill
        return ev.FeeChanged(NOON, x.cl_ord_id, BROKER, ACCOUNT, x.trading_day, x.exec_id, A, x.side, Amount(Decimal(5)))

    @property
    def busted(self) -> ev.TradeBusted:
        x = self.fill
        return ev.TradeBusted(NOON, x.cl_ord_id, BROKER, ACCOUNT, x.trading_day, x.exec_id, x.side)

    @property
    def asked(self) -> ev.ReplaceRequested:
        terms = Qty(Decimal(80)), Px(Decimal(11)), None
        promised = order_of(self.engine, self.fill.cl_ord_id).reserved
        return ev.ReplaceRequested(NOON, self.fill.cl_ord_id, 1, *terms, "ann", "", "v1", promised, Amount(Decimal(880)))

    @property
    def changed(self) -> ev.OrderReplaced:
        need = Amount(Decimal(880))
        return ev.OrderReplaced(NOON, self.fill.cl_ord_id, 1, Qty(Decimal(80)), Px(Decimal(11)), None, need, need)


def differs(kind: str, subject: str, delta: int) -> ev.BreakFound:
    about = subject if kind == "cash" else f"{subject} long"
    return ev.BreakFound(NOON, "b1", kind, BROKER, ACCOUNT, about, "0", str(delta), "", "", Decimal(delta))


def taken_over(kind: str, subject: str, delta: int, **changes: Any) -> ev.BooksAdjusted:
    fact = ev.BooksAdjusted(NOON, "b1", ACCOUNT, kind, subject, Decimal(delta), "ann", "a dividend")
    return msgspec.structs.replace(fact, **changes)


SOUND: dict[str, Change] = {
    "a fill moves": lambda two: [two.fill, two.moved],
    "a busted fill moves": lambda two: [two.fill, two.busted, msgspec.structs.replace(two.moved, busted=True)],
    "a fee changes": lambda two: [two.fill, two.charged],
    "money is taken over": lambda two: [differs("cash", "CNY", 7), taken_over("cash", "CNY", 7)],
    "shares are taken over": lambda two: [differs("position", B, 300), taken_over("long", B, 300)],
    "an order is changed": lambda two: [two.asked, two.changed],
}


@pytest.mark.parametrize("how", SOUND)
async def test_a_sound_change_of_what_is_booked_goes_its_way(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    two = await Two.made()
    facts = SOUND[how](two)
    decide_wrongly(monkeypatch, facts)
    await two.engine.ask(CancelOrder(two.second, "ann"))
    await settle()

    assert two.house.on_disk(type(facts[-1])) == [facts[-1]]
    await two.engine.stop()


FORGED: list[tuple[int, str, Change]] = [
    (12, "a fill that was never booked moves", lambda two: [two.moved]),
    (12, "a fill moves from where it is not", lambda two: [
        two.fill, msgspec.structs.replace(two.moved, cl_ord_id=two.fill.cl_ord_id, from_cl_ord_id=two.second)]),
    (12, "a fill moves twice", lambda two: [two.fill, two.moved, two.moved]),
    (12, "a fill moves as a larger one", lambda two: [
        two.fill, msgspec.structs.replace(two.moved, last_qty=Qty(Decimal(60)))]),
    (12, "a fill that was taken back moves as if it counted", lambda two: [two.fill, two.busted, two.moved]),
    (21, "a fill moves to another symbol", lambda two: [two.fill, msgspec.structs.replace(two.moved, cl_ord_id=two.other)]),
    (12, "a fill that was never booked is charged", lambda two: [two.charged]),
    (20, "a fill that was taken back is charged", lambda two: [two.fill, two.busted, two.charged]),
    (20, "money is taken over without a break", lambda two: [taken_over("cash", "CNY", 7)]),
    (20, "more money is taken over than differs", lambda two: [differs("cash", "CNY", 7), taken_over("cash", "CNY", 8)]),
    (21, "shares are taken over twice", lambda two: [
        differs("position", B, 300), taken_over("long", B, 300), ev.BreakClosed(NOON, "b1", "done"),
        taken_over("long", B, 300)]),
    (21, "shares of another symbol are taken over", lambda two: [differs("position", B, 300), taken_over("long", A, 300)]),
    (21, "shares are taken over by nobody", lambda two: [differs("position", B, 300), taken_over("long", B, 300, by=" ")]),
    (14, "a change that nobody asked for is in force", lambda two: [two.changed]),
    (14, "a change is in force twice", lambda two: [two.asked, two.changed, two.changed]),
    (9, "a fill moves to an order that is full, and nobody says so", lambda two: [
        two.fill, *full(two), two.moved]),
]  # fmt: skip


def full(two: Two) -> list[Event]:
    fill = traded(two.house, two.engine, two.second, 200)
    return [msgspec.structs.replace(fill, exec_id=fill.exec_id + "f")]


@pytest.mark.parametrize(("number", "how", "change"), FORGED, ids=lambda case: str(case) if not callable(case) else "")
async def test_a_forged_change_of_what_is_booked_stops_the_process(
    number: int, how: str, change: Change, monkeypatch: pytest.MonkeyPatch
) -> None:
    two = await Two.made()
    facts = change(two)
    decide_wrongly(monkeypatch, iter(facts))  # once: the second cancel is decided rightly
    async with asyncio.timeout(PATIENCE_S):  # one that does not stop would go on for ever
        await refuses(two.house, two.engine, two.second, number)
    assert two.house.on_disk(type(facts[-1])) == []


def keep_it_there(state: State, two: Two) -> None:
    state.orders.open[two.fill.cl_ord_id].cum_qty = Qty(Decimal(50))


def move_the_shares(state: State, two: Two) -> None:
    state.position(ACCOUNT, A).long_qty = Qty(Decimal(100))


def move_the_money(state: State, two: Two) -> None:
    state.cash(ACCOUNT, CNY).balance = Amount(Decimal(1))


def charge_the_order(state: State, two: Two) -> None:
    state.orders.open[two.fill.cl_ord_id].fees = Amount(Decimal(99))


def take_over_another(state: State, two: Two) -> None:
    state.position(ACCOUNT, Symbol(B)).long_qty = Qty(Decimal(301))


def keep_the_reserve(state: State, two: Two) -> None:
    state.cash(ACCOUNT, CNY).reserved = Amount(Decimal(99))


def keep_the_quantity(state: State, two: Two) -> None:
    state.orders.open[two.fill.cl_ord_id].order_qty = Qty(Decimal(100))


@pytest.mark.parametrize(
    ("number", "how", "spoil"),
    [
        (8, "a fill moves", keep_it_there),
        (21, "a fill moves", move_the_shares),
        (20, "a fill moves", move_the_money),
        (20, "a fee changes", charge_the_order),
        (20, "a fee changes", move_the_money),
        (21, "a fee changes", move_the_shares),
        (20, "money is taken over", move_the_money),
        (21, "shares are taken over", take_over_another),
        (20, "an order is changed", keep_the_reserve),
        (8, "an order is changed", keep_the_quantity),
    ],
)
async def test_a_change_that_is_made_true_wrongly_stops_the_process(
    number: int, how: str, spoil: Callable[[State, Two], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the fact does to our books is held against the fact."""
    two = await Two.made()
    facts = SOUND[how](two)

    def wrongly(state: State, event: Event) -> None:
        evolve(state, event)
        if event is facts[-1]:
            spoil(state, two)

    decide_wrongly(monkeypatch, iter(facts))
    monkeypatch.setattr("tradeloop.engine.writer.evolve", wrongly)

    async with asyncio.timeout(PATIENCE_S):  # one that does not stop would go on for ever
        await refuses(two.house, two.engine, two.second, number)
    assert two.house.on_disk(type(facts[-1])) == []
