"""FIX appendix D, group D: replaces one after another, and one upon another (4.2: D13 to D19)."""

from __future__ import annotations

from tests.matrices.runner import Case, check, every_way

TABLES = """
D.1.a One replace is accepted, and then another one
    new order 10000           | PENDING_NEW      | 10000 |     0 | 10000 |
    ack                       | NEW              | 10000 |     0 | 10000 |
    fill B 1000 @ 50          | PARTIALLY_FILLED | 10000 |  1000 |  9000 | 50
    replace 8000              | PENDING_REPLACE  | 10000 |  1000 |  9000 |
    replaced 1 8000           | PARTIALLY_FILLED |  8000 |  1000 |  7000 |
    fill C 2000 @ 50          | PARTIALLY_FILLED |  8000 |  3000 |  5000 | 50
    replace 6000              | PENDING_REPLACE  |  8000 |  3000 |  5000 |
    fill D 500 @ 50           | PENDING_REPLACE  |  8000 |  3500 |  4500 | 50
    replaced 2 6000           | PARTIALLY_FILLED |  6000 |  3500 |  2500 |
    fill E 2500 @ 50          | FILLED           |  6000 |  6000 |     0 | 50

D.1.b One replace is refused before it is pending at the broker, then another one is accepted
    new order 10000           | PENDING_NEW      | 10000 |     0 | 10000 |
    ack                       | NEW              | 10000 |     0 | 10000 |
    fill B 1000 @ 50          | PARTIALLY_FILLED | 10000 |  1000 |  9000 | 50
    replace 8000              | PENDING_REPLACE  | 10000 |  1000 |  9000 |
    replace reject 1          | PARTIALLY_FILLED | 10000 |  1000 |  9000 |
    replace 7000              | PENDING_REPLACE  | 10000 |  1000 |  9000 |
    replaced 2 7000           | PARTIALLY_FILLED |  7000 |  1000 |  6000 |
    fill C 6000 @ 50          | FILLED           |  7000 |  7000 |     0 | 50

D.1.c One replace is refused after it was pending at the broker, then another one is accepted
    new order 10000           | PENDING_NEW      | 10000 |     0 | 10000 |
    ack                       | NEW              | 10000 |     0 | 10000 |
    fill B 1000 @ 50          | PARTIALLY_FILLED | 10000 |  1000 |  9000 | 50
    replace 8000              | PENDING_REPLACE  | 10000 |  1000 |  9000 |
    (pending replace)         | PENDING_REPLACE  | 10000 |  1000 |  9000 |
    fill C 500 @ 50           | PENDING_REPLACE  | 10000 |  1500 |  8500 | 50
    replace reject 1          | PARTIALLY_FILLED | 10000 |  1500 |  8500 |
    replace 7000              | PENDING_REPLACE  | 10000 |  1500 |  8500 |
    replaced 2 7000           | PARTIALLY_FILLED |  7000 |  1500 |  5500 |
    fill D 5500 @ 50          | FILLED           |  7000 |  7000 |     0 | 50

D.2.a One replace right after another, the broker takes them in turn
    new order 10000           | PENDING_NEW      | 10000 |     0 | 10000 |
    ack                       | NEW              | 10000 |     0 | 10000 |
    fill B 1000 @ 50          | PARTIALLY_FILLED | 10000 |  1000 |  9000 | 50
    replace 8000              | PENDING_REPLACE  | 10000 |  1000 |  9000 |
    replace 7000              | PENDING_REPLACE  | 10000 |  1000 |  9000 |
    replaced 1 8000           | PENDING_REPLACE  |  8000 |  1000 |  7000 | | PARTIALLY_FILLED: it has not seen our second
    fill C 2000 @ 50          | PENDING_REPLACE  |  8000 |  3000 |  5000 | 50 | PARTIALLY_FILLED, for the same reason
    replaced 2 7000           | PARTIALLY_FILLED |  7000 |  3000 |  4000 |
    fill D 4000 @ 50          | FILLED           |  7000 |  7000 |     0 | 50

D.2.b One replace right after another, both are pending before either is done
    new order 10000           | PENDING_NEW      | 10000 |     0 | 10000 |
    ack                       | NEW              | 10000 |     0 | 10000 |
    fill B 1000 @ 50          | PARTIALLY_FILLED | 10000 |  1000 |  9000 | 50
    replace 8000              | PENDING_REPLACE  | 10000 |  1000 |  9000 |
    replace 7000              | PENDING_REPLACE  | 10000 |  1000 |  9000 |
    (pending replace of both) | PENDING_REPLACE  | 10000 |  1000 |  9000 | | 8000, 7000 left: ours change when replaced
    replaced 1 8000           | PENDING_REPLACE  |  8000 |  1000 |  7000 |
    replaced 2 7000           | PARTIALLY_FILLED |  7000 |  1000 |  6000 |
    fill C 6000 @ 50          | FILLED           |  7000 |  7000 |     0 | 50

D.2.c One replace right after another, both are refused
    new order 10000           | PENDING_NEW      | 10000 |     0 | 10000 |
    ack                       | NEW              | 10000 |     0 | 10000 |
    fill B 1000 @ 50          | PARTIALLY_FILLED | 10000 |  1000 |  9000 | 50
    replace 8000              | PENDING_REPLACE  | 10000 |  1000 |  9000 |
    replace 7000              | PENDING_REPLACE  | 10000 |  1000 |  9000 |
    replace reject 1          | PENDING_REPLACE  | 10000 |  1000 |  9000 | | PARTIALLY_FILLED: our second has no answer yet
    replace reject 2          | PARTIALLY_FILLED | 10000 |  1000 |  9000 |
    fill C 9000 @ 50          | FILLED           | 10000 | 10000 |     0 | 50

D.2.d One replace right after another, the second is refused because the first is pending
    new order 10000           | PENDING_NEW      | 10000 |     0 | 10000 |
    ack                       | NEW              | 10000 |     0 | 10000 |
    fill B 1000 @ 50          | PARTIALLY_FILLED | 10000 |  1000 |  9000 | 50
    replace 8000              | PENDING_REPLACE  | 10000 |  1000 |  9000 |
    replace 7000              | PENDING_REPLACE  | 10000 |  1000 |  9000 |
    replace reject 2          | PENDING_REPLACE  | 10000 |  1000 |  9000 |
    replaced 1 8000           | PARTIALLY_FILLED |  8000 |  1000 |  7000 |
    fill C 2000 @ 50          | PARTIALLY_FILLED |  8000 |  3000 |  5000 | 50
"""


@every_way(TABLES)
def test_each_replace_has_its_own_answer_and_a_refusal_leaves_the_others(case: Case) -> None:
    check(case)
