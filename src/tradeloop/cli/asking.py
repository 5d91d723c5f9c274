"""How a command that changes something begins: the process that trades in this home carries it out, or this one opens a desk.

Only one process writes a journal, so every such command asks the same thing first, and here alone: does somebody trade here?
Who answers on the socket decides it. Who trades and does not answer is named, and nothing is tried beside it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from tradeloop.cli.shell import Ended, Voice
from tradeloop.core.errors import LeaseHeld

if TYPE_CHECKING:
    from tradeloop.bootstrap import Desk
    from tradeloop.cli.control import Answer
    from tradeloop.config import Loaded
    from tradeloop.core.commands import Command, ReleaseHalt, ReleaseSymbol
    from tradeloop.core.state import State

T = TypeVar("T")


async def there_or_here(
    ask: Callable[[], Awaitable[Answer | None]], there: Callable[[Answer], Awaitable[T]], here: Callable[[], Awaitable[T]]
) -> T:
    """What `there` makes of the answer of the process that trades here, or what `here` gives where none does.

    Raises Ended where that process refuses (that a change of an order is refused is an answer), LeaseHeld where one trades that
    does not answer.
    """
    answer = await ask()
    if answer is None:
        try:
            return await here()
        except LeaseHeld:
            answer = await ask()  # it may have opened its socket between our two tries
            if answer is None:
                raise
    if not answer.ok and answer.change is None:
        raise Ended(answer.text, answer.exit_code)
    return await there(answer)


async def carried_out(voice: Voice, loaded: Loaded, command: Command, name: str) -> int:
    """Have a command decided, say what came of it, and give the exit code.

    In a desk of its own it is decided before anything unfinished goes on, so that a cancel is never late.
    """
    from tradeloop.cli.control import ask_the_writer, spoken
    from tradeloop.cli.known import refuse_here
    from tradeloop.cli.working import working_desk
    from tradeloop.core.checked import checked_command

    checked_command(command)  # before anything is opened: what is refused here leaves no trace

    def look(state: State) -> None:
        refuse_here(loaded, state, command)

    async def here() -> int:
        async with working_desk(loaded, voice, name, first=[command], look=look) as desk:
            said = spoken(desk.first_replies[0], command)
            await settled(desk, said)
            return tell(voice, said)

    async def there(answer: Answer) -> int:
        return tell(voice, answer)

    return await there_or_here(lambda: ask_the_writer(loaded.home.socket, command), there, here)


async def released(voice: Voice, loaded: Loaded, command: ReleaseHalt | ReleaseSymbol, code: str, name: str) -> int:
    """As `carried_out`, of a release with the code of a second factor: whether it is right is decided where the release is.

    In a desk of its own, what is left to be seen to after the release is a warning: the release stands, and its code is spent.
    """
    from tradeloop.bootstrap.release import with_second_factor
    from tradeloop.cli.control import ask_for_release, spoken
    from tradeloop.cli.known import recorded_state, refuse_here
    from tradeloop.cli.waits import NotReady, settle
    from tradeloop.cli.working import working_desk
    from tradeloop.core.state import State

    def look(state: State) -> None:
        refuse_here(loaded, state, command)

    async def here() -> int:
        checked = with_second_factor(loaded, await recorded_state(loaded) or State(), command, code)
        async with working_desk(loaded, voice, name, first=[checked], look=look) as desk:
            said = spoken(desk.first_replies[0], checked)
            try:
                await settle(desk)
            except Ended as left:
                voice.say(f"warning: {left.why if isinstance(left, NotReady) else left}")
            return tell(voice, said)

    async def there(answer: Answer) -> int:
        return tell(voice, answer)

    return await there_or_here(lambda: ask_for_release(loaded.home.socket, command, code), there, here)


async def settled(desk: Desk, said: Answer) -> None:
    """Return when what was `said` has come to rest at the broker. Raises Ended with what stands where the broker is away."""
    from tradeloop.cli.waits import NotReady, settle

    try:
        await settle(desk)
    except NotReady as left:
        if said.ok:
            then = "keep `tradeloop watch` running, and it goes on when the broker answers"
            raise Ended(f"{said.text}, and that stands; nothing was sent yet: {left.why}; {then}", left.code) from None


def tell(voice: Voice, answer: Answer) -> int:
    """Say an answer as the result of the command."""
    voice.result({"done": answer.text}, lambda out: out.print(answer.text, soft_wrap=True))
    return answer.exit_code
