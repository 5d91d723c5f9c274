"""What the desk answers that is no answer, sorted by the fate of what was asked: whether it was done is what decides a repeat.

ClientError
├─ NotDone       surely nothing was done
│  ├─ NotAllowed    nobody is signed in, or they may not
│  ├─ Denied        risk says no; `denied` has the rule and its figures
│  ├─ TooOften      over the allowance; `retry_after_s`
│  └─ NotSent       the desk was not reached or cannot take it now -> may be asked again
├─ Refused       the broker said no
└─ FateUnknown   perhaps it was done -> the same `Ask` again is harmless where it `may_repeat`; else look first
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from tradeloop.core.errors import TradeloopError


class ClientError(TradeloopError):
    """Base of all below. `status` is HTTP's, 0 where there was no answer; `code` and `request_id` as the desk said them."""

    def __init__(
        self, detail: str, *, status: int = 0, code: str = "", request_id: str = "", more: dict[str, Any] | None = None
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.status = status
        self.code = code
        self.request_id = request_id
        self.more = more or {}
        self.retry_after_s = 0.0


class NotDone(ClientError):
    """It cannot be understood or is not allowed; nothing changed."""


class NotAllowed(NotDone):
    """Nobody is signed in, the key has ended, or it may not do this."""


class Denied(NotDone):
    """Risk says no, and the denial is recorded."""

    @property
    def denied(self) -> dict[str, Any]:
        """The rule, its limit and what was found; empty for a run, whose `more` has the findings."""
        found = self.more.get("denied")
        return found if isinstance(found, dict) else {}


class TooOften(NotDone):
    """Over the allowance, or locked out for a while."""


class NotSent(NotDone):
    """The desk was not reached, or cannot take it now: it may be asked again."""


class Refused(ClientError):
    """The broker said no; its words are in `detail`."""


class FateUnknown(ClientError):
    """There was no answer, or one that does not say whether it was done."""


_BY_CODE: Final[dict[str, type[ClientError]]] = {
    "denied": Denied,
    "refused_by_broker": Refused,
    "fate_unknown": FateUnknown,
    "journal_failed": FateUnknown,
    "fault": FateUnknown,
    "inbox_full": NotSent,
    "not_sent": NotSent,
    "too_busy": NotSent,
    "over_rate": TooOften,
    "locked_out": TooOften,
    "too_many_sockets": TooOften,
}
_NOT_ALLOWED: Final = frozenset({401, 403, 421})


def error_of(status: int, body: bytes, retry_after: str = "") -> ClientError:
    """An answer that is no success, as an error."""
    told = _told(body)
    code = str(told.get("code", ""))
    kind = _BY_CODE.get(code)
    if kind is None:
        kind = NotAllowed if status in _NOT_ALLOWED else TooOften if status == 429 else NotDone
        if status >= 500 or not code:
            kind = FateUnknown  # not the desk's own words, or a fault: a proxy may have given up on what goes on
    detail = str(told.get("detail", "")) or f"the answer was {status} without a word of the desk"
    known = {"type", "title", "status", "code", "detail", "request_id"}
    more = {name: value for name, value in told.items() if name not in known}
    error = kind(detail, status=status, code=code, request_id=str(told.get("request_id", "")), more=more)
    error.retry_after_s = float(retry_after) if retry_after.isdigit() else 0.0
    return error


def _told(body: bytes) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
    return found if isinstance(found, dict) else {}
