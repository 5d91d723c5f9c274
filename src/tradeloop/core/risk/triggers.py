"""Rules that stop trading by themselves: what a look at the desk finds too much, without an order (R9, R40, R41).

A trigger measures a place (the desk, an account, a symbol), as a rule of orders measures an order; core/tripping.py compares,
and halts what is beyond. Money is not converted: a loss is one of an account in one currency.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Final

import msgspec

from tradeloop.core.halt import HaltScope
from tradeloop.core.limit import LimitScope, RiskLimit
from tradeloop.core.marks import Mark
from tradeloop.core.risk.rule import Missing, Unit, Words
from tradeloop.core.state import State
from tradeloop.core.surroundings import Surroundings
from tradeloop.core.types import SECOND_NS, ZERO, AccountID, Amount, Currency, Symbol, TradingDay, UtcNs


class Place(msgspec.Struct, frozen=True, gc=False):
    """What is found of one place, and what of the desk is stopped if it is too much. `what` names the place among all of one
    limit, whatever account it is of: an account and its currency, a break.
    """

    scope: HaltScope
    name: str
    what: str
    found: Decimal | Missing


Watch = Callable[[State, Surroundings, RiskLimit, UtcNs], Iterator[Place]]


class Trigger(msgspec.Struct, frozen=True):
    """One trigger. `number`, `unit`, `words`, `source` and `scopes` as in RiskRule. `by_marks`: it measures by what accounts
    were worth before, which is kept while a limit asks for it.
    """

    code: str
    number: str
    unit: Unit
    words: Words
    source: str
    watch: Watch
    scopes: tuple[LimitScope, ...] = (LimitScope.GLOBAL, LimitScope.ACCOUNT)
    by_marks: bool = False


def accounts_of(state: State, limit: RiskLimit) -> list[AccountID]:
    """The accounts that a limit is about."""
    return [account for account in state.accounts if limit.scope is LimitScope.GLOBAL or limit.name in ("", account)]


def purses_of(state: State, around: Surroundings, limit: RiskLimit) -> Iterator[tuple[AccountID, Currency]]:
    """The accounts and currencies that a limit is about: those of the money that is there, and of what is held without any."""
    valued = around.valuation.look(state, around.quotes)
    for account in accounts_of(state, limit):
        for currency in dict.fromkeys((*state.accounts[account].cash, *valued.currencies(account))):
            if limit.currency in ("", currency):
                yield account, currency


def _breaks(state: State, around: Surroundings, limit: RiskLimit, now: UtcNs) -> Iterator[Place]:
    """How long a difference between our books and the broker's has stood open: of what is held, of money, of orders."""
    for known in state.breaks.values():
        if limit.scope is LimitScope.ACCOUNT and limit.name not in ("", known.account):
            continue
        yield Place(HaltScope.ACCOUNT, known.account, known.break_id, _seconds(now - known.at))


def _silence(state: State, around: Surroundings, limit: RiskLimit, now: UtcNs) -> Iterator[Place]:
    """How long the feed has been silent of each open market in which something is held or may trade: since its newest quote,
    and at most since the market opened and the process began. One that goes on talking of another market hides nothing, and
    neither does a quote stamped so far ahead that it counts as none (core/market.py).

    Where nothing is at stake in what is open, it is as long as the feed has been silent as a whole.
    """
    opened = {name: since for name, hours in state.hours.items() if (since := hours.open_since(now)) is not None}
    if not opened:
        return
    newest: dict[str, UtcNs] = {}
    for symbol, quote in around.quotes.items():
        session = _session(state, symbol)
        if session in opened and quote.at <= now + around.policy.max_quote_age_ns:
            newest[session] = max(quote.at, newest.get(session, opened[session]))
    matters = {_session(state, symbol) for symbol in at_stake(state)}
    for name, since in opened.items():
        if name in matters:
            heard = newest.get(name, max(since, state.started_at))
            yield Place(HaltScope.GLOBAL, "", f"feed of {name}", _seconds(max(now - heard, 0)))
    if newest and matters.isdisjoint(opened):
        yield Place(HaltScope.GLOBAL, "", "feed", _seconds(max(now - max(newest.values()), 0)))


def _session(state: State, symbol: Symbol) -> str | None:
    instrument = state.instruments.get(symbol)
    return None if instrument is None else instrument.session


def at_stake(state: State) -> Iterator[Symbol]:
    """What is held, and what may trade."""
    for account in state.accounts:
        for symbol, held in state.positions.get(account, {}).items():
            if not held.is_flat:
                yield symbol
    for legs in (state.exposure.buys, state.exposure.sells):
        for (_, symbol), qty in legs.items():
            if qty:
                yield symbol


def _clock(state: State, around: Surroundings, limit: RiskLimit, now: UtcNs) -> Iterator[Place]:
    """How far the clock of a broker and ours lie apart, as its last books showed it."""
    for broker, offset in around.offsets.items():
        yield Place(HaltScope.BROKER, broker, broker, _seconds(abs(offset)))


def _seconds(span_ns: int) -> Decimal:
    return Decimal(span_ns) / SECOND_NS


def _loss(state: State, around: Surroundings, limit: RiskLimit, now: UtcNs) -> Iterator[Place]:
    """What an account has lost since its trading day began, held positions at present prices included."""
    for account, currency, equity, mark in _marked(state, around, limit):
        found = _unknown_equity(around, account, currency) if equity is None else max(mark.start - equity, ZERO)
        yield Place(HaltScope.ACCOUNT, account, f"{account} {currency}", found)


def _drawdown(state: State, around: Surroundings, limit: RiskLimit, now: UtcNs) -> Iterator[Place]:
    """What an account has lost since its equity was highest, as a fraction of that."""
    for account, currency, equity, mark in _marked(state, around, limit):
        what = f"{account} {currency}"
        if equity is None:
            yield Place(HaltScope.ACCOUNT, account, what, _unknown_equity(around, account, currency))
        elif mark.highest > ZERO:
            yield Place(HaltScope.ACCOUNT, account, what, max(mark.highest - equity, ZERO) / mark.highest)


def _marked(state: State, around: Surroundings, limit: RiskLimit) -> Iterator[tuple[AccountID, Currency, Decimal | None, Mark]]:
    for account, currency in purses_of(state, around, limit):
        equity = around.valuation.look(state, around.quotes).equity(state, account, currency)
        mark = state.marks.get((account, currency))
        if mark is not None or equity is None:
            yield account, currency, equity, mark or _NO_MARK


def _unknown_equity(around: Surroundings, account: AccountID, currency: Currency) -> Missing:
    unvalued = ", ".join(around.valuation.of(account, currency).unvalued)
    return Missing(f"the equity of {account}, without a figure for {unvalued}")


_NO_MARK: Final = Mark(TradingDay(""), Amount(ZERO), Amount(ZERO))
"""Of an account whose worth was never known since a limit asks for it."""


_LOOK_ZH: Final = "请核查后用 `tradeloop resume` 解除"
_LOOK: Final = "look at it, then release it with `tradeloop resume`"

_FIGURE: Final = "the figure is the user's"

TRIGGERS: Final[dict[str, Trigger]] = {
    trigger.code: trigger
    for trigger in (
        Trigger(
            code="max_daily_loss",
            number="R9, S2-76",
            unit=Unit.MONEY,
            words=Words("the loss of a day", "当日亏损", _LOOK, _LOOK_ZH),
            source=_FIGURE,
            watch=_loss,
            by_marks=True,
        ),
        Trigger(
            code="max_drawdown",
            number="R9, S2-76",
            unit=Unit.FRACTION,
            words=Words("the loss from the highest equity", "最大回撤", _LOOK, _LOOK_ZH),
            source=_FIGURE,
            watch=_drawdown,
            by_marks=True,
        ),
        Trigger(
            code="max_break_seconds",
            number="R40",
            unit=Unit.SECONDS,
            words=Words(
                "the age of a difference from the broker's books",
                "对账差异持续时间",
                "settle it with `tradeloop reconcile`",
                "请用 `tradeloop reconcile` 处理",
            ),
            source=f"SEC 15c3-5 asks for checks after the trade; {_FIGURE}",
            watch=_breaks,
        ),
        Trigger(
            code="max_feed_silence_seconds",
            number="R3, R41",
            unit=Unit.SECONDS,
            words=Words("the silence of the feed", "行情中断时间", _LOOK, _LOOK_ZH),
            source=_FIGURE,
            watch=_silence,
            scopes=(LimitScope.GLOBAL,),
        ),
        Trigger(
            code="max_clock_offset_seconds",
            number="R41",
            unit=Unit.SECONDS,
            words=Words(
                "the difference of a broker's clock from ours",
                "与券商时钟偏差",
                "set the clock; " + _LOOK,
                "请校准时钟；" + _LOOK_ZH,
            ),
            source=f"MiFID II RTS 25 asks for a known offset; {_FIGURE}",
            watch=_clock,
            scopes=(LimitScope.GLOBAL,),
        ),
    )
}
