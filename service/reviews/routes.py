"""HTTP for reviews."""

from datetime import UTC, date, datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from service.database import reading, transaction
from service.quiz_sessions.answers import Value
from service.reviews import actions, anki, asking
from service.reviews.days import ZoneName, zone
from service.reviews.statistics import statistics
from service.web import Listed, Paged, Shape, account, bodiless, page, parse, path_id, query, respond, route


class DueQuery(Paged):
    """Which part of what is due today, where somebody lives."""

    timezone: ZoneName = "UTC"


class Day(Shape):
    """Where the day begins and ends."""

    timezone: ZoneName = "UTC"


class DueQuestion(BaseModel):
    """A question that is due, without its key."""

    question_id: UUID
    quiz_id: UUID
    type: str
    stem: str
    options: list[str] | None
    blanks: int | None
    state: Literal["review", "relearning"]
    due: datetime


class Rating(Shape):
    """How well it was remembered: 1 forgotten, 2 hard, 3 good, 4 easy."""

    rating: int = Field(ge=1, le=4, strict=True)


class Card(BaseModel):
    """What is remembered of a question: stability in days, difficulty 1 to 10, and when it comes back."""

    question_id: UUID
    state: Literal["review", "relearning"]
    stability: float
    difficulty: float
    due: datetime
    last_review: datetime
    reviews: int
    lapses: int
    suspended: bool


class Attempt(Shape):
    """An answer that is checked before the key is shown, as in a quiz; none is just a look at the key."""

    answer: Value = None


class Revealed(BaseModel):
    """The key with its passage, what the answer is worth (0 to 1), and when each rating brings the question back."""

    question_id: UUID
    right: dict[str, Any]
    answer: Any | None
    share: float | None
    suggested_rating: int | None
    next: dict[str, datetime]
    passage: dict[str, Any]


class Retention(BaseModel):
    """Of the reviews a day or more after the one before: how many were remembered."""

    days: int
    reviews: int
    remembered: int
    rate: float | None


class DueOn(BaseModel):
    """How many questions come on a day; what is overdue comes today."""

    day: date
    due: int


class Statistics(BaseModel):
    """How it goes."""

    today: date
    due: int
    reviewed_today: int
    retention: Retention
    reviews: dict[str, int]
    streak: dict[str, int]
    forecast: list[DueOn]
    states: dict[str, int]


class Export(Shape):
    """For which program."""

    format: Literal["anki"] = "anki"


async def list_due(request: Request) -> Response:
    """The questions that are due today, without their keys."""
    asked = query(request, DueQuery)
    where = zone(asked.timezone)
    async with reading() as session:
        total, rows = await actions.due(
            session, account(request), datetime.now(UTC), where, limit=asked.limit, offset=asked.offset
        )
    return page([DueQuestion.model_validate(asking.shown(*row)) for row in rows], total, asked)


async def reveal(request: Request) -> Response:
    """The right answer with its passage, and what your own is worth."""
    said = Attempt() if bodiless(request) else await parse(request, Attempt)
    async with reading() as session:
        found = await actions.card_of(session, account(request), path_id(request, what="review"))
    return respond(Revealed.model_validate(await asking.revealed(*found, said.answer, datetime.now(UTC))))


async def rate(request: Request) -> Response:
    """Say how well you remembered a question; it comes back when you are about to forget it."""
    said, id = await parse(request, Rating), path_id(request, what="review")
    async with transaction() as session:
        card = await actions.rate(session, account(request), id, said.rating, datetime.now(UTC))
        return respond(Card.model_validate(actions.shown(card)))


async def suspend(request: Request) -> Response:
    """Leave a question out of your reviews."""
    return await _suspend(request, datetime.now(UTC))


async def unsuspend(request: Request) -> Response:
    """Take a question into your reviews again."""
    return await _suspend(request, None)


async def _suspend(request: Request, now: datetime | None) -> Response:
    async with transaction() as session:
        card = await actions.suspend(session, account(request), path_id(request, what="review"), now)
        return respond(Card.model_validate(actions.shown(card)))


async def read_statistics(request: Request) -> Response:
    """What you remember, on how many days in a row you studied, and what comes in the next 30 days."""
    where = zone(query(request, Day).timezone)
    async with reading() as session:
        found = await statistics(session, account(request), datetime.now(UTC), where)
    return respond(Statistics.model_validate(found))


async def export_cards(request: Request) -> Response:
    """Your questions with their answers, as text that Anki imports."""
    query(request, Export)
    headers = {"Content-Disposition": 'attachment; filename="pharos-anki.txt"'}
    return StreamingResponse(anki.exported(account(request)), media_type="text/plain", headers=headers)


routes = [
    route("GET", "/reviews/due", list_due, scope="read", queries=DueQuery, gives=Listed[DueQuestion]),
    route("GET", "/reviews/statistics", read_statistics, scope="read", queries=Day, gives=Statistics),
    route("GET", "/reviews/export", export_cards, scope="read", queries=Export),
    route("POST", "/reviews/{id}", rate, scope="read", takes=Rating, gives=Card),
    route("POST", "/reviews/{id}/reveal", reveal, scope="read", takes=Attempt, gives=Revealed),
    route("POST", "/reviews/{id}/suspend", suspend, scope="read", gives=Card),
    route("POST", "/reviews/{id}/unsuspend", unsuspend, scope="read", gives=Card),
]
