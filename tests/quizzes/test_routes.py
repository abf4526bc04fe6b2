"""Quizzes over HTTP."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import update

from service.database import transaction
from service.resources.tables import Resource
from service.tasks import GENERATE, REPLACE
from tests.quizzes.conftest import Run, note, questions, quiz
from tests.quizzes.samples import CELLS, PLANETS
from tests.sent import Sent

pytestmark = pytest.mark.integration

Person = Callable[..., Awaitable[httpx.AsyncClient]]


async def asked(client: httpx.AsyncClient, **body: Any) -> str:
    """Ask for a quiz and return its id."""
    answer = await client.post("/quizzes", json={"num_questions": 8, **body})
    assert answer.status_code == 202, answer.text
    return answer.json()["quiz_id"]


async def ready(client: httpx.AsyncClient, run: Run, **body: Any) -> str:
    """Return a quiz of eight questions."""
    id = await asked(client, resource_ids=[await note(client)], **body)
    assert await run(GENERATE, UUID(id)) == {"questions": 8}
    return id


async def listed(client: httpx.AsyncClient, quiz_id: str) -> list[dict[str, Any]]:
    return (await client.get(f"/quizzes/{quiz_id}/questions")).json()["items"]


async def of_type(client: httpx.AsyncClient, quiz_id: str, type: str) -> dict[str, Any]:
    return next(question for question in await listed(client, quiz_id) if question["type"] == type)


async def test_a_quiz_is_asked_for_and_its_task_is_sent(api: httpx.AsyncClient, sent: Sent) -> None:
    id = await note(api)
    answer = await api.post("/quizzes", json={"resource_ids": [id], "num_questions": 5})
    assert answer.status_code == 202
    assert set(answer.json()) == {"quiz_id", "task_id"}
    assert answer.headers["location"] == f"/quizzes/{answer.json()['quiz_id']}"
    message = await sent.expect(GENERATE, quiz_id=answer.json()["quiz_id"])
    assert message.message_id == answer.json()["task_id"]
    shown = (await api.get(f"/quizzes/{answer.json()['quiz_id']}")).json()
    assert (shown["title"], shown["status"], shown["percent"], shown["question_count"]) == ("Cells", "pending", 0, 0)
    assert len(shown["question_types"]) == 4


async def test_a_quiz_is_shown_without_its_questions(api: httpx.AsyncClient, run: Run) -> None:
    id = await ready(api, run, title="On cells")
    shown = await api.get(f"/quizzes/{id}")
    assert (shown.json()["status"], shown.json()["question_count"], shown.json()["title"]) == ("ready", 8, "On cells")
    everything = shown.text + (await api.get("/quizzes")).text
    assert '"answer"' not in everything
    for question in await questions(UUID(id)):
        assert question.stem not in everything


async def test_each_has_their_own_list(api: httpx.AsyncClient, person: Person) -> None:
    grace = await person("grace")
    first = await asked(api, resource_ids=[await note(api)], title="First")
    second = await asked(api, resource_ids=[await note(api, "Planets", PLANETS)], title="Second")
    page = (await api.get("/quizzes", params={"limit": 1})).json()
    assert (page["total"], [item["id"] for item in page["items"]]) == (2, [second])
    assert [item["id"] for item in (await api.get("/quizzes?offset=1")).json()["items"]] == [first]
    assert (await grace.get("/quizzes")).json()["total"] == 0


async def test_nobody_reaches_what_is_anothers(api: httpx.AsyncClient, person: Person, run: Run) -> None:
    id = await ready(api, run)
    question = (await listed(api, id))[0]["id"]
    grace = await person("grace")
    one = f"/quizzes/{id}/questions/{question}"
    for method, path, body in [
        ("GET", f"/quizzes/{id}", None),
        ("DELETE", f"/quizzes/{id}", None),
        ("GET", f"/quizzes/{id}/questions", None),
        ("PUT", one, {"difficulty": "easy"}),
        ("POST", f"{one}/report", {"reason": "wrong"}),
        ("POST", f"{one}/regenerate", None),
    ]:
        answer = await grace.request(method, path, json=body)
        assert answer.status_code == 404, (method, path)
    private = await note(api, "Mine", private=True)
    answer = await grace.post("/quizzes", json={"resource_ids": [private], "num_questions": 5})
    assert answer.status_code == 404
    assert private in answer.json()["detail"]


async def test_a_question_belongs_to_its_quiz(api: httpx.AsyncClient, run: Run) -> None:
    first, second = await ready(api, run), await ready(api, run)
    other = (await listed(api, second))[0]["id"]
    assert (await api.put(f"/quizzes/{first}/questions/{other}", json={"weight": 2})).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"resource_ids": []},
        {"resource_ids": ["x"]},
        {"collection_id": str(uuid4()), "document_ids": [str(uuid4())]},
        {"num_questions": 4},
        {"num_questions": 51},
        {"question_types": []},
        {"question_types": ["essay"]},
        {"difficulty": "extreme"},
        {"title": " "},
        {"title": "x" * 201},
        {"more": 1},
    ],
)
async def test_what_is_asked_wrongly_is_refused(api: httpx.AsyncClient, body: dict[str, Any]) -> None:
    one = {} if {"resource_ids", "collection_id"} & set(body) or not body else {"resource_ids": [str(uuid4())]}
    answer = await api.post("/quizzes", json={"num_questions": 5, **one, **body})
    assert answer.status_code == 422


async def test_what_is_not_there_gives_no_quiz(api: httpx.AsyncClient) -> None:
    for body in ({"resource_ids": [str(uuid4())]}, {"document_ids": [str(uuid4())]}, {"collection_id": str(uuid4())}):
        answer = await api.post("/quizzes", json={"num_questions": 5, **body})
        assert answer.status_code == 404, body


async def test_too_little_text_is_refused_at_once(api: httpx.AsyncClient) -> None:
    id = await note(api, "Short", "A cell is small.")
    answer = await api.post("/quizzes", json={"resource_ids": [id], "num_questions": 5})
    assert answer.status_code == 422
    assert "too little text for a quiz: 4 words" in answer.json()["detail"]


@pytest.mark.parametrize(("status", "said"), [("processing", "still processing"), ("pending", "still waiting")])
async def test_what_is_still_processed_waits(api: httpx.AsyncClient, status: str, said: str) -> None:
    id = await note(api)
    async with transaction() as session:
        await session.execute(update(Resource).values(status=status))
    answer = await api.post("/quizzes", json={"resource_ids": [id], "num_questions": 5})
    assert answer.status_code == 409
    assert said in answer.json()["detail"]


async def test_what_could_not_be_read_gives_no_quiz(api: httpx.AsyncClient) -> None:
    id = await note(api)
    async with transaction() as session:
        await session.execute(update(Resource).values(status="failed"))
    answer = await api.post("/quizzes", json={"resource_ids": [id], "num_questions": 5})
    assert (answer.status_code, "could not be read" in answer.json()["detail"]) == (409, True)


async def test_a_document_that_was_just_uploaded_is_still_processed(api: httpx.AsyncClient) -> None:
    uploaded = await api.post("/documents", files={"file": ("cells.txt", CELLS.encode(), "text/plain")})
    document = uploaded.json()["items"][0]["id"]
    answer = await api.post("/quizzes", json={"document_ids": [document], "num_questions": 5})
    assert answer.status_code == 409
    async with transaction() as session:
        read = {"status": "completed", "content": CELLS, "word_count": 400, "language": "en"}
        await session.execute(update(Resource).values(**read))
    assert (await api.post("/quizzes", json={"document_ids": [document], "num_questions": 5})).status_code == 202


async def test_a_collection_gives_a_quiz_on_all_that_is_in_it(api: httpx.AsyncClient, run: Run) -> None:
    collection = (await api.post("/collections", json={"name": "Course"})).json()["id"]
    empty = await api.post("/quizzes", json={"collection_id": collection, "num_questions": 12})
    assert (empty.status_code, "holds nothing" in empty.json()["detail"]) == (422, True)
    ids = [await note(api), await note(api, "Planets", PLANETS)]
    await api.post(f"/collections/{collection}/resources", json={"resource_ids": ids})
    id = await asked(api, collection_id=collection, num_questions=12)
    assert (await api.get(f"/quizzes/{id}")).json()["title"] == "Cells and 1 more"
    await run(GENERATE, UUID(id))
    assert {str(question.resource_id) for question in await questions(UUID(id))} == set(ids)


@pytest.mark.parametrize("type", ["multiple_choice", "true_false", "fill_in_blank", "short_answer"])
async def test_only_the_types_that_are_asked_for(api: httpx.AsyncClient, run: Run, type: str) -> None:
    id = await asked(api, resource_ids=[await note(api)], question_types=[type, type], num_questions=5)
    await run(GENERATE, UUID(id))
    assert {question.type for question in await questions(UUID(id))} == {type}


async def test_a_difficulty_that_is_asked_for_comes_first(api: httpx.AsyncClient, run: Run) -> None:
    resource = await note(api)
    for difficulty in ("easy", "hard"):
        id = await asked(api, resource_ids=[resource], difficulty=difficulty, num_questions=5)
        await run(GENERATE, UUID(id))
        found = [question.difficulty for question in await questions(UUID(id))]
        others = len(found) - found.count(difficulty)
        message = (await quiz(UUID(id))).message
        assert found.count(difficulty) > len(found) / 2
        assert (message is None) == (others == 0)


async def test_a_deleted_quiz_is_gone_with_its_questions(api: httpx.AsyncClient, run: Run) -> None:
    id = await ready(api, run)
    assert (await api.delete(f"/quizzes/{id}")).status_code == 204
    assert (await api.get(f"/quizzes/{id}")).status_code == 404
    assert await questions(UUID(id)) == []


async def test_a_deleted_text_takes_its_questions_along(api: httpx.AsyncClient, run: Run) -> None:
    id = await ready(api, run)
    resource = (await listed(api, id))[0]["resource_id"]
    await api.delete(f"/resources/{resource}")
    assert (await api.get(f"/quizzes/{id}")).json()["question_count"] == 0


# Editing


async def test_the_owner_sees_the_questions_with_their_answers(api: httpx.AsyncClient, run: Run) -> None:
    id = await asked(api, resource_ids=[await note(api)])
    early = await api.get(f"/quizzes/{id}/questions")
    assert (early.status_code, "no questions yet" in early.json()["detail"]) == (409, True)
    await run(GENERATE, UUID(id))
    page = (await api.get(f"/quizzes/{id}/questions", params={"limit": 3})).json()
    assert (page["total"], len(page["items"])) == (8, 3)
    assert all(item["answer"] and item["passage"] for item in page["items"])


async def test_nobody_sees_answers_while_they_take_the_quiz(api: httpx.AsyncClient, run: Run) -> None:
    id = await ready(api, run)
    question = (await listed(api, id))[0]["id"]
    taken = await api.post(f"/quizzes/{id}/sessions")
    assert taken.status_code == 201
    one = f"/quizzes/{id}/questions/{question}"
    answers = [
        await api.get(f"/quizzes/{id}/questions"),
        await api.put(one, json={"weight": 2}),
        await api.post(f"{one}/report", json={"reason": "wrong"}),
        await api.post(f"{one}/regenerate"),
    ]
    assert [answer.status_code for answer in answers] == [409] * 4
    assert "submit it first" in answers[0].json()["detail"]
    await api.post(f"/sessions/{taken.json()['session_id']}/submit")
    assert (await api.get(f"/quizzes/{id}/questions")).status_code == 200


async def test_a_question_is_edited_by_the_rules(api: httpx.AsyncClient, run: Run) -> None:
    id = await ready(api, run)
    old = await of_type(api, id, "multiple_choice")
    path = f"/quizzes/{id}/questions/{old['id']}"
    right = old["options"][old["answer"]["option"]]
    bad = await api.put(path, json={"stem": f"Is it {right}?"})
    assert (bad.status_code, "The question shows its answer." in bad.json()["detail"]) == (422, True)
    bad = await api.put(path, json={"answer": {"option": (old["answer"]["option"] + 1) % 4}})
    assert (bad.status_code, "does not contain the right option" in bad.json()["detail"]) == (422, True)
    bad = await api.put(path, json={"passage": "Something that stands nowhere."})
    assert (bad.status_code, "word for word" in bad.json()["detail"]) == (422, True)
    bad = await api.put(path, json={"options": ["a", "b", "c"]})
    assert bad.status_code == 422
    bad = await api.put(path, json={"stem": None})
    assert bad.status_code == 422
    assert (await of_type(api, id, "multiple_choice")) == old
    good = await api.put(
        path, json={"stem": "Which of the four is meant by the passage?", "weight": 2, "difficulty": "hard"}
    )
    assert good.status_code == 200, good.text
    assert good.json()["edited_at"] is not None
    assert (good.json()["weight"], good.json()["difficulty"]) == (2, "hard")


async def test_each_type_is_edited_in_its_own_form(api: httpx.AsyncClient, run: Run) -> None:
    id = await ready(api, run)
    for type in ("true_false", "fill_in_blank", "short_answer"):
        old = await of_type(api, id, type)
        path = f"/quizzes/{id}/questions/{old['id']}"
        assert (await api.put(path, json={"answer": old["answer"]})).json()["answer"] == old["answer"]
        for wrong in ({"option": 1}, {}, {"value": "perhaps"}, {"blanks": []}, {"text": "x", "key_points": []}):
            assert (await api.put(path, json={"answer": wrong})).status_code == 422, (type, wrong)


async def test_another_passage_is_found_in_the_text(api: httpx.AsyncClient, run: Run) -> None:
    id = await ready(api, run)
    old = await of_type(api, id, "short_answer")
    longer = CELLS[old["passage_start"] : old["passage_start"] + len(old["passage"]) - 1]
    changed = await api.put(f"/quizzes/{id}/questions/{old['id']}", json={"passage": longer})
    assert changed.status_code == 200, changed.text
    assert CELLS[changed.json()["passage_start"] :].startswith(longer)


async def test_a_report_stands_until_the_question_is_edited(api: httpx.AsyncClient, run: Run) -> None:
    id = await ready(api, run)
    one = f"/quizzes/{id}/questions/{(await listed(api, id))[2]['id']}"
    assert (await api.post(f"{one}/report", json={"reason": "x"})).status_code == 422
    told = await api.post(f"{one}/report", json={"reason": "Two options are right."})
    assert told.json()["report"] == "Two options are right."
    assert told.json()["reported_at"] is not None
    assert (await listed(api, id))[2]["report"] == "Two options are right."
    assert (await api.put(one, json={"weight": 3})).json()["report"] is None


async def test_another_question_is_asked_for(api: httpx.AsyncClient, run: Run, sent: Sent) -> None:
    id = await ready(api, run)
    old = (await listed(api, id))[1]
    answer = await api.post(f"/quizzes/{id}/questions/{old['id']}/regenerate")
    assert answer.status_code == 202
    await sent.expect(REPLACE, question_id=old["id"])
    await run(REPLACE, UUID(old["id"]))
    after = await listed(api, id)
    assert len(after) == 8
    assert (after[1]["position"], after[1]["id"] != old["id"]) == (old["position"], True)
    gone = await api.post(f"/quizzes/{id}/questions/{old['id']}/regenerate")
    assert gone.status_code == 404
