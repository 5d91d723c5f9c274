"""A desk for the length of one command: alerts on stderr, other processes answered, and the stops that they ask for worked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, closing
from typing import TYPE_CHECKING, Final

from tradeloop.cli.alerts import Alerts
from tradeloop.cli.shell import Ended, Voice
from tradeloop.cli.stops import end_after_stops, tell_that_it_is_behind, tell_what_is_left
from tradeloop.core.commands import Command
from tradeloop.core.errors import JournalFailed, StaleEpoch, TradeloopError
from tradeloop.core.state import State
from tradeloop.core.types import Px, Symbol, TradingDay

if TYPE_CHECKING:
    from tradeloop.bootstrap import Desk
    from tradeloop.bootstrap.limits import Author
    from tradeloop.config import Loaded


_BEHIND: Final = (JournalFailed, StaleEpoch)
"""What this process believes is no longer what is recorded: the disk has failed, or another one writes."""
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
    goes_on: bool = False,
    leaves_files: bool = True,
    author: Author | None = None,
) -> AsyncIterator[Desk]:
    """`open_desk` with alerts told on stderr, repeats as a count, and the control socket open. However the block ends, the
    stops that came meanwhile are worked to their end before the desk is (cli/stops.py); only whoever is told to stop leaves
    them, and says so. `is_a_copy`: nothing of it is real, nobody asks it to stop, and no files are left. `goes_on`: for
    long, so that the files of a run are written when it ends, and not behind the command; `leaves_files` is False where it
    sees to those of its run itself.

    Raises LeaseHeld naming the process that trades here, before anything else can be said that is true of that process alone.
    `look` sees the state as the journal has it, an empty one in a new home, and may raise before anything is made. `author`
    answers for the limits of risk.yaml, where the command is about them.
    """
    from tradeloop.bootstrap import is_new, open_desk
    from tradeloop.bootstrap.limits import NOBODY
    from tradeloop.cli.control import serving
    from tradeloop.cli.finished import Finished
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
    is_behind = False
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
                finished = Finished(voice, desk)
                if goes_on:
                    finished.at_once()
                if new and not is_a_copy and desk.feed is None and desk.state.clock == "wall":
                    voice.say(_BEGINS_NOW)
                telling = asyncio.ensure_future(_tell_adoption(desk, voice)) if adopts else None
                ended: Ended | TradeloopError | OSError | None = None
                try:
                    try:
                        yield desk
                    except (Ended, TradeloopError, OSError) as error:
                        ended = error
                    if not is_a_copy and not isinstance(ended, _BEHIND) and not _is_told_to_stop():
                        await end_after_stops(desk, voice, door)
                    if leaves_files and not is_a_copy and not isinstance(ended, _BEHIND):
                        await finished.close()
                    if ended is not None:
                        raise ended
                except asyncio.CancelledError:
                    _tell_open_orders(desk, voice)
                    raise
                finally:
                    if telling is not None:
                        telling.cancel()
        except _BEHIND:
            is_behind = True
            raise
        finally:
            if state is not None and not is_a_copy:
                if is_behind:
                    tell_that_it_is_behind(state, voice)
                else:
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
