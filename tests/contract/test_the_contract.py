"""The contract itself: each promise that an adapter breaks turns its own card red, and no other."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest
from tests.contract.broken import BROKEN, Broken
from tests.contract.toy import ToyContractVenue, a_toy

from tradeloop.core.errors import TradeloopError
from tradeloop.ports.broker import Broker
from tradeloop.testing.broker_contract import BrokerContract
from tradeloop.testing.broker_contract.cards import Card, cards

CARDS = cards(BrokerContract)
AT_A_TIME = 16
PATIENCE = 60


class _Log:
    """What caplog is to a card: this suite runs many at a time, and none of them logs."""

    text = ""

    def set_level(self, level: int) -> None:
        assert level


class _BrokenVenue(ToyContractVenue):
    """A venue whose adapter is meddled with."""

    broken: type[Broken] = Broken

    def adapter(self) -> Broker:
        return self.broken(super().adapter())


async def is_red(card: Card, broken: type[Broken]) -> bool:
    """Whether the card fails for an adapter of this kind."""
    test = getattr(BrokerContract(), card.test)
    for row in card.rows:
        async with a_toy(patience=PATIENCE, kind=_BrokenVenue, **broken.toy) as venue:
            cast(_BrokenVenue, venue).broken = broken
            if broken.tables is not None:
                venue.tables = broken.tables
            if broken.lives_ns is not None:
                venue.lives_ns = broken.lives_ns
            more: dict[str, Any] = {"caplog": _Log()} if card.id == "H5" else {}
            try:
                await test(venue=venue, **row, **more)
            except pytest.skip.Exception:
                continue
            except (AssertionError, ValueError, RuntimeError, TradeloopError, pytest.fail.Exception):
                return True
    return False


async def red(broken: type[Broken]) -> list[str]:
    """The cards that fail. H2 counts every task there is, so that it runs by itself."""
    turns = asyncio.Semaphore(AT_A_TIME)

    async def judged(card: Card) -> bool:
        async with turns:
            return await is_red(card, broken)

    together = [card for card in CARDS if card.id != "H2"]
    verdicts = await asyncio.gather(*(judged(card) for card in together))
    failed = [card.id for card, is_failed in zip(together, verdicts, strict=True) if is_failed]
    (alone,) = [card for card in CARDS if card.id == "H2"]
    return failed + (["H2"] if await is_red(alone, broken) else [])


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: f"{broken.card}-{broken.__name__}")
async def test_a_broken_promise_turns_its_card_red_and_no_other(broken: type[Broken]) -> None:
    assert await red(broken) == [broken.card]


async def test_an_adapter_nobody_meddles_with_is_green() -> None:
    assert await red(Broken) == []


def test_each_card_has_somebody_who_breaks_it() -> None:
    assert sorted(broken.card for broken in BROKEN) == sorted(card.id for card in CARDS)
