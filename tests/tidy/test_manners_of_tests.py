"""The tests themselves: each can fail, and each event has bytes that may not change unseen."""

from __future__ import annotations

import json
from pathlib import Path

from tests.tidy import manners_of_tests as manners
from tests.tidy.tree import ROOT, plant

EVENTS = ROOT / "src/tradeloop/core/events.py"
GOLDEN = ROOT / "tests/journal/golden_events.json"

A_FILE_OF_EVENTS = """
class Fact(Struct): ...
class OrderFact(Fact): ...
class OrderStaged(OrderFact, frozen=True): ...
class Traded(OrderFact): ...
class Fill(Struct): ...
"""


def test_every_test_can_fail() -> None:
    assert manners.tests_that_assert_nothing(ROOT) == []


def test_a_test_that_asserts_nothing_is_found(tmp_path: Path) -> None:
    source = """
def looks(x):
    assert x

def looks_twice(x):
    looks(x)

def test_bare(): f()
def test_assert(): assert f()
def test_raises():
    with pytest.raises(ValueError): f()
def test_own_function(): looks_twice(1)
def test_kit(): checkers.check_books(w)
async def test_bare_async(): await f()
"""
    plant(tmp_path, "tests/test_x.py", source)
    found = manners.tests_that_assert_nothing(tmp_path)
    assert [line.split()[1] for line in found] == ["test_bare", "test_bare_async"]


def test_every_event_has_a_golden_encoding() -> None:
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    assert manners.events_without_a_golden_encoding(EVENTS.read_text(encoding="utf-8"), golden) == []


def test_the_events_are_seen() -> None:
    assert len(manners.event_classes(EVENTS.read_text(encoding="utf-8"))) > 10


def test_an_event_is_a_concrete_class_below_fact() -> None:
    assert manners.event_classes(A_FILE_OF_EVENTS) == ["OrderStaged", "Traded"]


def test_an_event_without_a_golden_encoding_is_found() -> None:
    golden = [{"event": "Traded", "hex": "81"}]
    assert manners.events_without_a_golden_encoding(A_FILE_OF_EVENTS, golden) == [
        "OrderStaged has no golden encoding; add one, so that a change of its bytes is seen"
    ]
