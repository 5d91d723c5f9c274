"""`tradeloop up`: the desk and its API in one process, until Ctrl-C; with --demo on a paper account that trades already."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tradeloop.cli.options import By, Feed, Json, Speed, Start, feed_settings
from tradeloop.cli.shell import FAILED, OK, Ended, Shell, Voice, perform

if TYPE_CHECKING:
    from tradeloop.access.access import Access
    from tradeloop.bootstrap import Desk
    from tradeloop.config import Loaded
    from tradeloop.core.types import Symbol
    from tradeloop.targets.target import Target


def up(
    ctx: typer.Context,
    demo: Annotated[
        bool, typer.Option("--demo", help="Trade the demo portfolio on recorded quotes, in a home of its own, and go on.")
    ] = False,
    host: Annotated[str | None, typer.Option("--host", help="The address to listen on; otherwise 127.0.0.1.")] = None,
    port: Annotated[int | None, typer.Option("--port", help="The port; otherwise 8003, and 0 is any that is free.")] = None,
    by: By = None,
    feed: Feed = None,
    speed: Speed = None,
    start: Start = None,
    json: Json = False,
) -> None:
    """Serve the desk over HTTP until Ctrl-C: orders, runs, positions, the stop. Nobody is let in who is not identified."""
    given = {"web__host": host, "web__port": port, "operator": by, **feed_settings(feed, speed, start)}

    async def work(shell: Shell, voice: Voice) -> int:
        if demo and (feed is not None or start is not None):
            raise Ended("--demo brings its own quotes and clock; leave --feed and --start away", 2)
        wish = _demo(shell, given) if demo else _Wish(shell.load(**given))
        return await _serve(voice, wish)

    perform(ctx, json, work, repeatable=True)


@dataclass(frozen=True)
class _Wish:
    """Which desk, and what it trades from the start."""

    loaded: Loaded
    target: Target | None = None

    @property
    def symbols(self) -> list[Symbol]:
        """What is tradable from the start."""
        return [] if self.target is None else self.target.symbols


def _demo(shell: Shell, given: dict[str, Any]) -> _Wish:
    from tradeloop.bootstrap.example import put_example
    from tradeloop.cli.run import demo_home
    from tradeloop.feeds.demo import demo_context, demo_portfolio
    from tradeloop.targets.target import read_target

    alone, own = demo_home(shell)
    speed = {"feed__speed": given["feed__speed"] or 1.0, "feed__kind": "demo", "feed__goes_on": True}
    loaded = alone.load(**{**given, **own, **speed})
    put_example(loaded.home)
    return _Wish(loaded, read_target(demo_portfolio(), demo_context()))


async def _serve(voice: Voice, wish: _Wish) -> int:
    from tradeloop.bootstrap.access import open_access
    from tradeloop.bootstrap.strategies import hosting
    from tradeloop.bootstrap.web import address_here, address_of, bound, served, web_of
    from tradeloop.cli.working import working_desk
    from tradeloop.engine.clock import WallClock

    loaded = wish.loaded
    with bound(loaded.settings.web) as listening:  # before anything is opened: a port that is taken costs nothing
        async with working_desk(loaded, voice, "up", symbols=wish.symbols, goes_on=True) as desk, open_access(loaded) as access:
            app = web_of(desk, access, "up")
            async with hosting(desk, "up", voice.say), served(app, loaded, listening) as server:
                where = address_of(loaded.settings.web, listening)
                voice.say(f"the desk is at {where}; Ctrl-C ends it")
                await _offer_set_up(voice, loaded, access, address_here(loaded.settings.web, listening))
                trading = asyncio.ensure_future(_trade(voice, desk, wish.target)) if wish.target is not None else None
                try:
                    await _until_told(desk, server, access.follow(WallClock()))
                    why, code = "the server has ended", FAILED
                except asyncio.CancelledError:
                    why, code = "stopped", OK  # asked for: this is how it ends
                finally:
                    if trading is not None:
                        trading.cancel()
            left = len(desk.state.orders.open)
    words = f"{why}; {left} open order{'' if left == 1 else 's'} left"
    voice.result({"ended": why, "address": where, "open_orders": left}, lambda out: out.print(words))
    return code


async def _offer_set_up(voice: Voice, loaded: Loaded, access: Access, here: str | None) -> None:
    """While there is nobody yet, say how the first user comes to be. `here`: the address for a browser on this machine."""
    if not access.first_user.is_open:
        return
    from tradeloop.access.asked import TERMINAL, Asked
    from tradeloop.bootstrap.access import set_up_link
    from tradeloop.engine.clock import WallClock

    home = f" --home {quote(str(loaded.home.data))}" if loaded.home.config == loaded.home.data else ""
    command = f"tradeloop{home} users"
    if here is None:
        voice.say(f"there is no user yet, and nobody is let in; `{command} add NAME --roles admin` makes the first one")
        return
    token = await access.first_user.begin(Asked(loaded.operator, TERMINAL, WallClock().now()))
    voice.say("there is no user yet; open this on this machine within fifteen minutes and make the first one, it is good once:")
    voice.say(set_up_link(here, token.get_secret_value()))
    voice.say(f"after that `{command} set-up-link --base {here}` prints a new one")


async def _until_told(desk: Desk, server: asyncio.Future[None], following: Coroutine[Any, Any, None]) -> None:
    """Return when the server ends; raises what ended the desk, or the look at what others change about users and keys: a desk
    that no longer saw a key revoked must not go on letting it in.
    """
    lasting = (asyncio.ensure_future(desk.until(lambda: False)), asyncio.ensure_future(following))
    try:
        done, _ = await asyncio.wait((*lasting, server), return_when=asyncio.FIRST_COMPLETED)
        for each in done:
            each.result()
    finally:
        for each in lasting:
            each.cancel()
        await asyncio.gather(*lasting, return_exceptions=True)


async def _trade(voice: Voice, desk: Desk, target: Target) -> None:
    """Have the demo's portfolio traded, and when that is done the example strategy."""
    from tradeloop.bootstrap.example import NAME
    from tradeloop.core.errors import TradeloopError

    await _trade_target(voice, desk, target)
    await desk.until(lambda: not desk.state.runs.live)
    if desk.strategies is None:
        return
    try:
        voice.say(await desk.strategies.start(NAME, desk.loaded.operator))
    except TradeloopError as error:
        voice.say(f"warning: the example strategy is not started: {error}")


async def _trade_target(voice: Voice, desk: Desk, target: Target) -> None:
    """Have the demo's portfolio traded, once: a later start finds the run made."""
    from tradeloop.bootstrap.start import run_at
    from tradeloop.core.errors import BadInput
    from tradeloop.core.replies import RunReply
    from tradeloop.core.types import Mode

    await desk.ready()
    await desk.quoted(target.symbols)
    if desk.state.runs.live or desk.state.runs.ended:
        return
    try:
        reply = await desk.engine.ask(run_at(desk, target, mode=Mode.PAPER, by=desk.loaded.operator))
    except BadInput as error:
        voice.say(f"warning: the demo's portfolio is not traded: {error}")
        return
    if isinstance(reply, RunReply) and reply.run_id is None:
        voice.say(f"warning: the demo's portfolio is not traded: {'; '.join(reply.failed)}")
