"""HTTP for search."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from service.database import reading
from service.errors import NotFound
from service.inference import DIMENSIONS
from service.resources import actions as resources
from service.search import evaluation, queries, retrieval
from service.search.filters import Filters
from service.search.retrieval import Mode
from service.search.shapes import Neighbour, Results, Search, answer
from service.search.suggestions import suggest
from service.search.tables import Embedding
from service.search.vectors import floats
from service.web import Listed, Paged, Shape, account, page, parse, path_id, query, respond, route


async def search(request: Request) -> Response:
    """Search by words, by meaning, or both."""
    return await answer(request, query(request, Search))


async def search_by_post(request: Request) -> Response:
    """Search; the query in the body."""
    return await answer(request, await parse(request, Search))


class JudgedQuery(Shape):
    """A query, and how much each resource helps with it: 0 not at all, 4 completely."""

    query: str
    judgements: dict[UUID, Annotated[int, Field(ge=0, le=10)]] = Field(min_length=1, max_length=1000)


class Evaluation(Shape):
    """Queries to be scored at depth `k`."""

    queries: list[JudgedQuery] = Field(min_length=1, max_length=200)
    mode: Mode = "hybrid"
    k: int = Field(10, ge=1, le=100)


class QueryScores(BaseModel):
    """Scores of one query; judgements of what you cannot see are `unknown` and left out."""

    query: str
    ndcg: float
    recall: float
    precision: float
    mrr: float
    found: int
    unknown: int


class EvaluationResults(BaseModel):
    """The mean over the queries, and each of them."""

    mode: Mode
    k: int
    mean: dict[Literal["ndcg", "recall", "precision", "mrr"], float]
    queries: list[QueryScores]


async def evaluate(request: Request) -> Response:
    """Score the ranking by what people judged: nDCG, recall, precision, reciprocal rank."""
    asked = await parse(request, Evaluation)
    pairs = [(one.query, one.judgements) for one in asked.queries]
    judged = await evaluation.evaluate(pairs, Filters(account(request).id), asked.mode, asked.k)
    each = [{"query": one.query, **asdict(one.scores), "found": one.found, "unknown": one.unknown} for one in judged]
    mean = asdict(evaluation.mean([one.scores for one in judged]))
    return respond({"mode": asked.mode, "k": asked.k, "mean": mean, "queries": each})


class Near(Shape):
    """How many."""

    limit: int = Field(10, ge=1, le=50)


class Neighbours(BaseModel):
    """The nearest first."""

    items: list[Neighbour]


async def similar(request: Request) -> Response:
    """Return what is nearest to a resource in meaning."""
    asked, who, resource_id = query(request, Near), account(request), path_id(request, what="resource")
    async with reading() as session:
        await resources.read(session, who, resource_id)
    return respond({"items": await retrieval.similar(who.id, resource_id, asked.limit)})


class NotEmbedded(NotFound):
    """Resource {id} is not embedded yet; that takes about ten seconds from when its text is there."""


class EmbeddingView(BaseModel):
    """What a resource means to the model: the mean of its passages, a unit vector; null where it says nothing."""

    resource_id: UUID
    model: str
    dimensions: int
    vector: list[float] | None
    chunk_count: int
    truncated: bool
    computed_at: datetime


async def read_embedding(request: Request) -> Response:
    """Return the vector of a resource, and which model made it."""
    who, resource_id = account(request), path_id(request, what="resource")
    async with reading() as session:
        await resources.read(session, who, resource_id)
        found = await session.get(Embedding, resource_id)
    if found is None:
        raise NotEmbedded(id=resource_id)
    return respond(
        EmbeddingView(
            resource_id=resource_id,
            model=found.model,
            dimensions=DIMENSIONS,
            vector=None if found.mean is None else floats(found.mean),
            chunk_count=found.chunk_count,
            truncated=found.truncated,
            computed_at=found.computed_at,
        )
    )


class Typed(Shape):
    """What was typed so far."""

    prefix: str = Field(max_length=1000)
    limit: int = Field(8, ge=1, le=20)


class SuggestionView(BaseModel):
    """A word or a title."""

    text: str
    kind: Literal["word", "title"]


class Suggestions(BaseModel):
    """How it may go on."""

    suggestions: list[SuggestionView]


async def suggestions(request: Request) -> Response:
    """Suggest words and titles that begin like what is typed."""
    asked = query(request, Typed)
    async with reading() as session:
        found = await suggest(session, asked.prefix, Filters(account(request).id), asked.limit)
    return respond({"suggestions": [one._asdict() for one in found]})


class QueriesAsked(Paged):
    """Which queries."""

    zero: bool = Field(False, description="Only those whose last search found nothing.")


class QueryCount(BaseModel):
    """A query as it was last written, and how its searches went."""

    query: str
    count: int
    without_results: int
    last_results: int
    mean_results: float
    p95_latency_ms: float
    last_at: datetime


async def list_queries(request: Request) -> Response:
    """What was searched for in the last 30 days, the most frequent first; as far as events are kept."""
    asked = query(request, QueriesAsked)
    async with reading() as session:
        total, rows = await queries.counted(session, asked.limit, asked.offset, zero=asked.zero)
    return page([QueryCount.model_validate(dict(row)) for row in rows], total, asked)


routes = [
    route("GET", "/search/queries", list_queries, scope="admin", queries=QueriesAsked, gives=Listed[QueryCount]),
    route("POST", "/search/evaluate", evaluate, scope="read", takes=Evaluation, gives=EvaluationResults),
    route("GET", "/resources/{id}/similar", similar, scope="read", queries=Near, gives=Neighbours),
    route("GET", "/resources/{id}/embedding", read_embedding, scope="read", gives=EmbeddingView),
    route("GET", "/search/suggest", suggestions, scope="read", queries=Typed, gives=Suggestions),
    route("GET", "/search", search, scope="read", queries=Search, gives=Results),
    route("POST", "/search", search_by_post, scope="read", takes=Search, gives=Results),
]
