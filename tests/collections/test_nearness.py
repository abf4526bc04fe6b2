"""What is near a collection: of the asker's own and of what others share, and nothing else."""

from uuid import UUID

import pytest

from service.collections import actions, nearness
from service.database import reading, transaction
from service.security.accounts import Account
from tests.collections.test_centre import axis, center, collection, embed, embedded
from tests.search.conftest import ada, add, grace

__all__ = ["ada", "grace"]

pytestmark = pytest.mark.integration


async def similar(account: Account, id: UUID) -> list[tuple[UUID, float]]:
    async with reading() as session:
        found = await nearness.similar(session, account, id, 10)
    return [(one["id"], round(one["score"], 2)) for one in found]


async def recommended(account: Account, id: UUID, limit: int = 10) -> list[tuple[UUID, float, str]]:
    async with reading() as session:
        found = await nearness.recommended(session, account, id, limit)
    return [(one["id"], round(one["score"], 2), one["why"]) for one in found]


async def test_similar_collections_are_those_that_the_asker_may_see(ada: Account, grace: Account) -> None:
    own = await collection(ada, await embedded(ada, axis(0)), visibility="shared")
    same = await collection(ada, await embedded(ada, axis(0)))
    half = await collection(grace, await embedded(ada, axis(0, 1)), visibility="public")
    other = await collection(grace, await embedded(ada, axis(2)), visibility="shared")
    hidden = await collection(grace, await embedded(ada, axis(0)))
    empty = await collection(ada)
    assert await similar(ada, own) == []
    for id in (own, same, half, other, hidden, empty):
        await center(id)
    assert await similar(ada, own) == [(same, 1.0), (half, 0.71), (other, 0.0)]
    assert await similar(grace, own) == [(hidden, 1.0), (half, 0.71), (other, 0.0)]
    assert await similar(ada, empty) == []


async def test_recommended_is_what_is_near_not_in_it_and_no_copy(ada: Account, grace: Account) -> None:
    first, second = await embedded(ada, axis(0), title="Lamps"), await embedded(ada, axis(0, 1), title="Lights")
    near, far = await embedded(grace, axis(0, 2)), await embedded(ada, axis(5))
    hidden = await embedded(grace, axis(0), private=True)
    id = await collection(ada, first, second, visibility="shared")
    assert await recommended(ada, id) == []
    await center(id)
    [(found, score, why)] = await recommended(ada, id)
    assert (found, score) == (near, 0.65)
    assert why == "0.65 like the collection as a whole, 0.71 like “Lamps”, which is in it"
    assert [one for one, _, _ in await recommended(grace, id)] == [hidden, near]
    assert far not in [one for one, _, _ in await recommended(ada, id)]
    assert [one for one, _, _ in await recommended(grace, id, 1)] == [hidden]
    async with transaction() as session:
        await actions.add(session, ada, id, [near])
    assert await recommended(ada, id) == []


async def test_a_collection_does_not_hide_its_neighbours_by_its_own_size(ada: Account) -> None:
    member = await add(ada, "Long", "x")
    await embed(member, axis(0), passages=450)  # more than are looked at
    near = await embedded(ada, axis(0, 1))
    id = await collection(ada, member)
    await center(id)
    assert [one for one, _, _ in await recommended(ada, id)] == [near]


async def test_a_private_member_explains_nothing_to_others(ada: Account, grace: Account) -> None:
    shared = await embedded(ada, axis(0, 1), title="Shared")
    hidden = await embedded(ada, axis(0, 2), title="Hidden", private=True)
    near = await embedded(ada, axis(0))
    id = await collection(ada, shared, hidden, visibility="shared")
    await center(id)
    for account in (ada, grace):
        [(found, _, why)] = await recommended(account, id)
        assert found == near
        assert account is ada or "Hidden" not in why
