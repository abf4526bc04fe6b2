"""People, a small tree, and resources whose vectors are known."""

import struct
from collections.abc import Sequence
from uuid import UUID

import pytest
from sqlalchemy import insert, select, text

from service.database import reading, transaction
from service.inference import DIMENSIONS, MODEL, Vector
from service.search.inputs import EMBEDDING_INPUT
from service.search.vectors import to_text
from service.security.accounts import Account
from service.settings import Settings
from service.taxonomy import actions, meanings, predictions, tree
from service.taxonomy.defaults import rows
from service.taxonomy.tables import Category, Classification
from tests.inference.conftest import server, socket
from tests.search.conftest import add, person

__all__ = ["server", "socket"]

_EMBEDDED = text(
    f"""INSERT INTO embeddings (resource_id, input_hash, model, mean, chunk_count, truncated)
    SELECT r.id, {EMBEDDING_INPUT}, :model, CAST(:mean AS vector), 1, false FROM resources r WHERE r.id = :id
    ON CONFLICT (resource_id) DO UPDATE SET input_hash = excluded.input_hash, mean = excluded.mean"""
)


@pytest.fixture
async def ada(pharos: Settings) -> Account:
    return await person("ada")


@pytest.fixture
async def grace(pharos: Settings) -> Account:
    return await person("grace")


def towards(*places: int, lean: Sequence[float] | None = None) -> Vector:
    """Return the unit vector that points along these axes, each as much as `lean` says."""
    vector = [0.0] * DIMENSIONS
    for place, much in zip(places, lean or [1.0] * len(places), strict=True):
        vector[place] = much
    length = sum(value * value for value in vector) ** 0.5
    return struct.pack(f"{DIMENSIONS}f", *(value / length for value in vector))


async def plant() -> None:
    """Put in the tree that a library starts with."""
    async with transaction() as session:
        await session.execute(insert(Category), rows())


async def grow(owner: Account, *names: str, parent_id: UUID | None = None) -> list[UUID]:
    """Add categories, each with a meaning of its own: the first along axis 0, the next along axis 1, and so on."""
    made: list[UUID] = []
    for name in names:
        async with transaction() as session:
            made.append((await tree.add(session, owner, name, parent_id)).id)
    await mean()
    return made


async def mean() -> None:
    """Give every category that has no meaning the next axis, as `embed_categories` would give it a vector."""
    async with reading() as session:
        drafts = await meanings.drafted(session)
        known = await session.scalar(text("SELECT count(*) FROM categories WHERE prior IS NOT NULL")) or 0
        born = list(await session.scalars(text("SELECT id FROM categories ORDER BY created_at, id")))
    drafts.sort(key=lambda draft: born.index(draft.category_id))
    if drafts:
        async with transaction() as session:
            await meanings.keep(session, [(draft, towards(known + at)) for at, draft in enumerate(drafts)])


async def about(
    owner: Account, vector: Vector, title: str = "A text", content: str = "Words.", **fields: object
) -> UUID:
    """Add a resource with that vector."""
    resource_id = await add(owner, title, content, **fields)
    await embedded(resource_id, vector)
    return resource_id


async def embedded(resource_id: UUID, vector: Vector) -> None:
    """Let a resource have that vector."""
    async with transaction() as session:
        await session.execute(_EMBEDDED, {"id": resource_id, "model": MODEL, "mean": to_text(vector)})


async def classify(resource_id: UUID) -> bool:
    """Run what the task CLASSIFY runs; False where there was nothing to do."""
    async with reading() as session:
        draft = await predictions.drafted(session, resource_id)
    if draft is None:
        return False
    async with transaction() as session:
        kept = await predictions.keep(session, draft, draft.predictions())
    if draft.labelled:
        async with transaction() as session:
            await predictions.learn_label(session, draft.labelled)
    return kept


async def label(owner: Account, resource_id: UUID, category_id: UUID) -> None:
    async with transaction() as session:
        await actions.label(session, owner, resource_id, category_id)


async def told(owner: Account, resource_id: UUID) -> list[tuple[str, bool]]:
    """Return the paths of a resource's categories, and whether each is predicted."""
    async with reading() as session:
        found = await actions.predictions(session, owner, resource_id)
    return [(one["path"], one["is_predicted"]) for one in found["predictions"]]


async def written(resource_id: UUID) -> list[Classification]:
    """Return the rows of a resource."""
    async with reading() as session:
        chosen = select(Classification).where(Classification.resource_id == resource_id)
        return list(await session.scalars(chosen.order_by(Classification.is_predicted, Classification.rank)))
