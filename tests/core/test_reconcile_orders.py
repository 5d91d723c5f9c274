"""Orders in the broker's books: made elsewhere, of unknown fate, or ended there before we heard."""

from __future__ import annotations

from collections import UserList
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from tests.core.runs_made import LISTED, A, B
from typing_extensions import override

from tradeloop.core.commands import OpenTradingDay
from tradeloop.core.effects import SendOrder
from tradeloop.core.events import (
    ExternalOrderFound,
    NotSentProven,
    OrderAcknowledged,
    OrderCanceled,
    OrderExpired,
    OrderRejected,
)
from tradeloop.core.inputs import Start
from tradeloop.core.order import Order
from tradeloop.core.order_book import OrderBook
from tradeloop.core.replies import OrderReply
from tradeloop.core.reports import BrokerSnapshot, BrokerUp, Execution, ExecutionBust, OpenOrder, OrderAck, SendOutcome
from tradeloop.core.types import ClOrdID, OrderID, OrdStatus, Qty, Side, Symbol, TradingDay
from tradeloop.testing.builders import ACCOUNT, BROKER, a_quote, a_snapshot, an_execution, buy, sell, their_order
from tradeloop.testing.desk import Desk


def unadopted() -> Desk:
    """Connected, and the broker's books not seen yet."""
    desk = Desk()
    desk.give(Start(1, "test", "t1"), BrokerUp(BROKER))
    return desk


def unknown(desk: Desk, symbol: str = A, qty: int = 100) -> Order:
    """An order whose fate is unknown."""
    order = desk.order(buy(symbol, qty))
    desk.give(SendOutcome(BROKER, order.cl_ord_id, "UNKNOWN", "time-out"))
    return order


def shown(order: Order, status: OrdStatus, **changes: object) -> OpenOrder:
    """Our order as the broker's books show it."""
    return their_order(order.cl_ord_id, order.symbol, order.side, order.order_qty, status, **changes)


# --- orders made elsewhere


def by_hand(status: OrdStatus = OrdStatus.NEW, **changes: object) -> OpenOrder:
    """An order somebody typed at the broker's own terminal."""
    return their_order(None, A, Side.SELL, 200, status, order_id=OrderID("h1"), **changes)


def test_acknowledgements_that_carried_each_others_number_are_set_right_by_the_books() -> None:
    """F7: and what came under the number alone meanwhile goes to the order whose it is."""
    desk = Desk().opened(*LISTED)
    one, two = desk.order(buy(A, 100)), desk.order(buy(B, 100))
    desk.ack(one, "n2")
    desk.ack(two, "n1")
    fill = an_execution(None, A, Side.BUY, 100, "10", "e7", order_id=OrderID("n1"))
    desk.give(fill)
    assert desk.known(one.cl_ord_id).cum_qty == 0
    desk.wait(10)
    books = a_snapshot(
        cash=999_000,
        positions={A: 100},
        orders=(
            shown(one, OrdStatus.FILLED, order_id=OrderID("n1"), cum_qty=Qty(Decimal(100))),
            shown(two, OrdStatus.NEW, order_id=OrderID("n2")),
        ),
        executions=(msgspec.structs.replace(fill, cl_ord_id=one.cl_ord_id),),
        as_of=desk.now,
    )
    desk.give(books)
    assert [desk.known(order.cl_ord_id).order_id for order in (one, two)] == ["n1", "n2"]
    assert desk.known(one.cl_ord_id).ord_status is OrdStatus.FILLED
    before = len(desk.events)
    desk.wait(10)
    desk.give(msgspec.structs.replace(books, as_of=desk.now))
    assert len(desk.events) == before


def test_a_fill_that_is_told_again_by_our_id_is_ours_whatever_day_its_number_was_of() -> None:
    """F20, F65: the venue was in its next trading day already when it told of the fill by number alone."""
    desk = Desk().opened(*LISTED)
    order = desk.order(buy(A, 100))
    next_day = TradingDay("2026-07-20")
    fill = an_execution(None, A, Side.BUY, 100, "10", "e7", order_id=OrderID("n1"), trading_day=next_day)
    desk.give(fill)
    desk.give(OpenTradingDay("CN_A", next_day, desk.state.hours["CN_A"].windows))
    desk.ack(order, "n1")
    assert desk.known(order.cl_ord_id).cum_qty == 0

    told = msgspec.structs.replace(fill, cl_ord_id=order.cl_ord_id)
    desk.give(told)
    assert desk.known(order.cl_ord_id).ord_status is OrdStatus.FILLED
    assert desk.state.positions[ACCOUNT][Symbol(A)].long_qty == 100
    before = len(desk.events)
    desk.give(told)
    assert len(desk.events) == before


def test_what_is_left_of_an_order_first_heard_of_by_a_fill_counts_too() -> None:
    """Invariant 38: the fill alone does not say how large the stranger's order is; the books do."""
    desk = Desk().opened(*LISTED, positions={A: 300})
    fill = an_execution(None, A, Side.SELL, 100, "10", "e7", order_id=OrderID("h1"))
    desk.give(fill)
    (found,) = desk.of(ExternalOrderFound)
    assert desk.known(found.cl_ord_id).leaves_qty == 0

    desk.wait(10)
    books = a_snapshot(
        cash=1_001_000, positions={A: 200}, orders=(by_hand(cum_qty=Qty(Decimal(100))),), executions=(fill,), as_of=desk.now
    )
    desk.give(books)
    desk.wait(10)
    before = len(desk.events)
    desk.give(msgspec.structs.replace(books, as_of=desk.now))

    order = desk.known(found.cl_ord_id)
    assert [str(qty) for qty in (order.order_qty, order.cum_qty, order.leaves_qty)] == ["200", "100", "100"]
    assert desk.state.positions[ACCOUNT][Symbol(A)].long_frozen == 100
    assert len(desk.events) == before


def test_an_open_order_made_elsewhere_is_imported_once_and_promised_its_shares() -> None:
    """Invariant 38."""
    desk = Desk().opened(*LISTED, positions={A: 300})
    books = a_snapshot(positions={A: 300}, orders=(by_hand(),))
    desk.give(books)
    desk.give(books)

    (found,) = desk.of(ExternalOrderFound)
    assert (found.order_id, found.side, found.order_qty) == ("h1", Side.SELL, Qty(Decimal(200)))
    assert desk.known(found.cl_ord_id).external
    reply = desk.give(sell(A, 200))
    assert isinstance(reply, OrderReply)
    assert reply.denied is not None
    assert (reply.denied.rule, reply.denied.limit, reply.denied.was) == ("sellable", "300", "200")


def test_a_closed_order_made_elsewhere_is_not_imported() -> None:
    desk = Desk().opened(*LISTED)
    desk.give(a_snapshot(orders=(by_hand(OrdStatus.CANCELED),)))
    assert not desk.of(ExternalOrderFound)


def test_a_fill_of_an_order_made_elsewhere_is_ours_all_the_same() -> None:
    desk = Desk().opened(*LISTED, cash=0, positions={A: 300})
    desk.give(an_execution(None, A, Side.SELL, 200, 10, "e1", order_id=OrderID("h1")))
    assert desk.state.held(ACCOUNT, Symbol(A)).long_qty == 100
    assert desk.cash() == 2_000


def test_an_order_made_elsewhere_that_fills_in_parts_halts_nothing() -> None:
    """We knew a part of it only: more of it is no overfill."""
    desk = Desk().opened(*LISTED, cash=0, positions={A: 300})
    fills = tuple(an_execution(None, A, Side.SELL, 100, 10, f"e{n}", order_id=OrderID("h1")) for n in (1, 2))
    filled = by_hand(OrdStatus.FILLED, cum_qty=Qty(Decimal(200)))
    desk.give(a_snapshot(cash=2_000, positions={A: 100}, orders=(filled,), executions=fills))

    assert not desk.state.halted
    assert desk.state.held(ACCOUNT, Symbol(A)).long_qty == 100
    assert not desk.state.breaks


def test_an_order_made_elsewhere_that_was_half_filled_before_we_came_is_no_break() -> None:
    """Its early fills are inside the books we adopted; its rest is what still counts."""
    desk = unadopted()
    fill = an_execution(None, A, Side.SELL, 50, 10, "e1", order_id=OrderID("h1"))
    half = by_hand(OrdStatus.PARTIALLY_FILLED, cum_qty=Qty(Decimal(50)))
    books = a_snapshot(positions={A: 250}, orders=(half,), executions=(fill,))
    desk.give(books)
    desk.wait(60)
    desk.give(books)

    assert not desk.state.breaks
    position = desk.state.held(ACCOUNT, Symbol(A))
    assert (position.long_qty, position.long_frozen) == (Qty(Decimal(250)), Qty(Decimal(150)))


@pytest.mark.parametrize("end", [OrdStatus.CANCELED, OrdStatus.FILLED])
def test_an_order_made_elsewhere_that_was_half_filled_before_we_came_ends_with_the_brokers_word(end: OrdStatus) -> None:
    desk = unadopted()
    early = an_execution(None, A, Side.SELL, 50, 10, "e1", order_id=OrderID("h1"))
    half = by_hand(OrdStatus.PARTIALLY_FILLED, cum_qty=Qty(Decimal(50)))
    desk.give(a_snapshot(positions={A: 250}, orders=(half,), executions=(early,)))
    rest = an_execution(None, A, Side.SELL, 150, 10, "e2", order_id=OrderID("h1"))
    filled = end is OrdStatus.FILLED
    fills, held, cum = ((early, rest), 100, 200) if filled else ((early,), 250, 50)

    desk.give(
        a_snapshot(
            cash=1_001_500 if filled else 1_000_000,
            positions={A: held},
            orders=(by_hand(end, cum_qty=Qty(Decimal(cum))),),
            executions=fills,
        )
    )

    assert not desk.state.orders.open
    assert desk.state.held(ACCOUNT, Symbol(A)).long_frozen == 0
    assert not desk.state.breaks


# --- unknown fates


def test_an_order_of_unknown_fate_that_the_books_show_is_acknowledged() -> None:
    """Positive proof: any order that bears our id."""
    desk = Desk().opened(*LISTED)
    order = unknown(desk)

    desk.give(a_snapshot(orders=(shown(order, OrdStatus.NEW, order_id=OrderID("b7")),)))

    (acked,) = desk.of(OrderAcknowledged)
    assert (acked.cl_ord_id, acked.order_id) == (order.cl_ord_id, "b7")
    assert desk.known(order.cl_ord_id).ord_status is OrdStatus.NEW


def test_an_order_of_unknown_fate_that_the_books_show_filled_is_filled() -> None:
    desk = Desk().opened(*LISTED, cash=10_000)
    order = unknown(desk)
    fill = an_execution(order.cl_ord_id, A, Side.BUY, 100, 10)
    desk.give(
        a_snapshot(
            cash=9_000,
            positions={A: 100},
            orders=(shown(order, OrdStatus.FILLED, cum_qty=Qty(Decimal(100))),),
            executions=(fill,),
        )
    )
    assert desk.known(order.cl_ord_id).ord_status is OrdStatus.FILLED
    assert not desk.state.unknown


def test_an_order_of_unknown_fate_that_the_books_show_rejected_is_rejected() -> None:
    desk = Desk().opened(*LISTED)
    order = unknown(desk)
    desk.give(a_snapshot(orders=(shown(order, OrdStatus.REJECTED, text="limit"),)))
    assert desk.known(order.cl_ord_id).ord_status is OrdStatus.REJECTED
    assert not desk.of(OrderAcknowledged)


def test_enough_looks_over_long_enough_prove_that_an_order_never_arrived() -> None:
    """Reference 3.3: three complete looks, the last later than the order could still arrive and become visible."""
    desk = Desk().opened(*LISTED)
    order = unknown(desk)
    for _ in range(6):
        desk.wait(4)
        desk.give(a_quote(A, at=desk.now), a_snapshot(as_of=desk.now))

    assert [event.cl_ord_id for event in desk.of(NotSentProven)] == [order.cl_ord_id]
    assert len(desk.of(SendOrder)) == 2


def test_looks_in_quick_succession_prove_nothing() -> None:
    """Reference 3.3: spaced over the life of a request."""
    desk = Desk().opened(*LISTED)
    unknown(desk)
    for n in range(20):
        desk.give(a_snapshot(as_of=desk.now + n))
    assert not desk.of(NotSentProven)


@pytest.mark.parametrize("lack", [{"orders_complete": False}, {"orders": None}])
def test_an_incomplete_look_proves_no_absence(lack: dict[str, object]) -> None:
    """ "Not found" is not "rejected"."""
    desk = Desk().opened(*LISTED)
    order = unknown(desk)
    for _ in range(20):
        desk.wait(2)
        desk.give(a_snapshot(as_of=desk.now, **lack))  # type: ignore[arg-type]
    assert not desk.of(NotSentProven)
    assert desk.known(order.cl_ord_id).ord_status is OrdStatus.UNKNOWN


# --- endings


@pytest.mark.parametrize(
    ("status", "event"),
    [(OrdStatus.CANCELED, OrderCanceled), (OrdStatus.EXPIRED, OrderExpired), (OrdStatus.REJECTED, OrderRejected)],
)
def test_an_order_that_ended_in_the_brokers_books_ends_in_ours(
    status: OrdStatus, event: type[OrderCanceled | OrderExpired | OrderRejected]
) -> None:
    desk = Desk().opened(*LISTED)
    order = desk.order(buy(A, 100))
    desk.ack(order)

    desk.give(a_snapshot(orders=(shown(order, status, text="end of day"),)))

    (ended,) = desk.of(event)
    assert (ended.cl_ord_id, ended.text) == (order.cl_ord_id, "end of day")
    assert desk.known(order.cl_ord_id).ord_status is status
    assert desk.state.accounts[ACCOUNT].cash["CNY"].reserved == 0  # type: ignore[index]


def test_an_ending_waits_for_the_fills_that_belong_to_it() -> None:
    """Quantities move by fills alone: a status that counts more than we have does not close the order."""
    desk = Desk().opened(*LISTED)
    order = desk.order(buy(A, 100))
    desk.ack(order)
    ended = shown(order, OrdStatus.CANCELED, cum_qty=Qty(Decimal(60)))

    desk.give(a_snapshot(orders=(ended,)))
    assert not desk.known(order.cl_ord_id).is_done

    fill = an_execution(order.cl_ord_id, A, Side.BUY, 60, 10)
    desk.give(a_snapshot(cash=999_400, positions={A: 60}, orders=(ended,), executions=(fill,)))
    assert desk.known(order.cl_ord_id).ord_status is OrdStatus.CANCELED
    assert desk.known(order.cl_ord_id).cum_qty == 60


def test_a_cancel_found_in_the_books_says_whether_we_had_asked() -> None:
    desk = Desk().opened(*LISTED)
    order = desk.order(buy(A, 100))
    desk.ack(order)
    desk.give(a_snapshot(orders=(shown(order, OrdStatus.CANCELED),)))
    assert [event.by_us for event in desk.of(OrderCanceled)] == [False]


def test_an_answer_found_in_the_books_and_then_heard_makes_one_fact() -> None:
    desk = Desk().opened(*LISTED)
    order = desk.order(buy(A, 100))
    desk.give(a_snapshot(orders=(shown(order, OrdStatus.NEW, order_id=OrderID("b7")),)))
    desk.give(OrderAck(BROKER, order.cl_ord_id, OrderID("b7")))
    assert len(desk.of(OrderAcknowledged)) == 1


class Counted(UserList[Execution]):
    """Executions that count how often they were walked from one end to the other."""

    walks = 0

    @override
    def __iter__(self) -> Iterator[Execution]:
        self.walks += 1
        return iter(self.data)


class Walked(dict[ClOrdID, None]):
    """Open orders of one symbol that count how often they were walked."""

    walks = 0

    @override
    def __iter__(self) -> Iterator[ClOrdID]:
        self.walks += 1
        return super().__iter__()


@pytest.mark.parametrize("orders", [1, 50])
def test_strangers_orders_are_not_looked_for_among_all_others_of_their_symbol(orders: int) -> None:
    desk = unadopted()
    working = desk.state.working[ACCOUNT, Symbol(A)] = Walked()
    theirs = tuple(their_order(None, A, Side.BUY, 200, OrdStatus.NEW, order_id=OrderID(f"h{n}")) for n in range(orders))
    desk.give(a_snapshot(orders=theirs))
    assert len(working) == len(desk.of(ExternalOrderFound)) == orders
    assert working.walks == 0


@pytest.mark.parametrize("orders", [1, 50])
def test_a_look_walks_the_executions_as_often_for_many_strangers_orders_as_for_one(orders: int) -> None:
    """The first look at a busy account must not take as many steps as it has orders times executions."""
    desk = unadopted()
    theirs = tuple(
        their_order(None, A, Side.SELL, 200, OrdStatus.PARTIALLY_FILLED, order_id=OrderID(f"h{n}"), cum_qty=Qty(Decimal(50)))
        for n in range(orders)
    )
    fills: Any = Counted(an_execution(None, A, Side.SELL, 50, 10, f"e{n}", order_id=OrderID(f"h{n}")) for n in range(orders))
    desk.give(a_snapshot(positions={A: 50_000}, orders=theirs, executions=fills))

    assert [found.order_qty for found in desk.of(ExternalOrderFound)] == [Qty(Decimal(150))] * orders
    assert fills.walks == 3, "for what is inside the books adopted, for the orders' parts of it, and for the fills"


# --- orders that ended long ago, shown again and again


def ended_long_ago(desk: Desk, count: int) -> tuple[tuple[OpenOrder, ...], tuple[Execution, ...]]:
    """Orders that filled a minute ago, and their fills, as the broker's books show them."""
    lines, fills = [], []
    for n in range(count):
        order = desk.order(buy(A, 100))
        desk.ack(order, f"b{n}")
        fills.append(an_execution(order.cl_ord_id, A, Side.BUY, 100, 1, f"e{n}", transact_at=desk.now))
        desk.give(fills[-1])
        lines.append(shown(order, OrdStatus.FILLED, order_id=OrderID(f"b{n}"), cum_qty=Qty(Decimal(100))))
    desk.wait(60)
    return tuple(lines), tuple(fills)


def unpacked(desk: Desk, books: BrokerSnapshot, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many closed orders a look takes out of their bytes."""
    count = 0
    get = OrderBook.get

    def counting(self: OrderBook, cl_ord_id: ClOrdID) -> Order | None:
        nonlocal count
        count += cl_ord_id in self.closed
        return get(self, cl_ord_id)

    with monkeypatch.context() as patched:
        patched.setattr(OrderBook, "get", counting)
        desk.give(books)
    return count


def test_an_order_that_ended_on_both_sides_is_compared_once_and_not_at_every_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """A look must not cost what the whole day has traded."""
    desk = Desk().opened(*LISTED)
    lines, fills = ended_long_ago(desk, 20)
    books = a_snapshot(as_of=desk.now, cash=998_000, positions={A: 2_000}, orders=lines, executions=fills)
    assert unpacked(desk, books, monkeypatch) >= 20
    assert unpacked(desk, books, monkeypatch) == 0
    assert not desk.state.breaks


def test_an_order_that_changed_after_it_was_compared_is_compared_again() -> None:
    """A bust that the broker's own status does not follow."""
    desk = Desk().opened(*LISTED)
    lines, fills = ended_long_ago(desk, 2)
    books = a_snapshot(as_of=desk.now, cash=999_800, positions={A: 200}, orders=lines, executions=fills)
    desk.give(books, books)
    taken = fills[0]
    desk.give(ExecutionBust(BROKER, ACCOUNT, taken.trading_day, taken.exec_id, Side.BUY))
    desk.wait(60)
    desk.give(a_snapshot(as_of=desk.now, cash=999_900, positions={A: 100}, orders=lines, executions=fills[1:]))
    assert [known.kind for known in desk.state.breaks.values()] == ["order_qty"]


def test_a_line_that_changed_after_it_was_compared_is_compared_again() -> None:
    desk = Desk().opened(*LISTED)
    lines, fills = ended_long_ago(desk, 2)
    books = a_snapshot(as_of=desk.now, cash=999_800, positions={A: 200}, orders=lines, executions=fills)
    desk.give(books, books)
    alive = msgspec.structs.replace(lines[0], ord_status=OrdStatus.PARTIALLY_FILLED, cum_qty=Qty(Decimal(60)))
    desk.wait(60)
    desk.give(msgspec.structs.replace(books, as_of=desk.now, orders=(alive, lines[1])))
    assert sorted(known.kind for known in desk.state.breaks.values()) == ["order_open", "order_qty"]
