"""Books are compared account by account: a look at one lets no order of another leave."""

from __future__ import annotations

import msgspec
import pytest

from tradeloop.core.commands import CancelOrder, HaltTrading
from tradeloop.core.effects import RaiseAlert, SendCancel, SendOrder, TakeSnapshot
from tradeloop.core.events import BrokerReady
from tradeloop.core.halt import HaltTier
from tradeloop.core.inputs import TimerFired
from tradeloop.core.replies import OrderReply
from tradeloop.core.reports import BrokerDown, BrokerSnapshot, BrokerUp, SendOutcome
from tradeloop.core.risk.denied import Denied
from tradeloop.core.state import State
from tradeloop.core.types import AccountID, ClOrdID, OrdStatus, Side
from tradeloop.testing.builders import ACCOUNT, BROKER, a_quote, a_snapshot, an_instrument, sell, their_order
from tradeloop.testing.desk import Desk

MOUTAI = "600519.SH"
SECOND = AccountID("second")


def look(account: AccountID, at: int) -> BrokerSnapshot:
    """The broker's books of one account: a thousand shares, and nothing at work."""
    books = a_snapshot(cash=100_000, positions={MOUTAI: 1000}, as_of=at)
    assert books.positions is not None
    assert books.cash is not None
    return msgspec.structs.replace(
        books,
        account=account,
        positions=tuple(msgspec.structs.replace(each, account=account) for each in books.positions),
        cash=tuple(msgspec.structs.replace(each, account=account) for each in books.cash),
    )


def two_accounts() -> Desk:
    """Both have been compared."""
    desk = Desk().opened(an_instrument(), cash=100_000, positions={MOUTAI: 1000})
    desk.give(look(SECOND, desk.now))
    return desk


def reconnect(desk: Desk, *accounts: AccountID) -> None:
    """The session comes back, and these accounts are looked at."""
    desk.give(BrokerDown(BROKER, "line cut"))
    desk.wait(1)
    desk.give(BrokerUp(BROKER))
    desk.wait(0.5)
    for account in accounts:
        desk.give(look(account, desk.now))
    desk.give(a_quote(MOUTAI, at=desk.now))


def verdict(desk: Desk, account: AccountID) -> Denied | None:
    reply = desk.give(sell(MOUTAI, 100, account=account))
    assert isinstance(reply, OrderReply)
    return reply.denied


def test_an_account_sends_nothing_before_its_own_books_are_compared() -> None:
    desk = two_accounts()
    reconnect(desk, ACCOUNT)
    found = verdict(desk, SECOND)
    assert found is not None
    assert found.rule == "broker_ready"
    assert found.text.startswith(f"broker {BROKER} is not ready for account {SECOND} (connected, books not compared yet)")
    assert verdict(desk, ACCOUNT) is None
    desk.give(look(SECOND, desk.now))
    assert verdict(desk, SECOND) is None


def test_each_account_that_is_compared_is_a_fact_of_its_own() -> None:
    desk = two_accounts()
    assert [fact.account for fact in desk.of(BrokerReady)] == [ACCOUNT, SECOND]
    again = desk.state.pack()
    assert State.unpack(again).is_ready(BROKER, SECOND)
    assert State.unpack(again).pack() == again


def test_a_look_at_one_account_sends_no_staged_order_of_another() -> None:
    desk = two_accounts()
    order = desk.order(sell(MOUTAI, 100, account=SECOND))
    desk.give(SendOutcome(BROKER, order.cl_ord_id, "NOT_SENT", "no session"))
    reconnect(desk, ACCOUNT)
    sent = len(desk.of(SendOrder))
    desk.wait(5)
    desk.give(look(ACCOUNT, desk.now), a_quote(MOUTAI, at=desk.now))
    assert len(desk.of(SendOrder)) == sent
    desk.give(look(SECOND, desk.now))
    assert len(desk.of(SendOrder)) == sent + 1


def test_a_look_that_was_asked_for_before_another_account_was_compared_counts() -> None:
    """It was asked for in this session; which answer comes first does not matter."""
    desk = two_accounts()
    desk.give(BrokerDown(BROKER, "line cut"), BrokerUp(BROKER))
    asked = desk.now
    desk.wait(1)
    desk.give(look(ACCOUNT, desk.now), look(SECOND, asked))
    assert desk.state.not_compared(BROKER) == []


def test_the_account_that_is_missing_is_asked_for_again() -> None:
    desk = two_accounts()
    reconnect(desk, ACCOUNT)
    since = desk.state.links[BROKER].since
    desk.effects.clear()
    desk.give(TimerFired("unready", f"{BROKER}|{since}"))
    assert [each.account for each in desk.of(TakeSnapshot)] == [SECOND]
    desk.give(look(SECOND, desk.now))
    desk.effects.clear()
    desk.give(TimerFired("unready", f"{BROKER}|{since}"))
    assert desk.effects == []


def test_a_cancel_is_asked_for_again_when_the_account_of_its_order_is_compared() -> None:
    desk = two_accounts()
    order = desk.order(sell(MOUTAI, 100, account=SECOND))
    desk.ack(order)
    desk.give(CancelOrder(order.cl_ord_id, "ann", "enough"))
    desk.give(BrokerDown(BROKER, "line cut"), BrokerUp(BROKER))
    desk.wait(1)
    desk.effects.clear()
    desk.give(look(ACCOUNT, desk.now))
    assert desk.of(SendCancel) == []
    line = msgspec.structs.replace(their_order(order.cl_ord_id, MOUTAI, Side.SELL, 100, OrdStatus.NEW), account=SECOND)
    desk.give(msgspec.structs.replace(look(SECOND, desk.now), orders=(line,)))
    assert [each.cl_ord_id for each in desk.of(SendCancel)] == [order.cl_ord_id]


def test_a_halt_is_not_done_while_the_books_of_an_account_have_not_been_seen() -> None:
    desk = two_accounts()
    reconnect(desk, ACCOUNT)
    desk.give(HaltTrading(HaltTier.CANCEL_ALL, "ann", "enough"))
    assert not desk.state.halts[1].done
    desk.give(look(SECOND, desk.now), TimerFired("halt", "1"))
    assert desk.state.halts[1].done


def moved_to_another_account() -> tuple[Desk, ClOrdID]:
    """The configuration names another account at the same broker; an order of the one before is open."""
    desk = two_accounts()
    order = desk.order(sell(MOUTAI, 100))
    desk.ack(order)
    desk.around.accounts[BROKER] = SECOND
    desk.effects.clear()
    reconnect(desk, SECOND)
    return desk, order.cl_ord_id


def test_an_account_that_no_adapter_shows_is_said_to_be_so_once_and_asked_for_no_more() -> None:
    desk, _ = moved_to_another_account()
    since = desk.state.links[BROKER].since
    for _ in range(3):
        desk.wait(30)
        desk.give(TimerFired("unready", f"{BROKER}|{since}"))
    told = [alert.key for alert in desk.of(RaiseAlert) if alert.key.startswith(("not_ready", "no_adapter"))]
    assert told == [f"no_adapter:{BROKER}|{ACCOUNT}"]
    assert ACCOUNT not in [each.account for each in desk.of(TakeSnapshot)]


@pytest.mark.parametrize("tier", [HaltTier.CANCEL_ALL, HaltTier.FLATTEN])
def test_a_halt_names_what_an_account_out_of_reach_has_open_and_does_not_wait_for_it(tier: HaltTier) -> None:
    desk, cl_ord_id = moved_to_another_account()
    if tier is HaltTier.FLATTEN:
        desk.state.positions.pop(SECOND)
    desk.give(HaltTrading(tier, "ann", "enough"))
    found = desk.state.halts[1]
    assert found.done
    assert f"1 order out of reach, of accounts that no broker shows ({cl_ord_id})" in found.found
    done = [alert for alert in desk.of(RaiseAlert) if alert.key == "halt_done:1"]
    assert [alert.level for alert in done] == ["CRITICAL"]  # it may trade on, and nothing here ever takes it out
    assert desk.of(SendCancel) == []
