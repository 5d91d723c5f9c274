"""The checks before a run exists: S0's minimum risk and S1's portfolio, context and session checks.

Any finding blocks the run; all of them are found at once and journalled together as `RunDenied` (S0-56), so
that a person mends the target in one go. Each finding is one sentence: the rule, its limit, what it was, what
to do. What is missing is a finding, never a pass.

What stops one line only (a price that is missing or stale for one symbol, a suspension, a lot that is too
large) is no finding: the plan skips that line and says why. Where *no* wanted symbol has a usable price the
run has nothing to plan from, and that is one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

import msgspec

from tradeloop.core.commands import StartRun, TargetLine
from tradeloop.core.instrument import Instrument
from tradeloop.core.run.plan import BUYS, SELLS, plan
from tradeloop.core.run.sizing import Held, plain, seconds
from tradeloop.core.types import SECOND_NS, ZERO, Mode, Side, Symbol, UtcNs

EXPOSURE_TOLERANCE: Final = Decimal("0.0001")
"""How far the weights may sum from the exposure their maker states: one basis point, for weights rounded to
four places.
"""

_NAMES_SHOWN = 5

Windows = Sequence[tuple[UtcNs, UtcNs]]


class Finding(msgspec.Struct, frozen=True, gc=False):
    """One reason why a run may not be: the rule's name, and a sentence for a person."""

    code: str
    text: str


class _Look(msgspec.Struct, frozen=True):
    """Everything the checks may look at."""

    cmd: StartRun
    instruments: Mapping[Symbol, Instrument]
    held: Mapping[Symbol, Held]
    cash: Decimal
    equity: Decimal
    now: UtcNs
    is_trading_day: bool
    windows: Windows

    @property
    def total_weight(self) -> Decimal:
        return sum((target.weight for target in self.cmd.targets), ZERO)


def checks(
    cmd: StartRun,
    instruments: Mapping[Symbol, Instrument],
    held: Mapping[Symbol, Held],
    cash: Decimal,
    equity: Decimal,
    now: UtcNs,
    is_trading_day: bool,
    windows: Windows,
) -> tuple[Finding, ...]:
    """Every reason to refuse the run, in a fixed order; empty when it may be planned.

    `cash` is what may be spent now and `equity` what the weights are fractions of, both in the currency of
    the run. `is_trading_day` is about `cmd.trade_date`; `windows` are the [start, end) spans of that date in
    which orders may be sent.
    """
    look = _Look(cmd, instruments, held, cash, equity, now, is_trading_day, windows)
    shape = [finding for rule in _SHAPE for finding in rule(look)]
    limits = [finding for rule in _LIMITS for finding in rule(look)]
    # A plan of contradictory targets would raise; what it would have cost is then beside the point.
    money = [] if shape else list(_smallest_order(look))
    return tuple(shape + limits + money)


# --- the target itself


def _targets_named(look: _Look) -> Iterable[Finding]:
    if not look.cmd.targets:
        yield Finding(
            "no_targets",
            "the target has no lines; expected at least one, to sell a holding name it with weight 0",
        )


def _each_symbol_once(look: _Look) -> Iterable[Finding]:
    rows: dict[Symbol, list[int]] = {}
    for target in look.cmd.targets:
        rows.setdefault(target.symbol, []).append(target.row)
    twice = {symbol: places for symbol, places in rows.items() if len(places) > 1}
    if twice:
        named = _some(f"{symbol} in rows {', '.join(map(str, places))}" for symbol, places in twice.items())
        yield Finding(
            "duplicate_target",
            f"each symbol may stand once in a target, was {named}; put its whole weight in one row",
        )


def _no_negative_weight(look: _Look) -> Iterable[Finding]:
    negative = [target for target in look.cmd.targets if target.weight < ZERO]
    if negative:
        yield Finding(
            "negative_weight",
            f"a weight must be zero or more, was {_weights(negative)}; write 0 to sell all of a holding",
        )


def _instruments_known(look: _Look) -> Iterable[Finding]:
    unknown = [target.symbol for target in look.cmd.targets if target.symbol not in look.instruments]
    if unknown:
        yield Finding(
            "unknown_instrument",
            f"every target must be a listed instrument, {_some(unknown)} was not; correct the symbol or list it",
        )


def _one_currency(look: _Look) -> Iterable[Finding]:
    others = [
        f"{target.symbol} in {instrument.currency}"
        for target in look.cmd.targets
        if (instrument := look.instruments.get(target.symbol)) is not None and instrument.currency != look.cmd.currency
    ]
    if others:
        yield Finding(
            "other_currency",
            f"all targets of a run trade in its currency {look.cmd.currency}, was {_some(others)};"
            " start one run for each currency",
        )


def _some_price_usable(look: _Look) -> Iterable[Finding]:
    wanted = [target for target in look.cmd.targets if target.weight > ZERO]
    if not wanted or any(target.price is not None for target in wanted):
        return
    seen = {price.symbol: price for price in look.cmd.prices}
    priced = [price for t in wanted if (price := seen.get(t.symbol)) is not None and price.px > ZERO]
    if not priced:
        yield Finding(
            "no_prices",
            f"a plan needs prices, was none for any of {len(wanted)} targets; start the feed or bring a price column",
        )
        return
    max_age_ns = look.cmd.limits.max_quote_age_ns
    youngest = max(priced, key=lambda price: price.at)
    if look.now - youngest.at > max_age_ns:
        yield Finding(
            "stale_prices",
            f"a price may be at most {seconds(max_age_ns)} old, the youngest of {len(priced)} was"
            f" {seconds(look.now - youngest.at)} old ({youngest.symbol}, {_clock(youngest.at)});"
            " wait for the feed or look why it is silent",
        )


def _equity_positive(look: _Look) -> Iterable[Finding]:
    if look.equity <= ZERO:
        yield Finding(
            "no_equity",
            f"weights are fractions of the equity, which was {plain(look.equity)} {look.cmd.currency};"
            " fund the account or look at its positions",
        )


# --- limits


def _risk_checks_passed(look: _Look) -> Iterable[Finding]:
    """S1-39."""
    failed = sorted(name for name, passed in look.cmd.risk_checks.items() if not passed)
    if failed:
        yield Finding(
            "risk_check_failed",
            f"every risk check of the decision must have passed, failed was {_some(failed)}; make a new decision that passes",
        )


def _total_weight(look: _Look) -> Iterable[Finding]:
    """S1-40."""
    limit = look.cmd.limits.max_total_weight
    if look.total_weight > limit:
        yield Finding(
            "total_weight",
            f"the weights may sum to at most {_weight(limit)}, the sum was {_weight(look.total_weight)};"
            " scale them down or correct the file",
        )


def _exposure_as_stated(look: _Look) -> Iterable[Finding]:
    stated = look.cmd.target_exposure
    if stated is not None and abs(look.total_weight - stated) > EXPOSURE_TOLERANCE:
        yield Finding(
            "exposure_mismatch",
            f"the weights must sum to the target_exposure {_weight(stated)} (within {EXPOSURE_TOLERANCE}),"
            f" the sum was {_weight(look.total_weight)}; use the portfolio and the context of one decision",
        )


def _single_name(look: _Look) -> Iterable[Finding]:
    """S0-54, S1-40."""
    limit = look.cmd.limits.max_weight
    if limit is None:
        return
    heavy = [target for target in look.cmd.targets if target.weight > limit]
    if heavy:
        yield Finding(
            "max_weight",
            f"one name may weigh at most {_weight(limit)}, was {_weights(heavy)}; lower it or the limit max_weight",
        )


def _positions(look: _Look) -> Iterable[Finding]:
    """S0-55."""
    limit = look.cmd.limits.max_positions
    if limit is None:
        return
    wanted = sum(1 for target in look.cmd.targets if target.weight > ZERO)
    named = {target.symbol for target in look.cmd.targets}
    kept = 0
    if not look.cmd.sell_unlisted:
        kept = sum(1 for symbol in look.held if symbol not in named and not look.held[symbol].is_flat)
    if wanted + kept > limit:
        beside = f" and {kept} holdings beside it" if kept else ""
        yield Finding(
            "max_positions",
            f"at most {limit} positions may be held, was {wanted + kept}: {wanted} in the target{beside};"
            " shorten the target or raise the limit max_positions",
        )


def _industries(look: _Look) -> Iterable[Finding]:
    """S1-40. The industry of the target's line counts before that of the instrument."""
    limit = look.cmd.limits.max_industry_weight
    if limit is None:
        return
    weights: dict[str, Decimal] = {}
    unknown: list[Symbol] = []
    for target in look.cmd.targets:
        instrument = look.instruments.get(target.symbol)
        industry = target.industry or (instrument.industry if instrument is not None else "")
        if industry:
            weights[industry] = weights.get(industry, ZERO) + target.weight
        elif target.weight > ZERO:
            unknown.append(target.symbol)
    heavy = [f"{industry} with {_weight(weight)}" for industry, weight in sorted(weights.items()) if weight > limit]
    if heavy:
        yield Finding(
            "max_industry_weight",
            f"one industry may weigh at most {_weight(limit)}, was {_some(heavy)}; lower it or the limit max_industry_weight",
        )
    if unknown:
        yield Finding(
            "industry_unknown",
            f"one industry may weigh at most {_weight(limit)}, which needs an industry for every name,"
            f" {_some(unknown)} had none; add an industry column to the target",
        )


def _blacklist(look: _Look) -> Iterable[Finding]:
    """S1-14. A listed name may still be sold: its target weight is then 0."""
    barred = frozenset(look.cmd.limits.blacklist)
    found = [target for target in look.cmd.targets if target.symbol in barred and target.weight > ZERO]
    if found:
        yield Finding(
            "blacklist",
            f"a blacklisted name may not be held, was {_weights(found)}; give it weight 0 or take it off the list",
        )


def _session(look: _Look) -> Iterable[Finding]:
    """S1-41: a dry-run may be made off session, but for a trading day."""
    date = look.cmd.trade_date
    if not look.is_trading_day:
        yield Finding(
            "not_a_trading_day",
            f"the trade date must be a trading day, {date} was not; use the date of the next session",
        )
        return
    if look.cmd.mode is Mode.DRY_RUN or any(start <= look.now < end for start, end in look.windows):
        return
    spans = _some(f"{_clock(start)} to {_clock(end)}" for start, end in look.windows)
    hours = f"orders for {date} may be sent {spans}" if spans else f"the session hours of {date} are not known"
    yield Finding(
        "off_session",
        f"{hours}, now was {_clock(look.now)}; wait for the session or make a dry-run",
    )


# --- money


def _min_cash(look: _Look) -> Iterable[Finding]:
    """S0-53, the floor a person sets."""
    limit = look.cmd.limits.min_cash
    if look.cash < limit:
        yield Finding(
            "min_cash",
            f"available cash must be at least {plain(limit)} {look.cmd.currency}, was {plain(look.cash)}; fund the account",
        )


def _smallest_order(look: _Look) -> Iterable[Finding]:
    """S0-53: available cash at least the minimum executable amount.

    For a run that only buys that is what its cheapest buy costs at its smallest legal size, fees included. A
    run that sells funds its buys by its sells, so no amount is asked of it here.
    """
    lines = plan(
        look.cmd.targets,
        look.cmd.prices,
        look.instruments,
        look.held,
        look.equity,
        look.cmd.rounding,
        look.cmd.sell_unlisted,
        now=look.now,
        max_quote_age_ns=look.cmd.limits.max_quote_age_ns,
        currency=look.cmd.currency,
    )
    orders = [line for line in lines if line.order_qty > ZERO]
    if any(line.wave == SELLS for line in orders):
        return
    costs = [
        (_smallest_cost(look.instruments[line.symbol], line.ref_px), line.symbol)
        for line in orders
        if line.wave == BUYS and line.ref_px is not None
    ]
    if not costs:
        return
    cost, symbol = min(costs)
    if look.cash < cost:
        yield Finding(
            "min_cash",
            f"available cash must pay for the smallest order of the run, {plain(cost)} {look.cmd.currency}"
            f" for {symbol}, was {plain(look.cash)};"
            " fund the account or name a cheaper target",
        )


def _smallest_cost(instrument: Instrument, px: Decimal) -> Decimal:
    """Outlay for the smallest buy: the traded amount (its margin, where only that is paid) and the fees."""
    notional = instrument.notional(px, instrument.min_qty)
    paid = notional if instrument.margin_rate is None else notional * instrument.margin_rate
    return paid + instrument.fees.fee(Side.BUY, instrument.min_qty, notional)


_Rule = Callable[[_Look], Iterable[Finding]]

_SHAPE: Final[tuple[_Rule, ...]] = (
    _targets_named,
    _each_symbol_once,
    _no_negative_weight,
    _instruments_known,
    _one_currency,
    _some_price_usable,
    _equity_positive,
)

_LIMITS: Final[tuple[_Rule, ...]] = (
    _risk_checks_passed,
    _total_weight,
    _exposure_as_stated,
    _single_name,
    _positions,
    _industries,
    _blacklist,
    _session,
    _min_cash,
)


# --- words


def _some(names: Iterable[str]) -> str:
    """The first few names and how many more there are."""
    every = list(names)
    shown, rest = every[:_NAMES_SHOWN], len(every) - _NAMES_SHOWN
    return ", ".join(shown) + (f" and {rest} more" if rest > 0 else "")


def _weights(targets: Iterable[TargetLine]) -> str:
    return _some(f"{target.symbol} with {_weight(target.weight)} (row {target.row})" for target in targets)


def _weight(weight: Decimal) -> str:
    """All digits, since a rounded weight could look like its limit."""
    text = f"{weight:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _clock(at: UtcNs) -> str:
    return datetime.fromtimestamp(at // SECOND_NS, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
