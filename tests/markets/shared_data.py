"""The lane on the external data pack: real sessions, limit days and night bars that may not be passed on."""

from __future__ import annotations

import csv
import gzip
import os
from pathlib import Path

import pytest

_BESIDE_THE_REPOSITORY = Path(__file__).resolve().parents[3] / "shared" / "data"


def rows(name: str) -> list[dict[str, str]]:
    """The rows of one CSV of the pack; skips the test, with the reason, where the pack is absent."""
    folder = Path(os.environ.get("TRADELOOP_TEST_SHARED_DATA", _BESIDE_THE_REPOSITORY))
    path = folder / name
    if not path.exists():
        pytest.skip(f"no data pack: {name} is neither beside the repository nor under TRADELOOP_TEST_SHARED_DATA")
    if path.suffix == ".gz":
        with gzip.open(path, "rt", encoding="utf-8") as packed:
            return list(csv.DictReader(packed))
    with path.open(encoding="utf-8", newline="") as plain:
        return list(csv.DictReader(plain))
