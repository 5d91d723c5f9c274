"""Orders that come over HTTP: submitted, changed, cancelled, resolved (S3-23, S3-24, S3-30, S3-40).

An answer is given when the order is durable, and says what is durable: that it was taken. What became of it is asked for
elsewhere. The same `Idempotency-Key` again answers with the first order, also after a restart: the key is in the journal.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Annotated, Any, Final

import msgspec

from tradeloop.access.identity import Scope
from tradeloop.api.approval import ApprovedBy, refuse_unproven
from tradeloop.api.call import Answer, Call
from tradeloop.api.gate import ok, said
from tradeloop.api.live import LiveWord, ToConfirm, confirmed, offered, other_than_shown, taken, untouched
from tradeloop.api.plain import Amount
from tradeloop.api.policy import Policy, Rate, Routes
from tradeloop.api.problem import Problem, problem_of
from tradeloop.api.symbols import symbol_of
from tradeloop.audit.risk_answer import denied_document
from tradeloop.core.checked import checked_command
from tradeloop.core.commands import CancelOrder, ReplaceOrder, ResolveOrder, SubmitOrder
from tradeloop.core.confirmation import Frozen
from tradeloop.core.errors import BadInput, TradeloopError
from tradeloop.core.known import refuse
from tradeloop.core.replies import Done, OrderReply
from tradeloop.core.risk.denied import Denied
from tradeloop.core.risk.live import LIVE_CHANGED
from tradeloop.core.staging import consistent
from tradeloop.core.types import ClOrdID, Px, Qty, exact
from tradeloop.targets.order import an_order

BATCH_MAX: Final = 200

ALGORITHMS: Final = frozenset({"twap", "vwap", "iceberg", "pov", "grid", "trailing_stop", "take_profit", "bracket", "oco"})
"""Types that other programs know, or the source documents do (S3-25, S3-26), and that no algorithm here works yet."""

_CALLED: Final = {"price": "price", "stop_px": "stop_price"}
_REPEATED: Final = "idempotent-replayed"
_REPLAYED: Final = " (this Idempotency-Key was answered so before, and nothing was looked at anew; ask with a new one)"

_OrderTypes: Final = ["market", "limit", "stop", "stop_limit", *sorted(ALGORITHMS)]
_Side = Annotated[str, msgspec.Meta(extra_json_schema={"enum": ["buy", "sell", "BUY", "SELL"]})]
_Type = Annotated[str, msgspec.Meta(description=f"One of {', '.join(_OrderTypes)}, in any case; algorithms answer 422 yet.")]
_Tif = Annotated[str, msgspec.Meta(description="DAY, GTC, IOC or FOK, in any case.")]
_Effect = Annotated[str, msgspec.Meta(description="AUTO, OPEN, CLOSE, CLOSE_TODAY or CLOSE_YESTERDAY, in any case.")]


class NewOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An order as S3-23 writes it. Amounts are text."""

    symbol: str
    side: _Side
    quantity: Amount
    order_type: _Type = "market"
    exchange: str = ""
    time_in_force: _Tif = "DAY"
    price: Amount | None = None
    stop_price: Amount | None = None
    position_effect: _Effect = "AUTO"
    strategy_id: str = ""
    account: str = ""
    reason: str = ""
    approved_by: ApprovedBy = ""
    live: LiveWord | None = None
    """A person's word for it, where a live account asks for one; see the preview of an order."""
    twap_slices: int | None = None
    twap_interval: int | None = None
    iceberg_visible_ratio: Amount | None = None


class NewOrders(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Several orders at once; each is decided for itself, and one that is refused keeps none of the others."""

    orders: list[NewOrder]


class Amendment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Other terms for a working order; what is left away stays."""

    quantity: Amount | None = None
    price: Amount | None = None
    stop_price: Amount | None = None
    reason: str = ""
    approved_by: ApprovedBy = ""
    live: LiveWord | None = None
    """A person's word for it, where a live account asks for one; see the preview of a change."""


class Resolution(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What became of an order of unknown fate: `as` is NOT_SENT or CANCELED."""

    as_: str = msgspec.field(name="as")
    reason: str


class Why(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The reason of what is asked for, such as a cancel (S3-30); it is journalled."""

    reason: str = ""


class Taken(msgspec.Struct, frozen=True):
    """An order that is durable. `status` is NEW, the word of S3-40 for that; ask for the order to see what became of it."""

    order_id: str
    client_order_id: str
    status: str
    account: str
    symbol: str
    side: str
    order_type: str
    quantity: Amount
    time_in_force: str
    price: Amount | None
    stop_price: Amount | None
    position_effect: str
    strategy_id: str
    repeat: bool = False


class OrderShown(msgspec.Struct, frozen=True):
    """What there is to confirm of an order before it is sent; nothing, where it goes without a person's word."""

    confirm: ToConfirm | None


class Accepted(msgspec.Struct, frozen=True):
    """What was asked for is durable; what came of it is seen at the order."""

    order_id: str
    done: str


class InBatch(msgspec.Struct, frozen=True):
    """What came of one order of several: an order, or a problem."""

    order: Taken | None = None
    problem: dict[str, Any] | None = None


class Batch(msgspec.Struct, frozen=True):
    """What came of each, in the order they were sent."""

    results: list[InBatch]


def routes(table: Routes) -> None:
    """The routes of this file."""
    trade = Policy(Scope.ORDER_PAPER, safe=False, rate=Rate.ORDER, trades=True, confirms=True)
    shows = Policy(Scope.ORDER_PAPER, safe=False, rate=Rate.WORK)
    cancels = Policy(Scope.CANCEL, safe=False, rate=Rate.STOP)
    add = table.add
    add("POST", "/api/v1/orders", submit, trade, "orders", body=NewOrder, gives=Taken, status=201, keyed=True)
    add("POST", "/api/v1/orders/batch", submit_batch, trade, "orders", body=NewOrders, gives=Batch, keyed=True)
    add("POST", "/api/v1/orders/preview", preview, shows, "orders", body=NewOrder, gives=OrderShown)
    add("POST", "/api/v1/orders/{order_id}/preview", preview_change, shows, "orders", body=Amendment, gives=OrderShown)
    add("PATCH", "/api/v1/orders/{order_id}", amend, trade, "orders", body=Amendment, gives=Accepted, status=202, keyed=True)
    add("POST", "/api/v1/orders/{order_id}/cancel", cancel, cancels, "orders", query=Why, gives=Accepted, status=202)
    risk = Policy(Scope.RISK, safe=False, rate=Rate.ORDER)
    add("POST", "/api/v1/orders/{order_id}/resolve", resolve, risk, "orders", body=Resolution, gives=Accepted)


async def submit(call: Call) -> Answer:
    """Submit an order; the answer comes when it is durable."""
    asked = call.asked(NewOrder)
    return await _submitted(call, command_of(call, asked, call.request_key), asked.live)


async def preview(call: Call) -> Answer:
    """Show what a person has to confirm of an order at a live account; nothing is sent."""
    command = command_of(call, call.asked(NewOrder), "")
    await _listed(call, command)
    consistent(command)
    frozen = call.desk.frozen_order(command) if call.desk.is_live else None
    why = None if frozen is None else call.desk.in_the_way(command, frozen)
    if why is not None:
        raise denied(why)
    return ok(OrderShown(offered(call, frozen, frozen)))


async def submit_batch(call: Call) -> Answer:
    """Submit several orders at once; each has its own answer."""
    asked = call.asked(NewOrders).orders
    if not 1 <= len(asked) <= BATCH_MAX:
        raise BadInput(f"the batch had {len(asked)} orders; expected 1 to {BATCH_MAX}")
    results = await asyncio.gather(*(_in_batch(call, each, number) for number, each in enumerate(asked, start=1)))
    return ok(Batch(results))


async def amend(call: Call) -> Answer:
    """Change the quantity, limit or trigger of a working order; it keeps its terms until the broker says otherwise."""
    command, word = _change_of(call, call.request_key), call.asked(Amendment).live
    frozen = call.desk.frozen_change(command) if word is not None and call.desk.is_live else None
    if word is not None and frozen is not None:
        given = taken(call, word, frozen)
        command = msgspec.structs.replace(command, confirmed=await confirmed(call, word, given, frozen))
    reply = await call.desk.ask(command)
    assert isinstance(reply, OrderReply)
    if reply.denied is not None:
        raise denied(reply.denied, reply.cl_ord_id, repeat=reply.repeat)
    text = f"change of order {reply.cl_ord_id} is on its way; the broker answers"
    if reply.repeat:
        text = f"this request has changed order {reply.cl_ord_id} before; nothing was sent"
    return Answer(Accepted(reply.cl_ord_id, text), HTTPStatus.ACCEPTED, _marked(repeat=reply.repeat))


async def preview_change(call: Call) -> Answer:
    """Show what a person has to confirm of a change at a live account; nothing is changed."""
    command = _change_of(call, "")
    why = call.desk.against_change(command) if call.desk.is_live else None
    if why is not None:
        raise denied(why)
    return ok(OrderShown(offered(call, call.desk.frozen_change(command)) if call.desk.is_live else None))


def _change_of(call: Call, request_id: str) -> ReplaceOrder:
    asked = call.asked(Amendment)
    refuse_unproven(asked.approved_by)
    command = ReplaceOrder(
        ClOrdID(call.path["order_id"]),
        call.by,
        None if asked.quantity is None else Qty(exact(asked.quantity, "quantity")),
        None if asked.price is None else Px(exact(asked.price, "price")),
        None if asked.stop_price is None else Px(exact(asked.stop_price, "stop_price")),
        asked.reason,
        request_id,
    )
    checked_command(command)
    refuse(call.desk.state, command)
    return command


async def cancel(call: Call) -> Answer:
    """Take an order out of the market; the answer comes when that is durable and on its way."""
    command = CancelOrder(ClOrdID(call.path["order_id"]), call.by, call.wanted(Why).reason)
    checked_command(command)
    refuse(call.desk.state, command)
    await call.desk.ask(command)
    return ok(Accepted(command.cl_ord_id, f"the cancel of order {command.cl_ord_id} is recorded"), HTTPStatus.ACCEPTED)


async def resolve(call: Call) -> Answer:
    """Say what became of an order of unknown fate, after asking the broker."""
    asked = call.asked(Resolution)
    command = ResolveOrder(ClOrdID(call.path["order_id"]), asked.as_.upper(), call.by, asked.reason)
    checked_command(command)
    refuse(call.desk.state, command)
    reply = await call.desk.ask(command)
    text = reply.text if isinstance(reply, Done) else ""
    return ok(Accepted(command.cl_ord_id, text or f"order {command.cl_ord_id} is resolved as {command.as_}"))


def command_of(call: Call, asked: NewOrder, request_id: str) -> SubmitOrder:
    """The order that was asked for, as a command. Raises Problem and BadInput."""
    refuse_unproven(asked.approved_by)
    if asked.order_type.lower() in ALGORITHMS:
        text = f"orders of type {asked.order_type.lower()} are not yet available; send market, limit, stop or stop_limit"
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "not_yet_available", text)
    for name in ("twap_slices", "twap_interval", "iceberg_visible_ratio"):
        if getattr(asked, name) is not None:
            raise BadInput(f"{name} was given, which a {asked.order_type.lower()} order has not; leave it away")
    if asked.account not in ("", call.desk.account):
        raise BadInput(f"account was {asked.account[:40]!r}; expected {call.desk.account}, which is the one of this desk")
    return an_order(
        account=call.desk.account,
        by=call.by,
        symbol=symbol_of(asked.exchange, asked.symbol, call.desk.broker),
        side=asked.side,
        qty=asked.quantity,
        ord_type=asked.order_type,
        price=asked.price,
        stop_px=asked.stop_price,
        tif=asked.time_in_force,
        position_effect=asked.position_effect,
        strategy_id=asked.strategy_id,
        request_id=request_id,
        reason=asked.reason,
        called=_CALLED,
    )


def denied(why: Denied, order_id: str = "", *, repeat: bool = False) -> Problem:
    """What is said where risk says no: the sentence, and its parts. The denial is in the journal under this id; without one
    nothing was recorded. `repeat`: it is the answer to an earlier request of this key, and nothing was looked at anew.
    """
    named = {"order_id": order_id} if order_id else {}
    more = named | {"denied": denied_document(why)} | ({"repeat": True} if repeat else {})
    text = f"{why.text}{_REPLAYED}" if repeat else why.text
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "denied", text, more=more, headers=_marked(repeat=repeat))


async def _listed(call: Call, command: SubmitOrder) -> None:
    if command.symbol not in call.desk.state.instruments or not call.desk.follows(command.symbol):
        consistent(command)  # what is refused lists nothing
        await call.desk.tradable([command.symbol], quoted=True)


async def _submitted(call: Call, command: SubmitOrder, word: LiveWord | None = None) -> Answer:
    await _listed(call, command)
    if word is not None and call.desk.is_live and not call.desk.state.was_asked(command.request_id):
        command = await _with_its_word(call, command, word)
    reply = await call.desk.ask(command)
    assert isinstance(reply, OrderReply)
    if reply.denied is not None:
        raise denied(reply.denied, reply.cl_ord_id, repeat=reply.repeat)
    return Answer(_taken(command, reply), HTTPStatus.CREATED, _marked(repeat=reply.repeat))


async def _with_its_word(call: Call, command: SubmitOrder, word: LiveWord) -> SubmitOrder:
    """The order with a person's word for it, where it needs one and could go with one: no code is spent on what is denied
    anyhow. Raises Problem where it is not what was shown with the token, or the market has left the price that was shown.
    """
    if call.desk.frozen_order(command) is None:
        return command
    given = taken(call, word)
    shown = given.kept
    frozen = call.desk.frozen_order(command, shown.px) if isinstance(shown, Frozen) else None
    if frozen is None or frozen.content != given.content:
        raise other_than_shown()
    why = call.desk.in_the_way(command, frozen)
    if why is not None and why.rule == LIVE_CHANGED:
        raise denied(why)
    if why is not None:
        untouched(call, given)
        return command  # denied by its own reason, which is recorded
    return msgspec.structs.replace(command, confirmed=await confirmed(call, word, given, frozen))


def _taken(command: SubmitOrder, reply: OrderReply) -> Taken:
    return Taken(
        order_id=reply.cl_ord_id,
        client_order_id=reply.cl_ord_id,
        status="NEW",
        account=command.account,
        symbol=command.symbol,
        side=command.side.value,
        order_type=command.ord_type.value,
        quantity=f"{command.order_qty:f}",
        time_in_force=command.tif.value,
        price=None if command.price is None else f"{command.price:f}",
        stop_price=None if command.stop_px is None else f"{command.stop_px:f}",
        position_effect=command.position_effect.value,
        strategy_id=command.strategy_id,
        repeat=reply.repeat,
    )


async def _in_batch(call: Call, asked: NewOrder, number: int) -> InBatch:
    key = f"{call.request_key}/{number}" if call.key else ""
    try:
        answer = await _submitted(call, command_of(call, asked, key), asked.live)
    except Problem as problem:
        return InBatch(problem=_as_document(problem, call.request_id))
    except TradeloopError as error:
        return InBatch(problem=_as_document(problem_of(error), call.request_id))
    return InBatch(order=answer.document)


def _as_document(problem: Problem, request_id: str) -> dict[str, Any]:
    text = said(problem, request_id).text
    assert text is not None
    found: dict[str, Any] = msgspec.json.decode(text)
    return found


def _marked(*, repeat: bool) -> dict[str, str]:
    return {_REPEATED: "true"} if repeat else {}
