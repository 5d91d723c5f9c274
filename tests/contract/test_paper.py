"""The paper broker passes the contract that every other broker has to pass."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.contract.paper import PaperContractVenue, a_paper_broker

from tradeloop.brokers.paper import PaperBroker
from tradeloop.testing.broker_contract import BrokerContract


class TestPaper(BrokerContract):
    """The whole contract, with the books in a file."""

    adapter = "paper"
    declares = PaperBroker.capabilities

    @pytest.fixture
    async def venue(self, tmp_path: Path) -> AsyncIterator[PaperContractVenue]:
        async with a_paper_broker(tmp_path / "paper.db") as venue:
            yield venue
