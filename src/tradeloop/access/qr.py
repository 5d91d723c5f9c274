"""A text as a QR code: what an authenticator app reads from a page or a terminal. It is as secret as the text."""

from __future__ import annotations

import io

import segno
from pydantic import SecretStr


def as_svg(text: SecretStr) -> SecretStr:
    """An SVG element to be put into a page as it is; without a fixed size, it fills its place."""
    out = io.BytesIO()
    _code(text).save(out, kind="svg", xmldecl=False, svgns=True, omitsize=True, nl=False, title="QR")
    return SecretStr(out.getvalue().decode())


def as_lines(text: SecretStr) -> SecretStr:
    """Lines for a terminal, dark on light whatever its colours are."""
    out = io.StringIO()
    _code(text).terminal(out, compact=True)
    return SecretStr(out.getvalue())


def _code(text: SecretStr) -> segno.QRCode:
    return segno.make_qr(text.get_secret_value(), error="m")
