"""Secrets under two keys: each has a key of its own, drawn anew whenever it is sealed, and that key lies under a master key.

AES-256-GCM both times. What the secret is for is bound into both (its record, its broker, its account): one that was moved to
another record opens nothing. A new master key seals the small keys anew and touches no secret.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import SecretStr
from typing_extensions import override

from tradeloop.access import drawn
from tradeloop.access.records import Sealed
from tradeloop.core.errors import BadInput

_NONCE: Final = 12
_KEY: Final = 32


class MasterKey:
    """256 bits; it prints its id alone."""

    def __init__(self, key: bytes) -> None:
        assert len(key) == _KEY  # checked where it was read
        self._key = key
        self.id: Final = sha256(b"tradeloop master key\x00" + key).hexdigest()[:16]

    @override
    def __repr__(self) -> str:
        return f"MasterKey({self.id})"

    def wrap(self, plain: bytes, about: bytes) -> str:
        """`plain` under this key, in base64."""
        return _under(self._key, plain, about)

    def unwrap(self, text: str, about: bytes) -> bytes | None:
        """What was wrapped; None where it was not this key, not this purpose, or was altered."""
        return _out_of(self._key, text, about)


class Vault:
    """Seals under the first master key and opens under each of them. `masters` gives them, and is asked again where a secret is
    sealed with another: a process may have drawn a new one meanwhile.
    """

    def __init__(self, masters: Callable[[], Sequence[MasterKey]]) -> None:
        self._ask = masters
        self._masters: dict[str, MasterKey] = {}
        self.reload()

    def reload(self) -> None:
        """Ask for the master keys again."""
        found = self._ask()
        self.first = found[0]
        self._masters = {each.id: each for each in found}

    def seal(self, secret: SecretStr, *about: str) -> Sealed:
        """A secret for what it is about."""
        own, bound = drawn.key(), _bound(about)
        return Sealed(
            self.first.id,
            self.first.wrap(own, bound),
            _under(own, secret.get_secret_value().encode(errors="surrogatepass"), bound),
        )

    def open(self, sealed: Sealed, *about: str) -> SecretStr:
        """The secret. Raises BadInput where the master key is another one, or the record was altered or moved."""
        bound = _bound(about)
        plain = _out_of(self._own_key(sealed, bound), sealed.text, bound)
        if plain is None:
            raise BadInput("a sealed secret was altered or belongs to another record; set it anew")
        return SecretStr(plain.decode(errors="surrogatepass"))

    def sealed_anew(self, sealed: Sealed, *about: str) -> Sealed:
        """The same secret with its key under the first master key. Raises as `open` does."""
        bound = _bound(about)
        return msgspec.structs.replace(sealed, master=self.first.id, key=self.first.wrap(self._own_key(sealed, bound), bound))

    def knows(self, sealed: Sealed) -> bool:
        """Whether its master key is there."""
        if sealed.master not in self._masters:
            self.reload()
        return sealed.master in self._masters

    def _own_key(self, sealed: Sealed, bound: bytes) -> bytes:
        if not self.knows(sealed):
            raise BadInput(
                f"a secret is sealed with the master key {sealed.master}, which was not given; give that one too, or set the"
                " secret anew"
            )
        own = self._masters[sealed.master].unwrap(sealed.key, bound)
        if own is None:
            raise BadInput("a sealed secret was altered or belongs to another record; set it anew")
        return own


def _under(key: bytes, plain: bytes, about: bytes) -> str:
    nonce = drawn.nonce()
    return base64.b64encode(nonce + AESGCM(key).encrypt(nonce, plain, about)).decode()


def _out_of(key: bytes, text: str, about: bytes) -> bytes | None:
    try:
        raw = base64.b64decode(text, validate=True)
        return AESGCM(key).decrypt(raw[:_NONCE], raw[_NONCE:], about)
    except (binascii.Error, ValueError, InvalidTag):
        return None


def _bound(about: Sequence[str]) -> bytes:
    """What it is for, so written that no two purposes are one."""
    return msgspec.json.encode(list(about))
