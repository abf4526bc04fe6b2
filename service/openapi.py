"""`/openapi.json`, built from the declared routes, and `/docs`, a page that shows it."""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from html import escape
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import JsonSchemaMode
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from service.security.middleware import SAFE
from service.security.permissions import PUBLIC
from service.web import Endpoint, respond, route

VERSION = "0.1.0"
COMPONENTS = "#/components/schemas/"


def describe(routes: Sequence[BaseRoute]) -> list[Route]:
    """Return the two routes that describe all the others."""
    document = cache(lambda: openapi(routes))  # a tenth of a second, for the first who asks

    async def read_openapi(request: Request) -> Response:
        """This interface as an OpenAPI 3.1 document."""
        return respond(document())

    async def docs(request: Request) -> Response:
        """This interface as a page."""
        return HTMLResponse(_page(document()))

    return [
        route("GET", "/openapi.json", read_openapi, scope=PUBLIC),
        route("GET", "/docs", docs, scope=PUBLIC),
    ]


def _page(document: dict[str, Any]) -> str:
    rows = "".join(
        f"<tr><td><code>{method.upper()}</code></td><td><code>{escape(path)}</code></td>"
        f"<td>{escape(operation['summary'])}</td></tr>"
        for path, methods in sorted(document["paths"].items())
        for method, operation in methods.items()
    )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Pharos: HTTP interface</title>'
        '<meta name="viewport" content="width=device-width"><link rel="stylesheet" href="/ui/static/pharos.css">'
        '<body class="plain"><main><h1>HTTP interface</h1><p>Send <code>Authorization: Bearer &lt;token&gt;</code>. '
        'Shapes: <a href="/openapi.json">openapi.json</a>.</p>'
        f"<table>{rows}</table></main></body></html>"
    )


def _leave_out_null(schema: dict[str, Any]) -> None:
    """Say of an answer's shape what `respond` does: a field that may be null is left out then."""
    fields = schema.get("properties", {})
    required = [name for name in schema.get("required", ()) if {"type": "null"} not in fields[name].get("anyOf", ())]
    if "required" in schema:
        schema["required"] = required


def _enter(schemas: dict[str, Any], parts: dict[str, Any], document: dict[str, Any], slice: str) -> dict[str, Any]:
    """Add the parts of a document, and return it; of two shapes with one name the later is led by its slice's."""
    names = {name: name for name in parts}
    while True:
        entered = {names[name]: _renamed(part, names) for name, part in parts.items()}
        clashing = [name for name in parts if schemas.get(names[name], entered[names[name]]) != entered[names[name]]]
        if not clashing:
            schemas.update(entered)
            return _renamed(document, names)
        for name in clashing:
            names[name] = f"{slice}{names[name]}"


def _renamed(schema: Any, names: Mapping[str, str]) -> Any:
    if isinstance(schema, dict):
        given: dict[str, Any] = schema
        return {
            key: f"{COMPONENTS}{names[value.removeprefix(COMPONENTS)]}" if key == "$ref" else _renamed(value, names)
            for key, value in given.items()
        }
    return [_renamed(one, names) for one in schema] if isinstance(schema, list) else schema


def refusals(method: str, route: Route, operation: Endpoint) -> list[int]:
    """Return the statuses of problems that an operation may answer, as its declaration tells them."""
    changes = method not in SAFE
    may = {
        401: operation.scope is not PUBLIC or changes,
        403: operation.scope is not PUBLIC or changes,
        404: bool(route.param_convertors) or operation.takes is not None,
        409: changes,
        412: method == "PUT",
        413: changes,
        408: changes,
        422: changes or operation.queries is not None,
        429: True,
        503: True,
    }
    return sorted([*(status for status, is_so in may.items() if is_so), *operation.also])


class Problem(BaseModel):
    """The body of every error."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[dict[str, Any]] | None = None


def openapi(routes: Sequence[BaseRoute]) -> dict[str, Any]:
    """Build the OpenAPI 3.1 document from the declared routes."""
    paths: dict[str, dict[str, Any]] = {}
    schemas: dict[str, Any] = {}

    def schema(kind: Any, mode: JsonSchemaMode, slice: str, *, named: bool = True) -> dict[str, Any]:
        document = TypeAdapter(kind).json_schema(mode=mode, ref_template=f"{COMPONENTS}{{model}}")
        parts: dict[str, Any] = document.pop("$defs", {})
        if mode == "serialization":
            for part in (document, *parts.values()):
                _leave_out_null(part)
        if named and isinstance(kind, type) and issubclass(kind, BaseModel):
            name = re.sub(r"\W+", "_", kind.__name__).rstrip("_")
            parts[name], document = document, {"$ref": f"{COMPONENTS}{name}"}
        return _enter(schemas, parts, document, slice)

    problem_answer = {
        "description": "The request was refused; `detail` says why.",
        "content": {"application/problem+json": {"schema": schema(Problem, "serialization", "")}},
    }
    for entry in routes:
        if not isinstance(entry, Route) or entry.path.startswith("/ui"):
            continue
        operation = entry.endpoint
        if not isinstance(operation, Endpoint):
            continue
        slice = operation.handler.__module__.split(".")[1].title().replace("_", "")
        described: dict[str, Any] = {"summary": operation.summary, "operationId": entry.name, "parameters": []}
        described["parameters"] = [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
            for name in entry.param_convertors
        ]
        if operation.queries is not None:
            shape = schema(operation.queries, "validation", slice, named=False)
            described["parameters"] += [
                {"name": name, "in": "query", "required": name in shape.get("required", ()), "schema": field}
                for name, field in shape["properties"].items()
            ]
        if (taken := operation.takes or operation.form) is not None:
            kind = "multipart/form-data" if operation.takes is None else "application/json"
            described["requestBody"] = {
                "required": True,
                "content": {kind: {"schema": schema(taken, "validation", slice)}},
            }
        answer: dict[str, Any] = {"description": "Done."}
        if operation.gives is not None:
            answer["content"] = {"application/json": {"schema": schema(operation.gives, "serialization", slice)}}
        if operation.scope is not PUBLIC:
            described["security"] = [{"token": []}]
        for method in (entry.methods or set()) - {"HEAD"}:
            refused = {str(status): problem_answer for status in refusals(method, entry, operation)}
            paths.setdefault(entry.path, {})[method.lower()] = described | {
                "responses": {str(operation.status): answer} | refused
            }
    return {
        "openapi": "3.1.0",
        "info": {"title": "Pharos", "version": VERSION},
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
    }
