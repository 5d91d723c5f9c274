"""What every broker adapter keeps, as tests: inherit `BrokerContract`, give the fixture `venue`, and pytest runs them all.

    class TestOurBroker(BrokerContract):
        adapter = "ours"
        declares = OurBroker.capabilities

        @pytest.fixture
        async def venue(self) -> AsyncIterator[ContractVenue]:
            ...

Each test is a card: its docstring opens with the card's id and says the promise. A card is skipped only where `Capabilities`
declares its subject absent. `python -m tradeloop.testing.broker_contract.table` runs the contract and writes the table of
docs/brokers/README.md. Needs pytest and pytest-asyncio in auto mode.
"""

from typing import ClassVar

from tradeloop.core.capabilities import Capabilities
from tradeloop.testing.broker_contract.acks import Acks
from tradeloop.testing.broker_contract.cancels import Cancels
from tradeloop.testing.broker_contract.ends import Ends
from tradeloop.testing.broker_contract.fills import Fills
from tradeloop.testing.broker_contract.holdings import Holdings
from tradeloop.testing.broker_contract.honesty import Honesty
from tradeloop.testing.broker_contract.manners import Manners
from tradeloop.testing.broker_contract.replaces import Replaces
from tradeloop.testing.broker_contract.snapshots import Snapshots
from tradeloop.testing.broker_contract.venue import ContractVenue, Table, VenueBooks, VenueExecution, VenueOrder
from tradeloop.testing.broker_contract.wire import Wire
from tradeloop.testing.broker_contract.words import Words

__all__ = ["BrokerContract", "ContractVenue", "Table", "VenueBooks", "VenueExecution", "VenueOrder"]


class BrokerContract(Acks, Fills, Ends, Cancels, Replaces, Wire, Snapshots, Honesty, Holdings, Words, Manners):
    """All cards. A subclass gives the fixture `venue`; with a name in `adapter` it appears in the table of brokers, with what
    it `declares` in real life (a test may shorten its times, and nothing else).
    """

    adapter: ClassVar[str] = ""
    declares: ClassVar[Capabilities]
