"""The main contract (S4-49, S4-50): recorded by whom, and never left while something of it is held or worked."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tradeloop.core.commands import AcknowledgeAlert, CancelOrder, SwitchMainContract
from tradeloop.core.errors import BadInput, Conflicts
from tradeloop.core.events import AlertAcknowledged, MainContractSwitched
from tradeloop.core.known import refuse
from tradeloop.core.replies import Done
from tradeloop.core.reports import CancelAck
from tradeloop.core.state import State
from tradeloop.core.types import OrdType, Px, Symbol
from tradeloop.testing.builders import BROKER, an_instrument, buy
from tradeloop.testing.desk import Desk

OLD, NEW = Symbol("600519.SH"), Symbol("000001.SZ")


def a_desk(**books: object) -> Desk:
    """Two instruments, and the first is the main contract."""
    desk = Desk().opened(an_instrument(OLD), an_instrument(NEW), **books)  # type: ignore[arg-type]
    desk.give(SwitchMainContract(OLD, "ann", "it begins"))
    return desk


def test_a_switch_is_a_fact_with_who_and_why() -> None:
    desk = a_desk()
    reply = desk.give(SwitchMainContract(NEW, "bob", "the month rolls"))
    assert desk.events[-1] == MainContractSwitched(desk.now, NEW, OLD, "bob", "the month rolls")
    assert desk.state.main == desk.events[-1]
    assert isinstance(reply, Done)
    assert reply.text == f"{NEW} is the main contract now, and {OLD} is it no more"


def test_the_same_once_more_changes_nothing() -> None:
    desk = a_desk()
    before = desk.state.pack()
    reply = desk.give(SwitchMainContract(OLD, "bob"))
    assert isinstance(reply, Done)
    assert "already" in reply.text
    assert desk.state.pack() == before


def test_it_is_refused_while_something_of_it_is_held() -> None:
    desk = a_desk(positions={OLD: 300})
    with pytest.raises(Conflicts, match=r"300 long of 600519\.SH is held"):
        desk.give(SwitchMainContract(NEW, "bob"))
    with pytest.raises(Conflicts):
        refuse(desk.state, SwitchMainContract(NEW, "bob"))
    assert desk.state.main is not None
    assert desk.state.main.symbol == OLD


def test_it_is_refused_while_an_order_works_in_it_and_not_after_its_end() -> None:
    desk = a_desk()
    order = desk.order(buy(OLD, 100, ord_type=OrdType.LIMIT, price=Px(Decimal("9.00"))))
    with pytest.raises(Conflicts, match=f"order {order.cl_ord_id} works in 600519.SH"):
        desk.give(SwitchMainContract(NEW, "bob"))
    desk.give(CancelOrder(order.cl_ord_id, "bob"))
    with pytest.raises(Conflicts):
        desk.give(SwitchMainContract(NEW, "bob"))
    desk.give(CancelAck(BROKER, order.cl_ord_id, cum_qty=order.cum_qty))
    desk.give(SwitchMainContract(NEW, "bob"))
    assert desk.state.main is not None
    assert desk.state.main.symbol == NEW


def test_what_is_held_of_another_keeps_nobody() -> None:
    desk = a_desk(positions={NEW: 300})
    desk.give(SwitchMainContract(NEW, "bob"))
    assert desk.state.main is not None
    assert desk.state.main.symbol == NEW


@pytest.mark.parametrize("command", [SwitchMainContract(Symbol("AU2512.SHFE"), "bob"), SwitchMainContract(NEW, "  ")])
def test_what_is_not_listed_or_asked_by_nobody_is_refused(command: SwitchMainContract) -> None:
    desk = a_desk()
    with pytest.raises(BadInput, match=r"expected one that is|by was empty"):
        desk.give(command)


def test_a_snapshot_has_it() -> None:
    desk = a_desk()
    again = State.unpack(desk.state.pack())
    assert again.main == desk.state.main
    assert again.hash() == desk.state.hash()


def test_to_have_seen_an_alert_is_a_fact_that_changes_nothing() -> None:
    desk = a_desk()
    before, seq = desk.state.pack(), desk.state.seq
    desk.give(AcknowledgeAlert("halt:1", "ann", "I look"))
    assert desk.events[-1] == AlertAcknowledged(desk.now, "halt:1", "ann", "I look")
    desk.state.seq = seq
    assert desk.state.pack() == before
    with pytest.raises(BadInput, match="by its id and by somebody"):
        desk.give(AcknowledgeAlert("halt:1", " "))
