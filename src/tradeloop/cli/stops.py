"""The stops that come while a command serves a desk: whoever asked for one counts on the process that trades here.

A command that has done its own work goes on until every stop that came meanwhile has come to its end, however its own work
ended; only then nobody can reach it any more, and what it took in the last moment is worked before it goes. What cannot come
to its end here is said, and so is what is left of any halt when the process ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from tradeloop.cli.shell import Ended, Voice
from tradeloop.core.errors import TradeloopError

if TYPE_CHECKING:
    from tradeloop.bootstrap import Desk
    from tradeloop.cli.control import Door
    from tradeloop.core.commands import Command
    from tradeloop.core.halt import Halt
    from tradeloop.core.state import State

GOES_ON: Final = "nobody works at it now, and `tradeloop watch` goes on with it"
_REST_S: Final = 1.5
_UNPRICED: Final = "no feed is configured, and without a price no position is closed"


def came_meanwhile(desk: Desk) -> list[Halt]:
    """The halts that cancel or close, that came while this process worked, and that are not at their end. Those that stood
    before were not asked of this one, and those that it gave up hold it up no longer.
    """
    return [halt for halt in _open(desk.state) if halt.number not in desk.stood]


async def stops_worked(desk: Desk, voice: Voice) -> None:
    """Work on while a stop that came meanwhile has not come to its end. What keeps one from it, such as a recording that is
    over or a fate that only a person can settle, is said, and that one is not waited for again.
    """
    from tradeloop.cli.waits import worked

    if not came_meanwhile(desk):
        return
    halt = came_meanwhile(desk)[0]
    voice.say(f"halt {halt.number} ({halt.tier.value}) is at work here; this goes on until it has come to its end")
    try:
        await worked(desk, lambda: not any(_has_work(desk, each) for each in came_meanwhile(desk)))
    except (Ended, TradeloopError) as error:
        voice.say(f"warning: halt {halt.number} does not come to its end here: {error}")
    else:
        if came_meanwhile(desk):
            await desk.came_to_rest(_REST_S)  # the halt looks once more at what it has come to
            voice.say(f"warning: halt {halt.number} does not come to its end here: {_UNPRICED}")
    desk.stood |= {each.number for each in came_meanwhile(desk)}


async def end_after_stops(desk: Desk, voice: Voice, door: Door) -> None:
    """Work every stop that came meanwhile, and return with the door shut: no stop was taken that was not worked."""
    await stops_worked(desk, voice)
    await door.shut()
    while came_meanwhile(desk):  # taken in the last moment; while it is worked, it can be released, and others may come
        await door.open()
        await stops_worked(desk, voice)
        await door.shut()


def tell_what_is_left(state: State, voice: Voice, told: Sequence[Command] = ()) -> None:
    """Say of each halt that is not at its end what is left, when nobody works at it any more. `told` are the commands whose
    own answer says it.
    """
    from tradeloop.core.commands import HaltTrading

    own = [(each.tier, each.scope, each.name) for each in told if isinstance(each, HaltTrading)]
    for halt in _open(state):
        if (halt.tier, halt.scope, halt.name) not in own:
            left = halt.found or "nothing is known of what is left"
            voice.say(f"warning: halt {halt.number} ({halt.tier.value} of {halt.where}) is not at its end: {left}; {GOES_ON}")


def tell_that_it_is_behind(state: State, voice: Voice) -> None:
    """Say of each halt that was not at its end that somebody else knows what came of it: this process records nothing more."""
    for halt in _open(state):
        voice.say(
            f"warning: what is left of halt {halt.number} ({halt.tier.value} of {halt.where}) is not known to this process,"
            " which records nothing any more; `tradeloop halts` says what the journal knows, `tradeloop watch` goes on with it"
        )


def _open(state: State) -> list[Halt]:
    return [halt for halt in state.halts.values() if halt.tier.cancels and not halt.done]


def _has_work(desk: Desk, halt: Halt) -> bool:
    """Whether it may come further here: without quotes it takes orders out, and closes nothing."""
    return desk.feed is not None or any(halt.covers(order) for order in desk.state.orders.open.values())
