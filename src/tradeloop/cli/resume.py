"""`tradeloop resume`: ends a halt, for a reason, and where the broker trades live with a second factor.

Whether a code is right is decided where the release is: by the process that trades here, or by the desk that this command
opens. Here it is asked for at most. The latch file is that process's, too: what somebody writes into it during a release is a
halt that nobody has released.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tradeloop.cli.halt import Account, Broker, Strategy, SymbolOnly, Venue, scope_of
from tradeloop.cli.options import By, Feed, Json, Speed, Start, feed_settings, worded
from tradeloop.cli.second_factor import Code, asked_for
from tradeloop.cli.shell import Shell, Voice, perform

if TYPE_CHECKING:
    from tradeloop.core.halt import Halt


def resume(
    ctx: typer.Context,
    reason: Annotated[str, worded("--reason", about="Why trading may go on; it is journalled.")],
    account: Account = None,
    symbol: SymbolOnly = None,
    broker: Broker = None,
    venue: Venue = None,
    strategy: Strategy = None,
    number: Annotated[
        list[int] | None, typer.Option("--number", help="Only this one of them, as `tradeloop halts` has it; may be repeated.")
    ] = None,
    code: Code = None,
    by: By = None,
    feed: Feed = None,
    speed: Speed = None,
    start: Start = None,
    json: Json = False,
) -> None:
    """End the halts of exactly this scope; without an option those of everything. Runs stay paused: `tradeloop runs resume`.

    Those that it ends are listed first. Where a newer one comes meanwhile, or somebody writes the latch file, nothing is
    released; and where a person's and one that tripped by itself stand together, each that is to end is named with --number.
    """
    named = {"account": account, "symbol": symbol, "broker": broker, "venue": venue, "strategy": strategy}

    async def work(shell: Shell, voice: Voice) -> int:
        from tradeloop.access.second_factor import SecondFactor
        from tradeloop.bootstrap.release import needs_a_code
        from tradeloop.cli.asking import released
        from tradeloop.cli.halts import in_force
        from tradeloop.cli.known import recorded_state
        from tradeloop.core.commands import HaltTrading, ReleaseHalt
        from tradeloop.core.errors import BadInput
        from tradeloop.core.state import State
        from tradeloop.engine.latch import FileLatch

        given_settings = feed_settings(feed, speed, start)
        try:
            loaded = shell.load(operator=by, **given_settings)
        except BadInput as error:
            raise BadInput(f"{error}; nothing was released, and every halt stays: see `tradeloop halts`") from None
        scope, name = scope_of(named)
        if not reason.strip():
            raise BadInput("--reason was empty; a halt is released for a reason")
        latch = FileLatch(loaded.home.latch)
        latch.read()
        seen_at = latch.mark()
        there = [halt for halt in await in_force(loaded) if (halt.scope, halt.name) == (scope, name)]
        ended = _named(there, number)
        for halt in ended:
            voice.say(f"would release halt {halt.number} of {halt.where}: {halt.said}")
        given = code or ""
        if tried := SecondFactor(loaded.home.second_factor).suspicion():
            voice.say(f"warning: {tried}")
        if code is None and needs_a_code(loaded, await recorded_state(loaded) or State()):
            given = asked_for(voice) or ""
        latch.read()
        if any(latch.is_newer(HaltTrading(halt.tier, halt.by, scope=scope, name=name), seen_at) for halt in ended):
            raise BadInput(f"{loaded.home.latch} was written meanwhile, nothing was released; look at it and release again")
        numbers, seen = tuple(halt.number for halt in ended), max((halt.number for halt in there), default=0)
        release = ReleaseHalt(loaded.operator, reason, scope, name, numbers=numbers, seen=seen)
        return await released(voice, loaded, release, given, "resume")

    perform(ctx, json, work)


def _named(there: list[Halt], numbers: list[int] | None) -> list[Halt]:
    """The halts that are to end. Raises BadInput where some of them may be such that nobody has seen."""
    from tradeloop.core.errors import BadInput

    if numbers is None:
        if len({bool(halt.trigger) for halt in there}) > 1:
            each = "; ".join(f"--number {halt.number} is {halt.said}" for halt in there)
            raise BadInput(f"a person's halt and one that tripped by itself stand together, name what is to end: {each}")
        return there
    known = {halt.number: halt for halt in there}
    gone = [number for number in numbers if number not in known]
    if gone:
        raise BadInput(f"--number was {gone[0]}; in force there are {', '.join(map(str, known)) or 'none'}")
    return [known[number] for number in dict.fromkeys(numbers)]
