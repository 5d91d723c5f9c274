"""Passwords: which may be chosen, and how one is kept and compared.

Kept as Argon2id (RFC 9106) with 64 MiB and three passes, 0.18 s of one core where it was measured, so that a stolen file is of
little use. It runs in a thread: the loop never waits. An unknown name costs as much time as a known one.
"""

from __future__ import annotations

import asyncio
from typing import Final
from unicodedata import normalize

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError
from pydantic import SecretStr

from tradeloop.access.common_passwords import is_common
from tradeloop.core.errors import BadInput

LENGTH_MIN: Final = 12
LENGTH_MAX: Final = 256
PASSES: Final = 3
MEMORY_KIB: Final = 65_536
_SALT: Final = "A" * 22
_HASH: Final = "A" * 43
"""16 and 32 bytes, all zero, as Argon2 writes them."""


class Passwords:
    """Makes and compares hashes; `passes` and `memory_kib` are the cost, which a test may lower."""

    def __init__(self, passes: int = PASSES, memory_kib: int = MEMORY_KIB) -> None:
        self._hasher = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=1, type=Type.ID)
        self.nobodys: Final = f"$argon2id$v=19$m={memory_kib},t={passes},p=1${_SALT}${_HASH}"
        """What a name that nobody has is compared with: of the same cost, and no password gives it."""

    async def hashed(self, password: SecretStr) -> str:
        """What is kept of it."""
        return await asyncio.to_thread(self._hasher.hash, _plain(password))

    async def is_right(self, kept: str | None, password: SecretStr) -> bool:
        """Whether it is the one that was kept; `kept` None, for a name that nobody has, takes as long and is never right."""
        matches = await asyncio.to_thread(self._matches, self.nobodys if kept is None else kept, password)
        return matches and kept is not None

    def is_outdated(self, kept: str) -> bool:
        """Whether it was kept at another cost than today's."""
        try:
            return self._hasher.check_needs_rehash(kept)
        except InvalidHashError:
            return True

    def _matches(self, kept: str, password: SecretStr) -> bool:
        try:
            return self._hasher.verify(kept, _plain(password))
        except (VerificationError, InvalidHashError):
            return False


def refuse_weak(password: SecretStr, name: str) -> None:
    """Raise BadInput for a password that `name` may not choose; none of it is told."""
    text = normalize("NFKC", password.get_secret_value())
    if not LENGTH_MIN <= len(text) <= LENGTH_MAX:
        raise BadInput(f"the password had {len(text)} characters; expected {LENGTH_MIN} to {LENGTH_MAX}")
    if "\x00" in text or any("\ud800" <= each <= "\udfff" for each in text):
        raise BadInput("the password held a character that is none; type it anew")
    plain = text.casefold()
    if is_common(text) or len(set(plain)) < 4:
        raise BadInput("the password is one of the first that are tried; choose another one, several words for example")
    own = name.casefold()
    if own in (plain, plain[::-1]) or len(plain.replace(own, "")) < LENGTH_MIN // 2:
        raise BadInput("the password was little more than the name; choose another one, several words for example")


def _plain(password: SecretStr) -> bytes:
    """One spelling: what two keyboards make of the same letters is the same password. Cut where nobody types any more."""
    return normalize("NFKC", password.get_secret_value())[: LENGTH_MAX + 1].encode(errors="surrogatepass")
