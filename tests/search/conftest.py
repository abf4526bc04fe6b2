"""People, their resources, and what makes these findable."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from service.database import reading, transaction
from service.inference import embed_passages
from service.outbox import OutboxRow
from service.resources import actions as resources
from service.search import actions
from service.security.accounts import Account, create_user
from service.security.permissions import ROLES
from service.settings import Settings
from tests.inference.conftest import server, socket

__all__ = ["server", "socket"]

Add = Callable[..., Awaitable[UUID]]


async def person(name: str) -> Account:
    """Make an account."""
    async with transaction() as session:
        user = await create_user(session, name, "editor")
    return Account(user.id, name, "editor", ROLES["editor"])


@pytest.fixture
async def ada(pharos: Settings) -> Account:
    return await person("ada")


@pytest.fixture
async def grace(pharos: Settings) -> Account:
    return await person("grace")


async def add(owner: Account, title: str, content: str, **fields: Any) -> UUID:
    """Add a resource, as yet unfindable."""
    given = {"language": "en", "title": title, "content": content} | fields
    async with transaction() as session:
        return (await resources.create(session, owner, given, source="content")).id


async def index(resource_id: UUID) -> bool:
    """Run what the task INDEX runs."""
    async with transaction() as session:
        return await actions.index(session, resource_id)


async def embed(resource_id: UUID) -> bool:
    """Run what the task EMBED runs."""
    async with reading() as session:
        draft = await actions.drafted(session, resource_id)
    if draft is None:
        return False
    embedded = await embed_passages(draft.title, draft.content)
    async with transaction() as session:
        return await actions.keep_embedding(session, draft, embedded)


async def findable(owner: Account, title: str, content: str, **fields: Any) -> UUID:
    """Add a resource that words find."""
    resource_id = await add(owner, title, content, **fields)
    assert await index(resource_id)
    return resource_id


async def meaningful(owner: Account, title: str, content: str, **fields: Any) -> UUID:
    """Add a resource that words and meaning find."""
    resource_id = await findable(owner, title, content, **fields)
    assert await embed(resource_id)
    return resource_id


async def told(name: str) -> list[OutboxRow]:
    """Return the events of a name that wait to be carried on."""
    async with reading() as session:
        return list(await session.scalars(select(OutboxRow).where(OutboxRow.name == name).order_by(OutboxRow.seq)))
