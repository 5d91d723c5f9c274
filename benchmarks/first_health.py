"""How long after `tradeloop up` the desk answers GET /health with ok, from the start of the process on.

    python -m benchmarks.first_health N

The demo is started once in a home of its own, which makes the database and the bytecode, and then N times more; each start is
asked every 10 ms and ended in order. The slowest of the N counts, and the processor time of its process by then beside it.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from benchmarks.measure import argument, emit, working_folder

PATIENCE_S = 60.0
_LOOK_S = 0.01
_SAID = "the desk is at "


def main() -> None:
    """The first start, then the others, and the result."""
    times = argument(1, 5)
    with tempfile.TemporaryDirectory(dir=working_folder()) as folder:
        first, _ = started(Path(folder))
        every = [started(Path(folder)) for _ in range(times)]
    slowest, processor = max(every)
    figures = {"first_s": first, "slowest_s": slowest, "processor_s": processor}
    emit("tradeloop.first_health", n=times, **{name: round(seconds, 2) for name, seconds in figures.items()})


def started(home: Path) -> tuple[float, float]:
    """One start: seconds until it is healthy, and those of the processor. A desk that does not come to it ends the case."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("TRADELOOP_", "PYTHONDONT"))}
    environment["PYTHONPYCACHEPREFIX"] = str(home / "bytecode")  # an installation has it; a checkout may be read-only
    command = [sys.executable, "-m", "tradeloop", "--home", str(home), "up", "--demo", "--port", "0"]
    begun = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stderr is not None
        heard = [""]
        while _SAID not in heard[-1]:
            heard.append(process.stderr.readline())
            if not heard[-1]:
                raise SystemExit(f"the desk ended before it said where it is: {''.join(heard)}")
        address = heard[-1].split(_SAID)[1].split(";")[0]
        try:
            while not _is_ok(address):
                if time.perf_counter() - begun > PATIENCE_S:
                    raise SystemExit(f"the desk was not healthy within {PATIENCE_S:g} s")
                time.sleep(_LOOK_S)
            healthy, processor = time.perf_counter() - begun, _processor_s(process.pid)
        finally:
            process.terminate()
            process.communicate(timeout=PATIENCE_S)
    return healthy, processor


def _is_ok(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/health", timeout=5) as answer:
            return b'"status":"ok"' in answer.read()
    except OSError:  # what answers 503 is one of these too
        return False


def _processor_s(pid: int) -> float:
    """What a process has used of the processor so far; nought where the system does not say."""
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return 0.0


if __name__ == "__main__":
    main()
