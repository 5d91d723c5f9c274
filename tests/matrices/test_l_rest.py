"""FIX appendix D, group L: guarantees of execution, and orders for an amount of money."""

from __future__ import annotations

from tests.matrices.runner import Case, check, every_way

TABLES = """
L.1.a An execution is guaranteed, and then made at a better price
    new order 10000           | PENDING_NEW      | 10000 |     0 | 10000 |
    ack                       | NEW              | 10000 |     0 | 10000 |
    (stopped: 1000 at 50.1)   | NEW              | 10000 |     0 | 10000 | | STOPPED: a promise is no execution
    fill B 1000 @ 50          | PARTIALLY_FILLED | 10000 |  1000 |  9000 | 50 | STOPPED

L.1.b An order for an amount of money, of which the broker makes a quantity [unverified]
    # We send quantities alone; a broker that works by amount says what it made of it, and again when it is used up.
    new order 200             | PENDING_NEW      |   200 |     0 |   200 |
    ack                       | NEW              |   200 |     0 |   200 |
    fill B 100 @ 50           | PARTIALLY_FILLED |   200 |   100 |   100 | 50
    restate 190               | PARTIALLY_FILLED |   190 |   100 |    90 | 50
    fill C 90 @ 55            | FILLED           |   190 |   190 |     0 |
"""


@every_way(TABLES)
def test_only_executions_move_quantities(case: Case) -> None:
    check(case)
