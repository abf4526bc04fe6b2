"""The HTTP edge by itself: parsing, answers, problems, the OpenAPI document."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from pydantic import Field
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from service import web
from service.errors import RateLimited
from service.openapi import describe
from service.security.permissions import PUBLIC
from service.web import Paged, Shape, page, parse, path_id, query, respond, route
from tests.queue.conftest import until


class Note(Shape):
    title: str = Field(max_length=10)
    tags: list[str] = Field(default=[])


async def echo(request: Request) -> Response:
    return respond(await parse(request, Note))


async def listing(request: Request) -> Response:
    return page([], 0, query(request, Paged))


async def one(request: Request) -> Response:
    return respond(path_id(request, what="note"))


async def refuses(request: Request) -> Response:
    raise RateLimited(retry_after=7)


ROUTES = [
    route("POST", "/notes", echo, scope=PUBLIC, takes=Note, gives=Note),
    route("GET", "/notes", listing, scope=PUBLIC, queries=Paged),
    route("GET", "/notes/{id}", one, scope=PUBLIC),
    route("GET", "/refuses", refuses, scope=PUBLIC),
    route("GET", "/protected", listing, scope="read"),
]


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app = Starlette(routes=[*ROUTES, *describe(ROUTES)])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://pharos") as client:
        yield client


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "not valid JSON"),
        (b"{", "not valid JSON"),
        (b'{"title": "\\ud800"}', "not valid JSON"),
        (b"\xff\xfe", "not valid JSON"),
        (b'{"title": "a\\u0000b"}', "null character"),
        (b'{"title": 1}', "title"),
        (b'{"title": "far too long for this"}', "title"),
        (b'{"title": "x", "titel": "y"}', "titel"),
        (b"[" * 5000 + b"]" * 5000, "not valid JSON"),
        (b"[]", "body"),
    ],
)
async def test_a_bad_body_is_a_422_that_names_the_fault(client: httpx.AsyncClient, body: bytes, words: str) -> None:
    answer = await client.post("/notes", content=body)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert words in answer.json()["detail"]


async def test_the_two_letters_of_an_escaped_backslash_are_no_null(client: httpx.AsyncClient) -> None:
    answer = await client.post("/notes", content=b'{"title": "\\\\u0000"}')
    assert answer.json()["title"] == "\\u0000"


async def test_faults_are_listed_with_their_place(client: httpx.AsyncClient) -> None:
    answer = await client.post("/notes", json={"title": "x", "tags": ["a", 1]})
    assert answer.json()["errors"] == [{"loc": ["tags", 1], "msg": "Input should be a valid string"}]


async def test_pages(client: httpx.AsyncClient) -> None:
    assert (await client.get("/notes")).json() == {"total": 0, "items": [], "limit": 25, "offset": 0}
    assert (await client.get("/notes?limit=101")).status_code == 422
    assert (await client.get("/notes?offset=-1")).status_code == 422
    assert (await client.get("/notes?page=2")).status_code == 422
    assert (await client.get("/notes?limit=%00")).status_code == 422


async def test_what_is_no_uuid_names_nothing(client: httpx.AsyncClient) -> None:
    answer = await client.get("/notes/seven")
    assert answer.status_code == 404
    assert answer.json()["detail"] == "There is no note seven that you may see."


async def test_errors_carry_their_headers(client: httpx.AsyncClient) -> None:
    answer = await client.get("/refuses")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")


async def test_a_declared_scope_is_asked_for(client: httpx.AsyncClient) -> None:
    answer = await client.get("/protected")
    assert answer.status_code == 401
    assert "Bearer" in answer.headers["www-authenticate"]


async def test_the_document_names_paths_parameters_and_shapes(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    post, get = document["paths"]["/notes"]["post"], document["paths"]["/notes"]["get"]
    assert post["requestBody"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Note"}
    assert [parameter["name"] for parameter in get["parameters"]] == ["limit", "offset"]
    assert document["paths"]["/protected"]["get"]["security"] == [{"token": []}]
    assert (await client.get("/docs")).text.count("/notes/{id}") == 1


async def test_who_is_not_signed_in_sends_little(client: httpx.AsyncClient) -> None:
    assert (await client.post("/notes", content=b'"' + b"x" * 100_000 + b'"')).status_code == 413


async def test_bodies_that_are_read_at_one_time_have_a_limit(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "IN_FLIGHT", 1000)
    going_on = asyncio.Event()

    async def first() -> AsyncIterator[bytes]:
        yield b'{"title": "' + b"x" * 900
        await going_on.wait()
        yield b'"}'

    slow = asyncio.create_task(client.post("/notes", content=first()))
    await until(lambda: web._in_flight >= 900)  # pyright: ignore[reportPrivateUsage]
    refused = await client.post("/notes", content=b'{"title": "' + b"y" * 200 + b'"}')
    assert refused.status_code == 503
    assert refused.headers["retry-after"] == "1"
    going_on.set()
    assert (await slow).status_code != 503
    assert (await client.post("/notes", content=b'{"title": "' + b"y" * 200 + b'"}')).status_code != 503
