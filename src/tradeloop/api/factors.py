"""One's own second factor over HTTP: begun, confirmed with a code of it, and its recovery codes drawn anew."""

from __future__ import annotations

from tradeloop.api.call import Answer, Call
from tradeloop.api.gate import ok
from tradeloop.api.persons import (
    BODY_MAX,
    Secret,
    Secretive,
    ShownOnce,
    TellsOnce,
    access_of,
    asked_by,
    people_of,
    settled_person,
)
from tradeloop.api.policy import Policy, Rate, Routes, Who


class Confirmation(Secretive, frozen=True):
    """A code of the new factor, and one of the factor before where there is one."""

    code: Secret
    present: Secret = ""


class WithCode(Secretive, frozen=True):
    """A code of the factor there is."""

    code: Secret


class BegunFactor(TellsOnce, frozen=True):
    """What an authenticator is given, as text, as a link and as a picture of it; it counts when a code of it was sent."""

    secret: ShownOnce
    uri: ShownOnce
    svg: ShownOnce


class RecoveryCodes(TellsOnce, frozen=True):
    """Ten codes on paper for who loses the device, each good once."""

    recovery_codes: list[ShownOnce]


def routes(table: Routes) -> None:
    """The routes of this file."""
    add, most = table.add, BODY_MAX
    begins = Policy(Who.PERSON, safe=False, rate=Rate.PROOF, fresh=True)
    proves = Policy(Who.PERSON, safe=False, rate=Rate.PROOF)
    here, again = "/api/v1/second-factor", "/api/v1/second-factor/recovery-codes"
    add("POST", here, begin, begins, "second-factor", gives=BegunFactor, status=201)
    add("POST", f"{here}/confirm", confirm, begins, "second-factor", body=Confirmation, gives=RecoveryCodes, body_max=most)
    add("POST", again, recovery_codes, proves, "second-factor", body=WithCode, gives=RecoveryCodes, body_max=most)


async def begin(call: Call) -> Answer:
    """Begin a second factor of your own: what the authenticator is given, good for ten minutes."""
    given = access_of(call).factors.begin(settled_person(call), people_of(call).now())
    secret, uri, svg = (each.get_secret_value() for each in (given.secret, given.uri, given.svg))
    return ok(BegunFactor(secret, uri, svg), 201)


async def confirm(call: Call) -> Answer:
    """Have the second factor that was begun count from now on; the recovery codes are shown once."""
    asked = call.asked(Confirmation)
    given = await access_of(call).factors.confirm(settled_person(call), asked.code, asked_by(call), present=asked.present)
    return ok(RecoveryCodes([each.get_secret_value() for each in given]))


async def recovery_codes(call: Call) -> Answer:
    """Draw ten new recovery codes, with a code; those before are good for nothing any more."""
    given = await access_of(call).factors.new_recovery_codes(settled_person(call), call.asked(WithCode).code, asked_by(call))
    return ok(RecoveryCodes([each.get_secret_value() for each in given]))
