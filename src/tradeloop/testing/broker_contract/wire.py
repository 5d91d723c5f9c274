"""Cards E: what is known of an order when the wire fails, and how the session comes back."""

from __future__ import annotations

import asyncio

from tradeloop.core.errors import FateUnknown, NotSent
from tradeloop.core.reports import BrokerDown, BrokerUp, Execution
from tradeloop.testing.broker_contract.session import FATES, Session, an_id, connected, key, need
from tradeloop.testing.broker_contract.venue import ContractVenue

FLOOD = 2000
"""Reports at once; more than a busy account hears in the second after a reconnect."""


class Wire:
    """Cards E1 to E14."""

    async def test_the_session_begins_with_broker_up(self, venue: ContractVenue) -> None:
        """E1: BrokerUp is the first report, and the only one when nothing else has happened."""
        async with connected(venue) as session:
            await session.hears(BrokerUp)
            await session.quiet()
            assert session.heard == [BrokerUp(session.broker.name)]

    async def test_without_a_connection_an_order_is_surely_not_sent(self, venue: ContractVenue) -> None:
        """E2: an order that is placed while the connection is down raises NotSent, and the venue never sees it."""
        async with connected(venue) as session:
            await venue.cut()
            error = await session.fate(session.order(an_id(1)))
            assert isinstance(error, NotSent)
            assert (await venue.books()).orders == ()

    async def test_nothing_is_kept_for_after_a_reconnect(self, venue: ContractVenue) -> None:
        """E3: what was placed or cancelled while the connection was down is not sent when it is back."""
        async with connected(venue) as session:
            order = await session.working(an_id(1))
            await venue.cut()
            await session.fate(session.order(an_id(2)))
            await session.cancel(order)
            await venue.restore()
            await session.snapshot()
            await session.quiet()
            assert [o.cl_ord_id for o in (await venue.books()).working] == [an_id(1)]

    async def test_a_connection_lost_after_the_request_leaves_the_fate_unknown(self, venue: ContractVenue) -> None:
        """E4 (F8): when the connection is lost between request and answer the fate is unknown: here the order is there."""
        async with connected(venue) as session:
            await venue.lose_next_answer()
            error = await session.fate(session.order(an_id(1)))
            assert isinstance(error, FateUnknown)
            assert len((await venue.books()).of(an_id(1))) == 1

    async def test_silence_leaves_the_fate_unknown_in_bounded_time(self, venue: ContractVenue) -> None:
        """E5 (F2): an answer that never comes leaves the fate unknown, within the ten seconds the engine gives it."""
        async with connected(venue) as session:
            await venue.swallow_next_answer()
            async with asyncio.timeout(10):
                error = await session.fate(session.order(an_id(1)))
            assert isinstance(error, FateUnknown)
            assert len((await venue.books()).of(an_id(1))) == 1

    async def test_an_answer_that_cannot_be_read_leaves_the_fate_unknown(self, venue: ContractVenue) -> None:
        """E6 (F40): an answer that cannot be read proves nothing about the order."""
        async with connected(venue) as session:
            await venue.garble_next_answer()
            error = await session.fate(session.order(an_id(1)))
            assert isinstance(error, FateUnknown)
            assert len((await venue.books()).of(an_id(1))) == 1

    async def test_a_lost_session_is_reported(self, venue: ContractVenue) -> None:
        """E7: a lost session is one BrokerDown that says why."""
        async with connected(venue) as session:
            await venue.cut()
            (down,) = await session.hears(BrokerDown)
            assert (down.broker, bool(down.text)) == (session.broker.name, True)
            await session.quiet()
            assert len(session.all(BrokerDown)) == 1

    async def test_a_lost_session_comes_back_by_itself(self, venue: ContractVenue) -> None:
        """E8: nobody has to ask: when the venue can be reached again the session is up, says so, and takes orders."""
        async with connected(venue) as session:
            ups = len(session.all(BrokerUp))
            await venue.cut()
            await venue.restore()
            await session.until(lambda: len(session.all(BrokerUp)) > ups, "a BrokerUp after the outage")
            await session.working(an_id(1))
            assert len((await venue.books()).of(an_id(1))) == 1

    async def test_a_reconnect_reports_no_fill_as_new(self, venue: ContractVenue) -> None:
        """E9 (F22): whatever is said again after a reconnect has the identity it had before."""
        async with connected(venue) as session:
            await session.working(an_id(1))
            await venue.fill(an_id(1), session.fifth(), venue.resting_px)
            await session.hears(Execution)
            before = {key(e) for e in session.executions()}
            await venue.cut()
            await venue.restore()
            await session.snapshot()
            await session.quiet()
            assert {key(e) for e in session.executions()} == before

    async def test_missed_fills_are_replayed_where_declared(self, venue: ContractVenue) -> None:
        """E10 (F26): where `stream_replay` is declared, fills of the outage are reported after it without being asked for."""
        async with connected(venue) as session:
            need(session.broker.capabilities.stream_replay, "the stream is not replayed")
            await session.working(an_id(1))
            await venue.cut()
            exec_id = await venue.fill(an_id(1), session.fifth(), venue.resting_px)
            await venue.restore()
            await session.hears(Execution)
            assert exec_id in {e.exec_id for e in session.executions()}

    async def test_a_flood_of_reports_arrives_whole_or_ends_the_session(self, venue: ContractVenue) -> None:
        """E11: a flood arrives whole and in order, or the session goes down and says so; nothing is dropped in silence."""
        async with connected(venue) as session:
            await session.working(an_id(1))
            ids = [await venue.fill(an_id(1), session.fifth(), venue.resting_px) for _ in range(2)]
            await session.hears(Execution, 2)
            sent = [ids[n % 2] for n in range(FLOOD)]
            for exec_id in sent:
                await venue.redeliver(exec_id)
            await session.until(
                lambda: len(session.all(Execution)) >= FLOOD + 2 or bool(session.all(BrokerDown)), "the flood, or its end"
            )
            if not session.all(BrokerDown):
                assert [e.exec_id for e in session.executions()][2:] == sent

    async def test_the_declared_rate_is_kept(self, venue: ContractVenue) -> None:
        """E12 (F35): of a burst above `rate_per_second` each order goes in its turn or raises NotSent; none is too fast."""
        async with connected(venue) as session:
            rate = session.broker.capabilities.rate_per_second
            need(rate is not None, "the venue has no rate limit")
            assert rate is not None
            orders = [session.order(an_id(n), qty=session.fifth()) for n in range(rate + rate // 2 + 2)]
            errors = await asyncio.gather(*(session.fate(order) for order in orders))
            await session.quiet()
            assert venue.turned_away() == 0
            books = await venue.books()
            for order, error in zip(orders, errors, strict=True):
                assert error is None or isinstance(error, NotSent)
                assert len(books.of(order.cl_ord_id)) == (error is None)

    async def test_a_request_dies_within_its_declared_lifetime(self, venue: ContractVenue) -> None:
        """E13 (F3): an order of unknown fate arrives within `request_lifetime_ns` or never: absence is proved by it."""
        async with connected(venue) as session:
            lifetime = session.broker.capabilities.request_lifetime_ns
            await venue.delay_next_order()
            asking = asyncio.ensure_future(session.fate(session.order(an_id(1))))
            await venue.wait(lifetime)
            then = len((await venue.books()).of(an_id(1)))
            await asking
            await venue.wait(lifetime)
            assert len((await venue.books()).of(an_id(1))) == then

    async def test_the_port_raises_nothing_but_the_three_fates(self, venue: ContractVenue) -> None:
        """E14: a cancel is answered by the port's three errors at every fault, as an order is; another one stops the engine."""
        async with connected(venue) as session:
            order = await session.working(an_id(1))
            for misbehave in (venue.garble_next_answer, venue.swallow_next_answer, venue.lose_next_answer, venue.cut):
                await misbehave()
                await _judge_cancel(session, order.cl_ord_id)
                await venue.restore()
                await session.snapshot()


async def _judge_cancel(session: Session, cl_ord_id: str) -> None:
    try:
        await session.broker.cancel(session.order(cl_ord_id).cl_ord_id, None, session.venue.symbol)
    except FATES as error:
        assert str(error), "an error without a sentence helps nobody"
