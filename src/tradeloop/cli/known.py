"""What a command names is looked up before anything is opened for it (core/known.py): in the journal where no desk is open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tradeloop.core import commands as c
from tradeloop.core.errors import BadInput
from tradeloop.core.known import ended, order_of, refuse, run_of

if TYPE_CHECKING:
    from tradeloop.bootstrap import Archive
    from tradeloop.config import Loaded
    from tradeloop.core.state import State
    from tradeloop.core.types import Symbol

__all__ = ["ended", "known_account", "known_symbol", "order_of", "recorded_state", "refuse", "refuse_here", "run_of"]


def refuse_here(loaded: Loaded, state: State, command: c.Command) -> None:
    """As `refuse`, and for a limit on a name that nobody knows here, by the settings and files of this home too."""
    refuse(state, command)
    if isinstance(command, c.ChangeLimit):
        from tradeloop.bootstrap.known_names import refuse_nobodys

        refuse_nobodys(loaded, state, command.limit)


async def known_symbol(archive: Archive, symbol: Symbol) -> None:
    """Raise BadInput for a symbol that this desk has never met: nothing found of it would look like nothing held or done."""
    if symbol not in (await archive.recovered()).state.instruments:
        raise BadInput(f"symbol was {symbol!r}, which this desk has never held, planned or traded; check how it is written")


async def known_account(archive: Archive, account: str) -> None:
    """Raise BadInput for an account that this desk has never had: that nothing is found there would look like nothing done."""
    accounts = (await archive.recovered()).state.accounts
    if account not in accounts:
        raise BadInput(f"account was {account[:60]!r}, known are {', '.join(sorted(accounts)) or 'none yet'}")


async def recorded_state(loaded: Loaded) -> State | None:
    """What the journal says; None where it cannot be read now, which is no reason to say anything about a halt in force."""
    from tradeloop.bootstrap import open_archive
    from tradeloop.core.errors import TradeloopError

    try:
        async with open_archive(loaded, fresh_views=False) as archive:
            return (await archive.recovered()).state
    except (TradeloopError, OSError):
        return None
