"""What a halt is said to have come to before the broker was heard: a new process knows no more than the one before it did."""

from __future__ import annotations

from tests.core.test_conduct_restart import restarted
from tests.core.test_halt import MOUTAI, a_desk, halt, works

from tradeloop.core.effects import RaiseAlert
from tradeloop.core.events import HaltChecked
from tradeloop.core.halt import HaltTier
from tradeloop.core.inputs import TimerFired
from tradeloop.core.reports import BrokerDown, BrokerUp, CancelAck
from tradeloop.testing.builders import BROKER, a_quote, a_snapshot
from tradeloop.testing.desk import Desk


def looks(desk: Desk, after: float = 1) -> None:
    desk.wait(after)
    desk.give(a_quote(MOUTAI, at=desk.now), TimerFired("halt", "1"))


def alerts(desk: Desk) -> list[str]:
    return [alert.text for alert in desk.of(RaiseAlert) if "not at its end" in alert.text]


def a_halt(*, done: bool) -> Desk:
    """A halt of a minute ago, and a process that has just begun."""
    desk = a_desk()
    order = works(desk)
    halt(desk, HaltTier.CANCEL_ALL)
    if done:
        desk.give(CancelAck(BROKER, order.cl_ord_id))
    looks(desk, after=60)
    assert desk.state.halts[1].done is done
    desk.wait(1)
    return restarted(desk)


def heard(desk: Desk) -> None:
    desk.give(BrokerUp(BROKER))
    looks(desk)
    desk.give(a_snapshot(as_of=desk.now))
    looks(desk)


def test_a_halt_that_was_done_stays_so_until_somebody_says_otherwise() -> None:
    desk = a_halt(done=True)
    known = len(desk.of(HaltChecked))
    for _ in range(20):
        looks(desk)
    heard(desk)
    assert (desk.of(HaltChecked)[known:], alerts(desk)) == ([], [])
    assert desk.state.halts[1].done


def test_a_halt_that_is_not_done_is_told_once_the_broker_is_heard() -> None:
    desk = a_halt(done=False)
    looks(desk)
    assert alerts(desk) == []
    heard(desk)
    assert alerts(desk) == [
        "halt 1 (CANCEL_ALL of everything) is not at its end: 1 open order left; it goes on trying, ask the broker"
    ]


def test_a_broker_that_is_not_heard_for_long_keeps_no_open_halt_silent() -> None:
    desk = a_halt(done=False)
    looks(desk, after=11)
    assert "books of paper not seen" in alerts(desk)[0]


def test_a_broker_that_goes_is_a_word_against_a_halt_that_was_done() -> None:
    desk = a_halt(done=True)
    desk.give(BrokerUp(BROKER), BrokerDown(BROKER, "the line is cut"))
    looks(desk)
    assert "books of paper not seen" in alerts(desk)[0]
    assert not desk.state.halts[1].done
