"""Whom each event concerns, and what is said of it."""

from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from service.collections import actions as collections
from service.database import transaction
from service.ingestion.tables import Ingestion
from service.notifications import preferences
from service.notifications.kinds import CAUSES, KINDS
from service.notifications.wording import WORDS
from service.queue.tables import AcceptedTask
from service.quizzes.tables import Quiz
from service.security.accounts import Account
from tests.notifications.conftest import facts, happened, of
from tests.search.conftest import add

pytestmark = pytest.mark.integration


def test_every_kind_has_words_and_a_cause() -> None:
    assert set(CAUSES.values()) == set(KINDS) == set(WORDS)


async def entered(resource_id: UUID, **fields: Any) -> None:
    async with transaction() as session:
        session.add(Ingestion(resource_id=resource_id, **{"source": "url"} | fields))


async def accepted(owner: Account, **fields: Any) -> UUID:
    async with transaction() as session:
        task = AcceptedTask(**{"id": uuid4(), "name": "reindex", "queue": "batch", "owner_id": owner.id} | fields)
        session.add(task)
    return task.id


async def wants(account: Account, **kinds: bool) -> None:
    async with transaction() as session:
        await preferences.write(session, account, kinds)


async def test_a_document_that_is_ready(ada: Account, ben: Account) -> None:
    id = await add(ada, "Lenses", "Glass bends light.", private=True)
    await happened(facts("indexing.completed", ada.id, document_id=uuid4(), resource_id=id, user_id=ada.id, passages=3))
    [told] = await of(ada)
    assert (told["kind"], told["title"], told["read"]) == ("document_ready", "“Lenses” is ready", False)
    assert told["link"] == f"/ui/resources/{id}"
    assert await of(ben) == []


@pytest.mark.parametrize("name", ["document.failed", "indexing.failed"])
async def test_a_document_that_failed(ada: Account, name: str) -> None:
    id = await add(ada, "Lenses", "Glass bends light.")
    await happened(facts(name, document_id=uuid4(), resource_id=id, user_id=ada.id, error="It has no text."))
    [told] = await of(ada)
    assert (told["title"], told["message"]) == ("“Lenses” could not be processed", "It has no text.")


async def test_a_page_that_failed_is_told_to_who_asked_for_it(ada: Account, ben: Account) -> None:
    id = await add(ada, "Lenses", "Glass bends light.")
    await entered(id, task_id=await accepted(ben))
    await happened(facts("ingestion.failed", resource_id=id, success=False, error="404", error_type="Gone"))
    assert [told["title"] for told in await of(ben)] == ["“Lenses” could not be read"]
    assert await of(ada) == []


async def test_an_upload_that_failed_is_told_by_its_document(ada: Account) -> None:
    id = await add(ada, "Lenses", "Glass bends light.")
    await entered(id, source="upload")
    about = {"resource_id": id, "error": "No text.", "error_type": "Empty"}
    await happened(facts("ingestion.failed", success=False, **about))
    assert await of(ada) == []
    await happened(facts("document.failed", document_id=uuid4(), user_id=ada.id, **about))
    assert [told["kind"] for told in await of(ada)] == ["document_failed"]


async def test_what_the_reconciler_has_indexed_again_is_no_news(ada: Account) -> None:
    id = await add(ada, "Lenses", "Glass bends light.")
    done = facts("indexing.completed", resource_id=id, document_id=uuid4(), user_id=ada.id, passages=1)
    await happened(replace(done, bulk=True))
    assert await of(ada) == []
    await happened(done)
    assert [told["kind"] for told in await of(ada)] == ["document_ready"]


async def test_a_quiz(ada: Account) -> None:
    async with transaction() as session:
        quiz = Quiz(owner_id=ada.id, title="Optics", sources={}, num_questions=20, question_types=[], seed=1)
        session.add(quiz)
    await happened(facts("quiz.generated", quiz_id=quiz.id, user_id=ada.id, questions=20))
    await happened(facts("quiz.generation.failed", quiz_id=quiz.id, user_id=ada.id, error="Too little text."))
    failed, ready = await of(ada)
    assert (ready["title"], ready["message"]) == ("The quiz “Optics” is ready", "20 questions")
    assert (failed["title"], failed["message"]) == ("The quiz “Optics” could not be made", "Too little text.")
    assert ready["link"] == f"/ui/quizzes/{quiz.id}"


async def test_a_task_that_a_person_asked_for_and_that_failed(ada: Account) -> None:
    failed = {"task_id": "t", "queue": "batch", "attempts": 3, "error": "RuntimeError", "reason": "exhausted"}
    await happened(
        facts("background_task.failed", ada.id, task_name="retrain_classification_model", **failed),
        facts("background_task.failed", None, task_name="reconcile_derived_data", **failed),  # nobody asked for it
        facts("background_task.failed", ada.id, task_name="ingest_resource", **failed),  # told by ingestion.failed
        facts("background_task.failed", ada.id, task_name="embed", **failed | {"reason": "cancelled"}),
    )
    assert [told["title"] for told in await of(ada)] == ["The task “retrain classification model” failed"]


@pytest.mark.parametrize(("seconds", "told"), [(19.0, []), (20.0, ["298 done, 2 failed"])])
async def test_a_batch_that_took_long(ada: Account, seconds: float, told: list[str]) -> None:
    id = await accepted(ada, result={"processed_count": 298, "failed_count": 2})
    done = {"task_id": str(id), "queue": "batch", "attempts": 1, "duration_seconds": seconds}
    await happened(facts("background_task.completed", ada.id, task_name="batch_process_resources", **done))
    await happened(facts("background_task.completed", ada.id, task_name="ingest_resource", **done))
    assert [one["message"] for one in await of(ada)] == told


async def test_quality_that_fell_is_told_to_the_owner(ada: Account, ben: Account) -> None:
    for title in ("Lenses", "Ships"):
        id = await add(ada, title, f"All about {title}.")
        await happened(facts("quality.degraded", resource_id=id, score=0.4, previous=0.7))
    [told] = await of(ada)
    assert (told["title"], told["message"]) == ("2 of your items lost quality", "“Ships”, “Lenses”")
    assert await of(ben) == []


async def test_changes_of_a_shared_collection_are_told_to_who_wants_them(ada: Account, ben: Account) -> None:
    await wants(ada, collection_changed=True)
    async with transaction() as session:
        shared = await collections.create(session, ada, {"name": "Optics", "visibility": "shared"})
        own = await collections.create(session, ada, {"name": "Secret"})
    added = {"collection_id": shared["id"], "resource_ids": [str(uuid4())], "user_id": ada.id}
    await happened(facts("collection.resource_added", None, **added))
    assert await of(ben) == []  # nobody asked
    assert await of(ada) == []  # it was her
    await wants(ben, collection_changed=True)
    await happened(
        facts("collection.resource_added", None, **added),
        facts("collection.updated", None, collection_id=shared["id"], changed_fields=["name"], user_id=ada.id),
        facts("collection.resource_added", ada.id, **added | {"collection_id": own["id"]}),
        facts("collection.updated", None, collection_id=own["id"], changed_fields=["name"], user_id=ada.id),
    )
    [told] = await of(ben)
    assert (told["title"], told["count"]) == ("2 changes in the collection “Optics”", 2)


async def test_reviews_are_told_once_a_day(ada: Account) -> None:
    due = facts("reviews.due", ada.id, user_id=ada.id, count=12)
    await happened(due, due)
    [told] = await of(ada)
    assert (told["count"], told["message"], told["link"]) == (1, "12 of them", "/ui/reviews")


@pytest.mark.parametrize("name", sorted(CAUSES))
async def test_what_is_gone_is_no_error(ada: Account, name: str) -> None:
    nowhere = {field: str(uuid4()) for field in ("resource_id", "document_id", "quiz_id", "collection_id")}
    data = {"user_id": str(uuid4()), "error": "x", "reason": "exhausted", "task_name": "x", "duration_seconds": 1}
    await happened(facts(name, uuid4(), **nowhere, **data, count=1, score=0.1, previous=0.9))
    assert await of(ada) == []
