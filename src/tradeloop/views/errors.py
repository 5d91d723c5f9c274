"""What can go wrong with read models. Neither touches the journal: the rows can always be made anew from it."""

from __future__ import annotations

from tradeloop.core.errors import TradeloopError


class ViewsBehind(TradeloopError):
    """Events between the cursor and what was offered are missing; nothing changed. `catch_up` reads them from the journal."""


class ViewsFailed(TradeloopError):
    """The database did not take or give rows; the cursor stands where it stood, and `catch_up` goes on from there."""
