"""The files of the desk's page, as the build has made them: what a browser asks for that is no question to the desk.

They are read once, when the desk starts, and are the same for everybody: nothing in them is anybody's. A file under assets/ has
its content in its name and is kept for a year; the page itself is asked for anew each time. Every address of the page that is
no file is the page, which knows its own addresses (index for client routes).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Final

import msgspec

from tradeloop.core.errors import BadInput

INDEX: Final = "/index.html"
ASSETS: Final = "/assets/"
RESERVED: Final = ("/api/", "/health", "/metrics", "/ws")
"""Addresses that are never the page's."""

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self';"
    " connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""Nothing from elsewhere, no script that is not a file of ours, and in nobody's frame. Charts and overlays place themselves by
styles of their own, and no script comes by those.
"""

_MEDIA: Final = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
_YEAR: Final = b"public, max-age=31536000, immutable"
_ANEW: Final = b"no-cache"
_ZIPPED: Final = ".gz"


class PageFile(msgspec.Struct, frozen=True):
    """One file, as it is sent."""

    body: bytes
    zipped: bytes | None
    """The same, gzipped by the build."""
    media: bytes
    kept: bytes
    """The Cache-Control of it."""
    tag: bytes


class Reply(msgspec.Struct, frozen=True):
    """What is answered: for a HEAD, `size` is that of the body that is left away."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


class Page:
    """The page of a desk, out of the folder that the build wrote."""

    def __init__(self, files: Mapping[str, PageFile]) -> None:
        self._files = dict(files)
        if INDEX not in self._files:
            raise BadInput("the folder of the page has no index.html; build it again with `make web`")

    def answer(self, method: str, path: str, headers: Mapping[bytes, bytes]) -> Reply | None:
        """What a browser is given under this address; None where the address is not the page's to answer."""
        if method not in ("GET", "HEAD") or path.startswith(RESERVED):
            return None
        found = self._files.get(path)
        if found is None and not path.startswith(ASSETS) and b"text/html" in headers.get(b"accept", b""):
            found = self._files[INDEX]
        return None if found is None else _reply(found, headers, without_body=method == "HEAD")


def page_in(folder: Path) -> Page | None:
    """The page that was built into this folder; None where none was. Raises BadInput for one that is not whole."""
    if not folder.is_dir():
        return None
    found = {
        f"/{path.relative_to(folder).as_posix()}": _file(path, folder)
        for path in sorted(folder.rglob("*"))
        if path.suffix in _MEDIA and path.is_file()
    }
    return Page(found) if found else None


def _file(path: Path, folder: Path) -> PageFile:
    body = path.read_bytes()
    zipped = path.with_name(path.name + _ZIPPED)
    in_assets = f"/{path.relative_to(folder).as_posix()}".startswith(ASSETS)
    return PageFile(
        body=body,
        zipped=zipped.read_bytes() if zipped.is_file() else None,
        media=_MEDIA[path.suffix].encode(),
        kept=_YEAR if in_assets else _ANEW,
        tag=f'"{hashlib.sha256(body).hexdigest()[:24]}"'.encode(),
    )


def _reply(found: PageFile, headers: Mapping[bytes, bytes], *, without_body: bool) -> Reply:
    told = [
        (b"cache-control", found.kept),
        (b"content-security-policy", POLICY.encode()),
        (b"cross-origin-opener-policy", b"same-origin"),
        (b"etag", found.tag),
        (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
        (b"vary", b"accept-encoding"),
    ]
    if found.tag in headers.get(b"if-none-match", b""):
        return Reply(HTTPStatus.NOT_MODIFIED, told, b"")
    body = found.body
    if found.zipped is not None and b"gzip" in headers.get(b"accept-encoding", b""):
        body = found.zipped
        told.append((b"content-encoding", b"gzip"))
    told += [(b"content-type", found.media), (b"content-length", str(len(body)).encode())]
    return Reply(HTTPStatus.OK, told, b"" if without_body else body)
