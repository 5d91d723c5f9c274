"""The process of a strategy as the host sees it: started, asked with a limit of time, and ended whatever it does.

Whatever goes wrong with it, a crash, a hang, endless output, an answer that is none, is one error: `StrategyEnded` with the
reason in a sentence. It is no sandbox: it runs as the service user, with an environment that holds none of the desk's settings.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path
from typing import Final

import msgspec

import tradeloop
from tradeloop.core.errors import TradeloopError
from tradeloop.strategies.pipe import ANSWER_MAX, HEAD, ORDERS_MAX, Answer, Begin, Called, answered, framed

OUTPUT_MAX: Final = 1 << 20
"""Bytes that a strategy may print in its life."""
_TAIL: Final = 4096
_WORDS_MAX: Final = 300
_END_S: Final = 2.0
_KEPT: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "SYSTEMROOT")
"""Variables of the environment that a strategy sees: none of them is a secret."""


class StrategyEnded(TradeloopError):
    """The process of a strategy is of no use any more; the text says why."""


class Process:
    """A process that waits for `Begin`. Made by `started`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._tail = b""
        self._printed = 0
        self._is_over = False
        self._draining = asyncio.ensure_future(self._drain())

    @classmethod
    async def started(cls, folder: Path) -> Process:
        """A new process that works in `folder`. Raises StrategyEnded where the machine has none to give."""
        root = str(Path(tradeloop.__file__).parents[1])
        environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
        environment |= {"PYTHONPATH": root, "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1"}
        pipe = asyncio.subprocess.PIPE
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "tradeloop.strategies.child"),
                stdin=pipe,
                stdout=pipe,
                stderr=pipe,
                env=environment,
                cwd=folder,
                start_new_session=True,
            )
        except OSError as error:
            raise StrategyEnded(f"its process could not be started ({error.strerror or error})") from None
        return cls(process)

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    async def ask(self, message: Begin | Called, what: str, within_s: float) -> Answer:
        """What it answers within so many seconds of the world. Raises StrategyEnded; then it is to be ended."""
        asks, answers = self._process.stdin, self._process.stdout
        assert asks is not None
        assert answers is not None
        try:
            async with asyncio.timeout(within_s):
                asks.write(framed(message))
                await asks.drain()
                size = int.from_bytes(await answers.readexactly(HEAD), "big")
                if size > ANSWER_MAX:
                    raise StrategyEnded(f"{what} answered {size:,} bytes; expected at most {ANSWER_MAX:,}")
                answer = answered(await answers.readexactly(size))
        except TimeoutError:
            raise StrategyEnded(f"{what} took longer than {within_s:g} s") from None
        except (asyncio.IncompleteReadError, ConnectionError):
            raise StrategyEnded(f"{what}: {await self._last_words()}") from None
        except msgspec.MsgspecError as error:
            raise StrategyEnded(f"{what} answered what is no answer ({error})") from None
        if len(answer.orders) > ORDERS_MAX:
            raise StrategyEnded(f"{what} returned {len(answer.orders)} orders; expected at most {ORDERS_MAX}")
        return answer

    def kill(self) -> None:
        """End it and what it started, at once."""
        if self._is_over:
            return  # its number may be another's by now
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if sys.platform == "win32":
                self._process.kill()
            else:
                os.killpg(self._process.pid, signal.SIGKILL)

    async def end(self) -> None:
        """End it, and return when nothing of it is left."""
        self.kill()
        if self._process.stdin is not None:
            self._process.stdin.close()
        await self._process.wait()
        await self._drained()
        self._is_over = True

    async def _drained(self) -> None:
        """What it printed is read, or nobody knows when it will be: something that it started has the pipe."""
        await asyncio.wait((self._draining,), timeout=_END_S)
        self._draining.cancel()
        await asyncio.gather(self._draining, return_exceptions=True)

    async def _drain(self) -> None:
        out = self._process.stderr
        assert out is not None
        while block := await out.read(1 << 16):
            self._printed += len(block)
            self._tail = (self._tail + block)[-_TAIL:]
            if self._printed > OUTPUT_MAX:
                self.kill()

    async def _last_words(self) -> str:
        """Why it has ended by itself: the end of what it printed, which is that of a traceback where there was one."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_END_S):
                await self._process.wait()
        await self._drained()
        if self._printed > OUTPUT_MAX:
            return f"it printed more than {OUTPUT_MAX:,} bytes, and was ended"
        lines = [each for each in self._tail.decode(errors="replace").splitlines() if each.strip()]
        last = "".join(each for each in (lines[-1] if lines else "") if each.isprintable())[:_WORDS_MAX]
        code = self._process.returncode
        ended = f"it was ended by signal {-code}" if code is not None and code < 0 else f"it ended with exit code {code}"
        return last if last and code == 1 else f"{ended}{f' ({last})' if last else ''}"
