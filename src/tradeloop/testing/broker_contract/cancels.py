"""Cards C: what a cancel does, and what it leaves alone."""

from __future__ import annotations

import asyncio

import pytest

from tradeloop.core.errors import Refused
from tradeloop.core.reports import CancelAck, CancelReject, Execution
from tradeloop.testing.broker_contract.session import an_id, connected
from tradeloop.testing.broker_contract.venue import ContractVenue


class Cancels:
    """Cards C1 to C9."""

    async def test_a_working_order_is_canceled(self, venue: ContractVenue) -> None:
        """C1: a cancel of a working order is acknowledged under our id, and the order is out of the venue's market."""
        async with connected(venue) as session:
            order = await session.working(an_id(1))
            assert await session.cancel(order) is None
            (gone,) = await session.hears(CancelAck)
            assert gone.cl_ord_id == an_id(1)
            assert (await venue.books()).working == ()

    async def test_a_filled_order_cannot_be_canceled(self, venue: ContractVenue) -> None:
        """C2 (FIX B.1.c): a cancel of a filled order is refused with words, and is no end of it a second time."""
        async with connected(venue) as session:
            order = await session.working(an_id(1))
            await venue.fill(an_id(1), venue.qty, venue.resting_px)
            await session.quiet()
            error = await session.cancel(order)
            if error is None:
                (no,) = await session.hears(CancelReject)
                assert no.cl_ord_id == an_id(1)
                assert no.code or no.text
            else:
                assert isinstance(error, Refused)
                assert error.code or error.text
            assert session.all(CancelAck) == []
            assert session.rejects(an_id(1)) == [], "it is the cancel that was refused, not the order"

    async def test_an_unknown_order_cannot_be_canceled(self, venue: ContractVenue) -> None:
        """C3 (FIX B.1.f): a cancel of an order the venue never had is refused; silence would leave us waiting."""
        async with connected(venue) as session:
            error = await session.cancel(session.order(an_id(404)))
            if error is None:
                (no,) = await session.hears(CancelReject)
                assert no.cl_ord_id == an_id(404)
            else:
                assert isinstance(error, Refused)

    async def test_a_second_cancel_changes_nothing(self, venue: ContractVenue) -> None:
        """C4: a cancel that is asked for twice cancels once; the second answer is a refusal, a repeat, or nothing."""
        async with connected(venue) as session:
            order = await session.working(an_id(1))
            await session.cancel(order)
            await session.until_books(lambda books: not books.working, "no working order")
            error = await session.cancel(order)
            await session.quiet()
            assert error is None or isinstance(error, Refused)
            assert len((await venue.books()).of(an_id(1))) == 1
            assert session.executions() == []

    async def test_the_cancel_of_a_partly_filled_order_counts_its_fills(self, venue: ContractVenue) -> None:
        """C5 (FIX B.1.b): the ack of a cancel says how much had traded by then; None, not 0, where the venue does not."""
        async with connected(venue) as session:
            order = await session.working(an_id(1))
            await venue.fill(an_id(1), session.fifth(), venue.resting_px)
            await session.cancel(order)
            (gone,) = await session.hears(CancelAck)
            assert gone.cum_qty == (session.fifth() if venue.counts else None)

    async def test_a_late_refusal_leaves_the_quantities_alone(self, venue: ContractVenue) -> None:
        """C6 (FIX B.1.c): an order that fills while its cancel is on the way is reported filled, and the cancel as failed."""
        async with connected(venue) as session:
            order = await session.working(an_id(1))
            await venue.hold_cancels()
            error = await session.cancel(order)
            await venue.fill(an_id(1), venue.qty, venue.resting_px)
            await venue.let_cancels()
            await session.quiet()
            assert isinstance(error, Refused) or session.all(CancelReject)
            assert session.all(CancelAck) == []
            assert session.rejects(an_id(1)) == []
            assert sum(e.last_qty for e in session.all(Execution)) == venue.qty

    async def test_an_order_that_is_not_ours_is_canceled_by_its_number(self, venue: ContractVenue) -> None:
        """C7 (F77): an order typed elsewhere is canceled by the id the venue has it under: a halt takes it out as well."""
        async with connected(venue) as session:
            order_id = await venue.order_by_hand()
            assert await session.cancel(session.order(an_id(404)), order_id) is None
            await session.until_books(lambda books: not books.working, "no working order")

    async def test_an_order_of_the_process_before_is_canceled(self, venue: ContractVenue) -> None:
        """C8: an adapter that was just made cancels what the one before it placed, by our id alone."""
        async with connected(venue) as session:
            order = await session.working(an_id(1))
        async with connected(venue) as session:
            assert await session.cancel(order) is None
            await session.until_books(lambda books: not books.working, "no working order")

    @pytest.mark.parametrize("what", ["place", "cancel"])
    async def test_a_cancel_waits_for_no_answer_but_its_own(self, venue: ContractVenue, what: str) -> None:
        """C9: while an order, or another cancel, waits for an answer that does not come, a cancel reaches the venue at once."""
        async with connected(venue) as session:
            orders = [await session.working(an_id(number)) for number in (1, 2)]
            await session.quiet()
            await venue.swallow_next_answer()
            before = venue.asked(what)
            asking = session.cancel(orders[0]) if what == "cancel" else session.fate(session.order(an_id(3)))
            unanswered = asyncio.ensure_future(asking)
            await session.until(lambda: venue.asked(what) > before, f"the {what} at the venue")
            waits, asked = not unanswered.done(), venue.asked("cancel")
            cancelling = asyncio.ensure_future(session.cancel(orders[1]))
            await session.until(lambda: venue.asked("cancel") > asked, "the cancel at the venue")
            is_held_up = waits and unanswered.done()
            await session.quiet()
            await venue.cut()
            await asyncio.gather(unanswered, cancelling)
            assert not is_held_up, f"the cancel left only when the {what} before it had ended"
