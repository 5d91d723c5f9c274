"""NautilusTrader's order path in memory: strategy, risk engine, execution engine, simulated exchange, position.

    .bench/nautilus/bin/python benchmarks/peers/nautilus_path.py market|limit_cancel N

One order per quote tick, in its back-test engine with logging off and message rates raised so that nothing is throttled.
Nothing is persisted. The orders are counted at the end.
"""

from __future__ import annotations

import json
import os
import sys
import time

from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.config import LoggingConfig, RiskEngineConfig, StrategyConfig
from nautilus_trader.model.currencies import BTC, USDT
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.enums import AccountType, OmsType, OrderSide
from nautilus_trader.model.identifiers import TraderId, Venue
from nautilus_trader.model.objects import Money
from nautilus_trader.test_kit.providers import TestInstrumentProvider
from nautilus_trader.trading.strategy import Strategy

CASE, COUNT = sys.argv[1], int(sys.argv[2])
INSTRUMENT = TestInstrumentProvider.btcusdt_binance()
START_NS, STEP_NS = 1_700_000_000_000_000_000, 1_000_000


class OneOrderPerTick(Strategy):
    """Buys at the market, or places a resting limit and cancels it once accepted."""

    def __init__(self) -> None:
        super().__init__(StrategyConfig(strategy_id="BENCH-001", order_id_tag="001"))
        self.placed = self.ended = 0

    def on_start(self) -> None:
        self.subscribe_quote_ticks(INSTRUMENT.id)

    def on_quote_tick(self, tick) -> None:
        if self.placed == COUNT:
            return
        self.placed += 1
        qty = INSTRUMENT.make_qty(0.001)
        if CASE == "market":
            order = self.order_factory.market(INSTRUMENT.id, OrderSide.BUY, qty)
        else:
            order = self.order_factory.limit(INSTRUMENT.id, OrderSide.BUY, qty, INSTRUMENT.make_price(10_000))
        self.submit_order(order)

    def on_order_accepted(self, event) -> None:
        if CASE == "limit_cancel":
            self.cancel_order(self.cache.order(event.client_order_id))

    def on_order_filled(self, event) -> None:
        self.ended += 1

    def on_order_canceled(self, event) -> None:
        self.ended += 1


engine = BacktestEngine(
    BacktestEngineConfig(
        trader_id=TraderId("BENCH-001"),
        logging=LoggingConfig(bypass_logging=True),
        risk_engine=RiskEngineConfig(max_order_submit_rate="1000000/00:00:01", max_order_modify_rate="1000000/00:00:01"),
    )
)
engine.add_venue(
    Venue("BINANCE"),
    oms_type=OmsType.NETTING,
    account_type=AccountType.CASH,
    base_currency=None,
    starting_balances=[Money(100_000_000, USDT), Money(1_000, BTC)],
)
engine.add_instrument(INSTRUMENT)
bid, ask, size = INSTRUMENT.make_price(50_000), INSTRUMENT.make_price(50_000.01), INSTRUMENT.make_qty(100)
times = (START_NS + n * STEP_NS for n in range(COUNT + 10))
engine.add_data([QuoteTick(INSTRUMENT.id, bid, ask, size, size, at, at) for at in times])
strategy = OneOrderPerTick()
engine.add_strategy(strategy)
began, cpu = time.perf_counter(), time.process_time()
engine.run()
wall, cpu = time.perf_counter() - began, time.process_time() - cpu
assert strategy.placed == strategy.ended == COUNT, (strategy.placed, strategy.ended)
figures = {"n": COUNT, "per_s": round(COUNT / wall), "us": round(wall / COUNT * 1e6, 2), "load1": round(os.getloadavg()[0], 2)}
print(json.dumps({"case": f"nautilus.{CASE}", **figures}), flush=True)
