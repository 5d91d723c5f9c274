"""The toy venue in a process of its own: `python -m tradeloop.venues.toy --port 0`.

Says where it listens as its first line, then obeys the commands it is given on standard input (control.py) until that ends.
"""

from __future__ import annotations

import argparse
import asyncio
import sys

import msgspec

from tradeloop.engine.clock import WallClock
from tradeloop.venues.toy.control import obey
from tradeloop.venues.toy.server import ToyServer
from tradeloop.venues.toy.venue import ToyRules


async def _run(port: int) -> None:
    server = ToyServer(ToyRules(), WallClock())
    await server.start(port)
    _say({"listening": f"127.0.0.1:{server.port}"})
    typed = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(typed), sys.stdin)
    try:
        while line := await typed.readline():
            if line.strip():
                _say(obey(server, line.decode("utf-8", "replace")))
    finally:
        await server.stop()


def _say(message: dict[str, object]) -> None:
    sys.stdout.write(msgspec.json.encode(message).decode() + "\n")
    sys.stdout.flush()


def main() -> None:
    """Parse what was asked and run until standard input ends."""
    parser = argparse.ArgumentParser(prog="python -m tradeloop.venues.toy", description="A toy venue on the loopback.")
    parser.add_argument("--port", type=int, default=0, help="where to listen; 0 takes a free port and says which")
    asyncio.run(_run(parser.parse_args().port))


if __name__ == "__main__":
    main()
