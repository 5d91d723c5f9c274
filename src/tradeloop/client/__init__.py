"""A client of a desk over HTTP, typed, asynchronous or waiting.

    from decimal import Decimal
    from tradeloop.client import Client, orders

    with Client("http://127.0.0.1:8003", "tlk_…") as desk:
        taken = desk.send(orders.submit(orders.New("BAC.US", "buy", Decimal(100))))

What may be asked is made by functions in `orders`, `runs`, `books`, `stop`, `strategies` and `access`; a client sends it.
Errors are sorted by the fate of what was asked (errors.py).
"""

from tradeloop.client import access, books, orders, runs, stop, strategies
from tradeloop.client.blocking import Client
from tradeloop.client.errors import ClientError, Denied, FateUnknown, NotAllowed, NotDone, NotSent, Refused, TooOften
from tradeloop.client.http import AsyncClient
from tradeloop.client.news import Change, Down, Moved, Snapshot, Up
from tradeloop.client.stream import Stream

__all__ = [
    "AsyncClient",
    "Change",
    "Client",
    "ClientError",
    "Denied",
    "Down",
    "FateUnknown",
    "Moved",
    "NotAllowed",
    "NotDone",
    "NotSent",
    "Refused",
    "Snapshot",
    "Stream",
    "TooOften",
    "Up",
    "access",
    "books",
    "orders",
    "runs",
    "stop",
    "strategies",
]
