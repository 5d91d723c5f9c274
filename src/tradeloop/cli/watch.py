"""`tradeloop watch`: keeps the desk running until Ctrl-C, for what stands longer than the command that gave it.

The paper broker matches and a stop is watched only while a process runs; this is that process, and it tells what happens.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import typer

from tradeloop.cli.options import By, Feed, Json, Speed, Start, feed_settings
from tradeloop.cli.shell import OK, USAGE, Ended, Shell, Voice, perform

if TYPE_CHECKING:
    from tradeloop.bootstrap import Desk
    from tradeloop.core import events as ev
    from tradeloop.engine.writer import Published

_REST_S = 2.0


def watch(
    ctx: typer.Context,
    by: By = None,
    feed: Feed = None,
    speed: Speed = None,
    start: Start = None,
    json: Json = False,
) -> None:
    """Keep open orders and stops at work until Ctrl-C or the end of the recording, and tell each fill and stop as it comes."""

    async def work(shell: Shell, voice: Voice) -> int:
        from tradeloop.cli.waits import ready
        from tradeloop.cli.working import working_desk

        loaded = shell.load(operator=by, **feed_settings(feed, speed, start))
        if loaded.settings.feed.kind == "none":
            raise Ended("watching needs quotes, and no feed is configured; give --feed, or set feed.kind", USAGE)
        async with working_desk(loaded, voice, "watch", goes_on=True) as desk:
            told = _Told(voice, desk)
            desk.listen(told.hear)
            await ready(desk)
            voice.say(f"watching {_open(desk)}; Ctrl-C ends it")
            try:
                await desk.until(lambda: desk.feed_ended)
                await desk.came_to_rest(_REST_S)
                why = "the recording has ended"
            except asyncio.CancelledError:
                why = "stopped"  # asked for: this is how watching ends
            left = [str(order.cl_ord_id) for order in desk.state.orders.open.values()]
            said = f"{why}; {_open(desk)} left"
        voice.result({"ended": why, "told": told.lines, "open_orders": left}, lambda out: out.print(said))
        return OK

    perform(ctx, json, work)


def _open(desk: Desk) -> str:
    from tradeloop.cli import words

    return words.plural(len(desk.state.orders.open), "open order")


class _Told:
    """A line for everything that happens to an order."""

    def __init__(self, voice: Voice, desk: Desk) -> None:
        self.lines: list[str] = []
        self._voice = voice
        self._desk = desk

    def hear(self, published: Published) -> None:
        """Tell what a durable batch brought."""
        for event in published.events:
            self._one(event)

    def _one(self, event: ev.Event) -> None:
        from tradeloop.cli import words
        from tradeloop.core import events

        match event:
            case events.StopTriggered():
                text = f"stop   {self._about(event.cl_ord_id)} triggered at {words.px(event.px)}"
            case events.Traded():
                what = f"{event.side.value:<4} {words.qty(event.last_qty):>10} {event.symbol} at {words.px(event.last_px)}"
                text = f"fill   {what} ({event.cl_ord_id})"
            case events.OrderRejected() | events.OrderCanceled() | events.OrderExpired():
                text = f"ended  {self._about(event.cl_ord_id)}: {event.text}".rstrip(" :")
            case _:
                return
        line = f"{words.clock_time(event.at)}  {text}"
        self.lines.append(line)
        if not self._voice.json:
            self._voice.say(line)

    def _about(self, cl_ord_id: str) -> str:
        from tradeloop.core.types import ClOrdID

        order = self._desk.state.orders.get(ClOrdID(cl_ord_id))
        return cl_ord_id if order is None else f"{order.side.value:<4} {order.symbol} ({cl_ord_id})"
