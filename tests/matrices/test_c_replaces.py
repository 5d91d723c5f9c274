"""FIX appendix D, group C: replaces up, down, of the price, and of what has filled (4.2: D6 to D12)."""

from __future__ import annotations

from tests.matrices.runner import Case, check, every_way

TABLES = """
C.1.a Replace up of an order that has not traded
    new order 10000           | PENDING_NEW      | 10000 |     0 | 10000 |
    ack                       | NEW              | 10000 |     0 | 10000 |
    replace 11000             | PENDING_REPLACE  | 10000 |     0 | 10000 |
    (pending replace)         | PENDING_REPLACE  | 10000 |     0 | 10000 | | pending from when we ask, not from when we are told
    replaced 1 11000          | NEW              | 11000 |     0 | 11000 |
    fill B 1000 @ 50          | PARTIALLY_FILLED | 11000 |  1000 | 10000 | 50
    fill C 2000 @ 50          | PARTIALLY_FILLED | 11000 |  3000 |  8000 | 50

C.1.a/refused The same replace refused
    new order 10000           | PENDING_NEW      | 10000 |     0 | 10000 |
    ack                       | NEW              | 10000 |     0 | 10000 |
    replace 11000             | PENDING_REPLACE  | 10000 |     0 | 10000 |
    replace reject 1          | NEW              | 10000 |     0 | 10000 |

C.1.b Replace up of a part-filled order, a fill while it is pending
    new order 10000           | PENDING_NEW      | 10000 |     0 | 10000 |
    ack                       | NEW              | 10000 |     0 | 10000 |
    fill B 1000 @ 50          | PARTIALLY_FILLED | 10000 |  1000 |  9000 | 50
    replace 12000             | PENDING_REPLACE  | 10000 |  1000 |  9000 |
    fill C 100 @ 50           | PENDING_REPLACE  | 10000 |  1100 |  8900 | 50
    replaced 1 12000          | PARTIALLY_FILLED | 12000 |  1100 | 10900 |
    fill D 10900 @ 50         | FILLED           | 12000 | 12000 |     0 | 50

C.1.c Replace up of a filled order
    new order 10000           | PENDING_NEW      | 10000 |     0 | 10000 |
    ack                       | NEW              | 10000 |     0 | 10000 |
    fill B 10000 @ 50         | FILLED           | 10000 | 10000 |     0 | 50
    replace 12000             | PENDING_REPLACE  | 10000 | 10000 |     0 |
    replaced 1 12000          | PARTIALLY_FILLED | 12000 | 10000 |  2000 | 50
    fill C 2000 @ 50          | FILLED           | 12000 | 12000 |     0 | 50

C.1.c/refused The same replace refused: the order is filled as before
    new order 10000           | PENDING_NEW      | 10000 |     0 | 10000 |
    ack                       | NEW              | 10000 |     0 | 10000 |
    fill B 10000 @ 50         | FILLED           | 10000 | 10000 |     0 | 50
    replace 12000             | PENDING_REPLACE  | 10000 | 10000 |     0 |
    replace reject 1          | FILLED           | 10000 | 10000 |     0 | 50

C.2.a Replace of the price, refused because the order has filled
    new order 10000           | PENDING_NEW      | 10000 |     0 | 10000 |
    ack                       | NEW              | 10000 |     0 | 10000 |
    fill B 1000 @ 50          | PARTIALLY_FILLED | 10000 |  1000 |  9000 | 50
    replace 10000 @ 54        | PENDING_REPLACE  | 10000 |  1000 |  9000 |
    fill C 9000 @ 50          | PENDING_REPLACE  | 10000 | 10000 |     0 | 50 | FILLED: it passed our request on the wire
    ! swapped 4               | FILLED           | 10000 | 10000 |     0 | 50 | a new price for nothing is not asked for
    replace reject 1          | FILLED           | 10000 | 10000 |     0 | 50

C.3.a Replace down crosses with a fill; more is wanted than has traded; replaced, then filled
    new order 10000           | PENDING_NEW      | 10000 |     0 | 10000 |
    ack                       | NEW              | 10000 |     0 | 10000 |
    replace 8000              | PENDING_REPLACE  | 10000 |     0 | 10000 |
    fill B 1000 @ 50          | PENDING_REPLACE  | 10000 |  1000 |  9000 | 50 | PARTIALLY_FILLED: it crossed our request
    fill C 500 @ 50           | PENDING_REPLACE  | 10000 |  1500 |  8500 | 50
    replaced 1 8000           | PARTIALLY_FILLED |  8000 |  1500 |  6500 |
    fill D 6500 @ 50          | FILLED           |  8000 |  8000 |     0 | 50

C.3.b Replace down crosses with a fill; what is wanted has traded: the rest is taken out
    new order 10000           | PENDING_NEW      | 10000 |     0 | 10000 |
    ack                       | NEW              | 10000 |     0 | 10000 |
    replace 7000              | PENDING_REPLACE  | 10000 |     0 | 10000 |
    fill B 7000 @ 50          | PENDING_REPLACE  | 10000 |  7000 |  3000 | 50 | PARTIALLY_FILLED: it crossed our request
    replaced 1 7000           | FILLED           |  7000 |  7000 |     0 | 50

C.3.c Replace down crosses with a fill; less is wanted than has traded: amended to what has
    new order 10000           | PENDING_NEW      | 10000 |     0 | 10000 |
    ack                       | NEW              | 10000 |     0 | 10000 |
    replace 7000              | PENDING_REPLACE  | 10000 |     0 | 10000 |
    fill B 8000 @ 50          | PENDING_REPLACE  | 10000 |  8000 |  2000 | 50 | PARTIALLY_FILLED: it crossed our request
    replaced 1 8000           | FILLED           |  8000 |  8000 |     0 | 50
"""


@every_way(TABLES)
def test_terms_stay_in_force_until_others_are_and_fills_count_once(case: Case) -> None:
    check(case)
