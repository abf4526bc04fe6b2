"""What goes in and out over HTTP for a search."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, Field
from starlette.requests import Request
from starlette.responses import Response

from service.resources.shapes import Overall
from service.search import cached, executed
from service.search.events import SearchExecuted
from service.search.filters import Filters
from service.search.retrieval import Mode
from service.taxonomy.tables import CategoryOf
from service.web import Moment, Shape, account, respond

Values = Annotated[list[str] | None, BeforeValidator(lambda value: [value] if isinstance(value, str) else value)]
Documents = Annotated[list[UUID] | None, BeforeValidator(lambda value: [value] if isinstance(value, str) else value)]


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
    category: Values = Field(None, description="By path or id, with all below it.")
    collection: UUID | None = None
    document: Documents = Field(None, description="Ids of documents: within any of them.")
    study_subject: str | None = Field(None, description="A subject of yours, by name or id: within its documents.")
    document_category: str | None = Field(None, description="Within your documents of this category.")
    min_quality: float | None = Field(None, ge=0, le=1, description="Overall, 0 to 1.")
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
            self.category,
            self.collection,
            documents=self.document,
            study_subject=self.study_subject,
            document_category=self.document_category,
            min_quality=self.min_quality,
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


class PassageOf(BaseModel):
    """The passage of a document that a hit stands in; `start` and `end` count characters of the content."""

    document_id: UUID
    position: int
    heading: list[str]
    start: int
    end: int


class Hit(Neighbour):
    """A resource that was found."""

    categories: list[CategoryOf] | None = None
    quality: Overall | None = None
    why: str = Field(description="In words: where words and meaning rank it.")
    passage: PassageOf | None = Field(None, description="Of a document that is indexed.")
    snippet: str = Field(description="HTML; the only tag is `<mark>`.")


class Results(BaseModel):
    """One page of what was found."""

    query: str
    mode: Mode
    total: int
    items: list[Hit]
    limit: int
    offset: int
    facets: dict[Literal["type", "language", "author", "subject", "tag", "category", "quality"], dict[str, int]]
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
    found, was_cached = await cached.search(
        asked.query,
        asked.filters(who.id),
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
        "cached": was_cached,
    }
    return respond(page | ({"degraded": found.degraded} if found.degraded else {}))
