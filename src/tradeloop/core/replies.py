"""What whoever asked is told, after the facts are durable."""

from __future__ import annotations

import msgspec

from tradeloop.core.risk.denied import Denied
from tradeloop.core.types import ClOrdID, RunID, RunStatus


class OrderReply(msgspec.Struct, frozen=True, gc=False):
    """An order exists under `cl_ord_id`, or was `denied`. `repeat`: an earlier request with the same id made it."""

    cl_ord_id: ClOrdID
    denied: Denied | None = None
    repeat: bool = False


class RunReply(msgspec.Struct, frozen=True, gc=False):
    """A run exists under `run_id`; or `failed` says which checks refused it. `repeat`: the same key made it before."""

    run_id: RunID | None
    status: RunStatus | None
    repeat: bool = False
    failed: tuple[str, ...] = ()


class Done(msgspec.Struct, frozen=True, gc=False):
    """The command was carried out; `text` says what there is to say."""

    text: str = ""


Reply = OrderReply | RunReply | Done
