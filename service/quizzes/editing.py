"""Verbs of questions, for the owner of their quiz: list with answers, edit, report, replace."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from service.database import ReadSession, Session
from service.errors import Conflict, Invalid, NotFound
from service.outbox import emit
from service.queue.ledger import accept
from service.queue.task import Dispatch
from service.quizzes import actions, progress, secrecy
from service.quizzes.drafts import Draft
from service.quizzes.events import QuizQuestionReplaced, QuizReplacementRequested
from service.quizzes.tables import Question, Quiz
from service.quizzes.validation import faults
from service.resources.tables import Resource, visible_to
from service.security.accounts import Account
from service.tasks import REPLACE

COLUMNS = (
    "id resource_id position type difficulty stem options answer passage passage_start weight report reported_at"
    " edited_at"
).split()


class NotReady(Conflict):
    """The quiz is {status}: it has no questions yet."""


class BadQuestion(Invalid):
    """{why}"""


async def questions(
    session: ReadSession, account: Account, quiz_id: UUID, limit: int, offset: int
) -> tuple[int, list[dict[str, Any]]]:
    """Return the questions of an own quiz with their answers; raises NotFound, NotReady and SessionOpen."""
    quiz = await actions.own(session, account, quiz_id)
    if quiz.status != "ready":
        raise NotReady(status=quiz.status)
    await secrecy.check(session, quiz_id, account.id)
    asked = select(Question).where(Question.quiz_id == quiz_id, Question.retired_at.is_(None))
    total = await session.scalar(select(func.count()).select_from(asked.subquery()))
    found = await session.scalars(asked.order_by(Question.position, Question.id).limit(limit).offset(offset))
    return total or 0, [view(question) for question in found]


def view(question: Question) -> dict[str, Any]:
    """Return a question with its answer, as its owner sees it."""
    return {name: getattr(question, name) for name in COLUMNS}


async def _own(session: Session, account: Account, quiz_id: UUID, question_id: UUID) -> Question:
    await actions.own(session, account, quiz_id)
    chosen = select(Question).where(
        Question.id == question_id, Question.quiz_id == quiz_id, Question.retired_at.is_(None)
    )
    question = await session.scalar(chosen.with_for_update())
    if question is None:
        raise NotFound(what="question", id=question_id)
    await secrecy.check(session, quiz_id, account.id)
    return question


async def edit(
    session: Session, account: Account, quiz_id: UUID, question_id: UUID, fields: Mapping[str, Any]
) -> dict[str, Any]:
    """Change a question by the rules that all meet; raises NotFound, SessionOpen and BadQuestion.

    Its report is settled by that. A passage that is edited must stand in the text as it is now.
    """
    question = await _own(session, account, quiz_id, question_id)
    content, start = None, question.passage_start
    passage = fields.get("passage", question.passage)
    if passage != question.passage:
        row = await _text(session, account, question.resource_id)
        content, start = row.content, row.content.find(passage)
        if start < 0:
            raise BadQuestion(why="The passage does not stand in the text, word for word.")
        question.content_hash = row.content_hash or ""
    options = fields.get("options", question.options)
    draft = Draft(
        type=question.type,  # pyright: ignore[reportArgumentType]
        stem=fields.get("stem", question.stem),
        answer=fields.get("answer", question.answer),
        passage=passage,
        passage_start=start,
        options=None if options is None else tuple(options),
    )
    if wrong := faults(draft, content):
        raise BadQuestion(why=" ".join(wrong))
    for name, value in {**fields, "passage_start": start}.items():
        setattr(question, name, value)
    question.edited_at, question.report, question.reported_at = datetime.now(UTC), None, None
    await session.flush()
    return view(question)


async def _text(session: Session, account: Account, resource_id: UUID) -> Resource:
    row = await session.scalar(select(Resource).where(Resource.id == resource_id, visible_to(account.id)))
    if row is None:
        raise NotFound(what="resource", id=resource_id)
    return row


async def report(session: Session, account: Account, quiz_id: UUID, question_id: UUID, reason: str) -> dict[str, Any]:
    """Write down what is wrong with a question; raises NotFound and SessionOpen."""
    question = await _own(session, account, quiz_id, question_id)
    question.report, question.reported_at = reason, datetime.now(UTC)
    await session.flush()
    return view(question)


async def regenerate(session: Session, account: Account, quiz_id: UUID, question_id: UUID) -> UUID:
    """Ask for another question in the place of one; returns the id of the task."""
    await _own(session, account, quiz_id, question_id)
    event = QuizReplacementRequested(quiz_id=quiz_id, question_id=question_id, user_id=account.id)
    event_id = emit(session, event, audience=account.id)
    task_id = Dispatch(REPLACE, {"question_id": str(question_id)}, event_id).message_id
    await accept(session, account.id, REPLACE, task_id)
    return task_id


@dataclass(frozen=True, slots=True)
class Replacing:
    """What another question is made from: the quiz, the question, and what its quiz asks besides."""

    job: progress.Job
    question_id: UUID
    source: int
    type: str
    passages: frozenset[tuple[UUID, int]]  # of all questions that the quiz has or had
    stems: tuple[str, ...]


async def replacing(session: ReadSession, question_id: UUID) -> Replacing | None:
    """Read what is needed to replace a question; None where that is not wanted any more."""
    question = await session.get(Question, question_id)
    if question is None or question.retired_at is not None:
        return None
    quiz = await session.get_one(Quiz, question.quiz_id)
    rows: Sequence[Question] = (await session.scalars(select(Question).where(Question.quiz_id == quiz.id))).all()
    job = await progress.drafted(session, quiz)
    source = next((place for place, one in enumerate(job.found) if one.id == question.resource_id), None)
    if source is None:
        return None
    passages = frozenset((row.resource_id, row.passage_start) for row in rows)
    return Replacing(job, question_id, source, question.type, passages, tuple(row.stem for row in rows))


async def replace(session: Session, asked: Replacing, draft: Draft) -> UUID | None:
    """Put a question in the place of one; None where it was deleted or replaced meanwhile; raises TextChanged."""
    old = await session.get(Question, asked.question_id, with_for_update=True)
    if old is None or old.retired_at is not None:
        return None
    await progress.check_unchanged(session, asked.job.found)
    new = progress.row(old.quiz_id, draft, asked.job.found[draft.source], old.position)
    old.retired_at = datetime.now(UTC)
    session.add(new)
    await session.flush()
    owner = asked.job.owner_id
    event = QuizQuestionReplaced(quiz_id=old.quiz_id, question_id=old.id, new_id=new.id, user_id=owner)
    emit(session, event, audience=owner)
    return new.id
