"""FIX appendix D, group K: trading halts."""

from __future__ import annotations

from tests.matrices.runner import Case, check, every_way

TABLES = """
K.1.a Trading is halted; the order is reinstated [unverified]
    new order 10000           | PENDING_NEW      | 10000 |     0 | 10000 |
    ack                       | NEW              | 10000 |     0 | 10000 |
    fill B 1000 @ 50          | PARTIALLY_FILLED | 10000 |  1000 |  9000 | 50
    (suspended)               | PARTIALLY_FILLED | 10000 |  1000 |  9000 | 50 | SUSPENDED: the instrument is, not the order
    restate 10000             | PARTIALLY_FILLED | 10000 |  1000 |  9000 | 50
    fill C 9000 @ 50          | FILLED           | 10000 | 10000 |     0 | 50

K.1.b Trading is halted; the order is cancelled [unverified]
    new order 10000           | PENDING_NEW      | 10000 |     0 | 10000 |
    ack                       | NEW              | 10000 |     0 | 10000 |
    fill B 1000 @ 50          | PARTIALLY_FILLED | 10000 |  1000 |  9000 | 50
    (suspended)               | PARTIALLY_FILLED | 10000 |  1000 |  9000 | 50 | SUSPENDED
    canceled                  | CANCELED         | 10000 |  1000 |     0 | 50
"""


@every_way(TABLES)
def test_a_halt_is_the_instruments_and_the_order_stands_or_ends(case: Case) -> None:
    check(case)
