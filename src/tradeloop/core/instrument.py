"""One instrument as the flow needs it: its steps, its lots, its money, and what may be sold when.

An `Instrument` is the answer of markets/ for one symbol on one trading day: the dated rows have already been looked up, so the
core holds no rule of any exchange as a constant. Fees are a `FeeSchedule` resolved the same way.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal
from enum import Enum
from typing import Final

import msgspec

from tradeloop.core.types import BUY, ONE, SELL, ZERO, Amount, Currency, Px, Qty, Side, Symbol, step_down, step_half_up

UNRESOLVED: Final = "UNRESOLVED"
"""The market of an instrument that no rule resolves: its currency and its multiplier are guesses (core/fills.py)."""

WIDE: Final = Context(prec=60)
"""What a fill of any size may cost can be rounded in it; the usual 28 digits are those of a price and a quantity."""


class AssetClass(Enum):
    """What is traded; decides the shape of its position and its cash."""

    STOCK = "stock"
    FUND = "fund"
    BOND = "bond"
    FUTURE = "future"
    CRYPTO = "crypto"


FUTURE: Final = AssetClass.FUTURE
"""As a name, as the sides of core/types.py are: every order is asked for it."""


class FeeLine(msgspec.Struct, frozen=True, gc=False):
    """One component of the cost of a fill: `rate` of the traded amount plus `per_unit` times the quantity, bounded below by
    `minimum`, for one side or both (`side` None).

    `minimum` and `maximum_rate` bound what an order pays, `maximum` what each of its fills does: an authority's "at most so
    much per trade" (FINRA's trading activity fee) is asked of every execution by itself.
    """

    name: str
    rate: Decimal = ZERO
    per_unit: Decimal = ZERO
    minimum: Decimal = ZERO
    maximum_rate: Decimal | None = None
    side: Side | None = None
    close_today_rate: Decimal | None = None
    close_today_per_unit: Decimal | None = None
    maximum: Decimal | None = None


class FeeSchedule(msgspec.Struct, frozen=True):
    """The fee lines in force for one instrument on one day, and the smallest unit they are rounded to."""

    lines: tuple[FeeLine, ...] = ()
    quantum: Decimal = Decimal("0.01")

    def fee(self, side: Side, qty: Decimal, notional: Decimal, *, close_today: bool = False) -> Amount:
        """Cost of an order in the instrument's currency: each line rounded half up to the quantum, then added. A `maximum` is
        left aside, since nobody knows in how many fills an order trades: it is estimated too dear, never too cheap.
        """
        total = ZERO
        for line in self.lines:
            if line.side is not None and line.side is not side:
                continue
            rate, per_unit = line.rate, line.per_unit
            if close_today:
                rate = rate if line.close_today_rate is None else line.close_today_rate
                per_unit = per_unit if line.close_today_per_unit is None else line.close_today_per_unit
            cost = notional * rate if rate else ZERO
            if per_unit:
                cost += qty * per_unit
            if line.maximum_rate is not None:
                cost = min(cost, notional * line.maximum_rate)
            if cost < line.minimum:  # noqa: PLR1730 - asked twice of every order: a call costs four times as much
                cost = line.minimum
            total += cost.quantize(self.quantum, ROUND_HALF_UP, WIDE)
        return Amount(total)

    def is_bounded(self) -> bool:
        """Whether a line has a maximum, so that what a fill costs depends on its own size, too."""
        for line in self.lines:  # noqa: SIM110 - asked of every fill: a generator costs three times as much
            if line.maximum is not None:
                return True
        return False

    def grown(
        self, side: Side, qty: Decimal, notional: Decimal, before: tuple[Decimal, Decimal], *, close_today: bool = False
    ) -> Amount:
        """Cost of one fill of an order that had traded `before`, a quantity and its value: what each line grows by with it, at
        most its maximum.
        """
        qty_before, value_before = before
        total = ZERO
        for line in self.lines:
            alone = FeeSchedule((line,), self.quantum)
            more: Decimal = alone.fee(side, qty_before + qty, value_before + notional, close_today=close_today)
            if qty_before:
                more -= alone.fee(side, qty_before, value_before, close_today=close_today)
            total += more if line.maximum is None else min(more, line.maximum)
        return Amount(max(total, ZERO))


class Instrument(msgspec.Struct, frozen=True):
    """What is true of one symbol on one trading day. Quantities in units (shares, contracts, coins), prices in `currency`.

    An order is at least `min_qty` and a multiple of `lot` (A-share main board 100 and 100; STAR 200 and 1; Beijing 100 and 1).
    `odd_lot_sell` says that the odd remainder of a holding may be sold, and only all of it at once.
    `price_limit` is the fraction of the previous close a price may move in a day, None where there is no limit;
    `price_limit_down` is that of a fall where it is another (a convertible bond's first day: 0.573 and 0.433).
    `session` names the trading hours in force (markets/sessions.py). `settles_t1` says that what is bought today can be
    sold from the next trading day on. `margin_rate` is what a future, or a short sale beside its proceeds, needs of the
    account's own money as a fraction of its value; None where no rate is known.

    `cage`: how far beyond the market a limit may lie in continuous trading, as a fraction and at least `cage_ticks`; None where
    there is no such bound. `large_cancel_qty`: from which quantity on the exchange calls a cancel large. `counts_killed`:
    whether it counts as a cancel what its own matching takes back of an order that never rests (IOC, FOK); False: no cancel of
    such an order counts; None: it says nothing of them. `is_delisting`: it trades for the last time, before it leaves the
    exchange. `needs_permission`: its board is open to accounts with a permission alone.
    """

    symbol: Symbol
    asset_class: AssetClass
    currency: Currency
    tick: Decimal
    lot: Decimal
    min_qty: Decimal
    market: str
    session: str = ""
    board: str = ""
    name: str = ""
    industry: str = ""
    multiplier: Decimal = ONE
    odd_lot_sell: bool = False
    max_qty_limit: Decimal | None = None
    max_qty_market: Decimal | None = None
    price_limit: Decimal | None = None
    settles_t1: bool = False
    shortable: bool = False
    closes_today_apart: bool = False
    margin_rate: Decimal | None = None
    is_st: bool = False
    fees: FeeSchedule = FeeSchedule()
    cage: Decimal | None = None
    cage_ticks: int = 0
    large_cancel_qty: Decimal | None = None
    counts_killed: bool | None = None
    is_delisting: bool = False
    needs_permission: bool = False
    price_limit_down: Decimal | None = None

    @property
    def closes_by_day(self) -> bool:
        """Whether an order may say that it closes today's or yesterday's part: a future's may, since the venue closes the two
        apart or charges them apart. Of a share there is one holding, and what of it has settled is not the order's to choose.
        """
        return self.closes_today_apart or self.asset_class is FUTURE

    @property
    def can_be_short(self) -> bool:
        """Whether an order of ours may leave a short leg, which another can cover."""
        return self.shortable or self.asset_class is FUTURE

    def notional(self, px: Decimal, qty: Decimal) -> Amount:
        """Traded amount: price x quantity x multiplier."""
        return Amount(px * qty * self.multiplier)

    def floor_qty(self, qty: Decimal, side: Side = BUY, held: Decimal = ZERO) -> Qty:
        """The largest tradable quantity not above `qty`; zero when even the smallest order is too large.

        `held` is what a sell draws on: selling at least all of it sells exactly it, odd remainder included.
        """
        if side is SELL and ZERO < held <= qty and self.is_tradable_qty(held, side, held):
            return Qty(held)
        if qty < self.min_qty:
            return Qty(ZERO)
        return Qty(step_down(qty, self.lot))

    def is_tradable_qty(self, qty: Decimal, side: Side, held: Decimal = ZERO) -> bool:
        """Whether an order of `qty` has a legal size.

        Where odd lots are sold whole, a sell may carry the odd remainder of `held`, but only all of it at once.
        """
        if qty <= ZERO:
            return False
        if qty >= self.min_qty and qty % self.lot == ZERO:
            return True
        if side is BUY or not self.odd_lot_sell or qty > held:
            return False
        return qty % self.lot == held % self.lot and (qty >= self.min_qty or qty == held)

    def on_tick(self, px: Decimal) -> bool:
        """Whether `px` is a legal price step."""
        return px > ZERO and px % self.tick == ZERO

    def limit_up(self, prev_close: Decimal) -> Px | None:
        """The highest legal price of the day, as in `band`: all that bounds the cost of a market order."""
        if self.price_limit is None:
            return None
        return Px(step_half_up(prev_close * (ONE + self.price_limit), self.tick))

    def bound_of_cage(self, side: Side, reference: Decimal) -> Px | None:
        """The highest price of a buy, or the lowest of a sell, that the cage allows beside the reference; None without one."""
        if self.cage is None:
            return None
        ticks = self.cage_ticks * self.tick
        if side is BUY:
            return Px(max(step_half_up(reference * (ONE + self.cage), self.tick), reference + ticks))
        return Px(min(step_half_up(reference * (ONE - self.cage), self.tick), reference - ticks))

    def band(self, prev_close: Decimal) -> tuple[Px, Px] | None:
        """Lowest and highest legal price of the day, rounded half up to the tick; None where the day has no limit."""
        if self.price_limit is None:
            return None
        down = self.price_limit if self.price_limit_down is None else self.price_limit_down
        low = step_half_up(prev_close * (ONE - down), self.tick)
        high = step_half_up(prev_close * (ONE + self.price_limit), self.tick)
        return Px(low), Px(high)
