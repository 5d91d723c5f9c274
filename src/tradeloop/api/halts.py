"""The stop over HTTP, in every tier and scope, and its release.

The latch file is written first, as the command line does it: it holds whatever becomes of the command, and where it could not
be written that is said. Where the journal does not answer, the file still lets no order leave, and the answer says so.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Annotated, Final

import msgspec

from tradeloop.access.identity import Scope
from tradeloop.api.call import Answer, Call, Said
from tradeloop.api.desk import Desk, Latched
from tradeloop.api.gate import ok
from tradeloop.api.plain import Moment, told
from tradeloop.api.policy import Policy, Rate, Routes
from tradeloop.api.problem import Problem, problem_of
from tradeloop.core.checked import checked_command
from tradeloop.core.commands import HaltTrading, ReleaseHalt
from tradeloop.core.errors import BadInput, Conflicts, JournalFailed, NotKnown, TradeloopError
from tradeloop.core.halt import Halt, HaltScope, HaltTier
from tradeloop.core.known import refuse
from tradeloop.core.people import seen
from tradeloop.core.replies import Done
from tradeloop.markets.symbols import canonical

RECORD_S: Final = 3.0
"""How long the record of a halt is waited for; the file holds it meanwhile."""

_Scope = Annotated[str, msgspec.Meta(extra_json_schema={"enum": [each.value for each in HaltScope]})]
_Tier = Annotated[str, msgspec.Meta(extra_json_schema={"enum": [each.value for each in HaltTier]})]


class NewHalt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to stop, how much of it, and why. Without a scope everything does."""

    tier: _Tier = "HALT"
    scope: _Scope = "global"
    name: str = ""
    reason: str = ""


class Stop(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The same where the address says the tier."""

    scope: _Scope = "global"
    name: str = ""
    reason: str = ""


class Release(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which halts of a scope end, by their numbers; `seen` is the newest that was looked at. `code`: of the second factor."""

    reason: str
    scope: _Scope = "global"
    name: str = ""
    numbers: list[int] = []
    seen: int = 0
    code: str = ""


class InForce(msgspec.Struct, frozen=True):
    """A halt in force, and what it has come to."""

    number: int
    tier: str
    scope: str
    name: str
    by: str
    reason: str
    trigger: str
    at: Moment
    found: str
    done: bool
    unknown: int
    held: int
    release: str


class Halts(msgspec.Struct, frozen=True):
    """The halts in force, the oldest first."""

    halts: list[InForce]


class Halted(msgspec.Struct, frozen=True):
    """What came of a halt. `recorded` is False where only the file holds it yet."""

    done: str
    recorded: bool
    latched: bool
    halts: list[InForce]


def routes(table: Routes) -> None:
    """The routes of this file."""
    reads = Policy(Scope.READ_ACCOUNT, safe=True, rate=Rate.READ)
    stops = Policy(Scope.HALT, safe=False, rate=Rate.STOP)
    add = table.add
    add("GET", "/api/v1/halts", in_force, reads, "halts", gives=Halts)
    add("POST", "/api/v1/halts", halt, stops, "halts", body=NewHalt, gives=Halted, status=201)
    add("POST", "/api/v1/halts/cancel-all", cancel_all, stops, "halts", body=Stop, gives=Halted, status=201)
    add("POST", "/api/v1/halts/flatten", flatten, stops, "halts", body=Stop, gives=Halted, status=201)
    releases = Policy(Scope.RISK, safe=False, rate=Rate.STOP)
    add("POST", "/api/v1/halts/release", release, releases, "halts", body=Release, gives=Said)


async def in_force(call: Call) -> Answer:
    """List the halts in force."""
    await call.desk.settled()
    return ok(Halts(_in_force(call.desk)))


async def halt(call: Call) -> Answer:
    """Stop, as much as the tier says, in the whole desk or a part of it."""
    asked = call.asked(NewHalt)
    known = {each.value: each for each in HaltTier}
    tier = known.get(asked.tier.upper())
    if tier is None:
        raise BadInput(f"tier was {asked.tier[:20]!r}; expected one of {', '.join(known)}")
    return await _stopped(call, tier, asked.scope, asked.name, asked.reason)


async def cancel_all(call: Call) -> Answer:
    """Halt, and take everything that works out of the market; strangers' orders in the account, too."""
    asked = call.asked(Stop)
    return await _stopped(call, HaltTier.CANCEL_ALL, asked.scope, asked.name, asked.reason)


async def flatten(call: Call) -> Answer:
    """Cancel all, then close every position at the market."""
    asked = call.asked(Stop)
    if asked.scope == HaltScope.STRATEGY.value:
        raise BadInput("positions are not kept by strategy, so that none can be closed by it; cancel all of it instead")
    return await _stopped(call, HaltTier.FLATTEN, asked.scope, asked.name, asked.reason)


async def release(call: Call) -> Answer:
    """End halts of exactly this scope, for a reason; a live desk asks for a code of the second factor."""
    asked = call.asked(Release)
    scope, name = _scope(asked.scope, asked.name)
    if not asked.reason.strip():
        raise BadInput("reason was empty; a halt is released for a reason")
    await call.desk.settled()
    there = [each for each in call.desk.state.halts.values() if (each.scope, each.name) == (scope, name)]
    if not asked.numbers and len({bool(each.trigger) for each in there}) > 1:
        each_one = "; ".join(f"number {each.number} is {each.said}" for each in there)
        raise Conflicts(f"a person's halt and one that tripped by itself stand together, name what is to end: {each_one}")
    numbers = tuple(asked.numbers) or tuple(each.number for each in there)
    newest = asked.seen or max((each.number for each in there), default=0)
    command = ReleaseHalt(call.by, asked.reason, scope, name, numbers=numbers, seen=newest)
    checked_command(command)
    reply = await call.desk.release(command, asked.code)
    return ok(Said(reply.text if isinstance(reply, Done) else "released"))


async def _stopped(call: Call, tier: HaltTier, written: str, given: str, reason: str) -> Answer:
    desk = call.desk
    scope, name = _scope(written, given)
    command = HaltTrading(tier, call.by, reason, scope, name)
    refuse(desk.state, command)  # a file that names an account or a broker which there is not would stop nothing
    if scope is HaltScope.BROKER and name not in desk.state.links:
        raise NotKnown(f"broker was {name!r}, known are {', '.join(desk.state.links) or 'none yet'}; nothing was halted")
    latched = await desk.latch(command)
    try:
        async with asyncio.timeout(RECORD_S):
            reply = await desk.ask(command)
    except TimeoutError:
        late = JournalFailed(f"the record of the halt did not become durable within {RECORD_S:g} s")
        raise _held_by_file(late, latched) from None
    except BadInput:
        raise
    except TradeloopError as error:
        raise _held_by_file(error, latched) from error
    text = reply.text if isinstance(reply, Done) else ""
    if not latched.holds:
        text += f"; {latched.sentence}"
    return Answer(Halted(text, recorded=True, latched=latched.holds, halts=_in_force(desk)), HTTPStatus.CREATED)


def _held_by_file(error: TradeloopError, latched: Latched) -> Problem:
    """What is said where the journal does not take the halt: whether the file holds it is what counts then."""
    problem = problem_of(error)
    said = f"{latched.sentence}; it could not be recorded: {error}"
    return Problem(problem.status, problem.code, said, more={"latched": latched.holds, "recorded": False})


def _scope(written: str, name: str) -> tuple[HaltScope, str]:
    known = {each.value: each for each in HaltScope}
    scope = known.get(written.lower())
    if scope is None:
        raise BadInput(f"scope was {written[:20]!r}; expected one of {', '.join(known)}")
    if scope is HaltScope.GLOBAL:
        if name:
            raise BadInput(f"name was {name[:40]!r}, and global is everything; name a scope, or leave the name away")
        return scope, ""
    if not name.strip():
        raise BadInput(f"name was empty; expected which {scope.value} is meant")
    seen(name, "name")
    name = canonical(name) if scope is HaltScope.SYMBOL else name
    checked_command(HaltTrading(HaltTier.HALT, "", "", scope, name))
    return scope, name


def _in_force(desk: Desk) -> list[InForce]:
    return [halt_document(each) for each in desk.state.halts.values()]


def halt_document(each: Halt) -> InForce:
    """A halt in force as it is told."""
    return told(InForce, each)
