"""`tradeloop orders --unknown`: since when nobody knows the fate of an order, until when it may still prove itself, what to do.

Such an order is never sent again, and its exposure stays reserved. While a process runs it is asked about all the time; past
`engine.unknown_alert_s` that is unlikely to help, and a person asks the broker and says what became of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tradeloop.cli import words
from tradeloop.cli.record import iso, plain_rows
from tradeloop.core.types import SECOND_NS

if TYPE_CHECKING:
    from rich.console import Console

    from tradeloop.config import Loaded
    from tradeloop.views.rows import OrderRow


@dataclass(frozen=True)
class Doubt:
    """An order of unknown fate, with its age and its deadline on the clock it lives by."""

    row: OrderRow
    age_ns: int
    deadline_at: int
    remedy: str

    def document(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            **plain_rows([self.row])[0],
            "unknown_for_s": self.age_ns // SECOND_NS,
            "deadline_at": self.deadline_at,
            "deadline_at_iso": iso(self.deadline_at),
            "remedy": self.remedy,
        }


async def doubts(loaded: Loaded, rows: Sequence[OrderRow]) -> list[Doubt]:
    """What is to be said of `rows`, all of unknown fate. A replay's age counts to the newest thing recorded in it."""
    from tradeloop.bootstrap import policy_of, read_past
    from tradeloop.cli.schema import lease_holder
    from tradeloop.engine.clock import WallClock

    past = await read_past(loaded)
    replayed = past.state.clock == "replay" and past.last_at is not None
    now = past.last_at if replayed and past.last_at is not None else WallClock().now()
    limit = policy_of(loaded, loaded.settings.feed.speed if replayed else 1.0).unknown_alert_ns
    traded = await lease_holder(loaded) is not None
    found = []
    for row in rows:
        assert row.unknown_at is not None
        age, deadline = max(0, now - row.unknown_at), row.unknown_at + limit
        found.append(Doubt(row, age, deadline, _remedy(row, due=age >= limit, traded=traded)))
    return found


def _remedy(row: OrderRow, *, due: bool, traded: bool) -> str:
    resolve = f"tradeloop orders resolve {row.id} --as NOT_SENT|CANCELED --reason …"
    if traded and not due:
        return f"wait: the broker is being asked; past the deadline ask it yourself, then `{resolve}`"
    asked = "" if traded else "let `tradeloop watch` ask the broker's books; if they do not tell, "
    return f"{asked}ask the broker what became of {row.id}, then `{resolve}`; fills come by themselves"


def show(out: Console, found: Sequence[Doubt]) -> None:
    """A table of them, and below it, in one piece so that it can be copied, what to do about each."""
    words.table(
        out,
        "Orders of unknown fate",
        ("order", "side", ">quantity", "symbol", ">filled", ">unknown for", "?deadline", "~why"),
        [
            (
                each.row.id,
                each.row.side,
                words.qty(each.row.qty),
                each.row.symbol,
                words.qty(each.row.cum_qty),
                words.age(each.age_ns),
                words.moment(each.deadline_at),
                each.row.error,
            )
            for each in found
        ],
    )
    for each in found:
        out.print(f"{each.row.symbol}: {each.remedy}", soft_wrap=True)
