"""The runner itself: what goes wrong in the middle of a table and is right again at its end is found, in every way."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import msgspec
import pytest
from tests.matrices import test_a_executions, test_b_cancels
from tests.matrices.runner import Case, Play, cases, check, steps
from tests.matrices.table import Message, scenarios
from typing_extensions import override

from tradeloop.core.reports import Execution, ExecutionBust
from tradeloop.core.types import ExecID, OrdStatus
from tradeloop.testing.builders import ACCOUNT, BROKER


class Mends(Play, ABC):
    """Books what it should not have, and takes it back with the next message, or with the end of the table."""

    def __init__(self, as_written: Sequence[Message]) -> None:
        super().__init__(as_written)
        self.wrong: list[Execution] = []
        self.last = ""
        self.before: Message | None = None
        self.left = 0

    @override
    def take(self, message: Message) -> None:
        self.mend()
        super().take(message)
        self.go_wrong(message)
        self.before = message

    def mend(self) -> None:
        for x in self.wrong:
            self.desk.give(ExecutionBust(BROKER, ACCOUNT, x.trading_day, x.exec_id, x.side))
        self.wrong = []

    @abstractmethod
    def go_wrong(self, message: Message) -> None:
        """What this player does that it should not."""

    def book(self, message: Message) -> None:
        """A fill that is known, under a name of its own."""
        made = self._before(message).execution(message, self.cl_ord_id)
        self.wrong.append(msgspec.structs.replace(made, exec_id=ExecID(f"{made.exec_id} again")))
        self.desk.give(self.wrong[-1])


class CountsARepeat(Mends):
    """A repeated fill counts until the next message comes."""

    @override
    def go_wrong(self, message: Message) -> None:
        if message is self.before and message.verb == "fill":
            self.book(message)


class CountsTheFillBeforeACrashTwice(Mends):
    @override
    def go_wrong(self, message: Message) -> None:
        pass

    @override
    def crash(self, said: Sequence[Message]) -> None:
        super().crash(said)
        if said[-1].verb == "fill":
            self.book(said[-1])


class CountsAFillThatWasOvertaken(Mends):
    @override
    def go_wrong(self, message: Message) -> None:
        if self.before is not None and self.before.place > message.place and message.verb == "fill":
            self.book(message)


A_1_A = [case for case in cases(test_a_executions.TABLES) if case.scenario.name == "A.1.a"]


@pytest.mark.parametrize(
    ("way", "at", "kind", "where"),
    [
        ("doubled", 0, CountsARepeat, "fill B 2000 @ 50"),
        ("crash after", 3, CountsTheFillBeforeACrashTwice, "fill B 2000 @ 50"),
        ("swapped", 3, CountsAFillThatWasOvertaken, "fill B 2000 @ 50"),
    ],
)
def test_what_is_wrong_for_one_message_is_found_though_the_end_is_right(
    way: str, at: int, kind: type[Mends], where: str
) -> None:
    (case,) = [each for each in A_1_A if (each.way, each.at) == (way, at)]
    with pytest.raises(AssertionError, match=f"{case}, after '{where}'"):
        check(case, kind)
    assert ends_right(case, kind)
    check(case)


def ends_right(case: Case, kind: type[Mends]) -> bool:
    """What alone was looked at once: where the order stands at the end, and what cash and shares then are."""
    end = kind(case.scenario.messages)
    for message, _ in steps(case):
        end.take(message)
        if case.way == "crash after" and message is case.scenario.messages[case.at - 1]:
            end.crash(case.scenario.messages[: case.at])
    end.mend()
    then = case.scenario.rows[-1].then
    return end.standing(then) == then


def test_every_row_is_asked_about_in_every_way() -> None:
    for case in cases(test_b_cancels.TABLES):
        asked = [then for _, then in steps(case) if then is not None]
        rows = len(case.scenario.messages)
        assert len(asked) == {"doubled": 2 * rows, "swapped": rows - 1}.get(case.way, rows)


def test_a_table_may_not_end_elsewhere_in_another_way() -> None:
    with pytest.raises(AssertionError, match="ends elsewhere"):
        cases(ONE_LINE + "    ! doubled | NEW | 1 | 0 | 1 | | because")


def test_another_way_is_told_with_its_reason() -> None:
    with pytest.raises(AssertionError, match="says not why"):
        scenarios(ONE_LINE + "    ! doubled | NEW | 1 | 0 | 1 |")


def test_another_way_is_one_that_is_played_and_leads_elsewhere() -> None:
    behind = "    ack | NEW | 1 | 0 | 1 |"
    with pytest.raises(AssertionError, match="a way that is not played"):
        cases(ONE_LINE + f"    ! swapped 1 | NEW | 1 | 0 | 1 | | because\n{behind}")
    with pytest.raises(AssertionError, match="is what the plain order comes to"):
        scenarios(ONE_LINE + "    ! doubled | PENDING_NEW | 1 | 0 | 1 | | because")


def test_a_line_in_brackets_changes_nothing() -> None:
    with pytest.raises(AssertionError, match="is no message to us"):
        scenarios(ONE_LINE + "    (pending cancel) | PENDING_CANCEL | 1 | 0 | 1 |")


def test_an_order_on_its_way_is_unknown_after_a_crash_and_one_that_is_held_is_not() -> None:
    (case,) = [c for c in cases(ONE_LINE) if c.way == "crash after"]
    assert [then.ord_status for _, then in steps(case) if then] == [OrdStatus.UNKNOWN]
    held = "T.1 A stop\n    new order 1 stop 9 | STAGED | 1 | 0 | 1 |\n    quote 9 | PENDING_NEW | 1 | 0 | 1 |"
    (case,) = [c for c in cases(held) if (c.way, c.at) == ("crash after", 1)]
    assert [then.ord_status for _, then in steps(case) if then] == [OrdStatus.STAGED, OrdStatus.PENDING_NEW]


ONE_LINE = "T.1 One order\n    new order 1 | PENDING_NEW | 1 | 0 | 1 |\n"
