"""The page of the rules of risk: `python -m tradeloop.testing.risk_rules tests/core/risk`.

docs/reference/risk-rules.md holds it below a marker; a test keeps the two the same. What shows a rule at work is read from the
cases that tests live (`*_cases.py` in the folder named): a rule without one is not shown, and says so.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from tradeloop.core.risk.codes import NUMBERS, ORDER_CODES, RUN_CODES
from tradeloop.core.risk.registry import RULES
from tradeloop.core.risk.rule import RiskRule, Unit, Words
from tradeloop.core.risk.triggers import TRIGGERS, Trigger
from tradeloop.core.types import Word
from tradeloop.testing.risk_numbers import table

MARKER: Final = (
    "<!-- Below: written by `python -m tradeloop.testing.risk_rules tests/core/risk`. Change the rules, not this text. -->"
)
_TRIGGERED: Final = (
    "Looked at once a second while a limit names one of them. Beyond its value the place that it was found in is halted with\n"
    "the `tier` of the limit (HALT, REDUCE_ONLY, CANCEL_ALL or FLATTEN), once: whoever releases it is not overruled until it\n"
    "was within the limit in between. Where it cannot be measured for a minute, as the loss of an account with a holding\n"
    "that has no price, people are told once, and nothing new is opened in that account until it can be (`missing: allow`\n"
    "lets it)."
)
_NUMBERED: Final = (
    "The numbers R1 to R44 stand in the code beside what keeps them. Where a number has no code it is kept in another way,\n"
    "or not: then this table says so."
)
_EVERY_CASE: Final = "at the boundary, after a restart, mutated"


def shown_by(folder: Path) -> dict[str, list[str]]:
    """Rule -> what shows it at work, of all cases in a folder below the present one."""
    found: dict[str, list[str]] = {}
    for file in sorted(folder.glob("*_cases.py")):
        for case in import_module(".".join(file.with_suffix("").parts)).CASES:
            found.setdefault(case.rule, []).append(f"`{file.as_posix()}`: {_shown(case)}")
    return found


def rendered(shown: Mapping[str, Sequence[str]]) -> str:
    """Every rule, and every other code that a denial carries."""
    rules = sorted(RULES.values(), key=lambda rule: rule.group.value)
    covered = sum(1 for rule in rules if shown.get(rule.code))
    checked = sum(1 for code in ORDER_CODES if shown.get(code))
    lines = [MARKER, "", f"{len(rules)} rules of limits, of which {covered} are shown by cases that tests live;"]
    lines += [f"{len(ORDER_CODES)} codes of checks of every order, of which {checked} are."]
    group = ""
    for rule in rules:
        if rule.group.value != group:
            group = rule.group.value
            lines += ["", f"## Limits: {group}"]
        lines += ["", *_section(rule, shown.get(rule.code, ()))]
    lines += ["", "## What stops trading by itself", "", _TRIGGERED]
    for trigger in TRIGGERS.values():
        lines += ["", *_trigger(trigger)]
    lines += ["", "## Checks of every order", "", *_codes(ORDER_CODES)]
    lines += ["", "### What shows them", "", *_evidence(shown)]
    lines += ["", "## Checks of a run", "", *_codes(RUN_CODES)]
    lines += ["", "## The table of rules", "", _NUMBERED, "", *table()]
    return "\n".join(lines) + "\n"


def _evidence(shown: Mapping[str, Sequence[str]]) -> Iterator[str]:
    yield "| code | number | shown by |"
    yield "| --- | --- | --- |"
    for code in ORDER_CODES:
        yield f"| `{code}` | {NUMBERS.get(code, '')} | {'; '.join(shown.get(code, ())) or 'nothing yet'} |"


def _section(rule: RiskRule, shown: Sequence[str]) -> Iterator[str]:
    words = rule.words
    bound = "at least" if rule.at_least else "at most"
    moments = [
        "when it is made",
        *(["when it is sent later"] if rule.at_send else []),
        "of what only closes, too" if rule.of_closing else "never of what only closes",
        *(["of a FLATTEN's orders, too"] if rule.of_flatten else []),
    ]
    yield f"### `{rule.code}`"
    yield ""
    title = f"{words.title[:1].upper()}{words.title[1:]}"
    yield f"{title} ({words.title_zh}), {bound}. Beyond it: {words.remedy} ({words.remedy_zh})."
    yield ""
    yield f"- number: {rule.number}; unit: {rule.unit.value}; asked {', '.join(moments)}"
    yield f"- scopes: {_words(rule.scopes)}; severities: {_words(rule.severities)}"
    if rule.unit is not Unit.NONE:
        yield f"- before its value, from a figure `soft` on: {_words(rule.softly)}"
    yield f"- source: {rule.source}"
    yield f"- shown by: {'; '.join(shown) or 'nothing yet'}"


def _trigger(trigger: Trigger) -> Iterator[str]:
    words = trigger.words
    yield f"### `{trigger.code}`"
    yield ""
    title = f"{words.title[:1].upper()}{words.title[1:]}"
    yield f"{title} ({words.title_zh}), at most. Beyond it: {words.remedy} ({words.remedy_zh})."
    yield ""
    yield f"- number: {trigger.number}; unit: {trigger.unit.value}; scopes: {_words(trigger.scopes)}"
    yield f"- source: {trigger.source}"
    yield "- shown by: `tests/core/risk/test_triggers.py`: at the boundary, after a restart, in shadow, released, tripped again"


def _shown(case: Any) -> str:
    """In which ways a case is lived: one of limits in all of them, one of a check in those that it has."""
    if not hasattr(case, "no_boundary"):
        return f"{_EVERY_CASE}, {_together(case)}"
    ways = [f"no boundary ({case.no_boundary})" if case.no_boundary else "at the boundary", "after a restart", "taken out"]
    return ", ".join([*ways, *(["two together"] if case.together is not None else [])])


def _together(case: Any) -> str:
    return "two together" if case.together is not None else f"never two together ({case.alone_only})"


def _words(every: Sequence[Word]) -> str:
    return ", ".join(each.value for each in every)


def _codes(codes: Mapping[str, Words]) -> Iterator[str]:
    yield "| code | what holds | in Chinese | what to do | in Chinese |"
    yield "| --- | --- | --- | --- | --- |"
    for code, words in codes.items():
        yield f"| `{code}` | {words.title} | {words.title_zh} | {words.remedy} | {words.remedy_zh} |"


if __name__ == "__main__":
    sys.stdout.write(rendered(shown_by(Path(sys.argv[1] if len(sys.argv) > 1 else "tests/core/risk"))))
