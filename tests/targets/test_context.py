"""execution_context.json: read strictly, or refused with one sentence that names file, field and remedy."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tradeloop.core.errors import BadInput
from tradeloop.targets.context import Context, read_context

FILES = Path(__file__).parent / "files"
GOOD = (FILES / "good" / "execution_context.json").read_bytes()


def read(raw: bytes) -> Context:
    return read_context(raw, "c.json")


def changed(**fields: object) -> bytes:
    document = json.loads(GOOD)
    for name, value in fields.items():
        if value is ...:
            del document[name]
        else:
            document[name] = value
    return json.dumps(document).encode()


def refusal(raw: bytes) -> str:
    with pytest.raises(BadInput) as caught:
        read(raw)
    said = str(caught.value)
    assert said.startswith("c.json")
    assert "\n" not in said
    return said


def test_a_context_is_its_fields() -> None:
    """S1-27, S1-28, S1-29, S1-30."""
    context = read_context(FILES / "good" / "execution_context.json")

    assert context.project_id == "demo-ashare-alpha"
    assert context.decision_snapshot_id == "snap-20260716T073000Z-4f2c"
    assert (context.trade_date, context.active_champion_id) == ("2026-07-17", "champion-2026w29-07")
    assert (context.market, context.currency) == ("CN_A", "CNY")
    assert context.target_exposure == Decimal("0.95")
    assert len(context.risk_checks) == 7
    assert set(context.passed.values()) == {True}
    assert context.risk_checks["turnover"].detail == "one-way turnover 0.18 <= 0.40"


def test_the_four_fields_of_the_source_document_are_enough() -> None:
    """S1-27..30."""
    raw = json.dumps(
        {
            "trade_date": "2026-07-17",
            "active_champion_id": "c1",
            "risk_checks": {"a": {"passed": True}},
            "target_exposure": 0.95,
        }
    ).encode()

    context = read(raw)

    assert context.decision_snapshot_id == f"sha256-{context.sha256[:32]}"
    assert read(raw).decision_snapshot_id == context.decision_snapshot_id
    assert (context.project_id, context.market, context.generated_at) == ("default", "", None)


def test_a_check_that_failed_is_read_as_it_is() -> None:
    """Refusing it is the core's work, where it is journalled (S0-56)."""
    context = read_context(FILES / "bad" / "context_failed_risk_check.json")

    assert [name for name, passed in context.passed.items() if not passed] == ["st_exposure"]


def test_a_byte_order_mark_and_unknown_fields_do_not_matter() -> None:
    assert read(b"\xef\xbb\xbf" + changed(note={"any": [1]})).project_id == "demo-ashare-alpha"


def test_an_exposure_is_exact_as_a_number_and_as_text() -> None:
    assert read(changed(target_exposure="0.1")).target_exposure == Decimal("0.1")
    assert read(GOOD.replace(b"0.95,", b"0.123456789012,")).target_exposure == Decimal("0.123456789012")


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "c.json: the file is empty"),
        (b"  \n", "the file is empty"),
        (b"[1]", "is not a JSON object"),
        (b'{"a": 1,}', "row 1, column"),
        (b'{"a": NaN}', "holds the word NaN"),
        (b'{"a": "\xff"}', "row 1: is not UTF-8"),
        (b'{"a": 1, "a": 2}', "'a' stands twice in one object"),
        (b"[" * 100_000, "is nested too deeply"),
        (b'{"a": ' + b"[" * 20_000 + b"]" * 20_000 + b"}", "is nested too deeply"),
        (changed(trade_date=...), "c.json: trade_date is missing; add it"),
        (changed(risk_checks=...), "c.json: risk_checks is missing; add it"),
        (changed(target_exposure=...), "target_exposure is missing"),
        (changed(active_champion_id=None), "active_champion_id was null; expected text, correct it"),
        (changed(active_champion_id=" "), "active_champion_id is empty"),
        (changed(project_id="=cmd()"), "project_id was '=cmd()'; expected at most 64 printable"),
        (changed(project_id="a\nb"), "project_id was 'a\\nb'"),
        (changed(decision_snapshot_id="x" * 65), "expected at most 64 printable"),
        (changed(trade_date=20260717), "trade_date was a whole number; expected text"),
        (changed(trade_date="20260717"), "trade_date was '20260717'; expected a date such as 2026-07-17"),
        (changed(trade_date="2026-02-30"), "trade_date was '2026-02-30'"),
        (changed(risk_checks={}), "nothing has been checked, which is not a pass"),
        (changed(risk_checks=[]), "risk_checks was a list; expected an object"),
        (changed(risk_checks={"a": True}), "risk_checks.a was true or false; expected an object"),
        (changed(risk_checks={"a": {}}), "risk_checks.a.passed is missing"),
        (changed(risk_checks={"a": {"passed": 1}}), "risk_checks.a.passed was a whole number;"),
        (changed(risk_checks={"a": {"passed": None}}), "risk_checks.a.passed was null; expected true or"),
        (changed(risk_checks={"a": {"passed": True, "detail": "d" * 501}}), "expected at most 500"),
        (changed(target_exposure=None), "target_exposure was 'null'; expected a fraction"),
        (changed(target_exposure=95), "target_exposure was '95'; expected a fraction of the equity"),
        (changed(target_exposure=-0.5), "target_exposure was '-0.5'"),
        (GOOD.replace(b"0.95,", b"1e400,"), "target_exposure was '1e400'"),
        (GOOD.replace(b"0.95,", b"0." + b"1" * 60 + b","), "target_exposure was '0.1111"),
        (GOOD.replace(b"0.95,", b"9" * 5000 + b","), "target_exposure was '9999"),
        (changed(schema_version=2), "schema_version was 2; expected 1"),
        (changed(market="MARS"), "market was 'MARS'; expected one of CN_A"),
        (changed(currency="yuan!"), "currency was 'yuan!'"),
        (changed(generated_at="2026-07-16 07:30"), "expected a time with its zone"),
        (changed(generated_at="yesterday"), "generated_at was 'yesterday'"),
        (changed(generated_at="9999-12-31T23:59:59-12:00"), "expected a time of our days"),
    ],
)
def test_a_context_that_can_not_be_meant_is_refused(raw: bytes, words: str) -> None:
    assert words in refusal(raw)


def test_a_truncated_file_names_the_place() -> None:
    said = refusal((FILES / "bad" / "context_truncated.json").read_bytes())

    assert said == "c.json, row 13, column 17: is not complete JSON (unterminated string); write the file again"


def test_a_trade_date_before_the_decision_is_refused_in_the_clock_of_the_market() -> None:
    late_evening = "2026-07-16T17:30:00Z"  # already the 17th in Shanghai, still the 16th in New York

    assert read(changed(trade_date="2026-07-16", market="US", generated_at=late_evening)).market == "US"
    assert "before the decision was made (generated_at is 2026-07-17 in Asia/Shanghai)" in refusal(
        changed(trade_date="2026-07-16", generated_at=late_evening)
    )


def test_a_person_without_a_decision_file_names_the_day_and_a_snapshot() -> None:
    context = Context.manual(trade_date="2026-07-17", decision_snapshot_id="sha256-ab", currency="USD")

    assert (context.project_id, context.passed, context.target_exposure) == ("manual", {}, None)
    with pytest.raises(BadInput, match="the command: trade_date was 'today'"):
        Context.manual(trade_date="today", decision_snapshot_id="x")


# --- fuzz

# The machine may be busy: how long an example takes is not what these tests are about.
CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@CALM
@given(st.binary(max_size=200))
def test_fuzz_any_bytes_are_read_or_refused(raw: bytes) -> None:
    read_or_refuse(raw)


@CALM
@given(st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.binary(max_size=3)), max_size=4))
def test_fuzz_a_damaged_context_is_read_or_refused(damage: list[tuple[int, bytes]]) -> None:
    raw = bytearray(GOOD)
    for place, piece in damage:
        raw[place : place + len(piece)] = piece
    read_or_refuse(bytes(raw))


TEXT = st.text('ab=+-@.\n"\\0\u6743\ud800', max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
FIELDS = st.sampled_from([*json.loads(GOOD), "unknown"])


@CALM
@given(st.dictionaries(FIELDS, JSON, max_size=3))
def test_fuzz_any_values_are_read_or_refused(fields: dict[str, object]) -> None:
    read_or_refuse(changed(**fields))


def read_or_refuse(raw: bytes) -> None:
    """Whatever else than BadInput comes out of this is the failure."""
    try:
        context = read(raw)
    except BadInput as error:
        said = str(error)
        assert said.startswith("c.json")
        assert "\n" not in said
        assert len(said) < 600
    else:
        assert context.risk_checks
        assert context.active_champion_id.strip()
