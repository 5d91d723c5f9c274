"""The contract itself: each promise that an adapter breaks turns its own card red, and no other."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any, ClassVar, cast

import pytest
from tests.contract.broken import BROKEN, Broken
from tests.contract.toy import MS, ToyContractVenue, a_toy
from typing_extensions import override

from tradeloop.core.capabilities import Dedupes
from tradeloop.core.errors import TradeloopError
from tradeloop.core.types import OrdType
from tradeloop.ports.broker import Broker
from tradeloop.testing.broker_contract import BrokerContract
from tradeloop.testing.broker_contract.cards import Card, cards

CARDS = cards(BrokerContract)
AT_A_TIME = 40
FEW = 3
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
            except (AssertionError, ValueError, RuntimeError, OSError, TradeloopError, pytest.fail.Exception):
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


def noticed(broken: type[Broken]) -> set[str]:
    """The cards that have to be red."""
    return set() if broken is Broken else {broken.card, *broken.also}


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_a_broken_promise_turns_its_card_red_and_no_other() -> None:
    """Every adapter meets every card; most of the time is waiting, so that many do at once.

    The time-outs are real ones, and a machine that stalls for half a second looks like a lost answer. So who is judged
    otherwise than it should be in the crowd is judged once more with few beside it, and that verdict counts.
    """
    turns = asyncio.Semaphore(AT_A_TIME)
    adapters: tuple[type[Broken], ...] = (Broken, *BROKEN)
    verdicts = dict(zip(adapters, await asyncio.gather(*(red(broken, turns) for broken in adapters)), strict=True))
    for broken, ids in verdicts.items():
        if set(ids) != noticed(broken) - {"H2"}:
            verdicts[broken] = await red(broken, asyncio.Semaphore(FEW))
    (alone,) = [card for card in CARDS if card.id == "H2"]
    for broken in adapters:
        if await is_red(alone, broken):
            verdicts[broken].append("H2")
    assert {broken.__name__: sorted(ids) for broken, ids in verdicts.items()} == {
        broken.__name__: sorted(noticed(broken)) for broken in adapters
    }


FALSE_DECLARATIONS: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
    ("ids are remembered for ever, and are for the day", "A4", {"dedupes": Dedupes.DAY}, {"dedupes": Dedupes.FOR_EVER}),
    ("ids are remembered for the day, and are while open", "A4", {"dedupes": Dedupes.OPEN_ONLY}, {"dedupes": Dedupes.DAY}),
    ("ids are remembered while open, and never are", "A4", {"dedupes": Dedupes.NEVER}, {"dedupes": Dedupes.OPEN_ONLY}),
    ("longer ids than there can be", "A6", {}, {"cl_ord_id_max": 30}),
    ("more letters than there can be", "A6", {}, {"cl_ord_id_alphabet": "a-zA-Z0-9"}),
    ("fewer order types than are taken", "A9", {}, {"holds_stops": True}),
    ("stops, which nobody holds", "A8", {}, {"ord_types": frozenset(OrdType), "holds_stops": True}),
    ("no replaces, and they are carried out", "D1", {}, {"replaces": False}),
    ("replaces of filled orders, and they are refused", "D4", {}, {"replaces_filled": True}),
    ("a replay, and there is none", "E10", {}, {"stream_replay": True}),
    ("a request lives shorter than it does", "E13", {"late_ns": 200 * MS}, {"request_lifetime_ns": 50 * MS}),
    ("the books show an order sooner than they do", "F6", {"lag_ns": 300 * MS}, {"visibility_lag_ns": 5 * MS}),
    ("closed orders are shown, and are not", "F7", {"orders_complete": False}, {"orders_complete": True}),
    ("parts of a unit, and whole ones alone", "B18", {"step": Decimal(1)}, {"fractions": True}),
    ("several currencies, and there is one", "F21", {"other_cash": ()}, {"many_currencies": True}),
]


@pytest.mark.parametrize(("what", "card", "toy", "said"), FALSE_DECLARATIONS, ids=lambda v: v if isinstance(v, str) else "")
async def test_a_false_declaration_turns_its_card_red(what: str, card: str, toy: dict[str, Any], said: dict[str, Any]) -> None:
    """Every capability is tested against behaviour: the engine's proofs rest on them."""

    rules = toy

    class Declares(Broken):
        toy: ClassVar[dict[str, Any]] = {**rules, "said": said}

    (judge,) = [each for each in CARDS if each.id == card]
    assert await is_red(judge, Declares), what


async def test_a_lag_that_is_declared_is_waited_for() -> None:
    class Lags(Broken):
        toy: ClassVar[dict[str, Any]] = {"lag_ns": 50 * MS, "said": {"visibility_lag_ns": 60 * MS}}

    assert await red(Lags, asyncio.Semaphore(AT_A_TIME)) == []


def test_each_card_has_somebody_who_breaks_it() -> None:
    assert {broken.card for broken in BROKEN} == {card.id for card in CARDS}
