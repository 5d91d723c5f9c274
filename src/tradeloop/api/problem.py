"""What went wrong, as `application/problem+json` (RFC 9457) with a `code` for programs and the `request_id` for people.

One table says which status an error has; docs/reference/api.md shows it. An error of the product is said in its own sentence,
which names no secret; a fault of the program is said in one sentence of ours, and its traceback stays in the log.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final

import msgspec

from tradeloop.access.refusals import CodeNeeded, LockedOut, Missing, NotSignedIn, SignInRefused, StoreFailed, TooBusy
from tradeloop.core.errors import (
    BadInput,
    Conflicts,
    FateUnknown,
    InvariantBroken,
    JournalDamaged,
    JournalFailed,
    LeaseHeld,
    NotConfirmed,
    NotKnown,
    NotSent,
    Refused,
    StaleEpoch,
    TradeloopError,
)
from tradeloop.core.types import SECOND_NS, UtcNs
from tradeloop.engine.inbox import InboxFull
from tradeloop.strategies.process import StrategyEnded
from tradeloop.strategies.store import StrategiesNotKept
from tradeloop.views.errors import ViewsBehind, ViewsFailed

MEDIA: Final = "application/problem+json"

TABLE: Final[dict[type[TradeloopError], tuple[HTTPStatus, str]]] = {
    NotKnown: (HTTPStatus.NOT_FOUND, "not_known"),
    NotConfirmed: (HTTPStatus.FORBIDDEN, "live_not_confirmed"),
    Conflicts: (HTTPStatus.CONFLICT, "conflict"),
    Missing: (HTTPStatus.NOT_FOUND, "not_known"),
    NotSignedIn: (HTTPStatus.UNAUTHORIZED, "not_identified"),
    SignInRefused: (HTTPStatus.FORBIDDEN, "sign_in_refused"),
    CodeNeeded: (HTTPStatus.FORBIDDEN, "code_needed"),
    LockedOut: (HTTPStatus.TOO_MANY_REQUESTS, "locked_out"),
    TooBusy: (HTTPStatus.SERVICE_UNAVAILABLE, "too_busy"),
    StoreFailed: (HTTPStatus.SERVICE_UNAVAILABLE, "access_failed"),
    BadInput: (HTTPStatus.UNPROCESSABLE_ENTITY, "bad_input"),
    InboxFull: (HTTPStatus.SERVICE_UNAVAILABLE, "inbox_full"),
    NotSent: (HTTPStatus.SERVICE_UNAVAILABLE, "not_sent"),
    FateUnknown: (HTTPStatus.GATEWAY_TIMEOUT, "fate_unknown"),
    Refused: (HTTPStatus.BAD_GATEWAY, "refused_by_broker"),
    StrategyEnded: (HTTPStatus.UNPROCESSABLE_ENTITY, "strategy_ended"),
    StrategiesNotKept: (HTTPStatus.SERVICE_UNAVAILABLE, "strategies_not_kept"),
    ViewsBehind: (HTTPStatus.SERVICE_UNAVAILABLE, "views_behind"),
    ViewsFailed: (HTTPStatus.SERVICE_UNAVAILABLE, "views_failed"),
    JournalFailed: (HTTPStatus.SERVICE_UNAVAILABLE, "journal_failed"),
    JournalDamaged: (HTTPStatus.SERVICE_UNAVAILABLE, "journal_damaged"),
    LeaseHeld: (HTTPStatus.SERVICE_UNAVAILABLE, "lease_held"),
    StaleEpoch: (HTTPStatus.SERVICE_UNAVAILABLE, "stale_epoch"),
    InvariantBroken: (HTTPStatus.SERVICE_UNAVAILABLE, "invariant_broken"),
}
"""The nearest class of an error counts: Conflicts is a BadInput, and has a status of its own."""

FAULT: Final = "fault"
RETRY_AFTER_S: Final = 1


class Problem(Exception):
    """An answer that is no: raised by a handler or at the gate, said as it is."""

    def __init__(
        self,
        status: HTTPStatus,
        code: str,
        detail: str,
        *,
        more: dict[str, Any] | None = None,
        retry_after_s: int = 0,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.more = more or {}
        self.retry_after_s = retry_after_s
        self.headers = headers or {}


def problem_of(error: TradeloopError, now: Callable[[], UtcNs] | None = None) -> Problem:
    """An error of the product as a problem; `now` is the time by which somebody is locked out."""
    status, code = next(TABLE[kind] for kind in type(error).__mro__ if kind in TABLE)
    again = RETRY_AFTER_S if status is HTTPStatus.SERVICE_UNAVAILABLE else 0
    if isinstance(error, LockedOut) and now is not None:
        again = max(RETRY_AFTER_S, -((now() - error.until) // SECOND_NS))
    more = {"rule": error.rule} if isinstance(error, NotConfirmed) else {}
    return Problem(status, code, str(error), more=more, retry_after_s=again)


def document_of(problem: Problem, request_id: str) -> bytes:
    """The body of the answer."""
    return msgspec.json.encode(
        {
            "type": "about:blank",
            "title": problem.status.phrase,
            "status": problem.status.value,
            "code": problem.code,
            "detail": problem.detail,
            "request_id": request_id,
            **problem.more,
        }
    )


def fault() -> Problem:
    """What is said of a mistake in the program: nothing of what it was."""
    text = "a fault of the program kept this from being answered; the log has it under this request id"
    return Problem(HTTPStatus.INTERNAL_SERVER_ERROR, FAULT, text)
