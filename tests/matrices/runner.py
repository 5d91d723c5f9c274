"""Play a matrix four ways: as written, everything twice, neighbours swapped, and with a crash after any message.

Every row must hold in every way: as written; after a message and after its repeat; after both of two that were swapped, which
is where the table stands after the later one; and after a crash as before it. In all of them the order, cash, shares and what
is promised of them end as the table ends. Where a way leads elsewhere for a while, the table says so in a line of its own, with
the reason; what a crash does to an order on its way to the broker is said once for all (`expected`).

A swap is made wherever the wire could make it: our own messages keep their order, and no answer comes before what it answers.
What a person asks for too early is refused and asked again after the next message, as a person would.

A crash is what the engine makes of one: the journal's bytes are read back through `recover`, a new process starts under a new
epoch, the session comes up, and the broker's books of that moment are compared.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import msgspec
import pytest
from tests.matrices.table import Message, Scenario, Standing, scenarios
from tests.matrices.venue import DAYS, SYMBOL, Venue
from typing_extensions import override

from tradeloop.core.commands import CancelOrder, OpenTradingDay, ReplaceOrder, SubmitOrder
from tradeloop.core.errors import BadInput
from tradeloop.core.inputs import Input, Start
from tradeloop.core.order import Order
from tradeloop.core.replies import OrderReply
from tradeloop.core.reports import (
    BrokerUp,
    CancelAck,
    CancelReject,
    ExecutionBust,
    ExecutionCorrect,
    OrderAck,
    OrderExpire,
    OrderReject,
    OrderRestate,
    ReplaceAck,
    ReplaceReject,
    SendOutcome,
)
from tradeloop.core.types import (
    SECOND_NS,
    ClOrdID,
    ExecID,
    OrderID,
    OrdStatus,
    OrdType,
    Px,
    Qty,
    Side,
    TimeInForce,
    TradingDay,
    UtcNs,
)
from tradeloop.engine.recover import recover
from tradeloop.journal import codec
from tradeloop.journal.memory import MemoryJournal, MemoryStore
from tradeloop.testing.builders import ACCOUNT, BROKER, NOON, a_quote, an_instrument, buy
from tradeloop.testing.desk import ABLE, Desk

_ABLE = msgspec.structs.replace(ABLE, replaces_filled=True)
_STOCK = an_instrument(SYMBOL, lot=1, min_qty=1)
_CASH = 10_000_000


@dataclass(frozen=True)
class Case:
    """One scenario played one way."""

    scenario: Scenario
    way: str
    at: int = 0

    @override
    def __str__(self) -> str:
        return f"{self.scenario.name} {self.way}" + (f" {self.at}" if self.at else "")


def every_way(text: str) -> pytest.MarkDecorator:
    """All cases of the tables in a text, as a parametrisation named `case`."""
    return pytest.mark.parametrize("case", cases(text), ids=str)


def cases(text: str) -> list[Case]:
    """Every scenario in order, doubled, with each possible swap, and with a crash after each message."""
    found: list[Case] = []
    for scenario in scenarios(text):
        said = scenario.messages
        found += [Case(scenario, "in order"), Case(scenario, "doubled")]
        found += [Case(scenario, "swapped", k + 1) for k in range(len(said) - 1) if _may_cross(said[k], said[k + 1])]
        found += [Case(scenario, "crash after", k + 1) for k in range(len(said))]
        assert not scenario.rows[-1].otherwise, f"{scenario.name} ends elsewhere in another way"
        ways = {(case.way, case.at) for case in found if case.scenario is scenario}
        for row in scenario.rows:
            assert row.otherwise.keys() <= ways, f"{scenario.name}: {row.line!r} tells of a way that is not played"
    return found


def _may_cross(one: Message, other: Message) -> bool:
    return not (one.is_ours and other.is_ours) and not other.answers(one) and one.line != other.line


def check(case: Case, kind: type[Play] | None = None) -> None:
    """Play it, and compare every row, and the end."""
    said = case.scenario.messages
    end = (kind or Play)(said)
    for message, then in steps(case):
        end.take(message)
        if case.way == "crash after" and message is said[case.at - 1]:
            end.crash(said[: case.at])
        if then is not None:
            assert end.standing(then) == then, f"{case}, after {message.line!r}"
    assert end.promised() == _played(said).promised()


def steps(case: Case) -> Iterator[tuple[Message, Standing | None]]:
    """The messages in the order of this way, each with where the order must stand after it; None after the first of a swap."""
    said = case.scenario.messages
    for number, message in enumerate(said, start=1):
        if case.way == "swapped" and number == case.at:
            yield said[number], None
        elif case.way == "swapped" and number == case.at + 1:
            yield said[case.at - 1], expected(case, number)
        else:
            yield message, expected(case, number)
            if case.way == "doubled":
                yield message, expected(case, number)


def expected(case: Case, number: int) -> Standing:
    """What the table says of the order after so many messages, played this way.

    An order that was on its way when the process ended is UNKNOWN to the next one, and not PENDING_NEW: nobody is left who will
    hear whether it arrived. So it stands until the broker answers, or until it is proved that it never arrived.
    """
    told = [row.then for row in case.scenario.spoken]
    then = case.scenario.spoken[number - 1].otherwise.get((case.way, case.at))
    if then is not None:
        return then
    then = told[number - 1]
    if case.way == "crash after" and number >= case.at and then.ord_status is OrdStatus.PENDING_NEW:
        since = {each.ord_status for each in told[case.at - 1 : number]}
        if not since & {OrdStatus.STAGED, OrdStatus.UNKNOWN}:  # else it was sent after the crash
            return replace(then, ord_status=OrdStatus.UNKNOWN)
    return then


def _played(said: Sequence[Message]) -> Play:
    play = Play(said)
    for message in said:
        play.take(message)
    return play


class Play:
    """A desk, the order of the table, and what the broker's books say after each of its messages, as the table has them."""

    def __init__(self, as_written: Sequence[Message]) -> None:
        self.desk = Desk(able=_ABLE).opened(_STOCK, cash=_CASH)
        self._quote("55")
        self.cl_ord_id: ClOrdID | None = None
        self._as_written = tuple(as_written)
        self._early: list[Message] = []

    def take(self, message: Message) -> None:
        """Let one message happen; then what was refused before is asked for again."""
        self.desk.wait(1)
        if any(message.answers(refused) for refused in self._early):
            self._early.append(message)  # nobody answers what was not asked
            return
        self._try(message)
        for waiting in list(self._early):
            if waiting != message:
                self._early.remove(waiting)
                self._try(waiting)

    def _try(self, message: Message) -> None:
        try:
            self._give(message)
        except BadInput:
            assert message.is_ours
            self._early.append(message)

    def crash(self, said: Sequence[Message]) -> None:
        """The process ends; another one reads the journal, and the broker's books of that moment."""
        old = self.desk
        store = MemoryStore()
        row = codec.seal(codec.encode(old.events), count=len(old.events), after=codec.EMPTY, epoch=1, appended_at=old.now)
        store.rows.append(row)
        recovered = asyncio.run(recover(MemoryJournal(store), codec))
        assert recovered.state.hash() == old.state.hash()
        self.desk = Desk(able=_ABLE)
        self.desk.state, self.desk.events, self.desk.now = recovered.state, old.events, old.now
        self.desk.wait(1)
        self.desk.give(Start(old.state.epoch + 1, "test", "t1"), BrokerUp(BROKER))
        self.desk.wait(1)
        self.desk.give(self._venue(said).books(self.desk.now))
        self._quote("55")

    def standing(self, like: Standing) -> Standing:
        """Where the order stands; its average price only where the table asks for it."""
        order = self._order()
        assert order is not None, "the order of the table does not exist"
        avg = None if like.avg_px is None else order.avg_px
        return Standing(order.ord_status, order.order_qty, order.cum_qty, order.leaves_qty, avg)

    def promised(self) -> tuple[Decimal | None, ...]:
        """Money and shares. What the order holds of them depends on the way (a fill below the limit leaves the difference with
        the order), but covers what is left at its limit, and is nothing once nothing is left.
        """
        book = self.desk.state.accounts[ACCOUNT].cash[_STOCK.currency]
        held = self.desk.state.held(ACCOUNT, SYMBOL)
        order = self._order()
        assert order is not None
        assert book.reserved == order.reserved
        if order.is_done:
            assert not book.reserved
        elif order.price is not None:
            assert book.reserved >= order.leaves_qty * order.price
        return book.balance, held.long_qty, held.long_frozen, held.long_cost

    # --- inside

    def _order(self) -> Order | None:
        orders = self.desk.state.orders
        if self.cl_ord_id is not None:
            return orders.get(self.cl_ord_id)
        known = [*orders.open, *(ClOrdID(key) for key, _ in orders.closed.items())]
        return orders.get(known[0]) if known else None

    def _venue(self, said: Sequence[Message]) -> Venue:
        venue = Venue()
        for message in said:
            venue.say(message, self.cl_ord_id)
        return venue

    def _before(self, message: Message) -> Venue:
        """The broker's books when it said this, whenever it comes to us."""
        return self._venue([said for said in self._as_written if said.place <= message.place])

    def _quote(self, px: str) -> None:
        ask = Decimal(px)
        self.desk.give(a_quote(SYMBOL, bid=ask - Decimal("0.01"), ask=ask, at=self.desk.now))

    def _give(self, m: Message) -> None:
        if m.verb == "quote":
            self._quote(m.words[0])
        elif m.verb == "look without it":
            self.desk.wait(10)
            self.desk.give(msgspec.structs.replace(self._before(m).books(self.desk.now), orders=()))
        elif m.verb == "new order":
            reply = self.desk.give(_new_order(m))
            assert isinstance(reply, OrderReply)
            assert reply.denied is None, reply.denied
            self.cl_ord_id = reply.cl_ord_id
        else:
            self.desk.give(self._input(m))

    def _input(self, m: Message) -> Input:
        at, own, w = UtcNs(NOON + m.place), self.cl_ord_id or ClOrdID("nobody"), m.words
        venue = self._before(m)
        match m.verb:
            case "next day":
                windows = ((UtcNs(self.desk.now - SECOND_NS), UtcNs(self.desk.now + 86_400 * SECOND_NS)),)
                known = self.desk.state.hours[_STOCK.session]
                again = known.trading_day == DAYS[m.day]
                return OpenTradingDay(_STOCK.session, DAYS[m.day], known.windows if again else windows)
            case "cancel":
                return CancelOrder(own, "ann")
            case "replace":
                px = Px(Decimal(w[w.index("@") + 1])) if "@" in w else None
                return ReplaceOrder(own, "ann", Qty(Decimal(w[0])), px, request_id=f"replace {m.number}")
            case "ack":
                return OrderAck(BROKER, own, OrderID("b1"), at)
            case "reject":
                return OrderReject(BROKER, own, "1", "no", at)
            case "reject of repeat":
                return OrderReject(BROKER, own, "6", "this id was used before", at, of_repeat=True)
            case "lost":
                return SendOutcome(BROKER, own, "UNKNOWN", "no answer")
            case "fill" | "phone fill":
                return venue.execution(m, None if m.verb == "phone fill" else own)
            case "bust":
                return ExecutionBust(BROKER, ACCOUNT, self._day_of(w[0]), ExecID(w[0]), Side.BUY, at)
            case "correct":
                figures = Qty(Decimal(w[1])), Px(Decimal(w[3]))
                return ExecutionCorrect(BROKER, ACCOUNT, self._day_of(w[0]), ExecID(w[0]), Side.BUY, *figures)
            case "canceled":
                return CancelAck(BROKER, own, "", at, venue.cum_qty)
            case "cancel reject":
                return CancelReject(BROKER, own, "0", "too late to cancel", at)
            case "cancel reject of stranger":
                return CancelReject(BROKER, ClOrdID("stranger"), "1", "unknown order", at)
            case "expired":
                return OrderExpire(BROKER, own, "done for day", at, venue.cum_qty)
            case "replaced":
                terms = Qty(Decimal(w[0])), Px(venue.price)
                return ReplaceAck(BROKER, own, *terms, None, m.number, None, venue.cum_qty, at)
            case "replace reject":
                return ReplaceReject(BROKER, own, "0", "too late", m.number, at)
            case "restate":
                leaves = Qty(Decimal(w[w.index("leaves") + 1])) if "leaves" in w else None
                terms = Qty(Decimal(w[0])), Px(venue.price)
                cum = None if leaves is not None else venue.cum_qty
                day = None if leaves is None else DAYS[m.day]
                return OrderRestate(BROKER, own, *terms, None, "restated", None, cum, leaves, at, day)
            case _:
                assert m.verb in ("books", "phone order"), m.verb
                return venue.books(self.desk.now)

    def _day_of(self, exec_id: str) -> TradingDay:
        made = next(m for m in self._as_written if m.verb.endswith("fill") and m.words[0] == exec_id)
        return DAYS[made.day]


def _new_order(m: Message) -> SubmitOrder:
    """Limit 55; `gtc`, `ioc`, `fok` behind the quantity say how long, `stop` at which price it awakens."""
    tif = next((TimeInForce[word.upper()] for word in m.words if word.upper() in TimeInForce.__members__), TimeInForce.DAY)
    if "stop" in m.words:
        stop = m.words[m.words.index("stop") + 1]
        return buy(SYMBOL, m.words[0], ord_type=OrdType.STOP_LIMIT, price="58", stop_px=stop, tif=tif, request_id="m1")
    return buy(SYMBOL, m.words[0], ord_type=OrdType.LIMIT, price="55", tif=tif, request_id="m1")
