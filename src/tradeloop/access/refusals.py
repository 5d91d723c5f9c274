"""Why somebody is not let in. Each is a BadInput with one sentence; none says more to whoever guesses than to whoever errs."""

from __future__ import annotations

from tradeloop.core.errors import BadInput, JournalFailed
from tradeloop.core.types import UtcNs


class NotSignedIn(BadInput):
    """Whoever asks is nobody that is known here, or no longer."""


class SignInRefused(NotSignedIn):
    """Name and password, or the code, do not let in."""


class CodeNeeded(SignInRefused):
    """The password was right; the code of the second factor is missing."""


class LockedOut(SignInRefused):
    """Too many were wrong; none is looked at before `until`."""

    def __init__(self, text: str, until: UtcNs) -> None:
        super().__init__(text)
        self.until = until


class TooBusy(SignInRefused):
    """Too many sign in at once; nothing was looked at."""


class Missing(BadInput):
    """There is no user, session, key or secret of that name."""


class StoreFailed(JournalFailed):
    """The access store did not take or give what it holds. Whether a change took effect is read anew before the next one."""
