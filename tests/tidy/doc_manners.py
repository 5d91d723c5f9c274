"""What the documents keep to: what they point at exists, and the changelog can be read by a program."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from tests.tidy.tree import files

CHANGE_KINDS = ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")

_CODE = re.compile(r"`([^`\s]+)`")
_LINK = re.compile(r"\]\(([^)\s#]+)(?:#[^)\s]*)?\)")
_TOP_FOLDERS = ("src/", "tests/", "docs/", "deploy/", "benchmarks/", "examples/", "web/", ".ci/")
_SOURCE_FILE = re.compile(r"[a-z_]+(?:/[a-z_0-9]+)+\.(?:py|yaml|sql|csv)")
_MAKE = re.compile(r"(?:^|[`\s;&])make ((?:[a-z]+)(?: [a-z]+)*)(?=[`\s;&.,#]|$)")
_TRADELOOP = re.compile(r"(?:^|[`\s])(?:\.venv/bin/)?tradeloop((?: [a-z][a-z-]*(?![\w./-]))+)")
_FENCE = re.compile(r"^```(?:bash|sh|console|shell)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_RELEASE = re.compile(r"## \[(\d+)\.(\d+)\.(\d+)\] - (\d{4}-\d{2}-\d{2})")


def paths_that_do_not_exist(root: Path) -> list[str]:
    """Each link and each path in code marks leads somewhere; `core/x.py` is `src/tradeloop/core/x.py`."""
    offences = []
    for doc in files(root, "*.md"):
        text = (root / doc).read_text(encoding="utf-8")
        for target in _LINK.findall(text):
            elsewhere = "://" in target or target.startswith("mailto:")
            if not elsewhere and not (root / doc.parent / target).exists():
                offences.append(f"{doc}: links to {target}, which does not exist")
        for named in _CODE.findall(_without_fences(text)):
            where = named.split("::")[0]
            if any(mark in where for mark in "*<>{}$…"):
                continue
            if where.startswith(_TOP_FOLDERS):
                exists = (root / where).exists()
            elif _SOURCE_FILE.fullmatch(where):
                exists = (root / "src/tradeloop" / where).exists() or (root / where).exists()
            else:
                continue
            if not exists:
                offences.append(f"{doc}: names {named}, which does not exist")
    return offences


def make_targets_that_do_not_exist(root: Path) -> list[str]:
    """Each `make x` a document tells its reader to type is a target of the Makefile."""
    known = set(re.findall(r"^([a-z]+):", (root / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    return [
        f"{doc}: tells to type 'make {target}', which is not a target"
        for doc in files(root, "*.md")
        for words in _MAKE.findall(_commands((root / doc).read_text(encoding="utf-8")))
        for target in words.split()
        if target not in known
    ]


def commands_that_do_not_exist(root: Path, exists: Callable[[tuple[str, ...]], bool]) -> list[str]:
    """Each `tradeloop x y` a document tells its reader to type is a command; `exists` knows them."""
    offences = []
    for doc in files(root, "*.md"):
        for words in _TRADELOOP.findall(_commands((root / doc).read_text(encoding="utf-8"))):
            command = tuple(words.split())
            if not exists(command):
                offences.append(f"{doc}: tells to type 'tradeloop {' '.join(command)}', which is not a command")
    return offences


def changelog_offences(text: str) -> list[str]:
    """The changelog follows keepachangelog.com: Unreleased first, dated releases, the six kinds, bullets."""
    lines = text.splitlines()
    offences = []
    if not lines or lines[0] != "# Changelog":
        offences.append(f"expected the first line to be '# Changelog', was {lines[0] if lines else ''!r}")
    headings = [line for line in lines if line.startswith("## ")]
    if headings[:1] != ["## [Unreleased]"]:
        offences.append(f"expected the first section to be '## [Unreleased]', was {headings[:1]}")
    releases = []
    for heading in headings[1:]:
        if found := _RELEASE.fullmatch(heading):
            releases.append((tuple(int(n) for n in found.groups()[:3]), found.group(4)))
        else:
            offences.append(f"expected '## [1.2.3] - 2026-01-31', was {heading!r}")
    if releases != sorted(releases, reverse=True):
        offences.append("expected the newest release first")
    for index, line in enumerate(lines):
        if line.startswith("### "):
            if line[4:] not in CHANGE_KINDS:
                offences.append(f"expected one of {', '.join(CHANGE_KINDS)}, was {line!r}")
            below = next((following for following in lines[index + 1 :] if following.strip()), "")
            if not below.startswith("- "):
                offences.append(f"expected a bullet below {line!r}, was {below!r}")
    return offences


def _commands(text: str) -> str:
    """What a reader would type: the shell blocks, and the spans in code marks, one a line."""
    spans = re.findall(r"`([^`\n]+)`", _without_fences(text))
    return "\n".join([*_FENCE.findall(text), *spans])


def _without_fences(text: str) -> str:
    return re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
