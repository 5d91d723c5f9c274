"""Numbers, times and tables as a person reads them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tradeloop.core.types import SECOND_NS

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

Cell = Decimal | int | str | None


def qty(value: Decimal | None) -> str:
    """A quantity: thousands apart, no zeros at its end."""
    if value is None:
        return "?"
    text = f"{value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def px(value: Decimal | None) -> str:
    """A price: at most four places, more only where the tick has them; a market order has none."""
    if value is None:
        return "-"
    text = f"{value:,.4f}" if abs(value) >= 1 else f"{value:,.8f}"
    head, _, places = text.partition(".")
    return f"{head}.{places.rstrip('0').ljust(2, '0')}"


def money(value: Decimal | None) -> str:
    """An amount in cents."""
    return "?" if value is None else f"{value:,.2f}"


def percent(value: Decimal | None) -> str:
    """A weight."""
    return "?" if value is None else f"{value * 100:.2f}%"


def bp(value: Decimal | None) -> str:
    """A cost in basis points, with its sign."""
    return "-" if value is None else f"{value:+.1f}"


def moment(at: int | None) -> str:
    """A time in UTC, to the second."""
    return "-" if at is None else f"{datetime.fromtimestamp(at // SECOND_NS, UTC):%Y-%m-%d %H:%M:%SZ}"


def clock_time(at: int) -> str:
    """The hour of a time in UTC."""
    return f"{datetime.fromtimestamp(at // SECOND_NS, UTC):%H:%M:%SZ}"


def age(span_ns: int) -> str:
    """A span in the unit that fits."""
    seconds = max(0, span_ns) // SECOND_NS
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def time_out(span_ns: int) -> str:
    """Why an order ended that our fixed time-out took out of the market (S1-58)."""
    return f"time-out: not filled within {span_ns / SECOND_NS:g} s"


def table(console: Console, title: str, headings: Sequence[str], rows: Iterable[Sequence[str]], empty: str = "none") -> None:
    """Print a table; `empty` stands in for no rows.

    The first character of a heading says what stands below it: `>` numbers, `~` sentences, which alone may be broken into
    lines, and `?` what a narrow terminal does without. A column with nothing in it is left out.
    """
    every = [list(row) for row in rows]
    if not every:
        console.print(f"{title}: {empty}")
        return
    shown = [place for place in range(len(headings)) if any(row[place] not in ("", "-") for row in every)]
    left_out: list[str] = []
    while _too_wide(console, grid := _grid(title, headings, every, shown)):
        spare = [place for place in shown if headings[place].lstrip(">").startswith("?")]
        if not spare:
            break
        left_out.append(headings[spare[-1]].lstrip(_MARKS))
        shown.remove(spare[-1])
    console.print(grid, crop=False, soft_wrap=False)
    if left_out:
        console.print(f"left out in a terminal this narrow: {', '.join(left_out)}; --json has everything")


_MARKS = ">~?"
_SENTENCE_MIN = 16


def _grid(title: str, headings: Sequence[str], rows: Sequence[Sequence[str]], shown: Sequence[int]) -> Table:
    from rich import box
    from rich.cells import cell_len
    from rich.table import Table
    from rich.text import Text

    grid = Table(
        title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True
    )
    for place in shown:
        heading = headings[place]
        sentence = "~" in heading[:2]
        grid.add_column(
            heading.lstrip(_MARKS),
            justify="right" if heading.startswith(">") else "left",
            no_wrap=not sentence,
            overflow="fold",
            min_width=_SENTENCE_MIN if sentence else max(len(heading.lstrip(_MARKS)), *(cell_len(row[place]) for row in rows)),
        )
    for row in rows:
        grid.add_row(*(Text(row[place]) for place in shown))
    return grid


def _too_wide(console: Console, grid: Table) -> bool:
    from rich.measure import Measurement

    return Measurement.get(console, console.options.update(width=1_000), grid).minimum > console.width


def plural(count: int, what: str) -> str:
    """`1 order`, `2 orders`."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def as_text(value: Any) -> Any:
    """An amount for JSON."""
    return format(value, "f") if isinstance(value, Decimal) else value
