"""Options that several commands share, written once so that they mean the same everywhere."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

if TYPE_CHECKING:
    from tradeloop.core.types import Symbol

N = TypeVar("N", int, float)
_EXPECTED: dict[type, str] = {int: "a whole number", float: "a number"}


def bounded(option: str, kind: type[N], low: N, high: N | None = None, *, about: str) -> Any:
    """A numeric option with its bounds. What is no number, or beyond them, is refused in one sentence that says what is."""
    expected = _EXPECTED[kind]
    expected += f" of {low:,} or more" if high is None else f" from {low:,} to {high:,}"

    def read(given: object) -> N:
        text = str(given)
        try:
            found = kind(text)
        except ValueError:
            found = None
        if found is None or not math.isfinite(found) or found < low or (high is not None and found > high):
            raise typer.BadParameter(f"{option} was {text[:40]!r}; expected {expected}")
        return found

    return typer.Option(option, parser=read, metavar="NUMBER", help=about)


def worded(option: str, *, about: str) -> Any:
    """An option of free words, no longer than the journal takes them."""

    def read(given: str) -> str:
        from tradeloop.core.fit import TEXT_MAX

        if len(given) > TEXT_MAX:
            raise typer.BadParameter(f"{option} was {len(given):,} characters long; expected at most {TEXT_MAX}")
        return given

    return typer.Option(option, parser=read, metavar="TEXT", help=about)


def any_words(option: str, *, about: str) -> Any:
    """An option of free words that refuses none, for what must not wait for better ones: the end of those that are too many for
    the journal is cut off.
    """

    def read(given: str) -> str:
        from tradeloop.core.fit import words

        return words(given)

    return typer.Option(option, parser=read, metavar="TEXT", help=about)


Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout; amounts as text.")]
Feed = Annotated[
    str | None,
    typer.Option("--feed", help="Where quotes come from: demo, synthetic, none, or recordings (CSV files, comma between)."),
]
Speed = Annotated[
    float | None,
    bounded(
        "--speed",
        float,
        1,
        about="How many times faster than the world a recording plays. A price may then be engine.ack_timeout_s times this old,"
        " in seconds of the market, where that is more than run.max_quote_age_s.",
    ),
]
Start = Annotated[
    str | None,
    typer.Option("--start", help="When the replayed clock begins: open (of the trade date), or a time with its zone."),
]
By = Annotated[str | None, worded("--by", about="Whose name stands under this; otherwise the login name.")]
Reason = Annotated[str, worded("--reason", about="Why; it is journalled.")]
RunOf = Annotated[str | None, typer.Option("--run", help="Only those of this run.")]
SymbolOf = Annotated[str | None, typer.Option("--symbol", help="Only those of this symbol, in any notation.")]
AccountOf = Annotated[str | None, typer.Option("--account", help="Only those of this account.")]
Limit = Annotated[int, bounded("--limit", int, 1, 1000, about="How many rows, newest first.")]


def feed_settings(feed: str | None, speed: float | None, start: str | None) -> dict[str, object]:
    """The options of a feed as settings; what was not given stays with the configuration."""
    given: dict[str, object] = {"feed__speed": speed, "feed__start": start}
    if feed in ("demo", "synthetic", "none"):
        given["feed__kind"] = feed
    elif feed is not None:
        given |= {"feed__kind": "replay", "feed__paths": [str(Path(each.strip()).absolute()) for each in feed.split(",")]}
    return given


def canonical_or_none(symbol: str | None) -> Symbol | None:
    """A symbol option in the canonical notation. Raises BadInput."""
    from tradeloop.markets.symbols import canonical

    return None if symbol is None else canonical(symbol)
