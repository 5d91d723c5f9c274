"""The limits of risk that an installation has: risk.yaml, and the two that other programs know by names of the environment.

Read as text, so that no limit passes through a binary float, and taken whole or not at all: what cannot be understood is
refused in one sentence with its row, and what was in force before stays in force. So it does where there is no file, or nothing
in it: that may be a disk that is not there, or a copy that was cut short. `limits: []` says that there are none. A list in rows
that does not end with a line break is refused as perhaps cut off, and `count` beside it, where it is given, has to match.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Final, TypeVar

import yaml
from msgspec.structs import replace

from tradeloop.bootstrap.limit_names import a_currency, a_name, listed
from tradeloop.config import Loaded
from tradeloop.core.commands import SetLimits
from tradeloop.core.errors import BadInput
from tradeloop.core.halt import HaltTier
from tradeloop.core.limit import LimitScope, RiskLimit, Severity
from tradeloop.core.risk.registry import checked, is_known, unit_of
from tradeloop.core.risk.rule import Unit
from tradeloop.core.types import Word, exact
from tradeloop.yamltext import SHOWN_MAX, is_text, shown, tree_of

NAMED: Final = {"max_order_value": "max_order_value", "max_position_size": "max_position_qty"}
"""Settings of the section `risk` that are global limits -> the rule of each."""

LISTS: Final = ("only", "but")
"""Keys that hold a list of names."""

SOFT: Final = ("soft", "soft_severity")
"""Keys of a figure before the limit's own."""

KEYS: Final = ("rule", "value", "scope", "name", "currency", "severity", "missing", "shadow", "tier", "floor", *SOFT, *LISTS)
_NOTHING: Final = ("", "~", "null", "Null", "NULL")
"""What YAML writes for nothing at all."""

_NAMED_MAX: Final = 3
_HUNDRED: Final = Decimal(100)
_W = TypeVar("_W", bound=Word)


@dataclass(frozen=True)
class Author:
    """Who has a desk take the file, why, and who agreed. Nobody does where a desk starts with it."""

    by: str = ""
    reason: str = ""
    approved_by: str = ""


NOBODY: Final = Author()


@dataclass(frozen=True)
class Configured:
    """Limits as they are configured, and where each of them stands: its id -> origin. `silent`: why the file says nothing of
    limits, not even that there are none; empty where it does.
    """

    limits: tuple[RiskLimit, ...]
    origins: Mapping[str, str]
    silent: str = ""

    def kept(self, of_file: Mapping[str, RiskLimit]) -> tuple[RiskLimit, ...]:
        """Those of the limits in force that stay so because no file says anything else."""
        return tuple(limit for limit_id, limit in of_file.items() if limit_id not in self.origins) if self.silent else ()

    def over(self, of_file: Mapping[str, RiskLimit], author: Author = NOBODY) -> SetLimits:
        """What the desk is told, of which these are in force."""
        kept = self.kept(of_file)
        sources = dict.fromkeys(origin.split(", row")[0] for origin in self.origins.values())
        if kept:
            sources["the journal"] = None
        origin = ", ".join(sources) or "risk.yaml"
        return SetLimits((*self.limits, *kept), origin, author.by, author.reason, author.approved_by)

    def why_kept(self, of_file: Mapping[str, RiskLimit]) -> str:
        """What people are told of those that stay in force; empty where there are none."""
        kept = self.kept(of_file)
        if not kept:
            return ""
        named = ", ".join(f"{limit.rule} of {limit.where}" for limit in kept[:_NAMED_MAX])
        more = f" and {len(kept) - _NAMED_MAX} more" if len(kept) > _NAMED_MAX else ""
        stay = "1 limit stays" if len(kept) == 1 else f"{len(kept)} limits stay"
        return f"{self.silent}, so {stay} in force as before ({named}{more}); put it back, or write `limits: []` to have none"


def configured_limits(loaded: Loaded) -> Configured:
    """All limits of an installation. Raises BadInput with the first that cannot be, and where it stands."""
    return configured_in(loaded.home.limits, _named(loaded))


def configured_in(path: Path, named: Mapping[str, RiskLimit] | None = None) -> Configured:
    """The limits of a file, and beside them those that were `named` elsewhere, by origin."""
    limits: dict[str, RiskLimit] = {}
    origins: dict[str, str] = {}
    entries = _entries(path)
    for origin, limit in (*(named or {}).items(), *_read(path.name, entries)):
        try:
            checked(limit)
        except BadInput as error:
            raise BadInput(f"{origin}: {error}") from None
        known = origins.get(limit.limit_id)
        if known is not None:
            raise BadInput(f"{origin}: the limit {limit.rule} of {limit.where} stands in {known}, too; keep one of them")
        limits[limit.limit_id], origins[limit.limit_id] = limit, origin
    silent = "" if entries is not None else f"{path} says nothing of limits" if path.exists() else f"{path} is not there"
    return Configured(tuple(limits.values()), origins, silent)


def a_value(text: str, rule: str) -> Decimal:
    """A number as people write one: `500000`, or `5%` where the rule is of a fraction. Raises BadInput."""
    if not text.endswith("%"):
        return exact(text, "value")
    if is_known(rule) and unit_of(rule) is not Unit.FRACTION:
        raise BadInput(f"value was {text[:SHOWN_MAX]!r}, and {rule} counts {unit_of(rule).value}; give a plain number")
    return exact(text[:-1], "value") / _HUNDRED


def _written(text: str, rule: str) -> Decimal:
    """The same of a limit. Raises BadInput for a fraction above 1 without the sign: 5 is hardly ever 500%."""
    value = a_value(text, rule)
    if value > 1 and not text.endswith("%") and is_known(rule) and unit_of(rule) is Unit.FRACTION:
        both = f"{text}%, or {value * _HUNDRED:f}% if that is meant"
        raise BadInput(f"value was {text[:SHOWN_MAX]!r}, and {rule} is a fraction; write {both}")
    return value


def _named(loaded: Loaded) -> dict[str, RiskLimit]:
    found: dict[str, RiskLimit] = {}
    for name, rule in NAMED.items():
        value: Decimal | None = getattr(loaded.settings.risk, name)
        if value is not None:
            found[loaded.origins.get(f"risk.{name}", f"risk.{name}")] = RiskLimit(rule, value)
    return found


def _entries(path: Path) -> yaml.SequenceNode | None:
    """The list of limits in a file; None where there is no file, or no list in it. Raises BadInput where it may be cut off."""
    tree = tree_of(path)
    if tree is None or _is_nothing(tree):
        return None
    found = _map(tree, path.name, ("limits", "count"))
    entries = found.get("limits")
    if entries is None or _is_nothing(entries):
        _whole(path.name, found, 0)
        return None
    if not isinstance(entries, yaml.SequenceNode):
        raise BadInput(f"{_row(path.name, entries)}: limits was no list; expected entries such as `- rule: max_order_value`")
    if not entries.flow_style and tree.end_mark.column:
        row = tree.end_mark.line + 1
        raise BadInput(
            f"{path.name}, row {row}: the file ends without a line break and may be cut off; complete it and add one"
        )
    _whole(path.name, found, len(entries.value))
    return entries


def _whole(file: str, found: Mapping[str, yaml.Node], there: int) -> None:
    """Raise BadInput where the file says how many limits stand in it, and others do."""
    if "count" not in found:
        return
    written = _text(file, "count", found["count"])
    if written != str(there):
        are = "1 limit stands" if there == 1 else f"{there} limits stand"
        raise BadInput(f"{_row(file, found['count'])}: count was {shown(written)}, and {are} in the file; complete one of them")


def _is_nothing(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and not node.style and node.value in _NOTHING


def _read(file: str, entries: yaml.SequenceNode | None) -> Iterator[tuple[str, RiskLimit]]:
    """(origin, limit) of each entry of a file; none where there is no file."""
    written = [] if entries is None else entries.value
    begin = Counter(_row(file, entry) for entry in written)
    for number, entry in enumerate(written, start=1):
        origin = _row(file, entry)
        if begin[origin] > 1:  # a list written in one row has an origin of its own for each
            origin = f"{origin}, entry {number}"
        yield origin, _limit(file, origin, entry)


def _limit(file: str, origin: str, entry: yaml.Node) -> RiskLimit:
    nodes = _map(entry, file, KEYS)
    fields = {key: _text(file, key, node) for key, node in nodes.items() if key not in LISTS}
    lists = {key: _names(file, key, node, fields.get("rule", "")) for key, node in nodes.items() if key in LISTS}
    try:
        return replace(a_limit(fields), **lists)
    except BadInput as error:
        raise BadInput(f"{origin}: {error}") from None


def a_limit(fields: Mapping[str, str], by: str = "", reason: str = "") -> RiskLimit:
    """A limit out of the text of its keys, in a form that a rule can be asked with or not. Raises BadInput."""
    forbids = is_known(fields.get("rule", "")) and unit_of(fields["rule"]) is Unit.NONE
    fields = {"value": "0", **fields} if forbids else fields
    for key in ("rule", "value"):
        if not fields.get(key):
            raise BadInput(f"a limit has no {key}; expected at least rule and value")
    scope = a_word(LimitScope, fields.get("scope", "global"), "scope")
    return RiskLimit(
        rule=fields["rule"],
        value=_written(fields["value"], fields["rule"]),
        scope=scope,
        name=a_name(scope, fields.get("name", "")),
        currency=a_currency(fields.get("currency", "")),
        severity=a_word(Severity, fields.get("severity", "deny"), "severity"),
        allow_missing=one_of(fields.get("missing", "deny"), ("deny", "allow"), "missing") == "allow",
        shadow=one_of(fields.get("shadow", "false"), ("false", "true"), "shadow") == "true",
        by=by,
        reason=reason,
        tier=a_word(HaltTier, fields.get("tier", "HALT"), "tier"),
        floor=a_value(fields["floor"], fields["rule"]) if fields.get("floor") else None,
        soft=_written(fields["soft"], fields["rule"]) if fields.get("soft") else None,
        soft_severity=a_word(Severity, fields.get("soft_severity", "warn"), "soft_severity"),
    )


def a_word(kind: Callable[[str], _W], text: str, what: str) -> _W:
    """A word of one of the sets of words. Raises BadInput with all of them."""
    try:
        return kind(text)
    except ValueError:
        known = ", ".join(each.value for each in kind)  # type: ignore[attr-defined]
        raise BadInput(f"{what} was {text[:SHOWN_MAX]!r}; expected one of {known}") from None


def one_of(text: str, words: tuple[str, ...], what: str) -> str:
    """The text, if it is one of these words. Raises BadInput with all of them."""
    if text not in words:
        raise BadInput(f"{what} was {text[:SHOWN_MAX]!r}; expected {' or '.join(words)}")
    return text


def _map(node: yaml.Node, file: str, known: tuple[str, ...]) -> dict[str, yaml.Node]:
    if not isinstance(node, yaml.MappingNode):
        raise BadInput(f"{_row(file, node)}: expected names with values: {', '.join(known)}")
    found: dict[str, yaml.Node] = {}
    for key, value in node.value:
        name = key.value if isinstance(key, yaml.ScalarNode) else "a list or a map"
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}" if near else f"expected one of {', '.join(known)}"
            raise BadInput(f"{_row(file, key)}: {shown(name)} is nothing that stands here; {hint}")
        if name in found:
            raise BadInput(f"{_row(file, key)}: {name} stands twice; keep one of them")
        found[name] = value
    return found


def _names(file: str, key: str, node: yaml.Node, rule: str) -> tuple[str, ...]:
    if not isinstance(node, yaml.SequenceNode):
        raise BadInput(f"{_row(file, node)}: {key} was no list; expected names such as [600519.SH]")
    return listed([_text(file, key, each) for each in node.value], f"{_row(file, node)}: {key}", rule)


def _text(file: str, key: str, node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode) or not is_text(node.value) or not (node.value.isprintable()):
        raise BadInput(f"{_row(file, node)}: {key} was no plain text; expected one word or number")
    written: str = node.value.strip()
    return written


def _row(file: str, node: yaml.Node) -> str:
    return f"{file}, row {node.start_mark.line + 1}"
