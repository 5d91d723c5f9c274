"""The log of access and the names of secrets as the desk tells them; times are `datetime` in UTC."""

from __future__ import annotations

from datetime import datetime

from tradeloop.client.document import Document


class AccessLine(Document, frozen=True):
    """One line: `who` did or tried `what` to `subject`, from `address`."""

    number: int
    at: datetime
    what: str
    who: str
    subject: str
    address: str
    text: str


class AccessLog(Document, frozen=True):
    """Lines of the log of access, newest first; `next` is the cursor of the next page."""

    lines: list[AccessLine]
    next: str | None


class SecretDocument(Document, frozen=True):
    """A secret by its name: when it was set, and by whom."""

    broker: str
    account: str
    name: str
    set_at: datetime
    set_by: str


class SecretList(Document, frozen=True):
    """The secrets, by broker, account and name."""

    secrets: list[SecretDocument]
