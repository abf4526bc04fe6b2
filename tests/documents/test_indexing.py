"""A document from its upload to `ready`: what it becomes, what is told, what happens when its text changes."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

import httpx
import pytest
from sqlalchemy import delete, select, text, update

from service.database import reading, transaction
from service.documents import indexing
from service.documents.cutting import cut
from service.documents.passages import sources
from service.documents.tables import Document, Passage
from service.queue.engine import Engine
from service.queue.tables import DeadLetter
from tests.documents.conftest import Upload, prose, reached, status, told
from tests.ingestion.samples import SENTENCE, pdf
from tests.queue.conftest import until

pytestmark = pytest.mark.integration

Person = Callable[..., Awaitable[httpx.AsyncClient]]


async def rows(resource_id: str) -> list[tuple[int, int, int, str]]:
    async with reading() as session:
        found = select(Passage).where(Passage.resource_id == UUID(resource_id)).order_by(Passage.position)
        return [(row.position, row.start, row.end, row.content_hash) for row in await session.scalars(found)]


async def test_a_document_becomes_ready_and_each_step_is_told(
    api: httpx.AsyncClient, worker: Engine, upload: Upload
) -> None:
    item = await upload("light.pdf", pdf([SENTENCE * 5 for _ in range(30)], title="Lights"), "application/pdf")
    done = await reached(api, item["id"], "ready")
    assert (done["percent"], done["message"]) == (100, "It is ready.")
    seen = (await api.get(f"/documents/{item['id']}")).json()
    assert (seen["status"], seen["pages"], seen["title"]) == ("ready", 3, "Lights")

    async def all_told() -> list[str] | None:
        names = [row.name for row in await told(item["resource_id"], "document", "indexing")]
        return names if names[-1] == "indexing.completed" else None

    assert await until(all_told) == [
        "document.uploaded", "document.processing", "document.processing", "document.processed",
        "indexing.started", "indexing.progress", "indexing.completed",
    ]  # fmt: skip
    events = await told(item["resource_id"], "document", "indexing")
    percents = [row.data["progress"] for row in events if "progress" in row.data]
    assert percents == sorted(set(percents))
    assert {row.data["document_id"] for row in events} == {item["id"]}
    assert events[3].data["pages"] == 3
    passages = (await api.get(f"/documents/{item['id']}/passages")).json()
    assert events[-1].data["passages"] == passages["total"] > 3


async def test_a_passage_is_what_stands_at_its_place(api: httpx.AsyncClient, worker: Engine, upload: Upload) -> None:
    body = "".join(f"# Part {n}\n\n## Keepers of {n}\n\n{prose(n)}\n\n" for n in range(3))
    item = await upload("parts.md", body, "text/markdown")
    await reached(api, item["id"], "ready")
    content = (await api.get(f"/resources/{item['resource_id']}")).json()["content"]
    answer = (await api.get(f"/documents/{item['id']}/passages", params={"limit": 100})).json()
    assert answer["total"] == len(answer["items"]) > 3
    for one in answer["items"]:
        assert content[one["start"] : one["end"]] == one["text"]
        assert 180 <= one["tokens"] <= 480
    assert {tuple(one["heading"]) for one in answer["items"]} == {(f"Part {n}", f"Keepers of {n}") for n in range(3)}
    page = (await api.get(f"/documents/{item['id']}/passages", params={"limit": 2, "offset": 1})).json()
    assert page["items"] == answer["items"][1:3]
    async with reading() as session:
        [source] = await sources(session, [UUID(item["resource_id"])])
    assert [piece.text for piece in source.pieces()] == [one["text"] for one in answer["items"]]


async def test_what_is_no_document_has_the_same_passages(api: httpx.AsyncClient) -> None:
    made = await api.post("/resources", json={"title": "Keepers", "content": prose(1)})
    async with reading() as session:
        [source] = await sources(session, [UUID(made.json()["id"])])
    assert source.known == []
    assert [(one.start, one.end) for one in source.pieces()] == [(one.start, one.end) for one in cut(prose(1))]


async def test_passages_follow_the_text(api: httpx.AsyncClient, worker: Engine, upload: Upload) -> None:
    item = await upload("changing.txt", prose(1))
    await reached(api, item["id"], "ready")
    before = await rows(item["resource_id"])
    answer = await api.put(f"/resources/{item['resource_id']}", json={"content": prose(2, 80)})
    assert answer.status_code == 200
    assert (await status(api, item["id"]))["status"] in ("processed", "indexed", "ready")

    async def renewed() -> bool:
        now = await rows(item["resource_id"])
        return len(now) > len(before) and {row[3] for row in now}.isdisjoint({row[3] for row in before})

    await until(renewed, 30)
    await reached(api, item["id"], "ready")


async def test_old_passages_are_not_shown_for_a_new_text(
    api: httpx.AsyncClient, worker: Engine, upload: Upload
) -> None:
    item = await upload("changing.txt", prose(3))
    await reached(api, item["id"], "ready")
    worker.stop()
    await api.put(f"/resources/{item['resource_id']}", json={"content": prose(4)})
    assert (await status(api, item["id"]))["status"] == "processed"
    assert (await api.get(f"/documents/{item['id']}/passages")).json()["total"] == 0


async def test_indexing_again_changes_nothing(api: httpx.AsyncClient, worker: Engine, upload: Upload) -> None:
    item = await upload("same.txt", prose(5))
    await reached(api, item["id"], "ready")
    id = UUID(item["resource_id"])
    async with transaction() as session:
        assert await indexing.begin(session, id) is None
        assert not await indexing.settle(session, id)


async def test_two_at_once_leave_the_same_rows(api: httpx.AsyncClient, worker: Engine, upload: Upload) -> None:
    item = await upload("twice.txt", prose(6))
    await reached(api, item["id"], "ready")
    worker.stop()
    before = await rows(item["resource_id"])
    async with transaction() as session:
        await session.execute(update(Document).values(passages_hash=None, ready_hash=None))
    drafts = []
    for _ in range(2):
        async with transaction() as session:
            drafts.append(await indexing.begin(session, UUID(item["resource_id"])))

    async def keep(draft: indexing.Draft | None) -> bool:
        assert draft is not None
        async with transaction() as session:
            kept = await indexing.keep_passages(session, draft, cut(draft.content, draft.html))
        async with transaction() as session:
            await indexing.settle(session, draft.resource_id)
        return kept

    assert await asyncio.gather(*map(keep, drafts)) == [True, True]
    assert await rows(item["resource_id"]) == before
    assert (await status(api, item["id"]))["status"] == "ready"


async def test_a_draft_of_an_older_text_is_not_kept(api: httpx.AsyncClient, worker: Engine, upload: Upload) -> None:
    item = await upload("late.txt", prose(7))
    await reached(api, item["id"], "ready")
    worker.stop()
    async with transaction() as session:
        await session.execute(update(Document).values(passages_hash=None, ready_hash=None))
    async with transaction() as session:
        draft = await indexing.begin(session, UUID(item["resource_id"]))
    assert draft is not None
    await api.put(f"/resources/{item['resource_id']}", json={"content": prose(8)})
    async with transaction() as session:
        assert not await indexing.keep_passages(session, draft, cut(draft.content))


async def test_the_reconciler_finds_what_was_lost(api: httpx.AsyncClient, worker: Engine, upload: Upload) -> None:
    item = await upload("lost.txt", prose(9))
    await reached(api, item["id"], "ready")
    async with transaction() as session:
        await session.execute(delete(Passage))
        await session.execute(update(Document).values(passages_hash=None, ready_hash=None))
        assert await indexing.announce_stale(session) == 0  # it is young
        await session.execute(text("UPDATE resources SET updated_at = now() - interval '2 minutes'"))
        assert await indexing.announce_stale(session) == 1
    await reached(api, item["id"], "ready")
    assert await rows(item["resource_id"])


async def test_what_was_given_up_is_said_and_left_alone(api: httpx.AsyncClient, worker: Engine, upload: Upload) -> None:
    item = await upload("given-up.txt", prose(10))
    await reached(api, item["id"], "ready")
    letter = DeadLetter(
        task_id="t", name="index_document", queue="indexing", arguments={"resource_id": item["resource_id"]},
        exception="InferenceAway: the model server gives no vectors.", attempts=4, reason="exhausted",
    )  # fmt: skip
    async with transaction() as session:
        await session.execute(update(Document).values(ready_hash=None))
        await session.execute(text("UPDATE resources SET updated_at = now() - interval '2 minutes'"))
        session.add(letter)
        await session.flush()
        assert await indexing.give_up(session, "t")
        assert not await indexing.give_up(session, "t")
        assert await indexing.announce_stale(session) == 0
    failed = await status(api, item["id"])
    assert (failed["status"], failed["percent"]) == ("failed", None)
    assert "gives no vectors" in failed["message"]
    async with transaction() as session:  # its embedding comes later, by another way
        assert await indexing.settle(session, UUID(item["resource_id"]))
    assert (await status(api, item["id"]))["status"] == "ready"


async def test_a_failure_is_told_with_its_reason(api: httpx.AsyncClient, worker: Engine, upload: Upload) -> None:
    item = await upload("broken.pdf", b"%PDF-1.7 and nothing else", "application/pdf")
    failed = await reached(api, item["id"], "failed")
    assert failed["message"] == failed["error"]

    async def was_told() -> list[str] | None:
        events = await told(item["resource_id"], "document")
        return [events[-1].data["error"]] if events[-1].name == "document.failed" else None

    assert await until(was_told) == [failed["error"]]


async def test_nobody_else_hears_of_a_private_document(
    api: httpx.AsyncClient, worker: Engine, upload: Upload, person: Person
) -> None:
    ada = await person("ada")
    item = await upload("secret.txt", prose(11), client=ada, private="true")
    await reached(ada, item["id"], "ready")
    me = UUID((await ada.get("/users/me")).json()["id"])
    assert {row.audience for row in await told(item["resource_id"], "document", "indexing")} == {me}
    assert (await api.get(f"/documents/{item['id']}/passages")).status_code == 404


async def test_a_hit_names_its_passage(api: httpx.AsyncClient, worker: Engine, upload: Upload) -> None:
    body = f"# Ships\n\n{prose(1)}\n\n# Birds\n\n" + "The albatross glides over the waves without a beat. " * 40
    item = await upload("hit.md", body, "text/markdown")
    await reached(api, item["id"], "ready")
    for mode in ("keyword", "hybrid"):
        answer = await api.get("/search", params={"query": "albatross", "mode": mode})
        [hit] = answer.json()["items"]
        assert hit["passage"]["document_id"] == item["id"]
        assert hit["passage"]["heading"] == ["Birds"]
        content = (await api.get(f"/resources/{item['resource_id']}")).json()["content"]
        assert "albatross" in content[hit["passage"]["start"] : hit["passage"]["end"]]


async def test_a_search_can_stay_within_documents(
    api: httpx.AsyncClient, worker: Engine, upload: Upload, person: Person
) -> None:
    ada = await person("ada")
    one = await upload("one.txt", prose(1), client=ada, subject="Optics", category="notes")
    two = await upload("two.txt", prose(2), client=ada, subject="History")
    for item in (one, two):
        await reached(ada, item["id"], "ready")

    async def found(who: httpx.AsyncClient, **filters: str) -> set[str]:
        answer = await who.get("/search", params={"query": "keeper", **filters})
        assert answer.status_code == 200, answer.text
        return {item["id"] for item in answer.json()["items"]}

    assert await found(ada) == {one["resource_id"], two["resource_id"]}
    assert await found(ada, document=two["id"]) == {two["resource_id"]}
    assert await found(ada, study_subject="optics") == {one["resource_id"]}
    subjects = (await ada.get("/subjects")).json()["items"]
    history = next(subject["id"] for subject in subjects if subject["name"] == "History")
    assert await found(ada, study_subject=history) == {two["resource_id"]}
    assert await found(ada, document_category="Notes") == {one["resource_id"]}
    assert await found(api, study_subject="optics") == set()  # subjects are their owner's
