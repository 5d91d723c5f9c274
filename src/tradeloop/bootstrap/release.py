"""What the release of a halt or a symbol needs besides a name and a reason: a second factor, where the broker trades live.

Called in the process that decides about the release, whoever asked for it, and nowhere else: a request says what code was
given, never that one was right. The core refuses what this has not seen (core/stopping.py, core/decide.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import msgspec

from tradeloop.access.second_factor import KIND, SET_UP, SUSPICIOUS, SecondFactor, WrongCode
from tradeloop.bootstrap.brokers import live_brokers, refuse_another
from tradeloop.config import Loaded
from tradeloop.core.commands import ReleaseHalt, ReleaseSymbol
from tradeloop.core.effects import RaiseAlert
from tradeloop.core.errors import BadInput, TradeloopError
from tradeloop.core.state import State
from tradeloop.core.stopping import to_release
from tradeloop.engine.clock import WallClock

Release = ReleaseHalt | ReleaseSymbol


def needs_a_code(loaded: Loaded, state: State) -> bool:
    """Whether a code is to be asked for before a release, by the settings and by what the journal says of its brokers. Raises
    BadInput where one is and no second factor is set up.
    """
    live = live_brokers(loaded, state)
    if not live:
        return False
    if not SecondFactor(loaded.home.second_factor).is_set_up:
        raise BadInput(f"{_why(live)}, and none is set up: {SET_UP}, then release again; the halt stays")
    return True


def with_second_factor(loaded: Loaded, state: State, command: Release, code: str) -> Release:
    """The command with what is known here of the second factor, whatever it said of it. The code is good for nothing more.

    Raises BadInput where the broker is live and the code is not taken, or is another one than the journal's, and JournalFailed
    where that could not be recorded.
    """
    refuse_another(loaded, state)  # a code is not spent on a desk that does not open
    if not needs_a_code(loaded, state):
        return msgspec.structs.replace(command, second_factor="", set_up_by="")
    if not code:
        why = _why(live_brokers(loaded, state))
        raise BadInput(f"{why}: give the code that your authenticator shows now with --code; the halt stays")
    set_up_by = SecondFactor(loaded.home.second_factor).check(code, WallClock().now(), command.by)
    return msgspec.structs.replace(command, second_factor=KIND, set_up_by=set_up_by)


async def checked_release(
    loaded: Loaded, state: State, command: Release, code: str, alert: Callable[[RaiseAlert], None]
) -> Release:
    """The same for whoever asks the process that trades, which tells people of codes that somebody guesses at."""
    if isinstance(command, ReleaseHalt):
        to_release(state, command)  # a code is not spent on nothing
        what = f"a halt ({command.scope.value})"
    else:
        what = command.symbol
    try:
        return await asyncio.to_thread(with_second_factor, loaded, state, command, code)
    except WrongCode as wrong:
        if wrong.count >= SUSPICIOUS:
            text = f"{command.by} asked for the release of {what}: {wrong}"
            alert(RaiseAlert("CRITICAL", "second factor", text))
        raise


def suspicion(loaded: Loaded) -> str:
    """What a desk that starts tells people of codes that were tried while none ran; empty where a slip explains it."""
    factor = SecondFactor(loaded.home.second_factor)
    try:
        return factor.suspicion() if factor.wrong_codes >= SUSPICIOUS else ""
    except TradeloopError as error:
        return str(error)


def _why(live: Sequence[str]) -> str:
    return f"broker {live[0]} trades live, and a halt there is released with a second factor"
