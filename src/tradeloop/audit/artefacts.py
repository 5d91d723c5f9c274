"""The files a run leaves behind, under S1's names and with S1's fields (S1-11, S1-31 to S1-38).

    broker_submit_YYYYMMDD_HHMMSS.json        the run and what was handed to the broker, or would have been in a dry-run
    broker_orders_YYYYMMDD_HHMMSS.parquet     one row for each order as it stands
    broker_fills_YYYYMMDD_HHMMSS.parquet      one row for each fill
    broker_reconcile_YYYYMMDD_HHMMSS.json     target against held line by line, and the open breaks

Promises: a file is there whole or not at all, none is ever overwritten, and no number passes through a binary
float. Amounts are decimal128(38, 12) in Parquet and text in JSON; times are nanoseconds in UTC in Parquet and
ISO 8601 in JSON; what is not known is null, never 0. A text that a spreadsheet would compute (a broker's
reject reason may begin with `=`) stands behind an apostrophe; the journal keeps it as it came.

`slippage_bp` is the cost against the arrival price in basis points of it, positive when it cost money on
either side. The arrival price is the middle of bid and ask, or the last trade where there was no quote, at
the moment the order became durable (`OrderStaged.arrival_px`): before that moment the order could not have
traded, after it the market may have moved because of it.
"""

from __future__ import annotations

import os
import re
import types
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, tzinfo
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Union, get_args, get_origin, get_type_hints

import msgspec

from tradeloop.core.errors import BadInput
from tradeloop.core.types import SECOND_NS, ZERO, Side, UtcNs

if TYPE_CHECKING:
    from arro3.core import Array, Table

SCHEMA_VERSION: Final = 1
AMOUNT_PLACES: Final = 12
AMOUNT_DIGITS: Final = 38

_AMOUNT_QUANTUM = Decimal(1).scaleb(-AMOUNT_PLACES)
_BP_QUANTUM = Decimal("0.01")
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_SAME_SECOND_MAX = 1000
_STAMP = re.compile(r"[0-9]{8}_[0-9]{6}(_[0-9]+)?")


class OrderRow(msgspec.Struct, frozen=True):
    """One order of a run (S1-35, S1-36, S1-37). `order_price` is None for a market order; money is in
    `currency`.
    """

    run_id: str
    client_order_id: str
    leg: int
    ts_code: str
    side: str
    target_weight: Decimal
    order_qty: Decimal
    order_price: Decimal | None
    currency: str
    status: str
    status_time: UtcNs | None
    reject_reason: str
    filled_qty: Decimal
    filled_amount: Decimal
    avg_fill_price: Decimal | None
    arrival_price: Decimal | None
    slippage_bp: Decimal | None
    fee: Decimal
    broker_order_id: str = ""


class FillRow(msgspec.Struct, frozen=True):
    """One fill. Its identity at the broker is trading day, `exec_id` and side."""

    run_id: str
    client_order_id: str
    exec_id: str
    ts_code: str
    side: str
    trading_day: str
    fill_time: UtcNs | None
    fill_qty: Decimal
    fill_price: Decimal
    fill_amount: Decimal
    fee: Decimal
    currency: str
    liquidity: str = ""
    broker_order_id: str = ""


class ReconcileRow(msgspec.Struct, frozen=True):
    """Target against held for one symbol (S1-19, S1-38). `held_qty` is ours, `broker_qty` the broker's, None
    where it was not asked.

    `residual_qty` is what is missing to the target, and `reason` why. `beside_qty` is the part of `held_qty` that
    other runs and single orders traded since; `moved_qty` the part that neither the start nor any fill of ours
    accounts for: it changed by another hand, and no reason of the run explains it.
    """

    run_id: str
    ts_code: str
    side: str
    target_weight: Decimal
    target_qty: Decimal
    start_qty: Decimal
    order_qty: Decimal
    filled_qty: Decimal
    filled_amount: Decimal
    avg_fill_price: Decimal | None
    slippage_bp: Decimal | None
    held_qty: Decimal
    broker_qty: Decimal | None
    residual_qty: Decimal
    code: str = ""
    reason: str = ""
    beside_qty: Decimal = ZERO
    moved_qty: Decimal = ZERO

    @property
    def left_with(self) -> Decimal:
        """What the run itself left: the start and its own fills."""
        return self.held_qty - self.moved_qty - self.beside_qty


class BreakRow(msgspec.Struct, frozen=True):
    """One open difference between our books, the broker's and the target, and what would close it."""

    break_id: str
    kind: str
    subject: str
    ours: str
    theirs: str
    cause: str
    repair: str
    found_at: UtcNs | None = None


class RunSummary(msgspec.Struct, frozen=True):
    """What a run was made from and what became of it. `inputs` are (what, sha256) of the imported files.

    `equity_of` is the run whose equity the weights of a retry are fractions of, its first attempt; empty for that one itself.
    `max_quote_age_s` is how old a price could be for this run, in seconds of the market: on a fast replay more than is set.
    """

    run_id: str
    project_id: str
    decision_snapshot_id: str
    mode: str
    trade_date: str
    attempt: int
    broker: str
    account: str
    currency: str
    created_by: str
    status: str
    content_hash: str
    rounding: str
    equity: Decimal
    cash: Decimal
    active_champion_id: str = ""
    target_exposure: Decimal | None = None
    risk_checks: dict[str, bool] = {}
    inputs: tuple[tuple[str, str], ...] = ()
    code: str = ""
    text: str = ""
    requested_at: UtcNs | None = None
    started_at: UtcNs | None = None
    finished_at: UtcNs | None = None
    supersedes: str = ""
    equity_of: str = ""
    max_quote_age_s: Decimal | None = None


class Result(msgspec.Struct, frozen=True):
    """Where the three files of a result are."""

    orders: Path
    fills: Path
    reconcile: Path


def slippage_bp(side: Side, arrival_px: Decimal | None, avg_fill_px: Decimal | None) -> Decimal | None:
    """Cost against the arrival price, in hundredths of a basis point exact; positive is a cost. None where a
    price is not known.
    """
    if arrival_px is None or avg_fill_px is None or arrival_px <= ZERO:
        return None
    paid_more = avg_fill_px - arrival_px if side is Side.BUY else arrival_px - avg_fill_px
    return (paid_more / arrival_px * 10_000).quantize(_BP_QUANTUM, rounding=ROUND_HALF_EVEN)


def average_px(prices_and_qtys: Sequence[tuple[Decimal, Decimal]]) -> Decimal | None:
    """Average price weighted by quantity, to twelve places and without zeros behind; None where nothing traded."""
    qty = sum((qty for _, qty in prices_and_qtys), ZERO)
    if qty == ZERO:
        return None
    average = (sum((px * qty for px, qty in prices_and_qtys), ZERO) / qty).quantize(_AMOUNT_QUANTUM)
    return Decimal(f"{average.normalize():f}")


def write_submit(folder: Path, at: UtcNs, run: RunSummary, orders: Sequence[OrderRow], zone: tzinfo = UTC) -> Path:
    """Write `broker_submit_*.json`; `at` in `zone` gives its name. Raises BadInput when it can not be
    written.
    """
    document = {
        "schema_version": SCHEMA_VERSION,
        "written_at": _iso(at),
        "run": _plain(run),
        "orders": [_plain(row) for row in orders],
    }
    name = f"broker_submit_{_free_stamp(folder, at, zone, ['broker_submit_{}.json'])}.json"
    return _publish(folder, name, _json(document))


def write_result(
    folder: Path,
    at: UtcNs,
    run: RunSummary,
    orders: Sequence[OrderRow],
    fills: Sequence[FillRow],
    lines: Sequence[ReconcileRow],
    breaks: Sequence[BreakRow],
    zone: tzinfo = UTC,
) -> Result:
    """Write `broker_reconcile_*.json`, `broker_orders_*.parquet` and `broker_fills_*.parquet` under one time
    stamp.

    The JSON comes first, so that it is there even where BadInput says that Parquet needs `pip install
    tradeloop[parquet]`.
    """
    patterns = ["broker_reconcile_{}.json", "broker_orders_{}.parquet", "broker_fills_{}.parquet"]
    stamp = _free_stamp(folder, at, zone, patterns)
    document = {
        "schema_version": SCHEMA_VERSION,
        "written_at": _iso(at),
        "run": _plain(run),
        "lines": [_plain(row) for row in lines],
        "breaks": [_plain(row) for row in breaks],
    }
    reconcile = _publish(folder, f"broker_reconcile_{stamp}.json", _json(document))
    return Result(
        orders=_publish(folder, f"broker_orders_{stamp}.parquet", _parquet(OrderRow, orders)),
        fills=_publish(folder, f"broker_fills_{stamp}.parquet", _parquet(FillRow, fills)),
        reconcile=reconcile,
    )


# --- what is there


def newest(folder: Path, pattern: str) -> Path | None:
    """The file of this kind with the newest time in its name, of one second the one written last. No copy of one."""
    ours = (path for path in folder.glob(pattern) if _STAMP.fullmatch(stamp_of(path)))
    return max(ours, key=lambda path: _in_order(stamp_of(path)), default=None)


def stamp_of(path: Path) -> str:
    """The time in the name of an artefact: 20260706_093001, or 20260706_093001_2 for the second one of that second."""
    return "_".join(path.stem.split("_")[2:])


def has_parquet() -> bool:
    """Whether Parquet files can be written here: the package is an extra."""
    try:
        import arro3.io  # noqa: F401 - it is here or not
    except ImportError:
        return False
    return True


def as_written(path: Path | None) -> dict[str, Any] | None:
    """What a JSON artefact says; None where there is none, or none that could be read."""
    if path is None:
        return None
    try:
        found = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    except (OSError, msgspec.MsgspecError):
        return None
    return found if found.get("schema_version") == SCHEMA_VERSION else None


def _in_order(stamp: str) -> tuple[str, int]:
    parts = stamp.split("_")
    number = parts[2] if len(parts) > 2 else ""
    return "_".join(parts[:2]), int(number) if number.isdecimal() else 1


# --- JSON


def _plain(row: msgspec.Struct) -> dict[str, Any]:
    """A row as JSON has it: amounts as text, times as ISO 8601, null for what is not known."""
    found: dict[str, Any] = {}
    for name, kind in _columns(type(row)):
        value = getattr(row, name)
        if value is None:
            found[name] = None
        elif kind is UtcNs:
            found[name] = _iso(value)
        elif kind is Decimal:
            found[name] = f"{_amount(value, name):f}"
        else:
            found[name] = _harmless_within(value)
    return found


def _json(document: dict[str, Any]) -> Callable[[BinaryIO], None]:
    payload = msgspec.json.format(msgspec.json.encode(document), indent=2)

    def write(file: BinaryIO) -> None:
        file.write(payload + b"\n")

    return write


def _iso(at: UtcNs) -> str:
    whole, ns = divmod(at, SECOND_NS)
    return f"{datetime.fromtimestamp(whole, UTC):%Y-%m-%dT%H:%M:%S}.{ns:09}Z"


# --- Parquet


def _parquet(kind: type[msgspec.Struct], rows: Sequence[msgspec.Struct]) -> Callable[[BinaryIO], None]:
    try:
        from arro3.io import write_parquet
    except ImportError:
        raise BadInput(
            "Parquet files need the package arro3, which is not installed; pip install 'tradeloop[parquet]'"
        ) from None
    table = _table(kind, rows)

    def write(file: BinaryIO) -> None:
        write_parquet(table, file, compression="zstd(3)")

    return write


def _table(kind: type[msgspec.Struct], rows: Sequence[msgspec.Struct]) -> Table:
    from arro3.core import Table

    columns = _columns(kind)
    return Table.from_pydict({name: _array(name, type_, [getattr(row, name) for row in rows]) for name, type_ in columns})


def _array(name: str, kind: object, values: list[Any]) -> Array:
    """One column. Decimals and times go in as text and integers and are cast by Arrow, which keeps them
    exact.
    """
    from arro3.core import Array, DataType

    if kind is Decimal:
        written = [None if value is None else f"{_amount(value, name):f}" for value in values]
        return Array(written, type=DataType.utf8()).cast(DataType.decimal128(AMOUNT_DIGITS, AMOUNT_PLACES))
    if kind is UtcNs:
        return Array(values, type=DataType.int64()).cast(DataType.timestamp("ns", tz="UTC"))
    if kind is int:
        return Array(values, type=DataType.int64())
    return Array([None if value is None else _harmless(value) for value in values], type=DataType.utf8())


# --- values


def _columns(kind: type[msgspec.Struct]) -> list[tuple[str, object]]:
    """(name, type without None) of every field, in order."""
    hints = get_type_hints(kind)
    columns = []
    for name in kind.__struct_fields__:
        hint = hints[name]
        if get_origin(hint) in (Union, types.UnionType):
            (hint,) = (each for each in get_args(hint) if each is not type(None))
        columns.append((name, hint))
    return columns


def _amount(value: Decimal, name: str) -> Decimal:
    """The number itself where twelve places and 26 digits before them carry it; Arrow would make it null
    without a word.
    """
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or value.adjusted() >= AMOUNT_DIGITS - AMOUNT_PLACES:
        raise BadInput(f"{name} was {value}; expected a number of at most 26 digits before the point")
    if exponent < -AMOUNT_PLACES and value != value.quantize(_AMOUNT_QUANTUM):
        raise BadInput(f"{name} was {value}; expected at most {AMOUNT_PLACES} decimal places, round it first")
    return value


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def _harmless_within(value: Any) -> Any:
    """The same for the texts inside lists and objects."""
    match value:
        case str():
            return _harmless(value)
        case tuple():
            return [_harmless_within(each) for each in value]
        case dict():
            return {_harmless(key): _harmless_within(each) for key, each in value.items()}
        case _:
            return value


# --- files


def _free_stamp(folder: Path, at: UtcNs, zone: tzinfo, patterns: Sequence[str]) -> str:
    """The time stamp of S1's names, with a number behind it where another run of the same second was here
    before.
    """
    second = f"{datetime.fromtimestamp(at // SECOND_NS, UTC).astimezone(zone):%Y%m%d_%H%M%S}"
    for number in range(1, _SAME_SECOND_MAX):
        stamp = second if number == 1 else f"{second}_{number}"
        if not any((folder / pattern.format(stamp)).exists() for pattern in patterns):
            return stamp
    raise BadInput(f"{folder} holds {_SAME_SECOND_MAX - 1} artefacts of {second}; expected a new folder, move them away")


def _publish(folder: Path, name: str, write: Callable[[BinaryIO], None]) -> Path:
    """Write a file whole under its name: first beside it and to the disk, then named, never over another one."""
    final = folder / name
    with _said_plainly(final):
        folder.mkdir(parents=True, exist_ok=True)
        part = folder / f".{name}.{os.getpid()}.part"
        try:
            with part.open("wb") as file:
                write(file)
                file.flush()
                os.fsync(file.fileno())
            _name(part, final)
        finally:
            part.unlink(missing_ok=True)
        _sync_folder(folder)
    return final


def _name(part: Path, final: Path) -> None:
    """Give the finished file its name; FileExistsError where that is taken, which a rename would not say."""
    try:
        os.link(part, final)
    except FileExistsError:
        raise
    except OSError:
        # No hard links on this file system: take the name first, then put the content under it.
        final.open("xb").close()
        part.replace(final)


def _sync_folder(folder: Path) -> None:
    """Make the new name durable; Windows has no such call and needs none."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _said_plainly(final: Path) -> Iterator[None]:
    try:
        yield
    except FileExistsError:
        raise BadInput(f"{final} exists and is not overwritten; move it away or write again") from None
    except OSError as error:
        raise BadInput(f"{final} can not be written ({error.strerror or error}); free space or name another folder") from None
