"""Derived rows: made from what the resource is now, once, and told of."""

import asyncio
from uuid import UUID, uuid4

import pytest
from sqlalchemy import delete, func, select, text, update

from service.database import reading, transaction
from service.inference import MODEL, TEXT_LIMIT, Embedded, embed_passages
from service.queue.tables import DeadLetter
from service.resources import actions as resources
from service.resources.tables import Resource
from service.search import actions, inputs
from service.search.tables import Chunk, Embedding, SearchDocument
from service.search.turns import take_turn
from service.security.accounts import Account
from tests.model_server import ModelServer
from tests.search.conftest import add, embed, findable, index, meaningful, told

pytestmark = pytest.mark.integration

LAMP = "The keeper lights the lamp. " * 40


async def indexed(resource_id: UUID) -> SearchDocument | None:
    async with reading() as session:
        return await session.get(SearchDocument, resource_id)


async def embedding(resource_id: UUID) -> Embedding | None:
    async with reading() as session:
        return await session.get(Embedding, resource_id)


async def change(account: Account, resource_id: UUID, **fields: object) -> None:
    async with transaction() as session:
        await resources.change(session, account, resource_id, fields)


async def remove(account: Account, resource_id: UUID) -> None:
    async with transaction() as session:
        await resources.remove(session, account, resource_id)


async def age_all() -> None:
    async with transaction() as session:
        await session.execute(update(Resource).values(updated_at=func.now() - text("interval '1 hour'")))


async def stale() -> dict[str, int]:
    async with transaction() as session:
        return await actions.announce_stale(session)


async def test_indexing_is_done_once_and_told_once(ada: Account) -> None:
    resource_id = await add(ada, "Lighthouses", LAMP)
    assert await index(resource_id)
    assert not await index(resource_id)
    assert [row.data for row in await told("search.index_updated")] == [{"resource_id": str(resource_id)}]


async def test_a_change_of_any_input_is_indexed_again(ada: Account) -> None:
    resource_id = await findable(ada, "Lighthouses", LAMP)
    for fields in ({"title": "Lamps"}, {"tags": ["sea"]}, {"language": "de"}, {"authors": ["A"]}, {"content": "Dark."}):
        await change(ada, resource_id, **fields)
        assert await index(resource_id), fields
    await change(ada, resource_id, url="https://example.org/")
    assert not await index(resource_id)


async def test_each_language_is_indexed_by_its_own_rules(ada: Account) -> None:
    resource_id = await findable(ada, "Häuser", "Die Leuchttürme und ihre Wärter.", language="de-AT")
    row = await indexed(resource_id)
    assert row is not None
    assert row.configuration == "pharos_german"
    assert "'leuchttur" in row.tsv
    other = await indexed(await findable(ada, "x", "programs", language="ja"))
    assert other is not None
    assert (other.configuration, other.tsv) == ("pharos_simple", "'programs':2 'x':1A")


async def test_a_private_resource_is_told_to_its_owner_only(ada: Account, server: ModelServer) -> None:
    await meaningful(ada, "Diary", LAMP, private=True)
    assert [row.audience for row in await told("search.index_updated")] == [ada.id]
    assert [row.audience for row in await told("embedding.generated")] == [ada.id]


async def test_without_text_or_resource_there_is_nothing_to_do(ada: Account) -> None:
    async with transaction() as session:
        pending = await resources.create(session, ada, {"title": "Soon"}, source="url", status="pending")
    for resource_id in (pending.id, uuid4()):
        assert not await index(resource_id)
        assert not await embed(resource_id)
    assert await told("search.index_updated") == []


async def test_a_very_long_text_is_indexed_in_part_and_says_so(ada: Account) -> None:
    resource_id = await findable(ada, "Long", "lamp " * (TEXT_LIMIT // 5) + "lighthouse")
    row = await indexed(resource_id)
    assert row is not None
    assert row.truncated
    assert "lighthous" not in row.tsv


async def test_more_different_words_than_fit_are_indexed_in_part_and_say_so(ada: Account) -> None:
    resource_id = await findable(ada, "Many", " ".join(f"w{number:06}x" for number in range(110_000)))
    row = await indexed(resource_id)
    assert row is not None
    assert row.truncated
    assert "'w000001x'" in row.tsv


async def test_an_odd_text_takes_no_longer_than_another(ada: Account) -> None:
    for unit in ("a_", "a.", "a-", "/a", "a@", "<a ", "1.", "&a;", "a\\'", "\t", "😀"):
        resource_id = await add(ada, "Odd", unit * 200_000)
        async with asyncio.timeout(5):
            assert await index(resource_id)


async def test_embedding_is_done_once_and_told_once(ada: Account, server: ModelServer) -> None:
    resource_id = await meaningful(ada, "Lighthouses", LAMP)
    assert not await embed(resource_id)
    row = await embedding(resource_id)
    assert row is not None
    async with reading() as session:
        chunks = list(await session.scalars(select(Chunk).order_by(Chunk.ordinal)))
    assert [chunk.text for chunk in chunks] == [LAMP[chunk.start : chunk.end] for chunk in chunks]
    assert row.chunk_count == len(chunks) > 1
    assert (row.model, row.truncated, len(row.mean or b"")) == (MODEL, False, 4 * 384)
    assert [row.data for row in await told("embedding.generated")] == [
        {
            "resource_id": str(resource_id),
            "model": MODEL,
            "chunks": len(chunks),
            "truncated": False,
            "collection_ids": [],
        }
    ]


async def test_a_shorter_text_leaves_no_old_passage(ada: Account, server: ModelServer) -> None:
    resource_id = await meaningful(ada, "Lighthouses", LAMP)
    await change(ada, resource_id, content="Dark now.")
    assert await embed(resource_id)
    async with reading() as session:
        assert list(await session.scalars(select(Chunk.text))) == ["Dark now."]


async def test_a_title_is_part_of_the_meaning_but_tags_are_not(ada: Account, server: ModelServer) -> None:
    resource_id = await meaningful(ada, "Lighthouses", LAMP)
    await change(ada, resource_id, tags=["sea"])
    assert not await embed(resource_id)
    await change(ada, resource_id, title="Lamps")
    assert await embed(resource_id)


@pytest.mark.parametrize("meanwhile", ["changed", "deleted"])
async def test_what_was_overtaken_is_not_written(ada: Account, server: ModelServer, meanwhile: str) -> None:
    resource_id = await add(ada, "Lighthouses", LAMP)
    async with reading() as session:
        draft = await actions.drafted(session, resource_id)
    assert draft is not None
    embedded = await embed_passages(draft.title, draft.content)
    if meanwhile == "changed":
        await change(ada, resource_id, content="Dark now.")
    else:
        await remove(ada, resource_id)
    async with transaction() as session:
        assert not await actions.keep_embedding(session, draft, embedded)
    assert await embedding(resource_id) is None
    assert await told("embedding.generated") == []


async def test_a_run_that_waited_for_another_writes_what_is_true_then(ada: Account) -> None:
    resource_id = await add(ada, "Lighthouses", "first")
    async with transaction() as other:
        await take_turn(other, "indexed", resource_id)
        waiting = asyncio.create_task(index(resource_id))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        await change(ada, resource_id, content="second")
    assert await waiting
    row = await indexed(resource_id)
    assert row is not None
    assert "second" in row.tsv


async def test_nothing_to_read_is_no_reason_to_try_for_ever(ada: Account) -> None:
    resource_id = await add(ada, "x", "\u200b")
    async with reading() as session:
        draft = await actions.drafted(session, resource_id)
    assert draft is not None
    async with transaction() as session:
        assert await actions.keep_embedding(session, draft, Embedded([], None, truncated=False))
    assert not await embed(resource_id)


async def test_deleting_a_resource_deletes_what_was_derived(ada: Account, server: ModelServer) -> None:
    await remove(ada, await meaningful(ada, "Lighthouses", LAMP))
    async with reading() as session:
        for table in (SearchDocument, Chunk, Embedding):
            assert await session.scalar(select(func.count()).select_from(table)) == 0


async def test_steps_tell_how_far_it_is(ada: Account, server: ModelServer) -> None:
    async def states(resource_id: UUID) -> dict[str, str]:
        async with reading() as session:
            steps = await actions.steps(session, resource_id)
        assert all((step["state"] == "completed") == (step["finished_at"] is not None) for step in steps)
        return {step["name"]: step["state"] for step in steps}

    resource_id = await add(ada, "Lighthouses", LAMP)
    assert await states(resource_id) == {"indexed": "pending", "embedded": "pending"}
    await index(resource_id)
    assert await states(resource_id) == {"indexed": "completed", "embedded": "pending"}
    await embed(resource_id)
    assert await states(resource_id) == {"indexed": "completed", "embedded": "completed"}
    await change(ada, resource_id, content="Dark now.")
    assert await states(resource_id) == {"indexed": "pending", "embedded": "pending"}
    assert await states(uuid4()) == {}


async def test_what_is_missing_or_outdated_is_asked_for_again(
    ada: Account, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    resource_id = await add(ada, "Lighthouses", LAMP)
    assert await stale() == {"indexed": 0, "embedded": 0}  # its tasks are on their way
    await age_all()
    assert await stale() == {"indexed": 1, "embedded": 1}
    assert [row.subject for row in await told("search.index_stale")] == [resource_id]
    assert [row.subject for row in await told("embedding.stale")] == [resource_id]
    await index(resource_id)
    await embed(resource_id)
    assert await stale() == {"indexed": 0, "embedded": 0}


async def test_a_new_model_makes_every_embedding_stale(ada: Account, server: ModelServer) -> None:
    resource_id = await meaningful(ada, "Lighthouses", LAMP)
    await age_all()
    newer = text(str(actions._STALE).replace(MODEL, "another/1"))
    parameters = {"most": 10, "age": 0, "index": "i", "embed": "e"}
    async with reading() as session:
        rows = (await session.execute(newer, parameters)).all()
    assert [(row.id, row.indexed, row.embedded) for row in rows] == [(resource_id, True, False)]
    assert MODEL in inputs.EMBEDDING_INPUT


async def test_what_failed_for_good_waits_for_a_change(ada: Account) -> None:
    resource_id = await add(ada, "Lighthouses", LAMP)
    await age_all()
    async with transaction() as session:
        for name in ("update_search_index", "regenerate_embedding"):
            session.add(
                DeadLetter(
                    task_id=name, name=name, queue="x", arguments={"resource_id": str(resource_id)},
                    exception="boom", attempts=4, reason="exhausted",
                )
            )  # fmt: skip
    assert await stale() == {"indexed": 0, "embedded": 0}
    async with transaction() as session:
        await session.execute(delete(DeadLetter))
    assert await stale() == {"indexed": 1, "embedded": 1}


@pytest.mark.parametrize("step", ["indexed", "embedded"])
async def test_a_step_can_be_asked_for_again(ada: Account, server: ModelServer, step: str) -> None:
    resource_id = await meaningful(ada, "Lighthouses", LAMP)
    async with transaction() as session:
        resource = await resources.read(session, ada, resource_id)
        task_id = await actions.forget(session, resource, step)  # pyright: ignore[reportArgumentType]
    assert isinstance(task_id, UUID)
    assert (await index(resource_id), await embed(resource_id)) == (step == "indexed", step == "embedded")
