"""An order as it is typed: the words that every command about a new order takes, and the order they make."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from tradeloop.config import Loaded
    from tradeloop.core.commands import SubmitOrder

SymbolWord = Annotated[str, typer.Argument(metavar="SYMBOL", help="What to trade, in any notation.")]
SideWord = Annotated[str, typer.Argument(metavar="SIDE", help="buy or sell.")]
QtyWord = Annotated[str, typer.Argument(metavar="QTY", help="How many units; a plain decimal number.")]
TypeWord = Annotated[Literal["market", "limit", "stop", "stop_limit"], typer.Option("--type", help="The type of order.")]
PriceWord = Annotated[str | None, typer.Option("--price", help="The limit, for limit and stop_limit.")]
StopWord = Annotated[str | None, typer.Option("--stop-price", help="The trigger, for stop and stop_limit.")]
TifWord = Annotated[Literal["day", "gtc", "ioc", "fok"], typer.Option("--tif", help="How long it stands.")]
StrategyWord = Annotated[str, typer.Option("--strategy", help="The strategy it belongs to; its limits count it.")]
ApprovedBy = Annotated[
    str,
    typer.Option("--approved-by", help="Who agreed, where a limit asks for that: one of risk.approvers, where there are any."),
]


def typed_order(
    loaded: Loaded,
    symbol: str,
    side: str,
    qty: str,
    type_: str,
    price: str | None,
    stop_price: str | None,
    tif: str,
    *,
    strategy: str,
    approved_by: str,
    request_id: str = "",
    reason: str = "",
) -> SubmitOrder:
    """The order that these words ask for, of the configured account, by whoever types. Raises BadInput."""
    from tradeloop.core.types import AccountID
    from tradeloop.targets.order import an_order

    return an_order(
        account=AccountID(loaded.settings.broker.account),
        by=loaded.operator,
        symbol=symbol,
        side=side,
        qty=qty,
        ord_type=type_,
        price=price,
        stop_px=stop_price,
        tif=tif,
        strategy_id=strategy,
        approved_by=approved_by,
        request_id=request_id,
        reason=reason,
        called={"price": "--price", "stop_px": "--stop-price", "approved_by": "--approved-by"},
    )
