"""The paper broker's own SQLite file: one transaction per step, WAL with synchronous FULL, numbers as text.

A file belongs to one broker name and account; opening it under another is refused. Two processes on one file would each
believe their own counters, so every commit is conditional on the step number of the last one, and the loser stops.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Final

import msgspec

from tradeloop.brokers.paper.records import PaperCash, PaperDay, PaperOpening, PaperOrder, PaperPosition, kept_since
from tradeloop.core.errors import BadInput, JournalFailed, NotSent, TradeloopError
from tradeloop.core.instrument import Instrument
from tradeloop.core.reports import Execution
from tradeloop.core.types import AccountID, ClOrdID, ExecID, Symbol, UtcNs

FORMAT: Final = 1
_BUSY_MS: Final = 5_000
_CLAIM_MS: Final = 250
"""A claim is tried again by whoever opens the session, and nothing else happens meanwhile."""
_PRIMARY: Final = 0xFF
"""What of an error code is not its detail (https://sqlite.org/rescode.html)."""

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS meta (
    broker TEXT NOT NULL, account TEXT NOT NULL, format INTEGER NOT NULL,
    step INTEGER NOT NULL, last_order INTEGER NOT NULL, last_exec INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS orders (
    no INTEGER PRIMARY KEY, order_id TEXT NOT NULL UNIQUE, cl_ord_id TEXT, symbol TEXT NOT NULL,
    side TEXT NOT NULL, order_qty TEXT NOT NULL, cum_qty TEXT NOT NULL, ord_status TEXT NOT NULL,
    trading_day TEXT NOT NULL, working INTEGER NOT NULL, body BLOB NOT NULL);
CREATE UNIQUE INDEX IF NOT EXISTS orders_cl_ord_id ON orders (cl_ord_id);
CREATE INDEX IF NOT EXISTS orders_working ON orders (working, trading_day);
CREATE TABLE IF NOT EXISTS executions (
    exec_id TEXT PRIMARY KEY, cl_ord_id TEXT, order_id TEXT, symbol TEXT NOT NULL, side TEXT NOT NULL,
    last_qty TEXT NOT NULL, last_px TEXT NOT NULL, commission TEXT, trading_day TEXT NOT NULL,
    transact_at INTEGER NOT NULL, busted INTEGER NOT NULL, body BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS executions_transact_at ON executions (transact_at);
CREATE INDEX IF NOT EXISTS executions_trading_day ON executions (trading_day);
CREATE TABLE IF NOT EXISTS positions (
    symbol TEXT PRIMARY KEY, long_today TEXT NOT NULL, long_yesterday TEXT NOT NULL, long_cost TEXT NOT NULL,
    short_today TEXT NOT NULL, short_yesterday TEXT NOT NULL, short_cost TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS openings (symbol TEXT PRIMARY KEY, trading_day TEXT NOT NULL, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS cash (currency TEXT PRIMARY KEY, balance TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS days (session TEXT PRIMARY KEY, trading_day TEXT NOT NULL, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS instruments (symbol TEXT PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS bars (symbol TEXT PRIMARY KEY, at INTEGER NOT NULL);
"""

_ENCODE: Final = msgspec.json.Encoder().encode
_ORDER: Final = msgspec.json.Decoder(PaperOrder)
_EXECUTION: Final = msgspec.json.Decoder(Execution)
_DAY: Final = msgspec.json.Decoder(PaperDay)
_OPENING: Final = msgspec.json.Decoder(PaperOpening)
_INSTRUMENT: Final = msgspec.json.Decoder(Instrument)


class BooksChanged(TradeloopError):
    """Another process wrote these books since we read them; the message says what to do."""


class Loaded(msgspec.Struct):
    """What a file held when it was opened: open orders, and the orders and executions of the days that matter."""

    last_order: int
    last_exec: int
    orders: list[PaperOrder]
    executions: list[Execution]
    positions: list[PaperPosition]
    openings: list[PaperOpening]
    cash: list[PaperCash]
    days: list[PaperDay]
    instruments: list[Instrument]
    bars: list[tuple[Symbol, UtcNs]]


def gone(path: Path) -> str:
    """What is said of books that were written before, and are not there."""
    found = "the file is empty" if path.exists() else "there is no such file"
    return (
        f"paper books {path} are gone: expected the broker's own record of the account, but {found}; put it back from a backup,"
        " or begin anew in a home of its own with --home"
    )


class Store:
    """One open file. `begun` is one that has been written before: where it is gone, it is not made anew."""

    def __init__(self, path: Path, *, begun: bool = False) -> None:
        self.path = path
        self._begun = begun
        self.step = 0
        if begun and not (path.exists() and path.stat().st_size):
            raise JournalFailed(gone(path))
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, isolation_level=None)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.execute(f"PRAGMA busy_timeout={_BUSY_MS}")
            self._db.executescript(_SCHEMA)
        except (sqlite3.OperationalError, OSError) as error:
            raise JournalFailed(
                f"paper books {path} could not be opened ({error}); free space on the disk, make the file and its folder"
                " writable by this user, or mount a disk for writing that is read-only, and start again"
            ) from error
        except sqlite3.Error as error:
            raise self._damaged(str(error)) from error

    def _damaged(self, why: str) -> JournalFailed:
        return JournalFailed(
            f"paper books {self.path} could not be read ({why}); expected the SQLite file that this broker wrote: put it back"
            " from a backup, or begin anew in a home of its own with --home"
        )

    def load(self, broker: str, account: AccountID) -> Loaded | None:
        """The books in the file, or None when it is new (it then belongs to `broker` and `account`)."""
        try:
            return self._load(broker, account)
        except sqlite3.OperationalError:
            raise  # the disk, not what is on it
        except (sqlite3.DatabaseError, msgspec.DecodeError, InvalidOperation) as error:
            text = "a number in it is none" if isinstance(error, InvalidOperation) else str(error)
            raise self._damaged(text) from error

    def _load(self, broker: str, account: AccountID) -> Loaded | None:
        row = self._db.execute("SELECT broker, account, format, step, last_order, last_exec FROM meta").fetchone()
        if self._begun and (row is None or row[3] == 0):
            raise JournalFailed(gone(self.path))
        if row is None:
            self._db.execute("INSERT INTO meta VALUES (?, ?, ?, 0, 0, 0)", (broker, account, FORMAT))
            return None
        if (row[0], row[1]) != (broker, account):
            raise BadInput(
                f"paper books {self.path} belong to broker {row[0]!r}, account {row[1]!r}; "
                f"expected {broker!r}, {account!r}: give each paper account its own file"
            )
        if row[2] != FORMAT:
            raise BadInput(
                f"paper books {self.path} have format {row[2]}; this program reads format {FORMAT}: "
                "use the program that wrote them"
            )
        if row[3] == 0:  # created, but never committed to: the opening cash is still to come
            return None
        self.step = row[3]
        read = self._db.execute
        days = [_DAY.decode(body) for (body,) in read("SELECT body FROM days ORDER BY session")]
        oldest, since = kept_since(days) or ("", 0)
        return Loaded(
            last_order=row[4],
            last_exec=row[5],
            orders=[
                _ORDER.decode(body)
                for (body,) in read("SELECT body FROM orders WHERE working = 1 OR trading_day >= ? ORDER BY no", (oldest,))
            ],
            executions=[
                _EXECUTION.decode(body)
                for (body,) in read(
                    "SELECT body FROM executions WHERE busted = 0 AND (trading_day >= ? OR transact_at >= ?) ORDER BY exec_id",
                    (oldest, since),
                )
            ],
            positions=[
                PaperPosition(r[0], *(Decimal(text) for text in r[1:])) for r in read("SELECT * FROM positions ORDER BY symbol")
            ],
            openings=[_OPENING.decode(body) for (body,) in read("SELECT body FROM openings ORDER BY symbol")],
            cash=[
                PaperCash(currency, Decimal(balance))
                for currency, balance in read("SELECT currency, balance FROM cash ORDER BY currency")
            ],
            days=days,
            instruments=[_INSTRUMENT.decode(body) for (body,) in read("SELECT body FROM instruments ORDER BY symbol")],
            bars=[(symbol, at) for symbol, at in read("SELECT symbol, at FROM bars ORDER BY symbol")],
        )

    def claim(self, last_order: int, last_exec: int) -> None:
        """Be the only one who writes from now on: a process that had the file open before, and wakes in the middle of a step,
        can not end it. Raises NotSent while such a process holds the file, sqlite3.Error for another fault of it, BooksChanged
        when another process wrote since this one read them.
        """
        self._db.execute(f"PRAGMA busy_timeout={_CLAIM_MS}")
        try:
            self._take_step(last_order, last_exec)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & _PRIMARY != sqlite3.SQLITE_BUSY:
                raise
            raise NotSent(
                f"paper books {self.path} are held by another process that is in the middle of a write, stopped or waiting for"
                " its disk; end it, and this one takes over"
            ) from error
        finally:
            self._db.execute(f"PRAGMA busy_timeout={_BUSY_MS}")
        self.step += 1

    def _take_step(self, last_order: int, last_exec: int) -> None:
        moved = self._db.execute(
            "UPDATE meta SET step = step + 1, last_order = ?, last_exec = ? WHERE step = ?", (last_order, last_exec, self.step)
        )
        if moved.rowcount != 1:
            raise BooksChanged(
                f"paper books {self.path} were changed by another process; expected to be their only user: "
                "stop the other process and start again"
            )

    def find_order(self, cl_ord_id: ClOrdID) -> PaperOrder | None:
        """The order that carries this client id."""
        row = self._db.execute("SELECT body FROM orders WHERE cl_ord_id = ?", (cl_ord_id,)).fetchone()
        return None if row is None else _ORDER.decode(row[0])

    def find_execution(self, exec_id: ExecID) -> Execution | None:
        """The execution with this id, unless it was busted."""
        row = self._db.execute("SELECT body FROM executions WHERE exec_id = ? AND busted = 0", (exec_id,)).fetchone()
        return None if row is None else _EXECUTION.decode(row[0])

    def executions_since(self, since: UtcNs) -> list[Execution]:
        """Executions at or after `since` that were not busted."""
        rows = self._db.execute("SELECT body FROM executions WHERE busted = 0 AND transact_at >= ? ORDER BY exec_id", (since,))
        return [_EXECUTION.decode(body) for (body,) in rows]

    def write(
        self,
        *,
        last_order: int,
        last_exec: int,
        orders: Iterable[PaperOrder],
        executions: Iterable[tuple[Execution, bool]],
        positions: Iterable[PaperPosition],
        openings: Iterable[PaperOpening],
        cash: Iterable[PaperCash],
        days: Iterable[PaperDay],
        instruments: Iterable[Instrument],
        bars: Iterable[tuple[Symbol, UtcNs]],
    ) -> None:
        """Commit one step. Raises sqlite3.Error, or BooksChanged when another process got in between; nothing is kept then."""
        db = self._db
        db.execute("BEGIN IMMEDIATE")
        try:
            self._take_step(last_order, last_exec)
            db.executemany(
                "INSERT INTO orders VALUES (?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT (no) DO UPDATE SET"
                " order_qty = excluded.order_qty, cum_qty = excluded.cum_qty, ord_status = excluded.ord_status,"
                " trading_day = excluded.trading_day, working = excluded.working, body = excluded.body",
                [
                    (
                        o.no, o.order_id, o.cl_ord_id, o.symbol, o.side.value, str(o.order_qty), str(o.cum_qty),
                        o.ord_status.value, o.last_day, int(o.is_working), _ENCODE(o),
                    )
                    for o in orders
                ],
            )  # fmt: skip
            db.executemany(
                "INSERT OR REPLACE INTO executions VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
                [
                    (
                        e.exec_id, e.cl_ord_id, e.order_id, e.symbol, e.side.value, str(e.last_qty),
                        str(e.last_px), None if e.commission is None else str(e.commission), e.trading_day,
                        e.transact_at or 0, int(busted), _ENCODE(e),
                    )
                    for e, busted in executions
                ],
            )  # fmt: skip
            db.executemany(
                "INSERT OR REPLACE INTO positions VALUES (?,?,?,?,?,?,?)",
                [
                    (
                        p.symbol, str(p.long_today), str(p.long_yesterday), str(p.long_cost),
                        str(p.short_today), str(p.short_yesterday), str(p.short_cost),
                    )
                    for p in positions
                ],
            )  # fmt: skip
            db.executemany(
                "INSERT OR REPLACE INTO openings VALUES (?,?,?)", [(o.symbol, o.trading_day, _ENCODE(o)) for o in openings]
            )
            db.executemany("INSERT OR REPLACE INTO cash VALUES (?,?)", [(c.currency, str(c.balance)) for c in cash])
            db.executemany(
                "INSERT OR REPLACE INTO days VALUES (?,?,?)",
                [(d.session, d.trading_day, _ENCODE(d)) for d in days],
            )
            db.executemany("INSERT OR REPLACE INTO instruments VALUES (?,?)", [(i.symbol, _ENCODE(i)) for i in instruments])
            db.executemany("INSERT OR REPLACE INTO bars VALUES (?,?)", list(bars))
            db.execute("COMMIT")
        except (sqlite3.Error, BooksChanged):
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise
        self.step += 1

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        self._db.close()
