"""What a command names is looked up before anything is done for it: a command that cannot be carried out changes nothing.

The process that trades asks its own state, any other the journal. What is refused here the core would refuse as well, but a
desk that is opened to hear it has taken the lease, connected and written its start.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from tradeloop.core import commands as c
from tradeloop.core import limiting, main_contract
from tradeloop.core.errors import Conflicts, NotKnown, UnknownName
from tradeloop.core.halt import HaltScope
from tradeloop.core.order import Order
from tradeloop.core.risk.registry import checked
from tradeloop.core.run.conduct import ENDED
from tradeloop.core.run_book import Run
from tradeloop.core.state import State
from tradeloop.core.types import SECOND_NS, ClOrdID, RunID

_VERBS: Final = {c.ApproveRun: "approve", c.PauseRun: "pause", c.ResumeRun: "resume", c.CancelRun: "cancel"}


def refuse(state: State, command: c.Command) -> None:
    """Raise NotKnown or Conflicts for a command about what `state` does not know, or has ended."""
    match command:
        case c.ApproveRun() | c.PauseRun() | c.ResumeRun() | c.CancelRun():
            run = run_of(state, command.run_id)
            if run.status in ENDED:
                raise Conflicts(f"{ended(run)}; there is nothing left to {_VERBS[type(command)]}")
        case c.CancelOrder():
            order = order_of(state, command.cl_ord_id)
            if order.is_done:
                status = order.ord_status.value
                raise Conflicts(f"order {command.cl_ord_id} is {status} already; there is nothing left to cancel")
        case c.ResolveOrder() | c.ReplaceOrder():
            order_of(state, command.cl_ord_id)
        case c.ReleaseSymbol():
            if command.symbol not in state.halted:
                raise NotKnown(f"symbol was {command.symbol!r}, which is not halted; see `tradeloop symbols`")
        case c.SwitchMainContract() if state.main is None or state.main.symbol != command.symbol:
            main_contract.refuse_while_in_use(state)
        case c.ChangeLimit(limit=limit):
            checked(limit)
        case c.RevertLimit():
            limiting.set_by_person(state, command)
        case c.HaltTrading(scope=HaltScope.ACCOUNT, name=name) if name not in state.accounts:
            known = ", ".join(sorted(state.accounts)) or "none yet"
            raise UnknownName(f"account was {name!r}, known are {known}; nothing was halted")
        case _:
            pass


def run_of(state: State, run_id: RunID) -> Run:
    """The run of this id. Raises NotKnown where there is none."""
    run = state.runs.get(run_id)
    if run is None:
        raise NotKnown(f"run was {run_id[:60]!r}, which is not known; see `tradeloop runs list`")
    return run


def order_of(state: State, cl_ord_id: ClOrdID) -> Order:
    """The order of this id. Raises NotKnown where there is none."""
    order = state.orders.get(cl_ord_id)
    if order is None:
        raise NotKnown(f"order was {cl_ord_id[:60]!r}, which is not known; see `tradeloop orders`")
    return order


def ended(run: Run) -> str:
    """That a run has ended, when, and as what."""
    how = f"{run.status.value} {run.code}".strip()
    at = "" if run.finished_at is None else f"{datetime.fromtimestamp(run.finished_at // SECOND_NS, UTC):%Y-%m-%d %H:%M:%SZ}"
    return f"run {run.created.run_id} has ended as {how} at {at}"
