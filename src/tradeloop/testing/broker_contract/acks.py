"""Cards A: what becomes of an order when it arrives, and what the venue takes."""

from __future__ import annotations

import asyncio
import re
from string import printable

import pytest

from tradeloop.core.capabilities import Dedupes
from tradeloop.core.errors import NotSent, Refused
from tradeloop.core.reports import CancelAck, OrderAck, OrderExpire, OrderReject
from tradeloop.core.types import OrdType, TimeInForce
from tradeloop.testing.broker_contract.session import Session, an_id, connected, need
from tradeloop.testing.broker_contract.venue import ContractVenue


class Acks:
    """Cards A1 to A10."""

    async def test_an_order_is_acknowledged_under_our_id(self, venue: ContractVenue) -> None:
        """A1: an order is acknowledged with our own id and the id the venue's books have it under."""
        async with connected(venue) as session:
            await session.place(session.order(an_id(1)))
            (ack,) = await session.hears(OrderAck)
            (theirs,) = (await venue.books()).of(an_id(1))
            assert (ack.broker, ack.cl_ord_id, ack.order_id) == (session.broker.name, an_id(1), theirs.order_id)

    async def test_an_order_arrives_as_it_was_given(self, venue: ContractVenue) -> None:
        """A2: what the venue's books hold is the order we gave: its symbol, side, quantity and price, to the last digit."""
        async with connected(venue) as session:
            order = await session.working(an_id(1))
            (theirs,) = (await venue.books()).of(an_id(1))
            assert (theirs.symbol, theirs.side) == (order.symbol, order.side)
            assert (theirs.order_qty, theirs.price) == (order.order_qty, order.price)

    async def test_an_unknown_symbol_is_refused_in_the_venues_words(self, venue: ContractVenue) -> None:
        """A3: an order for a symbol that is unknown there is refused with words, and nothing works."""
        async with connected(venue) as session:
            error = await session.fate(session.order(an_id(1), symbol=venue.unlisted))
            if error is None:
                (reject,) = await session.hears(OrderReject)
                assert reject.cl_ord_id == an_id(1)
                assert reject.code or reject.text
            else:
                assert isinstance(error, Refused)
                assert error.code or error.text
            assert (await venue.books()).working == ()

    @pytest.mark.parametrize("when", ["while open", "once filled", "the next day"])
    async def test_ids_are_remembered_for_as_long_as_declared(self, venue: ContractVenue, when: str) -> None:
        """A4 (F36): an id that is used a second time makes a second order exactly where `dedupes` says so."""
        async with connected(venue) as session:
            await session.working(an_id(1))
            if when == "once filled":
                await venue.fill(an_id(1), venue.qty, venue.resting_px)
                await session.quiet()
            elif when == "the next day":
                await venue.begin_next_day()
            await session.fate(session.order(an_id(1)))
            await session.quiet()
            remembers = {
                Dedupes.NEVER: False,
                Dedupes.OPEN_ONLY: when == "while open",
                Dedupes.DAY: when != "the next day",
                Dedupes.FOR_EVER: True,
            }
            expected = 1 if remembers[session.broker.capabilities.dedupes] else 2
            assert len((await venue.books()).of(an_id(1))) == expected

    async def test_the_answer_to_a_repeat_does_not_end_the_first_order(self, venue: ContractVenue) -> None:
        """A5 (FIX F.1.a): the answer to a second order under a known id never says that the first one is refused or over."""
        async with connected(venue) as session:
            need(session.broker.capabilities.dedupes is not Dedupes.NEVER, "the venue remembers no ids")
            await session.working(an_id(1))
            error = await session.fate(session.order(an_id(1)))
            await session.quiet()
            assert not isinstance(error, Refused), "Refused would be taken for a reject of the first order"
            assert [r for r in session.rejects(an_id(1)) if not r.of_repeat] == []
            assert session.all(CancelAck) + session.all(OrderExpire) == []

    async def test_the_longest_id_of_the_declared_alphabet_is_carried_whole(self, venue: ContractVenue) -> None:
        """A6: an id of the declared length, of the declared characters, comes back as it went."""
        async with connected(venue) as session:
            able = session.broker.capabilities
            letters = [c for c in printable if re.fullmatch(f"[{able.cl_ord_id_alphabet}]", c)]
            count = -(-len(letters) // able.cl_ord_id_max)
            for turn in range(count):
                mine = letters[turn * able.cl_ord_id_max :] + letters
                await session.place(session.order("".join((mine * able.cl_ord_id_max)[: able.cl_ord_id_max])))
            await session.until_books(lambda b: len(b.working) >= count, f"{count} orders with long ids")
            shown = "".join(order.cl_ord_id or "" for order in (await venue.books()).working)
            assert len(shown) == count * able.cl_ord_id_max
            assert set(shown) == set(letters)

    async def test_an_id_that_is_too_long_is_refused_and_never_cut(self, venue: ContractVenue) -> None:
        """A7: an id one character longer than declared is refused; an order under a shortened id could never be matched."""
        async with connected(venue) as session:
            long = "a" * (session.broker.capabilities.cl_ord_id_max + 1)
            error = await session.fate(session.order(long))
            await session.quiet()
            assert isinstance(error, Refused | NotSent) or session.rejects(long)
            assert (await venue.books()).working == ()

    async def test_the_declared_order_types_are_taken_and_no_others(self, venue: ContractVenue) -> None:
        """A8: every declared pair of order type and time in force is taken as what it is; every other one is refused."""
        async with connected(venue) as session:
            able = session.broker.capabilities
            number = 0
            for ord_type in OrdType:
                for tif in TimeInForce:
                    number += 1
                    is_declared = ord_type in able.ord_types and tif in able.tifs
                    await _judge_terms(session, an_id(number), ord_type, tif, is_declared)

    async def test_a_triggered_stop_goes_out_as_what_it_became(self, venue: ContractVenue) -> None:
        """A9: a stop the engine held and triggered leaves as a limit order; only who declares stop types `holds_stops`."""
        async with connected(venue) as session:
            able = session.broker.capabilities
            declared = [t for t in (OrdType.STOP, OrdType.STOP_LIMIT) if t in able.ord_types]
            assert able.holds_stops is bool(declared)
            need(OrdType.LIMIT in able.ord_types, "the venue has no limit orders")
            px = venue.resting_px
            order = session.order(an_id(1), ord_type=OrdType.STOP_LIMIT, stop_px=px, triggered_at=1)
            await session.place(order)
            await session.stands(an_id(1))
            (theirs,) = (await venue.books()).of(an_id(1))
            assert (theirs.terms, theirs.price) == ("LIMIT DAY", px)

    @pytest.mark.parametrize("first", ["the one that is taken", "the one that is refused"])
    async def test_each_of_two_requests_hears_its_own_answer(self, venue: ContractVenue, first: str) -> None:
        """A10: of two orders under way together one is taken, the other one refused, and each hears what became of it."""
        async with connected(venue) as session:
            good, bad = session.order(an_id(1)), session.order(an_id(2), symbol=venue.unlisted)
            pair = (good, bad) if first == "the one that is taken" else (bad, good)
            answers = await asyncio.gather(*(session.fate(order) for order in pair))
            errors = {order.cl_ord_id: answer for order, answer in zip(pair, answers, strict=True)}
            await session.until_books(lambda books: bool(books.of(an_id(1))), "the order that can be taken")
            await session.quiet()
            assert errors[good.cl_ord_id] is None
            assert session.rejects(an_id(1)) == []
            assert isinstance(errors[bad.cl_ord_id], Refused) or session.rejects(an_id(2))
            assert len((await venue.books()).working) == 1


async def _judge_terms(session: Session, cl_ord_id: str, ord_type: OrdType, tif: TimeInForce, is_declared: bool) -> None:
    venue, px = session.venue, session.venue.resting_px
    is_stop = ord_type in {OrdType.STOP, OrdType.STOP_LIMIT}
    price = px if ord_type in {OrdType.LIMIT, OrdType.STOP_LIMIT} else None
    stop_px = px if is_stop else None
    order = session.order(cl_ord_id, ord_type=ord_type, tif=tif, qty=session.fifth(), price=price, stop_px=stop_px)
    error = await session.fate(order)
    wanted = f"{ord_type.value} {tif.value}"
    if is_declared:
        await session.until_books(lambda books: bool(books.of(cl_ord_id)), f"an order {wanted}")
        (theirs,) = (await venue.books()).of(cl_ord_id)
        assert theirs.terms == wanted
    else:
        await venue.settle()
        assert isinstance(error, Refused | NotSent) or session.rejects(cl_ord_id), f"{wanted} was taken without being declared"
        assert [order for order in (await venue.books()).of(cl_ord_id) if order.is_working] == []
