"""Invariant 19: whatever a venue says of its orders, it does not matter in which order its words come, nor how often.

A story is a set of orders and everything that becomes of them at the venue: acknowledgements, fills by our id or by the
venue's number, fills taken back and corrected, replaces, cancels and their refusals, expiries. It is told twice, in any two
orders, with any repeats, a bust before its fill too; words that the venue's books show anyway may be lost. In the end both
desks look at those books; then orders, positions and cash are the same, are what the books say, and nothing is left to explain.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tradeloop.core.commands import CancelOrder, ReplaceOrder
from tradeloop.core.instrument import AssetClass, FeeSchedule, Instrument
from tradeloop.core.replies import OrderReply
from tradeloop.core.reports import (
    BrokerSnapshot,
    CancelAck,
    CancelReject,
    Execution,
    ExecutionBust,
    ExecutionCorrect,
    HeldCash,
    HeldPosition,
    OpenOrder,
    OrderAck,
    OrderExpire,
    ReplaceAck,
    Report,
)
from tradeloop.core.risk.change import need
from tradeloop.core.types import (
    ZERO,
    Amount,
    ClOrdID,
    Currency,
    ExecID,
    OrderID,
    OrdStatus,
    OrdType,
    PositionEffect,
    Px,
    Qty,
    Side,
    UtcNs,
)
from tradeloop.testing.builders import ACCOUNT, BROKER, DAY, NOON, an_execution, an_instrument, buy, fees, known, sell
from tradeloop.testing.desk import Desk

CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
CNY = Currency("CNY")
CASH = 10_000_000
STOCK = an_instrument("600519.SH", lot=1, min_qty=1, settles_t1=True, fees=fees("0.001", 5))
GOLD = an_instrument(
    "au2512.SHFE",
    asset_class=AssetClass.FUTURE,
    lot=1,
    min_qty=1,
    multiplier=1000,
    margin_rate="0.1",
    shortable=True,
    odd_lot_sell=False,
)
HELD = 500

LIMIT = Decimal("10.00")


def prices(side: Side, instrument: Instrument) -> st.SearchStrategy[Decimal]:
    """At the limit or better; a contract sold better holds more margin than it was judged by, so these sell at it."""
    if side is Side.SELL and instrument is GOLD:
        return st.just(LIMIT)
    span = (900, 1000) if side is Side.BUY else (1000, 1100)
    return st.integers(*span).map(lambda cents: Decimal(cents) / 100)


class Fill(msgspec.Struct, frozen=True):
    """One fill at the venue: what it was first, and what it is in the end; `final` None: taken back."""

    exec_id: str
    qty: int
    px: Decimal
    fee: int | None
    final: tuple[int, Decimal] | None
    corrected: bool
    by_number: bool
    at: UtcNs | None = None


class Placed(msgspec.Struct, frozen=True):
    """One order, what we ask of it and what the venue makes of it. `end`: how it ends there, None while it works."""

    side: Side
    effect: PositionEffect
    qty: int
    fills: tuple[Fill, ...]
    cancel: str
    end: str | None
    new_qty: int | None

    @property
    def cum(self) -> int:
        """What it has filled in the end."""
        return sum(fill.final[0] for fill in self.fills if fill.final is not None)

    @property
    def last_qty(self) -> int:
        """Its quantity in the end."""
        return self.qty if self.new_qty is None else self.new_qty

    @property
    def status(self) -> OrdStatus:
        """What the venue's books say of it in the end."""
        if self.cum >= self.last_qty:
            return OrdStatus.FILLED
        if self.end is not None:
            return {"canceled": OrdStatus.CANCELED, "expired": OrdStatus.EXPIRED}[self.end]
        return OrdStatus.PARTIALLY_FILLED if self.cum else OrdStatus.NEW


@st.composite
def placed(draw: st.DrawFn, number: int, instrument: Instrument, told_fees: bool) -> Placed:
    """An order of any kind and what becomes of it; never more than was ordered, nor a fee above our schedule's."""
    side = draw(st.sampled_from(list(Side)))
    effect = PositionEffect.AUTO
    if instrument is GOLD:
        effect = draw(st.sampled_from([e for e in PositionEffect if e is not PositionEffect.AUTO]))
    qty = draw(st.integers(1, 12))
    new_qty = draw(st.sampled_from([None, None, qty + 3, *([qty - 2] if qty > 2 else [])]))
    most = qty if new_qty is None else min(qty, new_qty)
    parts: list[Fill] = []
    for part in range(draw(st.integers(0, 3))):
        left = most - sum(fill.qty for fill in parts)
        if left <= 0:
            break
        size, px = draw(st.integers(1, left)), draw(prices(side, instrument))
        fate = draw(st.sampled_from(["stays", "stays", "busted", "corrected", "corrected and busted"]))
        final: tuple[int, Decimal] | None = (size, px)
        if fate.startswith("corrected"):
            final = (draw(st.integers(1, size)), draw(prices(side, instrument)))
        parts.append(
            Fill(
                f"{number}.{part}",
                size,
                px,
                draw(st.integers(0, 1 if instrument is STOCK else 0)) if told_fees else None,
                None if fate.endswith("busted") else final,
                fate.startswith("corrected"),
                draw(st.booleans()),
            )
        )
    cancel = draw(st.sampled_from(["", "", "done", "refused"]))
    end = "canceled" if cancel == "done" else draw(st.sampled_from([None, "canceled", "expired"]))
    return Placed(side, effect, qty, tuple(parts), cancel, end, new_qty)


NOT_IN_THE_BOOKS = (ExecutionBust, ExecutionCorrect, CancelReject, ReplaceAck)
"""Words of which no look at the books makes up for the loss: a person is asked, or the venue is asked again; and of an order
that has ended meanwhile nobody asks under which terms.
"""


class Story(msgspec.Struct, frozen=True):
    """Orders in one instrument, and two ways to hear of them: places in the list of all that was said. `timed`: the venue
    says when each fill happened.
    """

    instrument: Instrument
    timed: bool
    orders: tuple[Placed, ...]
    lost: frozenset[int]
    arrivals: tuple[tuple[int, ...], tuple[int, ...]]


@st.composite
def stories(draw: st.DrawFn, instrument: Instrument) -> Story:
    """Any two permutations with repeats of the same words, without the lost ones."""
    told_fees = draw(st.booleans())
    count = draw(st.integers(1, 3))
    orders = tuple(draw(placed(number, instrument, told_fees)) for number in range(count))
    timed = draw(st.booleans())
    if timed:
        moments = iter(draw(st.permutations(range(sum(len(order.fills) for order in orders)))))
        orders = tuple(
            msgspec.structs.replace(
                order, fills=tuple(msgspec.structs.replace(fill, at=UtcNs(NOON + next(moments))) for fill in order.fills)
            )
            for order in orders
        )
    said = [word for number, order in enumerate(orders) for word in words(number, order, instrument)]
    may_be_lost = [place for place, word in enumerate(said) if not isinstance(word, NOT_IN_THE_BOOKS)]
    lost = frozenset(draw(st.lists(st.sampled_from(may_be_lost), max_size=2))) if may_be_lost else frozenset()
    heard = [place for place in range(len(said)) if place not in lost]
    ways = []
    for _ in range(2):
        repeats = draw(st.lists(st.sampled_from(heard), max_size=4)) if heard else []
        ways.append(tuple(draw(st.permutations([*heard, *repeats]))))
    return Story(instrument, timed, orders, lost, (ways[0], ways[1]))


def words(number: int, order: Placed, instrument: Instrument) -> list[Report]:
    """Everything the venue says of an order after it has acknowledged it, under the number as our id."""
    own, theirs = ClOrdID(str(number)), OrderID(f"b{number}")
    said: list[Report] = [OrderAck(BROKER, own, theirs)]
    for fill in order.fills:
        said.append(told_as(fill, order, instrument, own, theirs))
        ref = ExecID(fill.exec_id)
        # Of two words about one fill the venue's time says which holds; nothing else could.
        first, second = (UtcNs(NOON + 1), UtcNs(NOON + 2)) if fill.corrected and fill.final is None else (None, None)
        if fill.corrected:
            qty, px = fill.final or (1, fill.px)
            fee = None if fill.fee is None else Amount(Decimal(fill.fee))
            new = ExecutionCorrect(BROKER, ACCOUNT, DAY, ref, order.side, Qty(Decimal(qty)), Px(px), fee, transact_at=first)
            said.append(new)
        if fill.final is None:
            said.append(ExecutionBust(BROKER, ACCOUNT, DAY, ref, order.side, transact_at=second))
    if order.new_qty is not None:
        said.append(ReplaceAck(BROKER, own, Qty(Decimal(order.new_qty)), None, None, 1))
    if order.cancel == "refused":
        said.append(CancelReject(BROKER, own, "1", "too late"))
    if order.end == "canceled":
        said.append(CancelAck(BROKER, own))
    elif order.end == "expired":
        said.append(OrderExpire(BROKER, own))
    return said


def told_as(fill: Fill, order: Placed, instrument: Instrument, own: ClOrdID | None, theirs: OrderID) -> Execution:
    return an_execution(
        None if fill.by_number else own,
        instrument.symbol,
        order.side,
        fill.qty,
        fill.px,
        fill.exec_id,
        order_id=theirs,
        position_effect=order.effect,
        commission=None if fill.fee is None else Amount(Decimal(fill.fee)),
        transact_at=fill.at,
    )


def begun(story: Story) -> tuple[Desk, list[ClOrdID | None]]:
    """A desk that holds something of yesterday and something of today, both ways where it may, and has given the orders.

    The venue has acknowledged each of them once before anything else is asked of it.
    """
    symbol = story.instrument.symbol
    desk = Desk().opened(story.instrument, cash=CASH, positions={symbol: HELD}, costs={symbol: 0})
    if story.instrument is GOLD:
        for name, make in (("long", buy), ("short", sell)):
            first = desk.order(make(symbol, 20, position_effect=PositionEffect.OPEN))
            desk.give(an_execution(first.cl_ord_id, symbol, first.side, 20, "10", name, order_id=OrderID(name)))
    ids: list[ClOrdID | None] = []
    for number, order in enumerate(story.orders):
        make = buy if order.side is Side.BUY else sell
        reply = desk.give(make(symbol, order.qty, position_effect=order.effect, ord_type=OrdType.LIMIT, price="10.00"))
        assert isinstance(reply, OrderReply)
        ids.append(None if reply.denied is not None else reply.cl_ord_id)
        if reply.denied is None:
            desk.give(OrderAck(BROKER, reply.cl_ord_id, OrderID(f"b{number}")))
            if order.new_qty is not None:
                desk.give(ReplaceOrder(reply.cl_ord_id, "tester", Qty(Decimal(order.new_qty))))
            if order.cancel:
                desk.give(CancelOrder(reply.cl_ord_id, "tester"))
    return desk, ids


def told(story: Story, arrival: tuple[int, ...]) -> tuple[Desk, list[ClOrdID | None]]:
    """The desk that heard the words in this order, and then looked at the venue's books."""
    desk, ids = begun(story)
    said = [(number, word) for number, order in enumerate(story.orders) for word in words(number, order, story.instrument)]
    for place in arrival:
        number, word = said[place]
        own = ids[number]
        if own is None:
            continue  # denied: the venue has never heard of it
        named = getattr(word, "cl_ord_id", None) is not None
        desk.give(msgspec.structs.replace(word, cl_ord_id=own) if named else word)
    for _ in range(2):
        desk.wait(10)
        desk.give(their_books(story, desk, ids))
    return desk, ids


def their_books(story: Story, desk: Desk, ids: list[ClOrdID | None]) -> BrokerSnapshot:
    """What the venue shows in the end, reckoned from the story alone; of futures no cash: each venue settles in its own way."""
    instrument = story.instrument
    shown, fills = [], []
    long, short, paid = Decimal(HELD), ZERO, ZERO
    if instrument is GOLD:
        long, short = long + 20, short + 20
        fills += [an_execution(None, instrument.symbol, s, 20, "10", n) for n, s in (("long", Side.BUY), ("short", Side.SELL))]
    for number, (own, order) in enumerate(zip(ids, story.orders, strict=True)):
        if own is None:
            continue
        theirs = OrderID(f"b{number}")
        shown.append(
            OpenOrder(
                ACCOUNT,
                instrument.symbol,
                order.side,
                Qty(Decimal(order.last_qty)),
                Qty(Decimal(order.cum)),
                order.status,
                theirs,
                own,
                Px(Decimal("10.00")),
            )
        )
        sign = 1 if order.side is Side.BUY else -1
        traded = ZERO
        for fill in order.fills:
            if fill.final is not None:
                qty, px = fill.final
                kept = msgspec.structs.replace(fill, qty=qty, px=px, by_number=False)
                fills.append(told_as(kept, order, instrument, own, theirs))
                traded += qty * px
                paid += fill.fee or 0
        opens = order.effect in (PositionEffect.AUTO, PositionEffect.OPEN)
        if instrument is STOCK or (order.side is Side.BUY) == opens:
            long += sign * order.cum
        else:
            short -= sign * order.cum
        paid += sign * traded
        if any(fill.fee is None for fill in order.fills):
            paid += instrument.fees.fee(order.side, Decimal(order.cum), traded) if order.cum else ZERO
    cash = None if instrument is GOLD else (HeldCash(ACCOUNT, CNY, Amount(CASH - paid)),)
    held = HeldPosition(ACCOUNT, instrument.symbol, Qty(long), Qty(short))
    return BrokerSnapshot(
        BROKER, ACCOUNT, desk.now, tuple(shown), tuple(fills), (held,), cash, orders_complete=True, trading_day=DAY
    )


def standing(story: Story, desk: Desk, ids: list[ClOrdID | None]) -> dict[str, Any]:
    """All that must not depend on how it was heard. What is reserved is at least the worst cost of what is left (`check`), and
    more by what earlier fills saved, which depends on the order. So does the average cost of what is held, and with it how much
    of the profit is realised by now; their sum does not, nor does any of it where the venue says when its fills happened.
    """
    of: dict[ClOrdID, list[Any]] = {}
    for key, x in desk.state.execs.items():
        if not x.busted:
            of.setdefault(x.cl_ord_id, []).append((key, x.qty, x.px, x.effect))
    orders: list[Any] = []
    for own in ids:
        if own is None:
            orders.append(None)
            continue
        o = desk.known(own)
        figures = (o.order_qty, o.cum_qty, o.leaves_qty, o.cum_value, o.fees, o.frozen, o.is_done)
        orders.append((o.ord_status, o.order_id, bool(o.replaces), o.unknown_at, figures, of.get(own, [])))
    p = desk.state.held(ACCOUNT, story.instrument.symbol)
    cash = desk.state.accounts[ACCOUNT].cash[CNY]
    return {
        "orders": orders,
        "strangers with fills": sorted(own for own in of if own.startswith("x-")),
        "quantities": (p.long_qty, p.long_today, p.long_frozen, p.short_qty, p.short_today, p.short_frozen),
        "fees": p.fees,
        "flows": known(p.realized) - known(p.long_cost) + known(p.short_cost),
        "cash less profit": cash.balance - (known(p.realized) if story.instrument is GOLD else ZERO),
        "costs and profit": (p.long_cost, p.short_cost, p.realized, cash.balance, cash.margin) if story.timed else None,
    }


def check(story: Story) -> None:
    one, ids = told(story, story.arrivals[0])
    other, same_ids = told(story, story.arrivals[1])
    assert ids == same_ids
    assert standing(story, one, ids) == standing(story, other, ids)
    for desk in (one, other):
        assert desk.state.breaks == {}
        assert desk.state.early == {} or any(fill.final is None for order in story.orders for fill in order.fills)
        for own, order in zip(ids, story.orders, strict=True):
            if own is not None:
                assert desk.known(own).ord_status is order.status
                known = desk.known(own)
                assert known.cum_qty == order.cum
                rest = msgspec.structs.replace(story.instrument, fees=FeeSchedule())
                desk.state.instruments[rest.symbol] = rest
                worst = need(desk.state, desk.around, known, known.terms)
                assert known.reserved == 0 if known.is_done else known.reserved >= worst


@CALM
@given(stories(STOCK))
def test_stock_of_t_plus_1_ends_alike_in_whatever_order_its_venue_is_heard(story: Story) -> None:
    """Buys and partial sells of settled stock, several orders in one symbol."""
    check(story)


@CALM
@given(stories(GOLD))
def test_contracts_end_alike_in_whatever_order_their_venue_is_heard(story: Story) -> None:
    """Open, close, close today and close yesterday, long and short, several orders in one contract."""
    check(story)
