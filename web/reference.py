"""The OpenAPI document as the page `/docs` shows it: groups of operations, and the schemas that they use."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup, escape

Json = Mapping[str, Any]

# The groups of the page, in its order, by tag. Other tags are groups of their own, in front of the last two.
TITLES = {
    "jobs": "Jobs",
    "batches": "Batches",
    "uploads": "Uploads",
    "clips": "Published clips",
    "gallery.json": "Published clips",
    "oembed": "Published clips",
    "files": "Files",
    "models": "Models and seed images",
    "seeds": "Models and seed images",
    "openapi.json": "The server",
    "healthz": "The server",
    "readyz": "The server",
    "metrics": "The server",
    "admin": "For operators",
}
LAST = ("The server", "For operators")
_BOUNDS = (
    ("minimum", "at least {}"), ("exclusiveMinimum", "more than {}"), ("maximum", "at most {}"),
    ("exclusiveMaximum", "less than {}"), ("multipleOf", "a multiple of {}"), ("minLength", "at least {} characters"),
    ("maxLength", "at most {} characters"), ("minItems", "at least {} items"), ("maxItems", "at most {} items"),
    ("maxProperties", "at most {} entries"), ("pattern", "matches {}"),
)  # fmt: skip


@dataclass(frozen=True)
class Field:
    """A parameter, or a property of a schema."""

    name: str
    required: bool
    type: Markup
    rules: Markup
    """Bounds and default, in words."""
    description: Markup
    place: str = ""
    """`path`, `query` or `header`, of a parameter."""


@dataclass(frozen=True)
class Content:
    """One media type of a body."""

    media_type: str
    type: Markup


@dataclass(frozen=True)
class Response:
    """What a status means."""

    status: str
    description: Markup
    headers: tuple[str, ...]
    content: tuple[Content, ...]


@dataclass(frozen=True)
class Operation:
    """A method of a path."""

    id: str
    method: str
    path: str
    summary: str
    description: Markup
    parameters: tuple[Field, ...]
    body: tuple[Content, ...]
    responses: tuple[Response, ...]
    takes_key: bool
    needs_key: bool
    sample: str
    """A JSON body to begin with; "" where none is sent."""


@dataclass(frozen=True)
class Group:
    """Operations of one kind."""

    title: str
    operations: tuple[Operation, ...]


@dataclass(frozen=True)
class Schema:
    """A named type."""

    name: str
    description: Markup
    type: Markup
    """In words; for one without fields."""
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class Reference:
    """All that the page shows."""

    version: str
    url: str
    groups: tuple[Group, ...]
    schemas: tuple[Schema, ...]

    @classmethod
    def of(cls, document: Json) -> "Reference":
        """Reads an OpenAPI 3.1 document. Its texts are plain, with `code` in backquotes; nothing in them is markup."""
        by_title: dict[str, list[Operation]] = {title: [] for title in TITLES.values() if title not in LAST}
        for path, methods in document["paths"].items():
            for method, described in methods.items():
                tag = described["tags"][0]
                operations = by_title.setdefault(TITLES.get(tag, tag.capitalize()), [])
                operations.append(_operation(path, method.upper(), described, document))
        titles = [title for title in by_title if title not in LAST] + [title for title in LAST if title in by_title]
        return cls(
            version=document["info"]["version"],
            url=document["servers"][0]["url"],
            groups=tuple(Group(title, tuple(by_title[title])) for title in titles if by_title[title]),
            schemas=tuple(_schema(name, each) for name, each in sorted(document["components"]["schemas"].items())),
        )


def prose(text: str) -> Markup:
    """Plain text, with `code` in backquotes, in a line of HTML."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(re.sub(r"\s+", " ", text.strip())))))  # noqa: S704


def type_of(schema: Json) -> Markup:
    """A schema in words, with links to those that have a name."""
    if "$ref" in schema or "discriminator" in schema:  # only requests have that
        name = schema.get("$ref", "Request").rpartition("/")[2]
        return Markup('<a href="#schema-{0}">{0}</a>').format(name)
    if "const" in schema or "enum" in schema:
        return Markup(", ").join(map(_code, schema.get("enum") or [schema["const"]]))
    if branches := schema.get("anyOf") or schema.get("oneOf"):
        return Markup(" or ").join(dict.fromkeys(map(type_of, branches)))
    if "items" in schema:
        return Markup("array of ") + type_of(schema["items"])
    values = next(iter(schema.get("patternProperties", {}).values()), schema.get("additionalProperties"))
    if isinstance(values, dict) and "properties" not in schema:
        return Markup("object of ") + type_of(values)
    name = escape(schema.get("type", "any"))
    return name + f" ({schema['format']})" if "format" in schema else name


def sample_of(schema: Json, schemas: Json) -> Any:
    """A value with the required fields only, to be filled in."""
    if "$ref" in schema:
        return sample_of(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    for given in (schema.get("default"), schema.get("const"), *schema.get("examples", ())):
        if given is not None:
            return given
    if "enum" in schema:
        return schema["enum"][0]
    if branches := schema.get("anyOf") or schema.get("oneOf"):
        return sample_of(branches[0], schemas)
    if schema.get("type") == "object":
        properties = schema.get("properties", {})
        return {name: sample_of(properties[name], schemas) for name in schema.get("required", ())}
    return {"array": [], "integer": schema.get("minimum", 0), "number": schema.get("minimum", 0), "boolean": False}.get(
        schema.get("type", ""), ""
    )


def _operation(path: str, method: str, described: Json, document: Json) -> Operation:
    contents = described.get("requestBody", {}).get("content", {})
    sample = ""
    if "application/json" in contents:
        value = sample_of(contents["application/json"]["schema"], document["components"]["schemas"])
        sample = json.dumps(value, indent=2, ensure_ascii=False)
    security = described.get("security", [])
    return Operation(
        id=described["operationId"],
        method=method,
        path=path,
        summary=described["summary"],
        description=prose(described["description"]),
        parameters=tuple(
            _field(each["name"], each["schema"], each.get("required", False), each.get("description", ""), each["in"])
            for each in described["parameters"]
        ),
        body=_contents(contents),
        responses=tuple(_response(status, each) for status, each in described["responses"].items()),
        takes_key=bool(security),
        needs_key=bool(security) and {} not in security,
        sample=sample,
    )


def _response(status: str, described: Json) -> Response:
    headers = tuple(name for name in described.get("headers", ()) if name != "X-Request-Id")  # which every one has
    return Response(status, prose(described["description"]), headers, _contents(described.get("content", {})))


def _contents(contents: Json) -> tuple[Content, ...]:
    return tuple(
        Content(media, type_of(each["schema"]) if "schema" in each else Markup("bytes"))
        for media, each in contents.items()
    )


def _schema(name: str, schema: Json) -> Schema:
    required = schema.get("required", ())
    fields = tuple(_field(each, part, each in required) for each, part in schema.get("properties", {}).items())
    words = Markup(", ").join(map(type_of, schema["oneOf"])) if "discriminator" in schema else type_of(schema)
    return Schema(name, prose(schema.get("description", "")), words, fields)


def _field(name: str, schema: Json, required: bool, description: str = "", place: str = "") -> Field:
    branch: Json = next((each for each in schema.get("anyOf", ()) if each.get("type") != "null"), {})
    text = description or schema.get("description") or branch.get("description", "")
    return Field(name, required, type_of(schema), Markup(", ").join(_rules({**branch, **schema})), prose(text), place)


def _rules(schema: Json) -> Iterator[Markup]:
    for name, words in _BOUNDS:
        if name in schema and (name, schema[name]) != ("minLength", 1):
            yield Markup(words).format(_code(schema[name]) if name == "pattern" else schema[name])  # noqa: S704
    if schema.get("default") not in (None, ""):
        yield Markup("default ") + _code(schema["default"])


def _code(value: object) -> Markup:
    return Markup("<code>{}</code>").format(value if isinstance(value, str) else json.dumps(value))
