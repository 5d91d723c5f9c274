"""Station 5: what an execution makes true.

A duplicate books nothing. A fill for an order we do not know becomes an external order, because the shares are ours whoever
asked. More than was ordered is booked too, and halts the instrument. What may follow a fill is in core/taken_back.py.
"""

from __future__ import annotations

from collections.abc import Generator
from decimal import Decimal

import msgspec

from tradeloop.core.announced import come_to_end
from tradeloop.core.cash import fee_can_be, own_rate
from tradeloop.core.charging import fee_of_fill
from tradeloop.core.claim import claim, external_id
from tradeloop.core.days import lives_on
from tradeloop.core.events import (
    Event,
    ExternalOrderFound,
    FeeDistrusted,
    InstrumentListed,
    OrderAcknowledged,
    Overfilled,
    Traded,
)
from tradeloop.core.execution import Exec, exec_key, order_key, parts_of
from tradeloop.core.identity import under_own_id
from tradeloop.core.instrument import UNRESOLVED, AssetClass, Instrument
from tradeloop.core.order import Order
from tradeloop.core.position import realizes
from tradeloop.core.rebooking import Together, place_of, rebooked_before
from tradeloop.core.replacement import order_named
from tradeloop.core.reports import Execution
from tradeloop.core.risk.cost import closes, opening_qty
from tradeloop.core.state import State
from tradeloop.core.surroundings import Surroundings
from tradeloop.core.taken_back import settle_early
from tradeloop.core.types import (
    ONE,
    ZERO,
    AccountID,
    Amount,
    ClOrdID,
    Currency,
    OrderID,
    PositionEffect,
    Px,
    Qty,
    Side,
    Symbol,
    TradingDay,
    UtcNs,
)

Facts = Generator[Event, None, None]


def on_execution(
    state: State,
    around: Surroundings,
    x: Execution,
    now: UtcNs,
    together: Together | None = None,
    key: str = "",
    *,
    by_books: bool = False,
    of: ClOrdID | None = None,
) -> Generator[Event, None, Order | None]:
    """Book one fill; returns the order it belongs to, None when it was known already.

    A fill of an account whose books are not ours yet is left to the first snapshot, which holds it in one form or the other.
    Of an order made elsewhere we may know a part only, so it is never judged overfilled. `together`: with which other fills it
    is booked, where one look brought them (core/missed.py); `key`: its own, where that is known (core/identity.py); `by_books`:
    a look brought it; `of`: the order of ours that the look shows under the number which the fill bears.
    """
    if not key:
        x, key = under_own_id(state, x, exec_key(x.broker, x.account, x.trading_day, x.exec_id, x.side))
    if key in state.execs.packed:
        root = state.execs.root(key)
        if root in state.execs:
            return (yield from _named(state, around, root, x, now)) if state.strangers and x.cl_ord_id is not None else None
        # The venue's books show the fill under the id of its correction, which overtook it.
        key, x = root, msgspec.structs.replace(x, exec_id=parts_of(root)[-1])
    if x.account not in state.accounts:
        return None
    order = find(state, x.broker, x.account, x.cl_ord_id, x.order_id, x.symbol, x.side, x.trading_day)
    if order is None:
        order = yield from adopt_order(
            state,
            x.broker,
            x.account,
            x.order_id,
            x.symbol,
            x.side,
            x.last_qty,
            None,
            x.trading_day,
            now,
            ref=x.exec_id,
            effect=x.position_effect,
        )
    instrument = state.instruments[x.symbol]
    px_qty = x.last_px * x.last_qty
    value = px_qty if instrument.multiplier == ONE else px_qty * instrument.multiplier
    effect = _effect_of(order, instrument, x)
    fee, by_broker = x.commission, True
    if fee is None or ((fee > value or fee < ZERO) and not fee_can_be(instrument, fee, value)):
        fee, by_broker = fee_of_fill(order, instrument, x.last_qty, value, effect), False
    position = state.held(x.account, x.symbol)
    excess = order.cum_qty + x.last_qty - order.most_qty
    realized = realizes(position, x.side, x.last_qty, value, effect)
    becomes = None
    if x.transact_at is not None:
        place = place_of(state, x.account, x.symbol, key, x.transact_at, now)
        if place is not None:
            fill = Exec(order.cl_ord_id, x.last_qty, x.last_px, fee, effect)
            before = rebooked_before if together is None else together.rebooked_before
            becomes, realized = before(state, x.account, x.symbol, key, place, fill) or (None, realized)
    early = state.early.get(key)
    able = around.brokers.get(x.broker)
    named = of if x.cl_ord_id is None else order_named(x.cl_ord_id)
    by_number = able is not None and able.second_ids and named != order.cl_ord_id
    binds = order.order_id is None and x.order_id is not None
    later = binds and order.acked_at is not None
    yield Traded(
        now,
        order.cl_ord_id,
        x.broker,
        x.account,
        x.trading_day,
        x.exec_id,
        x.symbol,
        x.side,
        x.last_qty,
        x.last_px,
        effect,
        fee,
        by_broker,
        x.liquidity,
        x.transact_at,
        x.order_id,
        order.run_id,
        realized,
        becomes,
        by_books,
        by_number,
    )
    if not by_broker and x.commission is not None:
        told = x.commission
        yield FeeDistrusted(now, order.cl_ord_id, x.broker, x.account, x.trading_day, x.exec_id, x.symbol, x.side, told, fee)
    if early is not None:
        yield from settle_early(state, key, early, now)
        order = state.orders.get(order.cl_ord_id)
        assert order is not None
        excess = Qty(order.cum_qty - order.most_qty)
    if excess > ZERO and not order.external:
        yield Overfilled(now, order.cl_ord_id, order.symbol, Qty(excess))
    if later and x.order_id is not None:  # an earlier fill, without a number, was all the answer there had been
        yield OrderAcknowledged(now, order.cl_ord_id, x.order_id, x.transact_at)
    if binds:
        yield from claim(state, around, order.cl_ord_id, now)
    if order.ending is not None:
        yield from come_to_end(state, order.cl_ord_id, now)
    return order


def _named(state: State, around: Surroundings, key: str, x: Execution, now: UtcNs) -> Generator[Event, None, Order | None]:
    """A fill that was booked on a stranger's order is told again, and by our id now: it is ours, whatever number or trading day
    the two were taken for.
    """
    booked = state.execs.get(key)
    ours = None if x.cl_ord_id is None else state.orders.get(x.cl_ord_id)
    if booked is None or booked.cl_ord_id not in state.strangers or ours is None or ours.external:
        return None
    if (ours.broker, ours.account, ours.symbol, ours.side) != (x.broker, x.account, x.symbol, x.side):
        return None
    yield from claim(state, around, ours.cl_ord_id, now, booked.cl_ord_id, x.order_id)
    return state.orders.get(ours.cl_ord_id)


def find(
    state: State,
    broker: str,
    account: AccountID,
    cl_ord_id: ClOrdID | None,
    order_id: OrderID | None,
    symbol: Symbol,
    side: Side,
    trading_day: TradingDay,
) -> Order | None:
    """The order a report speaks of: by our id, or that of one of its replaces, else by the broker's number of that trading
    day, else by the number of an order that may have lived on from another day. Another broker, account, symbol or side is
    another order, whatever id the report names.
    """
    order: Order | None
    if cl_ord_id is not None:
        order = state.orders.open.get(cl_ord_id) or state.orders.get(order_named(cl_ord_id))
        if (
            order is not None
            and order.side is side
            and order.symbol == symbol
            and order.account == account
            and order.broker == broker
        ):
            return order
    if order_id is None:
        return None
    owner = state.by_order_id.get(order_key(broker, account, trading_day, symbol, order_id))
    order = state.orders.get(owner) if owner is not None else None
    if order is not None and order.side is side:
        return order
    numbered = [
        candidate
        for candidate in (state.orders.open[one] for one in state.numbers.of(account, symbol, order_id))
        if candidate.broker == broker and candidate.side is side and lives_on(state, candidate)
    ]
    return max(numbered, key=lambda known: (known.trading_day, known.cl_ord_id), default=None)


def adopt_order(
    state: State,
    broker: str,
    account: AccountID,
    order_id: OrderID | None,
    symbol: Symbol,
    side: Side,
    qty: Qty,
    price: Px | None,
    trading_day: TradingDay,
    now: UtcNs,
    *,
    ref: str = "",
    effect: PositionEffect = PositionEffect.AUTO,
) -> Generator[Event, None, Order]:
    """An order somebody else made at the broker becomes ours to count; its id derives from the broker's, so it
    is adopted once.
    """
    their_id = order_id if order_id is not None else OrderID(f"exec-{ref}")
    cl_ord_id = external_id(broker, account, trading_day, symbol, their_id, side)
    known = state.orders.get(cl_ord_id)
    if known is not None:
        return known
    if symbol not in state.instruments:
        yield InstrumentListed(now, unresolved(state, account, symbol))
    instrument = state.instruments[symbol]
    effect = _as_booked(effect, instrument, side)
    reserve = _reserve(state, account, instrument, side, effect, qty, price)
    yield ExternalOrderFound(now, cl_ord_id, broker, account, their_id, symbol, side, qty, price, trading_day, effect, reserve)
    return state.orders.open[cl_ord_id]


def _effect_of(order: Order, instrument: Instrument, x: Execution) -> PositionEffect:
    """What the fill opens or closes: of a stranger's order its fill knows that, where the broker says so; the books may not."""
    if not order.external or x.position_effect is PositionEffect.AUTO:
        return order.position_effect
    return _as_booked(x.position_effect, instrument, x.side)


def _as_booked(effect: PositionEffect, instrument: Instrument, side: Side) -> PositionEffect:
    """What a broker calls an order's effect, in the words that our books have of this instrument."""
    if effect in (PositionEffect.CLOSE_TODAY, PositionEffect.CLOSE_YESTERDAY) and not instrument.closes_by_day:
        return PositionEffect.AUTO  # of one holding the settled part goes first, whatever the broker calls it
    if effect is PositionEffect.OPEN and side is Side.SELL and not instrument.can_be_short:
        return PositionEffect.AUTO  # it takes from what is held: booked as a short, that could be sold once more
    return effect


def _reserve(
    state: State, account: AccountID, instrument: Instrument, side: Side, effect: PositionEffect, qty: Qty, price: Px | None
) -> Amount:
    """What a stranger's order may still take of the account's money, fees aside; nothing where its price is not known."""
    if price is None or price <= ZERO:
        return Amount(ZERO)
    value = instrument.notional(price, qty)
    if instrument.asset_class is AssetClass.FUTURE:
        opens = effect in (PositionEffect.AUTO, PositionEffect.OPEN)
        return Amount(value * (instrument.margin_rate or Decimal(1)) if opens else ZERO)
    if side is Side.BUY:
        return value
    if closes(side, effect, instrument):
        return Amount(ZERO)
    opening = opening_qty(state, account, instrument.symbol, side, qty, effect)
    return Amount(instrument.notional(price, opening) * own_rate(instrument, side))


def unresolved(state: State, account: AccountID, symbol: Symbol) -> Instrument:
    """An instrument no rule resolves, met in a fill: counted one for one in the account's first currency by
    name, and it takes no orders because it has no trading hours.
    """
    books = state.accounts[account].cash if account in state.accounts else {}
    currency = min(books, default=Currency("XXX"))
    one = Decimal(1)
    return Instrument(
        symbol=symbol,
        asset_class=AssetClass.STOCK,
        currency=currency,
        tick=Decimal("0.000000000001"),
        lot=one,
        min_qty=one,
        market=UNRESOLVED,
        board=UNRESOLVED,
    )
