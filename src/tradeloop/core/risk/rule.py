"""What a rule of risk is: what it measures, in which unit, over which scopes; and what it says to whoever meets it.

A rule measures: how much there is without an order, and what the order adds. Whether that is beyond a limit is asked in one
place for all of them (core/risk/judging.py), and so is what a missing number means. So a rule cannot forget either.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from decimal import Decimal
from typing import Any, Final

import msgspec

from tradeloop.core.activity import Day
from tradeloop.core.events import OrderStaged
from tradeloop.core.instrument import Instrument
from tradeloop.core.limit import LimitScope, RiskLimit, Severity
from tradeloop.core.order import Order
from tradeloop.core.ordered import added_value, worth_px
from tradeloop.core.replacement import Terms
from tradeloop.core.reports import Quote
from tradeloop.core.risk.cost import closes, opening_qty
from tradeloop.core.risk.older_first import closed_before
from tradeloop.core.state import State
from tradeloop.core.surroundings import Surroundings
from tradeloop.core.types import BUY, ONE, ZERO, AccountID, Amount, Px, Qty, UtcNs, Word
from tradeloop.core.valuation import Valuation, worst_with

ACCOUNT: Final = LimitScope.ACCOUNT
"""An attribute of an enumeration costs a look-up in its metaclass."""


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
    `late`: `own` has not left yet, and is judged like a new one; what is counted of it is left out of what there is without it.
    `px` is the worst price that it may trade at, as far as is known: its own price, else the side of the market it would take.
    `kept`: what several rules share of one order beside this, by what finds it and over which scope.
    """

    __slots__ = (
        "_leg",
        "_may_open",
        "_mid",
        "_opening_value",
        "_opens",
        "_unit",
        "_valuation",
        "_value",
        "around",
        "instrument",
        "kept",
        "late",
        "more_qty",
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
        *,
        late: bool = False,
    ) -> None:
        self.late = late
        self.state, self.around, self.order, self.instrument, self.now, self.own = state, around, order, instrument, now, own
        self.quote: Quote | None = around.quotes.get(order.symbol)
        self.px = order.price if order.price is not None else self._market_px()
        self.more_qty: Decimal = order.order_qty if own is None or late else order.order_qty - own.most_qty
        """The quantity that may trade beyond what may already."""
        self.kept: dict[tuple[object, LimitScope], Any] = {}
        self._opens: bool | None = None
        self._may_open: bool | None = None
        self._leg: tuple[Decimal, Decimal] | None = None
        self._valuation: Valuation | None = None
        self._value: Amount | None = None
        self._mid: Decimal | None = None
        self._unit: Amount | None = None
        self._opening_value: Amount | None = None

    @property
    def opens(self) -> bool:
        """Whether the order may open something, as far as it is not there already; who only closes is on the way out. Looked up
        once, as most of what follows; many rules ask.
        """
        if self._opens is None:
            adds = self.own is None or self.more_qty > ZERO
            self._opens = adds and self.may_open
        return self._opens

    @property
    def may_open(self) -> bool:
        """Whether the order, as far as it has not filled, may open something: of other terms for one, what it may open already,
        too.
        """
        if self._may_open is None:
            self._may_open = self._still_opens()
        return self._may_open

    @property
    def value(self) -> Amount | None:
        """What the order is worth (core/ordered.py), in the currency of its instrument; None where no price is known. The limit
        of a sell that may open something is no such price: it is the least that it gets.
        """
        if self._value is None and self.px is not None:
            order, px = self.order, self.px
            if order.side is not BUY and order.price is not None:
                if self._is_unseen_opening:
                    return None
                px = worth_px(order.side, order.price, order.stop_px, self._side_px()) or px
            self._value = self.instrument.notional(px, order.order_qty)
        return self._value

    @property
    def more_value(self) -> Amount | None:
        """What the order is worth; of other terms for one, by how much they are worth more."""
        if self.own is None or self.late:
            return self.value
        order = self.order
        if order.side is not BUY and order.price is not None and self._is_unseen_opening:
            return None
        more = added_value(self.own, Terms(order.order_qty, order.price, order.stop_px), self._side_px(), self.instrument)
        return None if more is None else Amount(more)

    @property
    def _is_unseen_opening(self) -> bool:
        """Whether a sell with a limit may open something, and neither a market nor a stop price says what at."""
        return self.order.stop_px is None and self._side_px() is None and self.may_open

    @property
    def is_of_today(self) -> bool:
        """Whether what is counted today of its session counts this order already, which is judged like a new one."""
        hours = self.state.hours.get(self.instrument.session)
        return self.late and hours is not None and hours.trading_day == self.order.trading_day

    @property
    def is_way_out(self) -> bool:
        """Whether it is a stop that has fired and only closes: it was judged when it was placed, and must not be lost now to a
        limit on one order by itself, which nobody is there to split or to price anew.
        """
        return self.late and self.own is not None and self.own.stop_px is not None and not self.opens

    @property
    def leg(self) -> tuple[Decimal, Decimal]:
        """What the leg that the order can open may come to at worst without it, and what the order adds to that: nothing where
        it only reduces.
        """
        if self._leg is None:
            order, more = self.order, max(self.more_qty, ZERO)
            own = self.own if self.late else None
            self._leg = worst_with(self.state, order.account, order.symbol, order.side, more, order.position_effect, own)
        return self._leg

    @property
    def valuation(self) -> Valuation:
        """What positions are worth and may come to, as of now."""
        if self._valuation is None:
            self._valuation = self.around.valuation.look(self.state, self.around.quotes)
        return self._valuation

    @property
    def mid(self) -> Decimal | None:
        """The present price, as the quote shows it."""
        if self._mid is None and self.quote is not None:
            self._mid = self.quote.mid_or_last
        return self._mid

    def worth(self, qty: Decimal) -> Amount | None:
        """What a quantity of the instrument counts for at its present price, whatever the order's own; None without one."""
        unit = self._unit
        if unit is None:
            px, multiplier = self.mid, self.instrument.multiplier
            if px is None:
                px = self.valuation.px(self.order.symbol, self.quote)
                if px is None:
                    return None
            unit = self._unit = Amount(abs(px if multiplier == ONE else px * multiplier))
        return Amount(unit * qty)

    @property
    def opening_value(self) -> Amount | None:
        """What the order adds to its leg, in money."""
        if self._opening_value is None:
            self._opening_value = self.worth(self.leg[1])
        return self._opening_value

    def day(self, limit: RiskLimit) -> Day:
        """What was counted today of the limit's place, all currencies together: for counts."""
        key = Day, limit.scope
        found: Day | None = self.kept.get(key)
        if found is None:
            found = self.kept[key] = self.state.activity.total(limit.scope, self.place(limit))
        return found

    def place(self, limit: RiskLimit) -> str:
        """The name within the limit's scope that this order belongs to."""
        scope = limit.scope
        if scope is ACCOUNT:
            return self.order.account
        if scope is LimitScope.GLOBAL:
            return ""
        if scope is LimitScope.STRATEGY:
            return self.order.strategy_id
        if scope is LimitScope.SYMBOL:
            return self.order.symbol
        return self.instrument.industry

    def accounts(self, limit: RiskLimit) -> Collection[AccountID]:
        """The accounts whose books a limit looks at."""
        return (self.order.account,) if limit.scope is ACCOUNT else self.state.accounts

    def _market_px(self) -> Px | None:
        return self.order.stop_px if self.order.stop_px is not None else self._side_px()

    def _side_px(self) -> Px | None:
        """The side of the market that the order would take; what is known of its price where that side is empty."""
        quote = self.quote
        if quote is None:
            return None
        side = quote.ask if self.order.side is BUY else quote.bid
        seen = side if side is not None else quote.mid_or_last
        return None if seen is None else Px(seen)

    def _still_opens(self) -> bool:
        order, own, qty = self.order, self.own, self.order.order_qty
        if closes(order.side, order.position_effect, self.instrument):
            return False
        own_id = before = None
        if own is not None:
            own_id, qty = own.cl_ord_id, Qty(qty - own.cum_qty)
            if self.late:
                before = closed_before(self.state, own)
        where = order.account, order.symbol, order.side
        return opening_qty(self.state, *where, qty, order.position_effect, own_id, before) > ZERO


Measure = Callable[[Look, RiskLimit], Measured | Missing | None]
"""What a rule finds; None where it has nothing to say of such an order."""


Screen = Callable[[Look], bool]
"""Whether a new order surely keeps several limits at once. It may always say no: then each of them is asked by itself."""
Family = Callable[[tuple[RiskLimit, ...]], Screen]
"""Makes the screen of limits that belong together and are counted over the same scope."""


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
    `softly`: what may become of an order from the softer figure of a limit on.
    `by_list`: whether its limits have a list, of what each is for alone (ONLY) or not for (BUT). `at_send`: asked again when an
    order is sent later than it was made. `of_closing`: asked of orders that only close, too: it bounds requests, conduct, or
    one order by itself, which can be made smaller or priced anew; what bounds risk, or a day, never stands in the way out.
    `of_flatten`: asked of the orders by which a FLATTEN closes positions, too.
    `concerns`: of which instruments it has anything to say; None: of all. `unlisted`: what it needs to know of an instrument is
    not in its listing, which no waiting changes. `family`: what tells at once that an order keeps the
    limits of this rule and of others of the family, where that costs less than to measure for each.
    """

    code: str
    number: str
    group: RuleGroup
    unit: Unit
    words: Words
    source: str
    measure: Measure
    scopes: tuple[LimitScope, ...] = tuple(LimitScope)
    severities: tuple[Severity, ...] = (Severity.DENY, Severity.WARN, Severity.APPROVAL, Severity.HALT)
    softly: tuple[Severity, ...] = (Severity.WARN, Severity.APPROVAL)
    at_least: bool = False
    at_send: bool = False
    of_closing: bool = False
    of_flatten: bool = False
    floor: Decimal | None = None
    by_list: ByList = ByList.NO
    concerns: Callable[[Instrument], bool] | None = None
    unlisted: Callable[[Instrument], bool] | None = None
    family: Family | None = None
