"""The commands that the README prints work as printed, and both languages print the same."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def example(name: str) -> str:
    """The second block of commands of a README, without its comments."""
    blocks = re.findall(r"```bash\n(.*?)```", (ROOT / name).read_text(encoding="utf-8"), re.DOTALL)
    return re.sub(r"\s+#.*", "", blocks[1])


def test_the_example_of_the_readme_works_as_printed(tmp_path: Path) -> None:
    script = example("README.md").replace(".venv/bin/tradeloop", f"{sys.executable} -m tradeloop")
    script = script.replace("/tmp/portfolio.csv", str(tmp_path / "portfolio.csv"))
    surroundings = os.environ | {"HOME": str(tmp_path)}
    ran = subprocess.run(
        ["bash", "-euc", script], capture_output=True, text=True, check=False, env=surroundings, stdin=subprocess.DEVNULL
    )
    assert ran.returncode == 0, ran.stderr
    assert "dry-run: nothing was sent" in ran.stdout
    assert "COMPLETED" in ran.stdout
    assert (tmp_path / "tradeloop-trial" / "tradeloop.db").exists()


def test_both_languages_print_the_same_commands() -> None:
    assert example("README.zh-CN.md") == example("README.md")


def test_both_name_the_reference_and_where_settings_live() -> None:
    for name in ("README.md", "README.zh-CN.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        for said in ("docs/reference/cli.md", "--feed", "--speed", "--yes", "--hold", "tradeloop.yaml", "broker.yaml"):
            assert said in text, f"{name} does not name {said}"
