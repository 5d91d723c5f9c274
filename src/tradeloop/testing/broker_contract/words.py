"""Cards G: every word the venue may say has a meaning, and a word without one is never guessed."""

from __future__ import annotations

import pytest

from tradeloop.core.errors import BadInput
from tradeloop.testing.broker_contract.session import connected
from tradeloop.testing.broker_contract.venue import ContractVenue

UNHEARD = "NO-SUCH-WORD-84"


class Words:
    """Cards G1 and G2."""

    async def test_every_word_of_the_venue_has_a_meaning(self, venue: ContractVenue) -> None:
        """G1: every status, type and error code that the venue is documented to say is translated."""
        async with connected(venue):
            assert venue.tables
            for table in venue.tables:
                assert table.words
                for word in table.words:
                    assert table.read(word) is not None, f"{table.what} {word!r} has no meaning"

    async def test_an_unknown_word_raises_with_its_raw_text(self, venue: ContractVenue) -> None:
        """G2: a word that nobody has seen is not taken for another one: it raises, and the message shows it as it came."""
        async with connected(venue):
            for table in venue.tables:
                with pytest.raises((BadInput, ValueError), match=UNHEARD):
                    table.read(UNHEARD)
