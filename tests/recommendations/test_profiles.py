"""Profiles: made of what is stored, once, and found when they are behind."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import delete, func, select, text, update

from service.database import reading, transaction
from service.queue.tables import DeadLetter
from service.recommendations import profiles
from service.recommendations.interests import interests
from service.recommendations.tables import Interaction, InteractionCount, RecommendationProfile
from service.resources import actions as resources
from service.resources.tables import Resource
from service.security.accounts import Account, change_user
from service.security.tables import User
from service.tasks import PROFILE
from tests.recommendations.conftest import book, embedded, settled, told, touch, vector

pytestmark = pytest.mark.integration


async def refresh(account_id: UUID) -> bool:
    """Run what the task PROFILE runs; tell whether anything was written."""
    async with reading() as session:
        draft = await profiles.gather(session, account_id)
    if draft is None:
        return False
    async with transaction() as session:
        if draft.is_known:
            await profiles.note(session, draft)
            return False
        return await profiles.keep(session, draft, interests(draft.touched, draft.vectors))


async def stored(account: Account) -> RecommendationProfile | None:
    async with reading() as session:
        return await session.get(RecommendationProfile, account.id)


async def stale(**given: Any) -> int:
    async with transaction() as session:
        return await profiles.announce_stale(session, PROFILE.name, **given)


async def test_a_profile_is_the_weighted_mean_of_what_was_touched(ada: Account, grace: Account) -> None:
    await touch(ada, await book(grace, "Lenses", 1, 0, subjects=["optics"], authors=["Ibn Sahl"]), "annotation")
    await touch(ada, await book(grace, "Ships", 0, 1, subjects=["sea"]), "annotation", days=30)
    await touch(ada, await book(grace, "Unread yet", subjects=["sea"]), "view")
    assert await refresh(ada.id)
    made = await stored(ada)
    assert made is not None
    assert made.centre == pytest.approx(vector(0.7, 0.35), abs=1e-6)
    assert made.subjects == {"optics": pytest.approx(0.7 / 1.15, abs=1e-6), "sea": pytest.approx(0.45 / 1.15, abs=1e-6)}
    assert made.authors == {"Ibn Sahl": pytest.approx(0.7 / 1.15, abs=1e-6)}
    assert (made.total, made.resources) == (3, 3)


async def test_a_second_refresh_changes_nothing_and_tells_nothing(ada: Account, grace: Account) -> None:
    await touch(ada, await book(grace, "Lenses", 1, 0))
    assert await refresh(ada.id)
    first = await stored(ada)
    assert not await refresh(ada.id)
    again = await stored(ada)
    assert first is not None
    assert again is not None
    assert (again.computed_at, again.centre) == (first.computed_at, first.centre)
    assert [row.data for row in await told("user.profile_updated")] == [{"user_id": str(ada.id)}]
    assert [row.audience for row in await told("user.profile_updated")] == [ada.id]


async def test_two_at_once_leave_one_row_and_one_event(ada: Account, grace: Account) -> None:
    await touch(ada, await book(grace, "Lenses", 1, 0))
    async with reading() as session:
        drafts = [await profiles.gather(session, ada.id) for _ in range(2)]

    async def keep(draft: profiles.Draft | None) -> bool:
        assert draft is not None
        async with transaction() as session:
            return await profiles.keep(session, draft, interests(draft.touched, draft.vectors))

    assert sorted(await asyncio.gather(*map(keep, drafts))) == [False, True]
    assert len(await told("user.profile_updated")) == 1
    async with reading() as session:
        assert await session.scalar(select(func.count()).select_from(RecommendationProfile)) == 1


async def test_the_slower_of_two_does_not_overwrite_the_newer(ada: Account, grace: Account) -> None:
    await touch(ada, await book(grace, "Lenses", 1, 0))
    async with reading() as session:
        slow = await profiles.gather(session, ada.id)
    assert slow is not None
    await touch(ada, await book(grace, "Ships", 0, 1))
    assert await refresh(ada.id)
    async with transaction() as session:
        assert not await profiles.keep(session, slow, interests(slow.touched, slow.vectors))
    made = await stored(ada)
    assert made is not None
    assert made.total == 2


async def test_a_change_of_any_input_is_taken_in(ada: Account, grace: Account) -> None:
    resource_id = await book(grace, "Lenses", 1, 0)
    await touch(ada, resource_id)
    assert await refresh(ada.id)
    await embedded(resource_id, 0, 1)
    assert await refresh(ada.id)
    async with transaction() as session:
        await resources.change(session, grace, resource_id, {"subjects": ["optics"]})
    assert await refresh(ada.id)
    await touch(ada, resource_id, "view")
    assert await refresh(ada.id)
    assert not await refresh(ada.id)


async def test_a_resource_that_is_deleted_while_the_task_waits_is_left_out(ada: Account, grace: Account) -> None:
    kept, gone = await book(grace, "Lenses", 1, 0), await book(grace, "Ships", 0, 1)
    await touch(ada, kept)
    await touch(ada, gone)
    async with transaction() as session:
        await resources.remove(session, grace, gone)
    assert await refresh(ada.id)
    made = await stored(ada)
    assert made is not None
    assert (made.centre, made.resources, made.total) == (pytest.approx(vector(1, 0)), 1, 2)


async def test_what_became_anothers_private_thing_is_left_out(ada: Account, grace: Account) -> None:
    resource_id = await book(grace, "Lenses", 1, 0, subjects=["optics"])
    await touch(ada, resource_id)
    async with transaction() as session:
        await resources.change(session, grace, resource_id, {"private": True})
    assert await refresh(ada.id)
    made = await stored(ada)
    assert made is not None
    assert (made.centre, made.subjects, made.resources) == (None, {}, 0)


async def test_without_any_embedding_there_is_a_profile_of_subjects(ada: Account, grace: Account) -> None:
    await touch(ada, await book(grace, "Lenses", subjects=["optics"]))
    assert await refresh(ada.id)
    made = await stored(ada)
    assert made is not None
    assert (made.centre, made.subjects) == (None, {"optics": 1.0})


@pytest.mark.parametrize("moment", ["before", "meanwhile"])
@pytest.mark.parametrize("fate", ["disabled", "deleted"])
async def test_who_is_gone_gets_no_profile(ada: Account, grace: Account, fate: str, moment: str) -> None:
    await touch(ada, await book(grace, "Lenses", 1, 0))
    async with reading() as session:
        draft = await profiles.gather(session, ada.id)
    assert draft is not None
    async with transaction() as session:
        if fate == "disabled":
            await change_user(session, ada.id, disabled=True)
        else:
            await session.execute(delete(User).where(User.id == ada.id))
    if moment == "meanwhile":
        async with transaction() as session:
            assert not await profiles.keep(session, draft, interests(draft.touched, draft.vectors))
    else:
        assert not await refresh(ada.id)
    assert await stored(ada) is None
    assert await told("user.profile_updated") == []


async def test_nobody_gets_no_profile(ada: Account) -> None:
    assert not await refresh(ada.id)
    assert not await refresh(uuid4())


async def test_what_was_forgotten_meanwhile_does_not_come_back(ada: Account, grace: Account) -> None:
    resource_id = await book(grace, "Lenses", 1, 0)
    await touch(ada, resource_id)
    async with reading() as session:
        draft = await profiles.gather(session, ada.id)
    assert draft is not None
    async with transaction() as session:
        await profiles.forget(session, ada.id)
    await touch(ada, resource_id)
    async with transaction() as session:
        assert not await profiles.keep(session, draft, interests(draft.touched, draft.vectors))
    assert await stored(ada) is None


@asynccontextmanager
async def done_ten_times(ada: Account, resource_id: UUID) -> AsyncGenerator[None]:
    for _ in range(9):
        await touch(ada, resource_id, "view")
    await settled(ada)
    assert await stale() == 0
    await touch(ada, resource_id, "view")
    yield


async def test_a_profile_that_ten_interactions_are_not_in_is_asked_for(ada: Account, grace: Account) -> None:
    resource_id = await book(grace, "Lenses", 1, 0)
    async with done_ten_times(ada, resource_id):
        assert await stale() == 0  # its task is on its way
    await settled(ada)
    assert await stale() == 1
    assert [(row.data, row.audience) for row in await told("user.profile_stale")] == [
        ({"user_id": str(ada.id)}, ada.id)
    ]
    assert await refresh(ada.id)
    await settled(ada)
    assert await stale() == 0


async def test_interactions_that_are_gone_are_not_asked_for_again_and_again(ada: Account, grace: Account) -> None:
    kept, gone = await book(grace, "Lenses", 1, 0), await book(grace, "Ships", 0, 1)
    await touch(ada, kept, days=1)
    assert await refresh(ada.id)
    for _ in range(10):
        await touch(ada, gone, "view")
    async with transaction() as session:
        await resources.remove(session, grace, gone)
    await settled(ada)
    assert await stale() == 1
    assert not await refresh(ada.id)
    assert await stale() == 0
    assert len(await told("user.profile_updated")) == 1


async def test_what_is_hopeless_or_nobodys_is_not_asked_for(ada: Account, grace: Account) -> None:
    async with done_ten_times(ada, await book(grace, "Lenses")):
        pass
    async with transaction() as session:
        letter = DeadLetter(
            task_id="x", name=PROFILE.name, queue="batch", arguments={"user_id": str(ada.id)}, exception="boom",
            attempts=4, reason="exhausted",
        )  # fmt: skip
        session.add(letter)
    await settled(ada)
    assert await stale() == 0
    async with transaction() as session:
        await session.execute(delete(DeadLetter))
        await change_user(session, ada.id, disabled=True)
    assert await stale() == 0
    async with transaction() as session:
        await change_user(session, ada.id, disabled=False)
    assert await stale() == 1


async def test_the_reconciler_goes_in_steps(ada: Account, grace: Account) -> None:
    async with transaction() as session:
        for account in (ada, grace):
            session.add(InteractionCount(user_id=account.id, total=10))
        await session.flush()
        await session.execute(update(InteractionCount).values(last_at=func.now() - text("interval '1 hour'")))
    assert await stale(limit=1) == 1
    assert await stale(limit=5) == 2


async def test_interactions_at_once_have_each_their_number(ada: Account, grace: Account) -> None:
    resource_id = await book(grace, "Lenses")
    totals = await asyncio.gather(*(touch(ada, resource_id, "view") for _ in range(12)))
    assert sorted(total or 0 for total in totals) == list(range(1, 13))
    numbers = [row.data["total_interactions"] for row in await told("user.interaction_tracked")]
    assert sorted(numbers) == list(range(1, 13))


async def test_only_the_last_five_hundred_are_looked_at(ada: Account, grace: Account) -> None:
    old, new = await book(grace, "Old", 1, 0), await book(grace, "New", 0, 1)
    await touch(ada, old)
    many = text(
        """INSERT INTO interactions (user_id, resource_id, interaction_type, strength)
        SELECT :user, :resource, 'view', .1 FROM generate_series(1, 500)"""
    )
    async with transaction() as session:
        await session.execute(many, {"user": ada.id, "resource": new})
    assert await refresh(ada.id)
    made = await stored(ada)
    assert made is not None
    assert (made.resources, made.centre) == (1, pytest.approx(vector(0, 1)))


async def test_deleting_resource_or_user_leaves_nothing(ada: Account, grace: Account) -> None:
    await touch(ada, await book(grace, "Lenses", 1, 0))
    assert await refresh(ada.id)
    async with transaction() as session:
        await session.execute(delete(User).where(User.id == ada.id))
    async with reading() as session:
        for table in (Interaction, InteractionCount, RecommendationProfile):
            assert await session.scalar(select(func.count()).select_from(table)) == 0
        assert await session.scalar(select(func.count()).select_from(Resource)) == 1
