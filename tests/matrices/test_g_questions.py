"""FIX appendix D, group G: questions about an order, and their answers (4.2: D29 to D31)."""

from __future__ import annotations

from tests.matrices.runner import Case, check, every_way

TABLES = """
G.1.a The status of an order is asked for, and the broker knows none
    # One look proves nothing: not found is not refused. Enough of them over long enough do, and it is sent again.
    new order 10000           | PENDING_NEW      | 10000 |     0 | 10000 |
    lost                      | UNKNOWN          | 10000 |     0 | 10000 |
    look without it           | UNKNOWN          | 10000 |     0 | 10000 | | REJECTED: FIX has no word for not knowing
    look without it           | UNKNOWN          | 10000 |     0 | 10000 | | REJECTED
    ! doubled                 | PENDING_NEW      | 10000 |     0 | 10000 | | the third look, for the first one was made twice
    ! crash after 1 2 3       | PENDING_NEW      | 10000 |     0 | 10000 | | the third look, for one follows every crash
    look without it           | PENDING_NEW      | 10000 |     0 | 10000 | | REJECTED
    ! swapped 2               | UNKNOWN          | 10000 |     0 | 10000 | | one was made before the order was lost: two count
    ack                       | NEW              | 10000 |     0 | 10000 |

G.1.b "Nothing done" in answer to a question
    new order 10000           | PENDING_NEW      | 10000 |     0 | 10000 |
    ack                       | NEW              | 10000 |     0 | 10000 |
    books                     | NEW              | 10000 |     0 | 10000 |

G.1.c The status is asked for all through the life of an order, and moves nothing
    new order 10000           | PENDING_NEW      | 10000 |     0 | 10000 |
    books                     | PENDING_NEW      | 10000 |     0 | 10000 |
    ack                       | NEW              | 10000 |     0 | 10000 |
    books                     | NEW              | 10000 |     0 | 10000 |
    fill B 2000 @ 50          | PARTIALLY_FILLED | 10000 |  2000 |  8000 | 50
    books                     | PARTIALLY_FILLED | 10000 |  2000 |  8000 | 50
    replace 12000             | PENDING_REPLACE  | 10000 |  2000 |  8000 |
    books                     | PENDING_REPLACE  | 10000 |  2000 |  8000 |
    replaced 1 12000          | PARTIALLY_FILLED | 12000 |  2000 | 10000 |
    fill C 10000 @ 50         | FILLED           | 12000 | 12000 |     0 | 50
    books                     | FILLED           | 12000 | 12000 |     0 | 50
"""


@every_way(TABLES)
def test_a_question_moves_no_order_and_not_found_is_not_refused(case: Case) -> None:
    check(case)
