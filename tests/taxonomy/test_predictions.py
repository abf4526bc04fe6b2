"""Predictions: made from what the resource is now, once, told of, and never over what a person said."""

import asyncio
from time import process_time
from uuid import uuid4

import pytest
from sqlalchemy import func, select, text, update

from service.database import reading, transaction
from service.inference import embed_passages
from service.outbox import OutboxRow
from service.queue.tables import DeadLetter
from service.resources import actions as resources
from service.resources.tables import Resource
from service.security.accounts import Account
from service.taxonomy import meanings, predictions, tree
from service.taxonomy.tables import Category
from tests.model_server import ModelServer
from tests.search.conftest import add, embed
from tests.taxonomy.conftest import about, classify, embedded, grow, label, mean, plant, told, towards, written

pytestmark = pytest.mark.integration


async def announced() -> list[OutboxRow]:
    async with reading() as session:
        named = select(OutboxRow).where(OutboxRow.name == "resource.classified").order_by(OutboxRow.seq)
        return list(await session.scalars(named))


async def stale(limit: int = 2000) -> int:
    async with transaction() as session:
        await session.execute(update(Resource).values(updated_at=func.now() - text("interval '1 hour'")))
    async with transaction() as session:
        return await predictions.announce_stale(session, limit)


async def test_the_nearest_categories_are_predicted_without_any_label(ada: Account) -> None:
    await grow(ada, "Sea", "Sky", "Earth", "Fire", "Ice", "Wood")
    resource_id = await about(ada, towards(1, 0, lean=[3, 1]))
    assert await classify(resource_id)
    rows = await written(resource_id)
    assert [row.rank for row in rows] == [0, 1, 2, 3, 4]
    assert [path for path, _ in await told(ada, resource_id)][:2] == ["sky", "sea"]
    assert rows[0].confidence > 0.9
    assert [row.assigned for row in rows] == [True, False, False, False, False]
    assert {(row.input_hash != "", row.model) for row in rows} == {(True, rows[0].model)}


async def test_it_is_told_once_and_only_when_something_changed(ada: Account) -> None:
    sea, _ = await grow(ada, "Sea", "Sky")
    resource_id = await about(ada, towards(0))
    assert await classify(resource_id)
    assert not await classify(resource_id)
    assert [row.data for row in await announced()] == [{"resource_id": str(resource_id), "taxonomy_ids": [str(sea)]}]
    async with transaction() as session:
        await predictions.discard(session, resource_id)
    assert await classify(resource_id)
    assert len(await announced()) == 1


async def test_two_at_once_leave_the_rows_of_one(ada: Account) -> None:
    await grow(ada, "Sea", "Sky")
    resource_id = await about(ada, towards(0, 1))
    await asyncio.gather(*(classify(resource_id) for _ in range(4)))
    assert [(row.rank, row.is_predicted) for row in await written(resource_id)] == [(0, True), (1, True)]
    assert len(await announced()) == 1


async def test_a_changed_text_is_classified_anew_and_an_old_draft_is_not_kept(ada: Account) -> None:
    await grow(ada, "Sea", "Sky")
    resource_id = await about(ada, towards(0))
    async with reading() as session:
        draft = await predictions.drafted(session, resource_id)
    assert draft is not None
    async with transaction() as session:
        await resources.change(session, ada, resource_id, {"content": "Clouds."})
    await embedded(resource_id, towards(1))
    async with transaction() as session:
        assert not await predictions.keep(session, draft, draft.predictions())
    assert await classify(resource_id)
    assert (await told(ada, resource_id))[0] == ("sky", True)


async def test_without_an_embedding_or_a_category_there_is_nothing_to_do(ada: Account) -> None:
    resource_id = await add(ada, "Sea", "Waves.")
    assert not await classify(resource_id)
    await embedded(resource_id, towards(0))
    assert not await classify(resource_id)
    assert not await classify(uuid4())
    assert await stale() == 0
    await grow(ada, "Sea")
    assert await stale() == 1
    assert await classify(resource_id)


async def test_a_resource_that_is_deleted_meanwhile_is_no_error(ada: Account) -> None:
    await grow(ada, "Sea")
    resource_id = await about(ada, towards(0))
    async with reading() as session:
        draft = await predictions.drafted(session, resource_id)
    assert draft is not None
    async with transaction() as session:
        await resources.remove(session, ada, resource_id)
    async with transaction() as session:
        assert not await predictions.keep(session, draft, draft.predictions())
    assert await written(resource_id) == []


async def test_a_category_that_is_deleted_meanwhile_is_left_out_and_the_rest_done_again(ada: Account) -> None:
    sea, sky = await grow(ada, "Sea", "Sky")
    resource_id = await about(ada, towards(0))
    async with reading() as session:
        draft = await predictions.drafted(session, resource_id)
    assert draft is not None
    async with transaction() as session:
        await tree.remove(session, ada, sea)
    async with transaction() as session:
        assert await predictions.keep(session, draft, draft.predictions())
    assert [row.category_id for row in await written(resource_id)] == [sky]
    assert await stale() == 1
    assert await classify(resource_id)
    assert [(row.category_id, row.confidence) for row in await written(resource_id)] == [(sky, 1)]


async def test_what_was_deleted_with_its_category_is_found_and_predicted_anew(ada: Account) -> None:
    sea, sky = await grow(ada, "Sea", "Sky")
    resource_id = await about(ada, towards(0))
    await classify(resource_id)
    assert await stale() == 0
    async with transaction() as session:
        await tree.remove(session, ada, sea)
    assert await stale() == 1
    await classify(resource_id)
    assert [row.category_id for row in await written(resource_id)] == [sky]


async def test_a_new_meaning_makes_every_prediction_stale_in_bounded_steps(ada: Account) -> None:
    await grow(ada, "Sea", "Sky")
    for _ in range(3):
        await classify(await about(ada, towards(0)))
    assert await stale() == 0
    async with transaction() as session:
        await tree.add(session, ada, "Fire")
    assert await stale() == 0
    await mean()
    assert await stale(limit=2) == 2
    assert await stale() == 3


async def test_what_failed_for_good_is_left_alone(ada: Account) -> None:
    await grow(ada, "Sea")
    resource_id = await about(ada, towards(0))
    assert await stale() == 1
    async with transaction() as session:
        session.add(
            DeadLetter(
                id=uuid4(), task_id=str(uuid4()), name="classify_resource", queue="ml_tasks",
                arguments={"resource_id": str(resource_id)}, exception="OSError", attempts=3, reason="exhausted",
            )
        )  # fmt: skip
    assert await stale() == 0


async def test_a_private_resource_is_told_to_its_owner_only(ada: Account) -> None:
    await grow(ada, "Sea")
    await classify(await about(ada, towards(0), private=True))
    assert [row.audience for row in await announced()] == [ada.id]


async def test_a_label_given_before_the_embedding_is_learnt_with_it(ada: Account) -> None:
    sea, _ = await grow(ada, "Sea", "Sky")
    resource_id = await add(ada, "Odd", "Words.")
    await label(ada, resource_id, sea)
    await embedded(resource_id, towards(7))
    assert await classify(resource_id)
    async with reading() as session:
        known = await session.get_one(Category, sea)
    assert (known.label_count, known.centroid) == (1, towards(7))


async def test_the_real_model_reads_the_default_tree(ada: Account, server: ModelServer) -> None:
    await plant()
    async with reading() as session:
        drafts = await meanings.drafted(session)
    made = [(draft, (await embed_passages(draft.title, draft.text)).mean) for draft in drafts]
    async with transaction() as session:
        assert await meanings.keep(session, made) == len(drafts)
    texts = {
        "computing/databases": ("SQL joins", "How a query planner chooses an index for a join of two tables."),
        "leisure/food-and-drink": ("Risotto", "Stir the rice in butter, add wine, then stock, and finish with cheese."),
        "physics/astronomy": ("Saturn", "The rings of the planet are made of ice; a probe photographed its moons."),
    }
    for path, (title, content) in texts.items():
        resource_id = await add(ada, title, content)
        assert await embed(resource_id)
        assert await classify(resource_id)
        assert (await told(ada, resource_id))[0] == (path, True)
    for title, content in (("word", "word"), ("Empty", " ")):
        resource_id = await add(ada, title, content)
        assert await embed(resource_id)
        assert await classify(resource_id)
        assert len(await told(ada, resource_id)) == 5


@pytest.mark.performance
async def test_classifying_a_resource_takes_how_long(ada: Account) -> None:
    """The processor time of this process: reading, scores, rows and event, with a hundred categories."""
    await plant()
    await mean()
    waiting = [await about(ada, towards(number, number + 1)) for number in range(51)]
    await classify(waiting.pop())
    began = process_time()
    assert all([await classify(id) for id in waiting])
    print(f"classifying one resource: {1000 * (process_time() - began) / len(waiting):.1f} ms")
