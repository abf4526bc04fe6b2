"""People, resources with vectors that a test chooses, and what people did with them."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from math import sqrt
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import func, select, text, update

from service.database import reading, transaction
from service.inference import DIMENSIONS, MODEL
from service.outbox import OutboxRow
from service.recommendations import actions
from service.recommendations.events import InteractionType
from service.recommendations.tables import Interaction, InteractionCount
from service.resources.tables import Resource
from service.security.accounts import Account
from tests.search.conftest import add, person

Person = Callable[..., Awaitable[httpx.AsyncClient]]

_EMBEDDING = text(
    """INSERT INTO embeddings (resource_id, input_hash, model, mean, chunk_count, truncated)
    VALUES (:id, md5(:vector), :model, CAST(:vector AS vector), 1, false)
    ON CONFLICT (resource_id) DO UPDATE SET input_hash = excluded.input_hash, mean = excluded.mean"""
)
_CHUNK = text(
    """INSERT INTO chunks (resource_id, ordinal, start, "end", text, embedding)
    VALUES (:id, 0, 0, 1, 'x', CAST(:vector AS halfvec)) ON CONFLICT (resource_id, ordinal) DO NOTHING"""
)


@pytest.fixture
async def ada(pharos: object) -> Account:
    return await person("ada")


@pytest.fixture
async def grace(pharos: object) -> Account:
    return await person("grace")


def vector(*leading: float) -> list[float]:
    """Return a unit vector that begins in this direction; the rest are zeros."""
    length = sqrt(sum(value * value for value in leading))
    return [value / length for value in leading] + [0.0] * (DIMENSIONS - len(leading))


async def embedded(resource_id: UUID, *leading: float) -> None:
    """Give a resource a meaning."""
    written = "[" + ",".join(map(str, vector(*leading))) + "]"
    async with transaction() as session:
        await session.execute(_EMBEDDING, {"id": resource_id, "vector": written, "model": MODEL})
        await session.execute(_CHUNK, {"id": resource_id, "vector": written})


async def book(owner: Account, title: str, *leading: float, days: float = 0, **fields: Any) -> UUID:
    """Add a resource with a meaning, if one is given, that many days ago."""
    resource_id = await add(owner, title, f"The text of {title}.", **fields)
    if leading:
        await embedded(resource_id, *leading)
    if days:
        then = func.now() - timedelta(days=days)
        async with transaction() as session:
            await session.execute(update(Resource).where(Resource.id == resource_id).values(created_at=then))
    return resource_id


async def touch(
    account: Account, resource_id: UUID, kind: InteractionType = "annotation", days: float = 0, **fields: Any
) -> int | None:
    """Have an account do something with a resource, that many days ago."""
    async with transaction() as session:
        total = await actions.track(session, account.id, resource_id, kind, **fields)
        if days:
            last = select(func.max(Interaction.id)).scalar_subquery()
            then = func.now() - timedelta(days=days)
            await session.execute(update(Interaction).where(Interaction.id == last).values(created_at=then))
    return total


async def settled(account: Account) -> None:
    """Let it be a while since the account did something."""
    async with transaction() as session:
        await session.execute(
            update(InteractionCount)
            .where(InteractionCount.user_id == account.id)
            .values(last_at=func.now() - timedelta(hours=1))
        )


async def told(name: str) -> list[OutboxRow]:
    """Return the events of that name that nobody has carried on yet."""
    async with reading() as session:
        return list(await session.scalars(select(OutboxRow).where(OutboxRow.name == name).order_by(OutboxRow.seq)))
