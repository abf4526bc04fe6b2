"""What is recommended, to whom, and why."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, text, update

from service.database import transaction
from service.graph import importance
from service.graph.ranking import ranked
from service.recommendations import actions
from service.recommendations.ranking import Recommendation, recommend
from service.recommendations.tables import Interaction
from service.resources import actions as resources
from service.security.accounts import Account
from tests.recommendations.conftest import book, embedded, touch
from tests.recommendations.test_profiles import refresh
from tests.search.conftest import person

pytestmark = pytest.mark.integration


async def given(account: Account, limit: int = 25) -> list[Recommendation]:
    return (await recommend(account.id, limit))[1]


async def titles(account: Account) -> list[str]:
    return [one.title for one in await given(account)]


async def cite(citing: UUID, address: str) -> None:
    """Cite an item as the graph has resolved it, and give every item its importance."""
    row = text(
        """INSERT INTO citations (id, resource_id, position, kind, value, text, keys, target_id)
        SELECT gen_random_uuid(), :id, 0, 'url', :value, 'x', '{}', id FROM resources WHERE canonical_url = :value"""
    )
    async with transaction() as session:
        await session.execute(row, {"id": citing, "value": address})
        graph = await importance.drawn(session)
        assert graph is not None
        await importance.keep_ranks(session, graph, ranked(len(graph.ids), graph.sources, graph.targets))


async def test_what_is_near_to_what_was_touched_comes_first(ada: Account, grace: Account) -> None:
    await touch(ada, await book(grace, "Lighthouses", 1, 0.1))
    await book(grace, "Cheese", 0, 1)
    await book(grace, "Lenses", 1, 0.3)
    await book(grace, "No meaning yet")
    found = await given(ada)
    assert found[0].title == "Lenses"
    assert found[0].why == "Near to 'Lighthouses', which you annotated"
    assert {one.title for one in found} == {"Lenses", "Cheese", "No meaning yet"}
    assert found[0].score == max(one.score for one in found)


async def test_a_stored_profile_serves_like_one_that_is_made_at_once(ada: Account, grace: Account) -> None:
    await touch(ada, await book(grace, "Lighthouses", 1, 0.1, subjects=["optics"], authors=["Ada"]))
    for number in range(5):
        await book(grace, f"Book {number}", 1, number, subjects=["optics"][: number % 2])
    before = await given(ada)
    assert await refresh(ada.id)
    assert await given(ada) == before


async def test_the_same_state_gives_the_same_list(ada: Account, grace: Account) -> None:
    await touch(ada, await book(grace, "Lighthouses", 1, 0.1))
    for number in range(30):
        await book(grace, f"Book {number}", 1, number % 3)
    now = datetime.now(UTC)
    first = await recommend(ada.id, 30, now=now)
    for _ in range(3):
        assert await recommend(ada.id, 30, now=now) == first


async def test_a_list_is_not_all_of_one_kind(ada: Account, grace: Account) -> None:
    await touch(ada, await book(grace, "Lighthouses", 1, 0, 0))
    await touch(ada, await book(grace, "Ships", 0, 1, 0), "view", dwell_seconds=200)
    for number in range(3):
        await book(grace, f"Lenses {number}", 1, 0.05 + number / 1000, 0)
    await book(grace, "Sails", 0, 1, 0.05)
    assert "Sails" in (await titles(ada))[:2]


async def test_what_was_touched_is_not_recommended(ada: Account, grace: Account) -> None:
    resource_id = await book(grace, "Lighthouses", 1, 0)
    await touch(ada, resource_id, "view", days=400)
    assert await titles(ada) == []
    assert await titles(grace) == ["Lighthouses"]


async def test_ones_own_comes_back_when_it_was_read_long_ago(ada: Account) -> None:
    resource_id = await book(ada, "Lighthouses", 1, 0, days=500)
    assert await titles(ada) == ["Lighthouses"]
    await touch(ada, resource_id, "view", days=91)
    assert await titles(ada) == ["Lighthouses"]
    await touch(ada, resource_id, "view", days=89)
    assert await titles(ada) == []


async def test_another_copy_of_what_was_touched_is_not_recommended(ada: Account, grace: Account) -> None:
    first = await book(grace, "Lighthouses", 1, 0)
    same = {"content": "The text of Lighthouses."}
    async with transaction() as session:
        copy = await resources.create(session, grace, {"title": "Lighthouses again", **same}, "content")
    await embedded(copy.id, 1, 0)
    assert await titles(ada) == ["Lighthouses"]
    await touch(ada, first)
    assert await titles(ada) == []


async def test_nobody_is_recommended_what_is_anothers(ada: Account, grace: Account) -> None:
    await touch(ada, await book(ada, "Lighthouses", 1, 0))
    hidden = await book(grace, "Diary", 1, 0, private=True, subjects=["optics"])
    await touch(grace, hidden)
    mine = await book(ada, "My own", 1, 0.1, private=True)
    assert [one.id for one in await given(ada)] == [mine]
    assert hidden not in [one.id for one in await given(grace)]


async def test_what_became_private_is_neither_recommended_nor_a_reason(ada: Account, grace: Account) -> None:
    read, other = await book(grace, "Lighthouses", 1, 0), await book(grace, "Lenses", 1, 0.1)
    await touch(ada, read)
    assert await refresh(ada.id)
    assert (await given(ada))[0].why == "Near to 'Lighthouses', which you annotated"
    async with transaction() as session:
        await resources.change(session, grace, read, {"private": True})
    (left,) = await given(ada)
    assert (left.id, left.why) == (other, "Near to what you read")
    async with transaction() as session:
        await resources.change(session, grace, other, {"private": True})
    assert await given(ada) == []


async def test_a_subject_of_mine_is_a_reason(ada: Account, grace: Account) -> None:
    await touch(ada, await book(grace, "Lighthouses", subjects=["optics"]))
    await book(grace, "Cheese")
    await book(grace, "Lenses", subjects=["optics"])
    first, second = await given(ada)
    assert (first.title, first.why) == ("Lenses", "New in your subject optics")
    assert (second.title, second.why) == ("Cheese", "New in the library")


async def test_a_newcomer_is_recommended_what_is_central(ada: Account, grace: Account) -> None:
    address = "https://example.org/optics"
    central = await book(grace, "Optics", days=80, url=address, canonical_url=address)
    for number in range(110):  # more than are looked at for being new
        citing = await book(grace, f"Book {number}")
        if number >= 106:
            await cite(citing, address)
    first = (await given(ada))[0]
    assert (first.id, first.why) == (central, "Much cited here")


async def test_what_cites_it_in_secret_does_not_count(ada: Account, grace: Account) -> None:
    address = "https://example.org/optics"
    central = await book(grace, "Optics", url=address, canonical_url=address)
    for number in range(4):
        await cite(await book(grace, f"Diary {number}", private=True), address)
    (only,) = await given(ada)
    assert (only.id, only.why) == (central, "New in the library")


async def test_others_count_from_five_users_on(ada: Account, grace: Account) -> None:
    read, other, third = await book(grace, "Lighthouses"), await book(grace, "Ships"), await book(grace, "Cheese")
    await touch(ada, read)
    people = [await person(f"reader{number}") for number in range(4)]
    for one in people[:3]:
        await touch(one, read)
        await touch(one, other)
    assert {one.why for one in await given(ada)} == {"New in the library"}
    await touch(people[3], third)
    first, second = await given(ada)
    assert (first.id, first.why) == (other, "Read by others who read 'Lighthouses'")
    assert first.score > second.score


async def test_what_others_read_in_secret_stays_secret(ada: Account, grace: Account) -> None:
    read = await book(ada, "Lighthouses")
    await touch(ada, read)
    for number in range(5):
        one = await person(f"reader{number}")
        await touch(one, read)
        await touch(one, await book(one, f"Diary {number}", private=True))
    assert await given(ada) == []


async def test_what_was_dismissed_is_not_recommended(ada: Account, grace: Account) -> None:
    resource_id = await book(grace, "Lenses", 1, 0)
    await touch(ada, await book(grace, "Lighthouses", 1, 0))
    async with transaction() as session:
        await actions.dismiss(session, ada, resource_id)
    assert await given(ada) == []


async def test_what_is_still_being_read_in_is_not_recommended(ada: Account) -> None:
    async with transaction() as session:
        await resources.create(session, ada, {"title": "Soon"}, source="url", status="pending")
    assert await given(ada) == []


async def test_old_interests_fade(ada: Account, grace: Account) -> None:
    await touch(ada, await book(grace, "Lighthouses", 1, 0), days=300)
    await touch(ada, await book(grace, "Cheese", 0, 1))
    await book(grace, "Lenses", 1, 0.05)
    await book(grace, "Rennet", 0.05, 1)
    assert (await titles(ada))[0] == "Rennet"
    async with transaction() as session:
        await session.execute(update(Interaction).values(created_at=func.now() - timedelta(days=300)))
    assert set(await titles(ada)) == {"Lenses", "Rennet"}
