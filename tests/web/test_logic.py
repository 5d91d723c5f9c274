"""What the page reckons, tried by vitest: amounts, numbers of the stream, the curve, words of every language."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from tests.tidy.tree import ROOT

VITEST = ROOT / "web" / "node_modules" / "vitest" / "vitest.mjs"


@pytest.mark.timeout(300)
def test_the_logic_of_the_page_is_right() -> None:
    node = shutil.which("node")
    if node is None or not VITEST.is_file():
        pytest.skip("there is no Node of this machine, or its packages are not there: make web")
    said = subprocess.run(
        [node, VITEST, "run"], cwd=VITEST.parents[2], capture_output=True, text=True, timeout=280, check=False
    )
    assert said.returncode == 0, said.stdout[-4_000:] + said.stderr[-2_000:]
    assert "passed" in said.stdout
