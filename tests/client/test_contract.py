"""Every method of the client against the OpenAPI document of the application that runs.

Each is called with everything it takes; what it sends, and what it makes of the answer, is compared with the document.
"""

import inspect
import io
import re
import types
import typing
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints
from urllib.parse import parse_qs
from uuid import UUID

import httpx
import jsonschema
import pytest
from pydantic import BaseModel, TypeAdapter

from service.app import ROUTES
from service.client import Client
from service.client.errors import PharosError
from service.client.transport import UNSET, Unset
from service.openapi import openapi

DOCUMENT = openapi(ROUTES)
SCHEMAS = DOCUMENT["components"]["schemas"]
ID = UUID("01890000-0000-7000-8000-000000000000")
MOMENT = datetime(2026, 1, 1, tzinfo=UTC)

# Operations that the client leaves to others, and why.
NOT_COVERED = {
    "the page's own: a program has a token": (
        "GET /", "POST /auth/login", "POST /auth/link", "POST /auth/logout", "POST /auth/register",
        "PUT /auth/password", "GET /auth/sessions", "DELETE /auth/sessions/{id}",
    ),
    "studying, which happens on the page": (
        "GET /subjects", "POST /subjects", "GET /subjects/{id}", "PUT /subjects/{id}", "DELETE /subjects/{id}",
        "POST /quizzes", "GET /quizzes", "GET /quizzes/{id}", "DELETE /quizzes/{id}", "GET /quizzes/{id}/questions",
        "PUT /quizzes/{id}/questions/{qid}", "POST /quizzes/{id}/questions/{qid}/regenerate",
        "POST /quizzes/{id}/questions/{qid}/report", "POST /quizzes/{id}/sessions", "GET /sessions",
        "GET /sessions/{id}", "PUT /sessions/{id}/answers", "GET /sessions/{id}/results",
        "POST /sessions/{id}/submit", "GET /reviews/due", "GET /reviews/export", "GET /reviews/statistics",
        "POST /reviews/{id}", "POST /reviews/{id}/reveal", "POST /reviews/{id}/suspend",
        "POST /reviews/{id}/unsuspend",
    ),
    "what is derived, to be looked at and corrected on the page": (
        "GET /authors", "GET /authors/{id}", "POST /authors/{id}/merge", "POST /authors/{id}/split",
        "GET /graph", "GET /graph/path", "GET /quality/distribution", "GET /quality/review",
        "POST /quality/review/{id}", "GET /quality/trends", "GET /recommendations",
        "GET /recommendations/dismissed", "GET /recommendations/profile", "DELETE /recommendations/profile",
        "POST /recommendations/{id}/dismiss", "DELETE /recommendations/{id}/dismiss", "POST /interactions",
        "GET /resources/{id}/citations", "GET /resources/{id}/classification",
        "PUT /resources/{id}/classification", "DELETE /resources/{id}/classification",
        "GET /resources/{id}/embedding", "GET /resources/{id}/neighbors", "GET /resources/{id}/quality",
        "PUT /resources/{id}/quality", "GET /taxonomy", "POST /taxonomy", "GET /taxonomy/models",
        "POST /taxonomy/models/{version}/activate", "GET /taxonomy/review", "GET /taxonomy/{id}",
        "PUT /taxonomy/{id}", "DELETE /taxonomy/{id}", "POST /taxonomy/{id}/merge",
    ),
    "notifications are for people": (
        "GET /notifications", "GET /notifications/count", "GET /notifications/preferences",
        "PUT /notifications/preferences", "POST /notifications/read-all", "DELETE /notifications/{id}",
        "POST /notifications/{id}/read", "GET /notifications/digest", "PUT /notifications/digest",
        "POST /notifications/digest/address", "DELETE /notifications/digest/address",
        "POST /notifications/digest/test",
    ),
    "what pages say of themselves": ("GET /hints", "PUT /hints/{name}", "DELETE /hints"),
    "the operations page's and its monitoring's": (
        "GET /audit", "GET /cache/stats", "POST /cache/warm", "GET /db/pool", "GET /metrics", "GET /monitoring/alerts",
        "GET /monitoring/flow", "POST /queues/{name}/pause", "POST /queues/{name}/resume", "GET /schedules",
        "POST /schedules/{name}/run", "GET /search/queries", "POST /search/evaluate",
    ),
    "read by feed readers, browsers, assistants": (
        "GET /collections/{id}/feed", "GET /searches/saved/{id}/feed", "GET /public/feeds/{secret}",
        "GET /public/collections/{id}", "POST /mcp",
    ),
    "the same another way": (
        "POST /search",  # GET /search
        "POST /uploads", "GET /uploads/{id}", "PATCH /uploads/{id}", "DELETE /uploads/{id}",  # POST /documents
    ),
}  # fmt: skip

# What an operation takes and the client does not offer, and why.
NOT_OFFERED = {
    ("GET /resources", "offset"): "lists are walked by time",
    ("GET /resources", "sort"): "lists are walked by time; `newest_first` turns it",
    ("GET /trash", "after"): "lists are walked by it",
    ("GET /reading", "after"): "lists are walked by it",
    ("GET /events/stream", "last_event_id"): "sent as the header, which outranks it",
}


@dataclass
class Sent:
    """What a method sent."""

    operation: str
    query: Mapping[str, Sequence[str]]
    body: bytes
    kind: str


@dataclass
class Recorder(httpx.AsyncBaseTransport):
    """Takes down each request, and answers none."""

    sent: list[httpx.Request] = field(default_factory=list)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        self.sent.append(request)
        return httpx.Response(418, json={"detail": "only a test"}, request=request)


# Of what has a form of its own.
EXAMPLES: Mapping[str, Any] = {"language": "en", "password": "a light on the water", "secret": "a light on the water"}


def methods() -> dict[str, tuple[str, str]]:
    client = Client("http://pharos.test")
    groups = {name: group for name, group in vars(client).items() if not name.startswith("_")}
    found = {}
    for group, value in groups.items():
        for name, _ in inspect.getmembers(type(value), inspect.isfunction):
            if not name.startswith("_") or (name == "__call__"):
                found[f"{group}.{name}".removesuffix(".__call__")] = (group, name)
    return found


METHODS = methods()
# Those that ask by others, which are checked themselves.
TOGETHER = {"tasks.wait": "GET /tasks/{id}", "imports.wait": "GET /imports/{id}"}


def value(kind: Any) -> Any:
    """Return something of a type, as different from its default as can be."""
    if kind is Any:
        return "x"
    origin, args = get_origin(kind), get_args(kind)
    if origin in (typing.Union, types.UnionType):
        if UUID in args:
            return ID
        if Path in args:
            return io.BytesIO(b"x")
        return value(next(one for one in args if one not in (type(None), Unset)))
    if origin is Literal:
        return args[-1]
    if origin in (Sequence, list):
        return [value(args[0])] * 2
    if origin is Mapping:
        return {"query": "x"}
    simple = {str: "x", int: 7, float: 0.5, bool: True, bytes: b"<opml/>", datetime: MOMENT}
    return simple[kind]


async def called(name: str, **replaced: Any) -> httpx.Request:
    """Call a method with everything that it takes, and return the request."""
    recorder = Recorder()
    group, attribute = METHODS[name]
    async with Client("http://pharos.test", "token", transport=recorder) as client:
        method = getattr(getattr(client, group), attribute)
        hints = get_type_hints(getattr(type(getattr(client, group)), attribute))
        parameters = inspect.signature(method).parameters.values()
        given = {one.name: value(hints[one.name]) for one in parameters if one.kind is not one.VAR_POSITIONAL}
        given |= {one: EXAMPLES[one] for one in given if one in EXAMPLES and isinstance(given[one], str)}
        given |= replaced
        answer = method(**given)
        with pytest.raises(PharosError):
            await (anext(answer) if isinstance(answer, AsyncIterator) else answer)
    assert len(recorder.sent) == 1
    return recorder.sent[0]


def operation_of(request: httpx.Request) -> str:
    paths = [path for path, methods in DOCUMENT["paths"].items() if request.method.lower() in methods]
    exact = [path for path in paths if path == request.url.path]
    fitting = exact or [path for path in paths if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", path), request.url.path)]
    assert len(fitting) == 1, (request.method, request.url.path, fitting)
    return f"{request.method} {fitting[0]}"


def described(operation: str) -> dict[str, Any]:
    method, path = operation.split(" ")
    return DOCUMENT["paths"][path][method.lower()]


def resolved(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in schema:
        schema = SCHEMAS[schema["$ref"].rpartition("/")[2]]
    return schema


def form_fields(request: httpx.Request) -> set[str]:
    return {name.decode() for name in re.findall(rb'form-data; name="(\w+)"', request.content)}


@pytest.mark.parametrize("name", sorted(set(METHODS) - set(TOGETHER)))
async def test_what_is_sent_is_what_is_taken(name: str) -> None:
    request = await called(name)
    operation = operation_of(request)
    told = described(operation)
    parameters = {one["name"]: one for one in told["parameters"] if one["in"] == "query"}
    query = parse_qs(request.url.query.decode(), keep_blank_values=True)
    left = {field for which, field in NOT_OFFERED if which == operation}
    errors_csv = {"limit", "offset"} if name == "imports.errors_csv" else set()
    format_json = {"format"} if name == "imports.errors" else set()
    assert set(query) <= set(parameters), "no such parameter"
    assert set(parameters) - set(query) - left - errors_csv - format_json == set(), "has no place in the client"
    for field_name, values in query.items():
        schema = {**parameters[field_name]["schema"], "components": {"schemas": SCHEMAS}}
        _fits(values, schema)
    body = told.get("requestBody")
    if body is None:
        assert request.content == b"" or name == "feeds.import_opml"
        return
    [(kind, media)] = body["content"].items()
    shape = resolved(media["schema"])
    if kind == "multipart/form-data":
        assert form_fields(request) == set(shape["properties"])
        return
    sent = TypeAdapter(dict[str, Any]).validate_json(request.content)
    other = await _other_way(name)  # of fields that exclude each other
    assert set(sent) <= set(shape["properties"]), "no such field"
    assert set(shape["properties"]) - set(sent) - other == set(), "has no place in the client"
    assert set(shape.get("required", ())) <= set(sent) | other
    jsonschema.validate(sent, {**shape, "components": {"schemas": SCHEMAS}})


async def _other_way(name: str) -> set[str]:
    """Return what the other method for the same operation sends."""
    pairs = {"resources.add": "resources.add_many", "resources.add_many": "resources.add"}
    if name not in pairs:
        return set()
    return set(TypeAdapter(dict[str, Any]).validate_json((await called(pairs[name])).content))


def _fits(values: Sequence[str], schema: Mapping[str, Any]) -> None:
    """Check what stands in a query against its schema, of which everything arrives as text."""
    wanted: list[Any] = [values, *values]
    for text in values:
        wanted += [text == "true"] if text in ("true", "false") else []
        wanted += [int(text)] if text.isdigit() else []
        wanted += [float(text)] if re.fullmatch(r"\d+\.\d+", text) else []
    validator = jsonschema.Draft202012Validator(schema)
    assert any(validator.is_valid(one) for one in wanted), (values, schema)


def answered(name: str) -> Any:
    """Return the type that a method makes of an answer, of a list that of its items."""
    group, attribute = METHODS[name]
    method = getattr(type(getattr(Client("http://pharos.test"), group)), attribute)
    return get_type_hints(method)["return"]


@pytest.mark.parametrize("name", sorted(set(METHODS) - set(TOGETHER)))
async def test_what_is_answered_is_what_is_read(name: str) -> None:
    operation = operation_of(await called(name))
    answers = [answer for status, answer in described(operation)["responses"].items() if status.startswith("2")]
    content = answers[0].get("content", {}).get("application/json")
    kind = answered(name)
    streamed = get_origin(kind) is not None and issubclass(get_origin(kind), AsyncIterator)
    if kind is type(None) or (streamed and get_args(kind)[0] is bytes):
        assert content is None or name == "imports.errors_csv"
        return
    if name == "events.stream":  # a stream of what the history lists
        schema: Any = SCHEMAS["EventView"]
    else:
        assert content is not None, f"{operation} does not say what it answers"
        schema = resolved(content["schema"])
    if "anyOf" in schema:
        schema = next(
            one
            for one in map(resolved, schema["anyOf"])
            if ("items" in one["properties"]) == (name == "resources.add_many")
        )
    if streamed and name != "events.stream":
        kind, schema = get_args(kind)[0], resolved(resolved(schema)["properties"]["items"]["items"])
    elif streamed:
        kind = get_args(kind)[0]
    elif name == "documents.upload":  # one of a list
        schema = resolved(schema["properties"]["items"]["items"])
    _agree(TypeAdapter(kind).json_schema(mode="validation"), schema, name)


def _agree(ours: dict[str, Any], theirs: Mapping[str, Any], where: str) -> None:
    """Compare two shapes, down to their last field: each has a place in the other, and the types go together."""
    definitions = ours.get("$defs", {})

    def mine(schema: Mapping[str, Any]) -> Mapping[str, Any]:
        while "$ref" in schema:
            schema = definitions[schema["$ref"].rpartition("/")[2]]
        return schema

    def options(schema: Mapping[str, Any], resolve: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> list[Any]:
        schema = resolve(schema)
        return [one for each in schema.get("anyOf", [schema]) for one in [resolve(each)]]

    def compare(own: Mapping[str, Any], other: Mapping[str, Any], at: str) -> None:
        owns, others = options(own, mine), options(other, resolved)
        if any(one in ({}, {"title": one.get("title")}) for one in others):
            return  # anything
        for theirs_one in others:
            kind = theirs_one.get("type")
            fitting = [one for one in owns if one.get("type") == kind or not one.get("type")]
            assert fitting, f"{at}: the server may answer {kind}, which the client does not read"
            one = fitting[0]
            if "format" in theirs_one and len(others) < 3:
                formats = {one.get("format") for one in fitting}
                assert theirs_one["format"] in formats, f"{at}: {theirs_one['format']} is read as {formats}"
            if "enum" in theirs_one and "enum" in one:
                assert set(theirs_one["enum"]) == set(one["enum"]), at
            if kind == "array" and "items" in theirs_one and "items" in one:
                compare(one["items"], theirs_one["items"], f"{at}[]")
            if kind == "object" and "properties" in theirs_one and "properties" in one:
                fields, known = one["properties"], theirs_one["properties"]
                assert set(fields) == set(known), f"{at}: {set(fields) ^ set(known)}"
                needed, certain = set(one.get("required", ())), set(theirs_one.get("required", ()))
                assert needed <= certain, f"{at}: needs {needed - certain}, which may be left out"
                for field_name in fields:
                    compare(fields[field_name], known[field_name], f"{at}.{field_name}")

    compare(ours, theirs, where)


async def test_every_operation_is_covered_or_left_out_for_a_reason() -> None:
    covered = {operation_of(await called(name)) for name in METHODS if name not in TOGETHER}
    left = [operation for operations in NOT_COVERED.values() for operation in operations]
    everything = {
        f"{method.upper()} {path}"
        for path, methods in DOCUMENT["paths"].items()
        for method in methods
        if path not in ("/openapi.json", "/docs")
    }
    assert len(left) == len(set(left))
    assert covered & set(left) == set()
    assert everything - covered - set(left) == set(), "neither covered nor left out"
    assert set(left) - everything == set(), "no such operation"


def test_versions_go_out_as_if_match() -> None:
    """Of every operation that honours it: its problems name 412."""
    versioned = {
        name for name, (group, attribute) in METHODS.items()
        if "version" in inspect.signature(getattr(type(getattr(Client("http://x"), group)), attribute)).parameters
    }  # fmt: skip
    assert versioned == {
        "resources.update", "resources.delete", "resources.tag", "collections.update", "collections.delete",
        "annotations.update", "annotations.delete",
    }  # fmt: skip


async def test_what_was_not_said_is_not_sent_and_null_is() -> None:
    request = await called("resources.update", **{
        name: UNSET for name in inspect.signature(Client("http://x").resources.update).parameters
        if name not in ("id", "version", "description")
    } | {"description": None})  # fmt: skip
    assert request.content == b'{"description":null}'
    assert request.headers["if-match"] == '"7"'


def test_models_hold_no_default_that_hides_a_field() -> None:
    from service.client import models

    for _, model in inspect.getmembers(models, lambda one: isinstance(one, type) and issubclass(one, BaseModel)):
        for field_name, one in model.model_fields.items():
            assert one.is_required() or one.default in (None, (), 0), f"{model.__name__}.{field_name}"
