"""Orders and fills: what may be asked of the desk about them. Each function makes an `Ask`, which a client sends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from tradeloop.client.ask import Ask, Number, amount, asked, at, new_key, present
from tradeloop.client.document import Document
from tradeloop.client.errors import ClientError, Denied, NotDone
from tradeloop.client.orders_told import Accepted, Fills, OrderInFull, Orders, Queue, Statistics, Taken

PATH = "/api/v1/orders"


class InBatch(Document, frozen=True):
    """What came of one order of several: an order, or a problem."""

    order: Taken | None = None
    problem: dict[str, Any] | None = None

    def taken(self) -> Taken:
        """The order. Raises Denied or NotDone where there is none."""
        if self.order is not None:
            return self.order
        raise _problem(self.problem or {})


class Batch(Document, frozen=True):
    """What came of each, in the order they were sent."""

    results: list[InBatch]


class New(msgspec.Struct, frozen=True):
    """An order that shall be. Quantities in units, prices in the instrument's currency."""

    symbol: str
    side: str
    quantity: Number
    order_type: str = "market"
    price: Number | None = None
    stop_price: Number | None = None
    time_in_force: str = "DAY"
    position_effect: str = "AUTO"
    exchange: str = ""
    strategy_id: str = ""
    reason: str = ""
    approved_by: str = ""

    def body(self) -> dict[str, Any]:
        """As it is sent. Raises BadInput for a float."""
        amounts = {"quantity", "price", "stop_price"}
        given = {name: getattr(self, name) for name in self.__struct_fields__}
        return present(**{name: amount(value) if name in amounts else value for name, value in given.items()})


def submit(order: New) -> Ask[Taken]:
    """Submit an order. The answer says that it is durable, and no more."""
    return Ask("POST", PATH, Taken, body=order.body(), key=new_key())


def submit_all(orders: Sequence[New]) -> Ask[Batch]:
    """Submit up to 200 orders at once; each is decided for itself."""
    return Ask("POST", f"{PATH}/batch", Batch, body={"orders": [each.body() for each in orders]}, key=new_key())


def amend(
    order_id: str,
    *,
    quantity: Number | None = None,
    price: Number | None = None,
    stop_price: Number | None = None,
    reason: str = "",
    approved_by: str = "",
) -> Ask[Accepted]:
    """Ask for other terms of a working order; what is left away stays."""
    terms = {"quantity": amount(quantity), "price": amount(price), "stop_price": amount(stop_price)}
    body = present(**terms, reason=reason, approved_by=approved_by)
    return Ask("PATCH", at(PATH + "/{order_id}", order_id=order_id), Accepted, body=body, key=new_key())


def cancel(order_id: str, reason: str = "") -> Ask[Accepted]:
    """Ask for an order to leave the market; to ask twice asks for no more."""
    path = at(PATH + "/{order_id}/cancel", order_id=order_id)
    return Ask("POST", path, Accepted, query=asked(reason=reason), is_harmless=True)


def get(order_id: str) -> Ask[OrderInFull]:
    """An order with its fills and its time-line."""
    return Ask("GET", at(PATH + "/{order_id}", order_id=order_id), OrderInFull)


def listed(
    *,
    open_only: bool = False,
    unknown: bool = False,
    symbol: str = "",
    run_id: str = "",
    strategy_id: str = "",
    status: str = "",
    side: str = "",
    order_type: str = "",
    created_by: str = "",
    trading_day: str = "",
    since: str = "",
    until: str = "",
    limit: int = 100,
    cursor: str | None = None,
) -> Ask[Orders]:
    """Orders, newest first; `cursor` is the `next` of the page before. `since` and `until` are times with their zone."""
    which = {"symbol": symbol, "run_id": run_id, "strategy_id": strategy_id, "status": status, "side": side}
    which |= {"order_type": order_type, "created_by": created_by, "trading_day": trading_day, "since": since, "until": until}
    query = asked(open=open_only or None, unknown=unknown or None, limit=limit, cursor=cursor, **which)
    return Ask("GET", PATH, Orders, query=query)


def statistics(strategy_id: str = "") -> Ask[Statistics]:
    """How many orders there are by status."""
    return Ask("GET", f"{PATH}/statistics", Statistics, query=asked(strategy_id=strategy_id))


def queue() -> Ask[Queue]:
    """What waits: in the engine, for the broker, for its answers."""
    return Ask("GET", f"{PATH}/queue/status", Queue)


def fills(
    *,
    order_id: str = "",
    run_id: str = "",
    symbol: str = "",
    trading_day: str = "",
    limit: int = 100,
    cursor: str | None = None,
) -> Ask[Fills]:
    """Fills, newest first."""
    which = {"order_id": order_id, "run_id": run_id, "symbol": symbol, "trading_day": trading_day}
    return Ask("GET", "/api/v1/fills", Fills, query=asked(limit=limit, cursor=cursor, **which))


def _problem(told: dict[str, Any]) -> ClientError:
    kind = Denied if told.get("code") == "denied" else NotDone
    return kind(str(told.get("detail", "")), status=int(told.get("status", 422)), code=str(told.get("code", "")), more=told)
