"""API keys: for programs, with no scope that their owner lacks, for some accounts and networks, and for a year at most.

A key is `tlk_<id>.<secret>`, told once; its digest alone is kept, and compared in constant time. Rotated, the old secret stays
good for as long as whoever rotates it says, a day at most, so that a running program can be given the new one.
"""

from __future__ import annotations

import hmac
import re
from collections import Counter
from collections.abc import Iterable
from typing import Final

import msgspec
from pydantic import SecretStr

from tradeloop.access import drawn
from tradeloop.access.addresses import is_within, networks
from tradeloop.access.asked import Asked
from tradeloop.access.granted import granted, identity_with
from tradeloop.access.identity import Identity, Scope
from tradeloop.access.names import checked_label, user_id
from tradeloop.access.records import Key, User
from tradeloop.access.refusals import Missing
from tradeloop.access.store import AccessStore, Draft
from tradeloop.core.errors import BadInput
from tradeloop.core.types import SECOND_NS, UtcNs

PREFIX: Final = "tlk_"
DAY_NS: Final = 86_400 * SECOND_NS
LONGEST_NS: Final = 365 * DAY_NS
GRACE_MAX_NS: Final = DAY_NS
PER_OWNER_MAX: Final = 50
USED_EVERY_NS: Final = 60 * SECOND_NS
REFUSED_EVERY_NS: Final = 60 * SECOND_NS
_REFUSED_MAX: Final = 256
_ACCOUNTS_MAX: Final = 100
_KEY: Final = re.compile(r"tlk_([a-z2-7]{16})\.([A-Z2-7]{52})")
_ACCOUNT: Final = re.compile(r"[\w.-]{1,32}")
_NOBODYS: Final = "0" * 64


class MadeKey(msgspec.Struct, frozen=True):
    """A new key, and all of it that is told once."""

    id: str
    text: SecretStr
    expires_at: UtcNs


class KeyShown(msgspec.Struct, frozen=True):
    """A key as lists show it; `scopes` as it was given them, `scopes_now` what its owner's roles leave of them."""

    id: str
    name: str
    owner: str
    scopes: frozenset[Scope]
    scopes_now: frozenset[Scope]
    accounts: frozenset[str] | None
    networks: tuple[str, ...]
    made_at: UtcNs
    expires_at: UtcNs
    expired: bool
    used_at: UtcNs | None
    used_from: str
    old_until: UtcNs | None


class Keys:
    """All of them."""

    def __init__(self, store: AccessStore) -> None:
        self._store = store
        self._used: dict[str, tuple[UtcNs, str]] = {}
        self._refused: Counter[tuple[str, str, str]] = Counter()
        self._noted_at: UtcNs | None = None

    def by_text(self, text: str, now: UtcNs, address: str) -> Identity | None:
        """Who has this key, and note that it was used; None where it is none, over, or used from where it may not be."""
        written = _KEY.fullmatch(text)
        if written is None:
            return None
        key = self._store.get(Key, written.group(1))
        given = drawn.digest(written.group(2))
        right = hmac.compare_digest(key.secret if key is not None else _NOBODYS, given)
        was = hmac.compare_digest(key.old if key is not None and key.old else _NOBODYS, given)
        if key is None:
            return None
        if not right and not (was and now < key.old_until):
            self._refuse(key, address, "another secret")
            return None
        if key.networks and not is_within(address, key.networks):
            self._refuse(key, address, "from another network")
            return None
        identity = self._live(key, now)
        if identity is None:
            self._refuse(key, address, "it is over, or its owner is disabled")
            return None
        self._used[key.id] = (now, address[:64])
        return identity

    def still(self, key_id: str, now: UtcNs) -> Identity | None:
        """Who this key stands for now; for a socket that stays open."""
        key = self._store.get(Key, key_id)
        return None if key is None else self._live(key, now)

    def shown(self, now: UtcNs, owner: str | None = None) -> list[KeyShown]:
        """Those of an owner or all, the newest first; those that are over too."""
        only = None if owner is None else user_id(owner)
        found = [self._show(each, now) for each in self._store.all(Key) if only is None or each.owner == only]
        return sorted(found, key=lambda each: (each.made_at, each.id), reverse=True)

    def one(self, key_id: str, now: UtcNs) -> KeyShown:
        """That key. Raises Missing."""
        return self._show(_there(self._store, key_id), now)

    async def make(
        self,
        owner: str,
        name: str,
        scopes: Iterable[Scope],
        asked: Asked,
        *,
        expires_at: UtcNs,
        accounts: Iterable[str] | None = None,
        allowed_from: Iterable[str] = (),
    ) -> MadeKey:
        """A new key of `owner`, for all accounts where none is named, from anywhere where no network is. Raises BadInput."""
        label = checked_label(name, "the name of a key")
        wanted = frozenset(scopes)
        if not wanted:
            raise BadInput(f"no scope was given; expected one or more of {', '.join(each.value for each in Scope)}")
        if not asked.at < expires_at <= asked.at + LONGEST_NS:
            raise BadInput("a key is good for a year at most; expected an expiry from now to 365 days from now")
        of = None if accounts is None else _accounts(accounts)
        places = networks(allowed_from)
        key_id, secret = drawn.name(), drawn.token()

        def decide(draft: Draft) -> None:
            user = draft.get(User, user_id(owner))
            if user is None or user.disabled:
                raise Missing(f"there is no user {owner[:40]!r} who could own a key, or they are disabled")
            if lacking := wanted - granted(user):
                raise BadInput(
                    f"{user.name} has not {_words(lacking)} now, and a key holds nothing that its owner lacks"
                    + (": a second factor is missing" if Scope.ORDER_LIVE in lacking and user.factor is None else "")
                )
            if sum(each.owner == user.id for each in draft.all(Key)) >= PER_OWNER_MAX:
                raise BadInput(f"{user.name} has {PER_OWNER_MAX} keys, which is the most; revoke one first")
            digest = drawn.digest(secret.get_secret_value())
            draft.put(Key(key_id, user.id, label, digest, wanted, of, places, asked.at, expires_at))
            draft.note(asked, "key made", key_id, f"{label} of {user.name}: {_words(wanted)}")

        await self._store.change(decide)
        return MadeKey(key_id, _text(key_id, secret), expires_at)

    async def rotate(self, key_id: str, grace_ns: int, asked: Asked) -> MadeKey:
        """A new secret for a key; the old one stays good for `grace_ns`. The expiry stays. Raises BadInput, Missing."""
        if not 0 <= grace_ns <= GRACE_MAX_NS:
            raise BadInput("the old secret of a key stays good for a day at most; expected 0 to 24 hours")
        secret = drawn.token()

        def decide(draft: Draft) -> UtcNs:
            key = _there(draft, key_id)
            if asked.at >= key.expires_at:
                raise BadInput(f"the key {key.id} is over; make a new one")
            digest = drawn.digest(secret.get_secret_value())
            until = UtcNs(asked.at + grace_ns)
            draft.put(msgspec.structs.replace(key, secret=digest, old=key.secret if grace_ns else "", old_until=until))
            draft.note(asked, "key rotated", key.id, f"{key.name}; the old secret is good for {grace_ns // SECOND_NS} s more")
            return key.expires_at

        expires_at = await self._store.change(decide)
        return MadeKey(key_id, _text(key_id, secret), expires_at)

    async def revoke(self, key_id: str, asked: Asked) -> None:
        """Have a key open nothing any more, from the next question on. Raises Missing."""

        def decide(draft: Draft) -> None:
            key = _there(draft, key_id)
            draft.drop(key)
            draft.note(asked, "key revoked", key.id, key.name)

        await self._store.change(decide)

    def keep(self, draft: Draft, asked: Asked) -> Counter[tuple[str, str, str]]:
        """Write when each was last used, note the first use of a day (UTC) and of an address, forget secrets whose grace is
        over, and note what was refused since the last time; what was refused and noted, for `forget`.
        """
        for key in draft.all(Key):
            at, address = self._used.get(key.id, (None, ""))
            kept = key
            if at is not None and (key.used_at is None or at >= key.used_at + USED_EVERY_NS):
                if key.used_at is None or address != key.used_from or at // DAY_NS != key.used_at // DAY_NS:
                    owner = draft.get(User, key.owner)
                    draft.note(Asked(key.owner if owner is None else owner.name, address, at), "key used", key.id, key.name)
                kept = msgspec.structs.replace(kept, used_at=at, used_from=address)
            if key.old and asked.at >= key.old_until:
                kept = msgspec.structs.replace(kept, old="")
            if kept is not key:
                draft.put(kept)
        if self._noted_at is not None and self._noted_at <= asked.at < self._noted_at + REFUSED_EVERY_NS:
            return Counter()  # whoever goes on trying fills no disk
        noted = self._refused.copy()
        for (key_id, address, why), times in noted.items():
            said = Asked("", address, asked.at)
            draft.note(said, "key refused", key_id, f"{why}, {times} times" if times > 1 else why)
        return noted

    def forget(self, noted: Counter[tuple[str, str, str]], now: UtcNs) -> None:
        """Let go of what the log has since `now`, and of what memory knows of keys that are gone."""
        if noted:
            self._noted_at = now
        self._refused -= noted
        for key_id in [each for each in self._used if self._store.get(Key, each) is None]:
            del self._used[key_id]

    def _live(self, key: Key, now: UtcNs) -> Identity | None:
        owner = self._store.get(User, key.owner)
        if owner is None or owner.disabled or now >= key.expires_at:
            return None
        return identity_with(owner, key)

    def _refuse(self, key: Key, address: str, why: str) -> None:
        where = (key.id, address[:64], why)
        if where in self._refused or len(self._refused) < _REFUSED_MAX:
            self._refused[where] += 1

    def _show(self, key: Key, now: UtcNs) -> KeyShown:
        owner = self._store.get(User, key.owner)
        at, address = self._used.get(key.id, (key.used_at, key.used_from))
        return KeyShown(
            key.id,
            key.name,
            key.owner if owner is None else owner.name,
            key.scopes,
            frozenset() if owner is None else key.scopes & granted(owner),
            key.accounts,
            key.networks,
            key.made_at,
            key.expires_at,
            now >= key.expires_at,
            at,
            address,
            key.old_until if key.old and now < key.old_until else None,
        )


def _there(where: AccessStore | Draft, key_id: str) -> Key:
    key = where.get(Key, key_id)
    if key is None:
        raise Missing(f"there is no key {key_id[:40]!r}; `tradeloop keys list` shows all")
    return key


def _text(key_id: str, secret: SecretStr) -> SecretStr:
    return SecretStr(f"{PREFIX}{key_id}.{secret.get_secret_value()}")


def _accounts(given: Iterable[str]) -> frozenset[str]:
    found = frozenset(given)
    if not 1 <= len(found) <= _ACCOUNTS_MAX:
        raise BadInput(f"{len(found)} accounts were given; expected 1 to {_ACCOUNTS_MAX}, or none said for all of them")
    for each in found:
        if not _ACCOUNT.fullmatch(each):
            raise BadInput(f"the account was {each[:40]!r}; expected 1 to 32 letters, digits and . _ -")
    return found


def _words(scopes: frozenset[Scope]) -> str:
    return ", ".join(each.value for each in Scope if each in scopes)
