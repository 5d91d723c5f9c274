"""FIX appendix D, group A: orders that trade and are left alone (4.2: D1, D2)."""

from __future__ import annotations

from tests.matrices.runner import Case, check, every_way

TABLES = """
A.1.a Filled order, in three parts
    new order 10000           | PENDING_NEW      | 10000 |     0 | 10000 |
    ack                       | NEW              | 10000 |     0 | 10000 |
    fill B 2000 @ 50          | PARTIALLY_FILLED | 10000 |  2000 |  8000 | 50
    fill C 1000 @ 51          | PARTIALLY_FILLED | 10000 |  3000 |  7000 |
    fill D 7000 @ 50          | FILLED           | 10000 | 10000 |     0 | 50.1

A.1.a/rejected The same order refused at once
    new order 10000           | PENDING_NEW      | 10000 |     0 | 10000 |
    reject                    | REJECTED         | 10000 |     0 |     0 |

A.1.b Part-filled day order, done for the day
    new order 10000           | PENDING_NEW      | 10000 |     0 | 10000 |
    ack                       | NEW              | 10000 |     0 | 10000 |
    fill B 2000 @ 50          | PARTIALLY_FILLED | 10000 |  2000 |  8000 | 50
    fill C 1000 @ 50          | PARTIALLY_FILLED | 10000 |  3000 |  7000 | 50
    expired                   | EXPIRED          | 10000 |  3000 |     0 | 50 | DONE_FOR_DAY: nothing is left of a day order
"""


@every_way(TABLES)
def test_an_order_that_trades_stands_where_its_executions_put_it(case: Case) -> None:
    check(case)
