"""One order: the facts we know of it, and the only place that says where it stands.

Facts are stored, states are computed: `ord_status` is a property, by FIX precedence, and has no setter. Only core/evolve.py
writes a fact. A fill, a bust or a correction is legal in every state, closed ones included (FIX 4.4 vol. 7, appendix D, J.1).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import msgspec

from tradeloop.core.replacement import Asked, Terms
from tradeloop.core.types import (
    ZERO,
    AccountID,
    Amount,
    ClOrdID,
    OrderID,
    OrdStatus,
    OrdType,
    PositionEffect,
    Px,
    Qty,
    RunID,
    Side,
    Symbol,
    TimeInForce,
    TradingDay,
    UtcNs,
)

NO_DAY: Final = TradingDay("")


class Ending(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """How an order ends once `cum_qty` of it has been heard of; None where the broker did not count."""

    as_: str
    cum_qty: Qty | None
    text: str = ""
    transact_at: UtcNs | None = None


class Order(msgspec.Struct, array_like=True, gc=False):
    """The facts of one order. Quantities in units, prices and money in the instrument's currency, times in `UtcNs`; None is
    unknown.

    `gc=False`: an order holds no reference back to anything, and a million of them must not be walked by the collector.
    """

    cl_ord_id: ClOrdID
    broker: str
    account: AccountID
    symbol: Symbol
    side: Side
    order_qty: Qty
    ord_type: OrdType
    price: Px | None
    stop_px: Px | None
    tif: TimeInForce
    position_effect: PositionEffect
    trading_day: TradingDay
    by: str
    risk_version: str
    staged_at: UtcNs
    reserved: Amount = Amount(ZERO)
    """Cash this order may still cost at worst; falls with every fill, zero once closed."""
    arrival_px: Px | None = None
    arrival_at: UtcNs | None = None
    run_id: RunID | None = None
    leg: int = 0
    parent: ClOrdID | None = None
    request_id: str = ""
    strategy_id: str = ""
    cancel_at: UtcNs | None = None
    external: bool = False

    send_begun_at: UtcNs | None = None
    send_failures: int = 0
    triggered_at: UtcNs | None = None
    order_id: OrderID | None = None
    acked_at: UtcNs | None = None
    unknown_at: UtcNs | None = None
    absences: int = 0
    absent_from: UtcNs | None = None
    absent_to: UtcNs | None = None
    cancel_requested_at: UtcNs | None = None
    """When a cancel was asked for that has not been answered yet, the last time that the engine did, or the first that anybody
    else did; None again after the answer.
    """
    canceled_at: UtcNs | None = None
    expired_at: UtcNs | None = None
    rejected_at: UtcNs | None = None
    text: str = ""
    """Why it was rejected, cancelled or expired, in the words of whoever said so."""
    cum_qty: Qty = Qty(ZERO)
    cum_value: Decimal = ZERO
    """Sum of price times quantity of all live executions, without the multiplier."""
    fees: Amount = Amount(ZERO)
    updated_at: UtcNs = UtcNs(0)
    frozen: Qty = Qty(ZERO)
    """What of the position is promised to it; exactly this is released, whatever has become of the instrument's rules."""
    cancel_asks: int = 0
    """How often a cancel has been asked for; each time the broker gets longer to answer. What a person asks for again while an
    answer is awaited is no other time.
    """
    replaces: list[Asked] | None = None
    """Replaces without an answer, oldest first; None without one. Until then the terms above are in force."""
    replace_asks: int = 0
    """How many replaces have been asked for; the number of the newest."""
    replaced: int = 0
    """The number of the newest replace in force; an answer to an older one comes too late to say anything."""
    own_reserve: Amount = Amount(ZERO)
    """While replaces wait: what the terms in force alone would reserve. `reserved` is the largest of all by then."""
    terms_at: UtcNs | None = None
    """When its terms last changed; an older look at the broker's books says nothing of them."""
    terms_said_at: UtcNs | None = None
    """The broker's own time of that change, or up to which its books surely showed it, where either is known; what it says of
    an earlier time is old.
    """
    given_up: bool = False
    """It ended without ever having left, by the engine's own decision; nobody else asked for its end."""
    ending: Ending | None = None
    """The end that the broker has announced, while fills that came before it have not been heard of."""
    told_qty: Qty = Qty(ZERO)
    """Sum of all fills as they were first told: what was taken back or corrected since has been heard of all the same."""
    absent_from_theirs: UtcNs | None = None
    """The first look that did not show it, on the broker's clock: ours may be set forward between two looks."""
    send_failed_at: UtcNs | None = None
    """When the last attempt is known not to have left; the next one waits from then on (core/staging.py)."""
    halt: int = 0
    """The number of the FLATTEN that closes a position with it; 0 for everybody else's orders."""
    first_terms: Terms | None = None
    """What was asked for at first, where the terms have changed since: a repeat of the first request names these."""
    cancel_unheard: bool = False
    """A cancel was asked for, and no broker that has the order has said a word of it: it may not have arrived."""
    approved_by: str = ""
    """Who approved it beside whoever sent it; empty where nobody did."""
    traded_at: UtcNs = UtcNs(0)
    """When a fill of it was last booked, taken back, corrected or moved; an older look at the broker's books may miss that."""
    terms_took_effect_at: UtcNs | None = None
    """The broker's own time of the change that made its terms what they are; None where none is known."""
    sent_on: TradingDay = NO_DAY
    """The trading day on which it was last sent, where that is another than its own: a stop held here, or what waited, may
    leave on a later one, and the broker's books know it from there on.
    """

    numbered_on: TradingDay = NO_DAY
    """The trading day on which the broker gave it its number, where that is another than `day_there`: a change may have brought
    it a new one on a later day.
    """
    live: bool = False
    """It was made where real money is traded, and was asked there for what that asks for (core/risk/live.py)."""
    shown_px: Px | None = None
    """The price at which a person was shown it and confirmed it, where it has none of its own."""

    @property
    def number_day(self) -> TradingDay:
        """The trading day in which its number is its own: venues count anew every day (core/execution.py)."""
        return self.numbered_on or self.day_there

    @property
    def day_there(self) -> TradingDay:
        """The trading day whose books at the broker show it."""
        return self.sent_on or self.trading_day

    @property
    def is_done(self) -> bool:
        """Nothing more of it can trade unless the broker takes something back. One that filled while a replace waits for its
        answer may get more to trade (FIX C.1.c, C.2.a).
        """
        return (
            (self.cum_qty >= self.order_qty and not self.replaces)
            or self.canceled_at is not None
            or self.rejected_at is not None
            or self.expired_at is not None
        )

    @property
    def is_uncounted(self) -> bool:
        """It has ended, and nobody has told with how much traded: a look at the broker's books shows it."""
        return self.ending is not None and self.ending.cum_qty is None and not self.is_done

    @property
    def leaves_qty(self) -> Qty:
        """What may still trade under the terms in force; zero once done."""
        return Qty(ZERO) if self.is_done else Qty(max(self.order_qty - self.cum_qty, ZERO))

    @property
    def most_qty(self) -> Qty:
        """The most it may come to: its quantity, or a larger one that was asked for and has no answer yet."""
        if not self.replaces:
            return self.order_qty
        return max(self.order_qty, *(asked.terms.order_qty for asked in self.replaces))

    @property
    def exposed_qty(self) -> Qty:
        """What may still trade at worst, whatever becomes of the replaces that wait; zero once done."""
        return Qty(ZERO) if self.is_done else Qty(max(self.most_qty - self.cum_qty, ZERO))

    @property
    def terms(self) -> Terms:
        """The terms in force."""
        return Terms(self.order_qty, self.price, self.stop_px)

    @property
    def avg_px(self) -> Px | None:
        """Average price of the live executions; None without one. A quotient for people: the ledger uses `cum_value`."""
        return Px(self.cum_value / self.cum_qty) if self.cum_qty else None

    @property
    def is_wanted_out(self) -> bool:
        """Somebody asked for a cancel, and the broker has not said no to it: the order is never sent from here on."""
        return self.cancel_requested_at is not None or self.cancel_unheard

    @property
    def is_held(self) -> bool:
        """A stop that the engine keeps until the market reaches its price."""
        return self.stop_px is not None and self.triggered_at is None

    @property
    def may_be_at_broker(self) -> bool:
        """Sent, and nothing has proved since that it never arrived; or the broker itself has spoken of it, whatever we
        believed: an answer is worth more than a proof of absence.
        """
        return self.send_begun_at is not None or self.acked_at is not None or self.external

    @property
    def ord_status(self) -> OrdStatus:
        """Highest precedence first (FIX 4.4 vol. 7, appendix D); UNKNOWN and STAGED are ours."""
        if self.cancel_requested_at is not None:
            return OrdStatus.PENDING_CANCEL
        if self.replaces:
            return OrdStatus.PENDING_REPLACE
        if self.cum_qty >= self.order_qty:
            return OrdStatus.FILLED
        if self.canceled_at is not None:
            return OrdStatus.CANCELED
        if self.expired_at is not None:
            return OrdStatus.EXPIRED
        if self.cum_qty:
            return OrdStatus.PARTIALLY_FILLED
        if self.rejected_at is not None:
            return OrdStatus.REJECTED
        if self.unknown_at is not None:
            return OrdStatus.UNKNOWN
        if self.acked_at is not None:
            return OrdStatus.NEW
        return OrdStatus.STAGED if self.send_begun_at is None else OrdStatus.PENDING_NEW
