"""Runs, from a target to positions: what may be asked of the desk about them. Each function makes an `Ask`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from tradeloop.client.ask import Ask, Number, amount, asked, at, present
from tradeloop.client.runs_told import Artefacts, RunInFull, Runs, RunTaken

PATH = "/api/trade/runs"


class Line(msgspec.Struct, frozen=True):
    """One line of a target: what to hold, and how much of the equity, as a fraction such as 0.25."""

    symbol: str
    weight: Number
    price: Number | None = None
    name: str = ""
    industry: str = ""

    def body(self) -> dict[str, Any]:
        """As it is sent."""
        numbers = {"weight": amount(self.weight), "price": amount(self.price)}
        return present(symbol=self.symbol, name=self.name, industry=self.industry, **numbers)


def make(
    portfolio: Sequence[Line],
    *,
    context: dict[str, Any] | None = None,
    execute: bool = False,
    hold: bool = False,
    dry_run: bool = False,
) -> Ask[RunTaken]:
    """Make a run, or show its plan. A run is made once for its project, snapshot, mode and trade date, which `context` names:
    sent twice it is answered with the run there is. Without a context it is not.
    """
    flags = {"execute": execute or None, "hold": hold or None, "dry_run": dry_run or None}
    body = present(portfolio=[line.body() for line in portfolio], context=context, **flags)
    return Ask("POST", PATH, RunTaken, body=body, is_harmless=dry_run or context is not None)


def listed(
    *, status: str = "", project_id: str = "", trade_date: str = "", limit: int = 100, cursor: str | None = None
) -> Ask[Runs]:
    """Runs, newest first."""
    query = asked(status=status, project_id=project_id, trade_date=trade_date, limit=limit, cursor=cursor)
    return Ask("GET", PATH, Runs, query=query)


def get(run_id: str) -> Ask[RunInFull]:
    """A run with its lines."""
    return Ask("GET", at(PATH + "/{run_id}", run_id=run_id), RunInFull)


def artefacts(run_id: str) -> Ask[Artefacts]:
    """The files that a run left behind."""
    return Ask("GET", at(PATH + "/{run_id}/artefacts", run_id=run_id), Artefacts)


def artefact(run_id: str, name: str) -> Ask[bytes]:
    """One of them, as it was written."""
    return Ask("GET", at(PATH + "/{run_id}/artefacts/{name}", run_id=run_id, name=name), bytes)


def execute(run_id: str) -> Ask[RunTaken]:
    """Let a run that was made without execute go."""
    return _conduct(run_id, "execute", is_harmless=True)


def approve(run_id: str) -> Ask[RunTaken]:
    """Approve a run that waits for it."""
    return _conduct(run_id, "approve")


def pause(run_id: str, reason: str = "") -> Ask[RunTaken]:
    """Send no further orders of a run."""
    return _conduct(run_id, "pause", reason)


def resume(run_id: str) -> Ask[RunTaken]:
    """Go on with a paused run."""
    return _conduct(run_id, "resume")


def cancel(run_id: str, reason: str = "") -> Ask[RunTaken]:
    """Send no further orders of a run and cancel what works."""
    return _conduct(run_id, "cancel", reason)


def retry(run_id: str) -> Ask[RunTaken]:
    """A new attempt at what a run that ended left over."""
    return _conduct(run_id, "retry")


def _conduct(run_id: str, what: str, reason: str = "", *, is_harmless: bool = False) -> Ask[RunTaken]:
    path = at(PATH + "/{run_id}/" + what, run_id=run_id)
    return Ask("POST", path, RunTaken, query=asked(reason=reason), is_harmless=is_harmless)
