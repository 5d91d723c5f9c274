"""Reads execution_context.json, the decision a portfolio belongs to, or refuses it with one sentence.

S1's fields `trade_date`, `active_champion_id`, `risk_checks` and `target_exposure` must be there.
`schema_version` (1), `project_id`, `strategy_id`, `decision_snapshot_id`, `market`, `currency` and `generated_at` may be;
without an id of its own a decision is named by the hash of its file, so that the same file is the same
decision. Fields of other names are left unread.

What is refused here is what can not be meant. Whether the checks passed, the date is a trading day and the
exposure fits the portfolio is decided by core/run/checks.py, where a refusal is journalled.
"""

from __future__ import annotations

import json
import re
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo

import msgspec

from tradeloop.core.errors import BadInput
from tradeloop.core.types import ZERO, Currency, TradingDay, exact
from tradeloop.targets.source import Source, looks_like_formula, read_source, shown

SCHEMA_VERSION: Final = 1
EXPOSURE_MAX: Final = Decimal(10)
"""More than ten times the equity is no exposure but percent written where a fraction is meant."""

# The clock on the wall of each market: which calendar day an instant belongs to there.
_ZONES: Final = {
    "CN_A": "Asia/Shanghai",
    "CN_FUTURES": "Asia/Shanghai",
    "HK": "Asia/Hong_Kong",
    "US": "America/New_York",
    "CRYPTO": "UTC",
}
_ID_LENGTH_MAX: Final = 64
_DETAIL_LENGTH_MAX: Final = 500
_ISO_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_CURRENCY: Final = re.compile(r"[A-Z0-9]{2,12}", re.ASCII)
_COMPLAINT: Final = re.compile(r"Expected `([^`]+)`(?:, got `([^`]+)`)?")
_MISSING: Final = re.compile(r"Object missing required field `([^`]+)`")

_WORDS: Final = {
    "str": "text",
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "object": "an object",
    "array": "a list",
}

_T = TypeVar("_T")


class RiskCheck(msgspec.Struct, frozen=True):
    """What one check of the decision said."""

    passed: bool
    detail: str = ""


class Context(msgspec.Struct, frozen=True):
    """A decision: for which day, by which champion, with which checks, for how much of the equity.

    `market` and `currency` are empty where the file leaves them to the account; `target_exposure` is None
    where nobody stated one.
    """

    project_id: str
    decision_snapshot_id: str
    trade_date: TradingDay
    active_champion_id: str
    risk_checks: dict[str, RiskCheck]
    target_exposure: Decimal | None
    market: str = ""
    currency: Currency = Currency("")
    generated_at: datetime | None = None
    schema_version: int = SCHEMA_VERSION
    sha256: str = ""
    strategy_id: str | msgspec.UnsetType = msgspec.UNSET
    """Which strategy the orders belong to; unset, the run says. No part of what a decision without one means."""

    @property
    def passed(self) -> dict[str, bool]:
        """Name of each check -> whether it passed, as `StartRun` takes it."""
        return {name: check.passed for name, check in self.risk_checks.items()}

    @classmethod
    def manual(
        cls,
        *,
        trade_date: str,
        decision_snapshot_id: str,
        project_id: str = "manual",
        market: str = "",
        currency: str = "",
        target_exposure: Decimal | None = None,
    ) -> Context:
        """The context of a person who trades a portfolio without a decision file: no champion, and no checks
        but ours.

        The snapshot id makes a repeat harmless; the hash of the portfolio serves. Raises BadInput for a value
        that a file may not have either.
        """
        here = Source("the command", b"")
        return cls(
            project_id=_id(here, "project_id", project_id),
            decision_snapshot_id=_id(here, "decision_snapshot_id", decision_snapshot_id),
            trade_date=_trade_date(here, trade_date),
            active_champion_id="",
            risk_checks={},
            target_exposure=target_exposure,
            market=_market(here, market),
            currency=_currency(here, currency),
        )


class _Written(msgspec.Struct, frozen=True):
    """The file as JSON has it. Numbers and checks stay raw: their text is read exactly, and a complaint can
    name the check.
    """

    trade_date: str
    active_champion_id: str
    risk_checks: dict[str, msgspec.Raw]
    target_exposure: msgspec.Raw
    schema_version: int = SCHEMA_VERSION
    strategy_id: str | msgspec.UnsetType = msgspec.UNSET
    project_id: str = "default"
    decision_snapshot_id: str | None = None
    market: str = ""
    currency: str = ""
    generated_at: str | None = None


def read_context(source: Path | bytes, name: str = "execution_context.json") -> Context:
    """The context in a file, or in bytes that a message calls `name`. Raises BadInput with one sentence."""
    file = read_source(source, name)
    text = _well_formed(file)
    written = _decoded(file, text, _Written, "")
    if written.schema_version != SCHEMA_VERSION:
        raise BadInput(
            f"{file.name}: schema_version was {written.schema_version}; expected {SCHEMA_VERSION},"
            " use a context of that version or a newer program"
        )
    context = Context(
        project_id=_id(file, "project_id", written.project_id),
        decision_snapshot_id=_id(file, "decision_snapshot_id", written.decision_snapshot_id or f"sha256-{file.sha256[:32]}"),
        trade_date=_trade_date(file, written.trade_date),
        active_champion_id=_id(file, "active_champion_id", written.active_champion_id),
        risk_checks=_risk_checks(file, written.risk_checks),
        target_exposure=_exposure(file, written.target_exposure),
        market=_market(file, written.market),
        currency=_currency(file, written.currency),
        generated_at=_generated_at(file, written.generated_at),
        schema_version=written.schema_version,
        sha256=file.sha256,
        strategy_id=_strategy(file, written.strategy_id),
    )
    _refuse_a_date_before_the_decision(file, context)
    return context


# --- JSON


def _well_formed(file: Source) -> bytes:
    """The file as UTF-8 without a byte order mark, once it is known to be one JSON object without repeated
    names.
    """

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        seen = dict(pairs)
        if len(seen) < len(pairs):
            names = [key for key, _ in pairs]
            twice = next(key for key in names if names.count(key) > 1)
            raise BadInput(f"{file.name}: {shown(twice)} stands twice in one object; expected each name once, keep one")
        return seen

    def constant(word: str) -> None:
        raise BadInput(f"{file.name}: holds the word {word}, which is not JSON; expected a number, correct it")

    if not file.raw.strip():
        raise BadInput(f"{file.name}: the file is empty; expected a JSON object with trade_date and risk_checks")
    try:
        text = file.raw.decode("utf-8-sig")
        # Numbers stay text: only their form is looked at here.
        document = json.loads(text, object_pairs_hook=once, parse_int=str, parse_float=str, parse_constant=constant)
    except UnicodeDecodeError as error:
        row = file.raw.count(b"\n", 0, error.start) + 1
        raise BadInput(f"{file.name}, row {row}: is not UTF-8; save it as UTF-8") from None
    except json.JSONDecodeError as error:
        raise BadInput(
            f"{file.name}, row {error.lineno}, column {error.colno}: is not complete JSON"
            f" ({error.msg[:1].lower()}{error.msg[1:].removesuffix(' starting at')}); write the file again"
        ) from None
    except RecursionError:
        raise BadInput(f"{file.name}: is nested too deeply; expected the object of a context, check which file it is") from None
    if not isinstance(document, dict):
        raise BadInput(f"{file.name}: is not a JSON object; expected one with trade_date and risk_checks")
    return text.encode()


def _decoded(file: Source, raw: bytes | msgspec.Raw, kind: type[_T], inside: str) -> _T:
    """`raw` as `kind`; the complaint names the field, below `inside` where that is a part of the file."""
    try:
        return msgspec.json.decode(raw, type=kind)
    except msgspec.ValidationError as error:
        raise BadInput(f"{file.name}: {_complaint(str(error), inside)}") from None
    except msgspec.DecodeError as error:
        raise BadInput(f"{file.name}: {inside or 'the file'} is not JSON ({error}); write the file again") from None


def _complaint(text: str, inside: str) -> str:
    """msgspec's complaint as our sentence: field, what was, what was expected, what to do."""
    said, _, path = text.partition(" - at `$")
    field = (inside + path.rstrip("`")).lstrip(".")
    if (missing := _MISSING.match(said)) is not None:
        whole = ".".join(part for part in (field, missing.group(1)) if part)
        return f"{whole} is missing; add it"
    if (wrong := _COMPLAINT.match(said)) is not None:
        expected = " or ".join(_WORDS.get(kind, kind) for kind in wrong.group(1).split(" | "))
        was = _WORDS.get(wrong.group(2) or "", wrong.group(2) or "something else")
        return f"{field or 'the file'} was {was}; expected {expected}, correct it"
    return f"{field or 'the file'} is not valid ({said[:1].lower()}{said[1:]}); correct it"


# --- fields


def strategy_named(text: str) -> str:
    """The name of a strategy as somebody types it. Raises BadInput for one that a file may not have either."""
    return _id(Source("the command", b""), "strategy", text)


def _strategy(file: Source, text: str | msgspec.UnsetType) -> str | msgspec.UnsetType:
    return text if isinstance(text, msgspec.UnsetType) else _id(file, "strategy_id", text)


def _id(file: Source, field: str, text: str) -> str:
    if not text.strip():
        raise BadInput(f"{file.name}: {field} is empty; expected an id, write it in")
    if len(text) > _ID_LENGTH_MAX or not text.isprintable() or looks_like_formula(text):
        raise BadInput(
            f"{file.name}: {field} was {shown(text)}; expected at most {_ID_LENGTH_MAX} printable characters"
            " that do not begin like a formula, correct it"
        )
    return text


def _trade_date(file: Source, text: str) -> TradingDay:
    try:
        if _ISO_DATE.fullmatch(text):
            return TradingDay(date.fromisoformat(text).isoformat())
    except ValueError:
        pass
    raise BadInput(f"{file.name}: trade_date was {shown(text)}; expected a date such as 2026-07-17, correct it")


def _risk_checks(file: Source, written: dict[str, msgspec.Raw]) -> dict[str, RiskCheck]:
    if not written:
        raise BadInput(
            f"{file.name}: risk_checks is empty; nothing has been checked, which is not a pass,"
            " run the checks of the decision and write them in"
        )
    checks = {}
    for name, raw in written.items():
        _id(file, "a name in risk_checks", name)
        check = _decoded(file, raw, RiskCheck, f"risk_checks.{name}")
        if len(check.detail) > _DETAIL_LENGTH_MAX:
            raise BadInput(
                f"{file.name}: risk_checks.{name}.detail has {len(check.detail)} characters;"
                f" expected at most {_DETAIL_LENGTH_MAX}, shorten it"
            )
        checks[name] = check
    return checks


def _exposure(file: Source, raw: msgspec.Raw) -> Decimal:
    written = bytes(raw).decode()
    text = written[1:-1] if written.startswith('"') else written
    try:
        exposure = exact(text, "target_exposure")
    except BadInput:
        exposure = Decimal(-1)
    if not ZERO <= exposure <= EXPOSURE_MAX:
        raise BadInput(
            f"{file.name}: target_exposure was {shown(text)}; expected a fraction of the equity"
            f" from 0 to {EXPOSURE_MAX} such as 0.95, correct it"
        )
    return exposure


def _market(file: Source, text: str) -> str:
    if text and text not in _ZONES:
        raise BadInput(f"{file.name}: market was {shown(text)}; expected one of {', '.join(_ZONES)}, correct it")
    return text


def _currency(file: Source, text: str) -> Currency:
    if text and not _CURRENCY.fullmatch(text):
        raise BadInput(f"{file.name}: currency was {shown(text)}; expected a code such as CNY, correct it")
    return Currency(text)


def _generated_at(file: Source, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise BadInput(
            f"{file.name}: generated_at was {shown(text)};"
            " expected a time with its zone such as 2026-07-16T07:30:00Z, correct it"
        )
    return at


def _refuse_a_date_before_the_decision(file: Source, context: Context) -> None:
    """A decision made after the day it is for is an old date or another day's context."""
    if context.generated_at is None:
        return
    zone = _ZONES.get(context.market, "UTC")
    try:
        made_on = context.generated_at.astimezone(ZoneInfo(zone)).date().isoformat()
    except OverflowError:
        raise BadInput(
            f"{file.name}: generated_at was {context.generated_at.isoformat()}; expected a time of our days, correct it"
        ) from None
    if context.trade_date < made_on:
        raise BadInput(
            f"{file.name}: trade_date was {context.trade_date}, before the decision was made"
            f" (generated_at is {made_on} in {zone}); use the date of the next session"
        )
