"""What the tests themselves keep to: each can fail, and each event has bytes that may not change unseen."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

from tests.tidy.tree import parsed

_JUDGES = ("assert", "check", "expect", "verify", "raises", "warns", "fail", "run_state_machine_as_test")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def tests_that_assert_nothing(root: Path) -> list[str]:
    """A test holds an assertion, or calls a function of its own file or of the test kit that judges."""
    offences = []
    for path, tree in parsed(root, "tests/*.py"):
        functions = [node for node in ast.walk(tree) if isinstance(node, Function)]
        helpers = [f for f in functions if not f.name.startswith("test_")]
        judging: frozenset[str] = frozenset()
        while more := {f.name for f in helpers if _judges(f, judging)} - judging:
            judging |= more
        for function in functions:
            if function.name.startswith("test_") and not _judges(function, judging):
                offences.append(f"{path}:{function.lineno}: {function.name} can not fail: it asserts nothing")
    return offences


def event_classes(source: str) -> list[str]:
    """The concrete events of core/events.py: its public classes that derive, directly or not, from `Fact`."""
    classes = [node for node in ast.parse(source).body if isinstance(node, ast.ClassDef)]
    bases = {c.name: {_bare(base) for base in c.bases} for c in classes}
    facts = {"Fact"}
    while more := {name for name, above in bases.items() if above & facts} - facts:
        facts |= more
    used_as_base = set[str]().union(*bases.values())
    return sorted(name for name in facts - used_as_base if not name.startswith("_"))


def events_without_a_golden_encoding(source: str, golden: Any) -> list[str]:
    """Each event of `source` is named somewhere in the golden file, as a key or as the value of a field."""
    named = set(_words(golden))
    return [
        f"{name} has no golden encoding; add one, so that a change of its bytes is seen"
        for name in event_classes(source)
        if name not in named
    ]


def _words(value: Any) -> list[str]:
    match value:
        case str():
            return [value]
        case dict():
            return [word for key, inner in value.items() for word in [key, *_words(inner)]]
        case list():
            return [word for inner in value for word in _words(inner)]
        case _:
            return []


def _judges(function: Function, judging: frozenset[str]) -> bool:
    for node in ast.walk(function):
        if isinstance(node, ast.Assert):
            return True
        if isinstance(node, ast.Raise) and node.exc is not None:
            raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
            if _bare(raised) == "AssertionError":
                return True
        if isinstance(node, ast.Call):
            called = _bare(node.func)
            if called in judging or called.lstrip("_").startswith(_JUDGES):
                return True
    return False


def _bare(node: ast.expr) -> str:
    if isinstance(node, ast.Subscript):
        node = node.value
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
