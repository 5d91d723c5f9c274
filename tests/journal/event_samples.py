"""Events made from the types of their fields: one fixed sample of each class, and strategies that draw any.

`python -m tests.journal.event_samples` adds the encodings of new and widened events to golden_events.json.
"""

from __future__ import annotations

import json
import types
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any, NewType, Union, cast, get_args, get_origin, get_type_hints

import msgspec
from hypothesis import strategies as st

from tradeloop.core import events
from tradeloop.core.types import DECIMAL_PLACES_MAX
from tradeloop.journal import codec

EVENT_CLASSES: tuple[type[events.Fact], ...] = get_args(events.Event)


def sample(kind: Any, name: str = "x") -> Any:
    """One value of a type, the same in every run; optional fields are filled."""
    if isinstance(kind, NewType):
        return sample(kind.__supertype__, name)
    if get_origin(kind) in {Union, types.UnionType}:
        return sample(next(option for option in get_args(kind) if option is not type(None)), name)
    if get_origin(kind) is tuple:
        inner = get_args(kind)
        return (sample(inner[0], name),) if inner[-1] is Ellipsis else tuple(sample(one, name) for one in inner)
    if get_origin(kind) is dict:
        return {sample(get_args(kind)[0], name): sample(get_args(kind)[1], name)}
    if issubclass(kind, Enum):
        return list(kind)[-1]
    if issubclass(kind, msgspec.Struct):
        return kind(**{field: sample(hint, field) for field, hint in get_type_hints(kind).items()})
    return {bool: False, int: 1_800_000_000_123_456_789, str: name, Decimal: Decimal("1712.350")}[kind]


def any_of(kind: Any) -> st.SearchStrategy[Any]:
    """Any value of a type that the journal has to carry."""
    if isinstance(kind, NewType):
        return any_of(kind.__supertype__)
    if get_origin(kind) in {Union, types.UnionType}:
        return st.one_of([any_of(option) for option in get_args(kind)])
    if get_origin(kind) is tuple:
        inner = get_args(kind)
        if inner[-1] is Ellipsis:
            return st.lists(any_of(inner[0]), max_size=3).map(tuple)
        return st.tuples(*(any_of(one) for one in inner))
    if get_origin(kind) is dict:
        return st.dictionaries(any_of(get_args(kind)[0]), any_of(get_args(kind)[1]), max_size=3)
    if issubclass(kind, Enum):
        return st.sampled_from(kind)
    if issubclass(kind, msgspec.Struct):
        return st.builds(kind, **{field: any_of(hint) for field, hint in get_type_hints(kind).items()})
    if kind is Decimal:
        return st.decimals(allow_nan=False, allow_infinity=False, places=DECIMAL_PLACES_MAX) | st.decimals(
            min_value=-(10**14), max_value=10**14, places=2
        )
    return {
        bool: st.booleans(),
        int: st.integers(-(2**63), 2**63 - 1),
        str: st.text(max_size=20),
        type(None): st.none(),
    }[kind]


any_event: st.SearchStrategy[Any] = st.sampled_from(EVENT_CLASSES).flatmap(any_of)


def main() -> None:
    """Add to the golden file what its last encodings do not say yet; older ones stay, since journals hold them."""
    path = Path(__file__).parent / "golden_events.json"
    golden: dict[str, list[str]] = json.loads(path.read_text(encoding="utf-8"))
    for cls in EVENT_CLASSES:
        now = codec.encode([cast("events.Event", sample(cls))]).hex()
        forms = golden.setdefault(cls.__name__, [])
        if not forms or forms[-1] != now:
            forms.append(now)
    path.write_text(json.dumps(dict(sorted(golden.items())), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
