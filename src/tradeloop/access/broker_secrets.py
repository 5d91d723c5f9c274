"""What brokers want to know, such as passwords and keys: written and never shown again, but for its last four characters."""

from __future__ import annotations

import re
from typing import Final

import msgspec
from pydantic import SecretStr

from tradeloop.access.asked import Asked
from tradeloop.access.records import BrokerSecret
from tradeloop.access.refusals import Missing
from tradeloop.access.sealed import Vault
from tradeloop.access.store import AccessStore, Draft
from tradeloop.core.errors import BadInput
from tradeloop.core.types import UtcNs

LENGTH_MAX: Final = 8192
SECRETS_MAX: Final = 500
_SHOWN: Final = 4
_SHOWN_FROM: Final = 16
"""Of a shorter one four characters would be too much."""
_WORD: Final = re.compile(r"[\w.-]{1,32}", re.ASCII)


class SecretShown(msgspec.Struct, frozen=True):
    """A secret as lists show it; `master` names the master key that it is sealed with."""

    broker: str
    account: str
    name: str
    ending: str
    set_at: UtcNs
    set_by: str
    master: str


class BrokerSecrets:
    """All of them."""

    def __init__(self, store: AccessStore, vault: Vault) -> None:
        self._store, self.vault = store, vault

    def shown(self) -> list[SecretShown]:
        """Every secret, and nothing that opens anything."""
        return [
            SecretShown(each.broker, each.account, each.name, each.ending, each.set_at, each.set_by, each.sealed.master)
            for each in sorted(self._store.all(BrokerSecret), key=lambda each: each.id)
        ]

    async def put(self, broker: str, account: str, name: str, secret: SecretStr, asked: Asked) -> bool:
        """Have it there, in the place of one before; whether there was none. Raises BadInput."""
        found = _id(broker, account, name)
        text = secret.get_secret_value()
        if not 1 <= len(text) <= LENGTH_MAX:
            raise BadInput(f"the secret had {len(text)} characters; expected 1 to {LENGTH_MAX}")
        ending = text[-_SHOWN:] if len(text) >= _SHOWN_FROM and text[-_SHOWN:].isprintable() else ""
        sealed = self.vault.seal(secret, found, broker, account)

        def decide(draft: Draft) -> bool:
            before = draft.get(BrokerSecret, found)
            if before is None and len(draft.all(BrokerSecret)) >= SECRETS_MAX:
                raise BadInput(f"there are {SECRETS_MAX} secrets already, which is the most; remove one first")
            draft.put(BrokerSecret(found, broker, account, name, sealed, ending, asked.at, asked.by[:128]))
            draft.note(asked, "secret set" if before is None else "secret replaced", found)
            return before is None

        return await self._store.change(decide)

    async def remove(self, broker: str, account: str, name: str, asked: Asked) -> None:
        """Have it gone. Raises Missing."""

        def decide(draft: Draft) -> None:
            there = draft.get(BrokerSecret, _id(broker, account, name))
            if there is None:
                raise Missing(f"there is no secret {name[:40]!r} for {broker[:40]!r} and {account[:40]!r}")
            draft.drop(there)
            draft.note(asked, "secret removed", there.id)

        await self._store.change(decide)

    def reveal(self, broker: str, account: str, name: str) -> SecretStr | None:
        """The secret, for whoever connects to the broker and for nobody else; None where there is none. Raises BadInput where
        it can not be opened.
        """
        there = self._store.get(BrokerSecret, _id(broker, account, name))
        return None if there is None else self.vault.open(there.sealed, there.id, there.broker, there.account)


def _id(broker: str, account: str, name: str) -> str:
    for what, word in (("broker", broker), ("account", account), ("name of the secret", name)):
        if not _WORD.fullmatch(word):
            raise BadInput(f"the {what} was {word[:40]!r}; expected 1 to 32 letters, digits and . _ -")
    return f"{broker}/{account}/{name}"
