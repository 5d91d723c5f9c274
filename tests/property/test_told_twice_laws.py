"""Laws of fills that a venue names twice (F23): equal real fills are never merged, a doubled one never doubles the position.

A venue makes fills of one order in one moment, many alike. Some it names by one id on the stream and by another in its books.
The stream drops, repeats and reorders; looks are taken between; processes start again from what they recorded.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import msgspec
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tradeloop.core.order import Order
from tradeloop.core.reports import Execution
from tradeloop.core.state import State
from tradeloop.core.types import OrdStatus, OrdType, Qty, Side, Symbol, UtcNs
from tradeloop.testing.builders import ACCOUNT, a_snapshot, an_execution, an_instrument, buy, their_order
from tradeloop.testing.desk import ABLE, Desk

TWO_IDS: Final = msgspec.structs.replace(ABLE, second_ids=True)
A: Final = "600000.SH"
LAG_S: Final = 60
PX: Final = 10
ORDERED: Final = 2_000


class Venue:
    """Fills of one order: each has an id on the stream and one in the books, which is another one for some."""

    def __init__(self, order: Order, made: list[tuple[int, bool]]) -> None:
        self.order = order
        self.fills = [
            (self._fill(f"e{number}", lots), self._fill(f"{'s' if two else 'e'}{number}", lots))
            for number, (lots, two) in enumerate(made)
        ]

    def _fill(self, exec_id: str, lots: int) -> Execution:
        at = UtcNs(self.order.staged_at)
        return an_execution(self.order.cl_ord_id, A, Side.BUY, 100 * lots, PX, exec_id=exec_id, transact_at=at)

    def told(self, number: int) -> Execution:
        """As the stream tells it."""
        return self.fills[number][0]

    def traded(self, count: int) -> Decimal:
        """What the first `count` fills make."""
        return sum((fill.last_qty for fill, _ in self.fills[:count]), Decimal(0))

    def look(self, desk: Desk, count: int) -> None:
        """The books after the first `count` fills."""
        cum = self.traded(count)
        status = OrdStatus.PARTIALLY_FILLED if cum else OrdStatus.NEW
        line = their_order(self.order.cl_ord_id, A, Side.BUY, ORDERED, status, cum_qty=Qty(cum))
        desk.give(
            a_snapshot(
                cash=100_000 - PX * cum,
                positions={A: cum} if cum else {},
                orders=(line,),
                executions=tuple(shown for _, shown in self.fills[:count]),
                as_of=desk.now,
                executions_since=UtcNs(0),
            )
        )


steps = st.lists(
    st.one_of(
        st.tuples(st.just("tell"), st.integers(0, 5)),
        st.tuples(st.just("make"), st.integers(1, 3)),
        st.tuples(st.just("look"), st.just(0)),
        st.tuples(st.just("wait"), st.sampled_from((1, 7, LAG_S))),
        st.tuples(st.just("restart"), st.just(0)),
    ),
    max_size=25,
)
fills = st.lists(st.tuples(st.sampled_from((1, 1, 1, 2)), st.booleans()), min_size=1, max_size=6)


@settings(max_examples=250, deadline=None)
@example(  # the look that settles one doubt brings three alike, one of which is another's second id
    made=[(1, True), (1, False), (1, False), (1, True)], played=[("tell", 0), ("look", 0), ("make", 3), ("tell", 3)]
)
@given(made=fills, played=steps)
def test_whatever_comes_in_whatever_order_no_more_is_booked_than_the_venue_made_and_in_the_end_all_of_it(
    made: list[tuple[int, bool]], played: list[tuple[str, int]]
) -> None:
    desk = Desk(able=TWO_IDS).opened(an_instrument(A), cash=100_000)
    order = desk.order(buy(A, ORDERED, ord_type=OrdType.LIMIT, price=PX))
    desk.ack(order)
    venue, count = Venue(order, made), 1
    for what, amount in played:
        match what:
            case "tell" if amount < count:
                desk.give(venue.told(amount))
            case "make":
                count = min(count + amount, len(made))
            case "look":
                venue.look(desk, count)
            case "wait":
                desk.wait(amount)
            case "restart":
                desk.state = State.unpack(desk.state.pack())
            case _:
                pass
        assert desk.state.held(ACCOUNT, Symbol(A)).long_qty <= venue.traded(count), "nothing counts twice at any moment"
    for _ in range(3):
        desk.wait(LAG_S)
        venue.look(desk, len(made))
    assert desk.state.held(ACCOUNT, Symbol(A)).long_qty == venue.traded(len(made))
    assert desk.known(order.cl_ord_id).cum_qty == venue.traded(len(made))
    assert desk.cash() == 100_000 - PX * venue.traded(len(made))
    assert not desk.state.breaks
    events = len(desk.events)
    desk.give(*(venue.told(number) for number in range(len(made))))
    desk.wait(LAG_S)
    venue.look(desk, len(made))
    late = {type(event).__name__ for event in desk.events[events:]}
    assert late <= {"BreakFound", "BreakClosed", "ExecIDJoined"}, "told at last, each is known"


@settings(max_examples=100, deadline=None)
@given(made=st.lists(st.sampled_from((1, 1, 2)), min_size=1, max_size=6), data=st.data())
def test_fills_that_have_one_id_are_all_booked_at_once_when_the_stream_tells_them(made: list[int], data: st.DataObject) -> None:
    """Equal in everything but their ids: ADR 17."""
    desk = Desk(able=TWO_IDS).opened(an_instrument(A), cash=100_000)
    order = desk.order(buy(A, ORDERED, ord_type=OrdType.LIMIT, price=PX))
    desk.ack(order)
    venue = Venue(order, [(lots, False) for lots in made])
    told = data.draw(st.lists(st.integers(0, len(made) - 1), max_size=12))
    for number in told:
        desk.give(venue.told(number))
        if data.draw(st.booleans()):
            desk.state = State.unpack(desk.state.pack())
    assert desk.state.held(ACCOUNT, Symbol(A)).long_qty == sum(venue.told(number).last_qty for number in {*told})
    assert not desk.state.breaks
    assert msgspec.msgpack.decode(desk.state.pack())
