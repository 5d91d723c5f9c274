"""The numbers R1 to R44 of the table of rules, and what keeps each of them: codes of denials, and what is kept without one.

A rule of limits, a trigger and a check of every order each name the numbers that they keep; what stands here is what the number
is about, and where to look for what no code says. What is not kept says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from tradeloop.core.risk.codes import NUMBERS
from tradeloop.core.risk.registry import RULES
from tradeloop.core.risk.triggers import TRIGGERS

TITLES: Final = (
    "largest order, in quantity and value",
    "price collar",
    "reference price that is stale or missing",
    "rate of requests",
    "an algorithm that repeats itself",
    "order that repeats another",
    "cash and margin, everything in flight counted",
    "positions: gross, net, symbol, industry, leverage",
    "loss of a day, drawdown",
    "children no more than their parent",
    "what leaves is no more than what was decided",
    "no trade with oneself",
    "kill switch, latched",
    "cancel ratio, quick cancels",
    "programme trading: 300 in a second, 20,000 in a day",
    "abnormal rate of requests",
    "pushing a price up or down",
    "large trades in a short time",
    "pattern of the opening auction",
    "lots of the main board and ChiNext",
    "lots of STAR",
    "lots of Beijing",
    "largest order of a board",
    "tick",
    "daily price limits",
    "price cage",
    "T+1",
    "trading hours of shares",
    "halts and suspensions of a security",
    "trading hours of futures",
    "futures: trades with oneself",
    "futures: frequent cancels",
    "futures: large cancels",
    "futures: what is not counted",
    "futures: opening of a day, position limits",
    "futures: today's and yesterday's positions",
    "fees",
    "rates of a venue",
    "confirmation of live orders",
    "difference from the broker's books",
    "connection, readiness, clock",
    "lists, special treatment, permissions",
    "report of programme trading",
    "changes of limits",
)
"""What each number is about, from R1 on."""


def _kept(test: str, *how: str) -> tuple[str, str]:
    return " ".join(how), test


BY_CASES: Final = ""
"""Shown by the cases of its codes, like every number that has nothing to add."""

ELSEWHERE: Final = {
    "R1": _kept(
        BY_CASES,
        "as a quantity and as money; not as a share of the average volume of a day, since no history of volumes is kept here",
    ),
    "R2": _kept(
        BY_CASES,
        "against the present price and the previous close, and for an order that leaves later against the price it was made at",
        "(`price_drift`); a drift over the last minute is not looked at, and liquid and illiquid symbols are told apart by",
        "limits of each symbol alone",
    ),
    "R4": _kept(
        BY_CASES,
        "in a second and a minute over an account, or all of them: not by symbol; what a broker's session takes is kept by its",
        "own pace (R38); in a day by every scope",
    ),
    "R5": _kept(
        "tests/core/risk/test_conduct.py",
        "orders that name no strategy are counted by account; a program that names another strategy with every order is",
        "bounded by the rates of R4 alone",
    ),
    "R9": _kept(
        "tests/core/risk/test_triggers.py",
        "a loss of a day as money, a drawdown as a share of the highest equity; a loss of a day as a share of the equity is",
        "not built",
    ),
    "R10": _kept(
        "tests/engine/test_invariants.py",
        "a run has one order a leg, no larger than the leg: `src/tradeloop/engine/invariants.py` refuses to write another;",
        "no algorithm makes children of an order yet",
    ),
    "R11": _kept("tests/engine/test_comparator.py", "halts everything: `src/tradeloop/engine/comparator.py`"),
    "R12": _kept(
        BY_CASES,
        "the newer order is refused; the older one is never cancelled in its place",
    ),
    "R13": _kept(
        "tests/core/test_halt.py",
        "latched in the journal and in a file, for everything, a broker, an account, a symbol or a strategy:",
        "`src/tradeloop/core/stopping.py`, `src/tradeloop/engine/latch.py`",
    ),
    "R15": _kept(
        "tests/core/risk/test_soft.py",
        "each is one limit that throttles before it refuses, such as `{value: 300, soft: 240, soft_severity: throttle}`;",
        "nothing is in force without a `risk.yaml`",
    ),
    "R16": _kept(
        BY_CASES,
        "of all requests of an account together, which is stricter than of each exchange by itself; over each exchange it is",
        "not built",
    ),
    "R18": _kept(
        "tests/core/risk/test_conduct.py",
        "one's own value in a minute, where working orders count as if they had traded, whichever side was the active one;",
        "what is beyond it is refused or asks for approval, and does not wait; an index basket is not known here",
    ),
    "R19": _kept("tests/markets/test_sessions.py", "no order is sent in the opening auction: it is outside trading hours here"),
    "R21": _kept(
        "tests/markets/test_instruments.py",
        "rows of `src/tradeloop/markets/data/order_rules.yaml`; the largest order of trading after hours is not among them,",
        "since that trading is not built (R28)",
    ),
    "R22": _kept("tests/markets/test_instruments.py", "a row of `src/tradeloop/markets/data/order_rules.yaml`"),
    "R23": _kept(
        BY_CASES,
        "an order above it is refused, and not split: only a run cuts its own lines into orders that the venue takes",
    ),
    "R24": _kept(BY_CASES, "a price between two ticks is refused, and never rounded"),
    "R26": _kept(
        "tests/core/risk/test_cage.py",
        "an order outside is refused, and not priced anew: only the closing orders of a FLATTEN are put inside",
    ),
    "R28": _kept(
        "tests/core/test_auction_hours.py",
        "hours are rows of `src/tradeloop/markets/data/sessions.yaml`; a cancel in an auction that takes none is sent all the",
        "same, not held, and the answer says so: `src/tradeloop/core/hours.py`; orders in the opening auction, trading at the",
        "closing price after hours (STAR), and what Shenzhen does otherwise there are not built",
    ),
    "R29": _kept(
        "tests/core/test_risk_checks.py",
        "as far as quotes say that a security is suspended; the halts of ten minutes of a share without limits come so, too",
    ),
    "R30": _kept(
        "tests/markets/test_sessions.py",
        "rows of `src/tradeloop/markets/data/sessions.yaml`: breaks, nights by product and none before a holiday; a night",
        "belongs to the next trading day",
    ),
    "R34": _kept(
        "tests/core/risk/test_conduct.py",
        "what matching itself takes back of an order that never rests (IOC, FOK) counts only where the exchange says so:",
        "`src/tradeloop/core/fold/orders.py`; hedging and market making are not told apart here, and count",
    ),
    "R35": _kept(
        BY_CASES,
        "what a day opens is a limit of the user's; the position limits of the exchanges are not among the data here, and",
        "`max_position_qty` holds what the user writes",
    ),
    "R36": _kept(
        "tests/core/test_risk_checks.py",
        "an order says which day's part it closes where a venue tells them apart: `src/tradeloop/core/risk/checks.py`",
    ),
    "R37": _kept(
        "tests/markets/test_instruments.py",
        "dated rows with sources: `src/tradeloop/markets/data/fees.yaml`, `src/tradeloop/markets/data/futures_costs.yaml`",
    ),
    "R38": _kept(
        "tests/engine/test_pacing.py",
        "each broker's own, kept at the wire: `src/tradeloop/core/pacing.py`; no adapter that is shipped learns a rate from",
        "its venue",
    ),
    "R39": _kept(
        "tests/core/test_live_confirmation.py",
        "a run goes to a live account with the hash of exactly its plan, words that name the account and the count of orders,",
        "and a second factor: `src/tradeloop/core/run/confirming.py`; an order of its own above `live.order_value` likewise:",
        "`src/tradeloop/core/risk/live.py`; neither trades for an account that `live.accounts` does not name. What closes a",
        "position under a FLATTEN asks for nothing. No broker that trades live is shipped yet",
    ),
    "R43": _kept(
        BY_CASES,
        "an account is marked as reported, or not; name and version of the software that was reported are not recorded",
    ),
    "R44": _kept(
        "tests/core/risk/test_limiting.py",
        "a reason, an end, a second person where two are named, and back by itself: `src/tradeloop/core/limiting.py`",
    ),
}
"""What keeps a number beside a code, or without one, what of it is not there, and a test of it or `BY_CASES`."""


def codes_of() -> dict[str, list[str]]:
    """R1 to R44, and the codes that name each of them as theirs."""
    named = [(rule.code, rule.number) for rule in RULES.values()]
    named += [(trigger.code, trigger.number) for trigger in TRIGGERS.values()]
    named += NUMBERS.items()
    found: dict[str, list[str]] = {f"R{number}": [] for number in range(1, len(TITLES) + 1)}
    for code, numbers in named:
        for number in re.findall(r"\bR\d+", numbers):
            found[number].append(code)
    return found


def table() -> Iterator[str]:
    """The rows of the page."""
    yield "| number | what | codes | kept otherwise | shown by |"
    yield "| --- | --- | --- | --- | --- |"
    for (number, codes), title in zip(codes_of().items(), TITLES, strict=True):
        how, test = ELSEWHERE.get(number, ("", ""))
        by_test = f"`{test}`" if test else "the cases of its codes"
        yield f"| {number} | {title} | {', '.join(f'`{code}`' for code in codes)} | {how} | {by_test} |"
