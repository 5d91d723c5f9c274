"""What the pipeline costs an order at 10,000 open orders: without limits, with each rule alone, with several, with all.

    python -m benchmarks.limits N [RUNS]

The orders lie over 100 symbols that are held. Before each verdict one of them ends, in turns by a fill and by a cancel, another
is placed, and a quote comes, so that every sum has something to take in. Each verdict is looked at, and in the end one beyond
each limit is refused. Times are the thread's own: what a busy machine adds is not the cost of a verdict. Of several runs the
one with the lowest p99 counts, for the same reason.
"""

from __future__ import annotations

import sys
import time
from decimal import Decimal
from typing import Any, Final

import msgspec

from benchmarks.measure import argument, emit, steps
from tradeloop.core.commands import SetLimits
from tradeloop.core.events import OrderStaged
from tradeloop.core.limit import LimitScope, RiskLimit
from tradeloop.core.replies import OrderReply
from tradeloop.core.reports import CancelAck, OrderAck
from tradeloop.core.risk import positions
from tradeloop.core.risk.pipeline import check
from tradeloop.core.risk.registry import RULES, SHARES
from tradeloop.core.risk.rule import ByList, RiskRule, Unit
from tradeloop.core.types import ZERO, ClOrdID, OrderID, OrdType, Qty, Side, UtcNs
from tradeloop.engine.supervise import calm_the_collector
from tradeloop.testing.builders import ACCOUNT, BROKER, a_quote, an_execution, an_instrument, buy
from tradeloop.testing.desk import Desk

OPEN = 10_000
SYMBOLS = [f"{600000 + n}.SH" for n in range(100)]
STEP_NS: Final = 50_000_000
"""Between two verdicts. An equal order, and a fill of the symbol, lie five seconds back."""
WIDE: Final = Decimal(10) ** 12
SILENT: Final = frozenset(
    {
        "max_slippage",
        "max_quote_age_seconds",
        "max_price_deviation",
        "max_deviation_from_prev_close",
        "limit_up_down",
        "no_self_trade",
        "max_minute_share",
        "cool_down_after_loss_seconds",
        "no_special_treatment",
        "no_suspended",
        "no_delisting",
        "board_permission",
        "max_margin_ratio",
        "max_positions",
    }
)
"""They have nothing against one more order of this kind; the question costs what it costs."""


class Place:
    """A desk that holds every symbol and has 10,000 orders in the market."""

    def __init__(self) -> None:
        self.instruments = [
            an_instrument(symbol, name="made up", industry=f"i{n % 10}", price_limit="0.1") for n, symbol in enumerate(SYMBOLS)
        ]
        held = dict.fromkeys(SYMBOLS, 1000)
        self.desk = Desk().opened(*self.instruments, cash=10**12, positions=held, costs=dict.fromkeys(SYMBOLS, 0))
        self.made = 0
        self.working: list[ClOrdID] = []
        for _ in range(OPEN):
            self.place()

    def place(self) -> None:
        """One more order; it must not be denied."""
        self.made += 1
        symbol = SYMBOLS[self.made % len(SYMBOLS)]
        order = self.desk.order(buy(symbol, 100, ord_type=OrdType.LIMIT, price="9.00", strategy_id="s"))
        self.desk.give(OrderAck(BROKER, order.cl_ord_id, OrderID(f"b{self.made}")))
        self.working.append(order.cl_ord_id)

    def moves(self) -> None:
        """An order ends, another is placed, and a price changes."""
        desk = self.desk
        desk.now = UtcNs(desk.now + STEP_NS)
        self.place()
        ends = self.working[self.made - OPEN - 1]
        if self.made % 2:
            desk.give(an_execution(ends, SYMBOLS[self.made % len(SYMBOLS)], Side.BUY, 100, "9.00", f"e{self.made}"))
        else:
            desk.give(CancelAck(BROKER, ends, cum_qty=Qty(ZERO)))
        self.quotes(SYMBOLS[(self.made * 7) % len(SYMBOLS)])
        del desk.events[:], desk.effects[:]

    def quotes(self, symbol: str) -> None:
        """The price of a symbol changes."""
        more: dict[str, Any] = {"prev_close": Decimal(10), "volume": Decimal(1000)}
        self.desk.give(a_quote(symbol, bid="9.98", ask=f"10.0{self.made % 9}", at=self.desk.now, **more))

    def under(self, rules: tuple[RiskRule, ...], name: str) -> None:
        """These rules are on, and have seen a market."""
        self.desk.give(SetLimits(tuple(limit(rule, wide=True) for rule in rules), name))
        for symbol in (*SYMBOLS, *SYMBOLS):
            self.quotes(symbol)

    def verdicts(self, count: int) -> list[int]:
        """How long each took, in nanoseconds; every one passes."""
        desk, clock, taken = self.desk, time.thread_time_ns, []
        staged = self.staged()
        for n in range(count):
            self.moves()
            instrument = self.instruments[(self.made + 1) % len(SYMBOLS)]
            intent = msgspec.structs.replace(staged, cl_ord_id=ClOrdID(f"x{n}"), symbol=instrument.symbol)
            began = clock()
            verdict = check(desk.state, desk.around, intent, instrument, desk.now)
            taken.append(clock() - began)
            assert verdict.denied is None, verdict.denied
        assert sum(desk.state.exposure.orders.values()) == OPEN
        return taken

    def refuses(self, rule: RiskRule) -> None:
        """One more order is beyond a limit of this rule, if it has anything against such orders, and beyond no other."""
        self.desk.now = UtcNs(self.desk.now + 20 * STEP_NS)
        self.desk.give(SetLimits(tuple(limit(each, wide=each is not rule) for each in RULES.values()), rule.code))
        reply = self.desk.give(buy(SYMBOLS[1], 100, ord_type=OrdType.LIMIT, price="9.00", strategy_id="s"))
        assert isinstance(reply, OrderReply)
        met = None if reply.denied is None else reply.denied.rule
        assert met == (None if rule.code in SILENT else rule.code), (rule.code, reply.denied)

    def staged(self) -> OrderStaged:
        """The intent of one order more; one ends for it."""
        self.desk.now = UtcNs(self.desk.now + STEP_NS)
        del self.desk.events[:]
        self.place()
        self.desk.give(CancelAck(BROKER, self.working[self.made - OPEN - 1], cum_qty=Qty(ZERO)))
        return next(each for each in reversed(self.desk.events) if isinstance(each, OrderStaged))


def limit(rule: RiskRule, *, wide: bool) -> RiskLimit:
    """A limit that every order keeps, or one that an order which it concerns does not."""
    scope = LimitScope.ACCOUNT if LimitScope.ACCOUNT in rule.scopes else LimitScope.SYMBOL
    least, most = (Decimal(1) / 2, Decimal(100_000)) if rule.at_least else (WIDE, ZERO)
    if rule.code in SHARES:  # more than all of it is no limit
        least, most = min(least, Decimal(1)), min(most, Decimal(1))
    value = ZERO if rule.unit is Unit.NONE else (least if wide else most)
    only: tuple[str, ...] = ()
    but: tuple[str, ...] = ()
    if rule.by_list is ByList.ONLY:
        only = ("000001.SZ",) if wide else tuple(SYMBOLS)
    elif rule.by_list is ByList.BUT:
        but = (ACCOUNT,) if wide else ("000001.SZ",)
    return RiskLimit(rule.code, value, scope, only=only, but=but)


def main() -> None:
    """No limit, each rule, and all."""
    count, runs = argument(1, 2_000), argument(2, 3)
    place = Place()
    calm_the_collector()
    every = tuple(RULES.values())
    alone = {rule.code: (rule,) for rule in every}
    sets: dict[str, tuple[RiskRule, ...]] = {"none": (), **alone, "positions": positions.RULES, "all": every}
    figures: dict[str, dict[str, float]] = {}
    for name, rules in sets.items():
        place.under(rules, name)
        place.verdicts(max(count // 10, 2 * len(SYMBOLS)))
        taken = [steps(place.verdicts(count)) for _ in range(runs)]
        figures[name] = min(taken, key=lambda run: run["p99_us"])
        shown = figures[name]
        print(f"{name:32} p50 {shown['p50_us']:7.2f} us, p99 {shown['p99_us']:7.2f} us", file=sys.stderr)
    for rule in every:
        place.refuses(rule)
    none = figures["none"]["p50_us"]
    adds = {f"adds_us.{rule.code}": round(figures[rule.code]["p50_us"] - none, 2) for rule in every}
    sets_of = {f"{name}.{what}": figures[name][what] for name in ("none", "positions", "all") for what in ("p50_us", "p99_us")}
    emit("tradeloop.limits", n=count, rules=len(every), open_orders=OPEN, **sets_of, **adds)


if __name__ == "__main__":
    main()
