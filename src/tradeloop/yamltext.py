"""YAML as text: every scalar stays what was written, nothing is said by reference, and no name twice.

A limit of 0.1 is 0.1 and not the binary number nearest to it, and a file that cannot be read so is refused in one sentence
that says where.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import yaml
from typing_extensions import override

from tradeloop.core.errors import BadInput

BYTES_MAX: Final = 256 * 1024
SHOWN_MAX: Final = 60

T = TypeVar("T")


def document_of(path: Path) -> Any:
    """What a file says, as maps, lists and text; None where there is no file, or nothing in it. Raises BadInput."""
    return _read(path, lambda loader: loader.get_single_data())


def tree_of(path: Path) -> yaml.Node | None:
    """The same with the place of every node in the file, for whoever names it; names are not yet held to stand once each."""
    return _read(path, lambda loader: loader.get_single_node())


def is_text(value: str) -> bool:
    """Whether a text holds no half of a character, which no journal could keep."""
    return not any("\ud800" <= each <= "\udfff" for each in value)


def shown(name: str) -> str:
    """A name out of a file for a message: as it is where it is harmless, else quoted and short."""
    harmless = bool(name) and name.isprintable() and len(name) <= SHOWN_MAX
    return name if harmless else repr(name if len(name) <= SHOWN_MAX else f"{name[:SHOWN_MAX]}…")


class _Plain(yaml.BaseLoader):
    """YAML whose every scalar stays the text it was written as: 0.1 stays 0.1, and `no` is not False yet.

    Nothing is said by reference, so that a short file is a small document, and nothing twice, so that no limit is lost.
    """

    @override
    def compose_node(self, parent: Any, index: Any) -> Any:
        """A node of the document, which is never another one again."""
        if self.check_event(yaml.AliasEvent):
            alias = self.peek_event()  # type: ignore[no-untyped-call]
            raise yaml.YAMLError(alias.start_mark, f"*{alias.anchor} stands for another value; write the value out")
        return super().compose_node(parent, index)

    @override
    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        """A map whose names stand once each."""
        seen: set[object] = set()
        for key, _ in node.value:
            if key.value in seen if isinstance(key.value, str) else False:
                raise yaml.YAMLError(key.start_mark, f"{shown(key.value)} stands twice; keep one of them")
            seen.add(key.value if isinstance(key.value, str) else id(key))
        return super().construct_mapping(node, deep=deep)

    @override
    def construct_scalar(self, node: Any) -> Any:
        """Text, and not half of a character."""
        value = super().construct_scalar(node)
        if not is_text(str(value)):
            raise yaml.YAMLError(node.start_mark, f"{str(value)[:SHOWN_MAX]!r} is not text; correct it")
        return value


def _read(path: Path, build: Callable[[_Plain], T]) -> T | None:
    try:
        with path.open("rb") as file:
            raw = file.read(BYTES_MAX + 1)
        text = raw.decode()
    except FileNotFoundError:
        if path.is_symlink():
            raise BadInput(f"{path} is a link to {path.readlink()}, where no file is; correct the link") from None
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} can not be read ({error}); check its rights and its encoding, UTF-8") from None
    if len(raw) > BYTES_MAX:
        raise BadInput(f"{path.name}: is larger than {BYTES_MAX:,} bytes; expected settings, check which file it is")
    try:
        loader = _Plain(text)
        try:
            return build(loader)
        finally:
            loader.dispose()
    except RecursionError:
        raise BadInput(f"{path.name}: is nested too deeply; expected settings such as `run:`, correct it") from None
    except yaml.YAMLError as error:
        if len(error.args) == 2 and isinstance(error.args[0], yaml.Mark):  # one of ours
            raise BadInput(f"{path.name}, row {error.args[0].line + 1}: {error.args[1]}") from None
        mark = getattr(error, "problem_mark", None)
        where = f", row {mark.line + 1}" if mark is not None else ""
        said = getattr(error, "problem", None) or "not well-formed"
        raise BadInput(f"{path.name}{where}: is not YAML ({said}); correct it") from None
