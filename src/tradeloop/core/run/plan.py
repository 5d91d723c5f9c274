"""The plan of a run: weights times equity, to values, to quantities, to the orders that close the gap to what
is held.

Promises, each shown by a law in tests/core/test_run_plan_laws.py:

- no order goes past its target, none is smaller than the venue takes, no sell is larger than what may be sold
  today;
- rounding down never buys for more than the weights allow (S1-57);
- a second plan made from the holdings that the first one leads to, at the same prices, orders nothing, but of a line that was
  full: it goes on towards the same target, a hundred of the venue's largest orders at a time, until nothing is left;
- what is planned and what is left over add up to what was wished, line by line, and every line that is not
  ordered in full says why.

A target is a quantity to *end* with, so the plan of a retry is the same function over the holdings of that
moment: it covers the residual and nothing else (D1).

Legs are numbered from 1: sells in the order of the file, then holdings the target does not name by symbol,
then buys in the order of the file; lines without an order come last and have numbers too, so that a person
can point at them. One line may need several legs (D8): above the venue's largest order, and where closing
today's holding is an instruction of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal, localcontext
from types import MappingProxyType
from typing import Final

import msgspec

from tradeloop.core.commands import SeenPrice, TargetLine
from tradeloop.core.errors import BadInput
from tradeloop.core.events import PlanLine
from tradeloop.core.instrument import Instrument
from tradeloop.core.run.legs import LEGS_PER_LINE_MAX, effects, slices
from tradeloop.core.run.sizing import Held, Outcome, Wish, outcome_of, plain, seconds, short_tail
from tradeloop.core.types import (
    ZERO,
    Amount,
    Currency,
    PositionEffect,
    Px,
    Qty,
    Rounding,
    Side,
    Symbol,
    UtcNs,
)

__all__ = ["BUYS", "SELLS", "Held", "plan"]

SELLS, BUYS = 0, 1
"""The waves."""

# Weight x equity and price x quantity x multiplier can pass the 28 digits of the default context.
_PRECISION = 80


_WITHOUT_A_VALUE = frozenset({"unknown_instrument", "other_currency", "no_price"})

UNNAMED: Final = "the target does not name it and the run does not sell what is not named"
LEFT_BEHIND: Final = "this attempt works what the one before it left, which this is no part of"
"""Why a holding is kept as it is: by a first attempt, and by a retry."""


def plan(
    targets: Sequence[TargetLine],
    prices: Iterable[SeenPrice],
    instruments: Mapping[Symbol, Instrument],
    held: Mapping[Symbol, Held],
    equity: Decimal,
    rounding: Rounding,
    sell_unlisted: bool,
    *,
    now: UtcNs | None = None,
    max_quote_age_ns: int | None = None,
    currency: Currency | None = None,
    ageless: Collection[Symbol] = (),
    kept_because: str = UNNAMED,
    refused: Mapping[Symbol, tuple[str, str]] = MappingProxyType({}),
) -> tuple[PlanLine, ...]:
    """The lines of a run, in the order of their legs.

    `equity` is in `currency`, and so is every instrument that gets an order; None leaves that unchecked. A
    price older than `max_quote_age_ns` at `now`, or further ahead of it, makes no order; None leaves its age
    unchecked, and a price that the target file brought has none; what is `ageless` may be as old as it is. Holdings
    that no target names are sold, or kept where `sell_unlisted` is False, for the reason `kept_because`. What is
    `refused` makes no order, for its code and sentence, and is shown at the market's price. Raises BadInput for a symbol named
    twice and for a negative weight.

    Where the price is not known, `target_qty` is zero, `residual_value` the whole target value, and
    `residual_qty` is known only for a target of nothing.
    """
    _refuse_contradictions(targets)
    seen = {price.symbol: price for price in prices}
    named = {target.symbol for target in targets}
    unnamed = [symbol for symbol in sorted(held) if symbol not in named and not held[symbol].is_flat]
    lines: list[PlanLine] = []
    with localcontext(prec=_PRECISION):
        for target in [*targets, *(TargetLine(symbol, ZERO, row=0) for symbol in unnamed)]:
            quote = seen.get(target.symbol)
            brought = None if target.symbol in refused and quote is not None else target.price
            wish = _wish(target, brought, quote, held.get(target.symbol, Held()), equity)
            if target.symbol not in named and not sell_unlisted:
                lines.append(_kept(wish, kept_because))
                continue
            instrument = instruments.get(target.symbol)
            if target.price is not None or quote is None or now is None:
                age_ns = None
            else:
                age_ns = now - quote.at if target.symbol not in ageless else min(now - quote.at, 0)
            why_not = _obstacle(wish, instrument, quote, age_ns, max_quote_age_ns, currency) or refused.get(wish.symbol)
            lines.extend(_lines(wish, instrument, rounding, why_not))
    return _numbered(lines)


def _wish(target: TargetLine, px: Px | None, quote: SeenPrice | None, held: Held, equity: Decimal) -> Wish:
    if px is None and quote is not None:
        px = quote.px
    # Nothing is wanted as nothing, also where the equity is negative: Decimal knows a minus zero.
    value = short_tail(target.weight * equity) if target.weight else ZERO
    return Wish(target.symbol, target.row, target.weight, value, px, held)


def _refuse_contradictions(targets: Sequence[TargetLine]) -> None:
    rows: dict[Symbol, int] = {}
    for target in targets:
        if target.symbol in rows:
            raise BadInput(
                f"rows {rows[target.symbol]} and {target.row} both name {target.symbol};"
                " expected each symbol once, put the whole weight in one row"
            )
        rows[target.symbol] = target.row
        if target.weight < ZERO:
            raise BadInput(
                f"row {target.row}: the weight of {target.symbol} was {target.weight:f}; expected zero or more,"
                " write 0 to sell all of it"
            )


def _obstacle(
    wish: Wish,
    instrument: Instrument | None,
    quote: SeenPrice | None,
    age_ns: int | None,
    max_age_ns: int | None,
    currency: Currency | None,
) -> tuple[str, str] | None:
    """Code and sentence of what forbids any order in this symbol, or None."""
    symbol = wish.symbol
    if instrument is None:
        return (
            "unknown_instrument",
            f"{symbol} is not a listed instrument, so its lot and its fees are unknown",
        )
    if currency is not None and instrument.currency != currency:
        return "other_currency", f"{symbol} trades in {instrument.currency}, this run has {currency}"
    if wish.px is None or wish.px <= ZERO:
        return "no_price", f"{symbol} has no price yet; wait for its first quote or bar, or bring a price column"
    if quote is not None and quote.suspended:
        return "suspended", f"{symbol} is suspended from trading"
    if age_ns is not None and max_age_ns is not None and age_ns < -max_age_ns:
        return (
            "stale_price",
            f"the price of {symbol} is stamped {seconds(-age_ns)} ahead of our clock, at most {seconds(max_age_ns)} is allowed",
        )
    if age_ns is not None and max_age_ns is not None and age_ns > max_age_ns:
        return (
            "stale_price",
            f"the price of {symbol} is {seconds(age_ns)} old, at most {seconds(max_age_ns)} is allowed",
        )
    return None


def _lines(wish: Wish, instrument: Instrument | None, rounding: Rounding, why_not: tuple[str, str] | None) -> list[PlanLine]:
    if why_not is not None and why_not[0] in _WITHOUT_A_VALUE:
        return [_unpriced(wish, why_not)]
    if instrument is None or wish.px is None:
        raise AssertionError(f"{wish.symbol} passed the obstacles without an instrument or a price")
    outcome = outcome_of(wish, instrument, instrument.notional(wish.px, Decimal(1)), rounding, why_not)
    if outcome.order_qty == ZERO:
        return [_line(wish, outcome, ZERO)]
    sizes = [
        (effect, size)
        for effect, qty in effects(outcome.side, outcome.order_qty, instrument, wish.held)
        for size in slices(qty, instrument, outcome.side, wish.held.sellable)
    ][:LEGS_PER_LINE_MAX]
    cut = outcome.order_qty - sum((size for _, size in sizes), ZERO)
    if cut > ZERO:
        outcome = _capped(wish, outcome, cut, instrument)
    if not sizes:
        return [_line(wish, outcome, ZERO)]
    # The residual belongs to the wish, not to a leg: it is reported once, on the last one.
    last = len(sizes)
    partial = msgspec.structs.replace(outcome, residual_qty=ZERO, residual_value=ZERO, code="split")
    lines = []
    for number, (effect, size) in enumerate(sizes, start=1):
        part = outcome if number == last else partial
        if last > 1 and part.code in {"", "split"}:
            text = f"order {number} of {last} for {outcome.order_qty - cut} {wish.symbol}"
            part = msgspec.structs.replace(part, code="split", reason=text)
        lines.append(_line(wish, part, size, effect))
    return lines


def _capped(wish: Wish, outcome: Outcome, cut: Decimal, instrument: Instrument) -> Outcome:
    """The outcome without the part that does not fit into the orders the venue takes."""
    signed = cut if outcome.side is Side.BUY else -cut
    px = wish.px if wish.px is not None else Px(ZERO)
    largest = instrument.max_qty_market if instrument.max_qty_market is not None else ZERO
    sizes = f"at least {plain(instrument.min_qty)} and at most {plain(largest)} each"
    reason = f"{plain(cut)} of {plain(outcome.order_qty)} do not fit into {LEGS_PER_LINE_MAX} orders of {sizes}"
    if not largest:
        reason = f"{wish.symbol} takes no market orders, and a run sends no others; order it with a limit"
    return msgspec.structs.replace(
        outcome,
        residual_qty=outcome.residual_qty + signed,
        residual_value=short_tail(outcome.residual_value + instrument.notional(px, signed)),
        code="order_cap",
        reason=reason,
    )


def _unpriced(wish: Wish, why_not: tuple[str, str]) -> PlanLine:
    net = wish.held.net
    nothing_wanted = wish.weight == ZERO
    outcome = Outcome(
        side=Side.SELL if nothing_wanted and net > ZERO else Side.BUY,
        order_qty=ZERO,
        target_qty=ZERO,
        residual_qty=-net if nothing_wanted else ZERO,
        residual_value=wish.value,
        code=why_not[0],
        reason=why_not[1],
    )
    return _line(wish, outcome, ZERO)


def _kept(wish: Wish, reason: str) -> PlanLine:
    outcome = Outcome(Side.BUY, ZERO, wish.held.net, ZERO, ZERO, "kept", reason)
    return _line(wish, outcome, ZERO)


def _line(wish: Wish, outcome: Outcome, size: Decimal, effect: PositionEffect = PositionEffect.AUTO) -> PlanLine:
    return PlanLine(
        leg=0,
        symbol=wish.symbol,
        row=wish.row,
        side=outcome.side,
        target_weight=wish.weight,
        target_value=Amount(wish.value),
        target_qty=Qty(outcome.target_qty),
        held_qty=Qty(wish.held.net),
        order_qty=Qty(size),
        ref_px=wish.px,
        wave=SELLS if outcome.side is Side.SELL else BUYS,
        residual_qty=outcome.residual_qty,
        residual_value=outcome.residual_value,
        code=outcome.code,
        reason=outcome.reason,
        position_effect=effect,
    )


def _numbered(lines: list[PlanLine]) -> tuple[PlanLine, ...]:
    """Sells, unnamed holdings, buys, then what is not ordered; the sort is stable, so each group keeps its
    order.
    """

    def place(line: PlanLine) -> tuple[bool, int]:
        return line.order_qty == ZERO, line.wave

    ordered = sorted(lines, key=place)
    return tuple(msgspec.structs.replace(line, leg=leg) for leg, line in enumerate(ordered, start=1))
