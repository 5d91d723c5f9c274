"""A change of a limit as people and programs write it, for a time and for a reason, and the command it makes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from msgspec.structs import replace

from tradeloop.bootstrap.limit_names import a_currency, a_name, listed
from tradeloop.bootstrap.limits import LISTS, a_limit, a_word
from tradeloop.core.commands import ChangeLimit, RevertLimit
from tradeloop.core.errors import BadInput
from tradeloop.core.limit import LimitScope
from tradeloop.core.types import SECOND_NS

_SPAN: Final = re.compile(r"([0-9]{1,6})(s|min|h|d)")
_SECONDS: Final = {"s": 1, "min": 60, "h": 3600, "d": 86_400}


def changed_limit(
    given: Mapping[str, str],
    lasts: str,
    approved_by: str,
    by: str,
    reason: str,
    called: Mapping[str, str] | None = None,
    mark: str = "",
) -> ChangeLimit:
    """The change that these words ask for. `called`: what fields are called where they were written; `mark` stands before the
    name of a list there. Raises BadInput.
    """
    names = called or {}
    lasts_ns = span_ns(lasts, names.get("for", "for"))
    if not reason.strip():
        raise BadInput(f"{names.get('reason', 'reason')} was empty; a limit is changed for a reason")
    fields = dict(given)
    rule = fields.get("rule", "")
    lists = {key: listed(fields.pop(key).split(","), f"{mark}{key}", rule) for key in LISTS if key in fields}
    limit = replace(a_limit(fields, by=by, reason=reason), **lists)
    return ChangeLimit(limit, approved_by, lasts_ns)


def reverted_limit(
    given: Mapping[str, str], by: str, reason: str, approved_by: str, *, shadow: bool, mark: str = ""
) -> RevertLimit:
    """The end of a limit that a person had set. Raises BadInput."""
    scope = a_word(LimitScope, given.get("scope", "global"), f"{mark}scope")
    name, currency = a_name(scope, given.get("name", "")), a_currency(given.get("currency", ""))
    return RevertLimit(given["rule"], by, reason, scope, name, currency, shadow, approved_by)


def span_ns(text: str, what: str) -> int:
    """A time such as 90s, 30min, 2h or 3d in nanoseconds. Raises BadInput."""
    found = _SPAN.fullmatch(text.strip())
    if found is None or not int(found.group(1)):
        raise BadInput(f"{what} was {text[:40]!r}; expected a time such as 90s, 30min, 2h or 3d")
    return int(found.group(1)) * _SECONDS[found.group(2)] * SECOND_NS
