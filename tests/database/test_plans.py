"""How PostgreSQL runs what the lists and the search ask for, where a library has a hundred thousand resources.

Every list is asked, alone and by each thing that it can be narrowed by, and what it sends is explained with its values.
None of it may read a large table from end to end.
"""

import struct
import typing
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from datetime import UTC, datetime
from types import UnionType
from typing import Any, Literal, get_args, get_origin
from uuid import UUID

import httpx
import pytest
from pydantic import BaseModel
from sqlalchemy import event

from service import database
from service.app import ROUTES, create_app
from service.inference import DIMENSIONS
from service.search.filters import Filters
from service.search.semantic import neighbours
from service.settings import settings
from service.web import Endpoint
from tests.database.filled import Filled, fill, of

pytestmark = [pytest.mark.integration, pytest.mark.performance, pytest.mark.timeout(900)]

LARGE = 10_000  # rows
OF_A_PATH = {name: name for name in ("documents", "quizzes", "collections", "imports", "webhooks", "feeds")} | {
    "searches": "saved_searches"
}  # others: resources
NAMED = {"collection": "collections", "parent_id": "collections", "quiz_id": "quizzes", "user_id": "users",
    "study_subject": "study_subjects"}  # fmt: skip
TEXTS = {
    "queue": "default",
    "timezone": "UTC",
    "query": "word7 text",
    "since": "2026-01-01T00:00:00Z",
    "q": "word777",
    "category": "word7",
    "after": f"2026-01-01T00:00:00+00:00/{UUID(int=7)}",
}
FILTERED = {  # by what a search by meaning is narrowed down; others: any word
    "account": of("users"),
    "created_from": datetime(2026, 1, 1, tzinfo=UTC),
    "created_to": datetime(2026, 1, 1, tzinfo=UTC),
    "collection": of("collections"),
    "outside": of("collections"),
    "documents": [of("documents")],
    "study_subject": "word777",
    "document_category": "word777",
    "min_quality": 0.99,
}


def lists() -> Iterator[tuple[str, type[BaseModel]]]:
    """Return each operation that lists something, and what it takes."""
    for found in ROUTES:
        operation = getattr(found, "endpoint", None)
        if isinstance(operation, Endpoint) and "GET" in (found.methods or ()):
            taken = operation.queries
            if taken is not None and "limit" in taken.model_fields:
                yield found.path, taken


def sample(name: str, annotation: Any) -> list[str]:
    """Return values that a parameter takes: each of a choice, one of what else it may be."""
    if name in TEXTS:
        return [TEXTS[name]]
    origin = get_origin(annotation)
    if origin is Literal:
        return [str(one) for one in get_args(annotation)]
    if origin in (typing.Union, UnionType, list, tuple, typing.Annotated, set, frozenset):
        return next((found for one in get_args(annotation) if (found := sample(name, one))), [])
    match annotation:
        case _ if annotation is UUID:
            return [str(of(NAMED.get(name, "resources")))]
        case _ if annotation is bool:
            return ["true", "false"]
        case _ if annotation is datetime:
            return [TEXTS["since"]]
        case _ if annotation in (int, float):
            return ["1"]
        case _ if annotation is str:
            return [] if name == "sort" else ["word7"]
        case _:
            return []


CASES = list(lists())


def asked(path: str, taken: type[BaseModel]) -> Iterator[dict[str, str]]:
    """Return queries: what must be said, and each of the rest by itself."""
    given = {name: field for name, field in taken.model_fields.items() if name not in ("limit", "offset")}
    needed = {name: sample(name, field.annotation)[0] for name, field in given.items() if field.is_required()}
    if path == "/search":
        needed["query"] = TEXTS["query"]
    yield needed
    for name, field in given.items():
        if name not in needed:
            for value in sample(name, field.annotation):
                yield needed | {name: value}


@pytest.fixture(scope="module")
async def filled(new_database: Any) -> tuple[str, Filled]:
    url = await new_database()
    return url, await fill(url)


@pytest.fixture
async def library(filled: tuple[str, Filled], pharos: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A client of the application over the filled database; it may look at all."""
    monkeypatch.setenv("PHAROS_DATABASE_URL", filled[0])
    monkeypatch.setenv("PHAROS_ADMIN_TOKEN", "token of the admin")
    monkeypatch.setenv("PHAROS_RATE_LIMITS", "false")
    monkeypatch.setattr("service.logs.configure", lambda: None)
    settings.cache_clear()
    await database.disconnect()
    app = create_app()
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app, raise_app_exceptions=False),
            base_url="http://pharos",
            headers={"Authorization": "Bearer token of the admin"},
        ) as client,
    ):
        yield client
    await database.connect("test", size=5, overflow=10)


@contextmanager
def listening(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, Any]]]:
    """Collect what is sent to PostgreSQL, by the ORM or past it."""
    found: list[tuple[str, Any]] = []
    engine = database.engine().sync_engine
    fetch = database._fetch

    def orm(_: Any, cursor: Any, statement: str, parameters: Any, *rest: Any) -> None:
        found.append((statement, tuple(parameters)))

    async def direct(driver: Any, statement: Any, values: Any) -> Any:
        found.append((statement.sql, tuple(statement.positional(values))))
        return await fetch(driver, statement, values)

    with monkeypatch.context() as patch:
        patch.setattr(database, "_fetch", direct)
        event.listen(engine, "before_cursor_execute", orm)
        try:
            yield found
        finally:
            event.remove(engine, "before_cursor_execute", orm)


def scanned(node: dict[str, Any], bounded: bool = False) -> Iterator[str]:
    """Return the tables that a plan reads from end to end; `bounded`: it takes so many rows, and any will do."""
    if node["Node Type"] == "Seq Scan" and (not bounded or "Filter" in node):
        yield node["Relation Name"]
    for below in node.get("Plans", ()):
        yield from scanned(below, node["Node Type"] == "Limit")


async def read_as_a_whole(sent: list[tuple[str, Any]], filled: Filled) -> list[str]:
    """Return the queries that read large tables from end to end, after the names of those."""
    found: list[str] = []
    async with database._connected() as (_, driver):
        for sql, values in sent:
            if sql.lstrip().upper().startswith(("SELECT", "WITH")):
                [whole] = await driver.fetchval(f"EXPLAIN (FORMAT JSON) {sql}", *values)
                if large := {name for name in scanned(whole["Plan"]) if filled.rows.get(name, 0) >= LARGE}:
                    found.append(f"{sorted(large)} in {' '.join(sql.split())[:1500]}")
    return found


@pytest.mark.parametrize(("path", "taken"), CASES, ids=[path for path, _ in CASES])
async def test_no_list_reads_a_large_table_from_end_to_end(
    path: str, taken: type[BaseModel], library: httpx.AsyncClient, filled: tuple[str, Filled],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    table = OF_A_PATH.get(path.split("/")[1], "resources")
    address = path.replace("{id}", str(of("collections", 2) if path.startswith("/public") else of(table)))
    wrong: dict[str, set[str]] = {}
    sent = 0
    for given in asked(path, taken):
        with listening(monkeypatch) as found:
            answer = await library.get(address, params=given)
        # Rows of made-up values may not fit into an answer (500); what is asked for them is the same.
        assert answer.status_code in (200, 500), (given, answer.text)
        sent += len(found)
        for what in await read_as_a_whole(found, filled[1]):
            wrong.setdefault(what, set()).add(str(given))
    assert sent
    assert not wrong, "\n\n".join(f"{what}\n   for {sorted(whom)}" for what, whom in wrong.items())


@pytest.mark.parametrize("narrowed", [one.name for one in fields(Filters)])
async def test_no_search_by_meaning_reads_a_large_table_from_end_to_end(
    narrowed: str, library: httpx.AsyncClient, filled: tuple[str, Filled], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Past HTTP, where a search goes by words as long as no model answers."""
    vector = struct.pack(f"{DIMENSIONS}f", *[0.05] * DIMENSIONS)
    filters = replace(Filters(of("users")), **{narrowed: FILTERED.get(narrowed, ["word777"])})
    with listening(monkeypatch) as found:
        async with database.reading() as session:
            await neighbours(session, vector, None, filters, 10)
    assert found
    assert await read_as_a_whole(found, filled[1]) == []
