"""What goes to a live account besides a name: a person's words for exactly that, and a second factor of the installation.

Called in the process that trades, whoever asked it, and nowhere else: a request says what was typed and which code was given,
never that one was right. What it is about, and whether the words are right, the core looks at once more (core/risk/live.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec

from tradeloop.access.second_factor import KIND, SET_UP, SUSPICIOUS, SecondFactor, WrongCode
from tradeloop.config import Loaded
from tradeloop.core.confirmation import Confirmation, are_words, counted, phrase_of
from tradeloop.core.effects import RaiseAlert
from tradeloop.core.errors import BadInput, NotConfirmed
from tradeloop.core.risk.live import LIVE_ACCOUNT, LIVE_CONFIRMATION, unlisted
from tradeloop.core.types import Px
from tradeloop.engine.clock import WallClock


class Typed(msgspec.Struct, frozen=True):
    """What a person gave: the hash of what they were shown, the words they typed, and the code of their device. `px`: the price
    that they were shown, of an order without one of its own.
    """

    content: str
    phrase: str
    code: str
    px: Px | None = None


def refuse_unlisted(loaded: Loaded, account: str, broker: str) -> None:
    """Raise NotConfirmed where an account may not trade live, before anybody is asked for anything."""
    if account not in loaded.settings.live.accounts:
        raise NotConfirmed(LIVE_ACCOUNT, f"{unlisted(account, broker)}; nothing was sent")


def refuse_without_a_factor(loaded: Loaded) -> None:
    """Raise BadInput where no second factor is set up that a code could be of."""
    if not SecondFactor(loaded.home.second_factor).is_set_up:
        raise BadInput(f"a live account asks for a second factor, and none is set up: {SET_UP}; nothing was sent")


def refuse_wrong_words(typed: str, wanted: str) -> None:
    """Raise NotConfirmed where these are not the words; no code is spent on them. What was typed is not said again: it may be a
    code that is still good.
    """
    if not are_words(typed, wanted):
        raise NotConfirmed(LIVE_CONFIRMATION, f"the words were not {wanted!r}; nothing was sent")


async def confirmed(
    loaded: Loaded, typed: Typed, account: str, orders: int, by: str, alert: Callable[[RaiseAlert], None]
) -> Confirmation:
    """What was typed as a confirmation, once the words are those and the code was taken, which is good for nothing more. Raises
    NotConfirmed, BadInput, and JournalFailed where the code could not be recorded.
    """
    refuse_wrong_words(typed.phrase, phrase_of(account, orders))
    refuse_without_a_factor(loaded)
    factor = SecondFactor(loaded.home.second_factor)
    try:
        set_up_by = await asyncio.to_thread(factor.check, typed.code, WallClock().now(), by)
    except WrongCode as wrong:
        if wrong.count >= SUSPICIOUS:
            alert(
                RaiseAlert("CRITICAL", "second factor", f"{by} confirmed {counted(orders)} of live account {account}: {wrong}")
            )
        raise
    return Confirmation(typed.content, typed.phrase, KIND, set_up_by, typed.px)
