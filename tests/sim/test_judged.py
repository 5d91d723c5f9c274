"""Which invariants of the product are judged: each by a rule that names it, or the judge says why it is by none."""

from __future__ import annotations

import re
from pathlib import Path

import tradeloop
from tradeloop.testing.checkers import NOT_REACHED

INVARIANTS = range(1, 43)
NAMED = re.compile(r"\b(?:\w*broken|InvariantBroken)\(\s*(\d+),")


def test_an_invariant_is_judged_or_the_judge_says_why_it_is_not() -> None:
    """The rules of the judge name the invariant that they find broken, and so do those that a process asks of itself."""
    source = Path(tradeloop.__file__).parent
    judged = {int(number) for path in source.rglob("*.py") for number in NAMED.findall(path.read_text(encoding="utf-8"))}
    assert sorted(judged | NOT_REACHED.keys()) == list(INVARIANTS)
    assert sorted(judged & NOT_REACHED.keys()) == []
