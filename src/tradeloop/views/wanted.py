"""Which stored rows an event touches, so that they are read before the fold needs them.

A row that an event makes is not read. A row is named the same way wherever it is made, changed or looked for: here.
"""

from __future__ import annotations

from tradeloop.core import events as ev
from tradeloop.core.execution import exec_key

OrderEvent = (
    ev.SendBegun
    | ev.SendFailed
    | ev.FateLost
    | ev.AbsenceSeen
    | ev.NotSentProven
    | ev.OrderResolved
    | ev.OrderAcknowledged
    | ev.OrderRejected
    | ev.CancelRequested
    | ev.CancelRejected
    | ev.OrderCanceled
    | ev.OrderExpired
    | ev.StopTriggered
    | ev.ReserveRaised
    | ev.ReplaceRequested
    | ev.ReplaceDenied
    | ev.OrderReplaced
    | ev.ReplaceRejected
    | ev.ReplaceFateLost
    | ev.OrderRestated
    | ev.EndAnnounced
    | ev.OrderHeard
    | ev.Overfilled
    | ev.Traded
    | ev.TradeBusted
    | ev.TradeCorrected
)
"""Events about an order that exists already."""

RunEvent = ev.RunApproved | ev.RunStarted | ev.RunPaused | ev.RunResumed | ev.RunCancelRequested | ev.LineResized | ev.RunEnded
"""Events about a run that exists already."""


class Wanted:
    """Ids per table, each once, in the order they were met."""

    def __init__(self) -> None:
        self.orders: dict[str, None] = {}
        self.fills: dict[str, None] = {}
        self.runs: dict[str, None] = {}
        self.lines: dict[str, None] = {}
        self.breaks: dict[str, None] = {}
        self.alerts: dict[str, None] = {}

    def add(self, event: ev.Event) -> None:
        """Note what `event` touches."""
        if raises(event):
            self.alerts.update(dict.fromkeys(alert_ids(event)))
        match event:
            case ev.OrderStaged() | ev.OrderDenied():
                if event.run_id is not None:
                    self.lines[line_id(event.run_id, event.leg)] = None
            case ev.TradeBusted() | ev.TradeCorrected() | ev.FeeChanged():
                self.orders[event.cl_ord_id] = None
                self.fills[fill_id(event)] = None
            case ev.TradeMoved():
                self.orders[event.cl_ord_id] = None
                self.orders[event.from_cl_ord_id] = None
                self.fills[fill_id(event)] = None
            case ev.LineResized():
                self.runs[event.run_id] = None
                self.lines[line_id(event.run_id, event.leg)] = None
            case ev.RunCreated():
                if event.supersedes is not None:
                    self.runs[event.supersedes] = None
            case ev.BreakFound() | ev.BreakChanged() | ev.BreakClosed() | ev.BooksAdjusted():
                self.breaks[event.break_id] = None
            case _ if isinstance(event, OrderEvent):
                self.orders[event.cl_ord_id] = None
            case _ if isinstance(event, RunEvent):
                self.runs[event.run_id] = None
            case _:
                pass


def fill_id(event: ev.Traded | ev.TradeBusted | ev.TradeCorrected | ev.TradeMoved | ev.FeeChanged) -> str:
    """The identity of the fill an event is about."""
    return exec_key(event.broker, event.account, event.trading_day, event.exec_id, event.side)


def line_id(run_id: str, leg: int, line: int = 0) -> str:
    """The row of a plan's line: by its leg where it has an order, by its place in the plan otherwise."""
    return f"{run_id}/{leg}" if leg else f"{run_id}/-{line}"


def fate_alert(cl_ord_id: str) -> str:
    """An order of unknown fate."""
    return f"fate:{cl_ord_id}"


def broker_alert(broker: str) -> str:
    """A lost session."""
    return f"broker:{broker}"


def overfill_alert(symbol: str) -> str:
    """More was filled than ordered."""
    return f"overfill:{symbol}"


def halt_alert(number: int) -> str:
    """A halt in force."""
    return f"halt:{number}"


def break_alert(break_id: str) -> str:
    """A difference between two books."""
    return f"break:{break_id}"


def run_alert(run_id: str) -> str:
    """A run that failed or left something to do."""
    return f"run:{run_id}"


def raises(event: ev.Event) -> bool:
    """Whether an event may raise an alert, so that a resolved one of the same key has to be read; open ones are always
    in hand."""
    return isinstance(event, ev.FateLost | ev.BrokerDisconnected | ev.Overfilled | ev.BreakFound | ev.RunEnded | ev.Halted)


def alert_ids(event: ev.Event) -> tuple[str, ...]:
    """The alerts an event may raise or resolve."""
    match event:
        case (
            ev.FateLost()
            | ev.NotSentProven()
            | ev.OrderResolved()
            | ev.OrderAcknowledged()
            | ev.OrderRestated()
            | ev.EndAnnounced()
            | ev.OrderHeard()
            | ev.OrderRejected()
            | ev.OrderCanceled()
            | ev.OrderExpired()
            | ev.Traded()
        ):
            return (fate_alert(event.cl_ord_id),)
        case ev.BrokerDisconnected() | ev.BrokerReady():
            return (broker_alert(event.broker),)
        case ev.Overfilled() | ev.SymbolReleased():
            return (overfill_alert(event.symbol),)
        case ev.Halted() | ev.HaltReleased():
            return (halt_alert(event.number),)
        case ev.BreakFound() | ev.BreakClosed():
            return (break_alert(event.break_id),)
        case ev.RunEnded():
            return (run_alert(event.run_id),)
        case ev.RunCreated():
            return () if event.supersedes is None else (run_alert(event.supersedes),)
        case _:
            return ()
