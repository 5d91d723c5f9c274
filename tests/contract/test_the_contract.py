"""The contract itself: each promise that an adapter breaks turns its own card red, and no other."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest
from tests.contract.broken import BROKEN, Broken
from tests.contract.toy import ToyContractVenue, a_toy
from typing_extensions import override

from tradeloop.core.errors import TradeloopError
from tradeloop.ports.broker import Broker
from tradeloop.testing.broker_contract import BrokerContract
from tradeloop.testing.broker_contract.cards import Card, cards

CARDS = cards(BrokerContract)
AT_A_TIME = 24
PATIENCE = 250


class _Log:
    """What caplog is to a card: this suite runs many at a time, and none of them logs."""

    text = ""

    def set_level(self, level: int) -> None:
        assert level


class _BrokenVenue(ToyContractVenue):
    """A venue whose adapter is meddled with."""

    broken: type[Broken] = Broken

    @override
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


async def red(broken: type[Broken], turns: asyncio.Semaphore) -> list[str]:
    """The cards that fail, without H2, which counts every task there is and has to run by itself."""

    async def judged(card: Card) -> bool:
        async with turns:
            return await is_red(card, broken)

    together = [card for card in CARDS if card.id != "H2"]
    verdicts = await asyncio.gather(*(judged(card) for card in together))
    return [card.id for card, is_failed in zip(together, verdicts, strict=True) if is_failed]


@pytest.mark.slow
async def test_a_broken_promise_turns_its_card_red_and_no_other() -> None:
    """Every adapter meets every card; most of the time is waiting, so that many do at once."""
    turns = asyncio.Semaphore(AT_A_TIME)
    adapters: tuple[type[Broken], ...] = (Broken, *BROKEN)
    verdicts = dict(zip(adapters, await asyncio.gather(*(red(broken, turns) for broken in adapters)), strict=True))
    (alone,) = [card for card in CARDS if card.id == "H2"]
    for broken in adapters:
        if await is_red(alone, broken):
            verdicts[broken].append("H2")
    assert {broken.__name__: ids for broken, ids in verdicts.items()} == {
        Broken.__name__: [],
        **{broken.__name__: [broken.card] for broken in BROKEN},
    }


def test_each_card_has_somebody_who_breaks_it() -> None:
    assert sorted(broken.card for broken in BROKEN) == sorted(card.id for card in CARDS)
