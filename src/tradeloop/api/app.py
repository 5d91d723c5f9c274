"""The application: every route of the desk behind one gate, and nothing that is reachable in another way."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Final

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from tradeloop.api import (
    access_log,
    account,
    artefacts,
    factors,
    fills,
    halts,
    health,
    keys,
    main_contract,
    market,
    orders_in,
    orders_out,
    positions,
    record,
    risk,
    runs,
    secrets,
    session,
    sessions,
    strategies,
    stream,
    users,
)
from tradeloop.api.desk import Desk
from tradeloop.api.front import Front
from tradeloop.api.gate import REQUEST_ID, Gate
from tradeloop.api.identify import Identifies
from tradeloop.api.metrics import Metrics
from tradeloop.api.page import Page
from tradeloop.api.people import People
from tradeloop.api.policy import Rate, Routes, refuse_unpoliced
from tradeloop.api.problem import MEDIA, Problem, document_of, fault
from tradeloop.api.rates import ALLOWED, Allowance, Rates
from tradeloop.api.stream_hub import Hub
from tradeloop.engine.clock import WallClock
from tradeloop.ports.clock import Clock

LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "[::1]"})


class Manners(msgspec.Struct, frozen=True):
    """How the application behaves: by which names it is called, from which other origins its page may send, and how often."""

    hosts: frozenset[str] = LOOPBACK
    origins: frozenset[str] = frozenset()
    allowed: Mapping[Rate, Allowance] = msgspec.field(default_factory=lambda: ALLOWED)
    metrics_open: bool = False


def table_of(metrics: Metrics, manners: Manners, streams: stream.Stream | None = None) -> Routes:
    """Every route. Those with a fixed name stand before those that would take it for an id. Without `streams` it is for looking
    at alone.
    """
    table = Routes()
    orders_in.routes(table)  # the first is found the soonest
    orders_out.routes(table)
    positions.routes(table)
    fills.routes(table)
    runs.routes(table)
    artefacts.routes(table)
    halts.routes(table)
    risk.routes(table)
    strategies.routes(table)
    account.routes(table)
    market.routes(table)
    main_contract.routes(table)
    record.routes(table)
    session.routes(table)
    factors.routes(table)
    keys.routes(table)
    sessions.routes(table)
    users.routes(table)
    secrets.routes(table)
    access_log.routes(table)
    health.routes(table, metrics, metrics_open=manners.metrics_open)
    stream.routes(table, streams or stream.Stream())
    return table


def application(
    desk: Desk,
    identifies: Identifies,
    elapsed: Callable[[], int],
    manners: Manners | None = None,
    people: People | None = None,
    clock: Clock | None = None,
    page: Page | None = None,
) -> Front:
    """The API of a desk. `elapsed` is a clock in nanoseconds that cannot be set, for rates and ids of requests; `people` are
    whom `identifies` knows, for the routes that change them; `clock` paces the stream, by the time of the world without it;
    `page` is what browsers are shown.
    """
    how = manners or Manners()
    metrics = Metrics()
    rates = Rates(elapsed, how.allowed)
    hub = Hub(desk, identifies, rates, clock or WallClock(), people)
    metrics.count_sockets(lambda: len(hub.sockets))
    table = table_of(metrics, how, stream.Stream(hub, identifies))
    gate = Gate(desk, identifies, rates, metrics, how.origins, people)

    @asynccontextmanager
    async def lasting(_: Starlette) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await hub.close()

    handlers = {HTTPException: _no_route, Exception: _faulty}
    app = Starlette(routes=table.made(gate.served, gate.opened), exception_handlers=handlers, lifespan=lasting)
    app.router.redirect_slashes = False
    refuse_unpoliced(app.routes)
    return Front(_once_more(app), how.hosts, elapsed(), page)


def _once_more(app: Starlette) -> ASGIApp:
    """The application, looked at again when it begins to serve: whoever added a route meanwhile is found."""

    async def serve(scope, receive, send):  # type: ignore[no-untyped-def]
        if scope["type"] == "lifespan":
            refuse_unpoliced(app.routes)
        await app(scope, receive, send)

    return serve


async def _no_route(request: Request, error: Exception) -> Response:
    """There is no such address, or it is not asked so."""
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    if status is HTTPStatus.NOT_FOUND:
        problem = Problem(status, "no_route", "there is no such address; docs/reference/openapi.json has those that there are")
    elif status is HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = (error.headers or {}).get("Allow", "")
        problem = Problem(status, "method", f"the method was {request.method[:10]}; expected {allowed}")
    else:
        problem = Problem(status, "http", str(error.detail))
    return _response(request, problem, dict(error.headers or {}))


async def _faulty(request: Request, error: Exception) -> Response:
    """A fault of the program. Starlette raises it again behind this answer, so that it stands in the log."""
    del error
    return _response(request, fault(), {})


def _response(request: Request, problem: Problem, headers: dict[str, str]) -> Response:
    body = document_of(problem, request.scope[REQUEST_ID])
    return Response(body, problem.status, headers, MEDIA)
