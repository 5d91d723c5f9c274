"""A trading day for the crash test: a made-up market of forty-five names on a real calendar day, and a desk that already
holds five.

Prices stand still and little is offered every second, so that a run takes a few seconds of the world, and so that every
history of the same target ends in the same positions.
"""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections import Counter
from decimal import Decimal
from pathlib import Path

from tradeloop.core.events import Event, OrderStaged
from tradeloop.journal import codec

DAY = "2013-10-08"
HELD = [f"H{chr(65 + n)}X.US" for n in range(5)]
WANTED = [f"W{chr(65 + n // 26)}{chr(65 + n % 26)}.US" for n in range(35)]
SECONDS = 900
SPEED = 20


def write_market(folder: Path) -> Path:
    """One quote a second for every name: 10.00 at 10.01, and about 400 shares on each side.

    The size changes each time: one that is only repeated is what is left of it, and would never fill the rest.
    """
    path = folder / "quotes.csv"
    with path.open("w", encoding="ascii") as out:
        out.write("ts,symbol,bid,ask,bid_size,ask_size,last,last_size,cum_volume\n")
        for second in range(SECONDS):
            at = 13 * 3600 + 30 * 60 + 1 + second
            size = 400 + second % 2
            stamp = f"{DAY}T{at // 3600:02d}:{at // 60 % 60:02d}:{at % 60:02d}Z"
            for symbol in HELD + WANTED:
                out.write(f"{stamp},{symbol},10.00,10.01,{size},{size},10.00,100,100\n")
    return path


def write_target(folder: Path, name: str, weights: dict[str, str]) -> tuple[Path, Path]:
    """A portfolio and its execution context."""
    portfolio, context = folder / f"{name}.csv", folder / f"{name}.json"
    portfolio.write_text("ts_code,weight\n" + "".join(f"{s},{w}\n" for s, w in weights.items()), encoding="ascii")
    decision = {
        "schema_version": 1,
        "project_id": "crash-test",
        "trade_date": DAY,
        "active_champion_id": "made-up",
        "decision_snapshot_id": name,
        "market": "US",
        "currency": "USD",
        "target_exposure": float(sum(map(Decimal, weights.values()))),
        "risk_checks": {"made_up": {"passed": True, "detail": "a test"}},
        "generated_at": f"{DAY}T12:00:00Z",
    }
    context.write_text(json.dumps(decision), encoding="ascii")
    return portfolio, context


class Desk:
    """One home folder, and the process that trades in it."""

    def __init__(self, home: Path, market: Path) -> None:
        self.home = home
        self._market = market

    def start(self, target: tuple[Path, Path]) -> subprocess.Popen[str]:
        """Begin, or go on with, the run of a target; a real process."""
        portfolio, context = target
        command = [
            sys.executable,
            "-m",
            "tradeloop",
            "--home",
            str(self.home),
            "run",
            str(portfolio),
            "--context",
            str(context),
        ]
        command += ["--feed", str(self._market), "--speed", str(SPEED), "--yes", "--json"]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TRADELOOP_")}
        environment["TRADELOOP_RUN__MAX_QUOTE_AGE_S"] = "600"
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)

    def finish(self, target: tuple[Path, Path], timeout_s: float = 90) -> dict[str, object]:
        """Run to the end, undisturbed; the document it prints."""
        process = self.start(target)
        out, err = process.communicate(timeout=timeout_s)
        assert process.returncode == 0, f"exit {process.returncode}\n{out[-3000:]}\n{err[-3000:]}"
        document: dict[str, object] = json.loads(out)
        return document

    def events(self) -> list[Event]:
        """Everything the journal holds."""
        with sqlite3.connect(f"file:{self.home / 'tradeloop.db'}?mode=ro", uri=True) as db:
            rows = db.execute("SELECT payload FROM journal ORDER BY batch").fetchall()
        return [event for (payload,) in rows for event in codec.decode(payload)]

    def broker_positions(self) -> dict[str, Decimal]:
        """What the broker says we hold, in its own file."""
        with sqlite3.connect(f"file:{self.home / 'paper.db'}?mode=ro", uri=True) as db:
            rows = db.execute("SELECT symbol, long_today, long_yesterday FROM positions").fetchall()
        held = {symbol: Decimal(today) + Decimal(yesterday) for symbol, today, yesterday in rows}
        return {symbol: qty for symbol, qty in held.items() if qty}

    def broker_orders(self) -> list[tuple[str, str, Decimal, Decimal]]:
        """(our id, symbol, ordered, filled) of every order the broker ever took, in its own file."""
        with sqlite3.connect(f"file:{self.home / 'paper.db'}?mode=ro", uri=True) as db:
            rows = db.execute("SELECT cl_ord_id, symbol, order_qty, cum_qty FROM orders ORDER BY no").fetchall()
        return [(cl_ord_id, symbol, Decimal(qty), Decimal(filled)) for cl_ord_id, symbol, qty, filled in rows]

    def broker_fills(self) -> Counter[str]:
        """Shares executed per symbol, buys and sells alike, in the broker's own file."""
        traded: Counter[str] = Counter()
        with sqlite3.connect(f"file:{self.home / 'paper.db'}?mode=ro", uri=True) as db:
            for symbol, qty in db.execute("SELECT symbol, last_qty FROM executions WHERE busted = 0"):
                traded[symbol] += int(Decimal(qty))
        return traded

    def staged(self) -> set[str]:
        """Ids of every order our journal knows it meant."""
        return {event.cl_ord_id for event in self.events() if isinstance(event, OrderStaged)}
