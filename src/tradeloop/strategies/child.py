"""The process of one strategy: it loads the class it is given, calls it as it is told to, and answers what the class returned.

An exception of the class ends this process with its traceback on stderr; the host tells the last line of it. What the class
prints goes to stderr as well, so that it never gets between two answers. The process ends with the one that started it.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO, Final

from tradeloop.strategies.answers import wishes
from tradeloop.strategies.pipe import HEAD, HOOKS, Answer, Begin, OnStart, asked, framed

MODULE: Final = "strategy"
_LOOK_S: Final = 1.0
_ARGUMENTS: Final = {"on_quote": "quote", "on_bar": "bar", "on_fill": "fill", "on_timer": "at"}


def main() -> None:
    """Serve the host until it closes the pipe."""
    asks, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    _give_way()
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    begin = _read(asks)
    if not isinstance(begin, Begin):
        return
    strategy = made(begin)
    _write(answers, Answer(hooks=[each for each in HOOKS.values() if callable(getattr(strategy, each, None))]))
    while (call := _read(asks)) is not None:
        assert not isinstance(call, Begin)
        hook = HOOKS[type(call)]
        told = () if isinstance(call, OnStart) else (getattr(call, _ARGUMENTS[hook]),)
        orders, target = wishes(getattr(strategy, hook)(*told))
        _write(answers, Answer(orders, target))


def made(begin: Begin) -> Any:
    """The strategy: its file executed, its class found, and what is configured given to it. Raises what the file raises."""
    module = ModuleType(MODULE)
    module.__file__ = begin.file
    sys.modules[MODULE] = module
    exec(compile(begin.source, begin.file, "exec"), module.__dict__)  # noqa: S102 -- the user's own file is what this is for
    strategy = _class_in(module, begin.class_name)()
    strategy.name, strategy.symbols, strategy.parameters = begin.name, begin.symbols, begin.parameters
    return strategy


def _class_in(module: ModuleType, name: str) -> Any:
    own = [each for each in vars(module).values() if isinstance(each, type) and each.__module__ == MODULE]
    found = [each for each in own if (each.__name__ == name if name else any(hasattr(each, hook) for hook in HOOKS.values()))]
    if len(found) != 1:
        wanted = f"one class {name}" if name else "one class with on_start, on_quote, on_bar, on_fill or on_timer; name it"
        raise TypeError(f"{len(found)} classes were found; expected {wanted}")
    return found[0]


def _read(asks: BinaryIO) -> Any:
    """The next message; None where the host has closed the pipe."""
    head = asks.read(HEAD)
    if len(head) < HEAD:
        return None
    return asked(asks.read(int.from_bytes(head, "big")))


def _write(answers: BinaryIO, answer: Answer) -> None:
    answers.write(framed(answer))
    answers.flush()


def _give_way() -> None:
    """Where the machine has too little of something, the strategy goes without before the desk does."""
    with contextlib.suppress(OSError, AttributeError):
        os.nice(5)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def _end_with(parent: int) -> None:
    """End when the host is no more, also in the middle of a call."""
    while os.getppid() == parent:
        threading.Event().wait(_LOOK_S)
    os._exit(1)


if __name__ == "__main__":
    main()
