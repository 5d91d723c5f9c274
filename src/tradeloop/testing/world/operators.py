"""The people and programs at the desk: they start runs, send and cancel orders, ask twice, and trade behind our back.

They are clients of a process that may be gone: what is not answered is asked again with the same key, as every client does.
In the end a person looks at what only a person can settle, with the venue's books in hand.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from random import Random
from typing import Any, Final

from tradeloop.core import commands as c
from tradeloop.core.commands import Command
from tradeloop.core.errors import BadInput, Refused
from tradeloop.core.events import BreakFound
from tradeloop.core.replies import OrderReply, RunReply
from tradeloop.core.state import State
from tradeloop.core.types import (
    SECOND_NS,
    ClOrdID,
    Currency,
    ExecID,
    Mode,
    OrdStatus,
    OrdType,
    Px,
    Qty,
    RunID,
    RunStatus,
    Side,
    Symbol,
    TimeInForce,
    TradingDay,
)
from tradeloop.testing.builders import ACCOUNT
from tradeloop.testing.checkers import Judge
from tradeloop.testing.faults import Fault, Weather
from tradeloop.testing.world.loop import Timeline
from tradeloop.testing.world.market import SYMBOLS, Market
from tradeloop.testing.world.process import Process
from tradeloop.testing.world.supervisor import Supervisor
from tradeloop.testing.world.venue import Venue

OPEN: Final = (OrdStatus.NEW, OrdStatus.PARTIALLY_FILLED)
TRIES: Final = 20
PATIENCE_NS: Final = 60 * SECOND_NS
"""How long a person leaves an unknown fate to proof."""
ASK_AGAIN_NS: Final = 2 * SECOND_NS


class Operators:
    """Everybody who asks for something."""

    def __init__(
        self,
        timeline: Timeline,
        supervisor: Supervisor,
        venue: Venue,
        market: Market,
        weather: Weather,
        judge: Judge,
        dice: Random,
        today: Callable[[], TradingDay],
        later: Random,
    ) -> None:
        self._timeline, self._supervisor, self._venue, self._market = timeline, supervisor, venue, market
        self._weather, self._judge, self._dice, self._today = weather, judge, dice, today
        self._later = later
        """Dice of what operators learned to do later, so that it changes nothing else that they do."""
        self._orders: list[ClOrdID] = []
        self._doubted: dict[ClOrdID, int] = {}
        """When an order was first looked for at the venue, in nanoseconds of the timeline."""
        self._runs: list[RunID] = []
        self._count = self._later_count = 0

    # --- asking

    def ask(self, command: Command, then: Callable[[Any], None] = lambda reply: None, tries: int = TRIES) -> None:
        """Ask until somebody answers; a repeat carries the same key."""
        answers: list[Any] = []

        def heard(reply: Any) -> None:
            if isinstance(reply, Exception) and not isinstance(reply, BadInput):
                return  # the engine ended before it was durable: asked again below
            answers.append(reply)
            self._judge.replied(command, reply)
            if len(answers) == 1:
                then(reply)

        def again() -> None:
            if not answers and tries > 1:
                self.ask(command, lambda reply: None if answers else heard(reply), tries - 1)

        process = self._supervisor.current
        if process is not None:
            process.ask(command, heard)
        self._timeline.after(ASK_AGAIN_NS, again)

    # --- what they do

    def act(self) -> None:
        """One thing, drawn."""
        dice = self._dice
        what = dice.choice(("order",) * 7 + ("cancel",) * 3 + ("steer", "retry", "manual", "manual", "cancel_all"))
        match what:
            case "order":
                self.order()
            case "cancel" if self._orders:
                self.ask(c.CancelOrder(dice.choice(self._orders), "ann", "drawn"))
            case "steer" if self._runs:
                self._steer(dice.choice(self._runs))
            case "retry" if self._runs:
                self.ask(c.RetryRun(dice.choice(self._runs), "ann", self._market.seen()), self._began)
            case "manual" if self._weather.strikes(Fault.MANUAL_TRADE):
                self.trade_by_hand()
            case "cancel_all" if self._weather.enables(Fault.CANCEL_ALL):
                self._cancel_all()
            case _:
                self.order()

    def order(self) -> None:
        """A single order, of any kind."""
        dice = self._dice
        self._count += 1
        symbol, side = dice.choice(SYMBOLS), dice.choice((Side.BUY, Side.SELL))
        kind = dice.choice((OrdType.MARKET, OrdType.LIMIT, OrdType.LIMIT, OrdType.STOP, OrdType.STOP_LIMIT))
        away = dice.randint(-8, 8)
        trigger = dice.randint(1, 12) * (1 if side is Side.BUY else -1)
        command = c.SubmitOrder(
            account=ACCOUNT,
            symbol=symbol,
            side=side,
            order_qty=Qty(Decimal(100 * dice.randint(1, 12))),
            by="ann",
            ord_type=kind,
            price=self._market.px(symbol, away) if kind in (OrdType.LIMIT, OrdType.STOP_LIMIT) else None,
            stop_px=self._market.px(symbol, trigger) if kind in (OrdType.STOP, OrdType.STOP_LIMIT) else None,
            tif=dice.choice((TimeInForce.DAY, TimeInForce.DAY, TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK)),
            request_id=f"r{self._count}",
        )
        self.ask(command, self._ordered)
        if self._weather.strikes(Fault.ASKED_TWICE):
            self._timeline.after(dice.randint(0, SECOND_NS), lambda: self.ask(command))
        if self._weather.strikes(Fault.SAME_KEY_OTHER_BODY):
            other = c.SubmitOrder(
                ACCOUNT, symbol, side, Qty(command.order_qty + 100), "bob", kind, command.price, command.stop_px, command.tif,
                request_id=command.request_id,
            )  # fmt: skip
            self._timeline.after(3 * SECOND_NS, lambda: self._ask_other(command, other))

    def _ask_other(self, first: c.SubmitOrder, other: c.SubmitOrder) -> None:
        """The same key with other content, once the first is known."""
        process = self._supervisor.current
        if process is not None and self._judge.knows_request(first.request_id):
            process.ask(other, lambda reply: self._judge.must_refuse(other, reply))

    def _ordered(self, reply: Any) -> None:
        if isinstance(reply, OrderReply) and reply.denied is None:
            self._orders.append(reply.cl_ord_id)

    def run(self) -> None:
        """A target portfolio, drawn."""
        dice = self._dice
        self._count += 1
        weights = [dice.choice(("0", "0.05", "0.1", "0.2", "0.3")) for _ in SYMBOLS]
        targets = tuple(
            c.TargetLine(symbol, Decimal(weight), row)
            for row, (symbol, weight) in enumerate(zip(SYMBOLS, weights, strict=True), start=2)
        )
        command = c.StartRun(
            account=ACCOUNT,
            currency=Currency("CNY"),
            mode=Mode.PAPER,
            project_id="alpha",
            decision_snapshot_id=f"s{self._count}",
            trade_date=self._today(),
            by="ann",
            targets=targets,
            prices=self._market.seen(),
            content_hash=f"{self._count:064}",
            order_timeout_ns=dice.choice((None, 4 * SECOND_NS, 20 * SECOND_NS)),
            hold_for_approval=dice.random() < 0.15,
        )
        self.ask(command, self._began)
        if self._weather.strikes(Fault.ASKED_TWICE):
            self._timeline.after(dice.randint(0, SECOND_NS), lambda: self.ask(command))

    def change(self) -> None:
        """Other terms for an order that works: another quantity, another price, or both; asked twice at times."""
        dice = self._later
        mine = [order for order in self._judge.shadow.orders.open.values() if not order.external]
        if not mine or self._weather.calm:
            return
        order = dice.choice(mine)
        priced = order.price is not None
        what = dice.choice(("qty", "price", "both")) if priced else "qty"
        self._later_count += 1
        command = c.ReplaceOrder(
            order.cl_ord_id,
            "dan",
            order_qty=None if what == "price" else Qty(Decimal(100 * dice.randint(1, 14))),
            price=None if what == "qty" else self._market.px(order.symbol, dice.randint(-8, 8)),
            request_id=f"c{self._later_count}" if dice.random() < 0.5 else "",
        )
        self.ask(command)
        if dice.random() < 0.3:
            self._timeline.after(dice.randint(0, SECOND_NS), lambda: self.ask(command))
        if dice.random() < 0.2:
            self.ask(c.CancelOrder(order.cl_ord_id, "dan", "changed his mind"))

    def lower_limits(self) -> None:
        """A run under limits below what is held, beside whatever works; and again when room was made for it (F75)."""
        dice = self._later
        limits = c.RunLimits(max_weight=Decimal(dice.choice(("0.01", "0.03", "0.1"))), max_positions=dice.randint(1, 3))
        self._limited(limits)
        self._timeline.after(6 * SECOND_NS, self._make_room)
        for seconds in (10, 16, 24):
            self._timeline.after(seconds * SECOND_NS, lambda: self._limited(limits))

    def _limited(self, limits: c.RunLimits) -> None:
        if self._weather.calm:
            return
        dice, most = self._later, limits.max_weight
        assert most is not None
        names = dice.sample(SYMBOLS, k=min(limits.max_positions or 1, dice.randint(1, 3)))
        weights = {symbol: most * dice.choice((1, 1, 1, 0)) for symbol in names}
        if dice.random() < 0.2:
            weights[names[0]] = most * 2  # no such target may become a run
        self._later_count += 1
        command = c.StartRun(
            account=ACCOUNT,
            currency=Currency("CNY"),
            mode=Mode.PAPER,
            project_id="limits",
            decision_snapshot_id=f"l{self._later_count}",
            trade_date=self._today(),
            by="carol",
            targets=tuple(c.TargetLine(s, weights.get(s, Decimal(0)), row) for row, s in enumerate(SYMBOLS, start=2)),
            prices=self._market.seen(),
            content_hash=f"{self._later_count:064}",
            limits=limits,
        )
        self.ask(command, lambda reply: self._judged(command, reply))

    def _judged(self, command: c.StartRun, reply: Any) -> None:
        if isinstance(reply, RunReply):
            self._weather.meet(Fault.LIMITS_LOWERED)
        self._judge.gate.limited(command, reply)

    def _make_room(self) -> None:
        if self._weather.calm:
            return
        for run_id in self._runs:
            self.ask(c.CancelRun(run_id, "carol", "lower limits"))
        for cl_ord_id in [*self._judge.shadow.orders.open]:
            self.ask(c.CancelOrder(cl_ord_id, "carol", "lower limits"))

    def _began(self, reply: Any) -> None:
        if isinstance(reply, RunReply) and reply.run_id is not None and reply.run_id not in self._runs:
            run_id = reply.run_id
            self._runs.append(run_id)
            if reply.status is RunStatus.AWAITING_APPROVAL:
                self._timeline.after(self._dice.randint(1, 5) * SECOND_NS, lambda: self.ask(c.ApproveRun(run_id, "bob")))

    def _steer(self, run_id: RunID) -> None:
        kind = self._dice.choice((c.PauseRun, c.ResumeRun, c.ResumeRun, c.CancelRun))
        self.ask(kind(run_id, "ann"))

    def _cancel_all(self) -> None:
        """Everything that may work, and the runs, in one go (F74)."""
        for _ in range(3):
            self.order()
        working = [*self._judge.shadow.orders.open]
        if working:
            self._weather.meet(Fault.CANCEL_ALL)
        for cl_ord_id in working:
            self.ask(c.CancelOrder(cl_ord_id, "ann", "all"))
        for run_id in self._runs:
            self.ask(c.CancelRun(run_id, "ann", "all"))

    def trade_by_hand(self) -> None:
        """Somebody trades in the broker's own app (F77)."""
        dice = self._dice
        symbol, side = dice.choice(SYMBOLS), dice.choice((Side.BUY, Side.SELL))
        price = self._market.px(symbol, dice.randint(-5, 5)) if dice.random() < 0.6 else None
        self._by_hand(symbol, side, Qty(Decimal(100 * dice.randint(1, 5))), price)

    def _by_hand(self, symbol: Symbol, side: Side, qty: Qty, price: Px | None) -> None:
        with self._venue.loop.running():
            try:
                self._venue.broker.act_by_hand(symbol, side, qty, price=price)
            except Refused:
                return  # the broker's checks said no; nothing has happened

    # --- what only a person can settle

    def settle(self) -> None:
        """Look at what waits for a person, with the venue's books in hand, and answer it."""
        process = self._supervisor.current
        if process is None or not process.taking:
            return
        state: State = process.engine.state
        for symbol in [*state.halted]:
            process.ask(c.ReleaseSymbol(symbol, "carol", "looked at"), lambda reply: None)
        for run_id, run in [*state.runs.live.items()]:
            if run.status is RunStatus.PAUSED:
                known = run.created.trade_date == self._today()
                process.ask(c.ResumeRun(run_id, "carol") if known else c.CancelRun(run_id, "carol"), lambda reply: None)
        for break_id, found in [*state.breaks.items()]:
            if found.kind == "fill_missing":
                process.ask(c.RepairBreak(break_id, "carol", "the venue took it back"), lambda reply: None)
            if found.kind == "fill_twice":
                self._told_twice(process, found)
            if found.kind == "order_open":
                self._cancel_there(ClOrdID(found.subject))
        self._resolve(process, state)

    def _told_twice(self, process: Process, found: BreakFound) -> None:
        """Two ids of which the books show neither any more, or none long enough: the venue says whether they are one fill."""
        names = []
        for told in (found.ours, found.subject.split(" ", 1)[1]):
            day, _, exec_id = told.split("|", 2)
            names.append(self._venue.second_ids.first(TradingDay(day), ExecID(exec_id)))
        if names[0] == names[1]:
            process.ask(c.RepairBreak(found.break_id, "carol", "the venue says so"), lambda reply: None)

    def _cancel_there(self, cl_ord_id: ClOrdID) -> None:
        """An order works at the venue that is over here: its sending was lost with the journal (F67), or a person was wrong
        about it. The break says to take it out there.
        """
        for order_id in self._venue.orders_of.get(cl_ord_id, ()):
            with self._venue.loop.running():
                try:
                    self._venue.broker.cancel_unasked(order_id)
                except Refused:
                    continue  # it has ended

    def _may_arrive(self, cl_ord_id: ClOrdID) -> bool:
        """Whether the request may still be on its way, by the person's own watch: the machine's clock may be set meanwhile."""
        policy, able = self._supervisor.policy, self._venue.able
        longest = policy.leaves_within_ns + able.request_lifetime_ns + able.visibility_lag_ns
        return self._timeline.now - self._doubted.setdefault(cl_ord_id, self._timeline.now) < longest

    def _resolve(self, process: Process, state: State) -> None:
        """Orders whose fate no books can prove: their day is over, or a stranger's order in them looks like one of ours. The
        person asks the venue what became of them.
        """
        orders = self._venue.truth().orders or ()
        working = {name for order in orders if order.ord_status in OPEN for name in (order.cl_ord_id, order.order_id)}
        strangers = {(order.symbol, order.side) for order in orders if order.cl_ord_id is None}
        missing = {known.subject for known in state.breaks.values() if known.kind == "order_missing"}
        for cl_ord_id, order in [*state.orders.open.items()]:
            over = order.trading_day != self._today() or (order.symbol, order.side) in strangers
            waits = order.unknown_at is not None and over and process.clock.now() - order.unknown_at > PATIENCE_NS
            works = cl_ord_id in working or (order.order_id is not None and order.order_id in working)
            if works or not (waits or cl_ord_id in missing):
                continue
            if order.unknown_at is not None and self._may_arrive(cl_ord_id):
                continue  # what the venue says now of an order that may still arrive is no answer
            was_there = order.acked_at is not None or self._venue.orders_of.get(cl_ord_id)
            as_ = "CANCELED" if was_there else "NOT_SENT"
            process.ask(c.ResolveOrder(cl_ord_id, as_, "carol", "asked the venue"), lambda reply: None)
