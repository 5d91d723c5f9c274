"""Which unsent legs of a running run go now, which wait, and which have lost their day.

A leg waits alone: while its market is shut and opens again today, while its symbol has no quote or an old one, and while an
order of unknown fate stands in its symbol. All others go on. What a waiting buy may cost stays set aside for it, and nothing
behind it is made smaller meanwhile. At the end of its trading day a leg that was not sent is given up; it is never sent on
another day, whose prices nobody decided on.

Looking costs as much as there are legs that may go and the first one that may not, not as much as the run is long. A leg that
waits is passed by: its market is asked about once for all of them, and what is set aside for it is kept for as long as the same
quote stands.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from decimal import ROUND_UP, Decimal
from typing import Final

from tradeloop.core import market
from tradeloop.core.algo import ALGOS
from tradeloop.core.algo.base import Parent
from tradeloop.core.events import Event, LineResized, PlanLine
from tradeloop.core.instrument import WIDE, AssetClass
from tradeloop.core.people import person
from tradeloop.core.risk.cost import bound_px, closes, opening_qty
from tradeloop.core.run.attempts import seen_px
from tradeloop.core.run.drift import PRICE_DRIFT, far, worth_too_much
from tradeloop.core.run.funds import cash_book
from tradeloop.core.run.plan import SELLS
from tradeloop.core.run.release import Drop, LegState, LineState, Send, Shrink, release
from tradeloop.core.run.sizing import seconds
from tradeloop.core.run_book import Leg, Run
from tradeloop.core.staging import order_of_run, stage
from tradeloop.core.state import State
from tradeloop.core.surroundings import Surroundings
from tradeloop.core.types import ZERO, AccountID, Amount, OrdType, Qty, UtcNs

WAITS: Final = "waits"
"""Code of a leg that a person should know about: it could have gone long ago and still waits for a quote."""
DAY_OVER: Final = "day_over"
"""Code of a leg that its trading day left behind."""
_ALGO: Final = "immediate"


def send_ready(state: State, around: Surroundings, run: Run, now: UtcNs) -> Generator[Event, None, bool]:
    """Do what may be done with the unsent legs now; whether anything was sent, made smaller or given up."""
    created = run.created
    unsent = [leg for leg in run.legs if leg.cl_ord_id is None and not leg.closed]
    if not unsent:
        return False
    may_send = state.is_ready(created.broker, created.account)
    free = cash_book(state, created.account, created.currency).free
    left: Decimal = free
    money_may_come = any(leg.cl_ord_id is not None and not leg.closed for leg in run.legs)
    legs: list[tuple[Leg, LegState]] = []
    hours = _Hours(state, run, now)
    given_up = may_go = False  # may_go: worth asking which, and how much of it

    def cost(line: PlanLine, qty: Decimal) -> Decimal:
        return _set_aside(state, around, created.account, line, Qty(qty))

    for leg in unsent:
        session = state.instruments[leg.line.symbol].session
        over = hours.over(session)
        if over is not None:
            yield LineResized(now, created.run_id, leg.line.leg, Qty(ZERO), DAY_OVER, over)
            given_up = True
            continue
        if not may_send:
            continue
        waits = _waits(state, around, run, leg, hours.opened(session), now)
        sells = leg.line.wave == SELLS
        legs.append((leg, LegState.UNSENT if waits is None else LegState.WAITING))
        if waits is not None:
            money_may_come = True
            if not sells and left > ZERO:
                left -= min(left, cost(leg.line, leg.order_qty))
            if waits and leg.code != WAITS:
                yield LineResized(now, created.run_id, leg.line.leg, leg.order_qty, WAITS, waits)
        elif sells:
            may_go = money_may_come = True
        elif (dear := cost(leg.line, leg.order_qty)) <= max(left, ZERO):
            may_go = money_may_come = True
            left -= dear
        elif money_may_come:
            break  # it waits for money, and so does everything behind it
        else:
            may_go = True  # made smaller or dropped: nothing more will come
    actions: Sequence[Send | Shrink | Drop] = ()
    if may_go:
        states = [LineState(leg.line, leg.order_qty, its, state.instruments[leg.line.symbol]) for leg, its in legs]
        actions = release([*_working(state, run), *states], free, cost)
    for action in actions:
        match action:
            case Send(leg=number, qty=qty):
                yield from _send(state, around, run, number, qty, now)
            case Shrink(leg=number) if _ran_away(state, around, run, run.leg(number).line) is not None:
                pass  # it is given up where it would be sent, for that reason alone
            case Shrink(leg=number, qty=qty, code=code, reason=reason):
                yield LineResized(now, created.run_id, number, qty, code, reason)
            case Drop(leg=number, code=code, reason=reason):
                yield LineResized(now, created.run_id, number, Qty(ZERO), code, reason)
    return bool(actions) or given_up


class _Hours:
    """The markets of a run at one moment, each looked at once however many legs trade there."""

    def __init__(self, state: State, run: Run, now: UtcNs) -> None:
        self._state, self._run, self._now = state, run, now
        self._over: dict[str, str | None] = {}
        self._opened: dict[str, UtcNs | None] = {}

    def over(self, session: str) -> str | None:
        """Why nothing is sent there any more for the run: the market it was planned for has shut until another trading day."""
        if session not in self._over:
            self._over[session] = self._why_over(session)
        return self._over[session]

    def opened(self, session: str) -> UtcNs | None:
        """Since when the market has been open; None while it is shut."""
        if session not in self._opened:
            hours = self._state.hours.get(session)
            windows = () if hours is None else hours.windows
            self._opened[session] = max((start for start, end in windows if start <= self._now < end), default=None)
        return self._opened[session]

    def _why_over(self, session: str) -> str | None:
        hours = self._state.hours.get(session)
        day = self._run.created.trade_date
        if hours is None or (hours.trading_day == day and (hours.is_open(self._now) or hours.opens_later(self._now))):
            return None
        was = f"{session} is in trading day {hours.trading_day}" if hours.trading_day != day else f"{session} has closed"
        return f"the run was planned for {day} and {was}; what was not sent is not sent on another day"


def day_is_over(state: State, run: Run, now: UtcNs) -> bool:
    """Whether every market of the run has shut until another trading day, those it has nothing to order in too."""
    hours = _Hours(state, run, now)
    sessions = [state.instruments[leg.line.symbol].session for leg in run.legs if leg.line.symbol in state.instruments]
    return bool(sessions) and all(hours.over(session) is not None for session in sessions)


def give_up_the_day(state: State, run: Run, now: UtcNs) -> Generator[Event, None, None]:
    """Give up the unsent legs that their trading day left behind; for a run that releases nothing just now."""
    hours = _Hours(state, run, now)
    for leg in run.legs:
        if (
            leg.cl_ord_id is None
            and not leg.closed
            and (over := hours.over(state.instruments[leg.line.symbol].session)) is not None
        ):
            yield LineResized(now, run.created.run_id, leg.line.leg, Qty(ZERO), DAY_OVER, over)


def _send(state: State, around: Surroundings, run: Run, number: int, qty: Qty, now: UtcNs) -> Generator[Event, None, None]:
    """Stage the one order of a leg."""
    created, leg = run.created, run.leg(number)
    line = leg.line
    moved = _ran_away(state, around, run, line)
    if moved is not None:
        yield LineResized(now, created.run_id, number, Qty(ZERO), PRICE_DRIFT, moved)
        return
    if leg.code == WAITS:
        yield LineResized(now, created.run_id, number, qty, line.code, line.reason or "its wait is over")
    parent = Parent(line.side, qty, Qty(ZERO), state.instruments[line.symbol], now)
    children = ALGOS[_ALGO].due(parent, now)
    # A leg remembers one order (state.Leg.cl_ord_id): a second child would take the place of the first.
    made = [child.qty for child in children]
    assert made == [qty], f"{_ALGO} made children of {made} for leg {number}, one order of all {qty:f} is what a leg can have"
    want = order_of_run(
        created.account,
        line.symbol,
        line.side,
        children[0].qty,
        line.position_effect,
        f"run:{created.run_id}",
        f"target {line.target_qty:f}, held {line.held_qty:f}",
        created.strategy_id,
        run.approved_by if person(run.approved_by) != person(created.by) else "",
    )
    cancel_at = None if created.order_timeout_ns is None else UtcNs(now + created.order_timeout_ns)
    yield from stage(state, around, want, now, run_id=created.run_id, leg=number, cancel_at=cancel_at)


def _ran_away(state: State, around: Surroundings, run: Run, line: PlanLine) -> str | None:
    """Why a leg is for a person now: the price has moved further from what was decided on than an order may be sent late, or
    makes more of the line than its weight.
    """
    quote = around.quotes.get(line.symbol)
    seen = quote.mid_or_last if quote is not None else None
    limit = around.policy.max_drift
    then = seen_px(run, line)
    if seen is None or not then:
        return None
    if not far(then, seen, limit):
        return worth_too_much(line, state.instruments[line.symbol], seen, limit, run.created.rounding)
    return f"{line.symbol} was planned at {then:f} and is at {seen:f} now, further than {limit:%}; retry it or leave it"


def _waits(state: State, around: Surroundings, run: Run, leg: Leg, opened: UtcNs | None, now: UtcNs) -> str | None:
    """None when the leg may go; otherwise it waits, and the text says why where a person should know, else it is empty.

    Nobody is told while the market is shut, nor of a first quote that is late by less than a quote may be old.
    """
    symbol = leg.line.symbol
    if opened is None:
        return ""
    if (run.created.account, symbol) in state.unknown:
        return ""  # core/follow.py alerts the unknown order itself
    limit = around.policy.max_quote_age_ns
    quote = around.quotes.get(symbol)
    if quote is None:
        lacks = f"no quote of {symbol} has been seen"
    elif quote.suspended:
        return None  # the gate refuses it, with its reason
    elif not market.is_current(around, quote, now):
        lacks = f"the quote of {symbol} was {seconds(now - quote.at)} old, at most {seconds(limit)} is allowed"
    elif quote.mid_or_last is None:
        lacks = f"the quote of {symbol} had no price"
    else:
        return None
    since = max(run.started_at or now, state.started_at, opened)
    return "" if now - since < limit else f"{lacks}; it waits until its market closes, check the feed"


def _working(state: State, run: Run) -> list[LineState]:
    """One leg whose order may still trade, in the name of them all; none where none may."""
    leg = next((leg for leg in run.legs if leg.cl_ord_id is not None and not leg.closed), None)
    if leg is None:
        return []
    return [LineState(leg.line, leg.order_qty, LegState.WORKING, state.instruments[leg.line.symbol])]


def _set_aside(state: State, around: Surroundings, account: AccountID, line: PlanLine, qty: Qty) -> Decimal:
    """What a buy of this line may cost. It is the same for as long as its quote, its quantity and its instrument are, but where
    it may close a short position.
    """
    symbol = line.symbol
    instrument, quote = state.instruments[symbol], around.quotes.get(symbol)
    if instrument.can_be_short:
        return _cost_bound(state, around, account, line, qty)
    known = around.set_aside.get((account, symbol))
    if known is not None and known[0] is quote and known[1] is line and known[2] == qty and known[3] is instrument:
        return known[4]
    cost = _cost_bound(state, around, account, line, qty)
    around.set_aside[account, symbol] = quote, line, qty, instrument, cost
    return cost


def _cost_bound(state: State, around: Surroundings, account: AccountID, line: PlanLine, qty: Decimal) -> Decimal:
    """The most a buy of this line may take from the free cash; without a market it is the plan's own price plus the buffer."""
    instrument = state.instruments[line.symbol]
    px = bound_px(around, line.side, OrdType.MARKET, None, None, instrument, around.quotes.get(line.symbol))
    if px is None:
        px = (line.ref_px or ZERO) * (1 + around.policy.market_buffer)
    value = instrument.notional(px, qty)
    fee = instrument.fees.fee(line.side, qty, value)
    if instrument.asset_class is AssetClass.FUTURE:
        if closes(line.side, line.position_effect, instrument):
            return ZERO
        value = Amount(value * (instrument.margin_rate or Decimal(1)))
    else:
        opening = opening_qty(state, account, line.symbol, line.side, Qty(qty), line.position_effect)
        if not opening:
            return ZERO
        value = instrument.notional(px, opening)
    return (value + fee).quantize(instrument.fees.quantum, ROUND_UP, WIDE)
