"""Cards F12 to F19 and F22: what the snapshot says of itself is true, and it stays whole over a night and over many pages."""

from __future__ import annotations

from tradeloop.core.errors import NotSent
from tradeloop.core.reports import BrokerSnapshot, Execution
from tradeloop.core.types import SECOND_NS, OrdStatus, Qty, TimeInForce
from tradeloop.testing.broker_contract.session import Session, an_id, connected, dated, need
from tradeloop.testing.broker_contract.venue import ContractVenue

PAGES = 120
"""More orders and fills than are on the first page of any venue that shows a hundred at a time."""


class Honesty:
    """Cards F12 to F19 and F22."""

    async def test_its_fills_cost_what_the_venue_says(self, venue: ContractVenue) -> None:
        """F12: the commission of a fill in it is what the venue stated, and None, never 0, where it stated none."""
        async with connected(venue) as session:
            await session.working(an_id(1))
            await venue.fill(an_id(1), session.fifth(), venue.resting_px)
            (shown,) = (await session.snapshot()).executions or ()
            (theirs,) = (await venue.books()).executions
            assert shown.commission == theirs.commission
            assert (shown.commission is None) is (theirs.commission is None)

    async def test_it_is_of_the_day_the_moment_and_the_account(self, venue: ContractVenue) -> None:
        """F13: each look is a new one: it names the venue's day and the time of the look, and is all of our account."""
        async with connected(venue) as session:
            await session.working(an_id(1))
            for look in (1, 2):
                await venue.fill(an_id(1), session.fifth(), venue.resting_px)
                before = (await venue.books()).as_of
                snapshot, books = await session.snapshot(), await venue.books()
                assert before <= snapshot.as_of <= books.as_of
                assert snapshot.trading_day == books.trading_day
                assert len(snapshot.executions or ()) == look
                assert (snapshot.broker, snapshot.account) == (session.broker.name, venue.account)
                for parts in (snapshot.orders, snapshot.positions, snapshot.cash):
                    assert {part.account for part in parts or ()} == {venue.account}

    async def test_it_says_what_may_be_sold_today(self, venue: ContractVenue) -> None:
        """F14: `long_sellable` is what may be sold today: nothing of what was bought today where that settles tomorrow,
        and None where the venue does not tell.
        """
        async with connected(venue) as session:
            await session.owned(an_id(1))
            await session.working(an_id(2))
            await venue.fill(an_id(2), session.fifth(), venue.resting_px)
            snapshot, books = await session.snapshot(), await venue.books()
            assert {p.symbol: p.long_qty for p in snapshot.positions or ()} == {venue.symbol: venue.qty + session.fifth()}
            assert {p.symbol: p.long_sellable for p in snapshot.positions or ()} == books.sellable

    async def test_it_is_whole_however_much_there_is(self, venue: ContractVenue) -> None:
        """F15: it shows every fill, and where `orders_complete` is declared every order, of more than fit on a page."""
        async with connected(venue) as session:
            for _ in range(PAGES):
                await venue.fill_by_hand(session.fifth(), venue.resting_px)
            await session.quiet()
            snapshot, books = await session.snapshot(), await venue.books()
            assert len(books.executions) == PAGES
            assert {e.exec_id for e in snapshot.executions or ()} == {e.exec_id for e in books.executions}
            if snapshot.orders_complete:
                assert {o.order_id for o in snapshot.orders or ()} == {o.order_id for o in books.orders}

    async def test_it_shows_fills_as_they_are_now(self, venue: ContractVenue) -> None:
        """F16 (F29): a fill that was taken back is not in it, and one that was corrected stands there as it is now."""
        async with connected(venue) as session:
            await session.working(an_id(1))
            gone, wrong, _ = [await venue.fill(an_id(1), session.fifth(), venue.resting_px) for _ in range(3)]
            await session.hears(Execution, 3)
            await venue.bust(gone)
            await venue.correct(wrong, Qty(session.fifth() * 2), venue.resting_px)
            await session.quiet()
            shown = (await session.snapshot()).executions
            theirs = (await venue.books()).executions
            assert {(e.exec_id, e.last_qty, e.last_px, e.commission) for e in shown or ()} == {
                (e.exec_id, e.last_qty, e.last_px, e.commission) for e in theirs
            }

    async def test_it_shows_what_it_claims_to(self, venue: ContractVenue) -> None:
        """F17: over a night, every fill since the time it names is in it, under the day it was made on, and every order since
        the day it names where `orders_complete` is declared: what it does not show was not.
        """
        async with connected(venue) as session:
            await session.working(an_id(1))
            await venue.fill(an_id(1), session.fifth(), venue.resting_px)
            await session.quiet()
            await venue.cancel_unasked(an_id(1))
            first = (await venue.books()).trading_day
            await venue.wait(SECOND_NS // 100)
            await venue.begin_next_day()
            await session.working(an_id(2))
            await venue.fill(an_id(2), session.fifth(), venue.resting_px)
            for since in (None, (await venue.books()).executions[0].transact_at):
                snapshot = await session.snapshot(since)
                await _judge_fills(session, snapshot)
                if snapshot.orders_complete and first and snapshot.first_day and snapshot.first_day <= first:
                    assert an_id(1) in {o.cl_ord_id for o in snapshot.orders or ()}, "an order of the first day it names"

    async def test_it_shows_orders_that_outlive_their_day(self, venue: ContractVenue) -> None:
        """F18: an order that is good till canceled is in it the next day as well: it still works."""
        async with connected(venue) as session:
            need(TimeInForce.GTC in session.broker.capabilities.tifs, "no order outlives its day")
            await session.working(an_id(1), tif=TimeInForce.GTC)
            await session.quiet()
            await venue.begin_next_day()
            assert [o.cl_ord_id for o in (await venue.books()).working] == [an_id(1)]
            shown = (await session.snapshot()).orders
            assert [o.ord_status for o in shown or () if o.cl_ord_id == an_id(1)] == [OrdStatus.NEW]

    async def test_what_cannot_be_read_is_not_left_out(self, venue: ContractVenue) -> None:
        """F19: books with something in them that cannot be read raise NotSent, or have None in place of that part: what is left
        out of them would be taken for gone.
        """
        async with connected(venue) as session:
            await session.working(an_id(1))
            await session.quiet()
            await venue.wait(session.broker.capabilities.visibility_lag_ns)
            await venue.garble_next_books()
            try:
                orders = (await session.broker.snapshot()).orders
            except NotSent:
                return
            assert orders is None or an_id(1) in {o.cl_ord_id for o in orders}

    async def test_it_shows_our_orders_under_our_ids_where_declared(self, venue: ContractVenue) -> None:
        """F22: where `echoes_ids` is declared, every order of ours that it shows bears our id, also one that ended or was never
        acknowledged, of the process before and of the day before; one that is not ours bears none.
        """
        async with connected(venue) as session:
            need(session.broker.capabilities.echoes_ids, "orders of ours may be shown without our ids")
            for number, qty in ((1, venue.qty), (2, session.fifth())):  # one after the other: they would share the first fill
                await session.working(an_id(number))
                await venue.fill(an_id(number), qty, venue.resting_px)
            await session.working(an_id(3))
            await venue.cancel_unasked(an_id(3))
            await venue.lose_next_ack()
            await session.working(an_id(4))
            await venue.order_by_hand()
            await session.quiet()
            await _judge_ids(session, venue)
        async with connected(venue) as session:
            await _judge_ids(session, venue)
            await venue.begin_next_day()
            await _judge_ids(session, venue)


async def _judge_ids(session: Session, venue: ContractVenue) -> None:
    theirs = {order.order_id: order.cl_ord_id for order in (await venue.books()).orders}
    shown = {order.order_id: order.cl_ord_id for order in (await session.snapshot()).orders or ()}
    assert shown == {order_id: theirs[order_id] for order_id in shown}


async def _judge_fills(session: Session, snapshot: BrokerSnapshot) -> None:
    assert snapshot.executions_since is not None
    books = await session.venue.books()
    claimed = {dated(e) for e in books.executions if e.transact_at >= snapshot.executions_since}
    assert claimed <= {dated(e) for e in snapshot.executions or ()}
