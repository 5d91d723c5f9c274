"""The log of access over HTTP, for an admin: who signed in and was refused, was locked out, used a key, or changed who may."""

from __future__ import annotations

from typing import Annotated

import msgspec

from tradeloop.access.identity import Scope
from tradeloop.access.records import Entry
from tradeloop.api.call import Answer, Call
from tradeloop.api.gate import ok
from tradeloop.api.pages import LIMIT, Cursor, Limit, following, page_from, page_size
from tradeloop.api.persons import access_of
from tradeloop.api.plain import Moment, told
from tradeloop.api.policy import Policy, Rate, Routes

_What = Annotated[str | None, msgspec.Meta(description="Such as `signed in`, `sign-in refused`, `locked out` or `key used`.")]


class AccessLine(msgspec.Struct, frozen=True):
    """One line: `who` did or tried `what` to `subject`, from `address`. `number` grows, and its gaps are none of ours."""

    number: int
    at: Moment
    what: str
    who: str
    subject: str
    address: str
    text: str


class AccessLog(msgspec.Struct, frozen=True):
    """Lines of the log of access, newest first; `next` is the cursor of the next page."""

    lines: list[AccessLine]
    next: str | None


class WhichLines(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which lines; filters add up. `who`: by them, or about them."""

    what: _What = None
    who: str | None = None
    limit: Limit = LIMIT
    cursor: Cursor = None


def routes(table: Routes) -> None:
    """The routes of this file."""
    looks = Policy(Scope.ADMIN, safe=True, rate=Rate.READ)
    table.add("GET", "/api/v1/access-log", listed, looks, "access", query=WhichLines, gives=AccessLog)


async def listed(call: Call) -> Answer:
    """List who signed in, was refused or locked out, used a key, or changed who may do what; newest first."""
    wanted = call.wanted(WhichLines)
    limit = page_size(wanted.limit)
    found = await access_of(call).log(limit, page_from(wanted.cursor), what=wanted.what, who=wanted.who)
    return ok(AccessLog([_line(each) for each in found], following(found[-1].number if len(found) == limit else None)))


def _line(entry: Entry) -> AccessLine:
    return told(AccessLine, entry)
