"""Puts each peer into a virtual environment of its own under `.bench/`, once. Nothing of a peer is imported by us or
shipped.
"""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

PEERS = {
    "nautilus": ("nautilus_trader==1.221.0",),
    "vnpy": ("vnpy==4.5.0", "vnpy_riskmanager==2.0.0"),
    "fastapi": ("fastapi==0.165.0", "uvicorn==0.54.0", "uvloop==0.23.0", "httptools==0.9.0"),
    "flask": ("flask==3.1.3", "gunicorn==27.0.1"),
    "websockets": ("websockets==17.4", "uvloop==0.23.0"),
}
"""Name -> what pip installs: the versions the figures in docs/ were measured against."""

_HOME = Path(__file__).resolve().parents[2] / ".bench"


def interpreter(name: str) -> tuple[Path | None, str]:
    """The peer's Python, installed when it was not yet; or None and why."""
    home = _HOME / name
    python, stamp = home / "bin" / "python", home / "installed"
    wanted = " ".join(PEERS[name])
    if stamp.exists() and stamp.read_text(encoding="ascii") == wanted:
        return python, ""
    print(f"installing {wanted} into {home.relative_to(_HOME.parent)}", file=sys.stderr)
    venv.create(home, clear=True, with_pip=True)
    done = subprocess.run(
        [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PEERS[name]],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        said = done.stderr.strip().splitlines() or ["no reason given"]
        return None, f"pip could not install {wanted}: {said[-1]}"
    stamp.write_text(wanted, encoding="ascii")
    return python, ""
