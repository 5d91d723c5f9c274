"""Who may use the desk: what a program with the scope admin may ask about it. Each function makes an `Ask`.

To set or remove a secret takes a person in a session, so that no function here does it.
"""

from __future__ import annotations

from tradeloop.client.access_told import AccessLog, SecretList
from tradeloop.client.ask import Ask, asked


def log(*, what: str = "", who: str = "", limit: int = 100, cursor: str | None = None) -> Ask[AccessLog]:
    """Who signed in, was refused or locked out, used a key, or changed who may do what; newest first."""
    return Ask("GET", "/api/v1/access-log", AccessLog, query=asked(what=what, who=who, limit=limit, cursor=cursor))


def secrets() -> Ask[SecretList]:
    """Which secrets of brokers there are, and when each was set; nothing of what they say."""
    return Ask("GET", "/api/v1/secrets", SecretList)
