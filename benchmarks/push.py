"""What the stream pushes over /ws: quotes from the desk's receiving them to the sockets, and orders beside a raw broadcast.

    python -m benchmarks.push SYMBOLS CLIENTS SECONDS [--alone]

Quotes: a feed gives each symbol two quotes a second, evenly, and each client has subscribed to all symbols. What is measured is
from the moment the feed hands a quote to the desk to the moment a client reads it from its socket, of every quote that was
pushed. The desk gives out quotes every 20 ms at most, so that up to 20 ms of it are waited for on purpose
(docs/reference/stream.md).

Orders: ORDERS_PER_S are submitted over REST, while each client has subscribed to the orders. What is measured is from the
moment the read models have stored a change, which is durable then, to the moment a client reads its delta. Then a bare
`websockets` server broadcasts as many messages of the same size as fast to as many clients, from its sending to their
reading; the two take turns.

Held inside: each client has the quotes of each symbol in order and the newest last; each has every delta, numbered without a
gap; all have the same orders, which are those that were submitted, and filled; `tradeloop verify` finds everything sound.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any, Final

from benchmarks.measure import argument, emit, working_folder
from benchmarks.peers.install import interpreter
from benchmarks.push_client import PER_KEY
from benchmarks.rest_client import SYMBOLS
from benchmarks.serving import HERE, PATIENCE_S, Served, a_desk, processor_s

QUOTES_PER_S: Final = 2
"""Of each symbol."""
ORDERS_PER_S: Final = 50
TURNS: Final = 3
REST_S: Final = 0.5
"""How long after the last of it everything has been read."""


class Clients:
    """The clients of one server, in a process of their own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def found(self, stamps: Path | str) -> dict[str, Any]:
        """What they say of what they have read."""
        assert self._process.stdin is not None and self._process.stdout is not None
        time.sleep(REST_S)
        self._process.stdin.write(f"{stamps}\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit("the clients failed")
        result: dict[str, Any] = json.loads(line)
        return result


@contextmanager
def the_clients(port: int, clients: int, topic: str, keys: list[str], symbols: list[str]) -> Iterator[Clients]:
    """So many, once all of them have subscribed."""
    words = [sys.executable, "-m", "benchmarks.push_client", str(port), str(clients), topic]
    environment = {**os.environ, "BENCH_KEYS": ",".join(keys), "BENCH_SYMBOLS": ",".join(symbols)}
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(words, cwd=HERE, env=environment, **pipes) as process:
        try:
            if process.stdout is None or process.stdout.readline() != "ready\n":
                raise SystemExit("the clients did not come to their snapshots")
            yield Clients(process)
        finally:
            process.kill()


def pushed_desk(home: Path, clients: int, quotes_per_s: int) -> Any:
    """A desk whose feed and stream are stamped."""
    settings = {"TRADELOOP_FEED__KIND": "synthetic", "BENCH_QUOTES_PER_S": str(quotes_per_s)}
    return a_desk(home, settings, keys=-(-clients // PER_KEY), module="benchmarks.push_desk")


def stamps(desk: Served, how: signal.Signals) -> Path:
    """Have them written; the file."""
    path = desk.home / "stamps.json"
    path.unlink(missing_ok=True)
    os.kill(desk.pid, how)
    until = time.perf_counter() + PATIENCE_S
    while not path.exists() and time.perf_counter() < until:
        time.sleep(0.01)
    return path


def submit(desk: Served, count: int, name: str, *, at_once: bool = False) -> set[str]:
    """Orders over REST; the ids of those that were answered. `at_once`: as fast as they are answered, one of each symbol."""
    words = ["benchmarks.rest_client", str(desk.port), str(len(SYMBOLS)), str(count), name]
    done = subprocess.run(
        [sys.executable, "-m", *words, *([] if at_once else [str(ORDERS_PER_S)])],
        capture_output=True,
        text=True,
        env={**os.environ, "BENCH_KEY": desk.keys[0]},
        cwd=HERE,
        check=False,
        timeout=PATIENCE_S,
    )
    if done.returncode != 0:
        raise SystemExit(f"the orders failed: {done.stderr[-2000:]}")
    desk.rest()
    return set(json.loads(done.stdout)["ids"])


def of_quotes(folder: Path, symbols: int, clients: int, seconds: float) -> dict[str, Any]:
    """Push quotes for so long."""
    named = [f"{chr(65 + n // 676)}{chr(65 + n // 26 % 26)}{chr(65 + n % 26)}.US" for n in range(symbols)]
    with pushed_desk(folder / "quotes", clients, QUOTES_PER_S * symbols) as desk:
        follow(desk, named)
        with the_clients(desk.port, clients, "quotes", desk.keys, named) as them:
            used = processor_s(desk.pid)
            time.sleep(seconds)
            share = (processor_s(desk.pid) - used) / seconds
            found = {**them.found(stamps(desk, signal.SIGUSR1)), "cpu_share": round(share, 2)}
    desk.verified()
    return {f"quotes_{name}": figure for name, figure in found.items() if name != "quotes"} | {"quotes": found["quotes"]}


def follow(desk: Served, symbols: list[str]) -> None:
    """Have the desk quote them: it does so of what is traded."""
    for start in range(0, len(symbols), 100):
        orders = [{"symbol": each, "side": "buy", "quantity": "1"} for each in symbols[start : start + 100]]
        results = desk.post("/api/v1/orders/batch", {"orders": orders})["results"]
        assert all(each["order"] is not None for each in results), results
    desk.rest()


def of_orders(folder: Path, clients: int, seconds: float, python: Path | None) -> dict[str, Any]:
    """Push orders, and broadcast the same with nothing around it, in turns."""
    count = max(1, int(ORDERS_PER_S * seconds / TURNS))
    own, theirs = [], []
    with ExitStack() as stack:
        desk = stack.enter_context(pushed_desk(folder / "orders", clients, 2 * len(SYMBOLS)))
        raw = None if python is None else stack.enter_context(broadcasting(python))
        submit(desk, len(SYMBOLS), "first", at_once=True)
        for number in range(TURNS):
            with the_clients(desk.port, clients, "orders", desk.keys, []) as them:
                began = time.perf_counter()
                ids = submit(desk, count, f"turn{number}")
                lasted = time.perf_counter() - began
                found = them.found(stamps(desk, signal.SIGUSR2))
            assert set(found["ids"]) == ids and len(ids) == count, "the clients were told of other orders than were answered"
            own.append(found)
            if raw is not None:
                theirs.append(raw(clients, found["deltas"], found["deltas"] / lasted, found["bytes"]))
    desk.verified()
    figures = {f"orders_{name}": median(each[name] for each in own) for name in ("deltas", "bytes", "p50_ms", "p99_ms")}
    return {**figures, **{f"raw_{name}": median(each[name] for each in theirs) for name in ("p50_ms", "p99_ms") if theirs}}


@contextmanager
def broadcasting(python: Path) -> Iterator[Any]:
    """A bare server of `websockets`; called, it has that broadcast to so many clients."""
    words = [str(python), str(HERE / "benchmarks/peers/websockets_path.py")]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None and process.stdout is not None
        port = int(process.stdout.readline())

        def turn(clients: int, count: int, per_s: float, size: int) -> dict[str, Any]:
            assert process.stdin is not None and process.stdout is not None
            with the_clients(port, clients, "raw", [], []) as them:
                process.stdin.write(f"{count} {per_s} {size}\n")
                process.stdin.flush()
                assert process.stdout.readline() == "done\n"
                found = them.found("")
            assert found["deltas"] == count, found
            return found

        try:
            yield turn
        finally:
            process.kill()


def main() -> None:
    """Measure both, with the peer where it can be installed."""
    alone = "--alone" in sys.argv
    sys.argv = [word for word in sys.argv if not word.startswith("--")]
    symbols, clients, seconds = argument(1, 500), argument(2, 50), argument(3, 10)
    python = None if alone else interpreter("websockets")[0]
    with tempfile.TemporaryDirectory(dir=working_folder()) as folder:
        home = Path(folder).resolve()
        figures = {**of_quotes(home, symbols, clients, seconds), **of_orders(home, clients, seconds, python)}
    emit("tradeloop.push", symbols=symbols, clients=clients, seconds=seconds, **figures)


if __name__ == "__main__":
    main()
