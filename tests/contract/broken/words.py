"""Adapters that break a promise of the cards G: words."""

from __future__ import annotations

from typing import ClassVar

from tests.contract.broken.meddler import Broken

from tradeloop.brokers._template import words
from tradeloop.core.types import (
    OrdStatus,
)
from tradeloop.testing.broker_contract import Table


class LacksAWord(Broken):
    card = "G1"
    tables: ClassVar[tuple[Table, ...] | None] = (
        Table("status", ("working", "halted"), lambda word: words.ours(words.STATUSES, word, "the status")),
    )


class GuessesAWord(Broken):
    card = "G2"
    tables: ClassVar[tuple[Table, ...] | None] = (
        Table("status", ("working", "part"), lambda word: words.STATUSES.get(word, OrdStatus.NEW)),
    )
