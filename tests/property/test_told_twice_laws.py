"""Laws of fills that a venue names twice (F23): equal real fills are never merged, a doubled one never doubles the position.

A venue makes fills of a few orders in a second or two, many alike. Some it names by one id on the stream and by another in its
books, and either channel may name their order by our id or by the venue's number alone.
The stream drops, repeats and reorders; looks are taken between; processes start again from what they recorded.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final, NamedTuple

import msgspec
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tradeloop.core.order import Order
from tradeloop.core.reports import Execution, OpenOrder
from tradeloop.core.state import State
from tradeloop.core.types import OrdStatus, OrdType, Qty, Side, Symbol, UtcNs
from tradeloop.testing.builders import ACCOUNT, a_snapshot, an_execution, an_instrument, buy, their_order
from tradeloop.testing.desk import ABLE, Desk

TWO_IDS: Final = msgspec.structs.replace(ABLE, second_ids=True)
A: Final = "600000.SH"
LAG_S: Final = 60
PX: Final = 10
ORDERED: Final = 2_000


class Made(NamedTuple):
    """One fill that the venue makes: of which order, how many lots, in which second, and whether its books name it anew."""

    of: int
    lots: int
    second: int
    two: bool


class Naming(NamedTuple):
    """By what the stream and the books name the order of a fill: our id, or the venue's number; the lines bear both."""

    stream: bool
    books: bool


class Venue:
    """Fills of some orders: each has an id on the stream and one in the books, which is another one for some."""

    def __init__(self, orders: list[Order], made: list[Made], naming: Naming) -> None:
        self.orders = orders
        self.of = [one.of % len(orders) for one in made]
        self.fills = [
            (
                self._fill(f"e{number}", one, naming.stream),
                self._fill(f"{'s' if one.two else 'e'}{number}", one, naming.books),
            )
            for number, one in enumerate(made)
        ]

    def _fill(self, exec_id: str, made: Made, by_our_id: bool) -> Execution:
        order = self.orders[made.of % len(self.orders)]
        at = UtcNs(self.orders[0].staged_at + made.second * 10**9)
        named = order.cl_ord_id if by_our_id else None
        return an_execution(named, A, Side.BUY, 100 * made.lots, PX, exec_id=exec_id, transact_at=at, order_id=order.order_id)

    def told(self, number: int) -> Execution:
        """As the stream tells it."""
        return self.fills[number][0]

    def traded(self, count: int, of: int | None = None) -> Decimal:
        """What the first `count` fills make, of all orders or of one."""
        its = (fill.last_qty for number, (fill, _) in enumerate(self.fills[:count]) if of in (None, self.of[number]))
        return sum(its, Decimal(0))

    def look(self, desk: Desk, count: int) -> None:
        """The books after the first `count` fills."""
        cum = self.traded(count)
        desk.give(
            a_snapshot(
                cash=100_000 - PX * cum,
                positions={A: cum} if cum else {},
                orders=tuple(self._line(order, self.traded(count, of)) for of, order in enumerate(self.orders)),
                executions=tuple(shown for _, shown in self.fills[:count]),
                as_of=desk.now,
                executions_since=UtcNs(0),
            )
        )

    def _line(self, order: Order, cum: Decimal) -> OpenOrder:
        status = OrdStatus.PARTIALLY_FILLED if cum else OrdStatus.NEW
        assert order.order_id is not None
        return their_order(order.cl_ord_id, A, Side.BUY, ORDERED, status, cum_qty=Qty(cum), order_id=order.order_id)

    def is_booked(self, desk: Desk) -> bool:
        """Whether all of it is booked once, each fill on its order, and no difference is left."""
        filled = [desk.known(order.cl_ord_id).cum_qty for order in self.orders]
        everything = self.traded(len(self.fills))
        return (
            filled == [self.traded(len(self.fills), of) for of in range(len(self.orders))]
            and desk.state.held(ACCOUNT, Symbol(A)).long_qty == everything
            and desk.cash() == 100_000 - PX * everything
            and not desk.state.breaks
        )


def working(orders: int) -> tuple[Desk, list[Order]]:
    """So many orders to buy, all alike."""
    desk = Desk(able=TWO_IDS).opened(an_instrument(A), cash=100_000)
    made = [desk.order(buy(A, ORDERED, ord_type=OrdType.LIMIT, price=PX)) for _ in range(orders)]
    for number, order in enumerate(made):
        desk.ack(order, f"b{number}")
    return desk, [desk.known(order.cl_ord_id) for order in made]


steps = st.lists(
    st.one_of(
        st.tuples(st.just("tell"), st.integers(0, 6)),
        st.tuples(st.just("make"), st.integers(1, 3)),
        st.tuples(st.just("look"), st.just(0)),
        st.tuples(st.just("wait"), st.sampled_from((1, 7, LAG_S))),
        st.tuples(st.just("restart"), st.just(0)),
    ),
    max_size=25,
)
fills = st.lists(
    st.builds(Made, st.integers(0, 2), st.sampled_from((1, 1, 1, 2)), st.sampled_from((0, 0, 0, 1)), st.booleans()),
    min_size=1,
    max_size=7,
)
namings = st.builds(Naming, st.booleans(), st.booleans())
OUR_IDS: Final = Naming(stream=True, books=True)
BOOKS_BY_NUMBER: Final = Naming(stream=True, books=False)
STREAM_BY_NUMBER: Final = Naming(stream=False, books=True)
ONE: Final = Made(0, 1, 0, two=True)
TWO: Final = Made(1, 1, 0, two=True)


@settings(max_examples=300, deadline=None)
@example(  # the look that settles one doubt brings three alike, one of which is another's second id
    orders=1,
    naming=OUR_IDS,
    made=[ONE, Made(0, 1, 0, two=False), Made(0, 1, 0, two=False), ONE],
    played=[("tell", 0), ("look", 0), ("make", 3), ("tell", 3)],
)
@example(  # the books name numbers: what our id says is of the second order is not the fill of the first that they show
    orders=2, naming=BOOKS_BY_NUMBER, made=[ONE, TWO], played=[("look", 0), ("make", 1), ("tell", 1), ("tell", 0)]
)
@example(  # the stream names numbers: the fill that the books show is taken for either, and is one of the two
    orders=2, naming=STREAM_BY_NUMBER, made=[ONE, TWO], played=[("look", 0), ("make", 1), ("tell", 1), ("tell", 0)]
)
@given(orders=st.integers(1, 3), naming=namings, made=fills, played=steps)
def test_whatever_comes_in_whatever_order_no_more_is_booked_than_the_venue_made_and_in_the_end_all_of_it(
    orders: int, naming: Naming, made: list[Made], played: list[tuple[str, int]]
) -> None:
    desk, working_orders = working(orders)
    venue, count = Venue(working_orders, made, naming), 1
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
    for _ in range(4):
        desk.wait(LAG_S)
        venue.look(desk, len(made))
    assert venue.is_booked(desk)
    events = len(desk.events)
    desk.give(*(venue.told(number) for number in range(len(made))))
    desk.wait(LAG_S)
    venue.look(desk, len(made))
    late = {type(event).__name__ for event in desk.events[events:]}
    assert late <= {"BreakFound", "BreakChanged", "BreakClosed", "ExecIDJoined"}, "told at last, each is known"


@settings(max_examples=100, deadline=None)
@given(made=st.lists(st.sampled_from((1, 1, 2)), min_size=1, max_size=6), data=st.data())
def test_fills_that_have_one_id_are_all_booked_at_once_when_the_stream_tells_them(made: list[int], data: st.DataObject) -> None:
    """Equal in everything but their ids: ADR 17."""
    desk, orders = working(1)
    venue = Venue(orders, [Made(0, lots, 0, two=False) for lots in made], OUR_IDS)
    told = data.draw(st.lists(st.integers(0, len(made) - 1), max_size=12))
    for number in told:
        desk.give(venue.told(number))
        if data.draw(st.booleans()):
            desk.state = State.unpack(desk.state.pack())
    assert desk.state.held(ACCOUNT, Symbol(A)).long_qty == sum(venue.told(number).last_qty for number in {*told})
    assert not desk.state.breaks
    assert msgspec.msgpack.decode(desk.state.pack())
