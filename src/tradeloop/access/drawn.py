"""What is drawn by chance: secrets, tokens and keys. The one file that draws, through pyotp from the system's source.

Letters are those of base32, five bits each, so that a token may be typed, stands in a header or a link as it is, and a test can
give the draw.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final

import pyotp
from pydantic import SecretStr

_TOKEN_LETTERS: Final = 52
"""260 bits."""
_NAME_LETTERS: Final = 16
"""80 bits: no two of one desk are alike, and nobody guesses one."""


def totp_secret() -> SecretStr:
    """The secret of one-time codes: 160 bits, as RFC 4226 section 4 recommends."""
    return SecretStr(pyotp.random_base32())


def token() -> SecretStr:
    """Whoever has it is let in: more than 256 bits."""
    return SecretStr(pyotp.random_base32(_TOKEN_LETTERS))


def short_code() -> SecretStr:
    """What a person writes down on paper: 80 bits in four groups of four letters."""
    letters = pyotp.random_base32()[:_NAME_LETTERS]
    return SecretStr("-".join(letters[start : start + 4] for start in range(0, _NAME_LETTERS, 4)))


def name() -> str:
    """The name of something that needs one and is no secret."""
    return pyotp.random_base32()[:_NAME_LETTERS].lower()


def key() -> bytes:
    """A key of 256 bits."""
    return sha256(pyotp.random_base32(_TOKEN_LETTERS).encode()).digest()


def nonce() -> bytes:
    """Twelve bytes that come once with a key."""
    return key()[:12]


def digest(text: str) -> str:
    """What is kept of a drawn secret: SHA-256. Enough for what has 80 bits or more, and far too little for a password."""
    return sha256(text.encode(errors="surrogatepass")).hexdigest()
