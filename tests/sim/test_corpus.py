"""Seeds that have failed once stay mended."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tradeloop.testing.prove import story
from tradeloop.testing.world.life import live

CORPUS = tomllib.loads((Path(__file__).parent / "corpus.toml").read_text(encoding="utf-8"))["seed"]


@pytest.mark.parametrize("known", CORPUS, ids=lambda known: str(known["number"]))
def test_a_seed_that_once_failed_breaks_no_invariant(known: dict[str, int | str]) -> None:
    outcome = live(int(known["number"]))
    assert outcome.violations == [], f"{known['story']}\n" + "\n".join(story(outcome))
