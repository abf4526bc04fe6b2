"""People, their resources, and how good these are."""

from typing import Any
from uuid import UUID

import pytest

from service.database import reading, transaction
from service.quality import actions
from service.quality.assessment import assess
from service.quality.tables import Quality
from service.resources import actions as resources
from service.security.accounts import Account
from service.settings import Settings
from tests.search.conftest import add, person

__all__ = ["add"]

TEXT = "The keeper of the lighthouse lights the lamp by the sea when the fog comes in. " * 25


@pytest.fixture
async def ada(pharos: Settings) -> Account:
    return await person("ada")


@pytest.fixture
async def grace(pharos: Settings) -> Account:
    return await person("grace")


async def assessed(resource_id: UUID) -> bool:
    """Run what the task QUALITY runs; tell whether something was written."""
    async with reading() as session:
        draft = await actions.drafted(session, resource_id)
    if draft is None:
        return False
    assessment = assess(draft.evidence)
    async with transaction() as session:
        return await actions.keep(session, draft, assessment)


async def row(resource_id: UUID) -> Quality:
    """Return the row of a resource, which must be there."""
    async with reading() as session:
        found = await session.get(Quality, resource_id)
    assert found is not None
    return found


async def change(account: Account, resource_id: UUID, **fields: Any) -> None:
    async with transaction() as session:
        await resources.change(session, account, resource_id, fields)


async def remove(account: Account, resource_id: UUID) -> None:
    async with transaction() as session:
        await resources.remove(session, account, resource_id)
