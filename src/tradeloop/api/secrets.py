"""What brokers want to know, over HTTP, for an admin: set, set anew, removed, and listed by name. No value ever comes back."""

from __future__ import annotations

import msgspec
from pydantic import SecretStr

from tradeloop.access.broker_secrets import SecretShown
from tradeloop.access.identity import Scope
from tradeloop.api.call import Answer, Call, Said
from tradeloop.api.gate import ok
from tradeloop.api.persons import BODY_MAX, Secret, Secretive, access_of, asked_by
from tradeloop.api.plain import Moment, told
from tradeloop.api.policy import Policy, Rate, Routes


class NewSecret(Secretive, frozen=True):
    """What the broker wants to know, in the place of what was set before."""

    value: Secret


class SecretDocument(msgspec.Struct, frozen=True):
    """A secret by its name: when it was set, and by whom. Nothing of what it says is in it."""

    broker: str
    account: str
    name: str
    set_at: Moment
    set_by: str


class SecretList(msgspec.Struct, frozen=True):
    """The secrets, by broker, account and name."""

    secrets: list[SecretDocument]


def routes(table: Routes) -> None:
    """The routes of this file."""
    looks = Policy(Scope.ADMIN, safe=True, rate=Rate.READ)
    sets = Policy(Scope.ADMIN, safe=False, rate=Rate.WORK, fresh=True)
    one = "/api/v1/secrets/{broker}/{account}/{name}"
    table.add("GET", "/api/v1/secrets", listed, looks, "secrets", gives=SecretList)
    table.add("PUT", one, put, sets, "secrets", body=NewSecret, gives=Said, body_max=BODY_MAX)
    table.add("DELETE", one, remove, sets, "secrets", gives=Said)


async def listed(call: Call) -> Answer:
    """List which secrets of brokers there are, and when each was set."""
    return ok(SecretList([_document(each) for each in access_of(call).secrets.shown()]))


async def put(call: Call) -> Answer:
    """Set a secret of a broker, or set it anew; it is sealed, and nobody is shown it again."""
    broker, account, name = _named(call)
    value = SecretStr(call.asked(NewSecret).value)
    is_new = await access_of(call).secrets.put(broker, account, name, value, asked_by(call))
    done = "is set" if is_new else "is set anew, in the place of the one before"
    return ok(Said(f"{name} of {broker} for {account} {done}"))


async def remove(call: Call) -> Answer:
    """Remove a secret of a broker; its bytes are overwritten."""
    broker, account, name = _named(call)
    await access_of(call).secrets.remove(broker, account, name, asked_by(call))
    return ok(Said(f"{name} of {broker} for {account} is removed"))


def _named(call: Call) -> tuple[str, str, str]:
    return call.path["broker"], call.path["account"], call.path["name"]


def _document(secret: SecretShown) -> SecretDocument:
    return told(SecretDocument, secret)
