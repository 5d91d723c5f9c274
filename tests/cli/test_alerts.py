"""What is told of an order whose fate was in doubt: the last line about it is the true one."""

from __future__ import annotations

from pathlib import Path

from tests.cli.commands import tradeloop
from tests.cli.test_interrupts import broker_away
from tests.cli.test_orders import faults, submit


def test_an_order_that_surely_was_not_sent_is_not_also_said_to_be_of_unknown_fate(tmp_path: Path) -> None:
    """The session breaks at the send, and a moment later it is known that nothing left: one thing is said, and it is true."""
    broker_away(tmp_path, ready_within_s="1")
    said = tradeloop(tmp_path, "orders", "submit", "AIG", "buy", "10", "--feed", "demo", "--speed", "30")
    assert said.code == 1
    assert "is unknown" not in said.err
    assert "surely was not sent yet" in said.error


def test_a_doubted_fate_is_told_at_each_level_and_taken_back_when_it_is_settled(tmp_path: Path) -> None:
    """Unknown, unknown for long, settled: the second alert says what the first could not, and the last line is the true one."""
    faults(tmp_path, "[request_lost:1]")
    said = submit(tmp_path, "BAC.US", "buy", "100")
    assert said.code == 0, said.err
    order = said.document["order"]["id"]
    about = [line for line in said.err.splitlines() if order in line and line.partition(":")[0] != "fill"]
    assert [line.partition(":")[0] for line in about] == ["warning", "critical", "settled"]
