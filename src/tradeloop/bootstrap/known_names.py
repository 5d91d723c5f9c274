"""The names that a person's limit may be of: accounts, strategies and industries that somebody here has met.

A limit on a name that nobody has stops nothing, and looks as if it did. risk.yaml lasts, and may name what is to come; a
person's limit is for now, and a slip of the pen in it is refused with what is known. A symbol may be new, since a limit is best
set before the first order: limit_names.py looks at how it is written, and the answer says where nobody has traded it yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from difflib import get_close_matches
from typing import Final

from tradeloop.bootstrap.limit_names import is_board, looks_like_a_symbol
from tradeloop.bootstrap.limits import configured_limits
from tradeloop.config import Loaded
from tradeloop.core.errors import BadInput
from tradeloop.core.limit import LimitScope, RiskLimit
from tradeloop.core.state import State
from tradeloop.core.types import ClOrdID
from tradeloop.markets.facts import load_facts
from tradeloop.yamltext import SHOWN_MAX

_SHOWN: Final = 5
_TO_COME: Final = "what is to come stands in risk.yaml, see docs/how-to/limit-risk.md"


def refuse_nobodys(loaded: Loaded, state: State, limit: RiskLimit) -> None:
    """Raise BadInput where a limit names an account, a strategy or an industry that nobody here knows."""
    name = limit.name
    match limit.scope:
        case LimitScope.ACCOUNT if name and name not in (known := _accounts(loaded, state)):
            raise _unknown("name", name, "account", known)
        case LimitScope.STRATEGY if name and name not in (known := _strategies(loaded, state)) and not was_carried(state, name):
            raise _unknown("name", name, "strategy", known)
        case LimitScope.INDUSTRY if name and name not in (known := _industries(loaded, state)):
            raise _unknown("name", name, "industry", known)
        case _:
            pass
    listed = [each for each in (*limit.only, *limit.but) if not is_board(each) and not looks_like_a_symbol(each)]
    if not listed:
        return
    known = _named_once((*_accounts(loaded, state), *_industries(loaded, state)))
    for each in listed:
        if "/" not in each and each not in known:
            raise _unknown("only" if each in limit.only else "but", each, "symbol, board, account or industry", known)


def was_carried(state: State, strategy: str) -> bool:
    """Whether any order, open or closed, is or was of this strategy. Of the closed ones only those are unpacked that hold its
    letters.
    """
    if any(order.strategy_id == strategy for order in state.orders.open.values()):
        return True
    letters = strategy.encode()
    for part in state.orders.closed.parts():
        for order_id, packed in part.items():
            if (
                letters in packed
                and (order := state.orders.get(ClOrdID(order_id))) is not None
                and order.strategy_id == strategy
            ):
                return True
    return False


def _unknown(what: str, name: str, kind: str, known: tuple[str, ...]) -> BadInput:
    near = get_close_matches(name, known, n=1)
    meant = f"; did you mean {near[0]}?" if near else ""
    more = f" and {len(known) - _SHOWN} more" if len(known) > _SHOWN else ""
    some = f"{', '.join(known[:_SHOWN])}{more}" if known else "none yet"
    return BadInput(f"{what} was {name[:SHOWN_MAX]!r}, which is no {kind} known here, known: {some}{meant}; {_TO_COME}")


def _accounts(loaded: Loaded, state: State) -> tuple[str, ...]:
    return _named_once((loaded.settings.broker.account, *state.accounts))


def _strategies(loaded: Loaded, state: State) -> tuple[str, ...]:
    """Those at hand: of what is open, of what was done today, and of limits."""
    orders = (order.strategy_id for order in state.orders.open.values())
    today = (strategy_id for _, _, strategy_id in state.activity.rows)
    return _named_once((*_limited(loaded, state, LimitScope.STRATEGY), *orders, *today))


def _industries(loaded: Loaded, state: State) -> tuple[str, ...]:
    listed = (each.industry for each in state.instruments.values())
    path = loaded.settings.markets.facts
    facts = () if path is None else (each.industry for each in load_facts(path).values())
    return _named_once((*_limited(loaded, state, LimitScope.INDUSTRY), *listed, *facts))


def _limited(loaded: Loaded, state: State, scope: LimitScope) -> Iterator[str]:
    """What limits are of: those in force, and those of the file, where it can be read."""
    yield from (limit.name for limit in state.limits.in_force.values() if limit.scope is scope)
    with suppress(BadInput):
        yield from (limit.name for limit in configured_limits(loaded).limits if limit.scope is scope)


def _named_once(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({each for each in names if each}))
