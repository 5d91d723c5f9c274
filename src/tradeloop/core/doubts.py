"""Stations 5 and 7: which fills are held in doubt, and of which fills of ours they may be another name (core/second_ids.py).

A fill in doubt is a break, `fill_twice`. A venue that names every fill twice makes thousands of these at once: whoever asks for
those of one fill, one account or one symbol must not walk all breaks there are. Derived from them: it follows each where it is
found and closed, and a restart makes it anew.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, TypeVar

from tradeloop.core.events import BreakFound
from tradeloop.core.reports import Execution
from tradeloop.core.types import AccountID, Symbol

FILL_TWICE: Final = "fill_twice"

_Key = TypeVar("_Key")
_Found = dict[str, BreakFound]
"""break id -> the break, in the order in which they were found"""


class Doubts:
    """The open breaks of fills in doubt: of each account, of each symbol in it, and of each fill that one looks like."""

    __slots__ = ("_of_account", "_of_symbol", "_of_twin")

    def __init__(self) -> None:
        self._of_account: dict[tuple[str, AccountID], _Found] = {}
        self._of_symbol: dict[tuple[AccountID, str], _Found] = {}
        self._of_twin: dict[str, _Found] = {}

    def found(self, known: BreakFound) -> None:
        """A break was found; of another kind, it is none of these."""
        if known.kind == FILL_TWICE:
            self._of_account.setdefault((known.broker, known.account), {})[known.break_id] = known
            self._of_symbol.setdefault((known.account, symbol_of(known)), {})[known.break_id] = known
            self._of_twin.setdefault(twin_of(known), {})[known.break_id] = known

    def closed(self, known: BreakFound) -> None:
        """A break is no more, or has become another one."""
        if known.kind == FILL_TWICE:
            _drop(self._of_account, (known.broker, known.account), known)
            _drop(self._of_symbol, (known.account, symbol_of(known)), known)
            _drop(self._of_twin, twin_of(known), known)

    def of(self, broker: str, account: AccountID) -> Collection[BreakFound]:
        """Those of one account, the oldest first."""
        return self._of_account.get((broker, account), {}).values()

    def of_symbol(self, account: AccountID, symbol: Symbol) -> Collection[BreakFound]:
        """Those of one symbol in an account, the oldest first."""
        return self._of_symbol.get((account, symbol), {}).values()

    def of_twin(self, key: str) -> Collection[BreakFound]:
        """Those that look like one fill of ours, the oldest first."""
        return self._of_twin.get(key, {}).values()

    def are_of(self, key: str) -> bool:
        """Whether anything is held that looks like the fill of ours."""
        return key in self._of_twin


def _drop(found: dict[_Key, _Found], key: _Key, known: BreakFound) -> None:
    left = found[key]
    del left[known.break_id]
    if not left:
        del found[key]


def begins(broker: str, account: AccountID) -> str:
    """How the execution keys of an account begin (core/execution.py)."""
    return f"{broker}|{account}|"


def subject_of(x: Execution, key: str) -> str:
    """What a break says of a fill that is held: its symbol, and its key within the account."""
    return f"{x.symbol} {key.removeprefix(begins(x.broker, x.account))}"


def symbol_of(known: BreakFound) -> str:
    """The symbol of the fill that is held."""
    return known.subject.split(" ", 1)[0]


def again_of(known: BreakFound) -> str:
    """The key that is held."""
    return begins(known.broker, known.account) + known.subject.split(" ", 1)[1]


def twin_of(known: BreakFound) -> str:
    """The key of the fill that it looks like."""
    return begins(known.broker, known.account) + known.ours
