"""`tradeloop halts`: what is stopped, by whom and why, and what each halt has come to.

Both places that hold a halt are asked, the journal and the latch files (docs/how-to/stop.md), and each halt says in which it
stands. The files are told even where nothing is recorded yet or the journal cannot be read.
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

    from tradeloop.config import Loaded
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
        from tradeloop.core.errors import TradeloopError

        loaded = shell.load()
        recorded: list[Halt] = []
        failed = ""
        try:
            recorded = await _recorded(loaded)
        except TradeloopError as error:
            failed = f"the journal could not be asked, only what the files say is told: {error}"
        found = _standing(loaded, recorded)
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
    import msgspec

    from tradeloop.cli.control import ask_for_halts
    from tradeloop.core.halt import Halt, HaltScope, HaltTier
    from tradeloop.core.types import UtcNs

    answer = await ask_for_halts(loaded.home.socket)
    if answer is not None and answer.ok:
        said = msgspec.json.decode(answer.text, type=list[dict[str, Any]])
        return [
            Halt(
                each["number"],
                HaltTier(each["tier"]),
                HaltScope(each["scope"]),
                each["name"],
                each["by"],
                each["reason"],
                UtcNs(each["at"]),
                trigger=each["trigger"],
            )
            for each in said
        ]
    state = await _known(loaded)
    standing = _standing(loaded, list(state.halts.values()))
    count = state.halt_count
    for each in standing:
        if not each.recorded:
            count += 1
            each.halt.number = count
    return [each.halt for each in standing]


def _standing(loaded: Loaded, recorded: list[Halt]) -> list[Standing]:
    from tradeloop.core.halt import Halt
    from tradeloop.core.types import UtcNs
    from tradeloop.engine.latch import FileLatch

    latch = FileLatch(loaded.home.latch)
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
