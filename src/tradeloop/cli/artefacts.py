"""Where a run's files go, and when they are written: a folder for each run, once, however often the command is repeated.

Files that were written while the run still worked, or before a late fill or a bust of it, stay as they are and are the run's no
more: others take their place, under a name of their own.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from tradeloop.audit.artefacts import (
    OrderRow,
    RunSummary,
    as_written,
    has_parquet,
    newest,
    stamp_of,
    write_result,
    write_submit,
)
from tradeloop.core.commands import StartRun
from tradeloop.core.run.conduct import Preview, run_id_of
from tradeloop.core.types import SECOND_NS, ZERO, RunStatus, UtcNs

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tradeloop.cli.record import Record
    from tradeloop.core.instrument import Instrument

UNSENT: Final = "unsent"
SUBMIT: Final = "broker_submit_*.json"
RECONCILE: Final = "broker_reconcile_*.json"
RESULTS: Final = (RECONCILE, "broker_orders_*.parquet", "broker_fills_*.parquet")
_ZONES: Final = {"US": "America/New_York", "CN_A": "Asia/Shanghai", "CN_FUTURES": "Asia/Shanghai", "HK": "Asia/Hong_Kong"}


def zone_of(instruments: Iterable[Instrument]) -> ZoneInfo:
    """The zone of the market a run trades in, which its file names are in; UTC where it trades in none of them."""
    return ZoneInfo(next((_ZONES[each.market] for each in instruments if each.market in _ZONES), "UTC"))


def written(folder: Path) -> list[Path]:
    """The files of a run that are there, the newest of each kind."""
    return sorted(path for pattern in (SUBMIT, *RESULTS) if (path := newest(folder, pattern)) is not None)


def write_missing(folder: Path, record: Record, at: UtcNs, zone: ZoneInfo) -> list[Path]:
    """Write what a run has not left yet, or left when it stood otherwise, and say what that was. Raises BadInput when it can
    not be written.
    """
    new: list[Path] = []
    if not _submit_stands(folder, record):
        new.append(write_submit(folder, at, record.summary(), record.order_lines(), zone))
    if not _result_stands(folder, record):
        new += write_all_results(folder, record, at, zone)
    return new


def _submit_stands(folder: Path, record: Record) -> bool:
    """Whether the newest file says of which orders the run is, and how it stands."""
    found = as_written(newest(folder, SUBMIT))
    if found is None:
        return False
    asked = [order["client_order_id"] for order in found["orders"]]
    return found["run"]["status"] == record.run.status and asked == [row.client_order_id for row in record.order_lines()]


def says_status(folder: Path, status: RunStatus) -> bool:
    """Whether the newest files, all of one time and of every kind that can be written here, say that the run stands so."""
    reconcile = newest(folder, RECONCILE)
    found = as_written(reconcile)
    if reconcile is None or found is None:
        return False
    stamp = stamp_of(reconcile)
    kinds = RESULTS if has_parquet() else (RECONCILE,)
    whole = all((folder / pattern.replace("*", stamp)).exists() for pattern in kinds)
    run = found.get("run")
    return whole and isinstance(run, dict) and run.get("status") == status.value


def _result_stands(folder: Path, record: Record) -> bool:
    """Whether the newest files, all of one time, say how the run stands and what it traded. What is held, and what differs from
    the broker's books, goes on changing when a run has ended, and is told as of then.
    """
    found = as_written(newest(folder, RECONCILE))
    if found is None or not says_status(folder, RunStatus(record.run.status)):
        return False
    traded = [(line["ts_code"], Decimal(line["filled_qty"]), Decimal(line["filled_amount"])) for line in found["lines"]]
    now = [(line.ts_code, line.filled_qty, line.filled_amount) for line in record.target_lines()]
    return traded == now


def write_all_results(folder: Path, record: Record, at: UtcNs, zone: ZoneInfo) -> list[Path]:
    """Write orders, fills and reconciliation under a new time."""
    result = write_result(
        folder,
        at,
        record.summary(),
        record.order_lines(),
        record.fill_lines(),
        record.target_lines(),
        record.break_lines(),
        zone,
    )
    return [result.reconcile, result.orders, result.fills]


def write_unsent(root: Path, cmd: StartRun, seen: Preview, at: UtcNs, zone: ZoneInfo, broker: str) -> Path:
    """The record of a dry-run, or of a run that was denied: the same file, with nothing sent, in a folder of their own."""
    denied = bool(seen.findings)
    found = (*seen.findings, *seen.following)
    run_id = run_id_of(cmd, 1)
    summary = RunSummary(
        run_id=run_id,
        project_id=cmd.project_id,
        decision_snapshot_id=cmd.decision_snapshot_id,
        mode=cmd.mode.value,
        trade_date=cmd.trade_date,
        attempt=1,
        broker=broker,
        account=cmd.account,
        currency=cmd.currency,
        created_by=cmd.by,
        status="DENIED" if denied else "DRY_RUN",
        content_hash=cmd.content_hash,
        rounding=cmd.rounding.value,
        equity=seen.equity,
        cash=seen.cash,
        active_champion_id=cmd.champion_id,
        target_exposure=cmd.target_exposure,
        risk_checks=cmd.risk_checks,
        inputs=cmd.inputs,
        code=",".join(finding.code for finding in found),
        text=" | ".join(finding.text for finding in found),
        requested_at=at,
        max_quote_age_s=Decimal(cmd.limits.max_quote_age_ns) / SECOND_NS,
    )
    orders = [
        OrderRow(
            run_id=run_id,
            client_order_id="",
            leg=line.leg,
            ts_code=line.symbol,
            side=line.side.value,
            target_weight=line.target_weight,
            order_qty=line.order_qty,
            order_price=None,
            currency=cmd.currency,
            status="NEW",
            status_time=at,
            reject_reason="",
            filled_qty=ZERO,
            filled_amount=ZERO,
            avg_fill_price=None,
            arrival_price=line.ref_px,
            slippage_bp=None,
            fee=ZERO,
        )
        for line in seen.lines
        if line.order_qty
    ]
    return write_submit(root / UNSENT, at, summary, orders, zone)
