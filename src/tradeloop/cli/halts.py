"""`tradeloop halts`: what is stopped, by whom and why, and what each halt has come to.

Both places that hold a halt are asked, the journal and the latch files (docs/how-to/stop.md), and each halt says in which it
stands. The files are told even where nothing is recorded yet, or the journal or the settings cannot be read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import typer

from tradeloop.cli.options import Json
from tradeloop.cli.shell import FAILED, OK, Shell, Voice, perform

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from tradeloop.config import Home, Loaded
    from tradeloop.core.halt import Halt
    from tradeloop.core.state import State


@dataclass(frozen=True)
class Standing:
    """One halt, and where it stands: `number` 0 is in a file alone, `file` None is in the journal alone."""

    halt: Halt
    file: Path | None

    @property
    def recorded(self) -> bool:
        """Whether the journal holds it."""
        return self.halt.number > 0

    @property
    def come_to(self) -> str:
        """What was last found of what it is for."""
        halt = self.halt
        if not self.recorded:
            return "not recorded yet: the desk that trades here records it, or the next one that starts"
        if not halt.tier.cancels:
            return "holds; what works goes on and positions stay, so there is nothing to verify"
        return f"{'done' if halt.done else 'not done'}: {halt.found or 'not looked at yet'}"

    def document(self) -> dict[str, Any]:
        """For `--json`."""
        from tradeloop.cli.record import iso

        halt = self.halt
        cancels = self.recorded and halt.tier.cancels
        return {
            "number": halt.number if self.recorded else None,
            "tier": halt.tier.value,
            "scope": halt.scope.value,
            "name": halt.name,
            "at": halt.at if self.recorded else None,
            "at_iso": iso(halt.at) if self.recorded else None,
            "by": halt.by,
            "reason": halt.reason,
            "trigger": halt.trigger or None,
            "recorded": self.recorded,
            "latch_file": self.file,
            "done": halt.done if cancels else None,
            "found": halt.found if cancels else None,
            "orders_unknown": halt.unknown if cancels else None,
            "positions_left": halt.held if cancels else None,
            "said_at": halt.said_at if cancels and halt.said_at else None,
            "said_at_iso": iso(halt.said_at) if cancels and halt.said_at else None,
            "said": self.come_to,
            "release": halt.release,
        }


def halts(ctx: typer.Context, json: Json = False) -> None:
    """List the halts that stand: where, since when, by whom and why, and what each has come to."""

    async def work(shell: Shell, voice: Voice) -> int:
        from tradeloop.config import find_home
        from tradeloop.core.errors import TradeloopError

        home, failed = find_home(shell.home), ""
        try:
            recorded = await _recorded(shell.load())
        except (TradeloopError, OSError) as error:
            recorded, asked = await _of_the_process(home)
            failed = f"the journal could not be asked, {asked}: {error}"
        found = _standing(home, recorded)
        voice.result({"halts": [each.document() for each in found]}, lambda out: _show(out, found))
        if failed:
            voice.say(f"error: {failed}")
        return FAILED if failed else OK

    perform(ctx, json, work)


async def _recorded(loaded: Loaded) -> list[Halt]:
    return list((await _known(loaded)).halts.values())


async def _known(loaded: Loaded) -> State:
    from tradeloop.bootstrap import is_new, read_past
    from tradeloop.core.state import State

    return State() if await is_new(loaded) else (await read_past(loaded)).state


async def in_force(loaded: Loaded) -> list[Halt]:
    """The halts in force, as the process that trades here says; where none does as the journal has them, and those of the file
    behind them by the numbers that the next desk gives them.
    """
    told = await _told(loaded.home)
    if told is not None:
        return told
    state = await _known(loaded)
    standing = _standing(loaded.home, list(state.halts.values()))
    count = state.halt_count
    for each in standing:
        if not each.recorded:
            count += 1
            each.halt.number = count
    return [each.halt for each in standing]


async def _told(home: Home) -> list[Halt] | None:
    """The halts in force, as the process that trades here says; None where none does. Raises JournalFailed if it is silent."""
    import msgspec

    from tradeloop.cli.control import ask_for_halts
    from tradeloop.core.halt import Halt, HaltScope, HaltTier
    from tradeloop.core.types import UtcNs

    answer = await ask_for_halts(home.socket)
    if answer is None or not answer.ok:
        return None
    said = msgspec.json.decode(answer.text, type=list[dict[str, Any]])
    alike = ("number", "name", "by", "reason", "found", "done", "unknown", "held", "trigger")
    return [
        Halt(
            tier=HaltTier(each["tier"]),
            scope=HaltScope(each["scope"]),
            at=UtcNs(each["at"]),
            **{name: each[name] for name in alike},
        )
        for each in said
    ]


async def _of_the_process(home: Home) -> tuple[list[Halt], str]:
    """The same where the journal cannot be read, and whom that was asked of."""
    from tradeloop.core.errors import TradeloopError

    try:
        told = await _told(home)
    except TradeloopError:
        told = None
    if told is None:
        return [], "only what the files say is told"
    return told, "the process that trades here was asked"


def _standing(home: Home, recorded: list[Halt]) -> list[Standing]:
    from tradeloop.core.halt import Halt
    from tradeloop.core.types import UtcNs
    from tradeloop.engine.latch import FileLatch

    latch = FileLatch(home.latch)
    in_file = {(each.tier, each.scope, each.name, each.trigger): each for each in latch.read()}
    found = []
    for halt in recorded:
        latched = in_file.pop((halt.tier, halt.scope, halt.name, halt.trigger), None)
        found.append(Standing(halt, None if latched is None else latch.file_of(latched)))
    for each in in_file.values():
        there = Halt(0, each.tier, each.scope, each.name, each.by, each.reason, UtcNs(0), trigger=each.trigger)
        found.append(Standing(there, latch.file_of(each)))
    return found


def _show(out: Console, found: list[Standing]) -> None:
    from tradeloop.cli import words

    headings = ("where", "tier", "since", "by", "~why", "~what it has come to", "?file")
    rows = [
        (
            each.halt.where,
            each.halt.tier.value,
            words.moment(each.halt.at if each.recorded else None),
            each.halt.by,
            each.halt.reason,
            each.come_to,
            each.file.name if each.file is not None else "none",
        )
        for each in found
    ]
    words.table(out, "Halts", headings, rows)
    for release in dict.fromkeys(each.halt.release for each in found):
        out.print(f"to release: `{release}`", soft_wrap=True)
