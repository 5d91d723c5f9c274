"""The limits a target must keep: what the decision said of itself, how much of what may be held, and when.

Each function is one rule; `LIMITS` is the order in which they are reported.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from tradeloop.core.run.look import Finding, Look, Rule, clock, some, weight, weights
from tradeloop.core.run.sizing import plain
from tradeloop.core.types import ZERO, Mode, Symbol

EXPOSURE_TOLERANCE: Final = Decimal("0.0001")
"""How far the weights may sum from the exposure their maker states: one basis point, for weights rounded to
four places.
"""


def _risk_checks_passed(look: Look) -> Iterable[Finding]:
    """S1-39."""
    failed = sorted(name for name, passed in look.cmd.risk_checks.items() if not passed)
    if failed:
        yield Finding(
            "risk_check_failed",
            f"every risk check of the decision must have passed, failed was {some(failed)}; make a new decision that passes",
        )


def _total_weight(look: Look) -> Iterable[Finding]:
    """S1-40."""
    limit = look.cmd.limits.max_total_weight
    if look.total_weight > limit:
        yield Finding(
            "total_weight",
            f"the weights may sum to at most {weight(limit)}, the sum was {weight(look.total_weight)};"
            " scale them down or correct the file",
        )


def _exposure_as_stated(look: Look) -> Iterable[Finding]:
    stated = look.cmd.target_exposure
    if stated is not None and abs(look.total_weight - stated) > EXPOSURE_TOLERANCE:
        yield Finding(
            "exposure_mismatch",
            f"the weights must sum to the target_exposure {weight(stated)} (within {EXPOSURE_TOLERANCE}),"
            f" the sum was {weight(look.total_weight)}; use the portfolio and the context of one decision",
        )


def _single_name(look: Look) -> Iterable[Finding]:
    """S0-54, S1-40."""
    limit = look.cmd.limits.max_weight
    if limit is None:
        return
    heavy = [target for target in look.cmd.targets if target.weight > limit]
    if heavy:
        yield Finding(
            "max_weight",
            f"one name may weigh at most {weight(limit)}, was {weights(heavy)}; lower it or the limit max_weight",
        )


def _positions(look: Look) -> Iterable[Finding]:
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


def _industries(look: Look) -> Iterable[Finding]:
    """S1-40. The industry of the target's line counts before that of the instrument."""
    limit = look.cmd.limits.max_industry_weight
    if limit is None:
        return
    by_industry: dict[str, Decimal] = {}
    unknown: list[Symbol] = []
    for target in look.cmd.targets:
        instrument = look.instruments.get(target.symbol)
        industry = target.industry or (instrument.industry if instrument is not None else "")
        if industry:
            by_industry[industry] = by_industry.get(industry, ZERO) + target.weight
        elif target.weight > ZERO:
            unknown.append(target.symbol)
    heavy = [f"{industry} with {weight(sum_)}" for industry, sum_ in sorted(by_industry.items()) if sum_ > limit]
    if heavy:
        yield Finding(
            "max_industry_weight",
            f"one industry may weigh at most {weight(limit)}, was {some(heavy)}; lower it or the limit max_industry_weight",
        )
    if unknown:
        yield Finding(
            "industry_unknown",
            f"one industry may weigh at most {weight(limit)}, which needs an industry for every name,"
            f" {some(unknown)} had none; add an industry column to the target",
        )


def _blacklist(look: Look) -> Iterable[Finding]:
    """S1-14. A listed name may still be sold: its target weight is then 0."""
    barred = frozenset(look.cmd.limits.blacklist)
    found = [target for target in look.cmd.targets if target.symbol in barred and target.weight > ZERO]
    if found:
        yield Finding(
            "blacklist",
            f"a blacklisted name may not be held, was {weights(found)}; give it weight 0 or take it off the list",
        )


def _session(look: Look) -> Iterable[Finding]:
    """S1-41: a dry-run may be made off session, but for a trading day."""
    date = look.cmd.trade_date
    others = [day for day in dict.fromkeys(look.open_days) if day != date]
    if not look.is_trading_day and others:
        yield Finding(
            "not_a_trading_day",
            f"the trade date must be the trading day that is open, {some(others)}, was {date};"
            f" use the context of {others[0]}, or a feed that plays {date} if that is a trading day",
        )
        return
    if not look.is_trading_day:
        yield Finding(
            "not_a_trading_day",
            f"the trade date must be a trading day, {date} was not; use the date of the next session",
        )
        return
    if look.cmd.mode is Mode.DRY_RUN or any(start <= look.now < end for start, end in look.windows):
        return
    spans = some(f"{clock(start)} to {clock(end)}" for start, end in look.windows)
    hours = f"orders for {date} may be sent {spans}" if spans else f"the session hours of {date} are not known"
    yield Finding(
        "off_session",
        f"{hours}, now was {clock(look.now)}; wait for the session or make a dry-run",
    )


def _min_cash(look: Look) -> Iterable[Finding]:
    """S0-53, the floor a person sets; without one an account that owes money may still sell."""
    limit = look.cmd.limits.min_cash
    if limit > ZERO and look.cash < limit:
        yield Finding(
            "min_cash",
            f"available cash must be at least {plain(limit)} {look.cmd.currency}, was {plain(look.cash)}; fund the account",
        )


LIMITS: Final[tuple[Rule, ...]] = (
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
