"""The switch of the main contract in the five steps of S4-50, at a working desk."""

from __future__ import annotations

from tradeloop.api.desk import SwitchedTo
from tradeloop.bootstrap.desk import Desk
from tradeloop.core.commands import SwitchMainContract
from tradeloop.core.known import refuse
from tradeloop.core.replies import Done
from tradeloop.core.types import Symbol


async def switch(desk: Desk, command: SwitchMainContract, quoted_s: float) -> SwitchedTo:
    """Have another instrument be the main contract. Raises BadInput for what no table knows, Conflicts while the one before is
    held or worked; nothing has changed then.

    What others still need of the one before goes on being quoted: a strategy that works, or a run that has not ended.
    """
    state, before = desk.state, None if desk.state.main is None else desk.state.main.symbol
    refuse(state, command)
    await desk.tradable([command.symbol])
    listed = state.instruments[command.symbol]
    steps = [f"{command.symbol} is listed by the rules of today, with a multiplier of {listed.multiplier:f}"]
    reply = await desk.engine.ask(command)
    done = reply.text if isinstance(reply, Done) else ""
    if before == command.symbol:
        return SwitchedTo(done, [])
    steps.append("the switch is recorded in the journal")
    if before is None:
        steps += ["there was no main contract before, so that nothing is left", "nothing of one before is remembered"]
    elif why := _needed(desk, before):
        steps += [f"{before} is quoted on: {why}", f"its newest quote stays: {why}"]
    else:
        desk.leave(before)
        steps += [f"the feed delivers {before} no more", "its newest quote is forgotten"]
    missing = [] if desk.feed is None else await desk.quoted([command.symbol], quoted_s)
    quoted = "no feed is set" if desk.feed is None else "no quote came yet" if missing else "its first quote has come"
    steps.append(f"{command.symbol} is subscribed: {quoted}")
    return SwitchedTo(done, steps)


def _needed(desk: Desk, symbol: Symbol) -> str:
    """Who still needs quotes of a symbol; empty where nobody does."""
    if desk.strategies is not None and symbol in desk.strategies.followed():
        return "a strategy works with it"
    for run_id, run in desk.state.runs.live.items():
        if any(target.symbol == symbol for target in run.created.targets):
            return f"run {run_id} has not ended"
    return ""
