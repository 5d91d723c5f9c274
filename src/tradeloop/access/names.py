"""Names that people and keys are given: seen at a glance, typed on any keyboard, and never two that differ in case alone."""

from __future__ import annotations

import re
from typing import Final

from tradeloop.core.errors import BadInput

NAME_MAX: Final = 32
_NAME: Final = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{NAME_MAX - 1}}}")
_TAKEN: Final = frozenset({"cli", "desk", "engine", "external", "nobody", "system", "terminal", "tradeloop"})
"""What the journal and the log of access call those who are no person, or might."""
_LABEL_MAX: Final = 60
_SHOWN_MAX: Final = 40


def user_id(name: str) -> str:
    """The id of whoever has that name; of what is no name too, and then nobody has it."""
    return name.casefold()[: 2 * NAME_MAX]


def checked_name(name: str) -> str:
    """A name that a user may have. Raises BadInput."""
    if not _NAME.fullmatch(name):
        raise BadInput(
            f"the name was {name[:_SHOWN_MAX]!r}; expected 1 to {NAME_MAX} of the letters a to z, digits and . _ -, the first"
            " one a letter or a digit"
        )
    if user_id(name) in _TAKEN:
        raise BadInput(f"the name was {name!r}, which stands in records for no person; choose another one")
    return name


def checked_label(text: str, what: str) -> str:
    """A few words that name a thing, such as a key. Raises BadInput."""
    label = text.strip()
    if not label or len(label) > _LABEL_MAX or not label.isprintable():
        raise BadInput(f"{what} was {text[:_SHOWN_MAX]!r}; expected 1 to {_LABEL_MAX} characters that are seen")
    return label
