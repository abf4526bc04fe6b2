"""HTTP for search."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, Field
from starlette.requests import Request
from starlette.responses import Response

from service.search import executed, retrieval
from service.search.events import SearchExecuted
from service.search.filters import Filters
from service.search.retrieval import Mode
from service.web import Moment, Shape, account, parse, query, respond, route

Values = Annotated[list[str] | None, BeforeValidator(lambda value: [value] if isinstance(value, str) else value)]


class Search(Shape):
    """A query and what narrows it down."""

    query: str
    mode: Mode = "hybrid"
    limit: int = Field(25, ge=1, le=100)
    offset: int = Field(0, ge=0, le=10_000)
    type: Values = None
    language: Values = None
    subject: Values = None
    author: Values = None
    created_from: Moment | None = None
    created_to: Moment | None = None
    prefix: bool = Field(False, description="Search as one types: the last word may be the beginning of one.")


class Hit(BaseModel):
    """A resource that was found."""

    id: UUID
    title: str
    url: str | None
    type: str
    language: str | None
    authors: list[str]
    published_at: datetime | None
    created_at: datetime
    score: float
    snippet: str = Field(description="HTML; the only tag is `<mark>`.")


class Results(BaseModel):
    """One page of what was found."""

    query: str
    mode: Mode
    total: int
    items: list[Hit]
    limit: int
    offset: int
    facets: dict[Literal["type", "language", "author"], dict[str, int]]
    took_ms: float
    cached: bool
    degraded: list[Literal["semantic"]] | None = Field(None, description="What could not be had; words found the rest.")


async def _found(request: Request, asked: Search) -> Response:
    who = account(request)
    filters = Filters(
        who.id, asked.type, asked.language, asked.subject, asked.author, asked.created_from, asked.created_to
    )
    found = await retrieval.search(
        asked.query, filters, asked.mode, limit=asked.limit, offset=asked.offset, unfinished=asked.prefix
    )
    if not asked.prefix:  # what is being typed is no search yet
        told = SearchExecuted(query=asked.query, mode=asked.mode, results_count=found.total, latency_ms=found.took_ms)
        executed.record(told, who.id)
    answer: dict[str, Any] = {
        "query": asked.query,
        "mode": asked.mode,
        "total": found.total,
        "items": found.items,
        "limit": asked.limit,
        "offset": asked.offset,
        "facets": found.facets,
        "took_ms": found.took_ms,
        "cached": False,
    }
    return respond(answer | ({"degraded": found.degraded} if found.degraded else {}))


async def search(request: Request) -> Response:
    """Search by words, by meaning, or both."""
    return await _found(request, query(request, Search))


async def search_by_post(request: Request) -> Response:
    """Search; the query in the body."""
    return await _found(request, await parse(request, Search))


routes = [
    route("GET", "/search", search, scope="read", queries=Search, gives=Results),
    route("POST", "/search", search_by_post, scope="read", takes=Search, gives=Results),
]
