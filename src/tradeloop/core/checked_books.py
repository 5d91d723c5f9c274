"""A look at a broker's books, examined once at the boundary (core/checked.py).

A part with one row that cannot be believed could not be read, which is not the same as empty. Of executions one alone is left
out: what it moved shows as a break against positions and cash, and the others are booked. Rows that name another account are
left out of every part, and told: one login may show several accounts (IB), and the look is of one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from tradeloop.core import fit
from tradeloop.core import reports as r
from tradeloop.core.checked_fills import Distrusted, execution
from tradeloop.core.errors import BadInput
from tradeloop.core.types import OrdStatus, PositionEffect, Side

_NAMES_MAX: Final = 3
"""Names of other accounts in one sentence."""
_ONE_ROW_OF_EACH: Final[dict[type, str]] = {r.HeldPosition: "symbol", r.HeldCash: "currency"}
"""Where a second row of the same makes the part unknown (ports/broker.py)."""


def snapshot(s: r.BrokerSnapshot) -> r.BrokerSnapshot | Distrusted:
    """The look without what cannot be, or an error where it says not even whose books it shows, and of when."""
    first, day = s.orders_from, s.trading_day
    fit.identity(("broker", "account"), s.broker, s.account)
    for date, what in ((day, "trading_day"), (first, "orders_from")):
        if date is not None:
            fit.day(date, what)
    fit.account(s.account)
    fit.moment(s.as_of, "as_of")
    fit.moment_or_none(s.asked_at, "asked_at")
    fit.moment_or_none(s.executions_since, "executions_since")
    fit.flag(s.orders_complete, "orders_complete")
    why: list[str] = []
    others: list[str] = []
    orders, positions, cash, fills = (
        _rows(s, r.OpenOrder, _open_order, "orders", why, others),
        _rows(s, r.HeldPosition, _held_position, "positions", why, others),
        _rows(s, r.HeldCash, _held_cash, "cash", why, others),
        _rows(s, r.Execution, None, "executions", why, others),
    )
    executions, since = fills, s.executions_since
    if fills is not None:
        executions = _executions(fills, why)
        if len(executions) < len(fills):
            since = None  # a list that lacks one is complete since no moment: it proves no absence
    sound = msgspec.structs.replace(
        s, orders=orders, positions=positions, cash=cash, executions=executions, executions_since=since
    )
    return Distrusted("; ".join(why[:5]), sound, ", ".join(others)) if why or others else sound


def _rows(
    s: r.BrokerSnapshot, kind: type, check: Callable[[Any], Any] | None, part: str, why: list[str], others: list[str]
) -> Any:
    """The account's rows of one part as they may be believed; None where the part could not be read."""
    rows: Any = getattr(s, part)
    if rows is None:
        return None
    try:
        if type(rows) not in (tuple, list):
            raise fit.wrong(rows, part, "a tuple of rows, or None")
        for row in rows:
            if type(row) is not kind:
                raise fit.wrong(row, f"a row of {part}", f"a {kind.__name__}")
        rows = _own(s.account, rows, part, others)
        if check is None:
            return tuple(rows)
        believed = tuple(map(check, rows))
        if kind in _ONE_ROW_OF_EACH:
            _once(believed, part, _ONE_ROW_OF_EACH[kind])
        return believed
    except BadInput as error:
        why.append(f"{part} not read: {error}")
        return None


def _own(account: str, rows: Sequence[Any], part: str, others: list[str]) -> Sequence[Any]:
    """The rows of this account. Those that name no account, or nothing that is a name, stay for the checks to find."""
    foreign = [row for row in rows if row.account != account and type(row.account) is str and row.account]
    if not foreign:
        return rows
    own = [row for row in rows if row.account == account or type(row.account) is not str or not row.account]
    names = dict.fromkeys(row.account for row in foreign)
    more = f" and {len(names) - _NAMES_MAX} more" if len(names) > _NAMES_MAX else ""
    shown = ", ".join(fit.shown(name) for name in list(names)[:_NAMES_MAX])
    others.append(f"{len(foreign)} of the {part} (of {shown}{more})")
    return own


def _once(rows: tuple[Any, ...], part: str, key: str) -> None:
    """Two rows of one symbol or currency may be two parts of one figure, or one figure read twice: nobody can tell."""
    seen: set[str] = set()
    for row in rows:
        name = getattr(row, key)
        if name in seen:
            raise BadInput(f"two rows of the {part} were of {fit.shown(name)}; expected one row with all of it")
        seen.add(name)


def _executions(fills: tuple[r.Execution, ...], why: list[str]) -> tuple[r.Execution, ...]:
    believed: list[Any] = []
    for x in fills:
        try:
            found: Any = execution(x)
            if isinstance(found, Distrusted):
                why.append(f"execution {fit.shown(x.exec_id)}: {found.reason}")
                found = found.rest
            believed.append(found)
        except BadInput as error:
            why.append(f"execution {fit.shown(x.exec_id)} left out: {error}")
    return tuple(believed)


def _open_order(o: r.OpenOrder) -> r.OpenOrder:
    cl_ord_id = o.cl_ord_id
    _named(o.account)
    names = ("account", "symbol", "order_id", "cl_ord_id")
    fit.identity(names, o.account, o.symbol, o.order_id, "" if cl_ord_id is None else cl_ord_id)
    fit.word(o.side, Side, "side")
    fit.word(o.ord_status, OrdStatus, "ord_status")
    fit.word(o.position_effect, PositionEffect, "position_effect")
    fit.exact(o.order_qty, "order_qty", above=True)
    fit.exact(o.cum_qty, "cum_qty")
    fit.exact_or_none(o.price, "price", least=None)
    text = fit.words(o.text)
    return o if text is o.text else msgspec.structs.replace(o, text=text)


def _held_position(p: r.HeldPosition) -> r.HeldPosition:
    _named(p.account)
    fit.identity(("account", "symbol"), p.account, p.symbol)
    fit.exact(p.long_qty, "long_qty")
    fit.exact(p.short_qty, "short_qty")
    fit.exact_or_none(p.long_sellable, "long_sellable")
    if p.cost is None:
        return p
    cost = fit.amount(p.cost, "cost")
    return p if cost is p.cost else msgspec.structs.replace(p, cost=cost)


def _held_cash(c: r.HeldCash) -> r.HeldCash:
    _named(c.account)
    fit.identity(("account", "currency"), c.account, c.currency)
    balance = fit.amount(c.balance, "balance")
    available = None if c.available is None else fit.amount(c.available, "available")
    same = balance is c.balance and available is c.available
    return c if same else msgspec.structs.replace(c, balance=balance, available=available)


def _named(account: str) -> None:
    """Whose a row is nobody may have to guess."""
    if account == "":
        raise BadInput("account of a row was empty; expected the account that the look is of")
