"""docs/reference/cli.md, the commands and their `--help` say the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.cli.commands import tradeloop
from typer.models import TyperInfo

from tradeloop.cli.app import app
from tradeloop.cli.reference import MARKER, commands, rendered

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "cli.md"
COMMANDS = [words for words, _ in commands(app, ("tradeloop",))]


def test_the_page_is_what_the_commands_say_today() -> None:
    written = PAGE.read_text(encoding="utf-8")
    below = written[written.index(MARKER) :]
    assert below == rendered(), f"write it anew: the head of {PAGE.name}, then `python -m tradeloop.cli.reference`"


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_help_works_and_names_every_option_of_the_page(words: tuple[str, ...], tmp_path: Path) -> None:
    helped = tradeloop(tmp_path, *words[1:], "--help")
    assert helped.code == 0
    section = rendered().partition(f"## {' '.join(words)}\n")[2].partition("\n## ")[0]
    options = set(re.findall(r"`(--[a-z-]+)", section))
    assert options
    assert options == set(re.findall(r"^ +(--[a-z-]+)", helped.out, re.MULTILINE)) - {"--help"}


def test_help_creates_nothing(tmp_path: Path) -> None:
    tradeloop(tmp_path / "home", "run", "--help")
    assert not (tmp_path / "home").exists()


def test_an_unknown_command_is_a_usage_error(tmp_path: Path) -> None:
    assert tradeloop(tmp_path, "buy").code == 2


@pytest.mark.parametrize("group", app.registered_groups, ids=lambda group: group.name)
def test_what_the_help_of_a_group_names_are_its_commands(group: TyperInfo) -> None:
    assert group.typer_instance is not None
    about, _, named = str(group.typer_instance.info.help).partition(": ")
    known = {command.name for command in group.typer_instance.registered_commands}
    assert {part.split()[0].strip(".") for part in named.split(", ")} == known
    assert ("listed by the command alone" in about) == (group.typer_instance.registered_callback is not None)


def test_every_group_is_documented_with_its_commands() -> None:
    named = {" ".join(words) for words in COMMANDS}
    for expected in ("run", "runs retry", "orders resolve", "db rebuild", "config show", "doctor", "verify", "replay"):
        assert f"tradeloop {expected}" in named
