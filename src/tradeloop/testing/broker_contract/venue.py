"""What an adapter's author supplies: a venue that does what it is told, and whose own books can be read.

The suite drives the adapter through the broker port and the venue through these verbs. It judges by what arrives at the port
and by `books`, which are read at the venue and never through the adapter. A verb returns when the venue has done it; what
follows from it may still be on its way (`settle`).
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Protocol

import msgspec

from tradeloop.core.types import (
    AccountID,
    ClOrdID,
    Currency,
    ExecID,
    OrderID,
    OrdStatus,
    Px,
    Qty,
    Side,
    Symbol,
    TradingDay,
    UtcNs,
)
from tradeloop.ports.broker import Broker


class VenueOrder(msgspec.Struct, frozen=True):
    """An order as the venue's books have it. `terms` are its type and time in force in our words, such as `LIMIT DAY`, and
    `ord_status` is where it stands in our words: NEW or PARTIALLY_FILLED while it can trade.
    """

    order_id: OrderID
    cl_ord_id: ClOrdID | None
    symbol: Symbol
    side: Side
    order_qty: Qty
    cum_qty: Qty
    price: Px | None
    terms: str
    ord_status: OrdStatus

    @property
    def is_working(self) -> bool:
        """Whether it can still trade."""
        return self.ord_status in {OrdStatus.NEW, OrdStatus.PARTIALLY_FILLED}


class VenueExecution(msgspec.Struct, frozen=True):
    """A fill that counts, as the venue's books have it. `commission` is None where the venue does not state one.

    `transact_at` is UTC, in the coarser of the two resolutions in which the venue tells it in its stream and in its books.
    """

    exec_id: ExecID
    order_id: OrderID
    cl_ord_id: ClOrdID | None
    symbol: Symbol
    side: Side
    last_qty: Qty
    last_px: Px
    commission: Decimal | None
    transact_at: UtcNs
    trading_day: TradingDay


class VenueBooks(msgspec.Struct, frozen=True):
    """The venue's books of our account: all orders it ever took, all fills that count, net positions, cash balances.

    `sellable` is what of each long position may be sold today, `costs` what each position cost as a whole, and `available` the
    cash without what orders hold; None where the venue does not tell. `trading_day` is the day it is there, None where the
    venue tells none. `as_of` is the time there, in the resolution in which the venue tells it.
    """

    orders: tuple[VenueOrder, ...]
    executions: tuple[VenueExecution, ...]
    positions: dict[Symbol, Decimal]
    sellable: dict[Symbol, Decimal | None]
    costs: dict[Symbol, Decimal | None]
    cash: dict[Currency, Decimal]
    available: dict[Currency, Decimal | None]
    trading_day: TradingDay | None
    as_of: UtcNs

    def of(self, cl_ord_id: str) -> tuple[VenueOrder, ...]:
        """The orders that bear this id of ours."""
        return tuple(order for order in self.orders if order.cl_ord_id == cl_ord_id)

    @property
    def working(self) -> tuple[VenueOrder, ...]:
        """The orders that can still trade."""
        return tuple(order for order in self.orders if order.is_working)


class Table(msgspec.Struct, frozen=True):
    """One table of the adapter's words: what it is of, every word the venue may say, and the adapter's reading of one."""

    what: str
    words: tuple[str, ...]
    read: Callable[[str], object]


class ContractVenue(Protocol):
    """The venue, its market, and the ways in which it behaves and misbehaves."""

    account: AccountID
    """Whose orders these are; the adapter's account."""
    symbol: Symbol
    """An instrument that trades here."""
    unlisted: Symbol
    """A well-formed symbol that the venue does not know."""
    qty: Qty
    """The quantity of the suite's orders; a fifth of it is a legal quantity too, and the account can pay for many."""
    fraction: Qty
    """A part of a unit that may be traded, as fine as the finest here; of no meaning where only whole units are."""
    resting_px: Px
    """The limit of a buy that rests: it fills only when `fill` says so. It has as many decimals as the finest tick here has:
    what an adapter loses of a price is seen in nothing coarser.
    """
    asking_px: Px
    """The limit of a sell that rests."""
    counts: bool
    """Whether the venue says how much of an order had traded when it ends the order or changes its terms."""
    secrets: tuple[str, ...]
    """Every secret the adapter was given, as plain text; none may appear in what it shows."""
    tables: tuple[Table, ...]
    """The adapter's tables of words, with everything the venue is documented to say."""
    patience: int
    """How many `settle` the suite waits at most for what has to arrive."""

    def adapter(self) -> Broker:
        """A new adapter to this venue, as another process would make it; not connected."""
        ...

    async def settle(self) -> None:
        """Let what is on its way arrive: a moment of real time, or a step of a virtual clock."""
        ...

    async def wait(self, ns: int) -> None:
        """Let so much time pass, on the clock the adapter and the venue live by."""
        ...

    async def books(self) -> VenueBooks:
        """What the venue knows now."""
        ...

    def turned_away(self) -> int:
        """How many requests the venue did not take because they came faster than it allows."""
        ...

    def asked(self, what: str) -> int:
        """How many requests to `place`, `cancel` or `replace` have reached the venue, whatever became of them."""
        ...

    async def fill(self, cl_ord_id: str, qty: Qty, px: Px) -> ExecID:
        """Let the order trade `qty` at `px`, which is its limit or better. Time does not pass meanwhile.

        Where fills cost a fee, that of a fifth has more digits than the currency has, if the venue's fees can.
        """
        ...

    async def fill_by_hand(self, qty: Qty, px: Px) -> ExecID:
        """Let somebody buy `symbol` for our account without us, and let it trade at once."""
        ...

    async def order_by_hand(self) -> OrderID:
        """Let somebody place an order for our account without us; it rests."""
        ...

    async def pay_for_next_fill(self) -> None:
        """Let the next fill bring a rebate instead of costing a fee, where the venue pays any."""
        ...

    async def redeliver(self, exec_id: ExecID) -> None:
        """Report a fill once more."""
        ...

    async def bust(self, exec_id: ExecID) -> None:
        """Take a fill back."""
        ...

    async def correct(self, exec_id: ExecID, qty: Qty, px: Px) -> None:
        """Change a fill's figures."""
        ...

    async def cancel_unasked(self, cl_ord_id: str) -> None:
        """Take an order out of the market without being asked."""
        ...

    async def hold_cancels(self) -> None:
        """Take cancels from now on, and act on none of them yet."""
        ...

    async def let_cancels(self) -> None:
        """Act on the cancels that were held."""
        ...

    async def lose_next_ack(self) -> None:
        """Take the next order, and never report that it works."""
        ...

    async def lose_next_fill(self) -> None:
        """Book the next fill, and never report it though the connection is sound."""
        ...

    async def swap_next_reports(self) -> None:
        """Let the next report overtake none: it comes only after the one that follows it."""
        ...

    async def garble_next_report(self) -> None:
        """Let the next report come in a form that cannot be read; the connection stays."""
        ...

    async def garble_next_books(self) -> None:
        """Let the books that are asked for next have something in them that cannot be read."""
        ...

    async def fall_silent(self) -> None:
        """Let the connection stand and nothing pass through it any more, either way, until `restore`."""
        ...

    async def cut(self) -> None:
        """Cut the connection, let nobody in, and return when the adapter can have noticed."""
        ...

    async def restore(self) -> None:
        """Let the adapter in again, and return when it can be back."""
        ...

    async def lose_next_answer(self) -> None:
        """Carry the next order, replace or cancel out; the connection is lost before the answer, where there is one to lose."""
        ...

    async def swallow_next_answer(self) -> None:
        """Carry the next order, replace or cancel out and never answer; the connection stays."""
        ...

    async def garble_next_answer(self) -> None:
        """Carry the next order, replace or cancel out and answer with what cannot be read."""
        ...

    async def delay_next_order(self) -> None:
        """Keep the next order on its way for as long as this venue ever does, longer where it throws late requests away."""
        ...

    async def begin_next_day(self) -> None:
        """Let the trading day end and the next one begin."""
        ...
