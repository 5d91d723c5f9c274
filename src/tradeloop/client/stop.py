"""The stop and the limits of risk: what may be asked of the desk about them. Each function makes an `Ask`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tradeloop.client.ask import Ask, Number, amount, present
from tradeloop.client.document import Document
from tradeloop.client.orders import New
from tradeloop.client.stop_told import Halted, Halts, Judgement, Limits

PATH = "/api/v1/halts"


class Said(Document, frozen=True):
    """What came of a command, in a sentence."""

    done: str


def halts() -> Ask[Halts]:
    """The halts in force."""
    return Ask("GET", PATH, Halts)


def halt(reason: str, *, tier: str = "HALT", scope: str = "global", name: str = "") -> Ask[Halted]:
    """Stop, as much as the tier says: HALT, REDUCE_ONLY, CANCEL_ALL or FLATTEN. To ask twice stops no less: a halt that is like
    one in force changes nothing.
    """
    body = present(reason=reason, tier=tier, scope=scope, name=name)
    return Ask("POST", PATH, Halted, body=body, is_harmless=tier != "FLATTEN")


def release(
    reason: str, *, scope: str = "global", name: str = "", numbers: Sequence[int] = (), seen: int = 0, code: str = ""
) -> Ask[Said]:
    """End halts of exactly this scope; a live desk asks for a code of the second factor."""
    body: dict[str, Any] = present(reason=reason, scope=scope, name=name, code=code, seen=seen or None)
    if numbers:
        body["numbers"] = list(numbers)
    return Ask("POST", f"{PATH}/release", Said, body=body)


def limits() -> Ask[Limits]:
    """The limits of risk in force."""
    return Ask("GET", "/api/v1/risk/limits", Limits)


def check(order: New) -> Ask[Judgement]:
    """What risk says of an order that nobody sends; nothing is recorded."""
    return Ask("POST", "/api/v1/risk/check", Judgement, body=order.body(), is_harmless=True)


def set_limit(rule: str, value: Number, *, lasts: str, reason: str, scope: str = "global", name: str = "") -> Ask[Said]:
    """Set a limit for a time such as 2h; it ends by itself."""
    body = present(rule=rule, value=amount(value), reason=reason, scope=scope, name=name) | {"for": lasts}
    return Ask("POST", "/api/v1/risk/limits", Said, body=body)
