"""FIX appendix D, group J: executions corrected and taken back, also of orders that had ended (4.2: D38 to D41)."""

from __future__ import annotations

from tests.matrices.runner import Case, check, every_way

TABLES = """
J.1.a Filled, an execution is taken back, another one corrected, filled again, replaced up, corrected
    new order 10000           | PENDING_NEW      | 10000 |     0 | 10000 |
    ack                       | NEW              | 10000 |     0 | 10000 |
    fill B 1000 @ 50          | PARTIALLY_FILLED | 10000 |  1000 |  9000 | 50
    fill C 9000 @ 51          | FILLED           | 10000 | 10000 |     0 | 50.9
    bust B                    | PARTIALLY_FILLED | 10000 |  9000 |  1000 | 51
    correct C 9000 @ 52       | PARTIALLY_FILLED | 10000 |  9000 |  1000 | 52
    fill D 1000 @ 50          | FILLED           | 10000 | 10000 |     0 | 51.8
    replace 12000             | PENDING_REPLACE  | 10000 | 10000 |     0 |
    replaced 1 12000          | PARTIALLY_FILLED | 12000 | 10000 |  2000 | 51.8
    correct C 9500 @ 52       | PARTIALLY_FILLED | 12000 | 10500 |  1500 |

J.1.b Cancelled, then its execution is taken back, and a new one comes
    new order 10000           | PENDING_NEW      | 10000 |     0 | 10000 |
    ack                       | NEW              | 10000 |     0 | 10000 |
    fill B 5000 @ 50          | PARTIALLY_FILLED | 10000 |  5000 |  5000 | 50
    cancel                    | PENDING_CANCEL   | 10000 |  5000 |  5000 |
    canceled                  | CANCELED         | 10000 |  5000 |     0 | 50
    bust B                    | CANCELED         | 10000 |     0 |     0 |
    fill C 4000 @ 51          | CANCELED         | 10000 |  4000 |     0 | 51

J.1.c GTC order over two days, and the quantities of both days corrected
    new order 10000 gtc       | PENDING_NEW      | 10000 |     0 | 10000 |
    ack                       | NEW              | 10000 |     0 | 10000 |
    fill B 2000 @ 50          | PARTIALLY_FILLED | 10000 |  2000 |  8000 | 50
    (done for day)            | PARTIALLY_FILLED | 10000 |  2000 |  8000 | 50 | DONE_FOR_DAY
    next day                  | PARTIALLY_FILLED | 10000 |  2000 |  8000 | 50
    restate 10000             | PARTIALLY_FILLED | 10000 |  2000 |  8000 | 50
    fill E 1000 @ 50          | PARTIALLY_FILLED | 10000 |  3000 |  7000 | 50
    correct B 1500 @ 50       | PARTIALLY_FILLED | 10000 |  2500 |  7500 | 50
    correct E 500 @ 50        | PARTIALLY_FILLED | 10000 |  2000 |  8000 | 50

J.1.d Done for the day, then a correction and an execution taken back
    new order 10000           | PENDING_NEW      | 10000 |     0 | 10000 |
    ack                       | NEW              | 10000 |     0 | 10000 |
    fill B 5000 @ 50          | PARTIALLY_FILLED | 10000 |  5000 |  5000 | 50
    fill C 1000 @ 50          | PARTIALLY_FILLED | 10000 |  6000 |  4000 | 50
    expired                   | EXPIRED          | 10000 |  6000 |     0 | 50 | DONE_FOR_DAY
    correct B 4000 @ 51       | EXPIRED          | 10000 |  5000 |     0 | 50.8 | DONE_FOR_DAY
    bust C                    | EXPIRED          | 10000 |  4000 |     0 | 51 | DONE_FOR_DAY
"""


@every_way(TABLES)
def test_what_traded_may_fall_and_rise_again_in_every_standing(case: Case) -> None:
    check(case)
