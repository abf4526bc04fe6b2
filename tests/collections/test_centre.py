"""The mean embedding of a collection follows its members."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from service.collections import actions
from service.collections.centre import recenter
from service.collections.tables import CollectionEmbedding
from service.database import reading, transaction
from service.inference import DIMENSIONS, MODEL, Embedded, Passage, Vector
from service.outbox import OutboxRow
from service.search import actions as search
from service.search.vectors import _FLOATS
from service.security.accounts import Account
from tests.search.conftest import ada, add, grace

__all__ = ["ada", "grace"]

pytestmark = pytest.mark.integration


def axis(*axes: int) -> Vector:
    """Return the unit vector between some axes."""
    return _FLOATS.pack(*(len(axes) ** -0.5 if n in axes else 0.0 for n in range(DIMENSIONS)))


async def embedded(owner: Account, vector: Vector, **fields: Any) -> UUID:
    """Add a resource whose meaning is a vector."""
    resource_id = await add(owner, "x", str(uuid4()), **fields)
    await embed(resource_id, vector)
    return resource_id


async def embed(resource_id: UUID, vector: Vector) -> None:
    async with reading() as session:
        draft = await search.drafted(session, resource_id)
    assert draft is not None
    async with transaction() as session:
        whole = Embedded([Passage(0, 0, 1, "x", vector)], vector, truncated=False)
        assert await search.keep_embedding(session, draft, whole)


async def collection(owner: Account, *ids: UUID, **fields: Any) -> UUID:
    async with transaction() as session:
        made = await actions.create(session, owner, {"name": "Lamps"} | fields)
        await actions.add(session, owner, made["id"], ids)
    return made["id"]


async def center(collection_id: UUID) -> bool:
    async with transaction() as session:
        return await recenter(session, collection_id)


async def row(collection_id: UUID) -> CollectionEmbedding | None:
    async with reading() as session:
        return await session.get(CollectionEmbedding, collection_id)


async def mean(collection_id: UUID) -> list[float] | None:
    kept = await row(collection_id)
    assert kept is not None
    return None if kept.mean is None else [round(value, 3) for value in _FLOATS.unpack(kept.mean)]


async def told(name: str) -> list[OutboxRow]:
    async with reading() as session:
        return list(await session.scalars(select(OutboxRow).where(OutboxRow.name == name).order_by(OutboxRow.seq)))


async def test_the_mean_of_three_unit_axes_is_the_diagonal_between_them(ada: Account) -> None:
    id = await collection(ada, *[await embedded(ada, axis(n)) for n in range(3)])
    assert await center(id)
    found = await mean(id)
    assert found is not None
    assert found[:4] == [0.577, 0.577, 0.577, 0.0]
    kept = await row(id)
    assert kept is not None
    assert (kept.members, kept.model) == (3, MODEL)
    assert [one.data for one in await told("collection.embedding_updated")] == [
        {"collection_id": str(id), "members": 3}
    ]
