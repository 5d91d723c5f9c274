"""The repository as its own tests see it: the root, and the files that belong to it."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

_MADE_BY_TOOLS = {
    ".git",
    ".hypothesis",
    ".import_linter_cache",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
    ".venv",
    "__pycache__",
    "build",
    "dist",
    "node_modules",
}


def files(root: Path, *patterns: str) -> list[Path]:
    """The files of the repository under `root`: paths relative to it, sorted, that fit one of the globs.

    Inside a git work tree these are the tracked files and the new ones that are not ignored. Anywhere else
    (a source archive, a planted example) they are all files outside the folders that tools make.
    """
    found = _known_to_git(root) if (root / ".git").exists() else None
    if found is None:
        found = [p.relative_to(root) for p in root.rglob("*") if p.is_file()]
    kept = [p for p in found if not _MADE_BY_TOOLS & set(p.parts)]
    if patterns:
        kept = [p for p in kept if matches(p, patterns)]
    return sorted(kept)


def matches(path: Path, patterns: Iterable[str]) -> bool:
    """Whether `path` fits one of `patterns`; a star crosses slashes."""
    return any(fnmatch(path.as_posix(), pattern) for pattern in patterns)


def parsed(root: Path, *patterns: str) -> Iterator[tuple[Path, ast.Module]]:
    """Each Python file that fits, with its syntax tree."""
    for path in files(root, *patterns):
        yield path, ast.parse((root / path).read_text(encoding="utf-8"), filename=str(path))


def plant(root: Path, path: str, text: str = "") -> Path:
    """Writes one file of a planted example, and says where."""
    where = root / path
    where.parent.mkdir(parents=True, exist_ok=True)
    where.write_text(text, encoding="utf-8")
    return where


def _known_to_git(root: Path) -> list[Path] | None:
    command = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listing = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    except (FileNotFoundError, subprocess.CalledProcessError):
        return None
    return [Path(name) for name in listing.split("\0") if name and (root / name).is_file()]
