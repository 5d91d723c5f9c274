"""The toy venue in a process of its own: `python -m tradeloop.venues.toy --port 0`.

Says where it listens as its first line, then obeys the commands it is given on standard input (control.py) until that ends.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Final

import msgspec

from tradeloop.core.capabilities import Dedupes
from tradeloop.core.types import SECOND_NS, UtcNs
from tradeloop.engine.clock import ReplayClock, WallClock
from tradeloop.ports.clock import Clock
from tradeloop.venues.toy.control import obey
from tradeloop.venues.toy.server import ToyServer
from tradeloop.venues.toy.venue import ToyRules

_MS_NS: Final = 1_000_000


async def _run(port: int, rules: ToyRules, clock: Clock) -> None:
    server = ToyServer(rules, clock)
    await server.start(port)
    _say({"listening": f"127.0.0.1:{server.port}", "at": clock.now()})
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


def _amount(text: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal("NaN")
    if not (amount.is_finite() and amount > 0):
        raise argparse.ArgumentTypeError(f"{text!r}: expected an amount above 0")
    return amount


def _of_symbol(text: str) -> tuple[str, Decimal]:
    symbol, _, amount = text.partition("=")
    return symbol, _amount(amount)


def _moment(text: str) -> UtcNs:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a time with its zone, such as 2013-10-08T13:30:00Z")
    return UtcNs(int(moment.timestamp()) * SECOND_NS + moment.microsecond * 1000)


def _positive(text: str) -> int:
    number = int(text)
    if number <= 0:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a whole number above 0")
    return number


def main() -> None:
    """Parse what was asked and run until standard input ends."""
    usual = ToyRules()
    parser = argparse.ArgumentParser(prog="python -m tradeloop.venues.toy", description="A toy venue on the loopback.")
    parser.add_argument("--port", type=int, default=0, help="where to listen; 0 takes a free port and says which")
    parser.add_argument("--account", default=usual.account, help="the one account")
    parser.add_argument("--cash", type=_amount, default=usual.cash, help="what the account opens with")
    parser.add_argument("--hold", type=_of_symbol, action="append", metavar="US:ACME=300", help="what is held from before")
    parser.add_argument("--day", default=usual.day, help="the trading day, YYYY-MM-DD")
    parser.add_argument("--price", type=_of_symbol, action="append", metavar="US:ACME=10.00", help="a symbol and its price")
    parser.add_argument("--begin", type=_moment, help="when the venue's clock starts: a time with its zone; otherwise now")
    parser.add_argument("--slice", type=_amount, help="the most that an order trades at a time; otherwise it trades whole")
    parser.add_argument("--slice-ms", type=_positive, default=usual.slice_ns // _MS_NS, help="the time between two slices")
    parser.add_argument("--dedupes", type=Dedupes, default=usual.dedupes, help="for how long it remembers an id: never, day, …")
    parser.add_argument("--late-ms", type=_positive, default=usual.late_ns // _MS_NS, help="how long a late order takes")
    asked = parser.parse_args()
    rules = ToyRules(
        account=asked.account,
        prices=tuple(asked.price) if asked.price else usual.prices,
        cash=asked.cash,
        held=tuple(asked.hold or ()),
        day=asked.day,
        dedupes=asked.dedupes,
        slice_qty=asked.slice,
        slice_ns=asked.slice_ms * _MS_NS,
        late_ns=asked.late_ms * _MS_NS,
    )
    clock: Clock = WallClock() if asked.begin is None else ReplayClock(asked.begin, 1)
    asyncio.run(_run(asked.port, rules, clock))


if __name__ == "__main__":
    main()
