"""A small library of items that cite one another."""

from collections.abc import Awaitable, Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text

from service.database import reading, transaction
from service.graph.actions import replace_citations
from service.graph.tables import Citation
from service.ingestion.extracted import Citation as Found
from service.queue.broker import PharosBroker
from service.resources.tables import Resource
from service.security.accounts import Account
from service.settings import Settings
from tests.actors import actors_of
from tests.search.conftest import add, person

Update = Callable[..., Awaitable[None]]


@pytest.fixture
def broker(pharos: Settings) -> Iterator[PharosBroker]:
    """A broker that knows the actors of the graph."""
    with actors_of("graph") as broker:
        yield broker


@pytest.fixture
def update(broker: PharosBroker) -> Update:
    """Runs what the task GRAPH runs."""
    import workers.graph

    async def update(*ids: UUID) -> None:
        await workers.graph.update_graph_edges([str(id) for id in ids])

    return update


@pytest.fixture
async def ada(pharos: Settings) -> Account:
    return await person("ada")


@pytest.fixture
async def ben(pharos: Settings) -> Account:
    return await person("ben")


async def item(owner: Account, title: str, *cites: tuple[str, str], **fields: Any) -> UUID:
    """Add a resource with what it cites: (kind, value)."""
    resource_id = await add(owner, title, fields.pop("content", f"The text of {title}."), **fields)
    await cite(resource_id, *cites)
    return resource_id


async def cite(resource_id: UUID, *cites: tuple[str, str]) -> None:
    """Record what a resource cites in place of what it cited before."""
    async with transaction() as session:
        await replace_citations(session, resource_id, [Found(kind, value, value) for kind, value in cites])  # type: ignore[arg-type]


async def targets(resource_id: UUID) -> list[UUID | None]:
    """Return what the citations of a resource lead to, in reading order."""
    query = select(Citation.target_id).where(Citation.resource_id == resource_id).order_by(Citation.position)
    async with reading() as session:
        return list((await session.scalars(query)).all())


async def ranks() -> dict[UUID, float]:
    async with reading() as session:
        rows = await session.execute(text("SELECT resource_id, importance FROM graph_ranks"))
        return {row.resource_id: row.importance for row in rows}


async def rows_of_graph() -> list[Any]:
    """Return every derived row, to be compared."""
    async with reading() as session:
        return [
            [tuple(row) for row in await session.execute(text(query))]
            for query in (
                "SELECT id, keys, title, target_id FROM citations ORDER BY id",
                "SELECT * FROM graph_nodes ORDER BY resource_id",
                "SELECT * FROM graph_ranks ORDER BY resource_id",
                "SELECT id, input_hash FROM graph_rankings",
            )
        ]


async def title_of(resource_id: UUID) -> str | None:
    async with reading() as session:
        return await session.scalar(select(Resource.title).where(Resource.id == resource_id))


async def emitted(name: str) -> list[dict[str, Any]]:
    """Return the data of every event of a name, in order."""
    async with reading() as session:
        rows = await session.execute(
            text("SELECT data, audience FROM outbox WHERE name = :name ORDER BY seq"), {"name": name}
        )
        return [{**row.data, "audience": row.audience} for row in rows]
