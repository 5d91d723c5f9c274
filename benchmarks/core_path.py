"""The in-memory path with every check and the journal's encoding, one order at a time, on one core.

    python -m benchmarks.core_path market|market_limits|limit_cancel|one_position|many_positions N

`market`: submit, acknowledge, fill. `market_limits`: the same under a limit of each rule, with a quote before each order.
`limit_cancel`: submit, acknowledge, cancel, cancelled. The books are compared with an oracle that only adds and multiplies.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from decimal import Decimal

from benchmarks.limits import STEP_NS, limit
from benchmarks.measure import Stopwatch, argument, emit, resident_bytes, steps
from tradeloop.core.commands import CancelOrder, SetLimits, SubmitOrder
from tradeloop.core.decide import decide
from tradeloop.core.events import Event
from tradeloop.core.evolve import evolve
from tradeloop.core.follow import follow
from tradeloop.core.inputs import Input
from tradeloop.core.replies import OrderReply, Reply
from tradeloop.core.reports import CancelAck, Execution, OrderAck
from tradeloop.core.risk.registry import RULES
from tradeloop.core.types import ClOrdID, ExecID, OrderID, OrdType, Px, Qty, Side, Symbol, UtcNs
from tradeloop.engine.invariants import Invariants
from tradeloop.engine.supervise import calm_the_collector
from tradeloop.journal import codec
from tradeloop.testing.builders import ACCOUNT, BROKER, DAY, a_quote, an_instrument, fees
from tradeloop.testing.desk import Desk

QTY = Qty(Decimal(100))
PX = Px(Decimal("10.00"))
FEES = fees("0.0003", "5")


class Path:
    """A desk that encodes what it decides, as the writer does."""

    def __init__(self, symbols: int) -> None:
        self.symbols = [Symbol(f"{600000 + n}.SH") for n in range(symbols)]
        self.desk = Desk().opened(
            *(an_instrument(symbol, name="made up", fees=FEES, industry=symbol[5:6]) for symbol in self.symbols), cash=10**13
        )
        self.invariants = Invariants(self.desk.state, self.desk.around)
        self.encoded = 0
        self.orders = 0

    def give(self, given: Input) -> Reply | None:
        """Decide, assert, evolve, follow, encode."""
        state, around, now = self.desk.state, self.desk.around, self.desk.now
        events: list[Event] = []
        reply: Reply | None = None
        decision = decide(state, around, given, now)
        try:
            while True:
                event = next(decision)
                then = self.invariants.before(event)
                evolve(state, event)
                if then is not None:
                    then()
                events.append(event)
                follow(state, around, event)
        except StopIteration as done:
            reply = done.value
            self.invariants.decided()
        self.encoded += len(codec.encode(events))
        return reply

    def submit(self, symbol: Symbol, ord_type: OrdType, price: Px | None) -> ClOrdID:
        """One buy; it must not be denied."""
        self.orders += 1
        reply = self.give(SubmitOrder(ACCOUNT, symbol, Side.BUY, QTY, "bench", ord_type, price))
        assert isinstance(reply, OrderReply) and reply.denied is None, reply
        self.give(OrderAck(BROKER, reply.cl_ord_id, OrderID(f"b{self.orders}")))
        return reply.cl_ord_id

    def market(self, n: int) -> None:
        """Submit, acknowledge, fill."""
        symbol = self.symbols[n % len(self.symbols)]
        cl_ord_id = self.submit(symbol, OrdType.MARKET, None)
        self.give(Execution(BROKER, ACCOUNT, DAY, ExecID(f"e{self.orders}"), symbol, Side.BUY, QTY, PX, cl_ord_id))

    def market_limits(self, n: int) -> None:
        """A moment later the market is as it was; submit, acknowledge, fill."""
        desk = self.desk
        desk.now = UtcNs(desk.now + STEP_NS)
        self.give(a_quote(self.symbols[n % len(self.symbols)], at=desk.now, prev_close=PX, volume=QTY))
        self.market(n)

    def limit_cancel(self, n: int) -> None:
        """Submit, acknowledge, cancel, cancelled."""
        cl_ord_id = self.submit(self.symbols[n % len(self.symbols)], OrdType.LIMIT, Px(Decimal("9.00")))
        self.give(CancelOrder(cl_ord_id, "bench"))
        self.give(CancelAck(BROKER, cl_ord_id))

    def check(self, filled: int) -> None:
        """Books against the oracle: each fill cost 1,000.00 and the minimum fee of 5."""
        state = self.desk.state
        assert len(state.orders) == self.orders
        assert not state.orders.open
        held = sum((p.long_qty for p in state.positions.get(ACCOUNT, {}).values()), Decimal(0))
        assert held == filled * QTY, (held, filled)
        cash = next(iter(state.accounts[ACCOUNT].cash.values()))
        assert cash.balance == 10**13 - filled * (PX * QTY + 5), cash
        assert cash.reserved == 0, cash


CASES: dict[str, tuple[int, Callable[[Path, int], None]]] = {
    "market": (100, Path.market),
    "market_limits": (100, Path.market_limits),
    "limit_cancel": (100, Path.limit_cancel),
    "one_position": (1, Path.market),
    "many_positions": (5_000, Path.market),
}


def main() -> None:
    """Measure one case."""
    name = sys.argv[1] if len(sys.argv) > 1 else "market"
    symbols, step = CASES[name]
    count = argument(2, 10_000)
    path = Path(symbols)
    if step is Path.market_limits:
        path.desk.give(SetLimits(tuple(limit(rule, wide=True) for rule in RULES.values()), "all"))
    for symbol in path.symbols:
        path.desk.give(a_quote(symbol), a_quote(symbol, prev_close=PX, volume=QTY))
    warm = min(count // 10, 1_000)
    for n in range(warm):
        step(path, n)
    calm_the_collector()
    before = resident_bytes()
    taken: list[int] = []
    clock = time.perf_counter_ns
    with Stopwatch() as watch:
        for n in range(count):
            began = clock()
            step(path, n)
            taken.append(clock() - began)
    path.check(0 if step is Path.limit_cancel else warm + count)
    bytes_each = (resident_bytes() - before) / count
    emit(
        f"tradeloop.core.{name}",
        n=count,
        per_s=round(count / watch.wall),
        per_cpu_s=round(count / watch.cpu),
        us=round(watch.wall / count * 1e6, 2),
        bytes_per_order=round(bytes_each),
        journal_bytes_per_order=round(path.encoded / (warm + count)),
        **steps(taken),
    )


if __name__ == "__main__":
    main()
