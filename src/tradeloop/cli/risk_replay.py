"""`tradeloop risk replay`: what the limits of a file would have said of the orders that the journal records."""

from __future__ import annotations

from contextlib import aclosing
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tradeloop.cli.options import Json
from tradeloop.cli.shell import OK, Shell, Voice, perform

if TYPE_CHECKING:
    from rich.console import Console

    from tradeloop.bootstrap import Archive
    from tradeloop.core import events as ev
    from tradeloop.core.limit import RiskLimit
    from tradeloop.core.risk.judging import Verdict
    from tradeloop.core.state import State


def replay(
    ctx: typer.Context,
    from_: Annotated[str, typer.Option("--from", help="The first trading day whose orders are looked at, as 2026-01-31.")],
    file: Annotated[
        str | None, typer.Option("--file", help="Another file in the form of risk.yaml; otherwise the present one.")
    ] = None,
    json: Json = False,
) -> None:
    """Say what the present risk.yaml, or another, would have denied of the orders recorded since a day; changes nothing.

    What would have been denied has happened all the same, and counts for the orders behind it.
    """

    async def work(shell: Shell, voice: Voice) -> int:
        from tradeloop.bootstrap import configured_in, configured_limits, open_archive
        from tradeloop.core.errors import BadInput
        from tradeloop.core.risk.triggers import TRIGGERS

        try:
            first = date.fromisoformat(from_).isoformat()
        except ValueError:
            raise BadInput(f"--from was {from_[:40]!r}; expected a day such as 2026-01-31") from None
        loaded = shell.load()
        limits = (configured_limits(loaded) if file is None else configured_in(Path(file))).limits
        if not limits:
            raise BadInput(f"{file or loaded.home.limits} holds no limits or is not there, so nothing would have been denied")
        async with open_archive(loaded, fresh_views=False) as archive:
            asked, rows = await _looked_back(archive, limits, first)
        document = {
            "from": first,
            "limits": len(limits),
            "orders": asked,
            "found": rows,
            "not_replayed": sorted({limit.rule for limit in limits if limit.rule in TRIGGERS}),
        }
        voice.result(document, lambda out: _show(out, document))
        return OK

    perform(ctx, json, work)


async def _looked_back(archive: Archive, limits: tuple[RiskLimit, ...], first: str) -> tuple[int, list[dict[str, Any]]]:
    """How many orders were looked at, and what would have become of those that do not keep every limit."""
    from tradeloop.core.events import OrderStaged
    from tradeloop.core.hypothetical import Hindsight
    from tradeloop.journal import codec

    past, asked, rows = Hindsight(limits), 0, []
    async with aclosing(archive.reader.read()) as batches:  # type: ignore[type-var]
        async for batch in batches:
            for event in codec.decode(batch.payload, f"batch {batch.batch}, from sequence number {batch.first_seq} on"):
                verdict = past.feed(event)
                if verdict is None or _day(event) < first:
                    continue
                asked += isinstance(event, OrderStaged)
                rows += _rows(past.state, event, verdict)
    return asked, rows


def _day(event: Any) -> str:
    """The trading day of an order; of other terms, the day on which they were asked for."""
    from datetime import UTC, datetime

    from tradeloop.core.types import SECOND_NS

    return getattr(event, "trading_day", "") or datetime.fromtimestamp(event.at // SECOND_NS, UTC).date().isoformat()


def _rows(state: State, event: ev.Event, verdict: Verdict) -> list[dict[str, Any]]:
    from tradeloop.cli.record import iso
    from tradeloop.core.events import OrderStaged, ReplaceRequested
    from tradeloop.core.risk.judging import denied
    from tradeloop.core.risk.registry import RULES

    assert isinstance(event, OrderStaged | ReplaceRequested)
    order = state.orders.get(event.cl_ord_id)
    assert order is not None
    told = [(_word(each.limit), denied(RULES[each.limit.rule], each)) for each in verdict.told]
    if verdict.waits_for is not None:
        told.append(("throttle", denied(RULES[verdict.waits_for.limit.rule], verdict.waits_for)))
    if verdict.denied is not None:
        told.append(("deny", verdict.denied))
    return [
        {
            "order": event.cl_ord_id,
            "change": isinstance(event, ReplaceRequested),
            "at": event.at,
            "at_iso": iso(event.at),
            "side": order.side.value,
            "qty": f"{event.order_qty:f}",
            "symbol": order.symbol,
            "would": would,
            "rule": said.rule,
            "scope": said.scope,
            "limit": said.limit,
            "was": said.was,
            "this_order": said.this_order,
            "text": said.text,
        }
        for would, said in told
    ]


def _word(limit: RiskLimit) -> str:
    return "shadow" if limit.shadow else limit.severity.value


def _show(out: Console, document: dict[str, Any]) -> None:
    from tradeloop.cli import words

    found = document["found"]
    rows = [
        (
            each["order"],
            f"{each['side']} {each['qty']} {each['symbol']}{' (change)' if each['change'] else ''}",
            each["would"],
            each["rule"],
            each["scope"],
            each["limit"],
            each["was"],
            each["this_order"],
        )
        for each in found
    ]
    headings = ("order", "what", "would", "rule", "?scope", ">limit", ">was", ">this order")
    words.table(out, "Beyond these limits", headings, rows, "no order")
    orders = len({each["order"] for each in found if each["would"] == "deny"})
    out.print(
        f"{words.plural(document['orders'], 'order')} since {document['from']} looked at, {orders} would have been denied;"
        " nothing was changed",
        soft_wrap=True,
    )
    if document["not_replayed"]:
        out.print(
            f"not looked at: {', '.join(document['not_replayed'])}; these measure the desk by the quotes of each moment,"
            " which no journal holds",
            soft_wrap=True,
        )
