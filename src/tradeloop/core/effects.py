"""What the world must now do about a fact. `follow` returns these; the engine acts on them after the fact is durable."""

from __future__ import annotations

import msgspec

from tradeloop.core.order import Order
from tradeloop.core.replacement import Replacement
from tradeloop.core.risk.approved import Approved
from tradeloop.core.types import AccountID, ClOrdID, OrderID, Symbol, UtcNs


class SendOrder(msgspec.Struct, frozen=True, gc=False):
    """Hand an approved order to its broker, once: the attempt that began at `begun_at`. `send_before` is the last moment it may
    still leave.
    """

    order: Approved[Order]
    send_before: UtcNs
    begun_at: UtcNs


class SendReplace(msgspec.Struct, frozen=True, gc=False):
    """Hand an approved replace to its broker, once, before `send_before`."""

    change: Approved[Replacement]
    send_before: UtcNs


class SendCancel(msgspec.Struct, frozen=True, gc=False):
    """Ask the broker to cancel."""

    broker: str
    account: AccountID
    cl_ord_id: ClOrdID
    order_id: OrderID | None
    symbol: Symbol


class TakeSnapshot(msgspec.Struct, frozen=True, gc=False):
    """Read the broker's books and report them, not before `not_before`."""

    broker: str
    account: AccountID
    why: str
    not_before: UtcNs


class SetTimer(msgspec.Struct, frozen=True, gc=False):
    """Wake the core at `due` with the same `subject`."""

    due: UtcNs
    kind: str
    subject: str


class RaiseAlert(msgspec.Struct, frozen=True, gc=False):
    """Tell a person. `level` is CRITICAL, WARNING or INFO; `key` makes repeats of one trouble one alert."""

    level: str
    key: str
    text: str


Effect = SendOrder | SendReplace | SendCancel | TakeSnapshot | SetTimer | RaiseAlert
