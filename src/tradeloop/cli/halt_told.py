"""What a stop has come to, told until nothing is left or the time is up, whichever process works at it.

Who works at it is asked each time: the process that trades here answers, or has the right to write and does not answer now, or
has ended, whereupon this command takes the stop over for the rest of its time.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tradeloop.cli.shell import FAILED, OK, UNKNOWN, Voice
from tradeloop.core.errors import JournalFailed, TradeloopError
from tradeloop.core.types import SECOND_NS, UtcNs
from tradeloop.engine.clock import WallClock

if TYPE_CHECKING:
    from tradeloop.config import Home, Loaded
    from tradeloop.core.commands import HaltTrading

ASK_S: Final = 3.0
START_S: Final = 10.0
"""How long a process that has the right to write may take to be asked or to be gone, though the stop itself waits for less."""
_LOOK_NS: Final = SECOND_NS // 5
_ENDED: Final = "the process that traded has ended, and nobody works at it now: `tradeloop watch` goes on with it"

Halts = list[dict[str, Any]]


@dataclass(frozen=True)
class Stopped:
    """What is to be stopped. Its folders are all that a stop needs: settings that cannot be read are told behind it."""

    home: Home
    operator: str
    settings: Loaded | TradeloopError | OSError

    @property
    def loaded(self) -> Loaded:
        """The settings. Raises what is wrong with them."""
        if isinstance(self.settings, Exception):
            raise self.settings
        return self.settings


class Told:
    """Says what a halt has come to, each time it is something else, for `within_s` seconds from now."""

    def __init__(self, voice: Voice, command: HaltTrading, within_s: float) -> None:
        self._voice, self._command = voice, command
        self._clock = WallClock()
        now = self._clock.now()
        self._end = UtcNs(now + int(within_s * SECOND_NS))
        self._patience = max(self._end, UtcNs(now + int(START_S * SECOND_NS)))
        self._text = self._said = ""
        self._latched = True
        self._is_silent = self._is_waiting = False

    @property
    def text(self) -> str:
        """The halt in force, in a sentence; empty before it is."""
        return self._text

    @property
    def left_s(self) -> float:
        """Seconds that are left of its time."""
        return max(0, self._end - self._clock.now()) / SECOND_NS

    def begun(self, text: str, *, latched: bool) -> None:
        """The halt is in force, as `text` says; `latched`: whether the file holds it, too."""
        self._text = text.split("; ", maxsplit=1)[0]
        self._latched = latched

    def waits(self, latched: str, who: str) -> None:
        """Nobody has recorded it yet: `latched` says how the file stands, `who` lives and does not answer."""
        if not self._is_waiting:
            self._is_waiting = True
            left_s = (self._patience - self._clock.now()) / SECOND_NS
            self._voice.say(
                f"{latched}; {who} does not answer, and is waited for, {left_s:.0f} s at most: whether its cancels leave is not"
                " known, ask the broker"
            )

    def hears_nothing(self) -> None:
        """The process that works at it lives, and does not answer."""
        if not self._is_silent:
            self._is_silent = True
            self._voice.say("warning: the process that trades here does not answer; what follows is what the journal says")

    def find(self, halts: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
        """The halt that was asked for, among those in force."""
        wanted = (self._command.tier.value, self._command.scope.value, self._command.name)
        return next((each for each in halts if (each["tier"], each["scope"], each["name"]) == wanted), None)

    async def until_done(self, ask: Callable[[], Awaitable[tuple[Halts, bool]]], then: str = "") -> int | None:
        """Look until nothing is left, or the time is up; the exit code. None where nobody works at it any more and there
        is time left. `ask`: the halts in force, and whether somebody works at them; `then`: what becomes of what is left.
        """
        cancels = self._command.tier.cancels
        while True:
            halts, works = await ask()
            mine = self.find(halts)
            found = mine["found"] if mine is not None else ""
            if found and found != self._said:
                self._said = found
                self._voice.say(found)
            if not cancels or mine is None or mine["done"] or self._clock.now() >= self._end:
                break
            if not works:
                return None
            await self._clock.sleep_until(UtcNs(self._clock.now() + _LOOK_NS))
        if cancels and (mine is None or not mine["done"]):
            found = "; ".join(each for each in (found, then if works else _ENDED) if each)
        return self._result(mine, found)

    async def free(self, home: Home, loaded: Loaded) -> bool:
        """Wait until the process that has the right to write can be asked or is gone; whether it came to that in time."""
        from tradeloop.cli.control import ask_the_writer
        from tradeloop.cli.schema import lease_holder

        while self._clock.now() < self._patience:
            try:
                if await lease_holder(loaded) is None or await ask_the_writer(home.socket, None, ASK_S) is not None:
                    return True
                if cannot_be_asked(home) and await self.in_the_journal(loaded) is not None:
                    return False
            except JournalFailed:  # it does not answer now, as one that is held up does not
                if await lease_holder(loaded) is None:
                    return True  # and has no right to write any more
                if await self.in_the_journal(loaded) is not None:
                    return False  # and has done what it was asked
            except (TradeloopError, OSError):
                return False
            await self._clock.sleep_until(UtcNs(self._clock.now() + _LOOK_NS))
        return False

    async def in_the_journal(self, loaded: Loaded) -> dict[str, Any] | None:
        """The halt as the journal holds it; None where it does not, or cannot be read."""
        from tradeloop.cli.control import halts_in_force
        from tradeloop.cli.known import recorded_state

        state = await recorded_state(loaded)
        return None if state is None else self.find(halts_in_force(state))

    def _result(self, mine: dict[str, Any] | None, said: str) -> int:
        done = mine is not None and (mine["done"] or not self._command.tier.cancels)
        left, unknown = (mine["held"], mine["unknown"]) if mine is not None else (0, 0)
        text = self._text + (f"; {said}" if said else "")
        self._voice.result(
            {"halted": text, "done": done, "halt": mine, "recorded": True, "latched": self._latched},
            lambda out: out.print(text, soft_wrap=True),
        )
        if done:
            return FAILED if left else OK
        return UNKNOWN if unknown else FAILED


def cannot_be_asked(home: Home) -> bool:
    """Whether no process can open a socket in this home, since the path would be too long."""
    from tradeloop.cli.control import PATH_MAX

    return len(os.fsencode(home.socket)) > PATH_MAX


async def halts_of_whoever_trades(home: Home, loaded: Loaded | None, silent: Callable[[], None]) -> tuple[Halts, bool]:
    """The halts in force, and whether a process works at them: as that process says, or the journal, read once nobody has the
    right to write any more, or while the process is `silent`. Without settings only the process can be asked.
    """
    import msgspec

    from tradeloop.cli.control import ask_for_halts, halts_in_force
    from tradeloop.cli.known import recorded_state
    from tradeloop.cli.schema import lease_holder

    try:
        answer = await ask_for_halts(home.socket, ASK_S)
    except JournalFailed:
        answer = None  # held up; the journal says how far it has come
        silent()
    if answer is not None:
        found: Halts = msgspec.json.decode(answer.text if answer.ok else "[]")
        return found, True
    if loaded is None:
        return [], True
    try:
        works = await lease_holder(loaded) is not None
    except (TradeloopError, OSError):
        works = True  # not to be seen now
    state = await recorded_state(loaded)
    return [] if state is None else halts_in_force(state), works
