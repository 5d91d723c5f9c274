"""Worlds whose turns take several rows of the journal: durable together, lost together, judged together."""

from __future__ import annotations

from itertools import count

import pytest

from tradeloop.core import events as ev
from tradeloop.core.types import Qty
from tradeloop.journal import codec
from tradeloop.ports.journal import Batch
from tradeloop.testing.builders import NOON
from tradeloop.testing.world.life import World, collector_kept, row_events_of

SEED = next(seed for seed in count() if row_events_of(seed) == 1)


def lived(together: list[int]) -> World:
    """A world of small rows; `together` gets how many rows each commit had."""
    world = World(SEED)
    kept = world.disk.watch

    def watch(*rows: Batch) -> None:
        together.append(len(rows))
        kept(*rows)

    world.disk.watch = watch
    with collector_kept():
        assert world.live().violations == []
    return world


def test_a_world_of_small_rows_writes_many_turns_in_several() -> None:
    together: list[int] = []
    lived(together)
    assert sum(1 for rows in together if rows > 1) > 3


@pytest.mark.parametrize("whole", [True, False])
def test_a_decision_is_judged_when_it_is_whole(whole: bool) -> None:
    """Invariant 9: the fact that an order has traded too much may stand in the next row, and may not be missing."""
    judge = lived([]).judge
    fill = next(e for row in judge.rows for e in codec.decode(row.payload) if isinstance(e, ev.Traded))
    order = judge.shadow.orders.get(fill.cl_ord_id)
    assert order is not None
    judge._over[order.cl_ord_id] = None
    order.cum_qty = Qty(order.most_qty + 100)
    judge.shadow.orders.open[order.cl_ord_id] = order
    overfilled = ev.Overfilled(NOON, order.cl_ord_id, order.symbol, order.cum_qty)
    judge.rows_kept(*(_rows(judge.head, overfilled) if whole else ()))
    assert (9 in {broken.invariant for broken in judge.violations}) is not whole


def _rows(head: codec.Head, event: ev.Event) -> tuple[Batch, ...]:
    return (codec.seal(codec.encode([event]), count=1, after=head, epoch=99, appended_at=NOON),)
