"""Writes src/api/types.ts out of docs/reference/openapi.json: what the desk says, as TypeScript.

`python web/types_of_api.py` writes it; a test fails while it is not what the document says.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

WEB: Final = Path(__file__).resolve().parent
DOCUMENT: Final = WEB.parent / "docs" / "reference" / "openapi.json"
WRITTEN: Final = WEB / "src" / "api" / "types.ts"
HEAD: Final = "// Written by web/types_of_api.py out of docs/reference/openapi.json; not to be changed by hand.\n"
_PLAIN: Final = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}


def types_of(document: dict[str, Any]) -> str:
    """Every schema of the document as an interface."""
    schemas = document["components"]["schemas"]
    return HEAD + "".join(_interface(name, schemas[name]) for name in sorted(schemas))


def _interface(name: str, schema: dict[str, Any]) -> str:
    needed = set(schema.get("required", ()))
    fields = "".join(
        f"  {json.dumps(field)}{'' if field in needed else '?'}: {_type(each)};\n"
        for field, each in schema.get("properties", {}).items()
    )
    return f"\nexport interface {name} {{\n{fields}}}\n"


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " | ".join(_type(each) for each in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(json.dumps(each) for each in schema["enum"])
    kind = schema.get("type")
    if kind == "array":
        inner = _type(schema.get("items") or {})
        return f"({inner})[]" if "|" in inner else f"{inner}[]"
    if kind == "object":
        more = schema.get("additionalProperties")
        return f"Record<string, {_type(more) if isinstance(more, dict) else 'unknown'}>"
    return _PLAIN.get(str(kind), "unknown")


if __name__ == "__main__":
    WRITTEN.write_text(types_of(json.loads(DOCUMENT.read_text(encoding="utf-8"))), encoding="utf-8")
