"""All 48 scenarios of FIX appendix D are here, and played every way."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

from tests.matrices.runner import Case, cases
from tests.matrices.table import scenarios

GROUPS = {"A.1": "ab", "B.1": "abcdef", "C.1": "abc", "C.2": "a", "C.3": "abc", "D.1": "abc", "D.2": "abcd", "E.1": "abcdef"}
GROUPS |= {"F.1": "abc", "G.1": "abc", "H.1": "abcd", "I.1": "ab", "J.1": "abcd", "K.1": "ab", "L.1": "ab"}


def texts() -> list[str]:
    """The tables of every group's file."""
    found = []
    for path in sorted(Path(__file__).parent.glob("test_?_*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "TABLES":
                found.append(ast.literal_eval(node.value))
    return found


def played() -> list[Case]:
    return [case for text in texts() for case in cases(text)]


def test_every_scenario_of_the_appendix_has_its_table() -> None:
    wanted = {f"{group}.{letter}" for group, letters in GROUPS.items() for letter in letters}
    assert len(wanted) == 48
    assert {scenario.name.partition("/")[0] for text in texts() for scenario in scenarios(text)} == wanted


def test_every_scenario_is_played_in_order_doubled_swapped_and_through_crashes() -> None:
    ways = Counter(case.way for case in played())
    tables = sum(len(scenarios(text)) for text in texts())
    messages = sum(len(scenario.messages) for text in texts() for scenario in scenarios(text))
    assert ways["in order"] == ways["doubled"] == tables
    assert ways["crash after"] == messages
    assert ways["swapped"] > messages // 2
