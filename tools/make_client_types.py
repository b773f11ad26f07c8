"""Writes the JavaScript client's types from the API's OpenAPI document: `python -m tools.make_client_types`.

The result, `web/static/js/client/schema.d.ts`, is committed; `tests/clients/js/test_types.py` compares it.
"""

import json
import re
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from api.app import create_app
from api.openapi import build
from riffusion import errors
from riffusion.settings import Settings

Json = dict[str, Any]
WRITTEN = Path(__file__).parents[1] / "web/static/js/client/schema.d.ts"
# What the client sends and receives; whatever these refer to is written as well.
ROOTS = (
    "Request",
    "Job",
    "JobPage",
    "Batch",
    "BatchResult",
    "UploadedFile",
    "UploadPage",
    "ModelEntry",
    "SeedPicture",
    "Share",
    "FieldProblem",
)
_HEAD = """\
/** The bodies of the API. Written by tools/make_client_types.py from its OpenAPI document: don't edit. */

"""
_PLAIN = {"string": "string", "number": "number", "integer": "number", "boolean": "boolean", "null": "null"}


def document() -> Json:
    """The API's OpenAPI document; nothing that it is built from needs a server."""
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(Settings(data_dir=Path(folder)))
        with app.app_context():
            return build(app)


def declarations(api: Json) -> str:
    """The text of the module of types."""
    schemas: Json = api["components"]["schemas"]
    wanted = list(ROOTS)
    for name in wanted:  # grows meanwhile
        wanted += dict.fromkeys(found for found in _references(schemas[name]) if found not in wanted)
    text = [_declaration(name, schemas[name]) for name in sorted(wanted)]
    codes = _union(json.dumps(code) for code in sorted(_codes(api)))
    return _HEAD + "\n".join([*text, f"/** Of a problem, or of a job that failed. */\nexport type Code = {codes};\n"])


def _codes(api: Json) -> set[str]:
    """Of every problem that an operation names, and of this project's own errors, with which jobs may end."""
    replies = (reply for path in api["paths"].values() for each in path.values() for reply in each["responses"].items())
    refusals = (reply["description"] for status, reply in replies if status >= "4")
    return {code for text in refusals for code in re.findall(r"`(\w+)`", text)} | set(errors.CODES)


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, list):
        for each in schema:
            yield from _references(each)
    elif isinstance(schema, dict):
        if isinstance(schema.get("$ref"), str):
            yield _name(schema["$ref"])
        yield from _references(list(schema.values()))


def _name(reference: str) -> str:
    return reference.rpartition("/")[2]


def _declaration(name: str, schema: Json) -> str:
    if "properties" not in schema:
        return f"{_comment(schema, '')}export type {name} = {_type(schema)};\n"
    fields = "".join(_field(field, each, schema) for field, each in schema["properties"].items())
    return f"{_comment(schema, '')}export interface {name} {{\n{fields}}}\n"


def _field(name: str, schema: Json, owner: Json) -> str:
    mark = "" if name in owner.get("required", []) else "?"
    return f"{_comment(schema, '  ')}  {name}{mark}: {_type(schema)};\n"


def _comment(schema: Json, indent: str) -> str:
    """What a field means, in its own first paragraph or that of the one type it may have; and its default."""
    described = [schema, *schema.get("anyOf", [])]
    parts = next(([each["description"].partition("\n\n")[0]] for each in described if "description" in each), [])
    if schema.get("default") not in (None, schema.get("const")):
        parts.append(f"@default {json.dumps(schema['default'])}")
    text = " ".join(" ".join(parts).split()).replace("*/", "* /")
    return f"{indent}/** {text} */\n" if parts else ""


def _type(schema: Json) -> str:
    """A schema in TypeScript, of the kinds that pydantic writes."""
    if "$ref" in schema:
        return _name(schema["$ref"])
    if "const" in schema or "enum" in schema:
        return _union(map(json.dumps, schema.get("enum", [schema.get("const")])))
    if "anyOf" in schema or "oneOf" in schema:
        return _union(map(_type, [*schema.get("anyOf", []), *schema.get("oneOf", [])]))
    if schema.get("type") == "array":
        return _array(schema)
    if schema.get("type") == "object":
        return f"Record<string, {_values(schema)}>"
    return _PLAIN.get(schema.get("type", ""), "unknown")


def _array(schema: Json) -> str:
    if "prefixItems" in schema:
        return f"[{', '.join(map(_type, schema['prefixItems']))}]"
    item = _type(schema["items"])
    return f"({item})[]" if " | " in item else f"{item}[]"


def _values(schema: Json) -> str:
    patterns = [*schema.get("patternProperties", {}).values()]
    more = schema.get("additionalProperties")
    return _union(map(_type, patterns + ([more] if isinstance(more, dict) else []))) or "unknown"


def _union(types: Iterable[str]) -> str:
    return " | ".join(dict.fromkeys(types))


if __name__ == "__main__":
    WRITTEN.write_text(declarations(document()))
