"""How PostgreSQL runs what the lists and the search ask for, where a library has a hundred thousand resources.

Every list is asked, alone and by each thing that it can be narrowed by, and what it sends is explained with its values.
None of it may read a large table from end to end.
"""

import typing
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from types import UnionType
from typing import Any, Literal, get_args, get_origin
from uuid import UUID

import asyncpg
import httpx
import pytest
from pydantic import BaseModel
from sqlalchemy import event

from service import database
from service.app import ROUTES, create_app
from service.settings import settings
from service.web import Endpoint
from tests.database.filled import Filled, fill, of

pytestmark = [pytest.mark.integration, pytest.mark.performance, pytest.mark.timeout(900)]

LARGE = 10_000  # rows
OF_A_PATH = {
    "documents": "documents",
    "quizzes": "quizzes",
    "collections": "collections",
    "searches": "saved_searches",
}  # others: resources
NAMED = {"collection": "collections", "parent_id": "collections", "quiz_id": "quizzes", "user_id": "users",
    "study_subject": "study_subjects"}  # fmt: skip
TEXTS = {
    "queue": "default",
    "kind": "requests",
    "timezone": "UTC",
    "query": "word7 text",
    "since": "2026-01-01T00:00:00Z",
    "q": "word7",
    "category": "word7",
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

SCANNING = {  # what no index helps: these need another query, or a count that is kept
    "/tags": "counts the tags of all that is visible",
    "/documents": "counts all that is visible; statuses and words are compared row by row",
    "/collections": "counts all that is visible; words are compared row by row",
    "/collections/{id}/similar": "compares with the mean of every collection",
    "/authors": "counts and groups the authors of all that is visible",
    "/search/suggest": "joins the terms as a whole",
    "/dlq": "words are compared row by row",
}


def asked(path: str, taken: type[BaseModel]) -> Iterator[dict[str, str]]:
    """Return queries: what must be said, and each of the rest by itself."""
    fields = {name: field for name, field in taken.model_fields.items() if name not in ("limit", "offset")}
    needed = {name: sample(name, field.annotation)[0] for name, field in fields.items() if field.is_required()}
    if path == "/search":
        needed["query"] = TEXTS["query"]
    yield needed
    for name, field in fields.items():
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


def scanned(node: dict[str, Any]) -> Iterator[str]:
    """Return the tables that a plan reads from end to end."""
    if node["Node Type"] == "Seq Scan":
        yield node["Relation Name"]
    for below in node.get("Plans", ()):
        yield from scanned(below)


async def explained(driver: asyncpg.Connection, sql: str, values: Any) -> dict[str, Any]:
    [whole] = await driver.fetchval(f"EXPLAIN (FORMAT JSON) {sql}", *values)
    return whole["Plan"]


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
        async with database._connected() as (_, driver):
            for sql, values in found:
                if not sql.lstrip().upper().startswith(("SELECT", "WITH")):
                    continue
                plan = await explained(driver, sql, values)
                large = {name for name in scanned(plan) if filled[1].rows.get(name, 0) >= LARGE}
                if large:
                    wrong.setdefault(f"{sorted(large)} in {' '.join(sql.split())[:1500]}", set()).add(str(given))
    assert sent
    if wrong and path in SCANNING:
        pytest.xfail(f"known, and not mended: {SCANNING[path]}")
    assert not wrong, "\n\n".join(f"{what}\n   for {sorted(whom)}" for what, whom in wrong.items())
