"""Where a request came from: the address, whether it came over TLS, the browser's name, and the token in its cookie.

The address is the client's own behind a proxy that `web.proxies` names, and that of the connection otherwise: what anybody may
write into a header is believed of nobody else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec
from typing_extensions import override

_AGENT_MAX: Final = 200
_PASSED_ON: Final = (b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-real-ip", b"via")


class Sender(msgspec.Struct, frozen=True):
    """One of them."""

    address: str = ""
    tls: bool = False
    agent: str = ""
    session: str = ""
    """The token in the cookie, whether or not it opens anything; empty without one."""
    passed_on: bool = False
    """Whether a header says that somebody stands between: who is on this machine needs nobody there."""
    origin: str = ""
    """The page it says it comes from; empty where it says none, as programs do."""

    @override
    def __repr__(self) -> str:
        return f"Sender({self.address!r})"


def sender_of(scope: Mapping[str, object], headers: Mapping[bytes, bytes], address: str, session: str) -> Sender:
    """The sender of a request."""
    agent = headers.get(b"user-agent", b"").decode("latin-1")[:_AGENT_MAX]
    origin = headers.get(b"origin", b"").decode("latin-1").lower()
    passed_on = any(each in headers for each in _PASSED_ON)
    return Sender(address, scope.get("scheme") == "https", agent, session, passed_on, origin)
