"""FIX appendix D, group I: orders that trade at once or not at all (4.2: D36, D37). They end cancelled, not refused."""

from __future__ import annotations

from tests.matrices.runner import Case, check, every_way

TABLES = """
I.1.a Fill or kill, and it cannot be filled
    new order 10000 fok       | PENDING_NEW      | 10000 |     0 | 10000 |
    ack                       | NEW              | 10000 |     0 | 10000 |
    canceled                  | CANCELED         | 10000 |     0 |     0 |

I.1.a/unannounced The same without an acknowledgement
    new order 10000 fok       | PENDING_NEW      | 10000 |     0 | 10000 |
    canceled                  | CANCELED         | 10000 |     0 |     0 |

I.1.b Immediate or cancel, of which a part trades
    new order 10000 ioc       | PENDING_NEW      | 10000 |     0 | 10000 |
    ack                       | NEW              | 10000 |     0 | 10000 |
    fill B 1000 @ 50          | PARTIALLY_FILLED | 10000 |  1000 |  9000 | 50
    canceled                  | CANCELED         | 10000 |  1000 |     0 | 50

I.1.b/none Immediate or cancel, and nothing is there
    new order 10000 ioc       | PENDING_NEW      | 10000 |     0 | 10000 |
    ack                       | NEW              | 10000 |     0 | 10000 |
    canceled                  | CANCELED         | 10000 |     0 |     0 |
"""


@every_way(TABLES)
def test_what_cannot_trade_at_once_is_cancelled_and_not_refused(case: Case) -> None:
    check(case)
