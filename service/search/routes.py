"""HTTP for search."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, Field
from starlette.requests import Request
from starlette.responses import Response

from service.database import reading
from service.resources import actions as resources
from service.search import evaluation, executed, retrieval
from service.search.events import SearchExecuted
from service.search.filters import Filters
from service.search.retrieval import Mode
from service.search.suggestions import Suggestion, suggest
from service.web import Moment, Shape, account, parse, path_id, query, respond, route

Values = Annotated[list[str] | None, BeforeValidator(lambda value: [value] if isinstance(value, str) else value)]


class Asked(Shape):
    """A query and what narrows it down."""

    query: str
    mode: Mode = "hybrid"
    type: Values = None
    language: Values = None
    subject: Values = None
    author: Values = None
    tag: Values = None
    created_from: Moment | None = None
    created_to: Moment | None = None
    freshness: bool = Field(False, description="Newer texts move up.")

    def filters(self, account_id: UUID) -> Filters:
        """Return the conditions besides the query."""
        return Filters(
            account_id,
            self.type,
            self.language,
            self.subject,
            self.author,
            self.tag,
            self.created_from,
            self.created_to,
        )


class Search(Asked):
    """A search, and which page of it."""

    limit: int = Field(25, ge=1, le=100)
    offset: int = Field(0, ge=0, le=10_000)
    prefix: bool = Field(False, description="Search as one types: the last word may be the beginning of one.")


class Neighbour(BaseModel):
    """A resource that is near in meaning; `score` is a cosine."""

    id: UUID
    title: str
    url: str | None
    type: str
    language: str | None
    authors: list[str]
    tags: list[str]
    published_at: datetime | None
    created_at: datetime
    score: float


class Hit(Neighbour):
    """A resource that was found."""

    why: str = Field(description="In words: where words and meaning rank it.")
    snippet: str = Field(description="HTML; the only tag is `<mark>`.")


class Results(BaseModel):
    """One page of what was found."""

    query: str
    mode: Mode
    total: int
    items: list[Hit]
    limit: int
    offset: int
    facets: dict[Literal["type", "language", "author", "subject", "tag"], dict[str, int]]
    facets_exact: bool = Field(
        description="False where more was found than is counted: then these are the best 10,000."
    )
    did_you_mean: str | None = Field(description="The query, spelled as texts of the library spell it.")
    took_ms: float
    cached: bool
    degraded: list[Literal["semantic"]] | None = Field(None, description="What could not be had; words found the rest.")


async def answer(request: Request, asked: Search) -> Response:
    """Search, tell of it, and answer with one page."""
    who = account(request)
    filters = asked.filters(who.id)
    found = await retrieval.search(
        asked.query,
        filters,
        asked.mode,
        limit=asked.limit,
        offset=asked.offset,
        unfinished=asked.prefix,
        freshness=asked.freshness,
    )
    if not asked.prefix:  # what is being typed is no search yet
        told = SearchExecuted(query=asked.query, mode=asked.mode, results_count=found.total, latency_ms=found.took_ms)
        executed.record(told, who.id)
    page: dict[str, Any] = {
        "query": asked.query,
        "mode": asked.mode,
        "total": found.total,
        "items": found.items,
        "limit": asked.limit,
        "offset": asked.offset,
        "facets": found.facets,
        "facets_exact": found.facets_exact,
        "did_you_mean": found.did_you_mean,
        "took_ms": found.took_ms,
        "cached": False,
    }
    return respond(page | ({"degraded": found.degraded} if found.degraded else {}))


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
    queries = [(one.query, one.judgements) for one in asked.queries]
    judged = await evaluation.evaluate(queries, Filters(account(request).id), asked.mode, asked.k)
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


class Typed(Shape):
    """What was typed so far."""

    prefix: str = Field(max_length=1000)
    limit: int = Field(8, ge=1, le=20)


class Suggestions(BaseModel):
    """How it may go on."""

    suggestions: list[Suggestion]


async def suggestions(request: Request) -> Response:
    """Suggest words and titles that begin like what is typed."""
    asked = query(request, Typed)
    async with reading() as session:
        found = await suggest(session, asked.prefix, Filters(account(request).id), asked.limit)
    return respond({"suggestions": [one._asdict() for one in found]})


routes = [
    route("POST", "/search/evaluate", evaluate, scope="read", takes=Evaluation, gives=EvaluationResults),
    route("GET", "/resources/{id}/similar", similar, scope="read", queries=Near, gives=Neighbours),
    route("GET", "/search/suggest", suggestions, scope="read", queries=Typed, gives=Suggestions),
    route("GET", "/search", search, scope="read", queries=Search, gives=Results),
    route("POST", "/search", search_by_post, scope="read", takes=Search, gives=Results),
]
