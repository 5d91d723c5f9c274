"""Trouble at the wire, sorted by what it proves about the order. All adapters share this table, so that none invents its own.

An adapter says what it knows (were bytes written, was there a reply, what did it hold) and gets one class; the class says which
of the three fates the order has (docs/adr/0004-three-fates.md). Doubt is AMBIGUOUS: only what a venue states in a code that
its adapter knows is proof.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final

import msgspec

from tradeloop.core.errors import FateUnknown, NotSent, Refused


class Trouble(Enum):
    """What a failure proves about the order."""

    LOCAL_DENY = "local_deny"
    """This side will not send it, now or later (an id the venue cannot carry, a type it does not have): Refused."""
    NOT_SENT = "not_sent"
    """No byte of it left, or the venue states that a request which came too late was thrown away: NotSent."""
    DEFINITIVE_REJECT = "definitive_reject"
    """The venue refused it, in a code that is known to mean so: Refused, with its own words."""
    DEFINITIVE_ACCEPT = "definitive_accept"
    """The venue has it: no exception at all; the acknowledgement is a report."""
    AMBIGUOUS = "ambiguous"
    """Perhaps there, perhaps not: FateUnknown. It is asked about and never sent again."""
    THROTTLED = "throttled"
    """The venue pushed back. NotSent only where it says that it did not process the request, else FateUnknown."""
    DUP_ID = "dup_id"
    """The venue knows the id already: an order of ours is there, and whether it is this one has to be asked: FateUnknown."""
    STALE_EPOCH = "stale_epoch"
    """A fence before the wire refused an order of a process that was superseded: NotSent. The journal stops the process."""


class Reply(msgspec.Struct, frozen=True):
    """What came back, as far as it could be read.

    `code` is the venue's business code ("" where it gave none), `http` the status where there is one. `accepted`: the venue
    says that it has the order. `unprocessed`: it says in so many words that it did nothing with the request.
    """

    code: str = ""
    http: int | None = None
    accepted: bool = False
    unprocessed: bool = False


_THROTTLED: Final = frozenset({418, 429})


def sort(
    *,
    written: bool,
    reply: Reply | None = None,
    codes: Mapping[str, Trouble] | None = None,
    allowed: bool = True,
    fenced: bool = False,
) -> Trouble:
    """The class of what happened to one request.

    `written` is whether a byte of it may have left: once the first one was handed to the system, it is. `reply` is None when
    none came or it could not be read. `codes` is what the venue's business codes mean. `allowed` is False when this side
    refused to send, `fenced` True when its epoch was no longer the current one; both hold only before the first byte.
    """
    if not written:
        if fenced:
            return Trouble.STALE_EPOCH
        return Trouble.NOT_SENT if allowed else Trouble.LOCAL_DENY
    if reply is None:
        return Trouble.AMBIGUOUS
    if reply.accepted:
        return Trouble.DEFINITIVE_ACCEPT
    http = reply.http
    if http is not None and (http >= 500 or http == 409):
        # Venues say so themselves: after a 5xx the order may have been accepted; a 409 may be the half of a request.
        return Trouble.AMBIGUOUS
    if http in _THROTTLED:
        return Trouble.THROTTLED
    meant = None if codes is None else codes.get(reply.code)
    if meant is not None:
        return meant
    return Trouble.AMBIGUOUS


def raised(trouble: Trouble, text: str, reply: Reply | None = None) -> NotSent | Refused | FateUnknown | None:
    """The exception that tells the engine, None where there is nothing to raise. `text` is the venue's own, or one sentence."""
    code = "" if reply is None else reply.code
    match trouble:
        case Trouble.DEFINITIVE_ACCEPT:
            return None
        case Trouble.LOCAL_DENY | Trouble.DEFINITIVE_REJECT:
            return Refused(code, text)
        case Trouble.NOT_SENT | Trouble.STALE_EPOCH:
            return NotSent(text)
        case Trouble.THROTTLED if reply is not None and reply.unprocessed:
            return NotSent(f"{code}: {text}" if code else text)
        case Trouble.THROTTLED | Trouble.AMBIGUOUS | Trouble.DUP_ID:
            return FateUnknown(f"{code}: {text}" if code else text)
