"""The free names in a command: what a person or a program calls an order, a strategy or a run, and rows and files carry.

Each is one line, and all of it is seen: a line end would part a row in two, and a sign that nobody sees makes two names of what
looks like one.
"""

from __future__ import annotations

from tradeloop.core.commands import (
    AcknowledgeAlert,
    ApproveRun,
    ChangeLimit,
    Command,
    ReplaceOrder,
    RetryRun,
    StartRun,
    SubmitOrder,
    SwitchMainContract,
)
from tradeloop.core.people import seen


def names_seen(command: Command) -> None:
    """Raise BadInput where a name in the command holds what nobody sees. The names of whoever sends, changes or approves an
    order are looked at with it (core/staging.py, core/replace.py); those of a halt are never a reason not to stop.
    """
    match command:
        case SubmitOrder():
            if not (command.strategy_id.isprintable() and command.request_id.isprintable()):
                seen(command.strategy_id, "strategy_id")
                seen(command.request_id, "request_id")
        case ReplaceOrder():
            seen(command.request_id, "request_id")
        case ChangeLimit():
            seen(command.limit.name, "name")
        case ApproveRun() | RetryRun() | SwitchMainContract() | AcknowledgeAlert():
            seen(command.by, "by")
        case StartRun():
            seen(command.project_id, "project_id")
            seen(command.decision_snapshot_id, "decision_snapshot_id")
            seen(command.champion_id, "champion_id")
            seen(command.strategy_id, "strategy_id")
            seen(command.by, "by")
            for target in command.targets:
                seen(target.name, f"the name of {target.symbol}")
                seen(target.industry, f"the industry of {target.symbol}")
        case _:
            pass
