"""A stop that cannot be recorded now: the latch file holds it, and where no process trades here the broker is asked to cancel.

The file is written first, whatever becomes of the stop: whoever trades here sees it within a fifth of a second, and the next
process that starts begins with it.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tradeloop.cli.halt_told import ASK_S, Stopped, Told
from tradeloop.cli.shell import FAILED, Shell, Voice
from tradeloop.core.types import venue_of

if TYPE_CHECKING:
    from pathlib import Path

    from tradeloop.bootstrap.emergency import Canceled
    from tradeloop.config import Home
    from tradeloop.core.commands import HaltTrading
    from tradeloop.core.errors import TradeloopError
    from tradeloop.core.reports import OpenOrder


@dataclass(frozen=True)
class Latched:
    """What became of the latch file: whether no order within the halt can leave, in a sentence, and what went wrong."""

    holds: bool
    sentence: str
    file: Path
    why: str = ""
    in_full: bool = True
    """Whether the file says all that was asked for, the cancels too."""


def latch(home: Home, command: HaltTrading) -> Latched:
    from tradeloop.engine.latch import FileLatch, StandsIn

    path, what = home.latch, command.tier.value
    files = FileLatch(path)
    file = files.file_of(command)
    try:
        files.add(command)
    except StandsIn as error:
        cancels = "; it cancels nothing by itself" if command.tier.cancels else ""
        text = f"{path} stands in for {what} and stops everything{cancels}"
        return Latched(True, text, file, str(error.strerror), in_full=False)
    except OSError as error:
        why = str(error.strerror or error)
        then = "stop at the broker itself" if error.errno == errno.EROFS else f"touch {path} yourself"
        return Latched(False, f"NOTHING IS HALTED: {file} could not be written ({why}); {then}", file, why, in_full=False)
    return Latched(True, f"{what} is latched by {file}", file)


async def without_a_journal(
    voice: Voice, shell: Shell, desk: Stopped, command: HaltTrading, why: TradeloopError | OSError, told: Told
) -> int:
    """The file holds the halt; whoever trades here sees it. Where nobody does, the broker is asked to cancel. Whatever comes of
    that, how the file stands is told.
    """
    from tradeloop.bootstrap.emergency import cancel_at_broker
    from tradeloop.cli.control import Silent, ask_the_writer
    from tradeloop.cli.words import plural
    from tradeloop.core.errors import JournalFailed, LeaseHeld, TradeloopError
    from tradeloop.core.halt import HaltScope, HaltTier
    from tradeloop.journal.lock import FileLock

    latched = latch(desk.home, command)
    if told.text:
        text = f"{told.text}; it is recorded, and this process cannot go on with it: {why}"
    else:
        cause = str(why).partition(";")[0] if isinstance(why, LeaseHeld) else why  # nobody should wait, or stop that process
        text = f"{latched.sentence}; {command.tier.value} could not be recorded: {cause}"
    silent = isinstance(why, Silent)
    try:
        alive = isinstance(why, LeaseHeld) or await ask_the_writer(desk.home.socket, None, ASK_S) is not None
        # It may have no socket, and these settings may name another journal than the one that it writes.
        alive = alive or FileLock(desk.home.database).holder() is not None
    except JournalFailed:
        alive = silent = True
    found: Canceled | None = None
    if silent:
        text += (
            f"; {await whoever_trades(desk)} lives and does not answer; whether its cancels leave is not known, ask the broker"
        )
    elif alive:
        text += (
            f"; the process that trades here lets no {_stopped(command)} leave" if latched.holds else "; a process trades here"
        )
        text += ", and sends its cancels without a record" if command.tier.cancels and latched.in_full else ""
        if command.tier is HaltTier.FLATTEN:
            text += "; nothing is closed before it is recorded, see `tradeloop halts`"
    elif command.scope is HaltScope.STRATEGY:
        text += "; the broker knows no strategies, nothing was cancelled: name an account or a symbol, or stop everything"
    elif command.tier.cancels:

        def wanted(order: OpenOrder) -> bool:
            if command.scope is HaltScope.SYMBOL:
                return order.symbol == command.name
            if command.scope is HaltScope.VENUE:
                return venue_of(order.symbol) == command.name
            if command.scope is HaltScope.BROKER:
                return desk.loaded.settings.broker.name == command.name
            return command.scope is not HaltScope.ACCOUNT or order.account == command.name

        voice.say(latched.sentence)  # it may take its time, and whatever ends it, this was heard
        try:
            found = await cancel_at_broker(shell.load(feed__kind="none"), wanted, told.left_s)
        except (TradeloopError, OSError) as error:
            text += "; for the same reason the broker was not asked to cancel" if str(error) == str(why) else f"; {error}"
        else:
            left = f", {len(found.left)} still open: {', '.join(found.left[:5])}" if found.left else ", none is left open"
            text += f"; {plural(found.asked, 'order')} cancelled at the broker{left}"
            if found.held and command.tier is HaltTier.FLATTEN:
                text += f"; held, and not closed without a journal: {', '.join(found.held[:5])}"
    voice.result(
        {
            "halted": text,
            "done": found is not None and not found.left,
            "halt": None,
            "recorded": bool(told.text),
            "latched": latched.holds,
        },
        lambda out: out.print(text, soft_wrap=True),
    )
    return FAILED


async def whoever_trades(desk: Stopped) -> str:
    """The process that trades here, as far as is known."""
    from tradeloop.cli.schema import lease_holder
    from tradeloop.core.errors import TradeloopError

    try:
        holder = await lease_holder(desk.loaded)
    except (TradeloopError, OSError):
        holder = None
    return "the process that trades here" + (f" ({holder.partition(';')[0]})" if holder else "")


def _stopped(command: HaltTrading) -> str:
    """The orders that a halt stops, in words."""
    from tradeloop.core.halt import HaltScope, HaltTier

    of = "" if command.scope is HaltScope.GLOBAL else f" of {command.scope.value} {command.name}"
    return f"order{of}" + (", but such as make a position smaller," if command.tier is HaltTier.REDUCE_ONLY else "")
