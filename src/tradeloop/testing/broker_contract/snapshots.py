"""Cards F1 to F11: the snapshot is the venue's books, whole."""

from __future__ import annotations

import pytest

from tradeloop.core.errors import NotSent
from tradeloop.core.reports import Execution, OpenOrder
from tradeloop.core.types import SECOND_NS, OrdStatus, Px
from tradeloop.testing.broker_contract.session import STEP, an_id, connected, key
from tradeloop.testing.broker_contract.venue import ContractVenue, VenueOrder

CLOSED = {OrdStatus.FILLED, OrdStatus.CANCELED, OrdStatus.EXPIRED, OrdStatus.REJECTED}


class Snapshots:
    """Cards F1 to F11."""

    async def test_it_shows_the_working_orders(self, venue: ContractVenue) -> None:
        """F1: every working order is shown once, as the venue has it, under our id and its own, with what has traded."""
        async with connected(venue) as session:
            for number in (1, 2):
                await session.working(an_id(number))
            for px in (venue.resting_px, Px(venue.resting_px - STEP)):
                await venue.fill(an_id(1), session.fifth(), px)
            await session.hears(Execution, 2)
            shown = (await session.snapshot()).orders
            assert shown is not None
            working = (await venue.books()).working
            ours = [figures(o) for o in shown if o.ord_status not in CLOSED]
            assert sorted(ours) == sorted(figures(theirs) for theirs in working)

    async def test_it_agrees_with_the_fills_heard(self, venue: ContractVenue) -> None:
        """F2: a fill that was heard stands in it with the same identity, figures and time: it is booked once, in its place."""
        async with connected(venue) as session:
            await session.working(an_id(1))
            for _ in range(2):
                await venue.fill(an_id(1), session.fifth(), venue.resting_px)
            await session.hears(Execution, 2)
            shown = (await session.snapshot()).executions
            assert shown is not None
            heard = [
                (key(e), e.symbol, e.last_qty, e.last_px, e.cl_ord_id, e.order_id, e.transact_at) for e in session.executions()
            ]
            stand = [(key(e), e.symbol, e.last_qty, e.last_px, e.cl_ord_id, e.order_id, e.transact_at) for e in shown]
            assert set(stand) == set(heard)

    async def test_it_shows_positions_and_cash(self, venue: ContractVenue) -> None:
        """F3: positions, what they cost, cash and what of it is available are the venue's, each once and to the last digit."""
        async with connected(venue) as session:
            await session.working(an_id(1))
            await venue.fill(an_id(1), session.fifth(), venue.resting_px)
            snapshot, books = await session.snapshot(), await venue.books()
            assert snapshot.positions is not None
            assert snapshot.cash is not None
            held = [(p.symbol, p.long_qty - p.short_qty) for p in snapshot.positions]
            assert sorted(held) == sorted((symbol, qty) for symbol, qty in books.positions.items() if qty)
            assert {p.symbol: p.cost for p in snapshot.positions} == books.costs
            assert sorted((c.currency, c.balance) for c in snapshot.cash) == sorted(books.cash.items())
            assert {c.currency: c.available for c in snapshot.cash} == books.available

    async def test_it_shows_the_fills_that_were_missed(self, venue: ContractVenue) -> None:
        """F4: a fill of an outage is in it."""
        async with connected(venue) as session:
            await session.working(an_id(1))
            await venue.cut()
            missed = await venue.fill(an_id(1), session.fifth(), venue.resting_px)
            await venue.restore()
            shown = (await session.snapshot()).executions
            assert missed in {e.exec_id for e in shown or ()}

    async def test_it_shows_the_fills_that_a_sound_connection_lost(self, venue: ContractVenue) -> None:
        """F5 (F25): a fill that the stream lost without any outage is in it."""
        async with connected(venue) as session:
            await session.working(an_id(1))
            await venue.lose_next_fill()
            lost = await venue.fill(an_id(1), session.fifth(), venue.resting_px)
            await session.quiet()
            shown = (await session.snapshot()).executions
            assert lost in {e.exec_id for e in shown or ()}

    async def test_it_shows_an_order_whose_ack_was_lost(self, venue: ContractVenue) -> None:
        """F6 (F18): an order that nobody acknowledged is shown under our id within `visibility_lag_ns`: it is there."""
        async with connected(venue) as session:
            await venue.lose_next_ack()
            await session.working(an_id(1))
            shown = (await session.snapshot()).orders
            assert an_id(1) in {o.cl_ord_id for o in shown or ()}

    async def test_it_shows_closed_orders_where_declared(self, venue: ContractVenue) -> None:
        """F7: `orders_complete` says what was declared, and a canceled and a filled order of the day are shown as such where it
        does, with the quantity they had and what of it had traded.
        """
        async with connected(venue) as session:
            declared = session.broker.capabilities.orders_complete
            await session.working(an_id(1))
            await venue.fill(an_id(1), session.fifth(), venue.resting_px)
            await venue.cancel_unasked(an_id(1))
            await session.working(an_id(2))
            await venue.fill(an_id(2), venue.qty, venue.resting_px)
            await session.quiet()
            snapshot, books = await session.snapshot(), await venue.books()
            assert snapshot.orders_complete is declared
            shown = {o.ord_status: figures(o) for o in snapshot.orders or ()}
            assert set(shown) == ({OrdStatus.CANCELED, OrdStatus.FILLED} if declared else set())
            assert shown == {theirs.ord_status: figures(theirs) for theirs in books.orders if declared}

    async def test_books_that_cannot_be_read_are_not_empty_books(self, venue: ContractVenue) -> None:
        """F8: without a connection a snapshot raises NotSent; empty books would sell everything we own."""
        async with connected(venue) as session:
            await session.working(an_id(1))
            await venue.cut()
            with pytest.raises(NotSent):
                await session.broker.snapshot()

    async def test_it_shows_orders_that_are_not_ours(self, venue: ContractVenue) -> None:
        """F9 (F77): an order that somebody typed is in it, under no id of ours."""
        async with connected(venue) as session:
            order_id = await venue.order_by_hand()
            shown = (await session.snapshot()).orders
            assert [o.cl_ord_id for o in shown or () if o.order_id == order_id] == [None]

    async def test_it_shows_all_fills_since_the_time_asked_for(self, venue: ContractVenue) -> None:
        """F10: asked for fills since a time it shows every one from then on, and names a time no later than that."""
        async with connected(venue) as session:
            await session.working(an_id(1))
            await venue.fill(an_id(1), session.fifth(), venue.resting_px)
            await venue.wait(SECOND_NS // 100)
            await venue.fill(an_id(1), session.fifth(), venue.resting_px)
            first, second = (await venue.books()).executions
            for since, expected in ((first.transact_at, [first, second]), (second.transact_at, [second])):
                snapshot = await session.snapshot(since)
                assert {e.exec_id for e in expected} <= {e.exec_id for e in snapshot.executions or ()}
                assert snapshot.executions_since is not None
                assert snapshot.executions_since <= since

    async def test_a_new_process_finds_everything(self, venue: ContractVenue) -> None:
        """F11: an adapter that was just made finds order, fill and position as the one before it left them."""
        async with connected(venue) as session:
            await session.working(an_id(1))
            exec_id = await venue.fill(an_id(1), session.fifth(), venue.resting_px)
        async with connected(venue) as session:
            snapshot = await session.snapshot()
            assert [o.cum_qty for o in snapshot.orders or () if o.cl_ord_id == an_id(1)] == [session.fifth()]
            assert [e.exec_id for e in snapshot.executions or ()] == [exec_id]
            assert [p.long_qty for p in snapshot.positions or ()] == [session.fifth()]


def figures(order: OpenOrder | VenueOrder) -> tuple[object, ...]:
    """What is known of an order, there and here."""
    return (
        order.order_id, order.cl_ord_id or "", order.symbol, order.side, order.order_qty, order.cum_qty, order.price or 0,
    )  # fmt: skip
