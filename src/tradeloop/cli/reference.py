"""The reference of the command line, written from the commands themselves: `python -m tradeloop.cli.reference`.

docs/reference/cli.md holds it below a marker; a test keeps the two the same, and both the same as `--help`.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator
from typing import Annotated, Any, Final, Literal, get_args, get_origin, get_type_hints

import typer
from typer.models import ArgumentInfo, OptionInfo

MARKER: Final = "<!-- Below: written by `python -m tradeloop.cli.reference`. Change the commands, not this text. -->"


def rendered() -> str:
    """Every command with its arguments and options."""
    from tradeloop.cli.app import app

    lines = [MARKER, ""]
    for words, function in commands(app, ("tradeloop",)):
        lines += _section(words, function)
    return "\n".join(lines).rstrip() + "\n"


def commands(app: typer.Typer, words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Callable[..., Any]]]:
    """What one types to reach each command, and the function that does it; groups that do something themselves too."""
    if app.registered_callback is not None and app.registered_callback.callback is not None:
        yield words, app.registered_callback.callback
    for command in app.registered_commands:
        assert command.callback is not None
        yield (*words, command.name or command.callback.__name__), command.callback
    for group in app.registered_groups:
        assert group.typer_instance is not None
        assert group.name is not None
        yield from commands(group.typer_instance, (*words, group.name))


def _section(words: tuple[str, ...], function: Callable[..., Any]) -> list[str]:
    parameters = list(_parameters(function))
    usage = " ".join([*words, *(written if required else f"[{written}]" for written, _, required in parameters)])
    about = inspect.getdoc(function) or "Options that stand before the command."
    lines = [f"## {' '.join(words)}", "", about, "", "```text", usage, "```", ""]
    if parameters:
        lines += ["| option | what it does |", "| --- | --- |"]
        lines += [f"| `{written.replace('|', ' or ')}` | {about} |" for written, about, _ in parameters]
        lines.append("")
    return lines


def _parameters(function: Callable[..., Any]) -> Iterator[tuple[str, str, bool]]:
    """(as one types it, what it does, whether it has to be given)."""
    hints = get_type_hints(function, include_extras=True)
    for name, parameter in inspect.signature(function).parameters.items():
        hint = hints[name]
        if get_origin(hint) is not Annotated:
            continue
        kind, info = get_args(hint)[:2]
        required = parameter.default is inspect.Parameter.empty
        if isinstance(info, ArgumentInfo):
            yield str(info.metavar or name.upper()), info.help or "", required
        elif isinstance(info, OptionInfo):
            # In Annotated[…, typer.Option("--x")] Typer keeps the first name where a default would stand.
            option = info.default if isinstance(info.default, str) else (info.param_decls or (f"--{name}",))[0]
            yield option if kind is bool else f"{option} {_value(kind, name)}", info.help or "", required


def _value(kind: Any, name: str) -> str:
    choices = [each for part in (kind, *get_args(kind)) if get_origin(part) is Literal for each in get_args(part)]
    return "|".join(choices) if choices else name.rstrip("_").upper().replace("_", "-")


if __name__ == "__main__":
    sys.stdout.write(rendered())
