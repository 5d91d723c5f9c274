"""The text of a data file as what it is to be: nothing twice, nothing by reference, and every refusal says where.

YAML takes the last of two keys that are the same, so that of two days or two limits one would be lost without a word.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Any, Final, TypeVar

import msgspec
import yaml

from tradeloop.core.errors import BadInput

T = TypeVar("T")

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TIMESTAMP: Final = "tag:yaml.org,2002:timestamp"
_PLACE: Final = re.compile(r"(?: - )?at `\$(?:\.rows\[(\d+)\])?\.?([^`]*)`")
_SHOWN_MAX: Final = 40


def read_as(content: bytes, kind: type[T], where: str) -> T:
    """What the text says, as a `kind`; `BadInput`, in one sentence that begins with `where`."""
    try:
        return msgspec.convert(_values(content, where), kind, builtin_types=(datetime, date))
    except (yaml.YAMLError, msgspec.ValidationError, ValueError, RecursionError) as wrong:
        raise BadInput(f"{where} cannot be read: {_said(wrong)}") from None


def shown(value: object) -> str:
    """A value out of a file for a message: as it is where it is harmless, else quoted and short."""
    text = str(value)
    if len(text) > _SHOWN_MAX:
        text = f"{text[:_SHOWN_MAX]}…"
    return text if text.isprintable() and text else repr(text)


def _values(content: bytes, where: str) -> Any:
    loader = _LOADER(content)
    try:
        node = loader.get_single_node()
        if node is None:
            raise BadInput(f"{where} is empty; expected a table or a calendar")
        _refuse(node, loader, where)
        return loader.construct_document(node)
    finally:
        loader.dispose()


def _refuse(top: yaml.Node, loader: Any, where: str) -> None:
    """Raise BadInput for a key that stands twice in one map, a value that stands for another, and a day that is none."""
    seen: set[int] = set()
    left = [top]
    while left:
        node = left.pop()
        if id(node) in seen:
            raise BadInput(
                f"{where} cannot be read: in line {_line(node)} a value was named by reference; expected it written out"
            )
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            left += node.value
        elif isinstance(node, yaml.MappingNode):
            keys: set[object] = set()
            for key, value in node.value:
                if isinstance(key, yaml.ScalarNode) and key.value in keys:
                    raise BadInput(
                        f"{where} cannot be read: in line {_line(key)} {shown(key.value)} was there twice; expected it once"
                    )
                keys.add(key.value if isinstance(key, yaml.ScalarNode) else id(key))
                left += (key, value)
        elif node.tag == _TIMESTAMP:
            try:
                loader.construct_yaml_timestamp(node)
            except ValueError:
                said = f"{shown(node.value)} was no day of the calendar; expected one such as 2026-07-06"
                raise BadInput(f"{where} cannot be read: in line {_line(node)} {said}") from None


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _said(wrong: Exception) -> str:
    """What a parser complains of, in one line, with rows counted from one as everywhere."""
    if isinstance(wrong, RecursionError):
        return "it is nested too deeply"
    mark = getattr(wrong, "problem_mark", None)
    if mark is not None:
        return f"{getattr(wrong, 'problem', None) or 'it is no YAML'}, line {mark.line + 1}"
    return _PLACE.sub(_place, " ".join(str(wrong).split()))


def _place(found: re.Match[str]) -> str:
    row, column = found.group(1), found.group(2)
    words = [] if row is None else [f"row {int(row) + 1}"]
    words += [column] if column else []
    return f", {', '.join(words)}" if words else ""
