"""FIX appendix D, group H: orders good till cancelled, over days and a split (4.2: D32 to D35; figures of D27 to D30)."""

from __future__ import annotations

from tests.matrices.runner import Case, check, every_way

TABLES = """
H.1.a GTC order, part-filled, renewed the next day, traded again
    new order 10000 gtc       | PENDING_NEW      | 10000 |     0 | 10000 |
    ack                       | NEW              | 10000 |     0 | 10000 |
    fill B 2000 @ 50          | PARTIALLY_FILLED | 10000 |  2000 |  8000 | 50
    (done for day)            | PARTIALLY_FILLED | 10000 |  2000 |  8000 | 50 | DONE_FOR_DAY: says what the clock says
    next day                  | PARTIALLY_FILLED | 10000 |  2000 |  8000 | 50
    restate 10000             | PARTIALLY_FILLED | 10000 |  2000 |  8000 | 50
    fill C 1000 @ 50          | PARTIALLY_FILLED | 10000 |  3000 |  7000 | 50

H.1.b GTC order, part-filled, a 2:1 split over night, traded to its end
    # The quantity traded before the split stays in the shares of its day: executions are facts, and only they move cum_qty.
    # What is open is believed as the broker says it. The shares that the split added to the position show as a difference
    # against the broker's books (a break), which a person accepts with the corporate action as reason.
    new order 10000 gtc       | PENDING_NEW      | 10000 |     0 | 10000 |
    ack                       | NEW              | 10000 |     0 | 10000 |
    fill B 2000 @ 50          | PARTIALLY_FILLED | 10000 |  2000 |  8000 | 50
    next day                  | PARTIALLY_FILLED | 10000 |  2000 |  8000 | 50
    restate 20000 @ 27.5 leaves 16000 | PARTIALLY_FILLED | 18000 |  2000 | 16000 | 50 | 20000, 4000 in new shares
    fill C 5000 @ 25          | PARTIALLY_FILLED | 18000 |  7000 | 11000 | | 9000 traded, counted in new shares
    fill D 11000 @ 25         | FILLED           | 18000 | 18000 |     0 | | 20000 traded, counted in new shares

H.1.c GTC order, part-filled, renewed, cancelled the next day
    new order 10000 gtc       | PENDING_NEW      | 10000 |     0 | 10000 |
    ack                       | NEW              | 10000 |     0 | 10000 |
    fill B 2000 @ 50          | PARTIALLY_FILLED | 10000 |  2000 |  8000 | 50
    next day                  | PARTIALLY_FILLED | 10000 |  2000 |  8000 | 50
    restate 10000             | PARTIALLY_FILLED | 10000 |  2000 |  8000 | 50
    cancel                    | PENDING_CANCEL   | 10000 |  2000 |  8000 |
    canceled                  | CANCELED         | 10000 |  2000 |     0 | 50

H.1.d GTC order, part-filled, renewed, replaced up while it trades
    new order 10000 gtc       | PENDING_NEW      | 10000 |     0 | 10000 |
    ack                       | NEW              | 10000 |     0 | 10000 |
    fill B 2000 @ 50          | PARTIALLY_FILLED | 10000 |  2000 |  8000 | 50
    next day                  | PARTIALLY_FILLED | 10000 |  2000 |  8000 | 50
    restate 10000             | PARTIALLY_FILLED | 10000 |  2000 |  8000 | 50
    replace 15000             | PENDING_REPLACE  | 10000 |  2000 |  8000 |
    fill C 1000 @ 50          | PENDING_REPLACE  | 10000 |  3000 |  7000 | 50
    replaced 1 15000          | PARTIALLY_FILLED | 15000 |  3000 | 12000 | 50
"""


@every_way(TABLES)
def test_an_order_over_days_is_one_order(case: Case) -> None:
    check(case)
