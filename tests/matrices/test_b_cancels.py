"""FIX appendix D, group B: cancels, granted, refused and overtaken (4.2: D3 to D5)."""

from __future__ import annotations

from tests.matrices.runner import Case, check, every_way

TABLES = """
B.1.a Cancel of an order that has not traded
    new order 10000           | PENDING_NEW      | 10000 |     0 | 10000 |
    ack                       | NEW              | 10000 |     0 | 10000 |
    cancel                    | PENDING_CANCEL   | 10000 |     0 | 10000 |
    (pending cancel)          | PENDING_CANCEL   | 10000 |     0 | 10000 | | pending from when we ask, not from when we are told
    canceled                  | CANCELED         | 10000 |     0 |     0 |

B.1.a/refused The same cancel refused, by the desk or by the exchange
    new order 10000           | PENDING_NEW      | 10000 |     0 | 10000 |
    ack                       | NEW              | 10000 |     0 | 10000 |
    cancel                    | PENDING_CANCEL   | 10000 |     0 | 10000 |
    cancel reject             | NEW              | 10000 |     0 | 10000 |

B.1.b Cancel of a part-filled order, fills arrive while the cancel is pending
    new order 10000           | PENDING_NEW      | 10000 |     0 | 10000 |
    ack                       | NEW              | 10000 |     0 | 10000 |
    fill B 2000 @ 50          | PARTIALLY_FILLED | 10000 |  2000 |  8000 | 50
    cancel                    | PENDING_CANCEL   | 10000 |  2000 |  8000 |
    fill C 3000 @ 50          | PENDING_CANCEL   | 10000 |  5000 |  5000 | 50
    fill D 1000 @ 51          | PENDING_CANCEL   | 10000 |  6000 |  4000 |
    canceled                  | CANCELED         | 10000 |  6000 |     0 |

B.1.c Cancel of an order that fills before the cancel can be accepted
    new order 10000           | PENDING_NEW      | 10000 |     0 | 10000 |
    ack                       | NEW              | 10000 |     0 | 10000 |
    fill B 2000 @ 50          | PARTIALLY_FILLED | 10000 |  2000 |  8000 | 50
    cancel                    | PENDING_CANCEL   | 10000 |  2000 |  8000 |
    fill C 3000 @ 50          | PENDING_CANCEL   | 10000 |  5000 |  5000 | 50 | PARTIALLY_FILLED: it crossed our request
    fill D 5000 @ 50          | PENDING_CANCEL   | 10000 | 10000 |     0 | 50
    ! crash after 6           | FILLED           | 10000 | 10000 |     0 | 50 | the books after it show it filled
    cancel reject             | FILLED           | 10000 | 10000 |     0 | 50

B.1.d Cancel before the order is acknowledged [unverified]
    new order 10000           | PENDING_NEW      | 10000 |     0 | 10000 |
    cancel                    | PENDING_CANCEL   | 10000 |     0 | 10000 |
    canceled                  | CANCELED         | 10000 |     0 |     0 |

B.1.d/refused The same cancel refused because the order is not known yet [unverified]
    new order 10000           | PENDING_NEW      | 10000 |     0 | 10000 |
    cancel                    | PENDING_CANCEL   | 10000 |     0 | 10000 |
    cancel reject             | PENDING_NEW      | 10000 |     0 | 10000 |
    ack                       | NEW              | 10000 |     0 | 10000 |

B.1.e Cancel that crosses with the acknowledgement [unverified]
    new order 10000           | PENDING_NEW      | 10000 |     0 | 10000 |
    cancel                    | PENDING_CANCEL   | 10000 |     0 | 10000 |
    ack                       | PENDING_CANCEL   | 10000 |     0 | 10000 |
    canceled                  | CANCELED         | 10000 |     0 |     0 |

B.1.f A cancel for an order that nobody knows is refused; no order is made of it [unverified]
    new order 10000           | PENDING_NEW      | 10000 |     0 | 10000 |
    ack                       | NEW              | 10000 |     0 | 10000 |
    cancel reject of stranger | NEW              | 10000 |     0 | 10000 |
"""


@every_way(TABLES)
def test_a_cancel_ends_what_is_left_and_a_refused_one_ends_nothing(case: Case) -> None:
    check(case)
