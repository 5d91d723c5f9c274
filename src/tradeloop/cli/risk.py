"""`tradeloop risk`: which limits are in force and where each comes from, and how people change one for a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from tradeloop.cli.options import By, Feed, Json, Reason, Speed, Start, feed_settings, worded
from tradeloop.cli.shell import FAILED, OK, Shell, Voice, perform

if TYPE_CHECKING:
    from rich.console import Console

    from tradeloop.bootstrap import Configured
    from tradeloop.cli.control import Answer
    from tradeloop.config import Loaded
    from tradeloop.core.limit import RiskLimit, RiskLimits
    from tradeloop.core.state import State

app = typer.Typer(
    help="Limits of risk: show, check, set, shadow, revert, reload, replay.",
    no_args_is_help=True,
)
Rule = Annotated[str, typer.Argument(help="The code of a rule, as `tradeloop risk show --rules` lists them.")]
Value = Annotated[
    str,
    typer.Argument(help="How much, in the unit of the rule; a fraction may be written as 5%. None for a rule that forbids."),
]
Scope = Annotated[
    Literal["global", "account", "strategy", "symbol", "industry"],
    typer.Option("--scope", help="Over what it is counted."),
]
Name = Annotated[str, typer.Option("--name", help="Which account, strategy, symbol or industry; each by itself without it.")]
Money = Annotated[str, typer.Option("--currency", help="Of a limit on money: which; each by itself without it.")]
For = Annotated[str, typer.Option("--for", help="How long it holds: 90s, 30min, 2h or 3d, at most 7d.")]
ApprovedBy = Annotated[
    str, typer.Option("--approved-by", help="Who agreed: another one of risk.approvers, where there are two or more.")
]
Missing = Annotated[
    Literal["deny", "allow"], typer.Option("--missing", help="What becomes of an order where a number is not known.")
]


Only = Annotated[
    str, typer.Option("--only", help="Of a rule that goes by a list: the symbols, boards, industries, accounts; comma between.")
]
But = Annotated[str, typer.Option("--but", help="Of a rule that goes by a list: those that it is not for; comma between.")]
Tier = Annotated[
    Literal["HALT", "REDUCE_ONLY", "CANCEL_ALL", "FLATTEN"],
    typer.Option("--tier", help="How much a limit stops that halts."),
]
Floor = Annotated[str, typer.Option("--floor", help="From which figure on the rule speaks at all, where it has such a figure.")]


Soft = Annotated[
    str, typer.Option("--soft", help="A figure before the limit's own, from which on --soft-severity becomes of an order.")
]
SoftSeverity = Annotated[
    Literal["warn", "throttle", "approval"], typer.Option("--soft-severity", help="What becomes of an order from --soft on.")
]


@app.command("show")
def show(
    ctx: typer.Context,
    rules: Annotated[bool, typer.Option("--rules", help="List the rules that a limit may name instead.")] = False,
    json: Json = False,
) -> None:
    """List the limits in force, and where each comes from; or the rules that there are."""

    async def work(shell: Shell, voice: Voice) -> int:
        from tradeloop.bootstrap import configured_limits
        from tradeloop.core.errors import BadInput

        if rules:
            documents = _rules()
            voice.result({"rules": documents}, lambda out: _show_rules(out, documents))
            return OK
        loaded = shell.load()
        configured, refused = None, ""
        try:
            configured = configured_limits(loaded)
        except BadInput as error:
            refused = str(error)
        recorded = await limits_in_force(loaded)
        rows = rows_of(recorded, configured)
        of_file = {} if recorded is None else recorded.of_file
        kept = "" if configured is None else configured.why_kept(of_file)
        pending = configured is not None and is_pending(of_file, configured)
        document = {
            "file": loaded.home.limits,
            "limits": rows,
            "recorded": recorded is not None,
            "changed_since": pending,
            "refused": refused or None,
            "kept": kept or None,
            "approvers": list(loaded.settings.risk.approvers),
        }
        title = "Limits in force" if recorded is not None else "Limits that will hold from the first start on"
        voice.result(document, lambda out: show_limits(out, rows, title))
        if refused:
            voice.say(
                f"error: {refused}; what is listed is in force, and no process that trades can start before that is mended"
            )
            return FAILED
        if kept:
            voice.say(f"warning: {kept}")
        if pending:
            voice.say(
                "risk.yaml says something else than what is in force: `tradeloop risk reload`, or the next start, takes it"
            )
        return OK

    perform(ctx, json, work)


@app.command("set")
def set_(
    ctx: typer.Context,
    rule: Rule,
    reason: Reason,
    for_: For,
    value: Value = "",
    scope: Scope = "global",
    name: Name = "",
    currency: Money = "",
    severity: Annotated[
        Literal["deny", "warn", "throttle", "approval", "halt"],
        typer.Option("--severity", help="What becomes of an order beyond it."),
    ] = "deny",
    missing: Missing = "deny",
    only: Only = "",
    but: But = "",
    floor: Floor = "",
    tier: Tier = "HALT",
    soft: Soft = "",
    soft_severity: SoftSeverity = "warn",
    approved_by: ApprovedBy = "",
    by: By = None,
    feed: Feed = None,
    speed: Speed = None,
    start: Start = None,
    json: Json = False,
) -> None:
    """Set a limit for a time, over what risk.yaml says; it ends by itself."""
    given = {"scope": scope, "name": name, "currency": currency, "severity": severity, "missing": missing}
    given |= {"value": value, "only": only, "but": but, "floor": floor, "tier": tier} | _softly(soft, soft_severity)
    _change(ctx, json, "risk set", rule, for_, reason, approved_by, given, by, feed_settings(feed, speed, start))


@app.command("shadow")
def shadow(
    ctx: typer.Context,
    rule: Rule,
    reason: Reason,
    for_: For,
    value: Value = "",
    scope: Scope = "global",
    name: Name = "",
    currency: Money = "",
    missing: Missing = "deny",
    only: Only = "",
    but: But = "",
    floor: Floor = "",
    tier: Tier = "HALT",
    soft: Soft = "",
    soft_severity: SoftSeverity = "warn",
    approved_by: ApprovedBy = "",
    by: By = None,
    feed: Feed = None,
    speed: Speed = None,
    start: Start = None,
    json: Json = False,
) -> None:
    """Set a limit in shadow for a time: it is asked and recorded, and stops nothing."""
    given = {"scope": scope, "name": name, "currency": currency, "missing": missing, "shadow": "true"}
    given |= {"value": value, "only": only, "but": but, "floor": floor, "tier": tier} | _softly(soft, soft_severity)
    _change(ctx, json, "risk shadow", rule, for_, reason, approved_by, given, by, feed_settings(feed, speed, start))


@app.command("revert")
def revert(
    ctx: typer.Context,
    rule: Rule,
    reason: Reason,
    scope: Scope = "global",
    name: Name = "",
    currency: Money = "",
    shadow: Annotated[bool, typer.Option("--shadow", help="The one in shadow.")] = False,
    approved_by: ApprovedBy = "",
    by: By = None,
    feed: Feed = None,
    speed: Speed = None,
    start: Start = None,
    json: Json = False,
) -> None:
    """Take back a limit that a person had set, before its time is up; risk.yaml's holds again, or none."""

    async def work(shell: Shell, voice: Voice) -> int:
        from tradeloop.bootstrap.limit_changes import reverted_limit
        from tradeloop.cli.asking import carried_out

        loaded = shell.load(operator=by, **feed_settings(feed, speed, start))
        given = {"rule": rule, "scope": scope, "name": name, "currency": currency}
        command = reverted_limit(given, loaded.operator, reason, approved_by, shadow=shadow, mark="--")
        return await carried_out(voice, loaded, command, "risk revert")

    perform(ctx, json, work)


@app.command("reload")
def reload(
    ctx: typer.Context,
    reason: Annotated[
        str, worded("--reason", about="Why; it is journalled. Needed where something in force ends or gets more room.")
    ] = "",
    approved_by: ApprovedBy = "",
    by: By = None,
    feed: Feed = None,
    speed: Speed = None,
    start: Start = None,
    json: Json = False,
) -> None:
    """Have risk.yaml read anew and hold; one that cannot be read, or is gone, changes nothing.

    One that ends or loosens a limit needs a reason and, where risk.approvers names two, one of them beside who asks.
    """

    async def work(shell: Shell, voice: Voice) -> int:
        from tradeloop.bootstrap import configured_limits
        from tradeloop.bootstrap.limits import Author
        from tradeloop.cli.asking import settled, tell, there_or_here
        from tradeloop.cli.control import Answer as Said
        from tradeloop.cli.control import ReloadLimits, ask_to_reload
        from tradeloop.cli.working import working_desk
        from tradeloop.core.errors import BadInput

        loaded = shell.load(operator=by, **feed_settings(feed, speed, start))
        configured = configured_limits(loaded)  # refused here, nothing is opened or asked for it
        author = Author(loaded.operator, reason, approved_by)

        wanted = ReloadLimits(author.by, author.reason, author.approved_by)

        def look(state: State) -> None:
            if kept := configured.why_kept(state.limits.of_file):
                raise BadInput(kept)

        async def there(answer: Answer) -> int:
            return tell(voice, answer)

        async def here() -> int:
            async with working_desk(loaded, voice, "risk reload", look=look, author=author) as desk:
                said = Said(True, desk.limited)
                await settled(desk, said)
                return tell(voice, said)

        return await there_or_here(lambda: ask_to_reload(loaded.home.socket, wanted), there, here)

    perform(ctx, json, work)


def _softly(soft: str, severity: str) -> dict[str, str]:
    """The severity has a default on the command line; without a figure only another one is somebody's word."""
    return {"soft": soft, "soft_severity": severity if soft or severity != "warn" else ""}


def _change(
    ctx: typer.Context,
    json: bool,
    words: str,
    rule: str,
    for_: str,
    reason: str,
    approved_by: str,
    given: dict[str, str],
    by: str | None,
    feed: dict[str, object],
) -> None:
    async def work(shell: Shell, voice: Voice) -> int:
        from tradeloop.bootstrap.limit_changes import changed_limit
        from tradeloop.cli.asking import carried_out

        loaded = shell.load(operator=by, **feed)
        fields = {key: text for key, text in given.items() if text}
        named = {"reason": "--reason", "for": "--for"}
        command = changed_limit({"rule": rule, **fields}, for_, approved_by, loaded.operator, reason, named, "--")
        return await carried_out(voice, loaded, command, words)

    perform(ctx, json, work)


async def limits_in_force(loaded: Loaded) -> RiskLimits | None:
    """The limits as the journal has them; None where nothing is recorded yet."""
    from tradeloop.bootstrap import is_new, open_archive, refuse_lost_journal

    if await is_new(loaded):
        refuse_lost_journal(loaded)
        return None
    async with open_archive(loaded, fresh_views=False) as archive:
        return (await archive.recovered()).state.limits


def is_pending(of_file: Mapping[str, RiskLimit], configured: Configured) -> bool:
    """Whether something else is in force of the file than is configured now."""
    return dict(of_file) != {limit.limit_id: limit for limit in configured.over(of_file).limits}


def rows_of(recorded: RiskLimits | None, configured: Configured | None) -> list[dict[str, Any]]:
    """The limits in force with their origin; those of the file where nothing is recorded."""
    from tradeloop.cli import words
    from tradeloop.cli.record import iso
    from tradeloop.core.limit import Severity
    from tradeloop.core.risk.judging import amount
    from tradeloop.core.risk.registry import unit_of
    from tradeloop.core.risk.triggers import TRIGGERS

    if recorded is None:
        limits = configured.limits if configured is not None else ()
    else:
        limits = tuple(recorded.in_force.values())
    written = {} if configured is None else {limit.limit_id: limit for limit in configured.limits}
    rows = []
    for limit in limits:
        if limit.until is not None:
            origin = f"{limit.by} until {words.moment(limit.until)}: {limit.reason}"
        elif configured is not None and written.get(limit.limit_id) == limit:
            origin = configured.origins[limit.limit_id]
        else:
            silent = configured.silent if configured is not None else ""
            origin = f"the journal; {silent or 'risk.yaml has changed since'}"
        rows.append(
            {
                "rule": limit.rule,
                "value": f"{limit.value:f}",
                "shown": amount(unit_of(limit.rule), limit.value, limit.currency),
                "scope": limit.scope.value,
                "name": limit.name,
                "where": limit.where,
                "currency": limit.currency,
                "severity": limit.tier.value
                if limit.rule in TRIGGERS or limit.severity is Severity.HALT
                else limit.severity.value,
                "missing": "allow" if limit.allow_missing else "deny",
                "shadow": limit.shadow,
                "only": list(limit.only),
                "but": list(limit.but),
                "floor": None if limit.floor is None else f"{limit.floor:f}",
                "soft": None if limit.soft is None else f"{limit.soft:f}",
                "soft_severity": None if limit.soft is None else limit.soft_severity.value,
                "origin": origin,
                "by": limit.by,
                "reason": limit.reason,
                "until": limit.until,
                "until_iso": None if limit.until is None else iso(limit.until),
            }
        )
    return rows


def show_limits(out: Console, rows: list[dict[str, Any]], title: str) -> None:
    """The table of `rows_of`."""
    from tradeloop.cli import words

    cells = [
        (
            each["rule"],
            _of(each),
            each["shown"],
            "shadow" if each["shadow"] else each["severity"],
            each["missing"],
            each["origin"],
        )
        for each in rows
    ]
    words.table(out, title, ("rule", "scope", ">value", "beyond", "?missing", "~origin"), cells)


def _of(row: dict[str, Any]) -> str:
    """What a limit is of, and of which of it alone."""
    only = f", only {', '.join(row['only'])}" if row["only"] else ""
    but = f", but {', '.join(row['but'])}" if row["but"] else ""
    floor = f", from {row['floor']} on" if row["floor"] is not None else ""
    soft = f", {row['soft_severity']} from {row['soft']} on" if row["soft"] is not None else ""
    return f"{row['where']}{only}{but}{floor}{soft}"


def _rules() -> list[dict[str, Any]]:
    from tradeloop.core.risk.registry import RULES
    from tradeloop.core.risk.triggers import TRIGGERS

    triggers = [
        {
            "rule": trigger.code,
            "number": trigger.number,
            "group": "trigger",
            "unit": trigger.unit.value,
            "scopes": [scope.value for scope in trigger.scopes],
            "severities": [],
            "bound": "at most",
            "title": trigger.words.title,
            "title_zh": trigger.words.title_zh,
            "remedy": trigger.words.remedy,
            "remedy_zh": trigger.words.remedy_zh,
            "source": trigger.source,
        }
        for trigger in TRIGGERS.values()
    ]
    return [
        {
            "rule": rule.code,
            "number": rule.number,
            "group": rule.group.value,
            "unit": rule.unit.value,
            "scopes": [scope.value for scope in rule.scopes],
            "severities": [severity.value for severity in rule.severities],
            "bound": "at least" if rule.at_least else "at most",
            "title": rule.words.title,
            "title_zh": rule.words.title_zh,
            "remedy": rule.words.remedy,
            "remedy_zh": rule.words.remedy_zh,
            "source": rule.source,
        }
        for rule in RULES.values()
    ] + triggers


def _show_rules(out: Console, rules: list[dict[str, Any]]) -> None:
    from tradeloop.cli import words

    cells = [
        (each["rule"], each["unit"], each["bound"], each["title"], each["title_zh"], ", ".join(each["scopes"]))
        for each in rules
    ]
    words.table(out, "Rules", ("rule", "unit", "is", "~what", "~?", "~scopes"), cells)
