"""Cases of the rules of frequency."""

from __future__ import annotations

from typing import Final

from tests.core.risk.capital_cases import fill_all
from tests.core.risk.cases import BANK, Case, a_limit, buys

from tradeloop.core.commands import CancelOrder
from tradeloop.testing.desk import Desk


def cancel_all(desk: Desk) -> None:
    """Every open order is cancelled by hand, and the broker says nothing yet."""
    for cl_ord_id, order in list(desk.state.orders.open.items()):
        if order.cancel_requested_at is None:
            desk.give(CancelOrder(cl_ord_id, "ann"))


_TWO = [buys(100), buys(100, BANK)]
_THREE = [*_TWO, buys(100)]
_FOUR = [*_THREE, buys(100, BANK)]

CASES: Final = (
    *(
        Case(
            limit=a_limit(rule, 3),
            below=_TWO,
            at=_THREE,
            beyond=_FOUR,
            figures=("3", "3", "1"),
            together=None,
            alone_only="see `beyond`: the first three pass, and the fourth beside them does not",
            done=done,
        )
        for rule, done in (
            ("max_requests_per_second", lambda desk: None),
            ("max_requests_per_minute", lambda desk: None),
            ("max_requests_per_day", lambda desk: None),
            ("max_orders_per_day", lambda desk: None),
            ("max_trades_per_day", fill_all),
            ("max_cancels_per_day", cancel_all),
        )
    ),
)
