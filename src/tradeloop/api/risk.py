"""Limits of risk: what is in force, what would be said of an order, and how people change one for a time and a reason."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec

from tradeloop.access.identity import Scope
from tradeloop.api.approval import ApprovedBy, refuse_unproven
from tradeloop.api.call import Answer, Call, Said
from tradeloop.api.gate import ok
from tradeloop.api.orders_in import NewOrder, Why, command_of
from tradeloop.api.plain import Amount, Moment, amount, amount_or_none, moment_or_none
from tradeloop.api.policy import Policy, Rate, Routes
from tradeloop.core.checked import checked_command
from tradeloop.core.commands import Command
from tradeloop.core.known import refuse
from tradeloop.core.limit import RiskLimit
from tradeloop.core.replies import Done
from tradeloop.core.staging import consistent

OF_FILE: Final = "risk.yaml"


class Limit(msgspec.Struct, frozen=True):
    """A limit in force; `origin` is risk.yaml, or the person who set it, until when."""

    rule: str
    value: Amount
    scope: str
    name: str
    where: str
    currency: str
    severity: str
    missing: str
    shadow: bool
    only: list[str]
    but: list[str]
    floor: Amount | None
    tier: str
    origin: str
    reason: str
    until: Moment | None


class Limits(msgspec.Struct, frozen=True):
    """The limits in force."""

    limits: list[Limit]


class Judgement(msgspec.Struct, frozen=True):
    """What risk says of an order that nobody sends: every check, and every limit with its figures."""

    denied: dict[str, Any] | None
    waits: bool
    checks: list[dict[str, Any]]
    limits: list[dict[str, Any]]


class Change(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A limit for a time, over what risk.yaml says. `value` may be written as 5% of a rule that counts fractions."""

    rule: str
    reason: str
    lasts: Annotated[str, msgspec.Meta(description="90s, 30min, 2h or 3d; at most 7d.")] = msgspec.field(name="for")
    value: str = ""
    scope: str = "global"
    name: str = ""
    currency: str = ""
    severity: str = "deny"
    missing: str = "deny"
    shadow: bool = False
    only: list[str] = []
    but: list[str] = []
    floor: str = ""
    tier: str = "HALT"
    approved_by: ApprovedBy = ""


class Revert(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which limit that a person set ends before its time."""

    rule: str
    reason: str
    scope: str = "global"
    name: str = ""
    currency: str = ""
    shadow: bool = False
    approved_by: ApprovedBy = ""


def routes(table: Routes) -> None:
    """The routes of this file."""
    reads = Policy(Scope.READ_ACCOUNT, safe=True, rate=Rate.READ)
    asks = Policy(Scope.READ_ACCOUNT, safe=False, rate=Rate.ORDER)
    sets = Policy(Scope.RISK, safe=False, rate=Rate.ORDER)
    add = table.add
    add("GET", "/api/v1/risk/limits", limits, reads, "risk", gives=Limits)
    add("POST", "/api/v1/risk/check", check, asks, "risk", body=NewOrder, gives=Judgement)
    add("POST", "/api/v1/risk/limits", change, sets, "risk", body=Change, gives=Said)
    add("POST", "/api/v1/risk/limits/revert", revert, sets, "risk", body=Revert, gives=Said)
    add("POST", "/api/v1/risk/reload", reload, sets, "risk", query=Why, gives=Said)


async def limits(call: Call) -> Answer:
    """List the limits in force, and where each comes from."""
    await call.desk.settled()
    known = call.desk.state.limits
    return ok(Limits([_document(each) for each in known.in_force.values()]))


async def check(call: Call) -> Answer:
    """Ask risk about an order that nobody sends; nothing is recorded of it."""
    command = command_of(call, call.asked(NewOrder), "")
    assert call.who is not None
    consistent(command)
    if call.who.may(Scope.ORDER_PAPER) or call.who.may(Scope.ORDER_LIVE):  # who only looks has nothing listed
        await call.desk.tradable([command.symbol], quoted=True)
    return ok(msgspec.convert(call.desk.risk_answer(command), Judgement))


async def change(call: Call) -> Answer:
    """Set a limit for a time; it ends by itself."""
    asked = call.asked(Change)
    refuse_unproven(asked.approved_by)
    words = ("rule", "value", "scope", "name", "currency", "severity", "missing", "floor", "tier")
    given = {name: text for name in words if (text := getattr(asked, name))}
    given |= {name: ",".join(listed) for name in ("only", "but") if (listed := getattr(asked, name))}
    if asked.shadow:
        given["shadow"] = "true"
    command = call.desk.changed_limit(given, asked.lasts, "", call.by, asked.reason)
    return await _done(call, command)


async def revert(call: Call) -> Answer:
    """Take back a limit that a person had set, before its time is up."""
    asked = call.asked(Revert)
    refuse_unproven(asked.approved_by)
    given = {"rule": asked.rule, "scope": asked.scope, "name": asked.name, "currency": asked.currency}
    command = call.desk.reverted_limit(given, call.by, asked.reason, "", shadow=asked.shadow)
    return await _done(call, command)


async def reload(call: Call) -> Answer:
    """Have risk.yaml read anew and hold; one that cannot be read, or loosens something without a reason, changes nothing."""
    return ok(Said(await call.desk.reload_limits(call.by, call.wanted(Why).reason)))


async def _done(call: Call, command: Command) -> Answer:
    checked_command(command)
    refuse(call.desk.state, command)
    reply = await call.desk.ask(command)
    return ok(Said(reply.text if isinstance(reply, Done) and reply.text else "done"))


def _document(each: RiskLimit) -> Limit:
    return Limit(
        rule=each.rule,
        value=amount(each.value),
        scope=each.scope.value,
        name=each.name,
        where=each.where,
        currency=each.currency,
        severity=each.severity.value,
        missing="allow" if each.allow_missing else "deny",
        shadow=each.shadow,
        only=list(each.only),
        but=list(each.but),
        floor=amount_or_none(each.floor),
        tier=each.tier.value,
        origin=OF_FILE if each.until is None else each.by,
        reason=each.reason,
        until=moment_or_none(each.until),
    )
