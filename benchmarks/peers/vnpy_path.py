"""vn.py's order path in memory: main engine, event engine, OMS and the five rules of its risk manager, with a gateway
that fills at once.

    .bench/vnpy/bin/python benchmarks/peers/vnpy_path.py risk|risk_one_at_a_time N

The rules' limits are raised so that nothing is refused; every check still runs. Nothing is persisted. Fills are counted
at the end.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import threading
import time

os.environ["HOME"] = tempfile.mkdtemp(prefix="vnpy-bench-")
os.chdir(os.environ["HOME"])

from vnpy.event import Event, EventEngine  # noqa: E402
from vnpy.trader.constant import Direction, Exchange, Offset, OrderType, Product, Status  # noqa: E402
from vnpy.trader.engine import MainEngine  # noqa: E402
from vnpy.trader.event import EVENT_POSITION  # noqa: E402
from vnpy.trader.gateway import BaseGateway  # noqa: E402
from vnpy.trader.object import ContractData, OrderRequest, PositionData, TradeData  # noqa: E402
from vnpy.trader.setting import SETTINGS  # noqa: E402
from vnpy_riskmanager import RiskManagerApp  # noqa: E402

SETTINGS["log.active"] = False
CASE, COUNT = sys.argv[1], int(sys.argv[2])


class InstantGateway(BaseGateway):
    """Acknowledges and fills every order before `send_order` returns."""

    default_name = "INSTANT"
    exchanges = [Exchange.SSE]

    def __init__(self, event_engine, name) -> None:
        super().__init__(event_engine, name)
        self.count = 0
        self.held: dict[str, float] = {}

    def connect(self, setting) -> None: ...
    def close(self) -> None: ...
    def subscribe(self, req) -> None: ...
    def query_account(self) -> None: ...
    def query_position(self) -> None: ...
    def cancel_order(self, req) -> None: ...

    def send_order(self, req) -> str:
        self.count += 1
        order_id = str(self.count)
        for status in (Status.SUBMITTING, Status.NOTTRADED, Status.ALLTRADED):
            order = req.create_order_data(order_id, self.gateway_name)
            order.status = status
            order.traded = req.volume if status is Status.ALLTRADED else 0
            self.on_order(order)
        self.on_trade(
            TradeData(
                symbol=req.symbol,
                exchange=req.exchange,
                orderid=order_id,
                tradeid=order_id,
                direction=req.direction,
                offset=req.offset,
                price=req.price,
                volume=req.volume,
                gateway_name=self.gateway_name,
            )
        )
        held = self.held[req.symbol] = self.held.get(req.symbol, 0) + req.volume
        self.on_position(
            PositionData(
                symbol=req.symbol,
                exchange=req.exchange,
                direction=Direction.NET,
                volume=held,
                gateway_name=self.gateway_name,
            )
        )
        return order.vt_orderid


events = EventEngine()
desk = MainEngine(events)
desk.add_gateway(InstantGateway)
for n in range(100):
    contract = ContractData(
        symbol=f"6000{n:02d}",
        exchange=Exchange.SSE,
        name="bench",
        product=Product.EQUITY,
        size=1,
        pricetick=0.01,
        min_volume=1,
        gateway_name="INSTANT",
    )
    events.put(Event("eContract.", contract))
time.sleep(0.3)
risk = desk.add_app(RiskManagerApp)
assert len(risk.rules) >= 5, risk.rules
for rule in risk.rules.values():
    for name in rule.parameters:
        if name.endswith("_limit"):
            setattr(rule, name, type(getattr(rule, name))(2_000_000_000))
filled, seen = threading.Event(), 0


def on_position(event) -> None:
    global seen
    seen += 1
    if seen == COUNT or CASE == "risk_one_at_a_time":
        filled.set()


events.register(EVENT_POSITION, on_position)
requests = [
    OrderRequest(
        symbol=f"6000{n % 100:02d}",
        exchange=Exchange.SSE,
        direction=Direction.LONG,
        type=OrderType.LIMIT,
        volume=100,
        price=10.0 + n % 1000 / 100,
        offset=Offset.OPEN,
        reference="bench",
    )
    for n in range(COUNT)
]
began = time.perf_counter()
for request in requests:
    filled.clear() if CASE == "risk_one_at_a_time" else None
    assert desk.send_order(request, "INSTANT")
    if CASE == "risk_one_at_a_time":
        filled.wait(10)
while seen < COUNT:
    time.sleep(0.0005)
wall = time.perf_counter() - began
figures = {"n": COUNT, "per_s": round(COUNT / wall), "us": round(wall / COUNT * 1e6, 2), "load1": round(os.getloadavg()[0], 2)}
print(json.dumps({"case": f"vnpy.{CASE}", **figures}), flush=True)
os._exit(0)
