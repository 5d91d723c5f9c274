"""One-time codes by the clock (RFC 6238): the secret, and which step of thirty seconds a code belongs to.

Pure: the time is an argument. Codes have six digits, made with HMAC-SHA-1, which is what authenticator apps agree on.
"""

from __future__ import annotations

import hmac
from typing import Final

import pyotp
from pydantic import SecretStr

from tradeloop.access import drawn
from tradeloop.core.types import SECOND_NS, UtcNs

DIGITS: Final = 6
STEP_S: Final = 30
DRIFT: Final = 1
"""How many steps the clock of whoever shows the code may be off, either way (RFC 6238 section 5.2 recommends one)."""
_ISSUER: Final = "Tradeloop"


def draw() -> SecretStr:
    """A new secret of 160 bits, from the system's source of randomness."""
    return drawn.totp_secret()


def uri(secret: SecretStr, name: str) -> str:
    """What an authenticator app is given: it holds the secret, so it is shown once and kept nowhere."""
    return _codes(secret).provisioning_uri(name=name, issuer_name=_ISSUER)


def is_code(text: str) -> bool:
    """Whether it could be a code at all."""
    return len(text) == DIGITS and text.isascii() and text.isdigit()


def step_of(secret: SecretStr, code: str, now: UtcNs) -> int | None:
    """The step whose code it is, among those that count now; None where it is none of them.

    Each is compared in constant time, and all of them whatever the first says.
    """
    codes, present = _codes(secret), now // (STEP_S * SECOND_NS)
    found = None
    for step in range(present - DRIFT, present + DRIFT + 1):
        if hmac.compare_digest(codes.generate_otp(step), code):
            found = step
    return found


def _codes(secret: SecretStr) -> pyotp.TOTP:
    return pyotp.TOTP(secret.get_secret_value(), digits=DIGITS, interval=STEP_S)
