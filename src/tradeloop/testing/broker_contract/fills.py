"""Cards B1 to B9: what traded arrives, once for every time it happened, whatever came before."""

from __future__ import annotations

import pytest

from tradeloop.core.reports import CancelAck, Execution, ExecutionBust, ExecutionCorrect, OrderAck
from tradeloop.core.types import Px, Qty
from tradeloop.testing.broker_contract.session import STEP, Session, an_id, connected, key
from tradeloop.testing.broker_contract.venue import ContractVenue


class Fills:
    """Cards B1 to B9."""

    async def test_a_part_and_the_rest_arrive_as_two_fills(self, venue: ContractVenue) -> None:
        """B1: a part and the rest at another price are two fills of our order, with the venue's figures to the last digit."""
        async with connected(venue) as session:
            await session.working(an_id(1))
            await venue.fill(an_id(1), session.fifth(), venue.resting_px)
            await venue.fill(an_id(1), Qty(venue.qty - session.fifth()), Px(venue.resting_px - STEP))
            await session.hears(Execution, 2)
            heard = [
                (e.exec_id, e.cl_ord_id, e.order_id, e.symbol, e.side, e.last_qty, e.last_px) for e in session.executions()
            ]
            books = (await venue.books()).executions
            assert heard == [(e.exec_id, e.cl_ord_id, e.order_id, e.symbol, e.side, e.last_qty, e.last_px) for e in books]
            assert sum(e.last_qty for e in session.executions(an_id(1))) == venue.qty

    async def test_a_redelivered_fill_has_the_identity_it_had(self, venue: ContractVenue) -> None:
        """B2 (F22): a fill that is reported twice has the same broker, account, trading day, exec id and side both times."""
        async with connected(venue) as session:
            await session.working(an_id(1))
            exec_id = await venue.fill(an_id(1), session.fifth(), venue.resting_px)
            await session.hears(Execution)
            await venue.redeliver(exec_id)
            first, second = await session.hears(Execution, 2)
            assert key(first) == key(second)
            assert first.last_qty == second.last_qty

    async def test_a_fill_may_come_before_the_ack(self, venue: ContractVenue) -> None:
        """B3 (F19): a fill that overtakes the ack is reported at once, and the ack after it."""
        async with connected(venue) as session:
            await venue.swap_next_reports()
            await session.working(an_id(1))
            assert session.all(OrderAck) == []
            await venue.fill(an_id(1), session.fifth(), venue.resting_px)
            await session.until(lambda: bool(session.all(Execution) and session.all(OrderAck)), "a fill and then the ack")
            words = [type(report) for report in session.heard]
            assert words.index(Execution) < words.index(OrderAck)

    async def test_a_fill_after_a_cancel_request_arrives(self, venue: ContractVenue) -> None:
        """B4 (FIX B.1.b): what trades between the wish to cancel and the cancel is reported like any other fill."""
        async with connected(venue) as session:
            order = await session.working(an_id(1))
            await venue.hold_cancels()
            await session.cancel(order)
            await venue.fill(an_id(1), session.fifth(), venue.resting_px)
            (fill,) = await session.hears(Execution)
            assert (fill.cl_ord_id, fill.last_qty) == (an_id(1), session.fifth())

    async def test_a_fill_of_an_order_that_is_not_ours_arrives(self, venue: ContractVenue) -> None:
        """B5 (F77): a fill of an order typed elsewhere is reported, under no id of ours, and the session lives on."""
        async with connected(venue) as session:
            exec_id = await venue.fill_by_hand(session.fifth(), venue.resting_px)
            (fill,) = await session.hears(Execution)
            assert (fill.exec_id, fill.cl_ord_id, fill.last_qty) == (exec_id, None, session.fifth())
            await session.working(an_id(1))
            assert len((await venue.books()).of(an_id(1))) == 1

    @pytest.mark.parametrize(
        "what", ["a part", "the whole", "a part of the day before", "a part that the process before heard"]
    )
    async def test_a_fill_that_is_taken_back_is_named(self, venue: ContractVenue, what: str) -> None:
        """B6 (F29, FIX J.1.a): a bust names the fill it takes back by its whole identity, of an order that filled as well, of a
        fill of the day before, and of one that only the process before heard.
        """
        async with connected(venue) as session:
            fill = await _filled(session, venue.qty if what == "the whole" else session.fifth())
            if what == "a part of the day before":
                await venue.begin_next_day()
                await session.working(an_id(2))
                await venue.fill(an_id(2), session.fifth(), venue.resting_px)
                await session.hears(Execution, 2)
            if not what.endswith("heard"):
                await _judge_bust(session, fill)
                return
        async with connected(venue) as session:
            await _judge_bust(session, fill)

    @pytest.mark.parametrize("heard_by", ["this process", "the process before"])
    async def test_a_fill_that_is_corrected_is_named_with_its_new_figures(self, venue: ContractVenue, heard_by: str) -> None:
        """B7 (F29): a correction names the fill by its whole identity, and carries the new figures, its cost among them; it is
        reported by an adapter that never heard of the fill as well.
        """
        async with connected(venue) as session:
            fill = await _filled(session, session.fifth())
            if heard_by == "this process":
                await _judge_correction(session, fill)
                return
        async with connected(venue) as session:
            await _judge_correction(session, fill)

    async def test_an_unasked_cancel_arrives(self, venue: ContractVenue) -> None:
        """B8 (F30, FIX E.1.b): an order that the venue takes out by itself is reported as out of the market."""
        async with connected(venue) as session:
            await session.working(an_id(1))
            await venue.cancel_unasked(an_id(1))
            (gone,) = await session.hears(CancelAck)
            assert gone.cl_ord_id == an_id(1)

    async def test_a_commission_that_is_not_stated_is_unknown(self, venue: ContractVenue) -> None:
        """B9: the commission is what the venue stated, to the last digit, and None, never 0, where it stated none."""
        async with connected(venue) as session:
            await session.working(an_id(1))
            await venue.fill(an_id(1), session.fifth(), venue.resting_px)
            (fill,) = await session.hears(Execution)
            (theirs,) = (await venue.books()).executions
            assert fill.commission == theirs.commission
            assert (fill.commission is None) is (theirs.commission is None)


async def _filled(session: Session, qty: Qty) -> Execution:
    """A fill of an order, as it was heard."""
    await session.working(an_id(1))
    await session.venue.fill(an_id(1), qty, session.venue.resting_px)
    (fill,) = await session.hears(Execution)
    return fill


async def _judge_bust(session: Session, fill: Execution) -> None:
    await session.venue.bust(fill.exec_id)
    (bust,) = await session.hears(ExecutionBust)
    named = (bust.broker, bust.account, bust.trading_day, bust.exec_ref_id, bust.side)
    assert named == (fill.broker, fill.account, fill.trading_day, fill.exec_id, fill.side)
    assert bust.symbol in ("", fill.symbol)


async def _judge_correction(session: Session, fill: Execution) -> None:
    venue = session.venue
    await venue.correct(fill.exec_id, Qty(session.fifth() * 2), venue.resting_px)
    (mend,) = await session.hears(ExecutionCorrect)
    named = (mend.broker, mend.account, mend.trading_day, mend.exec_ref_id, mend.side)
    assert named == (fill.broker, fill.account, fill.trading_day, fill.exec_id, fill.side)
    assert mend.symbol in ("", fill.symbol)
    assert (mend.last_qty, mend.last_px) == (session.fifth() * 2, venue.resting_px)
    assert mend.commission in (None, (await venue.books()).executions[0].commission)
