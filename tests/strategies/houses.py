"""Strategies at a working desk: the embedded paper broker on the demo's quotes, and real processes."""

from __future__ import annotations

import asyncio
import os
import textwrap
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.api.desks import Counter, a_counter

from tradeloop.bootstrap.strategies import hosting
from tradeloop.strategies.host import Host
from tradeloop.strategies.rows import Trigger

HEAD = "from tradeloop.strategies import Order, Target\n"
BUYS = """
class Buys:
    def on_start(self):
        return Order(symbol="BAC.US", side="buy", quantity=100, why="it begins")
"""
QUIET = """
class Quiet:
    def on_quote(self, quote):
        return None
"""


@dataclass
class House:
    """A desk with a host."""

    home: Path
    counter: Counter
    host: Host

    def write(self, name: str, text: str, **settings: object) -> Path:
        """A strategy: its file, and its place in strategies.yaml."""
        file = self.home / f"{name}.py"
        file.write_text(HEAD + textwrap.dedent(text), encoding="utf-8")
        file.chmod(0o600)
        lines = [f"  - name: {name}\n    file: {file.name}\n    symbols: [BAC.US]\n"]
        lines += [f"    {key}: {value}\n" for key, value in settings.items()]
        config = self.home / "strategies.yaml"
        before = config.read_text(encoding="utf-8") if config.exists() else "strategies:\n"
        config.write_text(before + "".join(lines), encoding="utf-8")
        return file

    async def until(self, done: Callable[[], bool]) -> None:
        """Return when it is so."""
        async with asyncio.timeout(20):
            while not done():
                await asyncio.sleep(0.01)

    async def stands(self, name: str, standing: str) -> str:
        """Wait until a strategy stands so; why it does."""
        async with asyncio.timeout(20):
            while (found := await self.host.strategy(name)).standing != standing:
                await asyncio.sleep(0.01)
        return found.why

    async def triggers(self, name: str, action: str) -> list[Trigger]:
        """Its triggers of one action, oldest first."""
        return [each for each in reversed(await self.host.triggers(name, None, 100)) if each.action_type == action]

    async def answered(self, name: str, action: str, count: int = 1) -> list[Trigger]:
        """The same, once there are so many and all of them are answered."""
        async with asyncio.timeout(20):
            while True:
                found = await self.triggers(name, action)
                if len(found) >= count and all(each.execution_result != "PENDING" for each in found):
                    return found
                await asyncio.sleep(0.01)


@asynccontextmanager
async def a_house(home: Path) -> AsyncIterator[House]:
    """A desk that is ready, with a host that runs nothing yet."""
    async with a_counter(home) as counter, hosting(counter.desk, "up") as host:
        assert host is not None
        yield House(home, counter, host)


def is_alive(pid: int) -> bool:
    """Whether there is such a process."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
