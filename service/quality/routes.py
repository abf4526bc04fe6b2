"""HTTP for quality."""

from datetime import date, datetime
from typing import Annotated, Any, cast
from uuid import UUID

from pydantic import BaseModel, Field, model_validator
from starlette.requests import Request
from starlette.responses import Response

from service.cache.cache import cache
from service.cache.shared import Fresh
from service.database import reading, transaction
from service.quality import actions, reviews
from service.quality.scores import DIMENSIONS, Dimension
from service.quality.statistics import distribution, trends
from service.resources.states import state
from service.web import Listed, Paged, Shape, account, encoded, page, parse, path_id, query, respond, route

Value = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class Correction(BaseModel):
    """What a person said about a dimension, and what was computed."""

    value: float
    computed: float
    user_id: UUID
    at: datetime


class QualityView(BaseModel):
    """The quality of a resource: scores as they count, why, and what people corrected."""

    overall: float
    dimensions: dict[Dimension, float]
    reasons: dict[Dimension, list[str]]
    readability: dict[str, float] | None
    corrections: dict[Dimension, Correction]
    computed_at: datetime
    is_outlier: bool


class Corrections(Shape):
    """Dimensions as a person sees them, 0 to 1; null takes a correction back."""

    accuracy: Value | None = None
    completeness: Value | None = None
    consistency: Value | None = None
    timeliness: Value | None = None
    relevance: Value | None = None

    @model_validator(mode="after")
    def _something(self) -> "Corrections":
        if not self.model_fields_set:
            raise ValueError(f"give at least one of {', '.join(DIMENSIONS)}")
        return self

    def values(self) -> dict[Dimension, float | None]:
        """Return what was said."""
        return cast("dict[Dimension, float | None]", self.model_dump(exclude_unset=True))


async def read_quality(request: Request) -> Response:
    """How good a resource is in five dimensions, and why."""
    who, resource_id = account(request), path_id(request, what="resource")

    async def compute() -> Fresh:
        async with reading() as session:
            return Fresh(encoded(actions.shown(await actions.read(session, who, resource_id))), known)

    known = await state("quality", who.id, resource_id)
    return respond((await cache.get_or_compute(f"quality:{resource_id}", compute, stamp=known)).value)


async def correct_quality(request: Request) -> Response:
    """Let dimensions count as you say; what is computed later does not replace that."""
    said = await parse(request, Corrections)
    async with transaction() as session:
        id = path_id(request, what="resource")
        return respond(actions.shown(await actions.correct(session, account(request), id, said.values())))


class Distribution(BaseModel):
    """How many scores lie between two edges, and their mean."""

    counts: list[int]
    mean: float | None


class Distributions(BaseModel):
    """Histograms with common edges."""

    total: int
    edges: list[float]
    overall: Distribution
    dimensions: dict[Dimension, Distribution]


async def read_distribution(request: Request) -> Response:
    """How the quality of what you may see is spread."""
    async with reading() as session:
        return respond(await distribution(session, account(request).id))


class Span(Shape):
    """How far back."""

    days: int = Field(30, ge=1, le=365)


class Day(BaseModel):
    """The means of one day (UTC), and of how many resources."""

    day: date
    resources: int
    overall: float
    dimensions: dict[Dimension, float]


class Trends(BaseModel):
    """The days on which something was computed, oldest first."""

    days: list[Day]


async def read_trends(request: Request) -> Response:
    """How the quality of what you may see went: the mean of what was computed on each day."""
    asked = query(request, Span)
    async with reading() as session:
        return respond({"days": await trends(session, account(request).id, asked.days)})


class ReviewQuery(Paged):
    """Which reviews."""

    settled: bool = False
    kind: reviews.Kind | None = None


class Review(BaseModel):
    """Something that a person should look at, or has."""

    resource_id: UUID
    title: str
    kind: reviews.Kind
    reasons: list[str]
    score: float
    opened_at: datetime
    settled_at: datetime | None
    settled_by: UUID | None
    decision: reviews.Decision | None
    note: str | None


async def list_reviews(request: Request) -> Response:
    """What got worse or stands out and waits for a person; with `settled`, what people have looked at."""
    asked = query(request, ReviewQuery)
    async with reading() as session:
        total, items = await reviews.listed(session, account(request), **asked.model_dump())
    return page(items, total, asked)


class Settling(Shape):
    """What a person says about it; without `kind`, about everything that is open for the resource."""

    decision: reviews.Decision
    kind: reviews.Kind | None = None
    note: str | None = Field(None, max_length=2000)


async def settle_review(request: Request) -> Response:
    """Settle what is open about a resource."""
    said, id = await parse(request, Settling), path_id(request, what="resource")
    async with transaction() as session:
        kinds = await reviews.settle(session, account(request), id, said.decision, kind=said.kind, note=said.note)
    return respond({"resource_id": id, "settled": kinds, "decision": said.decision})


routes = [
    route("GET", "/quality/distribution", read_distribution, scope="read", gives=Distributions),
    route("GET", "/quality/trends", read_trends, scope="read", queries=Span, gives=Trends),
    route("GET", "/quality/review", list_reviews, scope="read", queries=ReviewQuery, gives=Listed[Review]),
    route("POST", "/quality/review/{id}", settle_review, scope="write", takes=Settling, gives=dict[str, Any]),
    route("GET", "/resources/{id}/quality", read_quality, scope="read", gives=QualityView),
    route("PUT", "/resources/{id}/quality", correct_quality, scope="write", takes=Corrections, gives=QualityView),
]
