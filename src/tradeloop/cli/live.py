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
    from decimal import Decimal
    from typing import Any

    from tradeloop.bootstrap import Desk
    from tradeloop.bootstrap.confirming import Typed
    from tradeloop.config import Loaded
    from tradeloop.core.confirmation import Confirmation, Frozen, ShownOrder
    from tradeloop.core.types import Currency

    Work = Coroutine[Any, Any, None]

_NOBODY: Final = (
    "a live account asks a person at a terminal to confirm with words and a second factor, and there is none; --yes does not"
    " stand in for that: nothing was sent"
)

CHANGED: Final = "the market, the holdings or the limits changed meanwhile: it is shown again, and no code was spent"


async def asked_of_a_person(
    voice: Voice,
    loaded: Loaded,
    frozen: Frozen,
    account: str,
    working: Callable[[], Work] | None = None,
    stands: Callable[[], bool] | None = None,
) -> Typed | None:
    """What somebody types for exactly this; `working`: the desk that goes on meanwhile. None where it does not stand any more
    once they have typed. Raises Ended where nobody is there or the terminal ends, NotConfirmed for other words, and BadInput
    where no second factor is set up.
    """
    from tradeloop.bootstrap.confirming import Typed, refuse_unlisted, refuse_without_a_factor, refuse_wrong_words
    from tradeloop.cli.question import typed
    from tradeloop.core.confirmation import counted

    if voice.json or sys.stdin is None or not sys.stdin.isatty():
        raise Ended(_NOBODY, USAGE)
    refuse_unlisted(loaded, account, loaded.settings.broker.name)
    refuse_without_a_factor(loaded)
    goes_on = _for_ever if working is None else working
    what = f"{counted(frozen.orders)}{_worth(frozen.totals)}"
    at = f"live account {account} at {loaded.settings.broker.name}"
    voice.say(f"REAL MONEY: {what} for {at}; what you confirm is {frozen.content[:12]}")
    try:
        words = await typed(voice, f"type {frozen.phrase!r} to send", sys.stdin.fileno(), goes_on())
        refuse_wrong_words(words, frozen.phrase)
        if stands is not None and not stands():
            return None
        code = await typed(voice, "code of the second factor", sys.stdin.fileno(), goes_on(), unseen=True)
    except typer.Abort:
        voice.say("")  # behind the question
        raise Ended("the terminal ended before an answer; nothing was sent") from None
    except asyncio.CancelledError:
        voice.say("\nnothing was sent")
        raise
    if stands is not None and not stands():
        return None
    return Typed(frozen.content, words, code, frozen.px)


async def confirmed_at(
    voice: Voice, desk: Desk, frozen: Frozen, stands: Callable[[], bool] | None = None
) -> Confirmation | None:
    """The same at a desk of this process, looked at here. No code is spent on what does not stand any more."""
    from tradeloop.bootstrap.confirming import confirmed

    voice.release()  # what is to be confirmed stands above the question
    loaded, account = desk.loaded, desk.account
    given = await asked_of_a_person(voice, loaded, frozen, account, lambda: desk.until(lambda: False), stands)
    if given is None:
        return None
    return await confirmed(loaded, given, account, frozen.orders, loaded.operator, desk.engine.alert)


def told(frozen: Frozen) -> list[str]:
    """What is to be confirmed, order by order."""
    return [_told(line) for line in frozen.lines]


def _told(line: ShownOrder) -> str:
    at = " at the market" if line.price is None and line.stop_px is None else ""
    at += "" if line.price is None else f" at {line.price:f}"
    at += "" if line.stop_px is None else f", once at {line.stop_px:f}"
    seen = "" if line.px is None else f", seen at {line.px:f}"
    worth = "of unknown worth" if line.value is None else f"worth up to {line.value:.14g} {line.currency}"
    return f"{line.side.value} {line.order_qty:f} {line.symbol}{at}{seen}, {worth}"


def _worth(totals: dict[Currency, Decimal | None]) -> str:
    sums = [f"worth unknown ({currency})" if value is None else f"{value:f} {currency}" for currency, value in totals.items()]
    return f" ({', '.join(sums)})" if sums else ""


async def _for_ever() -> None:
    await asyncio.Event().wait()
