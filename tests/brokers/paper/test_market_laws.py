"""The laws of the paper market (property tests): whatever comes, it gives no more and no better than what was shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.brokers.paper.made import Bench, quote, stock

from tradeloop.brokers.paper.records import PaperOrder
from tradeloop.core.reports import Execution
from tradeloop.core.types import Side, TimeInForce

CENT = Decimal("0.01")
QUOTES = ("quote", "same ask", "no ask")
Step = tuple[str, int, int, int]

steps = st.lists(
    st.one_of(
        st.tuples(st.just("quote"), st.integers(995, 1005), st.integers(1, 3), st.integers(0, 6)),
        st.tuples(st.just("same ask"), st.integers(985, 994), st.just(0), st.integers(0, 6)),
        st.tuples(st.just("no ask"), st.integers(995, 1005), st.just(0), st.integers(0, 6)),
        st.tuples(st.sampled_from(["buy", "sell"]), st.integers(993, 1008), st.integers(0, 3), st.integers(1, 8)),
        st.tuples(st.sampled_from(["market buy", "market sell"]), st.just(0), st.integers(0, 3), st.integers(1, 8)),
    ),
    max_size=40,
)
"""(what, price in cents, spread in cents or which time in force, size)."""


@dataclass
class Shown:
    """What one side shows, and what has been taken of it since it began to show that."""

    shows: tuple[Decimal | None, int] = (None, 0)
    taken: Decimal = Decimal(0)

    def show(self, px: Decimal | None, size: int) -> None:
        if (px, size) != self.shows:
            self.shows, self.taken = (px, size), Decimal(0)


@dataclass
class Play:
    """A script acted out, and what the market showed meanwhile."""

    bench: Bench
    asks: Shown = field(default_factory=Shown)
    bids: Shown = field(default_factory=Shown)
    orders: dict[str, PaperOrder] = field(default_factory=dict)

    def act(self, now: int, what: str, cents: int, kind: int, size: int) -> list[Execution]:
        """One step; the executions that came of it."""
        px = cents * CENT
        if what in QUOTES:
            ask, ask_size = (None, 0) if what == "no ask" else (px + kind * CENT, size)
            if what == "same ask":
                ask, ask_size = self.asks.shows
            self.bids.show(px, size)
            self.asks.show(ask, ask_size)
            said = None if ask is None else str(ask)
            self.bench.quote(quote(now, str(px), said, bid_size=size, ask_size=None if ask is None else ask_size))
        else:
            order = self.bench.place(
                Side.BUY if what.endswith("buy") else Side.SELL,
                size,
                None if what.startswith("market") else str(px),
                seconds=now,
                tif=tuple(TimeInForce)[kind],
                cl_ord_id=f"o{now}",
            )
            self.orders[order.order_id] = order
        return [report for report in self.bench.heard() if isinstance(report, Execution)]


def played(script: list[Step]) -> Play:
    bench = Bench(stock(shortable=True))
    bench.quote(quote(0, "10.00", "10.01", bid_size=0, ask_size=0))
    return Play(bench)


@settings(max_examples=200, deadline=None)
@given(script=steps)
def test_a_displayed_size_is_given_once_and_only_where_it_is_displayed(script: list[Step]) -> None:
    play = played(script)
    for now, step in enumerate(script, start=1):
        for fill in play.act(now, *step):
            side = play.asks if fill.side is Side.BUY else play.bids
            assert side.shows[0] is not None, "somebody was there"
            side.taken += fill.last_qty
            assert side.taken <= side.shows[1]


@settings(max_examples=200, deadline=None)
@given(script=steps)
def test_no_fill_is_better_than_what_is_shown_or_worse_than_the_limit(script: list[Step]) -> None:
    play = played(script)
    for now, step in enumerate(script, start=1):
        for fill in play.act(now, *step):
            assert fill.order_id is not None
            limit = play.orders[fill.order_id].price
            shown = (play.asks if fill.side is Side.BUY else play.bids).shows[0]
            assert shown is not None
            if fill.side is Side.BUY:
                assert shown <= fill.last_px
                assert limit is None or fill.last_px <= limit
            else:
                assert shown >= fill.last_px
                assert limit is None or fill.last_px >= limit


@settings(max_examples=200, deadline=None)
@given(script=steps)
def test_what_a_quote_fills_it_fills_by_price_and_then_by_time(script: list[Step]) -> None:
    """No resting order is passed over for one that is worse, or later at the same price."""
    play = played(script)
    for now, step in enumerate(script, start=1):
        resting = [o for o in play.orders.values() if o.is_working]
        fills = play.act(now, *step)
        if step[0] not in QUOTES:
            continue
        filled = {fill.order_id for fill in fills}
        for order in resting:
            if order.order_id not in filled:
                continue
            ahead = [o for o in resting if o.side is order.side and _rank(o) < _rank(order)]
            assert not [o for o in ahead if o.is_working and o.tif is not TimeInForce.FOK]


def _rank(order: PaperOrder) -> tuple[bool, Decimal, int]:
    """Smaller goes first."""
    if order.price is None:
        return False, Decimal(0), order.no
    return True, -order.price if order.side is Side.BUY else order.price, order.no
