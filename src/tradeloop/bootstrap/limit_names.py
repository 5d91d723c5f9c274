"""Names in a limit: symbols, boards, accounts, industries and currencies, each in the one form in which it is compared.

A name that can never match anything forbids nothing, and says so to nobody: it is refused here. What may come to exist, an
account or an industry, is taken as it is; `tradeloop doctor` says which of them nobody knows yet.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Final

from tradeloop.core.errors import BadInput
from tradeloop.core.limit import LimitScope
from tradeloop.markets.boards import TRADABLE, boards
from tradeloop.markets.futures import EXCHANGES, products
from tradeloop.markets.symbols import QUOTES, VENUES, canonical
from tradeloop.yamltext import SHOWN_MAX

CURRENCIES: Final = tuple(dict.fromkeys(("CNY", "HKD", "USD", *QUOTES)))
"""What instruments are traded in."""
_USUAL: Final = {"RMB": "CNY", "CNH": "CNY", "YUAN": "CNY", "HKG": "HKD", "DOLLAR": "USD", "US": "USD"}
_OF_ACCOUNTS: Final = "programme_report"
"""The rule whose list names accounts alone, which may be called whatever their broker calls them."""
_PREFIXED: Final = re.compile(r"(sh|sz|bj|hk)[0-9]{4,6}", re.IGNORECASE)
_CONTRACT: Final = re.compile(r"([A-Za-z]{1,2})[0-9]{3,4}")
_NOBODY: Final = ("null", "none", "~")
_CODE_DIGITS: Final = 6


def a_name(scope: LimitScope, name: str) -> str:
    """What a limit is of; a symbol in the canonical notation, so that the limit holds however it was written."""
    if name.lower() in _NOBODY:
        raise BadInput(f"name was {name!r}; leave it out where each is meant by itself")
    return canonical(name) if name and scope is LimitScope.SYMBOL else name


def a_currency(text: str) -> str:
    """A code of money, in capitals. Raises BadInput for one that nothing is traded in."""
    code = text.upper()
    if code and code not in CURRENCIES:
        meant = f"; did you mean {_USUAL[code]}" if code in _USUAL else ""
        raise BadInput(f"currency was {text[:SHOWN_MAX]!r}; expected one of {', '.join(CURRENCIES)}{meant}")
    return code


def listed(names: Sequence[str], what: str, rule: str = "") -> tuple[str, ...]:
    """Names of symbols, boards, industries and accounts; a symbol in the canonical notation, however it was written. Raises
    BadInput for one that looks like a symbol or a board and is none.
    """
    found = [_one(name, what, rule) if name else "" for name in map(str.strip, names)]
    if not all(found) or len(set(found)) < len(found):
        raise BadInput(f"{what} holds an empty name or one twice; name each once")
    return tuple(found)


def is_board(name: str) -> bool:
    """Whether it is a board on which something is traded."""
    return name in _boards()


def looks_like_a_symbol(name: str) -> bool:
    """Whether nobody would call an account or an industry so: a code, or a name with its market, in capitals or not."""
    if _PREFIXED.fullmatch(name) or ":" in name:
        return True
    contract = _CONTRACT.fullmatch(name)
    if contract is not None and contract[1].lower() in {row.product.lower() for row in products().rows}:
        return True
    if "." in name:
        at = name.rpartition(".")[2].upper()
        return at in VENUES or not (name.islower() and name.replace(".", "").isalpha())
    return name.isascii() and name.isdigit() and len(name) <= _CODE_DIGITS


def _one(name: str, what: str, rule: str) -> str:
    if rule == _OF_ACCOUNTS or is_board(name):
        return name
    if looks_like_a_symbol(name):
        try:
            return canonical(name)
        except BadInput as error:
            raise BadInput(f"{what} holds {name[:SHOWN_MAX]!r}, which would match nothing: {error}") from None
    known = _boards()
    near = [name.upper()] if name.upper() in known else get_close_matches(name, known, n=1, cutoff=0.85)
    if near:
        raise BadInput(
            f"{what} holds {name[:SHOWN_MAX]!r}, which is no board; did you mean {near[0]}? Boards are {', '.join(known)}"
        )
    try:
        return canonical(name) if "/" in name else name
    except BadInput:
        return name


def _boards() -> tuple[str, ...]:
    mainland = (row.board for row in boards().rows if row.kind in TRADABLE)
    return tuple(dict.fromkeys((*mainland, "HK", "US", "CRYPTO", *EXCHANGES)))
