"""People, their resources, and how good these are."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from sqlalchemy import func, select, text, update

from service.database import reading, transaction
from service.outbox import OutboxRow
from service.quality import actions
from service.quality.assessment import assess
from service.quality.tables import Quality, QualityChange
from service.resources import actions as resources
from service.resources.tables import Resource
from service.search.tables import Embedding
from service.security.accounts import Account
from service.settings import Settings
from tests.actors import Run, running
from tests.search.conftest import add, person

__all__ = ["add"]

TEXT = "The keeper of the lighthouse lights the lamp by the sea when the fog comes in. " * 25


@pytest.fixture
async def ada(pharos: Settings) -> Account:
    return await person("ada")


@pytest.fixture
async def grace(pharos: Settings) -> Account:
    return await person("grace")


@pytest.fixture
def run(pharos: Settings) -> Iterator[Run]:
    """Runs an actor of the workers here, on a broker of its own."""
    with running("quality", "maintenance") as run:
        yield run


async def drafted(resource_id: UUID) -> actions.Draft | None:
    async with reading() as session:
        return await actions.drafted(session, resource_id)


async def kept(draft: actions.Draft) -> bool:
    assessment = assess(draft.evidence)
    async with transaction() as session:
        return await actions.keep(session, draft, assessment)


async def assessed(resource_id: UUID) -> bool:
    """Run what the task QUALITY runs; tell whether something was written."""
    draft = await drafted(resource_id)
    return draft is not None and await kept(draft)


async def known(resource_id: UUID) -> Quality | None:
    async with reading() as session:
        return await session.get(Quality, resource_id)


async def row(resource_id: UUID) -> Quality:
    """Return the row of a resource, which must be there."""
    found = await known(resource_id)
    assert found is not None
    return found


async def history(resource_id: UUID) -> list[QualityChange]:
    own = select(QualityChange).where(QualityChange.resource_id == resource_id)
    async with reading() as session:
        return list(await session.scalars(own.order_by(QualityChange.recorded_at, QualityChange.id)))


async def told(name: str) -> list[OutboxRow]:
    """Return the events of a name, oldest first."""
    async with reading() as session:
        return list(await session.scalars(select(OutboxRow).where(OutboxRow.name == name).order_by(OutboxRow.seq)))


async def change(account: Account, resource_id: UUID, **fields: Any) -> None:
    async with transaction() as session:
        await resources.change(session, account, resource_id, fields)


async def correct(account: Account, resource_id: UUID, **values: float | None) -> Quality:
    async with transaction() as session:
        return await actions.correct(session, account, resource_id, values)  # pyright: ignore[reportArgumentType]


async def remove(account: Account, resource_id: UUID) -> None:
    async with transaction() as session:
        await resources.remove(session, account, resource_id)


async def mean(resource_id: UUID, *towards: float) -> None:
    """Give a resource an embedding: a unit vector whose first places are given."""
    vector = np.zeros(384, dtype=np.float32)
    vector[: len(towards)] = towards
    unit = (vector / np.linalg.norm(vector)).tobytes()
    async with transaction() as session:
        old = await session.get(Embedding, resource_id)
        if old is not None:
            await session.delete(old)
            await session.flush()
        input_hash = str(towards)
        session.add(
            Embedding(
                resource_id=resource_id, input_hash=input_hash, model="m", mean=unit, chunk_count=1, truncated=False
            )
        )


async def age_all(by: timedelta = timedelta(hours=1)) -> None:
    async with transaction() as session:
        await session.execute(update(Resource).values(updated_at=func.now() - by))


async def pass_days(days: int) -> None:
    """Let what is in the history have happened so many days earlier."""
    async with transaction() as session:
        moved = text("UPDATE quality_history SET recorded_at = recorded_at - make_interval(days => :days)")
        await session.execute(moved, {"days": days})
        reviews = "opened_at = opened_at - i, settled_at = settled_at - i FROM make_interval(days => :days) i"
        await session.execute(text(f"UPDATE quality_reviews SET {reviews}"), {"days": days})


def years_ago(years: float) -> datetime:
    return datetime.now(UTC) - timedelta(days=365.25 * years)
