"""FIX appendix D, group F: orders refused, for their id or because they are there already (4.2: D26 to D28)."""

from __future__ import annotations

from tests.matrices.runner import Case, check, every_way

TABLES = """
F.1.a A second order under the same id is refused; the first one is untouched
    new order 10000           | PENDING_NEW      | 10000 |     0 | 10000 |
    ack                       | NEW              | 10000 |     0 | 10000 |
    fill B 1000 @ 50          | PARTIALLY_FILLED | 10000 |  1000 |  9000 | 50
    reject of repeat          | PARTIALLY_FILLED | 10000 |  1000 |  9000 | 50

F.1.b The same id again, marked as a possible resend, is told how the first order stands; unmarked and other, it is refused
    # We never send an id twice; the answers to it come all the same, from gateways that do.
    new order 10000           | PENDING_NEW      | 10000 |     0 | 10000 |
    ack                       | NEW              | 10000 |     0 | 10000 |
    ack                       | NEW              | 10000 |     0 | 10000 | | the status of the first order, for the resend
    reject of repeat          | NEW              | 10000 |     0 | 10000 | | REJECTED is the second order, which is none of ours
    fill B 10000 @ 50         | FILLED           | 10000 | 10000 |     0 | 50

F.1.c Refused because it was given by word of mouth before [unverified]
    new order 10000           | PENDING_NEW      | 10000 |     0 | 10000 |
    reject                    | REJECTED         | 10000 |     0 |     0 |
"""


@every_way(TABLES)
def test_a_refused_repeat_leaves_the_first_order_as_it_was(case: Case) -> None:
    check(case)
