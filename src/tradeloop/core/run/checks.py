"""The checks before a run exists: S0's minimum risk and S1's portfolio, context and session checks.

Any finding blocks the run; all of them are found at once and journalled together as `RunDenied` (S0-56), so
that a person mends the target in one go. Each finding is one sentence: the rule, its limit, what it was, what
to do. What is missing is a finding, never a pass.

What stops one line only (a price that is missing or stale for one symbol, a suspension, a lot that is too
large) is no finding: the plan skips that line and says why. Where *no* wanted symbol has a usable price the
run has nothing to plan from, and that is one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Final

from msgspec.structs import replace

from tradeloop.core.commands import StartRun
from tradeloop.core.instrument import Instrument
from tradeloop.core.run.drift import NONE_REFUSED, PRICE_DRIFT, Refused
from tradeloop.core.run.limits import LIMITS
from tradeloop.core.run.look import Finding, Look, Rule, Windows, clock, some, weights
from tradeloop.core.run.plan import BUYS, SELLS, plan
from tradeloop.core.run.sizing import Held, plain, seconds
from tradeloop.core.types import ZERO, Side, Symbol, TradingDay, UtcNs

__all__ = ["Finding", "checks", "reasons_first"]

_SHUT: Final = ("not_a_trading_day", "off_session")
_WITHOUT_A_MARKET: Final = ("no_prices", "stale_prices", "equity_unknown")
"""What a shut market brings about by itself: nobody can mend it before the market opens."""


def checks(
    cmd: StartRun,
    instruments: Mapping[Symbol, Instrument],
    held: Mapping[Symbol, Held],
    cash: Decimal,
    equity: Decimal,
    now: UtcNs,
    is_trading_day: bool,
    windows: Windows,
    open_days: Sequence[TradingDay] = (),
    ageless: Collection[Symbol] = (),
    refused: Refused = NONE_REFUSED,
) -> tuple[Finding, ...]:
    """Every reason to refuse the run, in a fixed order; empty when it may be planned.

    `cash` is what may be spent now and `equity` what the weights are fractions of, both in the currency of
    the run. `is_trading_day` is about `cmd.trade_date`; `windows` are the [start, end) spans of that date in
    which orders may be sent; `open_days` are the trading days that the sessions of the targets are in, where known;
    `ageless` are the symbols whose last price counts however old it is; `refused` those whose price in the target is too far
    from the market.
    """
    look = Look(cmd, instruments, held, cash, equity, now, is_trading_day, windows, open_days, ageless, refused)
    shape = [finding for rule in _SHAPE for finding in rule(look)]
    limits = [finding for rule in LIMITS for finding in rule(look)]
    # A plan of contradictory targets would raise; what it would have cost is then beside the point.
    money = [] if shape else list(_smallest_order(look))
    return tuple(shape + limits + money)


def reasons_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The same findings, those that only follow from another one marked and last: a market that is shut brings no prices."""
    every = list(findings)
    shut = next((finding.code for finding in every if finding.code in _SHUT), "")
    marked = [replace(f, follows_from=shut) if shut and f.code in _WITHOUT_A_MARKET else f for f in every]
    return tuple(sorted(marked, key=lambda finding: bool(finding.follows_from)))


# --- the target itself


def _targets_named(look: Look) -> Iterable[Finding]:
    if not look.cmd.targets:
        yield Finding(
            "no_targets",
            "the target has no lines; expected at least one, to sell a holding name it with weight 0",
        )


def _each_symbol_once(look: Look) -> Iterable[Finding]:
    rows: dict[Symbol, list[int]] = {}
    for target in look.cmd.targets:
        rows.setdefault(target.symbol, []).append(target.row)
    twice = {symbol: places for symbol, places in rows.items() if len(places) > 1}
    if twice:
        named = some(f"{symbol} in rows {', '.join(map(str, places))}" for symbol, places in twice.items())
        yield Finding(
            "duplicate_target",
            f"each symbol may stand once in a target, was {named}; put its whole weight in one row",
        )


def _no_negative_weight(look: Look) -> Iterable[Finding]:
    negative = [target for target in look.cmd.targets if target.weight < ZERO]
    if negative:
        yield Finding(
            "negative_weight",
            f"a weight must be zero or more, was {weights(negative)}; write 0 to sell all of a holding",
        )


def _instruments_known(look: Look) -> Iterable[Finding]:
    unknown = [target.symbol for target in look.cmd.targets if target.symbol not in look.instruments]
    if unknown:
        yield Finding(
            "unknown_instrument",
            f"every target must be a listed instrument, {some(unknown)} was not; correct the symbol or list it",
        )


def _one_currency(look: Look) -> Iterable[Finding]:
    others = [
        f"{target.symbol} in {instrument.currency}"
        for target in look.cmd.targets
        if (instrument := look.instruments.get(target.symbol)) is not None and instrument.currency != look.cmd.currency
    ]
    if others:
        known = sum(1 for target in look.cmd.targets if target.symbol in look.instruments)
        remedy = "correct the currency" if len(others) == known else "start one run for each currency"
        yield Finding(
            "other_currency",
            f"all targets of a run trade in its currency {look.cmd.currency}, was {some(others)}; {remedy}",
        )


def _some_price_usable(look: Look) -> Iterable[Finding]:
    wanted = [target for target in look.cmd.targets if target.weight > ZERO]
    if wanted and all(target.symbol in look.refused for target in wanted):
        yield Finding(PRICE_DRIFT, some(look.refused[target.symbol][1] for target in wanted))
        return
    if not wanted or any(target.price is not None and target.symbol not in look.refused for target in wanted):
        return
    seen = {price.symbol: price for price in look.cmd.prices}
    usable = [target for target in wanted if target.symbol not in look.refused]
    priced = [price for t in usable if (price := seen.get(t.symbol)) is not None and price.px > ZERO]
    if not priced:
        yield Finding(
            "no_prices",
            f"a plan needs prices, was none for any of {len(wanted)} targets;"
            " start the feed, wait for the session's first quote or bar, or bring a price column",
        )
        return
    max_age_ns = look.cmd.limits.max_quote_age_ns
    if any(price.symbol in look.ageless and price.at - look.now <= max_age_ns for price in priced):
        return
    nearest = min(priced, key=lambda price: abs(look.now - price.at))
    if nearest.at - look.now > max_age_ns:
        yield Finding(
            "stale_prices",
            f"a price may be stamped at most {seconds(max_age_ns)} ahead of our clock, the nearest of {len(priced)} was"
            f" {seconds(nearest.at - look.now)} ahead ({nearest.symbol}, {clock(nearest.at)}); check both clocks",
        )
    elif look.now - nearest.at > max_age_ns:
        yield Finding(
            "stale_prices",
            f"a price may be at most {seconds(max_age_ns)} old, the youngest of {len(priced)} was"
            f" {seconds(look.now - nearest.at)} old ({nearest.symbol}, {clock(nearest.at)});"
            " wait for the feed or look why it is silent",
        )


def _equity_positive(look: Look) -> Iterable[Finding]:
    # To sell everything takes no equity: an account that owes money must be able to.
    if look.equity <= ZERO and look.total_weight > ZERO:
        yield Finding(
            "no_equity",
            f"weights are fractions of the equity, which was {plain(look.equity)} {look.cmd.currency};"
            " fund the account or look at its positions",
        )


# --- money


def _smallest_order(look: Look) -> Iterable[Finding]:
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
        ageless=look.ageless,
        refused=look.refused,
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


_SHAPE: Final[tuple[Rule, ...]] = (
    _targets_named,
    _each_symbol_once,
    _no_negative_weight,
    _instruments_known,
    _one_currency,
    _some_price_usable,
    _equity_positive,
)
