"""A library with everything derived, made by the workers' own tasks in the test's process."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

import workers.inline
from service import database
from service.annotations import actions as annotations
from service.collections import actions as collections
from service.database import Session, reading, transaction
from service.queue import Task
from service.queue.broker import PharosBroker
from service.recommendations import actions as recommendations
from service.resources import actions as resources
from service.security.accounts import Account
from service.settings import Settings
from service.tasks import QUALITY, RECONCILE
from service.taxonomy import tree
from tests.inference.conftest import server
from tests.model_server import ModelServer
from tests.queue.conftest import actors, broker
from tests.search.conftest import person

__all__ = ["actors", "broker", "server"]

KINDS = ["lamp", "harbour", "reef", "storm", "sail", "keeper", "bell", "tide", "rope", "chart"]

# What is computed from something else, and the columns that say when.
DERIVED = {
    "search_documents": {"indexed_at", "weights"},  # measured against the mean length of the moment
    "search_terms": set[str](),
    "search_corpora": set[str](),
    "chunks": set[str](),
    "embeddings": {"computed_at"},
    "quality": {"computed_at"},
    "categories": {"revision"},
    "classifications": {"classified_at", "model"},
    "citations": set[str](),
    "citation_readings": set[str](),
    "passages": set[str](),
    "quizzes": {"completed_at"},
    "quiz_questions": set[str](),
    "graph_nodes": set[str](),
    "graph_ranks": set[str](),
    "authors": {"created_at"},
    "author_variants": set[str](),
    "author_links": set[str](),
    "author_readings": {"read_at"},
    "annotations": {"updated_at"},
    "collection_embeddings": {"computed_at"},
    "recommendation_profiles": {"computed_at"},
    "signatures": set[str](),
    "ingestions": set[str](),
    "documents": set[str](),
    "resources": {"updated_at"},
    "quality_reviews": {"opened_at"},
    "classification_models": {"trained_at"},
    "dead_letters": set[str](),
}


@pytest.fixture
async def ada(pharos: Settings) -> Account:
    return await person("ada")


@dataclass(frozen=True)
class Process:
    """The workers' tasks in this process: `run` runs one by its name, `settle` what committed events ask for."""

    broker: PharosBroker
    settle: Callable[[float], Awaitable[None]]
    ran: list[str]

    async def run(self, task: Task, **arguments: object) -> Any:
        return await self.broker.actors[task.name](**arguments)

    async def reconcile(self) -> dict[str, int]:
        """Run one pass of the reconciler, as if all had rested for an hour, and all that it asks for."""
        async with transaction() as session:
            for table, column in (("resources", "updated_at"), ("interaction_counts", "last_at")):
                past = "now() - interval '1 hour'"
                await session.execute(text(f"UPDATE {table} SET {column} = {past} WHERE {column} > {past}"))
        found: dict[str, int] = await self.run(RECONCILE)
        await self.settle(300)
        return {name: number for name, number in found.items() if number}


@pytest.fixture
async def process(
    pharos: Settings, broker: PharosBroker, actors: list[str], server: ModelServer
) -> AsyncIterator[Process]:
    await database.disconnect()
    async with workers.inline.pharos() as settle:
        yield Process(broker, settle, actors)
    await database.connect("test", 5, 10)


def address(number: int) -> str:
    return f"https://island.example/{KINDS[number % len(KINDS)]}/{number}"


async def write(session: Session, ada: Account, number: int) -> UUID:
    """Add a short text about one of ten things, by one of its authors, in the words of no other."""
    kind = KINDS[number % len(KINDS)]
    fields: dict[str, Any] = {
        "title": f"The {kind} of year {number}",
        "content": f"In year {number} the {kind} was mended by {number % 7} people. They wrote down how the {kind} "
        f"of the island did, what it cost ({number * 3} pounds), and who looked after it until year {number + 1}."
        + "".join(f" See {address(one)}." for one in (number - 1, number - 2) if one >= 0),
        "url": address(number),
        "language": "en",
        "authors": [f"Keeper, {chr(65 + number % 26)}."],
        "subjects": [kind],
    }
    return (await resources.create(session, ada, fields, source="content")).id


async def library(ada: Account, process: Process, size: int) -> list[UUID]:
    """Fill a library with texts that cite the two before them, a collection, annotations and interactions."""
    ids: list[UUID] = []
    while len(ids) < size:
        async with transaction() as session:
            for _ in range(min(50, size - len(ids))):
                ids.append(await write(session, ada, len(ids)))
    async with transaction() as session:
        for kind in KINDS[:5]:
            await tree.add(session, ada, f"{kind} and what is like it")
        shelf = (await collections.create(session, ada, {"name": "Shelf", "visibility": "private"}))["id"]
        await collections.add(session, ada, shelf, ids[:5])
        for id in ids[:12]:
            await recommendations.track(session, ada.id, id, "download")
        for id in ids[:3]:
            await annotations.create(session, ada, id, {"start": 0, "end": 12, "note": "when"})
    await process.settle(60 + size)
    for id in ids:  # what is measured against the library was measured while that still grew
        await process.run(QUALITY, resource_id=id)
    await process.settle(60)
    found: dict[str, int] = {}
    for _ in range(5):  # what depends on the whole library is made again as this grows
        if not (found := await process.reconcile()):
            return ids
    raise AssertionError(found)


async def rows(*, without_time: bool = True, versions: bool = False) -> dict[str, list[str]]:
    """Return every derived row as text, by table; `versions`: with what PostgreSQL changes whenever it is written."""
    dumped: dict[str, list[str]] = {}
    async with reading() as session:
        for table, times in DERIVED.items():
            found = await session.execute(text(f"SELECT {'xmin::text AS written, ' if versions else ''}* FROM {table}"))
            dumped[table] = sorted(
                str({name: value for name, value in row.items() if not (without_time and name in times)})
                for row in found.mappings()
            )
    return dumped
