"""Codes of a user's second factor: six digits by the clock, or one of ten that were written down. Each is good once."""

from __future__ import annotations

import hmac
import re
from typing import Final

import msgspec
from pydantic import SecretStr

from tradeloop.access import drawn
from tradeloop.access.one_time import is_code, step_of
from tradeloop.access.records import Factor, User
from tradeloop.access.refusals import SignInRefused
from tradeloop.access.sealed import Vault
from tradeloop.core.types import UtcNs

RECOVERY_CODES: Final = 10
_TYPED: Final = re.compile(r"[A-Za-z2-7 -]{16,40}")


def recovery_codes() -> list[SecretStr]:
    """Ten new ones; they are shown once."""
    return [drawn.short_code() for _ in range(RECOVERY_CODES)]


def kept(codes: list[SecretStr]) -> tuple[str, ...]:
    """What is kept of them."""
    return tuple(drawn.digest(_one_spelling(each.get_secret_value())) for each in codes)


def after_code(user: User, code: str, vault: Vault, now: UtcNs) -> User | None:
    """The user once this code is taken, which has to be durable before it counts; None where it is wrong.

    Raises SignInRefused where it was taken before, BadInput where the factor's secret can not be opened.
    """
    assert user.factor is not None  # asked before
    if is_code(code):
        step = step_of(vault.open(user.factor.secret, "totp", user.id), code, now)
        if step is None:
            return None
        if step <= user.factor.last_step:
            raise SignInRefused("this code, or a newer one, was taken before, and a code is good once; wait for the next one")
        return _with(user, msgspec.structs.replace(user.factor, last_step=step))
    if not _TYPED.fullmatch(code):
        return None
    given = drawn.digest(_one_spelling(code))
    left = tuple(each for each in user.factor.recovery if not hmac.compare_digest(each, given))
    if len(left) == len(user.factor.recovery):
        return None
    return _with(user, msgspec.structs.replace(user.factor, recovery=left))


def _with(user: User, factor: Factor) -> User:
    return msgspec.structs.replace(user, factor=factor)


def _one_spelling(code: str) -> str:
    return code.upper().replace("-", "").replace(" ", "")
