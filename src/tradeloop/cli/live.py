"""At a terminal: what a person gives before something goes to a live account. `--yes` does not stand in for it.

The words name the account and how many orders it is, so that nobody types them unread; the code is of a device at hand. The
process that trades looks at both (bootstrap/confirming.py), and the core at what they were given for.
"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Final

import typer

from tradeloop.cli.shell import USAGE, Ended, Voice

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from tradeloop.bootstrap import Desk
    from tradeloop.bootstrap.confirming import Typed
    from tradeloop.config import Loaded
    from tradeloop.core.confirmation import Confirmation

    Work = Coroutine[Any, Any, None]

_NOBODY: Final = (
    "a live account asks a person at a terminal to confirm with words and a second factor, and there is none; --yes does not"
    " stand in for that: nothing was sent"
)


async def asked_of_a_person(
    voice: Voice, loaded: Loaded, content: str, account: str, orders: int, working: Callable[[], Work] | None = None
) -> Typed:
    """What somebody types for exactly this; `working`: the desk that goes on meanwhile. Raises Ended where nobody is there or
    the terminal ends, NotConfirmed for other words, and BadInput where no second factor is set up.
    """
    from tradeloop.bootstrap.confirming import Typed, refuse_unlisted, refuse_without_a_factor, refuse_wrong_words
    from tradeloop.cli.question import typed
    from tradeloop.core.confirmation import counted, phrase_of

    if voice.json or sys.stdin is None or not sys.stdin.isatty():
        raise Ended(_NOBODY, USAGE)
    refuse_unlisted(loaded, account, loaded.settings.broker.name)
    refuse_without_a_factor(loaded)
    wanted, goes_on = phrase_of(account, orders), _for_ever if working is None else working
    broker = loaded.settings.broker.name
    voice.say(f"REAL MONEY: {counted(orders)} for live account {account} at {broker}; what you confirm is {content[:12]}")
    try:
        words = await typed(voice, f"type {wanted!r} to send", sys.stdin.fileno(), goes_on())
        refuse_wrong_words(words, wanted)
        code = await typed(voice, "code of the second factor", sys.stdin.fileno(), goes_on())
    except typer.Abort:
        voice.say("")  # behind the question
        raise Ended("the terminal ended before an answer; nothing was sent") from None
    return Typed(content, words, code)


async def confirmed_at(voice: Voice, desk: Desk, content: str, orders: int) -> Confirmation:
    """The same at a desk of this process, looked at here."""
    from tradeloop.bootstrap.confirming import confirmed

    voice.release()  # what is to be confirmed stands above the question
    loaded, account = desk.loaded, desk.account
    given = await asked_of_a_person(voice, loaded, content, account, orders, lambda: desk.until(lambda: False))
    return await confirmed(loaded, given, account, orders, loaded.operator, desk.engine.alert)


async def _for_ever() -> None:
    await asyncio.Event().wait()
