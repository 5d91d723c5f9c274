"""Cases of the rules of capital."""

from __future__ import annotations

from typing import Final

from tests.core.risk.cases import BANK, Case, a_limit, buys

from tradeloop.testing.builders import an_execution
from tradeloop.testing.desk import Desk


def fill_all(desk: Desk) -> None:
    """Every open order is filled at its price."""
    for number, order in enumerate(list(desk.state.orders.open.values())):
        assert order.price is not None
        desk.give(
            an_execution(
                order.cl_ord_id,
                order.symbol,
                order.side,
                order.leaves_qty,
                order.price,
                exec_id=f"e{len(desk.events)}-{number}",
            )
        )


CASES: Final = (
    Case(
        limit=a_limit("max_order_value", 5000),
        below=[buys(400)],
        at=[buys(500)],
        beyond=[buys(600)],
        figures=("5000", "0", "6000"),
        alone_only="it bounds one order by itself",
    ),
    Case(
        limit=a_limit("max_order_qty", 500),
        below=[buys(400)],
        at=[buys(500)],
        beyond=[buys(600)],
        figures=("500", "0", "600"),
        alone_only="it bounds one order by itself",
    ),
    Case(
        limit=a_limit("max_daily_order_value", 5000),
        below=[buys(200), buys(200, BANK)],
        at=[buys(200), buys(300, BANK)],
        beyond=[buys(200), buys(400, BANK)],
        figures=("5000", "2000", "4000"),
        together=(buys(300), buys(300, BANK)),
    ),
    Case(
        limit=a_limit("max_daily_traded_value", 5000),
        below=[buys(200), buys(200, BANK)],
        at=[buys(200), buys(300, BANK)],
        beyond=[buys(200), buys(400, BANK)],
        figures=("5000", "2000", "4000"),
        together=(buys(300), buys(300, BANK)),
        done=fill_all,
    ),
)
