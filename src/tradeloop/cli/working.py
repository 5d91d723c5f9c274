"""A desk for the length of one command: alerts on stderr, other processes answered, requests that another must carry out.

What ends a wait beside the thing waited for is here too: a recording that is over, and an order whose fate stays unknown past
its deadline.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from tradeloop.cli.shell import UNKNOWN, Ended, Voice
from tradeloop.core.commands import Command
from tradeloop.core.effects import RaiseAlert
from tradeloop.core.errors import LeaseHeld
from tradeloop.core.types import Px, Symbol, TradingDay

if TYPE_CHECKING:
    from tradeloop.bootstrap import Desk
    from tradeloop.config import Loaded


_REST_S: Final = 2.0


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
) -> AsyncIterator[Desk]:
    """`open_desk` with alerts told on stderr, once each, and the control socket open."""
    from tradeloop.bootstrap import open_desk
    from tradeloop.cli.control import serving

    told: set[str] = set()

    def alert(raised: RaiseAlert) -> None:
        if raised.key not in told:
            told.add(raised.key)
            voice.say(f"{raised.level.lower()}: {raised.text}")

    async with (
        open_desk(
            loaded,
            command=command,
            alert=alert,
            symbols=symbols,
            prices=prices,
            trade_date=trade_date,
            first=first,
        ) as desk,
        serving(desk),
    ):
        yield desk


async def worked(desk: Desk, done: Callable[[], bool]) -> None:
    """Wait for `done`, but neither for quotes that will not come nor for a fate that only a person can settle.

    Raises Ended with the sentence and the exit code.
    """
    state, patience_ns = desk.state, desk.engine.around.policy.unknown_alert_ns

    def stuck() -> bool:
        now = desk.clock.now()
        return any(
            order.unknown_at is not None and now - order.unknown_at > 2 * patience_ns for order in state.orders.open.values()
        )

    def timed() -> bool:
        """Whether an order is still to be cancelled by its time-out, quotes or not."""
        return any(order.cancel_at is not None for order in state.orders.open.values())

    await desk.until(lambda: done() or (desk.feed_ended and not timed()) or stuck())
    if not done() and not stuck():
        await desk.came_to_rest(_REST_S)  # what the last quotes filled is still on its way
    if done():
        return
    if stuck():
        lost = [order for order in state.orders.open.values() if order.unknown_at is not None]
        raise Ended(
            f"the fate of order {lost[0].cl_ord_id} ({lost[0].symbol}) is still unknown, of {len(lost)} in all; ask the broker,"
            f" then `tradeloop orders resolve {lost[0].cl_ord_id} --as NOT_SENT|CANCELED --reason …`",
            UNKNOWN,
        )
    working = len(state.orders.open)
    raise Ended(
        f"the recording has ended and {working} order{'' if working == 1 else 's'} still wait for quotes;"
        " go on with a longer recording, or end it with `tradeloop runs cancel`"
    )


async def carried_out(voice: Voice, loaded: Loaded, command: Command, name: str) -> tuple[str, int]:
    """Have a command decided: by the process that trades here, or by one of our own that ends at once.

    It is decided before anything unfinished goes on, so that a cancel is never late. Returns the text and the exit code.
    """
    from tradeloop.cli.control import ask_the_writer, spoken

    answer = await ask_the_writer(loaded.home.socket, command)
    if answer is None:
        try:
            async with working_desk(loaded, voice, name, first=[command]) as desk:
                said = spoken(desk.first_replies[0])
                await settle(desk)
                return said.text, said.exit_code
        except LeaseHeld:
            # It may have opened its socket between our two tries.
            answer = await ask_the_writer(loaded.home.socket, command)
            if answer is None:
                raise
    if not answer.ok:
        raise Ended(answer.text, answer.exit_code)
    return answer.text, answer.exit_code


async def settle(desk: Desk) -> None:
    """Return when the broker was heard and nothing asked of it is without an answer."""
    await desk.ready()

    def quiet() -> bool:
        return not any(order.cancel_requested_at is not None for order in desk.state.orders.open.values())

    await worked(desk, quiet)
    await desk.settled()
