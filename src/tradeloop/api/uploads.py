"""Files that a browser sends: `multipart/form-data`, of a body that was read within its bound already."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from http import HTTPStatus

import msgspec
from starlette.datastructures import FormData, Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from tradeloop.api.call import Call
from tradeloop.api.problem import Problem

FILES_MAX = 4
FIELDS_MAX = 16
_NAME_MAX = 80


class Sent(msgspec.Struct, frozen=True):
    """What came: files as (bytes, name) and plain fields, by the name of the field."""

    files: dict[str, tuple[bytes, str]]
    fields: dict[str, str]


async def files_of(call: Call, files: set[str], fields: set[str]) -> Sent:
    """The files and fields of a request that may have these. Raises Problem."""

    async def stream() -> AsyncGenerator[bytes, None]:
        yield call.raw

    headers = Headers({"content-type": call.media})
    parser = MultiPartParser(headers, stream(), max_files=FILES_MAX, max_fields=FIELDS_MAX, max_part_size=max(1, len(call.raw)))
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError, UnicodeDecodeError) as error:
        said = error.message if isinstance(error, MultiPartException) else "it cannot be read"
        raise _malformed(f"the body was no multipart/form-data: {said}") from None
    try:
        return await _sent(form, files, fields)
    finally:
        await form.close()


async def _sent(form: FormData, files: set[str], fields: set[str]) -> Sent:
    found = Sent({}, {})
    for name, value in form.multi_items():
        if name in found.files or name in found.fields:
            raise _malformed(f"{name[:40]} was sent twice; keep one of them")
        if isinstance(value, UploadFile) and name in files:
            found.files[name] = (await value.read(), _called(value.filename, name))
        elif isinstance(value, str) and name in fields:
            found.fields[name] = value
        else:
            raise _malformed(f"{name[:40]} is nothing that is sent here; files are {', '.join(sorted(files))}")
    return found


def _called(given: str | None, name: str) -> str:
    """The name of a file for a message: the last part of it, in signs that are seen."""
    last = (given or "").replace("\\", "/").rpartition("/")[2][:_NAME_MAX]
    return last if last and last.isprintable() and last.isascii() else name


def _malformed(text: str) -> Problem:
    return Problem(HTTPStatus.BAD_REQUEST, "malformed", text)
