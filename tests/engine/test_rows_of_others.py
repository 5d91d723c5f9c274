"""One login may see several accounts: of what names another one nothing is booked, and nothing of it ends the engine."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from tests.engine.made import A, House, only, settle

from tradeloop.core.breaks import NOT_COMPARED
from tradeloop.core.checked import Distrusted, checked
from tradeloop.core.commands import ListInstruments
from tradeloop.core.events import AccountAdopted, BreakFound
from tradeloop.core.execution import exec_key
from tradeloop.core.inputs import Start
from tradeloop.core.reports import BrokerSnapshot, BrokerUp, ExecutionBust, ExecutionCorrect, HeldCash, HeldPosition
from tradeloop.core.types import (
    AccountID,
    Amount,
    Currency,
    ExecID,
    OrderID,
    OrdStatus,
    OrdType,
    Px,
    Qty,
    Side,
    Symbol,
)
from tradeloop.testing.builders import (
    ACCOUNT,
    BROKER,
    DAY,
    NOON,
    a_snapshot,
    an_execution,
    an_instrument,
    buy,
    their_order,
)
from tradeloop.testing.desk import Desk

OTHER = AccountID("U2")
LINE = their_order(None, A, Side.BUY, 100, OrdStatus.NEW, order_id=OrderID("z9"), price=Px(Decimal(9)))
HELD = HeldPosition(ACCOUNT, Symbol(A), Qty(Decimal(1)), Qty(Decimal(0)))
CASH = HeldCash(ACCOUNT, Currency("CNY"), Amount(Decimal(7)))
FILL = an_execution(None, A, Side.BUY, 100, "10", "u1")
ROWS = {"orders": LINE, "positions": HELD, "cash": CASH, "executions": FILL}


def showing(house: House, change: Callable[[BrokerSnapshot], BrokerSnapshot]) -> None:
    """From now on the broker's books are shown with this change."""
    books = house.venue.books
    house.venue.books = lambda: change(books())  # type: ignore[method-assign]


def beside(part: str, row: Any) -> Callable[[BrokerSnapshot], BrokerSnapshot]:
    return lambda look: msgspec.structs.replace(look, **{part: (*(getattr(look, part) or ()), row)})


@pytest.mark.parametrize("part", ROWS)
async def test_a_row_of_another_account_is_left_out_told_once_and_ends_nothing(part: str) -> None:
    house = House()
    engine = await house.open()
    showing(house, beside(part, msgspec.structs.replace(ROWS[part], account=OTHER)))
    await house.clock.forward(40)
    alert = only([alert for alert in house.alerts if alert.key.startswith("of-others:")])
    assert (alert.level, "(of 'U2')" in alert.text) == ("WARNING", True)
    assert not [alert for alert in house.alerts if alert.key.startswith("distrusted:")]
    assert house.on_disk(BreakFound) == []
    assert engine.state.held(ACCOUNT, Symbol(A)).is_flat
    await house.kill(engine)
    again = house.engine()
    await again.start()
    await house.clock.forward(5)
    assert again.state.is_ready("paper", ACCOUNT)
    await again.stop()


@pytest.mark.parametrize("part", ROWS)
def test_what_is_left_of_a_part_is_still_all_of_the_account(part: str) -> None:
    """Nothing of ours is missing, so what is not shown was not."""
    look = a_snapshot(executions_since=1)
    own = msgspec.structs.replace(look, **{part: (ROWS[part],)})
    both = msgspec.structs.replace(look, **{part: (ROWS[part], msgspec.structs.replace(ROWS[part], account=OTHER))})
    found = checked(both)
    assert isinstance(found, Distrusted)
    assert (found.reason, found.of_others) == ("", f"1 of the {part} (of 'U2')")
    assert found.rest == checked(own) == own


@pytest.mark.parametrize("part", ["orders", "positions", "cash"])
def test_a_row_that_names_no_account_makes_its_part_unknown(part: str) -> None:
    found = checked(msgspec.structs.replace(a_snapshot(), **{part: (msgspec.structs.replace(ROWS[part], account=""),)}))
    assert isinstance(found, Distrusted)
    assert "account of a row was empty" in found.reason
    assert getattr(found.rest, part) is None


@pytest.mark.parametrize("part", ["positions", "cash"])
async def test_two_rows_of_one_make_a_part_unknown_and_move_nothing(part: str) -> None:
    """CTP shows yesterday's and today's part of a position apart. Which adapter does not add them up is found."""
    house = House()
    engine = await house.open()
    showing(house, beside(part, ROWS[part]))
    if part == "positions":
        showing(house, beside(part, ROWS[part]))
    await house.clock.forward(40)
    alert = only([alert for alert in house.alerts if alert.key.startswith("distrusted:")])
    assert f"two rows of the {part} were of" in alert.text
    assert house.on_disk(BreakFound) == []
    await house.clock.forward(600)
    assert {found.kind for found in house.on_disk(BreakFound)} == {NOT_COMPARED}
    await engine.stop()


def test_two_rows_of_one_symbol_do_not_become_our_books() -> None:
    rows = tuple(msgspec.structs.replace(HELD, long_qty=Qty(Decimal(qty))) for qty in (3, 2))
    found = checked(msgspec.structs.replace(a_snapshot(), positions=rows))
    assert isinstance(found, Distrusted)
    assert isinstance(found.rest, BrokerSnapshot)
    desk = Desk()
    desk.give(Start(1, "t", "t1"), ListInstruments((an_instrument(A),)), BrokerUp(BROKER), found.rest)
    assert desk.of(AccountAdopted) == []


@pytest.mark.parametrize(
    "report",
    [
        msgspec.structs.replace(FILL, account=OTHER),
        ExecutionBust(BROKER, OTHER, DAY, FILL.exec_id, Side.BUY),
        ExecutionCorrect(BROKER, OTHER, DAY, FILL.exec_id, Side.BUY, Qty(Decimal(1)), Px(Decimal(1))),
    ],
)
async def test_a_fill_of_another_account_of_the_login_is_told_and_not_booked(report: Any) -> None:
    house = House()
    engine = await house.open()
    before = len(house.on_disk(object))
    engine.report(report)
    await settle()
    assert [(alert.level, alert.key.split(":")[0]) for alert in house.alerts] == [("WARNING", "of-others")]
    assert len(house.on_disk(object)) == before
    await engine.stop()


async def test_a_look_at_another_account_than_was_asked_of_is_not_believed() -> None:
    house = House()
    engine = await house.open()
    engine.report(a_snapshot(account=OTHER))
    await settle()
    assert "account was 'U2'; expected 'demo'" in only(house.alerts).text
    assert OTHER not in engine.state.accounts
    await engine.stop()


def test_a_fill_inside_the_books_that_is_booked_here_keeps_its_figures() -> None:
    """The books of an account may become ours twice: of what is known nothing is forgotten, so that it can be taken back."""
    desk = Desk().opened(an_instrument(A))
    order = desk.order(buy(A, 300, ord_type=OrdType.LIMIT, price="10.00"))
    fills = [an_execution(order.cl_ord_id, A, Side.BUY, 100, "10", f"e{n}", transact_at=NOON + n) for n in (1, 2)]
    desk.give(*fills)
    seen = tuple(exec_key(BROKER, ACCOUNT, DAY, x.exec_id, x.side) for x in fills)
    desk.state.execs.seen(seen[1])
    assert [known is not None and known.qty for known in map(desk.state.execs.get, seen)] == [100, 100]
    desk.give(ExecutionBust(BROKER, ACCOUNT, DAY, ExecID("e2"), Side.BUY))
    assert desk.state.held(ACCOUNT, Symbol(A)).long_qty == 100


def test_of_many_other_accounts_a_sentence_names_a_few() -> None:
    rows = tuple(msgspec.structs.replace(LINE, account=AccountID(f"U{n}")) for n in range(50))
    found = checked(a_snapshot(orders=rows))
    assert isinstance(found, Distrusted)
    assert found.of_others == "50 of the orders (of 'U0', 'U1', 'U2' and 47 more)"


@pytest.mark.parametrize(
    "change",
    [
        beside("orders", msgspec.structs.replace(LINE, cum_qty=None)),
        beside("orders", msgspec.structs.replace(LINE, order_qty=None)),
        beside("positions", msgspec.structs.replace(HELD, short_qty=None)),
        lambda look: msgspec.structs.replace(look, as_of=None),
        lambda look: msgspec.structs.replace(look, orders="none"),
    ],
)
async def test_a_look_without_a_figure_that_is_always_known_ends_nothing(
    change: Callable[[BrokerSnapshot], BrokerSnapshot],
) -> None:
    house = House()
    engine = await house.open()
    showing(house, change)
    await house.clock.forward(40)
    await settle()
    assert {alert.key for alert in house.alerts} == {"distrusted:BrokerSnapshot of broker 'paper'"}
    await engine.stop()
