"""The main contract of the desk (S4-49, S4-50): the instrument its market page shows first, and its switch to another one.

It is a fact, with who and why. The feed, and what is remembered of the contract before, follow it (bootstrap/main_contract.py).
"""

from __future__ import annotations

from collections.abc import Generator

from tradeloop.core.commands import SwitchMainContract
from tradeloop.core.errors import BadInput, Conflicts
from tradeloop.core.events import Event, MainContractSwitched
from tradeloop.core.replies import Done
from tradeloop.core.state import State
from tradeloop.core.surroundings import Surroundings
from tradeloop.core.types import Symbol, UtcNs


def switch(state: State, around: Surroundings, command: SwitchMainContract, now: UtcNs) -> Generator[Event, None, Done]:
    """Have another instrument be the main contract. The same once more changes nothing."""
    del around
    if not command.by.strip():
        raise BadInput("by was empty; a main contract is switched by somebody")
    if command.symbol not in state.instruments:
        raise BadInput(f"symbol was {command.symbol[:40]!r}, which is not listed here; expected one that is")
    before = None if state.main is None else state.main.symbol
    if before == command.symbol:
        return Done(f"{command.symbol} is the main contract already")
    refuse_while_in_use(state)
    yield MainContractSwitched(now, command.symbol, before, command.by, command.reason)
    return Done(f"{command.symbol} is the main contract now" + ("" if before is None else f", and {before} is it no more"))


def refuse_while_in_use(state: State) -> None:
    """Raise Conflicts while something is held of the main contract, or an order works in it: nobody looks away from that."""
    if state.main is None:
        return
    symbol = state.main.symbol
    for account in state.accounts:
        if not state.held(account, symbol).is_flat:
            raise Conflicts(f"{_held(state, symbol)} of {symbol} is held in account {account}; close it, then switch")
        if working := state.working.get((account, symbol)):
            first = next(iter(working))
            raise Conflicts(f"order {first} works in {symbol} in account {account}; cancel it, then switch")


def _held(state: State, symbol: Symbol) -> str:
    return " and ".join(
        f"{qty:f} {word}"
        for account in state.accounts
        for qty, word in ((state.held(account, symbol).long_qty, "long"), (state.held(account, symbol).short_qty, "short"))
        if qty
    )
