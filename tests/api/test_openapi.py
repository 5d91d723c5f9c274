"""The document of the API: what is committed is what is served, and every route says who may use it."""

from __future__ import annotations

import re

import msgspec
from tests.tidy.tree import ROOT

from tradeloop.api import problem
from tradeloop.api.openapi import document, rendered
from tradeloop.core import errors

COMMITTED = ROOT / "docs" / "reference" / "openapi.json"


def test_the_committed_document_is_the_one_that_is_served() -> None:
    assert COMMITTED.read_bytes() == rendered(), "write it anew: python -m tradeloop.api.openapi > docs/reference/openapi.json"


def test_every_operation_says_who_may_use_it() -> None:
    operations = [each for path in document()["paths"].values() for each in path.values()]
    assert all({"who", "safe", "rate"} <= set(each["x-policy"]) for each in operations)
    assert len({each["operationId"] for each in operations}) == len(operations)


def test_every_reference_leads_somewhere() -> None:
    text = rendered().decode()
    named = set(re.findall(r'"#/components/schemas/([^"]+)"', text))
    assert named <= set(document()["components"]["schemas"])


def test_no_amount_is_a_number() -> None:
    """Counts and cursors are; what is money, price or quantity is text."""
    wrong = []
    for name, schema in document()["components"]["schemas"].items():
        for field, about in schema.get("properties", {}).items():
            kinds = {each.get("type") for each in (about, *about.get("anyOf", []))}
            if "number" in kinds or ("integer" in kinds and re.search(r"qty|quantity|price|amount|px|value|cash", field)):
                wrong.append(f"{name}.{field}")
    assert wrong == []


def test_every_error_of_the_product_has_a_status() -> None:
    kinds = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, errors.TradeloopError)]
    for kind in kinds:
        if kind is not errors.TradeloopError:
            assert any(each in problem.TABLE for each in kind.__mro__), kind


def test_the_reference_names_every_code_of_the_table() -> None:
    text = (ROOT / "docs" / "reference" / "api.md").read_text(encoding="utf-8")
    missing = [code for _, code in problem.TABLE.values() if f"`{code}`" not in text]
    assert missing == []


def test_the_source_documents_routes_are_served_as_written() -> None:
    """S0-41..45, S3-23..38: by method and path."""
    paths = document()["paths"]
    wanted = {
        "post /api/trade/runs",
        "get /api/trade/runs/{run_id}",
        "post /api/trade/runs/{run_id}/execute",
        "get /api/trade/orders",
        "post /api/v1/orders",
        "get /api/v1/orders",
        "get /api/v1/orders/{order_id}",
        "post /api/v1/orders/{order_id}/cancel",
        "get /api/v1/orders/{order_id}/twap-progress",
        "get /api/v1/orders/{order_id}/iceberg-progress",
        "get /api/v1/orders/statistics",
        "get /api/v1/orders/queue/status",
        "get /api/v1/positions",
        "get /api/v1/positions/{strategy_id}/{exchange}/{symbol}",
        "post /api/v1/positions/sync/{exchange}",
        "get /health",
        "get /metrics",
    }
    served = {f"{method} {path}" for path, operations in paths.items() for method in operations}
    assert wanted <= served
    assert msgspec.json.decode(COMMITTED.read_bytes())["paths"].keys() == paths.keys()


def test_the_table_of_the_reference_names_routes_that_there_are() -> None:
    """Each route of its first column, as far as it is written out."""
    text = (ROOT / "docs" / "reference" / "api.md").read_text(encoding="utf-8")
    table = text.split("## Which statement each route answers")[1].split("## What goes wrong")[0]
    served = {f"{method.upper()} {path}" for path, operations in document()["paths"].items() for method in operations}
    named = re.findall(r"`((?:GET|POST|PUT|PATCH|DELETE) [^`]+)`", table)
    assert len(named) > 30
    assert [each for each in named if each not in served] == []
