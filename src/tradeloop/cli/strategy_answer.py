"""What the host of strategies in the process that trades says to `tradeloop strategies`, over the control socket."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tradeloop.core.errors import BadInput

if TYPE_CHECKING:
    from tradeloop.bootstrap import Desk


class StrategyAsked(msgspec.Struct, frozen=True):
    """What is asked of the host: `list`, `start`, `pause` or `stop`."""

    action: str
    name: str = ""
    by: str = ""


async def answer_of_host(desk: Desk, asked: StrategyAsked) -> str:
    """The sentence that answers it; of `list` a JSON array. Raises BadInput and what the host raises."""
    host = desk.strategies
    if host is None:
        raise BadInput("the process that trades here hosts no strategies; `tradeloop up` does")
    match asked.action:
        case "list":
            return msgspec.json.encode(await host.strategies()).decode()
        case "start":
            return await host.start(asked.name, asked.by)
        case "pause":
            return await host.pause(asked.name, asked.by)
        case "stop":
            return await host.stop(asked.name, asked.by)
        case other:
            raise BadInput(f"the action was {other[:40]!r}; expected list, start, pause or stop")
