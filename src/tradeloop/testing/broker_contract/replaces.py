"""Cards D: other terms for a working order, in one request, whole or not at all."""

from __future__ import annotations

import pytest

from tradeloop.core.errors import FateUnknown, NotSent, Refused
from tradeloop.core.order import Order
from tradeloop.core.reports import Execution, ReplaceAck, ReplaceReject
from tradeloop.core.types import Px, Qty
from tradeloop.testing.broker_contract.session import STEP, Session, an_id, connected, need
from tradeloop.testing.broker_contract.snapshots import figures
from tradeloop.testing.broker_contract.venue import ContractVenue


class Replaces:
    """Cards D1 to D9."""

    async def test_a_replace_is_acknowledged_or_refused_as_declared(self, venue: ContractVenue) -> None:
        """D1: where `replaces` is declared a replace is acknowledged with its number and the terms in force; elsewhere it is
        refused, and the order stands as it stood.
        """
        async with connected(venue) as session:
            order = await session.working(an_id(1))
            px = Px(venue.resting_px - STEP)
            error = await session.replace(order, 1, qty=venue.qty, px=px)
            if session.broker.capabilities.replaces:
                (ack,) = await session.hears(ReplaceAck)
                (theirs,) = (await venue.books()).of(an_id(1))
                assert (ack.cl_ord_id, ack.number) == (an_id(1), 1)
                assert (ack.order_qty, ack.price) == (theirs.order_qty, theirs.price)
            else:
                assert isinstance(error, Refused)
                await session.quiet()
                (theirs,) = (await venue.books()).of(an_id(1))
                assert (theirs.order_qty, theirs.price) == (order.order_qty, order.price)

    async def test_the_new_terms_stand_in_the_venues_books(self, venue: ContractVenue) -> None:
        """D2: price and quantity are changed together; the venue has one order, not two, and its ack counts the fills."""
        async with connected(venue) as session:
            order = await _partly_filled(session)
            qty, px = Qty(session.fifth() * 2), Px(venue.resting_px - STEP)
            await session.replace(order, 1, qty=qty, px=px)
            await session.quiet()
            (theirs,) = (await venue.books()).working
            assert (theirs.order_qty, theirs.price, theirs.cum_qty) == (qty, px, session.fifth())
            (ack,) = session.all(ReplaceAck)
            assert ack.cum_qty == (session.fifth() if venue.counts else None)

    async def test_less_than_has_traded_is_no_quantity(self, venue: ContractVenue) -> None:
        """D3 (FIX C.3.c): a quantity below what has traded is refused, or becomes what has traded; never less."""
        async with connected(venue) as session:
            order = await _partly_filled(session)
            await venue.fill(an_id(1), session.fifth(), venue.resting_px)
            error = await session.replace(order, 1, qty=session.fifth(), px=venue.resting_px)
            await session.quiet()
            made = session.all(ReplaceAck)
            assert isinstance(error, Refused) or session.all(ReplaceReject) or made
            assert [ack for ack in made if ack.order_qty < session.fifth() * 2] == []
            assert session.rejects(an_id(1)) == [], "it is the change that was refused, not the order"

    async def test_a_filled_order_takes_new_terms_only_where_declared(self, venue: ContractVenue) -> None:
        """D4 (FIX C.1.c): more of an order that has filled is acknowledged where `replaces_filled` says so, else refused."""
        async with connected(venue) as session:
            able = session.broker.capabilities
            need(able.replaces, "orders are not replaced")
            order = await session.working(an_id(1))
            await venue.fill(an_id(1), venue.qty, venue.resting_px)
            await session.quiet()
            error = await session.replace(order, 1, qty=Qty(venue.qty * 2), px=venue.resting_px)
            await session.quiet()
            is_refused = isinstance(error, Refused) or bool(session.all(ReplaceReject))
            assert is_refused is not able.replaces_filled
            assert bool(session.all(ReplaceAck)) is able.replaces_filled

    async def test_an_unknown_order_takes_no_terms(self, venue: ContractVenue) -> None:
        """D5: a replace of an order the venue never had is refused, and makes no order."""
        async with connected(venue) as session:
            need(session.broker.capabilities.replaces, "orders are not replaced")
            error = await session.replace(session.order(an_id(404)), 1, qty=venue.qty, px=venue.resting_px)
            await session.quiet()
            assert isinstance(error, Refused) or session.all(ReplaceReject)
            assert (await venue.books()).orders == ()

    async def test_fills_after_a_replace_are_those_of_the_order(self, venue: ContractVenue) -> None:
        """D6 (FIX C.1.b): whatever the venue calls the request, what fills after it is reported under the order's own id."""
        async with connected(venue) as session:
            need(session.broker.capabilities.replaces, "orders are not replaced")
            order = await session.working(an_id(1))
            px = Px(venue.resting_px - STEP)
            await session.replace(order, 1, qty=venue.qty, px=px)
            await session.quiet()
            await venue.fill(an_id(1), session.fifth(), px)
            (fill,) = await session.hears(Execution)
            assert fill.cl_ord_id == an_id(1)

    @pytest.mark.parametrize("answer", ["is lost", "never comes", "cannot be read"])
    async def test_a_replace_without_an_answer_is_of_unknown_fate(self, venue: ContractVenue, answer: str) -> None:
        """D7: a replace without an answer that can be read may have taken effect, as it has here: its fate is unknown."""
        async with connected(venue) as session:
            need(session.broker.capabilities.replaces, "orders are not replaced")
            order = await session.working(an_id(1))
            await session.lose_answer(answer)
            error = await session.replace(order, 1, qty=venue.qty, px=Px(venue.resting_px - STEP))
            assert isinstance(error, FateUnknown)
            await session.quiet()
            (theirs,) = (await venue.books()).working
            assert theirs.price == venue.resting_px - STEP

    async def test_without_a_connection_a_replace_is_surely_not_sent(self, venue: ContractVenue) -> None:
        """D8: a replace while the connection is down raises NotSent, and is not sent when it is back."""
        async with connected(venue) as session:
            need(session.broker.capabilities.replaces, "orders are not replaced")
            order = await session.working(an_id(1))
            before = (await venue.books()).working
            await venue.cut()
            error = await session.replace(order, 1, qty=venue.qty, px=Px(venue.resting_px - STEP))
            assert isinstance(error, NotSent)
            await venue.restore()
            await session.snapshot()
            await session.quiet()
            assert (await venue.books()).working == before

    async def test_the_books_show_the_order_with_its_new_terms(self, venue: ContractVenue) -> None:
        """D9: after a replace the snapshot shows one order, under its own id, with the terms in force and what had traded."""
        async with connected(venue) as session:
            order = await _partly_filled(session)
            await session.replace(order, 1, qty=Qty(session.fifth() * 2), px=Px(venue.resting_px - STEP))
            await session.quiet()
            shown = (await session.snapshot()).orders
            theirs = (await venue.books()).orders
            assert [figures(o) for o in shown or ()] == [figures(o) for o in theirs]


async def _partly_filled(session: Session) -> Order:
    need(session.broker.capabilities.replaces, "orders are not replaced")
    order = await session.working(an_id(1))
    await session.venue.fill(an_id(1), session.fifth(), session.venue.resting_px)
    await session.quiet()
    return order
