"""Passwords of twelve characters and more that everybody tries first: known words drawn out, rows of the keyboard, counting.

Compared without case, and without what people put behind to satisfy a rule. Short on purpose: the length does the work, and
guesses are few (backoff.py).
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final

_WORDS: Final = frozenset(
    """
    password passw0rd p@ssword p@ssw0rd pa55word passwort motdepasse contrasena passwordpassword mypassword
    yourpassword thepassword newpassword oldpassword secretpassword adminpassword rootpassword userpassword
    defaultpassword testpassword temppassword temporarypassword changepassword resetpassword strongpassword letmein
    letmeinplease letmeinnow openthedoor opensesame welcome welcomehome welcomeback welcometo administrator admin
    adminadmin adminadminadmin superadmin superuser rootroot rootrootroot changeme changemenow changemeplease
    changethis changeit pleasechange default secret secretsecret topsecret iloveyou iloveyouforever iloveyousomuch
    sunshine princess football baseball basketball superman spiderman batman starwars pokemon dragon monkey master
    trustno nothing whatever computer internet michelle jennifer liverpool manchester chelsea arsenal barcelona
    juventus chocolate butterfly correcthorsebatterystaple correcthorse hunter abcdefghijkl abcdefghijklm
    abcdefghijklmnop abcdefghijklmnopqrstuvwxyz qwerty qwertyuiop qwertyuiopasdfghjkl qwertyuiopasdfghjklzxcvbnm
    qwertyqwerty qwertzuiop azertyuiop asdfghjkl asdfghjklasdfghjkl asdfasdfasdf zxcvbnm zxcvbnmzxcvbnm qazwsxedc
    qazwsxedcrfv 1qaz2wsx3edc 1qaz2wsx3edc4rfv 1q2w3e4r5t6y 1q2w3e4r5t6y7u 1q2w3e4r5t6y7u8i qweasdzxc q1w2e3r4t5y6
    zaq12wsxcde3 woaini woaini1314 tradeloop tradelooptradeloop trading tradingtrading trader tradertrader tradingdesk
    tradingplatform stockmarket wallstreet moneymoney moneymoneymoney bitcoin bitcoinbitcoin ethereum blockchain
    buylowsellhigh tothemoon
    """.split()  # noqa: SIM905  # a list of words reads better as words
)
_TAILS: Final = "0123456789!@#$%^&*?.,_-+= "


def is_common(password: str) -> bool:
    """Whether it is one of the first that are tried."""
    plain = password.casefold()
    return plain in _WORDS or plain.strip(_TAILS) in _WORDS or _is_a_row(plain) or _repeats(plain)


def _is_a_row(plain: str) -> bool:
    """Each character is the one before, or its neighbour in the same direction: 123456789012, aaaaaaaaaaaa."""
    steps = {(ord(after) - ord(before)) % 10 for before, after in pairwise(plain)}
    if plain.isdigit():
        return steps in ({0}, {1}, {9})
    return {ord(after) - ord(before) for before, after in pairwise(plain)} in ({0}, {1}, {-1})


def _repeats(plain: str) -> bool:
    """A piece of at most four characters, again and again: abcabcabcabc."""
    return any(plain == (plain[:size] * (len(plain) // size + 1))[: len(plain)] for size in range(1, 5))
