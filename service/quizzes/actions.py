"""Verbs of quizzes: ask for one, list, read, delete."""

from collections.abc import Sequence
from dataclasses import dataclass
from secrets import randbelow
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select

from service.database import ReadSession, Session
from service.errors import NotFound
from service.outbox import emit
from service.queue.ledger import accept
from service.queue.task import Dispatch
from service.quizzes import sources
from service.quizzes.drafts import Difficulty, Type
from service.quizzes.events import QuizRequested
from service.quizzes.tables import Question, Quiz
from service.security.accounts import Account
from service.tasks import GENERATE

SEEDS = 2**31


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody asks for."""

    sources: dict[str, Any]
    num_questions: int
    question_types: Sequence[Type]
    difficulty: Difficulty | None
    title: str | None


async def request(session: Session, account: Account, wanted: Wanted) -> tuple[UUID, UUID]:
    """Ask for a quiz; returns its id and that of the task that makes it (raises what `sources.named` raises)."""
    found = await sources.named(session, account, wanted.sources)
    quiz = Quiz(
        owner_id=account.id,
        title=wanted.title or _title(found),
        sources=wanted.sources,
        num_questions=wanted.num_questions,
        question_types=list(wanted.question_types),
        difficulty=wanted.difficulty,
        seed=randbelow(SEEDS),
    )
    session.add(quiz)
    await session.flush()
    event = QuizRequested(quiz_id=quiz.id, user_id=account.id, num_questions=wanted.num_questions)
    event_id = emit(session, event, audience=account.id)
    task_id = quiz.task_id = Dispatch(GENERATE, {"quiz_id": str(quiz.id)}, event_id).message_id
    await accept(session, account.id, GENERATE, task_id)
    return quiz.id, task_id


def _title(found: Sequence[sources.Source]) -> str:
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    return f"{found[0].title[:150].strip() or 'Untitled'}{more}"


def _counted(account: Account) -> Select[Quiz, int]:
    asked = select(func.count()).where(Question.quiz_id == Quiz.id, Question.retired_at.is_(None))
    return select(Quiz, asked.correlate(Quiz).scalar_subquery()).where(Quiz.owner_id == account.id)


async def browse(session: ReadSession, account: Account, limit: int, offset: int) -> tuple[int, list[dict[str, Any]]]:
    """Return how many quizzes an account has, and one page of them, the newest first."""
    total = await session.scalar(select(func.count()).where(Quiz.owner_id == account.id))
    rows = _counted(account).order_by(Quiz.created_at.desc(), Quiz.id).limit(limit).offset(offset)
    return total or 0, [view(quiz, number) for quiz, number in await session.execute(rows)]


async def read(session: ReadSession, account: Account, quiz_id: UUID) -> dict[str, Any]:
    """Return a quiz of this account, without its questions; raises NotFound."""
    row = (await session.execute(_counted(account).where(Quiz.id == quiz_id))).one_or_none()
    if row is None:
        raise NotFound(what="quiz", id=quiz_id)
    return view(*row)


async def own(session: ReadSession, account: Account, quiz_id: UUID) -> Quiz:
    """Return the row of a quiz of this account; raises NotFound."""
    quiz = await session.scalar(select(Quiz).where(Quiz.id == quiz_id, Quiz.owner_id == account.id))
    if quiz is None:
        raise NotFound(what="quiz", id=quiz_id)
    return quiz


async def remove(session: Session, account: Account, quiz_id: UUID) -> None:
    """Delete a quiz with its questions; a task that makes it finds nothing to do; raises NotFound."""
    await session.delete(await own(session, account, quiz_id))


def view(quiz: Quiz, question_count: int) -> dict[str, Any]:
    """Return a quiz as it is shown: no question, no answer."""
    names = (
        "id title status percent message num_questions question_types difficulty generator task_id created_at"
        " completed_at sources"
    ).split()
    return {name: getattr(quiz, name) for name in names} | {"question_count": question_count}
