"""The key of a quiz does not leave the server before it is submitted: whatever its owner asks for, wherever."""

import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select, update
from starlette.routing import Route

from service.app import ROUTES
from service.database import reading, transaction
from service.quizzes.tables import Question
from service.reviews.tables import ReviewCard
from tests.quiz_sessions.conftest import (
    begun,
    blanks,
    material,
    multiple_choice,
    of_type,
    quiz,
    saved,
    short,
    submitted,
    true_false,
)

pytestmark = pytest.mark.integration

CANARY = "zyzzyvakey"  # a word of keys, and of nothing else
TEXT = "It stands on a rock in the sea, and its light is seen from afar. " * 5
PASSAGE = {"passage": f"The passage names {CANARY}.", "passage_start": 0}  # it holds the answer, so it is part of it
KEYS = (
    multiple_choice(**PASSAGE),
    true_false(**PASSAGE),
    blanks([f"{CANARY} tower", CANARY], stem="It is the _____ tower.", **PASSAGE),
    short({"text": f"{CANARY} light", "terms": [CANARY]}, text=f"A {CANARY}.", **PASSAGE),
)
GUESSES: Mapping[str, Any] = {
    "multiple_choice": 0, "true_false": True, "fill_in_blank": "guess", "short_answer": "guess"
}  # fmt: skip


async def everything(client: httpx.AsyncClient, ids: Mapping[str, str]) -> dict[str, str]:
    """Return what each GET of the whole application answers, with each of the ids where it takes one."""
    answers: dict[str, str] = {}
    for route in ROUTES:
        if not isinstance(route, Route) or "GET" not in (route.methods or ()) or route.path == "/events/stream":
            continue
        for name, id in ids.items():
            path = re.sub(r"\{[^}]*\}", id, route.path)
            answer = await client.get(path, params={"format": "anki"} if "review" in path else {})
            answers[f"{route.path} of the {name}: {answer.status_code}"] = answer.text
            if "{" not in route.path:
                break
    return answers


async def test_no_answer_and_no_page_tells_the_key_before_submit(ada: httpx.AsyncClient) -> None:
    source = await material(ada, title="A tower", content=TEXT)
    id = await quiz(ada, *KEYS, resource_id=source, title="Towers")
    session = await begun(ada, id, time_limit_seconds=600)
    path = f"/sessions/{session['session_id']}"
    questions = session["questions"]
    ids = {"session": session["session_id"], "quiz": str(id), "resource": str(source), "question": questions[0]["id"]}
    told = await everything(ada, ids)
    assert any(name.startswith("/ui/quizzes/{id}/take of the quiz: 200") for name in told)
    assert any(name.startswith("/sessions/{id} of the session: 200") for name in told)
    told["start"] = str(session)
    for question in questions:
        body = {"answers": {question["id"]: GUESSES[question["type"]]}}
        told[f"save {question['type']}"] = (await ada.put(f"{path}/answers", json=body)).text
        wrong = {"answers": {question["id"]: {"a": 1}}}
        told[f"save wrongly {question['type']}"] = (await ada.put(f"{path}/answers", json=wrong)).text
        for way in ("", "/reveal", "/suspend", "/unsuspend"):
            refused = await ada.post(f"/reviews/{question['id']}{way}", json={} if way else {"rating": 3})
            assert refused.status_code == 404
            told[f"review {way} {question['type']}"] = refused.text
    too_many = {"answers": {of_type(session, "fill_in_blank")["id"]: ["a", "b", "c"]}}
    told["save too many"] = (await ada.put(f"{path}/answers", json=too_many)).text
    told |= {f"again {name}": text for name, text in (await everything(ada, ids)).items()}
    assert [name for name, text in told.items() if CANARY in text] == []
    assert [name for name, text in told.items() if re.search(r'"(key|answer_key|correct|right|option)":', text)] == []

    result = await ada.post(f"{path}/submit")
    assert result.text.count(CANARY) >= 5  # the canary is one: it is there as soon as it may be


async def test_all_answers_are_the_same_whatever_is_right(ada: httpx.AsyncClient) -> None:
    """Two quizzes that differ in their keys only cannot be told apart before they are submitted."""
    id = await quiz(ada, multiple_choice(right=0), multiple_choice("Who else?", right=3), true_false(value=True))

    async def taken() -> tuple[list[Any], dict[str, Any], dict[str, Any]]:
        session = await begun(ada, id, seed=5)
        path = f"/sessions/{session['session_id']}"
        now = await saved(ada, session, {one["id"]: GUESSES[one["type"]] for one in session["questions"]})
        again = (await ada.get(path)).json()
        return session["questions"], now["answers"], again["answers"]

    before = await taken()
    async with transaction() as rows:
        await rows.execute(update(Question).where(Question.type == "multiple_choice").values(answer={"option": 2}))
        await rows.execute(update(Question).where(Question.type == "true_false").values(answer={"value": False}))
    assert await taken() == before


async def test_a_question_that_is_due_is_asked_without_its_key(ada: httpx.AsyncClient) -> None:
    id = await quiz(ada, *KEYS, resource_id=await material(ada, content=TEXT))
    session = await begun(ada, id)
    await saved(ada, session, {one["id"]: GUESSES[one["type"]] for one in session["questions"]})
    await submitted(ada, session)
    async with transaction() as rows:
        await rows.execute(update(ReviewCard).values(due=ReviewCard.last_review))
    due = await ada.get("/reviews/due")
    assert due.json()["total"] == 4
    assert CANARY not in due.text
    assert CANARY not in (await ada.get("/ui/reviews")).text
    async with reading() as rows:
        ids = (await rows.scalars(select(Question.id).where(Question.type == "short_answer"))).all()
    assert CANARY in (await ada.post(f"/reviews/{UUID(str(ids[0]))}/reveal")).text
