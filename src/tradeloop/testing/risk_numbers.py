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


ELSEWHERE: Final = {
    "R10": _kept(
        "tests/engine/test_invariants.py",
        "a run has one order a leg, no larger than the leg: `src/tradeloop/engine/invariants.py` refuses to write another;",
        "no algorithm makes children of an order yet",
    ),
    "R11": _kept("tests/engine/test_comparator.py", "halts everything: `src/tradeloop/engine/comparator.py`"),
    "R13": _kept(
        "tests/core/test_halt.py",
        "latched in the journal and in a file, for everything, a broker, an account, a symbol or a strategy:",
        "`src/tradeloop/core/stopping.py`, `src/tradeloop/engine/latch.py`",
    ),
    "R18": _kept("tests/core/risk/test_conduct.py", "one's own value in a minute; an index basket is not known here"),
    "R19": _kept("tests/markets/test_sessions.py", "no order is sent in the opening auction: it is outside trading hours here"),
    "R22": _kept("tests/markets/test_instruments.py", "a row of `src/tradeloop/markets/data/order_rules.yaml`"),
    "R28": _kept(
        "tests/core/test_auction_hours.py",
        "hours are rows of `src/tradeloop/markets/data/sessions.yaml`; a cancel in an auction that takes none is sent all the",
        "same, and the answer says so: `src/tradeloop/core/hours.py`; trading at the closing price after hours (STAR) is not",
        "built",
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
    "R36": _kept(
        "tests/core/test_risk_checks.py",
        "an order says which day's part it closes where a venue tells them apart: `src/tradeloop/core/risk/checks.py`",
    ),
    "R37": _kept(
        "tests/markets/test_instruments.py",
        "dated rows with sources: `src/tradeloop/markets/data/fees.yaml`, `src/tradeloop/markets/data/futures_costs.yaml`",
    ),
    "R38": _kept("tests/engine/test_pacing.py", "each broker's own, kept at the wire: `src/tradeloop/core/pacing.py`"),
    "R39": _kept(
        "tests/cli/test_question.py",
        "in part: `tradeloop run` shows its plan and asks before the first order, unless `--yes` says that it need not, and a",
        "limit of severity `approval` asks for a second person above its value. Not built: a frozen set of orders, confirmed",
        "with a phrase and a second factor before the first live order. No broker that trades live is shipped yet",
    ),
    "R44": _kept(
        "tests/core/risk/test_limiting.py",
        "a reason, an end, a second person where two are named, and back by itself: `src/tradeloop/core/limiting.py`",
    ),
}
"""What keeps a number beside a code, or without one, and a test of it."""


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
