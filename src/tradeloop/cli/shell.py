"""What every command has: the global options, the two ways to speak, the exit codes, and how an error ends.

An error on purpose (core/errors.py) is one sentence on stderr and its exit code; a bug is a traceback with `--debug` and one
sentence without.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn, TextIO, TypeVar

import typer
from typing_extensions import override

from tradeloop.cli.unblocked import Begun, Unblocked, write_whole

if TYPE_CHECKING:
    from rich.console import Console

    from tradeloop.config import Loaded

OK: Final = 0
FAILED: Final = 1
USAGE: Final = 2
DENIED: Final = 3
UNKNOWN: Final = 4

T = TypeVar("T")


@dataclass
class Shell:
    """The options given before the command."""

    home: Path | None = None
    debug: bool = False

    def load(self, **given: object) -> Loaded:
        """The settings in force; `given` are options of the command, `a__b` for `a.b`."""
        from tradeloop.config import find_home, load

        options = {name.replace("__", "."): value for name, value in given.items()}
        return load(options, home=find_home(self.home))


class Ended(Exception):
    """A command that ends with a sentence and an exit code of its own."""

    def __init__(self, sentence: str, code: int = FAILED) -> None:
        super().__init__(sentence)
        self.code = code


class Voice:
    """How one command speaks: tables for people, or one JSON document.

    A line for a person never waits for its reader (unblocked.py). A result does, and therefore never while a desk works.
    """

    def __init__(self, *, json: bool) -> None:
        self.json = json
        self.has_spoken = False
        """Whether the result was begun: a second document behind it would be none."""
        self.stderr: Final = Unblocked(sys.stderr)
        self._out: Console | None = None
        self._err: Console | None = None
        self._shown = _Shown(sys.stdout)
        self._documents: list[bytes] = []
        self._begun: Begun | None = None
        self._works = False

    @property
    def out(self) -> Console:
        """Where results go."""
        if self._out is None:
            self._out = _console(self._shown)
        return self._out

    @property
    def err(self) -> Console:
        """Where progress, alerts and errors go."""
        if self._err is None:
            self._err = _console(self.stderr)
        return self._err

    @contextlib.contextmanager
    def while_working(self) -> Iterator[None]:
        """Keep results back until `release`, and have whatever else writes to stderr wait for no reader either."""
        self._works = True
        try:
            with contextlib.redirect_stderr(self.stderr):
                yield
        finally:
            self._works = False

    def result(self, document: object, show: Callable[[Console], None]) -> None:
        """Say the result: the document with --json, else what `show` prints. While a desk works it is said after its end.

        Raises Ended where it cannot be written: the work is done then, and doing it again would be another thing.
        """
        self.has_spoken = True
        if self.json:
            self._documents.append(_json(document))
        else:
            show(self.out)
        if not self._works:
            self.release()

    async def begin(self) -> None:
        """Have what was kept back so far written while the desk works on, before what will be said. A reader who takes longer
        than a moment is not waited for here; one who has gone, or a full disk, is told at the end, as `release` does.
        """
        if self._begun is None and (text := self._shown.taken()):
            self._begun = Begun(text, sys.stdout)
            await asyncio.to_thread(self.stderr.finish, _PATIENCE_S)
            self._begun.start()
            await asyncio.to_thread(self._begun.join, _PATIENCE_S)

    def release(self) -> None:
        """Write what was kept back, and wait for whoever reads it; one who has gone misses it. Raises as `result` does."""
        documents, self._documents = b"".join(self._documents), []
        text = self._shown.taken()
        begun, self._begun = self._begun, None
        if not documents and not text and begun is None:
            return
        self.stderr.finish(_PATIENCE_S)  # at a terminal, what was said before it stands above it
        try:
            if begun is not None:
                begun.end()
            write_whole(sys.stdout, text, documents)  # JSON is UTF-8, whatever the terminal's encoding is
        except BrokenPipeError:
            sys.stdout = None  # whoever read has seen enough, and the code of the result stands; closing it would complain
        except OSError as error:
            sys.stdout = None  # closing it would try once more
            raise Ended(
                f"the result could not be written ({error.strerror or error}); what was done stands, so look before doing it"
                " again"
            ) from error

    def say(self, text: str) -> None:
        """A line for a person that is no result. Where nobody can hear it, a closed terminal for example, work goes on."""
        with contextlib.suppress(OSError):
            self.err.print(text, markup=False, highlight=False, soft_wrap=True)


class _Shown(io.StringIO):
    """Tables as they will stand on `stream`, until they are written there."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream

    @property
    @override
    def encoding(self) -> str:  # type: ignore[override]
        return getattr(self._stream, "encoding", None) or "utf-8"

    @override
    def isatty(self) -> bool:
        return self._stream.isatty()

    def taken(self) -> str:
        """What stands here; nothing does afterwards."""
        text = self.getvalue()
        self.seek(0)
        self.truncate()
        return text


def shell_of(ctx: typer.Context) -> Shell:
    """The global options."""
    found = ctx.find_object(Shell)
    return found if found is not None else Shell()


def perform(
    ctx: typer.Context, json: bool, work: Callable[[Shell, Voice], Coroutine[Any, Any, int]], *, repeatable: bool = False
) -> NoReturn:
    """Run a command to its exit code; never returns. `repeatable`: the same command again goes on where this one stopped."""
    from tradeloop.core.errors import BadInput, FateUnknown, LeaseHeld, TradeloopError

    shell, voice = shell_of(ctx), Voice(json=json)
    try:
        code = _spoken_out(work(shell, voice), voice)
    except Ended as ended:
        code = _failed(voice, str(ended), ended.code)
    except BadInput as error:
        code = _failed(voice, str(error), USAGE)
    except FateUnknown as error:
        code = _failed(voice, str(error), UNKNOWN)
    except LeaseHeld as error:
        code = _failed(voice, str(error), FAILED)
    except TradeloopError as error:
        code = _failed(voice, str(error), FAILED)
    except KeyboardInterrupt:
        after = ", and the same command goes on from there" if repeatable else ""
        code = _failed(voice, f"interrupted; what was recorded stays{after}", FAILED)
    except BrokenPipeError:
        code = FAILED
        sys.stdout = None  # nobody reads any more, and closing it would complain
    except OSError as error:
        code = _failed(
            voice, f"{error.filename or 'the system'}: {error.strerror or error}; see its rights and the disk", FAILED
        )
    finally:
        fault = sys.exc_info()[1]  # what none of these is: main says it on stderr, with --debug where it is
        if isinstance(fault, Exception) and not isinstance(fault, typer.Exit) and voice.json and not voice.has_spoken:
            _write_error(f"a fault of the program: {type(fault).__name__}: {' '.join(str(fault).split())}", FAILED)
        voice.stderr.finish(_PATIENCE_S)
    raise typer.Exit(code)


def _spoken_out(work: Coroutine[Any, Any, int], voice: Voice) -> int:
    """The exit code, when the result is said: nothing trades here any more, so that its reader may take his time."""
    try:
        return _run(work)
    finally:
        voice.release()


def _failed(voice: Voice, sentence: str, code: int) -> int:
    if voice.json:
        _write_error(sentence, code)
    voice.say(f"error: {sentence}")
    return code


def _write_error(sentence: str, code: int) -> None:
    if sys.stdout is not None:
        with contextlib.suppress(OSError):  # it is on stderr as well, and the exit code says it
            write_json({"error": sentence, "exit_code": code})


def _run(work: Coroutine[Any, Any, int]) -> int:
    """On uvloop where it is installed; a SIGTERM, and the end of the terminal, end a command in order, as Ctrl-C does."""
    with asyncio.Runner(loop_factory=_loop) as runner:
        return runner.run(_until_told_to_stop(work))


async def _until_told_to_stop(work: Coroutine[Any, Any, int]) -> int:
    task = asyncio.ensure_future(work)
    stopped = False

    def stop() -> None:
        nonlocal stopped
        stopped = True
        task.cancel()

    if sys.platform != "win32":
        for each in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(each) is not signal.SIG_IGN:  # as `nohup` asks for
                asyncio.get_running_loop().add_signal_handler(each, stop)
    try:
        return await task
    except asyncio.CancelledError:
        if stopped:
            raise KeyboardInterrupt from None
        raise


def _loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def write_json(document: object) -> None:
    """One JSON document on stdout."""
    text = _json(document)
    sys.stdout.flush()
    sys.stdout.buffer.write(text)
    sys.stdout.flush()


def _json(document: object) -> bytes:
    """Amounts are text, so that no reader makes binary floats of them."""
    import msgspec

    return msgspec.json.format(msgspec.json.encode(document, enc_hook=_encodable), indent=2) + b"\n"


def _encodable(value: object) -> object:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def _console(file: Any) -> Console:
    from rich.console import Console

    console = Console(file=file, highlight=False, markup=False, soft_wrap=False)
    if not console.is_terminal:
        # A pipe or a log has no width: eighty columns would cut symbols and reasons apart.
        console = Console(file=file, highlight=False, markup=False, width=_WIDTH_OF_A_PIPE)
    return console


_WIDTH_OF_A_PIPE: Final = 160

_PATIENCE_S: Final = 2.0
"""Seconds that nobody reads until what was said on stderr is given up, at the end of a command."""
