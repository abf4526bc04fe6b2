"""Resources by people of whom some are the same."""

from collections.abc import Awaitable, Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from service.authors import actions
from service.authors.actions import Profile
from service.database import reading
from service.security.accounts import Account
from service.settings import Settings
from service.tasks import AUTHORS
from tests.actors import running
from tests.search.conftest import add, person

Normalize = Callable[[UUID], Awaitable[None]]
By = Callable[..., Awaitable[UUID]]


@pytest.fixture
def normalize(pharos: Settings) -> Iterator[Normalize]:
    """Runs the actor of AUTHORS."""
    with running("authors") as run:

        async def normalize(resource_id: UUID) -> None:
            await run(AUTHORS, str(resource_id))

        yield normalize


@pytest.fixture
async def ada(pharos: Settings) -> Account:
    return await person("ada")


@pytest.fixture
async def ben(pharos: Settings) -> Account:
    return await person("ben")


@pytest.fixture
def by(ada: Account, normalize: Normalize) -> By:
    """Adds a resource by these people, and normalizes them."""

    async def by(*authors: str, owner: Account | None = None, **fields: Any) -> UUID:
        resource_id = await add(owner or ada, f"By {len(authors)}", "A text.", authors=list(authors), **fields)
        await normalize(resource_id)
        return resource_id

    return by


async def links(resource_id: UUID) -> list[Any]:
    """Return who wrote a resource, in order: author_id, name, basis."""
    async with reading() as session:
        query = text(
            "SELECT author_id, name, written, basis FROM author_links WHERE resource_id = :id ORDER BY position"
        )
        return list(await session.execute(query, {"id": resource_id}))


async def author(resource_id: UUID) -> UUID:
    """Return the only author of a resource."""
    [link] = await links(resource_id)
    return link.author_id


async def profile(account: Account, author_id: UUID) -> Profile:
    async with reading() as session:
        return await actions.read(session, account, author_id)


async def rows() -> list[Any]:
    """Return every derived row, to be compared."""
    async with reading() as session:
        return [
            [tuple(row) for row in await session.execute(text(query))]
            for query in (
                "SELECT * FROM authors ORDER BY id",
                "SELECT * FROM author_variants ORDER BY author_id, heading",
                "SELECT * FROM author_links ORDER BY resource_id, position",
                "SELECT resource_id, input_hash FROM author_readings ORDER BY resource_id",
            )
        ]
