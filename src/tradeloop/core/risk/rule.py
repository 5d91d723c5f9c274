"""What a rule of risk is: what it measures, in which unit, over which scopes; and what it says to whoever meets it.

A rule measures: how much there is without an order, and what the order adds. Whether that is beyond a limit is asked in one
place for all of them (core/risk/judging.py), and so is what a missing number means. So a rule cannot forget either.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import msgspec

from tradeloop.core.events import OrderStaged
from tradeloop.core.instrument import Instrument
from tradeloop.core.limit import LimitScope, RiskLimit, Severity
from tradeloop.core.order import Order
from tradeloop.core.reports import Quote
from tradeloop.core.risk.cost import closes, opening_qty
from tradeloop.core.state import State
from tradeloop.core.surroundings import Surroundings
from tradeloop.core.types import ONE, ZERO, AccountID, Amount, Px, Qty, UtcNs, Word
from tradeloop.core.valuation import Valuation, value_of, worst_with


class RuleGroup(Word):
    """The groups of the rules; the first four are those of S2."""

    CAPITAL = "capital"
    POSITION = "position"
    FREQUENCY = "frequency"
    PRICE = "price"
    CONDUCT = "conduct"
    ELIGIBILITY = "eligibility"
    MARKET = "market"
    STATE = "state"


class Unit(Word):
    """What the value of a limit counts."""

    MONEY = "money"
    QTY = "quantity"
    COUNT = "count"
    FRACTION = "fraction"
    MULTIPLE = "multiple"
    SECONDS = "seconds"
    NONE = "none"


class Measured(msgspec.Struct, frozen=True, gc=False):
    """What there is without the order, and what the order adds. `room_at`: when a rule of frequency has room for it again.
    `what`: the thing itself, for the sentence that people read. `of`: what the limit is a share or a multiple of; None where it
    is a figure of its own.
    """

    current: Decimal
    adds: Decimal
    room_at: UtcNs | None = None
    what: str = ""
    of: Decimal | None = None


class Missing(msgspec.Struct, frozen=True, gc=False):
    """What a rule needs to know and nobody does, as the object of a sentence: `the previous close of 600519.SH`."""

    what: str


class Look:
    """What a rule looks at: an order that is about to leave, in the state and the market of this moment.

    `own`: the order as it works already, where other terms are asked for it; what is counted of it is not counted again.
    `px` is what it would trade at, as far as is known: its own price, else the side of the market it would take.
    """

    __slots__ = (
        "_leg",
        "_opening_value",
        "_opens",
        "_unit",
        "_valuation",
        "around",
        "instrument",
        "now",
        "order",
        "own",
        "px",
        "quote",
        "state",
    )

    def __init__(
        self,
        state: State,
        around: Surroundings,
        order: OrderStaged,
        instrument: Instrument,
        now: UtcNs,
        own: Order | None = None,
    ) -> None:
        self.state, self.around, self.order, self.instrument, self.now, self.own = state, around, order, instrument, now, own
        self.quote: Quote | None = around.quotes.get(order.symbol)
        self.px = order.price if order.price is not None else self._market_px()
        self._opens: bool | None = None
        self._leg: tuple[Decimal, Decimal] | None = None
        self._valuation: Valuation | None = None
        self._opening_value: Amount | None = None
        self._unit: Decimal | None = None

    @property
    def opens(self) -> bool:
        """Whether the order may open something, as far as it is not there already; who only closes is on the way out. Looked up
        once; many rules ask.
        """
        if self._opens is None:
            self._opens = self._may_open()
        return self._opens

    @property
    def value(self) -> Amount | None:
        """What the order is worth at `px`, in the currency of its instrument; None where no price is known."""
        return None if self.px is None else self.instrument.notional(self.px, self.order.order_qty)

    @property
    def more_qty(self) -> Decimal:
        """The quantity that may trade beyond what may already."""
        return self.order.order_qty if self.own is None else self.order.order_qty - self.own.most_qty

    @property
    def more_value(self) -> Amount | None:
        """What `more_qty` is worth at `px`."""
        return None if self.px is None else self.instrument.notional(self.px, self.more_qty)

    @property
    def leg(self) -> tuple[Decimal, Decimal]:
        """What the leg that the order can open may come to at worst without it, and what the order adds to that: nothing where
        it only reduces. Looked up once; many rules ask.
        """
        if self._leg is None:
            order, more = self.order, self.more_qty
            more = max(ZERO, more)
            self._leg = worst_with(self.state, order.account, order.symbol, order.side, more, order.position_effect)
        return self._leg

    @property
    def valuation(self) -> Valuation:
        """What positions are worth and may come to, as of now."""
        if self._valuation is None:
            self._valuation = self.around.valuation.look(self.state, self.around.quotes)
        return self._valuation

    def worth(self, qty: Decimal) -> Amount | None:
        """What a quantity of the instrument counts for at its present price, whatever the order's own; None without one."""
        if self._unit is None:
            px = self.valuation.px(self.order.symbol, self.quote)
            if px is None:
                return None
            self._unit = value_of(self.instrument, px, ONE)
        return Amount(self._unit * qty)

    @property
    def opening_value(self) -> Amount | None:
        """What the order adds to its leg, in money."""
        if self._opening_value is None:
            self._opening_value = self.worth(self.leg[1])
        return self._opening_value

    def place(self, limit: RiskLimit) -> str:
        """The name within the limit's scope that this order belongs to."""
        match limit.scope:
            case LimitScope.GLOBAL:
                return ""
            case LimitScope.ACCOUNT:
                return self.order.account
            case LimitScope.STRATEGY:
                return self.order.strategy_id
            case LimitScope.SYMBOL:
                return self.order.symbol
            case LimitScope.INDUSTRY:
                return self.instrument.industry

    def accounts(self, limit: RiskLimit) -> list[AccountID]:
        """The accounts whose books a limit looks at."""
        if limit.scope is LimitScope.ACCOUNT:
            return [self.order.account]
        return list(self.state.accounts)

    def _market_px(self) -> Px | None:
        if self.order.stop_px is not None:
            return self.order.stop_px
        quote = self.quote
        if quote is None:
            return None
        side = quote.ask if self.order.side.value == "BUY" else quote.bid
        seen = side if side is not None else quote.mid_or_last
        return None if seen is None else Px(seen)

    def _may_open(self) -> bool:
        order, own, qty = self.order, self.own, self.order.order_qty
        if self.more_qty <= ZERO or closes(order.side, order.position_effect, self.instrument):
            return False
        own_id = None
        if own is not None:
            own_id, qty = own.cl_ord_id, Qty(qty - own.cum_qty)
        return opening_qty(self.state, order.account, order.symbol, order.side, qty, order.position_effect, own_id) > ZERO


Measure = Callable[[Look, RiskLimit], Measured | Missing | None]
"""What a rule finds; None where it has nothing to say of such an order."""


class Words(msgspec.Struct, frozen=True):
    """What a rule says, in English and in Chinese: what it bounds, and what to do about an order beyond it."""

    title: str
    title_zh: str
    remedy: str
    remedy_zh: str


class ByList(Word):
    """How a rule goes by a list of symbols, boards, industries and accounts."""

    NO = "no"
    ONLY = "only"
    BUT = "but"


class RiskRule(msgspec.Struct, frozen=True):
    """One rule. `number` is its row in the table of rules (R1 to R44, S2-…); `source` says where its figure comes from.

    `at_least`: the limit is the least that has to be left, not the most that may be; of seconds, the least that has to have
    passed, to which no order adds. `floor`: from which figure on it speaks at all, where it has one; a limit may say another.
    `by_list`: whether its limits have a list, of what each is for alone (ONLY) or not for (BUT). `at_send`: asked again when an
    order is sent later than it was made. `of_flatten`: asked of the orders by which a FLATTEN closes positions, too.
    """

    code: str
    number: str
    group: RuleGroup
    unit: Unit
    words: Words
    source: str
    measure: Measure
    scopes: tuple[LimitScope, ...] = tuple(LimitScope)
    severities: tuple[Severity, ...] = (Severity.DENY, Severity.WARN, Severity.APPROVAL)
    at_least: bool = False
    at_send: bool = False
    of_flatten: bool = False
    floor: Decimal | None = None
    by_list: ByList = ByList.NO
