"""Alerts on stderr while a command works, and how a fate that was said to be lost was settled.

Repeats are damped before they come here (engine/damper.py).

A fate is often lost and found in the same breath: a session breaks, and a moment later it is known that the order never left.
That an order's fate is unknown is therefore said only when it stays so for `HELD_BACK_S`, and once said it is taken back with
what became of the order, so that the last line about it is always the true one.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from tradeloop.core.effects import RaiseAlert
from tradeloop.core.types import ClOrdID

if TYPE_CHECKING:
    from tradeloop.bootstrap import Desk
    from tradeloop.cli.shell import Voice
    from tradeloop.core.order import Order
    from tradeloop.engine.writer import Published

HELD_BACK_S: Final = 0.3
"""Seconds of the world: longer than it takes to sort what a broken session left, shorter than a person's patience."""
_FATE: Final = "unknown:"
"""What the key of an alert about an order's fate begins with (core/follow.py); the order's id follows."""


class Alerts:
    """What is told of a desk's troubles. Given to the desk as its `alert`, and then the desk to `attach`."""

    def __init__(self, voice: Voice) -> None:
        self._voice = voice
        self._doubted: dict[ClOrdID, None] = {}
        """Orders whose fate was said to be unknown."""
        self._held_back: dict[ClOrdID, tuple[RaiseAlert, asyncio.TimerHandle]] = {}
        self._desk: Desk | None = None

    def attach(self, desk: Desk) -> None:
        """Hear from now on what becomes of the orders that are doubted."""
        self._desk = desk
        desk.listen(self._hear)

    def raised(self, alert: RaiseAlert) -> None:
        """Tell an alert; that a fate is unknown, when it stays so."""
        if not alert.key.startswith(_FATE):
            self._tell(alert)
            return
        order_id = ClOrdID(alert.key.removeprefix(_FATE))
        if order_id in self._doubted:
            self._tell(alert)
        elif order_id not in self._held_back:
            handle = asyncio.get_running_loop().call_later(HELD_BACK_S, self._doubt, order_id)
            self._held_back[order_id] = alert, handle

    def close(self) -> None:
        """Tell what is still held back: nobody will settle it any more."""
        for order_id in list(self._held_back):
            self._doubt(order_id)

    # --- inside

    def _tell(self, alert: RaiseAlert) -> None:
        self._voice.say(f"{alert.level.lower()}: {alert.text}".rstrip(" :"))

    def _doubt(self, order_id: ClOrdID) -> None:
        alert, handle = self._held_back.pop(order_id)
        handle.cancel()
        order = self._order(order_id)
        if order is None or order.unknown_at is not None:
            self._doubted[order_id] = None
            self._tell(alert)

    def _order(self, order_id: ClOrdID) -> Order | None:
        return None if self._desk is None else self._desk.state.orders.get(order_id)

    def _hear(self, published: Published) -> None:
        if not self._doubted or not any(getattr(event, "cl_ord_id", None) in self._doubted for event in published.events):
            return
        for order_id in list(self._doubted):
            order = self._order(order_id)
            if order is None or order.unknown_at is not None:
                continue
            del self._doubted[order_id]
            self._voice.say(f"settled: order {order_id} ({order.symbol}): {became(order)}")


def became(order: Order) -> str:
    """Where an order stands whose fate was in doubt, in words that say whether it is at the broker."""
    if order.is_done:
        return f"it is {order.ord_status.value}"
    if order.send_begun_at is None:
        return "it surely did not reach the broker, and is not sent yet"
    return f"it is at the broker, {order.ord_status.value}"
