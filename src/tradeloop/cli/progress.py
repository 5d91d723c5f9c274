"""What happens while a run works: a line for each order and fill, and a bar of how far it is, all on stderr."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from tradeloop.cli import words
from tradeloop.core import events as ev
from tradeloop.core.types import ZERO, RunID

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from tradeloop.bootstrap import Desk
    from tradeloop.cli.shell import Voice
    from tradeloop.core.order import Order
    from tradeloop.engine.writer import Published

_LINES_MAX = 200
"""Fills told one by one; past that the bar says enough."""


class RunProgress:
    """Follows one run. A terminal gets a bar below the lines, a pipe the lines alone, and `--json` silence."""

    def __init__(self, voice: Voice, desk: Desk, run_id: str) -> None:
        self._voice = voice
        self._desk = desk
        self._run_id = run_id
        self._told = 0
        self._filled: dict[str, Decimal] = {}
        self._wanted: dict[str, Decimal] = {}
        self._bar: Progress | None = None
        self._orders: TaskID | None = None
        self._shares: TaskID | None = None
        self._counted_to = 0
        """The last fact that what stood at the beginning counts already: it may be told later than it was decided."""

    def __enter__(self) -> RunProgress:
        """Begin to listen; a run that exists already is counted from where it stands."""
        known = self._desk.state.runs.get(RunID(self._run_id))
        if known is not None:
            for leg in known.legs:
                order = self._desk.state.orders.get(leg.cl_ord_id) if leg.cl_ord_id is not None else None
                self._wanted[str(leg.line.leg)] = Decimal(leg.order_qty)
                self._filled[str(leg.line.leg)] = Decimal(order.cum_qty) if order is not None else ZERO
            self._begin_bar()
        self._counted_to = self._desk.state.seq
        self._desk.listen(self._hear)
        return self

    def __exit__(self, *_: object) -> None:
        """Let the bar go."""
        if self._bar is not None:
            self._bar.stop()

    def _begin_bar(self) -> None:
        if self._voice.json or not self._voice.err.is_terminal:
            return
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (TextColumn("{task.description:<8}"), BarColumn(40), MofNCompleteColumn(), TimeElapsedColumn())
        self._bar = Progress(*columns, console=self._voice.err, transient=True)
        count = sum(1 for wanted in self._wanted.values() if wanted)
        self._orders = self._bar.add_task("orders", total=count)
        self._shares = self._bar.add_task("units", total=int(sum(self._wanted.values())))
        self._bar.start()
        self._move()

    def _hear(self, published: Published) -> None:
        for seq, event in enumerate(published.events, published.first_seq):
            self._one(seq, event)
        self._move()

    def _one(self, seq: int, event: ev.Event) -> None:
        match event:
            case ev.RunCreated(run_id=self._run_id):
                self._wanted |= {str(line.leg): Decimal(line.order_qty) for line in event.lines}
                self._begin_bar()
            case ev.OrderStaged(run_id=self._run_id):
                self._line(event.at, f"order  {event.side.value:<4} {words.qty(event.order_qty):>10} {event.symbol}")
            case ev.OrderDenied(run_id=self._run_id):
                self._line(event.at, f"denied {event.side.value:<4} {event.symbol}: {event.text}")
            case ev.Traded(run_id=self._run_id) | ev.TradeMoved(run_id=self._run_id, busted=False):
                self._fill(seq, event)
            case ev.OrderRejected() | ev.OrderCanceled() | ev.OrderExpired():
                order = self._desk.state.orders.get(event.cl_ord_id)
                if order is not None and order.run_id == self._run_id:
                    why = _timed_out(order, event) or event.text
                    self._line(event.at, f"ended  {order.side.value:<4} {order.symbol}: {why}".rstrip(" :"))
            case ev.RunPaused(run_id=self._run_id):
                self._line(event.at, f"paused by {event.by}; `tradeloop runs resume {event.run_id}` lets it go on")
            case ev.RunResumed(run_id=self._run_id):
                self._line(event.at, f"resumed by {event.by}")
            case ev.RunCancelRequested(run_id=self._run_id):
                self._line(event.at, f"cancelled by {event.by}: {event.reason or 'no reason given'}")
            case ev.LineResized(run_id=self._run_id):
                self._wanted[str(event.leg)] = Decimal(event.order_qty)
                self._line(event.at, f"line {event.leg} is worked with {words.qty(event.order_qty)}: {event.reason}")
            case _:
                pass

    def _fill(self, seq: int, event: ev.Traded | ev.TradeMoved) -> None:
        order = self._desk.state.orders.get(event.cl_ord_id)
        leg = str(order.leg) if order is not None else ""
        if seq > self._counted_to:
            self._filled[leg] = self._filled.get(leg, ZERO) + event.last_qty
        of = words.qty(order.order_qty) if order is not None else "?"
        done = f"{words.qty(self._filled[leg])} of {of}"
        text = (
            f"fill   {event.side.value:<4} {words.qty(event.last_qty):>10} {event.symbol} at {words.px(event.last_px)} ({done})"
        )
        self._line(event.at, text)

    def _line(self, at: int, text: str) -> None:
        self._told += 1
        if not self._voice.json and self._told <= _LINES_MAX:
            self._voice.say(f"{words.clock_time(at)}  {text}")

    def _move(self) -> None:
        if self._bar is None or self._orders is None or self._shares is None:
            return
        full = sum(1 for leg, wanted in self._wanted.items() if wanted and self._filled.get(leg, ZERO) >= wanted)
        self._bar.update(self._orders, completed=full)
        self._bar.update(self._shares, completed=int(sum(self._filled.values())))


def _timed_out(order: Order, event: ev.OrderRejected | ev.OrderCanceled | ev.OrderExpired) -> str:
    """That our own time-out ended an order (S1-58), as the last table says it too; empty where it did not."""
    if not isinstance(event, ev.OrderCanceled) or order.cancel_at is None or event.at < order.cancel_at:
        return ""
    return words.time_out(order.cancel_at - order.staged_at)
