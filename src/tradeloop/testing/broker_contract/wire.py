"""Cards E: what is known of an order when the wire fails, and how the session comes back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tradeloop.core.errors import FateUnknown, NotSent
from tradeloop.core.reports import BrokerDown, BrokerUp, Execution, OrderAck
from tradeloop.core.types import Px
from tradeloop.testing.broker_contract.session import STEP, Session, an_id, connected, key, need
from tradeloop.testing.broker_contract.venue import ContractVenue

FLOOD = 2000
"""Reports at once; more than a busy account hears in the second after a reconnect."""


class Wire:
    """Cards E1 to E19."""

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
        """E8: nobody has to ask: when the venue can be reached again the session is up, says so, takes orders, and reports what
        becomes of them, once.
        """
        async with connected(venue) as session:
            ups = len(session.all(BrokerUp))
            await venue.cut()
            await venue.restore()
            await session.until(lambda: len(session.all(BrokerUp)) > ups, "a BrokerUp after the outage")
            await session.working(an_id(1))
            assert len((await venue.books()).of(an_id(1))) == 1
            exec_id = await venue.fill(an_id(1), session.fifth(), venue.resting_px)
            await session.hears(Execution)
            await session.quiet()
            assert [ack.cl_ord_id for ack in session.all(OrderAck)] == [an_id(1)]
            assert [fill.exec_id for fill in session.executions()] == [exec_id]

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

    async def test_cancels_keep_the_rate_as_well(self, venue: ContractVenue) -> None:
        """E18 (F35): of a burst of cancels, as a halt makes one, none is too fast: each goes in its turn or raises NotSent."""
        async with connected(venue) as session:
            rate = session.broker.capabilities.rate_per_second
            need(rate is not None, "the venue has no rate limit")
            assert rate is not None
            orders = [session.order(an_id(400 + n)) for n in range(rate + rate // 2 + 2)]
            errors = await asyncio.gather(*(session.cancel(order) for order in orders))
            await session.quiet()
            assert venue.turned_away() == 0
            assert [error for error in errors if isinstance(error, FateUnknown)] == []

    async def test_a_silent_connection_is_lost(self, venue: ContractVenue) -> None:
        """E19: a connection that stands and carries nothing any more is noticed and reported as lost, though nobody asks for
        anything; when the venue is back, so is the session.
        """
        async with connected(venue) as session:
            await session.quiet()
            await venue.fall_silent()
            await session.hears(BrokerDown)
            ups = len(session.all(BrokerUp))
            await venue.restore()
            await session.until(lambda: len(session.all(BrokerUp)) > ups, "a BrokerUp after the silence")

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
        """E14: at every fault a cancel raises that of the three errors which is true, as an order does; another one stops the
        engine.
        """
        async with connected(venue) as session:
            for number, answer in enumerate(("cannot be read", "never comes", "is lost"), start=1):
                order = await session.working(an_id(number))
                await session.lose_answer(answer)
                error = await session.cancel(order)
                assert error is None or (isinstance(error, FateUnknown) and str(error)), f"a cancel whose answer {answer}"
                await session.returns()
            order = await session.working(an_id(4))
            await venue.cut()
            error = await session.cancel(order)
            assert isinstance(error, NotSent)
            assert str(error), "an error without a sentence helps nobody"

    async def test_a_report_that_cannot_be_read_is_not_passed_over(self, venue: ContractVenue) -> None:
        """E15: a report that cannot be read ends the session, so that the books are read anew; it is not skipped in silence."""
        async with connected(venue) as session:
            await session.working(an_id(1))
            await session.quiet()
            await venue.garble_next_report()
            unread = await venue.fill(an_id(1), session.fifth(), venue.resting_px)
            await session.until(
                lambda: bool(session.all(BrokerDown)) or unread in {e.exec_id for e in session.executions()},
                "the fill, or the end of a session in which it could not be read",
            )
            await venue.restore()
            assert unread in {e.exec_id for e in (await session.snapshot()).executions or ()}

    async def test_a_venue_that_cannot_be_reached_is_tried_again(self, venue: ContractVenue) -> None:
        """E16: a connect that finds nobody raises NotSent, or returns and goes on trying; it raises nothing else."""
        session = Session(venue.adapter(), venue)
        try:
            await venue.cut()
            is_told = False
            try:
                await session.broker.connect(session.hear)
            except NotSent:
                is_told = True
            await venue.restore()
            if is_told:
                await session.broker.connect(session.hear)
            await session.hears(BrokerUp)
            await session.working(an_id(1))
        finally:
            await session.broker.close()

    @pytest.mark.parametrize("answer", ["comes", "never comes", "is lost"])
    async def test_a_request_leaves_once(self, venue: ContractVenue, answer: str) -> None:
        """E17: whatever becomes of the answer, an order, a replace and a cancel leave once each time they are asked for."""
        async with connected(venue) as session:
            does_replace = session.broker.capabilities.replaces
            order = session.order(an_id(1))
            requests: list[tuple[str, int, Callable[[], Awaitable[object]]]] = [
                ("place", 1, lambda: session.fate(order)),
                (
                    "replace",
                    int(does_replace),
                    lambda: session.replace(order, 1, qty=venue.qty, px=Px(venue.resting_px - STEP)),
                ),
                ("cancel", 1, lambda: session.cancel(order)),
            ]
            for what, times, ask in requests:
                if answer != "comes":
                    await session.lose_answer(answer)
                await ask()
                await session.returns()
                assert venue.asked(what) == times, f"{what} reached the venue {venue.asked(what)} times"
