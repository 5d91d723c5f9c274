"""A stop that really stops: halts are latched, worked until the books say that they have done what they are for, and released
by a person.

What a halt lets leave is decided in core/risk/stopped.py, for every order and again at the wire. Here is what it does: it
pauses runs or cancels them, takes orders out of the market, closes positions, and looks again and again (`go_on`) until nothing
is left or nothing more can be done now. What stands in the way is named: T+1, a closed market, a price limit, an unknown fate.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Final

from tradeloop.core import closing, staging
from tradeloop.core.breaks import ended_here_alone
from tradeloop.core.commands import CancelRun, HaltTrading, ReleaseHalt
from tradeloop.core.errors import BadInput, UnknownName
from tradeloop.core.events import Event, HaltChecked, Halted, HaltReleased, OrderCanceled, RunPaused
from tradeloop.core.halt import Halt, HaltScope, HaltTier, at_most
from tradeloop.core.inputs import LatchFound
from tradeloop.core.order import Order
from tradeloop.core.replies import Done
from tradeloop.core.risk.unmeasured import is_measured
from tradeloop.core.run import conduct
from tradeloop.core.state import State
from tradeloop.core.surroundings import Surroundings
from tradeloop.core.types import AccountID, RunStatus, Symbol, UtcNs

Facts = Generator[Event, None, None]

HALT_WORK: Final = "halt"
"""Kind of the timer that wakes the work of a halt; its subject is the halt's number."""
_NAMES_SHOWN: Final = 5


def halt(state: State, around: Surroundings, cmd: HaltTrading, now: UtcNs) -> Generator[Event, None, Done]:
    """Stop, as much as was asked for; asked again, the same halt works again, and counts as the newer one where another has
    come between that says otherwise. Raises BadInput for what it cannot name.
    """
    _refuse(state, around, cmd)
    known = _like(state, cmd)
    if known is None or (not cmd.trigger and _is_overtaken(state, known)):
        yield from _latch(state, around, cmd, now, from_file=False, instead_of=known)
        known = _like(state, cmd)
        assert known is not None
    else:
        yield from _work(state, around, known, now, again=True)
    stopped = _some([f"halt {one.number} ({one.tier.value} of {one.where})" for one in _closing_before(state, known)])
    beyond = f"; it stops the closing of {stopped}: what that has not closed stays open" if stopped else ""
    return Done(f"halt {known.number} is in force: {known.where}, {known.said}{progress(known)}{beyond}")


def latched(state: State, around: Surroundings, found: LatchFound, now: UtcNs) -> Generator[Event, None, None]:
    """What the latch file holds is in force, whatever it says: a file that stops too much is put right by a release."""
    for cmd in found.halts:
        if _like(state, cmd) is None:
            yield from _latch(state, around, cmd, now, from_file=True)


def release(state: State, around: Surroundings, cmd: ReleaseHalt, now: UtcNs) -> Generator[Event, None, Done]:
    """End the halts that are named. What waited for them passes the gate anew; a run that one paused waits for a person. A
    limit that is still exceeded, and halts nothing any more, is named: whoever releases has looked, and is not overruled.
    """
    if not cmd.by.strip() or not cmd.reason.strip():
        raise BadInput("a halt is released by a named person for a reason; one of them was empty")
    ended = to_release(state, cmd)
    if not cmd.second_factor and (live := live_within(state, around, cmd.scope, cmd.name)):
        raise BadInput(f"broker {live} trades live: a halt there is released with a second factor, and none was given")
    for one in ended:
        yield HaltReleased(now, one.number, cmd.by, cmd.reason, cmd.second_factor, cmd.set_up_by)
    numbers = [one.number for one in ended]
    for order in list(state.orders.open.values()):
        if order.may_be_at_broker:
            continue
        if order.halt in numbers:
            yield OrderCanceled(now, order.cl_ord_id, f"never sent: halt {order.halt} was released")
            continue
        yield from staging.send_late(state, around, order, now)
        yield from _run_goes_on(state, around, order, now)
    paused = [run_id for run_id, run in state.runs.live.items() if run.status is RunStatus.PAUSED]
    left = f"; still in force: {', '.join(one.where for one in state.halts.values())}" if state.halts else ""
    runs = f"; paused, to be resumed by a person: {_some(paused)}" if paused else ""
    beyond = still_beyond(state)
    limits = f"; beyond {_their(beyond)} still, and halting again only after being within: {_some(beyond)}" if beyond else ""
    return Done(f"released: {'; '.join(f'{one.where} ({one.tier.value})' for one in ended)}{left}{runs}{limits}")


def to_release(state: State, cmd: ReleaseHalt) -> list[Halt]:
    """The halts that a release would end. Raises BadInput where there are none, where one that is named is not in force, and
    where one has come that nobody has seen.
    """
    there = [one for one in state.halts.values() if (one.scope, one.name) == (cmd.scope, cmd.name)]
    where = "everything" if cmd.scope is HaltScope.GLOBAL else f"{cmd.scope.value} {cmd.name!r}"
    if not there:
        others = "; ".join(f"{one.where} ({one.tier.value})" for one in state.halts.values())
        raise BadInput(f"no halt of {where} is in force, nothing to release; in force: {others or 'none'}")
    listed = "; ".join(f"halt {one.number}: {one.said}" for one in there)
    if not cmd.numbers:
        raise BadInput(f"a release names the halts that it ends by their numbers; in force of {where}: {listed}")
    known = {one.number: one for one in there}
    gone = [number for number in cmd.numbers if number not in known]
    if gone:
        raise BadInput(f"halt {gone[0]} of {where} is not in force, nothing was released; in force: {listed}")
    newer = [one for one in there if one.number > max(cmd.seen, *cmd.numbers)]
    if newer:
        came = "; ".join(f"halt {one.number}: {one.said}" for one in newer)
        raise BadInput(f"a newer halt of {where} came meanwhile, nothing was released ({came}); look at it and release again")
    return [known[number] for number in dict.fromkeys(cmd.numbers)]


def still_beyond(state: State) -> list[str]:
    """The limits that a trigger found exceeded when it last looked, and that no halt of theirs holds."""
    held = {one.trigger for one in state.halts.values()}
    return [
        f"{state.limits.in_force[limit_id].rule} of {what}"
        for limit_id, what in state.limits.tripped
        if limit_id not in held and not state.limits.in_force[limit_id].shadow and is_measured(what)
    ]


def live_within(state: State, around: Surroundings, scope: HaltScope, name: str) -> str:
    """A live broker at which a halt of this scope may stop something; empty where there is none. What is not known to lie
    elsewhere lies there.
    """
    at = name
    if scope is HaltScope.ACCOUNT:
        its = state.accounts.get(AccountID(name))
        at = "" if its is None else its.broker
    elif scope is not HaltScope.BROKER:
        at = ""
    was_live = [each.name for each in state.brokers.values() if each.live]  # whatever the settings say of it now
    return next((broker for broker in (*around.policy.live, *was_live) if at in ("", broker)), "")


def go_on(state: State, around: Surroundings, number: str, now: UtcNs) -> Facts:
    """Look what is left for a halt to do, and do it."""
    known = state.halts.get(int(number))
    if known is not None:
        yield from _work(state, around, known, now)


def progress(known: Halt) -> str:
    """What a halt has come to, to be put behind a sentence."""
    return f"; {known.found}" if known.found else ""


def out_of_reach(state: State, around: Surroundings, known: Halt) -> list[Order]:
    """Open orders within a halt that no configured broker can be asked to cancel: only a person can, at the broker itself."""
    return [order for order in _open(state, known) if not around.serves(order.broker, order.account)]


# --- to latch


def _refuse(state: State, around: Surroundings, cmd: HaltTrading) -> None:
    if not cmd.by.strip():
        raise BadInput("a halt is asked for by a named person; the name was empty")
    if (cmd.scope is HaltScope.GLOBAL) != (cmd.name == ""):
        raise BadInput(f"the name of what to halt was {cmd.name!r} for the scope {cmd.scope.value}; only global has none")
    named: dict[HaltScope, list[str]] = {HaltScope.ACCOUNT: [*state.accounts], HaltScope.BROKER: [*around.brokers]}
    known = named.get(cmd.scope)
    if known is not None and cmd.name not in known:
        there = ", ".join(sorted(known)) or "none yet"
        raise UnknownName(f"{cmd.scope.value} was {cmd.name!r}, known are {there}; nothing was halted")
    if at_most(cmd.tier, cmd.scope) is not cmd.tier:
        raise BadInput("positions are kept by account and symbol, not by strategy; flatten one of those")


def _like(state: State, cmd: HaltTrading) -> Halt | None:
    return next((one for one in state.halts.values() if one.is_like(cmd.tier, cmd.scope, cmd.name, cmd.trigger)), None)


def _closing_before(state: State, known: Halt) -> list[Halt]:
    """Every earlier FLATTEN that this halt keeps from closing something that is held."""
    if known.yields or known.tier is HaltTier.REDUCE_ONLY:
        return []
    earlier = [one for one in state.halts.values() if one.tier is HaltTier.FLATTEN and one.number < known.number]
    return [one for one in earlier if closing.meet(state, one, known)]


def _is_overtaken(state: State, known: Halt) -> bool:
    """Whether a later halt stops the closing orders of this one, or closes where this one would have nothing leave. Who asks
    again for what he wants has the last word.
    """
    later = [one for one in state.halts.values() if one.number > known.number and one.tier is not HaltTier.REDUCE_ONLY]
    if known.tier is HaltTier.FLATTEN:
        return any(not one.yields for one in later)
    return known.tier is not HaltTier.REDUCE_ONLY and any(one.tier is HaltTier.FLATTEN for one in later)


def _latch(
    state: State,
    around: Surroundings,
    cmd: HaltTrading,
    now: UtcNs,
    *,
    from_file: bool,
    instead_of: Halt | None = None,
) -> Facts:
    number = state.halt_count + 1
    yield Halted(now, number, cmd.tier, cmd.scope, cmd.name, cmd.by, cmd.reason, from_file, cmd.trigger)
    if instead_of is not None:
        yield HaltReleased(now, instead_of.number, cmd.by, f"asked for anew, as halt {number}")
    known = state.halts[number]
    yield from _stop_runs(state, around, known, now)
    yield from _work(state, around, known, now, again=True)


def _stop_runs(state: State, around: Surroundings, known: Halt, now: UtcNs) -> Facts:
    """Runs that lie whole within the halt are paused, or cancelled with what works of them: those of an account, or of the
    strategy. A halt of one symbol leaves them running, and so does REDUCE_ONLY: the gate denies each of their orders that is
    stopped.
    """
    if not known.scope.is_wide or known.tier is HaltTier.REDUCE_ONLY:
        return
    for run_id, run in list(state.runs.live.items()):
        if not known.covers_all_of(run.created.broker, run.created.account, run.created.strategy_id):
            continue
        if known.tier.cancels and run.status in (RunStatus.RUNNING, RunStatus.PAUSED):
            yield from conduct.cancel_run(state, around, CancelRun(run_id, known.by, closing.why(known)), now)
        elif run.status is RunStatus.RUNNING and not run.cancel_requested:
            yield RunPaused(now, run_id, known.by, closing.why(known))


# --- to work


def _work(state: State, around: Surroundings, known: Halt, now: UtcNs, *, again: bool = False) -> Facts:
    """One round: cancels, closing orders, and what is left. A cancel without effect is asked for again by its own timer
    (core/decide.py); here are the orders that were never asked to go, such as a stranger's that was found just now.
    """
    if not known.tier.cancels:
        return
    for order in _open(state, known):
        if order.cl_ord_id not in state.orders.open:
            continue
        if closing.is_its_own(state, order, known):
            if closing.opens(state, order):
                yield from closing.take_back(state, around, known, [order], now)
            continue
        if order.may_be_at_broker and not around.serves(order.broker, order.account):
            continue
        if not order.may_be_at_broker or again or closing.is_forgotten(around, order, now):
            yield from staging.cancel(state, order.cl_ord_id, known.by, closing.why(known), now)
            yield from _run_goes_on(state, around, order, now)
    held = (yield from closing.close(state, around, known, now)) if known.tier is HaltTier.FLATTEN else []
    open_ = _open(state, known)
    left = [order for order in open_ if around.serves(order.broker, order.account) and not _is_anothers(state, order, known)]
    unknown = sum(order.unknown_at is not None for order in left)
    there = [order for order in ended_here_alone(state) if known.covers(order)]
    count = len(left) + len(there)
    text = f"{_plural(count, 'open order')} left" + (f", {unknown} of unknown fate" if unknown else "")
    if there:
        named = _some([order.cl_ord_id for order in there])
        text += f", {len(there)} ended here and at work at the broker ({named}): cancel there"
    if known.tier is HaltTier.FLATTEN:
        text += f", {_plural(len(held), 'position')} left" + ("" if not held else f" ({_some([left.code for left in held])})")
    accounts = [(its.broker, account) for account, its in state.accounts.items() if around.serves(its.broker, account)]
    unheard = sorted({broker for broker, account in accounts if not state.is_ready(broker, account)})
    beyond = [order.cl_ord_id for order in open_ if not around.serves(order.broker, order.account)]
    if beyond:
        text += f", {_plural(len(beyond), 'order')} out of reach, of accounts that no broker shows ({_some(beyond)})"
    text += f", books of {_some(unheard)} not seen" if unheard else ""
    is_left = bool(count) or not all(left.may_stay for left in held)
    done = not (is_left or unheard)
    if known.found and _has_just_begun(state, around, unheard, now, was_done=known.done and not is_left):
        return
    if (text, done) != (known.found, known.done) or (not done and _is_to_be_said_again(state, around, known, now)):
        yield HaltChecked(now, known.number, count, done, text, tuple(left.why for left in held), unknown)


def _is_anothers(state: State, order: Order, known: Halt) -> bool:
    """Whether the order closes a position for a FLATTEN beside this halt, which wants nothing of it."""
    return order.halt != known.number and closing.is_its_own(state, order, known)


def _has_just_begun(state: State, around: Surroundings, unheard: Sequence[str], now: UtcNs, *, was_done: bool) -> bool:
    """Whether nothing is known of a halt but what was known before this process began: no broker has been heard yet, and none
    has gone. That is no word against a halt that was done, and of another one a broker may take its time to be heard.
    """
    for broker in unheard:
        link = state.links.get(broker)
        if link is not None and link.since >= state.started_at and not link.connected:
            return False
    return bool(unheard) and (was_done or now - state.started_at < around.policy.unknown_alert_ns)


def _is_to_be_said_again(state: State, around: Surroundings, known: Halt, now: UtcNs) -> bool:
    """Whether a halt that does not come to its end has been silent too long: it is said when a person should hear of it, and
    then each time that it has lasted twice as long, and once by each process that works at it.
    """
    if known.said_at < state.started_at:
        return True
    return now - known.at >= max(around.policy.unknown_alert_ns, 2 * (known.said_at - known.at))


def _open(state: State, known: Halt) -> list[Order]:
    if known.scope is not HaltScope.SYMBOL:
        return [order for order in state.orders.open.values() if known.covers(order)]
    symbol = Symbol(known.name)  # hundreds of symbols may be halted, each with few orders among many
    return [
        state.orders.open[cl_ord_id] for account in state.accounts for cl_ord_id in state.working.get((account, symbol), ())
    ]


def _run_goes_on(state: State, around: Surroundings, order: Order, now: UtcNs) -> Facts:
    if order.run_id is not None:
        yield from conduct.advance(state, around, order.run_id, now)


def _some(names: Sequence[str]) -> str:
    more = len(names) - _NAMES_SHOWN
    return ", ".join(map(str, names[:_NAMES_SHOWN])) + (f" and {more} more" if more > 0 else "")


def _their(limits: Sequence[str]) -> str:
    return "its limit" if len(limits) == 1 else "their limits"


def _plural(count: int, what: str) -> str:
    return f"{count or 'no'} {what}{'' if count == 1 else 's'}"
