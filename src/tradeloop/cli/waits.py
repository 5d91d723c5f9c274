"""What a command waits for at a desk: that orders may be sent, that a session has quotes, that its work is done.

Each wait ends with a sentence where waiting on says nothing: at a recording that is over, a broker that does not answer, and an
order whose fate stays unknown past its deadline.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from tradeloop.cli.shell import FAILED, UNKNOWN, Ended, Voice
from tradeloop.cli.words import moment
from tradeloop.core.types import SECOND_NS, ClOrdID, Symbol
from tradeloop.engine.clock import stopwatch_ns

if TYPE_CHECKING:
    from tradeloop.bootstrap import Desk
    from tradeloop.core.order import Order


_REST_S: Final = 2.0
_PATIENCE: Final = 2
"""How many times `unknown_alert_s` a command waits: after the first comes the alert, and the broker's books may still prove the
fate by themselves, which takes them as long as a request may be under way."""


def _raise_what_the_broker_said(desk: Desk, waiting: Sequence[Order]) -> None:
    """What took the session down, a full disk for example, is the cause that matters; that quotes ended is none beside it."""
    link = desk.state.links.get(desk.broker.name)
    if link is not None and not desk.is_ready:
        named = ""
        if waiting:
            more = f" and {len(waiting) - 1} more" if len(waiting) > 1 else ""
            order = waiting[0]
            unsent = "" if order.may_be_at_broker else " surely was not sent yet; it"
            named = f"; order {order.cl_ord_id} ({order.symbol}){more}{unsent} goes on by itself then, do not give it again"
        raise Ended(f"broker {desk.broker.name} is not ready: {link.text}; mend that, then `tradeloop watch` goes on{named}")


class NotReady(Ended):
    """The broker does not let itself be heard. `why` says that alone, for who has done something already."""

    def __init__(self, why: str, then: str, code: int = FAILED) -> None:
        super().__init__(f"{why}{then}", code)
        self.why = why


async def ready(desk: Desk, within_s: float | None = None) -> None:
    """Return when orders may be sent. Raises NotReady where the broker does not let itself be heard in time: that of the
    settings, or `within_s` where that is less.
    """
    limit = desk.loaded.settings.engine.ready_within_s
    if within_s is not None:
        limit = min(limit, within_s)
    try:
        async with asyncio.timeout(limit):
            await desk.ready()
    except TimeoutError:
        flying = [order for order in desk.state.orders.open.values() if _in_flight(order)]
        what = f"broker {desk.broker.name} was not ready within {round(limit, 1):g} s"
        if flying:
            raise NotReady(
                f"{what}, and the fate of order {flying[0].cl_ord_id} ({flying[0].symbol}) is unknown, of {len(flying)} in all;"
                " look at `tradeloop orders --unknown`",
                ", and try again when it answers",
                UNKNOWN,
            ) from None
        link = desk.state.links.get(desk.broker.name)
        said = f" ({link.text})" if link is not None and link.text else ""
        there = [order for order in desk.state.orders.open.values() if order.may_be_at_broker]
        if there:
            stand = "order stands" if len(there) == 1 else "orders stand"
            then = f", and {len(there)} {stand} there as far as is known; see its connection and `tradeloop orders --open`"
        else:
            then = ", and nothing was sent; see its connection, then try again"
        raise NotReady(f"{what}{said}", then) from None


async def opened(desk: Desk, voice: Voice, symbols: Sequence[Symbol]) -> None:
    """Wait for the first quotes of a session that has just opened, and say until when: what stands is of the day before."""
    until = desk.first_quotes_until(symbols) if desk.feed is not None and not desk.feed_ended else None
    if until is None:
        return
    left = max(until - desk.clock.now(), 0) / SECOND_NS
    voice.say(f"waiting for the first quotes since the open, until {moment(until)} at the latest ({left:.0f} s of the market)")
    await desk.first_quotes(symbols)


async def worked(desk: Desk, done: Callable[[], bool], mine: Callable[[Order], bool] = lambda _: True) -> None:
    """Wait for `done`, but neither for quotes that will not come nor for a fate that only a person can settle.

    An order that is `mine` may be of unknown fate, or in flight to a broker that is not ready, for twice
    `engine.unknown_alert_s` seconds of the world. Raises Ended with the sentence and the exit code.
    """
    times = desk.loaded.settings.engine
    state, patience_ns = desk.state, int(_PATIENCE * times.unknown_alert_s * SECOND_NS)
    since: dict[ClOrdID, int] = {}
    down: list[int] = []

    def lost() -> list[Order]:
        """What has been without an answer for too long, by the clock of the world: a replay's runs as fast as it was told."""
        now = stopwatch_ns()
        here = [
            order
            for order in state.orders.open.values()
            if mine(order) and (order.unknown_at is not None or (not desk.is_ready and _in_flight(order)))
        ]
        for known in since.keys() - {order.cl_ord_id for order in here}:
            del since[known]
        return [order for order in here if now - since.setdefault(order.cl_ord_id, now) >= patience_ns]

    def away() -> bool:
        """Whether the broker has let nothing be sent for so long that waiting on says nothing."""
        if desk.is_ready:
            down.clear()
        elif not down:
            down.append(stopwatch_ns())
        return bool(down) and stopwatch_ns() - down[0] >= int(times.ready_within_s * SECOND_NS)

    def timed() -> bool:
        """Whether an order is still to be cancelled by its time-out, quotes or not."""
        return any(order.cancel_at is not None for order in state.orders.open.values())

    await desk.until(lambda: done() or (desk.feed_ended and not timed() and not since) or bool(lost()) or away())
    if not done() and not lost() and not away():
        await desk.came_to_rest(_REST_S)  # what the last quotes filled is still on its way
    if done():
        return
    if left := lost():
        raise Ended(
            f"the fate of order {left[0].cl_ord_id} ({left[0].symbol}) is still unknown, of {len(left)} in all; ask the broker,"
            f" then `tradeloop orders resolve {left[0].cl_ord_id} --as NOT_SENT|CANCELED --reason …`",
            UNKNOWN,
        )
    _raise_what_the_broker_said(desk, [order for order in state.orders.open.values() if mine(order)])
    working = len(state.orders.open)
    raise Ended(
        f"the recording has ended and {working} order{' still waits' if working == 1 else 's still wait'} for quotes"
        " with size to trade;"
        " go on with a longer recording, or end it with `tradeloop runs cancel`"
    )


def _in_flight(order: Order) -> bool:
    """Handed to the broker, and no answer has come."""
    return order.send_begun_at is not None and order.acked_at is None and not order.is_done


async def settle(desk: Desk) -> None:
    """Return when the broker was heard and nothing asked of it is without an answer."""
    await ready(desk)

    def quiet() -> bool:
        return not any(order.cancel_requested_at is not None for order in desk.state.orders.open.values())

    await worked(desk, quiet)
    await desk.settled()
