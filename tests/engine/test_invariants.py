"""What must never be untrue is refused by the process itself: each starred invariant broken on purpose, with real facts.

A decision is replaced by one that is wrong. The process stops with the invariant's number, before anything of it is on the
disk, at the broker, or answered as done.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Iterable
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from tests.engine.made import A, B, House, lost, only, order_of, outcome, placed, settle

from tradeloop.core import events as ev
from tradeloop.core.commands import CancelOrder, SeenPrice, StartRun, TargetLine
from tradeloop.core.decide import decide
from tradeloop.core.errors import InvariantBroken, JournalFailed
from tradeloop.core.events import Event
from tradeloop.core.evolve import evolve
from tradeloop.core.halt import HaltScope, HaltTier
from tradeloop.core.pacing import Pace
from tradeloop.core.replies import Reply
from tradeloop.core.reports import CancelAck
from tradeloop.core.state import State, cl_ord_id_of
from tradeloop.core.types import (
    Amount,
    ClOrdID,
    Currency,
    Mode,
    OrderID,
    OrdStatus,
    OrdType,
    PositionEffect,
    Px,
    Qty,
    Side,
    UtcNs,
)
from tradeloop.engine import invariants
from tradeloop.engine.engine import Engine
from tradeloop.testing.builders import ACCOUNT, BROKER, DAY, NOON, buy, sell

STARRED = (1, 4, 5, 6, 8, 9, 10, 12, 14, 20, 21, 22, 25, 26, 27, 28, 29, 30, 32, 33, 35)
Wrong = Callable[[House, Engine, ClOrdID], list[Event]]


def the_next_id(engine: Engine, further: int = 1) -> ClOrdID:
    return cl_ord_id_of(engine.state.id_prefix, engine.state.counter + further)


def staged(house: House, engine: Engine, **changes: Any) -> ev.OrderStaged:
    """One more order like the first."""
    first = house.on_disk(ev.OrderStaged)[0]
    return msgspec.structs.replace(first, **{"cl_ord_id": the_next_id(engine), "request_id": "", **changes})


def traded(house: House, engine: Engine, cl_ord_id: ClOrdID, qty: int = 100) -> ev.Traded:
    house.venue.fill(cl_ord_id, heard=False)
    x = house.venue.fills[-1]
    order = engine.state.orders.get(cl_ord_id)
    assert order is not None
    return ev.Traded(
        house.clock.now(), cl_ord_id, BROKER, ACCOUNT, x.trading_day, x.exec_id, x.symbol, x.side, Qty(Decimal(qty)), x.last_px,
        order.position_effect, Amount(Decimal(0)), fee_by_broker=True,
    )  # fmt: skip


def sent_twice(house: House, engine: Engine, cl_ord_id: ClOrdID) -> list[Event]:
    return [ev.SendBegun(house.clock.now(), cl_ord_id)]


def sent_behind_its_end(house: House, engine: Engine, cl_ord_id: ClOrdID) -> list[Event]:
    now = house.clock.now()
    return [an_announced_end(house, cl_ord_id), ev.SendFailed(now, cl_ord_id, "reset"), ev.SendBegun(now, cl_ord_id)]


def never_arrived_and_ended(house: House, engine: Engine, cl_ord_id: ClOrdID) -> list[Event]:
    return [an_announced_end(house, cl_ord_id), ev.NotSentProven(house.clock.now(), cl_ord_id, 3)]


def an_announced_end(house: House, cl_ord_id: ClOrdID) -> ev.EndAnnounced:
    return ev.EndAnnounced(house.clock.now(), cl_ord_id, "CANCELED", Qty(Decimal(50)))


def one_request_twice(house: House, engine: Engine, cl_ord_id: ClOrdID) -> list[Event]:
    return [staged(house, engine, request_id="r1")]


def an_id_again(house: House, engine: Engine, cl_ord_id: ClOrdID) -> list[Event]:
    return [staged(house, engine, cl_ord_id=cl_ord_id)]


def an_id_of_no_epoch(house: House, engine: Engine, cl_ord_id: ClOrdID) -> list[Event]:
    return [staged(house, engine, cl_ord_id=ClOrdID("zz" + the_next_id(engine)[2:]))]


def more_than_was_ordered(house: House, engine: Engine, cl_ord_id: ClOrdID) -> list[Event]:
    return [traded(house, engine, cl_ord_id, 200)]


def a_fill_again(house: House, engine: Engine, cl_ord_id: ClOrdID) -> list[Event]:
    fill = traded(house, engine, cl_ord_id, 50)
    return [fill, fill]


def a_change_of_no_fill(house: House, engine: Engine, cl_ord_id: ClOrdID) -> list[Event]:
    fill = traded(house, engine, cl_ord_id)
    return [ev.TradeBusted(fill.at, cl_ord_id, BROKER, ACCOUNT, DAY, fill.exec_id, fill.side)]


def an_end_of_nothing(house: House, engine: Engine, cl_ord_id: ClOrdID) -> list[Event]:
    return [ev.OrderCanceled(house.clock.now(), ClOrdID("nobody"), "")]


def a_sell_of_what_is_not_held(house: House, engine: Engine, cl_ord_id: ClOrdID) -> list[Event]:
    return [staged(house, engine, side=Side.SELL, reserve=Amount(Decimal(0)))]


def more_than_the_account_has(house: House, engine: Engine, cl_ord_id: ClOrdID) -> list[Event]:
    return [staged(house, engine, reserve=Amount(Decimal(2_000_000)))]


def beside_one_in_doubt(house: House, engine: Engine, cl_ord_id: ClOrdID) -> list[Event]:
    first, another = staged(house, engine), staged(house, engine, cl_ord_id=the_next_id(engine, 2))
    now, in_doubt = first.at, first.cl_ord_id
    doubt: list[Event] = [first, ev.SendBegun(now, in_doubt), ev.FateLost(now, in_doubt, "reset")]
    return [*doubt, another, ev.SendBegun(now, another.cl_ord_id)]


def to_books_not_compared(house: House, engine: Engine, cl_ord_id: ClOrdID) -> list[Event]:
    another = staged(house, engine)
    return [ev.BrokerDisconnected(another.at, BROKER, "reset"), another, ev.SendBegun(another.at, another.cl_ord_id)]


def of_no_verdict(house: House, engine: Engine, cl_ord_id: ClOrdID) -> list[Event]:
    another = staged(house, engine, risk_version="")
    return [another, ev.SendBegun(another.at, another.cl_ord_id)]


def in_what_is_halted(house: House, engine: Engine, cl_ord_id: ClOrdID) -> list[Event]:
    another = staged(house, engine)
    halt = ev.Overfilled(another.at, cl_ord_id, A, Qty(Decimal(100)))
    return [halt, another, ev.SendBegun(another.at, another.cl_ord_id)]


def under_a_stop(house: House, engine: Engine, cl_ord_id: ClOrdID) -> list[Event]:
    another = staged(house, engine)
    stop = ev.Halted(another.at, 1, HaltTier.HALT, HaltScope.ACCOUNT, ACCOUNT, "ann", "enough")
    return [another, stop, ev.SendBegun(another.at, another.cl_ord_id)]


def a_strangers_order_of_nothing(house: House, engine: Engine, cl_ord_id: ClOrdID) -> list[Event]:
    return [a_strangers_order(house, qty=0)]


def a_strangers_order_that_reserves_less_than_nothing(house: House, engine: Engine, cl_ord_id: ClOrdID) -> list[Event]:
    return [a_strangers_order(house, reserve=-1)]


def less_than_nothing_reserved(house: House, engine: Engine, cl_ord_id: ClOrdID) -> list[Event]:
    return [staged(house, engine, reserve=Amount(Decimal(-1)))]


def raised_to_less_than_nothing(house: House, engine: Engine, cl_ord_id: ClOrdID) -> list[Event]:
    return [ev.ReserveRaised(house.clock.now(), cl_ord_id, Amount(Decimal(-1)))]


def restated_to_reserve_less_than_nothing(house: House, engine: Engine, cl_ord_id: ClOrdID) -> list[Event]:
    terms = Qty(Decimal(100)), Px(Decimal(10)), None
    return [ev.OrderRestated(house.clock.now(), cl_ord_id, *terms, Amount(Decimal(-1)), Amount(Decimal(0)), "")]


def a_strangers_order(house: House, qty: int = 100, reserve: int = 0) -> ev.ExternalOrderFound:
    amounts = Qty(Decimal(qty)), Px(Decimal(10)), DAY, PositionEffect.AUTO, Amount(Decimal(reserve))
    return ev.ExternalOrderFound(house.clock.now(), ClOrdID("x-5"), BROKER, ACCOUNT, OrderID("5"), A, Side.BUY, *amounts)


def an_epoch_that_began(house: House, engine: Engine, cl_ord_id: ClOrdID) -> list[Event]:
    return [ev.EngineStarted(house.clock.now(), engine.state.epoch, "test", "t1")]


WRONG: list[tuple[int, Wrong]] = [
    (1, sent_twice),
    (1, sent_behind_its_end),
    (4, one_request_twice),
    (5, an_id_again),
    (5, an_id_of_no_epoch),
    (6, never_arrived_and_ended),
    (9, more_than_was_ordered),
    (10, a_strangers_order_of_nothing),
    (12, a_fill_again),
    (12, a_change_of_no_fill),
    (14, an_end_of_nothing),
    (20, a_strangers_order_that_reserves_less_than_nothing),
    (20, less_than_nothing_reserved),
    (20, raised_to_less_than_nothing),
    (20, restated_to_reserve_less_than_nothing),
    (22, a_sell_of_what_is_not_held),
    (25, more_than_the_account_has),
    (25, beside_one_in_doubt),
    (26, to_books_not_compared),
    (26, of_no_verdict),
    (28, in_what_is_halted),
    (28, under_a_stop),
    (35, an_epoch_that_began),
]


def decide_wrongly(monkeypatch: pytest.MonkeyPatch, facts: Iterable[Event]) -> None:
    """The next cancel that is asked for leads to these facts."""

    def wrong(*_: Any) -> Generator[Event, None, Reply | None]:
        yield from facts
        return None

    monkeypatch.setattr(
        "tradeloop.engine.writer.decide", lambda *given: (wrong if isinstance(given[2], CancelOrder) else decide)(*given)
    )


async def refuses(house: House, engine: Engine, cl_ord_id: ClOrdID, number: int) -> None:
    """The next cancel ends the process, with nothing recorded, sent or promised."""
    before, left = len(house.durable), [*house.venue.placed, *house.venue.canceled]
    asked = [asyncio.ensure_future(outcome(engine.ask(CancelOrder(cl_ord_id, "ann")))) for _ in range(2)]
    await settle()

    with pytest.raises(InvariantBroken, match=f"invariant {number} does not hold: ") as stopped:
        await engine.wait()
    assert stopped.value.number == number
    assert len(house.durable) == before
    assert [*house.venue.placed, *house.venue.canceled] == left
    assert [type(answer) for answer in await asyncio.gather(*asked)] == [JournalFailed] * 2, "nobody is left waiting"
    assert [alert.level for alert in house.alerts if alert.key == f"invariant:{number}"] == ["CRITICAL"]


@pytest.mark.parametrize(("number", "wrong"), WRONG, ids=lambda case: getattr(case, "__name__", str(case)))
async def test_a_fact_that_would_break_an_invariant_stops_the_process(
    number: int, wrong: Wrong, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = House()
    engine = await house.open()
    cl_ord_id = await placed(engine, buy(A, 100, request_id="r1"))
    decide_wrongly(monkeypatch, wrong(house, engine, cl_ord_id))

    await refuses(house, engine, cl_ord_id, number)


@pytest.mark.parametrize("number", [6])
@pytest.mark.parametrize(
    "how", ["sent again", "absent after no look", "cancelled after no look", "cancelled here", "expired here", "rejected here"]
)
async def test_a_fate_that_is_unknown_is_left_by_proof_alone(number: int, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    house = House()
    engine = await house.open()
    house.venue.moods = [lost()]
    cl_ord_id = await placed(engine, buy(A, 100))
    now = house.clock.now()
    facts: dict[str, Event] = {
        "sent again": ev.SendBegun(now, cl_ord_id),
        "absent after no look": ev.NotSentProven(now, cl_ord_id, 3),
        "cancelled after no look": ev.OrderCanceled(now, cl_ord_id, "nowhere", by_us=False, proven=True),
        "cancelled here": ev.OrderCanceled(now, cl_ord_id, "ann wants it out"),
        "expired here": ev.OrderExpired(now, cl_ord_id, "its day is over"),
        "rejected here": ev.OrderRejected(now, cl_ord_id, "E1", "nobody said so"),
    }
    decide_wrongly(monkeypatch, [facts[how]])

    await refuses(house, engine, cl_ord_id, number)


async def test_no_words_of_a_broker_stop_the_process() -> None:
    """They tell how it ended, and prove nothing that has to be proven."""
    house = House()
    engine = await house.open()
    house.venue.moods = [lost()]
    cl_ord_id = await placed(engine, buy(A, 100))
    engine.report(CancelAck(BROKER, cl_ord_id, text="over, and not traded: neither here nor there", cum_qty=Qty(Decimal(0))))
    await settle()
    assert order_of(engine, cl_ord_id).ord_status is OrdStatus.CANCELED
    await engine.stop()


def double_the_quantity(state: State, e: ev.Traded) -> None:
    order = state.orders.get(e.cl_ord_id)
    assert order is not None
    order.cum_qty = Qty(order.cum_qty + e.last_qty)


def lose_the_shares(state: State, e: ev.Traded) -> None:
    state.position(e.account, e.symbol).long_qty = Qty(Decimal(0))


def lose_the_money(state: State, e: ev.Traded) -> None:
    state.cash(e.account, Currency("CNY")).balance = Amount(Decimal(1_000_000))


def doubt_no_more(state: State, e: ev.CancelRequested) -> None:
    state.orders.open[e.cl_ord_id].unknown_at = None


def reserve_less_than_nothing(state: State, e: ev.Traded) -> None:
    state.orders.open[e.cl_ord_id].reserved = Amount(Decimal(-1))


def keep_the_reserve(state: State, e: ev.OrderCanceled) -> None:
    state.cash(ACCOUNT, Currency("CNY")).reserved = Amount(Decimal(5))


@pytest.mark.parametrize(
    ("number", "spoil"),
    [
        (8, double_the_quantity),
        (20, lose_the_money),
        (20, keep_the_reserve),
        (20, reserve_less_than_nothing),
        (21, lose_the_shares),
    ],
)
async def test_a_fact_that_is_made_true_wrongly_stops_the_process(
    number: int, spoil: Callable[[State, Any], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a fact does to our books is held against the fact."""
    house = House()
    engine = await house.open()
    cl_ord_id = await placed(engine, buy(A, 100))
    kind = ev.OrderCanceled if spoil is keep_the_reserve else ev.Traded
    fact = ev.OrderCanceled(NOON, cl_ord_id, "") if spoil is keep_the_reserve else traded(house, engine, cl_ord_id, 50)
    decide_wrongly(monkeypatch, [fact])
    monkeypatch.setattr("tradeloop.engine.writer.evolve", _spoiled(kind, spoil))

    await refuses(house, engine, cl_ord_id, number)


async def test_a_doubt_that_ends_without_a_word_of_the_broker_stops_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Invariant 6."""
    house = House()
    engine = await house.open()
    house.venue.moods = [lost()]
    cl_ord_id = await placed(engine, buy(A, 100))
    monkeypatch.setattr("tradeloop.engine.writer.evolve", _spoiled(ev.CancelRequested, doubt_no_more))

    await refuses(house, engine, cl_ord_id, 6)


def _spoiled(kind: type[Event], spoil: Callable[[State, Any], None]) -> Callable[[State, Event], None]:
    def wrongly(state: State, event: Event) -> None:
        evolve(state, event)
        if type(event) is kind:
            spoil(state, event)

    return wrongly


@pytest.mark.parametrize("how", ["twice", "larger"])
async def test_a_leg_of_a_run_never_has_two_orders_nor_a_larger_one(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Invariant 30, the Knight invariant."""
    house = House()
    engine = await house.open()
    reply = await engine.ask(
        StartRun(
            ACCOUNT, Currency("CNY"), Mode.PAPER, "alpha", "s1", DAY, "ann", (TargetLine(A, Decimal("0.1"), 2),),
            (SeenPrice(A, Px(Decimal(10)), house.clock.now(), "test"),), "0" * 64,
        )
    )  # fmt: skip
    await settle()
    first = only(house.on_disk(ev.OrderStaged))
    run = engine.state.runs[reply.run_id]  # type: ignore[union-attr, index]
    if how == "larger":
        run.leg(1).cl_ord_id = None
    qty = first.order_qty + (100 if how == "larger" else 0)
    decide_wrongly(monkeypatch, [staged(house, engine, order_qty=Qty(qty))])

    await refuses(house, engine, first.cl_ord_id, 30)


def test_a_request_beyond_the_rate_of_its_broker_does_not_leave() -> None:
    """Invariant 27."""
    pace = Pace(BROKER, 2)
    pace.left("one", NOON)
    pace.left("two", NOON)
    with pytest.raises(InvariantBroken, match="invariant 27 does not hold: three was to leave within a second of 2 others"):
        pace.left("three", UtcNs(NOON + 999_999_999))
    pace.left("three", UtcNs(NOON + 1_000_000_000))


def test_a_row_that_would_not_follow_the_last_one_is_not_written() -> None:
    """Invariant 33."""
    invariants.follows(8, 7)
    with pytest.raises(InvariantBroken, match="invariant 33 does not hold: a row from 9 on was to be written behind one that"):
        invariants.follows(9, 7)


async def test_what_is_right_goes_its_way_and_the_venue_is_the_judge() -> None:
    """The rules refuse nothing that is true: a day with fills, an overfill, a bust and an end, on both sides."""
    house = House()
    engine = await house.open()
    first = await placed(engine, buy(A, 300))
    house.venue.fill(first, 100)
    house.venue.fill(first, 300)
    await settle()
    house.venue.fill(await placed(engine, buy(B, 100)))
    await settle()
    sold = await placed(engine, sell(B, 100, ord_type=OrdType.LIMIT, price="11"))
    await engine.ask(CancelOrder(sold, "ann"))
    await settle()

    assert engine.state.halted.keys() == {A}
    assert engine.state.held(ACCOUNT, A).long_qty == Decimal(400)
    await engine.stop()


def test_the_table_names_every_starred_invariant_and_only_those() -> None:
    rows = [line for line in (invariants.__doc__ or "").splitlines() if line.startswith("| ") and line[2].isdigit()]
    assert tuple(int(row.split("|")[1]) for row in rows) == STARRED


def test_a_rule_named_in_the_table_is_there() -> None:
    rows = [line.rsplit("|", 2)[1] for line in (invariants.__doc__ or "").splitlines() if line.startswith("| ")]
    named = [word.strip("`") for row in rows for word in row.replace(",", " ").replace(";", " ").split() if word[0] == "`"]
    own = [name for name in named if ("." not in name and name[0].islower()) or name[0] == "_"]
    missing = [n for n in own if not hasattr(invariants.Invariants, n) and not hasattr(invariants, n) and n != "send_before"]
    assert missing == []
