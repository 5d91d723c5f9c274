"""The desk over HTTP: the application of a working desk, the address it listens on, and the server in the desk's own loop.

It listens on loopback unless the settings say otherwise, and on an address that others reach only with TLS, here or at a proxy
that is named. Stopping, no request is taken any more, those that run are answered, and the desk is closed after that.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
import ssl
import stat
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Final

import uvicorn
from typing_extensions import override

import tradeloop
from tradeloop.access.access import Access
from tradeloop.api.app import LOOPBACK, Manners, application
from tradeloop.api.front import Front
from tradeloop.api.page import page_in
from tradeloop.api.people import People
from tradeloop.api.policy import Rate
from tradeloop.api.rates import ALLOWED, Allowance
from tradeloop.bootstrap.desk import Desk
from tradeloop.bootstrap.identified import Identified
from tradeloop.bootstrap.served import ServedDesk
from tradeloop.bootstrap.sockets import FRAME_MAX, PING_S, Sockets
from tradeloop.config import Loaded, Web
from tradeloop.core.errors import BadInput
from tradeloop.engine.clock import WallClock, stopwatch_ns

BUILT_PAGE: Final = Path(tradeloop.__file__).with_name("web")
"""Where the build puts the page of the desk; an installation that was made without it has none, and the API all the same."""
GRACE_S: Final = 5
"""How long requests that run are waited for when the server ends."""
KEEP_ALIVE_S: Final = 20
CONNECTIONS_MAX: Final = 2_000
"""Connections and requests at once; what comes beyond is told to come later."""
_BURST: Final = 4


def web_of(desk: Desk, access: Access, command: str) -> Front:
    """The application of a desk and of those who may use it, by its settings. Sessions go by the time of the world."""
    people = People(access, WallClock().now)
    manners = manners_of(desk.loaded.settings.web)
    return application(ServedDesk(desk, command), Identified(people), stopwatch_ns, manners, people, page=page_in(BUILT_PAGE))


def manners_of(web: Web) -> Manners:
    """The settings as the application takes them. A name counts with whatever port it is called: a tunnel may have another."""
    own = frozenset(_as_called(each) for each in (*web.hosts, *([] if _is_any(web.host) else [web.host])))
    each = {Rate.READ: web.reads_per_s, Rate.ORDER: web.orders_per_s, Rate.STOP: web.orders_per_s}
    allowed = {**ALLOWED, **{rate: Allowance(per_s, max(1, int(per_s * _BURST))) for rate, per_s in each.items()}}
    return Manners(LOOPBACK | own, frozenset(each.lower().rstrip("/") for each in web.origins), allowed, web.metrics_open)


def refuse_open_address(web: Web) -> None:
    """Raise BadInput for an address that others reach without TLS here or in front: what is sent would be read."""
    if (web.tls_certificate is None) is not (web.tls_private is None):
        raise BadInput("web.tls_certificate and web.tls_private belong together; set both or none")
    if is_loopback(web.host) or web.tls_certificate is not None or web.proxies:
        return
    raise BadInput(
        f"web.host was {web.host}, which others reach, and there is no TLS; set web.tls_certificate and web.tls_private, or"
        " name the proxy in front that has it in web.proxies, or listen on 127.0.0.1"
    )


def is_loopback(host: str) -> bool:
    """Whether an address is this machine's alone. A name is taken for one that others reach, but for localhost."""
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def bound(web: Web) -> socket.socket:
    """The socket, bound and not listening yet. Raises BadInput where another program has it, or it cannot be had."""
    refuse_open_address(web)
    family = socket.AF_INET6 if ":" in web.host else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((web.host.strip("[]"), web.port))
    except OSError as error:
        found.close()
        if error.errno == errno.EADDRINUSE:
            text = f"port {web.port} of {web.host} is taken by another program, perhaps a desk; stop it or give another --port"
        elif error.errno in (errno.EACCES, errno.EPERM):
            text = f"port {web.port} of {web.host} is not allowed to this user; give one from 1024 on with --port"
        else:
            text = f"{web.host} port {web.port} can not be listened on ({error.strerror or error}); see web.host"
        raise BadInput(text) from None
    found.setblocking(False)
    return found


def address_here(web: Web, listening: socket.socket) -> str | None:
    """Where the desk is for a browser on this machine itself; None where it listens on another address alone."""
    if _is_any(web.host):
        own = "127.0.0.1" if web.host == "0.0.0.0" else "[::1]"  # noqa: S104 -- compared, not listened on
        return f"{_scheme(web)}://{own}:{listening.getsockname()[1]}"
    return address_of(web, listening) if is_loopback(web.host) else None


def address_of(web: Web, listening: socket.socket) -> str:
    """Where the desk is, as one types it."""
    host, port = listening.getsockname()[:2]
    named = f"[{host}]" if ":" in host else host
    return f"{_scheme(web)}://{named}:{port}"


def _scheme(web: Web) -> str:
    return "https" if web.tls_certificate is not None else "http"


@asynccontextmanager
async def served(app: Front, loaded: Loaded, listening: socket.socket) -> AsyncIterator[asyncio.Future[None]]:
    """Serve while the block runs; the future ends with the server, should it end by itself."""
    server = _Server(_config(app, loaded.settings.web))
    running = asyncio.ensure_future(server.serve(sockets=[listening]))
    try:
        while not server.started and not running.done():
            await asyncio.wait((running,), timeout=_LOOK_S)
        yield running
    finally:
        server.should_exit = True
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.shield(running)


_LOOK_S: Final = 0.01


class _Server(uvicorn.Server):
    """uvicorn's, without its signal handlers: the command line has its own, and the desk is closed after the server."""

    @override
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """None."""
        yield


def _config(app: Front, web: Web) -> uvicorn.Config:
    try:
        _refuse_open_key(web.tls_private)
        config = uvicorn.Config(
            app,
            loop="none",
            http="httptools",
            ws=Sockets,
            ws_max_size=FRAME_MAX,
            ws_ping_interval=PING_S,
            ws_ping_timeout=PING_S,
            ws_per_message_deflate=False,
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=bool(web.proxies),
            forwarded_allow_ips=list(web.proxies) or None,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=GRACE_S,
            limit_concurrency=CONNECTIONS_MAX,
            ssl_certfile=None if web.tls_certificate is None else str(web.tls_certificate),
            ssl_keyfile=None if web.tls_private is None else str(web.tls_private),
        )
        config.load()
    except (OSError, ssl.SSLError) as error:
        raise BadInput(f"the certificate of web.tls_certificate can not be used ({error}); see both files") from None
    return config


def _refuse_open_key(path: Path | None) -> None:
    mode = 0 if path is None or os.name == "nt" else stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise BadInput(
            f"{path} is the private part of a certificate and its mode was {mode:04o}; expected 0600: chmod 600 {path}"
        )


def _is_any(host: str) -> bool:
    return host in ("0.0.0.0", "::")  # noqa: S104 -- compared, not listened on


def _as_called(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("[") else host.lower()
