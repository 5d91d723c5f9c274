"""`tradeloop orders replace`: other terms for a working order, followed until the broker has answered.

The process that trades in this home asks for it; where none does, this one opens a desk, waits until the broker is READY (a
change passes risk like an order) and stays for the answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tradeloop.cli.options import By, Feed, Json, Reason, Speed, Start, feed_settings
from tradeloop.cli.shell import DENIED, FAILED, OK, UNKNOWN, Shell, Voice, perform
from tradeloop.cli.typed_order import ApprovedBy

if TYPE_CHECKING:
    from tradeloop.bootstrap import Desk
    from tradeloop.cli.control import Answer
    from tradeloop.config import Loaded
    from tradeloop.core.commands import ReplaceOrder
    from tradeloop.core.confirmation import Frozen
    from tradeloop.core.order import Order


def replace(
    ctx: typer.Context,
    order: Annotated[str, typer.Argument(metavar="ORDER", help="Our id of an order, as `tradeloop orders` shows it.")],
    qty: Annotated[
        str | None, typer.Option("--qty", help="The whole order's quantity from now on, what has filled included.")
    ] = None,
    price: Annotated[str | None, typer.Option("--price", help="The limit from now on.")] = None,
    stop: Annotated[str | None, typer.Option("--stop", help="The trigger from now on, of a stop that has not fired.")] = None,
    request_id: Annotated[
        str, typer.Option("--request-id", help="Makes a repeat harmless: the same id answers with the first change.")
    ] = "",
    approved_by: ApprovedBy = "",
    reason: Reason = "",
    by: By = None,
    feed: Feed = None,
    speed: Speed = None,
    start: Start = None,
    json: Json = False,
) -> None:
    """Change the quantity, the limit or the trigger of a working order in one step; what is not named stays as it is.

    The order keeps its old terms until the broker says that the new ones are in force. A broker that cannot change an order is
    not asked: cancel it and submit a new one.
    """

    async def work(shell: Shell, voice: Voice) -> int:
        from tradeloop.cli.asking import there_or_here
        from tradeloop.core.checked import checked_command
        from tradeloop.core.commands import ReplaceOrder
        from tradeloop.core.people import seen
        from tradeloop.core.types import ClOrdID, Px, Qty, exact

        loaded = shell.load(operator=by, **feed_settings(feed, speed, start))
        command = ReplaceOrder(
            ClOrdID(order),
            loaded.operator,
            None if qty is None else Qty(exact(qty, "--qty")),
            None if price is None else Px(exact(price, "--price")),
            None if stop is None else Px(exact(stop, "--stop")),
            reason,
            request_id,
            approved_by,
        )

        checked_command(command)  # before anything is opened: what is refused here leaves no trace
        seen(approved_by, "--approved-by")

        async def here() -> int:
            return _told(voice, await _here(voice, loaded, command))

        async def there(answer: Answer) -> int:
            return _told(voice, answer)

        return await there_or_here(lambda: _asked_there(voice, loaded, command), there, here)

    perform(ctx, json, work)


def _told(voice: Voice, answer: Answer) -> int:
    """Say what became of the change, as `orders submit` does of an order: a document, and beside it one line for a no."""
    if answer.exit_code == DENIED:
        voice.say(answer.text)
    elif not answer.ok:
        voice.say(f"error: {answer.text}")
    document = {"done": answer.text} if answer.change is None else answer.change
    voice.result(document, lambda out: out.print(answer.text, soft_wrap=True) if answer.ok else None)
    return answer.exit_code


async def _asked_there(voice: Voice, loaded: Loaded, command: ReplaceOrder) -> Answer | None:
    """Have the process that trades here change it, with a person's word where a live account asks for one there."""
    import msgspec

    from tradeloop.cli.control import ask_the_writer, ask_what_to_confirm, ask_with_a_word
    from tradeloop.cli.live import asked_of_a_person, told
    from tradeloop.core.confirmation import Frozen

    shown = await ask_what_to_confirm(loaded.home.socket, command)
    if shown is None or not shown.ok or not shown.text:
        return await ask_the_writer(loaded.home.socket, command) if shown is None or shown.ok else shown
    frozen = msgspec.json.decode(shown.text, type=Frozen)
    for line in told(frozen):
        voice.say(line)
    typed = await asked_of_a_person(voice, loaded, frozen, loaded.settings.broker.account)
    assert typed is not None  # nothing is looked at here that could have changed
    return await ask_with_a_word(loaded.home.socket, command, typed)


async def _confirmed(voice: Voice, desk: Desk, command: ReplaceOrder) -> ReplaceOrder:
    """The change with a person's word for it, where a live account asks for one."""
    from msgspec.structs import replace as with_word

    from tradeloop.cli.live import CHANGED, confirmed_at, told
    from tradeloop.core.terms_to_confirm import to_confirm

    def shown() -> Frozen | None:
        return to_confirm(desk.state, desk.engine.around, command, desk.clock.now())

    while (frozen := shown()) is not None:
        for line in told(frozen):
            voice.say(line)
        content = frozen.content

        def stands(content: str = content) -> bool:
            now = shown()
            return now is not None and now.content == content

        word = await confirmed_at(voice, desk, frozen, stands)
        if word is not None:
            return with_word(command, confirmed=word)
        voice.say(CHANGED)
    return command


async def _here(voice: Voice, loaded: Loaded, command: ReplaceOrder) -> Answer:
    """Ask in a desk of our own, and wait for the broker's answer."""
    from tradeloop.cli import replace_answer as became
    from tradeloop.cli.control import Answer, spoken
    from tradeloop.cli.known import refuse
    from tradeloop.cli.waits import ready, worked
    from tradeloop.cli.working import working_desk
    from tradeloop.core.replies import OrderReply

    async with working_desk(loaded, voice, "orders replace", look=lambda state: refuse(state, command)) as desk:
        await ready(desk)

        def standing() -> Order:
            found = desk.state.orders.get(command.cl_ord_id)
            assert found is not None
            return found

        before = became.terms_of(standing()) if desk.state.orders.get(command.cl_ord_id) is not None else None
        reply = await desk.engine.ask(await _confirmed(voice, desk, command))
        assert isinstance(reply, OrderReply)
        assert before is not None  # an order that is not known is refused
        said = spoken(reply, command)
        if not said.ok:
            said.change = became.change_document(standing(), before, command, reply, became.DENIED, said.text)
            return said
        number = standing().replace_asks
        await worked(desk, lambda: not standing().replaces, lambda order: order.cl_ord_id == command.cl_ord_id)
        await desk.reconcile()
        await desk.views_caught_up()
        row = await desk.views.queries.order(command.cl_ord_id)
        order = standing()
    assert row is not None
    terms = f"{order.order_qty:f}" + ("" if order.price is None else f" at {order.price:f}")
    terms += "" if order.stop_px is None else f", once at {order.stop_px:f}"
    stands = f"order {order.cl_ord_id} is {order.ord_status.value}: {terms}, {order.cum_qty:f} filled"
    why = "", ""
    if order.replaces:
        answer, change = Answer(False, f"whether the change took effect is unknown; {stands}", UNKNOWN), became.UNKNOWN
    elif order.replaced >= number:
        answer, change = Answer(True, stands, OK), became.REPLACED
    else:
        answer = Answer(False, f"the change was refused ({row.error_code}: {row.error}); {stands}", FAILED)
        change, why = became.REFUSED, (row.error_code, row.error)
    answer.change = became.change_document(order, before, command, reply, change, answer.text, why)
    return answer
