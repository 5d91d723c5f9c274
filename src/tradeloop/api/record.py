"""What the record says beside orders and money: differences between books, troubles, and who did what."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec

from tradeloop.access.identity import Scope
from tradeloop.api.call import Answer, Call, Said
from tradeloop.api.gate import ok
from tradeloop.api.pages import LIMIT, Cursor, Limit, following, moment_asked, page_from, page_size
from tradeloop.api.plain import Amount, Moment, moment, told
from tradeloop.api.policy import Policy, Rate, Routes
from tradeloop.core.checked import checked_command
from tradeloop.core.commands import AcknowledgeAlert, ReleaseSymbol, RepairBreak
from tradeloop.core.errors import BadInput, Conflicts, NotKnown
from tradeloop.core.known import refuse
from tradeloop.core.replies import Done
from tradeloop.markets.symbols import canonical
from tradeloop.views.rows import AlertRow

_ALERT_MAX: Final = 255


class Break(msgspec.Struct, frozen=True):
    """One difference between our books and somebody else's; `times` counts how often it came back."""

    id: str
    kind: str
    broker: str
    subject: str
    ours: str
    theirs: str
    delta: Amount | None
    cause: str
    repair: str
    status: str
    why: str
    closed_by: str
    times: int
    found_at: Moment
    changed_at: Moment
    closed_at: Moment | None


class Breaks(msgspec.Struct, frozen=True):
    """Differences, newest first; `next` is the cursor of the next page."""

    breaks: list[Break]
    next: str | None


class Alert(msgspec.Struct, frozen=True):
    """A trouble, once however often it repeats. `acknowledged_by` has seen it, and `note` is what they wrote beside it."""

    id: str
    level: str
    subject: str
    text: str
    times: int
    raised_at: Moment
    last_at: Moment
    resolved_at: Moment | None
    acknowledged_at: Moment | None
    acknowledged_by: str
    note: str


class Alerts(msgspec.Struct, frozen=True):
    """Troubles, newest first; `next` is the cursor of the next page."""

    alerts: list[Alert]
    next: str | None


class Deed(msgspec.Struct, frozen=True):
    """Who did what to what, and what came of it."""

    id: str
    at: Moment
    who: str
    what: str
    subject: str
    run_id: str | None
    result: str
    text: str


class Deeds(msgspec.Struct, frozen=True):
    """What was done, newest first; `next` is the cursor of the next page."""

    audit: list[Deed]
    next: str | None


class WhichBreaks(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which differences; `open` leaves out those that are closed."""

    kind: str | None = None
    open: bool = True
    limit: Limit = LIMIT
    cursor: Cursor = None


class WhichAlerts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which troubles; `open` leaves out those that are over, `unseen` those that somebody has acknowledged."""

    open: bool = True
    unseen: bool = False
    limit: Limit = LIMIT
    cursor: Cursor = None


class WhichDeeds(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which deeds; filters add up."""

    who: str | None = None
    what: str | None = None
    subject: str | None = None
    run_id: str | None = None
    result: str | None = None
    since: Annotated[Moment | None, msgspec.Meta(description="At this moment or later.")] = None
    until: Annotated[Moment | None, msgspec.Meta(description="Before this moment.")] = None
    limit: Limit = LIMIT
    cursor: Cursor = None


class ReleaseOfSymbol(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why, which is journalled; and a code of the second factor, which a live desk asks for."""

    reason: str
    code: str = ""


class Seen(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to write beside the alert; it is journalled."""

    note: Annotated[str, msgspec.Meta(max_length=200)] = ""


class Accept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why, which is journalled."""

    reason: str


def routes(table: Routes) -> None:
    """The routes of this file."""
    reads = Policy(Scope.READ_ACCOUNT, safe=True, rate=Rate.READ)
    risk = Policy(Scope.RISK, safe=False, rate=Rate.ORDER)
    add = table.add
    add("GET", "/api/v1/breaks", breaks, reads, "record", query=WhichBreaks, gives=Breaks)
    add("POST", "/api/v1/breaks/{break_id:path}/accept", accept, risk, "record", body=Accept, gives=Said)
    add("POST", "/api/v1/symbols/{symbol:path}/release", release, risk, "record", body=ReleaseOfSymbol, gives=Said)
    add("GET", "/api/v1/alerts", alerts, reads, "record", query=WhichAlerts, gives=Alerts)
    sees = Policy(Scope.HALT, safe=False, rate=Rate.STOP)
    add("POST", "/api/v1/alerts/{alert_id:path}/acknowledge", acknowledge, sees, "record", body=Seen, gives=Alert)
    add("GET", "/api/v1/audit", audit, Policy(Scope.AUDIT, safe=True, rate=Rate.READ), "record", query=WhichDeeds, gives=Deeds)


async def breaks(call: Call) -> Answer:
    """List differences between books, newest first."""
    asked, desk = call.wanted(WhichBreaks), call.desk
    await desk.shown()
    page = await desk.queries.breaks(
        account_id=desk.account,
        kind=asked.kind,
        open_only=asked.open,
        before=page_from(asked.cursor),
        limit=page_size(asked.limit),
    )
    return ok(Breaks([told(Break, row) for row in page.rows], following(page.before)))


async def accept(call: Call) -> Answer:
    """Let our books take the other's figure for a difference, in the name of whoever asks."""
    command = RepairBreak(call.path["break_id"], call.by, _reason(call.asked(Accept).reason))
    checked_command(command)
    return _done(await call.desk.ask(command))


async def release(call: Call) -> Answer:
    """Allow orders in a symbol again that an overfill had halted."""
    asked = call.asked(ReleaseOfSymbol)
    command = ReleaseSymbol(canonical(call.path["symbol"]), call.by, _reason(asked.reason))
    checked_command(command)
    refuse(call.desk.state, command)
    return _done(await call.desk.release(command, asked.code))


async def alerts(call: Call) -> Answer:
    """List troubles, newest first."""
    asked, desk = call.wanted(WhichAlerts), call.desk
    await desk.shown()
    page = await desk.queries.alerts(
        open_only=asked.open, unseen=asked.unseen, before=page_from(asked.cursor), limit=page_size(asked.limit)
    )
    return ok(Alerts([told(Alert, row) for row in page.rows], following(page.before)))


async def acknowledge(call: Call) -> Answer:
    """Say that you have seen a trouble; it stays open until it is over. The first who says so stands."""
    desk, row = call.desk, await _alert(call)
    if row.resolved_at is not None:
        raise Conflicts(f"alert {row.id} is over since {moment(row.resolved_at)}; there is nothing left to acknowledge")
    if row.acknowledged_at is None:
        command = AcknowledgeAlert(row.id, call.by, call.asked(Seen).note)
        checked_command(command)
        await desk.ask(command)
        row = await _alert(call)
    return ok(told(Alert, row))


async def _alert(call: Call) -> AlertRow:
    await call.desk.shown()
    alert_id = call.path["alert_id"]
    row = await call.desk.queries.alert(alert_id[:_ALERT_MAX])
    if row is None:
        raise NotKnown(f"alert was {alert_id[:60]!r}, which is not known")
    return row


async def audit(call: Call) -> Answer:
    """List who did what, newest first."""
    asked, desk = call.wanted(WhichDeeds), call.desk
    since, until = moment_asked("since", asked.since), moment_asked("until", asked.until)
    await desk.shown()
    page = await desk.queries.audit(
        who=asked.who,
        what=asked.what,
        subject=asked.subject,
        run_id=asked.run_id,
        result=asked.result,
        since=since,
        until=until,
        before=page_from(asked.cursor),
        limit=page_size(asked.limit),
    )
    return ok(Deeds([told(Deed, row, run_id=row.trade_run_id) for row in page.rows], following(page.before)))


def _reason(reason: str) -> str:
    if not reason.strip():
        raise BadInput("reason was empty; books are changed for a reason")
    return reason


def _done(reply: Any) -> Answer:
    return ok(Said(reply.text if isinstance(reply, Done) and reply.text else "done"))
