"""A halt: how much is stopped, where, by whom and why. It stands until a named person releases it with a reason.

`HALT` lets no new order leave; `REDUCE_ONLY` only such as reduce a position; `CANCEL_ALL` is HALT and takes everything out of
the market; `FLATTEN` is CANCEL_ALL and closes the positions. Cancels may leave under every one of them. Halts stand side by
side: an order has to pass them all.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, Protocol

import msgspec

from tradeloop.core.types import SECOND_NS, AccountID, Symbol, UtcNs, Word, venue_of


class HaltTier(Word):
    """How much is stopped."""

    REDUCE_ONLY = "REDUCE_ONLY"
    HALT = "HALT"
    CANCEL_ALL = "CANCEL_ALL"
    FLATTEN = "FLATTEN"

    @property
    def cancels(self) -> bool:
        """Whether what works is taken out of the market."""
        return self in (HaltTier.CANCEL_ALL, HaltTier.FLATTEN)


class HaltScope(Word):
    """Where it is stopped. A venue is where an instrument trades, such as SH; a broker is who takes the orders."""

    GLOBAL = "global"
    BROKER = "broker"
    VENUE = "venue"
    ACCOUNT = "account"
    SYMBOL = "symbol"
    STRATEGY = "strategy"

    @property
    def is_wide(self) -> bool:
        """Whether it covers the whole of every run that it touches."""
        return self in (HaltScope.GLOBAL, HaltScope.BROKER, HaltScope.ACCOUNT, HaltScope.STRATEGY)


class Covered(Protocol):
    """What a halt may cover: an order, or the intent of one."""

    @property
    def broker(self) -> str: ...
    @property
    def account(self) -> AccountID: ...
    @property
    def symbol(self) -> Symbol: ...
    @property
    def strategy_id(self) -> str: ...


class Halt(msgspec.Struct, array_like=True, gc=False):
    """One halt in force. `number` counts the halts of a journal from 1.

    `found` is what was last found when it was looked whether the halt has done its work; empty before that.
    """

    number: int
    tier: HaltTier
    scope: HaltScope
    name: str
    by: str
    reason: str
    at: UtcNs
    found: str = ""
    done: bool = False
    unknown: int = 0
    """How many orders of unknown fate were left then."""
    held: int = 0
    """How many positions, or legs of them, were left to close then."""
    said_at: UtcNs = UtcNs(0)
    """When that was last recorded."""
    tries: dict[str, tuple[int, UtcNs]] = {}
    """account|symbol|side -> how often an order was made that closes this leg, and when the last one was."""
    trigger: str = ""
    """What tripped: the id of a limit of risk, or `comparator`; empty where a person asked for the halt."""

    @property
    def where(self) -> str:
        """What it covers, in words."""
        return "everything" if self.scope is HaltScope.GLOBAL else f"{self.scope.value} {self.name}"

    @property
    def said(self) -> str:
        """Who halted, when and why. One that stands in the latch file alone has no time: nobody has recorded it yet."""
        when = datetime.fromtimestamp(self.at // SECOND_NS, UTC).strftime(" at %Y-%m-%d %H:%M:%SZ") if self.at else ""
        where = "" if self.at else ", in the file alone and not recorded yet"
        why = f": {self.reason}" if self.reason else ", without a reason"
        return f"{self.tier.value} by {self.by}{when}{where}{why}"

    @property
    def release(self) -> str:
        """The command that ends it."""
        named = "" if self.scope is HaltScope.GLOBAL else f" --{self.scope.value} {self.name}"
        return f"tradeloop resume{named} --reason …"

    def covers(self, order: Covered) -> bool:
        """Whether an order is within its scope."""
        return covers(self.scope, self.name, order)

    def covers_all_of(self, broker: str, account: AccountID, strategy: str = "") -> bool:
        """Whether every order of this account is within its scope, or of this account's strategy where one is named."""
        match self.scope:
            case HaltScope.GLOBAL:
                return True
            case HaltScope.BROKER:
                return broker == self.name
            case HaltScope.ACCOUNT:
                return account == self.name
            case HaltScope.STRATEGY:
                return bool(strategy) and strategy == self.name
            case _:
                return False

    @property
    def yields(self) -> bool:
        """Whether it lets the closing orders of a FLATTEN go that was asked for before it. What trips by itself knows nothing
        of a person's FLATTEN, or of another trigger's, and must not leave the desk in what it was getting out of; and a
        second FLATTEN wants what the first does.
        """
        return bool(self.trigger) or self.tier is HaltTier.FLATTEN

    def is_like(self, tier: HaltTier, scope: HaltScope, name: str, trigger: str) -> bool:
        """Whether it stops as much in the same place, for the same who or what asked."""
        return (self.tier, self.scope, self.name, self.trigger) == (tier, scope, name, trigger)


def at_most(tier: HaltTier, scope: HaltScope) -> HaltTier:
    """The tier, or the most that this scope knows: positions are not kept by strategy, so that none can be closed by it."""
    return HaltTier.CANCEL_ALL if (tier, scope) == (HaltTier.FLATTEN, HaltScope.STRATEGY) else tier


def covers(scope: HaltScope, name: str, order: Covered) -> bool:
    """Whether an order is within a scope."""
    if scope is HaltScope.GLOBAL:
        return True
    return _NAME_OF[scope](order) == name


_NAME_OF: Final[dict[HaltScope, Callable[[Covered], str]]] = {
    HaltScope.BROKER: lambda order: order.broker,
    HaltScope.VENUE: lambda order: venue_of(order.symbol),
    HaltScope.ACCOUNT: lambda order: order.account,
    HaltScope.SYMBOL: lambda order: order.symbol,
    HaltScope.STRATEGY: lambda order: order.strategy_id,
}
