"""Runs over HTTP (S0-41..S0-52): a target portfolio is planned, made, let go, stopped, and tried again.

A plan is shown by default: `dry_run` and `execute` say what else is wanted. A portfolio comes as JSON or as the files that the
command line takes, and is read by the same rules; the same key with the same content is the same run (S0-46). A run of a live
account goes when a person confirmed exactly its plan (api/live.py).
"""

from __future__ import annotations

import csv
import io
from http import HTTPStatus
from typing import Annotated, Any, Final

import msgspec
from msgspec.structs import replace
from typing_extensions import override

from tradeloop.access.identity import Scope
from tradeloop.api.call import Answer, Call
from tradeloop.api.gate import ok
from tradeloop.api.live import CODE, LiveWord, ToConfirm, confirmed, offered, taken
from tradeloop.api.orders_in import Why
from tradeloop.api.pages import LIMIT, Cursor, Limit, following, page_from, page_size, word_asked
from tradeloop.api.persons import BODY_MAX, Secret
from tradeloop.api.plain import Amount, Day, Moment, amount, told
from tradeloop.api.policy import IMPORT_MAX, Policy, Rate, Routes
from tradeloop.api.problem import Problem
from tradeloop.api.uploads import Sent, files_of
from tradeloop.core.checked import checked_command
from tradeloop.core.commands import ApproveRun, CancelRun, Command, PauseRun, ResumeRun, StartRun
from tradeloop.core.confirmation import Frozen
from tradeloop.core.errors import BadInput, Conflicts, NotKnown
from tradeloop.core.known import refuse, run_of
from tradeloop.core.replies import RunReply
from tradeloop.core.run.conduct import Preview
from tradeloop.core.run.confirming import goes_at_once
from tradeloop.core.state import run_key
from tradeloop.core.types import Mode, RunID, RunStatus
from tradeloop.targets.target import Target, target_in
from tradeloop.views.rows import RunLineRow, RunRow

PORTFOLIO: Final = "portfolio"
CONTEXT: Final = "context"
_WORD: Final = ("live_confirm_token", "phrase", "code")
_JSON_NAME: Final = "the portfolio"
_COLUMNS: Final = ("ts_code", "weight", "price", "name", "industry")


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of a target: what to hold, and how much of the equity, as a fraction or as percent for all lines."""

    symbol: str
    weight: Annotated[str, msgspec.Meta(description="Text, such as 0.25 or 25%.")]
    price: Amount | None = None
    name: str = ""
    industry: str = ""


class NewRun(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A target and what is to become of it. `context` is execution_context.json; without one a person decides, today.

    `dry_run` shows the plan and makes nothing. Else a run is made: with `execute` it goes at once, without it waits at NEW for
    its execute, and with `hold` for an approval. `live_confirm_token`, `phrase` and `code`: a person's word for a plan that
    they were shown, where it goes at once at a live account.
    """

    portfolio: list[Line]
    context: msgspec.Raw = msgspec.field(default_factory=lambda: msgspec.Raw(b"null"))
    mode: Annotated[str, msgspec.Meta(extra_json_schema={"enum": ["paper", "live"]})] = "paper"
    execute: bool = False
    hold: bool = False
    dry_run: bool = False
    live_confirm_token: Secret = ""
    phrase: str = ""
    code: Secret = ""

    @property
    def word(self) -> LiveWord:
        """What was given for a live account."""
        return LiveWord(self.live_confirm_token, self.phrase, self.code)

    @override
    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"  # it may hold a code


class PlanLine(msgspec.Struct, frozen=True):
    """One line of a plan: wanted, held, what would be ordered, and why not more."""

    leg: int
    symbol: str
    side: str
    target_weight: Amount | None
    target_qty: Amount | None
    held_qty: Amount | None
    order_qty: Amount | None
    ref_px: Amount | None
    code: str
    reason: str


class Plan(msgspec.Struct, frozen=True):
    """What a run would be now. With findings there is none, and they say why."""

    trade_date: Day
    currency: str
    equity: Amount
    cash: Amount
    findings: list[dict[str, str]]
    lines: list[PlanLine]


class Run(msgspec.Struct, frozen=True):
    """A run as it stands (S0-14..S0-21); `todo` are the legs that a person has to look at."""

    run_id: str
    project_id: str
    mode: str
    decision_snapshot_id: str
    trade_date: Day
    attempt: int
    status: str
    code: str
    text: str
    broker: str
    account: str
    currency: str
    created_by: str
    approved_by: str
    champion_id: str
    rounding: str
    cash: Amount | None
    equity: Amount | None
    supersedes: str | None
    superseded_by: str | None
    todo: list[int]
    requested_at: Moment
    started_at: Moment | None
    finished_at: Moment | None
    updated_at: Moment


class RunLine(msgspec.Struct, frozen=True):
    """One line of a run: planned, worked, and what is left with its reason."""

    line: int
    leg: int
    wave: int
    symbol: str
    side: str
    position_effect: str
    target_weight: Amount | None
    target_qty: Amount | None
    held_qty: Amount | None
    planned_qty: Amount | None
    order_qty: Amount | None
    ref_px: Amount | None
    residual_qty: Amount | None
    residual_value: Amount | None
    code: str
    reason: str
    order_id: str | None


class RunInFull(msgspec.Struct, frozen=True):
    """A run with its lines and what it was made from."""

    run: Run
    lines: list[RunLine]
    params: dict[str, Any]


class RunTaken(msgspec.Struct, frozen=True):
    """A run that is durable, or a plan that nothing was made of: `dry_run` says which. `repeat`: the key made it before."""

    dry_run: bool
    run_id: str | None = None
    status: str | None = None
    repeat: bool = False
    plan: Plan | None = None
    confirm: ToConfirm | None = None
    """What a person has to confirm before it goes, where the account is live."""


class Runs(msgspec.Struct, frozen=True):
    """Runs, newest first; `next` is the cursor of the next page."""

    runs: list[Run]
    next: str | None


class WhichRuns(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which runs; filters add up."""

    status: str | None = None
    project_id: str | None = None
    trade_date: Day | None = None
    limit: Limit = LIMIT
    cursor: Cursor = None


def routes(table: Routes) -> None:
    """The routes of this file."""
    reads = Policy(Scope.READ_ACCOUNT, safe=True, rate=Rate.READ)
    trades = Policy(Scope.ORDER_PAPER, safe=False, rate=Rate.WORK, trades=True, confirms=True)
    shows = Policy(Scope.ORDER_PAPER, safe=False, rate=Rate.WORK)
    word: dict[str, Any] = {"body": LiveWord, "bare": True, "body_max": BODY_MAX}
    stops = Policy(Scope.CANCEL, safe=False, rate=Rate.STOP)
    add = table.add
    add(
        "POST",
        "/api/trade/runs",
        make,
        trades,
        "runs",
        body=NewRun,
        uploads=True,
        gives=RunTaken,
        status=201,
        body_max=IMPORT_MAX,
    )
    add("GET", "/api/trade/runs", listed, reads, "runs", query=WhichRuns, gives=Runs)
    add("GET", "/api/trade/runs/{run_id}", one, reads, "runs", gives=RunInFull)
    add("POST", "/api/trade/runs/{run_id}/execute", execute, trades, "runs", gives=RunTaken, **word)
    add("POST", "/api/trade/runs/{run_id}/approve", approve, trades, "runs", gives=RunTaken, **word)
    add("POST", "/api/trade/runs/{run_id}/preview", preview, shows, "runs", gives=RunTaken)
    add("POST", "/api/trade/runs/{run_id}/resume", resume, trades, "runs", gives=RunTaken)
    add("POST", "/api/trade/runs/{run_id}/retry", retry, trades, "runs", gives=RunTaken, status=201)
    add("POST", "/api/trade/runs/{run_id}/pause", pause, stops, "runs", query=Why, gives=RunTaken)
    add("POST", "/api/trade/runs/{run_id}/cancel", cancel, stops, "runs", query=Why, gives=RunTaken)


async def make(call: Call) -> Answer:
    """Make a run of a target portfolio, or show its plan."""
    target, asked = await _asked(call)
    if asked.mode not in ("paper", "live"):
        raise BadInput(f"mode was {asked.mode[:20]!r}; expected paper or live")
    if asked.mode == "live" and not call.desk.is_live:
        text = "nothing real is traded at this desk; make the run with mode paper"
        raise Problem(HTTPStatus.FORBIDDEN, "not_live", text)
    if asked.mode == "paper" and call.desk.is_live:
        raise BadInput("mode was paper, and real money is traded at this desk; make the run with mode live")
    desk = call.desk
    await desk.tradable(target.symbols, quoted=True)
    sent = Mode.LIVE if desk.is_live else Mode.PAPER
    mode = Mode.DRY_RUN if asked.dry_run else sent
    command = desk.run(target, mode=mode, by=call.by, hold=asked.hold, execute=asked.execute)
    checked_command(command)
    if asked.dry_run:
        return ok(_shown(call, command))
    if desk.is_live and goes_at_once(command):
        command = await _with_its_word(call, command, asked.word)
    reply = await desk.ask(command)
    assert isinstance(reply, RunReply)
    return _made(target, reply, _to_confirm(call, reply))


def _shown(call: Call, command: StartRun) -> RunTaken:
    """The plan, and at a live account what confirms it: it goes as it was shown, at the prices that were shown."""
    seen = call.desk.preview(command)
    answer = RunTaken(dry_run=True, plan=_plan(command, seen))
    if seen.findings or not call.desk.is_live:
        return answer
    live = replace(command, mode=Mode.LIVE, execute=True, hold_for_approval=False)
    would_be = call.desk.preview(live)
    if would_be.findings:
        return answer  # a plan that no run can be made of now, such as one of a market that is shut
    frozen = call.desk.frozen(live, would_be)
    return replace(answer, confirm=offered(call, frozen, (live, frozen)))


async def _with_its_word(call: Call, command: StartRun, word: LiveWord) -> StartRun:
    """The run that was shown with the token, with a person's word for it. Raises Problem where this is another one."""
    known = call.desk.state.run_keys.get(_key(command))
    if known is not None:
        return command  # it was made before, and is answered as it stands
    given = taken(call, word)
    match given.kept:
        case (StartRun() as shown, Frozen() as frozen) if _same(shown, command):
            pass
        case _:
            text = "the live_confirm_token was given for another run; look at the plan of this one, nothing was sent"
            raise Problem(HTTPStatus.FORBIDDEN, CODE, text)
    return replace(shown, confirmed=await confirmed(call, word, given, frozen))


def _same(shown: StartRun, command: StartRun) -> bool:
    return (_key(shown), shown.content_hash) == (_key(command), command.content_hash)


def _key(command: StartRun) -> str:
    return run_key(command.project_id, command.decision_snapshot_id, command.mode.value, command.trade_date, command.account)


def _to_confirm(call: Call, reply: RunReply) -> ToConfirm | None:
    """What confirms a run that waits at a live account."""
    if reply.run_id is None or reply.status not in (RunStatus.NEW, RunStatus.AWAITING_APPROVAL) or not call.desk.is_live:
        return None
    return offered(call, call.desk.frozen_run(reply.run_id))


async def listed(call: Call) -> Answer:
    """List runs, newest first."""
    wanted, desk = call.wanted(WhichRuns), call.desk
    status = word_asked("status", wanted.status, RunStatus)
    await desk.shown()
    page = await desk.queries.runs(
        status=status,
        project_id=wanted.project_id,
        account_id=desk.account,
        trade_date=wanted.trade_date,
        before=page_from(wanted.cursor),
        limit=page_size(wanted.limit),
    )
    return ok(Runs([run_document(row) for row in page.rows], following(page.before)))


async def one(call: Call) -> Answer:
    """Show a run: its lines, what became of them, and the frozen snapshot it was planned from."""
    row = await _row(call)
    lines = await call.desk.queries.run_lines(row.id)
    return ok(RunInFull(run_document(row), [_line(line) for line in lines], msgspec.json.decode(row.params)))


async def execute(call: Call) -> Answer:
    """Let a run that was made without execute go (S0-43); one that goes already is answered as it stands."""
    run_id = RunID(call.path["run_id"])
    known = call.desk.state.runs.get(run_id)
    if known is not None and known.status is RunStatus.AWAITING_APPROVAL:
        raise Conflicts(f"run {run_id} waits for an approval; approve it instead")
    if known is not None and known.status is RunStatus.RUNNING:
        await call.desk.settled()
        return ok(RunTaken(dry_run=False, run_id=run_id, status=known.status.value, repeat=True))
    return await _conducted(call, await _approval(call, run_id))


async def approve(call: Call) -> Answer:
    """Approve a run that waits for it, and let it go."""
    return await _conducted(call, await _approval(call, RunID(call.path["run_id"])))


async def preview(call: Call) -> Answer:
    """Show the frozen plan of a run that waits, and what confirms it at a live account."""
    run = run_of(call.desk.state, RunID(call.path["run_id"]))
    created = run.created
    if run.status not in (RunStatus.NEW, RunStatus.AWAITING_APPROVAL):
        raise Conflicts(f"run {created.run_id} is {run.status.value}; only one that waits can be confirmed")
    await call.desk.settled()
    plan = Plan(
        trade_date=created.trade_date,
        currency=created.currency,
        equity=amount(created.equity),
        cash=amount(created.cash),
        findings=[],
        lines=[told(PlanLine, line) for line in created.lines],
    )
    confirm = offered(call, call.desk.frozen_run(created.run_id)) if call.desk.is_live else None
    return ok(RunTaken(dry_run=False, run_id=created.run_id, status=run.status.value, plan=plan, confirm=confirm))


async def _approval(call: Call, run_id: RunID) -> ApproveRun:
    """The approval, with a person's word for the plan where the account is live and the run waits."""
    command, word = ApproveRun(run_id, call.by), call.asked(LiveWord)
    run = call.desk.state.runs.get(run_id)
    if not call.desk.is_live or run is None or run.status not in (RunStatus.NEW, RunStatus.AWAITING_APPROVAL):
        return command
    frozen = call.desk.frozen_run(run_id)
    call.desk.refuse_to_go(run_id)  # nobody is asked for a code for what cannot go anyhow
    given = taken(call, word, frozen)
    return replace(command, confirmed=await confirmed(call, word, given, frozen))


async def resume(call: Call) -> Answer:
    """Go on with a paused run."""
    return await _conducted(call, ResumeRun(RunID(call.path["run_id"]), call.by))


async def pause(call: Call) -> Answer:
    """Send no further orders of a run; what works goes on working."""
    return await _conducted(call, PauseRun(RunID(call.path["run_id"]), call.by, call.wanted(Why).reason))


async def cancel(call: Call) -> Answer:
    """Send no further orders of a run and cancel what works; what is filled stays filled (S0-40)."""
    return await _conducted(call, CancelRun(RunID(call.path["run_id"]), call.by, call.wanted(Why).reason))


async def retry(call: Call) -> Answer:
    """Make a new attempt at what a run that ended left over, in the name of whoever asks."""
    reply = await call.desk.ask(call.desk.retry(call.path["run_id"], call.by))
    assert isinstance(reply, RunReply)
    return _made(None, reply, _to_confirm(call, reply))


async def _conducted(call: Call, command: Command) -> Answer:
    checked_command(command)
    refuse(call.desk.state, command)
    reply = await call.desk.ask(command)
    assert isinstance(reply, RunReply)
    status = None if reply.status is None else reply.status.value
    return ok(RunTaken(dry_run=False, run_id=reply.run_id, status=status, repeat=reply.repeat))


def _made(target: Target | None, reply: RunReply, confirm: ToConfirm | None = None) -> Answer:
    if reply.run_id is None:
        where = [f"{'' if target is None else target.at_fault(each.partition(':')[0])}{each}" for each in reply.failed]
        text = f"the run is denied, nothing was made or sent: {'; '.join(where)}"
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "denied", text, more={"findings": list(reply.failed)})
    status = None if reply.status is None else reply.status.value
    made = RunTaken(dry_run=False, run_id=reply.run_id, status=status, repeat=reply.repeat, confirm=confirm)
    return ok(made, HTTPStatus.OK if reply.repeat else HTTPStatus.CREATED)


async def _asked(call: Call) -> tuple[Target, NewRun]:
    """The target and what is to become of it, from JSON or from files. Raises Problem and BadInput."""
    if call.body is not None:
        asked = call.asked(NewRun)
        context = None if bytes(asked.context) == b"null" else (bytes(asked.context), "the context")
        return target_in((_as_rows(asked.portfolio), _JSON_NAME), context), asked
    sent = await files_of(call, {PORTFOLIO, CONTEXT}, {"execute", "hold", "dry_run", "mode", *_WORD})
    portfolio = sent.files.get(PORTFOLIO)
    if portfolio is None:
        raise BadInput(f"no file was sent under the name {PORTFOLIO}; expected a CSV with ts_code and weight")
    asked = NewRun(
        [],
        mode=sent.fields.get("mode", "paper"),
        execute=_flag(sent, "execute"),
        hold=_flag(sent, "hold"),
        dry_run=_flag(sent, "dry_run"),
        live_confirm_token=sent.fields.get("live_confirm_token", ""),
        phrase=sent.fields.get("phrase", ""),
        code=sent.fields.get("code", ""),
    )
    return target_in(portfolio, sent.files.get(CONTEXT)), asked


def _flag(sent: Sent, name: str) -> bool:
    written = sent.fields.get(name, "false")
    if written not in ("true", "false"):
        raise BadInput(f"{name} was {written[:20]!r}; expected true or false")
    return written == "true"


def _as_rows(lines: list[Line]) -> bytes:
    """The lines as a file has them: they are read by its rules, and a complaint names the row."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_COLUMNS)
    for line in lines:
        writer.writerow((line.symbol, line.weight, line.price or "", line.name, line.industry))
    try:
        return text.getvalue().encode()
    except UnicodeEncodeError:
        raise BadInput(f"{_JSON_NAME}: holds what is no Unicode text; check the encoding it came in") from None


def _plan(command: StartRun, seen: Preview) -> Plan:
    return Plan(
        trade_date=command.trade_date,
        currency=command.currency,
        equity=amount(seen.equity),
        cash=amount(seen.cash),
        findings=[{"code": each.code, "text": each.text} for each in seen.findings],
        lines=[told(PlanLine, line) for line in seen.lines],
    )


async def _row(call: Call) -> RunRow:
    run_id = call.path["run_id"]
    await call.desk.shown()
    row = await call.desk.queries.run(run_id[:64])
    if row is None:
        raise NotKnown(f"run was {run_id[:60]!r}, which is not known")
    return row


def run_document(row: RunRow) -> Run:
    """A run as it is told."""
    todo = msgspec.json.decode(row.todo, type=list[int])
    return told(Run, row, run_id=row.id, account=row.account_id, text=row.error, todo=todo)


def _line(row: RunLineRow) -> RunLine:
    return told(RunLine, row, order_id=row.trade_order_id)
