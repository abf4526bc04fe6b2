"""Every task, once through the queue and once in process, from the same input: the rows must be the same."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import text

import workers.inline
from service import database, logs, queue
from service.app import TasksElsewhere, create_app
from service.database import reading, transaction
from service.quality.tables import Quality
from service.queue import BrokerAway, Dispatch, browse
from service.resources import actions as resources
from service.search.tables import Embedding, SearchDocument
from service.settings import Settings, settings
from service.tasks import (
    ANCHOR,
    AUTHORS,
    BACKUP,
    CITE,
    CLASSIFY,
    CLEAN,
    CLEAN_FILES,
    CUT,
    CUT_ENTRIES,
    DEGRADATION,
    DIGEST,
    EMBED,
    FIND_DIGESTS,
    GRAPH,
    INDEX,
    INVALIDATE,
    LABEL,
    LOOK,
    OUTLIERS,
    PROFILE,
    PURGE,
    QUALITY,
    RECONCILE,
    REMIND,
    RETRAIN,
    TASKS,
    WARM,
    WATCH,
)
from tests.inference.conftest import server
from tests.kept import Broom
from tests.model_server import ModelServer
from tests.origin import Origin, Page
from tests.queue.conftest import Elapse, Work, until
from tests.search.conftest import person

__all__ = ["server"]

pytestmark = pytest.mark.integration

Send = Callable[[Sequence[Dispatch]], Awaitable[None]]
Hurry = Callable[[], Awaitable[bool]]  # lets what waits begin, and tells whether nothing waits or runs
# Unlike each other: which of two near-duplicates comes first would be up to chance.
FETCHED = " ".join(f"The keeper of lamp {n} wrote to the Académie about doi:10.1000/{n}." for n in range(40))
GIVEN = " ".join(f"A ship with {n} masts passed the reef in winter, and nobody saw it." for n in range(40))
UPLOADED = " ".join(f"On day {n} fog lay over all of the harbour, as arXiv:2101.{n:05} explains." for n in range(40))
TABLES = [
    "resources", "ingestions", "ingestion_steps", "signatures", "documents", "passages", "citations",
    "search_documents", "chunks",
    "embeddings", "search_terms", "search_corpora",
    "bibliographies", "interaction_counts", "events", "outbox", "dead_letters",
]  # fmt: skip
# Events that come once, whatever is computed first.
ONCE = (
    "^(ingestion|citations|authors|resource.created|document|indexing.(p|c)|batch|collection.(created|resource)"
    "|embedding.gen)"
)
OF_THE_RUN = {
    "duration_seconds", "position", "attempts", "leased_by", "correlation_id", "cause", "bulk", "priority",
    "labels", "labels_hash", "input_hash",  # of the index: with the ids of categories
    "weights",  # of the terms, as numbered in the order of their arrival; against the mean length at the time
}  # fmt: skip


@asynccontextmanager
async def client(app: Any) -> AsyncIterator[httpx.AsyncClient]:
    """Run an application, on the only engine of this process."""
    await database.disconnect()
    transport = httpx.ASGITransport(app)
    try:
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(
                transport=transport, base_url="http://pharos", headers={"Authorization": "Bearer token of the admin"}
            ) as client,
        ):
            yield client
    finally:
        await database.connect("test", 5, 10)


async def use(api: httpx.AsyncClient, page: str, actors: list[str], send: Send, hurry: Hurry) -> None:
    """Bring a page, a file and a text in, repair what was lost of one, and have every task run."""
    assert (await api.post("/taxonomy", json={"name": "Sea"})).status_code == 201
    added = [
        await api.post("/ingest", json={"url": page}),
        await api.post("/resources", json={"title": "By content", "content": GIVEN}),
        await api.post("/documents", files={"file": ("lamp.txt", UPLOADED.encode(), "text/plain")}),
    ]
    assert [answer.status_code for answer in added] == [202, 201, 202], [answer.text for answer in added]
    ids = [added[0].json()["id"], added[1].json()["id"], added[2].json()["items"][0]["resource_id"]]

    async def complete() -> bool:
        await hurry()
        states = [(await api.get(f"/resources/{id}/status")).json() for id in ids]
        assert "failed" not in {state["status"] for state in states}, states
        return {step["state"] for state in states for step in state["steps"]} == {"completed"}

    await until(complete, 60)
    await read_one(api, ids[1], send, hurry)
    async with transaction() as session:
        lost = text("UPDATE search_documents SET input_hash = '' WHERE resource_id = :id")
        await session.execute(lost, {"id": UUID(ids[1])})
        await session.execute(text("UPDATE resources SET updated_at = now() - interval '1 minute'"))
    by_the_clock = (
        RECONCILE, DEGRADATION, OUTLIERS, WATCH, RETRAIN, CUT, CUT_ENTRIES, PURGE, CLEAN_FILES, CLEAN, WARM, REMIND,
        LOOK, BACKUP, FIND_DIGESTS,
    )  # fmt: skip
    await send([Dispatch(task, {}, uuid4()) for task in by_the_clock])
    await send([Dispatch(INVALIDATE, {"resource_id": ids[1]}, uuid4())])
    await send([Dispatch(DIGEST, {"letter_id": str(uuid4())}, uuid4())])  # of one that is gone
    await until(complete, 30)

    async def assessed() -> bool:
        await hurry()
        async with reading() as session:
            return await session.scalar(text("SELECT count(*) FROM quality")) == len(ids)

    await until(assessed, 30)
    await outside(api, page.removesuffix("/page"))
    batch = await api.post("/batch", json={"resource_ids": ids, "operation": "reindex"})
    assert batch.status_code == 202, batch.text
    lamps = (await api.post("/collections", json={"name": "Lamps"})).json()["id"]
    assert (await api.post(f"/collections/{lamps}/resources", json={"resource_ids": ids})).status_code == 200

    brought = await api.post("/import", files={"file": ("x.bib", b"@book{x, title={Brought in}, doi={10.1000/7}}")})
    assert brought.status_code == 202, brought.text
    await study(api, ids[1], hurry)

    async def carried() -> bool:
        idle = await hurry()
        async with reading() as session:
            told = not await session.scalar(text("SELECT count(*) FROM outbox"))
        return idle and told and await hurry() and {*actors} == {task.name for task in TASKS}

    await until(carried, 60)
    shown = (await api.get(f"/tasks/{added[0].json()['task_id']}")).json()
    assert (shown["name"], shown["status"], shown["attempts"]) == ("ingest_resource", "succeeded", 1)


async def outside(api: httpx.AsyncClient, site: str) -> None:
    """Have a server told of what follows, and follow a feed that brings nothing new."""
    told = await api.post("/webhooks", json={"url": f"{site}/hook", "events": ["collection.created"]})
    followed = await api.post("/feeds", json={"url": f"{site}/feed"})
    assert (told.status_code, followed.status_code) == (201, 201), told.text + followed.text


async def read_one(api: httpx.AsyncClient, id: str, send: Send, hurry: Hurry) -> None:
    """Look at a resource, and have the profile made without waiting for the tenth time."""
    seen = await api.post("/interactions", json={"resource_id": id, "interaction_type": "view"})
    assert seen.status_code == 201, seen.text
    await send([Dispatch(PROFILE, {"user_id": (await api.get("/users/me")).json()["id"]}, uuid4())])

    async def known() -> bool:
        await hurry()
        return (await api.get("/recommendations/profile")).json()["pending"] == 0

    await until(known, 30)


async def study(api: httpx.AsyncClient, id: str, hurry: Hurry) -> None:
    """Have a quiz made, and one of its questions replaced."""
    asked = await api.post("/quizzes", json={"resource_ids": [id], "num_questions": 5})
    assert asked.status_code == 202, asked.text
    quiz = f"/quizzes/{asked.json()['quiz_id']}"

    async def made() -> bool:
        await hurry()
        state = (await api.get(quiz)).json()
        assert state["status"] != "failed", state
        return state["status"] == "ready"

    await until(made, 60)
    question = (await api.get(f"{quiz}/questions")).json()["items"][0]["id"]
    assert (await api.post(f"{quiz}/questions/{question}/regenerate")).status_code == 202


async def rows() -> dict[str, list[str]]:
    """Return every row as text, with names for ids, and without what belongs to one run."""
    async with reading() as session:
        resources = await session.execute(text("SELECT id, title FROM resources"))
        names = {str(id): title for id, title in resources.all()}
        dumped: dict[str, list[str]] = {}
        for table in TABLES:
            which = f" WHERE name ~ '{ONCE}'" if table in ("events", "outbox") else ""
            found = await session.execute(text(f"SELECT * FROM {table}{which}"))
            dumped[table] = sorted(str(plain(dict(row), names)) for row in found.mappings())
        terms = await session.execute(text("SELECT lexeme, documents FROM search_terms WHERE documents > 0"))
        dumped["search_terms"] = sorted(map(str, terms))
    return dumped


def plain(value: Any, names: dict[str, str]) -> Any:
    """Replace ids, and leave out times and what else differs from run to run."""
    match value:
        case dict():
            kept = {key: item for key, item in value.items() if key not in OF_THE_RUN}
            return {key: plain(item, names) for key, item in kept.items() if not isinstance(item, datetime)}
        case list():
            return sorted(str(plain(item, names)) for item in value)
        case UUID():
            return names.get(str(value), "an id")
        case str() if len(value) == 36 and value.count("-") == 4:
            return names.get(value, "an id")
        case _:
            return value


async def test_every_task_leaves_the_same_rows_queued_and_inline(
    pharos: Settings, broom: Broom, actors: list[str], working: Work, elapse: Elapse, server: ModelServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("PHAROS_ADMIN_TOKEN", "token of the admin")
    monkeypatch.setenv("PHAROS_EGRESS_ALLOW", "127.0.0.0/8")
    monkeypatch.setenv("PHAROS_METADATA_LOOKUP", "true")
    settings.cache_clear()
    html = (
        f"<!doctype html><html lang=en><title>A page</title><article><h1>A page</h1><p>{FETCHED}</p></article></html>"
    )
    results: dict[str, dict[str, list[str]]] = {}
    async with Origin({"/page": Page(html.encode()), "/hook": Page()}) as origin:
        item = f"<item><title>A page</title><link>{origin.url('/page')}</link></item>"
        feed = f"<rss version='2.0'><channel><title>Pages</title>{item}</channel></rss>"
        monkeypatch.setenv("PHAROS_DOI_URL", origin.url("/doi"))
        settings.cache_clear()
        paper = b'{"DOI": "10.1000/7", "title": "Lamps", "type": "journal-article", "publisher": "Sea Press"}'
        origin.pages["/doi/10.1000/7"] = Page(paper, content_type="application/vnd.citationstyles.csl+json")
        origin.pages["/feed"] = Page(feed.encode(), content_type="application/rss+xml")
        async with client(create_app()) as api, working():

            async def hurry() -> bool:
                await elapse(60)
                return not [id for state in ("scheduled", "queued", "running") for id in await browse.seen(state)]

            await use(api, origin.url("/page"), actors, queue.send, hurry)
            results["queued"] = await rows()

        actors.clear()
        await broom.sweep()
        for name in ("PHAROS_BROKER_URL", "PHAROS_CACHE_URL"):
            monkeypatch.delenv(name)
        monkeypatch.setenv("PHAROS_TASKS", "inline")
        settings.cache_clear()
        with pytest.raises(BrokerAway):
            await queue.ping()
        async with AsyncExitStack() as stack:
            inline = await stack.enter_async_context(workers.inline.tasks())

            @asynccontextmanager
            async def sending() -> AsyncIterator[Send]:
                yield inline.send

            api = await stack.enter_async_context(client(create_app(sending)))

            async def settle() -> bool:
                async with asyncio.timeout(60):
                    await inline.settled()
                return True

            await use(api, origin.url("/page"), actors, inline.send, settle)
            results["inline"] = await rows()
    for table in TABLES:
        assert results["inline"][table] == results["queued"][table], table
    assert {table for table in TABLES if not results["queued"][table]} == {"outbox", "dead_letters"}


async def test_the_application_of_the_workers_needs_no_redis(
    pharos: Settings, actors: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHAROS_ADMIN_TOKEN", "token of the admin")
    monkeypatch.setenv("PHAROS_TASKS", "inline")
    for name in ("PHAROS_BROKER_URL", "PHAROS_CACHE_URL"):
        monkeypatch.delenv(name)
    settings.cache_clear()
    async with client(workers.inline.create_app()) as api:
        await until(lambda: actors == [RECONCILE.name])  # first of all
        ready = await api.get("/ready")
        assert (ready.status_code, ready.json()["checks"]["broker"]["ok"]) == (200, False)
        id = (await api.post("/resources", json={"title": "Lamps", "content": "A lamp by the sea."})).json()["id"]

        async def found() -> bool:
            answer = await api.get("/search", params={"query": "lamp", "mode": "keyword"})
            return [item["id"] for item in answer.json()["items"]] == [id]

        await until(found)


async def test_the_application_of_the_queue_says_who_runs_tasks_inline(
    pharos: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHAROS_TASKS", "inline")
    monkeypatch.setenv("PHAROS_ADMIN_TOKEN", "token of the admin")
    monkeypatch.setattr(logs, "configure", lambda: None)
    settings.cache_clear()
    with pytest.raises(TasksElsewhere, match=r"workers\.inline:create_app"):
        async with client(create_app()):
            pass


async def test_a_notebook_settles_what_it_committed(pharos: Settings, actors: list[str], server: ModelServer) -> None:
    ada = await person("ada")
    await database.disconnect()
    async with workers.inline.pharos() as settle:
        async with transaction() as session:
            fields = {"title": "Lamps", "content": "A lamp by the sea.", "language": "en"}
            resource = await resources.create(session, ada, fields, source="content")
        await settle(30)
        async with reading() as session:
            assert await session.get(SearchDocument, resource.id) is not None
            assert await session.get(Embedding, resource.id) is not None
            assert await session.get(Quality, resource.id) is not None
    await database.connect("test", 5, 10)
    expected = RECONCILE, CITE, INDEX, LABEL, EMBED, QUALITY, GRAPH, AUTHORS, CLASSIFY, ANCHOR
    assert {task.name for task in expected} == set(actors)
