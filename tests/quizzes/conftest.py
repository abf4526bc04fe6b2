"""People, texts, and actors that run here."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select

from service.database import reading, transaction
from service.outbox import OutboxRow
from service.quizzes import actions
from service.quizzes.actions import Wanted
from service.quizzes.drafts import TYPES
from service.quizzes.tables import Question, Quiz
from service.security.accounts import Account
from service.settings import Settings
from tests.actors import Run, running
from tests.quizzes.samples import CELLS
from tests.search.conftest import add, person

__all__ = ["add"]


@pytest.fixture
async def ada(pharos: Settings) -> Account:
    return await person("ada")


@pytest.fixture
async def grace(pharos: Settings) -> Account:
    return await person("grace")


@pytest.fixture
def run(pharos: Settings) -> Iterator[Run]:
    """Runs an actor of the workers here, on a broker of its own."""
    with running("quizzes", "maintenance") as run:
        yield run


async def ask(owner: Account, *ids: UUID, **fields: Any) -> UUID:
    """Ask for a quiz of ten questions on resources."""
    given: dict[str, Any] = {"num_questions": 10, "question_types": TYPES, "difficulty": None, "title": None}
    wanted = Wanted(sources={"resource_ids": [str(id) for id in ids]}, **(given | fields))
    async with transaction() as session:
        quiz_id, _ = await actions.request(session, owner, wanted)
    return quiz_id


async def quiz(quiz_id: UUID) -> Quiz:
    async with reading() as session:
        return await session.get_one(Quiz, quiz_id)


async def questions(quiz_id: UUID) -> list[Question]:
    """Return all questions of a quiz, those that were replaced among them."""
    own = select(Question).where(Question.quiz_id == quiz_id)
    async with reading() as session:
        return list(await session.scalars(own.order_by(Question.position, Question.retired_at.desc())))


async def told(name: str) -> list[OutboxRow]:
    """Return the events of a name, oldest first."""
    async with reading() as session:
        return list(await session.scalars(select(OutboxRow).where(OutboxRow.name == name).order_by(OutboxRow.seq)))


async def note(client: httpx.AsyncClient, title: str = "Cells", content: str = CELLS, **fields: Any) -> str:
    """Add a resource over HTTP."""
    body = {"title": title, "content": content, "language": "en", **fields}
    answer = await client.post("/resources", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]
