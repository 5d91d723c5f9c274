"""All of access, as the command line and the web ask it: who is asking, and everything that decides it.

Questions are answered from memory. What only says when somebody was last here is written now and then by `tick`, which looks
for what other processes changed as well; `follow` does that twice a second for as long as a desk runs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

from sqlalchemy.engine import URL

from tradeloop.access import backoff
from tradeloop.access.asked import Asked
from tradeloop.access.broker_secrets import BrokerSecrets
from tradeloop.access.factors import Factors
from tradeloop.access.identity import Identity
from tradeloop.access.keys import Keys
from tradeloop.access.live_tokens import LiveTokens
from tradeloop.access.master_key import MasterKeyFile
from tradeloop.access.passwords import Passwords
from tradeloop.access.proof import Proof
from tradeloop.access.records import Entry, Guesses, SetUp
from tradeloop.access.sealed import MasterKey, Vault
from tradeloop.access.sealing import draw_new_master, refuse_unknown_masters, seal_anew
from tradeloop.access.sessions import Sessions, SessionTimes
from tradeloop.access.set_up import FirstUser
from tradeloop.access.sign_in import SignIn
from tradeloop.access.store import AccessStore, Draft
from tradeloop.access.tickets import Tickets
from tradeloop.access.users import Users
from tradeloop.core.errors import TradeloopError
from tradeloop.core.types import SECOND_NS, UtcNs
from tradeloop.ports.clock import Clock

LOOK_NS: Final = SECOND_NS // 2
"""How often a desk looks for what other processes changed: what is revoked at the command line is gone within a second."""


class Access:
    """Users, sessions, keys, tickets and secrets over one store. `open` first, `close` in the end.

    `masters` gives the master keys, the one that seals first; see `master_key.py`.
    """

    def __init__(
        self,
        url: str | URL,
        masters: Callable[[], Sequence[MasterKey]],
        *,
        passwords: Passwords | None = None,
        times: SessionTimes | None = None,
    ) -> None:
        self._store = AccessStore(url)
        self._vault = Vault(masters)
        hashing = passwords if passwords is not None else Passwords()
        self._proof = proof = Proof(self._store, hashing, self._vault)
        self.sessions = Sessions(self._store, times if times is not None else SessionTimes())
        self.door = SignIn(self._store, proof, self.sessions, hashing)
        self.users = Users(self._store, hashing, proof)
        self.factors = Factors(self._store, proof)
        self.first_user = FirstUser(self._store, hashing)
        self.keys = Keys(self._store)
        self.tickets = Tickets()
        self.live_tokens = LiveTokens()
        self.secrets = BrokerSecrets(self._store, self._vault)
        self.trouble = ""
        """Why the last look at the store failed, empty where it did not: what others revoke meanwhile is not seen here."""

    async def open(self) -> None:
        """Make what is missing, and read all of it. Raises BadInput where others may read the file or a master key is missing,
        StoreFailed, and JournalDamaged where the store is newer than this program.
        """
        await self._store.open()
        opened = False
        try:
            refuse_unknown_masters(self._store, self._vault)
            opened = True
        finally:
            if not opened:
                await self._store.close()

    async def close(self, now: UtcNs) -> None:
        """Write what memory knows, and let go of the store; a second call does nothing."""
        await self._proof.settled()
        try:
            await self.tick(now)
        except TradeloopError as error:
            self.trouble = str(error)
        finally:
            await self._store.close()

    def by_session(self, token: str, now: UtcNs, address: str) -> Identity | None:
        """Who has the cookie with this token; None where nobody has, or no longer."""
        return self.sessions.by_token(token, now, address)

    def by_key(self, text: str, now: UtcNs, address: str) -> Identity | None:
        """Who has this API key; None where it opens nothing, or not from there."""
        return self.keys.by_text(text, now, address)

    def still(self, identity: Identity, now: UtcNs) -> Identity | None:
        """The same one as they are now, for a socket that stays open; None where their session or key is no longer good."""
        return self._now(identity.session_id, identity.key_id, now)

    def by_ticket(self, ticket: str, now: UtcNs, origin: str = "", address: str = "") -> Identity | None:
        """Who this ticket was given to; it is good for nothing more. None where it is none, too old, from elsewhere, or their
        session has ended.
        """
        whose = self.tickets.take(ticket, now, origin, address)
        return None if whose is None else self._now(*whose, now)

    async def log(
        self, newest: int = 100, before: int | None = None, *, what: str | None = None, who: str | None = None
    ) -> list[Entry]:
        """The newest lines of the log of access, the newest first; `before` a line's number, for the page behind it. `who`: by
        them or about them.
        """
        return await self._store.log(newest, before, what=what, who=who)

    async def note(self, asked: Asked, what: str, subject: str = "", text: str = "") -> None:
        """A line for the log, of what was done elsewhere and belongs there. Nothing secret."""
        await self._store.change(lambda draft: draft.note(asked, what, subject, text))

    async def seal_anew(self, asked: Asked) -> int:
        """Have every secret sealed with the first master key; how many were not."""
        return await seal_anew(self._store, self._vault, asked)

    async def draw_new_master(self, file: MasterKeyFile, asked: Asked) -> int:
        """Have a new master key in this file, which gives the master keys, and every secret sealed with it; how many there
        were.
        """
        return await draw_new_master(self._store, self._vault, file, asked)

    async def tick(self, now: UtcNs) -> None:
        """See what other processes changed, write when sessions and keys were last used, and let go of what is over."""
        await self._store.refresh()
        asked = Asked("", "", now)

        def decide(draft: Draft) -> Counter[tuple[str, str, str]]:
            self.sessions.keep(draft, now)
            for guesses in draft.all(Guesses):
                if backoff.is_over(guesses, now):
                    draft.drop(guesses)
            for link in draft.all(SetUp):
                if now >= link.until:
                    draft.drop(link)
            return self.keys.keep(draft, asked)

        self.keys.forget(await self._store.change(decide), now)
        self.sessions.forget()

    async def follow(self, clock: Clock) -> None:
        """`tick` for ever. A store that fails is tried again, and `trouble` says why; what memory knows holds meanwhile."""
        while True:
            await clock.sleep_until(UtcNs(clock.now() + LOOK_NS))
            try:
                await self.tick(clock.now())
            except TradeloopError as error:
                self.trouble = str(error)
            else:
                self.trouble = ""

    def _now(self, session_id: str, key_id: str, now: UtcNs) -> Identity | None:
        return self.keys.still(key_id, now) if key_id else self.sessions.still(session_id, now)
