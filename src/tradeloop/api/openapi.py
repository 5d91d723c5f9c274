"""The document of the API, made from the table of routes: `python -m tradeloop.api.openapi` writes it.

docs/reference/openapi.json holds it, and a test fails where the two differ, so that a change that clients will meet is seen.
Every operation carries its policy as `x-policy`.
"""

from __future__ import annotations

import re
import sys
from typing import Any, Final

import msgspec

from tradeloop import __version__
from tradeloop.api.app import Manners, table_of
from tradeloop.api.identify import CSRF_HEADER, KEY_PREFIX, PLAIN_COOKIE
from tradeloop.api.metrics import MEDIA as METRICS_MEDIA
from tradeloop.api.metrics import Metrics
from tradeloop.api.policy import Entry, SocketEntry, Who
from tradeloop.api.problem import MEDIA
from tradeloop.api.runs import CONTEXT, PORTFOLIO
from tradeloop.api.socket_tickets import PROTOCOL, TICKET_PREFIX

_REF: Final = "#/components/schemas/{name}"
_PARAMETER: Final = re.compile(r"\{(\w+)(?::path)?\}")


class ProblemDocument(msgspec.Struct, frozen=True):
    """What went wrong (RFC 9457): `code` for programs, `detail` for people, `request_id` for whoever looks into the log."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    request_id: str


def document() -> dict[str, Any]:
    """The whole document, the same whenever it is made."""
    table = table_of(Metrics(), Manners())
    entries = table.entries
    kinds: list[Any] = [ProblemDocument]
    for entry in entries:
        kinds += [kind for kind in (entry.query, entry.body, entry.gives) if kind is not None]
    schemas, components = msgspec.json.schema_components(kinds, ref_template=_REF)
    of = dict(zip(map(str, kinds), schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for entry in entries:
        path = _PARAMETER.sub(r"{\1}", entry.path)
        paths.setdefault(path, {})[entry.method.lower()] = _operation(entry, of, components)
    for socket in table.sockets:
        paths.setdefault(socket.path, {})["get"] = _of_socket(socket)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Tradeloop", "version": __version__, "license": {"name": "MIT", "identifier": "MIT"}},
        "servers": [{"url": "http://127.0.0.1:8003"}],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(components.items())),
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": f"An API key, which begins with {KEY_PREFIX}."},
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": PLAIN_COOKIE,
                    "description": f"With {CSRF_HEADER.decode()} and an Origin of ours on what is not a GET.",
                },
            },
        },
    }


def rendered() -> bytes:
    """The document as the file has it."""
    return msgspec.json.format(msgspec.json.encode(document(), order="sorted"), indent=1) + b"\n"


def _operation(entry: Entry, of: dict[str, Any], components: dict[str, Any]) -> dict[str, Any]:
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in _PARAMETER.findall(entry.path)
    ]
    if entry.query is not None:
        parameters += _in_query(components[entry.query.__name__])
    if entry.keyed:
        about = "Makes a repeat harmless: the same key answers with what the first request made."
        schema = {"type": "string", "pattern": "^[!-~]{1,128}$"}
        parameters.append({"name": "Idempotency-Key", "in": "header", "description": about, "schema": schema})
    found: dict[str, Any] = {
        "operationId": f"{entry.tag}_{entry.handler.__name__}",
        "tags": [entry.tag],
        "summary": entry.summary,
        "parameters": parameters,
        "responses": {str(int(entry.status)): _answer(entry, of), "default": _problem()},
        "security": [] if entry.policy.who is Who.OPEN else [{"key": []}, {"session": []}],
        "x-policy": entry.policy.document(),
    }
    if entry.body is not None:
        content = {"application/json": {"schema": of[str(entry.body)]}}
        if entry.uploads:
            content["multipart/form-data"] = {"schema": _files()}
        found["requestBody"] = {"required": True, "content": content}
    return found


def _of_socket(entry: SocketEntry) -> dict[str, Any]:
    """A WebSocket as far as OpenAPI can say it: the request that opens it."""
    about = f"{PROTOCOL} and {TICKET_PREFIX} with the ticket behind it."
    subprotocols = {"name": "Sec-WebSocket-Protocol", "in": "header", "required": True, "description": about}
    return {
        "operationId": f"{entry.tag}_{entry.handler.__name__}",
        "tags": [entry.tag],
        "summary": entry.summary,
        "parameters": [{**subprotocols, "schema": {"type": "string"}}],
        "responses": {"101": {"description": "The frames of docs/reference/stream.md follow"}, "default": _problem()},
        "security": [],
        "x-policy": entry.policy.document(),
    }


def _in_query(schema: dict[str, Any]) -> list[dict[str, Any]]:
    needed = schema.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in needed, "schema": about}
        for name, about in schema["properties"].items()
    ]


def _answer(entry: Entry, of: dict[str, Any]) -> dict[str, Any]:
    if entry.files:
        binary = {"schema": {"type": "string", "format": "binary"}}
        return {"description": entry.summary, "content": dict.fromkeys(entry.files, binary)}
    if entry.gives is None:
        return {"description": entry.summary, "content": {METRICS_MEDIA.partition(";")[0]: {"schema": {"type": "string"}}}}
    return {"description": entry.summary, "content": {"application/json": {"schema": of[str(entry.gives)]}}}


def _problem() -> dict[str, Any]:
    schema = {"$ref": _REF.format(name=ProblemDocument.__name__)}
    return {"description": "What went wrong, and that nothing was done", "content": {MEDIA: {"schema": schema}}}


def _files() -> dict[str, Any]:
    binary, flag = {"type": "string", "format": "binary"}, {"type": "string", "enum": ["true", "false"]}
    fields = {PORTFOLIO: binary, CONTEXT: binary, "execute": flag, "hold": flag, "dry_run": flag, "mode": {"type": "string"}}
    return {"type": "object", "required": [PORTFOLIO], "properties": fields}


if __name__ == "__main__":
    sys.stdout.buffer.write(rendered())
