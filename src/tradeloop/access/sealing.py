"""A new master key: drawn, put before the old one, everything sealed with it anew, and only then the old one is let go.

Killed at any moment it harms nothing, because each key that seals something is still in the file; the same command again ends
it.
"""

from __future__ import annotations

import asyncio

import msgspec

from tradeloop.access import drawn
from tradeloop.access.asked import Asked
from tradeloop.access.master_key import MasterKeyFile
from tradeloop.access.records import BrokerSecret, Sealed, User
from tradeloop.access.sealed import Vault
from tradeloop.access.store import AccessStore, Draft
from tradeloop.core.errors import BadInput


def sealed_in(store: AccessStore) -> list[Sealed]:
    """Everything that is sealed."""
    factors = [each.factor.secret for each in store.all(User) if each.factor is not None]
    return [*factors, *(each.sealed for each in store.all(BrokerSecret))]


def refuse_unknown_masters(store: AccessStore, vault: Vault) -> None:
    """Raise BadInput where something is sealed with a master key that is not there."""
    missing = sorted({each.master for each in sealed_in(store) if not vault.knows(each)})
    if missing:
        raise BadInput(
            f"{store.label} holds secrets sealed with the master key {', '.join(missing)}, and the one that was given is"
            f" {vault.first.id}; put the old one back, from a backup for example, or give both, the new one first"
        )


async def seal_anew(store: AccessStore, vault: Vault, asked: Asked) -> int:
    """Have everything sealed with the first master key, in one change; how many were not."""

    def decide(draft: Draft) -> int:
        done = 0
        for user in draft.all(User):
            if user.factor is not None and user.factor.secret.master != vault.first.id:
                secret = vault.sealed_anew(user.factor.secret, "totp", user.id)
                draft.put(msgspec.structs.replace(user, factor=msgspec.structs.replace(user.factor, secret=secret)))
                done += 1
        for each in draft.all(BrokerSecret):
            if each.sealed.master != vault.first.id:
                sealed = vault.sealed_anew(each.sealed, each.id, each.broker, each.account)
                draft.put(msgspec.structs.replace(each, sealed=sealed))
                done += 1
        if done:
            draft.note(asked, "sealed anew", "", f"{done} secrets, with the master key {vault.first.id}")
        return done

    return await store.change(decide)


async def draw_new_master(store: AccessStore, vault: Vault, file: MasterKeyFile, asked: Asked) -> int:
    """Have a new master key in the file, and everything sealed with it; how many secrets that were. Raises BadInput,
    StoreFailed.
    """
    await asyncio.to_thread(file.put_first, drawn.key())
    vault.reload()
    done = await seal_anew(store, vault, asked)
    await asyncio.to_thread(file.keep_first)
    vault.reload()
    return done
