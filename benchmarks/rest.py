"""Durable orders over REST, beside an empty echo of FastAPI and of Flask: each server has its turn, several times in one run.

    python -m benchmarks.rest CONNECTIONS N [--alone]

The desk is `tradeloop up` with its SQLite journal on disk, one process. An order over REST is identified by an API key, counted
against the key's allowance, read strictly, checked by risk, written and synced before it is answered; then it is sent to the
paper broker, acknowledged, filled and shown. The echoes have one process too and get the same bytes; they read and give back.
The same client asks each, from a process of its own. A server's next turn begins when the desk has come to rest, and the
processor time of a turn is of all the desk does for its orders, also behind their answers.

Held inside: every answer is 201, N orders have N ids, the journal holds exactly these, none was denied, each was filled once,
and `tradeloop verify` finds journal and read models sound.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any, Final

from benchmarks.measure import argument, emit, working_folder
from benchmarks.peers.install import interpreter
from benchmarks.rest_client import SYMBOLS
from benchmarks.serving import HERE, PATIENCE_S, Served, a_desk, processor_s
from tradeloop.core.events import OrderDenied, OrderStaged, Traded
from tradeloop.journal import codec
from tradeloop.journal.sql import SqlJournal

TURNS: Final = 5
FEED: Final = {"TRADELOOP_FEED__KIND": "synthetic", "TRADELOOP_FEED__INTERVAL_MS": "200"}
"""The paper broker fills at quotes, at most what each displays: five a second of each symbol fill what a turn has sent."""
PEERS: Final = ("fastapi", "flask")


@contextmanager
def a_peer(name: str, python: Path) -> Iterator[tuple[int, int]]:
    """An echo in an environment of its own; its port and its process."""
    words = [str(python), str(HERE / f"benchmarks/peers/{name}_path.py")]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline()), process.pid
        finally:
            process.terminate()
            process.wait(PATIENCE_S)


def asked(port: int, connections: int, count: int, name: str, key: str) -> dict[str, Any]:
    """What the client says of its turn with one server."""
    words = [sys.executable, "-m", "benchmarks.rest_client", *map(str, (port, connections, count)), name]
    environment = {**os.environ, "BENCH_KEY": key}
    done = subprocess.run(words, capture_output=True, text=True, env=environment, cwd=HERE, check=False, timeout=PATIENCE_S)
    if done.returncode != 0:
        raise SystemExit(f"the client failed: {done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["n"] == count, found["n"]
    return found


class Turns:
    """The turns of one server."""

    def __init__(self, port: int, pid: int, key: str) -> None:
        self._port, self._pid, self._key = port, pid, key
        self.ids: list[str] = []
        self._found: list[dict[str, float]] = []

    def turn(self, connections: int, count: int, name: str, desk: Served, *, counts: bool = True) -> None:
        """One more, after which the desk has come to rest, whoever's it was."""
        before = processor_s(self._pid)
        found = asked(self._port, connections, count, name, self._key)
        desk.rest()
        used = processor_s(self._pid) - before
        self.ids += found["ids"]
        if counts:
            per = {"per_s": count / found["seconds"], "per_cpu_s": count / max(used, 0.01)}
            self._found.append({**per, "p50_ms": found["p50_us"] / 1e3, "p99_ms": found["p99_us"] / 1e3})

    def figures(self) -> dict[str, float]:
        """The median of each over the turns."""
        return {name: round(median(each[name] for each in self._found), 1) for name in self._found[0]}


async def in_journal(path: Path) -> Counter[tuple[str, str]]:
    """How often each order was staged, denied and filled."""
    found: Counter[tuple[str, str]] = Counter()
    journal = SqlJournal(f"sqlite:///{path}")
    await journal.open()
    async for batch in journal.read():
        for event in codec.decode(batch.payload):
            if isinstance(event, OrderStaged | OrderDenied | Traded):
                found[type(event).__name__, event.cl_ord_id or ""] += 1
    await journal.close()
    return found


def measure(folder: Path, connections: int, count: int, peers: dict[str, Path]) -> dict[str, Any]:
    """All servers, in turns."""
    per_turn = count // TURNS
    with ExitStack() as stack:
        desk = stack.enter_context(a_desk(folder / "home", FEED))
        servers = {"tradeloop": Turns(desk.port, desk.pid, desk.keys[0])}
        for name, python in peers.items():
            servers[name] = Turns(*stack.enter_context(a_peer(name, python)), desk.keys[0])
        for each in servers.values():
            each.turn(len(SYMBOLS), len(SYMBOLS), "first", desk, counts=False)  # has the desk follow each symbol
            each.turn(connections, 2 * connections, "warm", desk, counts=False)
        for number in range(TURNS):
            for each in servers.values():
                each.turn(connections, per_turn, f"turn{number}", desk)
    ids = set(servers["tradeloop"].ids)
    assert len(ids) == len(servers["tradeloop"].ids) == TURNS * per_turn + 2 * connections + len(SYMBOLS), len(ids)
    assert asyncio.run(in_journal(desk.home / "tradeloop.db")) == Counter(
        {(what, order): 1 for what in ("OrderStaged", "Traded") for order in ids}
    ), "the journal has other orders than were answered, or one was denied, or not filled once"
    desk.verified()
    own = servers.pop("tradeloop").figures()
    theirs = {f"{name}.{what}": figure for name, each in servers.items() for what, figure in each.figures().items()}
    return {"n": TURNS * per_turn, "connections": connections, **own, **theirs}


def main() -> None:
    """Measure, with the peers that can be installed."""
    words = [word for word in sys.argv if not word.startswith("--")]
    sys.argv, alone = words, "--alone" in sys.argv
    connections, count = argument(1, 64), argument(2, 10_000)
    peers = {} if alone else {name: python for name in PEERS if (python := interpreter(name)[0]) is not None}
    with tempfile.TemporaryDirectory(dir=working_folder()) as folder:
        emit("tradeloop.rest", **measure(Path(folder).resolve(), connections, count, peers))


if __name__ == "__main__":
    main()
