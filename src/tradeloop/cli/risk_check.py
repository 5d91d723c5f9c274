"""`tradeloop risk check`: what risk would say of an order, with every figure; nothing is recorded of it, and nothing sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from tradeloop.cli.options import By, Feed, Json, Speed, Start, feed_settings
from tradeloop.cli.shell import DENIED, OK, Shell, Voice, perform
from tradeloop.cli.typed_order import (
    ApprovedBy,
    PriceWord,
    QtyWord,
    SideWord,
    StopWord,
    StrategyWord,
    SymbolWord,
    TifWord,
    TypeWord,
    typed_order,
)

if TYPE_CHECKING:
    from rich.console import Console

    from tradeloop.cli.control import Answer


def check(
    ctx: typer.Context,
    symbol: SymbolWord,
    side: SideWord,
    qty: QtyWord,
    type_: TypeWord = "market",
    price: PriceWord = None,
    stop_price: StopWord = None,
    tif: TifWord = "day",
    strategy: StrategyWord = "",
    approved_by: ApprovedBy = "",
    by: By = None,
    feed: Feed = None,
    speed: Speed = None,
    start: Start = None,
    json: Json = False,
) -> None:
    """Ask risk about an order that nobody sends: every check, and the figures of every limit. Exit code 3 where it says no."""

    async def work(shell: Shell, voice: Voice) -> int:
        import msgspec

        from tradeloop.cli.asking import there_or_here
        from tradeloop.cli.control import ask_of_risk
        from tradeloop.cli.risk_answer import said_of
        from tradeloop.cli.waits import ready
        from tradeloop.cli.working import working_desk

        loaded = shell.load(operator=by, **feed_settings(feed, speed, start))
        order = typed_order(
            loaded, symbol, side, qty, type_, price, stop_price, tif, strategy=strategy, approved_by=approved_by
        )

        async def there(answer: Answer) -> int:
            return _tell(voice, msgspec.json.decode(answer.text))

        async def here() -> int:
            prices = {} if order.price is None else {order.symbol: order.price}
            async with working_desk(loaded, voice, "risk check", symbols=[order.symbol], prices=prices) as desk:
                await ready(desk)
                await desk.quoted([order.symbol])
                return _tell(voice, said_of(desk, order))

        return await there_or_here(lambda: ask_of_risk(loaded.home.socket, order), there, here)

    perform(ctx, json, work)


def _tell(voice: Voice, document: dict[str, Any]) -> int:
    voice.result(document, lambda out: _show(out, document))
    return DENIED if document["denied"] is not None else OK


def _show(out: Console, document: dict[str, Any]) -> None:
    from tradeloop.cli import words

    stand = {True: "ok", False: "NO", None: "not asked"}
    checks = [(each["check"], stand[each["passed"]], each["text"]) for each in document["checks"]]
    words.table(out, "Checks of every order", ("check", "", "~why not"), checks)
    rows = [
        (each["rule"], each["scope"], each["limit"], each["was"], each["this_order"], _stands(each))
        for each in document["limits"]
    ]
    words.table(out, "Limits", ("rule", "scope", ">limit", ">is", ">this order", "~it"), rows, "none covers this order")
    denied = document["denied"]
    if denied is not None:
        said = f"denied: {denied['text']}"
    else:
        said = "passes; it would wait for room" if document["waits"] else "passes"
    out.print(f"{said}; nothing was sent", soft_wrap=True)


def _stands(each: dict[str, Any]) -> str:
    shadow = ", in shadow" if each["shadow"] else ""
    if each["silent"]:
        return f"says nothing of such an order{shadow}"
    if each["missing"]:
        return f"{each['missing']} is not known: {each['severity'] if each['beyond'] else 'passes'}{shadow}"
    return f"is beyond: {each['severity']}{shadow}" if each["beyond"] else f"is kept{shadow}"
