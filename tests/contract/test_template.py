"""The template adapter passes the contract over real sockets, at a venue of every kind that it can be told to declare."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from tests.contract.toy import ToyContractVenue, a_toy

from tradeloop.brokers._template.adapter import CAPABILITIES
from tradeloop.core.capabilities import Dedupes
from tradeloop.testing.broker_contract import BrokerContract
from tradeloop.testing.broker_contract.acks import Acks
from tradeloop.testing.broker_contract.snapshots import Snapshots
from tradeloop.testing.broker_contract.wire import Wire


class TestTemplate(BrokerContract):
    """The whole contract."""

    adapter = "template"
    declares = CAPABILITIES

    @pytest.fixture
    async def venue(self) -> AsyncIterator[ToyContractVenue]:
        async with a_toy() as venue:
            yield venue


class TestTemplateWhereIdsAreForgotten(Acks):
    """The same adapter where the venue remembers ids for a shorter time, and declares so."""

    @pytest.fixture(params=[Dedupes.NEVER, Dedupes.OPEN_ONLY, Dedupes.DAY], ids=lambda kind: kind.value)
    async def venue(self, request: pytest.FixtureRequest) -> AsyncIterator[ToyContractVenue]:
        async with a_toy(dedupes=request.param) as venue:
            yield venue


class TestTemplateWhereFillsAreReplayed(Wire, Snapshots):
    """The same adapter where the venue says the day's fills again after each login, and shows open orders alone."""

    @pytest.fixture
    async def venue(self) -> AsyncIterator[ToyContractVenue]:
        async with a_toy(replays=True, orders_complete=False) as venue:
            yield venue
