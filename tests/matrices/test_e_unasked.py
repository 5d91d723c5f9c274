"""FIX appendix D, group E: what a broker does without being asked, and stops (4.2: D20 to D25)."""

from __future__ import annotations

from tests.matrices.runner import Case, check, every_way

TABLES = """
E.1.a An order telephoned to the broker
    phone order 10000         | NEW              | 10000 |     0 | 10000 |
    phone fill B 3000 @ 50    | PARTIALLY_FILLED | 10000 |  3000 |  7000 | 50
    phone fill C 7000 @ 50    | FILLED           | 10000 | 10000 |     0 | 50

E.1.b Unsolicited cancel of a part-filled order
    new order 10000           | PENDING_NEW      | 10000 |     0 | 10000 |
    ack                       | NEW              | 10000 |     0 | 10000 |
    fill B 1000 @ 50          | PARTIALLY_FILLED | 10000 |  1000 |  9000 | 50
    canceled                  | CANCELED         | 10000 |  1000 |     0 | 50

E.1.c Unsolicited replace of a part-filled order
    new order 10000           | PENDING_NEW      | 10000 |     0 | 10000 |
    ack                       | NEW              | 10000 |     0 | 10000 |
    fill B 1000 @ 50          | PARTIALLY_FILLED | 10000 |  1000 |  9000 | 50
    restate 8000 @ 54         | PARTIALLY_FILLED |  8000 |  1000 |  7000 | 50
    fill C 7000 @ 50          | FILLED           |  8000 |  8000 |     0 | 50

E.1.d Unsolicited reduction of the quantity
    new order 10000           | PENDING_NEW      | 10000 |     0 | 10000 |
    ack                       | NEW              | 10000 |     0 | 10000 |
    fill B 1000 @ 50          | PARTIALLY_FILLED | 10000 |  1000 |  9000 | 50
    restate 9000              | PARTIALLY_FILLED |  9000 |  1000 |  8000 | 50
    fill C 8000 @ 50          | FILLED           |  9000 |  9000 |     0 | 50

E.1.e Unsolicited cancel of an order that was not the best
    new order 10000           | PENDING_NEW      | 10000 |     0 | 10000 |
    ack                       | NEW              | 10000 |     0 | 10000 |
    fill B 5000 @ 50          | PARTIALLY_FILLED | 10000 |  5000 |  5000 | 50
    canceled                  | CANCELED         | 10000 |  5000 |     0 | 50

E.1.f A stop is held, awakens and trades
    # The engine holds it where the venue does not: it has not been sent before it awakens.
    new order 10000 stop 57   | STAGED           | 10000 |     0 | 10000 | | NEW: the exchange holds it there, we hold it here
    quote 57                  | PENDING_NEW      | 10000 |     0 | 10000 | | TRIGGERED is an ExecType, no status
    ack                       | NEW              | 10000 |     0 | 10000 |
    fill B 10000 @ 57         | FILLED           | 10000 | 10000 |     0 | 57
"""


@every_way(TABLES)
def test_what_the_broker_does_alone_is_believed_as_it_says_it(case: Case) -> None:
    check(case)
