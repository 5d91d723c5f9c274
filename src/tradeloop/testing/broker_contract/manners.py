"""Cards H: what an adapter leaves behind, and what it keeps to itself."""

from __future__ import annotations

import asyncio
import logging
from threading import get_ident

import pytest

from tradeloop.core.errors import NotSent
from tradeloop.core.reports import Execution
from tradeloop.testing.broker_contract.session import an_id, connected
from tradeloop.testing.broker_contract.venue import ContractVenue


class Manners:
    """Cards H1 to H7."""

    async def test_closing_twice_is_fine(self, venue: ContractVenue) -> None:
        """H1: a second close does nothing, and so does one before any connect."""
        broker = venue.adapter()
        await broker.close()
        async with connected(venue) as session:
            await session.broker.close()
            await session.broker.close()
            assert isinstance(await session.fate(session.order(an_id(1))), NotSent)

    async def test_close_leaves_no_task(self, venue: ContractVenue) -> None:
        """H2: after close nothing of the adapter runs any more, though a session was lost and a request had no answer."""
        before = asyncio.all_tasks()
        async with connected(venue) as session:
            await session.working(an_id(1))
            await venue.swallow_next_answer()
            asking = asyncio.ensure_future(session.fate(session.order(an_id(2))))
            await venue.settle()
            await venue.cut()
            await asking
            await session.broker.close()
            for _ in range(venue.patience):
                if asyncio.all_tasks() <= before:
                    break
                await venue.settle()
            assert asyncio.all_tasks() <= before

    async def test_nothing_is_reported_after_close(self, venue: ContractVenue) -> None:
        """H3: after close the listener is left in peace, whatever the venue still says."""
        async with connected(venue) as session:
            await session.working(an_id(1))
            await session.quiet()
            await session.broker.close()
            heard = list(session.heard)
            await venue.fill(an_id(1), session.fifth(), venue.resting_px)
            await session.quiet()
            assert session.heard == heard

    async def test_a_place_that_is_cancelled_harms_nobody_else(self, venue: ContractVenue) -> None:
        """H4: when the caller of `place` is cancelled, its order is there once or not at all, and later ones are placed."""
        async with connected(venue) as session:
            await venue.swallow_next_answer()
            placing = asyncio.ensure_future(session.fate(session.order(an_id(1))))
            await asyncio.wait((placing,), timeout=0)  # one turn of the loop: the request has begun
            placing.cancel()
            await asyncio.wait((placing,))
            await session.fate(session.order(an_id(2)))
            await session.fate(session.order(an_id(3)))
            await session.quiet()
            books = await venue.books()
            assert len(books.of(an_id(1))) <= 1
            assert len(books.of(an_id(3))) == 1

    async def test_secrets_are_never_shown(self, venue: ContractVenue, caplog: pytest.LogCaptureFixture) -> None:
        """H5: no secret stands in a repr, an attribute as it is shown, an error, a report or a log line."""
        caplog.set_level(logging.DEBUG)
        shown = []
        async with connected(venue) as session:
            await session.working(an_id(1))
            shown += [repr(session.broker), str(session.broker), repr(vars(session.broker))]
            for misbehave in (venue.garble_next_answer, venue.lose_next_answer, venue.cut):
                await misbehave()
                shown.append(str(await session.fate(session.order(an_id(2)))))
            shown += [repr(session.heard), caplog.text]
        for secret in venue.secrets:
            assert secret not in "\n".join(shown)

    async def test_a_closed_adapter_can_be_connected_again(self, venue: ContractVenue) -> None:
        """H6: connect after close is a new session of the same adapter."""
        async with connected(venue) as session:
            await session.broker.close()
            await session.broker.connect(session.hear)
            await session.working(an_id(1))
            assert len((await venue.books()).of(an_id(1))) == 1

    async def test_reports_come_from_the_loop_that_connected(self, venue: ContractVenue) -> None:
        """H7: reports are delivered by the thread of the loop, never by one of a library's own: the listener takes no lock."""
        async with connected(venue) as session:
            await session.working(an_id(1))
            await venue.fill(an_id(1), session.fifth(), venue.resting_px)
            await session.hears(Execution)
            await venue.cut()
            await session.quiet()
            assert session.threads == {get_ident()}
