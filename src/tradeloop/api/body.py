"""What is sent, read within bounds and decoded strictly: a number for an amount, an unknown field, or too much is refused.

Amounts are text (docs/adr/0005-decimals.md): a JSON number passes through a binary float in most programs that write one, and
would be another amount than was meant without anybody noticing.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from functools import lru_cache
from http import HTTPStatus
from typing import Any, Final, TypeVar

import msgspec
from starlette.types import Receive

from tradeloop.api.problem import Problem

READ_S: Final = 10.0
"""Seconds within which a body has to have come."""

QUERY_MAX: Final = 4_096

_S = TypeVar("_S", bound=msgspec.Struct)
_WANTED_TEXT: Final = re.compile(r"Expected `str(?: \| null)?`, got `(int|float|number)`")
_PATH: Final = re.compile(r" - at `\$\.?([^`]*)`")
_UNKNOWN: Final = re.compile(r"Object contains unknown field `([^`]+)`")
_CODES: Final = ("code", "second_factor")
_MISSING: Final = re.compile(r"Object missing required field `([^`]+)`")


class Gone(Exception):
    """The client went away before it had sent everything."""


async def read_body(receive: Receive, headers: Mapping[bytes, bytes], most: int) -> bytes:
    """The whole body. Raises Problem where it is larger, without reading the rest, or does not come; and Gone."""
    declared = headers.get(b"content-length", b"")
    if declared and (not declared.isdigit() or len(declared) > len(str(most)) or int(declared) > most):
        raise _too_large(most)
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(READ_S):
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    raise Gone
                part = message.get("body", b"")
                size += len(part)
                if size > most:
                    raise _too_large(most)
                parts.append(part)
                if not message.get("more_body", False):
                    return parts[0] if len(parts) == 1 else b"".join(parts)
    except TimeoutError:
        text = f"the body did not come within {READ_S:g} s; nothing was done, send it again"
        raise Problem(HTTPStatus.REQUEST_TIMEOUT, "body_late", text) from None


def decoded(raw: bytes, kind: type[_S], media: str) -> _S:
    """The body as `kind`. Raises Problem with one sentence."""
    refuse_media(media, "application/json")
    if not raw.strip():
        raise _malformed("the body was empty; expected a JSON object")
    try:
        found: _S = _decoder(kind).decode(raw)
        _refuse_twice(raw)
    except msgspec.ValidationError as error:
        raise _malformed(_sentence(str(error), kind)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        text = "is nested too deeply" if isinstance(error, RecursionError) else f"is no JSON ({error})"
        raise _malformed(f"the body {text}; expected one JSON object in UTF-8") from None
    return found


def _refuse_twice(raw: bytes) -> None:
    """Raise Problem where a field stands twice: which of the two was meant nobody knows."""
    json.loads(raw, object_pairs_hook=_once, parse_float=str, parse_int=str)


def _once(pairs: list[tuple[str, Any]]) -> None:
    if len(pairs) > 1 and len({name for name, _ in pairs}) < len(pairs):
        twice = next(name for place, (name, _) in enumerate(pairs) if name in {before for before, _ in pairs[:place]})
        raise _malformed(f"{twice[:60]} stands twice in one object of the body; keep one of them")


def queried(raw: bytes, kind: type[_S] | None) -> _S | None:
    """The query of the address as `kind`; each name once, none unknown. Raises Problem."""
    if kind is None:
        if raw:
            raise _malformed("this address takes no query; leave away what follows the question mark")
        return None
    found: dict[str, str] = {}
    for name, value in _pairs(raw):
        if "\0" in value:
            raise _malformed(f"{name[:40]} holds a NUL; leave it away")
        if name in found:
            raise _malformed(f"{name[:40]} stands twice in the query; keep one of them")
        found[name] = value
    try:
        return msgspec.convert(found, kind, strict=False)
    except msgspec.ValidationError as error:
        raise _malformed(_sentence(str(error), kind)) from None


def refuse_media(media: str, *wanted: str) -> str:
    """The kind of the content, where it is one of these. Raises Problem."""
    kind = media.partition(";")[0].strip().lower()
    if kind not in wanted:
        text = f"the content type was {media[:60]!r}; expected {' or '.join(wanted)}"
        raise Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "media_type", text)
    return kind


def _pairs(raw: bytes) -> list[tuple[str, str]]:
    from urllib.parse import parse_qsl

    if len(raw) > QUERY_MAX:
        raise _malformed(f"the query had {len(raw)} characters; expected at most {QUERY_MAX}")
    try:
        return parse_qsl(
            raw.decode("ascii"), keep_blank_values=True, strict_parsing=bool(raw), errors="strict", max_num_fields=50
        )
    except ValueError:
        raise _malformed("the query is not one; expected name=value with & between, escaped as UTF-8") from None


@lru_cache(maxsize=128)
def _decoder(kind: type[_S]) -> msgspec.json.Decoder[_S]:
    return msgspec.json.Decoder(kind)


def _sentence(said: str, kind: type[msgspec.Struct]) -> str:
    """The complaint of msgspec as ours: the field, what was, what was expected."""
    where = _PATH.search(said)
    field = where.group(1) if where is not None else "the body"
    if (unknown := _UNKNOWN.search(said)) is not None:
        known = ", ".join(kind.__struct_fields__)
        inside = f" of {field}" if where is not None else f"; known are {known}"
        return f"{unknown.group(1)[:60]} is no field{inside}"
    if (missing := _MISSING.search(said)) is not None:
        return f"{missing.group(1)} is missing" + (f" in {field}" if where is not None else "")
    if _WANTED_TEXT.search(said) is not None:
        if field.rpartition(".")[2] in _CODES:
            return f"{field} was a JSON number; expected text, because a code may begin with zeros"
        return (
            f'{field} was a JSON number; expected text such as "0.1", because amounts are exact and many programs read a JSON'
            " number as a binary one"
        )
    plain = _PATH.sub("", said).replace("`", "")
    return f"{field}: {plain[:1].lower()}{plain[1:]}"


def _malformed(text: str) -> Problem:
    return Problem(HTTPStatus.BAD_REQUEST, "malformed", text)


def _too_large(most: int) -> Problem:
    text = f"the body is larger than {most} bytes; nothing was read of it beyond that"
    return Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large", text)


def as_json(document: Any) -> bytes:
    """A document as bytes."""
    return _ENCODER.encode(document)


_ENCODER: Final = msgspec.json.Encoder()
