"""Cards B10 to B16: whose fill it was, of which day and time, and how an order ends."""

from __future__ import annotations

import pytest

from tradeloop.core.reports import CancelAck, Execution, OrderExpire
from tradeloop.core.types import OrdStatus, Side, TimeInForce
from tradeloop.testing.broker_contract.session import Session, an_id, connected, dated, need
from tradeloop.testing.broker_contract.venue import ContractVenue


class Ends:
    """Cards B10 to B16."""

    async def test_a_sell_is_a_sell_everywhere(self, venue: ContractVenue) -> None:
        """B10: a sell is one in the venue's books, in the stream and in the snapshot, and takes from the position."""
        async with connected(venue) as session:
            await session.owned(an_id(1))
            heard = len(session.executions())
            await session.working(an_id(2), side=Side.SELL, px=venue.asking_px)
            await venue.fill(an_id(2), session.fifth(), venue.asking_px)
            sold = (await session.hears(Execution, heard + 1))[-1]
            snapshot, books = await session.snapshot(), await venue.books()
            assert [o.side for o in books.of(an_id(2))] == [Side.SELL]
            assert (sold.cl_ord_id, sold.side) == (an_id(2), Side.SELL)
            assert [o.side for o in snapshot.orders or () if o.cl_ord_id == an_id(2)] == [Side.SELL]
            assert [e.side for e in snapshot.executions or () if e.exec_id == sold.exec_id] == [Side.SELL]
            assert [p.long_qty for p in snapshot.positions or ()] == [venue.qty - session.fifth()]

    async def test_a_fill_has_the_venues_day_and_time(self, venue: ContractVenue) -> None:
        """B11: a fill is of our account, the venue's trading day and its time in UTC, as exact as it tells it, or of none."""
        async with connected(venue) as session:
            await session.working(an_id(1))
            await venue.fill(an_id(1), session.fifth(), venue.resting_px)
            (fill,) = await session.hears(Execution)
            (theirs,) = (await venue.books()).executions
            assert (fill.broker, fill.account, fill.trading_day) == (session.broker.name, venue.account, theirs.trading_day)
            assert fill.transact_at in (None, theirs.transact_at)

    @pytest.mark.parametrize("why", ["its day ends", "it cannot trade at once"])
    async def test_an_order_that_lapses_is_reported_as_the_venue_has_it(self, venue: ContractVenue, why: str) -> None:
        """B12: an order that lapses is told once, as what the books call it, with its own number or none, and as no reject."""
        async with connected(venue) as session:
            tif = TimeInForce.DAY if why == "its day ends" else TimeInForce.IOC
            need(tif in session.broker.capabilities.tifs, f"the venue takes no {tif.value} orders")
            await _lapsed(session, tif)
            (theirs,) = (await venue.books()).of(an_id(1))
            kind = OrderExpire if theirs.ord_status is OrdStatus.EXPIRED else CancelAck
            await session.hears(kind)
            await session.quiet()
            ends = [(type(r), r.cl_ord_id, r.cum_qty) for r in session.heard if isinstance(r, OrderExpire | CancelAck)]
            assert ends == [(kind, an_id(1), theirs.cum_qty if venue.counts else None)]
            assert {end.order_id for end in session.heard if isinstance(end, kind)} <= {None, theirs.order_id}
            assert session.rejects(an_id(1)) == []

    async def test_a_fill_behind_the_cancel_arrives(self, venue: ContractVenue) -> None:
        """B13 (F20): a fill that the ack of the cancel overtook on its way is reported all the same."""
        async with connected(venue) as session:
            order = await session.working(an_id(1))
            await session.quiet()
            await venue.swap_next_reports()
            await venue.fill(an_id(1), session.fifth(), venue.resting_px)
            await session.cancel(order)
            await session.until(lambda: bool(session.all(Execution) and session.all(CancelAck)), "the cancel and then the fill")
            words = [type(report) for report in session.heard]
            assert words.index(CancelAck) < words.index(Execution)

    async def test_a_fill_of_an_order_of_the_process_before_is_ours(self, venue: ContractVenue) -> None:
        """B14: an adapter that was just made reports what trades of the orders of the one before it, under our id."""
        async with connected(venue) as session:
            await session.working(an_id(1))
        async with connected(venue) as session:
            exec_id = await venue.fill(an_id(1), session.fifth(), venue.resting_px)
            (fill,) = await session.hears(Execution)
            assert (fill.exec_id, fill.cl_ord_id) == (exec_id, an_id(1))

    async def test_a_count_makes_no_fill(self, venue: ContractVenue) -> None:
        """B15 (F25): fills come from executions alone: a count of more than was heard makes none."""
        async with connected(venue) as session:
            order = await session.working(an_id(1))
            await venue.lose_next_fill()
            await venue.fill(an_id(1), session.fifth(), venue.resting_px)
            await session.cancel(order)
            await session.hears(CancelAck)
            await session.quiet()
            assert session.executions() == []

    async def test_a_fill_of_the_next_day_is_of_the_next_day(self, venue: ContractVenue) -> None:
        """B16: when the night has passed within a session, a fill is of the new day, in the stream and in the snapshot; one of
        the day before stays of that.
        """
        async with connected(venue) as session:
            for number in (1, 2):
                await session.working(an_id(number))
                await venue.fill(an_id(number), session.fifth(), venue.resting_px)
                await session.hears(Execution, number)
                if number == 1:
                    await venue.begin_next_day()
            shown = (await session.snapshot()).executions
            first, second = map(dated, (await venue.books()).executions)
            assert first[0] < second[0]
            assert {dated(e) for e in session.executions()} == {first, second}
            assert {second} <= {dated(e) for e in shown or ()} <= {first, second}


async def _lapsed(session: Session, tif: TimeInForce) -> None:
    """An order that has ended: part of it traded in its day, or none at once."""
    await session.working(an_id(1), tif=tif)
    if tif is TimeInForce.DAY:
        await session.venue.fill(an_id(1), session.fifth(), session.venue.resting_px)
        await session.quiet()
        await session.venue.begin_next_day()
    await session.until_books(lambda books: not books.working, "the end of the order")
