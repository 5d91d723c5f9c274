"""The example strategy in the home of the demo: its file and its place in strategies.yaml, made where there are none."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import tradeloop
from tradeloop.config import Home
from tradeloop.core.errors import BadInput, JournalFailed
from tradeloop.strategies.configured import FILE

NAME: Final = "dip"
_CONFIG: Final = """\
# The example of the demo; docs/how-to/write-a-strategy.md says what each line means.
strategies:
  - name: dip
    file: strategies/dip.py
    symbols: [AIG.US]
    bar_s: 5
    parameters: {down: "0.0004", up: "0.0004", lot: "10"}
"""


def put_example(home: Home) -> None:
    """Put it there. What is there already, changed by its owner perhaps, stays. Raises JournalFailed on a full disk."""
    folder, config = home.config / "strategies", home.config / FILE
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        _put(folder / "dip.py", _source().read_bytes())
        _put(config, _CONFIG.encode())
    except OSError as error:
        raise JournalFailed(f"{folder} could not be written ({error.strerror or error}); free space on the disk") from None


def _put(path: Path, content: bytes) -> None:
    """The file with all of it, for its owner alone."""
    if path.exists():
        return
    part = path.with_name(f".{path.name}.part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
    part.replace(path)


def _source() -> Path:
    """Inside an installed package, or beside src in a checkout."""
    package = Path(tradeloop.__file__).parent
    for root in (package / "examples", package.parent.parent / "examples"):
        if (found := root / "strategies" / "dip.py").is_file():
            return found
    raise BadInput(f"the example strategy was not found beside {package}; install tradeloop again")
