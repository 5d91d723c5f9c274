"""The adapter: the broker port over `Connection` and `Translator`, and the task that brings a lost session back.

It never retries a request, invents no report and drops none: what it cannot read ends the session, and the books that the
engine reads after the next BrokerUp say what was missed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import chain, repeat
from typing import Final

from typing_extensions import override

from tradeloop.brokers._template import translate
from tradeloop.brokers._template.client import Connection, Message, connected
from tradeloop.brokers._template.config import PLACE_WITHIN_NS, TemplateConfig
from tradeloop.brokers._template.pace import Pace
from tradeloop.core.errors import BadInput, FateUnknown, NotSent, Refused
from tradeloop.core.order import Order
from tradeloop.core.replacement import Replacement
from tradeloop.core.reports import BrokerDown, BrokerSnapshot, BrokerUp, Report
from tradeloop.core.risk.approved import Approved
from tradeloop.core.types import SECOND_NS, ClOrdID, OrderID, OrdType, Symbol, TimeInForce, UtcNs
from tradeloop.ports.broker import Capabilities, Dedupes
from tradeloop.ports.clock import Clock
from tradeloop.ports.trouble import Trouble, raised

CAPABILITIES = Capabilities(
    ord_types=frozenset({OrdType.MARKET, OrdType.LIMIT}),
    tifs=frozenset({TimeInForce.DAY, TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK}),
    cl_ord_id_max=24,
    cl_ord_id_alphabet="a-z0-9",
    dedupes=Dedupes.FOR_EVER,
    query_by_cl_ord_id=False,
    orders_complete=True,
    stream_replay=False,
    request_lifetime_ns=5 * SECOND_NS,
    visibility_lag_ns=SECOND_NS,
    rate_per_second=200,
    replaces=True,
    echoes_ids=True,
    rebates=True,
    fractions=True,
    shorts=True,
    many_currencies=True,
)

_NOT_YET: Final = UtcNs(0)
"""In place of a request's end, until its turn has come and the end can be counted from there."""


class TemplateBroker:
    """One account at the toy venue."""

    capabilities = CAPABILITIES

    def __init__(self, config: TemplateConfig, clock: Clock, capabilities: Capabilities = CAPABILITIES) -> None:
        """Opens nothing; `connect` does."""
        self.name = config.name
        self.account = config.account
        self.capabilities = capabilities
        self._config = config
        self._clock = clock
        self._translator = translate.Translator(config.name, config.account)
        self._pace = Pace(capabilities.rate_per_second, clock)
        self._asking = 0
        self._report: Callable[[Report], None] | None = None
        self._connection: Connection | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._why_down = "the session was never opened"

    @override
    def __repr__(self) -> str:
        return f"TemplateBroker({self.name}, account {self.account}, {self._config.host}:{self._config.port})"

    @property
    def is_connected(self) -> bool:
        """Whether a session is up now."""
        return self._connection is not None

    # --- the broker port

    async def connect(self, report: Callable[[Report], None]) -> None:
        """Open the session, and go on trying where that fails. Returns after the first attempt, whatever came of it."""
        await self.close()
        self._report = report
        tried = asyncio.get_running_loop().create_future()
        self._keeping = asyncio.get_running_loop().create_task(self._keep(tried))
        await tried

    async def close(self) -> None:
        """End the session and the attempts to come back; a second call does nothing."""
        keeping, self._keeping = self._keeping, None
        self._report, self._why_down = None, "the session was closed"
        if keeping is not None:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)

    async def place(self, order: Approved[Order]) -> None:
        """Send the order, once. Raises NotSent, Refused or FateUnknown."""
        try:
            self._takes(order.order)
            request = translate.placing(order.order, _NOT_YET)
        except BadInput as error:
            raise _denied(error) from None
        await self._ask(request)

    async def cancel(self, cl_ord_id: ClOrdID, order_id: OrderID | None, symbol: Symbol) -> None:
        """Ask for a cancel. Raises NotSent, Refused or FateUnknown."""
        del symbol  # venues that need it exist; this one finds the order by either id
        await self._ask(translate.canceling(cl_ord_id, order_id, _NOT_YET))

    async def replace(self, change: Approved[Replacement]) -> None:
        """Ask for other terms of a working order, once. Raises NotSent, Refused or FateUnknown."""
        try:
            request = translate.replacing(change.order, _NOT_YET)
        except BadInput as error:
            raise _denied(error) from None
        await self._ask(request)

    async def snapshot(self, executions_since: UtcNs | None = None) -> BrokerSnapshot:
        """The venue's books now. Raises NotSent when they cannot be read, or hold a word that words.py does not know."""
        try:
            shown = await self._ask({"do": "books", "since": executions_since})
            return self._translator.snapshot(shown, orders_complete=self.capabilities.orders_complete)
        except (BadInput, Refused, FateUnknown) as error:
            raise NotSent(f"the books of {self.name} could not be read: {error}") from None

    # --- inside

    async def _ask(self, request: Message) -> Message:
        _ = self._session()
        if self._asking >= self._config.in_flight_max:
            raise NotSent(f"{self._asking} requests wait at {self.name} already; ask again when some were answered")
        self._asking += 1
        try:
            if request["do"] == "books":
                return await self._session().ask(request)
            async with self._pace.turn(PLACE_WITHIN_NS - self._config.answer_within_ns):
                # The session may have been lost while this request waited for its turn: then it is not sent.
                session = self._session()
                request["expires_at"] = session.venue_now() + self._config.lives_ns
                return await session.ask(request)
        finally:
            self._asking -= 1

    def _session(self) -> Connection:
        if self._keeping is not None and self._keeping.done():
            self._keeping.result()  # it ends by a bug alone: raised here, that ends the process instead of a quiet session
        if self._connection is None:
            raise NotSent(f"{self.name} is not connected: {self._why_down}")
        return self._connection

    def _takes(self, order: Order) -> None:
        """What the capabilities say is absent is refused here: the venue would cut an id short, or guess."""
        able = self.capabilities
        if len(order.cl_ord_id) > able.cl_ord_id_max:
            raise BadInput(
                f"the id {order.cl_ord_id} has {len(order.cl_ord_id)} characters; expected at most {able.cl_ord_id_max}"
            )
        if translate.sent_as(order) not in able.ord_types or order.tif not in able.tifs:
            raise BadInput(f"{order.ord_type.value} {order.tif.value} is not taken by {self.name}")

    async def _keep(self, tried: asyncio.Future[None]) -> None:
        """Hold the session: connect, listen until it is lost, wait, and again, for ever."""
        waits = chain(self._config.backoff_s, repeat(self._config.backoff_s[-1]))
        try:
            while True:
                try:
                    connection = await self._opened()
                except NotSent as error:
                    self._why_down = str(error)
                else:
                    waits = chain(self._config.backoff_s, repeat(self._config.backoff_s[-1]))
                    await self._live(connection, tried)
                if not tried.done():
                    tried.set_result(None)
                await self._clock.sleep_until(UtcNs(self._clock.now() + int(next(waits) * SECOND_NS)))
        finally:
            if not tried.done():
                tried.set_result(None)

    async def _opened(self) -> Connection:
        config = self._config
        try:
            async with asyncio.timeout(config.connect_within_ns / SECOND_NS):
                connection = await connected(
                    config.host, config.port, self._clock, line_max=config.line_max, on_said=self._on_said,
                    answer_within_ns=config.answer_within_ns, heartbeat_ns=config.heartbeat_ns,
                )  # fmt: skip
                is_in = False
                try:
                    await connection.log_in(config.account, config.token.reveal())
                    is_in = True
                finally:
                    if not is_in:
                        connection.drop("the login failed")
                return connection
        except (TimeoutError, EOFError, BadInput, OSError) as error:
            raise NotSent(f"no session with {self.name}: {str(error) or 'no answer in time'}") from None

    async def _live(self, connection: Connection, tried: asyncio.Future[None]) -> None:
        self._connection = connection
        try:
            self._tell(BrokerUp(self.name))
            if not tried.done():
                tried.set_result(None)
            self._why_down = await connection.listen()
        finally:
            self._connection = None
            connection.drop(self._why_down)
        self._tell(BrokerDown(self.name, self._why_down))

    def _on_said(self, said: Message) -> None:
        report = self._translator.report(said)
        if report is not None:
            self._tell(report)

    def _tell(self, report: Report) -> None:
        if self._report is not None:
            self._report(report)


def _denied(error: BadInput) -> Exception:
    """What this side will not send, now or later."""
    refused = raised(Trouble.LOCAL_DENY, str(error))
    assert refused is not None
    return refused
