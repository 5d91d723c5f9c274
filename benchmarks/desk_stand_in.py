"""A stand-in for a desk with many orders and quotes: the page that was built, and answers as the API gives them.

What is measured is the page in a browser. A process of its own, so that a browser's share of the machine is its own:
`python -m benchmarks.desk_stand_in ORDERS UPDATES_PER_S` prints its port and serves until it is ended.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from tradeloop.api.page import page_in
from tradeloop.bootstrap.web import BUILT_PAGE

SYMBOLS: Final = [f"S{number:03d}.US" for number in range(500)]
TICK_S: Final = 0.02
"""The desk gives quotes out every 20 ms."""
TURNS: Final = 50
"""Turns until a quote is what it was."""
BEGAN: Final = datetime.now(UTC)
SCOPES: Final = ["read:md", "read:acct", "order:paper", "cancel", "halt"]


def moment(at: datetime) -> str:
    """A time as the API writes it."""
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")


def order(number: int) -> dict[str, Any]:
    """One of the orders; the newest has the highest number."""
    at = moment(BEGAN - timedelta(seconds=1_000_000 - number))
    price, quantity = f"{10 + number % 400}.{number % 100:02d}", str(100 + number % 900)
    status = ("FILLED", "CANCELED", "FILLED", "REJECTED")[number % 4]
    filled = quantity if status == "FILLED" else "0"
    return {
        "order_id": f"o{number:08d}",
        "client_order_id": f"o{number:08d}",
        "broker_order_id": f"b{number}",
        "account": "bench",
        "broker": "paper",
        "exchange": "US",
        "symbol": SYMBOLS[number % len(SYMBOLS)],
        "side": "BUY" if number % 3 else "SELL",
        "order_type": "LIMIT",
        "quantity": quantity,
        "time_in_force": "DAY",
        "price": price,
        "stop_price": None,
        "position_effect": "AUTO",
        "strategy_id": "",
        "run_id": None,
        "status": status,
        "s0_status": status,
        "s1_status": status,
        "filled_quantity": filled,
        "remaining_quantity": "0",
        "average_price": price if status == "FILLED" else None,
        "filled_amount": None,
        "commission": "1.00",
        "is_open": False,
        "is_external": False,
        "error": "the exchange said no" if status == "REJECTED" else "",
        "error_code": "",
        "reason": "",
        "created_by": "ann",
        "approved_by": "",
        "trading_day": at[:10],
        "created_at": at,
        "submitted_at": at,
        "updated_at": at,
    }


def tick(place: int, turn: int) -> dict[str, Any]:
    """The quote of a symbol at this turn."""
    cents = 10_000 + place * 7 + (turn * 13 + place) % 50
    bid, last, ask = (f"{(cents + off) // 100}.{(cents + off) % 100:02d}" for off in (-1, 0, 1))
    return {
        "symbol": SYMBOLS[place],
        "bid": bid,
        "ask": ask,
        "bid_size": str(100 + turn % 900),
        "ask_size": str(200 + turn % 700),
        "last": last,
        "volume": "100",
        "prev_close": f"{100 + place % 50}.00",
        "suspended": False,
        "at": moment(datetime.now(UTC)),
    }


@cache
def written(place: int, turn: int) -> str:
    """The same as text, up to its time: the desk writes a quote once for everybody, too."""
    text = json.dumps({name: value for name, value in tick(place, turn).items() if name != "at"})
    return f"{text[:-1]},"


class StandIn:
    """The answers."""

    def __init__(self, orders: int, updates_per_s: int) -> None:
        self.orders = orders
        self.updates_per_s = updates_per_s
        self.sent = 0
        page = page_in(BUILT_PAGE)
        assert page is not None, "the page is not built: make web"
        self.page = page

    def told(self, path: str, query: dict[str, str]) -> Any:
        """What a route gives."""
        now = moment(datetime.now(UTC))
        match path:
            case "/api/v1/session":
                until = moment(BEGAN + timedelta(days=1))
                who = {"name": "ann", "roles": ["trader"], "scopes": SCOPES, "session_id": "s", "csrf": "x"}
                what = {"with_factor": False, "factor_since": None, "must_change_password": False, "recovery_codes_left": 0}
                return {**who, **what, "ends_at": until, "fresh_until": until}
            case "/health":
                words = dict.fromkeys(("access_trouble", "broker_text", "views_trouble"), "")
                counts = ("breaks_open", "halts", "inbox_waiting", "orders_open", "orders_unknown", "views_lag")
                more = {"account": "bench", "broker": "paper", "feed": "bench", "group": "main", "lock_holder": "bench"}
                rest = {
                    "broker_ready": True,
                    "feed_ended": False,
                    "is_live": False,
                    "epoch": 1,
                    "journal_seq": 1,
                    "views_seq": 1,
                }
                times = {"now": now, "newest_quote_at": now, "started_at": now, "version": "0"}
                return {"status": "ok", "details": {**words, **dict.fromkeys(counts, 0), **more, **rest, **times}}
            case "/api/v1/orders":
                return self.listed(query)
            case "/api/v1/quotes":
                quotes = [{**tick(place, 0), "exchange": "US", "at_local": now, "age_ms": 0} for place in range(len(SYMBOLS))]
                return {"quotes": quotes, "missing": []}
            case "/api/v1/account":
                return {"account": "bench", "broker": "paper", "is_live": False, "is_ready": True, "money": [], "halted": []}
            case "/api/v1/main-contract":
                names = ("main_contract", "name", "contract_multiplier", "exchange", "last_update", "set_by", "reason")
                return {**dict.fromkeys(names), "auto_subscribe": True}
            case "/api/v1/orders/queue/status":
                counts = ("cancels_in_flight", "in_flight", "staged", "unknown", "waiting", "working")
                return {"broker": "paper", "capacity": 1, "is_ready": True, **dict.fromkeys(counts, 0)}
            case "/api/v1/stream/ticket":
                return {"ticket": "t", "protocol": "tradeloop.v1", "good_for_s": 30}
            case "/sent":
                return {"sent": self.sent}
            case _:
                return {path.rpartition("/")[2]: [], "next": None}

    def listed(self, query: dict[str, str]) -> dict[str, Any]:
        """A page of orders, the newest first."""
        if query.get("open"):
            return {"orders": [], "next": None}
        last = int(query.get("cursor", self.orders + 1)) - 1
        first = max(1, last - int(query.get("limit", "100")) + 1)
        return {"orders": [order(number) for number in range(last, first - 1, -1)], "next": str(first) if first > 1 else None}

    async def answer(self, request: Request) -> Response:
        """A file of the page, or what a route gives."""
        headers = {name.encode(): value.encode() for name, value in request.headers.items()}
        found = self.page.answer(request.method, request.url.path, headers)
        if found is not None:
            plain = {name.decode(): value.decode() for name, value in found.headers}
            return Response(found.body, found.status, plain)
        return JSONResponse(self.told(request.url.path, dict(request.query_params)))

    async def stream(self, socket: WebSocket) -> None:
        """Greet, beat, and push quotes once some are asked for."""
        await socket.accept(subprotocol="tradeloop.v1")
        await socket.send_text(json.dumps({"t": "hello", "stream": "s", "topics": ["quotes"]}))
        wanted = asyncio.Event()
        tasks = [
            asyncio.ensure_future(each)
            for each in (self._heard(socket, wanted), self._beats(socket), self._push(socket, wanted))
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in tasks:
                each.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    @staticmethod
    async def _heard(socket: WebSocket, wanted: asyncio.Event) -> None:
        try:
            while True:
                if json.loads(await socket.receive_text()).get("topic") == "quotes":
                    wanted.set()
        except WebSocketDisconnect:
            return

    @staticmethod
    async def _beats(socket: WebSocket) -> None:
        while True:
            now = moment(datetime.now(UTC))
            await socket.send_text(json.dumps({"t": "beat", "at": now, "now": now, "numbers": {}}))
            await asyncio.sleep(1)

    async def _push(self, socket: WebSocket, wanted: asyncio.Event) -> None:
        await wanted.wait()
        loop = asyncio.get_running_loop()
        began, turn, place, sent = loop.time(), 0, 0, 0
        while True:
            turn += 1
            due = int((loop.time() - began) * self.updates_per_s) - sent
            due = min(due, len(SYMBOLS))  # each symbol once in a frame: the desk keeps the newest alone
            at = moment(datetime.now(UTC))
            quotes = [f'{written((place + each) % len(SYMBOLS), turn % TURNS)}"at":"{at}"}}' for each in range(due)]
            place, sent, self.sent = (place + due) % len(SYMBOLS), sent + due, self.sent + due
            if quotes:
                await socket.send_text(f'{{"t":"quotes","quotes":[{",".join(quotes)}]}}')
            await asyncio.sleep(TICK_S)


def main() -> None:
    """Serve until ended."""
    stand_in = StandIn(int(sys.argv[1]), int(sys.argv[2]))
    routes = [
        WebSocketRoute("/ws", stand_in.stream),
        Route("/{path:path}", stand_in.answer, methods=["GET", "HEAD", "POST"]),
    ]
    listening = socket.create_server(("127.0.0.1", 0))
    print(listening.getsockname()[1], flush=True)
    server = uvicorn.Server(uvicorn.Config(Starlette(routes=routes), log_level="error", lifespan="off", ws_max_size=2**24))
    asyncio.run(server.serve(sockets=[listening]))


if __name__ == "__main__":
    main()
