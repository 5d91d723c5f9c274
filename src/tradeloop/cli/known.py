"""What a command names is looked up before anything is opened for it: a command that cannot be carried out changes nothing.

The process that trades asks its own state, any other the journal. What is refused here the core would refuse as well, but a
desk that is opened to hear it has taken the lease, connected and written its start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tradeloop.core import commands as c
from tradeloop.core import limiting
from tradeloop.core.errors import BadInput, UnknownName
from tradeloop.core.halt import HaltScope
from tradeloop.core.risk.registry import checked
from tradeloop.core.run.conduct import ENDED

if TYPE_CHECKING:
    from tradeloop.bootstrap import Archive
    from tradeloop.config import Loaded
    from tradeloop.core.order import Order
    from tradeloop.core.run_book import Run
    from tradeloop.core.state import State
    from tradeloop.core.types import ClOrdID, RunID, Symbol

_VERBS = {c.ApproveRun: "approve", c.PauseRun: "pause", c.ResumeRun: "resume", c.CancelRun: "cancel"}


def refuse(state: State, command: c.Command) -> None:
    """Raise BadInput for a command about what `state` does not know, or has ended."""
    match command:
        case c.ApproveRun() | c.PauseRun() | c.ResumeRun() | c.CancelRun():
            run = run_of(state, command.run_id)
            if run.status in ENDED:
                raise BadInput(f"{ended(run)}; there is nothing left to {_VERBS[type(command)]}")
        case c.CancelOrder():
            order = order_of(state, command.cl_ord_id)
            if order.is_done:
                status = order.ord_status.value
                raise BadInput(f"order {command.cl_ord_id} is {status} already; there is nothing left to cancel")
        case c.ResolveOrder() | c.ReplaceOrder():
            order_of(state, command.cl_ord_id)
        case c.ReleaseSymbol():
            if command.symbol not in state.halted:
                raise BadInput(f"symbol was {command.symbol!r}, which is not halted; see `tradeloop symbols`")
        case c.ChangeLimit(limit=limit):
            checked(limit)
        case c.RevertLimit():
            limiting.set_by_person(state, command)
        case c.HaltTrading(scope=HaltScope.ACCOUNT, name=name) if name not in state.accounts:
            known = ", ".join(sorted(state.accounts)) or "none yet"
            raise UnknownName(f"account was {name!r}, known are {known}; nothing was halted")
        case _:
            pass


def refuse_here(loaded: Loaded, state: State, command: c.Command) -> None:
    """As `refuse`, and for a limit on a name that nobody knows here, by the settings and files of this home too."""
    refuse(state, command)
    if isinstance(command, c.ChangeLimit):
        from tradeloop.bootstrap.known_names import refuse_nobodys

        refuse_nobodys(loaded, state, command.limit)


def run_of(state: State, run_id: RunID) -> Run:
    """The run of this id. Raises BadInput where there is none."""
    run = state.runs.get(run_id)
    if run is None:
        raise BadInput(f"run was {run_id[:60]!r}, which is not known; see `tradeloop runs list`")
    return run


def order_of(state: State, cl_ord_id: ClOrdID) -> Order:
    """The order of this id. Raises BadInput where there is none."""
    order = state.orders.get(cl_ord_id)
    if order is None:
        raise BadInput(f"order was {cl_ord_id[:60]!r}, which is not known; see `tradeloop orders`")
    return order


async def known_symbol(archive: Archive, symbol: Symbol) -> None:
    """Raise BadInput for a symbol that this desk has never met: nothing found of it would look like nothing held or done."""
    if symbol not in (await archive.recovered()).state.instruments:
        raise BadInput(f"symbol was {symbol!r}, which this desk has never held, planned or traded; check how it is written")


async def known_account(archive: Archive, account: str) -> None:
    """Raise BadInput for an account that this desk has never had: that nothing is found there would look like nothing done."""
    accounts = (await archive.recovered()).state.accounts
    if account not in accounts:
        raise BadInput(f"account was {account[:60]!r}, known are {', '.join(sorted(accounts)) or 'none yet'}")


def ended(run: Run) -> str:
    """That a run has ended, when, and as what."""
    from tradeloop.cli import words

    how = f"{run.status.value} {run.code}".strip()
    return f"run {run.created.run_id} has ended as {how} at {words.moment(run.finished_at)}"


async def recorded_state(loaded: Loaded) -> State | None:
    """What the journal says; None where it cannot be read now, which is no reason to say anything about a halt in force."""
    from tradeloop.bootstrap import open_archive
    from tradeloop.core.errors import TradeloopError

    try:
        async with open_archive(loaded, fresh_views=False) as archive:
            return (await archive.recovered()).state
    except (TradeloopError, OSError):
        return None
