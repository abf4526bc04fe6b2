"""What is in the library: resources, hits, documents, collections, annotations."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from .base import Items, Model, Page

ResourceState = Literal["pending", "processing", "completed", "failed"]
DocumentState = Literal["uploaded", "processing", "processed", "indexed", "ready", "failed"]
Mode = Literal["hybrid", "keyword", "semantic"]
Visibility = Literal["private", "shared", "public"]
Colour = Literal["yellow", "green", "blue", "pink", "purple", "orange"]


class Overall(Model):
    """How good a resource is, 0 to 1."""

    overall: float


class Category(Model):
    """A category of a resource."""

    id: UUID
    name: str
    path: str


class ResourceItem(Model):
    """A resource in a list: without its text."""

    id: UUID
    title: str
    url: str | None = None
    description: str | None = None
    authors: Sequence[str]
    language: str | None = None
    type: str
    subjects: Sequence[str]
    tags: Sequence[str]
    site: str | None = None
    published_at: datetime | None = None
    private: bool
    status: ResourceState
    version: int
    word_count: int
    reading_minutes: int = 0
    duplicate_of: UUID | None = None
    near_duplicate_of: UUID | None = None
    created_at: datetime
    updated_at: datetime
    categories: Sequence[Category] | None = None
    quality: Overall | None = None


class Resource(ResourceItem):
    """A resource with its text."""

    content: str


class Step(Model):
    """One step of the way in."""

    name: str
    state: str
    started_at: datetime | None = None
    finished_at: datetime | None = None
    error: str | None = None


class Progress(Model):
    """How far a resource is: its steps, and in words what it still waits for."""

    status: str
    steps: Sequence[Step]
    waiting_for: str | None = None
    error: str | None = None
    error_type: str | None = None


class Happened(Model):
    """An event of a resource."""

    id: UUID
    name: str
    data: Mapping[str, Any]
    timestamp: datetime
    correlation_id: str


class Timeline(Items[Happened]):
    """What happened to a resource, oldest first."""

    total: int


class PageAdded(Model):
    """The resource that a page becomes; a `duplicate` was there already."""

    id: UUID
    task_id: UUID | None = None
    status: str
    duplicate: bool


class PageOf(Model):
    """What became of one address of many."""

    url: str
    id: UUID | None = None
    duplicate: bool
    error: str | None = None


class PagesAdded(Items[PageOf]):
    """A batch of pages, in the order in which they were given."""

    batch_id: UUID
    task_id: UUID


class TaskStarted(Model):
    """The task that does it; `tasks.wait` waits for its end."""

    task_id: UUID


class Tagged(Model):
    """The tags of one resource afterwards, or why they could not be changed."""

    id: UUID
    tags: Sequence[str] | None = None
    error: str | None = None


class TagCount(Model):
    """A tag, and how many resources have it."""

    tag: str
    count: int


class Neighbour(Model):
    """A resource that is near in meaning; `score` is a cosine."""

    id: UUID
    title: str
    url: str | None = None
    type: str
    language: str | None = None
    authors: Sequence[str]
    tags: Sequence[str]
    published_at: datetime | None = None
    created_at: datetime
    score: float


class Recommendation(Neighbour):
    """A resource that would fit into a collection, and why."""

    why: str


class PassageOf(Model):
    """The passage of a document that a hit stands in; `start` and `end` count characters of its text."""

    document_id: UUID
    position: int
    heading: Sequence[str]
    start: int
    end: int


class Hit(Neighbour):
    """A resource that was found; `snippet` is HTML whose only tag is `<mark>`."""

    categories: Sequence[Category] | None = None
    quality: Overall | None = None
    why: str
    passage: PassageOf | None = None
    snippet: str


class SearchPage(Page[Hit]):
    """One page of what was found."""

    query: str
    mode: Mode
    facets: Mapping[str, Mapping[str, int]]
    facets_exact: bool
    did_you_mean: str | None = None
    took_ms: float
    cached: bool
    degraded: Sequence[str] | None = None


class Suggestion(Model):
    """How what was typed may go on."""

    text: str
    kind: Literal["word", "title"]


class Suggestions(Model):
    """Words and titles that begin like what was typed."""

    suggestions: Sequence[Suggestion]


class SavedSearch(Model):
    """A saved search: its name, and what `search` takes."""

    id: UUID
    name: str
    search: Mapping[str, Any]
    created_at: datetime
    last_used_at: datetime | None = None


class Document(Model):
    """An uploaded file; `percent` is of the way to `ready`, and missing once it failed."""

    id: UUID
    resource_id: UUID
    filename: str
    title: str
    subject: str | None = None
    subject_id: UUID | None = None
    category: str | None = None
    size: int
    pages: int | None = None
    word_count: int
    media_type: str | None = None
    language: str | None = None
    private: bool
    own: bool
    status: DocumentState
    percent: int | None = None
    message: str
    created_at: datetime


class DocumentProgress(Progress):
    """How far a document is."""

    id: UUID
    percent: int | None = None
    message: str


class SampleText(Model):
    """One text of the sample set."""

    id: UUID
    filename: str
    duplicate: bool


class SampleSet(Model):
    """What you have of the sample set; `batch_id` shows how far its texts are."""

    batch_id: UUID
    collection_id: UUID | None = None
    total: int
    items: Sequence[SampleText]


class SampleRemoved(Model):
    """How many texts of the sample set were deleted."""

    removed: int


class Uploaded(Model):
    """The document that a file became; of a duplicate, the one that it equals."""

    id: UUID
    resource_id: UUID
    task_id: UUID | None = None
    filename: str
    status: DocumentState
    duplicate: bool


class Passage(Model):
    """A passage of a document; `start` and `end` count characters of its text."""

    position: int
    heading: Sequence[str]
    start: int
    end: int
    tokens: int
    kind: Literal["text", "table", "list", "heading"]
    text: str


class Collection(Model):
    """A collection; `resource_count` counts what you may see."""

    id: UUID
    name: str
    description: str | None = None
    visibility: Visibility
    parent_id: UUID | None = None
    own: bool
    resource_count: int
    version: int
    created_at: datetime
    updated_at: datetime


class SimilarCollection(Collection):
    """A collection that is near in meaning; `score` is a cosine."""

    score: float


class Added(Model):
    """Which resources were not in the collection before, and how many are now."""

    added: Sequence[UUID]
    resource_count: int


class Annotation(Model):
    """A marked passage; an orphaned one is not in the present text."""

    id: UUID
    resource_id: UUID
    start: int | None = None
    end: int | None = None
    quote: str
    prefix: str
    suffix: str
    orphaned: bool
    similarity: float
    stale: bool
    note: str
    tags: Sequence[str]
    colour: Colour
    version: int
    created_at: datetime
    updated_at: datetime
