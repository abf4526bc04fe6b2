"""HTTP for quiz sessions."""

import secrets
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from service.database import reading, transaction
from service.quiz_sessions import actions
from service.quiz_sessions.answers import Value
from service.quiz_sessions.results import results
from service.quiz_sessions.scoring import Grade
from service.quiz_sessions.similarity import nearness
from service.web import Listed, Moment, Paged, Shape, account, bodiless, page, parse, path_id, query, respond, route

LONGEST = 7 * 86_400  # seconds
TRIES = 5  # to submit, while answers are still being saved


class Starting(Shape):
    """How to take the quiz; the same seed makes the same order."""

    seed: int | None = Field(None, ge=0, lt=2**53)
    time_limit_seconds: int | None = Field(None, ge=1, le=LONGEST)
    count: int | None = Field(None, ge=1, le=100)


class AskedQuestion(BaseModel):
    """A question without its key: `options` of a multiple choice as they are shown, the number of its `blanks`."""

    id: UUID
    type: str
    stem: str
    options: list[str] | None = None
    blanks: int | None = None


class SessionView(BaseModel):
    """A session as it is taken, on whatever device: the same order everywhere, and what was saved."""

    session_id: UUID
    quiz_id: UUID
    title: str
    state: actions.State
    seed: int
    started_at: datetime
    ends_at: datetime | None
    time_left_seconds: int | None
    submitted_at: datetime | None
    now: datetime
    questions: list[AskedQuestion]
    answers: dict[str, Any]


class SessionLine(BaseModel):
    """A session in a list."""

    session_id: UUID
    quiz_id: UUID
    title: str
    state: actions.State
    started_at: datetime
    ends_at: datetime | None
    submitted_at: datetime | None
    question_count: int
    answered: int
    percentage: float | None
    grade: Grade | None


class SessionQuery(Paged):
    """Which sessions."""

    quiz_id: UUID | None = None
    state: actions.State | None = None


class Saving(Shape):
    """Answers by question: the text or the index of an option, true or false, a text for each blank, a text.

    null takes an answer back. `saved_at` is when they were given: what was given later stays.
    """

    answers: dict[UUID, Value] = Field(max_length=100)
    saved_at: Moment | None = None


class Saved(BaseModel):
    """All answers as they are now, and how much time is left."""

    session_id: UUID
    answers: dict[str, Any]
    time_left_seconds: int | None
    now: datetime


class Totals(BaseModel):
    """A part of the score."""

    questions: int
    score: float
    possible: float
    percentage: float


class ResourceTotals(Totals):
    """What of the score falls to one resource."""

    resource_id: UUID
    title: str


class PassageTotals(Totals):
    """What of the score falls to one passage."""

    resource_id: UUID
    start: int
    text: str
    question_ids: list[UUID]


class Passage(BaseModel):
    """What a question rests on, by characters of the text; `changed`: the text is another one by now."""

    resource_id: UUID
    title: str
    text: str
    start: int
    end: int
    changed: bool


class QuestionResult(BaseModel):
    """A question as it was asked, what was answered, and what is right."""

    id: UUID
    type: str
    stem: str
    options: list[str] | None
    answer: Any | None
    correct: bool
    points: float
    possible: float
    right: dict[str, Any]
    verdict: dict[str, Any] | None
    passage: Passage


class Results(BaseModel):
    """What came of a session; `removed` questions counted and are gone with their resources."""

    session_id: UUID
    quiz_id: UUID
    title: str
    started_at: datetime
    submitted_at: datetime
    score: float
    possible: float
    percentage: float
    grade: Grade
    question_count: int
    removed: int
    by_type: dict[str, Totals]
    by_resource: list[ResourceTotals]
    by_passage: list[PassageTotals]
    questions: list[QuestionResult]


async def start_session(request: Request) -> Response:
    """Begin to take a quiz: its questions in an order that follows from the seed, no key anywhere."""
    asked = Starting.model_validate({}) if bodiless(request) else await parse(request, Starting)
    id, now = path_id(request, what="quiz"), datetime.now(UTC)
    seed = secrets.randbelow(2**31) if asked.seed is None else asked.seed
    limits = {"time_limit_seconds": asked.time_limit_seconds, "count": asked.count}
    async with transaction() as session:
        sitting = await actions.start(session, account(request), id, now, seed=seed, **limits)
    location = {"Location": f"/sessions/{sitting.row.id}"}
    return respond(SessionView.model_validate(actions.shown(sitting, now)), 201, location)


async def list_sessions(request: Request) -> Response:
    """Your sessions, the newest first."""
    asked = query(request, SessionQuery)
    async with reading() as session:
        total, items = await actions.browse(session, account(request), datetime.now(UTC), **asked.model_dump())
    return page([SessionLine.model_validate(item) for item in items], total, asked)


async def read_session(request: Request) -> Response:
    """A session as it is taken: the same order, what was saved, and the time that is left."""
    async with reading() as session:
        sitting = await actions.read(session, account(request), path_id(request, what="session"))
    return respond(SessionView.model_validate(actions.shown(sitting, datetime.now(UTC))))


async def save_answers(request: Request) -> Response:
    """Save answers; those to other questions stay as they are."""
    said, id, now = await parse(request, Saving), path_id(request, what="session"), datetime.now(UTC)
    async with transaction() as session:
        sitting = await actions.save(session, account(request), id, said.answers, now, said.saved_at)
    shown = actions.shown(sitting, now)
    return respond(Saved.model_validate({name: shown[name] for name in Saved.model_fields}))


async def submit_session(request: Request) -> Response:
    """Submit a session, once, and return its results."""
    id, who = path_id(request, what="session"), account(request)
    for _ in range(TRIES):
        async with reading() as session:
            draft = await actions.drafted(session, who, id)
        near = await nearness([one.asked for one in draft.asked], [one.answer for one in draft.asked])
        async with transaction() as session:
            if await actions.submit(session, who, draft, near, datetime.now(UTC)) is not None:
                return respond(Results.model_validate(await results(session, who, id)))
    raise actions.AnswersChange


async def read_results(request: Request) -> Response:
    """What came of a session: the score by type and by passage, and each question with its right answer."""
    async with reading() as session:
        found = await results(session, account(request), path_id(request, what="session"))
    return respond(Results.model_validate(found))


routes = [
    route("POST", "/quizzes/{id}/sessions", start_session, scope="read", takes=Starting, gives=SessionView, status=201),
    route("GET", "/sessions", list_sessions, scope="read", queries=SessionQuery, gives=Listed[SessionLine]),
    route("GET", "/sessions/{id}", read_session, scope="read", gives=SessionView),
    route("PUT", "/sessions/{id}/answers", save_answers, scope="read", takes=Saving, gives=Saved),
    route("POST", "/sessions/{id}/submit", submit_session, scope="read", gives=Results),
    route("GET", "/sessions/{id}/results", read_results, scope="read", gives=Results, also=(400,)),
]
