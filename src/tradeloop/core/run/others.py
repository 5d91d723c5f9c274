"""What else is on its way in the symbols of a run: orders that may still trade, and runs that have yet to send theirs; and
whether anybody knows what is held there.

A plan is made from what is held. An order that works, is in flight or of unknown fate will change that, so a plan made beside
one would buy or sell the same thing twice: the run is refused until it has ended. Where our books and the broker's differ about
what is held, a plan would sell what is not there, or buy what is: the run is refused until a person has settled it.

A retry, and the approval of a run that was held back, are asked one thing more: whether a newer run has brought another target
for what they would trade.
"""

from __future__ import annotations

from collections.abc import Iterable

from tradeloop.core.breaks import POSITION, ended_here_alone
from tradeloop.core.run.look import Finding, some
from tradeloop.core.run_book import Run
from tradeloop.core.state import State
from tradeloop.core.types import AccountID, RunID, RunStatus, Symbol


def others_at_work(state: State, account: AccountID, symbols: Iterable[Symbol], own: RunID | None = None) -> list[Finding]:
    """Why a plan over `symbols` would count something twice, or what is not there; empty when nothing else is at work there.

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
    orders += [
        f"{order.cl_ord_id} ({order.side.value} {order.order_qty - order.cum_qty:f} {order.symbol},"
        f" {order.ord_status.value} here, and the broker works it still)"
        for order in ended_here_alone(state)
        if order.account == account and order.symbol in named
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
    differ = [
        f"{known.subject} (ours {known.ours}, theirs {known.theirs})"
        for known in state.breaks.values()
        if known.kind == POSITION and known.account == account and known.subject.rsplit(" ", 1)[0] in named
    ]
    if differ:
        found.append(
            Finding(
                "position_breaks",
                f"our books and the broker's must agree about what is held in the symbols of the run, was {some(differ)};"
                " find out why and settle it, see `tradeloop reconcile`, then ask again",
            )
        )
    return found


def newer_target(state: State, old: Run, symbols: Iterable[Symbol]) -> RunID | None:
    """A run of the account and currency that began after `old` to work towards a target of its own for one of `symbols`; None
    where there is none. One that sells what it does not name has a target for everything of its currency. One that failed or
    was cancelled before anything of it filled has changed nothing.
    """
    named = frozenset(symbols)
    for run_id in state.runs.newest_first():
        run = state.runs[run_id]
        if run.finished_at is not None and run.finished_at < old.created.at:
            return None  # and so did all that ended before it
        made = run.created
        if run_id == old.created.run_id or (made.account, made.currency) != (old.created.account, old.created.currency):
            continue
        if run.started_at is None or run.started_at <= (old.started_at or old.created.at) or _came_to_nothing(state, run):
            continue
        if made.sell_unlisted or not named.isdisjoint(target.symbol for target in made.targets):
            return run_id
    return None


def _came_to_nothing(state: State, run: Run) -> bool:
    if run.status not in (RunStatus.FAILED, RunStatus.CANCELED):
        return False
    orders = (state.orders.get(leg.cl_ord_id) for leg in run.legs if leg.cl_ord_id is not None)
    return not any(order is not None and order.cum_qty for order in orders)
