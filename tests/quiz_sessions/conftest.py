"""Quizzes that are ready, with questions of every type, and people who take them."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select

from service.database import reading, transaction
from service.outbox import OutboxRow
from service.quizzes.tables import Question, Quiz
from service.resources.tables import Resource

Person = Callable[..., Awaitable[httpx.AsyncClient]]

TEXT = (
    "The Fresnel lens was first lit in 1823. It was made by Augustin-Jean Fresnel for the tower of Cordouan. "
    "It gathers light by rings of prisms, so that it is thin and light, and sends it out in one beam."
)


def multiple_choice(stem: str = "Who made the lens of Cordouan?", right: int = 1, **fields: Any) -> dict[str, Any]:
    options = ["Thomas Young", "Augustin-Jean Fresnel", "François Arago", "David Brewster"]
    return {"type": "multiple_choice", "stem": stem, "options": options, "answer": {"option": right}} | fields


def true_false(stem: str = "The lens was first lit in 1823.", *, value: bool = True, **fields: Any) -> dict[str, Any]:
    return {"type": "true_false", "stem": stem, "answer": {"value": value}} | fields


def blanks(*accepted: Sequence[str], stem: str = "_____ made it for _____.", **fields: Any) -> dict[str, Any]:
    answer = {"blanks": [list(texts) for texts in accepted]}
    return {"type": "fill_in_blank", "stem": stem, "answer": answer} | fields


def short(*points: Mapping[str, Any], text: str = "It gathers light.", **fields: Any) -> dict[str, Any]:
    answer = {"text": text, "key_points": list(points)}
    return {"type": "short_answer", "stem": "What does the lens do?", "answer": answer} | fields


POINTS = (
    {"text": "It gathers light by rings of prisms.", "terms": ["rings", "prisms"]},
    {"text": "It is thin and light.", "terms": ["thin"]},
    {"text": "It sends the light out in one beam.", "terms": ["beam"]},
)
OF_EACH = (
    multiple_choice(),
    true_false(),
    blanks(["Augustin-Jean Fresnel", "Fresnel"], ["Cordouan"]),
    short(*POINTS),
)


async def me(client: httpx.AsyncClient) -> UUID:
    return UUID((await client.get("/users/me")).json()["id"])


async def material(client: httpx.AsyncClient, **fields: Any) -> UUID:
    given = {"title": "The lens", "content": TEXT} | fields
    answer = await client.post("/resources", json=given)
    assert answer.status_code == 201, answer.text
    return UUID(answer.json()["id"])


async def quiz(
    client: httpx.AsyncClient, *questions: Mapping[str, Any], resource_id: UUID | None = None, **fields: Any
) -> UUID:
    """Put a quiz of this person into the database, and its questions; each may name a resource of its own."""
    owner, source = await me(client), resource_id or await material(client)
    made = {"title": "Lenses", "sources": {"resource_ids": [str(source)]}, "num_questions": len(questions)}
    made |= {"question_types": [], "seed": 1, "status": "ready"} | fields
    async with transaction() as session:
        row = Quiz(owner_id=owner, **made)
        session.add(row)
        await session.flush()
        for position, question in enumerate(questions):
            filled = {"resource_id": source, "difficulty": "easy", "passage": TEXT[:40], "passage_start": 0}
            resource = await session.get(Resource, question.get("resource_id", source))
            assert resource is not None
            filled |= {"content_hash": resource.content_hash, "weight": 1.0, **question}
            session.add(Question(quiz_id=row.id, position=position, **filled))
        return row.id


async def begun(client: httpx.AsyncClient, quiz_id: UUID, **how: Any) -> dict[str, Any]:
    answer = await client.post(f"/quizzes/{quiz_id}/sessions", json=how)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def saved(client: httpx.AsyncClient, session: Mapping[str, Any], answers: Mapping[str, Any], **how: Any) -> Any:
    answer = await client.put(f"/sessions/{session['session_id']}/answers", json={"answers": answers, **how})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def submitted(client: httpx.AsyncClient, session: Mapping[str, Any]) -> dict[str, Any]:
    answer = await client.post(f"/sessions/{session['session_id']}/submit")
    assert answer.status_code == 200, answer.text
    return answer.json()


def of_type(session: Mapping[str, Any], type: str) -> dict[str, Any]:
    return next(question for question in session["questions"] if question["type"] == type)


async def told(name: str) -> list[OutboxRow]:
    """Return the events of a name that wait to be carried on, or were."""
    async with reading() as session:
        return list(await session.scalars(select(OutboxRow).where(OutboxRow.name == name)))


@pytest.fixture
async def ada(person: Person) -> httpx.AsyncClient:
    return await person("ada")


@pytest.fixture
async def grace(person: Person) -> httpx.AsyncClient:
    return await person("grace")
