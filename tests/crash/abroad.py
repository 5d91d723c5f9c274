"""A day at a venue in another process: it outlives the desk, plays a market by its own clock, and misbehaves when told to.

Prices stand still and the account can pay for everything, so that every history of the same target ends in the same positions
and, to the cent, in the same cash.
"""

from __future__ import annotations

import json
import os
import random
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import IO, Any, Final

from tests.crash.rehearsal import DAY, write_target

from tradeloop.core.events import Event, OrderStaged, SendBegun
from tradeloop.journal import codec

BEGIN: Final = f"{DAY}T13:31:00Z"
ACCOUNT: Final = "rehearsal"
HELD: Final = {f"H{chr(65 + n)}X.US": 1200 + 100 * n for n in range(5)}
WANTED: Final = [f"W{chr(65 + n // 26)}{chr(65 + n % 26)}.US" for n in range(30)]
PRICES: Final = {symbol: Decimal(10 + n % 7) for n, symbol in enumerate([*HELD, *WANTED])}
RECORDED_S: Final = 1800
QUOTE_EVERY_S: Final = 5
CASH: Final = 1500
SLICE: Final = ("50", "350")
"""What trades at a time, and milliseconds between. With little cash and slow sells the buys leave one by one."""
ANSWER_MS, LIVES_MS = 800, 4000
LATE_MS: Final = (1200, 2500, 3600)
"""One for each day. A late request arrives when its sender has died: while the next process starts, after its first look at the
books, or where that would have sent it again; always before the venue throws it away.
"""
SILENCE: Final = ("swallow", "lose_ack")
"""Together: the order works and nothing ever says so. Only the books do."""
FAULTS: Final = (SILENCE, ("lose_trade",), ("swap",), ("cut_after", "lose_ack"), ("garble",), ("late",), ("pieces 5",))


def write_market(folder: Path) -> Path:
    """Quotes of every name around the price at which the venue trades it."""
    path = folder / "quotes.csv"
    with path.open("w", encoding="ascii") as out:
        out.write("ts,symbol,bid,ask,bid_size,ask_size,last,last_size,cum_volume\n")
        for second in range(0, RECORDED_S, QUOTE_EVERY_S):
            at = 13 * 3600 + 30 * 60 + second
            stamp = f"{DAY}T{at // 3600:02d}:{at // 60 % 60:02d}:{at % 60:02d}Z"
            for symbol, px in PRICES.items():
                out.write(f"{stamp},{symbol},{px - Decimal('0.01')},{px + Decimal('0.01')},5000,5000,{px},100,100\n")
    return path


def write_switch(folder: Path) -> tuple[Path, Path]:
    """A target that sells everything held and buys thirty names."""
    return write_target(folder, "switch", {**dict.fromkeys(HELD, "0"), **dict.fromkeys(WANTED, "0.032")})


class VenueProcess:
    """The toy venue as a process that nothing kills, and the hand on its faults."""

    def __init__(self, late_ms: int = LATE_MS[0]) -> None:
        command = [sys.executable, "-m", "tradeloop.venues.toy", "--account", ACCOUNT, "--cash", str(CASH), "--day", DAY]
        command += ["--begin", BEGIN, "--slice", SLICE[0], "--slice-ms", SLICE[1], "--late-ms", str(late_ms)]
        # It remembers no ids: one that did would refuse the second order that this lane is there to find.
        command += ["--dedupes", "never"]
        for symbol, px in PRICES.items():
            command += ["--price", f"{_theirs(symbol)}={px}"]
        for symbol, qty in HELD.items():
            command += ["--hold", f"{_theirs(symbol)}={qty}"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        said = self._line()
        self._at, self._mono = int(said["at"]), time.monotonic_ns()
        self.port = int(said["listening"].rpartition(":")[2])

    def __enter__(self) -> VenueProcess:
        return self

    def __exit__(self, *_: object) -> None:
        _pipe(self.process.stdin).close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        _pipe(self.process.stdout).close()

    def now(self) -> str:
        """What the venue's clock says."""
        ns = self._at + time.monotonic_ns() - self._mono
        return f"{datetime.fromtimestamp(ns // 10**9, UTC):%Y-%m-%dT%H:%M:%S}.{ns // 1000 % 10**6:06d}+00:00"

    def type(self, command: str) -> dict[str, Any]:
        """Have it do something; what it answered."""
        stdin = _pipe(self.process.stdin)
        stdin.write(command + "\n")
        stdin.flush()
        answer = self._line()
        assert "error" not in answer, answer
        return answer

    def misbehave(self, moments: random.Random) -> None:
        """Arm some faults, for the next opportunities of each."""
        for fault in chain(*moments.sample(FAULTS, 3)):
            self.type(f"fault {fault}")

    def say_again(self, moments: random.Random) -> None:
        """Say some trades of the day once more, to whoever listens now."""
        trades = self.type("books")["trades"]
        for trade in moments.sample(trades, min(3, len(trades))):
            self.type(f"redeliver {trade['exec_id']}")

    def _line(self) -> dict[str, Any]:
        line = _pipe(self.process.stdout).readline()
        assert line, "the venue ended"
        answer: dict[str, Any] = json.loads(line)
        return answer


class Books:
    """What the venue says at the end; the judge."""

    def __init__(self, shown: dict[str, Any]) -> None:
        self.ids = [order["cl_ord_id"] for order in shown["orders"]]
        self.open = [order for order in shown["orders"] if order["status"] in {"working", "part"}]
        self.orders = Counter((order["symbol"], order["side"], order["qty"]) for order in shown["orders"])
        self.traded: Counter[tuple[str, str]] = Counter()
        for trade in shown["trades"]:
            self.traded[trade["symbol"], trade["side"]] += int(trade["qty"])
        self.positions = {_ours(each["symbol"]): Decimal(each["qty"]) for each in shown["positions"]}
        self.cash = Decimal(shown["cash"][0]["balance"])


class DeskProcess:
    """One `tradeloop` process. It writes to files: a pipe that nobody empties would stop it."""

    def __init__(self, home: Path, command: tuple[str, ...]) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TRADELOOP_")}
        environment["TRADELOOP_ENGINE__RECONCILE_EVERY_S"] = "2"
        self._out, self._err = home / "last.out", home / "last.err"
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tradeloop", "--home", str(home), *command, "--json"],
                stdout=out, stderr=err, env=environment,
            )  # fmt: skip

    @property
    def exit_code(self) -> int | None:
        """None while it lives."""
        return self._process.poll()

    def kill(self) -> None:
        """SIGKILL, and the wait for it."""
        self._process.kill()
        self._process.wait()

    def document(self, timeout_s: float) -> Any:
        """Wait for a good end; what it printed."""
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"not at its end after {timeout_s} s\n{self.said()}") from None
        assert self.exit_code == 0, f"exit {self.exit_code}\n{self.said()}"
        return json.loads(self._out.read_bytes())

    def said(self) -> str:
        """The end of what it printed."""
        return "\n".join(each.read_text(encoding="utf-8", errors="replace")[-2000:] for each in (self._out, self._err))


class DeskAbroad:
    """One home folder, and the processes that trade in it at the venue."""

    def __init__(self, home: Path, market: Path, venue: VenueProcess) -> None:
        self.home = home
        self.venue = venue
        self._market = market
        self._last: DeskProcess | None = None
        home.mkdir(mode=0o700)
        settings = home / "broker.yaml"
        settings.write_text(
            f"kind: toy\naccount: {ACCOUNT}\ntoy:\n  port: {venue.port}\n  token: toy-token\n"
            f"  answer_ms: {ANSWER_MS}\n  lives_ms: {LIVES_MS}\n  dedupes: never\n",
            encoding="ascii",
        )
        settings.chmod(0o600)

    def __enter__(self) -> DeskAbroad:
        return self

    def __exit__(self, *_: object) -> None:
        if self._last is not None and self._last.exit_code is None:
            self._last.kill()

    def start(self, target: tuple[Path, Path]) -> DeskProcess:
        """Begin, or go on with, the run of a target: a real process, in the venue's time."""
        portfolio, context = target
        return self._process(
            "run", str(portfolio), "--context", str(context), "--feed", str(self._market), "--start", self.venue.now(), "--yes"
        )

    def finish(self, target: tuple[Path, Path], timeout_s: float = 120) -> dict[str, Any]:
        """Run to the end; the document it prints."""
        document: dict[str, Any] = self.start(target).document(timeout_s)
        return document

    def asked(self, *command: str) -> Any:
        """What a command that only reads prints."""
        return self._process(*command).document(60)

    def rows(self) -> int:
        """How many rows the journal has; 0 before it is there."""
        try:
            with closing(sqlite3.connect(f"file:{self.home / 'tradeloop.db'}?mode=ro", uri=True)) as db:
                found: int | None = db.execute("SELECT max(batch) FROM journal").fetchone()[0]
        except sqlite3.OperationalError:
            return 0
        return found or 0

    def events(self, after: int = 0) -> list[Event]:
        """What the journal holds after a row."""
        try:
            with closing(sqlite3.connect(f"file:{self.home / 'tradeloop.db'}?mode=ro", uri=True)) as db:
                rows = db.execute("SELECT payload FROM journal WHERE batch > ? ORDER BY batch", (after,)).fetchall()
        except sqlite3.OperationalError:
            return []
        return [event for (payload,) in rows for event in codec.decode(payload)]

    def unanswered(self, after: int) -> list[str]:
        """Ids of orders whose last word after a row is that their sending began."""
        last: dict[str, bool] = {}
        for event in self.events(after):
            cl_ord_id = getattr(event, "cl_ord_id", None)
            if cl_ord_id is not None:
                last[cl_ord_id] = isinstance(event, SendBegun)
        return [cl_ord_id for cl_ord_id, begun in last.items() if begun]

    def staged(self) -> set[str]:
        """Ids of every order our journal knows it meant."""
        return {event.cl_ord_id for event in self.events() if isinstance(event, OrderStaged)}

    def _process(self, *command: str) -> DeskProcess:
        self._last = DeskProcess(self.home, command)
        return self._last


def _pipe(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None
    return pipe


def _theirs(symbol: str) -> str:
    return ":".join(reversed(symbol.split(".")))


def _ours(symbol: str) -> str:
    return ".".join(reversed(symbol.split(":")))
