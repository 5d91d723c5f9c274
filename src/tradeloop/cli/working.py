"""A desk for the length of one command: alerts on stderr, other processes answered, and the stops that they ask for worked.

What ends a wait beside the thing waited for is here too: a recording that is over, and an order whose fate stays unknown past
its deadline.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, closing
from typing import TYPE_CHECKING, Final

from tradeloop.cli.alerts import Alerts
from tradeloop.cli.shell import FAILED, UNKNOWN, Ended, Voice
from tradeloop.cli.stops import end_after_stops, tell_what_is_left
from tradeloop.cli.words import moment
from tradeloop.core.commands import Command
from tradeloop.core.errors import TradeloopError
from tradeloop.core.state import State
from tradeloop.core.types import SECOND_NS, ClOrdID, Px, Symbol, TradingDay
from tradeloop.engine.clock import stopwatch_ns

if TYPE_CHECKING:
    from tradeloop.bootstrap import Desk
    from tradeloop.bootstrap.limits import Author
    from tradeloop.config import Loaded
    from tradeloop.core.order import Order


_REST_S: Final = 2.0
_PATIENCE: Final = 2
"""How many times `unknown_alert_s` a command waits: after the first comes the alert, and the broker's books may still prove the
fate by themselves, which takes them as long as a request may be under way."""


_BEGINS_NOW: Final = (
    "this home is new, and its books begin in the present: play a recording of an earlier day in a home of its own (--home), or"
    " name it with --feed in the first command of all"
)


@asynccontextmanager
async def working_desk(
    loaded: Loaded,
    voice: Voice,
    command: str,
    *,
    symbols: Sequence[Symbol] = (),
    prices: dict[Symbol, Px] | None = None,
    trade_date: TradingDay | None = None,
    first: Sequence[Command] = (),
    look: Callable[[State], None] | None = None,
    is_a_copy: bool = False,
    author: Author | None = None,
) -> AsyncIterator[Desk]:
    """`open_desk` with alerts told on stderr, repeats as a count, and the control socket open. However the block ends, the
    stops that came meanwhile are worked to their end before the desk is (cli/stops.py); only whoever is told to stop leaves
    them, and says so. `is_a_copy`: nothing of it is real, and nobody asks it to stop.

    Raises LeaseHeld naming the process that trades here, before anything else can be said that is true of that process alone.
    `look` sees the state as the journal has it, an empty one in a new home, and may raise before anything is made. `author`
    answers for the limits of risk.yaml, where the command is about them.
    """
    from tradeloop.bootstrap import is_new, open_desk
    from tradeloop.bootstrap.limits import NOBODY
    from tradeloop.cli.control import serving
    from tradeloop.cli.schema import refuse_a_second_writer

    await refuse_a_second_writer(loaded, voice.say)
    opened = loaded.home.open_to_others()
    if opened is not None:
        voice.say(f"warning: {opened}")
    new = await is_new(loaded)
    if new and look is not None:
        look(State())
    adopts = loaded.settings.broker.kind == "paper" and loaded.home.paper_books.exists() and new

    alerts = Alerts(voice)
    state: State | None = None
    with voice.while_working(), closing(alerts):
        try:
            async with (
                open_desk(
                    loaded,
                    command=command,
                    alert=alerts.raised,
                    symbols=symbols,
                    prices=prices,
                    trade_date=trade_date,
                    first=first,
                    look=look,
                    author=author or NOBODY,
                ) as desk,
                serving(desk) as door,
            ):
                state = desk.state
                alerts.attach(desk)
                if new and not is_a_copy and desk.feed is None and desk.state.clock == "wall":
                    voice.say(_BEGINS_NOW)
                telling = asyncio.ensure_future(_tell_adoption(desk, voice)) if adopts else None
                ended: Ended | TradeloopError | OSError | None = None
                try:
                    try:
                        yield desk
                    except (Ended, TradeloopError, OSError) as error:
                        ended = error
                    if not is_a_copy and not _is_told_to_stop():
                        await end_after_stops(desk, voice, door)
                    if ended is not None:
                        raise ended
                except asyncio.CancelledError:
                    _tell_open_orders(desk, voice)
                    raise
                finally:
                    if telling is not None:
                        telling.cancel()
        finally:
            if state is not None and not is_a_copy:
                tell_what_is_left(state, voice, first if voice.has_spoken else ())


def _is_told_to_stop() -> bool:
    """Whether Ctrl-C or a signal ended the work, though the command made an ordinary end of it."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _tell_open_orders(desk: Desk, voice: Voice) -> None:
    open_orders = len(desk.state.orders.open)
    if open_orders:
        are = "order is" if open_orders == 1 else "orders are"
        voice.say(f"warning: {open_orders} {are} still open at the broker; see `tradeloop orders --open`")


async def _tell_adoption(desk: Desk, voice: Voice) -> None:
    """Books without a journal are taken as they are, which a person has to know: nothing explains what they hold."""
    await desk.until(lambda: desk.is_ready)
    count = len(desk.held_symbols())
    voice.say(
        f"warning: no journal stood beside {desk.loaded.home.paper_books}; adopted {count} position{'' if count == 1 else 's'}"
        " and the cash from the broker's books"
    )


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


async def ready(desk: Desk) -> None:
    """Return when orders may be sent. Raises NotReady where the broker does not let itself be heard in time."""
    limit = desk.loaded.settings.engine.ready_within_s
    try:
        async with asyncio.timeout(limit):
            await desk.ready()
    except TimeoutError:
        flying = [order for order in desk.state.orders.open.values() if _in_flight(order)]
        what = f"broker {desk.broker.name} was not ready within {limit:g} s"
        if flying:
            raise NotReady(
                f"{what}, and the fate of order {flying[0].cl_ord_id} ({flying[0].symbol}) is unknown, of {len(flying)} in all;"
                " look at `tradeloop orders --unknown`",
                ", and try again when it answers",
                UNKNOWN,
            ) from None
        link = desk.state.links.get(desk.broker.name)
        said = f" ({link.text})" if link is not None and link.text else ""
        raise NotReady(f"{what}{said}", ", and nothing was sent; see its connection, then try again") from None


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
