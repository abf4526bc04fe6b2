"""Verbs of sessions: start one, read it without its key, save answers, submit."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Select, and_, func, select

from service.database import ReadSession, Session
from service.errors import Conflict, NotFound
from service.outbox import emit
from service.quiz_sessions.answers import Value, checked
from service.quiz_sessions.events import QuizSessionStarted, QuizSessionSubmitted
from service.quiz_sessions.order import arranged, shuffled
from service.quiz_sessions.scoring import grade, mark, percentage
from service.quiz_sessions.similarity import Near
from service.quiz_sessions.tables import QuizSession, SessionQuestion
from service.quizzes.tables import Question, Quiz
from service.resources.tables import Resource, visible
from service.reviews import actions as reviews
from service.security.accounts import Account

State = Literal["open", "expired", "submitted"]


class NotReady(Conflict):
    """This quiz cannot be taken now: it is {status}{why}."""


class NothingToAsk(Conflict):
    """This quiz has no questions any more: what they were about is gone, or they were withdrawn."""


class AlreadySubmitted(Conflict):
    """This session was submitted on {at}; its results are there, and its answers stay as they are."""


class TimeIsUp(Conflict):
    """The time of this session was up on {at}. What was saved until then counts: submit it."""


class AnswersChange(Conflict):
    """Answers of this session are being saved at this moment, by another device maybe. Submit it again."""


@dataclass(frozen=True, slots=True)
class Sitting:
    """A session, its quiz's title, and what of its questions is still there, in order."""

    row: QuizSession
    title: str
    asked: Sequence[SessionQuestion]


def state_of(row: QuizSession, now: datetime) -> State:
    """Tell whether answers are taken, or the time is up, or it is over."""
    if row.submitted_at is not None:
        return "submitted"
    return "expired" if row.ends_at is not None and row.ends_at <= now else "open"


async def start(
    session: Session,
    account: Account,
    quiz_id: UUID,
    now: datetime,
    *,
    seed: int,
    time_limit_seconds: int | None = None,
    count: int | None = None,
) -> Sitting:
    """Begin to take a quiz; raises NotFound, NotReady, NothingToAsk."""
    quiz = await quiz_of(session, account, quiz_id)
    if quiz.status != "ready":
        raise NotReady(status=quiz.status, why=f" ({quiz.message})" if quiz.message else "")
    locked = askable(account, quiz_id).with_for_update(of=Resource, read=True, key_share=True)  # none is deleted now
    questions = {question.id: question for question in await session.scalars(locked)}
    if not questions:
        raise NothingToAsk
    row = QuizSession(
        id=uuid4(),
        quiz_id=quiz_id,
        owner_id=account.id,
        seed=seed,
        question_count=min(count or len(questions), len(questions)),
        started_at=now,
        ends_at=None if time_limit_seconds is None else now + timedelta(seconds=time_limit_seconds),
        version=0,
    )
    session.add(row)
    await session.flush()
    chosen = shuffled(questions, seed)[: row.question_count]
    asked = [_copy(row, place, questions[id]) for place, id in enumerate(chosen)]
    session.add_all(asked)
    await session.flush()
    emit(session, QuizSessionStarted(session_id=row.id, quiz_id=quiz_id, user_id=account.id), audience=account.id)
    return Sitting(row, quiz.title, asked)


async def quiz_of(session: ReadSession, account: Account, quiz_id: UUID) -> Quiz:
    """Return a quiz of this account; raises NotFound."""
    quiz = await session.scalar(select(Quiz).where(Quiz.id == quiz_id, Quiz.owner_id == account.id))
    if quiz is None:
        raise NotFound(what="quiz", id=quiz_id)
    return quiz


def askable(account: Account, quiz_id: UUID) -> Select[Question]:
    """Select the questions of a quiz that are asked: not withdrawn, on what the account may see."""
    questions = select(Question).join(Resource, Resource.id == Question.resource_id)
    return questions.where(Question.quiz_id == quiz_id, Question.retired_at.is_(None), visible(account))


def _copy(row: QuizSession, position: int, question: Question) -> SessionQuestion:
    options, key = arranged(question.options, question.answer, f"{row.seed}:{question.id}")
    copied = ("resource_id", "type", "stem", "passage", "passage_start", "content_hash", "weight")
    return SessionQuestion(
        session_id=row.id,
        question_id=question.id,
        position=position,
        options=options,
        key=key,
        **{name: getattr(question, name) for name in copied},
    )


async def read(session: ReadSession, account: Account, session_id: UUID, *, lock: bool = False) -> Sitting:
    """Return a session of this account, with those of its questions whose resources it may see; raises NotFound."""
    own = select(QuizSession, Quiz.title).join(Quiz, Quiz.id == QuizSession.quiz_id)
    own = own.where(QuizSession.id == session_id, QuizSession.owner_id == account.id)
    own = own.with_for_update(of=QuizSession) if lock else own
    found = (await session.execute(own.execution_options(populate_existing=True))).one_or_none()
    if found is None:
        raise NotFound(what="session", id=session_id)
    asked = select(SessionQuestion).join(Resource, Resource.id == SessionQuestion.resource_id)
    asked = asked.where(SessionQuestion.session_id == session_id, visible(account)).order_by(SessionQuestion.position)
    rows = await session.scalars(asked.execution_options(populate_existing=True))
    return Sitting(found[0], found[1], rows.all())


def shown(sitting: Sitting, now: datetime) -> dict[str, Any]:
    """Return a session as it is answered while it is taken: nothing of its key, on whatever device."""
    row = sitting.row
    left = None if row.ends_at is None or row.submitted_at else max(0, math.ceil((row.ends_at - now).total_seconds()))
    return {
        "session_id": row.id,
        "quiz_id": row.quiz_id,
        "title": sitting.title,
        "state": state_of(row, now),
        "seed": row.seed,
        "started_at": row.started_at,
        "ends_at": row.ends_at,
        "time_left_seconds": left,
        "submitted_at": row.submitted_at,
        "now": now,
        "questions": [
            {"id": one.question_id, "type": one.type, "stem": one.stem}
            | ({"options": one.options} if one.options is not None else {})
            | ({"blanks": one.asked.blanks} if one.type == "fill_in_blank" else {})
            for one in sitting.asked
        ],
        "answers": answers_of(sitting),
    }


def answers_of(sitting: Sitting) -> dict[str, Any]:
    """Return what was answered so far, by question."""
    return {str(one.question_id): one.answer for one in sitting.asked if one.answer is not None}


def _in_state(state: State, now: datetime) -> ColumnElement[bool]:
    """Return the condition of `state_of`."""
    over = and_(QuizSession.ends_at.is_not(None), QuizSession.ends_at <= now)
    match state:
        case "submitted":
            return QuizSession.submitted_at.is_not(None)
        case "expired":
            return and_(QuizSession.submitted_at.is_(None), over)
        case "open":
            return and_(QuizSession.submitted_at.is_(None), ~over)


async def browse(
    session: ReadSession,
    account: Account,
    now: datetime,
    *,
    limit: int,
    offset: int,
    quiz_id: UUID | None = None,
    state: State | None = None,
) -> tuple[int, list[dict[str, Any]]]:
    """Return how many sessions an account has, and one page of them, the newest first."""
    own: ColumnElement[bool] = QuizSession.owner_id == account.id
    if quiz_id is not None:
        own = and_(own, QuizSession.quiz_id == quiz_id)
    if state is not None:
        own = and_(own, _in_state(state, now))
    answered = select(func.count(SessionQuestion.answer)).where(SessionQuestion.session_id == QuizSession.id)
    listing = select(QuizSession, Quiz.title, answered.scalar_subquery()).join(Quiz, Quiz.id == QuizSession.quiz_id)
    listing = listing.where(own).order_by(QuizSession.started_at.desc(), QuizSession.id).limit(limit).offset(offset)
    total = await session.scalar(select(func.count()).where(own))
    items = [
        {
            "session_id": row.id,
            "quiz_id": row.quiz_id,
            "title": title,
            "state": state_of(row, now),
            "started_at": row.started_at,
            "ends_at": row.ends_at,
            "submitted_at": row.submitted_at,
            "question_count": row.question_count,
            "answered": number,
            "percentage": row.percentage,
            "grade": row.grade,
        }
        for row, title, number in await session.execute(listing)
    ]
    return total or 0, items


async def save(
    session: Session,
    account: Account,
    session_id: UUID,
    given: Mapping[UUID, Value],
    now: datetime,
    saved_at: datetime | None = None,
) -> Sitting:
    """Keep answers beside those that are there; of two to one question the one that was given later stays.

    `saved_at` is when they were given; a device whose clock is ahead does not win thereby. Raises NotFound,
    AlreadySubmitted, TimeIsUp, Invalid.
    """
    sitting = await read(session, account, session_id, lock=True)
    _still_open(sitting.row, now)
    given_at = min(saved_at or now, now)
    rows = {one.question_id: one for one in sitting.asked}
    for id, value in checked({id: one.asked for id, one in rows.items()}, given).items():
        one = rows[id]
        if one.saved_at is None or one.saved_at <= given_at:
            one.answer, one.saved_at = value, given_at
    sitting.row.version += 1
    await session.flush()
    return sitting


def _still_open(row: QuizSession, now: datetime) -> None:
    if row.submitted_at is not None:
        raise AlreadySubmitted(at=f"{row.submitted_at:%Y-%m-%d %H:%M} UTC")
    if row.ends_at is not None and row.ends_at <= now:
        raise TimeIsUp(at=f"{row.ends_at:%Y-%m-%d %H:%M} UTC")


async def drafted(session: ReadSession, account: Account, session_id: UUID) -> Sitting:
    """Return a session that is to be submitted; raises NotFound, AlreadySubmitted, NothingToAsk."""
    sitting = await read(session, account, session_id)
    _submittable(sitting)
    return sitting


def _submittable(sitting: Sitting) -> None:
    if sitting.row.submitted_at is not None:
        raise AlreadySubmitted(at=f"{sitting.row.submitted_at:%Y-%m-%d %H:%M} UTC")
    if not sitting.asked:
        raise NothingToAsk


async def submit(
    session: Session, account: Account, draft: Sitting, near: Sequence[Near], now: datetime
) -> Sitting | None:
    """Score a session, once; None where its answers are not those of the draft any more.

    `near` are the cosines of the draft's answers. Raises AlreadySubmitted, NothingToAsk.
    """
    version = draft.row.version
    by_question = {one.question_id: near[place] for place, one in enumerate(draft.asked)}
    sitting = await read(session, account, draft.row.id, lock=True)
    _submittable(sitting)
    row = sitting.row
    if row.version != version:
        return None
    marks = [mark(one.asked, one.answer, by_question.get(one.question_id, ())) for one in sitting.asked]
    # Cards first: a deletion reaches the questions before their copies here, and must not wait for us while we wait.
    shares = {
        one.question_id: marked.share
        for one, marked in zip(sitting.asked, marks, strict=True)
        if one.answer is not None
    }
    await reviews.take_up(session, account.id, shares, now)
    for one, marked in zip(sitting.asked, marks, strict=True):
        one.points, one.verdict = marked.share * one.weight, marked.verdict
    row.submitted_at = now
    score = row.score = sum(marked.share * one.weight for one, marked in zip(sitting.asked, marks, strict=True))
    possible = row.possible = sum(one.weight for one in sitting.asked)
    percent = row.percentage = percentage(score, possible)
    letter = row.grade = grade(percent)
    await session.flush()
    submitted = QuizSessionSubmitted(
        session_id=row.id, quiz_id=row.quiz_id, user_id=account.id, percentage=percent, grade=letter
    )
    emit(session, submitted, audience=account.id)
    return sitting
