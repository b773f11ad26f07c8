"""The OpenAPI 3.1 document, generated from the views' `operation` decorators and the pydantic models that they use."""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from http import HTTPStatus
from importlib.metadata import version
from typing import Any, Literal, cast

from flask import Blueprint, Flask, Response, current_app
from pydantic import TypeAdapter
from werkzeug.routing import Rule

from api.authentication import END_USER, SECRET
from api.json_body import JSON_TYPE
from api.load_shedding import NEVER_SHED
from api.operations import ErrorClass, Operation, Reply, operation, operation_of
from api.problems import PROBLEM_TYPE, Problem, code_of, status_of
from api.services import services
from riffusion.errors import Forbidden, Overloaded, Unauthorized, UnavailableError
from riffusion.requests import REQUEST
from web.rendering import SERVICE_LINKS

Json = dict[str, Any]
_REF = "#/components/schemas/{model}"
_BOUNDS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}
_METHODS = ("GET", "POST", "DELETE")

# Headers of responses, by name: schema and meaning.
HEADERS: Mapping[str, tuple[Json, str]] = {
    "Accept-Ranges": ({"type": "string"}, "`bytes`: `Range` works."),
    "Content-Disposition": ({"type": "string"}, "The name to save it as."),
    "Content-Range": ({"type": "string"}, "The part of the file."),
    "ETag": ({"type": "string"}, "Send it as `If-None-Match` to get a body only after a change."),
    "Idempotent-Replayed": (
        {"type": "string", "enum": ["true", "false"]}, "Whether an earlier request with this key created the jobs."
    ),
    "Link": ({"type": "string"}, "Where this document, the page that shows it and the server's status are (RFC 8631)."),
    "Location": ({"type": "string", "format": "uri"}, "The URL of what was created."),
    "RateLimit": ({"type": "string"}, "How many creates are left, and the seconds until the quota is full again."),
    "RateLimit-Policy": ({"type": "string"}, "How many jobs and uploads this client may create a minute."),
    "Preference-Applied": ({"type": "string"}, "The `wait` that was granted; absent if the response wasn't held."),
    "Retry-After": ({"type": "integer", "minimum": 1}, "Seconds after which to try again."),
    "WWW-Authenticate": ({"type": "string"}, "`Bearer`: send an API key."),
    "X-Request-Id": ({"type": "string"}, "Finds the request in the server's log."),
}  # fmt: skip

# Headers of requests, by name: schema and meaning.
REQUEST_HEADERS: Mapping[str, tuple[Json, str]] = {
    "Idempotency-Key": (
        {"type": "string", "pattern": "^[!-~]{1,255}$"}, "Drawn by the client; makes a repeated request harmless."
    ),
    "If-None-Match": ({"type": "string"}, "The `ETag` of the version that the client has."),
    "Last-Event-ID": ({"type": "string"}, "The id of the last event seen."),
    "Prefer": ({"type": "string", "examples": ["wait=20"]}, "`wait=N` holds the response for a change, N s at most."),
    "Riffusion-End-User": (
        {"type": "string", "pattern": "^[!-~]{1,128}$"},
        "With a key for end users: the person on whose behalf its owner asks. Limits and fairness are then per person.",
    ),
    "Riffusion-Secret": (
        {"type": "string", "pattern": "^[A-Za-z0-9_-]{22,128}$"},
        "Without a key: at least 128 random bits drawn by the client. `GET /jobs` lists what it submitted.",
    ),
    "Range": ({"type": "string", "examples": ["bytes=0-1023"]}, "The part to send."),
}  # fmt: skip

# Parts of addresses, by name.
PATH_PARTS: Mapping[str, str] = {
    "batch_id": "The batch's `id`.",
    "job_id": "The job's `id`.",
    "key": "As in the link.",
    "model": "The name of a model, as in `GET /models`.",
    "name": "The name of a seed image, as in `GET /seeds`.",
    "share_id": "The `id` of the published clip.",
    "suffix": "`png` for the picture, or the format of the sound.",
    "upload_id": "The upload's `id`.",
}

blueprint = Blueprint("openapi", __name__)


@blueprint.get("/openapi.json")
@operation("This document", {200: Reply("OpenAPI 3.1.", {JSON_TYPE: dict[str, Any]}, headers=("Link",))})
def document() -> Response:
    """Every path, status, header and content type of this API. `/docs` shows the same as a page."""
    response = Response(_text(cast(Any, current_app)._get_current_object()), content_type=JSON_TYPE)
    response.headers["Link"] = SERVICE_LINKS
    return response


@cache
def _text(app: Flask) -> str:
    """Cached: it takes a tenth of a second to build, and never changes."""
    return json.dumps(build(app))


def build(app: Flask) -> Json:
    """The document of `app`: every route whose view is an `operation`."""
    operations = list(_operations(app))
    schemas = _Schemas(each for _, _, each in operations)
    paths: Json = {}
    for rule, method, each in operations:
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        paths.setdefault(path, {})[method.lower()] = _operation(rule, each, schemas, app)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Riffusion",
            "version": version("riffusion"),
            "description": "Music from text prompts: submit a job, follow it, fetch a picture and its sound.",
        },
        "servers": [{"url": services().settings.public_url.rstrip("/")}],
        "paths": paths,
        "components": {
            "schemas": schemas.definitions,
            "headers": {name: {"schema": s, "description": d} for name, (s, d) in HEADERS.items()},
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "An API key, from the server's operator."}
            },
        },
    }


def _operations(app: Flask) -> Iterator[tuple[Rule, str, Operation]]:
    for rule in sorted(app.url_map.iter_rules(), key=lambda each: each.rule):
        found = operation_of(app.view_functions[rule.endpoint])
        for method in _METHODS:
            if found and method in (rule.methods or ()):
                yield rule, method, found


class _Schemas:
    """JSON schemas of every type that operations use, with the models that they share defined once."""

    def __init__(self, operations: Iterator[Operation]) -> None:
        wanted: dict[str, tuple[str, Literal["validation", "serialization"], TypeAdapter[Any]]] = {
            "Request": ("Request", "validation", REQUEST),
            repr(Problem): (repr(Problem), "serialization", TypeAdapter(Problem)),
        }
        for each in operations:
            for kind in each.body.values():
                wanted[repr(kind)] = (repr(kind), "validation", TypeAdapter(kind))
            for reply in each.replies.values():
                for kind in reply.content.values():
                    if kind is not None:
                        wanted[repr(kind)] = (repr(kind), "serialization", TypeAdapter(kind))
        found, shared = TypeAdapter.json_schemas(wanted.values(), ref_template=_REF)
        self._found = {key: schema for (key, _), schema in found.items()}
        _name_bounds([self._found, shared])
        self.definitions: Json = {**shared["$defs"], "Request": self._found["Request"]}
        for name in self.definitions["Request"]["discriminator"]["mapping"].values():
            # Python code may omit a mode's own name; over HTTP it distinguishes the modes.
            self.definitions[name.rpartition("/")[2]].setdefault("required", []).insert(0, "mode")
        # In a job, the request is the stored JSON of any shape; its schema matters to this document only.
        self.definitions["Job"]["properties"]["request"] |= {"$ref": _REF.format(model="Request")}

    def of(self, kind: Any) -> Json:
        """The schema of a type; bytes have none in OpenAPI 3.1."""
        return {} if kind is None else self._found[repr(kind)]

    def content(self, content: Mapping[str, Any]) -> Json:
        """A `content` object."""
        return {media: {"schema": self.of(kind)} if kind is not None else {} for media, kind in content.items()}


def _name_bounds(schema: Any) -> None:
    """Renames bounds to those of JSON Schema: pydantic keeps its own names where a validator runs before them."""
    if isinstance(schema, list):
        for each in schema:
            _name_bounds(each)
    elif isinstance(schema, dict):
        for name in _BOUNDS.keys() & schema.keys():
            if isinstance(schema[name], int | float):  # not a property of that name
                schema[_BOUNDS[name]] = schema.pop(name)
        _name_bounds(list(schema.values()))


def _operation(rule: Rule, marked: Operation, schemas: _Schemas, app: Flask) -> Json:
    view = app.view_functions[rule.endpoint]
    found: Json = {
        "operationId": view.__name__,
        "tags": [rule.rule.split("/")[1]],
        "summary": marked.summary,
        "description": (view.__doc__ or "").strip(),
        "parameters": [*_path_parameters(rule), *_query_parameters(marked), *_header_parameters(marked)],
        "responses": {
            **{str(status): _reply(reply, schemas) for status, reply in marked.replies.items()},
            **_problems(_all_problems(rule, marked), schemas),
        },
    }
    if Unauthorized in marked.problems:
        open_to_all = services().settings.anonymous and not _is_for_operators(marked)
        found["security"] = [*([{}] if open_to_all else []), {"key": []}]
    if marked.body:
        found["requestBody"] = {"required": True, "content": schemas.content(marked.body)}
    return found


def _all_problems(rule: Rule, marked: Operation) -> tuple[ErrorClass, ...]:
    """Those that the view names, and the server's own refusal under load."""
    return marked.problems if rule.rule in NEVER_SHED else (*marked.problems, Overloaded)


def _path_parameters(rule: Rule) -> Iterator[Json]:
    for name in sorted(rule.arguments):
        schema = {"type": "string", "minLength": 1}
        yield {"name": name, "in": "path", "required": True, "schema": schema, "description": PATH_PARTS.get(name, "")}


def _query_parameters(marked: Operation) -> Iterator[Json]:
    if marked.query is None:
        return
    schema = TypeAdapter(marked.query).json_schema()
    definitions = schema.get("$defs", {})
    for name, field in schema["properties"].items():
        plain = next((each for each in field.get("anyOf", []) if each.get("type") != "null"), field)
        if "$ref" in plain:
            plain = definitions[plain["$ref"].rpartition("/")[2]]
        kept = {key: value for key, value in plain.items() if key not in ("description", "title")}
        yield {"name": name, "in": "query", "schema": kept, "description": field["description"]}


def _is_for_operators(marked: Operation) -> bool:
    return Forbidden in marked.problems


def _header_parameters(marked: Operation) -> Iterator[Json]:
    for_clients = Unauthorized in marked.problems and not _is_for_operators(marked)
    for name in (*marked.headers, *([END_USER, SECRET] if for_clients else [])):
        schema, description = REQUEST_HEADERS[name]
        yield {"name": name, "in": "header", "schema": schema, "description": description}


def _reply(reply: Reply, schemas: _Schemas) -> Json:
    found: Json = {"description": reply.description, "headers": _headers("X-Request-Id", *reply.headers)}
    if reply.content:
        found["content"] = schemas.content(reply.content)
    return found


def _problems(errors: tuple[ErrorClass, ...], schemas: _Schemas) -> Json:
    """One response for each status, naming its codes."""
    by_status: dict[int, list[ErrorClass]] = {}
    for error in errors:
        by_status.setdefault(status_of(error), []).append(error)
    found: Json = {}
    for status, classes in sorted(by_status.items()):
        codes = ", ".join(f"`{code_of(error)}`" for error in classes)
        more = ["Retry-After"] if any(issubclass(error, UnavailableError) for error in classes) else []
        more += ["WWW-Authenticate"] if Unauthorized in classes else []
        found[str(status)] = {
            "description": f"{HTTPStatus(status).phrase}: {codes}.",
            "headers": _headers("X-Request-Id", *more),
            "content": {PROBLEM_TYPE: {"schema": schemas.of(Problem)}},
        }
    return found


def _headers(*names: str) -> Json:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}
