"""What else is on its way in the symbols of a run: orders that may still trade, and runs that have yet to send theirs.

A plan is made from what is held. An order that works, is in flight or of unknown fate will change that, so a plan made beside
one would buy or sell the same thing twice: the run is refused until it has ended.
"""

from __future__ import annotations

from collections.abc import Iterable

from tradeloop.core.run.look import Finding, some
from tradeloop.core.state import State
from tradeloop.core.types import AccountID, RunID, RunStatus, Symbol


def others_at_work(state: State, account: AccountID, symbols: Iterable[Symbol], own: RunID | None = None) -> list[Finding]:
    """Why a plan over `symbols` would count something twice; empty when nothing else is at work there.

    Orders and runs of `own` are left out. A run that nobody has let go yet is no reason: its approval asks here itself.
    """
    named = dict.fromkeys(symbols)
    found: list[Finding] = []
    orders = [
        f"{order.cl_ord_id} ({order.side.value} {order.leaves_qty:f} {symbol}, {order.ord_status.value})"
        for symbol in named
        for cl_ord_id in state.working.get((account, symbol), {})
        if (order := state.orders.open[cl_ord_id]).run_id is None or order.run_id != own
    ]
    if orders:
        found.append(
            Finding(
                "open_orders",
                f"no other order may be open in a symbol of the run, since what it trades would be ordered twice; was"
                f" {some(orders)}; cancel it or let it end, then ask again",
            )
        )
    runs = [
        run_id
        for run_id, run in state.runs.live.items()
        if run_id != own
        and run.created.account == account
        and run.status in (RunStatus.RUNNING, RunStatus.PAUSED)
        and not run.cancel_requested
        and any(leg.cl_ord_id is None and not leg.closed and leg.line.symbol in named for leg in run.legs)
    ]
    if runs:
        found.append(
            Finding(
                "open_runs",
                f"no other run may have orders left to send in a symbol of the run, was {some(runs)};"
                " cancel it or let it end, then ask again",
            )
        )
    return found
