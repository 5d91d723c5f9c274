"""What may leave, and what it holds while it may trade: the gate's rules, counted a second time beside the product's.

The judge (checkers.py) folds the facts as the product does. Here stand rules that a fact alone cannot break, because the
product decides them: each is counted from the facts by other means than the product's, so that one which has gone from the
product is missed. The numbers are those of the invariants:

12 what is booked was traded at the venue · 21 a break of positions tells what the venue held · 23 an order that may trade
holds the money and the shares it may take · 25 while an order's fate is unknown, no other of its symbol is sent; a run under
limits below what is held buys nothing beyond them, and sells · 26 nothing is sent to a broker whose books have not been
compared · 27 no more leaves in a second than the venue takes, whoever sends · 28 nothing is sent under a halt that stops it,
and nothing leaves · 31 an order that does not get out is tried so often and no more · 35 what is sent leaves soon after its
SendBegun, or not at all.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final

from tradeloop.core import events as ev
from tradeloop.core.commands import RunLimits, StartRun, TargetLine
from tradeloop.core.halt import HaltScope, HaltTier
from tradeloop.core.order import Order
from tradeloop.core.replies import RunReply
from tradeloop.core.reports import Execution, ExecutionBust, ExecutionCorrect, Report
from tradeloop.core.state import State
from tradeloop.core.surroundings import Policy
from tradeloop.core.types import SECOND_NS, ZERO, AccountID, ClOrdID, ExecID, Side, Symbol, TradingDay
from tradeloop.testing.clocks import Clocks
from tradeloop.testing.told_twice import FirstID

SLACK_NS: Final = SECOND_NS
"""What a process may take between two callbacks, on the venue's time."""

DRIFT_NS: Final = 5_000_000
"""By so much a second of a process may be shorter than one of the venue."""
BOOKS_KEEP_NS: Final = 120 * SECOND_NS
"""Books that are older than this are heard of no more, whatever was late or stopped."""


class Gate:
    """Watches one world's facts, its venue and its wire."""

    def __init__(self, broken: Callable[[int, str], None], now: Callable[[], int], policy: Policy) -> None:
        self._state = State()
        self.clocks = Clocks(now, policy.send_within_ns + 2 * SLACK_NS)
        self.rate: int | None = None
        """How many requests the venue takes in a second; None where it does not say."""
        self.first_id: FirstID = lambda day, exec_id: exec_id
        """What the venue's stream calls a fill that its books may call otherwise (F23)."""
        self._requests: deque[tuple[int, bool, bool]] = deque()
        self._broken, self._now, self._policy = broken, now, policy
        self._rules: dict[type, Callable[[Any], None]] = {
            ev.EngineStarted: self._started,
            ev.BrokerConnected: self._up_or_down,
            ev.BrokerDisconnected: self._up_or_down,
            ev.BrokerReady: self._compared,
            ev.OrderStaged: self._staged,
            ev.SendBegun: self._send_begun,
            ev.SendFailed: self._send_failed,
            ev.FateLost: self._fate_lost,
            ev.Traded: self._traded,
            ev.TradeBusted: self._changed,
            ev.TradeCorrected: self._changed,
            ev.BreakFound: self._differs,
            ev.Overfilled: self._overfilled,
            ev.SymbolReleased: self._released,
            ev.TradeMoved: self._moved,
            ev.OrderRestated: self._told_otherwise,
            ev.RunCreated: self._planned,
            ev.Halted: self._stopped,
            ev.HaltReleased: self._let_go,
        }
        self._made: dict[tuple[TradingDay, ExecID, Side], tuple[Symbol, Decimal]] = {}
        """Every fill of the venue, and what it is worth now."""
        self._held: dict[Symbol, list[tuple[int, Decimal]]] = {}
        """What the venue held of a symbol, and since when."""
        self.forget()

    def forget(self) -> None:
        """The journal is read anew: what the venue did stays."""
        self._exchanging: dict[ClOrdID, None] = {}
        self._ready: dict[tuple[str, AccountID], None] = {}
        self._epoch = 0
        self._halted: dict[Symbol, None] = {}
        self._halts: dict[int, ev.Halted] = {}
        self._lost: dict[ClOrdID, tuple[str, Symbol]] = {}
        self._begun: dict[tuple[ClOrdID, int], int] = {}
        self._failures: dict[ClOrdID, int] = {}
        self._failed_at: dict[ClOrdID, int] = {}
        self._taken_back: dict[ClOrdID, None] = {}
        self._was_done: dict[ClOrdID, None] = {}
        """Orders that had ended once: the last fill gave back what was promised beyond its own cost."""
        self._restated: dict[ClOrdID, None] = {}
        """Orders whose terms the broker said to be others: unasked, or asked for in a row that a failover lost (F67)."""
        self._intents: dict[ClOrdID, ev.OrderStaged] = {}
        self._fees: dict[ClOrdID, Decimal] = {}
        self._given_back: dict[ClOrdID, Decimal] = {}
        """By how much the fills of an order have turned out to cost less than they were charged."""

    # --- the venue and the wire

    def hear(self, report: Report) -> None:
        """The venue says something, at the moment it happens."""
        match report:
            case Execution():
                way = 1 if report.side is Side.BUY else -1
                self._traded_there(report.trading_day, report.exec_id, report.side, report.symbol, way * report.last_qty)
            case ExecutionBust():
                self._changed_there((report.trading_day, report.exec_ref_id, report.side), ZERO)
            case ExecutionCorrect():
                way = 1 if report.side is Side.BUY else -1
                self._changed_there((report.trading_day, report.exec_ref_id, report.side), way * report.last_qty)
            case _:
                pass

    def moved_there(self, symbol: Symbol, delta: Decimal) -> None:
        """Shares have come to the venue's books, or gone from them, without a fill."""
        held = self._held.setdefault(symbol, [(self._now(), ZERO)])
        held.append((self._now(), held[-1][1] + delta))

    def _traded_there(self, day: TradingDay, exec_id: ExecID, side: Side, symbol: Symbol, qty: Decimal) -> None:
        name = day, exec_id, side
        if name not in self._made:  # otherwise it is told once more
            self._made[name] = symbol, ZERO
            self._changed_there(name, qty)

    def _changed_there(self, name: tuple[TradingDay, ExecID, Side], qty: Decimal) -> None:
        """A fill at the venue is worth `qty` from now on, sells counting below zero."""
        symbol, before = self._made[name]
        self._made[name] = symbol, qty
        held = self._held.setdefault(symbol, [(self._now(), ZERO)])
        held.append((self._now(), held[-1][1] + qty - before))

    def requested(self, *, is_order: bool, by_the_newest: bool) -> None:
        """A process writes an order or another request to the line. What one sends that slept while another took over, nobody
        can know: the orders of the newest leave room for its orders, and only they.
        """
        if self.rate is None:
            return
        now = self._now()
        self._requests.append((now, is_order, by_the_newest))
        while self._requests[0][0] <= now - SECOND_NS + DRIFT_NS:
            self._requests.popleft()
        if not by_the_newest or not self.clocks.are_right:
            return
        counted = sum(newest or (is_order and order) for _, order, newest in self._requests)
        if counted > self.rate:
            self._broken(27, f"{counted} requests leave within a second; the venue takes {self.rate}")

    def sent(self, order: Order, epoch: int) -> None:
        """A process hands an order to the wire."""
        intent = self._intents.get(order.cl_ord_id)
        if intent is not None and epoch == self._epoch:
            self._under_a_halt(intent, "leaves")
        begun = self._begun.get((order.cl_ord_id, order.send_begun_at or 0))
        if begun is None or not self.clocks.are_right:
            return
        late = self._now() - begun
        if late > self._policy.send_within_ns + SLACK_NS:
            self._broken(
                35,
                f"{order.cl_ord_id} leaves {late / SECOND_NS:.0f} s after its SendBegun was durable; expected at most "
                f"{self._policy.send_within_ns / SECOND_NS:g} s, which a successor counts on",
            )

    def limited(self, command: StartRun, reply: Any) -> None:
        """A run was asked for under limits: its targets are judged by them, and what is held already is not."""
        if not isinstance(reply, RunReply) or reply.repeat:
            return
        over = _over(command.targets, command.limits)
        named = [failed for failed in reply.failed if failed.startswith(("max_weight", "max_positions"))]
        if over and reply.run_id is not None:
            self._broken(25, f"run {reply.run_id} was taken although {over}")
        if named and not over:
            self._broken(25, f"a run that only lessens what is held was refused: {named[0]}")

    # --- the facts

    def fact(self, event: ev.Event, state: State) -> None:
        """A durable fact, and the state it led to."""
        self._state = state
        rule = self._rules.get(type(event))
        if rule is not None:
            rule(event)
        cl_ord_id = ClOrdID(getattr(event, "cl_ord_id", ""))
        order = state.orders.open.get(cl_ord_id) if cl_ord_id else None
        if order is None and cl_ord_id in self._intents:
            self._was_done[cl_ord_id] = None
        if cl_ord_id in self._lost and (order is None or order.unknown_at is None):
            del self._lost[cl_ord_id]
        if order is not None and not order.external:
            changed = isinstance(event, ev.ReplaceRequested | ev.OrderReplaced | ev.OrderRestated)
            if changed and state.held(order.account, order.symbol).net_qty < ZERO:
                self._taken_back[cl_ord_id] = None  # what buys back a short position is judged to cost nothing
            if type(event) is ev.TradeMoved:
                self._exchanging[cl_ord_id] = None
                self._fees[cl_ord_id] = order.fees
            else:
                self._charged(event, order)
                if type(event) is ev.Traded and self._has_other_terms(order):
                    self._exchanging[cl_ord_id] = None
                else:
                    self._holds(order)

    def decided(self, state: State) -> None:
        """A row has been folded. While two orders exchange their fills, one of them has neither; and a fill that cost more than
        its share under changed terms has drawn on the rest, until that is promised again: they are judged behind it.
        """
        for cl_ord_id in self._exchanging:
            order = state.orders.open.get(cl_ord_id)
            if order is not None and not order.external:
                self._holds(order)
        self._exchanging.clear()

    def _holds(self, order: Order) -> None:
        """Of an order that may trade: the money its intent was judged with, less what it has spent; the shares it will sell."""
        if order.side is Side.SELL:
            if order.frozen != order.exposed_qty:
                self._broken(
                    23, f"{order.cl_ord_id} may sell {order.exposed_qty} {order.symbol}, promised to it are {order.frozen}"
                )
            return
        if order.cl_ord_id in self._taken_back:
            return  # it holds again what its first fills cost, and what it may still cost at its limit (promised.py)
        if self._has_other_terms(order):
            self._holds_changed(order)
            return
        given_back = self._given_back.get(order.cl_ord_id, ZERO)
        owed = self._intents[order.cl_ord_id].reserve - order.cum_value - order.fees - given_back
        if order.reserved < owed:
            self._broken(
                23, f"{order.cl_ord_id} ({order.ord_status.value}) may cost {owed} more, reserved for it are {order.reserved}"
            )

    def _has_other_terms(self, order: Order) -> bool:
        """Whether its terms are others than those it was judged with, or may be."""
        return bool(order.replace_asks) or order.cl_ord_id in self._restated

    def _charged(self, event: ev.Event, order: Order) -> None:
        """A fill that moved from a stranger's order was charged the least fee of an order for itself, and drew that much;
        charged anew it costs nothing. The order needs no more for the rest by that: of its terms promised.py asks.
        """
        before = self._fees.get(order.cl_ord_id, ZERO)
        if type(event) is ev.FeeChanged and order.fees < before:
            self._given_back[order.cl_ord_id] = self._given_back.get(order.cl_ord_id, ZERO) + before - order.fees
        self._fees[order.cl_ord_id] = order.fees

    def _holds_changed(self, order: Order) -> None:
        """Of a buy whose terms were changed, or are being: what is left of it at its limit, under whichever takes more."""
        for terms in (order.terms, *(asked.terms for asked in order.replaces or ())):
            left = terms.order_qty - order.cum_qty
            if terms.price is None or left <= ZERO:
                continue
            # A fill dearer than these terms allow was one of others: under these it has used up more than its share.
            owed = min(left * terms.price, terms.order_qty * terms.price - order.cum_value)
            if order.reserved < owed:
                self._broken(
                    23, f"{order.cl_ord_id} may buy {left} more at {terms.price}, reserved for it are {order.reserved}"
                )

    def _staged(self, e: ev.OrderStaged) -> None:
        self._intents[e.cl_ord_id] = e

    def _send_begun(self, e: ev.SendBegun) -> None:
        """The gate, for every order that leaves: of a person or of a run, late or at once."""
        self._begun[e.cl_ord_id, e.at] = self._now()
        self._waited(e)
        intent = self._intents.get(e.cl_ord_id)
        if intent is None:
            return  # the judge says so (invariant 2)
        symbol = intent.symbol
        if (intent.broker, intent.account) not in self._ready:
            self._broken(
                26,
                f"{e.cl_ord_id} is sent to {intent.broker}, whose books of {intent.account} have not been compared since it "
                "came up",
            )
        self._under_a_halt(intent, "is sent")
        if symbol in self._halted:
            self._broken(28, f"{e.cl_ord_id} is sent in {symbol}, which was halted and not released")
        for other, where in self._lost.items():
            if other != e.cl_ord_id and where == (intent.account, symbol):
                self._broken(25, f"{e.cl_ord_id} is sent in {symbol} while the fate of {other} is unknown")

    def _under_a_halt(self, intent: ev.OrderStaged, does: str) -> None:
        """No halt stops the order, unless it closes a position for a FLATTEN: that is stopped by a person's later halt only."""
        names = {
            HaltScope.ACCOUNT: intent.account,
            HaltScope.SYMBOL: intent.symbol,
            HaltScope.BROKER: intent.broker,
            HaltScope.VENUE: intent.symbol.rpartition(".")[2],
            HaltScope.STRATEGY: intent.strategy_id,
        }
        for number, halt in self._halts.items():
            if halt.scope is not HaltScope.GLOBAL and names.get(halt.scope) != halt.name:
                continue
            reducing = halt.tier is HaltTier.REDUCE_ONLY and self._closes(intent)
            yields = number <= intent.halt or halt.trigger or halt.tier is HaltTier.FLATTEN
            if not reducing and not (intent.halt in self._halts and yields):
                self._broken(28, f"{intent.cl_ord_id} {does} under halt {number} ({halt.tier.value} of {halt.scope.value})")

    def _closes(self, intent: ev.OrderStaged) -> bool:
        """Nothing can be sold short here but by an overfill, whose debt may be bought back under whatever halt."""
        if intent.side is Side.SELL:
            return True
        held = self._state.held(intent.account, intent.symbol)
        return intent.order_qty <= held.short_qty

    def _fate_lost(self, e: ev.FateLost) -> None:
        intent = self._intents.get(e.cl_ord_id)
        if intent is not None:
            self._lost[e.cl_ord_id] = intent.account, intent.symbol

    def _planned(self, e: ev.RunCreated) -> None:
        """A plan under limits buys nothing beyond them, and sells what is held beyond its targets, or says why not."""
        over = _over(e.targets, e.limits)
        if over:
            self._broken(25, f"run {e.run_id} is planned although {over}")
        for line in e.lines:
            most = e.limits.max_weight
            if line.held_qty > line.target_qty and not (line.side is Side.SELL or not line.order_qty):
                self._broken(25, f"run {e.run_id} buys {line.symbol}, of which {line.held_qty} are held for {line.target_qty}")
            if line.held_qty > line.target_qty and not line.order_qty and not line.code:
                self._broken(25, f"run {e.run_id} sells nothing of {line.held_qty} {line.symbol} and does not say why")
            if most is None or line.side is not Side.BUY or line.ref_px is None:
                continue
            bought = sum((one.order_qty for one in e.lines if one.symbol == line.symbol), line.held_qty)
            if line.order_qty and bought * line.ref_px > most * e.equity:
                self._broken(
                    25, f"run {e.run_id} buys {line.symbol} up to {bought} at {line.ref_px}, over {most} of {e.equity}"
                )

    def _send_failed(self, e: ev.SendFailed) -> None:
        count = self._failures[e.cl_ord_id] = self._failures.get(e.cl_ord_id, 0) + 1
        self._failed_at[e.cl_ord_id] = e.at
        most = len(self._policy.resend_after_ns) + 1
        if count > most:
            self._broken(31, f"{e.cl_ord_id} did not get out {count} times; expected {most} at most, then a person decides")

    def _waited(self, e: ev.SendBegun) -> None:
        """Between two attempts lies the time that the policy names, by the clock that both were stamped with."""
        count, waits = self._failures.get(e.cl_ord_id, 0), self._policy.resend_after_ns
        since = e.at - self._failed_at.get(e.cl_ord_id, e.at)
        if 0 < count <= len(waits) and e.cl_ord_id in self._failed_at and 0 <= since < waits[count - 1]:
            self._broken(
                31,
                f"{e.cl_ord_id} is sent again {since / SECOND_NS:g} s after attempt {count} did not get out; expected "
                f"{waits[count - 1] / SECOND_NS:g} s at least",
            )

    def _traded(self, e: ev.Traded) -> None:
        if (e.trading_day, self.first_id(e.trading_day, e.exec_id), e.side) not in self._made:
            self._broken(
                12, f"fill {e.exec_id} of {e.cl_ord_id} ({e.last_qty} {e.symbol}) is booked, and the venue never made it"
            )

    def _changed(self, e: ev.TradeBusted | ev.TradeCorrected) -> None:
        self._taken_back[e.cl_ord_id] = None

    def _moved(self, e: ev.TradeMoved) -> None:
        """An order that had filled works again without a fill that was another's, as behind a bust."""
        if e.from_cl_ord_id in self._was_done:
            self._taken_back[e.from_cl_ord_id] = None

    def _told_otherwise(self, e: ev.OrderRestated) -> None:
        self._restated[e.cl_ord_id] = None

    def _differs(self, e: ev.BreakFound) -> None:
        """What the books of the venue are said to show, they must have shown not long ago: unknown is not flat."""
        if e.kind != "position":
            return
        symbol, _, leg = e.subject.partition(" ")
        told = Decimal(e.theirs) * (1 if leg == "long" else -1)
        held = self._held.get(Symbol(symbol), [(0, ZERO)])
        recent = [
            qty for (_, qty), (until, _) in pairwise([*held, (self._now(), ZERO)]) if until >= self._now() - BOOKS_KEEP_NS
        ]
        if not any(told == (max(qty, ZERO) if leg == "long" else min(qty, ZERO)) for qty in recent):
            self._broken(21, f"the break {e.break_id} says that the venue holds {e.theirs}; it held {recent[-1]}")

    def _started(self, e: ev.EngineStarted) -> None:
        self._ready.clear()
        self._epoch = e.epoch

    def _stopped(self, e: ev.Halted) -> None:
        self._halts[e.number] = e

    def _let_go(self, e: ev.HaltReleased) -> None:
        self._halts.pop(e.number, None)

    def _up_or_down(self, e: ev.BrokerConnected | ev.BrokerDisconnected) -> None:
        self._ready = {of: None for of in self._ready if of[0] != e.broker}

    def _compared(self, e: ev.BrokerReady) -> None:
        self._ready[e.broker, e.account] = None

    def _overfilled(self, e: ev.Overfilled) -> None:
        self._halted[e.symbol] = None

    def _released(self, e: ev.SymbolReleased) -> None:
        self._halted.pop(e.symbol, None)


def _over(targets: Sequence[TargetLine], limits: RunLimits) -> str:
    """What of the targets is beyond the limits, empty for nothing."""
    held = [target for target in targets if target.weight > ZERO]
    heavy = [target for target in held if limits.max_weight is not None and target.weight > limits.max_weight]
    if heavy:
        return f"{heavy[0].symbol} is to weigh {heavy[0].weight}, the most is {limits.max_weight}"
    if limits.max_positions is not None and len(held) > limits.max_positions:
        return f"{len(held)} positions are to be held, the most is {limits.max_positions}"
    return ""
