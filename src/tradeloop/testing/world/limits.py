"""Under which limits of risk a seed lives: drawn from dice of its own, so that nothing else of the seed moves.

A limited seed draws its file of limits: a few rules, half of them, or every rule and every trigger at once; each with a value
from one that never binds to one that binds at once, over one of its scopes, and with one of its severities. What the file says
when it is edited in mid-life, and what people set over it for a time, is drawn from the same table.

Which seeds are limited is told by the last two digits of the number. These are the endings that no seed had which had failed
once (tests/sim/corpus.toml), and with which no planted bug was found first (docs/reference/proof.md), when limits came to the
worlds: under limits a seed lives another life, and a story that was kept is to stay the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from random import Random
from typing import Final

import msgspec

from tradeloop.core.halt import HaltTier
from tradeloop.core.instrument import Instrument
from tradeloop.core.limit import LimitScope, RiskLimit, Severity
from tradeloop.core.risk.registry import RULES, checked
from tradeloop.core.risk.rule import ByList, RiskRule
from tradeloop.core.risk.triggers import TRIGGERS
from tradeloop.core.types import Symbol
from tradeloop.testing.builders import ACCOUNT
from tradeloop.testing.world.market import SYMBOLS

ENDINGS: Final = frozenset(
    (8, 21, 22, 28, 37, 38, 54, 55, 56, 57, 58, 59, 63, 64, 69, 73, 75, 77, 78, 79, 83, 84, 89, 92, 95, 98)
)
"""The last two digits of the seeds that live under limits."""
STRATEGIES: Final = ("alpha", "beta")
INDUSTRIES: Final = ("banks", "banks", "steel", "")
"""Of the four symbols; of the last nobody knows it."""
BINDS: Final = (0, 0, 0, 0, 1, 1, 2)
"""How tight a value is: of three that never, at times and often bind."""
BINDS_AMONG_ALL: Final = (*(0,) * 16, 1, 1, 2)
"""The same where all rules are in force: half of them tight would let nothing through at all."""
BINDING: Final = (1, 1, 2)
COMPARED: Final = (
    "max_requests_per_second", "max_requests_per_second", "max_requests_per_minute", "max_requests_per_day",
    "max_orders_per_day", "max_trades_per_day", "max_cancels_per_day", "max_daily_order_value", "max_order_qty",
    "max_position_qty", "max_position_qty", "max_position_value", "max_position_ratio", "max_industry_value",
    "max_gross_value", "max_positions", "max_open_orders", "max_opened_qty_per_day", "min_cash_ratio",
    "no_self_trade", "no_duplicate_order", "max_repeated_executions", "max_break_seconds",
)  # fmt: skip
"""Rules whose figure the judge compares (testing/limits): a few of them bind in most files."""

VALUES: Final[dict[str, tuple[str, str, str]]] = {
    "max_order_value": ("10000000", "9000", "4000"),
    "max_order_qty": ("1000000", "1000", "400"),
    "max_daily_order_value": ("1000000000", "150000", "50000"),
    "max_daily_traded_value": ("1000000000", "60000", "20000"),
    "max_requests_per_second": ("300", "3", "1"),
    "max_requests_per_minute": ("10000", "30", "8"),
    "max_requests_per_day": ("20000", "40", "15"),
    "max_orders_per_day": ("20000", "30", "12"),
    "max_trades_per_day": ("20000", "30", "10"),
    "max_cancels_per_day": ("400", "10", "3"),
    "max_price_deviation": ("0.2", "0.006", "0.002"),
    "max_deviation_from_prev_close": ("0.5", "0.03", "0.01"),
    "max_slippage": ("0.5", "0.004", "0.001"),
    "max_quote_age_seconds": ("3600", "10", "3"),
    "limit_up_down": ("0", "0", "0"),
    "no_duplicate_order": ("0.1", "2", "10"),
    "no_self_trade": ("0", "0", "0"),
    "max_repeated_executions": ("1000", "5", "2"),
    "max_cancel_ratio": ("1", "0.5", "0.2"),
    "max_quick_cancels_per_day": ("1000", "3", "0"),
    "max_self_trades": ("1000", "2", "1"),
    "max_large_cancels_per_day": ("1000", "40", "1"),
    "max_minute_share": ("1", "0.5", "0.1"),
    "max_minute_traded_value": ("100000000", "30000", "12000"),
    "cool_down_seconds": ("0", "2", "8"),
    "cool_down_after_loss_seconds": ("0", "5", "20"),
    "max_position_qty": ("1000000", "5600", "900"),
    "max_position_value": ("100000000", "56000", "9000"),
    "max_position_ratio": ("2", "0.5", "0.02"),
    "max_industry_value": ("100000000", "108000", "101000"),
    "max_industry_ratio": ("2", "0.9", "0.1"),
    "max_gross_value": ("100000000", "115000", "102000"),
    "max_total_ratio": ("2", "0.98", "0.11"),
    "max_net_value": ("100000000", "112000", "101000"),
    "max_leverage": ("5", "0.97", "0.11"),
    "max_positions": ("50", "4", "3"),
    "min_cash_ratio": ("0", "0.02", "0.88"),
    "max_open_orders": ("10000", "6", "2"),
    "max_margin_ratio": ("1", "0.5", "0.1"),
    "max_opened_qty_per_day": ("1000000", "1500", "500"),
    "max_daily_loss": ("1000000", "300", "50"),
    "max_drawdown": ("0.9", "0.003", "0.0005"),
    "max_break_seconds": ("3000", "25", "6"),
    "max_feed_silence_seconds": ("3000", "30", "5"),
    "max_clock_offset_seconds": ("86400", "20", "1"),
}  # fmt: skip
"""Values by how tight they are; of the rules that have one. The holdings that every seed begins with are near some of them."""

FLOORS: Final = {"max_cancel_ratio": (None, "6", "2"), "max_minute_share": (None, "0.004", "0.001")}
ALL_AT_ONCE: Final = 0.3
"""How many of the limited seeds have every rule in force at once."""
TRIPS: Final = (HaltTier.HALT, HaltTier.HALT, HaltTier.REDUCE_ONLY, HaltTier.CANCEL_ALL, HaltTier.FLATTEN)


def is_limited(seed: int) -> bool:
    """Whether this seed lives under limits."""
    return seed % 100 in ENDINGS


def file_of(dice: Random) -> tuple[RiskLimit, ...]:
    """The limits of one file, each of another id."""
    share = 1.0 if dice.random() < ALL_AT_ONCE else dice.choice((0.1, 0.2, 0.5))
    binds = BINDS_AMONG_ALL if share == 1 else BINDS
    limits: dict[str, RiskLimit] = {}
    for code in (*RULES, *TRIGGERS):
        if dice.random() < share:
            for _ in range(dice.choice((1, 1, 1, 2))):
                limit = a_limit(dice, code, binds)
                limits[limit.limit_id] = limit
    for code in dice.sample(COMPARED, dice.randint(0, 3)):
        limit = a_limit(dice, code, BINDING)
        limits[limit.limit_id] = limit
    return tuple(limits.values())


def a_limit(dice: Random, code: str, binds: Sequence[int] = BINDS) -> RiskLimit:
    """One limit of a rule, as anybody might write it."""
    tight = dice.choice(binds)
    rule = RULES.get(code)
    scope = dice.choice((RULES.get(code) or TRIGGERS[code]).scopes)
    limit = RiskLimit(
        rule=code,
        value=Decimal(VALUES[code][tight] if code in VALUES else 0),
        scope=scope,
        name=dice.choice(("", _named(dice, scope))),
        shadow=dice.random() < 0.15,
    )
    if rule is None:
        return checked(msgspec.structs.replace(limit, tier=_trips(dice, scope)))
    floor = FLOORS.get(code, (None, None, None))[tight]
    severity = dice.choice((*rule.severities, *rule.severities[:1] * 3))
    only, but = _lists(dice, rule, tight)
    return checked(
        msgspec.structs.replace(
            limit,
            severity=severity,
            tier=_trips(dice, scope) if severity is Severity.HALT else HaltTier.HALT,
            allow_missing=dice.random() < 0.7,
            floor=None if floor is None else Decimal(floor),
            only=only,
            but=but,
        )
    )


def _trips(dice: Random, scope: LimitScope) -> HaltTier:
    """How much it stops; no position is kept by strategy, and none can be closed by it."""
    tier = dice.choice(TRIPS)
    return HaltTier.CANCEL_ALL if scope is LimitScope.STRATEGY and tier is HaltTier.FLATTEN else tier


def _named(dice: Random, scope: LimitScope) -> str:
    match scope:
        case LimitScope.GLOBAL:
            return ""
        case LimitScope.ACCOUNT:
            return ACCOUNT
        case LimitScope.STRATEGY:
            return dice.choice(STRATEGIES)
        case LimitScope.SYMBOL:
            return dice.choice(SYMBOLS)
        case LimitScope.INDUSTRY:
            return dice.choice(INDUSTRIES[1:3])


def _lists(dice: Random, rule: RiskRule, tight: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Whom a limit is for alone, and for whom it is not: the looser it is, the fewer it stops."""
    if rule.by_list is ByList.ONLY:
        return tuple(dice.sample(SYMBOLS, tight + 1)) if tight else ("another.SH",), ()
    if rule.by_list is ByList.BUT:
        return (), tuple(dice.sample(SYMBOLS, 4 - tight)) if rule.code == "whitelist" else (ACCOUNT, *SYMBOLS[tight:])
    return (), ()


def halts_out(limits: tuple[RiskLimit, ...]) -> tuple[RiskLimit, ...]:
    """The same file without what halts something."""
    return tuple(limit for limit in limits if limit.rule not in TRIGGERS and limit.severity is not Severity.HALT)


def in_industries(instruments: tuple[Instrument, ...]) -> tuple[Instrument, ...]:
    """The same instruments, each of an industry."""
    named = dict(zip(SYMBOLS, INDUSTRIES, strict=True))
    return tuple(msgspec.structs.replace(listed, industry=named[Symbol(listed.symbol)]) for listed in instruments)
