"""The files of the page: what is kept for a year, what is asked for anew, and which addresses are never theirs."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from tests.tidy.tree import plant

from tradeloop.api.page import POLICY, Page, Reply, page_in
from tradeloop.core.errors import BadInput

BROWSER = {b"accept": b"text/html,*/*;q=0.8", b"accept-encoding": b"gzip, br"}
SCRIPT = "/assets/index-Abc123.js"


def a_page(folder: Path) -> Page:
    """A page of three files, one of them zipped."""
    plant(folder, "index.html", "<title>the desk</title>")
    plant(folder, "mark.svg", "<svg/>")
    plant(folder, SCRIPT[1:], "say('hello')")
    folder.joinpath(f"{SCRIPT[1:]}.gz").write_bytes(gzip.compress(b"say('hello')", mtime=0))
    found = page_in(folder)
    assert found is not None
    return found


def asked(page: Page, path: str, method: str = "GET", **headers: str) -> Reply | None:
    """What a browser is given."""
    return page.answer(
        method, path, BROWSER | {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}
    )


def header(reply: Reply | None, name: bytes) -> bytes:
    """One header of an answer."""
    assert reply is not None
    return dict(reply.headers).get(name, b"")


def test_a_file_with_its_content_in_its_name_is_kept_for_a_year_and_the_page_is_not(tmp_path: Path) -> None:
    page = a_page(tmp_path)
    assert header(asked(page, SCRIPT), b"cache-control") == b"public, max-age=31536000, immutable"
    assert header(asked(page, "/index.html"), b"cache-control") == b"no-cache"


@pytest.mark.parametrize("path", ["/", "/orders", "/runs/20131008-82a138f693-1", "/set-up"])
def test_an_address_of_the_page_is_the_page(tmp_path: Path, path: str) -> None:
    reply = asked(a_page(tmp_path), path)
    assert reply is not None
    assert reply.body == b"<title>the desk</title>"


@pytest.mark.parametrize("path", ["/api/v1/orders", "/api/nothing", "/health", "/metrics", "/ws", "/assets/gone-1.js"])
def test_an_address_of_the_api_or_of_a_file_that_is_gone_is_not(tmp_path: Path, path: str) -> None:
    assert asked(a_page(tmp_path), path) is None


def test_a_program_that_mistypes_an_address_is_given_no_page(tmp_path: Path) -> None:
    assert asked(a_page(tmp_path), "/apo/v1/orders", accept="application/json") is None


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_nothing_but_a_look_is_answered(tmp_path: Path, method: str) -> None:
    assert asked(a_page(tmp_path), "/", method) is None


@pytest.mark.parametrize("path", ["/../index.html", "/assets/../../pyproject.toml", "/%2e%2e/x", "//etc/passwd"])
def test_no_address_leads_out_of_the_folder(tmp_path: Path, path: str) -> None:
    plant(tmp_path, "pyproject.toml", "outside")
    assert asked(a_page(tmp_path / "web"), path, accept="*/*") is None


def test_no_script_but_a_file_of_ours_runs(tmp_path: Path) -> None:
    assert header(asked(a_page(tmp_path), "/"), b"content-security-policy") == POLICY.encode()
    assert "script-src 'self';" in POLICY
    assert "frame-ancestors 'none'" in POLICY


def test_what_is_zipped_is_sent_so_to_who_can_read_it(tmp_path: Path) -> None:
    page = a_page(tmp_path)
    zipped, plain = asked(page, SCRIPT), asked(page, SCRIPT, accept_encoding="identity")
    assert zipped is not None
    assert plain is not None
    assert header(zipped, b"content-encoding") == b"gzip"
    assert gzip.decompress(zipped.body) == plain.body == b"say('hello')"


def test_what_the_browser_has_is_not_sent_again(tmp_path: Path) -> None:
    page = a_page(tmp_path)
    tag = header(asked(page, "/"), b"etag").decode()
    again = asked(page, "/", if_none_match=tag)
    assert again is not None
    assert (again.status, again.body) == (304, b"")


def test_a_head_has_the_headers_alone(tmp_path: Path) -> None:
    reply = asked(a_page(tmp_path), "/", "HEAD")
    assert reply is not None
    assert reply.body == b""
    assert header(reply, b"content-length") == b"23"


def test_without_a_build_there_is_no_page_and_half_a_build_is_refused(tmp_path: Path) -> None:
    assert page_in(tmp_path / "nothing") is None
    plant(tmp_path, "assets/index-1.js", "say()")
    with pytest.raises(BadInput, match=r"no index\.html"):
        page_in(tmp_path)
