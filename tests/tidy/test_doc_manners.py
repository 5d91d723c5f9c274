"""What the documents point at exists, and the changelog can be read by a program."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

from tests.tidy import doc_manners as manners
from tests.tidy.tree import ROOT, plant

A_GOOD_CHANGELOG = """# Changelog

## [Unreleased]

### Added
- One thing.

## [0.2.0] - 2026-02-01

### Fixed
- Another.

## [0.1.0] - 2026-01-01

### Added
- The first.
"""


@cache
def is_a_command(words: tuple[str, ...]) -> bool:
    """Whether the installed command line knows these words, asked of itself."""
    asked = [sys.executable, "-m", "tradeloop", *words, "--help"]
    return subprocess.run(asked, capture_output=True, check=False, cwd=ROOT).returncode == 0


def test_what_the_documents_name_exists() -> None:
    assert manners.paths_that_do_not_exist(ROOT) == []


def test_a_document_that_names_what_is_not_there_is_found(tmp_path: Path) -> None:
    plant(tmp_path, "src/tradeloop/core/order.py")
    plant(tmp_path, "docs/good.md", "`core/order.py`, `src/tradeloop/core/order.py`, [up](../README.md#top)\n")
    plant(tmp_path, "README.md", "`core/gone.py` and [gone](docs/gone.md), but `core/*.py` is a pattern\n")
    assert len(manners.paths_that_do_not_exist(tmp_path)) == 2


def test_the_make_targets_in_the_documents_exist() -> None:
    assert manners.make_targets_that_do_not_exist(ROOT) == []


def test_a_make_target_that_does_not_exist_is_found(tmp_path: Path) -> None:
    plant(tmp_path, "Makefile", "test: setup\n\ttrue\n")
    plant(tmp_path, "README.md", "Type `make test`, then:\n```bash\nmake coffee\n```\nand make sure it works.\n")
    found = manners.make_targets_that_do_not_exist(tmp_path)
    assert [line.split("'")[1] for line in found] == ["make coffee"]


def test_the_commands_in_the_documents_exist() -> None:
    assert manners.commands_that_do_not_exist(ROOT, is_a_command) == []


def test_a_command_that_does_not_exist_is_found(tmp_path: Path) -> None:
    text = "`tradeloop runs list`\n```bash\n.venv/bin/tradeloop run portfolio.csv --yes\ntradeloop brew\n```\n"
    plant(tmp_path, "README.md", text)
    known = {("runs", "list"), ("run",)}
    found = manners.commands_that_do_not_exist(tmp_path, known.__contains__)
    assert [line.split("'")[1] for line in found] == ["tradeloop brew"]


def test_the_command_line_denies_a_command_it_does_not_have() -> None:
    """Otherwise every command in the documents would seem to exist."""
    assert not is_a_command(("no-such-command",))


def test_the_changelog_keeps_its_form() -> None:
    assert manners.changelog_offences((ROOT / "CHANGELOG.md").read_text(encoding="utf-8")) == []


def test_a_good_changelog_passes() -> None:
    assert manners.changelog_offences(A_GOOD_CHANGELOG) == []


def test_each_slip_in_a_changelog_is_found() -> None:
    slips = {
        "title": A_GOOD_CHANGELOG.replace("# Changelog", "# Changes", 1),
        "no unreleased": A_GOOD_CHANGELOG.replace("[Unreleased]", "[0.3.0] - 2026-03-01"),
        "no date": A_GOOD_CHANGELOG.replace("[0.2.0] - 2026-02-01", "[0.2.0]"),
        "order": A_GOOD_CHANGELOG.replace("[0.1.0] - 2026-01-01", "[0.4.0] - 2026-01-01"),
        "kind": A_GOOD_CHANGELOG.replace("### Fixed", "### Improved"),
        "empty kind": A_GOOD_CHANGELOG.replace("- Another.\n", ""),
    }
    assert {name: len(manners.changelog_offences(text)) for name, text in slips.items()} == dict.fromkeys(slips, 1)


def test_the_package_and_the_project_file_tell_one_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    opening = (ROOT / "src/tradeloop/__init__.py").read_text(encoding="utf-8")
    assert f'__version__ = "{project["version"]}"' in opening
