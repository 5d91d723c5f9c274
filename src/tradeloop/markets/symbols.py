"""One name for one thing: every usual notation of a symbol becomes `CODE.VENUE`, or a refusal that names the candidates.

Canonical forms: `600519.SH` `000001.SZ` `920799.BJ` `00700.HK` `AAPL.US` `BRK.B.US` `au2512.SHFE` `SR2601.CZCE`
`BTC/USDT.CRYPTO` `BTC-PERP.CRYPTO`.

A coin pair carries `.CRYPTO` and no venue: the same pair is the same exposure wherever it is held, a target portfolio
must mean the same on two venues, and which venue an order goes to is said by the account's broker, not by the name.
A perpetual contract keeps its hyphen, `BTC-PERP.CRYPTO`, so that it is never taken for a pair: it is another exposure than
the coin. Its price is in US dollars.

Nothing is guessed. A code that two markets could mean is refused with both, also when one of them is far more usual.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import date

from tradeloop.core.errors import BadInput
from tradeloop.core.types import Symbol
from tradeloop.markets.boards import EXCHANGE_NAMES, TRADABLE, board_of, kind_at
from tradeloop.markets.futures import EXCHANGES, contract, product_known

VENUES: Mapping[str, str] = {
    # the venue's canonical suffix, and how others write it (Yahoo, ISO 10383, vn.py, Wind, Tushare)
    **dict.fromkeys(("SH", "SS", "XSHG", "SSE", "SHSE"), "SH"),
    **dict.fromkeys(("SZ", "XSHE", "SZSE"), "SZ"),
    **dict.fromkeys(("BJ", "BJSE", "XBSE"), "BJ"),
    **dict.fromkeys(("HK", "HKEX", "SEHK", "XHKG"), "HK"),
    **dict.fromkeys(("US", "NYSE", "NASDAQ", "XNYS", "XNAS"), "US"),
    **dict.fromkeys(("SHFE", "SHF"), "SHFE"),
    **dict.fromkeys(("CZCE", "CZC", "ZCE"), "CZCE"),
    **dict.fromkeys(("CFFEX", "CFE", "CFX"), "CFFEX"),
    **dict.fromkeys(("GFEX", "GFE"), "GFEX"),
    "INE": "INE",
    "DCE": "DCE",
    "CRYPTO": "CRYPTO",
}
SHARES = ("SH", "SZ", "BJ")
QUOTES = ("FDUSD", "USDT", "USDC", "BUSD", "USD", "EUR", "BTC", "ETH")
"""Coins and currencies a pair may be quoted in; needed only to split a pair written in one word."""

EXPECTED = "expected one such as 600519.SH, 00700.HK, AAPL.US, au2512.SHFE or BTC/USDT"
_LONGEST = 32
_DIGITS = re.compile(r"[0-9]+")
_TICKER = re.compile(r"[A-Z]{1,5}(?:[.-][A-Z])?")
_CONTRACT = re.compile(r"([A-Za-z]{1,2})([0-9]{3,4})")
_PAIR = re.compile(r"((?=[0-9]*[A-Z])[A-Z0-9]{2,10})[/_-]([A-Z]{3,5})")
_PERPETUAL = re.compile(r"((?=[0-9]*[A-Z])[A-Z0-9]{2,10})-PERP")
_PREFIXED = re.compile(r"(?:(SH|SZ|BJ)([0-9]{6})|(HK)([0-9]{4,5}))", re.IGNORECASE)
_FORMULA = "=+-@"


def canonical(text: str, on: date | None = None) -> Symbol:
    """The canonical symbol written in `text`; `on` is the day it is meant for, which CZCE's one-digit years need.

    `BadInput` for whatever is unknown or ambiguous, with the candidates.
    """
    written = unicodedata.normalize("NFKC", text).strip()
    if not written:
        raise BadInput("symbol was empty; " + EXPECTED)
    if written[0] in _FORMULA:
        raise BadInput("symbol begins like a spreadsheet formula; " + EXPECTED)
    if len(written) > _LONGEST or not re.fullmatch(r"[A-Za-z0-9./_-]+", written):
        raise BadInput(f"symbol was {_shown(text)}; {EXPECTED}")
    code, venue = _split(written)
    if venue is None:
        return _bare(code, text, on)
    if venue in SHARES:
        return _share(code, venue, on)
    if venue == "HK":
        return _hong_kong(code)
    if venue == "US":
        return _us(code)
    if venue == "CRYPTO":
        return _pair(code, text)
    match = _CONTRACT.fullmatch(code)
    if match is None:
        raise BadInput(f"{_shown(code)} is not a futures contract of {venue}; expected one such as au2512.SHFE")
    return contract(match.group(1), match.group(2), venue, on)


def venue_called(text: str) -> str:
    """The venue as symbols carry it, in any usual notation. One that is not told apart from others, such as NASDAQ in US, is
    all of them. Raises BadInput.
    """
    found = VENUES.get(unicodedata.normalize("NFKC", text).strip().upper())
    if found is None:
        raise BadInput(f"venue was {_shown(text)}; expected one of {', '.join(dict.fromkeys(VENUES.values()))}")
    return found


def _split(written: str) -> tuple[str, str | None]:
    """(code, canonical venue), from `600519.SH`, `SHFE.au2512` or `sh600519`; the venue is None where none is written."""
    head, dot, tail = written.rpartition(".")
    if dot and tail.upper() in VENUES:
        return head, VENUES[tail.upper()]
    first, dot, rest = written.partition(".")
    if dot and first.upper() in VENUES and rest:
        return rest, VENUES[first.upper()]
    match = _PREFIXED.fullmatch(written)
    if match is not None:
        return match.group(2) or match.group(4), (match.group(1) or match.group(3)).upper()
    return written, None


def _share(code: str, venue: str, on: date | None) -> Symbol:
    if not _DIGITS.fullmatch(code) or len(code) > 6:
        raise BadInput(f"{_shown(code)} is not a code of {EXCHANGE_NAMES[venue]}; expected six digits such as 600519")
    if len(code) < 6:
        candidates = " or ".join(_tradable(code.zfill(6))) or "the six-digit code"
        raise BadInput(f"{code} has lost its leading zeros; did you mean {candidates}")
    kind = kind_at(code, venue)
    if kind in TRADABLE:
        if on is not None:
            board_of(code, venue, on)
        return Symbol(f"{code}.{venue}")
    elsewhere = _tradable(code)
    if kind:
        hint = (
            f"; did you mean {' or '.join(elsewhere)}" if elsewhere else "; only stocks, funds and convertible bonds are traded"
        )
        raise BadInput(f"{code}.{venue} is {_KINDS[kind]}, not a stock{hint}")
    if elsewhere:
        home = EXCHANGE_NAMES[elsewhere[0].rpartition(".")[2]]
        raise BadInput(f"{code} is a {home} code, not of {EXCHANGE_NAMES[venue]}; did you mean {elsewhere[0]}")
    raise BadInput(f"{code}.{venue} has a prefix that no mainland exchange uses; check the code")


_KINDS = {"index": "an index", "b_share": "a B share", "bond": "a bond"}


def _tradable(code: str) -> list[str]:
    """What six digits could mean of what is traded."""
    return [f"{code}.{venue}" for venue in SHARES if kind_at(code, venue) in TRADABLE]


def _hong_kong(code: str) -> Symbol:
    if not _DIGITS.fullmatch(code) or len(code) > 5 or not int(code):
        elsewhere = _tradable(code) if len(code) == 6 else []
        hint = f"did you mean {elsewhere[0]}" if elsewhere else "expected one to five digits such as 00700"
        raise BadInput(f"{_shown(code)} is not a Hong Kong code; {hint}")
    return Symbol(f"{code.zfill(5)}.HK")


def _us(code: str) -> Symbol:
    ticker = code.upper().replace("-", ".")
    if not _TICKER.fullmatch(ticker):
        raise BadInput(f"{_shown(code)} is not a US ticker; expected one to five letters such as AAPL or BRK.B")
    return Symbol(f"{ticker}.US")


def _pair(code: str, text: str) -> Symbol:
    if _PERPETUAL.fullmatch(code.upper()):
        return Symbol(f"{code.upper()}.CRYPTO")
    match = _PAIR.fullmatch(code.upper())
    if match is None:
        return _joined_pair(code.upper(), text)
    return Symbol(f"{match.group(1)}/{match.group(2)}.CRYPTO")


def _joined_pair(word: str, text: str) -> Symbol:
    for quote in QUOTES:
        base = word.removesuffix(quote)
        if base != word and len(base) >= 2 and base.isalnum():
            return Symbol(f"{base}/{quote}.CRYPTO")
    raise BadInput(f"{_shown(text)} is not a coin pair; expected one such as BTC/USDT")


def _bare(code: str, text: str, on: date | None) -> Symbol:
    """A code without a market: accepted only where it can mean one thing."""
    if _DIGITS.fullmatch(code):
        return _bare_digits(code, on)
    match = _CONTRACT.fullmatch(code)
    if match is not None:
        return contract(match.group(1), match.group(2), None, on)
    if _PAIR.fullmatch(code.upper()):
        return _pair(code, text)
    if _TICKER.fullmatch(code.upper()):
        known_product = product_known(code) if code.islower() else None
        if known_product is not None:
            future = f"{known_product[0]}2512.{known_product[1]}"
            raise BadInput(f"{code} is a futures product and a possible US ticker; write {future} or {code.upper()}.US")
        return _us(code)
    head, dot, tail = code.rpartition(".")
    if dot and head:
        known = "SH, SZ, BJ, HK, US, CRYPTO, " + ", ".join(EXCHANGES)
        raise BadInput(f"{_shown(code)} has the unknown market {_shown(tail)}; expected one of {known}")
    if code.isalnum() and len(code) > 5:
        return _joined_pair(code.upper(), text)
    raise BadInput(f"symbol was {_shown(text)}; {EXPECTED}")


def _bare_digits(code: str, on: date | None) -> Symbol:
    if len(code) > 6:
        raise BadInput(f"{_shown(code)} has {len(code)} digits; {EXPECTED}")
    candidates = _tradable(code.zfill(6))
    if not int(code):
        raise BadInput(f"{code} is no code; {EXPECTED}")
    if len(code) < 6:
        candidates.append(f"{code.zfill(5)}.HK")
        raise BadInput(f"{code} has lost its market or its leading zeros; write {' or '.join(candidates)}")
    others = [venue for venue in SHARES if kind_at(code, venue) and f"{code}.{venue}" not in candidates]
    if len(candidates) == 1 and not others:
        return _share(code, candidates[0].rpartition(".")[2], on)
    if not candidates:
        raise BadInput(f"{code} has a prefix that no mainland exchange uses for what is traded here; check the code")
    if others:
        clash = f"{code}.{others[0]} is {_KINDS[kind_at(code, others[0])]}"
        raise BadInput(f"{code} does not say its market, and {clash}; write {' or '.join(candidates)}")
    raise BadInput(f"{code} does not say its market; write {' or '.join(candidates)}")


def _shown(text: str) -> str:
    """Foreign text made safe to show: escaped, quoted, and cut."""
    return ascii(text if len(text) <= _LONGEST else text[:_LONGEST] + "...")
