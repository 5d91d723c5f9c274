"""A desk of its own for the cases that ask it over HTTP: `tradeloop up` in a process, as everybody starts it.

Its market is open on a made-up day, so that it trades whenever the case is run; it allows its askers more requests than people
make, and counts them all the same.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).resolve().parents[1]
OPENED: Final = "2026-11-20T15:00:00Z"
"""A Friday, half an hour after the open in New York."""
PATIENCE_S: Final = 60.0
_SAID: Final = "the desk is at http://127.0.0.1:"
_OWNER: Final = "bench"
_PASSWORD: Final = "four words nobody says\n"
_SETTINGS: Final = {
    "TRADELOOP_FEED__START": OPENED,
    "TRADELOOP_WEB__ORDERS_PER_S": "1000000",
    "TRADELOOP_WEB__READS_PER_S": "1000000",
    "TRADELOOP_BROKER__PAPER__CASH": '{"USD": "1000000000"}',
}


class Served:
    """A desk that runs: where, whose keys, and what it has cost."""

    def __init__(self, home: Path, keys: Sequence[str], environment: Mapping[str, str]) -> None:
        self.home = home
        self.keys = list(keys)
        self.port = 0
        self.pid = 0
        self._environment = environment

    def get(self, path: str) -> Any:
        """What a route says to the holder of the first key."""
        return self._ask("GET", path, None)

    def post(self, path: str, document: Any) -> Any:
        """The same of what is sent."""
        return self._ask("POST", path, json.dumps(document))

    def _ask(self, method: str, path: str, body: str | None) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        headers = {"authorization": f"Bearer {self.keys[0]}", "content-type": "application/json"}
        try:
            connection.request(method, path, body, headers)
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    def rest(self) -> dict[str, Any]:
        """Wait until every order has come to its end and the read models show it; what the desk says of itself then."""
        until = time.perf_counter() + PATIENCE_S
        while time.perf_counter() < until:
            self.get("/api/v1/halts")  # answers when all that is decided is durable: the state may be ahead of that
            found: dict[str, Any] = self.get("/health").get("details") or {}
            if found and found["broker_ready"] and not found["inbox_waiting"] + found["orders_open"] + found["views_lag"]:
                return found
            time.sleep(0.05)
        raise SystemExit(f"the desk did not come to rest within {PATIENCE_S:g} s")

    def verified(self) -> dict[str, Any]:
        """What `tradeloop verify` says once the desk has ended; a journal that is not sound ends the case."""
        done = command(self.home, self._environment, "verify", "--json")
        found: dict[str, Any] = json.loads(done)
        assert found["sound"] and found["read_models"]["agree"], found
        return found


@contextmanager
def a_desk(home: Path, settings: Mapping[str, str], *, keys: int = 1, module: str = "tradeloop") -> Iterator[Served]:
    """A desk with one user and so many keys, ended in order. `module`: what is run in place of the command line."""
    home.mkdir(mode=0o700)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("TRADELOOP_")}
    environment = {**inherited, **_SETTINGS, **settings}
    command(home, environment, "users", "add", _OWNER, "--roles", "admin,trader", "--from-stdin", given=_PASSWORD)
    served = Served(home, [_key(home, environment, str(number)) for number in range(keys)], environment)
    words = [sys.executable, "-m", module, "--home", str(home), "up", "--port", "0"]
    with (
        open(home / "said", "w", encoding="utf-8") as said,
        subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=said, env=environment, cwd=HERE) as process,
    ):
        try:
            served.port, served.pid = _port(home / "said", process), process.pid
            served.rest()
            yield served
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE_S)


def command(home: Path, environment: Mapping[str, str], *words: str, given: str = "") -> str:
    """One command of the command line; what it prints."""
    asked = [sys.executable, "-m", "tradeloop", "--home", str(home), *words]
    done = subprocess.run(
        asked, input=given, capture_output=True, text=True, env=environment, cwd=HERE, check=False, timeout=120
    )
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(words)} failed: {done.stderr}")
    return done.stdout


def processor_s(pid: int) -> float:
    """What a process and those it has started have used of the processor so far; nought where the system does not say."""
    used = 0.0
    with suppress(OSError):
        for each in (pid, *_children(pid)):
            fields = Path(f"/proc/{each}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
            used += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return used


def _children(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text(encoding="ascii").split():
            found += [int(child), *_children(int(child))]
    return found


def _key(home: Path, environment: Mapping[str, str], name: str) -> str:
    scopes = "order:paper,read:acct,read:md"
    made = command(home, environment, "keys", "make", name, "--owner", _OWNER, "--scopes", scopes, "--json")
    return str(json.loads(made)["key"])


def _port(said: Path, process: subprocess.Popen[bytes]) -> int:
    until = time.perf_counter() + PATIENCE_S
    while time.perf_counter() < until and process.poll() is None:
        _, found, rest = said.read_text(encoding="utf-8").partition(_SAID)
        if found and ";" in rest:
            return int(rest.partition(";")[0])
        time.sleep(0.02)
    raise SystemExit(f"the desk did not say where it is: {said.read_text(encoding='utf-8')}")
