"""The mean embedding of a collection follows its members."""

import asyncio
import struct
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text

from service.collections import actions
from service.collections.centre import announce_stale, recenter
from service.collections.tables import CollectionEmbedding
from service.database import reading, transaction
from service.inference import DIMENSIONS, MODEL, Embedded, Passage, Vector
from service.outbox import OutboxRow
from service.queue.tables import DeadLetter
from service.resources import actions as resources
from service.search import actions as search
from service.security.accounts import Account
from service.tasks import RECENTER
from tests.search.conftest import ada, add, grace

__all__ = ["ada", "grace"]

pytestmark = pytest.mark.integration

FLOATS = struct.Struct(f"{DIMENSIONS}f")


def axis(*axes: int) -> Vector:
    """Return the unit vector between some axes."""
    return FLOATS.pack(*(len(axes) ** -0.5 if n in axes else 0.0 for n in range(DIMENSIONS)))


async def embedded(owner: Account, vector: Vector, **fields: Any) -> UUID:
    """Add a resource whose meaning is a vector."""
    resource_id = await add(owner, fields.pop("title", "x"), str(uuid4()), **fields)
    await embed(resource_id, vector)
    return resource_id


async def embed(resource_id: UUID, vector: Vector, passages: int = 1) -> None:
    async with reading() as session:
        draft = await search.drafted(session, resource_id)
    assert draft is not None
    async with transaction() as session:
        parts = [Passage(ordinal, 0, 1, "x", vector) for ordinal in range(passages)]
        whole = Embedded(parts, vector, truncated=False)
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
    return None if kept.mean is None else [round(value, 3) for value in FLOATS.unpack(kept.mean)]


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


async def test_what_cancels_out_or_has_no_text_has_no_mean(ada: Account) -> None:
    opposite = FLOATS.pack(-1.0, *[0.0] * (DIMENSIONS - 1))
    id = await collection(ada, await embedded(ada, axis(0)), await embedded(ada, opposite))
    assert await center(id)
    assert await mean(id) is None
    empty = await collection(ada, await add(ada, "x", "not embedded"))
    assert await center(empty)
    assert await mean(empty) is None


async def test_twice_and_two_at_once_give_the_same_row(ada: Account) -> None:
    id = await collection(ada, await embedded(ada, axis(0)), await embedded(ada, axis(1)))
    assert sorted(await asyncio.gather(*(center(id) for _ in range(4)))) == [False, False, False, True]
    first = await row(id)
    assert not await center(id)
    second = await row(id)
    assert first is not None
    assert second is not None
    assert (second.mean, second.computed_at) == (first.mean, first.computed_at)
    assert len(await told("collection.embedding_updated")) == 1


async def test_it_follows_additions_removals_new_texts_and_deletions(ada: Account) -> None:
    first, second, third = [await embedded(ada, axis(n)) for n in range(3)]
    id = await collection(ada, first, second)
    assert await center(id)
    async with transaction() as session:
        await actions.add(session, ada, id, [third])
    assert await center(id)
    assert (await mean(id) or [])[:3] == [0.577, 0.577, 0.577]
    async with transaction() as session:
        await actions.take_out(session, ada, id, first)
    assert await center(id)
    assert (await mean(id) or [])[:3] == [0.0, 0.707, 0.707]
    async with transaction() as session:
        await resources.change(session, ada, second, {"content": "other words"})
    await embed(second, axis(0))
    assert await center(id)
    assert (await mean(id) or [])[:3] == [0.707, 0.0, 0.707]
    async with transaction() as session:
        await resources.remove(session, ada, second)
    assert await center(id)
    assert (await mean(id) or [])[:3] == [0.0, 0.0, 1.0]


async def test_a_private_resource_counts_in_a_private_collection_of_its_owner_only(ada: Account) -> None:
    shared, hidden = await embedded(ada, axis(0)), await embedded(ada, axis(1), private=True)
    id = await collection(ada, shared, hidden)
    assert await center(id)
    assert (await mean(id) or [])[:2] == [0.707, 0.707]
    async with transaction() as session:
        await actions.change(session, ada, id, {"visibility": "shared"})
    assert await center(id)
    assert (await mean(id) or [])[:2] == [1.0, 0.0]
    async with transaction() as session:
        await resources.change(session, ada, hidden, {"private": False})
    assert [one.data for one in await told("collection.stale")] == [{"collection_id": str(id)}]
    assert await center(id)
    assert (await mean(id) or [])[:2] == [0.707, 0.707]


async def test_a_collection_that_is_gone_is_no_error(ada: Account) -> None:
    id = await collection(ada, await embedded(ada, axis(0)))
    async with transaction() as session:
        await actions.remove(session, ada, id)
    assert not await center(id)
    assert not await center(uuid4())
    assert await told("collection.embedding_updated") == []


async def test_an_event_for_everybody_names_no_private_collection(ada: Account, grace: Account) -> None:
    resource_id = await add(ada, "x", "y")
    shared = await collection(ada, resource_id, visibility="shared")
    hidden = await collection(grace, resource_id)
    await collection(grace)
    await embed(resource_id, axis(0))
    async with transaction() as session:
        await resources.remove(session, ada, resource_id)
    for name in ("embedding.generated", "resource.deleted"):
        [event] = await told(name)
        assert (event.audience, event.data["collection_ids"]) == (None, [str(shared)])
    assert [(one.data["collection_id"], one.audience) for one in await told("collection.stale")] == [
        (str(hidden), grace.id), (str(hidden), grace.id),
    ]  # fmt: skip


async def test_the_reconciler_finds_what_does_not_match_in_bounded_steps(ada: Account) -> None:
    async def step(after: UUID | None = None, most: int = 100) -> tuple[int, UUID | None]:
        async with transaction() as session:
            return await announce_stale(session, after, most)

    resource_id = await embedded(ada, axis(0))
    ids = sorted([await collection(ada, resource_id) for _ in range(5)], key=lambda id: id.bytes)
    await collection(ada)  # empty: there is nothing to compute
    assert await step() == (5, None)
    for id in ids:
        await center(id)
    assert await step() == (0, None)
    async with transaction() as session:
        await session.execute(
            text("DELETE FROM collection_resources WHERE collection_id = ANY(:ids)"), {"ids": ids[:2]}
        )
    found, after, steps = 0, None, 0
    while True:
        number, after = await step(after, 2)
        found, steps = found + number, steps + 1
        if after is None:
            break
    assert (found, steps) == (2, 4)  # the third step was full: only a fourth can tell that there is no more
    assert {one.subject for one in (await told("collection.stale"))[-2:]} == set(ids[:2])
    for id in ids[:2]:
        assert await center(id)
        assert await mean(id) is None
    assert await step() == (0, None)


async def test_what_failed_for_good_lately_is_left_alone(ada: Account) -> None:
    id = await collection(ada, await embedded(ada, axis(0)))
    letter = DeadLetter(
        task_id="x", name=RECENTER.name, queue="default", arguments={"collection_id": str(id)},
        exception="boom", attempts=4, reason="exhausted",
    )  # fmt: skip
    async with transaction() as session:
        session.add(letter)
    async with transaction() as session:
        assert await announce_stale(session) == (0, None)
