"""What every text in the repository keeps to: its language, its size, and that it names nobody's machine."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

from tests.tidy.tree import files, matches

MAX_BYTES = 1024 * 1024

# Where letters beyond ASCII may stand, and why. A star crosses slashes.
OTHER_LANGUAGES = {
    "README.zh-CN.md": "the Chinese front page",
    "docs/zh/*": "the Chinese documentation",
    "docs/glossary.md": "each word of the trade with its Chinese name",
    "docs/reference/risk-rules.md": "what a denial says to a Chinese reader, beside the English",
    "tests/core/risk/test_chinese.py": "denials in Chinese",
    "tests/cli/test_orders.py": "denials in Chinese",
    "tests/cli/test_orders_replace.py": "denials in Chinese",
    "tests/cli/test_risk.py": "denials in Chinese",
    "tests/core/test_checked.py": "names as people give them",
    "src/tradeloop/core/risk/*.py": "what a rule says to a Chinese reader, beside the English",
    "src/tradeloop/markets/facts.py": "the mark that exchanges put into a stock's name",
    "src/tradeloop/i18n/zh*": "what a Chinese reader is shown",
    "tests/markets/test_instruments.py": "stocks as their exchanges name them",
    "tests/web/test_looks.py": "the desk in Chinese",
    "web/src/i18n/zh*": "what a Chinese reader is shown",
}

# Letters of formulas and units, which every reader of English meets.
_LETTERS_OF_FORMULAS = frozenset("µμσΣΔπ")

_SOMEBODYS_FOLDER = re.compile(r"(?<![\w.~-])/(?:home|Users|root|work|mnt)/[\w.-]+")


def letters_of_other_languages(root: Path, allowed: dict[str, str] | None = None) -> list[str]:
    """The repository speaks English, save where `allowed` (OTHER_LANGUAGES) gives a reason."""
    places = OTHER_LANGUAGES if allowed is None else allowed
    offences = []
    for path in files(root):
        if matches(path, places):
            continue
        for number, line in enumerate(_lines(root / path), start=1):
            strange = sorted({c for c in line if _is_strange(c)})
            if strange:
                offences.append(
                    f"{path}:{number}: {''.join(strange)!r} is not English;"
                    " move it, or name the file with a reason in OTHER_LANGUAGES (tests/tidy/text_manners.py)"
                )
                break
    return offences


def large_blobs(root: Path) -> list[str]:
    """No file is larger than one mebibyte: history keeps it for ever."""
    return [
        f"{path}: expected at most {MAX_BYTES} bytes, was {size}; keep a smaller sample"
        for path in files(root)
        if (size := (root / path).stat().st_size) > MAX_BYTES
    ]


def paths_of_somebodys_machine(root: Path) -> list[str]:
    """No text names a folder that exists on one machine only."""
    return [
        f"{path}:{number}: {found.group()!r} is a folder of one machine; make it relative or a setting"
        for path in files(root)
        for number, line in enumerate(_lines(root / path), start=1)
        if (found := _SOMEBODYS_FOLDER.search(line))
    ]


def _is_strange(character: str) -> bool:
    if character.isascii() or character in _LETTERS_OF_FORMULAS:
        return False
    return unicodedata.category(character).startswith("L")


def _lines(path: Path) -> list[str]:
    """The lines of a UTF-8 text; none of a file that is not one (compressed data, GBK on purpose)."""
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        return []
