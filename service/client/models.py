"""What the server answers. What it does not say is None; what it says beyond these fields is left out."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

ItemT = TypeVar("ItemT")

ResourceState = Literal["pending", "processing", "completed", "failed"]
DocumentState = Literal["uploaded", "processing", "processed", "indexed", "ready", "failed"]
ImportState = Literal["pending", "adding", "completed", "failed", "cancelled"]
TaskState = Literal["scheduled", "queued", "running", "retrying", "succeeded", "failed", "cancelled"]
DeliveryState = Literal["waiting", "delivered", "failed"]
Mode = Literal["hybrid", "keyword", "semantic"]
Visibility = Literal["private", "shared", "public"]
Colour = Literal["yellow", "green", "blue", "pink", "purple", "orange"]
Role = Literal["admin", "editor", "reader", "operator"]
Scope = Literal["read", "write", "admin", "metrics"]
Reason = Literal["permanent", "exhausted", "poison", "unknown_task"]


class Model(BaseModel):
    """The base of what is answered."""

    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True)  # built when first needed: a quick start


class Page(Model, Generic[ItemT]):
    """One page of a list, and how many items there are in all."""

    total: int
    items: Sequence[ItemT]
    limit: int
    offset: int


class Items(Model, Generic[ItemT]):
    """A list that is answered whole."""

    items: Sequence[ItemT]


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


class Import(Model):
    """How far an import is; `total` is known once the file is read, `merged` were there already."""

    id: UUID
    filename: str
    format: str
    state: ImportState
    total: int
    pending: int
    added: int
    merged: int
    failed: int
    error: str | None = None
    task_id: UUID | None = None
    batch_id: UUID
    created_at: datetime
    finished_at: datetime | None = None


class ImportStarted(Model):
    """The task that reads a file; `batch_id` is the id of the import."""

    task_id: UUID
    batch_id: UUID


class LeftOut(Model):
    """Something that was not imported: where it stands, why, and whether a retry tries it `again`."""

    line: int
    shown: str
    reason: str
    again: bool


class Task(Model):
    """How far a task is; `priority` runs from 0 to 9, the most urgent."""

    task_id: UUID | str
    name: str | None = None
    queue: str
    priority: int
    status: TaskState
    attempts: int
    queued_at: datetime | None = None
    started_at: datetime | None = None
    date_done: datetime | None = None
    progress: Mapping[str, Any] | None = None
    result: Any = None
    error: str | None = None
    traceback: str | None = None


class Letter(Model):
    """A dead letter: a task that failed for good."""

    id: UUID
    task_id: str
    name: str
    queue: str
    arguments: Mapping[str, Any]
    exception: str
    traceback: str | None = None
    attempts: int
    reason: Reason
    failed_at: datetime


class RefusedLetter(Model):
    """A letter that could not be tried again, and why."""

    id: UUID
    detail: str


class Retried(Model):
    """How many letters are tried again; `examples` are the first of those that were refused."""

    retried: int
    refused: int
    examples: Sequence[RefusedLetter]


class Discarded(Model):
    """How many letters were given up."""

    discarded: int


class Me(Model):
    """Who asks, and what the token may do."""

    id: UUID
    username: str
    role: Role
    scopes: Sequence[Scope]


class User(Model):
    """A user, as admins see them."""

    id: UUID
    username: str
    role: Role
    disabled: bool
    created_at: datetime


class Token(Model):
    """A token without its secret, of which `key` is the part that may be shown."""

    id: UUID
    name: str
    key: str
    scopes: Sequence[Scope]
    created_at: datetime
    expires_at: datetime | None = None


class NewToken(Token):
    """A new token with its secret, which is shown this once."""

    token: str


class Invitation(Model):
    """An invitation that nobody used yet; `user_id` is who invited."""

    id: UUID
    user_id: UUID
    role: Role
    created_at: datetime
    expires_at: datetime


class NewInvitation(Invitation):
    """A new invitation with its code, which is shown this once."""

    code: str


class Feed(Model):
    """A feed that you follow; `error` is what went wrong the last time, `failures` how often in a row, `taken` how many
    of its entries became resources.
    """

    id: UUID
    url: str
    title: str
    site_url: str | None = None
    folder: str | None = None
    collection_id: UUID | None = None
    private: bool
    paused: bool
    interval_minutes: int
    error: str | None = None
    failures: int
    taken: int
    checked_at: datetime | None = None
    changed_at: datetime | None = None
    next_at: datetime
    created_at: datetime


class FeedEntry(Model):
    """An entry that was seen; `skipped` says why it became no resource."""

    guid: str
    title: str | None = None
    url: str | None = None
    resource_id: UUID | None = None
    skipped: str | None = None
    published_at: datetime | None = None
    seen_at: datetime


class NotFollowed(Model):
    """A feed of a list that could not be followed."""

    line: int
    url: str
    error: str


class FeedsImported(Model):
    """How many feeds of a list are followed now, how many were before, and which cannot be."""

    added: int
    known: int
    failed: Sequence[NotFollowed]


class FeedLink(Model):
    """A secret address of a feed, without the secret."""

    id: UUID
    collection_id: UUID | None = None
    saved_search_id: UUID | None = None
    created_at: datetime
    used_at: datetime | None = None


class NewFeedLink(FeedLink):
    """A new address, which is shown this once."""

    url: str


class Webhook(Model):
    """A webhook; `failures` counts attempts in a row."""

    id: UUID
    url: str
    events: Sequence[str]
    enabled: bool
    disabled_reason: str | None = None
    failures: int
    created_at: datetime
    updated_at: datetime


class NewWebhook(Webhook):
    """A new webhook with its secret, which is shown this once."""

    secret: str


class Delivery(Model):
    """An event for a webhook; code, duration and error are those of the last attempt."""

    id: UUID
    webhook_id: UUID
    event_id: UUID
    event: str
    status: DeliveryState
    attempts: int
    response_code: int | None = None
    duration_ms: int | None = None
    error: str | None = None
    created_at: datetime
    attempted_at: datetime | None = None
    due_at: datetime | None = None


class DeliveryWithBody(Delivery):
    """A delivery with the body that is sent, as text."""

    body: str


class DeliveryStarted(Model):
    """The delivery that was asked for."""

    delivery_id: UUID


class Event(Model):
    """Something that happened; `cause` is the event that it followed from."""

    id: UUID
    name: str
    version: int
    data: Mapping[str, Any]
    timestamp: datetime
    priority: int
    correlation_id: str
    cause: UUID | None = None


class History(Model):
    """The last events, newest last."""

    count: int
    events: Sequence[Event]


class Alive(Model):
    """The web server lives."""

    status: Literal["ok"]


class Readiness(Model):
    """Whether everything is there that is needed: each check with a figure, and what is wrong in words."""

    status: Literal["ready", "unavailable"]
    checks: Mapping[str, Mapping[str, Any]]
    warnings: Sequence[str]


class Worker(Model):
    """One worker process; `active` holds `task_id`, `name` and `running_s` of what it runs."""

    id: str
    host: str
    pid: int
    queues: Sequence[str]
    concurrency: int
    active: Sequence[Mapping[str, Any]]
    utilization_percent: float
    processed: int
    failed: int
    rss_mb: float
    started_at: datetime
    heartbeat_age_s: float
    tasks: Sequence[str] = Field(default=())
    load: float = 0


class Queue(Model):
    """One queue; the age is that of the task that waits longest."""

    name: str
    priority: int
    scheduled: int
    waiting: int
    running: int
    dead: int
    oldest_age_s: float
    paused: bool


class Workers(Model):
    """Every worker that lives, and every queue."""

    workers: Sequence[Worker]
    queues: Sequence[Queue]
    total_active: int
