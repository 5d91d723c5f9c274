"""Which strategies there are, the file of each, and what it is given: strategies.yaml. Read anew whenever one is started."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import msgspec

from tradeloop.core.errors import BadInput, NotKnown
from tradeloop.core.types import Symbol
from tradeloop.markets.symbols import canonical
from tradeloop.yamltext import document_of, shown

FILE: Final = "strategies.yaml"
MANY: Final = 50
"""Strategies of one file."""
_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_SPANS: Final = {"timer_s": (0.1, 86_400.0), "bar_s": (1.0, 86_400.0), "call_s": (0.01, 60.0), "start_s": (0.1, 60.0)}


class Configured(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One strategy. `parameters` are text as they were written; spans are seconds, those of calls by the world's clock."""

    name: str
    file: str
    symbols: list[str]
    class_name: str = msgspec.field(default="", name="class")
    parameters: dict[str, str] = {}
    timer_s: float | None = None
    bar_s: float = 60.0
    call_s: float = 1.0
    start_s: float = 10.0

    @property
    def traded(self) -> list[Symbol]:
        """Its symbols, in our notation."""
        return [canonical(each) for each in self.symbols]


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    strategies: list[Configured] = []


def configured_in(path: Path) -> dict[str, Configured]:
    """The strategies of a file by name; none where there is no file. Raises BadInput naming what is wrong."""
    document: Any = document_of(path)
    try:
        found = msgspec.convert(document or {}, _File, strict=False).strategies
    except msgspec.ValidationError as error:
        raise BadInput(f"{path.name}: {error}; see docs/how-to/write-a-strategy.md") from None
    if len(found) > MANY:
        raise BadInput(f"{path.name}: there were {len(found)} strategies; expected at most {MANY}")
    for each in found:
        _refuse(each, path.name)
    names = [each.name for each in found]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise BadInput(f"{path.name}: strategy {twice} stands twice; keep one of them")
    return {each.name: each for each in found}


def one_of(path: Path, name: str) -> Configured:
    """One of them. Raises NotKnown."""
    found = configured_in(path)
    if name not in found:
        raise NotKnown(f"strategy {shown(name)} is not in {path.name}; there are {', '.join(found) or 'none'}")
    return found[name]


def _refuse(one: Configured, file: str) -> None:
    if _NAME.fullmatch(one.name) is None:
        expected = "a small letter, then at most 39 small letters, digits, - and _"
        raise BadInput(f"{file}: the name of a strategy was {shown(one.name)}; expected {expected}")
    if not one.symbols:
        raise BadInput(f"{file}: strategy {one.name} has no symbols; expected those whose quotes it is told")
    for name, (least, most) in _SPANS.items():
        value = getattr(one, name)
        if value is not None and not least <= value <= most:
            raise BadInput(f"{file}: {name} of strategy {one.name} was {value:g}; expected {least:g} to {most:g} seconds")
    try:
        one.traded  # noqa: B018 -- looked at for what it raises
    except BadInput as error:
        raise BadInput(f"{file}: strategy {one.name}: {error}") from None
