"""Verbs of making a quiz: begin, tell how far it is, keep the questions, give up, find what nobody works on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, func, select

from service.database import ReadSession, Session
from service.errors import Unavailable
from service.outbox import emit
from service.queue.task import Dispatch
from service.quizzes import sources
from service.quizzes.drafts import ENGLISH, Asked, Draft, Material
from service.quizzes.events import (
    QuizGenerated,
    QuizGenerationFailed,
    QuizGenerationProgress,
    QuizGenerationStarted,
    QuizStalled,
)
from service.quizzes.tables import Question, Quiz
from service.resources.tables import Resource
from service.tasks import GENERATE

LONGEST = timedelta(minutes=20)  # three tries at their limit, and the pauses between them
UNFINISHED = ("pending", "generating")


class TextChanged(Unavailable):
    """A text changed while questions were made of it; they are made again."""

    transient = True


@dataclass(frozen=True, slots=True)
class Job:
    """All that a quiz is made from."""

    quiz_id: UUID
    owner_id: UUID
    asked: Asked
    found: tuple[sources.Source, ...]
    neighbours: tuple[Material, ...]

    @property
    def materials(self) -> tuple[Material, ...]:
        return tuple(Material(one.content, one.language) for one in self.found)


async def begin(session: Session, quiz_id: UUID) -> Job | None:
    """Say that a worker begins with a quiz, and return what it is made from; None where that is not wanted any more."""
    quiz = await session.get(Quiz, quiz_id, with_for_update=True)
    if quiz is None or quiz.status not in UNFINISHED:
        return None
    job = await drafted(session, quiz)
    if quiz.status == "pending":
        quiz.status = "generating"
        started = QuizGenerationStarted(quiz_id=quiz.id, user_id=quiz.owner_id, num_questions=quiz.num_questions)
        emit(session, started, audience=quiz.owner_id)
    _say(session, quiz, 5, f"Reading {_texts(len(job.found))}")
    return job


async def drafted(session: ReadSession, quiz: Quiz) -> Job:
    """Read what a quiz is made from."""
    found = [one for one in await sources.read(session, quiz.owner_id, quiz.sources) if one.content][: sources.MOST]
    near = await sources.neighbours(session, quiz.owner_id, [one.id for one in found]) if found else []
    asked = Asked(quiz.num_questions, tuple(quiz.question_types), quiz.difficulty, quiz.seed)  # pyright: ignore[reportArgumentType]
    around = tuple(Material(content, language) for content, language in near if language in (ENGLISH, None))
    return Job(quiz.id, quiz.owner_id, asked, tuple(found), around)


def _texts(number: int) -> str:
    return "the text" if number == 1 else f"{number} texts"


def _say(session: Session, quiz: Quiz, percent: int, message: str) -> None:
    quiz.percent, quiz.message = percent, message
    told = QuizGenerationProgress(quiz_id=quiz.id, user_id=quiz.owner_id, progress=percent, message=message)
    emit(session, told, audience=quiz.owner_id)


async def advance(session: Session, quiz_id: UUID, percent: int, message: str) -> None:
    """Say how far a quiz is; nothing where it is ready, given up or deleted meanwhile."""
    quiz = await session.get(Quiz, quiz_id, with_for_update=True)
    if quiz is not None and quiz.status == "generating":
        _say(session, quiz, percent, message)


async def keep(session: Session, job: Job, drafts: Sequence[Draft], generator: str, message: str | None) -> bool:
    """Write the questions of a quiz; False where another worker did, or nobody wants it any more.

    No question at all is a failure with that message. Raises TextChanged.
    """
    quiz = await session.get(Quiz, job.quiz_id, with_for_update=True)
    if quiz is None or quiz.status not in UNFINISHED:
        return False
    if not drafts:
        _fail(session, quiz, message or "No question could be made of this text.")
        return False
    await check_unchanged(session, job.found)
    await session.execute(delete(Question).where(Question.quiz_id == quiz.id))
    session.add_all(row(quiz.id, draft, job.found[draft.source], place) for place, draft in enumerate(drafts))
    quiz.status, quiz.percent, quiz.message = "ready", 100, message
    quiz.generator, quiz.completed_at = generator, datetime.now(UTC)
    emit(session, QuizGenerated(quiz_id=quiz.id, user_id=quiz.owner_id, questions=len(drafts)), audience=quiz.owner_id)
    return True


async def check_unchanged(session: Session, found: Sequence[sources.Source]) -> None:
    """Raise TextChanged where a text is not what it was when it was read; it stays the same until the commit."""
    hashes = select(Resource.id, Resource.content_hash).where(Resource.id.in_([one.id for one in found]))
    now = {id: content_hash for id, content_hash in await session.execute(hashes.with_for_update(key_share=True))}
    if any(now.get(one.id) != one.content_hash for one in found):
        raise TextChanged


def row(quiz_id: UUID, draft: Draft, source: sources.Source, position: int) -> Question:
    """Return the row of a question."""
    return Question(
        quiz_id=quiz_id,
        resource_id=source.id,
        position=position,
        type=draft.type,
        difficulty=draft.difficulty,
        stem=draft.stem,
        options=None if draft.options is None else list(draft.options),
        answer=draft.answer,
        passage=draft.passage,
        passage_start=draft.passage_start,
        content_hash=source.content_hash or "",
    )


def _fail(session: Session, quiz: Quiz, message: str) -> None:
    quiz.status, quiz.message, quiz.completed_at = "failed", message, datetime.now(UTC)
    failed = QuizGenerationFailed(quiz_id=quiz.id, user_id=quiz.owner_id, error=message)
    emit(session, failed, audience=quiz.owner_id)


async def give_up(session: Session, task_id: UUID, message: str) -> None:
    """Write that the quiz of a task will not be made."""
    quiz = await session.scalar(select(Quiz).where(Quiz.task_id == task_id).with_for_update())
    if quiz is not None and quiz.status in UNFINISHED:
        _fail(session, quiz, message)


async def announce_stalled(session: Session, limit: int = 500) -> int:
    """Ask again for quizzes that nobody works on, as far as one can tell; returns how many."""
    old = select(Quiz).where(Quiz.status.in_(UNFINISHED), Quiz.created_at < func.now() - LONGEST)
    stalled = (
        await session.scalars(old.order_by(Quiz.created_at).limit(limit).with_for_update(skip_locked=True))
    ).all()
    for quiz in stalled:
        event_id = emit(session, QuizStalled(quiz_id=quiz.id, user_id=quiz.owner_id), audience=quiz.owner_id)
        quiz.task_id = Dispatch(GENERATE, {"quiz_id": str(quiz.id)}, event_id).message_id
    return len(stalled)
