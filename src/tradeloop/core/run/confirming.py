"""What a person confirms of a run before it trades live: its frozen plan, by hash (R39, DESIGN 5).

The hash covers account, broker, environment, run, every order's symbol, side, quantity, type and the price it was planned at,
and which limits were in force. A plan that is made anew, at other prices or of other holdings, has another one.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from tradeloop.core.commands import StartRun
from tradeloop.core.confirmation import Confirmation, Frozen, ShownOrder, content_hash, counted, is_phrase, phrase_of
from tradeloop.core.errors import BadInput, NotConfirmed
from tradeloop.core.events import PlanLine
from tradeloop.core.risk import pipeline
from tradeloop.core.risk.live import is_listed, trades_live, unlisted
from tradeloop.core.run.look import Finding
from tradeloop.core.run_book import Run
from tradeloop.core.state import State
from tradeloop.core.surroundings import Surroundings
from tradeloop.core.types import AccountID, Mode, OrdType, RunID


def frozen_plan(
    state: State, around: Surroundings, run_id: RunID, broker: str, account: AccountID, lines: Sequence[PlanLine]
) -> Frozen:
    """What there is to confirm of these lines, now."""
    ordered = [line for line in lines if line.order_qty]
    environment = "live" if trades_live(state, around, broker) else "paper"
    parts: list[str | Decimal | int | None] = [run_id, broker, account, environment, pipeline.version(state), len(ordered)]
    for line in ordered:
        parts += [line.leg, line.symbol, line.side.value, line.order_qty, OrdType.MARKET.value, line.ref_px]
        parts += [line.position_effect.value, line.wave]
    content = content_hash("run", parts)
    return Frozen(content, len(ordered), phrase_of(account, len(ordered)), tuple(_shown(state, line) for line in ordered))


def _shown(state: State, line: PlanLine) -> ShownOrder:
    instrument = state.instruments[line.symbol]
    value = None if line.ref_px is None else instrument.notional(line.ref_px, line.order_qty)
    what = (line.leg, line.symbol, line.side, line.order_qty, OrdType.MARKET)
    return ShownOrder(*what, None, None, line.ref_px, line.position_effect, value, instrument.currency)


def plan_of(state: State, around: Surroundings, run: Run) -> Frozen:
    """The same of a run that was made and waits."""
    created = run.created
    return frozen_plan(state, around, created.run_id, created.broker, created.account, created.lines)


def goes_at_once(cmd: StartRun) -> bool:
    """Whether a run is to send its orders as soon as it is made."""
    return cmd.execute and not cmd.hold_for_approval


def why_not_live(state: State, around: Surroundings, cmd: StartRun, run_id: RunID, lines: Sequence[PlanLine]) -> Finding | None:
    """Why a run of these lines may not be made where real money is traded, or may not go at once; None where it may. Raises
    BadInput where nobody is named that it could be confirmed by.
    """
    broker = state.accounts[cmd.account].broker
    if not cmd.by.strip() and trades_live(state, around, broker):
        raise BadInput(f"a run for live account {cmd.account} is made by a named person; the name was empty")
    found = unfit_for_live(state, around, broker, cmd.account, cmd.mode)
    if found is not None or not goes_at_once(cmd):
        return found
    frozen = frozen_plan(state, around, run_id, broker, cmd.account, lines)
    return unconfirmed(state, around, broker, cmd.account, frozen, cmd.confirmed)


def unfit_for_live(state: State, around: Surroundings, broker: str, account: AccountID, mode: Mode) -> Finding | None:
    """Why no run of an account may be made where real money is traded; None where it may, or none is."""
    if not trades_live(state, around, broker):
        return None
    if mode is not Mode.LIVE:
        return Finding(
            "other_mode",
            f"broker {broker} trades live, the mode of the run was {mode.value}; make it with mode {Mode.LIVE.value}",
        )
    return None if is_listed(around, account) else Finding("live_account", unlisted(account, broker))


def unconfirmed(
    state: State, around: Surroundings, broker: str, account: AccountID, frozen: Frozen, given: Confirmation | None
) -> Finding | None:
    """Why a plan may not go to a live account with what was given for it; None where it may, or the account is not live."""
    if not trades_live(state, around, broker):
        return None
    if given is None or not given.second_factor or not is_phrase(given.phrase, account, frozen.orders):
        return Finding(
            "live_confirmation",
            f"{counted(frozen.orders)} would go to live account {account}, and nobody confirmed them: look at the plan, type"
            f" {frozen.phrase!r} and give a code of the second factor",
        )
    if given.content != frozen.content:
        return Finding(
            "live_changed",
            f"the plan for live account {account} is another one than was confirmed ({frozen.content[:12]}, confirmed was"
            f" {given.content[:12]!a}): its prices, holdings or limits changed since; look at it again and confirm it",
        )
    return None


def refuse_unconfirmed(state: State, around: Surroundings, run: Run, given: Confirmation | None) -> None:
    """Raise NotConfirmed where a run that waits may not go to its live account with what was given for it."""
    created = run.created
    found = unfit_for_live(state, around, created.broker, created.account, created.mode) or unconfirmed(
        state, around, created.broker, created.account, plan_of(state, around, run), given
    )
    if found is not None:
        raise NotConfirmed(found.code, f"run {created.run_id} cannot go: {found.text}")


def confirmed_of(state: State, around: Surroundings, broker: str, given: Confirmation | None) -> Confirmation | None:
    """What is recorded of it: nothing where nothing asked for it."""
    return given if trades_live(state, around, broker) else None
