"""The sources of the page: types as the API has them, packages that may be passed on, a lock that names nobody's registry."""

from __future__ import annotations

import gzip
import importlib.util
import json
import re
from types import ModuleType
from typing import Any

import pytest
from tests.tidy.tree import ROOT

from tradeloop.bootstrap.web import BUILT_PAGE

WEB = ROOT / "web"
SHIPPED = {"0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT"}
"""Licences of what is inside the page; MIT alone or with one of these."""
SHELL_MAX = 170 * 1024
CHART_MAX = 250 * 1024


def locked() -> dict[str, Any]:
    """The packages of the lock, by where they are."""
    packages: dict[str, Any] = json.loads(WEB.joinpath("package-lock.json").read_text(encoding="utf-8"))["packages"]
    return {where: each for where, each in packages.items() if where}


def script(name: str) -> ModuleType:
    """A script of the folder, which is no package."""
    spec = importlib.util.spec_from_file_location(name, WEB / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def zipped(name: str) -> int:
    """The size of a built file as it travels."""
    return len(gzip.compress(BUILT_PAGE.joinpath(name).read_bytes(), 9))


def built() -> str:
    """The built page; the test is skipped where there is none."""
    if not BUILT_PAGE.joinpath("index.html").is_file():
        pytest.skip("the page of the desk is not built: make web")
    return BUILT_PAGE.joinpath("index.html").read_text(encoding="utf-8")


def test_the_types_are_those_of_the_document_of_the_api() -> None:
    types = script("types_of_api")
    document = json.loads(types.DOCUMENT.read_text(encoding="utf-8"))
    assert types.WRITTEN.read_text(encoding="utf-8") == types.types_of(document), "run python web/types_of_api.py"


def test_the_lock_names_no_registry() -> None:
    text = WEB.joinpath("package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in text
    assert "registry" not in text


def test_every_package_of_the_lock_has_its_checksum() -> None:
    missing = [where for where, each in locked().items() if "integrity" not in each and not each.get("inBundle")]
    assert missing == []


def test_what_is_shipped_may_be_passed_on() -> None:
    odd = {
        where: each.get("license")
        for where, each in locked().items()
        if not each.get("dev") and each.get("license") not in SHIPPED
    }
    assert odd == {}


def test_the_shell_is_small_and_charts_come_when_they_are_looked_at() -> None:
    page = built()
    shell = re.findall(r'(?:src|href)="/(assets/[^"]+)"', page)
    assert sum(zipped(name) for name in shell) <= SHELL_MAX
    charts = [path.name for path in BUILT_PAGE.joinpath("assets").glob("*_chart-*.js")]
    assert len(charts) == 2
    assert not any(name in page for name in charts)
    assert sum(zipped(f"assets/{name}") for name in charts) <= CHART_MAX


def test_what_is_built_is_made_for_use_and_not_for_its_builders() -> None:
    built()
    scripts = [path.read_text(encoding="utf-8") for path in BUILT_PAGE.joinpath("assets").glob("*.js")]
    assert scripts
    assert not any("jsxDEV" in text for text in scripts)


def test_nothing_in_the_page_comes_from_elsewhere() -> None:
    page = built()
    assert re.findall(r'(?:src|href)="(?!/)[^"]*"', page) == []
    assert "<script>" not in page
