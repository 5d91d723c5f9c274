"""Cards B17, B18, F20 and F21: money that comes back, parts of a unit, less than nothing held, more than one currency."""

from __future__ import annotations

from tradeloop.core.reports import Execution
from tradeloop.core.types import ZERO, Qty, Side
from tradeloop.testing.broker_contract.session import an_id, connected, need
from tradeloop.testing.broker_contract.venue import ContractVenue


class Holdings:
    """Cards B17, B18, F20 and F21."""

    async def test_a_rebate_is_less_than_nothing(self, venue: ContractVenue) -> None:
        """B17: a fill that the venue pays for has a commission below zero, in the stream and in the snapshot, never its size
        alone: that would be a fee.
        """
        async with connected(venue) as session:
            need(session.broker.capabilities.rebates, "the venue pays for no fill")
            await session.working(an_id(1))
            await venue.pay_for_next_fill()
            await venue.fill(an_id(1), session.fifth(), venue.resting_px)
            (fill,) = await session.hears(Execution)
            (shown,) = (await session.snapshot()).executions or ()
            (theirs,) = (await venue.books()).executions
            assert theirs.commission is not None
            assert theirs.commission < ZERO
            assert (fill.commission, shown.commission) == (theirs.commission, theirs.commission)

    async def test_a_part_of_a_unit_stays_one(self, venue: ContractVenue) -> None:
        """B18: an order over a part of a unit, its fill and the position are that, to the last digit, at the venue, in the
        stream and in the snapshot.
        """
        async with connected(venue) as session:
            need(session.broker.capabilities.fractions, "the venue trades whole units")
            part, whole = venue.fraction, Qty(venue.fraction * 3)
            assert part != part.to_integral_value()
            await session.working(an_id(1), qty=whole)
            await venue.fill(an_id(1), part, venue.resting_px)
            (fill,) = await session.hears(Execution)
            snapshot, books = await session.snapshot(), await venue.books()
            assert [(o.order_qty, o.cum_qty) for o in books.of(an_id(1))] == [(whole, part)]
            assert [(o.order_qty, o.cum_qty) for o in snapshot.orders or () if o.cl_ord_id == an_id(1)] == [(whole, part)]
            assert [fill.last_qty, *(e.last_qty for e in snapshot.executions or ())] == [part, part]
            assert [p.long_qty for p in snapshot.positions or ()] == [books.positions[venue.symbol]] == [part]

    async def test_what_is_owed_is_no_holding(self, venue: ContractVenue) -> None:
        """F20: what was sold without being held is a short position, with nothing long beside it, and grows with each fill."""
        async with connected(venue) as session:
            need(session.broker.capabilities.shorts, "nothing is sold short")
            await session.working(an_id(1), side=Side.SELL, px=venue.asking_px)
            for number in (1, 2):
                await venue.fill(an_id(1), session.fifth(), venue.asking_px)
                await session.hears(Execution, number)
                snapshot, books = await session.snapshot(), await venue.books()
                owed = -books.positions[venue.symbol]
                assert owed == number * session.fifth()
                held = [(p.symbol, p.long_qty, p.short_qty) for p in snapshot.positions or ()]
                assert held == [(venue.symbol, ZERO, owed)]

    async def test_each_currency_is_shown_for_itself(self, venue: ContractVenue) -> None:
        """F21: where an account holds several currencies, each is shown once with its own balance, also one that nothing was
        bought with; a fill moves that of its symbol alone.
        """
        async with connected(venue) as session:
            need(session.broker.capabilities.many_currencies, "an account has one currency")
            before = {c.currency: c.balance for c in (await session.snapshot()).cash or ()}
            await session.working(an_id(1))
            await venue.fill(an_id(1), session.fifth(), venue.resting_px)
            await session.hears(Execution)
            snapshot, books = await session.snapshot(), await venue.books()
            assert len(books.cash) > 1
            assert sorted((c.currency, c.balance) for c in snapshot.cash or ()) == sorted(books.cash.items())
            moved = [currency for currency, balance in books.cash.items() if before.get(currency) != balance]
            assert len(moved) == 1
