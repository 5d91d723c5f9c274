"""How many steps a desk takes for one input: lines of the core that are run, which no clock and no other process moves."""

from __future__ import annotations

import sys
from pathlib import Path
from types import FrameType
from typing import Any

import tradeloop.core
from tradeloop.core.inputs import Input
from tradeloop.testing.desk import Desk

CORE = str(Path(tradeloop.core.__file__).parent)


def steps(desk: Desk, *given: Input) -> int:
    """The lines of the core that these inputs run, each as often as it is run."""
    count = 0

    def line(frame: FrameType, event: str, arg: Any) -> Any:
        nonlocal count
        count += event == "line"
        return line

    def call(frame: FrameType, event: str, arg: Any) -> Any:
        return line if frame.f_code.co_filename.startswith(CORE) else None

    before = sys.gettrace()
    sys.settrace(call)
    try:
        desk.give(*given)
    finally:
        sys.settrace(before)
    return count
