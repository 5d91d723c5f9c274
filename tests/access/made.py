"""An access store with people in it, whose passwords cost little to compare."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pyotp
from pydantic import SecretStr
from sqlalchemy.engine import URL

from tradeloop.access.access import Access
from tradeloop.access.asked import Asked
from tradeloop.access.identity import Role
from tradeloop.access.passwords import Passwords
from tradeloop.access.sealed import MasterKey
from tradeloop.access.sessions import SessionTimes, SignedIn
from tradeloop.core.types import SECOND_NS, UtcNs

NOON = UtcNs(1_800_000_000 * SECOND_NS)
"""The beginning of a step of one-time codes."""
HERE = "192.0.2.7"
LOOPBACK = "127.0.0.1"
PASSWORD = SecretStr("four words nobody says")
ALL = frozenset(Role)
MASTERS = [MasterKey(bytes(range(32)))]


def later(seconds: float) -> UtcNs:
    return UtcNs(NOON + int(seconds * SECOND_NS))


def asked(seconds: float = 0, by: str = "root", address: str = HERE) -> Asked:
    return Asked(by, address, later(seconds))


def quick() -> Passwords:
    """Argon2id at the lowest cost there is."""
    return Passwords(passes=1, memory_kib=8)


def file_in(folder: Path) -> str:
    return f"sqlite:///{folder / 'access.db'}"


@asynccontextmanager
async def opened(
    url: str | URL | Path,
    masters: Callable[[], Sequence[MasterKey]] = lambda: MASTERS,
    *,
    passwords: Passwords | None = None,
    times: SessionTimes | None = None,
) -> AsyncIterator[Access]:
    """Access over a store; a folder stands for the file in it."""
    access = Access(file_in(url) if isinstance(url, Path) else url, masters, passwords=passwords or quick(), times=times)
    await access.open()
    try:
        yield access
    finally:
        await access.close(NOON)


async def add(access: Access, name: str, *roles: Role, password: SecretStr = PASSWORD) -> None:
    """A user with a password of their own."""
    await access.users.add(name, password, roles or (Role.VIEWER,), asked(), must_change=False)


async def signed_in(access: Access, name: str, seconds: float = 0, code: str = "", address: str = HERE) -> SignedIn:
    return await access.door.sign_in(name, PASSWORD, code, asked(seconds, "", address), agent="Browser 1")


class Device:
    """Shows the codes of one factor, by its own clock."""

    def __init__(self, secret: SecretStr) -> None:
        self.codes = pyotp.TOTP(secret.get_secret_value())

    def shows(self, seconds: float) -> str:
        return self.codes.at(later(seconds) // SECOND_NS)

    def never_shows(self, seconds: float) -> str:
        """Six digits that are no code of a moment near this one."""
        near = {self.shows(seconds + 30 * each) for each in range(-4, 5)}
        return next(code for code in (f"{digit}" * 6 for digit in range(10)) if code not in near)


async def with_factor(access: Access, name: str, seconds: float = -3600) -> tuple[Device, list[str]]:
    """A second factor for a user, confirmed an hour before noon, and its recovery codes."""
    device = Device(access.factors.begin(name, later(seconds)).secret)
    given = await access.factors.confirm(name, device.shows(seconds), asked(seconds, name))
    return device, [each.get_secret_value() for each in given]


def words(lines: Iterable[object]) -> str:
    """Everything that these say, in one text."""
    return re.sub(r"\s+", " ", " ".join(map(repr, lines)))
